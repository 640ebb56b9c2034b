"""The one set-based function that makes students, households and enrolments out of the lists in force and the corrections.

Nothing else writes those columns. Values are taken by `students.precedence`, corrections are laid over them, and a row of a
table is written only where a value IS DISTINCT. Table names are unqualified on purpose: inside `at()` temporary tables of the
same names stand before them, so the same statements and every queryset answer for another date or moment.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache

from django.db import connection, transaction

from eduaid.core.models import Term
from eduaid.core.scope import EVERYTHING, row_security
from eduaid.core.slices import CURRENT
from students.precedence import (
    COLUMNS,
    CONCEPTS,
    EMPTY,
    KINDS,
    MEMBERSHIP,
    POPULATION,
    POVERTY,
    REGISTRY,
    ROSTER,
    Concept,
)

# A row counts: accepted, in a current slice, or held in force by a newer row about the same child that waits (待改).
IN_FORCE = """
    r.state = 'A' AND (r.late_at IS NULL OR r.late_at <= {known_at}) AND (s.is_current OR EXISTS (
        SELECT 1 FROM core_uploadrow w JOIN core_listslice ws ON ws.id = w.slice_id
        WHERE w.id = r.held_by_id AND ws.is_current AND (w.state = 'W' OR w.late_at > {known_at})))
"""

_ALIAS = {kind: kind.replace("-", "_") for kind in KINDS}

# Where a resolved column is read from a picked row, if not from its facts.
_SOURCES = {
    "id_digest": "{kind}.id_digest",
    "registry_digest": "{kind}.registry_digest",
    "id_tail_digest": "decode({kind}.facts->>'id_tail_digest', 'hex')",
    "school_id": "{kind}.school_id",
    "school_town_id": "{kind}.school_town_id",
}
_SAYS = {
    "id_digest": "{kind}.id_digest IS NOT NULL",
    "registry_digest": "{kind}.registry_digest IS NOT NULL",
    "school_id": "{kind}.school_id IS NOT NULL",
}


def _source(kind: str, column: str) -> str:
    alias = _ALIAS[kind]
    if column in _SOURCES:
        return _SOURCES[column].format(kind=alias)
    return f"({alias}.facts->>'{column}')::{COLUMNS[column]}"


def _says(kind: str, concept: Concept) -> str:
    return _SAYS.get(concept.says, "{kind}.facts ? '" + concept.says + "'").format(kind=_ALIAS[kind])


def _listed(concept: Concept, column: str) -> str:
    """What the lists say: the column of the first kind, in the concept's order, that speaks of it."""
    cases = " ".join(f"WHEN {_says(kind, concept)} THEN {_source(kind, column)}" for kind in concept.order)
    return f"CASE {cases} END"


def _as_text(expression: str, sql_type: str) -> str:
    return f"encode({expression}, 'hex')" if sql_type == "bytea" else f"({expression})::text"


def _from_text(expression: str, sql_type: str) -> str:
    return f"decode({expression}, 'hex')" if sql_type == "bytea" else f"({expression})::{sql_type}"


def _resolved(concept: Concept, column: str) -> str:
    """The listed value, or the correction's where one holds; never null where the table has no null."""
    value = f"listed.{column}"
    if concept.correctable:
        corrected = _from_text(f"c.holding->'{concept.key}'->>'{column}'", COLUMNS[column])
        value = f"CASE WHEN c.holding ? '{concept.key}' THEN {corrected} ELSE {value} END"
    return f"coalesce({value}, {EMPTY[column]})" if column in EMPTY else value


@cache
def _picked_sql() -> str:
    """The row in force of each kind for every affected child."""
    in_force = IN_FORCE.format(known_at="%(known_at)s")
    return f"""
        CREATE TEMP TABLE resolve_picked ON COMMIT DROP AS
        SELECT DISTINCT ON (m.student_id, s.kind) m.student_id, s.kind, r.id AS row_id, r.facts, r.id_digest,
            r.registry_digest, r.school_id, school.town_id AS school_town_id
        FROM resolve_member m
        JOIN students_identitylink l ON l.student_id = m.member_id
        JOIN core_uploadrow r ON r.id = l.row_id
        JOIN core_listslice s ON s.id = r.slice_id
        LEFT JOIN core_school school ON school.id = r.school_id
        WHERE {in_force}
        ORDER BY m.student_id, s.kind, s.is_current DESC, s.effective_on DESC, s.applied_at DESC, r.id DESC
    """


