"""What people do with reports: make one, declare it final, withdraw it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

import pghistory
from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from eduaid.core.display import zh_date
from eduaid.core.indicators import Amount, UnknownIndicator, indicator_of
from eduaid.core.models import School, User
from eduaid.core.roles import Right, may
from eduaid.core.scope import EVERYTHING, Scope, row_security
from reports import basis
from reports.areas import Area, covers, town_of
from reports.drills import filters_of
from reports.models import Figure, Report
from reports.models.snapshots import ReportKind, ReportState, new_codes
from reports.moments import Moment, answering_for
from reports.numbers import Figured, Number, Share, basis_of
from reports.papers import Paper, from_json, placed, to_json
from reports.sections import summarise


class NotAllowed(Exception):
    """The user may not do this; the sentence says who may."""


class NotPossible(Exception):
    """The report is not in a state for this; the sentence says why."""


# --- making ---------------------------------------------------------------------------------------------------


@transaction.atomic
def make_report(
    *, area: Area, moment: Moment, by: User | None, kind: ReportKind = ReportKind.COUNTY_PROGRESS
) -> Report:
    """Computes the summary and keeps it: words, figures with trace codes, and the lists that they rest on.

    `by`: None when the system makes it (the command line). A report always says what its area's own lists say, whoever
    asks: the reader's scope covers the area, so it hides nothing of it.
    """
    scope = EVERYTHING
    if by is not None:
        scope = Scope.of(by)
        if not may(by, Right.REPORT):
            raise NotAllowed("您的岗位不能生成报告，请由县局或中心校负责人生成。")
        if not covers(scope, area):
            raise NotAllowed(f"“{area}”不在您负责的范围内，不能代为生成报告。")
    # The moment is taken before the figures are: what is recorded meanwhile belongs to the next report.
    known_at = moment.known_at or timezone.now()
    summary = summarise(area, moment, scope)
    with answering_for(moment):
        record = basis.record_of(area)
    region, school = _place(area)
    report = Report.objects.create(
        kind=kind,
        title=summary.paper.title,
        region_id=region,
        school_id=school,
        town=town_of(area),
        as_of=moment.as_of,
        known_at=known_at,
        basis=record,
        content=to_json(summary.paper),
        made_by=by,
    )
    _keep_figures(report, summary.paper)
    return report


def _place(area: Area) -> tuple[int | None, int | None]:
    """The two columns of a place: the region's id or the school's."""
    return (None, area.pk) if isinstance(area, School) else (area.pk, None)


def _keep_figures(report: Report, paper: Paper) -> None:
    printed = list(placed(paper.sections))
    towns: dict[Area, int | None] = {}
    figures = []
    for position, (code, (item, words)) in enumerate(zip(new_codes(len(printed)), printed, strict=True)):
        number, whole = (item.part, item.whole) if isinstance(item, Share) else (item, None)
        if number.area not in towns:
            town = town_of(number.area)
            towns[number.area] = town.pk if town else None
        region, school = _place(number.area)
        figures.append(
            Figure(
                report=report,
                position=position,
                code=code,
                indicator=number.key,
                over=whole.key if whole else "",
                label=item.label,
                unit=item.unit,
                region_id=region,
                school_id=school,
                town_id=towns[number.area],
                drill=dict(number.drill),
                value=Decimal(number.value),
                over_value=Decimal(whole.value) if whole else None,
                text=item.text,
                sentence=words[:600],
            )
        )
    Figure.objects.bulk_create(figures)


# --- reading --------------------------------------------------------------------------------------------------


def paper_of(report: Report, scope: Scope) -> Paper:
    """The report as it was printed. Each figure leads to its trace; those of other places than the reader's lead nowhere."""
    figures = {figure.position: figure for figure in _figures_of(report)}
    return from_json(report.content, lambda position: shown(figures[position], report, scope))


def shown(figure: Figure, report: Report, scope: Scope) -> Figured:
    """A printed figure as a number of the page. The caller has selected the figure's place."""
    traceable = (
        scope.county
        or covers(scope, figure.area)
        or (figure.region_id, figure.school_id) == (report.region_id, report.school_id)
    )
    url = reverse("trace", args=[figure.code]) if traceable else ""
    value = _amount(figure.value)
    if not figure.over:
        return Number(figure.indicator, figure.label, figure.unit, value, figure.area, url, figure.drill, figure.code)
    part = Number(figure.indicator, figure.label, "", value, figure.area, url, figure.drill)
    whole = Number(figure.over, "", "", _amount(figure.over_value or Decimal(0)), figure.area)
    return Share(figure.label, part, whole, url, figure.code)


def _amount(value: Decimal) -> Amount:
    return int(value) if value == value.to_integral_value() else value


