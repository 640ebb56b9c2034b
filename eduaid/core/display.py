"""How figures, money, dates and masked numbers read: the one place that pages, documents and tests share.

Plain text only, no HTML and no Django, so that a sentence in Word and a cell on a page agree to the last digit.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from typing import Literal
from zoneinfo import ZoneInfo

NONE = "—"
"""Shown where there is no value, or where a rate has a zero denominator: never 0, which would be a claim."""

CHINA = ZoneInfo("Asia/Shanghai")
YUAN_PER_WAN = Decimal(10_000)

Level = Literal["ok", "warn", "bad", "mute"]
Amount = int | Decimal


@dataclass(frozen=True)
class Rate:
    """A share of people or things; shown as a percentage with the places that its definition names."""

    numerator: Amount | None
    denominator: Amount | None
    places: int = 2

    @property
    def text(self) -> str:
        return percent(self.numerator, self.denominator, self.places)

    @property
    def share(self) -> Decimal:
        """0 to 100, for a bar; an unknown rate is an empty bar."""
        if not self.numerator or not self.denominator:
            return Decimal(0)
        return min(Decimal(100), Decimal(self.numerator) * 100 / Decimal(self.denominator))


@dataclass(frozen=True)
class State:
    """A state as it is shown: always a word, with the colour and shape of its level."""

    level: Level
    label: str


@dataclass(frozen=True)
class TrendPoint:
    """One past value of a figure, oldest first in a series."""

    label: str
    value: Amount


@dataclass(frozen=True)
class ErrorItem:
    """One line of the error summary: the same sentence as beside the field, and the id of that field."""

    text: str
    anchor: str = ""


# ---------------------------------------------------------------------------------------------------- numbers


def number(value: Amount | float | None) -> str:
    """39528 → 39,528; decimals keep the places that they have."""
    return NONE if value is None else f"{value:,}"


def percent(numerator: Amount | None, denominator: Amount | None, places: int = 2) -> str:
    """9336, 9351 → 99.84%. Never 100 while somebody is missing (99.996 → 99.99%); a zero denominator gives —."""
    if numerator is None or not denominator:
        return NONE
    step = Decimal(1).scaleb(-places)
    exact = Decimal(numerator) * 100 / Decimal(denominator)
    shown = exact.quantize(step, ROUND_HALF_UP)
    if exact < 100 <= shown:
        shown = exact.quantize(step, ROUND_DOWN)
    return f"{shown}%"


def yuan(value: Amount | None) -> str:
    """1234.5 → 1,234.50 (元)."""
    return NONE if value is None else f"{Decimal(value).quantize(Decimal('0.01'), ROUND_HALF_UP):,}"


def wan(value: Amount | None) -> str:
    """Yuan as 万元 for a table: four places always, 4124600 → 412.4600."""
    return NONE if value is None else f"{_wan(value):,}"


def wan_text(value: Amount | None) -> str:
    """Yuan as 万元 for a sentence: at most four places, no trailing zeros, no separators; 718125 → 71.8125."""
    return NONE if value is None else f"{_wan(value):f}".rstrip("0").rstrip(".")


def _wan(value: Amount) -> Decimal:
    return (Decimal(value) / YUAN_PER_WAN).quantize(Decimal("0.0001"), ROUND_HALF_UP)


def has_cents(value: Amount | None) -> bool:
    """Whether four places of 万元 (one yuan) hide 角 or 分."""
    return value is not None and Decimal(value) != Decimal(value).to_integral_value()


def figure_text(value: Amount | str | None, unit: str, *, table: bool = False) -> tuple[str, str]:
    """The number as shown and the unit that goes with it: money held in 元 becomes 万元, text stays as it is."""
    if value is None:
        return NONE, unit
    if isinstance(value, str):
        return value, unit
    if unit == "元":
        return (wan(value) if table else wan_text(value)), "万元"
    return number(value), unit


# ------------------------------------------------------------------------------------------------------ dates


def _local(value: dt.date) -> dt.date:
    """An aware moment by the clock of China; plain dates stay as they are."""
    return value.astimezone(CHINA) if isinstance(value, dt.datetime) and value.tzinfo else value


def zh_date(value: dt.date | None) -> str:
    """2026年9月1日, for prose, headings, forms and Word."""
    if value is None:
        return NONE
    day = _local(value)
    return f"{day.year}年{day.month}月{day.day}日"


def zh_moment(value: dt.datetime | None) -> str:
    """2026年11月27日17时 on the hour, else 2026年11月27日17:05."""
    if value is None:
        return NONE
    at = _local(value)
    assert isinstance(at, dt.datetime)
    return zh_date(at) + (f"{at.hour}时" if at.minute == 0 else f"{at:%H:%M}")


def dense_date(value: dt.date | None) -> str:
    """2026-09-01, for columns that are sorted and compared."""
    return NONE if value is None else f"{_local(value):%Y-%m-%d}"


def dense_moment(value: dt.datetime | None) -> str:
    """2026-09-01 08:05."""
    return NONE if value is None else f"{_local(value):%Y-%m-%d %H:%M}"


def zh_week(value: dt.date | None) -> str:
    """2026年第48周（11月23日—11月29日）: the ISO week of that day."""
    if value is None:
        return NONE
    year, week, weekday = value.isocalendar()
    monday = value - dt.timedelta(days=weekday - 1)
    sunday = monday + dt.timedelta(days=6)
    return f"{year}年第{week}周（{monday.month}月{monday.day}日—{sunday.month}月{sunday.day}日）"


def ago(value: dt.datetime, now: dt.datetime) -> str:
    """Notices only: 刚刚, 5 分钟前, 3 小时前; from a day on the date itself."""
    seconds = (now - value).total_seconds()
    if seconds < 60:
        return "刚刚"
    if seconds < 3600:
        return f"{int(seconds // 60)} 分钟前"
    if seconds < 86400:
        return f"{int(seconds // 3600)} 小时前"
    return zh_date(value)


def duration(seconds: float | None) -> str:
    """Time left or spent, roughly: 8 秒, 3 分钟, 1 小时 20 分."""
    if seconds is None:
        return NONE
    whole = round(seconds)
    if whole < 60:
        return f"{whole} 秒"
    if whole < 3600:
        return f"{round(whole / 60)} 分钟"
    return f"{whole // 3600} 小时 {whole % 3600 // 60} 分"


def file_size(size: int | None) -> str:
    """620000 → 605 KB."""
    if size is None:
        return NONE
    if size < 1024 * 1024:
        return f"{max(1, round(size / 1024))} KB"
    return f"{size / 1024 / 1024:.1f} MB"


# ------------------------------------------------------------------------------------------------------ masks


def mask_id(value: str | None) -> str:
    """362331************: the region only; beside a birth date and a village any later digit would identify."""
    return value[:6] + "*" * 12 if value else NONE


def mask_phone(value: str | None) -> str:
    """138****0001; a number with fewer than eleven digits is hidden whole."""
    if not value:
        return NONE
    return f"{value[:3]}****{value[-4:]}" if len(value) >= 11 else "*" * len(value)


def mask_card(value: str | None) -> str:
    """Bank card: 尾号 and the last four digits."""
    return f"尾号{value[-4:]}" if value else NONE
