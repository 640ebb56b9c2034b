"""Whatever people and banks do in whatever order, the money adds up: a state machine over the real acts and the real database.

EDUAID_LEDGER_STEPS sets how many steps are walked (a few hundred in the ordinary suite; 15,000 to be sure).
"""

from __future__ import annotations

import os
from decimal import Decimal
from itertools import count

from django.db import IntegrityError, connection, transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from subsidies import batches, ledger, notices, payments
from subsidies.ledger import NotAllowed, NotPossible
from subsidies.models import AidBatch, Award, Entry, PaymentFile
from subsidies.models.batches import LIVE, AwardState, BatchState, PaymentState
from subsidies.money import Deed
from subsidies.payments import Answer
from tests.small_county import SmallCounty
from tests.subsidies.money import card, children, programme, row

STEPS = int(os.environ.get("EDUAID_LEDGER_STEPS", "300"))
WALK = 50
BANKS = ("示例农商行", "示例邮储")
numbers = count(1)

# Where an award's money stands in each state: (place, whether all of it).
PLACES = {
    AwardState.DRAFT: {},
    AwardState.APPROVED: {"fund": -1, "payable": 1},
    AwardState.SENT: {"fund": -1, "transit": 1},
    AwardState.PAID: {"fund": -1, "paid": 1},
    AwardState.FAILED: {"fund": -1, "returned": 1},
    AwardState.DUE_BACK: {"fund": -1, "due-back": 1},
    AwardState.RECOVERED: {"fund": -1, "recovered": 1},
    AwardState.CANCELLED: {},
}

walked = {"steps": 0, "refused": 0}


def refused(act: object, *args: object, **options: object) -> bool:
    """Whether the act was refused with a sentence; the invariants say that it left nothing."""
    try:
        act(*args, **options)  # type: ignore[operator]
    except (NotPossible, NotAllowed):
        walked["refused"] += 1
        return True
    return False


