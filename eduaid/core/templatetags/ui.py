"""How figures, money, dates and states look: the one place that turns values into what people read.

Everything here is pure text work (no query, no settings), so that pages, tests and documents agree to the last digit.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from typing import Any, Protocol

from django import template
from django.forms import BaseForm
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

NONE = "—"
"""Shown where there is no value, or where a rate has a zero denominator: never 0, which would be a claim."""

YUAN_PER_WAN = Decimal(10_000)


class FigureLike(Protocol):
    """What `{% figure %}` needs: a number that leads to its rows. Money comes in 元 and is shown in 万元."""

    value: int | Decimal | str | None
    url: str
    unit: str
    label: str


# ---------------------------------------------------------------------------------------------------- numbers


@register.filter
def number(value: int | float | Decimal | None) -> str:
    """39528 → 39,528; decimals keep the places that they have."""
    if value is None or value == "":
        return NONE
    return f"{value:,}"


@register.simple_tag
def percent(numerator: int | Decimal | None, denominator: int | Decimal | None, places: int = 2) -> str:
    """A rate as a percentage: 9336, 9351 → 99.84%.

    Never rounded up to 100 while somebody is missing (99.996 → 99.99%); a zero denominator gives —.
    """
    if numerator is None or not denominator:
        return NONE
    step = Decimal(1).scaleb(-places)
    exact = Decimal(numerator) * 100 / Decimal(denominator)
    shown = exact.quantize(step, ROUND_HALF_UP)
    if shown == 100 and exact < 100:
        shown = exact.quantize(step, ROUND_DOWN)
    return f"{shown}%"


@register.filter
def yuan(value: Decimal | int | None) -> str:
    """1234.5 → 1,234.50 (元)."""
    return NONE if value is None or value == "" else f"{Decimal(value).quantize(Decimal('0.01'), ROUND_HALF_UP):,}"


@register.filter
def wan(value: Decimal | int | None) -> str:
    """Yuan as 万元 for a table: four places always, 4124600 → 412.4600."""
    if value is None or value == "":
        return NONE
    return f"{(Decimal(value) / YUAN_PER_WAN).quantize(Decimal('0.0001'), ROUND_HALF_UP):,}"


@register.filter
def wan_text(value: Decimal | int | None) -> str:
    """Yuan as 万元 for a sentence: at most four places, trailing zeros gone, no separators, 718125 → 71.8125."""
    if value is None or value == "":
        return NONE
    shown = (Decimal(value) / YUAN_PER_WAN).quantize(Decimal("0.0001"), ROUND_HALF_UP)
    return f"{shown:f}".rstrip("0").rstrip(".")


@register.filter
def money(value: Decimal | int | None) -> SafeString:
    """万元 for a table, with a hint where 角 or 分 are hidden by the four places (0.0001 万元 is 1 元)."""
    shown = wan(value)
    if value is None or value == "" or Decimal(value) == Decimal(value).to_integral_value():
        return format_html("{}", shown)
    return format_html(
        '<span class="hint-cents" title="{}元">{}<span class="vh">(含角分,合{}元)</span></span>',
        yuan(value),
        shown,
        yuan(value),
    )


# ------------------------------------------------------------------------------------------------------ dates


def _local(value: dt.date | dt.datetime) -> dt.date | dt.datetime:
    """An aware moment in the county's own time; dates stay as they are."""
    return timezone.localtime(value) if isinstance(value, dt.datetime) and timezone.is_aware(value) else value


@register.filter
def zh_date(value: dt.date | dt.datetime | None) -> str:
    """2026年9月1日, for prose, headings and forms."""
    if not value:
        return NONE
    day = _local(value)
    return f"{day.year}年{day.month}月{day.day}日"


@register.filter
def zh_moment(value: dt.datetime | None) -> str:
    """2026年11月27日17时 on the hour, else 2026年11月27日17:05."""
    if not value:
        return NONE
    at = _local(value)
    assert isinstance(at, dt.datetime)
    return zh_date(at) + (f"{at.hour}时" if at.minute == 0 else f"{at:%H:%M}")


@register.filter
def dense_date(value: dt.date | dt.datetime | None) -> str:
    """2026-09-01, for columns that are sorted and compared."""
    return f"{_local(value):%Y-%m-%d}" if value else NONE


@register.filter
def dense_moment(value: dt.datetime | None) -> str:
    """2026-09-01 08:05."""
    return f"{_local(value):%Y-%m-%d %H:%M}" if value else NONE


@register.filter
def zh_week(value: dt.date | None) -> str:
    """2026年第48周(11月23日—11月29日): the ISO week of the day."""
    if not value:
        return NONE
    year, week, weekday = value.isocalendar()
    monday = value - dt.timedelta(days=weekday - 1)
    sunday = monday + dt.timedelta(days=6)
    return f"{year}年第{week}周({monday.month}月{monday.day}日—{sunday.month}月{sunday.day}日)"


