"""Template tags and filters (built in, no load needed): the HTML around what `eduaid.core.display` says."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Protocol

from django import template
from django.forms import BaseForm, BoundField, Field
from django.utils import timezone
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString

from eduaid.core import display
from eduaid.core.display import Amount, ErrorItem, Level, Rate, State, TrendPoint
from eduaid.core.text import names

register = template.Library()


class FigureLike(Protocol):
    """What `{% figure %}` needs: a number that leads to its rows. Money comes in 元 and is shown in 万元."""

    @property
    def value(self) -> Amount | str | None: ...

    @property
    def url(self) -> str: ...

    @property
    def unit(self) -> str: ...

    @property
    def label(self) -> str: ...


def _filter(name: str, show: Callable[[Any], str]) -> None:
    """A filter for a value that may be absent: an undefined variable (an empty string) reads like None."""
    register.filter(name, lambda value: show(None if value == "" else value))


_filter("number", display.number)
_filter("yuan", display.yuan)
_filter("wan", display.wan)
_filter("wan_text", display.wan_text)
_filter("zh_date", display.zh_date)
_filter("zh_moment", display.zh_moment)
_filter("zh_week", display.zh_week)
_filter("dense_date", display.dense_date)
_filter("dense_moment", display.dense_moment)
_filter("duration", display.duration)
_filter("file_size", display.file_size)
_filter("mask_name", lambda value: names.mask_name(value) if value else display.NONE)

register.simple_tag(display.percent, name="percent")


@register.simple_tag
def ago(value: dt.datetime, now: dt.datetime | None = None) -> str:
    """Notices only: 刚刚, 5 分钟前, 3 小时前; from a day on the date itself."""
    return display.ago(value, now or timezone.now())


@register.filter
def money(value: Amount | None) -> SafeString:
    """万元 for a table, with a hint where the four places hide 角 or 分."""
    if value is None or not display.has_cents(value):
        return format_html("{}", display.wan(value))
    exact = display.yuan(value)
    shown = display.wan(value)
    return format_html(
        '<span title="含角分：{}元">{}<span class="vh">（含角分，合{}元）</span></span>', exact, shown, exact
    )


def _masked(shown: str, spoken: str) -> SafeString:
    if shown == display.NONE:
        return format_html("{}", shown)
    return format_html(
        '<span class="mono mask"><span aria-hidden="true">{}</span><span class="vh">{}</span></span>', shown, spoken
    )


@register.filter
def mask_id(value: str | None) -> SafeString:
    """362331************; a screen reader says that the number is hidden."""
    return _masked(display.mask_id(value), "证件号已隐藏")


@register.filter
def mask_phone(value: str | None) -> SafeString:
    """138****0001; a screen reader says that the number is hidden."""
    return _masked(display.mask_phone(value), "电话已隐藏")


@register.filter
def mask_card(value: str | None) -> SafeString:
    """尾号0001; a screen reader says that the number is hidden."""
    return _masked(display.mask_card(value), "银行卡号已隐藏")


# ------------------------------------------------------------------------------------------- figures, states


@register.simple_tag
def figure(item: FigureLike | Amount | None, *, table: bool = False) -> SafeString:
    """A number that leads to its rows. With `table=True` the unit is left to the column's header.

    A figure without an address (its rows lie beyond the reader's scope) stays a plain number.
    """
    if item is None or isinstance(item, (int, Decimal)):
        return format_html('<span class="fig">{}</span>', display.number(item))
    shown, unit = display.figure_text(item.value, item.unit, table=table)
    small = "" if table or not unit or unit == "%" else format_html(' <small class="unit">{}</small>', unit)
    if not item.url or item.value is None:
        return format_html('<span class="fig">{}</span>{}', shown, small)
    spoken = "" if table else format_html(' aria-label="{} {} {}"', item.label, shown, unit)
    return format_html(
        '<a class="fig{}" href="{}" data-value="{}"{}>{}</a>{}',
        " zero" if item.value == 0 else "",
        item.url,
        item.value,
        spoken,
        shown,
        small,
    )


@register.simple_tag
def figure_prose(item: FigureLike) -> SafeString:
    """A figure inside a report sentence: the unit follows at once, no thousands separators (9351人, 412.46万元)."""
    shown, unit = display.figure_text(item.value, item.unit)
    text = (shown.replace(",", "") if not isinstance(item.value, str) else shown) + ("" if unit == "%" else unit)
    if not item.url or item.value is None:
        return format_html('<span class="fig">{}</span>', text)
    return format_html('<a class="fig" href="{}" data-value="{}">{}</a>', item.url, item.value, text)


SHAPES: Mapping[Level, str] = {"ok": "●", "warn": "▲", "bad": "■", "mute": "○"}


@register.simple_tag(name="tag")
def state_tag(level: Level, label: str) -> SafeString:
    """A state as word, shape and colour: ok ●, warn ▲, bad ■, mute ○."""
    return format_html(
        '<span class="tag tag-{}"><span aria-hidden="true">{}</span> {}</span>', level, SHAPES[level], label
    )


@register.simple_tag
def state(item: State | None) -> SafeString:
    """A `State`, or nothing where there is none."""
    return state_tag(item.level, item.label) if item else SafeString("")


@register.simple_tag
def bar(rate: Rate) -> SafeString:
    """A thin bar beside a rate far from 100 %, decoration only; where rates are 97–100 % a gap column says more."""
    return format_html(
        '<svg class="meter" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true" focusable="false">'
        '<rect class="meter-bg" width="100" height="6"/><rect class="meter-fg" width="{}" height="6"/></svg>',
        f"{rate.share:.2f}",
    )


@register.simple_tag
def cell(item: FigureLike | Rate | State | Amount | str | None) -> SafeString:
    """What a table cell holds, by its kind: a figure, a rate, a state, a number or text."""
    if isinstance(item, Rate):
        return format_html('<span class="fig">{}</span>', item.text)
    if isinstance(item, State):
        return state(item)
    if isinstance(item, str):
        return format_html("{}", item)
    return figure(item, table=True)


@register.filter
def is_numeric(item: FigureLike | Rate | State | Amount | str | None) -> bool:
    """Whether a cell is set to the right, with tabular digits."""
    return not isinstance(item, (State, str))


_STYLED_DIFFERENCE = re.compile(r'<(ins|del) style="[^"<>]*">')


@register.filter
def without_styles(difference: str) -> SafeString:
    """The inserted and deleted pieces that the correction preview marks, coloured by the sheet instead of inline.

    The text between the marks was escaped where the marks were made; anything that is not marked safe is escaped here.
    """
    return SafeString(_STYLED_DIFFERENCE.sub(r"<\1>", conditional_escape(difference)))


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
    "settings": "M4 7h9M17 7h3M4 17h3M11 17h9M15 9.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z"
    "M9 19.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z",
    "search": "M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM15.5 15.5L20 20",
    "download": "M12 4v12M7 11l5 5 5-5M4 20h16",
    "more": "M6 12a1 1 0 1 1-2 0 1 1 0 0 1 2 0zM13 12a1 1 0 1 1-2 0 1 1 0 0 1 2 0zM20 12a1 1 0 1 1-2 0 1 1 0 0 1 2 0z",
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

_WIDTH, _HEIGHT = 360, 150
_TOP, _BASE, _LEFT, _RIGHT = 18, 124, 4, 300


@register.simple_tag
def trend(points: Sequence[TrendPoint], unit: str = "") -> SafeString:
    """A line over time on a zero base with the last point labelled; its table stands beside it on the page.

    Fewer than two points draw nothing.
    """
    if len(points) < 2:
        return SafeString("")
    peak = max(1.0, *(float(p.value) for p in points))
    xs = [_LEFT + i * (_RIGHT - _LEFT) / (len(points) - 1) for i in range(len(points))]
    ys = [_BASE - (_BASE - _TOP) * float(p.value) / peak for p in points]
    texts = ["".join(display.figure_text(p.value, unit)) for p in points]
    ends = ((xs[0], "start", points[0].label), (xs[-1], "middle", points[-1].label))
    return format_html(
        '<svg class="trend" viewBox="0 0 {} {}" role="img" aria-label="走势：{}">'
        '<line class="trend-base" x1="{}" y1="{}" x2="{}" y2="{}"/><polyline class="trend-line" points="{}"/>'
        '<circle class="trend-dot" cx="{}" cy="{}" r="4"/><text class="trend-last" x="{}" y="{}">{}</text>{}</svg>',
        _WIDTH,
        _HEIGHT,
        "，".join(f"{p.label} {text}" for p, text in zip(points, texts, strict=True)),
        _LEFT,
        _BASE,
        _RIGHT,
        _BASE,
        " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(xs, ys, strict=True)),
        f"{xs[-1]:.1f}",
        f"{ys[-1]:.1f}",
        f"{xs[-1] + 9:.1f}",
        f"{ys[-1] + 5:.1f}",
        display.figure_text(points[-1].value, unit)[0],
        format_html_join(
            "",
            '<text class="trend-axis" x="{}" y="144" text-anchor="{}">{}</text>',
            ((f"{x:.1f}", anchor, label) for x, anchor, label in ends),
        ),
    )


# ------------------------------------------------------------------------------------------------ form errors


@register.simple_tag
def field_errors(field: BoundField) -> list[str]:
    """The sentences of one field, the same beside the field and in the summary; a bare "required" names the field."""
    bare = str(Field.default_error_messages["required"])
    ask = "请选择" if hasattr(field.field, "choices") else "请填写"
    return [f"{ask}「{field.label}」" if str(text) == bare else str(text) for text in field.errors]


def _form_items(form: BaseForm) -> Iterator[ErrorItem]:
    for text in form.non_field_errors():
        yield ErrorItem(str(text))
    for field in form:
        for text in field_errors(field):
            yield ErrorItem(text, field.id_for_label or field.auto_id)


@register.simple_tag
def error_items(errors: Iterable[Any] | None, *forms: object) -> list[ErrorItem]:
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
