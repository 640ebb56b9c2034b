import datetime as dt
import random

import pytest
from stdnum.cn import ric

from eduaid.core.cells import Damaged, ErrorValue, Uncached
from eduaid.core.text import (
    IdNumber,
    Parsed,
    Problem,
    XuejiNumber,
    check_digit,
    damaged_prefix,
    id_candidates,
    id_region_is_known,
    is_valid_id,
    parse_id,
    parse_xueji,
    possible_ids,
)

GIRL = "990121201209012342"
BOY = "99012120120901003X"


def test_a_valid_id_tells_birth_date_and_sex() -> None:
    assert parse_id(GIRL) == Parsed(IdNumber(GIRL, "1", dt.date(2012, 9, 1), "2"))
    assert parse_id(BOY) == Parsed(IdNumber(BOY, "1", dt.date(2012, 9, 1), "1"))


@pytest.mark.parametrize(
    ("cell", "note"),
    [
        ("99012120120901003x", "upper-case"),
        ("９９０１２１２０１２０９０１００３Ｘ", "half-width"),
        ("990121 20120901 003X", "tidied"),
        ("\u200b990121\xa020120901003X\ufeff\n", "tidied"),
        ("\u3000990121201209010\u202d03X", "tidied"),
        ("'99012120120901003X", "unquoted"),
        ('="99012120120901003X"', "unquoted"),
    ],
)
def test_harmless_spellings_of_an_id_are_read_and_noted(cell: str, note: str) -> None:
    assert parse_id(cell) == Parsed(IdNumber(BOY, "1", dt.date(2012, 9, 1), "1"), note)


@pytest.mark.parametrize("cell", [None, "", "  ", "\u3000\u200b"])
def test_a_blank_id_is_no_finding(cell: str | None) -> None:
    assert parse_id(cell) is None


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        (Damaged("362331201209012000"), "id-damaged"),
        ("3.62331E+17", "id-damaged"),
        ("3.6233120120901235E17", "id-damaged"),
        ("990121201209011000", "id-damaged"),  # rounded by a spreadsheet, then turned into text
        ("990121********2342", "id-masked"),
        ("990121xxxxxxxx2342", "id-masked"),
        ("9901212O1209012342", "id-characters"),
        ("99012l201209012342", "id-characters"),
        ("99012120120901234*", "id-characters"),
        ("990121-20120901-2342", "id-characters"),
        ("990121201209012343", "id-check"),
        ("990121201213012345", "id-birth"),
        ("990121120901234", "id-15"),
        (990121120901234.0, "id-15"),
        ("99012120120901234", "id-length"),
        ("9901212012090123421", "id-length"),
        (12345.0, "id-length"),
        ("无", "id-none"),
        ("未办理", "id-none"),
        ("同上", "id-none"),
        ("1", "id-none"),
        ("G990121201209012342", "id-xueji"),
        ("E12345678", "id-type"),
        ("身份证", "id-other"),
        (True, "id-other"),
        (ErrorValue("#N/A"), "cell-error"),
        (Uncached(3), "cell-uncached"),
        ("990121201209012342\x00", "cell-control"),
    ],
)
def test_unusable_ids_are_named_and_never_guessed(cell: object, code: str) -> None:
    answer = parse_id(cell)  # type: ignore[arg-type]
    assert isinstance(answer, Problem)
    assert answer.code == code


def test_a_rounded_number_is_damaged_even_where_its_check_digit_fits() -> None:
    fitting = next(
        number
        for day in range(1, 29)
        if is_valid_id(number := f"990121201209{day:02d}1000") or is_valid_id(number := f"990121201209{day:02d}2000")
    )
    assert parse_id(Damaged(fitting)) == Problem("id-damaged")
    assert parse_id(fitting) == Parsed(
        IdNumber(fitting, "1", dt.date(2012, 9, int(fitting[12:14])), "2")
    )  # as text it is a valid number; the checks of a row put it to a person


def test_fifteen_digits_are_asked_and_a_wrong_check_digit_is_an_error() -> None:
    assert Problem("id-15").level == "ask"
    assert Problem("id-check").level == "error"


def test_no_problem_repeats_the_number() -> None:
    for cell in ("990121201209012343", "990121********2342", "99012120120901234", "3.62331E+17"):
        answer = parse_id(cell)
        assert isinstance(answer, Problem)
        assert cell not in answer.sentence
        assert "9901" not in answer.sentence + str(answer.params)


def test_other_id_types_have_no_check_digit() -> None:
    assert parse_id("E12345678", "A") == Parsed(IdNumber("E12345678", "A"))
    assert parse_id("h12345678", "6") == Parsed(IdNumber("H12345678", "6"), "upper-case")
    assert parse_id(12345678.0, "8") == Parsed(IdNumber("12345678", "8"), "from-number")
    assert parse_id("无", "Z") == Problem("id-none")


def test_a_residence_permit_of_hong_kong_is_checked_like_a_resident_id() -> None:
    number = "81000020120901001" + check_digit("81000020120901001")
    assert parse_id(number) == Parsed(IdNumber(number, "1", dt.date(2012, 9, 1), "1"))


