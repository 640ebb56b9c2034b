"""The ledger's promises, tried in SQL as the application role: what the code above it does not matter here."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from subsidies import batches, ledger, payments
from subsidies.ledger import NotPossible
from subsidies.models import Award, Entry, Line
from subsidies.money import Deed, Place
from subsidies.payments import Answer
from tests.small_county import SmallCounty
from tests.subsidies.money import approved, children, draft, payable, programme, row


def book(batch_id: int, lines: list[tuple[int, str, str]], *, deed: str = "send") -> None:
    """One entry with these lines: (award, place, amount)."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO subsidies_entry (deed, programme_id, term_id, batch_id, happened_on, recorded_at, by_id, note)"
            " SELECT %s, programme_id, term_id, id, now(), now(), made_by_id, '' FROM subsidies_aidbatch WHERE id = %s"
            " RETURNING id",
            [deed, batch_id],
        )
        entry = cursor.fetchone()[0]
        if lines:
            values = ", ".join(["(%s, %s, %s)"] * len(lines))
            cursor.execute(
                "INSERT INTO subsidies_line (entry_id, account_id, award_id, amount)"
                " SELECT %s, c.id, v.award, v.amount::numeric FROM (VALUES "
                + values
                + ") AS v(award, place, amount) JOIN subsidies_aidbatch b ON b.id = %s"
                " JOIN subsidies_account c ON c.place = v.place AND c.programme_id = b.programme_id",
                [entry, *(item for line in lines for item in line), batch_id],
            )


def test_an_approval_books_every_award_as_payable(county: SmallCounty) -> None:
    batch = approved(county, 5)
    assert Line.objects.holdings(award__batch=batch) == {"fund": Decimal("-2500.00"), "payable": Decimal("2500.00")}
    assert Entry.objects.get().deed == "approve"


def test_lines_that_do_not_balance_are_refused(county: SmallCounty) -> None:
    batch = approved(county, 1)
    award = batch.awards.get().pk
    with pytest.raises(IntegrityError, match="do not balance"):
        book(batch.pk, [(award, "payable", "-500"), (award, "transit", "499.99")])


def test_lines_that_balance_over_two_awards_only_are_refused(county: SmallCounty) -> None:
    batch = approved(county, 2)
    one, other = batch.awards.values_list("pk", flat=True)
    with pytest.raises(IntegrityError, match="do not balance"):
        book(batch.pk, [(one, "payable", "-500"), (other, "transit", "500")])


def test_an_entry_without_lines_is_refused_at_the_commit(county: SmallCounty) -> None:
    batch = approved(county, 1)
    with pytest.raises(IntegrityError, match="without balance"):
        book(batch.pk, [])


def test_an_entry_takes_no_lines_later(county: SmallCounty) -> None:
    batch = approved(county, 1)
    entry, award = Entry.objects.get(), batch.awards.get()
    places = ledger.accounts_of(batch.programme_id)
    with pytest.raises(IntegrityError, match="written at once"), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO subsidies_line (entry_id, account_id, award_id, amount) VALUES (%s, %s, %s, -1), (%s, %s, %s, 1)",
            [entry.pk, places[Place.TRANSIT], award.pk, entry.pk, places[Place.PAID], award.pk],
        )


def test_nothing_leaves_an_account_that_holds_less(county: SmallCounty) -> None:
    batch = approved(county, 1)
    award = batch.awards.get().pk
    with pytest.raises(IntegrityError, match="more would move"):
        book(batch.pk, [(award, "payable", "-500.01"), (award, "transit", "500.01")])
    with pytest.raises(IntegrityError, match="more would move"):
        book(batch.pk, [(award, "transit", "-500"), (award, "paid", "500")], deed="pay")


def test_no_more_leaves_the_fund_than_was_approved(county: SmallCounty) -> None:
    batch = approved(county, 1)
    award = batch.awards.get().pk
    with pytest.raises(IntegrityError, match="more would move"):
        book(batch.pk, [(award, "fund", "-500"), (award, "payable", "500")], deed="approve")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE subsidies_line SET amount = amount * 2",
        "DELETE FROM subsidies_line",
        "UPDATE subsidies_entry SET note = 'x'",
        "DELETE FROM subsidies_entry",
        "DELETE FROM subsidies_account",
        "TRUNCATE subsidies_line",
    ],
)
def test_the_application_can_only_add_to_the_ledger(county: SmallCounty, statement: str) -> None:
    approved(county, 1)
    with pytest.raises(DatabaseError, match="permission denied"), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize(
    "change", ["amount = amount + 1", "name = '别人'", "is_registered_poor = NOT is_registered_poor"]
)
def test_what_was_approved_of_a_child_stays(county: SmallCounty, change: str) -> None:
    approved(county, 1)
    with (
        pytest.raises(DatabaseError, match="award_approved_keeps_its_facts|Cannot update"),
        connection.cursor() as cursor,
    ):
        cursor.execute(f"UPDATE subsidies_award SET {change}")


