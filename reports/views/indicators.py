"""P21 指标下钻: a figure, what it means, how it splits, and the rows behind it; their export."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header, urlencode

from eduaid.core import access
from eduaid.core.display import Rate, figure_text, zh_date
from eduaid.core.indicators import Column, Indicator, UnknownIndicator, indicator_of
from eduaid.core.models.access import Action
from eduaid.core.roles import Right, may
from eduaid.core.views.pages import Chip, Link, Page, Tab, address, chip, paged
from eduaid.core.views.policy import AccountRequest, needs
from reports.areas import Area, is_told_of
from reports.basis import lacking
from reports.drills import NOWHERE, Step, UnknownDrill, Way, drill_keys, filters_of, steps, ways_of
from reports.exports import FORMATS, Watermark, export
from reports.moments import Moment, answering_for
from reports.numbers import Number, basis_of, indicator_url
from reports.papers import Heading, Line, Table
from reports.sources import sources_of
from reports.views.common import Explained, area_asked, list_rows, moment_asked, place_crumbs


@dataclass(frozen=True)
class Asked:
    """What an address asks for: an indicator of a place at a moment, narrowed by a drill, over a denominator."""

    indicator: Indicator
    area: Area
    moment: Moment
    drill: dict[str, str]
    filters: dict[str, Any]
    over: Indicator | None


def _asked(request: AccountRequest, key: str) -> Asked:
    """Raises Http404 for an unknown indicator, a place out of scope, or one that the indicator says nothing of."""
    try:
        indicator = indicator_of(key)
        over = indicator_of(request.GET["of"]) if request.GET.get("of") else None
        area = area_asked(request)
        drill = {name: request.GET[name] for name in drill_keys(indicator) if name in request.GET}
        filters = filters_of(indicator, drill)
    except (UnknownIndicator, UnknownDrill) as error:
        raise Http404(str(error)) from None
    if not is_told_of(indicator, area) or (over is not None and not is_told_of(over, area)):
        raise Http404(f"“{indicator.label}”不按{area}统计")
    return Asked(indicator, area, moment_asked(request), drill, filters, over)


@needs(Right.SEE_FIGURES)
def indicator(request: AccountRequest, key: str) -> HttpResponse:
    asked = _asked(request, key)
    told, area, moment = asked.indicator, asked.area, asked.moment
    basis = basis_of(area, moment, asked.filters)
    ways = ways_of(told, area, asked.drill)
    way = next((way for way in ways if way.key == request.GET.get("by")), ways[0] if ways else None)
    with answering_for(moment):
        value = told.value(basis, request.scope)
        whole = asked.over.value(basis, request.scope) if asked.over else None
        parts = steps(told, way, basis, request.scope, asked.drill) if way else []
        page: Page[Any] = paged(request, told.row_kind.prepare(told.queryset(basis, request.scope)))
        rows = list_rows(told, page.rows, sources_of(told, page.rows, request.scope))
        empty_reason = lacking(key, area) if not value else ""
    number = Number.of(told, value, area, moment, drill=asked.drill)
    crumbs = _crumbs(request, asked)
    context: dict[str, object] = {
        "crumbs": crumbs,
        "scope_label": " ".join([area.name, *_drill_names(asked)]),
        "as_of": moment.as_of,
        "figure": _plain(number),
        "rate": Rate(value, whole) if asked.over else None,
        "definition": Explained.of(told, moment, asked.over),
        "tabs": _tabs(request, ways, way),
        "breakdown": _table(asked, way, parts, number),
        "row_label": told.row_kind.columns[0].label,
        "columns": _headings(told.row_kind.columns[1:]),
        "rows": rows,
        "page": page,
        "chips": _chips(request, asked),
        "clear_url": "",
        "empty_reason": empty_reason,
        "exports": _exports(request, asked) if may(request.user, Right.EXPORT) and rows else [],
    }
    return render(request, "reports/indicator.html", context)


def _plain(number: Number) -> Number:
    """The page's own figure leads nowhere: its rows stand below it."""
    return number.printed(code="", url="#rows")


def _headings(columns: tuple[Column, ...]) -> list[Heading]:
    return [Heading(column.label, numeric=column.numeric) for column in columns]


