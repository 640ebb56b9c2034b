"""The life of a movement: asked for by one side, decided by another person, withdrawn, revoked (docs/decisions/0017).

Each act is one transaction that locks the movement, leaves history with its reason and tells the outbox.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

import pghistory
from django.db import IntegrityError, transaction
from django.utils import timezone

from eduaid.core import changes
from eduaid.core.display import zh_date
from eduaid.core.models import School, User
from eduaid.core.models.accounts import RoleKey
from eduaid.core.roles import Right, may, posts_of, today
from eduaid.core.scope import EVERYTHING, Scope, row_security
from eduaid.core.uploads import NotAllowed
from students.models import Movement, Student
from students.models.movements import ABSENCES, TRANSFERS, Authority, Kind, Stand

_AHEAD, _BACK = dt.timedelta(days=60), dt.timedelta(days=366)
_LONGEST = dt.timedelta(days=366)


class CannotMove(Exception):
    """The movement cannot be asked for or decided like this; `field` names the field, the sentence says what to do."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


class NoLonger(Exception):
    """The movement is no longer in the state that the page showed."""


@dataclass(frozen=True)
class Paper:
    """A paper that must have been seen before the movement is asked for (`needed`), or may be."""

    key: str
    label: str
    needed: bool = True


_ID, _APPLICATION = Paper("hukou", "户口簿"), Paper("application", "监护人申请")
PAPERS: dict[str, tuple[Paper, ...]] = {
    Kind.ADMISSION: (_ID, Paper("notice", "入学通知书", needed=False)),
    Kind.TRANSFER: (_APPLICATION, Paper("move", "户口迁移、务工或居住证明", needed=False)),
    Kind.OUT: (_APPLICATION, Paper("receipt", "接收学校的接收函")),
    Kind.IN: (_APPLICATION, _ID, Paper("registry", "原学籍信息表", needed=False)),
    Kind.SUSPENSION: (_APPLICATION, Paper("hospital", "县级以上医院诊断证明")),
    Kind.RESUMPTION: (_APPLICATION, Paper("recovery", "县级以上医院康复证明", needed=False)),
    Kind.DEFERRAL: (_APPLICATION, Paper("hospital", "县级以上医院证明", needed=False)),
}


@dataclass(frozen=True)
class Request:
    """What somebody asks for. Empty where the kind does not need it."""

    kind: str
    from_on: dt.date
    reason: str
    until_on: dt.date | None = None
    to_school: School | None = None
    elsewhere: str = ""
    out_of_province: bool = False
    papers: Collection[str] = ()
    authority: str = ""


# --- asking ----------------------------------------------------------------------------------------------------


@transaction.atomic
def propose(student: Student, asked: Request, *, by: User) -> Movement:
    """Asks for a movement of a child in the scope of `by`. Raises NotAllowed, CannotMove; then nothing is noted."""
    if not may(by, Right.UPLOAD):
        raise NotAllowed("学籍变动由学校、中心校或县局经办人提出。请把情况告诉学校。")
    scope = Scope.of(by)
    if not Student.objects.within(scope).filter(pk=student.pk).exists():
        raise NotAllowed("这名学生不在您的范围内。")
    with row_security(EVERYTHING, local=True), pghistory.context(user=by.pk, reason=asked.reason):
        student = Student.objects.select_for_update().get(pk=student.pk)
        movement = _drafted(student, asked, by)
        _check(movement, student, scope)
        try:
            with transaction.atomic():
                movement.save()
        except IntegrityError as error:
            raise _already(error, movement) from None
        return movement


def _drafted(student: Student, asked: Request, by: User) -> Movement:
    home = student.school if student.school and not student.school.is_outside else None
    movement = Movement(
        student=student,
        kind=asked.kind,
        child_name=student.name,
        child_sex=student.sex,
        child_birth_on=student.birth_on,
        grade=student.grade,
        class_name=student.class_name,
        from_school=home,
        from_town_id=home.town_id if home else student.hukou_town_id,
        to_school=asked.to_school,
        to_town_id=asked.to_school.town_id if asked.to_school else None,
        elsewhere=asked.elsewhere.strip()[:100],
        out_of_province=asked.out_of_province,
        from_on=asked.from_on,
        until_on=asked.until_on if asked.kind in ABSENCES else None,
        reason=asked.reason.strip()[:200],
        papers=sorted(set(asked.papers) & {paper.key for paper in PAPERS[asked.kind]}),
        authority=asked.authority if asked.kind == Kind.DEFERRAL else "",
        applied_by=by,
    )
    if asked.kind == Kind.RESUMPTION:
        movement.resumes = _suspension(student)
        if movement.resumes is not None:
            movement.to_school = movement.resumes.from_school or home
            movement.to_town_id = movement.to_school.town_id if movement.to_school else None
    return movement


