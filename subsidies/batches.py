"""What people do with a payment batch until its money may go out: make, submit, approve, send back, withdraw.

Every act is one transaction: a refused batch leaves nothing, and an approval that breaks off leaves no entry.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import Count, Sum
from django.utils import timezone

from eduaid.core.models import Region, School, Term, Upload, User
from eduaid.core.models.places import Level
from eduaid.core.roles import Right, may
from eduaid.core.scope import Scope
from eduaid.core.sealing import Sealer, digest, new_data_key
from eduaid.core.text import Problem, parse_card
from eduaid.core.text.sentences import SENTENCES
from subsidies import ledger
from subsidies.ledger import NotAllowed, NotPossible
from subsidies.models import AidBatch, ApprovalLimit, Award, Entitlement, Programme, TermClosing
from subsidies.models.batches import AwardState, BatchSource, BatchState
from subsidies.money import ZERO, Deed, Totals, difference

CARD = b"card"


@dataclass(frozen=True, slots=True)
class NewAward:
    """One row of a batch to be made. `card` is the full number, sealed at once."""

    student_id: int
    amount: Decimal
    standard_id: int | None = None
    category: str = ""
    tier: str = ""
    basis: str = ""
    bank: str = ""
    holder: str = ""
    card: str = ""
    row_id: int | None = None
    supplements_id: int | None = None


# --- making ----------------------------------------------------------------------------------------------------


@transaction.atomic
def make_from_entitlement(*, programme: Programme, term: Term, place: Region | School, by: User) -> AidBatch:
    """A draft with everybody of the place who is entitled and has no award of this programme and term yet.

    Accounts are taken over from each child's last award. The entitlements are marked as listed.
    """
    _may_make(by, place)
    _is_open(programme, term)
    batch = _new_batch(programme, term, place, BatchSource.ENTITLEMENT, by)
    where, params = _place_sql(place)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH due AS (
                UPDATE subsidies_entitlement e SET listed_at = coalesce(e.listed_at, now())
                WHERE e.programme_id = %(programme)s AND e.term_id = %(term)s AND e.yields_to_id IS NULL
                    AND e.pending <> 'gone' AND {where}
                    AND NOT EXISTS (SELECT 1 FROM subsidies_award a WHERE a.student_id = e.student_id
                        AND a.programme_id = e.programme_id AND a.term_id = e.term_id AND a.supplements_id IS NULL
                        AND a.state IN ('draft', 'approved', 'sent', 'paid', 'failed', 'due-back'))
                RETURNING e.*
            ), last AS (
                SELECT DISTINCT ON (a.student_id) a.student_id, a.bank, a.holder, a.card_sealed, a.card_last4, a.card_digest
                FROM subsidies_award a JOIN due d ON d.student_id = a.student_id
                WHERE a.card_digest IS NOT NULL ORDER BY a.student_id, a.id DESC
            )
            INSERT INTO subsidies_award (batch_id, programme_id, term_id, student_id, amount, standard_id, state, reason, name,
                school_id, school_town_id, hukou_town_id, grade, class_name, boarding, category, tier, is_registered_poor,
                household_id, basis, bank, holder, card_sealed, card_last4, card_digest)
            SELECT %(batch)s, d.programme_id, d.term_id, d.student_id, d.amount, d.standard_id, 'draft', '', s.name,
                d.school_id, d.school_town_id, d.hukou_town_id, s.grade, s.class_name, d.boarding, d.category, d.tier,
                s.in_poverty, s.poverty_household_id, '', coalesce(l.bank, ''), coalesce(l.holder, ''), l.card_sealed,
                coalesce(l.card_last4, ''), l.card_digest
            FROM due d JOIN students_student s ON s.id = d.student_id LEFT JOIN last l ON l.student_id = d.student_id
            ORDER BY d.school_id, s.grade, s.class_name, s.pinyin, d.student_id
            """,
            params | {"programme": programme.pk, "term": term.pk, "batch": batch.pk},
        )
        made = cursor.rowcount
    if not made:
        raise NotPossible(f"{place}没有“{programme}”{term}应助而未列入批次的学生。")
    return batch


