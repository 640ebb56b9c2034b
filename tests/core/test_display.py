"""What numbers, money, dates and masks look like."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eduaid.core import display
from eduaid.core.display import CHINA, Rate


@pytest.mark.parametrize(
    ("value", "shown"), [(0, "0"), (39528, "39,528"), (Decimal("1234.50"), "1,234.50"), (None, "—")]
)
def test_numbers_have_thousands_separators(value: int | Decimal | None, shown: str) -> None:
    assert display.number(value) == shown


@pytest.mark.parametrize(
    ("numerator", "denominator", "shown"),
    [
        (9336, 9351, "99.84%"),
        (99_996, 100_000, "99.99%"),
        (999_999, 1_000_000, "99.99%"),
        (5, 5, "100.00%"),
        (0, 5, "0.00%"),
        (1, 3, "33.33%"),
        (2, 3, "66.67%"),
        (0, 0, "—"),
        (5, 0, "—"),
        (None, 5, "—"),
        (5, None, "—"),
        (201, 100, "201.00%"),
    ],
)
def test_a_rate_is_whole_only_when_nobody_is_missing(
    numerator: int | None, denominator: int | None, shown: str
) -> None:
    assert display.percent(numerator, denominator) == shown


def test_the_places_of_a_rate_come_from_its_definition() -> None:
    assert display.percent(9336, 9351, 1) == "99.8%"
    assert display.percent(9999, 10_000, 1) == "99.9%"
    assert display.percent(9999, 10_000, 0) == "99%"


@given(st.integers(1, 10**9), st.integers(0, 4))
def test_one_missing_person_always_keeps_the_rate_below_a_hundred(total: int, places: int) -> None:
    assert not display.percent(total - 1, total, places).startswith("100")


@pytest.mark.parametrize(
    ("yuan", "table", "text"),
    [
        ("4124600", "412.4600", "412.46"),
        ("718125", "71.8125", "71.8125"),
        ("107150", "10.7150", "10.715"),
        ("6000", "0.6000", "0.6"),
        ("40000", "4.0000", "4"),
        ("0", "0.0000", "0"),
        ("123456789.99", "12,345.6790", "12345.679"),
        ("-6000", "-0.6000", "-0.6"),
    ],
)
def test_yuan_become_wan_with_four_places_in_tables_and_none_to_spare_in_text(yuan: str, table: str, text: str) -> None:
    assert display.wan(Decimal(yuan)) == table
    assert display.wan_text(Decimal(yuan)) == text


def test_a_hidden_cent_is_known() -> None:
    assert display.has_cents(Decimal("312.50"))
    assert not display.has_cents(Decimal("312.00"))
    assert not display.has_cents(None)


def test_money_in_a_figure_is_shown_in_wan() -> None:
    assert display.figure_text(Decimal("4124600"), "元") == ("412.46", "万元")
    assert display.figure_text(Decimal("4124600"), "元", table=True) == ("412.4600", "万元")
    assert display.figure_text(4887, "人次") == ("4,887", "人次")
    assert display.figure_text("99.84", "%") == ("99.84", "%")
    assert display.figure_text(None, "人") == ("—", "人")


def test_dates_read_as_in_documents_or_as_in_columns() -> None:
    assert display.zh_date(dt.date(2026, 9, 1)) == "2026年9月1日"
    assert display.dense_date(dt.date(2026, 9, 1)) == "2026-09-01"
    assert display.zh_week(dt.date(2026, 11, 27)) == "2026年第48周（11月23日—11月29日）"
    assert display.zh_week(dt.date(2027, 1, 1)) == "2026年第53周（12月28日—1月3日）"
    assert display.zh_date(None) == "—"


def test_moments_are_told_by_the_clock_of_china() -> None:
    late = dt.datetime(2026, 11, 27, 16, 30, tzinfo=dt.UTC)
    assert display.zh_moment(late) == "2026年11月28日00:30"
    assert display.dense_moment(late) == "2026-11-28 00:30"
    assert display.zh_date(late) == "2026年11月28日"
    assert display.zh_moment(dt.datetime(2026, 11, 27, 17, 0, tzinfo=CHINA)) == "2026年11月27日17时"


@pytest.mark.parametrize(
    ("minutes", "shown"),
    [(0, "刚刚"), (5, "5 分钟前"), (59, "59 分钟前"), (60, "1 小时前"), (1439, "23 小时前"), (1440, "2026年11月26日")],
)
def test_a_notice_tells_how_long_ago_for_a_day(minutes: int, shown: str) -> None:
    now = dt.datetime(2026, 11, 27, 17, 0, tzinfo=CHINA)
    assert display.ago(now - dt.timedelta(minutes=minutes), now) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"), [(8.4, "8 秒"), (59.4, "59 秒"), (180, "3 分钟"), (4800, "1 小时 20 分"), (None, "—")]
)
def test_time_left_is_told_roughly(seconds: float | None, shown: str) -> None:
    assert display.duration(seconds) == shown


def test_file_sizes_are_told_in_what_fits() -> None:
    assert [display.file_size(n) for n in (0, 620_000, 52_428_800)] == ["1 KB", "605 KB", "50.0 MB"]


def test_masks_keep_what_helps_and_hide_what_identifies() -> None:
    assert display.mask_id("990121201305020018") == "990121************"
    assert display.mask_id("990121") == "990121************"
    assert display.mask_phone("13800000001") == "138****0001"
    assert display.mask_phone("0731-22") == "*******"
    assert display.mask_card("6222000000000001") == "尾号0001"
    assert [display.mask_id(None), display.mask_phone(""), display.mask_card(None)] == ["—", "—", "—"]


def test_a_rate_knows_its_text_and_its_share_of_a_bar() -> None:
    assert Rate(9336, 9351).text == "99.84%"
    assert Rate(3, 4).share == 75
    assert Rate(5, 0).share == 0
    assert Rate(5, 4).share == 100