def _suspension(student: Student) -> Movement | None:
    """The latest suspension that was granted, whether it still runs or has lapsed, and from which nobody came back yet."""
    granted = Movement.objects.filter(student=student, kind=Kind.SUSPENSION, state=Stand.ACCEPTED)
    back = Movement.objects.filter(kind=Kind.RESUMPTION, state=Stand.ACCEPTED).values("resumes")
    return granted.exclude(pk__in=back).order_by("-from_on").first()


def _check(movement: Movement, student: Student, scope: Scope) -> None:
    """The bureau's checklist, in its order."""
    if student.merged_into_id is not None:
        raise CannotMove("", "这份档案已并入另一份，请在那一份上办理。")
    if student.is_withdrawn:
        raise CannotMove("", "来源已撤回：现在没有一份生效的名单写到这名学生，不能办理变动。请先核对名单。")
    _check_dates(movement)
    if not movement.reason:
        raise CannotMove("reason", "请填写『事由』，如“随父母务工迁居”。")
    _CHECKS[movement.kind](movement, student, scope)
    missing = [p.label for p in PAPERS[movement.kind] if p.needed and p.key not in movement.papers]
    if missing:
        raise CannotMove("papers", f"还没有查验：{'、'.join(missing)}。请查验原件后勾选。")


def _check_dates(movement: Movement) -> None:
    if movement.from_on > today() + _AHEAD:
        raise CannotMove("from_on", f"{zh_date(movement.from_on)}太远，最多提前 60 天办理。请核对『起始日期』。")
    if movement.from_on < today() - _BACK:
        raise CannotMove("from_on", f"{zh_date(movement.from_on)}已过去一年以上。请核对『起始日期』。")
    if movement.kind in ABSENCES and movement.until_on is None:
        raise CannotMove("until_on", "请填写『截止日期』，休学、缓学都有期限。")
    if movement.until_on is not None and movement.until_on < movement.from_on:
        raise CannotMove(
            "until_on",
            f"『截止日期』{zh_date(movement.until_on)}早于起始日期{zh_date(movement.from_on)}。请核对两个日期。",
        )
    if movement.until_on is not None and movement.until_on - movement.from_on > _LONGEST:
        raise CannotMove("until_on", "一次最长一年，期满仍需要的再次申请。请核对『截止日期』。")


def _is_sender(movement: Movement, scope: Scope) -> None:
    if movement.from_school is None:
        raise CannotMove("", "这名学生现在没有在县内学校就读，不能办理。请核对班级名册。")
    if not scope.covers(movement.from_school):
        raise NotAllowed("由学生现在就读的学校或其中心校提出。")


def _transfer(movement: Movement, student: Student, scope: Scope) -> None:
    _is_sender(movement, scope)
    to = movement.to_school
    if to is None:
        raise CannotMove("to_school", "请选择『转入学校』。")
    if to == movement.from_school:
        raise CannotMove("to_school", f"学生现在就在“{to}”，不能转入同一所学校。请改选转入学校。")
    if to.is_outside:
        raise CannotMove("to_school", f"“{to}”在县外，请改办“转出县外”。")
    _takes(to, student)


def _takes(school: School, student: Student) -> None:
    if school.valid_until is not None and school.valid_until <= today():
        raise CannotMove("to_school", f"“{school}”已停用。请改选学校。")
    if student.grade and school.stages and student.grade[:1] not in school.stages:
        raise CannotMove("to_school", f"“{school}”没有{student.stage_label}学段。请改选学校。")


def _out(movement: Movement, student: Student, scope: Scope) -> None:
    _is_sender(movement, scope)
    if not movement.elsewhere:
        raise CannotMove("elsewhere", "请填写『去往的地点和学校』，如“某省某市某区某小学”。")


def _into(movement: Movement, student: Student, scope: Scope) -> None:
    to = movement.to_school
    if to is None:
        raise CannotMove("to_school", "请选择『转入学校』。")
    if not scope.covers(to):
        raise NotAllowed("由接收学生的学校或其中心校提出。")
    if movement.from_school is not None:
        raise CannotMove("", f"名册上这名学生在“{movement.from_school}”，请由该校办理“县内转学”。")
    if movement.kind == Kind.IN and not movement.elsewhere:
        raise CannotMove("elsewhere", "请填写『原来的地点和学校』。")
    _takes(to, student)


def _suspension_checks(movement: Movement, student: Student, scope: Scope) -> None:
    _is_sender(movement, scope)


def _resumption(movement: Movement, student: Student, scope: Scope) -> None:
    if movement.resumes is None:
        raise CannotMove("", "这名学生没有已批准的休学，不用办复学。")
    if movement.to_school is None or not scope.covers(movement.to_school):
        raise NotAllowed("由学生休学前的学校或其中心校提出。")
    if movement.from_on <= movement.resumes.from_on:
        raise CannotMove(
            "from_on", f"休学从{zh_date(movement.resumes.from_on)}开始，复学应在其后。请核对『起始日期』。"
        )


