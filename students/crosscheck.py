"""Comparing the lists in force: what they say differently of one child, and which two files may be one child.

Set-based: a township of ten thousand is compared by a handful of statements; only the few pairs that look alike are judged one
by one (`students.likeness`). What is found is written down (`students.models.comparison`), so that counting it costs nothing;
who stands in which list needs no writing, the children say it themselves. A pair that a person has told apart is never
proposed again.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from psycopg2.extras import execute_values

from eduaid.core.intake import delivered
from eduaid.core.lists import kind_of
from eduaid.core.models import ListSlice, Region, School, UploadRow
from eduaid.core.roles import today
from eduaid.core.scope import EVERYTHING, row_security
from eduaid.core.sealing import Opener, Unreadable
from eduaid.core.text import parse_id
from eduaid.core.text.results import Parsed
from students.likeness import DOUBTFUL, Judgement, Seen, judge
from students.models import Student
from students.precedence import KINDS, POPULATION, POVERTY, REGISTRY, ROSTER
from students.resolve import IN_FORCE

COMPARED: dict[str, tuple[str, str, str]] = {
    "name": ("姓名", "name", "r.facts->>'name_key'"),
    "sex": ("性别", "sex", "r.facts->>'sex'"),
    "birth": ("出生日期", "birth", "r.facts->>'birth_on'"),
    "id": ("证件号码", "id", "encode(r.id_digest, 'hex')"),
    "school": ("就读学校", "schooling", "r.school_id::text"),
    "grade": ("年级", "schooling", "r.facts->>'grade'"),
    "boarding": ("是否寄宿", "boarding", "r.facts->>'boarding'"),
}
"""What is compared: key → label, the concept that a correction would settle (`students.precedence`), the value in a row."""

_MARK = 7_310_002  # one comparison at a time writes; whoever comes second finds less to do


@contextmanager
def only_one() -> Iterator[bool]:
    """Whether nobody else follows the outbox just now; a worker that finds somebody at it goes on to other work."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_MARK + 1])
        (is_mine,) = cursor.fetchone()
        try:
            yield is_mine
        finally:
            if is_mine:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [_MARK + 1])


@dataclass(frozen=True)
class Compared:
    """What a comparison found of the children it was asked about."""

    children: int
    discrepancies: int
    suggestions: int


@transaction.atomic
def compare(students: Iterable[int]) -> Compared:
    """Compares these children with one another and with everybody on file, and writes down what has changed."""
    with row_security(EVERYTHING, local=True), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_MARK])
        children = _lay_out(cursor, list(students))
        discrepancies = _write_discrepancies(cursor)
        pairs = _judged(cursor)
        suggestions = _write_suggestions(cursor, pairs)
    return Compared(children, discrepancies, suggestions)


def children_of(area: Region) -> list[int]:
    """Whom a comparison of a township (or of the home county) is about."""
    students = Student.objects.filter(merged_into=None)
    if not area.is_home:
        students = students.filter(hukou_town=area) | students.filter(school_town=area)
    return list(students.order_by("pk").values_list("pk", flat=True))


# --- what lists say of one child ------------------------------------------------------------------------------


def _lay_out(cursor: CursorWrapper, students: list[int]) -> int:
    """compare_child: whom it is about, each by the file that goes on. compare_picked: their row in force of each kind."""
    cursor.execute(
        "DROP TABLE IF EXISTS compare_child, compare_member, compare_picked, compare_pair, compare_found, compare_proposed"
    )
    cursor.execute(
        """
        CREATE TEMP TABLE compare_child ON COMMIT DROP AS
        SELECT DISTINCT coalesce(st.merged_into_id, st.id) AS id FROM unnest(%s::bigint[]) x(id)
        JOIN students_student st ON st.id = x.id;
        ALTER TABLE compare_child ADD PRIMARY KEY (id);
        ANALYZE compare_child;
        CREATE TEMP TABLE compare_member ON COMMIT DROP AS
        SELECT id AS student_id, id AS member_id FROM compare_child UNION ALL
        SELECT m.merged_into_id, m.id FROM compare_child c JOIN students_student m ON m.merged_into_id = c.id;
        ANALYZE compare_member;
        """,
        [students],
    )
    in_force = IN_FORCE.format(known_at="'infinity'")
    cursor.execute(
        f"""
        CREATE TEMP TABLE compare_picked ON COMMIT DROP AS
        SELECT DISTINCT ON (m.student_id, s.kind) m.student_id, s.kind, r.id AS row_id, r.facts, r.id_digest, r.school_id
        FROM compare_member m
        JOIN students_identitylink l ON l.student_id = m.member_id
        JOIN core_uploadrow r ON r.id = l.row_id
        JOIN core_listslice s ON s.id = r.slice_id
        WHERE s.kind = ANY(%s) AND {in_force}
        ORDER BY m.student_id, s.kind, s.is_current DESC, s.effective_on DESC, s.applied_at DESC, r.id DESC
        """,
        [list(KINDS)],
    )
    cursor.execute("ANALYZE compare_picked (student_id, kind, row_id)")
    cursor.execute("SELECT count(*) FROM compare_child")
    return int(cursor.fetchone()[0])


