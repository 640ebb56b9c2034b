"""Census rounds and what people decide in them: open and close a round, decide where children are, take a decision back.

Each is one transaction, leaves history with its reason, and tells the outbox, so that figures are counted anew.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import pghistory
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from dropout.derivation import derive
from dropout.models import CensusRound, Verdict, Whereabouts
from dropout.models.census import AT_A_SCHOOL, NOT_COUNTED, Place, Source, Window, place_of_code
from eduaid.core import changes, codes
from eduaid.core.models import ChangeSet, Region, School, User
from eduaid.core.roles import Right, may
from eduaid.core.scope import EVERYTHING, Scope, row_security
from eduaid.core.uploads import NotAllowed

CAUSE = "whereabouts"
"""Change sets of this module: the resolved values are as they were, figures of rounds are not."""


class CannotOpen(Exception):
    """The round cannot be opened or closed; `field` names what to change, empty where it is the whole."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


class CannotDecide(Exception):
    """The decision lacks something, or cannot be made; `field` names what to fill in."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


class NotPossible(Exception):
    """It is no longer in the state that the page showed."""


# --- rounds ---------------------------------------------------------------------------------------------------


@transaction.atomic
def open_round(
    *,
    name: str,
    window: str,
    born_from: dt.date,
    born_to: dt.date,
    as_of: dt.date,
    deadline: dt.date,
    by: User,
    towns: Collection[Region] = (),
) -> CensusRound:
    """Opens a round and puts every child of the window and scope in it, each derived from the lists in force.

    No townships: the whole county. Raises NotAllowed, CannotOpen.
    """
    _may_run_rounds(by)
    name = name.strip()
    if not name:
        raise CannotOpen("name", "请填写『名称』，如“2026年秋季摸排”。")
    if window not in Window.values:
        raise CannotOpen("window", "请选择『范围』。")
    if born_to <= born_from:
        raise CannotOpen("born_to", f"『出生至』{born_to}不晚于『出生自』{born_from}。请改为更晚的日期。")
    if deadline < as_of:
        raise CannotOpen("deadline", f"『截止日期』{deadline}早于『基准日』{as_of}。请改为基准日当天或以后。")
    if CensusRound.objects.filter(name=name).exists():
        raise CannotOpen("name", f"已有名为“{name}”的轮次。请换一个名称。")
    running = CensusRound.objects.open().filter(window=window).first()
    if running is not None:
        raise CannotOpen("window", f"“{running}”还没有结束，同一范围同时只能有一轮。请先结束它，或在那一轮里继续。")
    with row_security(EVERYTHING, local=True), pghistory.context(user=by.pk, reason="发起摸排"):
        try:
            with transaction.atomic():
                made = CensusRound.objects.create(
                    name=name[:60],
                    window=window,
                    born_from=born_from,
                    born_to=born_to,
                    as_of=as_of,
                    deadline=deadline,
                    opened_by=by,
                )
        except IntegrityError as error:
            raise CannotOpen("window", "刚刚有人发起了同一范围的摸排。请刷新页面。") from error
        made.towns.set(towns)
        derive(made)
        changes.record(cause=CAUSE, students=[])
    return made


@transaction.atomic
def close_round(round_: CensusRound, *, by: User) -> None:
    """Ends the round: nothing in it changes any more. Children still 未核 stay so, and count as such.

    Raises NotAllowed, NotPossible.
    """
    _may_run_rounds(by)
    with row_security(EVERYTHING, local=True), pghistory.context(user=by.pk, reason="结束摸排"):
        held = CensusRound.objects.select_for_update().get(pk=round_.pk)
        if not held.is_open:
            raise NotPossible("这一轮已经结束。请刷新页面。")
        derive(held)
        held.closed_by, held.closed_at = by, timezone.now()
        held.save(update_fields=["closed_by", "closed_at"])
        changes.record(cause=CAUSE, students=[])


def _may_run_rounds(by: User) -> None:
    if not may(by, Right.UPLOAD_COUNTY):
        raise NotAllowed("摸排由县局控辍保学股室发起和结束。请与他们联系。")


# --- decisions ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Said:
    """What somebody says of where children are. `place` only with codes that do not name it (A7, A8)."""

    code: str
    basis: str
    school: School | None = None
    text: str = ""
    document: str = ""
    place: str = ""


def asks_for(code: str) -> dict[str, str]:
    """Which fields a code needs beside the reason, each with the sentence that asks for it."""
    if code not in codes.WHEREABOUTS:
        return {}
    entry = codes.WHEREABOUTS[code]
    needed = {}
    if code in AT_A_SCHOOL:
        needed["where"] = f"“{entry.label}”须写明就读地点：选择学校，或写到省市县、学校、年级、班级。"
    if code in NOT_COUNTED and code != "B7":
        needed["document"] = f"“{entry.label}”须写明证明材料（{entry.facts['evidence']}）的名称或编号。"
    return needed


def checked(said: Said) -> Said:
    """The same, complete and trimmed; raises CannotDecide for what is missing or does not fit."""
    if said.code not in codes.WHEREABOUTS:
        raise CannotDecide("code", "请选择『去向』。")
    entry = codes.WHEREABOUTS[said.code]
    basis, text, document = said.basis.strip()[:200], said.text.strip()[:120], said.document.strip()[:120]
    if not basis:
        raise CannotDecide("basis", "请填写『依据』，如“11月20日电话联系家长，本人在××学校上课”。")
    needed = asks_for(said.code)
    if "where" in needed and said.school is None and not text:
        raise CannotDecide("text", needed["where"])
    if "document" in needed and not document:
        raise CannotDecide("document", needed["document"])
    place = ""
    if said.code in AT_A_SCHOOL:
        place = place_of_code(said.code) or said.place
        if place not in Place.values and said.school is None:
            raise CannotDecide("place", f"“{entry.label}”请选择就读地在本镇、县内外镇还是县外。")
    return Said(said.code, basis, said.school if said.code in AT_A_SCHOOL else None, text, document, place)


@transaction.atomic
def decide(whereabouts: Whereabouts, said: Said, *, by: User) -> Verdict:
    """Says where one child is. Raises NotAllowed, CannotDecide, NotPossible."""
    return decide_many([whereabouts.pk], said, by=by)


@transaction.atomic
def decide_many(ids: Collection[int], said: Said, *, by: User) -> Verdict:
    """Says the same of several children of one round, all or none; undone as one.

    Raises NotAllowed (a child outside the scope), CannotDecide, NotPossible (the round is closed).
    """
    if not (may(by, Right.UPLOAD) or may(by, Right.CARE)):
        raise NotAllowed("去向由县局、乡镇中心校、学校和包保教师认定。请把您知道的情况告诉他们。")
    said = checked(said)
    visible = set(Whereabouts.objects.within(Scope.of(by)).filter(pk__in=ids).values_list("pk", flat=True))
    if not visible or visible != set(ids):
        raise NotAllowed("所选的学生中有不在您管理范围内的。请重新选择。")
    with row_security(EVERYTHING, local=True), pghistory.context(user=by.pk, reason=said.basis):
        held = list(
            Whereabouts.objects.select_for_update(of=("self",))
            .filter(pk__in=visible)
            .select_related("round", "student")
            .order_by("pk")
        )
        round_ = _open_round_of(held)
        _fits(held, said)
        verdict = Verdict.objects.create(round=round_, by=by, code=said.code, children=len(held))
        for one in held:
            one.code, one.basis, one.document = said.code, said.basis, said.document
            one.place = said.place or _place_of(one, said.school)
            one.where_school, one.where_text = said.school, said.text
            one.source, one.verdict, one.decided_by, one.decided_at = Source.PERSON, verdict, by, verdict.at
            one.basis_row = one.departure = None
            one.proof = one.contested_code = one.contested_basis = ""
        Whereabouts.objects.bulk_update(held, _DECIDED, batch_size=500)
        _follow(round_, held)
    return verdict


_DECIDED = [
    "code", "place", "where_school", "where_text", "proof", "source", "basis", "document", "basis_row", "departure",
    "verdict", "decided_by", "decided_at", "contested_code", "contested_basis",
]  # fmt: skip


def _open_round_of(held: list[Whereabouts]) -> CensusRound:
    rounds = {one.round_id: one.round for one in held}
    if len(rounds) != 1:
        raise NotPossible("所选的学生不在同一轮摸排里。请重新选择。")
    (round_,) = rounds.values()
    if not CensusRound.objects.select_for_update().get(pk=round_.pk).is_open:
        raise NotPossible(f"“{round_}”已经结束，去向不能再改。新的情况请记在下一轮。")
    return round_


def _place_of(one: Whereabouts, school: School | None) -> str:
    if school is None:
        return ""
    if school.is_outside:
        return Place.OUTSIDE
    return Place.TOWN if school.town_id == one.hukou_town_id else Place.COUNTY


def _fits(held: list[Whereabouts], said: Said) -> None:
    """The school that was chosen lies where the code says, for each child."""
    if said.school is None or not said.place:
        return
    for one in held:
        if _place_of(one, said.school) != said.place:
            where = Place(said.place).label
            raise CannotDecide(
                "school",
                f"“{said.school.name}”不在“{one.student.name}”的{where}，与“{codes.WHEREABOUTS.label(said.code)}”不符。"
                "请改去向或学校。",
            )


@transaction.atomic
def undo(verdict: Verdict, *, by: User) -> Undone:
    """Takes a decision back, for each child whom nobody has decided about since: what was so before holds again, an earlier
    person's decision or what the lists say now. Raises NotAllowed, NotPossible."""
    if not (may(by, Right.UPLOAD) or may(by, Right.CARE)):
        raise NotAllowed("去向由县局、乡镇中心校、学校和包保教师认定和撤销。")
    seen = Whereabouts.objects.within(Scope.of(by)).filter(verdict=verdict).count()
    with row_security(EVERYTHING, local=True), pghistory.context(user=by.pk, reason="撤销认定"):
        verdict = Verdict.objects.select_for_update().get(pk=verdict.pk)
        if verdict.undone_at is not None:
            raise NotPossible("这次认定已经撤销。请刷新页面。")
        held = list(
            Whereabouts.objects.select_for_update(of=("self",))
            .filter(verdict=verdict)
            .select_related("round", "student")
        )
        if len(held) != seen:
            raise NotAllowed("这次认定里有不在您管理范围内的学生，请由认定人或县局撤销。")
        if held:
            round_ = _open_round_of(held)
            earlier = _states_before(held, verdict)
            for one in held:
                _restore(one, earlier.get(one.pk))
            Whereabouts.objects.bulk_update(held, _DECIDED, batch_size=500)
            _follow(round_, held)
        verdict.undone_by, verdict.undone_at = by, timezone.now()
        verdict.save(update_fields=["undone_by", "undone_at"])
    return Undone(taken_back=len(held), decided_since=verdict.children - len(held))


