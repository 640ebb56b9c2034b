"""A figure is an indicator: a queryset plus a measure plus a counting rule (docs/architecture.md).

The number, the list behind it, the export, the chart and the sentence of a report all come from the same object; a page that
counts something itself is a bug. Each app declares its indicators and registers them here; `reports` composes them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum
from typing import Any

from django.db.models import Count, QuerySet, Sum

from eduaid.core.models import Region, School
from eduaid.core.models.places import Level
from eduaid.core.scope import Scope

Amount = int | Decimal


class Counting(StrEnum):
    """By which place a row belongs to an area; sums over townships are sums of people under either rule."""

    HUKOU = "户籍地"
    SCHOOL = "就读地"
    SENDER = "报送地"


@dataclass(frozen=True)
class Basis:
    """What a figure is asked for: an area at a date, and (for a replay) as it was known at a moment.

    `drill`: further equalities of breakdown fields, as the drill-down page narrows (grade, class …).
    """

    area: Region | School
    as_of: dt.date
    known_at: dt.datetime | None = None
    drill: Mapping[str, str] = field(default_factory=dict)

    def within(self, area: Region | School) -> Basis:
        return replace(self, area=area)

    @property
    def school_year(self) -> int:
        return self.as_of.year - (self.as_of.month < 9)

    @property
    def is_county(self) -> bool:
        return isinstance(self.area, Region) and self.area.is_home


@dataclass(frozen=True)
class Column:
    """A column of the list behind a figure. `value` takes a row; it must not query (the queryset selects what it needs)."""

    label: str
    value: Callable[[Any], object]
    numeric: bool = False


@dataclass(frozen=True)
class RowKind:
    """What the rows of an indicator are: how they are shown, scoped and opened."""

    key: str
    columns: tuple[Column, ...]
    narrow: Callable[[Any, Scope], QuerySet[Any]]
    """Keeps the rows that a scope may see."""
    prepare: Callable[[Any], QuerySet[Any]]
    """Selects what the columns show, in the list's order."""
    url: Callable[[Any], str]


@dataclass(frozen=True)
class Breakdown:
    """One way to split a figure: the field that holds the part (an id of a place, or a code) and how parts are named."""

    key: str
    label: str
    path: str
    names: Callable[[Sequence[Any]], Mapping[Any, str]]


@dataclass(frozen=True)
class Indicator:
    key: str
    label: str
    unit: str
    definition: str
    source: str
    counting: Counting
    row_kind: RowKind
    rows: Callable[[Basis], QuerySet[Any]]
    """Every row that counts in the area, whoever asks; `narrow` keeps what the asker may see."""
    breakdowns: tuple[Breakdown, ...] = ()
    sum_of: str | None = None
    parts: tuple[str, ...] = ()
    """Keys of indicators that partition this one: their values add up to its value (a tie-out)."""

    def queryset(self, basis: Basis, scope: Scope) -> QuerySet[Any]:
        rows = self.row_kind.narrow(self.rows(basis), scope)
        return rows.filter(**basis.drill) if basis.drill else rows

    def value(self, basis: Basis, scope: Scope) -> Amount:
        """The number: rows counted, or the sum of a column of theirs."""
        rows = self.queryset(basis, scope)
        if self.sum_of is None:
            return rows.count()
        total: Decimal | None = rows.aggregate(total=Sum(self.sum_of))["total"]
        return total or Decimal(0)

    def values_by(self, breakdown: Breakdown, basis: Basis, scope: Scope) -> dict[Any, Amount]:
        """Part → number, in one query; parts without rows are absent."""
        rows = self.queryset(basis, scope).order_by()
        measure = Count("pk") if self.sum_of is None else Sum(self.sum_of)
        return {part: value for part, value in rows.values_list(breakdown.path).annotate(measure) if value}

    def breakdown(self, key: str) -> Breakdown:
        return next(breakdown for breakdown in self.breakdowns if breakdown.key == key)


@dataclass(frozen=True)
class Rate:
    """How many of a whole: two indicators about the same rows, one of which counts some of the other's.

    `rest` counts the others, those for whom the rate is not 100 %: the way from the rate to its rows leads there, and part +
    rest = whole is a tie-out. `excluded`: indicators whose rows are left out of the whole by definition, to be listed beside it.
    """

    key: str
    label: str
    definition: str
    part: str
    whole: str
    rest: str
    excluded: tuple[str, ...] = ()
    unit: str = "%"


class UnknownIndicator(LookupError):
    """No indicator of that key is registered."""


_INDICATORS: dict[str, Indicator] = {}


def register(*indicators: Indicator) -> None:
    for indicator in indicators:
        if _INDICATORS.get(indicator.key, indicator) is not indicator:
            raise ValueError(f"indicator {indicator.key} is declared twice")
        _INDICATORS[indicator.key] = indicator


_RATES: dict[str, Rate] = {}


def register_rate(*rates: Rate) -> None:
    """Declares rates of indicators that are registered already."""
    for rate in rates:
        for key in (rate.part, rate.whole, rate.rest, *rate.excluded):
            indicator_of(key)
        if _RATES.get(rate.key, rate) is not rate:
            raise ValueError(f"rate {rate.key} is declared twice")
        _RATES[rate.key] = rate


def rates() -> tuple[Rate, ...]:
    """All rates in the order in which they were declared."""
    return tuple(_RATES.values())


def rate_of(key: str) -> Rate:
    try:
        return _RATES[key]
    except KeyError:
        raise UnknownIndicator(f"没有名为“{key}”的比率") from None


def indicators() -> tuple[Indicator, ...]:
    """All indicators in the order in which they were declared."""
    return tuple(_INDICATORS.values())


def indicator_of(key: str) -> Indicator:
    try:
        return _INDICATORS[key]
    except KeyError:
        raise UnknownIndicator(f"没有名为“{key}”的指标") from None


def township_names(ids: Sequence[Any]) -> Mapping[Any, str]:
    return dict(Region.objects.filter(pk__in=[pk for pk in ids if pk]).values_list("pk", "name"))


def school_names(ids: Sequence[Any]) -> Mapping[Any, str]:
    return dict(School.objects.filter(pk__in=[pk for pk in ids if pk]).values_list("pk", "name"))


def area_of(code: str) -> Region | School:
    """A region or school by its code, as it stands in addresses and on the command line. Raises LookupError."""
    region = (
        Region.objects.filter(code=code, level__in=[Level.COUNTY, Level.TOWNSHIP, Level.VILLAGE])
        .order_by("-valid_from")
        .first()
    )
    place = region or School.objects.filter(code=code).first()
    if place is None:
        raise LookupError(f"没有代码为“{code}”的区划或学校")
    return place
