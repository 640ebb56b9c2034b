"""Numbers of invented people."""

import random
from datetime import date

import pytest

from students.demo.identifiers import IdentityNumbers, check_digit, fifteen_digits, phone, registry_number


@pytest.mark.parametrize(
    ("body", "digit"),
    [("11010519491231002", "X"), ("44052418800101001", "4"), ("99012120140119658", "3")],
)
def test_check_digit_follows_the_national_standard(body: str, digit: str) -> None:
    assert check_digit(body) == digit


def test_numbers_are_never_issued_twice() -> None:
    numbers = IdentityNumbers(random.Random(1))
    issued = [numbers.issue("990121", date(2015, 3, 4), "男") for _ in range(400)]
    assert len(set(issued)) == 400
    assert {number[:14] for number in issued} == {"99012120150304"}
    assert all(int(number[16]) % 2 == 1 for number in issued)


def test_running_out_of_numbers_is_an_error() -> None:
    numbers = IdentityNumbers(random.Random(1))
    for _ in range(499):
        numbers.issue("990121", date(2015, 3, 4), "女")
    with pytest.raises(ValueError, match="no sequence number is left"):
        numbers.issue("990121", date(2015, 3, 4), "女")


def test_a_twin_follows_the_elder_in_sequence() -> None:
    numbers = IdentityNumbers(random.Random(1))
    elder = numbers.issue("990121", date(2015, 3, 4), "男")
    younger = numbers.issue("990121", date(2015, 3, 4), "女", after=elder)
    assert int(younger[14:17]) == int(elder[14:17]) + 1


def test_old_numbers_have_fifteen_digits() -> None:
    assert fifteen_digits("990121197912133892") == "990121791213389"


def test_registry_numbers_take_one_of_three_forms() -> None:
    facts = {"id_no": "990121201401196583", "school_region": "990121", "born": date(2014, 1, 19), "serial": 7}
    assert registry_number("G", **facts) == "G990121201401196583"  # type: ignore[arg-type]
    assert registry_number("J", **facts) == "J990121201401190077"  # type: ignore[arg-type]
    assert registry_number("L", **facts) == "L990121201401190079"  # type: ignore[arg-type]


def test_telephones_come_from_one_block_and_differ() -> None:
    phones = [phone(serial) for serial in range(50_000)]
    assert len(set(phones)) == 50_000
    assert {number[:5] for number in phones} == {"19900"}
    assert {len(number) for number in phones} == {11}
