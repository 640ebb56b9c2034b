"""A batch from its draft to the bank's answer."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import IntegrityError, connection

from eduaid.core.models import AccessRecord
from subsidies import batches, notices, payments
from subsidies.ledger import NotAllowed, NotPossible
from subsidies.models import ApprovalLimit, Award, Line, Payment
from subsidies.payments import Answer
from tests.small_county import SmallCounty
from tests.subsidies.money import approved, card, children, day, draft, payable, programme, row


def test_typed_totals_that_do_not_agree_are_refused_with_the_difference(county: SmallCounty) -> None:
    batch = draft(county, 5)
    with pytest.raises(
        NotPossible, match="人次填 6，名单为 5，相差 1；金额填 2,400.00 元，名单为 2,500.00 元，相差 100.00 元"
    ):
        batches.submit(batch, heads=6, amount=Decimal(2400), by=county.user("town-a"))
    with pytest.raises(NotPossible, match="像是按万元填的，这里应填元"):
        batches.submit(batch, heads=5, amount=Decimal("0.25"), by=county.user("town-a"))
    batch.refresh_from_db()
    assert (batch.state, batch.heads) == ("draft", None)
    assert batches.submit(batch, heads=5, amount=Decimal(2500), by=county.user("town-a")).state == "submitted"


def test_nobody_approves_what_they_made(county: SmallCounty) -> None:
    batch = draft(county, 1, by="county")
    batches.submit(batch, heads=1, amount=Decimal(500), by=county.user("county"))
    with pytest.raises(NotAllowed, match="请由另一人审核"):
        batches.approve(batch, by=county.user("county"))
    with pytest.raises(NotAllowed, match="由县教育局审核"):
        batches.approve(batch, by=county.user("town-a"))
    with pytest.raises(IntegrityError, match="aidbatch_approved_by_another"), connection.cursor() as cursor:
        cursor.execute("UPDATE subsidies_aidbatch SET approved_by_id = made_by_id, state = 'approved'")
    assert batches.approve(batch, by=county.user("leader")).state == "approved"


def test_from_the_limit_on_a_third_person_approves_again(county: SmallCounty) -> None:
    found = programme()
    ApprovalLimit.objects.create(amount=Decimal(2500), from_on=day("2026-01-01"))
    batch = draft(county, 5, paid_for=found)
    batches.submit(batch, heads=5, amount=Decimal(2500), by=county.user("town-a"))
    assert batches.approve(batch, by=county.user("county")).state == "half"
    assert not Line.objects.exists()
    with pytest.raises(NotAllowed, match="一审和二审不能是同一人"):
        batches.approve(batch, by=county.user("county"))
    assert batches.approve(batch, by=county.user("leader")).state == "approved"
    assert Line.objects.holdings() == {"fund": Decimal("-2500.00"), "payable": Decimal("2500.00")}


def test_what_was_known_at_the_approval_is_frozen(county: SmallCounty) -> None:
    batch = approved(county, 1)
    award = batch.awards.get()
    child = award.student
    child.grade, child.school, child.in_poverty = "26", county.primary_b, True
    child.save()
    award.refresh_from_db()
    assert (award.grade, award.school, award.is_registered_poor) == ("25", county.primary_a, False)


def test_the_money_goes_out_comes_back_and_goes_out_again_once(county: SmallCounty) -> None:
    """Three of ten fail; one is corrected and paid, one is given up, one waits."""
    officer = county.user("county")
    batch = payable(county, 10)
    file = payments.export(batch, bank="示例农商行", by=officer)
    assert (file.heads, file.amount) == (10, Decimal("5000.00"))
    with pytest.raises(NotPossible, match="没有要交“示例农商行”发放的人"):
        payments.export(batch, bank="示例农商行", by=officer)
    answers = [Answer(n, n > 3, "" if n > 3 else "户名不符") for n in range(1, 11)]
    assert payments.record_return(file, answers, by=officer) == (7, 3)
    assert Line.objects.holdings() == {
        "fund": Decimal("-5000.00"), "paid": Decimal("3500.00"), "returned": Decimal("1500.00")
    }  # fmt: skip
    one, two, _ = batch.awards.filter(state="failed")
    batches.set_account(one, by=county.user("town-a"), bank="示例农商行", holder="李四", card=card(77))
    batches.cancel(two, by=officer, reason="已转往外县")
    again = payments.export(batch, bank="示例农商行", by=officer)
    assert list(again.payments.values_list("award", "attempt")) == [(one.pk, 2)]
    payments.record_return(again, [Answer(1, True)], by=officer)
    assert Line.objects.holdings() == {
        "fund": Decimal("-4500.00"), "paid": Decimal("4000.00"), "returned": Decimal("500.00")
    }  # fmt: skip


def test_a_return_is_taken_whole_or_not_at_all(county: SmallCounty) -> None:
    batch = payable(county, 3)
    file = payments.export(batch, bank="示例农商行", by=county.user("county"))
    for answers, said in [
        ([Answer(1, True), Answer(2, True)], "回盘少了 1 笔"),
        ([Answer(1, True), Answer(2, True), Answer(4, True)], "没有第 4 号"),
        ([Answer(1, True), Answer(1, True), Answer(2, True), Answer(3, True)], "第 1 号回了两次"),
        ([Answer(1, True, amount=Decimal(50)), Answer(2, True), Answer(3, True)], "回盘是 50.00 元"),
        ([Answer(1, False), Answer(2, True), Answer(3, True)], "没有写失败原因"),
    ]:
        with pytest.raises(NotPossible, match=said):
            payments.record_return(file, answers, by=county.user("county"))
    assert set(Payment.objects.values_list("state", flat=True)) == {"sent"}
    assert payments.record_return(file, [Answer(2, False, "销户")], by=county.user("county"), rest_is_paid=True) == (
        2,
        1,
    )


def test_the_bank_file_alone_shows_card_numbers_and_is_logged(county: SmallCounty) -> None:
    batch = payable(county, 2)
    file = payments.export(batch, bank="示例农商行", by=county.user("county"))
    rows = payments.rows_of(file, by=county.user("county"), page="/aid/")
    first = batch.awards.order_by("pk")[0]
    assert rows[0].card == card(first.student_id)
    record = AccessRecord.objects.get(subject_kind="payment-file")
    assert (record.action, record.rows) == ("export", 2)
    assert card(first.student_id).encode() not in bytes(first.card_sealed)
    with pytest.raises(NotAllowed, match="县教育局"):
        payments.rows_of(file, by=county.user("town-a"), page="/aid/")


def test_a_wrong_payment_is_recovered_and_the_child_can_be_paid_again(county: SmallCounty) -> None:
    officer = county.user("county")
    batch = payable(county, 1)
    file = payments.export(batch, bank="示例农商行", by=officer)
    payments.record_return(file, [Answer(1, True)], by=officer)
    award = payments.claim(batch.awards.get(), by=officer, reason="标准用错")
    assert award.state == "due-back"
    payments.recover(award, by=officer)
    assert Line.objects.holdings() == {"fund": Decimal("-500.00"), "recovered": Decimal("500.00")}
    child = award.student
    anew = batches.make_from_rows(
        programme=batch.programme, term=county.term, place=county.a, rows=[row(child, "625")], by=county.user("town-a")
    )
    assert anew.awards.get().amount == 625


def test_a_difference_is_paid_as_a_supplement(county: SmallCounty) -> None:
    batch = approved(county, 1)
    extra = batches.supplement(batch.awards.get(), amount=Decimal(125), by=county.user("town-a"), reason="标准提高")
    award = extra.awards.get()
    assert (award.amount, award.supplements, award.card_last4) == (
        125,
        batch.awards.get(),
        batch.awards.get().card_last4,
    )
    with pytest.raises(NotPossible):
        batches.supplement(batch.awards.get(), amount=Decimal(125), by=county.user("town-a"), reason="再补")


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("6.22848E+18", "已被表格软件抹去"),
        ("6228480000000000", "已被表格软件抹去|校验不通过"),
        ("62284800", "卡号是 8 位"),
        ("6299000000000000005", "校验不通过"),
        ("卡号见附件", "不应有的字符"),
        ("", "请填写收款卡号"),
    ],
)
def test_damaged_card_numbers_are_named_and_refused(county: SmallCounty, written: str, said: str) -> None:
    batch = draft(county, 1)
    with pytest.raises(NotPossible, match=said):
        batches.set_account(batch.awards.get(), by=county.user("town-a"), bank="农商行", holder="李四", card=written)


def test_foreign_townships_neither_see_nor_touch_a_batch(county: SmallCounty) -> None:
    batch = approved(county, 2)
    assert not type(batch).objects.visible_to(county.user("town-b")).exists()
    assert not Award.objects.visible_to(county.user("town-b")).exists()
    assert Award.objects.visible_to(county.user("town-a")).count() == 2
    with pytest.raises(NotAllowed, match="不在您负责的范围内"):
        batches.make_from_rows(
            programme=batch.programme, term=county.term, place=county.a, rows=[row(children(county, 1, at="b")[0])],
            by=county.user("town-b"),
        )  # fmt: skip


# --- the notice ---------------------------------------------------------------------------------------------------


def test_five_working_days_are_counted_by_the_calendar(county: SmallCounty) -> None:
    from subsidies.models import WorkdayOverride

    assert notices.ends_on(day("2026-09-21")) == day("2026-09-28")  # 25 September is the Mid-Autumn holiday
    WorkdayOverride.objects.create(day=day("2026-09-26"), is_workday=True, note="补课")
    assert notices.ends_on(day("2026-09-21")) == day("2026-09-26")


def test_a_notice_shows_whitelisted_columns_and_keeps_its_proof(county: SmallCounty) -> None:
    batch = approved(county, 2)
    notice = notices.publish(batch, by=county.user("county"), contact="0797-0000000")
    assert notice.columns == ["姓名", "学校", "年级", "班级"]
    assert notice.rows[0] == ["学生a0", "水口镇蔡朱小学", "五年级", "1班"]
    page = notices.proof(notice).decode()
    assert "学生a0" in page
    assert batch.awards.all()[0].card_last4 not in page
    assert "500" not in page
    with pytest.raises(NotPossible, match="不得少于 5 个工作日"):
        notices.publish(batch, by=county.user("county"), contact="1", days=4)


def test_nothing_is_paid_while_the_notice_runs_or_an_objection_is_open(county: SmallCounty) -> None:
    import time_machine as clock

    officer = county.user("county")
    batch = approved(county, 2)
    with pytest.raises(NotPossible, match="还没有公示"):
        payments.export(batch, bank="示例农商行", by=officer)
    notice = notices.publish(batch, by=officer, contact="0797-0000000")
    with pytest.raises(NotPossible, match="期满后才能交银行"):
        payments.export(batch, bank="示例农商行", by=officer)
    assert notices.shown(notice.address) is not None
    objection = notices.object_to(notice, by=county.user("town-a"), text="第 2 名家里有车")
    with clock.travel(f"{notice.ends_on:%Y-%m-%d} 20:00+00:00"):  # the day after, in Shanghai
        assert notices.shown(notice.address) is None
        with pytest.raises(NotPossible, match="异议还没有答复"):
            payments.export(batch, bank="示例农商行", by=officer)
        notices.answer(objection, by=officer, outcome="rejected", text="车为村集体所有")  # type: ignore[arg-type]
        assert payments.export(batch, bank="示例农商行", by=officer).heads == 2