def _write_discrepancies(cursor: CursorWrapper) -> int:
    """Ends those that no longer hold, adds those that are new. A value over which a correction stands is settled."""
    values = ", ".join(f"('{key}', {said})" for key, (_, _, said) in COMPARED.items())
    concepts = ", ".join(f"('{key}', '{concept}')" for key, (_, concept, _) in COMPARED.items())
    cursor.execute(
        f"""
        CREATE TEMP TABLE compare_found ON COMMIT DROP AS
        SELECT f.student_id, f.concept, f.said, coalesce(st.school_town_id, st.hukou_town_id) AS town_id
        FROM (
            SELECT r.student_id, v.concept, jsonb_object_agg(r.kind, v.said) AS said
            FROM compare_picked r, LATERAL (VALUES {values}) v(concept, said)
            WHERE v.said <> ''
            GROUP BY r.student_id, v.concept HAVING min(v.said) <> max(v.said)
        ) f
        JOIN (VALUES {concepts}) c(concept, corrected) ON c.concept = f.concept
        JOIN students_student st ON st.id = f.student_id
        WHERE NOT EXISTS (
            SELECT 1 FROM students_correction k WHERE k.student_id = f.student_id AND k.concept = c.corrected
                AND k.revoked_at IS NULL AND k.contested_by IS NULL);
        UPDATE students_discrepancy d SET gone_at = clock_timestamp()
        FROM compare_member m
        WHERE d.student_id = m.member_id AND d.gone_at IS NULL AND NOT EXISTS (
            SELECT 1 FROM compare_found f WHERE f.student_id = d.student_id AND f.concept = d.concept AND f.said = d.said
                AND f.town_id IS NOT DISTINCT FROM d.town_id);
        INSERT INTO students_discrepancy (student_id, concept, said, town_id, found_at)
        SELECT f.student_id, f.concept, f.said, f.town_id, clock_timestamp() FROM compare_found f
        WHERE NOT EXISTS (SELECT 1 FROM students_discrepancy d
            WHERE d.student_id = f.student_id AND d.concept = f.concept AND d.gone_at IS NULL);
        SELECT count(*) FROM compare_found
        """
    )
    return int(cursor.fetchone()[0])


# --- which two files may be one child -------------------------------------------------------------------------

# Two files are looked at where some list lacks the one that the other has. Of one name and birth date also where a list has
# both: two hukou entries, two schools.
_APART = """
    NOT (a.in_population AND b.in_population) AND NOT (a.in_registry AND b.in_registry)
    AND NOT (a.in_roster AND b.in_roster)
"""
_LISTED = "({0}.in_population OR {0}.in_registry OR {0}.in_roster OR {0}.in_poverty OR {0}.in_hardship)"

