"""A number on a page or in a report: what it says, and the way to the rows behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from urllib.parse import urlencode

from django.urls import reverse

from eduaid.core import display
from eduaid.core.indicators import Amount, Basis, Indicator
from reports.areas import Area
from reports.moments import Moment


def indicator_url(
    key: str, area: Area, moment: Moment, drill: Mapping[str, str] | None = None, *, over: str = ""
) -> str:
    """The drill-down page of a figure. `drill`: breakdown key → part, as that page's address has them."""
    params = {"area": area.code, **moment.params, **(drill or {})}
    if over:
        params["of"] = over
    return f"{_path(key)}?{urlencode(params)}"


@cache
def _path(key: str) -> str:
    """A table has a hundred numbers of ten indicators."""
    return reverse("indicator", args=[key])


@dataclass(frozen=True)
class Number:
    """The value of an indicator for a place. `code` is set once it has been printed in a report."""

    key: str
    label: str
    unit: str
    value: Amount
    area: Area
    url: str = ""
    drill: Mapping[str, str] = field(default_factory=dict)
    code: str = ""

    @classmethod
    def of(
        cls,
        indicator: Indicator,
        value: Amount,
        area: Area,
        moment: Moment,
        *,
        label: str = "",
        drill: Mapping[str, str] | None = None,
    ) -> Number:
        url = indicator_url(indicator.key, area, moment, drill)
        return cls(indicator.key, label or indicator.label, indicator.unit, value, area, url, drill or {})

    @property
    def text(self) -> str:
        """As a sentence prints it: the unit follows at once, no thousands separators (9351人)."""
        shown, unit = display.figure_text(self.value, self.unit)
        return shown.replace(",", "") + unit

    def printed(self, *, code: str, url: str) -> Number:
        return replace(self, code=code, url=url)


@dataclass(frozen=True)
class Share:
    """A rate of two numbers about the same place; it leads to the page of its numerator, which shows both, or to `rest`:
    those who are in the whole and not in the part."""

    label: str
    part: Number
    whole: Number
    url: str
    code: str = ""
    unit: str = "%"

    @classmethod
    def of(cls, label: str, part: Number, whole: Number, moment: Moment, *, rest: str = "") -> Share:
        url = indicator_url(rest or part.key, part.area, moment, part.drill, over=whole.key)
        return cls(label, part, whole, url)

    @property
    def value(self) -> str:
        """97.19%; — without a denominator; 100.00% only when nobody is missing."""
        return display.percent(self.part.value, self.whole.value)

    @property
    def text(self) -> str:
        return self.value

    @property
    def area(self) -> Area:
        return self.part.area

    def printed(self, *, code: str, url: str) -> Share:
        return replace(self, code=code, url=url)


Figured = Number | Share


def basis_of(area: Area, moment: Moment, drill: Mapping[str, str] | None = None) -> Basis:
    return Basis(area, moment.as_of, moment.known_at, dict(drill or {}))
