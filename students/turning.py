"""The turn of the school year in bulk: preview, exceptions, whereabouts of graduates, apply, undo (docs/decisions/0017).

Everything is one statement over all children of the place; nothing is written to the children themselves: the next rosters
say in which class they sit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pghistory
from django.db import connection, transaction
from django.db.models import Count, Q
from django.utils import timezone

from eduaid.core import changes, codes
from eduaid.core.models import ListSlice, Region, School, SchoolYear, User
from eduaid.core.roles import Right, may
from eduaid.core.scope import EVERYTHING, Scope, row_security
from eduaid.core.uploads import NotAllowed
from students.models import Student, Turned, YearTurn
from students.models.turns import Outcome, TurnState
from students.precedence import ROSTER

Area = Region | School
PENDING = "Z"

LAST_GRADES = ("13", "26", "33", "43", "53")
NEXT = {
    entry.code: f"{int(entry.code) + 1}"
    for entry in codes.GRADE
    if entry.code[0] in "12345" and entry.code not in LAST_GRADES
}
"""Grade → the next one of the same stage; from the last one children graduate."""


class CannotTurn(Exception):
    """The turn cannot be prepared, changed or applied; the sentence says why and what to do."""


def destinations(grade: str) -> list[tuple[str, str]]:
    """What may become of those who graduate from a grade."""
    return [(entry.code, entry.label) for entry in codes.GRADUATION if grade in entry.facts["after"].split()]


# --- preview -----------------------------------------------------------------------------------------------------

# Whose school has sent a roster of the new year already is not turned: the roster says the new grade.
_DRAFT = """
    INSERT INTO students_turned
        (turn_id, year_id, student_id, school_id, town_id, grade, class_name, outcome, to_grade, destination, note)
    SELECT %(turn)s, %(year)s, s.id, s.school_id, s.school_town_id, s.grade, s.class_name, o.outcome,
        CASE o.outcome WHEN 'up' THEN n.next WHEN 'graduate' THEN '' ELSE s.grade END, '', ''
    FROM students_student s
    LEFT JOIN unnest(%(grades)s::text[], %(nexts)s::text[]) AS n(grade, next) ON n.grade = s.grade
    CROSS JOIN LATERAL (SELECT CASE
        WHEN EXISTS (SELECT 1 FROM students_movement m WHERE m.student_id = s.id AND m.kind = 'suspend'
            AND m.state = 'accepted' AND m.from_on <= %(starts_on)s AND m.until_on >= %(starts_on)s) THEN 'away'
        WHEN n.next IS NULL THEN 'graduate' ELSE 'up' END AS outcome) o
    WHERE s.merged_into_id IS NULL AND s.in_roster AND (n.next IS NOT NULL OR s.grade = ANY(%(last)s))
        AND s.school_id = ANY(%(schools)s)
        AND NOT EXISTS (SELECT 1 FROM students_turned t
            WHERE t.student_id = s.id AND t.year_id = %(year)s AND t.withdrawn_at IS NULL)
"""


@transaction.atomic
def prepare(area: Area, year: SchoolYear, *, by: User) -> YearTurn:
    """Makes the preview of a place: everybody goes up, last grades graduate, who is suspended stays. An earlier preview of the
    same place and year gives way. Raises NotAllowed, CannotTurn."""
    if not may(by, Right.UPLOAD) or not Scope.of(by).covers(area):
        raise NotAllowed("学年更替由学校、中心校或县局经办人办理。")
    with row_security(EVERYTHING, local=True), pghistory.context(user=by.pk, reason=f"预览{year}升级"):
        _take_turn()
        place = _place(area)
        for old in YearTurn.objects.filter(year=year, state=TurnState.DRAFT, **place):
            _drop(old)
        schools = School.objects.lying_in(area)
        ready = list(schools.exclude(pk__in=_told(year)).values_list("pk", flat=True))
        turn = YearTurn.objects.create(year=year, made_by=by, **place)
        with connection.cursor() as cursor:
            cursor.execute(
                _DRAFT,
                {
                    "turn": turn.pk,
                    "year": year.pk,
                    "grades": list(NEXT),
                    "nexts": list(NEXT.values()),
                    "last": list(LAST_GRADES),
                    "starts_on": year.starts_on,
                    "schools": ready,
                },
            )
            if not cursor.rowcount:
                raise CannotTurn(
                    f"{area}没有需要升级的学生：可能已办理过，或{year}的班级名册已经生效（名册写明了新年级），或还没有班级名册。"
                )
    return turn


def _place(area: Area) -> dict[str, Any]:
    if isinstance(area, School):
        return {"school": area, "town": None}
    return {"school": None, "town": None if area.is_home else area}


def _told(year: SchoolYear) -> set[int]:
    """The schools whose roster in force is of the new year."""
    current = ListSlice.objects.filter(kind=ROSTER, is_current=True, effective_on__gte=year.starts_on)
    return set(current.exclude(school=None).values_list("school", flat=True))


def _take_turn() -> None:
    """Two heads who turn the same school at once come one after the other."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('students.turning'))")


