"""P36, last step: one row of one list as it was delivered, the child it speaks of, and what was found in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from eduaid.core import access, display
from eduaid.core.lists import kind_of
from eduaid.core.masking import masked
from eduaid.core.models import Finding, Upload, UploadRow
from eduaid.core.models.access import Action
from eduaid.core.models.uploads import FindingLevel, RowState, State, UploadRowQuerySet
from eduaid.core.review import said
from eduaid.core.roles import Right
from eduaid.core.scope import EVERYTHING, Scope, row_security
from eduaid.core.sealing import Opener, Unreadable
from eduaid.core.text import scrub
from eduaid.core.views.pages import Link
from eduaid.core.views.policy import AccountRequest, needs
from students.models import IdentityLink, Student
from students.numbers import opened
from students.views.common import crumbs


@dataclass(frozen=True)
class Cell:
    """One column of the sheet. A column that the list does not know was never stored."""

    letter: str
    header: str
    concept: str
    value: str
    sealed: bool


@needs(Right.SEE_CHILDREN, Right.UPLOAD, Right.APPROVE)
def row(request: AccountRequest, pk: int) -> HttpResponse:
    """File, sheet, line and values, numbers masked. Opening it is logged as opening the child's record."""
    if not _within(request.scope).filter(pk=pk).exists():
        raise Http404
    access.note(by=request.user, action=Action.VIEW, subject_kind="row", subject_id=pk, page=request.path)
    # The row is in scope; a county-wide list that it stands in is not, but where the row stands in it may be known.
    with row_security(EVERYTHING, local=True):
        found = UploadRow.objects.select_related("upload__region", "upload__school", "sheet__file", "slice").get(pk=pk)
    upload, kind = found.upload, kind_of(found.upload.kind)
    mine = (
        request.scope.county
        or Upload.objects.filter(request.scope.q(town="town", school="school"), pk=upload.pk).exists()
    )
    cells: Sequence[Cell] = ()
    try:
        cells = _cells(found)
    except Unreadable as refusal:
        messages.warning(request, str(refusal))
    neighbours = _within(request.scope).filter(sheet=found.sheet_id)
    before = neighbours.filter(number__lt=found.number).order_by("-number").values_list("pk", flat=True).first()
    after = neighbours.filter(number__gt=found.number).order_by("number").values_list("pk", flat=True).first()
    return render(
        request,
        "reports/source_row.html",
        {
            "crumbs": crumbs(Link(f"第 {found.number} 行")),
            "upload": {
                "title": f"{kind.label}名单 {upload.pk} 号",
                "url": reverse("import-receipt" if upload.applied_at else "import", args=[upload.pk]) if mine else "",
                "kind": kind.label,
                "scope": upload.place_name,
                "state": _standing(found),
                "effective_on": upload.effective_on,
            },
            "part": {"file": found.sheet.file.name, "sheet": found.sheet.name, "line": found.number},
            "cells": cells,
            "student": _child(found, request.scope),
            "findings": _findings(found),
            "previous_url": reverse("row-trace", args=[before]) if before else "",
            "next_url": reverse("row-trace", args=[after]) if after else "",
        },
    )


def _within(scope: Scope) -> UploadRowQuerySet:
    """Rows of the reader's places, and whole lists that were sent for them; unordered."""
    rows = UploadRow.objects.order_by()
    if scope.county:
        return rows
    lists = Upload.objects.filter(scope.q(town="town", school="school")).order_by()
    return rows.filter(Q(town__in=scope.towns) | Q(school__in=scope.schools) | Q(upload__in=lists.values("pk")))


def _standing(found: UploadRow) -> display.State:
    if found.state != RowState.ACCEPTED:
        return display.State("warn" if found.state == RowState.WAITING else "mute", str(RowState(found.state).label))
    if found.upload.state == State.UNDONE:
        return display.State("mute", "已撤回")
    if found.slice is None or found.slice.applied_at is None:
        return display.State("mute", "尚未生效")
    if found.slice.is_current:
        return display.State("ok", "生效中")
    return display.State("warn", "沿用中，新名单待改") if found.held_by_id else display.State("mute", "已由新名单取代")


def _cells(found: UploadRow) -> list[Cell]:
    """The sheet's columns in their order. Sealed values masked; anything else that looks like a number goes as well."""
    kind = kind_of(found.upload.kind)
    values = opened(found, Opener())
    columns = {column.key: column for column in kind.columns}
    cells = []
    for position, header in enumerate(found.sheet.headers):
        column = columns.get(found.sheet.mapping.get(str(position), ""))
        value = values.get(column.key, "") if column else ""
        cells.append(
            Cell(
                letter=_letter(position),
                header=str(header),
                concept=column.label if column else "",
                value=scrub(masked(column, value)) if column else "",
                sealed=bool(column and column.sealed and value),
            )
        )
    return cells


def _letter(position: int) -> str:
    """0 → A, 26 → AA, as spreadsheets count columns."""
    letters = ""
    position += 1
    while position:
        position, digit = divmod(position - 1, 26)
        letters = chr(ord("A") + digit) + letters
    return letters


def _child(found: UploadRow, scope: Scope) -> dict[str, str] | None:
    link = IdentityLink.objects.filter(row=found).select_related("student").first()
    if link is None:
        return None
    pk = link.student.merged_into_id or link.student_id
    child = Student.objects.within(scope).filter(pk=pk).first()
    return {"name": child.name, "url": reverse("student", args=[child.public_id])} if child else None


def _findings(found: UploadRow) -> Sequence[dict[str, str]]:
    findings = Finding.objects.filter(row=found).select_related("row", "sheet")
    return [
        {
            "level": "bad" if item.finding.level in (FindingLevel.ERROR, FindingLevel.ASK) else "warn",
            "column": item.label,
            "message": item.text,
        }
        for item in said(found.upload, findings, in_full=False)
    ]
