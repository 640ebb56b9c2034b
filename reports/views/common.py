"""What these pages share: the place and moment that an address asks for, figure tables, definitions, list rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest
from django.urls import reverse

from eduaid.core.indicators import Indicator
from eduaid.core.models import Region, School
from eduaid.core.scope import Scope
from eduaid.core.views.pages import Link
from eduaid.core.views.policy import AccountRequest
from reports.areas import Area, NoSuchArea, area_for, own_area, town_of
from reports.exports import cells_of
from reports.moments import Moment, NotADate
from reports.sections import progress_url
from reports.sources import NO_SOURCE, Source


def moment_asked(request: HttpRequest) -> Moment:
    """What `as_of` and `known_at` in the address say; a date that cannot be used is said, and today is shown."""
    try:
        return Moment.asked(request.GET.get("as_of"), request.GET.get("known_at"))
    except NotADate as error:
        messages.warning(request, f"{error}现在显示的是今天的数字。")
        return Moment.asked(None)


def area_asked(request: AccountRequest) -> Area:
    """The place in the address, or the reader's own; 404 for one that does not exist or lies outside the scope."""
    return area_or_404(request, request.GET.get("area", ""))


def area_or_404(request: AccountRequest, code: str) -> Area:
    try:
        return area_for(request.scope, code)
    except NoSuchArea as error:
        raise Http404(str(error)) from None


def place_crumbs(scope: Scope, area: Area, moment: Moment, *, is_page: bool = False) -> list[Link]:
    """From the reader's own place down to the one shown, each with its summary (`is_page`: the last is the page itself)."""
    own = own_area(scope)
    chain: list[Area] = [area]
    while chain[0] != own:
        above = _above(chain[0], own)
        if above is None:
            break
        chain.insert(0, above)
    links = [Link(place.name, progress_url(place, moment)) for place in chain]
    if is_page:
        links[-1] = Link(area.name)
    return [Link("进展", reverse("progress")), *links]


def _above(area: Area, own: Area) -> Area | None:
    if isinstance(area, School):
        return area.town
    town = town_of(area)
    if town is not None and town != area:
        return town
    return own if isinstance(own, Region) and own.is_home else None


@dataclass(frozen=True)
class Explained:
    """The 口径 of a figure, in the shape of `partials/definition.html`."""

    text: str
    unit: str
    counting: str
    source: str
    as_of: Any
    numerator: str = ""
    denominator: str = ""

    @classmethod
    def of(cls, indicator: Indicator, moment: Moment, over: Indicator | None = None) -> Explained:
        counting = f"按{indicator.counting.value}计入"
        return cls(
            indicator.definition,
            indicator.unit,
            counting,
            indicator.source,
            moment.as_of,
            indicator.label if over else "",
            f"{over.label}：{over.definition}" if over else "",
        )


@dataclass(frozen=True)
class ListRow:
    """A row of a figure: a name that opens it, the other columns, and the list row that says so."""

    name: str
    url: str
    cells: list[object]
    source: Source


def list_rows(indicator: Indicator, rows: Sequence[Any], sources: dict[int, Source]) -> list[ListRow]:
    shown = []
    for row in rows:
        name, *cells = cells_of(indicator, row)
        shown.append(
            ListRow(
                str(name or "未填"),
                indicator.row_kind.url(row),
                [_cell(cell) for cell in cells],
                sources.get(row.pk, NO_SOURCE),
            )
        )
    return shown


def _cell(value: object) -> object:
    return "—" if value in ("", None) else value
