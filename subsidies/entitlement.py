"""Standards × recognised children × enrolment of the term → entitlements, set-based.

Two steps, each a handful of statements for a hundred thousand children. `derive_categories` writes what lists in force say of
hardship. `compute` gathers the facts of every child, judges each distinct set of facts once by the rule
(`subsidies.eligibility`), and lays the outcome over what is there: rows that nobody has listed follow, listed ones wait.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from psycopg2.extras import execute_values

from eduaid.core.database import refresh_statistics
from eduaid.core.models import ChangeSet, Term
from eduaid.core.roles import today
from students.precedence import HARDSHIP, POVERTY
from students.resolve import IN_FORCE
from subsidies import eligibility
from subsidies.models import Category, CategoryMapping, Exclusion, Programme
from subsidies.models.hardship import IN_EFFECT
from subsidies.models.programmes import number_of

STANDARDS, RECOGNITION = "aid-standards", "aid-recognition"
"""Causes of change sets: a standard or programme was changed (it concerns everybody); a child was recognised, or no longer."""

_TURN = 7_310_004  # one computation at a time; the lock goes with its transaction

# The poverty register's own words, all of them one category; 一般农户 (0) is none.
_IN_POVERTY = ("", "1", "2", "3", "4", "5", "6", "7", "9")
_POVERTY_CATEGORY = "1"


def _take_turn(cursor: CursorWrapper) -> None:
    cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_TURN])


def day_of(term: Term) -> dt.date:
    """On which day the facts of a term are taken: today within it, its last day afterwards, its first before."""
    return max(term.starts_on, min(today(), term.ends_on))


# --- what lists say of hardship --------------------------------------------------------------------------------

_SAID = f"""
    CREATE TEMP TABLE aid_said ON COMMIT DROP AS
    WITH row AS (
        SELECT coalesce(st.merged_into_id, st.id) AS student_id, r.id AS row_id, s.is_current, s.applied_at,
            CASE s.kind WHEN '{POVERTY}' THEN '{_POVERTY_CATEGORY}' ELSE r.facts->>'category' END AS category,
            CASE s.kind WHEN '{POVERTY}' THEN coalesce(r.facts->>'poverty_type', '') ELSE '' END AS detail,
            least(coalesce((r.facts->>'since')::date, s.effective_on), s.effective_on) AS from_on
        FROM core_listslice s
        JOIN core_uploadrow r ON r.slice_id = s.id
        JOIN students_identitylink l ON l.row_id = r.id
        JOIN students_student st ON st.id = l.student_id
        WHERE s.kind IN ('{HARDSHIP}', '{POVERTY}') AND {IN_FORCE.format(known_at="'infinity'")}
            AND (s.kind = '{HARDSHIP}' OR coalesce(r.facts->>'poverty_type', '') = ANY(%(poverty)s))
            AND (%(all)s OR coalesce(st.merged_into_id, st.id) = ANY(%(students)s::bigint[]))
    ), one AS (
        SELECT DISTINCT ON (student_id, category) * FROM row
        ORDER BY student_id, category, (detail <> '') DESC, is_current DESC, applied_at DESC, row_id DESC
    )
    SELECT one.*, c.rank, row_number() OVER (PARTITION BY student_id ORDER BY c.rank) = 1 AS is_main
    FROM one JOIN subsidies_category c ON c.code = one.category
"""

# A change of the main category ends the row and begins another: each row says one thing of its whole time.
_END = """
    UPDATE subsidies_childcategory h SET ended_on = greatest(%(day)s, h.from_on)
    WHERE h.ended_on IS NULL AND (%(all)s OR h.student_id = ANY(%(students)s::bigint[]))
        AND NOT EXISTS (
            SELECT 1 FROM aid_said s WHERE s.student_id = h.student_id AND s.category = h.category
                AND s.detail = h.detail AND s.is_main = h.is_main)
"""

_BEGIN = """
    INSERT INTO subsidies_childcategory
        (student_id, category, detail, is_main, from_on, row_id, school_id, school_town_id)
    SELECT s.student_id, s.category, s.detail, s.is_main,
        greatest(s.from_on, (SELECT max(h.ended_on) FROM subsidies_childcategory h WHERE h.student_id = s.student_id)),
        s.row_id, st.school_id, st.school_town_id
    FROM aid_said s JOIN students_student st ON st.id = s.student_id
    WHERE NOT EXISTS (
        SELECT 1 FROM subsidies_childcategory h
        WHERE h.student_id = s.student_id AND h.category = s.category AND h.ended_on IS NULL)