@cache
def _values_sql() -> str:
    """One row per affected child with every resolved column, lists and corrections laid over one another."""
    listed = ",\n".join(f"{_listed(concept, column)} AS {column}" for concept in CONCEPTS for column in concept.columns)
    joins = "\n".join(
        f"LEFT JOIN resolve_picked {alias} ON {alias}.student_id = a.id AND {alias}.kind = '{kind}'"
        for kind, alias in _ALIAS.items()
    )
    membership = ",\n".join(f"{_ALIAS[kind]}.row_id IS NOT NULL AS {flag}" for kind, flag in MEMBERSHIP.items())
    values = ",\n".join(
        f"{_resolved(concept, column)} AS {column}"
        for concept in CONCEPTS
        for column in concept.columns
        if column != "school_town_id"
    )
    names = ", ".join(f"{alias}.facts->>'name_key', {alias}.facts->>'former_key'" for alias in _ALIAS.values())
    said = ", ".join(
        f"'{concept.key}', jsonb_build_object("
        + ", ".join(f"'{column}', {_as_text('listed.' + column, sql)}" for column, sql in concept.columns.items())
        + ")"
        for concept in CONCEPTS
        if concept.correctable
    )
    return f"""
        CREATE TEMP TABLE resolve_values ON COMMIT DROP AS
        WITH listed AS (
            SELECT a.id AS student_id, {listed}, {membership},
                -- Most children stand in one list under one name: nothing to sort.
                (CASE WHEN num_nonnulls({names}) = 1 AND coalesce({names}) <> '' THEN ARRAY[coalesce({names})]
                    ELSE ARRAY(SELECT DISTINCT n FROM unnest(ARRAY[{names}]) n WHERE n <> '' ORDER BY n)
                END)::varchar[] AS name_keys,
                {_ALIAS[POPULATION]}.facts->>'household_no' AS hukou_number,
                {_ALIAS[POVERTY]}.facts->>'household_no' AS poverty_number
            FROM resolve_affected a {joins}
        ), c AS (
            SELECT student_id, jsonb_object_agg(concept, "values") AS holding FROM students_correction
            WHERE made_at <= %(known_at)s AND (revoked_at IS NULL OR revoked_at > %(known_at)s)
                AND student_id IN (SELECT id FROM resolve_affected)
            GROUP BY student_id
        )
        SELECT listed.student_id, {values}, {", ".join("listed." + flag for flag in MEMBERSHIP.values())},
            listed.name_keys, hh.id AS hukou_household_id, ph.id AS poverty_household_id,
            EXISTS (
                SELECT 1 FROM students_identitylink l JOIN core_uploadrow r ON r.id = l.row_id
                JOIN core_listslice s ON s.id = r.slice_id
                WHERE l.student_id = listed.student_id AND r.state = 'W' AND s.is_current
            ) AS has_waiting_row,
            CASE WHEN %(say)s OR c.student_id IS NOT NULL THEN jsonb_build_object({said}) END AS said
        FROM listed
        LEFT JOIN c ON c.student_id = listed.student_id
        LEFT JOIN students_household hh ON hh.kind = 'hukou' AND hh.number = listed.hukou_number
        LEFT JOIN students_household ph ON ph.kind = 'poverty' AND ph.number = listed.poverty_number
    """


_WRITTEN = (
    *(column for column in COLUMNS),
    *MEMBERSHIP.values(),
    "name_keys",
    "hukou_household_id",
    "poverty_household_id",
    "has_waiting_row",
)


def _value(column: str) -> str:
    # The school's township follows the school, also where the school was corrected.
    return "school.town_id" if column == "school_town_id" else f"v.{column}"


@cache
def _write_sql() -> tuple[str, str]:
    columns = ", ".join(_WRITTEN)
    values = ", ".join(_value(column) for column in _WRITTEN)
    old = ", ".join(f"st.{column}" for column in _WRITTEN)
    # A child whom no list names any more (来源已撤回) keeps what was last known, for the acts that hang on it and for the
    # list that will name it again.
    listed = " OR ".join(f"v.{flag}" for flag in MEMBERSHIP.values())
    kept = ", ".join(
        _value(column)
        if column in MEMBERSHIP.values()
        else f"CASE WHEN {listed} THEN {_value(column)} ELSE st.{column} END"
        for column in _WRITTEN
    )
    update = f"""
        UPDATE students_student st SET ({columns}) = ROW ({kept})
        FROM resolve_values v LEFT JOIN core_school school ON school.id = v.school_id
        WHERE st.id = v.student_id AND ({old}) IS DISTINCT FROM ({kept})
        RETURNING st.id
    """
    # A public id: ten of 31 characters, from bits of a UUID that are random (those of bytes 6 and 8 are not).
    signs = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
    public_id = (
        "translate(left(overlay(encode(uuid_send(gen_random_uuid()), 'base64') PLACING '' FROM 9 FOR 4), 10),"
        " 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/',"
        f" '{(signs * 3)[:64]}')"
    )
    insert = f"""
        INSERT INTO students_student (id, public_id, made_at, {columns})
        SELECT v.student_id, {public_id}, now(), {values}
        FROM resolve_values v
        LEFT JOIN core_school school ON school.id = v.school_id
        WHERE NOT EXISTS (SELECT 1 FROM students_student st WHERE st.id = v.student_id)
        RETURNING id
    """
    return insert, update


