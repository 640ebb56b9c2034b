"""What the database itself enforces beside constraints: row-level security and the application role's rights.

`row_policy` is used by migrations; `grant_rights` runs after every migration (`manage.py upgrade`) as the owner.
"""

from __future__ import annotations

from django.apps import apps
from django.db import connection as default_connection
from django.db import migrations
from django.db.backends.base.base import BaseDatabaseWrapper
from pghistory.models import Event

# Read once a statement (a sub-select is planned as an InitPlan), not once a row.
_COUNTY = "(SELECT current_setting('eduaid.scope', true) = '*')"
_TOWNS = "(SELECT coalesce(nullif(current_setting('eduaid.towns', true), ''), '{}')::bigint[])::bigint[]"
_SCHOOLS = "(SELECT coalesce(nullif(current_setting('eduaid.schools', true), ''), '{}')::bigint[])::bigint[]"


def row_policy(
    table: str, *, towns: tuple[str, ...] = (), schools: tuple[str, ...] = (), through: str = ""
) -> migrations.RunSQL:
    """Row-level security on a table: the county sees all, others the rows of their townships and schools.

    `towns`, `schools`: columns that hold a township's or school's id. `through`: an SQL condition on another protected
    table instead (its own policy then decides). FORCE: the owner is held by it too.
    """
    conditions = [_COUNTY]
    conditions += [f"{column} = ANY ({_TOWNS})" for column in towns]
    conditions += [f"{column} = ANY ({_SCHOOLS})" for column in schools]
    if through:
        conditions.append(through)
    condition = " OR ".join(conditions)
    return migrations.RunSQL(
        f"""
        ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
        ALTER TABLE {table} FORCE ROW LEVEL SECURITY;
        CREATE POLICY scope ON {table} USING ({condition}) WITH CHECK ({condition});
        """,
        f"""
        DROP POLICY scope ON {table};
        ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY;
        ALTER TABLE {table} DISABLE ROW LEVEL SECURITY;
        """,
    )


# Tables that the application may add to and read, never change.
_APPEND_ONLY = ("core_accessrecord", "core_celledit", "core_changeset")
# Their columns change in narrow ways by design; the rows themselves never go.
_NEVER_DELETED = ("core_upload", "core_uploadfile", "core_datakey")


# Tables that one list fills by the ten thousand, and the columns by which their rows are found and joined; the application may
# have statistics of these taken (those of wide columns take ten times as long, and autovacuum takes them anyway).
_BULK = {
    "core_uploadrow": "id, sheet_id, slice_id, state, held_by_id",
    "core_listslice": "id, upload_id, kind, school_id, town_id, is_current",
    "core_finding": "id, upload_id, row_id, sheet_id, level, code, answer",
    "students_student": "id, merged_into_id, name_key, birth_on, school_id, school_town_id, hukou_town_id",
    "students_household": "id, kind, number, town_id",
    "students_enrolment": "id, student_id, term_id, school_id",
    "students_identifier": "id, kind, digest, student_id",
    "students_identitylink": "row_id, student_id",
}


def refresh_statistics(*tables: str, grown_by: int) -> None:
    """Has PostgreSQL look again at tables that have just grown by a tenth or more, inside the running transaction.

    Autovacuum comes a minute later, and until then the planner believes the size it saw last: a first list of ten thousand
    rows was joined row by row against a table that it took for empty, for minutes instead of a second.
    """
    if grown_by < 500:
        return
    with default_connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE oid = ANY(%s::regclass[]) AND reltuples < %s",
            [list(tables), grown_by * 10],
        )
        for (table,) in cursor.fetchall():
            cursor.execute(f'ANALYZE "{table}" ({_BULK[table]})')


def grant_rights(connection: BaseDatabaseWrapper, *, role: str) -> None:
    """Gives the application role what it needs on every table, and takes the rest away. Idempotent; run as the owner.

    History (every pghistory event table) and the access log are append-only for it. Attaching a history context upserts
    the context row, which a function that runs with the owner's rights does on its behalf.
    """
    tables = set(connection.introspection.table_names())
    history = [
        model._meta.db_table
        for model in apps.get_models()
        if issubclass(model, Event) and model._meta.db_table in tables
    ]
    append_only = ", ".join(f'"{table}"' for table in (*history, *_APPEND_ONLY))
    kept = ", ".join(f'"{table}"' for table in _NEVER_DELETED)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            GRANT USAGE ON SCHEMA public TO {role};
            GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role};
            GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role};
            REVOKE UPDATE, DELETE, TRUNCATE ON {append_only} FROM {role};
            REVOKE DELETE, TRUNCATE ON {kept} FROM {role};
            GRANT MAINTAIN ON {", ".join(_BULK)} TO {role};
            REVOKE INSERT, UPDATE, DELETE ON pghistory_context, django_migrations FROM {role};
            ALTER FUNCTION _pgh_attach_context() SECURITY DEFINER;
            """
        )
        # History's triggers compare the rows before and after a statement, with a plan that the session keeps from its first
        # statement: planned for a few rows, it takes quadratic time for ten thousand.
        cursor.execute(
            "SELECT format('ALTER FUNCTION %s SET enable_nestloop = off', oid::regprocedure)"
            " FROM pg_proc WHERE proname LIKE 'pgtrigger\\_%' AND prosrc LIKE '%old_values%'"
        )
        for (statement,) in cursor.fetchall():
            cursor.execute(statement)
