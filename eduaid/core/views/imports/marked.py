"""The sender's own workbook, marked, and what comes back of it: seen first where rows are new or gone, then merged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from eduaid.core import access, marked, merging, questions, uploads
from eduaid.core import returned as returned_workbooks
from eduaid.core.lists import kind_of
from eduaid.core.models import ReturnedFile, Upload, UploadRow
from eduaid.core.models.access import Action
from eduaid.core.preflight import FileRefused
from eduaid.core.returned import Change, GoneRow, NewRow, NotReturned, Plan
from eduaid.core.text import plain, scrub
from eduaid.core.uploads import NotAllowed, NotPossible
from eduaid.core.views.imports.common import (
    READERS,
    SENDERS,
    crumbs,
    file_name,
    head,
    in_scope,
    page_of,
    the_list,
    title,
)
from eduaid.core.views.imports.files import XLSX, attachment
from eduaid.core.views.imports.refusals import refused
from eduaid.core.views.pages import Link
from eduaid.core.views.policy import AccountRequest, needs

SHOWN = 40


@dataclass(frozen=True)
class CellLine:
    """A cell as the page shows it: numbers of persons masked for everybody."""

    place: str
    column: str
    was: str
    now: str


@dataclass(frozen=True)
class RowLine:
    place: str
    name: str


@dataclass(frozen=True)
class CellGroup:
    """Cells of one fate; `more` are not shown."""

    title: str
    lines: list[CellLine]
    count: int
    more: int


@needs(*READERS)
def workbook(request: AccountRequest, pk: int, position: int) -> HttpResponse:
    """One file of the list with its problems marked, for the person who sent it: it holds whole numbers. Logged."""
    upload = the_list(request, pk)
    if not marked.may_take(upload, request.user):
        raise PermissionDenied("标错的原表含有完整的证件号，只有上传人本人在核对时可以下载。")
    file = get_object_or_404(upload.files, position=position)
    try:
        data = marked.workbook(file)
    except FileRefused as refusal:
        return refused(request, upload, NotPossible(f"原表无法标错：{refusal.sentence}。请在网页上修改。"))
    access.note(
        by=request.user,
        action=Action.DOWNLOAD,
        subject_kind="upload",
        subject_id=upload.pk,
        page=request.path,
        purpose="下载自己上传的原表（标错）",
        rows=upload.rows_read,
    )
    return attachment(data, marked.file_name(file, file_name(file)), XLSX)


@require_POST
@needs(*SENDERS)
def returned(request: AccountRequest, pk: int) -> HttpResponse:
    """Corrected workbooks for this list."""
    upload = the_list(request, pk)
    contents = [(file.name or "", file.read()) for file in request.FILES.getlist("files")]
    return take_back(request, upload, contents)


def list_to_return_to(request: AccountRequest, contents: Sequence[tuple[str, bytes]]) -> Upload | None:
    """The list of which all these files are marked workbooks, as long as it can still be worked on; else they are a list of
    their own."""
    pk = returned_workbooks.list_of(contents)
    upload = in_scope(request).filter(pk=pk, state__in=merging.OPEN).first() if pk else None
    return upload if upload is not None and uploads.may_work_on(upload, request.user) else None


def take_back(request: AccountRequest, upload: Upload, contents: Sequence[tuple[str, bytes]]) -> HttpResponse:
    """Keeps the workbooks and merges them, or shows first what a person must decide."""
    try:
        plan = returned_workbooks.compare(upload, contents)
        came = merging.keep(upload, contents, by=request.user)
        if plan.asks or plan.overtaken or plan.damaged or plan.closed or plan.missing_columns:
            return redirect("import-merge", upload.pk, came[0].pk)
        merging.merge(upload, came, by=request.user)
    except (NotAllowed, NotPossible, NotReturned) as refusal:
        return refused(request, upload, NotPossible(str(refusal)))
    except FileRefused as refusal:
        return refused(request, upload, NotPossible(f"{refusal.sentence}。"))
    messages.success(request, _told(plan))
    return redirect(_page(upload))


@needs(*SENDERS)
def merge(request: AccountRequest, pk: int, returned_pk: int) -> HttpResponse:
    """What a corrected workbook changes; new and missing rows are decided here, then it is merged."""
    upload = the_list(request, pk)
    file = get_object_or_404(ReturnedFile.objects.filter(upload=upload, by=request.user), pk=returned_pk)
    came = merging.together(file)
    try:
        if request.method == "POST":
            take_new, drop_gone = request.POST.get("new") == "take", request.POST.get("gone") == "drop"
            done = merging.merge(upload, came, by=request.user, take_new=take_new, drop_gone=drop_gone)
            messages.success(request, _told(done, took=take_new, dropped=drop_gone))
            return redirect(_page(upload))
        if file.merged_at:
            return redirect(_page(upload))
        plan = merging.plan_of(upload, came)
    except (NotAllowed, NotPossible, NotReturned) as refusal:
        return refused(request, upload, NotPossible(str(refusal)))
    except FileRefused as refusal:
        return refused(request, upload, NotPossible(f"{refusal.sentence}。"))
    lines = _Lines(upload)
    return render(
        request,
        "imports/returned.html",
        {
            "upload": head(upload),
            "files": [scrub(one.name) for one in came],
            "cells": len(plan.changes),
            "rows": plan.rows_changed,
            "unchanged": plan.unchanged,
            "groups": [
                lines.group(text, changes)
                for text, changes in (
                    ("合并的改动", plan.changes),
                    ("网页上已另行修改，保留网页上的", plan.overtaken),
                    ("号码被表格软件改坏，保留原来的（请把该列设为文本后重填）", plan.damaged),
                    ("所在行已生效，不能在这里改", plan.closed),
                )
                if changes
            ],
            "missing_columns": plan.missing_columns,
            "new": [lines.new(row) for row in plan.new[:SHOWN]],
            "new_count": len(plan.new),
            "gone": lines.gone(plan.gone[:SHOWN]),
            "gone_count": len(plan.gone),
            "closed": upload.applied_at is not None,
            "list_url": _page(upload),
            "crumbs": crumbs(Link(title(upload), _page(upload)), Link("改好的表")),
        },
    )


def _page(upload: Upload) -> str:
    return page_of(upload) if upload.applied_at is None else f"{reverse('import', args=[upload.pk])}?tab=fix"


def _told(plan: Plan, *, took: bool = False, dropped: bool = False) -> str:
    said = [f"已合并 {len(plan.changes)} 格（{plan.rows_changed} 行）" if plan.changes else "没有需要合并的改动"]
    if plan.new:
        said.append(f"新增 {len(plan.new)} 行" if took else f"表中新增的 {len(plan.new)} 行没有采用")
    if plan.gone:
        said.append(f"删去 {len(plan.gone)} 行" if dropped else f"表中删去的 {len(plan.gone)} 行仍保留")
    if plan.overtaken:
        said.append(f"{len(plan.overtaken)} 格保留了网页上的修改")
    if plan.damaged:
        said.append(f"{len(plan.damaged)} 格被表格软件改坏，没有采用")
    if plan.closed:
        said.append(f"{len(plan.closed)} 格在已生效的行里，没有改")
    return "；".join(said) + "。"


class _Lines:
    """Rows and cells of a plan in words."""

    def __init__(self, upload: Upload) -> None:
        self._columns = {column.key: column for column in kind_of(upload.kind).columns}
        sheets = list(upload.sheets.all())
        self._sheets = {sheet.pk: f"{sheet.name} " if len(sheets) > 1 else "" for sheet in sheets}

    def group(self, text: str, changes: Sequence[Change]) -> CellGroup:
        shown = [
            CellLine(
                f"{self._sheets[change.sheet_id]}第 {change.number} 行",
                self._columns[change.column].label,
                self._hidden(change.column, change.was),
                self._hidden(change.column, change.now),
            )
            for change in changes[:SHOWN]
        ]
        return CellGroup(text, shown, len(changes), max(len(changes) - SHOWN, 0))

    def _hidden(self, column: str, text: str) -> str:
        return questions.hidden(self._columns[column], text)

    def new(self, row: NewRow) -> RowLine:
        name = scrub(plain(row.cells.get("name")))
        place = f"{self._sheets[row.sheet_id]}第 {row.number} 行"
        return RowLine(place, f"{name}（复制的行）" if row.is_copy else name)

    def gone(self, rows: Sequence[GoneRow]) -> list[RowLine]:
        facts = dict(UploadRow.objects.filter(pk__in=[row.row_id for row in rows]).values_list("pk", "facts"))
        return [
            RowLine(f"{self._sheets[row.sheet_id]}原第 {row.number} 行", str(facts[row.row_id].get("name") or ""))
            for row in rows
        ]