"""

# The row that says so now, and whose school answers now.
_REFRESH = """
    UPDATE subsidies_childcategory h SET row_id = coalesce(s.row_id, h.row_id),
        school_id = st.school_id, school_town_id = st.school_town_id
    FROM students_student st LEFT JOIN aid_said s ON s.student_id = st.id
    WHERE st.id = h.student_id AND h.ended_on IS NULL AND (s.category IS NULL OR s.category = h.category)
        AND (%(all)s OR h.student_id = ANY(%(students)s::bigint[]))
        AND (h.row_id, h.school_id, h.school_town_id)
            IS DISTINCT FROM (coalesce(s.row_id, h.row_id), st.school_id, st.school_town_id)
"""


@transaction.atomic
def derive_categories(students: Collection[int] | None = None) -> None:
    """Writes the dated categories of these children (None: of all) from the lists in force. Needs the scope of everything."""
    parameters: dict[str, Any] = {
        "all": students is None,
        "students": list(students or ()),
        "poverty": list(_IN_POVERTY),
        "day": today(),
    }
    with connection.cursor() as cursor:
        _take_turn(cursor)
        cursor.execute("DROP TABLE IF EXISTS aid_said")
        cursor.execute(_SAID, parameters)
        cursor.execute("CREATE INDEX ON aid_said (student_id, category); ANALYZE aid_said")
        cursor.execute(_END, parameters)
        cursor.execute(_BEGIN, parameters)
        begun = cursor.rowcount
        cursor.execute(_REFRESH, parameters)
    refresh_statistics("subsidies_childcategory", grown_by=begun)


# --- the rule's view of the data -------------------------------------------------------------------------------


def categories_now() -> dict[str, eligibility.Category]:
    return {
        category.code: eligibility.Category(category.code, category.rank, category.is_direct, category.tier)
        for category in Category.objects.all()
    }


def programmes_now() -> list[eligibility.Programme]:
    """The programmes whose beneficiaries are found by rule, with their standards, groups and exclusions."""
    groups: dict[str, dict[str, str]] = {}
    for form, code, group in CategoryMapping.objects.values_list("form", "category__code", "group"):
        groups.setdefault(form, {})[code] = group
    yields: dict[int, set[int]] = {}
    for stands, other in Exclusion.objects.values_list("stands_id", "yields_id"):
        yields.setdefault(other, set()).add(stands)
    return [
        eligibility.Programme(
            pk=programme.pk,
            key=programme.key,
            rank=programme.rank,
            stages=tuple(programme.stages),
            who=programme.who,
            categories=tuple(programme.categories),
            grades=tuple(programme.grades),
            groups=groups.get(programme.form, {}),
            yields_to=frozenset(yields.get(programme.pk, ())),
            standards=tuple(
                eligibility.Standard(
                    pk=standard.pk,
                    stage=standard.stage,
                    boarding=standard.boarding,
                    tier=standard.tier,
                    group=standard.group,
                    amount=standard.amount,
                    per=standard.per,
                    from_term=standard.from_term,
                    until_term=standard.until_term,
                )
                for standard in programme.standards.all()
            ),
        )
        for programme in Programme.objects.entitling().prefetch_related("standards")
    ]


# --- entitlements ----------------------------------------------------------------------------------------------

# Every child with a school of the county in the term, with all that the rule looks at.
_CHILDREN = """
    CREATE TEMP TABLE aid_child ON COMMIT DROP AS
    WITH held AS (
        SELECT h.student_id, array_agg(h.category ORDER BY h.category)::text[] AS held,
            array_agg(h.row_id ORDER BY h.row_id) AS rows
        FROM subsidies_childcategory h
        WHERE h.from_on <= %(day)s AND (h.ended_on IS NULL OR h.ended_on > %(day)s)
        GROUP BY h.student_id
    ), recognised AS (
        -- The newest word of the school year up to this term: an adjustment, or a refusal, replaces what went before.
        SELECT DISTINCT ON (r.student_id) r.student_id, r.id, r.state, r.category, r.tier
        FROM subsidies_recognition r JOIN core_term t ON t.id = r.term_id
        WHERE r.year_id = %(year)s AND t.starts_on <= %(starts)s AND r.state = ANY(%(decided)s)
        ORDER BY r.student_id, t.starts_on DESC, r.id DESC
    ), had AS (
        SELECT e.student_id, array_agg(DISTINCT e.programme_id ORDER BY e.programme_id) AS had
        FROM subsidies_entitlement e JOIN core_term t ON t.id = e.term_id JOIN subsidies_standard s ON s.id = e.standard_id
        WHERE s.per = 'once' AND e.yields_to_id IS NULL AND e.pending <> 'gone' AND t.starts_on < %(starts)s
        GROUP BY e.student_id
    )
    SELECT e.student_id, e.school_id, school.town_id AS school_town_id, st.hukou_town_id, e.grade, e.boarding,
        coalesce(held.held, '{}') AS held, coalesce(held.rows, '{}') AS rows,
        CASE WHEN r.state = ANY(%(effect)s) THEN r.id END AS recognition_id,
        CASE WHEN r.state = ANY(%(effect)s) THEN r.category ELSE '' END AS recognised_category,
        CASE WHEN r.state = ANY(%(effect)s) THEN r.tier ELSE '' END AS recognised_tier,
        coalesce(had.had, '{}') AS had
    FROM students_enrolment e
    JOIN students_student st ON st.id = e.student_id AND st.merged_into_id IS NULL
    JOIN core_school school ON school.id = e.school_id AND NOT school.is_outside
    LEFT JOIN held ON held.student_id = e.student_id
    LEFT JOIN recognised r ON r.student_id = e.student_id
    LEFT JOIN had ON had.student_id = e.student_id
    WHERE e.term_id = %(term)s AND e.grade <> '' AND (%(all)s OR e.student_id = ANY(%(students)s::bigint[]))