def _place_sql(place: Region | School) -> tuple[str, dict[str, Any]]:
    if isinstance(place, School):
        return "e.school_id = %(place)s", {"place": place.pk}
    if place.is_home:
        return "true", {}
    return "e.school_town_id = %(place)s", {"place": place.pk}


@transaction.atomic
def make_from_rows(
    *,
    programme: Programme,
    term: Term,
    place: Region | School,
    rows: Sequence[NewAward],
    by: User,
    upload: Upload | None = None,
) -> AidBatch:
    """A draft of these rows, all or none. Raises NotPossible naming how many children have the money already."""
    _may_make(by, place)
    _is_open(programme, term)
    if not rows:
        raise NotPossible("名单里没有可以发放的行。")
    students = [row.student_id for row in rows if row.supplements_id is None]
    if len(set(students)) != len(students):
        raise NotPossible(
            f"名单里有 {len(students) - len(set(students))} 名学生出现不止一次，同一项目同一学期一人只发一次。"
        )
    twice = Award.objects.live().filter(programme=programme, term=term, supplements=None, student__in=students).count()
    if twice:
        raise NotPossible(
            f"有 {twice} 名学生本学期的“{programme}”已在其他批次，不能重复发放。差额请走补发，发错的请先冲销。"
        )
    batch = _new_batch(programme, term, place, BatchSource.LIST if upload else BatchSource.HAND, by, upload)
    sealer = Sealer(batch.data_key)
    try:
        with transaction.atomic():
            Award.objects.bulk_create([_award(batch, row, sealer) for row in rows])
            _take_facts(batch)
    except IntegrityError as error:
        if "award_once_a_programme_and_term" in str(error) or "award_supplemented_once" in str(error):
            raise NotPossible("另一个批次刚刚列入了同样的学生，请刷新后再试。") from None
        raise
    return batch


def _award(batch: AidBatch, row: NewAward, sealer: Sealer) -> Award:
    award = Award(
        batch=batch,
        programme_id=batch.programme_id,
        term_id=batch.term_id,
        student_id=row.student_id,
        amount=row.amount,
        standard_id=row.standard_id,
        supplements_id=row.supplements_id,
        category=row.category,
        tier=row.tier,
        basis=row.basis[:400],
        row_id=row.row_id,
        bank=row.bank[:60],
        holder=row.holder[:60],
        name="",
    )
    if row.card:
        _put_card(award, row.card, sealer)
    return award


# What a spreadsheet keeps of a long number; the rest becomes zeros.
_KEPT = 15


def _put_card(award: Award, written: str, sealer: Sealer) -> None:
    """Raises NotPossible with what is wrong with the number, without the number."""
    result = parse_card(written)
    if isinstance(result, Problem):
        raise NotPossible(SENTENCES[result.code].text.format(**result.params) + "。")
    number = result.value if result is not None else ""
    if not number:
        raise NotPossible("请填写收款卡号。")
    if len(number) > _KEPT and set(number[_KEPT:]) == {"0"}:
        raise NotPossible(SENTENCES["card-damaged"].text + "。")
    award.card_sealed = sealer.seal(number.encode(), CARD)
    award.card_last4 = number[-4:]
    award.card_digest = digest("card", number)


def _take_facts(batch: AidBatch, *, freeze: bool = False) -> None:
    """Where each child of the batch is in the batch's term, and whether it stands in the poverty register, as known now."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE subsidies_award a SET name = f.name, school_id = f.school_id, school_town_id = f.town_id,
                hukou_town_id = f.hukou_town_id, grade = f.grade, class_name = f.class_name, boarding = f.boarding,
                is_registered_poor = f.in_poverty, household_id = f.poverty_household_id,
                category = coalesce(nullif(f.category, ''), a.category), tier = coalesce(nullif(f.tier, ''), a.tier)
                {", state = 'approved', frozen_at = now()" if freeze else ""}
            FROM (
                SELECT w.id, s.name, coalesce(n.school_id, s.school_id) AS school_id, sc.town_id, s.hukou_town_id,
                    coalesce(n.grade, s.grade) AS grade, coalesce(n.class_name, s.class_name) AS class_name,
                    coalesce(n.boarding, s.boarding) AS boarding, s.in_poverty, s.poverty_household_id, e.category, e.tier
                FROM subsidies_award w JOIN students_student s ON s.id = w.student_id
                LEFT JOIN students_enrolment n ON n.student_id = s.id AND n.term_id = w.term_id
                LEFT JOIN core_school sc ON sc.id = coalesce(n.school_id, s.school_id)
                LEFT JOIN subsidies_entitlement e ON e.student_id = s.id AND e.programme_id = w.programme_id
                    AND e.term_id = w.term_id
                WHERE w.batch_id = %s AND w.state = 'draft'
            ) f WHERE f.id = a.id
            """,
            [batch.pk],
        )


