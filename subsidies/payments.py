"""From the approved batch to the bank and back: payment files, the bank's answers, wrong payments recovered."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction
from django.db.models import Count, Max, Sum

from eduaid.core import access
from eduaid.core.models import User
from eduaid.core.models.access import Action
from eduaid.core.roles import Right, may, today
from eduaid.core.sealing import Opener
from subsidies import ledger, notices
from subsidies.batches import CARD
from subsidies.ledger import NotAllowed, NotPossible
from subsidies.models import AidBatch, Award, Payment, PaymentFile
from subsidies.models.batches import AwardState, BatchState, PaymentState
from subsidies.money import Deed

_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # nothing that is misread on paper or over the telephone


@dataclass(frozen=True, slots=True)
class Answer:
    """What the bank says of one row of a payment file."""

    number: int
    is_paid: bool
    reason: str = ""
    amount: Decimal | None = None
    row_id: int | None = None


@dataclass(frozen=True, slots=True)
class Due:
    """What waits to go to one bank. `bank` is empty where an account is missing."""

    bank: str
    heads: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class BankRow:
    number: int
    name: str
    bank: str
    holder: str
    card: str
    amount: Decimal
    mark: str


def due(batch: AidBatch) -> list[Due]:
    """By bank, what the next payment files would hold; rows without an account under an empty bank."""
    found = (
        batch.awards.filter(state=AwardState.APPROVED, card_digest__isnull=False)
        .order_by("bank")
        .values("bank")
        .annotate(heads=Count("pk"), total=Sum("amount"))
    )
    lines = [Due(one["bank"], one["heads"], one["total"]) for one in found]
    without = batch.awards.filter(state=AwardState.APPROVED, card_digest=None).aggregate(
        heads=Count("pk"), total=Sum("amount")
    )
    return [*lines, Due("", without["heads"], without["total"])] if without["heads"] else lines


@transaction.atomic
def export(batch: AidBatch, *, bank: str, by: User) -> PaymentFile:
    """The payment file of one bank: every row that is due there and has an account, each once, under a new mark.

    The money is in transit from now on; nothing of it can be exported again until the bank answers or the file is recalled.
    """
    _may_pay(by)
    batch = AidBatch.objects.select_for_update(of=("self",)).select_related("programme", "term").get(pk=batch.pk)
    if batch.state != BatchState.APPROVED:
        raise NotPossible(f"批次 {batch.pk} 号现在是“{batch.get_state_display()}”，审核通过后才能交银行。")
    notices.may_be_paid(batch)
    awards = list(
        batch.awards.select_for_update()
        .filter(state=AwardState.APPROVED, bank=bank, card_digest__isnull=False)
        .order_by("pk")
        .values_list("pk", "amount", "card_last4")
    )
    if not awards:
        raise NotPossible(f"没有要交“{bank}”发放的人。")
    attempts = dict(
        Payment.objects.filter(award__batch=batch)
        .order_by()
        .values_list("award")
        .annotate(last=Max("attempt"))
        .values_list("award", "last")
    )
    file = PaymentFile.objects.create(
        batch=batch,
        mark=_new_mark(batch),
        bank=bank,
        heads=len(awards),
        amount=sum((amount for _, amount, _ in awards), Decimal(0)),
        made_by=by,
    )
    Payment.objects.bulk_create(
        Payment(file=file, number=number, award_id=pk, amount=amount, card_last4=last4, attempt=attempts.get(pk, 0) + 1)
        for number, (pk, amount, last4) in enumerate(awards, 1)
    )
    ids = [pk for pk, _, _ in awards]
    Award.objects.filter(pk__in=ids).update(state=AwardState.SENT)
    ledger.post(Deed.SEND, batch=batch, awards=ids, by=by, note=f"{bank} {file.mark}")
    return file


def _new_mark(batch: AidBatch) -> str:
    tail = "".join(secrets.choice(_ALPHABET) for _ in range(6))
    return f"B{batch.pk}-{tail}"


def rows_of(file: PaymentFile, *, by: User, page: str) -> list[BankRow]:
    """The file's rows with card numbers in full: the one place where they are opened. Written to the access log."""
    _may_pay(by)
    access.note(
        by=by, action=Action.EXPORT, subject_kind="payment-file", subject_id=file.pk, page=page, purpose="银行发放", rows=file.heads
    )  # fmt: skip
    opener = Opener()
    paid = Payment.objects.filter(file=file).order_by("number").select_related("award")
    return [
        BankRow(
            one.number,
            one.award.name,
            one.award.bank,
            one.award.holder,
            opener.open(one.award.card_sealed or b"", CARD).decode(),
            one.amount,
            file.mark,
        )
        for one in paid
    ]


@transaction.atomic
def recall(file: PaymentFile, *, by: User, reason: str) -> None:
    """The file never reached the bank, or the bank paid nothing of it: its rows wait to be paid again."""
    _may_pay(by)
    if not reason.strip():
        raise NotPossible("请写明收回的原因。")
    batch, sent = _out(file)
    if len(sent) != file.heads:
        raise NotPossible("银行已回盘，不能再收回这个文件。")
    ids = [one.award_id for one in sent]
    Payment.objects.filter(file=file).update(state=PaymentState.RECALLED, reason=reason.strip()[:200])
    Award.objects.filter(pk__in=ids).update(state=AwardState.APPROVED)
    ledger.post(Deed.RECALL, batch=batch, awards=ids, by=by, note=reason)


