"""Numbers on the pages about children: each is an indicator's, and leads to its rows."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import Http404
from django.urls import reverse

from eduaid.core.indicators import Amount, Basis, Indicator, area_of
from eduaid.core.models import Region, School
from eduaid.core.models.places import Level
from eduaid.core.roles import Right, may, today
from eduaid.core.views.policy import AccountRequest

Area = Region | School


@dataclass(frozen=True)
class Figure:
    value: Amount
    url: str
    unit: str
    label: str


def area_asked(request: AccountRequest, code: str) -> Area:
    """The county, township or school of that code, if the scope covers it; 404 otherwise."""
    try:
        area = area_of(code)
    except LookupError as error:
        raise Http404(str(error)) from None
    is_own = not area.is_outside if isinstance(area, School) else area.is_home or area.level == Level.TOWNSHIP
    if not is_own or not request.scope.covers(area):
        raise Http404(f"没有代码为“{code}”的乡镇或学校")
    return area


def figure(request: AccountRequest, indicator: Indicator, area: Area, value: Amount | None = None) -> Figure:
    """The indicator's number at a place today (`value`: as a breakdown of it said); its rows for those who read figures."""
    number = indicator.value(Basis(area, today()), request.scope) if value is None else value
    url = ""
    if may(request.user, Right.SEE_FIGURES):
        url = f"{reverse('indicator', args=[indicator.key])}?{urlencode({'area': area.code})}"
    return Figure(number, url, indicator.unit, indicator.label)