def test_the_check_agrees_with_an_independent_implementation() -> None:
    chance = random.Random(7)
    for _ in range(2000):
        digits = "990121" + f"{chance.randrange(1950, 2025)}{chance.randrange(1, 13):02d}{chance.randrange(1, 29):02d}"
        digits += f"{chance.randrange(1000):03d}"
        expected = ric.calc_check_digit(digits + "0")
        assert check_digit(digits) == expected
        assert [last for last in "0123456789X" if is_valid_id(digits + last)] == [expected]


def test_every_single_wrong_digit_and_every_swap_of_neighbours_is_noticed() -> None:
    for place in range(17):
        for digit in "0123456789":
            if digit != GIRL[place]:
                assert not is_valid_id(GIRL[:place] + digit + GIRL[place + 1 :])
        if GIRL[place] != GIRL[place + 1]:
            assert not is_valid_id(GIRL[:place] + GIRL[place + 1] + GIRL[place] + GIRL[place + 2 :])


@pytest.mark.parametrize(
    "typed",
    [
        "990121201209012142",  # a wrong digit
        "990121201209021342"[:12] + "102342",  # two neighbours swapped: 01 → 10
        "99012120120901242",  # a digit lost
        "9901212012009012342",  # a digit doubled
    ],
)
def test_the_right_id_is_among_the_candidates_for_one_typing_error(typed: str) -> None:
    assert GIRL in id_candidates(typed)


def test_candidates_are_few_and_all_valid() -> None:
    candidates = id_candidates("990121201209012343")
    assert 1 < len(candidates) <= 35
    assert all(map(is_valid_id, candidates))
    assert id_candidates("12345") == []


def test_the_digits_that_rounding_leaves_can_be_looked_up() -> None:
    assert damaged_prefix(Damaged("990121201209012000")) == "990121201209012"
    assert damaged_prefix("9.90121201209012E+17") == "990121201209012"
    assert damaged_prefix("9.90121E+17") == ""


def test_the_region_is_only_a_hint() -> None:
    assert id_region_is_known("362331201209010000")  # a county that became a city district's part later
    assert not id_region_is_known(GIRL)
    assert id_region_is_known(GIRL, also={"990121"})


def test_a_formal_registry_number_holds_the_id_of_its_day() -> None:
    assert parse_xueji(f"G{GIRL}") == Parsed(XuejiNumber(f"G{GIRL}", "G", GIRL))
    assert parse_xueji(f" g{BOY.lower()} ") == Parsed(XuejiNumber(f"G{BOY}", "G", BOY), "tidied")


def test_temporary_and_id_less_registry_numbers_are_known_by_their_letter() -> None:
    assert parse_xueji("L990121201209011234") == Parsed(XuejiNumber("L990121201209011234", "L", None))
    assert parse_xueji("J990121201209010011") == Parsed(XuejiNumber("J990121201209010011", "J", None))
    assert parse_xueji(f"L{GIRL}") == Parsed(XuejiNumber(f"L{GIRL}", "L", GIRL))


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        (GIRL, "xueji-id"),
        (f"G{GIRL[:-1]}3", "xueji-embedded"),
        ("G12345", "xueji-form"),
        ("L990121201213011234", "xueji-birth"),
        (Damaged("990121201209012000"), "id-damaged"),
    ],
)
def test_wrong_registry_numbers_are_named(cell: object, code: str) -> None:
    answer = parse_xueji(cell)  # type: ignore[arg-type]
    assert isinstance(answer, Problem)
    assert answer.code == code


RIGHT = "99012120120901234" + check_digit("99012120120901234")


@pytest.mark.parametrize(
    ("text", "birth"),
    [
        (RIGHT[:16] + "5" + RIGHT[17:], None),
        (RIGHT[:15] + RIGHT[16] + RIGHT[15] + RIGHT[17:], None),
        (RIGHT[:17], None),
        (RIGHT[:9] + RIGHT[8:], None),
        (RIGHT.replace("0", "O", 1), None),
        (RIGHT[:6] + "-" + RIGHT[6:], None),
        (RIGHT[:15] + "000", None),
        ("9.90121E+17", dt.date(2012, 9, 1)),
        (RIGHT[:6] + "********" + RIGHT[14:], dt.date(2012, 9, 1)),
    ],
)
def test_the_right_number_is_among_those_that_a_damaged_one_may_have_been(text: str, birth: dt.date | None) -> None:
    found = possible_ids(text, birth)
    assert RIGHT in found
    assert all(is_valid_id(number) for number in found)
    assert len(found) <= 1000


@pytest.mark.parametrize(
    ("text", "birth"), [("9.90121E+17", None), ("无", dt.date(2012, 9, 1)), ("", None), ("G12", None)]
)
def test_what_has_kept_too_little_may_have_been_anything(text: str, birth: dt.date | None) -> None:
    assert possible_ids(text, birth) == []
