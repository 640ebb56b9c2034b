"""Publishing a batch for some working days, taking it down, objections. What may be shown is a whitelist, not a choice."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.template.loader import render_to_string
from django.utils import timezone

from eduaid.core import codes, files
from eduaid.core.models import User
from eduaid.core.roles import Right, may, today
from subsidies import workdays
from subsidies.ledger import NotAllowed, NotPossible
from subsidies.models import AidBatch, Award, Objection, PublicNotice, WorkdayOverride
from subsidies.models.batches import AwardState, BatchState
from subsidies.models.notices import Outcome

SHORTEST = 5

COLUMNS: Mapping[str, Callable[[Award], str]] = {
    "姓名": lambda award: award.name,
    "学校": lambda award: award.school.name if award.school else "",
    "年级": lambda award: codes.GRADE.label(award.grade) if award.grade in codes.GRADE else "",
    "班级": lambda award: award.class_name,
}
"""All that a notice may ever show (教财〔2018〕16号): no number, address, telephone, birth date, card, category or tier."""


def overrides(first: dt.date) -> dict[dt.date, bool]:
    rows = WorkdayOverride.objects.filter(day__gte=first, day__lte=first + dt.timedelta(120))
    return dict(rows.values_list("day", "is_workday"))


def ends_on(first: dt.date, days: int = SHORTEST) -> dt.date:
    return workdays.last_day(first, days, overrides(first))


@transaction.atomic
def publish(
    batch: AidBatch, *, by: User, contact: str, days: int = SHORTEST, starts_on: dt.date | None = None
) -> PublicNotice:
    """Shows the batch's children to everybody for so many working days, and keeps the page sealed with its digest."""
    if not may(by, Right.APPROVE):
        raise NotAllowed("公示由县教育局发布。")
    first = starts_on or today()
    if first < today():
        raise NotPossible("公示不能从过去的日期开始。")
    if days < SHORTEST:
        raise NotPossible(f"公示不得少于 {SHORTEST} 个工作日。")
    if not contact.strip():
        raise NotPossible("请填写受理异议的电话。")
    batch = (
        AidBatch.objects.select_for_update(of=("self",))
        .select_related("programme", "term", "region", "school", "data_key")
        .get(pk=batch.pk)
    )
    if batch.state != BatchState.APPROVED:
        raise NotPossible("审核通过的批次才能公示。")
    rows = _rows(batch)
    if not rows:
        raise NotPossible("批次里没有待发放的学生，不用公示。")
    notice = PublicNotice(
        batch=batch,
        title=f"{batch.place}{batch.term}{batch.programme}拟资助学生公示",
        columns=list(COLUMNS),
        rows=rows,
        contact=contact.strip()[:60],
        starts_on=first,
        ends_on=ends_on(first, days),
        working_days=days,
        made_by=by,
    )
    page = render_to_string("subsidies/notice_proof.html", {"notice": notice}).encode()
    notice.sha256 = hashlib.sha256(page).hexdigest()
    notice.stored_as = files.store(page, batch.data_key)
    try:
        with transaction.atomic():
            notice.save(force_insert=True)
    except IntegrityError:
        files.forget(notice.stored_as)
        raise NotPossible("这个批次已有公示，不能再发布一份。如需重发，请先撤下。") from None
    return notice


def _rows(batch: AidBatch) -> list[list[str]]:
    awards = batch.awards.filter(state=AwardState.APPROVED).select_related("school")
    return [
        [read(award) for read in COLUMNS.values()] for award in awards.order_by("school", "grade", "class_name", "pk")
    ]


