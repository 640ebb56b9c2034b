from decimal import Decimal

import pytest

from eduaid.core.cells import Cell, Damaged, ErrorValue
from eduaid.core.text import (
    Parsed,
    Problem,
    parse_amount,
    parse_card,
    parse_flag,
    parse_phone,
    parse_region_code,
    parse_whole,
)


@pytest.mark.parametrize("cell", ["是", "√", "✓", "有", "1", 1.0, "Y", "y", True, " 是 ", "对", "ＴＲＵＥ"])
def test_yes_is_read_in_all_its_forms(cell: Cell) -> None:
    answer = parse_flag(cell)
    assert isinstance(answer, Parsed)
    assert answer.value is True


@pytest.mark.parametrize("cell", ["否", "×", "无", "0", 0.0, "N", False, "不是"])
def test_no_is_read_in_all_its_forms(cell: Cell) -> None:
    answer = parse_flag(cell)
    assert isinstance(answer, Parsed)
    assert answer.value is False


def test_blank_is_not_no_and_a_circle_is_asked() -> None:
    assert parse_flag(None) is None
    assert parse_flag(" ") is None
    assert parse_flag("○") == Problem("flag-form")
    assert parse_flag(2.0) == Problem("flag-form")
    assert parse_flag(ErrorValue("#REF!")) == Problem("cell-error", {"code": "#REF!"})


@pytest.mark.parametrize(
    ("cell", "value", "note"),
    [
        ("13807970001", "13807970001", ""),
        (13807970001.0, "13807970001", ""),
        ("138-0797-0001", "13807970001", "phone-form"),
        ("138 0797 0001", "13807970001", "phone-form"),
        ("+86 13807970001", "13807970001", "phone-form"),
        ("１３８０７９７０００１", "13807970001", "phone-form"),
        ("(0797)2234567", "0797-2234567", "phone-form"),
        ("0797-2234567", "0797-2234567", ""),
        ("02087654321", "020-87654321", "phone-form"),
        ("13807970001/13907970001", "13807970001、13907970001", "phone-several"),
        ("13807970001、13907970001", "13807970001、13907970001", "phone-several"),
        ("13807970001 13907970001", "13807970001、13907970001", "phone-several"),
        ("13807970001,13807970001", "13807970001", "phone-form"),
        ("2234567", "2234567", "phone-local"),
        ("无", "", "none-said"),
    ],
)
def test_phones_are_read_and_none_is_dropped(cell: Cell, value: str, note: str) -> None:
    assert parse_phone(cell) == Parsed(value, note)


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("138****8888", "phone-masked"),
        ("1380797000", "phone-form"),
        ("12345678901", "phone-form"),
        ("138O7970001", "phone-form"),
    ],
)
def test_unusable_phones_are_named(cell: str, code: str) -> None:
    answer = parse_phone(cell)
    assert isinstance(answer, Problem)
    assert answer.code == code


def test_a_card_number_is_checked_and_its_groups_joined() -> None:
    assert parse_card("6222021234567890128") == Parsed("6222021234567890128")
    assert parse_card("6222 0212 3456 7890 128") == Parsed("6222021234567890128", "card-form")
    assert parse_card("6222021234567890129") == Problem("card-luhn")
    assert parse_card("622202123456") == Problem("card-length", {"length": 12})
    assert parse_card(Damaged("6222021234567890000")) == Problem("card-damaged")
    assert parse_card("6.22202E+18") == Problem("card-damaged")
    assert parse_card("6222********0128") == Problem("card-masked")
    assert parse_card("无") == Parsed("", "none-said")
    assert parse_card(None) is None


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        (1250.0, "1250.00"),
        ("1250", "1250.00"),
        ("1250元", "1250.00"),
        ("1,250.00", "1250.00"),
        ("￥1250", "1250.00"),
        ("１２５０", "1250.00"),
        ("0.125万元", "1250.00"),
        ("壹仟贰佰伍拾", "1250.00"),
        ("壹仟贰佰伍拾元整", "1250.00"),
        ("壹万零伍佰元伍角", "10500.50"),
        ("叁佰壹拾贰元伍角", "312.50"),
        (0.1 + 0.2, "0.30"),
        (312.5, "312.50"),
        (0.0, "0.00"),
    ],
)
def test_amounts_that_can_be_read_in_one_way_are_read(cell: Cell, value: str) -> None:
    answer = parse_amount(cell)
    assert isinstance(answer, Parsed)
    assert answer.value == Decimal(value)
    assert str(answer.value) == value


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("1250/学期", "amount-rate"),
        ("每学期625", "amount-rate"),
        (1250.005, "amount-scale"),
        ("1.25E3", "amount-form"),
        ("壹贰元?", "amount-form"),
        ("abc", "amount-form"),
        (True, "amount-form"),
        (Damaged("1" * 16), "amount-form"),
    ],
)
def test_other_amounts_are_named(cell: Cell, code: str) -> None:
    answer = parse_amount(cell)
    assert isinstance(answer, Problem)
    assert answer.code == code


def test_the_header_says_the_unit_unless_the_cell_does() -> None:
    assert parse_amount("0.125", unit="万元") == Parsed(Decimal("1250.00"), "amount-unit")
    assert parse_amount(0.125, unit="万元") == Parsed(Decimal("1250.00"), "amount-unit")
    assert parse_amount("1250元", unit="万元") == Problem("amount-unit")


def test_counts_and_region_codes_are_plain_digits() -> None:
    assert parse_whole("35人") == Parsed(35)
    assert parse_whole(2024.0) == Parsed(2024)
    assert parse_whole("3.5") == Problem("number-form")
    assert parse_region_code("990121") == Parsed("990121")
    assert parse_region_code(990121.0) == Parsed("990121")
    assert parse_region_code("990121-示例县") == Parsed("990121", "code-form")
    assert parse_region_code("示例县") == Problem("region-form")
