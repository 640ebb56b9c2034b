"""Acts of recognising hardship (教财〔2018〕16号): apply → review at the school → approval by the bureau → public notice → file.

Who recorded or reviewed an application does not approve it; the database refuses that too.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from django.db import IntegrityError, transaction
from django.utils import timezone

from eduaid.core import changes, codes
from eduaid.core.models import Term, User
from eduaid.core.roles import today
from students.models import Enrolment, Student
from subsidies.entitlement import RECOGNITION, day_of
from subsidies.models import Category, ChildCategory, Recognition
from subsidies.models.hardship import IN_EFFECT, RecognitionState, Source


class RecognitionRefused(Exception):
    """The step cannot be taken; the sentence says why and what to do."""


def _locked(recognition: Recognition, *states: RecognitionState, doing: str) -> Recognition:
    held = Recognition.objects.select_for_update(of=("self",)).get(pk=recognition.pk)
    if held.state not in states:
        raise RecognitionRefused(
            f"这份认定现在是“{held.get_state_display()}”，不能{doing}。可能别人刚办理过，请刷新后再看。"
        )
    return held


@transaction.atomic
def apply(
    student: Student,
    *,
    term: Term,
    category: str,
    reason: str,
    tier: str = "",
    applied_on: dt.date | None = None,
    by: User,
) -> Recognition:
    """Records an application, at the school where the child is enrolled in the term. Raises RecognitionRefused."""
    enrolment = Enrolment.objects.filter(student=student, term=term).select_related("school").first()
    if enrolment is None:
        raise RecognitionRefused(f"{student}在{term}没有就读记录，不能申请认定。请先核对班级名册。")
    try:
        with transaction.atomic():
            return Recognition.objects.create(
                student=student,
                term=term,
                year_id=term.year_id,
                school=enrolment.school,
                school_town_id=enrolment.school.town_id,
                category=category,
                tier=tier,
                reason=reason,
                applied_on=applied_on or today(),
                recorded_by=by,
            )
    except IntegrityError as error:
        if "recognition_once_a_term" not in str(error):
            raise
        raise RecognitionRefused(
            f"{student}在{term}已有一份认定。请打开那一份办理；要重新申请，请先撤回它。"
        ) from error


@transaction.atomic
def prefill(term: Term, students: Collection[int], *, by: User) -> int:
    """Records an application for each of these children whom lists in force name and who has none in the term: 报过的不再报.

    Category and tier come from the lists. Returns how many were made.
    """
    held = ChildCategory.objects.held_on(day_of(term)).filter(student__in=students, is_main=True)
    main = dict(held.values_list("student", "category"))
    tiers = dict(Category.objects.values_list("code", "tier"))
    known = set(
        Recognition.objects.filter(term=term, student__in=main)
        .exclude(state="withdrawn")
        .values_list("student", flat=True)
    )
    enrolled = Enrolment.objects.filter(term=term, student__in=set(main) - known, school__is_outside=False)
    made = Recognition.objects.bulk_create(
        [
            Recognition(
                student_id=one.student_id,
                term=term,
                year_id=term.year_id,
                school_id=one.school_id,
                school_town_id=one.school.town_id,
                source=Source.LISTS,
                category=main[one.student_id],
                tier=tiers.get(main[one.student_id], ""),
                applied_on=today(),
                recorded_by=by,
            )
            for one in enrolled.select_related("school")
        ],
        batch_size=1_000,
    )
    return len(made)


@transaction.atomic
def review(
    recognition: Recognition, *, tier: str, ways: list[str], review: str, reviewed_on: dt.date | None = None, by: User
) -> None:
    """The school's word after visits, interviews and the democratic review: a tier, or 不困难."""
    held = _locked(recognition, RecognitionState.APPLIED, doing="评议")
    if tier not in codes.HARDSHIP_LEVEL:
        raise RecognitionRefused("请选认定等级：特别困难、困难、一般困难或不困难。")
    if not ways:
        raise RecognitionRefused("请勾选认定方式（走访、访谈、民主评议、数据比对至少一项）。")
    held.tier, held.ways, held.review = tier, ways, review
    held.reviewed_by, held.reviewed_on = by, reviewed_on or today()
    held.state = RecognitionState.REVIEWED
    held.save()


