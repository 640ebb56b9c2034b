"""P61 学年学期: to which term a list's date belongs."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from eduaid.core.forms.setup import SchoolYearForm
from eduaid.core.models import SchoolYear, Term
from eduaid.core.roles import today
from eduaid.core.views.pages import Link
from eduaid.core.views.policy import AccountRequest, needs
from eduaid.core.views.setup.tabs import PLACES, tabs


@dataclass(frozen=True)
class TermLine:
    label: str
    starts_on: dt.date
    ends_on: dt.date
    current: bool


@dataclass(frozen=True)
class YearLine:
    label: str
    url: str
    starts_on: dt.date
    ends_on: dt.date
    terms: list[TermLine]


def _crumbs(*more: Link) -> list[Link]:
    return [Link("设置", reverse("setup")), Link("学年学期", reverse("setup-calendar")), *more]


@needs(*PLACES)
def calendar(request: AccountRequest) -> HttpResponse:
    current = Term.objects.filter(starts_on__lte=today()).order_by("-starts_on").values_list("pk", flat=True).first()
    years = [
        YearLine(
            str(year),
            reverse("setup-year", args=[year.pk]),
            year.starts_on,
            year.ends_on,
            [TermLine(str(term), term.starts_on, term.ends_on, term.pk == current) for term in year.terms.all()],
        )
        for year in SchoolYear.objects.prefetch_related("terms")
    ]
    context = {"years": years, "add_url": reverse("setup-year-new")}
    return render(request, "setup/calendar.html", context | tabs(request, "setup-calendar"))


@needs(*PLACES)
def new_year(request: AccountRequest) -> HttpResponse:
    """The next year is proposed: the dates of the last one, a year later."""
    last = SchoolYear.objects.prefetch_related("terms").first()
    form = SchoolYearForm(request.POST or None, initial=_next_year(last) if last else {})
    if request.method == "POST" and form.is_valid():
        year = form.save()
        messages.success(request, f"已登记{year}")
        return redirect("setup-calendar")
    context = {
        "title": "新增学年",
        "form": form,
        "back_url": reverse("setup-calendar"),
        "crumbs": _crumbs(Link("新增学年")),
    }
    return render(request, "setup/form.html", context | tabs(request, "setup-calendar"))


def _next_year(last: SchoolYear) -> dict[str, object]:
    first = last.starts_on.year + 1
    initial: dict[str, object] = {"label": f"{first}-{first + 1}"}
    for term in last.terms.all():
        initial[f"{term.season}_starts_on"] = _year_later(term.starts_on)
        initial[f"{term.season}_ends_on"] = _year_later(term.ends_on)
    return initial


def _year_later(day: dt.date) -> dt.date:
    """The 29th of February becomes the 28th."""
    return day.replace(year=day.year + 1, day=28 if (day.month, day.day) == (2, 29) else day.day)


@needs(*PLACES)
def year(request: AccountRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(SchoolYear, pk=pk)
    title = str(found)
    form = SchoolYearForm(request.POST or None, instance=found)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, f"已保存{title}")
        return redirect("setup-calendar")
    context = {"title": title, "form": form, "back_url": reverse("setup-calendar"), "crumbs": _crumbs(Link(title))}
    return render(request, "setup/form.html", context | tabs(request, "setup-calendar"))