@register.simple_tag
def ago(value: dt.datetime, now: dt.datetime | None = None) -> str:
    """Notices only: 刚刚, 5 分钟前, 3 小时前; from a day on the date itself."""
    seconds = ((now or timezone.now()) - value).total_seconds()
    if seconds < 60:
        return "刚刚"
    if seconds < 3600:
        return f"{int(seconds // 60)} 分钟前"
    if seconds < 86400:
        return f"{int(seconds // 3600)} 小时前"
    return zh_date(value)


@register.filter
def duration(seconds: int | float | None) -> str:
    """Time left or spent, roughly: 8 秒, 3 分钟, 1 小时 20 分."""
    if seconds is None:
        return NONE
    whole = round(seconds)
    if whole < 60:
        return f"{whole} 秒"
    if whole < 3600:
        return f"{round(whole / 60)} 分钟"
    return f"{whole // 3600} 小时 {whole % 3600 // 60} 分"


@register.filter
def file_size(size: int | None) -> str:
    """620000 → 605 KB."""
    if size is None:
        return NONE
    if size < 1024 * 1024:
        return f"{max(1, round(size / 1024))} KB"
    return f"{size / 1024 / 1024:.1f} MB"


# ------------------------------------------------------------------------------------------------------ masks


def _masked(shown: str, spoken: str) -> SafeString:
    return format_html(
        '<span class="mono mask"><span aria-hidden="true">{}</span><span class="vh">{}</span></span>', shown, spoken
    )


@register.filter
def mask_id(value: str | None) -> SafeString:
    """362331************ : the region only; with birth date and village on the page any later digit identifies."""
    if not value:
        return format_html("{}", NONE)
    return _masked(value[:6] + "*" * 12, "证件号已隐藏")


@register.filter
def mask_phone(value: str | None) -> SafeString:
    """138****0001; a number with fewer than eleven digits is hidden whole."""
    if not value:
        return format_html("{}", NONE)
    shown = f"{value[:3]}****{value[-4:]}" if len(value) >= 11 else "*" * len(value)
    return _masked(shown, "电话已隐藏")


@register.filter
def mask_card(value: str | None) -> SafeString:
    """Bank card: the last four digits."""
    if not value:
        return format_html("{}", NONE)
    return _masked(f"尾号{value[-4:]}", "银行卡号已隐藏")


@register.filter
def mask_name(value: str | None) -> str:
    """For readers outside the scope: 李*雨, 李*."""
    if not value:
        return NONE
    return value[0] + "*" * max(1, len(value) - 2) + (value[-1] if len(value) > 2 else "")


# ------------------------------------------------------------------------------------------- figures, states


def figure_text(value: int | Decimal | str | None, unit: str, *, table: bool = False) -> tuple[str, str]:
    """The number as shown, and the unit that goes with it: money held in 元 becomes 万元."""
    if value is None:
        return NONE, unit
    if isinstance(value, str):
        return value, unit
    if unit == "元":
        return (wan(value) if table else wan_text(value)), "万元"
    return number(value), unit


@register.simple_tag
def figure(item: FigureLike | int | Decimal | None, *, table: bool = False) -> SafeString:
    """A number that leads to its rows. With `table=True` the unit is left to the column's header.

    A figure without an address (its rows lie beyond the reader's scope) stays a plain number.
    """
    if item is None or isinstance(item, (int, Decimal)):
        return format_html('<span class="fig">{}</span>', number(item))
    shown, unit = figure_text(item.value, item.unit, table=table)
    small = "" if table or not unit or unit == "%" else format_html(' <small class="unit">{}</small>', unit)
    if not getattr(item, "url", "") or item.value is None:
        return format_html('<span class="fig">{}</span>{}', shown, small)
    spoken = "" if table else format_html(' aria-label="{} {} {}"', item.label, shown, unit)
    return format_html(
        '<a class="fig" href="{}" data-value="{}"{}>{}</a>{}', item.url, item.value, spoken, shown, small
    )


SHAPES: Mapping[str, str] = {"ok": "●", "warn": "▲", "bad": "■", "mute": "○"}


@register.simple_tag(name="tag")
def state_tag(level: str, label: str) -> SafeString:
    """A state as word, shape and colour: ok ●, warn ▲, bad ■, mute ○."""
    return format_html(
        '<span class="tag tag-{}"><span aria-hidden="true">{}</span> {}</span>', level, SHAPES[level], label
    )


@register.simple_tag
def bar(numerator: int | Decimal | None, denominator: int | Decimal | None) -> SafeString:
    """A thin bar beside a rate, decoration only: the number and the gap stand in the table."""
    share = min(Decimal(100), Decimal(numerator) * 100 / Decimal(denominator)) if numerator and denominator else 0
    return format_html(
        '<svg class="meter" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true" focusable="false">'
        '<rect class="meter-bg" width="100" height="6"/><rect class="meter-fg" width="{}" height="6"/></svg>',
        f"{share:.2f}",
    )


# ------------------------------------------------------------------------------------------------------ icons