def machine(county: SmallCounty) -> type[RuleBasedStateMachine]:
    pool = children(county, 6)
    maker, checker, third = county.user("town-a"), county.user("county"), county.user("leader")

    class Money(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            place = next(numbers)
            self.programme = programme(f"machine-{place}", f"补助{place}")

        # --- what there is ---

        def batches(self, *states: BatchState) -> list[AidBatch]:
            return list(AidBatch.objects.filter(programme=self.programme, state__in=states).order_by("pk"))

        def awards(self, *states: AwardState) -> list[Award]:
            return list(Award.objects.filter(programme=self.programme, state__in=states).order_by("pk"))

        def files(self) -> list[PaymentFile]:
            out = PaymentFile.objects.filter(batch__programme=self.programme, payments__state=PaymentState.SENT)
            return list(out.distinct().order_by("pk"))

        # --- what people do ---

        @rule(chosen=st.sets(st.integers(0, 5), min_size=1), cents=st.integers(1, 99_999), bank=st.sampled_from(BANKS))
        def make(self, chosen: set[int], cents: int, bank: str) -> None:
            amount = Decimal(cents) / 100
            held = set(
                Award.objects.filter(programme=self.programme, state__in=LIVE).values_list("student_id", flat=True)
            )
            rows = [row(pool[at], str(amount), bank=bank) for at in sorted(chosen)]
            was_refused = refused(
                batches.make_from_rows, programme=self.programme, term=county.term, place=county.a, rows=rows, by=maker
            )
            assert was_refused == bool(held & {one.student_id for one in rows})

        @precondition(lambda self: self.batches(BatchState.DRAFT))
        @rule(off=st.sampled_from([0, 0, 0, 1]), data=st.data())
        def submit(self, off: int, data: st.DataObject) -> None:
            batch = data.draw(st.sampled_from(self.batches(BatchState.DRAFT)))
            total = batches.counted(batch)
            was_refused = refused(
                batches.submit, batch, heads=total.heads, amount=total.amount + Decimal(off) / 100, by=maker
            )
            assert was_refused == bool(off or not total.heads)

        @precondition(lambda self: self.batches(BatchState.SUBMITTED))
        @rule(by=st.sampled_from([checker, third, maker]), data=st.data())
        def approve(self, by: object, data: st.DataObject) -> None:
            batch = data.draw(st.sampled_from(self.batches(BatchState.SUBMITTED)))
            assert refused(batches.approve, batch, by=by) == (by is maker)
            if by is not maker:
                notices.go_without(batch, by=checker, reason="认定时已公示")

        @precondition(lambda self: self.batches(BatchState.SUBMITTED))
        @rule(data=st.data())
        def send_back(self, data: st.DataObject) -> None:
            batches.send_back(
                data.draw(st.sampled_from(self.batches(BatchState.SUBMITTED))), by=checker, reason="请核对"
            )

        @precondition(lambda self: self.batches(BatchState.DRAFT, BatchState.SUBMITTED, BatchState.APPROVED))
        @rule(data=st.data())
        def withdraw(self, data: st.DataObject) -> None:
            states = (BatchState.DRAFT, BatchState.SUBMITTED, BatchState.APPROVED)
            batch = data.draw(st.sampled_from(self.batches(*states)))
            gone = batch.awards.exclude(state__in=["draft", "approved", "cancelled"]).exists()
            assert refused(batches.withdraw, batch, by=checker, reason="重做") == gone

        @precondition(lambda self: self.batches(BatchState.APPROVED))
        @rule(bank=st.sampled_from(BANKS), data=st.data())
        def export(self, bank: str, data: st.DataObject) -> None:
            batch = data.draw(st.sampled_from(self.batches(BatchState.APPROVED)))
            due = batch.awards.filter(state=AwardState.APPROVED, bank=bank).exists()
            assert refused(payments.export, batch, bank=bank, by=checker) == (not due)

        @precondition(lambda self: self.files())
        @rule(data=st.data())
        def answer(self, data: st.DataObject) -> None:
            file = data.draw(st.sampled_from(self.files()))
            fails = data.draw(st.sets(st.integers(1, file.heads)))
            answers = [Answer(n, n not in fails, "户名不符" if n in fails else "") for n in range(1, file.heads + 1)]
            if data.draw(st.booleans()):
                # A return that lacks a row, or names one twice, is taken as a whole or not at all.
                assert refused(payments.record_return, file, [*answers, answers[0]], by=checker)
            payments.record_return(file, answers, by=checker)
            assert refused(payments.record_return, file, answers, by=checker)

        @precondition(lambda self: self.files())
        @rule(data=st.data())
        def recall(self, data: st.DataObject) -> None:
            payments.recall(data.draw(st.sampled_from(self.files())), by=checker, reason="没有送出")

        @precondition(lambda self: self.awards(AwardState.FAILED))
        @rule(data=st.data(), bank=st.sampled_from(BANKS))
        def fix(self, data: st.DataObject, bank: str) -> None:
            award = data.draw(st.sampled_from(self.awards(AwardState.FAILED)))
            batches.set_account(award, by=checker, bank=bank, holder="张三", card=card(1))

        @precondition(lambda self: self.awards(*AwardState))
        @rule(data=st.data())
        def cancel(self, data: st.DataObject) -> None:
            award = data.draw(st.sampled_from(self.awards(*AwardState)))
            assert refused(batches.cancel, award, by=checker, reason="已转出") == (
                award.state not in (AwardState.APPROVED, AwardState.FAILED)
            )

        @precondition(lambda self: self.awards(AwardState.PAID, AwardState.DUE_BACK))
        @rule(data=st.data(), then=st.sampled_from([payments.claim, payments.recover, payments.forgive]))
        def bring_back(self, data: st.DataObject, then: object) -> None:
            award = data.draw(st.sampled_from(self.awards(AwardState.PAID, AwardState.DUE_BACK)))
            if then is payments.recover:
                was_refused = refused(payments.recover, award, by=checker)
            else:
                was_refused = refused(then, award, by=checker, reason="已毕业")
            assert was_refused == ((then is payments.claim) != (award.state == AwardState.PAID))

        @precondition(lambda self: self.awards(AwardState.PAID))
        @rule(data=st.data())
        def pay_again_behind_its_back(self, data: st.DataObject) -> None:
            """Who reaches past the acts is stopped by the database."""
            award = data.draw(st.sampled_from(self.awards(AwardState.PAID)))
            for deed in (Deed.PAY, Deed.SEND, Deed.APPROVE):
                try:
                    with transaction.atomic():
                        ledger.post(deed, batch=award.batch, awards=[award.pk], by=checker)
                except IntegrityError:
                    walked["refused"] += 1
                else:
                    raise AssertionError(f"{deed} was booked twice")

        # --- what holds after every step ---

        @invariant()
        def the_books_balance(self) -> None:
            walked["steps"] += 1
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT count(*) FROM (SELECT l.entry_id FROM subsidies_line l GROUP BY l.entry_id, l.award_id"
                    " HAVING sum(amount) <> 0) unbalanced"
                )
                assert cursor.fetchone() == (0,)

        @invariant()
        def the_money_stands_where_the_award_says(self) -> None:
            held: dict[int, dict[str, Decimal]] = {}
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT l.award_id, c.place, sum(l.amount) FROM subsidies_line l"
                    " JOIN subsidies_account c ON c.id = l.account_id WHERE c.programme_id = %s"
                    " GROUP BY l.award_id, c.place HAVING sum(l.amount) <> 0",
                    [self.programme.pk],
                )
                for award, place, amount in cursor.fetchall():
                    held.setdefault(award, {})[place] = amount
            for award in self.awards(*AwardState):
                wanted = {place: sign * award.amount for place, sign in PLACES[AwardState(award.state)].items()}
                assert held.get(award.pk, {}) == wanted

        @invariant()
        def nobody_is_paid_twice(self) -> None:
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT a.student_id FROM subsidies_award a JOIN subsidies_payment p ON p.award_id = a.id"
                    " WHERE a.programme_id = %s AND p.state IN ('sent', 'paid') GROUP BY a.student_id HAVING count(*) > 1",
                    [self.programme.pk],
                )
                assert cursor.fetchall() == []

    return Money


def test_money_adds_up_whatever_happens(county: SmallCounty) -> None:
    run_state_machine_as_test(
        machine(county),
        settings=settings(
            max_examples=max(1, STEPS // WALK),
            stateful_step_count=WALK,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate],
            database=None,
            print_blob=False,
        ),
    )
    assert walked["steps"] >= STEPS // 2
    assert walked["refused"] > 0
    assert Entry.objects.filter(deed=Deed.APPROVE.value).exists()
    print(f"\n{walked['steps']} steps, {walked['refused']} refusals, {Entry.objects.count()} entries, 0 violations")