def test_an_approved_award_cannot_be_deleted(county: SmallCounty) -> None:
    approved(county, 1)
    with pytest.raises(DatabaseError, match="Cannot delete"), connection.cursor() as cursor:
        cursor.execute("DELETE FROM subsidies_award")


def test_a_reversal_mirrors_its_entry_once(county: SmallCounty) -> None:
    batch = approved(county, 2)
    entry = Entry.objects.get()
    ledger.reverse(entry, by=county.user("county"), reason="审核时点错了批次")
    assert Line.objects.holdings(award__batch=batch) == {}
    with pytest.raises(NotPossible, match="已经冲销过"):
        ledger.reverse(entry, by=county.user("county"), reason="再冲一次")


def test_what_has_moved_on_cannot_be_reversed_beneath_it(county: SmallCounty) -> None:
    batch = payable(county, 1)
    payments.export(batch, bank="示例农商行", by=county.user("county"))
    with pytest.raises(IntegrityError, match="more would move"), transaction.atomic():
        ledger.reverse(Entry.objects.get(deed="approve"), by=county.user("county"), reason="不该批")


def test_a_closed_term_takes_no_entries(county: SmallCounty) -> None:
    batch = payable(county, 1)
    with pytest.raises(NotPossible, match="还有没办完的钱：应发 500.00 元"):
        ledger.close_term(county.term, by=county.user("leader"))
    file = payments.export(batch, bank="示例农商行", by=county.user("county"))
    payments.record_return(file, [Answer(1, True)], by=county.user("county"))
    ledger.close_term(county.term, by=county.user("leader"))
    award = batch.awards.get().pk
    with pytest.raises(IntegrityError, match="the term is closed"):
        book(batch.pk, [(award, "paid", "-500"), (award, "due-back", "500")], deed="claim")
    with pytest.raises(NotPossible, match="已结账"):
        draft(county, 1, paid_for=programme("other", "其他补助"))


def test_a_recovery_after_the_closing_is_booked_in_the_running_term(county: SmallCounty) -> None:
    from eduaid.core.models import Term

    spring = Term.objects.get(season="spring")
    found = programme()
    batch = draft(county, 1, paid_for=found, term=spring)
    batches.submit(batch, heads=1, amount=Decimal(500), by=county.user("town-a"))
    batches.approve(batch, by=county.user("county"))
    batch.refresh_from_db()
    from subsidies import notices

    notices.go_without(batch, by=county.user("county"), reason="认定时已公示")
    file = payments.export(batch, bank="示例农商行", by=county.user("county"))
    payments.record_return(file, [Answer(1, True)], by=county.user("county"))
    ledger.close_term(spring, by=county.user("leader"))
    payments.claim(batch.awards.get(), by=county.user("county"), reason="已转出")
    assert Entry.objects.get(deed=Deed.CLAIM.value).term_id == county.term.pk


def test_a_fault_in_the_middle_of_an_approval_leaves_nothing(
    county: SmallCounty, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The money is booked, and then the power goes."""
    batch = draft(county, 3)
    batches.submit(batch, heads=3, amount=Decimal(1500), by=county.user("town-a"))
    booked = ledger.post

    def post_and_break(*args: object, **options: object) -> None:
        booked(*args, **options)  # type: ignore[arg-type]
        raise OSError("power")

    monkeypatch.setattr(ledger, "post", post_and_break)
    with pytest.raises(OSError, match="power"):
        batches.approve(batch, by=county.user("county"))
    batch.refresh_from_db()
    assert (batch.state, Entry.objects.count(), Line.objects.count()) == ("submitted", 0, 0)
    assert set(Award.objects.values_list("state", "frozen_at")) == {("draft", None)}


def test_a_child_is_in_one_batch_of_a_programme_and_term(county: SmallCounty) -> None:
    found = programme()
    child = children(county, 1)[0]
    first = batches.make_from_rows(
        programme=found, term=county.term, place=county.a, rows=[row(child)], by=county.user("town-a")
    )
    with pytest.raises(NotPossible, match="1 名学生本学期的“寄宿生生活补助”已在其他批次"):
        batches.make_from_rows(
            programme=found, term=county.term, place=county.a, rows=[row(child)], by=county.user("town-a")
        )
    with pytest.raises(IntegrityError, match="award_once_a_programme_and_term"), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO subsidies_award (batch_id, programme_id, term_id, student_id, amount, state, reason, name, grade,"
            " class_name, category, tier, is_registered_poor, basis, bank, holder, card_last4)"
            " SELECT batch_id, programme_id, term_id, student_id, amount, state, reason, name, grade, class_name, category,"
            " tier, is_registered_poor, basis, bank, holder, '' FROM subsidies_award"
        )
    batches.withdraw(first, by=county.user("town-a"), reason="重做")
    batches.make_from_rows(
        programme=found, term=county.term, place=county.a, rows=[row(child)], by=county.user("town-a")
    )
