"""Census rounds: those that there are, how far each is, opening and closing one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from django.contrib import messages
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from dropout import actions
from dropout.forms import RoundForm, next_round
from dropout.indicators import prefix_of
from dropout.models import CensusRound, Verdict
from dropout.models.census import Window
from dropout.views.common import Area, KeyFigure, crumbs, figure_at, strip, widest
from eduaid.core.display import State, zh_date
from eduaid.core.indicators import Basis, indicator_of
from eduaid.core.models import Region, School
from eduaid.core.roles import Right, may, today
from eduaid.core.uploads import NotAllowed
from eduaid.core.views.pages import Link
from eduaid.core.views.policy import AccountRequest, needs
from students.care_indicators import BY_RESPONSIBLE, held
from students.views.figures import Figure, figure

_TEACHERS = 60


@dataclass(frozen=True)
class RoundLine:
    name: str
    url: str
    window: str
    scope: str
    as_of: str
    deadline: str
    state: State


@dataclass(frozen=True)
class Progress:
    """How far a place, school or person is: all children, settled and open ones."""

    name: str
    url: str
    whole: Figure
    settled: int
    open: Figure


@needs(Right.SEE_FIGURES)
def rounds(request: AccountRequest) -> HttpResponse:
    found = CensusRound.objects.within(request.scope).prefetch_related("towns")[:100]
    return render(
        request,
        "dropout/rounds.html",
        {
            **strip(request),
            "crumbs": crumbs(Link("摸排轮次")),
            "rounds": [_line(one) for one in found],
            "open_url": reverse("census-open") if may(request.user, Right.UPLOAD_COUNTY) else "",
        },
    )


def _line(one: CensusRound) -> RoundLine:
    towns = [town.name for town in one.towns.all()]
    return RoundLine(
        one.name,
        reverse("census-round", args=[one.pk]),
        one.get_window_display(),
        "、".join(towns) or "全县",
        zh_date(one.as_of),
        zh_date(one.deadline),
        _state(one),
    )


def _state(one: CensusRound) -> State:
    if one.closed_at is not None:
        return State("mute", f"{zh_date(timezone.localdate(one.closed_at))}结束")
    left = (one.deadline - today()).days
    if left < 0:
        return State("bad", f"逾期{-left}天")
    return State("warn" if left <= 3 else "ok", f"进行中，剩{left}天")


def _round(request: AccountRequest, pk: int) -> CensusRound:
    found = CensusRound.objects.within(request.scope).filter(pk=pk).first()
    if found is None:
        raise Http404("没有这一轮摸排")
    return found


@needs(Right.SEE_FIGURES)
def census_round(request: AccountRequest, pk: int) -> HttpResponse:
    """Figures of an open round; of a closed one only what was agreed when it ended."""
    one = _round(request, pk)
    area = widest(request)
    prefix = prefix_of(Window(one.window))
    context: dict[str, object] = {
        **strip(request),
        "crumbs": crumbs(Link("摸排轮次", reverse("census-rounds")), Link(one.name)),
        "round": one,
        "line": _line(one),
        "close_url": reverse("census-close", args=[one.pk])
        if one.is_open and may(request.user, Right.UPLOAD_COUNTY)
        else "",
        "verdicts": [
            (verdict, reverse("whereabouts-undo", args=[verdict.pk]))
            for verdict in Verdict.objects.filter(
                round=one, **({} if request.scope.county else {"by": request.user})
            ).select_related("by", "undone_by")[:20]
        ],
    }
    if one.is_open and isinstance(area, Region):
        keys = ("population", "suspected", "dropout", "not-in-round")
        context["kpis"] = [KeyFigure(figure(request, indicator_of(f"{prefix}.{key}"), area)) for key in keys]
        context["tables"] = [
            (label, lines)
            for label, lines in (
                ("乡镇" if area.is_home else "村", _places(request, prefix, area)),
                ("学校", _schools(request, area) if one.window == Window.COMPULSORY else []),
                ("包保责任人", _teachers(request, prefix, area)),
            )
            if lines
        ]
    elif one.is_open and isinstance(area, School):
        context["kpis"] = [
            KeyFigure(figure(request, indicator_of(f"whereabouts.{key}"), area))
            for key in ("at-school", "at-school.suspected", "at-school.dropout")
        ]
    return render(request, "dropout/round.html", context)


def _values(request: AccountRequest, key: str, breakdown: str, area: Area) -> dict[Any, int]:
    told = indicator_of(key)
    found = told.values_by(told.breakdown(breakdown), Basis(area, today()), request.scope)
    return {part: int(value) for part, value in found.items()}


def _progress(
    request: AccountRequest, whole_key: str, open_key: str, breakdown: str, area: Area, below: QuerySet[Any]
) -> list[Progress]:
    whole = _values(request, whole_key, breakdown, area)
    left = _values(request, open_key, breakdown, area)
    lines = [
        Progress(
            place.name,
            f"{reverse('dropout')}?area={place.code}&part=suspected",
            figure_at(request, indicator_of(whole_key), place, whole[place.pk]),
            whole[place.pk] - left.get(place.pk, 0),
            figure_at(request, indicator_of(open_key), place, left.get(place.pk, 0)),
        )
        for place in below.filter(pk__in=[pk for pk in whole if pk])
    ]
    return sorted(lines, key=lambda line: -line.open.value)


def _places(request: AccountRequest, prefix: str, area: Region) -> list[Progress]:
    breakdown = "town" if area.is_home else "village"
    return _progress(
        request, f"{prefix}.population", f"{prefix}.suspected", breakdown, area, Region.objects.order_by("code")
    )


def _schools(request: AccountRequest, area: Region) -> list[Progress]:
    found = _progress(
        request,
        "whereabouts.at-school",
        "whereabouts.at-school.suspected",
        "school",
        area,
        School.objects.order_by("code"),
    )
    return found[:_TEACHERS]


def _teachers(request: AccountRequest, prefix: str, area: Region) -> list[Progress]:
    """By the person who answers for the child today; children whom nobody answers for stand on the page of 包保分配."""
    basis = Basis(area, today())

    def by_person(key: str) -> dict[Any, int]:
        told = indicator_of(f"{prefix}.{key}")
        tied = replace(
            told,
            rows=lambda b: told.rows(b).annotate(
                responsible=Subquery(held(b).filter(student=OuterRef("pk")).values("user")[:1])
            ),
        )
        return {pk: int(value) for pk, value in tied.values_by(BY_RESPONSIBLE, basis, request.scope).items() if pk}

    whole, left = by_person("population"), by_person("suspected")
    names = BY_RESPONSIBLE.names(list(whole))
    lines = [
        Progress(
            names[pk],
            "",
            Figure(number, "", "人", "负责"),
            number - left.get(pk, 0),
            Figure(left.get(pk, 0), "", "人", "未核"),
        )
        for pk, number in whole.items()
        if pk in names
    ]
    return sorted(lines, key=lambda line: (-line.open.value, line.name))[:_TEACHERS]


@needs(Right.UPLOAD_COUNTY)
def open_round(request: AccountRequest) -> HttpResponse:
    form = RoundForm(request.POST or None, initial=next_round())
    if request.method == "POST" and form.is_valid():
        try:
            made = actions.open_round(by=request.user, **form.cleaned_data)
        except actions.CannotOpen as refusal:
            form.add_error(refusal.field or None, str(refusal))
        else:
            messages.success(request, f"“{made}”已发起，范围内的儿童都已列入，名单能推定去向的已推定。")
            return redirect("census-round", made.pk)
    context = {
        **strip(request),
        "crumbs": crumbs(Link("摸排轮次", reverse("census-rounds")), Link("发起摸排")),
        "title": "发起摸排",
        "form": form,
        "button": "发起",
        "back_url": reverse("census-rounds"),
    }
    return render(request, "dropout/form.html", context)


@needs(Right.UPLOAD_COUNTY)
def close_round(request: AccountRequest, pk: int) -> HttpResponse:
    one = _round(request, pk)
    if request.method == "POST":
        try:
            actions.close_round(one, by=request.user)
        except (actions.NotPossible, NotAllowed) as refusal:
            messages.warning(request, str(refusal))
        else:
            messages.success(request, f"“{one}”已结束。")
        return redirect("census-round", pk)
    prefix = prefix_of(Window(one.window))
    open_ones = figure(request, indicator_of(f"{prefix}.suspected"), widest(request))
    return render(
        request,
        "confirm.html",
        {
            "crumbs": crumbs(Link("摸排轮次", reverse("census-rounds")), Link(one.name)),
            "title": f"结束“{one}”",
            "question": "结束以后，这一轮的去向不能再改，也不再随名单变化。",
            "effects": [
                f"还有 {open_ones.value} 人去向未核，按未核存档。",
                "各页的平衡式改用下一轮；没有下一轮时按名单比对。",
            ],
            "confirm_label": "结束这一轮",
            "danger": True,
            "back_url": reverse("census-round", args=[one.pk]),
        },
    )
