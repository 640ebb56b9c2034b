"""P16 导入回执: what came of a list, by whom and when, with the fingerprint of every file. Readable by the auditor."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from eduaid.core import missing, uploads
from eduaid.core.display import zh_date, zh_moment
from eduaid.core.lists import kind_of
from eduaid.core.models import CellEdit, Departure, Finding, ListSlice, Upload, User
from eduaid.core.models.uploads import State
from eduaid.core.views.imports.common import READERS, crumbs, file_name, head, shown_state, the_list, title, to_its_page
from eduaid.core.views.imports.review import may_correct, shows_in_full
from eduaid.core.views.pages import Link
from eduaid.core.views.policy import AccountRequest, needs


@dataclass(frozen=True)
class Fact:
    label: str
    value: str


@dataclass(frozen=True)
class Figure:
    """A number of rows with the address of those rows."""

    label: str
    value: int
    url: str
    unit: str = "行"


@dataclass(frozen=True)
class FileLine:
    name: str
    size: int
    digest: str
    url: str


@dataclass(frozen=True)
class Decision:
    """One step of the list's life."""

    at: dt.datetime
    text: str
    by: str


@dataclass(frozen=True)
class Undone:
    by: str
    at: dt.datetime
    reason: str


@dataclass(frozen=True)
class Superseded:
    text: str
    url: str


@needs(*READERS)
def receipt(request: AccountRequest, pk: int) -> HttpResponse:
    upload = the_list(request, pk)
    if upload.applied_at is None and upload.state != State.CANCELLED:
        return to_its_page(upload)
    undone = None
    if upload.undone_at:
        undone = Undone(str(upload.undone_by), upload.undone_at, upload.undo_reason)
    waiting = upload.rows_waiting and upload.state == State.IN_FORCE
    return render(
        request,
        "imports/receipt.html",
        {
            "upload": head(upload),
            "state": shown_state(upload),
            "facts": _facts(upload),
            "counts": _counts(upload),
            "undone": undone,
            "superseded": _superseded(upload),
            "files": _files(request, upload),
            "decisions": _decisions(upload),
            "departures": _departures(upload),
            "waiting_url": f"{reverse('import', args=[pk])}?tab=fix" if waiting else "",
            "waiting": upload.rows_waiting,
            "may_correct": may_correct(upload, request.user),
            "going_on_url": "" if upload.state in (State.IN_FORCE, State.UNDONE, State.CANCELLED) else head(upload).url,
            "can_undo": uploads.may_undo(upload, request.user),
            "undo_url": reverse("import-undo", args=[pk]),
            "crumbs": crumbs(Link(title(upload)), Link("回执")),
        },
    )


def _facts(upload: Upload) -> list[Fact]:
    said = [
        ("名单编号", str(upload.pk)),
        ("名单种类", kind_of(upload.kind).label),
        ("范围", upload.place_name),
        ("名单日期", zh_date(upload.effective_on)),
        ("方式", upload.get_mode_display()),
        ("上传", _by(upload.uploaded_by, upload.uploaded_at)),
        ("提交", _by(upload.submitted_by, upload.submitted_at)),
        ("审核", _by(upload.approved_by, upload.approved_at)),
        ("生效时间", zh_moment(upload.applied_at)),
        ("说明", upload.comment),
    ]
    return [Fact(label, value) for label, value in said if value and value != "—"]


def _by(user: User | None, at: dt.datetime | None) -> str:
    return f"{user} {zh_moment(at)}" if user and at else ""


def _counts(upload: Upload) -> list[Figure]:
    """Rows lead to themselves. What was new or changed is told as it was when the list took force."""
    rows = reverse("import", args=[upload.pk])
    shown = upload.state in (State.IN_FORCE, State.REVIEW, State.SUBMITTED)
    told = [
        ("读取", upload.rows_read, "?tab=rows"),
        ("入库", upload.rows_accepted, "?tab=rows&state=A"),
        ("待改", upload.rows_waiting, "?tab=rows&state=W"),
        ("不收", upload.rows_refused, "?tab=rows&state=R"),
        ("重复", upload.rows_repeated, "?tab=rows&state=D"),
        ("新增", upload.rows_added, ""),
        ("变更", upload.rows_changed, ""),
        ("上期有本期无", upload.rows_missing, "diff/missing/" if upload.applied_at else ""),
        ("无变化", upload.rows_unchanged, ""),
    ]
    return [Figure(label, value, rows + query if query and shown else "") for label, value, query in told]


