"""P18 包保分配: who has nobody to answer for them, who carries how many, and bulk assignment by class or village."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from eduaid.core import codes, display
from eduaid.core.indicators import Basis
from eduaid.core.models import Region, User
from eduaid.core.roles import Right, may, today
from eduaid.core.uploads import NotAllowed
from eduaid.core.views.pages import Link, Option, Page, Tab, address, paged
from eduaid.core.views.policy import AccountRequest, needs
from students import responsibility
from students.care_indicators import BY_RESPONSIBLE, LEFT, WITH, WITHOUT
from students.indicators import PUPILS
from students.models import Responsibility, Student
from students.responsibility import Assigned, CannotAssign, Suggestion
from students.views.common import crumbs
from students.views.figures import Area, Figure, area_asked, figure

_GROUPS, _CHOICES = 40, 300
_PARTS = {"class": "按班分配", "village": "按村分配", "child": "逐人分配", "people": "责任人"}


@dataclass(frozen=True)
class Kpi:
    """A key figure, in the shape of `partials/kpis.html`."""

    figure: Figure
    more: str = ""


@dataclass(frozen=True)
class GroupLine:
    key: str
    label: str
    children: int
    to: str
    why: str


@dataclass(frozen=True)
class ChildLine:
    public_id: str
    name: str
    url: str
    place: str
    village: str
    since: str = ""


@dataclass(frozen=True)
class Person:
    """Somebody who may answer for children here. `of_url`: the list of theirs."""

    name: str
    place: str
    posts: str
    figure: Figure
    state: display.State


@needs(Right.ASSIGN, Right.SEE_FIGURES)
def assign(request: AccountRequest, code: str) -> HttpResponse:
    area = area_asked(request, code)
    if isinstance(area, Region) and area.is_home:
        return _county(request, area)
    part = request.GET.get("part", "class")
    part = part if part in _PARTS else "class"
    may_assign = may(request.user, Right.ASSIGN)
    context = {
        "area": area,
        "kpis": [Kpi(figure(request, one, area)) for one in (PUPILS, WITH, WITHOUT)],
        "part": part,
        "parts": [Tab(label, address(request, part=key, page="", of=""), key == part) for key, label in _PARTS.items()],
        "may_assign": may_assign,
        "people": _choices(area) if may_assign else [],
        "save_url": reverse("assign-save", args=[area.code]),
        "undo": _undoable(request),
        "undo_url": reverse("assign-undo", args=[area.code]),
        "left": figure(request, LEFT, area),
        "leaving": _leaving(request, area) if may_assign else [],
        "hand_over_url": reverse("assign-hand-over", args=[area.code]),
        "crumbs": crumbs(Link("包保分配", _county_url(request)), Link(area.name)),
    }
    if part == "people":
        return render(request, "students/assign_people.html", context | _people(request, area))
    waiting = _waiting(request, area)
    if part == "child":
        page = paged(request, waiting.select_related("school", "hukou_village").order_by(
            "school__code", "grade", "class_name", "pinyin", "pk"
        ))  # fmt: skip
        return render(
            request, "students/assign.html", context | {"page": page, "children": [_child(s) for s in page.rows]}
        )
    suggested = _suggested(request, area, part)
    shown: Page[Suggestion] = paged(request, suggested, size=_GROUPS)
    return render(
        request,
        "students/assign.html",
        context
        | {
            "page": shown,
            "groups": [
                GroupLine(
                    one.group.key,
                    one.group.label,
                    len(one.group.children),
                    one.to.display_name if one.to else "",
                    one.why,
                )
                for one in shown.rows
            ],
            "takeable": any(one.to for one in suggested),
        },
    )


def _waiting(request: AccountRequest, area: Area) -> QuerySet[Student]:
    found: QuerySet[Student] = WITHOUT.queryset(Basis(area, today()), request.scope)
    return found


def _suggested(request: AccountRequest, area: Area, part: str) -> list[Suggestion]:
    waiting = _waiting(request, area)
    people = responsibility.candidates(area)
    if part == "village":
        return list(responsibility.suggest(responsibility.by_village(waiting), people, {}))
    found = responsibility.by_class(waiting)
    teachers = responsibility.class_teachers([pk for group in found for pk in group.children])
    return list(responsibility.suggest(found, people, teachers))


def _choices(area: Area) -> list[Option]:
    return [
        Option(str(one.pk), f"{one.display_name}（{one.place_label}）")  # type: ignore[attr-defined]
        for one in responsibility.candidates(area)[:_CHOICES]
    ]


def _county_url(request: AccountRequest) -> str:
    if not request.scope.county:
        return ""
    return reverse("assign", args=[Region.objects.home().code])


def _child(student: Student, since: str = "") -> ChildLine:
    school = student.school.name if student.school else ""
    return ChildLine(
        student.public_id,
        student.name,
        reverse("student", args=[student.public_id]),
        f"{school} {codes.GRADE.label(student.grade)}{student.class_name}".strip() or display.NONE,
        student.hukou_village.name if student.hukou_village else display.NONE,
        since,
    )


def _county(request: AccountRequest, county: Region) -> HttpResponse:
    """The bureau sees gaps and load by township; assigning is done in the township."""
    basis = Basis(county, today())
    told = {
        one.key: one.values_by(one.breakdown("town"), basis, request.scope) for one in (PUPILS, WITH, WITHOUT, LEFT)
    }
    towns = [town for town in Region.objects.townships() if told[PUPILS.key].get(town.pk, 0)]
    towns.sort(key=lambda town: -told[WITHOUT.key].get(town.pk, 0))  # the widest gap first
    rows = [
        {
            "name": town.name,
            "url": reverse("assign", args=[town.code]),
            "cells": [
                figure(request, one, town, told[one.key].get(town.pk, 0)) for one in (PUPILS, WITH, WITHOUT, LEFT)
            ],
        }
        for town in towns
    ]
    return render(
        request,
        "students/assign_county.html",
        {
            "area": county,
            "table": {
                "caption": "各乡镇包保分配",
                "row_label": "乡镇",
                "columns": [
                    {"label": label, "unit": "人", "numeric": True}
                    for label in ("在校学生", "有责任人", "无责任人", "责任人已离任")
                ],
                "rows": rows,
                "totals": [figure(request, one, county) for one in (PUPILS, WITH, WITHOUT, LEFT)] if rows else [],
                "note": "",
            },
            "crumbs": crumbs(Link("包保分配")),
        },
    )


# --- people and their load -------------------------------------------------------------------------------------


def _people(request: AccountRequest, area: Area) -> dict[str, object]:
    """Everybody who may answer for children here, with how many of this place they do; `?of=` lists somebody's."""
    loads = WITH.values_by(BY_RESPONSIBLE, Basis(area, today()), request.scope)
    known = {one.pk: one for one in responsibility.candidates(area)}
    gone = User.objects.filter(pk__in=[pk for pk in loads if pk not in known]).order_by("pk")
    lines = [
        Person(
            one.display_name,
            getattr(one, "place_label", display.NONE),
            "",
            Figure(loads.get(one.pk, 0), address(request, part="people", of=one.pk, page=""), "人", one.display_name),
            display.State("ok", "在岗") if one.pk in known else display.State("warn", "不在本地任职"),
        )
        for one in [*known.values(), *gone]
    ]
    lines.sort(key=lambda line: (-int(line.figure.value), line.place, line.name))
    page = paged(request, lines)
    of = request.GET.get("of", "")
    if not of.isdigit():
        return {"page": page, "lines": page.rows}
    person = User.objects.filter(pk=int(of)).first()
    if person is None or (person.pk not in known and person.pk not in loads):
        raise Http404
    held = Responsibility.objects.held_on(today()).filter(user=person)
    mine = PUPILS.queryset(Basis(area, today()), request.scope).filter(pk__in=held.values("student"))
    shown = paged(
        request, mine.select_related("school", "hukou_village").order_by("school__code", "grade", "class_name", "pk")
    )
    since = dict(held.filter(student__in=[s.pk for s in shown.rows]).values_list("student", "from_on"))
    return {
        "person": person,
        "page": shown,
        "children": [_child(s, display.dense_date(since[s.pk])) for s in shown.rows],
        "back_url": address(request, of="", page=""),
    }