def _out(file: PaymentFile) -> tuple[AidBatch, list[Payment]]:
    """The file's batch, locked, and its payments that the bank has not answered."""
    batch = AidBatch.objects.select_for_update(of=("self",)).get(pk=file.batch_id)
    sent = Payment.objects.select_for_update().filter(file=file, state=PaymentState.SENT).order_by("number")
    return batch, list(sent)


def problems_of(file: PaymentFile, answers: Sequence[Answer], *, rest_is_paid: bool = False) -> list[str]:
    """Why the bank's answers cannot be taken, in sentences; nothing where they can."""
    rows = {one.number: one for one in Payment.objects.filter(file=file)}
    said: list[str] = []
    seen: set[int] = set()
    for answer in answers:
        row = rows.get(answer.number)
        if row is None:
            said.append(f"发放文件里没有第 {answer.number} 号，该行不属于“{file.mark}”。")
        elif answer.number in seen:
            said.append(f"第 {answer.number} 号回了两次。")
        elif row.state != PaymentState.SENT:
            said.append(f"第 {answer.number} 号已是“{row.get_state_display()}”，不能再回一次。")
        elif answer.amount is not None and answer.amount != row.amount:
            said.append(f"第 {answer.number} 号发放文件是 {row.amount:,.2f} 元，回盘是 {answer.amount:,.2f} 元。")
        elif not answer.is_paid and not answer.reason.strip():
            said.append(f"第 {answer.number} 号失败，没有写失败原因。")
        seen.add(answer.number)
    open_rows = {number for number, row in rows.items() if row.state == PaymentState.SENT}
    if not rest_is_paid and (left := open_rows - seen):
        said.append(
            f"回盘少了 {len(left)} 笔（第 {'、'.join(map(str, sorted(left)[:5]))} 号等）。请用银行的完整回盘文件。"
        )
    return said


@transaction.atomic
def record_return(
    file: PaymentFile, answers: Sequence[Answer], *, by: User, on: dt.date | None = None, rest_is_paid: bool = False
) -> tuple[int, int]:
    """Takes the bank's answers, all or none; returns how many were paid and how many failed.

    `rest_is_paid`: the bank lists failures only.
    """
    _may_pay(by)
    batch, sent = _out(file)
    if problems := problems_of(file, answers, rest_is_paid=rest_is_paid):
        more = f"另有 {len(problems) - 3} 处。" if len(problems) > 3 else ""
        raise NotPossible(f"回盘没有收下：{''.join(problems[:3])}{more}")
    day = on or today()
    by_number = {answer.number: answer for answer in answers}
    paid, failed = [], []
    for one in sent:
        answer = by_number.get(one.number)
        one.answered_on, one.row_id = day, answer.row_id if answer else None
        if answer is None or answer.is_paid:
            one.state = PaymentState.PAID
            paid.append(one)
        else:
            one.state, one.reason = PaymentState.FAILED, answer.reason.strip()[:200]
            failed.append(one)
    Payment.objects.bulk_update([*paid, *failed], ["state", "reason", "answered_on", "row"], batch_size=5_000)
    if paid:
        ids = [one.award_id for one in paid]
        Award.objects.filter(pk__in=ids).update(state=AwardState.PAID, paid_on=day, reason="")
        ledger.post(Deed.PAY, batch=batch, awards=ids, by=by, on=day, note=file.mark)
    if failed:
        for reason, ids in _by_reason(failed).items():
            Award.objects.filter(pk__in=ids).update(state=AwardState.FAILED, reason=reason)
        ledger.post(Deed.FAIL, batch=batch, awards=[one.award_id for one in failed], by=by, on=day, note=file.mark)
    return len(paid), len(failed)


def _by_reason(failed: Iterable[Payment]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for one in failed:
        found.setdefault(one.reason, []).append(one.award_id)
    return found


# --- wrong payments ----------------------------------------------------------------------------------------------


@transaction.atomic
def claim(award: Award, *, by: User, reason: str) -> Award:
    """The money went to somebody who should not have it: it is to be brought back."""
    return _turn(award, Deed.CLAIM, AwardState.PAID, AwardState.DUE_BACK, by=by, reason=reason)


@transaction.atomic
def recover(award: Award, *, by: User, on: dt.date | None = None) -> Award:
    """The money is back. The child may be paid anew where it is entitled."""
    award = _turn(award, Deed.RECOVER, AwardState.DUE_BACK, AwardState.RECOVERED, by=by, reason=award.reason, on=on)
    Payment.objects.filter(award=award, state=PaymentState.PAID).update(state=PaymentState.RECOVERED)
    return award


@transaction.atomic
def forgive(award: Award, *, by: User, reason: str) -> Award:
    """The payment was right after all, or its recovery is given up with a reason."""
    return _turn(award, Deed.FORGIVE, AwardState.DUE_BACK, AwardState.PAID, by=by, reason=reason)


def _turn(
    award: Award, deed: Deed, before: AwardState, then: AwardState, *, by: User, reason: str, on: dt.date | None = None
) -> Award:
    _may_pay(by)
    if not reason.strip():
        raise NotPossible("请写明原因。")
    award = Award.objects.select_for_update(of=("self",)).select_related("batch", "batch__term").get(pk=award.pk)
    if award.state != before:
        raise NotPossible(f"现在是“{award.get_state_display()}”，不能这样操作。")
    ledger.post(deed, batch=award.batch, awards=[award.pk], by=by, on=on, note=reason)
    award.state, award.reason = then, reason.strip()[:200]
    award.save(update_fields=["state", "reason"])
    return award


def _may_pay(user: User) -> None:
    if not (may(user, Right.EXPORT) and may(user, Right.APPROVE)):
        raise NotAllowed("发放文件和银行回盘由县教育局资助专干办理。")