_PAIRS = f"""
    CREATE TEMP TABLE compare_pair ON COMMIT DROP AS
    WITH mine AS (
        SELECT st.* FROM compare_child c JOIN students_student st ON st.id = c.id
        WHERE st.merged_into_id IS NULL AND {_LISTED.format("st")}
    ), pair AS (
        -- One birth date: the same name, the same sounds, or all but one character.
        SELECT a.id AS a, b.id AS b, false AS old FROM mine a
        JOIN students_student b ON b.birth_on = a.birth_on AND b.id <> a.id AND b.merged_into_id IS NULL
        WHERE {_LISTED.format("b")} AND (b.name_key = a.name_key OR ({_APART} AND (
            (b.pinyin <> '' AND split_part(b.pinyin, ' ', 1) = split_part(a.pinyin, ' ', 1))
            OR (left(b.name_key, 1) = left(a.name_key, 1) AND length(a.name_key) > 2 AND (
                right(b.name_key, 1) = right(a.name_key, 1) OR substr(b.name_key, 2, 1) = substr(a.name_key, 2, 1)))
        )))
        UNION
        -- One name: another birth date, or none.
        SELECT a.id, b.id, false FROM mine a
        JOIN students_student b ON b.name_key = a.name_key AND b.id <> a.id AND b.merged_into_id IS NULL
        WHERE {_LISTED.format("b")} AND {_APART} AND (a.birth_on IS NULL OR b.birth_on IS NULL
            OR (b.birth_on <> a.birth_on AND abs(b.birth_on - a.birth_on) < 3700))
        UNION
        -- The ID number inside one's 学籍号 is the other's.
        SELECT coalesce(m.student_id, p.student_id), st.id, true FROM compare_picked p
        LEFT JOIN compare_member m ON m.member_id = p.student_id
        JOIN students_identifier i ON i.kind = 'id' AND i.digest = decode(p.facts->>'embedded_id', 'hex')
        JOIN students_student x ON x.id = i.student_id
        JOIN students_student st ON st.id = coalesce(x.merged_into_id, x.id)
        WHERE st.id <> coalesce(m.student_id, p.student_id) AND {_LISTED.format("st")}
    )
    SELECT least(a, b) AS a, greatest(a, b) AS b, bool_or(old) AS old FROM pair p
    WHERE NOT EXISTS (
        SELECT 1 FROM students_matchdecision d WHERE d.undone_at IS NULL AND d.verdict = 'different'
            AND least(d.student_id, d.other_id) = least(p.a, p.b) AND greatest(d.student_id, d.other_id) = greatest(p.a, p.b))
    GROUP BY least(a, b), greatest(a, b)
"""

# Rows that wait, of lists that do not name the child: half of all children without a registry are a number that was mistyped.
_ROWS = """
    SELECT a.id, r.id FROM compare_child c
    JOIN students_student a ON a.id = c.id AND a.merged_into_id IS NULL
    JOIN core_uploadrow r ON r.state = 'W' AND r.facts->>'name_key' = a.name_key
    JOIN core_listslice s ON s.id = r.slice_id AND s.is_current
    WHERE a.name_key <> '' AND ((r.facts->>'birth_on')::date = a.birth_on OR NOT r.facts ? 'birth_on' OR a.birth_on IS NULL)
        AND NOT EXISTS (SELECT 1 FROM students_identitylink l WHERE l.row_id = r.id)
        AND NOT CASE s.kind WHEN 'population' THEN a.in_population WHEN 'registry' THEN a.in_registry
            WHEN 'class-roster' THEN a.in_roster WHEN 'poverty-register' THEN a.in_poverty ELSE true END
    ORDER BY a.id, r.id
"""


@dataclass(frozen=True)
class _Proposal:
    left: int
    right: int | None
    row: int | None
    judgement: Judgement
    town: int | None
    towns: frozenset[int]
    told: Mapping[str, Mapping[str, str]]


def _judged(cursor: CursorWrapper) -> list[_Proposal]:
    cursor.execute(_PAIRS)
    cursor.execute("SELECT a, b, old FROM compare_pair ORDER BY a, b")
    pairs = cursor.fetchall()
    cursor.execute(_ROWS)
    rows = cursor.fetchall()
    children = Student.objects.select_related(None).in_bulk(
        {pk for a, b, _ in pairs for pk in (a, b)} | {a for a, _ in rows}
    )
    numbers = _numbers(cursor, children.keys())
    found = []
    for a, b, old in pairs:
        left, right = sorted((children[a], children[b]), key=_rank)
        judgement = judge(_seen(left, numbers, old), _seen(right, numbers, False))
        if judgement is not None:
            town = left.hukou_town_id or right.hukou_town_id or left.school_town_id or right.school_town_id
            told = {"left": _told(left), "right": _told(right)}
            found.append(_Proposal(left.pk, right.pk, None, judgement, town, _towns(left, right), told))
    found += _rows_judged(rows, children, numbers)
    return found


_NAMED = (("in_population", POPULATION), ("in_registry", REGISTRY), ("in_roster", ROSTER), ("in_poverty", POVERTY))


def _told(child: Student) -> dict[str, str]:
    return {
        "name": child.name,
        "birth": child.birth_on.isoformat() if child.birth_on else "",
        "lists": "、".join(kind_of(kind).label for flag, kind in _NAMED if getattr(child, flag)),
    }