def _crumbs(request: AccountRequest, asked: Asked) -> list[Link]:
    """The places above, then the figure there, then each drill: every step back is one click."""
    above = place_crumbs(request.scope, asked.area, asked.moment)
    names = _drill_names(asked)
    if not names:
        return [*above, Link(asked.indicator.label)]
    url = indicator_url(asked.indicator.key, asked.area, asked.moment)
    return [*above, Link(asked.indicator.label, url), Link(" ".join(names))]


def _drill_names(asked: Asked) -> list[str]:
    """The drill in words: 三年级, 1班."""
    have = {breakdown.key: breakdown for breakdown in asked.indicator.breakdowns}
    names = []
    for key, part in asked.drill.items():
        if key == NOWHERE:
            names.append(f"未落到{have[part].label}")
        else:
            names.append(have[key].names([part]).get(part) or "未填")
    return names


def _chips(request: AccountRequest, asked: Asked) -> list[Chip]:
    return [chip(request, key, name) for key, name in zip(asked.drill, _drill_names(asked), strict=True)]


def _tabs(request: AccountRequest, ways: tuple[Way, ...], way: Way | None) -> list[Tab]:
    """The ways to split, when there is more than one."""
    if len(ways) < 2 or way is None:
        return []
    return [Tab(f"按{one.label}", address(request, by=one.key, page=""), one.key == way.key) for one in ways]


def _table(asked: Asked, way: Way | None, parts: list[Step], number: Number) -> Table | None:
    """The parts, each as a figure of its own, and their total."""
    if way is None or not parts:
        return None
    lines = []
    for step in parts:
        cell = Number.of(asked.indicator, step.value, step.area, asked.moment, drill=step.drill)
        lines.append(Line(step.name, (cell,), cell.url))
    return Table(
        caption=f"{asked.indicator.label}：按{way.label}",
        row_label=way.label,
        columns=(Heading(asked.indicator.label, asked.indicator.unit),),
        rows=tuple(lines),
        totals=(_plain(number),),
    )


def _exports(request: AccountRequest, asked: Asked) -> list[Link]:
    params = {"area": asked.area.code, **asked.moment.params, **asked.drill}
    url = reverse("indicator-export", args=[asked.indicator.key])
    return [
        Link(label, f"{url}?{urlencode({**params, 'format': name})}")
        for name, label in (("xlsx", "导出名单"), ("csv", "导出 CSV"))
    ]


@needs(Right.EXPORT)
def indicator_export(request: AccountRequest, key: str) -> HttpResponse:
    """The whole list as a file, numbers masked; who took it is logged with the serial that stands in the file."""
    asked = _asked(request, key)
    told = asked.indicator
    file_format = request.GET.get("format", "xlsx")
    if file_format not in FORMATS:
        raise Http404
    basis = basis_of(asked.area, asked.moment, asked.filters)
    with answering_for(asked.moment):
        value = told.value(basis, request.scope)
        if not value:
            messages.warning(request, "该口径下没有名单可以导出。")
            return redirect(indicator_url(key, asked.area, asked.moment, asked.drill))
        mark = Watermark.of(request.user)
        shown, unit = figure_text(value, told.unit)
        facts = [
            f"{' '.join([asked.area.name, *_drill_names(asked)])}　截至{zh_date(asked.moment.as_of)}　共 {shown} {unit}　口径：{told.definition}"
        ]
        rows = told.row_kind.prepare(told.queryset(basis, request.scope))
        data = export(told, rows, title=told.label, facts=facts, watermark=mark, file_format=file_format)
    access.note(
        by=request.user,
        action=Action.EXPORT,
        subject_kind="indicator",
        page=request.path,
        purpose=f"{key} {mark.serial}"[:100],
        rows=int(value),
    )
    name = f"{told.label}_{asked.area.name}_{asked.moment.as_of:%Y%m%d}.{file_format}"
    return HttpResponse(
        data,
        content_type=FORMATS[file_format],
        headers={"Content-Disposition": content_disposition_header(True, name) or "", "Cache-Control": "no-store"},
    )