def _decide(held: Recognition, state: RecognitionState, *, comment: str, by: User) -> None:
    if by.pk in (held.recorded_by_id, held.reviewed_by_id):
        raise RecognitionRefused("录入人、评议人不能审核自己经手的认定。请换一位资助办人员审核。")
    held.state, held.comment = state, comment
    held.decided_by, held.decided_at = by, timezone.now()
    held.save()
    changes.record(cause=RECOGNITION, students=[held.student_id])


@transaction.atomic
def approve(recognition: Recognition, *, comment: str = "", by: User) -> None:
    """Recognised from now on: the term's entitlements follow."""
    held = _locked(recognition, RecognitionState.REVIEWED, doing="通过")
    if held.tier not in ("1", "2", "3"):
        raise RecognitionRefused("学校评议为“不困难”，不能通过。请选“不予认定”，或退回学校重新评议。")
    _decide(held, RecognitionState.APPROVED, comment=comment, by=by)


@transaction.atomic
def refuse(recognition: Recognition, *, comment: str, by: User) -> None:
    held = _locked(recognition, RecognitionState.REVIEWED, doing="不予认定")
    if not comment:
        raise RecognitionRefused("请写明不予认定的理由，学校要转告家长。")
    _decide(held, RecognitionState.REFUSED, comment=comment, by=by)


@transaction.atomic
def send_back(recognition: Recognition, *, comment: str, by: User) -> None:
    """Back to the school, which reviews it anew."""
    held = _locked(recognition, RecognitionState.REVIEWED, doing="退回")
    if not comment:
        raise RecognitionRefused("请写明退回的原因，学校照此补正。")
    held.state, held.comment = RecognitionState.APPLIED, comment
    held.save()


@transaction.atomic
def notice(recognition: Recognition, *, from_on: dt.date, until_on: dt.date, by: User) -> None:
    """The result and tier are shown publicly from that day to that day; reasons and categories never are."""
    held = _locked(recognition, RecognitionState.APPROVED, doing="公示")
    if until_on < from_on:
        raise RecognitionRefused(f"公示止期 {until_on:%Y-%m-%d} 早于起期 {from_on:%Y-%m-%d}，请改正。")
    held.state, held.notice_from, held.notice_until = RecognitionState.NOTICED, from_on, until_on
    held.save()


@transaction.atomic
def file(recognition: Recognition, *, by: User) -> None:
    """The notice is over without an objection that was upheld."""
    held = _locked(recognition, RecognitionState.NOTICED, doing="归档")
    if held.notice_until is None or held.notice_until >= today():
        raise RecognitionRefused(f"公示到 {held.notice_until:%Y-%m-%d} 才结束，期满后再归档。")
    held.state, held.filed_at = RecognitionState.FILED, timezone.now()
    held.save()


@transaction.atomic
def withdraw(recognition: Recognition, *, comment: str, by: User) -> None:
    """An application taken back, or a recognition that an objection or a better situation has ended."""
    held = _locked(
        recognition, RecognitionState.APPLIED, RecognitionState.REVIEWED, RecognitionState.APPROVED,
        RecognitionState.NOTICED, RecognitionState.FILED, doing="撤回",
    )  # fmt: skip
    if not comment:
        raise RecognitionRefused("请写明撤回的原因。")
    was_in_effect = held.state in IN_EFFECT
    held.state, held.comment = RecognitionState.WITHDRAWN, comment
    held.save()
    if was_in_effect:
        changes.record(cause=RECOGNITION, students=[held.student_id])