def _departures(upload: Upload) -> list[Figure]:
    """What was said of those whom the list names no more, with the names behind each; frozen with the approval."""
    page = reverse("import-missing", args=[upload.pk]) if upload.applied_at else ""
    return [
        Figure(missing.label(code), count, page + ("?only=pending" if page and code == missing.PENDING else ""), "人")
        for code, count in missing.told(upload)
        if code
    ]


def _superseded(upload: Upload) -> Superseded | None:
    """The newer list that covers the same place, where none of this one's parts counts any more."""
    if upload.state != State.IN_FORCE or getattr(upload, "counts_now", True):
        return None
    own = upload.slices.order_by("pk").first()
    if own is None:
        return None
    newer = (
        ListSlice.objects.filter(
            kind=upload.kind, town=own.town_id, school=own.school_id, subkey=own.subkey, is_current=True
        )
        .exclude(upload=upload)
        .select_related("upload")
        .order_by("-effective_on")
        .first()
    )
    if newer is None:
        return None
    text = f"{zh_date(newer.effective_on)}的名单 {newer.upload_id} 号已替代这一份"
    return Superseded(text, reverse("import-receipt", args=[newer.upload_id]))


def _files(request: AccountRequest, upload: Upload) -> list[FileLine]:
    own = shows_in_full(upload, request.user)
    return [
        FileLine(
            file_name(file),
            file.size,
            file.sha256,
            reverse("import-file", args=[upload.pk, file.position]) if own else "",
        )
        for file in upload.files.all()
    ]


def _decisions(upload: Upload) -> list[Decision]:
    """The list's steps from its history, and what people corrected and answered in it, oldest first."""
    steps = [Decision(upload.uploaded_at, "上传", str(upload.uploaded_by))]
    steps += _steps(upload)
    small: list[tuple[str, str, Iterable[tuple[str, dt.datetime | None]]]] = [
        ("修改单元格", "格", CellEdit.objects.filter(upload=upload).values_list("by__display_name", "at")),
        (
            "答复问题",
            "处",
            Finding.objects.filter(upload=upload, answered_at__isnull=False).values_list(
                "answered_by__display_name", "answered_at"
            ),
        ),
        (
            "说明去向",
            "人",
            Departure.objects.filter(upload=upload, by__isnull=False).values_list("by__display_name", "at"),
        ),
    ]
    for act, unit, done in small:
        steps += _by_person(act, done, unit)
    return sorted(steps, key=lambda step: step.at)


_STEPS = {
    State.SUBMITTED: "提交县局审核",
    State.APPROVED: "审核通过",
    State.IN_FORCE: "生效",
    State.UNDONE: "撤回",
    State.CANCELLED: "放弃",
    State.MAPPING: "待确认列对应",
}


def _steps(upload: Upload) -> list[Decision]:
    """Read off the history of the row: who submitted, approved and undid stands in it; the rest is told by its context."""
    history: Any = Upload
    events = list(
        history.pgh_event_model.objects.filter(pgh_obj=upload).select_related("pgh_context").order_by("pgh_id")
    )
    told: list[tuple[Any, str, int | None]] = []
    before = State.RECEIVED
    for event in events:
        text = _STEPS.get(event.state, "")
        by = event.pgh_context.metadata.get("user") if event.pgh_context else None
        if event.state in (State.REVIEW, State.IN_FORCE) and before == State.SUBMITTED:
            text = f"县局退回：{event.returned_for}"
        elif event.state == State.UNDONE:
            text, by = f"撤回：{event.undo_reason}", event.undone_by_id
        elif event.state == State.SUBMITTED:
            by = event.submitted_by_id
        elif event.state == State.APPROVED:
            by = event.approved_by_id
        elif event.state == State.IN_FORCE:
            by = None
        if text and event.state != before:
            told.append((event, text, by))
        before = event.state
    users = dict(User.objects.filter(pk__in={by for _, _, by in told if by}).values_list("pk", "display_name"))
    return [Decision(event.pgh_created_at, text, users.get(by, "") if by else "") for event, text, by in told]


def _by_person(act: str, done: Iterable[tuple[str, dt.datetime | None]], unit: str) -> list[Decision]:
    """One line a person, at the moment of the last of many small acts."""
    last: dict[str, dt.datetime] = {}
    count: Counter[str] = Counter()
    for by, at in done:
        if at is not None:
            count[by] += 1
            last[by] = max(at, last.get(by, at))
    return [Decision(at, f"{act} {count[by]:,} {unit}", by) for by, at in last.items()]