def _leaving(request: AccountRequest, area: Area) -> list[Option]:
    """Who has left and still stands as answering for children of this place."""
    children = LEFT.queryset(Basis(area, today()), request.scope)
    held = Responsibility.objects.left_behind(today()).filter(student__in=children.values("pk"))
    return [
        Option(str(user.pk), user.display_name)
        for user in User.objects.filter(pk__in=held.values("user")).order_by("pk")[:_GROUPS]
    ]


# --- the acts --------------------------------------------------------------------------------------------------


@require_POST
@needs(Right.ASSIGN)
def save(request: AccountRequest, code: str) -> HttpResponse:
    """What was ticked to whom was chosen, one suggestion, or all; what touches several groups asks once more."""
    area = area_asked(request, code)
    part = request.POST.get("part", "class")
    back = f"{reverse('assign', args=[area.code])}?part={part}"
    try:
        wanted = _wanted(request, area, part)
        if not request.POST.get("confirmed"):
            return _confirm(request, area, wanted, back)
        done = responsibility.adopt(wanted, by=request.user)
    except (CannotAssign, NotAllowed) as refusal:
        messages.error(request, str(refusal))
        return redirect(back)
    return _done(request, done, back)


def _wanted(request: AccountRequest, area: Area, part: str) -> list[tuple[User, tuple[int, ...]]]:
    """To whom which children go; raises CannotAssign where nothing or nobody was chosen."""
    asked = request.POST
    suggested = _suggested(request, area, part) if part != "child" else []
    if asked.get("all"):
        return [(one.to, one.group.children) for one in suggested if one.to]
    if asked.get("accept"):
        return [(one.to, one.group.children) for one in suggested if one.to and one.group.key == asked["accept"]]
    to = next((one for one in responsibility.candidates(area) if str(one.pk) == asked.get("to")), None)
    if to is None:
        raise CannotAssign("没有选择责任人。请在“分配给”里选一位，再点“分配”。")
    ticked = set(asked.getlist("row"))
    if part == "child":
        chosen = _waiting(request, area).filter(public_id__in=ticked).values_list("pk", flat=True)
        return [(to, tuple(chosen))]
    picked = [one.group for one in suggested if one.group.key in ticked]
    return [(to, tuple(pk for group in picked for pk in group.children))]


