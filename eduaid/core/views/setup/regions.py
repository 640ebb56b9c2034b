"""P61 区划: the county, its townships and villages; adding, changing, ending, merging."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from eduaid.core import history
from eduaid.core.display import State, zh_date
from eduaid.core.forms.setup import EndRegionForm, RegionForm
from eduaid.core.models import Region
from eduaid.core.models.places import Level
from eduaid.core.roles import today
from eduaid.core.views.pages import Link
from eduaid.core.views.policy import AccountRequest, needs
from eduaid.core.views.setup.tabs import PLACES, tabs


@dataclass(frozen=True)
class Village:
    name: str
    code: str
    url: str
    state: State | None


@dataclass
class Town:
    pk: int
    name: str
    code: str
    url: str
    state: State | None
    schools_url: str
    open: bool
    villages: list[Village] = field(default_factory=list)


def _home() -> Region | None:
    return Region.objects.filter(is_home=True).first()


def _ended(region: Region) -> State | None:
    if region.valid_until is None or region.valid_until > today():
        return None
    return State("mute", f"已并入{region.merged_into}" if region.merged_into else f"{zh_date(region.valid_until)}停用")


def _crumbs(*more: Link) -> list[Link]:
    return [Link("设置", reverse("setup")), Link("区划", reverse("setup-regions")), *more]


@needs(*PLACES)
def regions(request: AccountRequest) -> HttpResponse:
    """The whole tree on one page: a county has some tens of townships and some hundred villages."""
    home = _home()
    if home is None:
        return redirect("setup-region-new")
    opened = request.GET.get("open", "")
    inside = Region.objects.filter(level__in=[Level.TOWNSHIP, Level.VILLAGE], code__startswith=home.code)
    villages: dict[int, list[Village]] = defaultdict(list)
    towns: list[Town] = []
    for region in inside.select_related("merged_into").order_by("code", "valid_from"):
        url = reverse("setup-region", args=[region.pk])
        if region.level == Level.VILLAGE:
            villages[region.parent_id or 0].append(Village(region.name, region.code, url, _ended(region)))
        else:
            town = Town(
                region.pk,
                region.name,
                region.code,
                url,
                _ended(region),
                f"{reverse('setup-schools')}?town={region.code}",
                region.code == opened,
            )
            towns.append(town)
    for town in towns:
        town.villages = villages[town.pk]
    context = {"county": home, "county_url": reverse("setup-region", args=[home.pk]), "towns": towns}
    return render(
        request,
        "setup/regions.html",
        context | {"add_url": reverse("setup-region-new")} | tabs(request, "setup-regions"),
    )


@needs(*PLACES)
def new_region(request: AccountRequest) -> HttpResponse:
    """A township or village; on an empty installation the county itself."""
    home = _home()
    initial = {"level": request.GET.get("level", Level.TOWNSHIP), "parent": request.GET.get("parent", "")}
    form = RegionForm(request.POST or None, home=home, initial=initial)
    if request.method == "POST" and form.is_valid():
        region = form.save()
        messages.success(request, f"已登记{region.name}")
        return redirect(f"{reverse('setup-regions')}?open={_town_code(region)}")
    title = "新增乡镇或村" if home else "登记本县"
    context = {"title": title, "form": form, "back_url": reverse("setup-regions") if home else reverse("setup")}
    return render(
        request, "setup/form.html", context | {"crumbs": _crumbs(Link(title))} | tabs(request, "setup-regions")
    )


@needs(*PLACES)
def region(request: AccountRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Region.objects.select_related("parent", "merged_into"), pk=pk)
    form = RegionForm(request.POST or None, instance=found, home=_home())
    if request.method == "POST" and form.is_valid():
        saved = form.save()
        messages.success(request, f"已保存{saved.name}")
        return redirect(f"{reverse('setup-regions')}?open={_town_code(saved)}")
    title = Region.objects.get(pk=pk).name
    may_end = not found.is_home and found.valid_until is None
    return render(
        request,
        "setup/form.html",
        {
            "title": title,
            "form": form,
            "back_url": reverse("setup-regions"),
            "history": history.moments([found]),
            "note": _ended(found),
            "danger": Link("停用或并入", reverse("setup-region-end", args=[pk])) if may_end else None,
            "crumbs": _crumbs(Link(title)),
            "shows_history": True,
        }
        | tabs(request, "setup-regions"),
    )


@needs(*PLACES)
def end_region(request: AccountRequest, pk: int) -> HttpResponse:
    """Old reports keep the old border: the region stays, with its last day and what it has become."""
    found = get_object_or_404(Region.objects.select_related("parent"), pk=pk, is_home=False)
    form = EndRegionForm(request.POST or None, instance=found, initial={"valid_until": today()})
    if request.method == "POST" and form.is_valid():
        saved = form.save()
        messages.success(request, f"{saved.name}自{zh_date(saved.valid_until)}起停用")
        return redirect(f"{reverse('setup-regions')}?open={_town_code(saved)}")
    back = reverse("setup-region", args=[pk])
    title = f"停用或并入{found.name}"
    context = {"title": title, "form": form, "back_url": back, "crumbs": _crumbs(Link(found.name, back), Link(title))}
    return render(request, "setup/form.html", context | tabs(request, "setup-regions"))


def _town_code(region: Region) -> str:
    return region.parent.code if region.level == Level.VILLAGE and region.parent else region.code
