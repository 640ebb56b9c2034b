"""Where somebody probably is whom the next list does not name any more: read off the other lists, with the reason.

Each source is one statement for all rows asked about. What is certain may be taken for many at once; the rest is for a
person to judge.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

from django.db import connection
from django.db.backends.utils import CursorWrapper

from eduaid.core import codes, missing
from eduaid.core.display import zh_date
from eduaid.core.lists import Proposal, kind_of, kinds
from eduaid.core.models import Term, Upload
from students.resolve import IN_FORCE

AGE_PAST_COMPULSORY = 16
"""Whole years on 31 August of the school year: compulsory schooling ends there."""

# Last grades and what their pupils do the summer after.
_LEAVERS = {"26": ("G1", "小学毕业"), "33": ("B7", "初中毕业"), "43": ("G3", "高中毕业"), "53": ("G3", "中职毕业")}

_GONE = """
    SELECT g.id, g.school_id, g.town_id, g.facts, s.effective_on, l.student_id
    FROM core_uploadrow g JOIN core_listslice s ON s.id = g.slice_id
    LEFT JOIN students_identitylink l ON l.row_id = g.id
    WHERE g.id = ANY(%(rows)s)
"""


def propose(upload: Upload, rows: Sequence[int]) -> list[Proposal]:
    """The first of these that speaks: another list of this term, an accepted movement, the whereabouts of a graduate, what was
    said under another list, leaving the last grade, age, an older list elsewhere."""
    found: dict[int, Proposal] = {}
    with connection.cursor() as cursor:
        elsewhere = list(_elsewhere(cursor, upload, rows))
        for source in (
            (one for one in elsewhere if one.is_certain),
            _moved(cursor, upload, rows),
            _graduated(cursor, upload, rows),
            _said_before(cursor, upload, rows),
            _left_school(cursor, upload, rows),
            _past_age(cursor, upload, rows),
            iter(elsewhere),
        ):
            for proposal in source:
                found.setdefault(proposal.row_id, proposal)
    return list(found.values())


def _elsewhere(cursor: CursorWrapper, upload: Upload, rows: Sequence[int]) -> Iterator[Proposal]:
    """The child stands in a list in force of another school (school lists) or of another township (the others)."""
    kind = kind_of(upload.kind)
    alike = [one.key for one in kinds() if one.is_by_school()] if kind.is_by_school() else [kind.key]
    place = "school_id" if kind.is_by_school() else "town_id"
    cursor.execute(
        f"""
        SELECT DISTINCT ON (gone.id) gone.id, s.kind, s.effective_on, sc.id, sc.name, sc.is_outside, tn.name,
            sc.town_id IS NOT DISTINCT FROM own.town_id
        FROM ({_GONE}) gone JOIN students_identitylink l ON l.student_id = gone.student_id AND l.row_id <> gone.id
        JOIN core_uploadrow r ON r.id = l.row_id JOIN core_listslice s ON s.id = r.slice_id
        LEFT JOIN core_school sc ON sc.id = r.school_id LEFT JOIN core_school own ON own.id = gone.school_id
        LEFT JOIN core_region tn ON tn.id = r.town_id
        WHERE s.kind = ANY(%(kinds)s) AND s.upload_id <> %(upload)s AND s.effective_on >= gone.effective_on
            AND r.{place} IS NOT NULL AND r.{place} IS DISTINCT FROM gone.{place}
            AND {IN_FORCE.format(known_at="'infinity'")}
        ORDER BY gone.id, s.effective_on DESC, s.applied_at DESC, r.id DESC
        """,
        {"rows": list(rows), "kinds": alike, "upload": upload.pk},
    )
    term = Term.objects.at(upload.effective_on)
    for row, key, day, school_id, school, is_outside, town, is_same_town in cursor.fetchall():
        where = school if place == "school_id" else town
        basis = f"{zh_date(day)}的{kind_of(key).label}名单里，这个人在{where}。"
        certain = day >= term.starts_on
        if place == "town_id":
            yield Proposal(row, "M1", basis, None, certain)
        else:
            code = "A3" if is_outside else "A1" if is_same_town else "A2"
            yield Proposal(row, code, basis, school_id, certain)


def _moved(cursor: CursorWrapper, upload: Upload, rows: Sequence[int]) -> Iterator[Proposal]:
    """A movement that two persons agreed on: a transfer away from this school, or an absence that still runs."""
    if not kind_of(upload.kind).is_by_school():
        return
    cursor.execute(
        f"""
        SELECT DISTINCT ON (gone.id) gone.id, m.kind, m.from_on, m.until_on, m.out_of_province, sc.id, sc.name, m.elsewhere,
            m.from_town_id = m.to_town_id
        FROM ({_GONE}) gone JOIN students_movement m ON m.student_id = gone.student_id
        LEFT JOIN core_school sc ON sc.id = m.to_school_id
        WHERE m.state = 'accepted' AND m.kind IN ('transfer', 'out', 'suspend', 'defer') AND m.from_on <= %(day)s
            AND (m.until_on IS NULL OR m.until_on >= %(day)s) AND m.to_school_id IS DISTINCT FROM gone.school_id
        ORDER BY gone.id, m.from_on DESC, m.id DESC
        """,
        {"rows": list(rows), "day": upload.effective_on},
    )
    for row, kind, from_on, until_on, out_of_province, school_id, school, elsewhere, is_same_town in cursor.fetchall():
        if kind == "transfer":
            code, text = "A1" if is_same_town else "A2", f"{zh_date(from_on)}起县内转学，转入{school}"
        elif kind == "out":
            code, text = "A4" if out_of_province else "A3", f"{zh_date(from_on)}起转出县外，去往{elsewhere}"
        else:
            word = "休学" if kind == "suspend" else "缓学"
            code, text = "B10" if kind == "suspend" else "B9", f"{zh_date(from_on)}至{zh_date(until_on)}批准{word}"
        yield Proposal(row, code, f"{text}。", school_id, True)


def _graduated(cursor: CursorWrapper, upload: Upload, rows: Sequence[int]) -> Iterator[Proposal]:
    """The turn of the school year let the child graduate from this school, and somebody said where to."""
    if not kind_of(upload.kind).is_by_school():
        return
    cursor.execute(
        f"""
        SELECT DISTINCT ON (gone.id) gone.id, t.destination, t.note
        FROM ({_GONE}) gone JOIN students_turned t ON t.student_id = gone.student_id
        JOIN students_yearturn y ON y.id = t.turn_id JOIN core_schoolyear sy ON sy.id = t.year_id
        WHERE t.outcome = 'graduate' AND t.withdrawn_at IS NULL AND y.state IN ('applied', 'undone')
            AND t.school_id = gone.school_id AND sy.starts_on <= %(day)s AND t.destination = ANY(%(known)s)
        ORDER BY gone.id, sy.starts_on DESC, t.id DESC
        """,
        {
            "rows": list(rows),
            "day": upload.effective_on,
            "known": [entry.code for entry in codes.GRADUATION if entry.facts["whereabouts"]],
        },
    )
    offered = {entry.code for entry in kind_of(upload.kind).departures}
    for row, destination, note in cursor.fetchall():
        code = codes.GRADUATION[destination].facts["whereabouts"]
        basis = f"学年更替时已毕业，去向：{codes.GRADUATION.label(destination)}{f'（{note}）' if note else ''}。"
        if code in offered:
            yield Proposal(row, code, basis, None, True)


def _said_before(cursor: CursorWrapper, upload: Upload, rows: Sequence[int]) -> Iterator[Proposal]:
    """Another list in force has already said where the child went: a death in the population list is one in every list."""
    cursor.execute(
        f"""
        SELECT DISTINCT ON (gone.id) gone.id, u.kind, u.effective_on, d.code,
            CASE WHEN d.code = d.proposed THEN d.proposed_school_id END
        FROM ({_GONE}) gone JOIN students_identitylink l ON l.student_id = gone.student_id
        JOIN core_departure d ON d.row_id = l.row_id JOIN core_upload u ON u.id = d.upload_id
        WHERE u.id <> %(upload)s AND u.applied_at IS NOT NULL AND u.undone_at IS NULL AND d.code = ANY(%(codes)s)
            AND u.effective_on >= gone.effective_on
        ORDER BY gone.id, u.effective_on DESC, u.id DESC
        """,
        {
            "rows": list(rows),
            "upload": upload.pk,
            "codes": [entry.code for entry in kind_of(upload.kind).departures],
        },
    )
    for row, key, day, code, school_id in cursor.fetchall():
        basis = f"{zh_date(day)}的{kind_of(key).label}名单已说明去向：{missing.label(code)}。"
        yield Proposal(row, code, basis, school_id, True)


def _left_school(cursor: CursorWrapper, upload: Upload, rows: Sequence[int]) -> Iterator[Proposal]:
    """In the last grade in the school year before: left with the diploma. Only lists that name grades can say so."""
    cursor.execute(
        f"SELECT id, facts->>'grade', effective_on FROM ({_GONE}) gone WHERE facts->>'grade' = ANY(%(grades)s)",
        {"rows": list(rows), "grades": list(_LEAVERS)},
    )
    for row, grade, day in cursor.fetchall():
        if _school_year(day) < _school_year(upload.effective_on):
            code, word = _LEAVERS[grade]
            basis = f"上期（{zh_date(day)}）在毕业年级，按学年已{word}。"
            yield Proposal(row, code, basis, None, True)


def _past_age(cursor: CursorWrapper, upload: Upload, rows: Sequence[int]) -> Iterator[Proposal]:
    """Sixteen by the end of the school year before; certain where the new list of a place names nobody so old any more."""
    cursor.execute(
        "SELECT min(facts->>'birth_on') FROM core_uploadrow"
        " WHERE sheet_id IN (SELECT id FROM core_uploadsheet WHERE upload_id = %s) AND state = 'A'",
        [upload.pk],
    )
    (oldest,) = cursor.fetchone()
    year = _school_year(upload.effective_on)
    born_before = dt.date(year - AGE_PAST_COMPULSORY, 9, 1)
    by_school = kind_of(upload.kind).is_by_school()
    cursor.execute(
        f"SELECT id, facts->>'birth_on' FROM ({_GONE}) gone WHERE facts->>'birth_on' < %(before)s",
        {"rows": list(rows), "before": born_before.isoformat()},
    )
    for row, birth in cursor.fetchall():
        certain = not by_school and oldest is not None and birth < oldest
        basis = f"截至{year}年8月31日已满{AGE_PAST_COMPULSORY}周岁" + (
            "，本期名单中没有这个年龄的人。" if certain else "。"
        )
        yield Proposal(row, "B7", basis, None, certain)


def _school_year(day: dt.date) -> int:
    return day.year - (day.month < 8)