def _towns(*children: Student) -> frozenset[int]:
    return frozenset(town for child in children for town in (child.hukou_town_id, child.school_town_id) if town)


def _rank(child: Student) -> tuple[int, int]:
    """The file that would go on: the one that more lists know, then the older."""
    flags = (child.in_population, child.in_registry, child.in_roster, child.in_poverty)
    return -sum(flags) * 2 - child.in_population, child.pk


def _seen(child: Student, numbers: Mapping[int, str], old: bool) -> Seen:
    return Seen(
        name=child.name,
        name_key=child.name_key,
        sound=child.pinyin.split(" ", 1)[0],
        sex=child.sex,
        birth=child.birth_on,
        number=numbers.get(child.pk, ""),
        has_number=child.id_digest is not None,
        place=child.hukou_village_id,
        guardian=child.guardian,
        old_number_of_other=old,
    )


def _numbers(cursor: CursorWrapper, students: Collection[int]) -> dict[int, str]:
    """Child → ID number in full, opened from the rows in force that carry it. For judging; never stored, never shown."""
    cursor.execute(
        f"""
        SELECT DISTINCT ON (st.id) st.id, r.id FROM students_student st
        JOIN students_student m ON m.id = st.id OR m.merged_into_id = st.id
        JOIN students_identitylink l ON l.student_id = m.id
        JOIN core_uploadrow r ON r.id = l.row_id AND r.id_digest = st.id_digest
        JOIN core_listslice s ON s.id = r.slice_id
        WHERE st.id = ANY(%s) AND {IN_FORCE.format(known_at="'infinity'")} ORDER BY st.id, r.id DESC
        """,
        [list(students)],
    )
    owner = {row: student for student, row in cursor.fetchall()}
    return {owner[row]: number for row, number in _opened(owner.keys()).items()}


def _opened(rows: Iterable[int], *, as_typed: bool = False) -> dict[int, str]:
    """Row → the ID number in it; `as_typed` also one that is none."""
    opener = Opener()
    found = {}
    for row in UploadRow.objects.filter(pk__in=list(rows)).select_related("slice").order_by("pk"):
        if row.slice is None:
            continue
        try:
            text = delivered(row, opener).get(kind_of(row.slice.kind).id_column, "")
        except Unreadable:
            continue  # its key was destroyed: the number is gone for good
        number = parse_id(text, str(row.facts.get("id_type") or "1")) if text else None
        if isinstance(number, Parsed):
            found[row.pk] = number.value.number
        elif as_typed and text:
            found[row.pk] = text.strip().upper()
    return found


def _rows_judged(
    rows: Sequence[tuple[int, int]], children: Mapping[int, Student], numbers: Mapping[int, str]
) -> list[_Proposal]:
    waiting = UploadRow.objects.in_bulk([row for _, row in rows])
    typed = _opened(waiting.keys(), as_typed=True)
    claimed: dict[int, int] = {}
    for _, pk in rows:
        claimed[pk] = claimed.get(pk, 0) + 1
    found = []
    for student, pk in rows:
        child, row = children[student], waiting[pk]
        facts = row.facts
        seen = Seen(
            name=str(facts.get("name") or ""),
            name_key=str(facts.get("name_key") or ""),
            sound=str(facts.get("pinyin") or "").split(" ", 1)[0],
            sex=str(facts.get("sex") or ""),
            birth=dt.date.fromisoformat(facts["birth_on"]) if facts.get("birth_on") else None,
            number=typed.get(pk, ""),
            has_number=pk in typed,
            place=facts.get("hukou_village_id"),
            guardian=str(facts.get("guardian") or ""),
        )
        judgement = judge(_seen(child, numbers, False), seen)
        if judgement is None:
            continue
        if claimed[pk] > 1:
            judgement = Judgement(DOUBTFUL, judgement.score, f"{judgement.reason}；这一行还像别的学生")
        answering = child.hukou_town_id or child.school_town_id
        found.append(_Proposal(student, None, pk, judgement, answering, _towns(child), {"left": _told(child)}))
    return found


