"""The two database roles and the database, made by a superuser. Plain Python, no Django."""

from __future__ import annotations

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import encrypt_password, parse_dsn

from eduaid.core.servers import ServicesError


def provision(superuser_url: str, owner_url: str, application_url: str) -> None:
    """Create the two roles and the database that the URLs name, if absent, and set the roles' passwords to theirs.

    The owner may create databases (tests do) but is no superuser and does not bypass row-level security; the
    application role may log in and nothing else. Tables and grants are the business of `manage.py upgrade`.
    """
    owner, application = parse_dsn(owner_url), parse_dsn(application_url)
    if owner["dbname"] != application["dbname"] or owner["user"] == application["user"]:
        raise ServicesError("DATABASE_URL 与 DATABASE_OWNER_URL 必须指向同一个数据库,并使用两个不同的账户。")
    connection = psycopg2.connect(superuser_url)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            for wanted, rights in ((owner, sql.SQL("CREATEDB")), (application, sql.SQL("NOCREATEDB"))):
                role = sql.Identifier(wanted["user"])
                cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [wanted["user"]])
                verb = sql.SQL("ALTER" if cursor.fetchone() else "CREATE")
                plain = sql.SQL("LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOREPLICATION")
                cursor.execute(sql.SQL("{} ROLE {} {} {}").format(verb, role, plain, rights))
                if "password" in wanted:
                    # Hashed here, so that the password itself reaches neither the server's log nor its views.
                    hashed = encrypt_password(wanted["password"], wanted["user"], connection, "scram-sha-256")
                    cursor.execute(sql.SQL("ALTER ROLE {} PASSWORD %s").format(role), [hashed])
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [owner["dbname"]])
            if cursor.fetchone() is None:
                cursor.execute(
                    sql.SQL("CREATE DATABASE {} OWNER {}").format(
                        sql.Identifier(owner["dbname"]), sql.Identifier(owner["user"])
                    )
                )
    finally:
        connection.close()
