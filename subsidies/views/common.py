"""What the pages of student aid share: whose place the figures are of, the term asked for, numbers that lead to their rows."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import Http404
from django.urls import reverse

from eduaid.core.indicators import Amount, Indicator
from eduaid.core.models import Region, School, Term
from eduaid.core.models.calendar import Season
from eduaid.core.roles import posts_of
from eduaid.core.views.policy import AccountRequest
from students.views.figures import Area, Figure, area_asked
from subsidies.entitlement import term_now


@dataclass(frozen=True)
class Kpi:
    """A key figure, in the shape of `partials/kpis.html`."""

    figure: Figure
    more: str = ""


def own_area(request: AccountRequest) -> Area:
    """`?area=` if the scope covers it, else the reader's own place: the county, or that of the first post."""
    if code := request.GET.get("area", ""):
        return area_asked(request, code)
    if not request.scope.county:
        for post in posts_of(request.user):
            place: Region | School | None = post.region or post.school
            if place is not None and request.scope.covers(place):
                return place
    home = Region.objects.filter(is_home=True).first()
    if home is None:
        raise Http404("还没有登记本县")
    return home


def running_term() -> Term | None:
    """The term of today; None before the first was set up."""
    return term_now()


def number(indicator: Indicator, value: Amount, area: Area, *, label: str = "", **drill: str) -> Figure:
    """A number of an indicator with the way to its rows."""
    url = f"{reverse('indicator', args=[indicator.key])}?{urlencode({'area': area.code, **drill})}"
    return Figure(value, url, indicator.unit, label or indicator.label)


def term_asked(request: AccountRequest) -> Term | None:
    """`?term=`: the number of a term (2026年秋季学期 is 4053); the running one otherwise."""
    asked = request.GET.get("term", "")
    if not asked.isdigit():
        return running_term()
    year, autumn = divmod(int(asked), 2)
    return Term.objects.filter(starts_on__year=year, season=Season.AUTUMN if autumn else Season.SPRING).first()
