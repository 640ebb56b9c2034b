"""P24 户: the members as the lists name them, children or not, and the household's type over time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from eduaid.core import access, codes, display
from eduaid.core.lists import kind_of
from eduaid.core.models import ListSlice, UploadRow
from eduaid.core.models.access import Action
from eduaid.core.models.uploads import RowState
from eduaid.core.roles import Right, today
from eduaid.core.scope import Scope
from eduaid.core.templatetags.ui import mask_id
from eduaid.core.views.pages import Link
from eduaid.core.views.policy import AccountRequest, needs
from students.facts import age_on
from students.models import Household, IdentityLink, Student
from students.models.people import HouseholdKind, Sex
from students.precedence import POPULATION, POVERTY
from students.views.common import Where, crumbs

_LISTS = {HouseholdKind.HUKOU: POPULATION, HouseholdKind.POVERTY: POVERTY}


@dataclass(frozen=True)
class Member:
    name: str
    url: str
    relation: str
    sex: str
    age: int | None
    id_masked: str
    text: str
    states: Sequence[display.State]
    source: Where


@dataclass(frozen=True)
class Status:
    """What one list said of the household's type."""

    category: str
    level: str
    from_on: dt.date
    until_on: dt.date | None
    source: Where


@needs(Right.SEE_CHILDREN)
def household(request: AccountRequest, pk: int) -> HttpResponse:
    home = Household.objects.within(request.scope).select_related("town", "village").filter(pk=pk).first()
    if home is None:
        raise Http404
    access.note(by=request.user, action=Action.VIEW, subject_kind="household", subject_id=pk, page=request.path)
    rows = _rows(home)
    children = _children(rows, request.scope)
    members = [_member(row, children.get(row.pk)) for row in rows]
    kind, is_poverty = kind_of(_LISTS[HouseholdKind(home.kind)]), home.kind == HouseholdKind.POVERTY
    place = f"{home.town.name if home.town else ''}{home.village.name if home.village else ''}"
    return render(
        request,
        "students/household.html",
        {
            "crumbs": crumbs(Link(str(home))),
            "household": {"label": str(home), "village": place, "members_count": len(members), "kind": kind.label},
            "facts": [
                {"label": "户主", "value": home.head},
                {"label": "户编号", "value": home.number},
                {"label": "来源", "value": f"{kind.label}名单（{home.get_kind_display()}）"},
                *([{"label": "户类型", "value": codes.POVERTY_STATUS.label(home.poverty_type)}] if is_poverty else []),
            ],
            "members": members,
            "is_poverty": is_poverty,
            "statuses": _statuses(rows),
            "conflict": _conflict(rows),
            "unlisted": not home.is_listed,
        },
    )


def _rows(home: Household) -> list[UploadRow]:
    """The rows in force that carry the household's number, the head's first, then by line.

    Looked for in its township's current lists, and among the rows that these keep in force while a newer one waits.
    """
    kind = _LISTS[HouseholdKind(home.kind)]
    current = list(ListSlice.objects.filter(kind=kind, town=home.town, is_current=True).values_list("pk", flat=True))
    waiting = UploadRow.objects.filter(slice__in=current, state=RowState.WAITING).order_by().values("pk")
    rows = UploadRow.objects.filter(state=RowState.ACCEPTED, facts__household_no=home.number).select_related("slice")
    # Ordered here: the order of rows goes by way of their lists, and a county-wide list is beyond a township's sight.
    found = [*rows.filter(slice__in=current).order_by(), *rows.filter(held_by__in=waiting, slice__kind=kind).order_by()]
    return sorted(found, key=lambda row: (not row.facts.get("is_head"), row.sheet_id, row.number))


def _children(rows: Sequence[UploadRow], scope: Scope) -> dict[int, Student]:
    """Row → the child it speaks of, where the reader may see it; a merged record leads to the one that goes on."""
    links = IdentityLink.objects.filter(row__in=[row.pk for row in rows]).select_related("student")
    canonical = {link.row_id: link.student.merged_into_id or link.student_id for link in links}
    visible = Student.objects.within(scope).select_related("school").in_bulk(list(canonical.values()))
    return {row: visible[student] for row, student in canonical.items() if student in visible}


def _member(row: UploadRow, child: Student | None) -> Member:
    facts = row.facts
    born = dt.date.fromisoformat(facts["birth_on"]) if facts.get("birth_on") else None
    states = []
    if child is not None and child.in_hardship:
        states.append(display.State("mute", "困难群体"))
    if row.held_by_id is not None and row.slice is not None and not row.slice.is_current:
        states.append(display.State("warn", "待改，沿用上一份名单"))
    return Member(
        name=facts.get("name", ""),
        url=reverse("student", args=[child.public_id]) if child else "",
        relation=codes.RELATION.label(facts.get("relation") or ""),
        sex=str(Sex(facts["sex"]).label) if facts.get("sex") in Sex.values else "",
        age=age_on(born, today()) if born else None,
        id_masked=mask_id(facts.get("id_prefix") or None),
        text=_schooling(child),
        states=states,
        source=Where(_place_of(row), reverse("row-trace", args=[row.pk])),
    )


def _place_of(row: UploadRow) -> str:
    return f"{row.upload_id} 号名单第 {row.number} 行"


def _schooling(child: Student | None) -> str:
    if child is None or child.school is None:
        return ""
    return f"{child.school.name} {codes.GRADE.label(child.grade)}"


def _conflict(rows: Sequence[UploadRow]) -> str:
    """Two rows that name different heads."""
    named = {row.facts["household_head"] for row in rows if row.facts.get("household_head")}
    named |= {row.facts.get("name", "") for row in rows if row.facts.get("is_head")}
    if len(named) < 2:
        return ""
    return f"名单对这一户的户主说法不一：{'、'.join(sorted(named))}。请核对后在下一份名单里改正。"


def _statuses(rows: Sequence[UploadRow]) -> list[Status]:
    """The type that each list in turn gave the household, newest first; lists that repeat the type are passed over.

    Followed through the household's children, whose rows are tied to them for good.
    """
    children = IdentityLink.objects.filter(row__in=[row.pk for row in rows]).values("student")
    told = (
        UploadRow.objects.filter(
            link__student__in=children, slice__kind=POVERTY, slice__applied_at__isnull=False, slice__undone_at=None,
            state=RowState.ACCEPTED, facts__has_key="poverty_type",
        )
        .select_related("slice")
        .order_by("slice__effective_on", "slice__applied_at", "pk")
    )  # fmt: skip
    changes: list[UploadRow] = []
    for row in told:
        if not changes or changes[-1].facts["poverty_type"] != row.facts["poverty_type"]:
            changes.append(row)
    ends = [*(row.slice.effective_on for row in changes[1:] if row.slice), None]
    return [
        Status(
            category=codes.POVERTY_STATUS.label(row.facts["poverty_type"]),
            level="",
            from_on=row.slice.effective_on,
            until_on=until,
            source=Where(_place_of(row), reverse("row-trace", args=[row.pk])),
        )
        for row, until in zip(changes, ends, strict=False)
        if row.slice is not None
    ][::-1]