"""

_PROFILE = "grade, boarding, held, recognised_category, recognised_tier, had"
_PROFILES = f"""
    CREATE TEMP TABLE aid_profile ON COMMIT DROP AS
    SELECT row_number() OVER () AS id, {_PROFILE} FROM (SELECT DISTINCT {_PROFILE} FROM aid_child) one
"""

_DUE = """
    CREATE TEMP TABLE aid_due ON COMMIT DROP AS
    SELECT c.student_id, j.programme_id, j.standard_id, j.amount, left(c.grade, 1) AS stage, c.boarding, j.category,
        j."group", j.tier, CASE WHEN j.by_hardship THEN c.recognition_id END AS recognition_id,
        CASE WHEN j.by_hardship THEN c.rows ELSE '{}' END AS source_rows, j.yields_to_id,
        c.school_id, c.school_town_id, c.hukou_town_id
    FROM aid_child c
    JOIN aid_profile p ON (p.grade, p.held, p.recognised_category, p.recognised_tier, p.had)
        = (c.grade, c.held, c.recognised_category, c.recognised_tier, c.had) AND p.boarding IS NOT DISTINCT FROM c.boarding
    JOIN aid_judged j ON j.profile_id = p.id
"""

_FACTS = (
    'standard_id, amount, stage, boarding, category, "group", tier, recognition_id, source_rows, yields_to_id,'
    " school_id, school_town_id, hukou_town_id"
)
_OF_E = ", ".join(f"e.{column.strip()}" for column in _FACTS.split(","))
_OF_D = ", ".join(f"d.{column.strip()}" for column in _FACTS.split(","))
_ASKED = "e.term_id = %(term)s AND (%(all)s OR e.student_id = ANY(%(students)s::bigint[]))"

_DELETE = f"""
    DELETE FROM subsidies_entitlement e WHERE {_ASKED} AND e.listed_at IS NULL AND NOT EXISTS (
        SELECT 1 FROM aid_due d WHERE d.student_id = e.student_id AND d.programme_id = e.programme_id)
"""
_UPDATE = f"""
    UPDATE subsidies_entitlement e SET ({_FACTS}, computed_at) = ROW ({_OF_D}, now())
    FROM aid_due d
    WHERE {_ASKED} AND e.listed_at IS NULL AND d.student_id = e.student_id AND d.programme_id = e.programme_id
        AND ({_OF_E}) IS DISTINCT FROM ({_OF_D})
"""
_INSERT = f"""
    INSERT INTO subsidies_entitlement (student_id, programme_id, term_id, {_FACTS}, computed_at, pending)
    SELECT d.student_id, d.programme_id, %(term)s, {_OF_D}, now(), '' FROM aid_due d
    WHERE NOT EXISTS (SELECT 1 FROM subsidies_entitlement e
        WHERE e.term_id = %(term)s AND e.student_id = d.student_id AND e.programme_id = d.programme_id)
    ORDER BY d.programme_id, d.student_id