def _deferral(movement: Movement, student: Student, scope: Scope) -> None:
    if movement.from_school is not None:
        raise CannotMove("", f"这名学生已在“{movement.from_school}”就读，不能办缓学；需要停学的请办休学。")
    if student.hukou_town is None or not scope.covers(student.hukou_town):
        raise NotAllowed("缓学由户籍所在乡镇的中心校提出。")
    born = student.birth_on
    if born is None or not dt.date(today().year - 9, 9, 1) <= born <= dt.date(today().year - 5, 8, 31):
        raise CannotMove("", "缓学只适用于到了入学年龄（6周岁前后）的儿童。请核对出生日期。")
    if movement.authority not in Authority.values:
        raise CannotMove("authority", "请选择『批准机关』：县教育局或镇人民政府。")


_CHECKS = {
    Kind.ADMISSION.value: _into,
    Kind.TRANSFER.value: _transfer,
    Kind.OUT.value: _out,
    Kind.IN.value: _into,
    Kind.SUSPENSION.value: _suspension_checks,
    Kind.RESUMPTION.value: _resumption,
    Kind.DEFERRAL.value: _deferral,
}


def _already(error: IntegrityError, movement: Movement) -> CannotMove:
    """A constraint of the database in words; anything else is no matter of the person who asked."""
    name = getattr(getattr(error.__cause__, "diag", None), "constraint_name", "") or ""
    if name in ("movement_one_open_of_a_kind", "movement_one_open_transfer"):
        kinds = "转学" if movement.kind in TRANSFERS else str(Kind(movement.kind).label)
        return CannotMove("", f"{movement.child_name}已有一份{kinds}待办理。请先办完或撤回那一份。")
    if name == "movement_one_absence_at_a_time":
        return CannotMove("from_on", f"{movement.child_name}在这段时间已有批准的休学或缓学。请核对起止日期。")
    raise error


# --- deciding --------------------------------------------------------------------------------------------------


def may_decide(movement: Movement, user: User) -> bool:
    """Whether it is for this person to accept or reject: never for the one who asked."""
    return movement.is_open and movement.applied_by_id != user.pk and _answers(movement, user)


def _answers(movement: Movement, user: User) -> bool:
    if may(user, Right.APPROVE):
        return True
    if movement.kind in (Kind.OUT, Kind.IN, Kind.SUSPENSION) or not may(user, Right.UPLOAD):
        return False
    scope = Scope.of(user)
    if movement.kind == Kind.DEFERRAL:
        heads = [post for post in posts_of(user) if post.role == RoleKey.TOWN_HEAD]
        by_government = movement.authority == Authority.GOVERNMENT
        return by_government and any(post.region_id == movement.from_town_id for post in heads)
    return movement.to_school is not None and scope.covers(movement.to_school)


def whose_turn(movement: Movement) -> str:
    """Who has to decide, in words."""
    if movement.kind in (Kind.OUT, Kind.IN, Kind.SUSPENSION):
        return "县教育局"
    if movement.kind == Kind.DEFERRAL:
        return f"{movement.get_authority_display()}（由未参与申请的人登记）"
    return f"{movement.to_school}或其中心校" if movement.kind == Kind.TRANSFER else "中心校或县教育局"


@transaction.atomic
def accept(movement: Movement, *, by: User, note: str = "", document_no: str = "") -> None:
    """Raises NotAllowed (also to the one who asked), NoLonger, CannotMove."""
    with row_security(EVERYTHING, local=True), pghistory.context(user=by.pk, reason=note or "同意"):
        movement = _deciding(movement, by)
        student = movement.student
        if student.merged_into_id is not None or student.is_withdrawn:
            raise CannotMove("", "学生的档案已合并，或来源已撤回，不能同意。请退回并说明。")
        if movement.kind in (*ABSENCES, Kind.OUT) and not document_no.strip():
            raise CannotMove("document_no", "请填写『批准文号』，如“教基〔2026〕12号”。")
        movement.document_no = document_no.strip()[:40]
        _settle(movement, Stand.ACCEPTED, by, note)
        if movement.kind == Kind.RESUMPTION:
            _end_suspension(movement)
        changes.record(cause="moved", students=[movement.student_id])


@transaction.atomic
def reject(movement: Movement, *, by: User, reason: str) -> None:
    """Raises NotAllowed, NoLonger, CannotMove (no reason)."""
    if not reason.strip():
        raise CannotMove("note", "请填写退回的『意见』，让对方知道怎么办。")
    with row_security(EVERYTHING, local=True), pghistory.context(user=by.pk, reason=reason):
        _settle(_deciding(movement, by), Stand.REJECTED, by, reason)