def _drop(turn: YearTurn) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM students_turned WHERE turn_id = %s", [turn.pk])
    turn.state = TurnState.DROPPED
    turn.save(update_fields=["state"])


@dataclass(frozen=True)
class ClassLine:
    """What the turn does with one class: numbers by outcome, and how many graduates have no whereabouts yet."""

    school: int
    school_name: str
    grade: str
    class_name: str
    to_grade: str
    up: int
    graduate: int
    stay: int
    away: int
    open: int


def classes(turn: YearTurn, scope: Scope) -> list[ClassLine]:
    """The classes of a turn as far as a scope sees, in order. One query."""
    seen = Turned.objects.within(scope).filter(turn=turn, withdrawn_at=None)
    counted = {outcome.value: Count("pk", filter=Q(outcome=outcome)) for outcome in Outcome}
    rows = (
        seen.values_list("school", "school__name", "grade", "class_name")
        .annotate(**counted, open=Count("pk", filter=Q(outcome=Outcome.GRADUATE, destination="")))
        .order_by("school__town__code", "school__code", "grade", "class_name")
        .values_list("school", "school__name", "grade", "class_name", *counted, "open")
    )
    return [
        ClassLine(school, name, grade, class_name, NEXT.get(grade, ""), *numbers)
        for school, name, grade, class_name, *numbers in rows
    ]


# --- exceptions and whereabouts ----------------------------------------------------------------------------------


def _children(turn: YearTurn, by: User, chosen: Q) -> Any:
    return Turned.objects.within(Scope.of(by)).filter(chosen, turn=turn, withdrawn_at=None)


@transaction.atomic
def hold_back(turn: YearTurn, chosen: Q, *, back: bool, by: User) -> int:
    """Lets the chosen stay in their grade (`back`), or go up or graduate after all. Raises NotAllowed, CannotTurn."""
    with row_security(EVERYTHING, local=True), pghistory.context(user=by.pk, reason="留级" if back else "恢复升级"):
        _changing(turn, by, draft=True)
        found = _children(turn, by, chosen)
        with connection.cursor() as cursor:
            pks = list(found.exclude(outcome=Outcome.AWAY).values_list("pk", flat=True))
            cursor.execute(
                "UPDATE students_turned SET to_grade = CASE WHEN %(back)s THEN grade ELSE coalesce((SELECT next FROM"
                " unnest(%(grades)s::text[], %(nexts)s::text[]) AS n(grade, next) WHERE n.grade = students_turned.grade), '')"
                " END, outcome = CASE WHEN %(back)s THEN 'stay' WHEN grade = ANY(%(last)s) THEN 'graduate' ELSE 'up' END,"
                " destination = '', note = '' WHERE id = ANY(%(pks)s)",
                {
                    "back": back,
                    "grades": list(NEXT),
                    "nexts": list(NEXT.values()),
                    "last": list(LAST_GRADES),
                    "pks": pks,
                },
            )
            return cursor.rowcount


@transaction.atomic
def send(turn: YearTurn, chosen: Q, *, destination: str, by: User, note: str = "") -> int:
    """Says where the chosen graduates go; a whole class, then exceptions. Raises NotAllowed, CannotTurn."""
    with row_security(EVERYTHING, local=True), pghistory.context(user=by.pk, reason="毕业去向"):
        _changing(turn, by, draft=False)
        found = _children(turn, by, chosen).filter(outcome=Outcome.GRADUATE)
        grades = set(found.values_list("grade", flat=True))
        wrong = [grade for grade in grades if destination not in dict(destinations(grade))]
        if wrong or destination not in codes.GRADUATION:
            raise CannotTurn("这个去向不适用于所选的毕业年级。请重新选择去向。")
        changed = found.update(destination=destination, note=note.strip()[:100])
        if not changed:
            raise CannotTurn("没有选中毕业学生。请勾选学生或选择毕业班，再填去向。")
        return int(changed)


def _changing(turn: YearTurn, by: User, *, draft: bool) -> YearTurn:
    locked = YearTurn.objects.select_for_update(of=("self",)).select_related("year", "town", "school").get(pk=turn.pk)
    if not may(by, Right.UPLOAD) or not _covers(Scope.of(by), locked):
        raise NotAllowed("学年更替由学校、中心校或县局经办人办理。")
    if locked.state != TurnState.DRAFT and (draft or locked.state != TurnState.APPLIED):
        raise CannotTurn(f"这次学年更替{locked.get_state_display()}，不能再改。")
    return locked