ICONS: Mapping[str, str] = {
    "home": "M4 11l8-7 8 7M6 10v10h12V10M10 20v-6h4v6",
    "chart": "M4 4v16h16M8 16v-5M12 16V8M16 16v-3",
    "upload": "M12 16V4M7 9l5-5 5 5M4 16v4h16v-4",
    "people": "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM3 20c0-3.5 2.5-6 6-6s6 2.5 6 6M16 4.5a3.5 3.5 0 0 1 0 6"
    "M17.5 14.5c2.2.8 3.5 2.8 3.5 5.5",
    "yuan": "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM8.5 7.5L12 12l3.5-4.5M8.5 12.5h7M8.5 15h7M12 12v5",
    "school": "M3 9l9-5 9 5-9 5-9-5zM7 11.5V17c1.5 1.3 3 2 5 2s3.5-.7 5-2v-5.5M21 9v6",
    "report": "M6 3h8l5 5v13H6zM14 3v5h5M9 13h7M9 17h7",
    "gear": "M4 7h9M17 7h3M4 17h3M11 17h9M15 9.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z"
    "M9 19.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z",
    "search": "M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM15.5 15.5L20 20",
    "download": "M12 4v12M7 11l5 5 5-5M4 20h16",
    "more": "M5 12h.01M12 12h.01M19 12h.01",
    "help": "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM9.5 9.5a2.5 2.5 0 1 1 3.6 2.2c-.8.4-1.1.9-1.1 1.8M12 17h.01",
}


@register.simple_tag
def icon(name: str) -> SafeString:
    """One of the twelve drawings; always beside a word, so it is hidden from screen readers."""
    return format_html(
        '<svg class="icon" viewBox="0 0 24 24" width="20" height="20" fill="none" stroke="currentColor" '
        'stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false">'
        '<path d="{}"/></svg>',
        ICONS[name],
    )


# ------------------------------------------------------------------------------------------------------ trend


@dataclass(frozen=True)
class TrendPoint:
    """One past value of a figure, oldest first in a series."""

    label: str
    value: int | Decimal


@register.simple_tag
def trend(points: Sequence[TrendPoint], unit: str = "") -> SafeString:
    """A line over time on a zero base with the last point labelled; its table stands beside it on the page."""
    if len(points) < 2:
        return mark_safe("")
    width, height, top, bottom, left, right = 560, 150, 18, 24, 8, 76
    peak = max(max(Decimal(p.value) for p in points), Decimal(1))
    step = (width - left - right) / (len(points) - 1)
    dots = [
        (left + i * step, top + (height - top - bottom) * (1 - float(Decimal(p.value) / peak)))
        for i, p in enumerate(points)
    ]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in dots)
    base = height - bottom
    last_x, last_y = dots[-1]
    labels = format_html_join(
        "",
        '<text class="trend-axis" x="{}" y="{}" text-anchor="{}">{}</text>',
        (
            (f"{dots[i][0]:.1f}", height - 6, anchor, points[i].label)
            for i, anchor in ((0, "start"), (len(points) - 1, "middle"))
        ),
    )
    return format_html(
        '<svg class="trend" viewBox="0 0 {} {}" role="img" aria-label="走势:{}">'
        '<line class="trend-base" x1="{}" y1="{}" x2="{}" y2="{}"/><polyline class="trend-line" points="{}"/>'
        '<circle class="trend-dot" cx="{}" cy="{}" r="4"/><text class="trend-last" x="{}" y="{}">{}</text>{}</svg>',
        width,
        height,
        ",".join(f"{p.label} {figure_text(p.value, unit)[0]}{figure_text(p.value, unit)[1]}" for p in points),
        left,
        base,
        width - right,
        base,
        line,
        f"{last_x:.1f}",
        f"{last_y:.1f}",
        f"{last_x + 10:.1f}",
        f"{last_y + 5:.1f}",
        figure_text(points[-1].value, unit)[0],
        labels,
    )


# ------------------------------------------------------------------------------------------------ form errors


@dataclass(frozen=True)
class ErrorItem:
    """One line of the error summary: the same sentence as beside the field, and where the field is."""

    text: str
    anchor: str = ""


def _form_items(form: BaseForm) -> Iterator[ErrorItem]:
    for text in form.non_field_errors():
        yield ErrorItem(str(text))
    for field in form:
        for text in field.errors:
            yield ErrorItem(str(text), field.id_for_label or field.auto_id)


@register.simple_tag
def error_items(errors: Iterable[Any] | None, *forms: BaseForm | None) -> list[ErrorItem]:
    """All that the error summary must list, in page order: what the view found, then each bound form's errors.

    Entries may be `ErrorItem`s, plain sentences, or anything with `.text` and `.anchor`.
    """
    found = [
        ErrorItem(item) if isinstance(item, str) else ErrorItem(str(item.text), str(getattr(item, "anchor", "") or ""))
        for item in errors or ()
    ]
    for form in forms:
        if isinstance(form, BaseForm) and form.is_bound:
            found.extend(_form_items(form))
    return found
