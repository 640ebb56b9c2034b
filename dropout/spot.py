"""What the bureau does about spot checks 抽查: draw, note what a call found, close what was put right."""

from __future__ import annotations

import datetime as dt
import secrets
from collections import defaultdict

import pghistory
from django.db import IntegrityError, transaction
from django.utils import timezone

from dropout.draws import draw as draw_from
from dropout.indicators import round_at
from dropout.models import SpotCall, SpotCheck, SpotPool, Whereabouts
from dropout.models.census import AT_A_SCHOOL, Window
from dropout.models.spot_checks import FEWEST, MOST, Outcome
from eduaid.core import codes
from eduaid.core.models import User
from eduaid.core.roles import Right, may, today
from eduaid.core.scope import EVERYTHING, row_security
from eduaid.core.text import tidy
from eduaid.core.uploads import NotAllowed
from students.models import Student


class CannotDraw(Exception):
    """The draw lacks something; `field` names what to fill in."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


class CannotNote(CannotDraw):
    """What was found lacks something."""


class NotPossible(Exception):
    """It is no longer in the state that the page showed."""


PoolKey = tuple[int | None, int | None]
"""School, or township of those who study elsewhere."""


def pools() -> tuple[int | None, dict[PoolKey, dict[int, tuple[str, str]]]]:
    """The open round (None: there is none) and, by school, the children of whom it is said that they go to school:
    id → (public id, what is said). Without a round the pupils of the class rosters."""
    found: dict[PoolKey, dict[int, tuple[str, str]]] = defaultdict(dict)
    round_ = round_at(Window.COMPULSORY, None)
    if round_ is None:
        rows = Student.objects.listed().filter(in_roster=True, school__is_outside=False)
        for pk, public, school, name, grade, klass in rows.values_list(
            "pk", "public_id", "school", "school__name", "grade", "class_name"
        ):
            found[school, None][pk] = (public, f"{name}{_grade(grade)}{klass}")
        return None, found
    for pk, public, school, name, outside, town, text, grade, klass, own in Whereabouts.objects.filter(
        round=round_, code__in=AT_A_SCHOOL
    ).values_list(
        "student",
        "student__public_id",
        "where_school",
        "where_school__name",
        "where_school__is_outside",
        "hukou_town",
        "where_text",
        "student__grade",
        "student__class_name",
        "student__school",
    ):
        key = (school, None) if school and not outside else (None, town)
        said = f"{name or ''}{text}{_grade(grade) + klass if school and school == own else ''}"
        found[key][pk] = (public, said)
    return round_.pk, found


def _grade(code: str) -> str:
    return codes.GRADE.label(code) if code in codes.GRADE else ""


@transaction.atomic
def draw(*, name: str, per_school: int, by: User, seed: str = "") -> SpotCheck:
    """Draws `per_school` of every school, and of every township's children who study elsewhere; a smaller pool whole.

    Without a seed the program throws one. Raises NotAllowed, CannotDraw.
    """
    _may_check(by)
    name, seed = tidy(name)[:60], tidy(seed)[:40] or str(secrets.randbelow(10**8)).zfill(8)
    if not name:
        raise CannotDraw("name", "请填写「名称」，如“2026年11月抽查”。")
    if not FEWEST <= per_school <= MOST:
        raise CannotDraw("per_school", f"「每校人数」应为 {FEWEST}—{MOST} 人，请重新填写。")
    with row_security(EVERYTHING, local=True), pghistory.context(user=by.pk, reason="抽取"):
        round_, found = pools()
        if not found:
            raise CannotDraw("name", "现在没有可抽的学生：没有进行中的摸排，也没有生效的班级名册。")
        try:
            with transaction.atomic():
                check = SpotCheck.objects.create(
                    name=name, round_id=round_, seed=seed, per_school=per_school, drawn_by=by
                )
        except IntegrityError as error:
            raise CannotDraw("name", f"已有名为“{name}”的抽查。请换一个名称。") from error
        keys = sorted(found, key=lambda key: (key[0] is None, key[0] or 0, key[1] or 0))
        made = SpotPool.objects.bulk_create(
            SpotPool(check_of=check, school_id=school, town_id=town, children=sorted(found[school, town]))
            for school, town in keys
        )
        SpotCall.objects.bulk_create(
            SpotCall(check_of=check, pool=pool, student_id=pk, said=found[key][pk][1][:200])
            for pool, key in zip(made, keys, strict=True)
            for pk in draw_from(seed, {child: public for child, (public, _) in found[key].items()}, per_school)
        )
    return check


def drawn_again(check: SpotCheck) -> bool:
    """Whether seed and pools, as they are kept, still give exactly the children who were drawn."""
    wanted = set()
    publics = dict(
        Student.objects.filter(pk__in={pk for pool in check.pools.all() for pk in pool.children}).values_list(
            "pk", "public_id"
        )
    )
    for pool in check.pools.all():
        wanted |= set(draw_from(check.seed, {pk: publics[pk] for pk in pool.children}, check.per_school))
    return wanted == set(check.calls.values_list("student_id", flat=True))


@transaction.atomic
def note(call: SpotCall, *, outcome: str, text: str = "", due_on: dt.date | None = None, by: User) -> None:
    """What the call found; of an untrue record also what is so, and by when it is put right. May be noted anew until then.

    Raises NotAllowed, CannotNote, NotPossible.
    """
    _may_check(by)
    text = tidy(text)[:200]
    if outcome not in Outcome.values or not outcome:
        raise CannotNote("outcome", "请选择「结果」。")
    untrue = outcome == Outcome.UNTRUE
    if untrue and not text:
        raise CannotNote("note", "结果为“不属实”的，请在「说明」写明实际情况。")
    if untrue and due_on is None:
        raise CannotNote("due_on", "结果为“不属实”的，请填写「整改期限」。")
    if untrue and due_on is not None and due_on < today():
        raise CannotNote("due_on", f"「整改期限」{due_on}早于今天。请改为今天以后。")
    with row_security(EVERYTHING, local=True), pghistory.context(user=by.pk, reason="登记抽查结果"):
        held = SpotCall.objects.select_for_update().get(pk=call.pk)
        if held.rectified_on is not None:
            raise NotPossible("这一条已经整改销号，结果不能再改。")
        held.outcome, held.note, held.due_on = outcome, text, due_on if untrue else None
        held.called_by, held.called_at = by, timezone.now()
        held.save(update_fields=["outcome", "note", "due_on", "called_by", "called_at"])


@transaction.atomic
def rectify(call: SpotCall, *, text: str, on: dt.date, by: User) -> None:
    """Closes the task of an untrue record. Raises NotAllowed, CannotNote, NotPossible."""
    _may_check(by)
    text = tidy(text)[:200]
    if not text:
        raise CannotNote("note", "请填写「整改情况」，写明怎么改的。")
    if on > today():
        raise CannotNote("on", f"「整改日期」{on}晚于今天。请改为整改完成的那一天。")
    with row_security(EVERYTHING, local=True), pghistory.context(user=by.pk, reason="整改销号"):
        held = SpotCall.objects.select_for_update().get(pk=call.pk)
        if held.outcome != Outcome.UNTRUE or held.rectified_on is not None:
            raise NotPossible("这一条没有待整改的任务，可能刚由别人销号。请刷新页面。")
        held.rectified_on, held.rectified_note, held.rectified_by = on, text, by
        held.save(update_fields=["rectified_on", "rectified_note", "rectified_by"])


def _may_check(by: User) -> None:
    if not may(by, Right.VERIFY):
        raise NotAllowed("抽查由县局控辍保学专干抽取和登记。请与他们联系。")
