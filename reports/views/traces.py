"""P36 溯源: from a printed figure to its sentence, its definition, its rows, and the files and lines that say so."""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from eduaid.core.display import Rate, zh_date
from eduaid.core.indicators import Indicator, UnknownIndicator, indicator_of
from eduaid.core.lists import kind_of
from eduaid.core.roles import Right
from eduaid.core.scope import EVERYTHING, row_security
from eduaid.core.views.pages import Link, paged
from eduaid.core.views.policy import AccountRequest, needs
from reports.actions import recompute, shown
from reports.areas import covers
from reports.drills import filters_of
from reports.models import Figure
from reports.moments import Moment, answering_for
from reports.numbers import Share, basis_of
from reports.papers import Heading
from reports.sources import files_behind, sources_of
from reports.views.common import Explained, list_rows
from reports.views.reports import shown_state


@dataclass(frozen=True)
class Fact:
    label: str
    value: str


@dataclass(frozen=True)
class Replay:
    value: str
    same: bool


@needs(Right.SEE_FIGURES)
def trace(request: AccountRequest, code: str) -> HttpResponse:
    """Everything is computed again at the report's date and moment. Rows beyond the reader's scope are counted, not shown."""
    figure = (
        Figure.objects.within(request.scope)
        .select_related(
            "region", "region__parent", "school", "school__town", "report__region", "report__school", "report__made_by"
        )
        .filter(code=code.upper())
        .first()
    )
    if figure is None:
        raise Http404
    report = figure.report
    moment = Moment(report.as_of, report.known_at)
    number = shown(figure, report, request.scope).printed(code=figure.code, url="#rows")
    context: dict[str, object] = {
        "crumbs": [
            Link("报告", reverse("reports")),
            Link(f"第 {report.pk} 号", report.get_absolute_url()),
            Link(f"溯源 {figure.code}"),
        ],
        "figure": number,
        "code": figure.code,
        "sentence": figure.sentence,
        "report": {"title": report.title, "url": report.get_absolute_url()},
        "report_state": shown_state(report),
        "scope_label": figure.area.name,
        "as_of": report.as_of,
        "known_at": report.known_at,
        "basis": _basis(figure),
    }
    try:
        indicator = indicator_of(figure.indicator)
        over = indicator_of(figure.over) if figure.over else None
    except UnknownIndicator as gone:
        return render(request, "reports/trace.html", context | {"definition": {"text": str(gone)}})
    context |= {"definition": Explained.of(indicator, moment, over), "rule": _rule(indicator, figure, number)}
    with answering_for(moment):
        again = recompute(figure, moment)
        context |= {"replay": Replay(again.text, again.same), **_rows(request, indicator, figure, moment)}
    return render(request, "reports/trace.html", context)


def _rows(request: AccountRequest, indicator: Indicator, figure: Figure, moment: Moment) -> dict[str, object]:
    """The rows in the reader's scope by name, the others by their number; and the files they stand in."""
    basis = basis_of(figure.area, moment, filters_of(indicator, figure.drill))
    found = indicator.queryset(basis, request.scope)
    page = paged(request, indicator.row_kind.prepare(found))
    beyond = 0
    if not covers(request.scope, figure.area):
        with row_security(EVERYTHING, local=True):
            # How many rows there are, also of a figure that sums a column of theirs.
            beyond = int(replace(indicator, sum_of=None).value(basis, EVERYTHING)) - page.total
    columns = indicator.row_kind.columns
    return {
        "row_label": columns[0].label,
        "columns": [Heading(column.label, numeric=column.numeric) for column in columns[1:]],
        "rows": list_rows(indicator, page.rows, sources_of(indicator, page.rows, request.scope)),
        "page": page,
        "beyond_scope": beyond,
        "lists": files_behind(indicator, found, request.scope),
    }


def _rule(indicator: Indicator, figure: Figure, number: object) -> list[str]:
    """How the figure counts, in sentences."""
    lines = [f"范围：{figure.area}，按{indicator.counting.value}计入。"]
    if figure.drill:
        have = {breakdown.key: breakdown.label for breakdown in indicator.breakdowns}
        said = [
            f"未落到{have[part]}" if key == "none" else f"{have.get(key, key)}为{part}"
            for key, part in figure.drill.items()
        ]
        lines.append(f"细分：{'，'.join(said)}。")
    if isinstance(number, Share):
        rate = Rate(number.part.value, number.whole.value)
        lines.append(f"比率：{number.part.value} ÷ {number.whole.value} ＝ {rate.text}；不等于分母时不进位成 100%。")
    return lines


def _basis(figure: Figure) -> list[Fact]:
    """The lists that were in force when the report was made, by kind, with their numbers for the county's readers."""
    report = figure.report
    facts: list[Fact] = []
    by_kind: dict[str, list[str]] = {}
    for entry in report.basis["lists"]:
        by_kind.setdefault(entry["kind"], []).append(entry["effective_on"])
    for kind, days in by_kind.items():
        first, last = min(days), max(days)
        facts.append(Fact(kind_of(kind).label, first if first == last else f"{first} 至 {last}"))
    facts.append(Fact("报告", f"第 {report.pk} 号，{zh_date(report.as_of)}，{report.made_by or '系统'}生成"))
    return facts