def _new_batch(
    programme: Programme,
    term: Term,
    place: Region | School,
    source: BatchSource,
    by: User,
    upload: Upload | None = None,
) -> AidBatch:
    region, school, town = _columns(place)
    return AidBatch.objects.create(
        programme=programme, term=term, region=region, school=school, town=town, source=source, upload=upload,
        data_key=new_data_key("aid"), made_by=by,
    )  # fmt: skip


def _columns(place: Region | School) -> tuple[Region | None, School | None, Region | None]:
    if isinstance(place, School):
        return None, place, place.town
    return place, None, place if place.level == Level.TOWNSHIP else None


def _is_open(programme: Programme, term: Term) -> None:
    if programme.is_loan:
        raise NotPossible("贷款不计入资助，请在“生源地贷款”中登记。")
    if TermClosing.objects.filter(term=term).exists():
        raise NotPossible(f"{term}已结账，不能再建批次。")


# --- before the submission ---------------------------------------------------------------------------------------


@transaction.atomic
def drop(award: Award, *, by: User) -> None:
    """Takes a child off a draft."""
    batch = _locked(award.batch_id, BatchState.DRAFT)
    _may_work_on(batch, by)
    Award.objects.filter(pk=award.pk, batch=batch, state=AwardState.DRAFT).delete()
    Entitlement.objects.filter(
        student=award.student_id, programme=batch.programme_id, term=batch.term_id, pending=""
    ).update(listed_at=None)


@transaction.atomic
def set_account(award: Award, *, by: User, bank: str, holder: str, card: str) -> Award:
    """Puts in or corrects where the money goes, as long as it is not on its way. A failed one is ready to be paid again."""
    award = Award.objects.select_for_update(of=("self",)).select_related("batch", "batch__data_key").get(pk=award.pk)
    _may_work_on(award.batch, by)
    if award.state not in (AwardState.DRAFT, AwardState.APPROVED, AwardState.FAILED):
        raise NotPossible(f"现在是“{award.get_state_display()}”，不能改收款账户。")
    if not bank.strip() or not holder.strip():
        raise NotPossible("请填写开户银行和户名。")
    _put_card(award, card, Sealer(award.batch.data_key))
    award.bank, award.holder = bank.strip()[:60], holder.strip()[:60]
    fields = ["bank", "holder", "card_sealed", "card_last4", "card_digest"]
    if award.state == AwardState.FAILED:
        ledger.post(Deed.FIX, batch=award.batch, awards=[award.pk], by=by, note="账户已改正")
        award.state, award.reason = AwardState.APPROVED, ""
        fields += ["state", "reason"]
    award.save(update_fields=fields)
    return award


def counted(batch: AidBatch) -> Totals:
    """What the batch's rows add up to: rows, and their 元."""
    sums = batch.awards.exclude(state=AwardState.CANCELLED).aggregate(heads=Count("pk"), amount=Sum("amount"))
    return Totals(sums["heads"], sums["amount"] or ZERO)


@transaction.atomic
def submit(batch: AidBatch, *, heads: int, amount: Decimal, by: User) -> AidBatch:
    """The maker's word: the typed totals agree with the rows, else the sentence names the difference and nothing is changed."""
    batch = _locked(batch.pk, BatchState.DRAFT)
    _may_work_on(batch, by)
    _is_open(batch.programme, batch.term)
    rows = counted(batch)
    if not rows.heads:
        raise NotPossible("批次里没有人，请先加入学生。")
    if differs := difference(Totals(heads, amount), rows):
        raise NotPossible(f"控制总数与名单不符：{differs}。请核对名单或改正填写的总数。")
    batch.state, batch.heads, batch.amount, batch.returned_for = BatchState.SUBMITTED, heads, amount, ""
    batch.submitted_by, batch.submitted_at = by, timezone.now()
    batch.save(update_fields=["state", "heads", "amount", "submitted_by", "submitted_at", "returned_for"])
    return batch