@dataclass(frozen=True)
class Undone:
    """What an undo did. `decided_since`: children about whom somebody has decided again, and who keep that."""

    taken_back: int
    decided_since: int


def _states_before(held: list[Whereabouts], verdict: Verdict) -> dict[int, Any]:
    """The last state of each child before the verdict, from history, where it was a decision that still stands."""
    events: Any = Whereabouts.pgh_event_model.objects  # type: ignore[attr-defined]
    before: dict[int, Any] = {}
    undone = set(
        Verdict.objects.filter(round=verdict.round_id, undone_at__isnull=False).values_list("pk", flat=True)
    ) | {verdict.pk}
    rows = events.filter(pgh_obj_id__in=[one.pk for one in held], source=Source.PERSON).exclude(verdict_id__in=undone)
    for event in rows.filter(verdict_id__lt=verdict.pk).order_by("pgh_id"):
        before[event.pgh_obj_id] = event
    return before


def _restore(one: Whereabouts, before: Any) -> None:
    if before is not None:
        for field in _DECIDED:
            name = Whereabouts._meta.get_field(field).attname  # type: ignore[union-attr]
            setattr(one, name, getattr(before, name))
        return
    one.source, one.verdict, one.decided_by, one.decided_at = Source.DERIVED, None, None, None
    one.code = one.place = one.where_text = one.proof = one.basis = one.document = ""
    one.contested_code = one.contested_basis = ""
    one.where_school = one.basis_row = one.departure = None