# Identities are allotted and children resolved by one transaction at a time: two lists may name the same new child, and
# an undo must not write over a correction made beside it. The lock goes with its transaction.
_LOCK = 7_310_001


def take_turn() -> None:
    """Waits until no other transaction allots identities or resolves. May be taken twice."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def resolve(
    students: Iterable[int],
    *,
    terms: Iterable[Term] | None = None,
    known_at: dt.datetime | None = None,
    say: bool = False,
) -> list[int]:
    """Writes the resolved columns of these children and their enrolments of the terms (default: today's term).

    Ids that matching has allotted but no row carries yet are inserted. Returns the ids whose values were written. Runs in the
    caller's transaction. `say`: leave in `resolve_values.said` what the lists say also of children without a correction.
    """
    moment = known_at or "infinity"
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS resolve_affected, resolve_member, resolve_picked, resolve_values")
        cursor.execute(
            "CREATE TEMP TABLE resolve_affected ON COMMIT DROP AS"
            " SELECT DISTINCT coalesce(st.merged_into_id, x.id) AS id FROM unnest(%s::bigint[]) x(id)"
            " LEFT JOIN students_student st ON st.id = x.id",
            [list(students)],
        )
        # Keys, so that no plan scans these tables once a row, whatever the planner believes of the lists that have just come.
        cursor.execute("ALTER TABLE resolve_affected ADD PRIMARY KEY (id); ANALYZE resolve_affected")
        # A child merged into another brings its rows along.
        cursor.execute(
            "CREATE TEMP TABLE resolve_member ON COMMIT DROP AS"
            " SELECT id AS student_id, id AS member_id FROM resolve_affected UNION ALL"
            " SELECT m.merged_into_id, m.id FROM resolve_affected a JOIN students_student m ON m.merged_into_id = a.id"
        )
        cursor.execute("ALTER TABLE resolve_member ADD PRIMARY KEY (member_id); ANALYZE resolve_member")
        cursor.execute(_picked_sql(), {"known_at": moment})
        cursor.execute(
            "CREATE UNIQUE INDEX ON resolve_picked (student_id, kind); ANALYZE resolve_picked (student_id, kind)"
        )
        cursor.execute(_values_sql(), {"known_at": moment, "say": say})
        cursor.execute("ALTER TABLE resolve_values ADD PRIMARY KEY (student_id); ANALYZE resolve_values (student_id)")
        insert, update = _write_sql()
        cursor.execute(update, {})
        written = [pk for (pk,) in cursor.fetchall()]
        cursor.execute(insert, {})
        written += [pk for (pk,) in cursor.fetchall()]
        cursor.execute(
            """
            UPDATE students_correction c SET contested_by = x.contested
            FROM (
                SELECT c.id, CASE WHEN listed = c.replaced OR listed = c.values THEN NULL ELSE listed END AS contested
                FROM students_correction c JOIN resolve_values v ON v.student_id = c.student_id,
                LATERAL (SELECT v.said->c.concept AS listed) said
                WHERE c.revoked_at IS NULL
            ) x
            WHERE c.id = x.id AND c.contested_by IS DISTINCT FROM x.contested
            """
        )
        for term in terms if terms is not None else _todays_term():
            _enrol(term)
    return written


def _todays_term() -> list[Term]:
    try:
        return [Term.objects.at(dt.date.today())]
    except Term.DoesNotExist:
        return []


def _enrol(term: Term) -> None:
    """One enrolment per child and term from the picked rows: the class roster's word before the registry's."""
    roster, registry = _ALIAS[ROSTER], _ALIAS[REGISTRY]
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH schooling AS (
                SELECT v.student_id, v.school_id, v.grade, v.class_name, v.boarding,
                    {registry}.row_id IS NOT NULL AS in_registry, {roster}.row_id IS NOT NULL AS in_roster
                FROM resolve_values v
                LEFT JOIN resolve_picked {roster} ON {roster}.student_id = v.student_id AND {roster}.kind = '{ROSTER}'
                LEFT JOIN resolve_picked {registry} ON {registry}.student_id = v.student_id AND {registry}.kind = '{REGISTRY}'
                WHERE v.school_id IS NOT NULL AND ({roster}.row_id IS NOT NULL OR {registry}.row_id IS NOT NULL)
            ), gone AS (
                DELETE FROM students_enrolment e USING resolve_values v
                WHERE e.student_id = v.student_id AND e.term_id = %(term)s
                    AND NOT EXISTS (SELECT 1 FROM schooling s WHERE s.student_id = e.student_id)
            )
            INSERT INTO students_enrolment AS e
                (student_id, term_id, school_id, grade, class_name, boarding, in_registry, in_roster)
            SELECT student_id, %(term)s, school_id, grade, class_name, boarding, in_registry, in_roster FROM schooling
            ON CONFLICT (student_id, term_id) DO UPDATE SET school_id = excluded.school_id, grade = excluded.grade,
                class_name = excluded.class_name, boarding = excluded.boarding,
                in_registry = excluded.in_registry, in_roster = excluded.in_roster
            WHERE (e.school_id, e.grade, e.class_name, e.boarding, e.in_registry, e.in_roster) IS DISTINCT FROM
                (excluded.school_id, excluded.grade, excluded.class_name, excluded.boarding, excluded.in_registry,
                 excluded.in_roster)
            """,
            {"term": term.pk},
        )


