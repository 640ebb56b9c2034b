import datetime as dt

import pytest

from eduaid.core.cells import BadDate, Cell
from eduaid.core.text import Parsed, Problem, parse_date, parse_month

DAY = dt.date(2012, 9, 1)


@pytest.mark.parametrize(
    ("cell", "note"),
    [
        ("2012-09-01", ""),
        (dt.date(2012, 9, 1), ""),
        (dt.datetime(2012, 9, 1), ""),  # noqa: DTZ001  spreadsheets know no time zone
        ("2012.9.1", "date-form"),
        ("2012/9/1", "date-form"),
        ("2012-9-1", "date-form"),
        ("2012年9月1日", "date-form"),
        ("2012年09月01日生", "date-form"),
        ("20120901", "date-form"),
        (20120901.0, "date-form"),
        ("２０１２．９．１", "date-form"),
        ("2012、9、1", "date-form"),
        ("二〇一二年九月一日", "date-form"),
        ("2012-09-01 00:00:00", "date-form"),
        ("2012-09-01T00:00:00", "date-form"),
        (41153.0, "date-number"),
        ("41153", "date-number"),
    ],
)
def test_every_usual_form_of_a_day_is_read(cell: Cell, note: str) -> None:
    assert parse_date(cell) == Parsed(DAY, note)


def test_a_serial_counts_from_the_epoch_of_its_workbook() -> None:
    assert parse_date(39691.0, epoch_1904=True) == Parsed(DAY, "date-number")
    assert parse_date(0.0, epoch_1904=True) == Parsed(dt.date(1904, 1, 1), "date-number")
    assert parse_date(59.0) == Parsed(dt.date(1900, 2, 28), "date-number")
    assert parse_date(61.0) == Parsed(dt.date(1900, 3, 1), "date-number")


@pytest.mark.parametrize(
    ("cell", "code", "level"),
    [
        ("2012年9月", "date-day", "ask"),
        ("2012.9", "date-day", "ask"),
        (2012.9, "date-day", "ask"),
        ("201209", "date-day", "ask"),
        ("2012", "date-month", "ask"),
        (2012.0, "date-month", "ask"),
        ("12.9.1", "date-century", "ask"),
        ("120901", "date-century", "ask"),
        ("1/9/2012", "date-order", "ask"),
        ("2012/13/01", "date-invalid", "error"),
        ("2012-02-30", "date-invalid", "error"),
        (60.0, "date-serial", "error"),
        (-5.0, "date-serial", "error"),
        (2958466.0, "date-serial", "error"),
        (BadDate(60.0), "date-serial", "error"),
        (dt.time(12), "date-serial", "error"),
        (25569.5, "date-time", "error"),
        (dt.datetime(2012, 9, 1, 8), "date-time", "error"),  # noqa: DTZ001  spreadsheets know no time zone
        ("2012-09-01 08:30", "date-time", "error"),
        ("0012-09-01", "date-range", "error"),
        (dt.date(1899, 12, 31), "date-range", "error"),
        ("生日", "date-form", "error"),
        (True, "date-form", "error"),
    ],
)
def test_ambiguous_and_impossible_days_are_never_guessed(cell: Cell, code: str, level: str) -> None:
    answer = parse_date(cell)
    assert isinstance(answer, Problem)
    assert (answer.code, answer.level) == (code, level)


@pytest.mark.parametrize("cell", [None, "", " \u3000"])
def test_a_blank_day_is_no_finding(cell: Cell) -> None:
    assert parse_date(cell) is None
    assert parse_month(cell) is None


@pytest.mark.parametrize(
    "cell",
    [
        "201209",
        "2012-09",
        "2012.9",
        "2012年9月",
        "2012年9月份",
        201209.0,
        2012.9,
        "2012-09-15",
        "20120901",
        "二〇一二年九月",
    ],
)
def test_a_month_is_read_as_its_first_day(cell: Cell) -> None:
    assert parse_month(cell) == Parsed(DAY, "month-start")


def test_a_month_that_lost_its_zero_is_asked() -> None:
    assert parse_month(2012.1) == Problem("month-zero")
    assert Problem("month-zero").level == "ask"
    assert parse_month("2012.10") == Parsed(dt.date(2012, 10, 1), "month-start")
    assert parse_month("秋季") == Problem("month-form")
