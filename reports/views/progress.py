"""P20 进展总览: key figures, the balance, and the table of places in the order of their gaps. Every number leads to its rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from eduaid.core.display import zh_date, zh_moment
from eduaid.core.first_run import Step, steps
from eduaid.core.indicators import indicator_of
from eduaid.core.models import ListSlice, Region, School, Term
from eduaid.core.models.places import Level
from eduaid.core.roles import Right, may, today
from eduaid.core.views.pages import Option, Tab, address
from eduaid.core.views.policy import AccountRequest, needs
from reports.areas import Area, is_told_of, own_area
from reports.basis import KindInForce
from reports.moments import Moment
from reports.numbers import Number, Share
from reports.papers import Table, prose
from reports.sections import Overview, overview, topic_section, topics
from reports.views.common import area_asked, moment_asked, place_crumbs

_DATES_SHOWN = 12


@dataclass(frozen=True)
class KeyFigure:
    figure: Number | Share
    more: str = ""


@dataclass(frozen=True)
class Filter:
    name: str
    label: str
    options: list[Option]


@needs(Right.SEE_FIGURES)
def progress(request: AccountRequest) -> HttpResponse:
    """The reader's own place, or the one in the address: the county by townships, a township by schools and villages."""
    moment, area = moment_asked(request), area_asked(request)
    first_steps = _first_steps(request)
    term = Term.objects.filter(starts_on__lte=moment.as_of).order_by("-starts_on").first()
    context: dict[str, object] = {
        "crumbs": place_crumbs(request.scope, area, moment, is_page=True),
        "scope_label": area.name,
        "as_of_label": zh_moment(timezone.now()) if moment.is_now else zh_date(moment.as_of),
        "period_label": str(term) if term else "",
        "checklist": first_steps,
    }
    if first_steps:
        return render(request, "reports/progress.html", context)
    part = request.GET.get("part", "")
    told = {topic.key: topic for topic in topics(area, moment) if is_told_of(indicator_of(topic.lead), area)}
    # A topic that says nothing of the place that was chosen gives way to the overview.
    part = part if part in told else ""
    tabs = [Tab("总览", address(request, part=""), not part)]
    tabs += [Tab(topic.title, address(request, part=topic.key), topic.key == part) for topic in told.values()]
    context |= {"tabs": tabs, "filters": _filters(request, area, moment), **_report_button(request, area, moment)}
    if part:
        section = topic_section(told[part], area, moment, request.scope)
        context |= {"part": part, "paragraphs": section.paragraphs, "tables": section.tables}
    else:
        seen = overview(area, moment, request.scope)
        context |= _overview(seen, term)
    return render(request, "reports/progress.html", context)


def _overview(seen: Overview, term: Term | None) -> dict[str, object]:
    tables: Sequence[Table] = seen.tables
    return {
        "kpis": [KeyFigure(figure) for figure in seen.key_figures],
        "equation": seen.balance,
        "waiting": seen.waiting,
        "tables": tables,
        "copy_text": prose(seen.sentence),
        "stale": _stale(seen.lists, term),
    }


def _first_steps(request: AccountRequest) -> list[Step]:
    """What has to be done before there is anything to show; links only for those who may follow them."""
    if ListSlice.objects.filter(applied_at__isnull=False).exists():
        return []
    leads = may(request.user, Right.MANAGE_PLACES) or may(request.user, Right.MANAGE_ACCOUNTS)
    return [Step(step.text, step.url if leads else "", step.done) for step in steps()]


def _stale(lists: dict[str, KindInForce], term: Term | None) -> list[str]:
    """Kinds of which no list of the running term is in force: their figures are of an earlier date."""
    return [
        f"{kind.label}名单为{kind.newest.year}年{kind.newest.month}月的"
        for kind in lists.values()
        if term is not None and kind.newest < term.starts_on
    ]


def _filters(request: AccountRequest, area: Area, moment: Moment) -> list[Filter]:
    days = list(
        ListSlice.objects.filter(applied_at__isnull=False, undone_at=None, effective_on__lt=today())
        .order_by("-effective_on")
        .values_list("effective_on", flat=True)
        .distinct()[:_DATES_SHOWN]
    )
    if moment.as_of != today() and moment.as_of not in days:
        days = sorted([*days, moment.as_of], reverse=True)
    dates = [Option("", "今天", moment.as_of == today())]
    dates += [Option(day.isoformat(), zh_date(day), day == moment.as_of) for day in days]
    return [Filter("area", "范围", _places(request, area)), Filter("as_of", "截至", dates)]


def _places(request: AccountRequest, area: Area) -> list[Option]:
    """The reader's own place and those one step below it; the one shown, wherever it lies."""
    own = own_area(request.scope)
    below: list[Area] = []
    if isinstance(own, Region):
        below = (
            list(Region.objects.townships().valid_on(today()))
            if own.is_home
            else list(School.objects.lying_in(own).order_by("code"))
        )
        if not own.is_home and len(request.scope.towns) > 1:
            below = [
                *Region.objects.filter(pk__in=request.scope.towns, level=Level.TOWNSHIP).exclude(pk=own.pk),
                *below,
            ]
    places = list(dict.fromkeys([own, *below, area]))
    return [Option(place.code, place.name, place == area) for place in places]


def _report_button(request: AccountRequest, area: Area, moment: Moment) -> dict[str, object]:
    """Whoever may report turns what the page shows into a report; villages and schools have none."""
    reportable = isinstance(area, Region) and (area.is_home or area.level == Level.TOWNSHIP)
    if not (reportable and may(request.user, Right.REPORT) and moment.known_at is None):
        return {}
    return {"report_url": reverse("report-new"), "report_area": area.code, "report_as_of": moment.as_of.isoformat()}