def _confirm(
    request: AccountRequest, area: Area, wanted: Sequence[tuple[User, tuple[int, ...]]], back: str
) -> HttpResponse:
    heads = [(to, len(children)) for to, children in wanted if children]
    if not heads:
        raise CannotAssign("没有选中还没有责任人的学生。请勾选后再分配；刚被别人分走的不再列出。")
    told: dict[str, int] = {}
    for to, number in heads:
        told[to.display_name] = told.get(to.display_name, 0) + number
    kept = [(name, value) for name in ("part", "to", "all", "accept") if (value := request.POST.get(name))]
    kept += [("row", value) for value in request.POST.getlist("row")]
    return render(
        request,
        "confirm.html",
        {
            "title": f"包保分配：{area.name}",
            "question": f"给 {sum(told.values()):,} 名学生分配责任人，共 {len(told)} 位：",
            "effects": [f"{name}：{number:,} 人" for name, number in list(told.items())[:_GROUPS]],
            "fields": [{"name": name, "value": value} for name, value in [*kept, ("confirmed", "1")]],
            "confirm_label": "确认分配",
            "back_url": back,
            "crumbs": crumbs(Link("包保分配", back), Link("确认")),
        },
    )


@require_POST
@needs(Right.ASSIGN)
def hand_over(request: AccountRequest, code: str) -> HttpResponse:
    """Everything of somebody who left, to one person or evenly to the teachers of the place."""
    area = area_asked(request, code)
    back = reverse("assign", args=[area.code])
    leaving = User.objects.filter(pk=_number(request.POST.get("from", ""))).first()
    people = responsibility.candidates(area)
    chosen = [one for one in people if str(one.pk) == request.POST.get("to")]
    if request.POST.get("to") == "even":
        chosen = [one for one in people if one.is_teacher and one != leaving]  # type: ignore[attr-defined]
    try:
        if leaving is None:
            raise CannotAssign("没有选择要交接的人。")
        done = responsibility.hand_over(leaving, to=chosen, by=request.user)
    except (CannotAssign, NotAllowed) as refusal:
        messages.error(request, str(refusal))
        return redirect(back)
    return _done(request, done, back)


@require_POST
@needs(Right.ASSIGN)
def undo(request: AccountRequest, code: str) -> HttpResponse:
    area = area_asked(request, code)
    batch = _batch(request.POST.get("batch", ""))
    done = responsibility.undo(batch, by=request.user) if batch else 0
    if done:
        messages.success(request, f"已撤销 {done:,} 人的分配，原来有责任人的恢复原责任人。")
    else:
        messages.warning(request, "没有可以撤销的：这批学生已另行分配，或已撤销过。")
    return redirect("assign", area.code)


def _done(request: AccountRequest, done: Assigned, back: str) -> HttpResponse:
    messages.success(request, f"{done.sentence}。")
    return redirect(f"{back}{'&' if '?' in back else '?'}done={done.batch}")


def _undoable(request: AccountRequest) -> str:
    batch = _batch(request.GET.get("done", ""))
    return str(batch) if batch and Responsibility.objects.filter(batch=batch, ended_on=None).exists() else ""


def _batch(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def _number(text: str) -> int:
    return int(text) if text.isdigit() and len(text) < 10 else 0
