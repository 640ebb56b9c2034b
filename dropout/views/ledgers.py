"""P29 三本台账: 适龄儿童, 疑似辍学, 辍学, each entry with its way in and out; and whether every list is there (四查三比对)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from dropout import ledgers
from dropout.indicators import round_at
from dropout.ledgers import CHECKED, DROPOUT, ELIGIBLE, LEDGERS, SUSPECTED, Area, Ledger
from dropout.models import CensusRound, Whereabouts
from dropout.models.census import Window
from dropout.views.common import KeyFigure, area_asked, crumbs, figure_at, places, strip
from eduaid.core.display import State
from eduaid.core.indicators import Basis, indicator_of
from eduaid.core.models import Region, School, Term
from eduaid.core.roles import Right, may, today
from eduaid.core.views.pages import Link, Tab, address, chip, paged
from eduaid.core.views.policy import AccountRequest, needs
from students.views.figures import Figure, figure

_COMPARED = (
    ("有户籍无学籍", "difference.population-not-registry"),
    ("有学籍不在班", "difference.registry-not-roster"),
    ("在班无学籍", "difference.roster-only"),
)


@dataclass(frozen=True)
class Entry:
    """One child in a ledger. `note`: the proof, or that lists contradict the decision."""

    url: str
    name: str
    place: str
    state: State
    where: str
    basis: str
    since: dt.datetime | None
    how: str
    pk: int


@dataclass(frozen=True)
class TownLine:
    """A township's lists, and what their comparison finds."""

    name: str
    url: str
    lists: Sequence[State]
    figures: Sequence[Figure]


@needs(Right.SEE_FIGURES)
def dropout(request: AccountRequest) -> HttpResponse:
    area = area_asked(request)
    round_ = round_at(Window.COMPULSORY, None)
    part = request.GET.get("part", SUSPECTED.key)
    ledger = next((one for one in LEDGERS if one.key == part), None)
    context: dict[str, object] = {
        **strip(request),
        "crumbs": crumbs(Link("三本台账")),
        "area": area,
        "round": round_,
        "places": places(request, area),
        "part": part,
        "rounds_url": reverse("census-rounds"),
        "may_open": may(request.user, Right.UPLOAD_COUNTY) and request.scope.county,
    }
    values = {one.key: figure(request, one.indicator(area), area) for one in LEDGERS}
    context["ledgers"] = [
        Tab(one.label, address(request, part=one.key, page="", out=""), part == one.key, int(values[one.key].value))
        for one in LEDGERS
    ] + [Tab("四查三比对", address(request, part="lists", page="", out=""), part == "lists")]
    if part == "lists" or ledger is None:
        return render(request, "dropout/lists.html", context | _lists(request))
    context["kpis"] = [KeyFigure(values[one.key]) for one in LEDGERS]
    if round_ is None:
        return render(request, "dropout/ledgers.html", context)
    out = ledger is not ELIGIBLE and request.GET.get("out") == "1"
    return render(request, "dropout/ledgers.html", context | _entries(request, ledger, area, round_, out))


def _entries(request: AccountRequest, ledger: Ledger, area: Area, round_: CensusRound, out: bool) -> dict[str, object]:
    if out:
        left = paged(request, ledgers.struck_off(ledger, area, request.scope))
        pairs = [(one.student, one) for one in left.rows]
    else:
        inside = paged(request, ledgers.entries(ledger, area, request.scope))
        held = ledgers.whereabouts_of(round_, [student.pk for student in inside.rows])
        pairs = [(student, held[student.pk]) for student in inside.rows if student.pk in held]
        left = inside
    stays = ledgers.stays(ledger, [one for _, one in pairs])
    return {
        "ledger": ledger,
        "out": out,
        "in_out": []
        if ledger is ELIGIBLE
        else [
            Tab("在册", address(request, out="", page=""), not out),
            Tab("已销号", address(request, out="1", page=""), out),
        ],
        "rows": [_entry(student, one, stays.get(one.pk)) for student, one in pairs],
        "page": left,
        "chips": [chip(request, "area", area.name)] if request.GET.get("area") else [],
        "bulk_url": reverse("whereabouts-many") if _may_decide(request) and round_.is_open else "",
    }


def _may_decide(request: AccountRequest) -> bool:
    return may(request.user, Right.UPLOAD) or may(request.user, Right.CARE)


def _entry(student: Any, one: Whereabouts, stay: ledgers.Stay | None) -> Entry:
    place = f"{student.hukou_town.name if student.hukou_town else ''}{student.hukou_village.name if student.hukou_village else ''}"
    return Entry(
        url=reverse("whereabouts", args=[student.public_id]),
        name=student.name,
        place=place,
        state=state_of(one),
        where=one.where,
        basis=one.basis,
        since=stay.since if stay else None,
        how=stay.how if stay else "",
        pk=one.pk,
    )


def state_of(one: Whereabouts) -> State:
    if one.contested_code:
        return State("bad", f"{one.label}（与新名单不一致）")
    if not one.code:
        return State("warn", "未核")
    if one.code.startswith("C"):
        return State("bad", one.label)
    return State("ok" if one.code.startswith("A") else "mute", one.label)


def _lists(request: AccountRequest) -> dict[str, object]:
    """Four lists and three comparisons, by township: which is there, of what date, and who differs."""
    term = Term.objects.filter(starts_on__lte=today()).order_by("-starts_on").first()
    towns = ledgers.towns_seen(request.scope)
    states = ledgers.list_states(towns, term.starts_on if term else None)
    home = Region.objects.filter(is_home=True).first()
    counted: list[dict[int, int]] = []
    for _, key in _COMPARED:
        told = indicator_of(key)
        area: Region | School | None = home
        values = told.values_by(told.breakdown("town"), Basis(area, today()), request.scope) if area else {}
        counted.append({pk: int(value) for pk, value in values.items()})
    lines = [
        TownLine(
            town.name,
            f"{reverse('dropout')}?area={town.code}&part=suspected" if request.scope.covers(town) else "",
            [State(one.level, one.text) for one in states[town.pk]],  # type: ignore[arg-type]
            [
                figure_at(request, indicator_of(key), town, values.get(town.pk, 0))
                for (_, key), values in zip(_COMPARED, counted, strict=True)
            ]
            if request.scope.covers(town)
            else [],
        )
        for town in towns
    ]
    missing = [
        f"{town.name}{label}{state.text}"
        for town in towns
        for (_, label), state in zip(CHECKED, states[town.pk], strict=True)
        if state.level == "bad"
    ]
    return {
        "checked": [label for _, label in CHECKED],
        "compared": [label for label, _ in _COMPARED],
        "lines": lines,
        "missing": missing,
    }


__all__ = ["DROPOUT", "dropout", "state_of"]