def _covers(scope: Scope, turn: YearTurn) -> bool:
    place = turn.school or turn.town
    return scope.covers(place) if place else scope.county


# --- apply, undo -------------------------------------------------------------------------------------------------


@transaction.atomic
def apply(turn: YearTurn, *, by: User) -> int:
    """Makes the preview hold; returns for how many children. Raises NotAllowed, CannotTurn: a graduate without a word, or
    children whose school or grade is another by now."""
    with row_security(EVERYTHING, local=True), pghistory.context(user=by.pk, reason="学年更替"):
        _take_turn()
        turn = _changing(turn, by, draft=True)
        rows = Turned.objects.filter(turn=turn)
        unsaid = rows.filter(outcome=Outcome.GRADUATE, destination="").count()
        if unsaid:
            raise CannotTurn(f"还有 {unsaid:,} 名毕业生没有填去向。请整班填写；一时不清楚的选“待核”。")
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM students_turned t JOIN students_student s ON s.id = t.student_id WHERE t.turn_id = %s"
                " AND (s.school_id IS DISTINCT FROM t.school_id OR s.grade <> t.grade OR s.merged_into_id IS NOT NULL"
                " OR NOT s.in_roster)",
                [turn.pk],
            )
            (moved,) = cursor.fetchone()
        if moved:
            raise CannotTurn(f"预览之后名单有变：{moved:,} 名学生的学校或年级已不同。请重新预览，再办理。")
        turn.state, turn.applied_by, turn.applied_at = TurnState.APPLIED, by, timezone.now()
        turn.save(update_fields=["state", "applied_by", "applied_at"])
        children = list(rows.values_list("student", flat=True))
        changes.record(cause="turned", students=children)
    return len(children)


@dataclass(frozen=True)
class Undoing:
    """What an undo would do: whom it takes back, and whom it must keep, with the reason."""

    withdrawn: int
    kept: int
    kept_names: Sequence[str]
    reason: str = "新学年的班级名册已经生效，写明了他们的新年级"


# Whom a roster of the new year names: it says the new grade, whatever becomes of the act.
_KEPT = """
    SELECT t.id FROM students_turned t
    WHERE t.turn_id = %s AND t.withdrawn_at IS NULL AND EXISTS (
        SELECT 1 FROM students_identitylink l JOIN core_uploadrow r ON r.id = l.row_id
        JOIN core_listslice s ON s.id = r.slice_id
        WHERE l.student_id = t.student_id AND r.state = 'A' AND s.is_current AND s.kind = %s AND s.effective_on >= %s)
"""


def _kept(turn: YearTurn) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(_KEPT, [turn.pk, ROSTER, turn.year.starts_on])
        return [pk for (pk,) in cursor.fetchall()]


def undoing(turn: YearTurn) -> Undoing:
    """What undoing would touch, shown first."""
    with row_security(EVERYTHING, local=True):
        kept = _kept(turn)
        standing = Turned.objects.filter(turn=turn, withdrawn_at=None).count()
        names = Student.objects.filter(turns__in=kept[:5]).order_by("pk").values_list("name", flat=True)
        return Undoing(standing - len(kept), len(kept), list(names))


@transaction.atomic
def undo(turn: YearTurn, *, by: User, reason: str) -> Undoing:
    """Takes the whole batch back, but for those whom a roster of the new year already names. Raises NotAllowed, CannotTurn."""
    if not reason.strip():
        raise CannotTurn("请填写『撤销原因』。")
    with row_security(EVERYTHING, local=True), pghistory.context(user=by.pk, reason=reason):
        _take_turn()
        turn = _changing(turn, by, draft=False)
        if turn.state != TurnState.APPLIED:
            raise CannotTurn("这次学年更替还没有办理，不用撤销；不要的预览可以作废。")
        told = undoing(turn)
        if not told.withdrawn:
            raise CannotTurn(f"没有可以撤销的：{told.reason}。")
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE students_turned SET withdrawn_at = now() WHERE turn_id = %s AND NOT id = ANY(%s)"
                " AND withdrawn_at IS NULL RETURNING student_id",
                [turn.pk, _kept(turn)],
            )
            children = [pk for (pk,) in cursor.fetchall()]
        turn.state, turn.undone_by, turn.undone_at = TurnState.UNDONE, by, timezone.now()
        turn.undo_reason = reason.strip()[:200]
        turn.save(update_fields=["state", "undone_by", "undone_at", "undo_reason"])
        changes.record(cause="turned", students=children)
    return told


@transaction.atomic
def drop(turn: YearTurn, *, by: User) -> None:
    """Throws a preview away. Raises NotAllowed, CannotTurn."""
    with row_security(EVERYTHING, local=True), pghistory.context(user=by.pk, reason="作废预览"):
        _drop(_changing(turn, by, draft=True))