@transaction.atomic
def keep(whereabouts: Whereabouts, *, by: User) -> None:
    """Settles a contradiction: the person's decision stands over what the lists say now. Raises NotAllowed, NotPossible."""
    if not (may(by, Right.UPLOAD) or may(by, Right.CARE)):
        raise NotAllowed("去向由县局、乡镇中心校、学校和包保教师认定。")
    if not Whereabouts.objects.within(Scope.of(by)).filter(pk=whereabouts.pk).exists():
        raise NotAllowed("这名学生不在您的管理范围内。")
    with row_security(EVERYTHING, local=True), pghistory.context(user=by.pk, reason="维持认定"):
        held = Whereabouts.objects.select_for_update().get(pk=whereabouts.pk)
        if not held.contested_code:
            raise NotPossible("名单与认定已没有矛盾，可能刚由别人处理。请刷新页面。")
        held.contested_code = held.contested_basis = ""
        held.save(update_fields=["contested_code", "contested_basis"])
        changes.record(cause=CAUSE, students=[held.student_id])


def _follow(round_: CensusRound, held: list[Whereabouts]) -> None:
    students = [one.student_id for one in held]
    derive(round_, students)
    changes.record(cause=CAUSE, students=students)


# --- what follows from lists ------------------------------------------------------------------------------------


