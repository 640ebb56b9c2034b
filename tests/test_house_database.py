"""What the database itself must hold, whatever the code above it forgets: scope, history, rights, the models' shape."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connections
from django.db.models import ForeignKey, Model
from pghistory.models import Event

from eduaid.core import database
from eduaid.core.models import Upload
from students.models import Household, Student

APPS = ("core", "students", "subsidies", "dropout", "reports")

# Tables about a child or a list that hold no more than everybody may know, or that only workers read.
UNSCOPED = {
    "core_listslice": "kind, place, date; rows of a county-wide list count in townships that may not see the list",
    "core_changeset": "ids of children and of a list; written by applies, read by followers, shown to nobody",
}

# Tables whose changes need no history of their own.
REMEMBERED_OTHERWISE = {
    "core_accessrecord": "append-only",
    "core_celledit": "append-only",
    "core_changeset": "append-only",
    "core_cursor": "how far a follower has read",
    "core_datakey": "never deleted; says when it was destroyed",
    "core_notice": "says when it was read; a convenience",
    "core_columnmemory": "a convenience that can be forgotten with one click",
    "core_valuememory": "a convenience that can be forgotten with one click",
    "core_uploadfile": "written once, never deleted",
    "core_returnedfile": "written once; says when and how it was merged",
    "core_uploadsheet": "written with its list; the answers about its columns are part of the list's version",
    "core_uploadrow": "kept as delivered; what changes is told by its edits, its answers and its list's history",
    "core_finding": "an answer stands on it with its author and time",
    "core_listslice": "says when it took force and when it was undone; what is in force is computed from that",
    "dropout_spotpool": "written once with its draw",
    "reports_figure": "cannot be changed at all: a trigger refuses it",
    "students_alias": "follows decisions on identity, which have a history",
    "students_discrepancy": "computed from lists in force; says when it was found and when it went",
    "students_suggestion": "computed from lists in force; says when it was found and when it went",
    "subsidies_account": "append-only",
    "subsidies_entry": "append-only",
    "subsidies_line": "append-only",
    "subsidies_loansnapshot": "append-only",
    "students_household": "resolved from rows that are kept for ever",
    "students_namepart": "parts of names that children bear, for the search box; made anew at will",
    "students_identifier": "follows links and corrections, which have a history",
}


@pytest.fixture
def sql(django_db_setup: None, django_db_blocker: Any) -> Iterator[Any]:
    """Asks the database as the application role."""

    def ask(query: str, *values: object) -> list[tuple[Any, ...]]:
        with connections["default"].cursor() as cursor:
            cursor.execute(query, values)
            return list(cursor.fetchall())

    with django_db_blocker.unblock():
        try:
            yield ask
        finally:
            connections["default"].close()


def own_models() -> list[type[Model]]:
    return [model for model in apps.get_models() if model._meta.app_label in APPS and not model._meta.proxy]


def is_history(model: type[Model]) -> bool:
    return issubclass(model, Event)


def about_a_child_or_a_list() -> set[type[Model]]:
    """Whatever points at a child, a household or a list, by whatever way, and the history of all that."""
    found: set[type[Model]] = {Student, Household, Upload}
    models = own_models()
    while True:
        more = {
            model
            for model in models
            if model not in found
            and any(isinstance(field, ForeignKey) and field.related_model in found for field in model._meta.fields)
        }
        if not more:
            return found
        found |= more


def test_tables_about_a_child_or_a_list_have_row_level_security(sql: Any) -> None:
    tables = {model._meta.db_table for model in about_a_child_or_a_list()}
    guarded = {
        name
        for (name,) in sql(
            "SELECT c.relname FROM pg_class c WHERE c.relkind = 'r' AND c.relrowsecurity AND c.relforcerowsecurity"
            " AND EXISTS (SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid)"
        )
    }
    assert {"students_student", "core_uploadrow"} <= guarded
    assert sorted(tables - guarded - set(UNSCOPED)) == []
    assert set(UNSCOPED) <= tables - guarded


def test_without_a_scope_the_connection_is_blind(sql: Any) -> None:
    assert sql("SELECT current_setting('eduaid.scope', true)")[0][0] in (None, "")
    policies = sql(
        "SELECT relname, pg_get_expr(polqual, polrelid) IS NOT NULL, pg_get_expr(polwithcheck, polrelid) IS NOT NULL"
        " FROM pg_policy JOIN pg_class ON pg_class.oid = polrelid"
    )
    assert policies
    assert [name for name, reads, writes in policies if not (reads and writes)] == []


def test_the_application_role_is_nobody_special(sql: Any) -> None:
    rights = sql(
        "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication FROM pg_roles"
        " WHERE rolname = current_user"
    )
    assert rights == [(False, False, False, False, False)]
    assert sql("SELECT relname FROM pg_class WHERE relowner = current_user::regrole") == []
    memberships = "SELECT 1 FROM pg_auth_members WHERE member = current_user::regrole"
    assert sql(memberships) == []


def test_history_and_logs_can_only_be_added_to_by_the_application(sql: Any) -> None:
    history = {model._meta.db_table for model in apps.get_models() if is_history(model)}
    assert "students_studentevent" in history
    for table in sorted(history | set(database._APPEND_ONLY)):
        changing = sql(
            "SELECT has_table_privilege(current_user, %s, 'UPDATE, DELETE, TRUNCATE'),"
            " has_any_column_privilege(current_user, %s, 'UPDATE'), has_table_privilege(current_user, %s, 'INSERT')",
            table,
            table,
            table,
        )
        assert (table, *changing[0]) == (table, False, False, True)


def test_the_application_cannot_change_tables_or_switch_their_guards_off(sql: Any) -> None:
    tables = [model._meta.db_table for model in own_models()]
    assert sql("SELECT t FROM unnest(%s::text[]) t WHERE has_table_privilege(current_user, t, 'TRIGGER')", tables) == []
    assert sql("SELECT has_schema_privilege(current_user, 'public', 'CREATE')") == [(False,)]


def test_what_people_change_has_a_history() -> None:
    tracked = {
        field.related_model
        for model in own_models()
        if is_history(model)
        for field in model._meta.fields
        if field.name == "pgh_obj"
    }
    tables = {model._meta.db_table for model in own_models() if not is_history(model) and model not in tracked}
    assert sorted(tables - set(REMEMBERED_OTHERWISE)) == []
    assert set(REMEMBERED_OTHERWISE) <= tables


def test_every_history_has_its_triggers(sql: Any) -> None:
    tables = {
        field.related_model._meta.db_table
        for model in own_models()
        if is_history(model)
        for field in model._meta.fields
        if field.name == "pgh_obj"
    }
    triggered = {
        name
        for (name,) in sql(
            "SELECT DISTINCT c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
            " WHERE NOT t.tgisinternal AND t.tgenabled = 'O'"
        )
    }
    assert sorted(tables - triggered) == []


def test_migrations_say_what_the_models_say(sql: Any) -> None:
    told = io.StringIO()
    try:
        call_command("makemigrations", check=True, dry_run=True, stdout=told)
    except SystemExit:
        pytest.fail(told.getvalue())


def test_every_reference_to_another_app_protects_what_it_points_at() -> None:
    """Nothing about a child or a list goes because something else went."""
    loose = [
        f"{model._meta.label}.{field.name}"
        for model in about_a_child_or_a_list() - {Upload}
        if not is_history(model)
        for field in model._meta.fields
        if isinstance(field, ForeignKey) and field.remote_field.on_delete.__name__ != "PROTECT"
    ]
    assert loose == []