@transaction.atomic
def take_down(notice: PublicNotice, *, by: User, reason: str) -> PublicNotice:
    """Before its time; a new notice may follow. One whose time is over is off the public page by itself."""
    if not may(by, Right.APPROVE):
        raise NotAllowed("公示由县教育局撤下。")
    if not reason.strip():
        raise NotPossible("请写明撤下的原因。")
    notice = PublicNotice.objects.select_for_update().get(pk=notice.pk)
    if not (notice.taken_down_at is None and today() <= notice.ends_on):
        raise NotPossible("公示已经结束，不用撤下。")
    notice.taken_down_at, notice.taken_down_by, notice.taken_down_for = timezone.now(), by, reason.strip()[:200]
    notice.save(update_fields=["taken_down_at", "taken_down_by", "taken_down_for"])
    return notice


def proof(notice: PublicNotice) -> bytes:
    """The page as it was published. Raises NotPossible where it does not fit its digest any more."""
    page = files.load(notice.stored_as)
    if hashlib.sha256(page).hexdigest() != notice.sha256:
        raise NotPossible("存证页与登记的指纹不符，请联系系统管理员。")
    return page


@transaction.atomic
def object_to(
    notice: PublicNotice, *, by: User, text: str, award: Award | None = None, on: dt.date | None = None
) -> Objection:
    """Writes down what somebody said against the notice; the batch is not paid until it is answered."""
    if not may(by, Right.UPLOAD):
        raise NotAllowed("异议由制单单位或县教育局登记。")
    if not text.strip():
        raise NotPossible("请写明异议的内容。")
    return Objection.objects.create(
        notice=notice, award=award, text=text.strip()[:400], received_by=by, received_on=on or today()
    )


@transaction.atomic
def answer(objection: Objection, *, by: User, outcome: Outcome, text: str) -> Objection:
    if not may(by, Right.APPROVE):
        raise NotAllowed("异议由县教育局答复。")
    if not text.strip():
        raise NotPossible("请写明答复。")
    objection = Objection.objects.select_for_update().get(pk=objection.pk)
    if objection.answered_at is not None:
        raise NotPossible("这条异议已经答复。")
    objection.outcome, objection.answer = outcome, text.strip()[:400]
    objection.answered_by, objection.answered_at = by, timezone.now()
    objection.save(update_fields=["outcome", "answer", "answered_by", "answered_at"])
    return objection


@transaction.atomic
def go_without(batch: AidBatch, *, by: User, reason: str) -> AidBatch:
    """Says why a batch is paid without a notice (everybody of a stage gets it, the recognition was public already …)."""
    if not may(by, Right.APPROVE):
        raise NotAllowed("是否公示由县教育局决定。")
    if not reason.strip():
        raise NotPossible("请写明不公示的原因。")
    batch = AidBatch.objects.select_for_update().get(pk=batch.pk)
    if batch.state != BatchState.APPROVED:
        raise NotPossible("审核通过的批次才谈得上公示。")
    batch.unnoticed_for = reason.strip()[:200]
    batch.save(update_fields=["unnoticed_for"])
    return batch


def may_be_paid(batch: AidBatch) -> None:
    """Raises NotPossible while a notice runs, was never made, or has an objection without an answer."""
    if Objection.objects.open().filter(notice__batch=batch).exists():
        raise NotPossible("公示有异议还没有答复，答复后才能交银行。")
    notice = PublicNotice.objects.filter(batch=batch, taken_down_at=None).first()
    if notice is not None and not notice.is_over(today()):
        raise NotPossible(f"公示到 {notice.ends_on:%Y-%m-%d} 结束，期满后才能交银行。")
    if notice is None and not batch.unnoticed_for:
        raise NotPossible("还没有公示。请先公示满 5 个工作日；按规定不公示的，写明原因。")


def shown(address: str) -> dict[str, Any] | None:
    """What the public page of an address shows today; None before and after its time."""
    notice = PublicNotice.objects.running(today()).filter(address=address).first()
    if notice is None:
        return None
    return {
        "title": notice.title, "columns": notice.columns, "rows": notice.rows, "contact": notice.contact,
        "starts_on": notice.starts_on, "ends_on": notice.ends_on,
    }  # fmt: skip
