"""Amounts and cards as lists of aid will bring them: what the parsers of such columns read, ask and refuse."""

from __future__ import annotations

from decimal import Decimal

import pytest

from eduaid.core.cells import Cell, Damaged
from eduaid.core.text import Parsed, Problem, parse_amount, parse_card

CARD = "6222021234567890128"


@pytest.mark.case("C30")
@pytest.mark.parametrize(
    ("cell", "unit", "yuan", "note"),
    [
        ("1250元", "元", "1250.00", "amount-form"),
        ("0.125万元", "元", "1250.00", "amount-unit"),
        ("1,250.00", "元", "1250.00", "amount-form"),
        ("￥1250", "元", "1250.00", "amount-form"),
        ("１２５０", "元", "1250.00", "amount-form"),
        ("壹仟贰佰伍拾", "元", "1250.00", "amount-words"),
        ("壹仟贰佰伍拾元整", "元", "1250.00", "amount-words"),
        (0.125, "万元", "1250.00", "amount-unit"),
        ("0.125", "万元", "1250.00", "amount-unit"),
        (1250.0, "元", "1250.00", ""),
    ],
)
def test_an_amount_that_can_be_read_in_one_way_is_read_and_noted(cell: Cell, unit: str, yuan: str, note: str) -> None:
    assert parse_amount(cell, unit="万元" if unit == "万元" else "元") == Parsed(Decimal(yuan), note)


@pytest.mark.case("C30")
def test_an_amount_by_term_and_a_unit_against_the_header_are_asked() -> None:
    assert parse_amount("1250/学期") == Problem("amount-rate")
    assert parse_amount("每月100元") == Problem("amount-rate")
    assert parse_amount("1250元", unit="万元") == Problem("amount-unit")
    assert {Problem("amount-rate").level, Problem("amount-unit").level} == {"ask"}


@pytest.mark.case("C31")
@pytest.mark.parametrize(
    ("cell", "code"),
    [
        (1250.005, "amount-scale"),
        ("1250.005", "amount-scale"),
        (-500.0, "amount-negative"),
        ("-500", "amount-negative"),
        ("1.25E+3", "amount-form"),
        (1.25e20, "amount-form"),
        ("(1250)", "amount-form"),
        ("免", "amount-form"),
        (True, "amount-form"),
    ],
)
def test_amounts_that_are_none_or_too_fine_are_refused(cell: Cell, code: str) -> None:
    assert parse_amount(cell) == Problem(code)
    assert Problem(code).level == "error"


@pytest.mark.case("C31")
def test_the_noise_of_binary_fractions_is_no_third_decimal_and_reversals_may_be_negative() -> None:
    assert parse_amount(0.1 + 0.2) == Parsed(Decimal("0.30"))
    assert parse_amount(0.0) == Parsed(Decimal("0.00"))
    assert parse_amount(-500.0, signed=True) == Parsed(Decimal("-500.00"))
    assert parse_amount("-500", signed=True) == Parsed(Decimal("-500.00"))


@pytest.mark.case("C34")
@pytest.mark.parametrize(
    ("cell", "answer"),
    [
        (CARD, Parsed(CARD)),
        ("6222 0212 3456 7890 128", Parsed(CARD, "card-form")),
        (f"'{CARD}", Parsed(CARD, "card-form")),
        (Damaged(CARD), Problem("card-damaged")),
        (6.22202123456789e18, Problem("card-damaged")),
        ("6.22202E+18", Problem("card-damaged")),
        ("6222************128", Problem("card-masked")),
        ("6222O21234567890128", Problem("card-form")),
        (CARD[:-1] + "9", Problem("card-luhn")),
        (CARD[:14], Problem("card-length", {"length": 14})),
        ("无", Parsed("", "none-said")),
    ],
)
def test_cards_are_read_where_no_digit_is_lost_and_doubtful_ones_asked(cell: Cell, answer: object) -> None:
    assert parse_card(cell) == answer


@pytest.mark.case("C34")
def test_a_wrong_check_digit_of_a_card_may_be_confirmed_and_a_lost_one_may_not() -> None:
    assert (Problem("card-luhn").level, Problem("card-damaged").level) == ("ask", "error")