# --- the check ---------------------------------------------------------------------------------------------------


def needs_second(batch: AidBatch) -> bool:
    limit = ApprovalLimit.objects.in_effect(batch.programme_id)
    return limit is not None and batch.amount is not None and batch.amount >= limit.amount


def why_not_approve(batch: AidBatch, by: User) -> str:
    """Why this person cannot approve the batch now; empty where they can."""
    if not may(by, Right.APPROVE):
        return "发放批次由县教育局审核。"
    if by.pk in (batch.made_by_id, batch.submitted_by_id):
        return "制单或提交的人不能审核，请由另一人审核。"
    if batch.state == BatchState.HALF and by.pk == batch.approved_by_id:
        return "一审和二审不能是同一人，请由另一人二审。"
    return ""


@transaction.atomic
def approve(batch: AidBatch, *, by: User) -> AidBatch:
    """Freezes what is known of every child and books the money as payable. Above the limit a third person approves again."""
    batch = _locked(batch.pk, BatchState.SUBMITTED, BatchState.HALF)
    if refused := why_not_approve(batch, by):
        raise NotAllowed(refused)
    _is_open(batch.programme, batch.term)
    rows = counted(batch)
    if differs := difference(Totals(batch.heads or 0, batch.amount or ZERO), rows):
        raise NotPossible(f"提交之后名单变了：{differs}。请退回制单人重新提交。")
    now = timezone.now()
    if batch.state == BatchState.SUBMITTED:
        batch.approved_by, batch.approved_at = by, now
        if needs_second(batch):
            batch.state = BatchState.HALF
            batch.save(update_fields=["state", "approved_by", "approved_at"])
            return batch
    else:
        batch.second_by, batch.second_at = by, now
    _take_facts(batch, freeze=True)
    ledger.post(Deed.APPROVE, batch=batch, awards=_ids(batch, AwardState.APPROVED), by=by)
    batch.state = BatchState.APPROVED
    batch.save(update_fields=["state", "approved_by", "approved_at", "second_by", "second_at"])
    return batch


@transaction.atomic
def send_back(batch: AidBatch, *, by: User, reason: str) -> AidBatch:
    """To the maker, with what is wrong; the totals have to be typed again."""
    if not may(by, Right.APPROVE):
        raise NotAllowed("发放批次由县教育局退回。")
    if not reason.strip():
        raise NotPossible("请写明退回的原因。")
    batch = _locked(batch.pk, BatchState.SUBMITTED, BatchState.HALF)
    batch.state, batch.returned_for = BatchState.DRAFT, reason.strip()[:200]
    batch.heads = batch.amount = batch.approved_by = batch.approved_at = None
    batch.save(update_fields=["state", "returned_for", "heads", "amount", "approved_by", "approved_at"])
    return batch


@transaction.atomic
def withdraw(batch: AidBatch, *, by: User, reason: str) -> AidBatch:
    """Ends a batch of which nothing has gone to the bank: an approval is reversed by entries, a draft simply ends."""
    if not reason.strip():
        raise NotPossible("请写明撤销的原因。")
    batch = _locked(batch.pk, BatchState.DRAFT, BatchState.SUBMITTED, BatchState.HALF, BatchState.APPROVED)
    if batch.state == BatchState.APPROVED:
        if not may(by, Right.APPROVE):
            raise NotAllowed("审核过的批次由县教育局撤销。")
        if batch.awards.exclude(state__in=[AwardState.APPROVED, AwardState.CANCELLED]).exists():
            raise NotPossible("批次里有人的钱已交银行，不能整批撤销。请收回发放文件，或逐人追回。")
        if waiting := _ids(batch, AwardState.APPROVED):
            ledger.post(Deed.CANCEL, batch=batch, awards=waiting, by=by, note=reason)
    else:
        _may_work_on(batch, by)
    batch.awards.exclude(state=AwardState.CANCELLED).update(state=AwardState.CANCELLED, reason=reason.strip()[:200])
    batch.notices.filter(taken_down_at=None).update(
        taken_down_at=timezone.now(), taken_down_by=by, taken_down_for=reason.strip()[:200]
    )
    batch.state, batch.withdrawn_by, batch.withdrawn_at = BatchState.WITHDRAWN, by, timezone.now()
    batch.withdraw_reason = reason.strip()[:200]
    batch.save(update_fields=["state", "withdrawn_by", "withdrawn_at", "withdraw_reason"])
    return batch