def _write_suggestions(cursor: CursorWrapper, proposals: Sequence[_Proposal]) -> int:
    """Ends the suggestions about these children that are not made any more, and adds the new ones."""
    cursor.execute(
        "CREATE TEMP TABLE compare_proposed (left_id bigint, right_id bigint, row_id bigint, certainty text, score int,"
        " reason text, town_id bigint, towns bigint[], told jsonb) ON COMMIT DROP"
    )
    if proposals:
        raw: Any = cursor.cursor
        execute_values(
            raw,
            "INSERT INTO compare_proposed VALUES %s",
            [
                (
                    p.left, p.right, p.row, p.judgement.certainty, p.judgement.score, p.judgement.reason[:200], p.town,
                    sorted(p.towns), json.dumps(p.told, ensure_ascii=False),
                )
                for p in proposals
            ],
            template="(%s, %s, %s, %s, %s, %s, %s, %s::bigint[], %s::jsonb)",
            page_size=5000,
        )  # fmt: skip
    same = """
        least(p.left_id, p.right_id) IS NOT DISTINCT FROM least(g.left_id, g.right_id)
        AND greatest(p.left_id, p.right_id) IS NOT DISTINCT FROM greatest(g.left_id, g.right_id)
        AND p.row_id IS NOT DISTINCT FROM g.row_id
    """
    cursor.execute(
        f"""
        ANALYZE compare_proposed;
        UPDATE students_suggestion g SET gone_at = clock_timestamp()
        WHERE g.gone_at IS NULL
            AND (g.left_id IN (SELECT member_id FROM compare_member) OR g.right_id IN (SELECT member_id FROM compare_member))
            AND NOT EXISTS (SELECT 1 FROM compare_proposed p WHERE {same} AND p.reason = g.reason AND p.certainty = g.certainty
                AND p.left_id = g.left_id AND p.town_id IS NOT DISTINCT FROM g.town_id AND p.towns = g.towns AND p.told = g.told);
        INSERT INTO students_suggestion (left_id, right_id, row_id, certainty, score, reason, town_id, towns, told, found_at)
        SELECT p.left_id, p.right_id, p.row_id, p.certainty, p.score, p.reason, p.town_id, p.towns, p.told, clock_timestamp()
        FROM compare_proposed p
        WHERE NOT EXISTS (SELECT 1 FROM students_suggestion g WHERE g.gone_at IS NULL AND {same})
        """
    )
    return len(proposals)


# --- which lists there are to compare -------------------------------------------------------------------------


@dataclass(frozen=True)
class Lacking:
    """A list that a township's comparison would need: not there at all, or old. `since`: the date of the last one."""

    kind: str
    label: str
    since: dt.date | None
    schools: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        where = f"（{'、'.join(self.schools)}）" if self.schools else ""
        if self.since is None:
            return f"还没有{self.label}{where}，与它的比对无从做起；请报送，或请有关单位提供。"
        return f"{self.label}{where}最近一份是{self.since.year}年{self.since.month}月{self.since.day}日的，之后没有新的；比对以它为准。"


STALE_AFTER = dt.timedelta(days=100)
"""A list of an office older than a term no longer says who lives here."""


def lacking(area: Region) -> list[Lacking]:
    """Which of the four lists a township (or the county) lacks, or has only an old one of; two queries."""
    slices = ListSlice.objects.filter(is_current=True, kind__in=(POPULATION, REGISTRY, ROSTER, POVERTY))
    schools = School.objects.valid_on(today()).in_county()
    if not area.is_home:
        schools = schools.filter(town=area)
    names = dict(schools.order_by("code").values_list("pk", "name"))
    by_place: dict[str, dict[int, dt.date]] = {}
    for kind, town, school, day in slices.order_by("effective_on").values_list(
        "kind", "town_id", "school_id", "effective_on"
    ):
        if school in names or (school is None and (area.is_home or town in (area.pk, None))):
            by_place.setdefault(kind, {})[school or 0] = day
    return [
        gap for kind in (POPULATION, REGISTRY, ROSTER, POVERTY) for gap in _gaps(kind, by_place.get(kind, {}), names)
    ]


def _gaps(kind: str, there: Mapping[int, dt.date], names: Mapping[int, str]) -> list[Lacking]:
    label = f"{kind_of(kind).label}名单"
    if not there:
        return [Lacking(kind, label, None)]
    newest = max(there.values())
    gaps = [Lacking(kind, label, newest)] if today() - newest > STALE_AFTER else []
    if kind == ROSTER and 0 not in there and (missing := [name for pk, name in names.items() if pk not in there]):
        shown = (*missing[:5], f"等 {len(missing)} 所") if len(missing) > 5 else tuple(missing)
        gaps.append(Lacking(kind, label, None, shown))
    return gaps
