"""P61 学校: schools inside the county and those outside where its children study."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from eduaid.core import history
from eduaid.core.display import State, zh_date
from eduaid.core.forms.setup import SchoolForm
from eduaid.core.models import Region, School
from eduaid.core.models.places import Stage
from eduaid.core.roles import today
from eduaid.core.views.pages import Chip, Link, chip, options, paged
from eduaid.core.views.policy import AccountRequest, needs
from eduaid.core.views.setup.tabs import PLACES, tabs

OUTSIDE = "outside"


@dataclass(frozen=True)
class Line:
    """A school as `setup/schools.html` shows it."""

    name: str
    code: str
    url: str
    town: str
    stages: str
    kind: str
    other_names: str
    state: State | None


def _line(school: School) -> Line:
    ended = school.valid_until is not None and school.valid_until <= today()
    gone = f"已并入{school.merged_into}" if school.merged_into else f"{zh_date(school.valid_until)}停用"
    return Line(
        school.name,
        school.code,
        reverse("setup-school", args=[school.pk]),
        school.town.name if school.town else "",
        "、".join(Stage(stage).label for stage in school.stages),
        school.kind,
        "、".join(school.other_names),
        State("mute", gone) if ended else None,
    )


def _crumbs(*more: Link) -> list[Link]:
    return [Link("设置", reverse("setup")), Link("学校", reverse("setup-schools")), *more]


@needs(*PLACES)
def schools(request: AccountRequest) -> HttpResponse:
    q, town, stage = (request.GET.get(name, "").strip() for name in ("q", "town", "stage"))
    towns = [(region.code, region.name) for region in Region.objects.townships()] + [(OUTSIDE, "县外学校")]
    found = School.objects.select_related("town", "merged_into").order_by("is_outside", "town__code", "code")
    chips: list[Chip] = []
    if q:
        found = found.filter(Q(name__icontains=q) | Q(other_names__icontains=q) | Q(code__startswith=q))
        chips.append(chip(request, "q", q))
    if town in dict(towns):
        found = found.filter(is_outside=True) if town == OUTSIDE else found.filter(town__code=town)
        chips.append(chip(request, "town", dict(towns)[town]))
    if stage in Stage.values:
        found = found.filter(stages__contains=[stage])
        chips.append(chip(request, "stage", Stage(stage).label))
    page = paged(request, found)
    return render(
        request,
        "setup/schools.html",
        {
            "schools": [_line(school) for school in page.rows],
            "page": page,
            "q": q,
            "towns": options(towns, town),
            "stages": options(Stage.choices, stage),
            "chips": chips,
            "clear_url": reverse("setup-schools"),
            "add_url": reverse("setup-school-new"),
        }
        | tabs(request, "setup-schools"),
    )


@needs(*PLACES)
def new_school(request: AccountRequest) -> HttpResponse:
    form = SchoolForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        school = form.save()
        messages.success(request, f"已登记{school.name}")
        return redirect("setup-schools")
    context = {
        "title": "新增学校",
        "form": form,
        "back_url": reverse("setup-schools"),
        "crumbs": _crumbs(Link("新增学校")),
    }
    return render(request, "setup/form.html", context | tabs(request, "setup-schools"))


@needs(*PLACES)
def school(request: AccountRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(School.objects.select_related("town", "merged_into"), pk=pk)
    title = found.name
    form = SchoolForm(request.POST or None, instance=found)
    if request.method == "POST" and form.is_valid():
        saved = form.save()
        messages.success(request, f"已保存{saved.name}")
        return redirect("setup-schools")
    return render(
        request,
        "setup/form.html",
        {
            "title": title,
            "form": form,
            "back_url": reverse("setup-schools"),
            "history": history.moments([found]),
            "shows_history": True,
            "crumbs": _crumbs(Link(title)),
        }
        | tabs(request, "setup-schools"),
    )