# --- computing again ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Recomputed:
    """A printed figure beside what its indicator gives for the same date and moment (None: the indicator is no more)."""

    figure: Figure
    value: Amount | None
    over_value: Amount | None

    @property
    def same(self) -> bool:
        if self.value is None:
            return False
        return Decimal(self.value) == self.figure.value and (
            not self.figure.over or (self.over_value is not None and Decimal(self.over_value) == self.figure.over_value)
        )

    @property
    def text(self) -> str:
        if self.value is None:
            return "（该指标已停用）"
        if self.figure.over:
            return f"{self.value}／{self.over_value}"
        return f"{self.value}{self.figure.unit}"


def recompute(figure: Figure, moment: Moment) -> Recomputed:
    """Computes a printed figure again. Call inside `answering_for(moment)`; the caller has selected the figure's place.

    Everything is in sight: a figure of the county comes out the same whoever looks.
    """

    def value(key: str) -> Amount | None:
        try:
            indicator = indicator_of(key)
        except UnknownIndicator:
            return None
        return indicator.value(basis_of(figure.area, moment, filters_of(indicator, figure.drill)), EVERYTHING)

    with row_security(EVERYTHING, local=True):
        return Recomputed(figure, value(figure.indicator), value(figure.over) if figure.over else None)


def recompute_all(report: Report, *, as_known_now: bool = False) -> list[Recomputed]:
    """Every figure of the report for its day, as it was known when the report was made, or as it is known now.

    The summary is composed anew, by splits, as it was; a figure that it no longer prints is computed by itself.
    """
    moment = Moment(report.as_of, None if as_known_now else report.known_at)
    with row_security(EVERYTHING, local=True):
        summary = summarise(report.area, moment, EVERYTHING)
    values: dict[_Name, Amount] = {}
    for item, _ in placed(summary.paper.sections):
        for number in (item.part, item.whole) if isinstance(item, Share) else (item,):
            values[_name(number.key, number.area, number.drill)] = number.value
    found: list[Recomputed] = []
    alone: list[Figure] = []
    for figure in _figures_of(report):
        names = [_name(key, figure.area, figure.drill) for key in (figure.indicator, figure.over) if key]
        if all(name in values for name in names):
            found.append(Recomputed(figure, values[names[0]], values[names[1]] if figure.over else None))
        else:
            alone.append(figure)
    if alone:
        with answering_for(moment):
            found += [recompute(figure, moment) for figure in alone]
    return found


_Name = tuple[str, type, int, tuple[tuple[str, str], ...]]


def _name(key: str, area: Area, drill: Mapping[str, str]) -> _Name:
    return (key, type(area), area.pk, tuple(sorted(drill.items())))


def _figures_of(report: Report) -> QuerySet[Figure]:
    return Figure.objects.filter(report=report).select_related("region", "region__parent", "school", "school__town")


# --- issuing --------------------------------------------------------------------------------------------------


def finalise(report: Report, *, by: User) -> Report:
    """草稿 → 终稿. Refused while a tie-out is broken or a figure does not come out the same when computed again."""
    with transaction.atomic(), pghistory.context(user=by.pk):
        report = _locked(report, by, ReportState.DRAFT)
        bad = [text for text, ok in report.content["checks"] if not ok]
        if bad:
            raise NotPossible(f"有 {len(bad)} 条勾稽不一致，不能定为终稿：{bad[0]}。请先核对名单，再重新生成报告。")
        differing = [item for item in recompute_all(report) if not item.same]
        if differing:
            first = differing[0]
            raise NotPossible(
                f"有 {len(differing)} 个数字重算不一致，不能定为终稿：{first.figure.label}（{first.figure.area}）"
                f"报告为{first.figure.text}，重算得{first.text}。请重新生成报告。"
            )
        report.state, report.finalised_by, report.finalised_at = ReportState.FINAL, by, timezone.now()
        report.save(update_fields=["state", "finalised_by", "finalised_at"])
    return report


def withdraw(report: Report, *, by: User, reason: str) -> Report:
    """Takes a final report back. It stays readable, marked, and its codes still lead to its rows."""
    if not reason.strip():
        raise NotPossible("请写明撤回的原因。")
    with transaction.atomic(), pghistory.context(user=by.pk, reason=reason[:200]):
        report = _locked(report, by, ReportState.FINAL)
        report.state, report.withdrawn_by, report.withdrawn_at = ReportState.WITHDRAWN, by, timezone.now()
        report.withdraw_reason = reason.strip()[:200]
        report.save(update_fields=["state", "withdrawn_by", "withdrawn_at", "withdraw_reason"])
    return report


def _locked(report: Report, by: User, state: ReportState) -> Report:
    report = (
        Report.objects.select_for_update(of=("self",))
        .select_related("region", "region__parent", "school", "school__town")
        .get(pk=report.pk)
    )
    if not may(by, Right.REPORT) or not covers(Scope.of(by), report.area):
        raise NotAllowed(f"“{report.area}”的报告由{report.area}的负责人办理。")
    if report.state != state:
        raise NotPossible(
            f"报告“{report.title}”（{zh_date(report.as_of)}）现在是“{report.get_state_display()}”，不能这样操作。"
        )
    return report
