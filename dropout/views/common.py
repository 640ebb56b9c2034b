"""What the pages about ledgers, rounds and whereabouts share."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import Http404
from django.urls import reverse

from eduaid.core.indicators import Indicator, area_of
from eduaid.core.models import Region, School
from eduaid.core.models.places import Level
from eduaid.core.roles import Right, may
from eduaid.core.views.pages import Link, Option, Tab
from eduaid.core.views.policy import AccountRequest
from students.views.figures import Figure
from students.views.match import module_tabs

Area = Region | School


@dataclass(frozen=True)
class KeyFigure:
    """In the shape of `partials/kpis.html`."""

    figure: Figure
    more: str = ""


def strip(request: AccountRequest) -> dict[str, object]:
    """The tab strip of the module 控辍保学."""
    tabs: list[Tab] = module_tabs(request, "dropout")
    return {"module_tabs": tabs}


def crumbs(*last: Link) -> list[Link]:
    return [Link("控辍保学", reverse("dropout")), *last]


def widest(request: AccountRequest) -> Area:
    """The widest place of the reader's scope; 404 before the county is set up."""
    scope = request.scope
    found: Area | None = None
    if scope.county:
        found = Region.objects.filter(is_home=True).first()
    elif scope.towns:
        found = Region.objects.filter(pk__in=scope.towns).order_by("code").first()
    elif scope.schools:
        found = School.objects.filter(pk__in=scope.schools).order_by("code").first()
    if found is None:
        raise Http404("还没有登记本县，或您的岗位不涉及任何乡镇、学校")
    return found


def area_asked(request: AccountRequest) -> Area:
    """The place of `?area=`, or the reader's own; 404 for one beyond the scope."""
    code = request.GET.get("area", "")
    if not code:
        return widest(request)
    try:
        area = area_of(code)
    except LookupError as error:
        raise Http404(str(error)) from None
    scope = request.scope
    is_village = isinstance(area, Region) and area.level == Level.VILLAGE and area.parent_id in scope.towns
    if not (scope.covers(area) or is_village) or (isinstance(area, School) and area.is_outside):
        raise Http404(f"没有代码为“{code}”的区划或学校")
    return area


def places(request: AccountRequest, area: Area) -> list[Option]:
    """The reader's own place, and those one step below it."""
    own = widest(request)
    below: list[Area] = []
    if isinstance(own, Region) and own.is_home:
        below = list(Region.objects.townships().order_by("code"))
    elif isinstance(own, Region):
        below = [*own.children.filter(level=Level.VILLAGE).order_by("code")]
        below += list(School.objects.lying_in(own).order_by("code"))
    found = list(dict.fromkeys([own, *below, area]))
    return [Option(place.code, place.name, place == area) for place in found]


def figure_at(request: AccountRequest, indicator: Indicator, area: Area, value: int) -> Figure:
    """A number that is known already, as the indicator's figure; it leads to its rows for those who read figures."""
    url = (
        f"{reverse('indicator', args=[indicator.key])}?area={area.code}" if may(request.user, Right.SEE_FIGURES) else ""
    )
    return Figure(value, url, indicator.unit, indicator.label)