@transaction.atomic
def follow_lists(change: ChangeSet) -> None:
    """For the outbox: the children whom a list, an undo, a correction or a merge wrote are derived anew in every open round."""
    if change.cause == CAUSE:
        return
    students = {*change.students}
    with row_security(EVERYTHING, local=True):
        if change.upload_id:
            # Departures of the list take force with it, and tell of children whose resolved values may stay the same; a
            # school that sends its first class roster settles what was open of all its pupils.
            students |= _told_of_by(change.upload_id)
        if not students:
            return
        written = sum(derive(round_, students) for round_ in CensusRound.objects.open())
        if written:
            changes.record(cause=CAUSE, students=[])


@transaction.atomic
def refresh(students: Collection[int]) -> None:
    """Derives these children anew in every open round, after an act of another kind (evidence, suspension). In the caller's
    transaction; the caller records the change."""
    with row_security(EVERYTHING, local=True):
        for round_ in CensusRound.objects.open():
            derive(round_, students)


def _told_of_by(upload: int) -> set[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT l.student_id FROM core_departure d JOIN students_identitylink l ON l.row_id = d.row_id
            WHERE d.upload_id = %(upload)s
            UNION SELECT st.id FROM students_student st JOIN core_listslice s ON s.school_id = st.school_id
            WHERE s.upload_id = %(upload)s
            UNION SELECT l.student_id FROM core_uploadrow r JOIN core_uploadsheet h ON h.id = r.sheet_id
                JOIN students_identitylink l ON l.row_id = r.id WHERE h.upload_id = %(upload)s
            """,
            {"upload": upload},
        )
        return {pk for (pk,) in cursor.fetchall()}
