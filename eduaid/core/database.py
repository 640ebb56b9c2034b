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
_CHILDREN = "(SELECT coalesce(nullif(current_setting('eduaid.children', true), ''), '{}')::bigint[])::bigint[]"


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


def also_children(table: str, *, towns: tuple[str, ...], schools: tuple[str, ...], child: str) -> migrations.RunSQL:
    """Widens a policy of `row_policy` by the single children that a scope names: `child` is the column of the child's id.

    It stands last: who sees the row by its place never comes to it.
    """
    condition = " OR ".join(
        [_COUNTY]
        + [f"{column} = ANY ({_TOWNS})" for column in towns]
        + [f"{column} = ANY ({_SCHOOLS})" for column in schools]
    )
    wider = f"{condition} OR {child} = ANY ({_CHILDREN})"
    return migrations.RunSQL(
        f"ALTER POLICY scope ON {table} USING ({wider}) WITH CHECK ({wider})",
        f"ALTER POLICY scope ON {table} USING ({condition}) WITH CHECK ({condition})",
    )


def references(table: str, parents: dict[str, str]) -> list[migrations.RunSQL]:
    """Foreign keys that are checked once a statement: column → the table whose `id` it holds.

    For tables that lists fill by the ten thousand while their rows point at a handful of parents: PostgreSQL's own keys ask for
    the parent once a row, which costs more than writing the row. The promise is the same: what a statement adds must point
    at rows that are there, these are locked against deletion until the transaction ends, rows that are pointed at cannot be
    deleted, and ids do not change. Unlike Django's keys they are not deferred to the commit. (docs/decisions/0015)
    """
    added = "".join(_added(table, column, parent) for column, parent in parents.items())
    refers = migrations.RunSQL(
        f"""
        CREATE FUNCTION {table}_refers() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE scope text := current_setting('eduaid.scope', true); lost bigint;
        BEGIN
            PERFORM set_config('eduaid.scope', '*', true);  -- a parent beyond the scope is there all the same
            {added}
            PERFORM set_config('eduaid.scope', coalesce(scope, ''), true);
            RETURN NULL;
        END $$;
        CREATE TRIGGER refers_insert AFTER INSERT ON {table} REFERENCING NEW TABLE AS added
            FOR EACH STATEMENT EXECUTE FUNCTION {table}_refers();
        CREATE TRIGGER refers_update AFTER UPDATE ON {table} REFERENCING NEW TABLE AS added OLD TABLE AS gone
            FOR EACH STATEMENT EXECUTE FUNCTION {table}_refers();
        """,
        f"""
        DROP TRIGGER refers_insert ON {table};
        DROP TRIGGER refers_update ON {table};
        DROP FUNCTION {table}_refers();
        """,
    )
    return [refers, *(_referred(table, column, parent) for column, parent in parents.items())]


def _added(table: str, column: str, parent: str) -> str:
    def check(pointed_at: str) -> str:
        return f"""
            WITH wanted AS MATERIALIZED ({pointed_at}),
            held AS MATERIALIZED (SELECT p.id FROM {parent} p JOIN wanted w ON w.id = p.id FOR KEY SHARE OF p)
            SELECT id INTO lost FROM wanted WHERE id NOT IN (SELECT id FROM held) LIMIT 1;
            IF FOUND THEN
                RAISE foreign_key_violation USING TABLE = '{table}', COLUMN = '{column}',
                    CONSTRAINT = '{table}_{column}_refers',
                    MESSAGE = format('{table}_{column}_refers: {parent} has no %s', lost);
            END IF;"""

    inserted = f"SELECT DISTINCT {column} AS id FROM added WHERE {column} IS NOT NULL"
    updated = f"SELECT {column} AS id FROM added WHERE {column} IS NOT NULL EXCEPT SELECT {column} FROM gone"
    return f"IF TG_OP = 'INSERT' THEN {check(inserted)} ELSE {check(updated)} END IF;"


def _referred(table: str, column: str, parent: str) -> migrations.RunSQL:
    name = f"{table}_{column}_referred"
    return migrations.RunSQL(
        f"""
        CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE scope text := current_setting('eduaid.scope', true);
        BEGIN
            IF TG_OP = 'UPDATE' THEN
                RAISE foreign_key_violation USING MESSAGE = '{name}: ids do not change';
            END IF;
            PERFORM set_config('eduaid.scope', '*', true);
            IF EXISTS (SELECT 1 FROM {table} c JOIN gone g ON g.id = c.{column}) THEN
                RAISE foreign_key_violation USING TABLE = '{table}', COLUMN = '{column}',
                    CONSTRAINT = '{name}', MESSAGE = '{name}: rows of {table} point at it';
            END IF;
            PERFORM set_config('eduaid.scope', coalesce(scope, ''), true);
            RETURN NULL;
        END $$;
        CREATE TRIGGER {name}_delete AFTER DELETE ON {parent} REFERENCING OLD TABLE AS gone
            FOR EACH STATEMENT EXECUTE FUNCTION {name}();
        CREATE TRIGGER {name}_update AFTER UPDATE OF id ON {parent} FOR EACH STATEMENT EXECUTE FUNCTION {name}();
        """,
        f"""
        DROP TRIGGER {name}_delete ON {parent};
        DROP TRIGGER {name}_update ON {parent};
        DROP FUNCTION {name}();
        """,
    )


# Tables that the application may add to and read, never change.
_APPEND_ONLY = (
    "core_accessrecord",
    "core_celledit",
    "core_changeset",
    "subsidies_account",
    "subsidies_entry",
    "subsidies_line",
    "subsidies_loansnapshot",
    "subsidies_termclosing",
)
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
    "subsidies_childcategory": "id, student_id, category, is_main",
    "subsidies_entitlement": "id, student_id, programme_id, term_id, school_id, school_town_id, standard_id",
    "dropout_whereabouts": "id, round_id, student_id, code, place, proof, hukou_town_id, hukou_village_id",
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
