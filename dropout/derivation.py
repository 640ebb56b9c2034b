"""Where the children of a round are, read off the lists in force, in set-based statements.

Each source below writes *words* about children into `census_word`: a whereabouts that it holds for certain, or (with an empty
code) only what is known. Of a child's words the weightiest certain ones count. If they agree, that is the whereabouts; if they
contradict one another nothing is settled: the child stays 未核 and every word is shown. To add a source is to add a function to
`SOURCES`, or to `PROOFS` where it proves that a child is in the school that is known already.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Collection
from functools import partial
from typing import Any

from django.db import connection
from django.db.backends.utils import CursorWrapper

from dropout import proven
from dropout.models import CensusRound
from dropout.models.census import IN_SCHOOL, OUT_OF_SCHOOL, Place
from eduaid.core import codes
from eduaid.core.database import refresh_statistics
from eduaid.core.lists import kind_of
from students.precedence import KINDS, POVERTY, REGISTRY, ROSTER
from students.resolve import IN_FORCE

_LISTS, _CORRECTED, _ACTS, _AGE = 20, 25, 30, 10
"""Weights of words: what somebody approved about the child, what the bureau corrected, what lists name, the mere age."""

NOTHING_KNOWN = "生效的学籍、班级名册里都没有这个孩子。"
CONTRADICTION = "名单说法不一，须核实："

Params = dict[str, Any]


def derive(round_: CensusRound, students: Collection[int] | None = None) -> int:
    """Brings the round in step with the lists in force, for all its children or for those of these ids whom it concerns.

    Children of the window and scope who are not in the round come in; a child merged into another or named by no list any
    more goes out again, unless a person decided about it. A decision of a person is never changed: where the lists now
    certainly say something else than they said when it was made, it is marked as contested. Returns how many whereabouts
    were written. Runs in the caller's transaction, with everything in sight; does nothing to a closed round.
    """
    if not round_.is_open:
        return 0
    params: Params = {
        "round": round_.pk,
        "students": None if students is None else list(students),
        "born_from": round_.born_from,
        "born_to": round_.born_to,
        "towns": list(round_.towns.values_list("pk", flat=True)) or None,
        "school_age": _start_of_school_age(round_.as_of),
        "year": round_.as_of.year - (round_.as_of.month < 9),
        "known_at": "infinity",
    }
    with connection.cursor() as cursor:
        written = _enter(cursor, params)
        _gather(cursor, params)
        for source in SOURCES:
            source(cursor, params)
        _settle(cursor, params)
        written += _write(cursor, params)
    return written


def _start_of_school_age(day: dt.date) -> dt.date:
    """Who was born before had turned sixteen by 31 August of the school year."""
    return dt.date(day.year - (day.month < 9) - 16, 9, 1)


def _enter(cursor: CursorWrapper, params: Params) -> int:
    """Children who belong in come in as 未核; who has no longer anything to do with it goes out."""
    cursor.execute(
        """
        INSERT INTO dropout_whereabouts (round_id, student_id, code, place, where_text, proof, source, basis, document,
            listed_code, contested_code, contested_basis, hukou_town_id, hukou_village_id)
        SELECT %(round)s, st.id, '', '', '', '', 'derived', '', '', '', '', '', st.hukou_town_id, st.hukou_village_id
        FROM students_student st
        WHERE st.merged_into_id IS NULL AND st.in_population AND st.hukou_town_id IS NOT NULL
            AND st.birth_on BETWEEN %(born_from)s AND %(born_to)s
            AND (%(towns)s::bigint[] IS NULL OR st.hukou_town_id = ANY(%(towns)s::bigint[]))
            AND (%(students)s::bigint[] IS NULL OR st.id = ANY(%(students)s::bigint[]))
        ON CONFLICT (round_id, student_id) DO NOTHING
        """,
        params,
    )
    entered = cursor.rowcount
    refresh_statistics("dropout_whereabouts", grown_by=entered)
    cursor.execute(
        """
        DELETE FROM dropout_whereabouts w USING students_student st
        WHERE st.id = w.student_id AND w.round_id = %(round)s AND w.source = 'derived'
            AND (%(students)s::bigint[] IS NULL OR st.id = ANY(%(students)s::bigint[]))
            AND (st.merged_into_id IS NOT NULL OR NOT (st.in_population OR st.in_registry OR st.in_roster OR st.in_poverty
                OR st.in_hardship) AND NOT EXISTS (
                    SELECT 1 FROM students_identitylink l JOIN core_departure d ON d.row_id = l.row_id
                    JOIN core_upload u ON u.id = d.upload_id
                    WHERE l.student_id = st.id AND u.applied_at IS NOT NULL AND u.undone_at IS NULL))
        """,
        params,
    )
    return entered + cursor.rowcount


def _gather(cursor: CursorWrapper, params: Params) -> None:
    """The children asked about, and the rows of registry and rosters in force that name them, one a school."""
    cursor.execute(
        """
        DROP TABLE IF EXISTS census_child, census_listed, census_word, census_settled;
        CREATE TEMP TABLE census_child ON COMMIT DROP AS
        SELECT w.id, w.student_id, st.hukou_town_id, st.hukou_village_id, st.grade, st.birth_on, st.disability,
            st.in_roster, st.in_registry, st.school_id
        FROM dropout_whereabouts w JOIN students_student st ON st.id = w.student_id
        WHERE w.round_id = %(round)s AND (%(students)s::bigint[] IS NULL OR st.id = ANY(%(students)s::bigint[]));
        ALTER TABLE census_child ADD PRIMARY KEY (student_id);
        ANALYZE census_child;
        """,
        params,
    )
    cursor.execute(
        f"""
        CREATE TEMP TABLE census_listed ON COMMIT DROP AS
        WITH member AS (
            SELECT student_id, student_id AS member_id FROM census_child
            UNION ALL SELECT m.merged_into_id, m.id FROM students_student m
            JOIN census_child c ON c.student_id = m.merged_into_id
        )
        SELECT DISTINCT ON (m.student_id, s.kind, r.school_id) m.student_id, s.kind, s.effective_on, r.id AS row_id,
            r.school_id, school.name AS school, {_PLACE} AS place, school.name LIKE '%%特殊教育%%' AS is_special,
            school.is_outside, school.town_id,
            c.disability <> '' AND s.kind = '{REGISTRY}' AND r.facts->>'inclusive' = '是' AS inclusive
        FROM member m JOIN census_child c ON c.student_id = m.student_id
        JOIN students_identitylink l ON l.student_id = m.member_id
        JOIN core_uploadrow r ON r.id = l.row_id
        JOIN core_listslice s ON s.id = r.slice_id
        JOIN core_school school ON school.id = r.school_id
        WHERE s.kind IN ('{REGISTRY}', '{ROSTER}') AND {IN_FORCE.format(known_at="%(known_at)s")}
        ORDER BY m.student_id, s.kind, r.school_id, s.is_current DESC, s.effective_on DESC, r.id DESC;
        """,
        params,
    )
    cursor.execute(
        """
        CREATE INDEX ON census_listed (student_id);
        ANALYZE census_listed;
        CREATE TEMP TABLE census_word (
            student_id bigint NOT NULL, weight int NOT NULL, code varchar(4) NOT NULL, place varchar(1) NOT NULL,
            school_id bigint, place_text varchar(120) NOT NULL DEFAULT '', said text NOT NULL, row_id bigint, departure_id bigint
        ) ON COMMIT DROP
        """
    )


_PLACE = f"""CASE WHEN school.is_outside THEN '{Place.OUTSIDE}' WHEN school.town_id = c.hukou_town_id THEN '{Place.TOWN}'
    ELSE '{Place.COUNTY}' END"""


# --- sources: each writes words ----------------------------------------------------------------------------------

# A special school or a place in a regular class for a disabled child, vocational school, senior high school (past compulsory
# schooling); else by where the school lies. A school outside the county is in another province if its township says so.
_SCHOOL_CODE = """CASE WHEN c.grade LIKE '4%%' OR c.grade LIKE '6%%' THEN 'B7' WHEN c.grade LIKE '5%%' THEN 'A8'
    WHEN l.is_special OR x.inclusive THEN 'A7' WHEN l.place = 'T' THEN 'A1' WHEN l.place = 'C' THEN 'A2'
    WHEN left(far.code, 2) <> left(own.code, 2) THEN 'A4' ELSE 'A3' END"""


def _schools(cursor: CursorWrapper, params: Params) -> None:
    """A class roster names who sits in class; a registry holds who is enrolled, which is as good where the child sits in some
    class or the school has sent no roster. Registered and in no roster of a school that sent one: nothing certain (疑似)."""
    cursor.execute(
        f"""
        WITH heard AS MATERIALIZED (
            SELECT DISTINCT school_id FROM core_listslice
            WHERE kind = '{ROSTER}' AND is_current AND school_id IS NOT NULL
        ), word AS (
            SELECT l.*, x.certain, x.silent, {_SCHOOL_CODE} AS code
            FROM census_listed l JOIN census_child c ON c.student_id = l.student_id
            LEFT JOIN core_region own ON own.id = c.hukou_town_id LEFT JOIN core_region far ON far.id = l.town_id
            CROSS JOIN LATERAL (
                SELECT h.silent, l.kind = '{ROSTER}' OR c.in_roster OR h.silent AS certain,
                    CASE WHEN c.disability <> '' THEN
                        (SELECT bool_or(i.inclusive) FROM census_listed i WHERE i.student_id = l.student_id)
                    ELSE false END AS inclusive
                FROM (SELECT l.school_id NOT IN (SELECT school_id FROM heard) AS silent) h
            ) x
        )
        INSERT INTO census_word (student_id, weight, code, place, school_id, said, row_id)
        SELECT student_id, {_LISTS}, CASE WHEN certain THEN code ELSE '' END,
            CASE WHEN certain AND code LIKE 'A%%' THEN place ELSE '' END, school_id,
            to_char(effective_on, 'YYYY-MM-DD') || CASE kind WHEN '{ROSTER}' THEN '班级名册：' ELSE '学籍：' END || school
                || CASE WHEN kind = '{ROSTER}' OR is_outside THEN ''
                    WHEN NOT certain THEN '，但该校班级名册里没有'
                    WHEN silent THEN '（该校还没有生效的班级名册）' ELSE '' END,
            row_id
        FROM word
        """,
        params,
    )


def _corrections(cursor: CursorWrapper, params: Params) -> None:
    """The bureau says where the child goes to school, against the lists."""
    cursor.execute(
        f"""
        INSERT INTO census_word (student_id, weight, code, place, school_id, said)
        SELECT c.student_id, {_CORRECTED}, {_SCHOOL_CODE}, CASE WHEN {_SCHOOL_CODE} LIKE 'A%%' THEN l.place ELSE '' END,
            c.school_id, to_char(k.made_at, 'YYYY-MM-DD') || '更正：在' || l.name
        FROM census_child c JOIN students_correction k ON k.student_id = c.student_id
        CROSS JOIN LATERAL (
            SELECT school.name, school.town_id, school.name LIKE '%%特殊教育%%' AS is_special, {_PLACE} AS place
            FROM core_school school WHERE school.id = c.school_id
        ) l
        CROSS JOIN LATERAL (SELECT false AS inclusive) x
        LEFT JOIN core_region own ON own.id = c.hukou_town_id LEFT JOIN core_region far ON far.id = l.town_id
        WHERE k.concept = 'schooling' AND k.revoked_at IS NULL
        """,
        params,
    )


def _departures(cursor: CursorWrapper, params: Params) -> None:
    """What senders said of a child whom their new list names no more, unless a later list names it somewhere again.

    辍学 is no list's word: such a departure is shown to the person who decides.
    """
    cursor.execute(
        """
        INSERT INTO census_word (student_id, weight, code, place, school_id, said, row_id, departure_id)
        SELECT DISTINCT ON (c.student_id, u.kind) c.student_id, %(weight)s,
            CASE WHEN known.code IS NULL THEN '' ELSE d.code END, coalesce(known.place, ''), school.id,
            to_char(u.effective_on, 'YYYY-MM-DD') || (%(kinds)s::jsonb ->> u.kind) || '去向：'
                || coalesce(%(labels)s::jsonb ->> d.code, d.code) || CASE WHEN d.note <> '' THEN '（' || d.note || '）' ELSE '' END,
            d.row_id, d.id
        FROM census_child c JOIN students_identitylink l ON l.student_id = c.student_id
        JOIN core_departure d ON d.row_id = l.row_id JOIN core_upload u ON u.id = d.upload_id
        LEFT JOIN core_school school ON school.id = d.proposed_school_id AND d.code = d.proposed
        LEFT JOIN LATERAL (
            SELECT d.code AS code, CASE d.code WHEN 'A1' THEN 'T' WHEN 'A2' THEN 'C' WHEN 'A3' THEN 'O' WHEN 'A4' THEN 'O'
                WHEN 'A5' THEN 'O' WHEN 'A7' THEN at.place WHEN 'A8' THEN at.place ELSE '' END AS place
            FROM (SELECT """
        + _PLACE
        + """ AS place WHERE school.id IS NOT NULL UNION ALL SELECT NULL WHERE school.id IS NULL) at
            WHERE d.code = ANY(%(settling)s) AND (d.code NOT IN ('A7', 'A8') OR at.place IS NOT NULL)
        ) known ON true
        WHERE d.code <> '' AND u.applied_at IS NOT NULL AND u.undone_at IS NULL
            AND NOT EXISTS (
                SELECT 1 FROM census_listed n WHERE n.student_id = c.student_id AND n.effective_on > u.effective_on)
        ORDER BY c.student_id, u.kind, u.effective_on DESC, d.id DESC
        """,
        {
            **params,
            "weight": _LISTS,
            "kinds": json.dumps({kind: kind_of(kind).label for kind in KINDS}, ensure_ascii=False),
            "labels": json.dumps(
                {entry.code: entry.label for table in (codes.WHEREABOUTS, codes.DEPARTURE) for entry in table},
                ensure_ascii=False,
            ),
            "settling": [entry.code for entry in codes.WHEREABOUTS if entry.code not in OUT_OF_SCHOOL],
        },
    )


def _age(cursor: CursorWrapper, params: Params) -> None:
    """Past compulsory schooling, where nothing else is known of the child."""
    cursor.execute(
        f"""
        INSERT INTO census_word (student_id, weight, code, place, said)
        SELECT student_id, {_AGE}, 'B7', '', '截至' || %(year)s || '年8月31日已满16周岁'
        FROM census_child WHERE birth_on < %(school_age)s
        """,
        params,
    )


def _poverty(cursor: CursorWrapper, params: Params) -> None:
    """What the poverty register writes of schooling is no more than a hint; asked only where nothing is certain."""
    cursor.execute(
        f"""
        INSERT INTO census_word (student_id, weight, code, place, said, row_id)
        SELECT c.student_id, 0, '', '', to_char(s.effective_on, 'YYYY-MM-DD') || '脱贫户名单：'
            || coalesce(%(in_school)s::jsonb ->> (r.facts->>'in_school'), r.facts->>'in_school', '')
            || coalesce('，' || coalesce(%(reason)s::jsonb ->> (r.facts->>'out_reason'), r.facts->>'out_reason'), ''), r.id
        FROM census_child c JOIN students_identitylink l ON l.student_id = c.student_id
        JOIN core_uploadrow r ON r.id = l.row_id JOIN core_listslice s ON s.id = r.slice_id
        WHERE s.kind = '{POVERTY}' AND {IN_FORCE.format(known_at="%(known_at)s")}
            AND (r.facts->>'in_school' <> '' OR r.facts->>'out_reason' <> '')
            AND NOT EXISTS (SELECT 1 FROM census_word w WHERE w.student_id = c.student_id AND w.code <> '')
        """,
        {
            **params,
            "in_school": json.dumps({entry.code: entry.label for entry in codes.IN_SCHOOL}, ensure_ascii=False),
            "reason": json.dumps({entry.code: entry.label for entry in codes.WHEREABOUTS}, ensure_ascii=False),
        },
    )


SOURCES: tuple[Callable[[CursorWrapper, Params], None], ...] = (
    _schools,
    _corrections,
    _departures,
    partial(proven.words, weight=_LISTS),
    _age,
    _poverty,
)


# --- proofs: each answers for the children of census_child ----------------------------------------------------

# Written into `proof` in this order; the first that speaks counts. `{w}` is the whereabouts asked about.
PROOFS: tuple[tuple[str, str], ...] = (
    # A registry proves that a child goes to school where it says.
    (
        "registry",
        f"EXISTS (SELECT 1 FROM census_listed l WHERE l.student_id = w.student_id AND l.kind = '{REGISTRY}'"
        " AND l.place = w.place)",
    ),
    ("evidence", proven.PROVED),
)


# --- settling -------------------------------------------------------------------------------------------------


def _settle(cursor: CursorWrapper, params: Params) -> None:
    """One line a child: the whereabouts that its weightiest words agree on, or none, with every word that was said."""
    cursor.execute(
        f"""
        CREATE TEMP TABLE census_settled ON COMMIT DROP AS
        WITH top AS (
            SELECT student_id, max(weight) AS weight FROM census_word WHERE code <> '' GROUP BY student_id
        ), agreed AS (
            SELECT w.student_id, count(DISTINCT w.code || w.place) = 1 AS agree, min(w.code) AS code, min(w.place) AS place,
                -- Of several schools the child's own, as it is resolved.
                coalesce(max(w.school_id) FILTER (WHERE w.school_id = c.school_id), max(w.school_id)) AS school_id,
                max(w.place_text) AS place_text, max(w.departure_id) AS departure_id,
                coalesce(max(w.row_id) FILTER (WHERE w.school_id = c.school_id), max(w.row_id)) AS row_id,
                string_agg(w.said, '；' ORDER BY w.said DESC) AS said
            FROM census_word w JOIN top t ON t.student_id = w.student_id AND t.weight = w.weight
            JOIN census_child c ON c.student_id = w.student_id
            WHERE w.code <> '' GROUP BY w.student_id
        ), hint AS (
            SELECT student_id, string_agg(said, '；' ORDER BY weight DESC, said) AS said, max(row_id) AS row_id
            FROM census_word WHERE code = '' GROUP BY student_id
        )
        SELECT c.id, c.student_id, c.hukou_town_id, c.hukou_village_id,
            coalesce(CASE WHEN a.agree THEN a.code END, '') AS code,
            coalesce(CASE WHEN a.agree THEN a.place END, '') AS place,
            CASE WHEN a.agree AND a.code LIKE 'A%%' THEN a.school_id END AS school_id,
            coalesce(CASE WHEN a.agree THEN a.place_text END, '') AS place_text,
            CASE WHEN a.agree THEN a.departure_id END AS departure_id,
            CASE WHEN a.agree THEN a.row_id ELSE h.row_id END AS row_id,
            left(CASE WHEN a.agree THEN a.said WHEN a.agree IS NOT NULL THEN '{CONTRADICTION}' || a.said
                ELSE coalesce(h.said, '{NOTHING_KNOWN}') END, 200) AS said
        FROM census_child c LEFT JOIN agreed a ON a.student_id = c.student_id LEFT JOIN hint h ON h.student_id = c.student_id;
        ALTER TABLE census_settled ADD PRIMARY KEY (id);
        ANALYZE census_settled;
        """,
        params,
    )


def _write(cursor: CursorWrapper, params: Params) -> int:
    """Derived whereabouts follow the lists; a person's stay, marked where the lists have come to contradict them."""
    proof = _proof_of("x")
    cursor.execute(
        f"""
        UPDATE dropout_whereabouts w SET (code, place, where_school_id, where_text, proof, basis, basis_row_id, departure_id,
            listed_code, hukou_town_id, hukou_village_id)
            = ROW (x.code, x.place, x.school_id, x.place_text, {proof}, x.said, x.row_id, x.departure_id, x.code,
                x.hukou_town_id, x.hukou_village_id)
        FROM census_settled x
        WHERE w.id = x.id AND w.source = 'derived' AND (w.code, w.place, w.where_school_id, w.where_text, w.proof, w.basis,
            w.basis_row_id, w.departure_id, w.listed_code, w.hukou_town_id, w.hukou_village_id) IS DISTINCT FROM
            (x.code, x.place, x.school_id, x.place_text, {proof}, x.said, x.row_id, x.departure_id, x.code,
                x.hukou_town_id, x.hukou_village_id)
        """,
        params,
    )
    written = cursor.rowcount
    proof = _proof_of("w")
    contested = "x.code <> '' AND x.code <> w.code AND (x.code <> w.listed_code OR w.contested_code = x.code)"
    cursor.execute(
        f"""
        UPDATE dropout_whereabouts w SET (proof, listed_code, contested_code, contested_basis, hukou_town_id, hukou_village_id)
            = ROW ({proof}, x.code, CASE WHEN {contested} THEN x.code ELSE '' END,
                CASE WHEN {contested} THEN x.said ELSE '' END, x.hukou_town_id, x.hukou_village_id)
        FROM census_settled x
        WHERE w.id = x.id AND w.source = 'person'
            AND (w.proof, w.listed_code, w.contested_code, w.contested_basis, w.hukou_town_id, w.hukou_village_id)
            IS DISTINCT FROM ({proof}, x.code, CASE WHEN {contested} THEN x.code ELSE '' END,
                CASE WHEN {contested} THEN x.said ELSE '' END, x.hukou_town_id, x.hukou_village_id)
        """,
        params,
    )
    return written + cursor.rowcount


def _proof_of(alias: str) -> str:
    """By what the whereabouts of `alias` (a row with student_id, code and place) is proved."""
    cases = " ".join(f"WHEN {condition.replace('w.', alias + '.')} THEN '{key}'" for key, condition in PROOFS)
    school = ", ".join(f"'{code}'" for code in IN_SCHOOL)
    return f"CASE WHEN {alias}.code NOT IN ({school}) THEN '' {cases} ELSE '' END"