@transaction.atomic
def withdraw(movement: Movement, *, by: User, reason: str) -> None:
    """The side that asked takes it back before it is decided. Raises NotAllowed, NoLonger, CannotMove."""
    if not reason.strip():
        raise CannotMove("note", "请填写撤回的『原因』。")
    with row_security(EVERYTHING, local=True), pghistory.context(user=by.pk, reason=reason):
        movement = _locked(movement)
        if not may_withdraw(movement, by):
            raise NotAllowed("由提出申请的人或其学校撤回。")
        _expect(movement, Stand.PROPOSED)
        _close(movement, Stand.WITHDRAWN, by, reason)


@transaction.atomic
def revoke(movement: Movement, *, by: User, reason: str) -> None:
    """Takes back what was accepted: it holds no more, as if it had never been granted; a resumption gives the suspension its
    old end again. Raises NotAllowed, NoLonger, CannotMove."""
    if not reason.strip():
        raise CannotMove("note", "请填写撤销的『原因』。")
    with row_security(EVERYTHING, local=True), pghistory.context(user=by.pk, reason=reason):
        movement = _locked(movement)
        if not may_revoke(movement, by):
            raise NotAllowed("已同意的变动由县教育局撤销。")
        _expect(movement, Stand.ACCEPTED)
        later = Movement.objects.filter(resumes=movement, state__in=(Stand.PROPOSED, Stand.ACCEPTED)).first()
        if later is not None:
            raise CannotMove("", f"这次休学之后已有{later.get_state_display()}的复学。请先撤销复学，再撤销休学。")
        _close(movement, Stand.REVOKED, by, reason)
        if movement.kind == Kind.RESUMPTION and movement.resumes is not None:
            suspension = movement.resumes
            suspension.until_on = movement.replaced_until_on
            try:
                with transaction.atomic():
                    suspension.save(update_fields=["until_on"])
            except IntegrityError as error:
                raise _already(error, suspension) from None
        changes.record(cause="moved", students=[movement.student_id])


def may_withdraw(movement: Movement, user: User) -> bool:
    """The person who asked, or somebody else of the same side."""
    if not movement.is_open or not may(user, Right.UPLOAD):
        return False
    if movement.applied_by_id == user.pk:
        return True
    scope = Scope.of(user)
    side = movement.to_school if movement.kind in (Kind.IN, Kind.ADMISSION) else movement.from_school
    return side is not None and scope.covers(side)


def may_revoke(movement: Movement, user: User) -> bool:
    return movement.state == Stand.ACCEPTED and may(user, Right.APPROVE)


def _locked(movement: Movement) -> Movement:
    return Movement.objects.select_for_update(of=("self",)).select_related(
        "student", "from_school", "to_school", "resumes"
    ).get(pk=movement.pk)  # fmt: skip


def _deciding(movement: Movement, by: User) -> Movement:
    movement = _locked(movement)
    _expect(movement, Stand.PROPOSED)
    if movement.applied_by_id == by.pk:
        raise NotAllowed("自己提出的变动不能由自己办理，请由另一人办理。")
    if not may_decide(movement, by):
        raise NotAllowed(f"这份变动由{whose_turn(movement)}办理。")
    return movement


def _expect(movement: Movement, state: Stand) -> None:
    if movement.state != state:
        raise NoLonger(f"这份变动现在是“{movement.get_state_display()}”，可能刚由别人办理。请刷新页面。")


def _settle(movement: Movement, state: Stand, by: User, note: str) -> None:
    movement.state, movement.decided_by, movement.decided_at = state, by, timezone.now()
    movement.note = note.strip()[:200]
    try:
        with transaction.atomic():
            movement.save()
    except IntegrityError as error:
        raise _already(error, movement) from None


def _close(movement: Movement, state: Stand, by: User, reason: str) -> None:
    movement.state, movement.closed_by, movement.closed_at = state, by, timezone.now()
    movement.closing_reason = reason.strip()[:200]
    movement.save(update_fields=["state", "closed_by", "closed_at", "closing_reason"])


def _end_suspension(movement: Movement) -> None:
    """The suspension ends on the day before the child is back, if it was to last longer."""
    assert movement.resumes is not None, "held by a constraint"
    suspension = Movement.objects.select_for_update().get(pk=movement.resumes.pk)
    if suspension.state != Stand.ACCEPTED:
        raise CannotMove("", "所复的休学已撤销，不能同意复学。请退回。")
    movement.replaced_until_on = suspension.until_on
    movement.save(update_fields=["replaced_until_on"])
    last = movement.from_on - dt.timedelta(days=1)
    if suspension.until_on is None or suspension.until_on > last:
        suspension.until_on = last
        suspension.save(update_fields=["until_on"])