def resolve_households(slices: Iterable[int], *, known_at: dt.datetime | None = None) -> None:
    """Makes the households of the townships that these slices touch anew from the rows in force there.

    A household that no row names any more stays, unlisted. Call before `resolve`, which points children at households.
    """
    in_force = IN_FORCE.format(known_at="%(known_at)s")
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH place AS (
                SELECT DISTINCT kind, town_id, subkey FROM core_listslice
                WHERE id = ANY(%(slices)s) AND kind IN ('{POPULATION}', '{POVERTY}')
            ), member AS (
                SELECT CASE s.kind WHEN '{POPULATION}' THEN 'hukou' ELSE 'poverty' END AS kind,
                    r.facts->>'household_no' AS number, r.town_id, (r.facts->>'hukou_village_id')::bigint AS village_id,
                    coalesce(r.facts->>'household_head', CASE WHEN r.facts->>'is_head' = 'true' THEN r.facts->>'name' END) AS head,
                    r.facts->>'poverty_type' AS poverty_type, r.id_digest, r.id
                FROM core_uploadrow r JOIN core_listslice s ON s.id = r.slice_id
                JOIN place p ON p.kind = s.kind AND p.town_id IS NOT DISTINCT FROM s.town_id
                WHERE r.facts ? 'household_no' AND {in_force}
            ), listed AS (
                SELECT kind, number, max(town_id) AS town_id, max(village_id) AS village_id, coalesce(max(head), '') AS head,
                    coalesce(max(poverty_type), '') AS poverty_type,
                    count(DISTINCT coalesce(encode(id_digest, 'hex'), id::text)) AS persons
                FROM member GROUP BY kind, number
            ), gone AS (
                UPDATE students_household h SET is_listed = false, persons = 0
                FROM place p
                WHERE h.is_listed AND h.town_id IS NOT DISTINCT FROM p.town_id
                    AND h.kind = CASE p.kind WHEN '{POPULATION}' THEN 'hukou' ELSE 'poverty' END
                    AND NOT EXISTS (SELECT 1 FROM listed l WHERE l.kind = h.kind AND l.number = h.number)
            )
            INSERT INTO students_household AS h (kind, number, town_id, village_id, head, poverty_type, persons, is_listed)
            SELECT kind, number, town_id, village_id, head, poverty_type, persons, true FROM listed
            ON CONFLICT (kind, number) DO UPDATE SET town_id = excluded.town_id, village_id = excluded.village_id,
                head = excluded.head, poverty_type = excluded.poverty_type, persons = excluded.persons, is_listed = true
            WHERE (h.town_id, h.village_id, h.head, h.poverty_type, h.persons, h.is_listed) IS DISTINCT FROM
                (excluded.town_id, excluded.village_id, excluded.head, excluded.poverty_type, excluded.persons, true)
            """,
            {"slices": list(slices), "known_at": known_at or "infinity"},
        )


# Tables that stand in for the real ones, and what is asked of them inside; the others of their indexes would cost more to
# make than a replay takes.
_SHADOWED = {
    "core_listslice": ("PRIMARY KEY (id)",),
    "students_student": ("PRIMARY KEY (id)",),
    "students_household": ("PRIMARY KEY (id)", "UNIQUE (kind, number)"),
    "students_enrolment": ("PRIMARY KEY (id)", "UNIQUE (student_id, term_id)"),
}


@contextmanager
def at(*, as_of: dt.date, known_at: dt.datetime | None = None) -> Iterator[None]:
    """Answers every query inside for the lists in force at `as_of`, as they were known at `known_at`.

    Temporary copies of the resolved tables stand before the real ones for this connection (PostgreSQL looks there first),
    and children of whom anything was different are resolved anew by the same statements, so each figure is computed by
    the code that computes it today. Everything is rolled back at the end. What is in force is decided over all rows, so the
    connection sees everything inside; callers narrow by scope, as every query does.
    """
    moment = known_at or "infinity"
    term = Term.objects.at(as_of)
    try:
        with transaction.atomic(), row_security(EVERYTHING, local=True):
            with connection.cursor() as cursor:
                for table, keys in _SHADOWED.items():
                    # Without checks: a slice that was undone later counted then.
                    cursor.execute(
                        f"CREATE TEMP TABLE {table} (LIKE public.{table} INCLUDING ALL EXCLUDING INDEXES"
                        " EXCLUDING CONSTRAINTS) ON COMMIT DROP"
                    )
                    if table != "students_enrolment":
                        cursor.execute(f"INSERT INTO {table} SELECT * FROM public.{table}")
                    for key in keys:
                        cursor.execute(f"ALTER TABLE {table} ADD {key}")
                    cursor.execute(f"ANALYZE {table}")
                cursor.execute(
                    f"""
                    UPDATE core_listslice s SET is_current = NOT s.is_current
                    WHERE s.is_current <> (s.id IN (SELECT c.id FROM ({CURRENT.format(where="true")}) c WHERE c.is_current))
                    RETURNING s.id
                    """,
                    {"as_of": as_of, "known_at": moment},
                )
                flipped = [pk for (pk,) in cursor.fetchall()]
                cursor.execute(_MOVED, {"slices": flipped, "known_at": moment})
                cursor.execute("SELECT DISTINCT slice_id FROM replay_moved WHERE slice_id IS NOT NULL")
                places = [pk for (pk,) in cursor.fetchall()]
                cursor.execute(
                    "SELECT l.student_id FROM replay_moved m JOIN students_identitylink l ON l.row_id = m.id"
                    " UNION SELECT student_id FROM students_correction"
                    " WHERE made_at > %(known_at)s OR revoked_at > %(known_at)s",
                    {"known_at": moment},
                )
                students = [pk for (pk,) in cursor.fetchall()]
            resolve_households(places, known_at=known_at)
            resolve(students, terms=[term], known_at=known_at)
            with connection.cursor() as cursor:
                # What `_enrol` makes of everybody else stands in the child already.
                cursor.execute(
                    """
                    INSERT INTO students_enrolment
                        (student_id, term_id, school_id, grade, class_name, boarding, in_registry, in_roster)
                    SELECT id, %s, school_id, grade, class_name, boarding, in_registry, in_roster FROM students_student st
                    WHERE merged_into_id IS NULL AND school_id IS NOT NULL AND (in_registry OR in_roster)
                        AND NOT EXISTS (SELECT 1 FROM resolve_affected a WHERE a.id = st.id)
                    """,
                    [term.pk],
                )
                cursor.execute("ANALYZE students_enrolment")
            yield
            raise _Done
    except _Done:
        return


# Rows that counted then and do not now, or the other way round: by their slice, because they took force late, or because
# that is true of the row that holds them.
_MOVED = """
    CREATE TEMP TABLE replay_moved ON COMMIT DROP AS
    SELECT id, slice_id FROM core_uploadrow WHERE slice_id = ANY(%(slices)s::bigint[])
    UNION SELECT id, slice_id FROM core_uploadrow WHERE late_at > %(known_at)s;
    INSERT INTO replay_moved SELECT r.id, r.slice_id FROM core_uploadrow r JOIN replay_moved m ON m.id = r.held_by_id;
    ANALYZE replay_moved
"""


class _Done(Exception):
    """Leaves the transaction of `at` by rolling it back."""
