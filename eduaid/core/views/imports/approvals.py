"""P33 审核: the lists that wait for the bureau, one row each, oldest first."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from eduaid.core import missing
from eduaid.core.lists import kind_of
from eduaid.core.models import CellEdit, Departure, Finding, Upload
from eduaid.core.models.uploads import State
from eduaid.core.roles import Right
from eduaid.core.views.imports.common import crumbs, in_scope, title
from eduaid.core.views.pages import Link, paged
from eduaid.core.views.policy import AccountRequest, needs

_LISTS = 20


@dataclass(frozen=True)
class Part:
    """How many, and the page that shows them."""

    label: str
    count: int
    url: str


@dataclass(frozen=True)
class Line:
    title: str
    url: str
    kind: str
    scope: str
    effective_on: dt.date
    by: str
    at: dt.datetime | None
    note: str
    late: bool
    checked: str
    parts: list[Part]
    version: int
    approve_url: str
    return_url: str
    held: str
    """Why this reader cannot let it pass now; empty: he can."""


@needs(Right.APPROVE)
def approvals(request: AccountRequest) -> HttpResponse:
    waiting = in_scope(request).filter(state=State.SUBMITTED)
    page = paged(request, waiting.order_by("submitted_at", "pk"), size=_LISTS)
    own = _worked_on(request, page.rows)
    pending = missing.pending_of(page.rows)
    return render(
        request,
        "imports/approvals.html",
        {
            "lists": [_line(upload, own=upload.pk in own, pending=pending.get(upload.pk, 0)) for upload in page.rows],
            "page": page,
            "crumbs": crumbs(Link("审核")),
        },
    )


def _worked_on(request: AccountRequest, lists: Sequence[Upload]) -> set[int]:
    """Those that the reader sent, corrected or explained himself (`uploads.worked_on_by`), for all of them in one query."""
    user, this = request.user, OuterRef("pk")
    return set(
        Upload.objects.filter(pk__in=[upload.pk for upload in lists])
        .filter(
            Q(uploaded_by=user)
            | Q(submitted_by=user)
            | Exists(CellEdit.objects.filter(upload=this, by=user))
            | Exists(Finding.objects.filter(upload=this, answered_by=user))
            | Exists(Departure.objects.filter(upload=this, by=user))
        )
        .values_list("pk", flat=True)
    )


def _line(upload: Upload, *, own: bool, pending: int) -> Line:
    held = "您上传、修改过或填过去向，请由另一人审核" if own else ""
    if upload.due:
        held = "同一范围刚有名单生效，正在重新比对，请几秒后刷新"
    return Line(
        title=title(upload),
        url=reverse("import", args=[upload.pk]),
        kind=kind_of(upload.kind).label,
        scope=upload.place_name,
        effective_on=upload.effective_on,
        by=str(upload.submitted_by or upload.uploaded_by),
        at=upload.submitted_at,
        note="；".join(filter(None, [upload.comment, upload.error])),
        late=upload.applied_at is not None,
        checked=_checked(upload),
        parts=[] if upload.applied_at else _parts(upload, pending),
        version=upload.version,
        approve_url="" if held else reverse("import-approve", args=[upload.pk]),
        return_url=reverse("import-return", args=[upload.pk]),
        held=held,
    )


def _checked(upload: Upload) -> str:
    """What the checks let through, in a sentence."""
    if upload.applied_at:
        return "已生效名单的待改行，改好后补报"
    if upload.rows_accepted == upload.rows_read:
        return f"{upload.rows_read:,} 行全部通过核对"
    left = [("待改", upload.rows_waiting), ("不收", upload.rows_refused), ("重复", upload.rows_repeated)]
    said = "，".join(f"{label} {count:,} 行" for label, count in left if count)
    return f"{upload.rows_read:,} 行中 {upload.rows_accepted:,} 行通过，{said}"


def _parts(upload: Upload, pending: int) -> list[Part]:
    counts = [
        ("新增", upload.rows_added, "added", ""),
        ("变更", upload.rows_changed, "changed", ""),
        ("上期有、本期无", upload.rows_missing, "missing", ""),
        ("其中去向待核", pending, "missing", "?only=pending"),
    ]
    return [
        Part(label, count, reverse("import-diff", args=[upload.pk, part]) + query)
        for label, count, part, query in counts
        if count
    ]