"""
# A list was made from it: the row stays as it was, and the difference is put to a person.
_WAIT = f"""
    WITH now AS (
        SELECT e.id,
            CASE WHEN d.student_id IS NULL OR d.yields_to_id IS NOT NULL THEN 'gone'
                WHEN (d.amount, d.standard_id) IS DISTINCT FROM (e.amount, e.standard_id) THEN 'changed' ELSE '' END AS pending,
            d.amount, d.standard_id
        FROM subsidies_entitlement e
        LEFT JOIN aid_due d ON d.student_id = e.student_id AND d.programme_id = e.programme_id
        WHERE {_ASKED} AND e.listed_at IS NOT NULL AND e.yields_to_id IS NULL
    )
    UPDATE subsidies_entitlement e SET pending = n.pending,
        pending_at = CASE WHEN n.pending <> '' THEN now() END,
        pending_amount = CASE WHEN n.pending = 'changed' THEN n.amount END,
        pending_standard_id = CASE WHEN n.pending = 'changed' THEN n.standard_id END
    FROM now n
    WHERE n.id = e.id AND (e.pending, e.pending_amount, e.pending_standard_id) IS DISTINCT FROM
        (n.pending, CASE WHEN n.pending = 'changed' THEN n.amount END,
         CASE WHEN n.pending = 'changed' THEN n.standard_id END)
"""


@dataclass(frozen=True)
class Outcome:
    """What a computation did: rows added, changed, gone, and listed rows whose difference waits for a decision."""

    added: int
    changed: int
    gone: int
    waiting: int


@transaction.atomic
def compute(term: Term, students: Collection[int] | None = None) -> Outcome:
    """Makes the term's entitlements of these children (None: of all) what the rule says now. Needs the scope of everything.

    Rows that a list was made from are left as they are; what would change stands in their `pending…`.
    """
    parameters: dict[str, Any] = {
        "all": students is None,
        "students": list(students or ()),
        "term": term.pk,
        "year": term.year_id,
        "starts": term.starts_on,
        "day": day_of(term),
        "effect": list(IN_EFFECT),
        "decided": [*IN_EFFECT, "refused"],
    }
    with connection.cursor() as cursor:
        _take_turn(cursor)
        cursor.execute("DROP TABLE IF EXISTS aid_child, aid_profile, aid_judged, aid_due")
        cursor.execute(_CHILDREN, parameters)
        cursor.execute(_PROFILES)
        cursor.execute("ANALYZE aid_child; ANALYZE aid_profile")
        _judge(cursor, term)
        cursor.execute(_DUE)
        cursor.execute("CREATE UNIQUE INDEX ON aid_due (student_id, programme_id); ANALYZE aid_due")
        counts = []
        for statement in (_DELETE, _UPDATE, _WAIT, _INSERT):
            cursor.execute(statement, parameters)
            counts.append(cursor.rowcount)
    gone, changed, waiting, added = counts
    refresh_statistics("subsidies_entitlement", grown_by=added)
    return Outcome(added, changed, gone, waiting)


def _judge(cursor: CursorWrapper, term: Term) -> None:
    """Judges every distinct set of facts once, by the rule itself."""
    categories, programmes, number = categories_now(), programmes_now(), number_of(term)
    by_hardship = {programme.pk for programme in programmes if programme.who == eligibility.RECOGNISED}
    cursor.execute(f"SELECT id, {_PROFILE} FROM aid_profile")
    judged = []
    for pk, grade, boarding, held, category, tier, had in cursor.fetchall():
        facts = eligibility.Facts(grade, boarding, tuple(held), (category, tier) if tier else None, frozenset(had))
        standing = eligibility.standing_of(facts, categories)
        for one in eligibility.entitlements(facts, programmes, categories, number):
            judged.append(
                (
                    pk, one.programme, one.standard, one.amount, standing.main, one.group, standing.tier, one.yields_to,
                    one.programme in by_hardship,
                )
            )  # fmt: skip
    cursor.execute(
        "CREATE TEMP TABLE aid_judged (profile_id bigint, programme_id bigint, standard_id bigint, amount numeric(9,2),"
        ' category text, "group" text, tier text, yields_to_id bigint, by_hardship boolean) ON COMMIT DROP'
    )
    execute_values(cursor, "INSERT INTO aid_judged VALUES %s", judged, page_size=5_000)
    cursor.execute("ANALYZE aid_judged")


def term_now() -> Term | None:
    return Term.objects.filter(starts_on__lte=today()).order_by("-starts_on").first()


def follow_lists(change: ChangeSet) -> None:
    """What lists, undos, corrections, standards and recognitions have changed is looked at again for the term of today."""
    term = term_now()
    if change.cause == STANDARDS:
        if term is not None:
            compute(term)
        return
    if not change.students:
        return
    if change.cause != RECOGNITION:
        derive_categories(change.students)
    if term is not None:
        compute(term, change.students)