@transaction.atomic
def cancel(award: Award, *, by: User, reason: str) -> Award:
    """One child of an approved batch is not paid after all: before the bank has the money, or after it failed."""
    if not may(by, Right.APPROVE):
        raise NotAllowed("审核过的发放由县教育局取消。")
    if not reason.strip():
        raise NotPossible("请写明取消的原因。")
    award = Award.objects.select_for_update(of=("self",)).select_related("batch").get(pk=award.pk)
    deeds = {AwardState.APPROVED: Deed.CANCEL, AwardState.FAILED: Deed.DROP}
    if award.state not in deeds:
        raise NotPossible(f"现在是“{award.get_state_display()}”，不能取消。")
    ledger.post(deeds[AwardState(award.state)], batch=award.batch, awards=[award.pk], by=by, note=reason)
    award.state, award.reason = AwardState.CANCELLED, reason.strip()[:200]
    award.save(update_fields=["state", "reason"])
    return award


@transaction.atomic
def supplement(award: Award, *, amount: Decimal, by: User, reason: str) -> AidBatch:
    """A draft that pays a difference on top of an approved award (补发); it goes the way of every batch."""
    award = Award.objects.select_related("batch", "programme", "term", "batch__region", "batch__school").get(
        pk=award.pk
    )
    if award.state in (AwardState.DRAFT, AwardState.CANCELLED, AwardState.RECOVERED):
        raise NotPossible(f"现在是“{award.get_state_display()}”，没有可以补发的差额。")
    if not reason.strip() or amount <= 0:
        raise NotPossible("请写明补发的原因和大于 0 的金额。")
    row = NewAward(award.student_id, amount, basis=f"补发：{reason.strip()}", supplements_id=award.pk)
    batch = make_from_rows(programme=award.programme, term=award.term, place=award.batch.place, rows=[row], by=by)
    batch.awards.update(
        bank=award.bank, holder=award.holder, card_sealed=award.card_sealed, card_last4=award.card_last4,
        card_digest=award.card_digest,
    )  # fmt: skip
    return batch


# --- who and what ------------------------------------------------------------------------------------------------


def _ids(batch: AidBatch, *states: AwardState) -> Collection[int]:
    return list(batch.awards.filter(state__in=states).order_by("pk").values_list("pk", flat=True))


def _locked(pk: int, *states: BatchState) -> AidBatch:
    batch = (
        AidBatch.objects.select_for_update(of=("self",))
        .select_related("programme", "term", "region", "school", "school__town")
        .get(pk=pk)
    )
    if batch.state not in states:
        raise NotPossible(f"批次 {pk} 号现在是“{batch.get_state_display()}”，不能这样操作。")
    return batch


def _may_make(user: User, place: Region | School) -> None:
    if isinstance(place, Region) and not (place.is_home or place.level == Level.TOWNSHIP):
        raise NotAllowed("发放批次的范围只能是全县、一个乡镇或一所学校。")
    if not may(user, Right.UPLOAD) or not Scope.of(user).covers(place):
        raise NotAllowed(f"“{place}”不在您负责的范围内，不能代为制单。")


def may_work_on(batch: AidBatch, user: User) -> bool:
    return may(user, Right.UPLOAD) and Scope.of(user).covers(batch.place)


def _may_work_on(batch: AidBatch, user: User) -> None:
    if not may_work_on(batch, user):
        raise NotAllowed("只有制单单位或县教育局可以改这个批次。")
