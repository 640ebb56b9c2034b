"""去向待核: who left a list and nobody knows where to, until a list of that kind names them again."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from eduaid.core import codes
from eduaid.core.lists import kind_of
from eduaid.core.models import Departure
from eduaid.core.models.uploads import RowState
from eduaid.core.roles import Right
from eduaid.core.templatetags.ui import mask_id
from eduaid.core.views.pages import Link, paged
from eduaid.core.views.policy import AccountRequest, needs
from students.models import IdentityLink, Student
from students.views.common import crumbs


@dataclass(frozen=True)
class Line:
    name: str
    url: str
    id_masked: str
    place: str
    grade: str
    kind: str
    effective_on: dt.date
    note: str
    line: str
    line_url: str


@needs(Right.SEE_CHILDREN)
def pending(request: AccountRequest) -> HttpResponse:
    found = _open_matters().filter(request.scope.q(town="town", school="school"))
    page = paged(
        request,
        found.select_related("row", "upload", "school", "town").order_by("-upload__effective_on", "row_id"),
    )
    children = _children([one.row_id for one in page.rows], request)
    return render(
        request,
        "students/pending.html",
        {"rows": [_line(one, children) for one in page.rows], "page": page, "crumbs": crumbs(Link("去向待核"))},
    )


def _open_matters() -> QuerySet[Departure]:
    """Those whom no list of the same kind in force names by now."""
    named = IdentityLink.objects.filter(
        student=OuterRef("row__link__student"),
        row__state=RowState.ACCEPTED,
        row__slice__is_current=True,
        row__slice__kind=OuterRef("upload__kind"),
    )
    return Departure.objects.pending().exclude(Exists(named))


def _children(rows: list[int], request: AccountRequest) -> dict[int, str]:
    """Row → public id of the child, where the reader may see the child."""
    links = IdentityLink.objects.filter(row__in=rows, student__in=Student.objects.within(request.scope))
    return dict(links.values_list("row_id", "student__public_id"))


def _line(one: Departure, children: dict[int, str]) -> Line:
    facts = one.row.facts
    grade = str(facts.get("grade") or "")
    label = codes.GRADE.label(grade) if grade in codes.GRADE else ""
    return Line(
        name=str(facts.get("name") or "—"),
        url=reverse("student", args=[children[one.row_id]]) if one.row_id in children else "",
        id_masked=mask_id(facts["id_prefix"]) if facts.get("id_prefix") else "",
        place=str(one.school or one.town or ""),
        grade=f"{label} {facts.get('class_name') or ''}".strip(),
        kind=kind_of(one.upload.kind).label,
        effective_on=one.upload.effective_on,
        note=one.note,
        line=f"名单 {one.row.upload_id} 号第 {one.row.number} 行",
        line_url=reverse("row-trace", args=[one.row_id]),
    )
