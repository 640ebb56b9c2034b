"""What the pages about one list share: finding it in scope, its names, its state in a word, where it goes on."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import Exists, OuterRef
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse

from eduaid.core.display import State as Shown
from eduaid.core.lists import kind_of
from eduaid.core.models import ListSlice, Upload, UploadFile
from eduaid.core.models.uploads import State, UploadQuerySet
from eduaid.core.roles import Right
from eduaid.core.text import scrub
from eduaid.core.views.pages import Link
from eduaid.core.views.policy import AccountRequest

SENDERS = (Right.UPLOAD,)
WORKERS = (Right.UPLOAD, Right.APPROVE)
READERS = (Right.UPLOAD, Right.APPROVE, Right.READ_LOG)

_SHOWN = {
    State.RECEIVED: Shown("warn", "正在读取"),
    State.MAPPING: Shown("bad", "待确认列"),
    State.REVIEW: Shown("bad", "待核对"),
    State.SUBMITTED: Shown("warn", "待县局审核"),
    State.APPROVED: Shown("warn", "正在入库"),
    State.IN_FORCE: Shown("ok", "已生效"),
    State.UNDONE: Shown("mute", "已撤回"),
    State.CANCELLED: Shown("mute", "已取消"),
    State.REFUSED: Shown("bad", "文件无法使用"),
    State.FAILED: Shown("bad", "处理失败"),
}
SUPERSEDED = Shown("mute", "已被新名单替代")

_PAGES = {
    State.RECEIVED: "import-run",
    State.APPROVED: "import-run",
    State.REFUSED: "import-run",
    State.FAILED: "import-run",
    State.MAPPING: "import-map",
    State.REVIEW: "import",
    State.SUBMITTED: "import",
    State.IN_FORCE: "import-receipt",
    State.UNDONE: "import-receipt",
    State.CANCELLED: "import-receipt",
}


def in_scope(request: AccountRequest) -> UploadQuerySet:
    """The lists that the reader may know of, with what every page names; `counts_now`: some slice of theirs is in force."""
    current = ListSlice.objects.filter(upload=OuterRef("pk"), is_current=True)
    return (
        Upload.objects.filter(request.scope.q(town="town", school="school"))
        .select_related("region", "school", "town", "uploaded_by", "submitted_by", "approved_by", "undone_by")
        .prefetch_related("files")
        .annotate(counts_now=Exists(current))
    )


def the_list(request: AccountRequest, pk: int) -> Upload:
    """The list of that number, or 404 where it lies outside the scope."""
    return get_object_or_404(in_scope(request), pk=pk)


def shown_state(upload: Upload) -> Shown:
    """`upload` comes from `in_scope`."""
    if upload.state == State.IN_FORCE and not getattr(upload, "counts_now", True):
        return SUPERSEDED
    return _SHOWN[State(upload.state)]


def file_name(file: UploadFile) -> str:
    """A file's name without numbers of persons in it."""
    return scrub(file.name)


def title(upload: Upload) -> str:
    files = list(upload.files.all())
    name = file_name(files[0]) if files else str(upload)
    return f"{name} 等 {len(files)} 个文件" if len(files) > 1 else name


def page_of(upload: Upload) -> str:
    """The page on which the list goes on."""
    return reverse(_PAGES[State(upload.state)], args=[upload.pk])


def to_its_page(upload: Upload) -> HttpResponse:
    return redirect(page_of(upload))


@dataclass(frozen=True)
class Head:
    """The list in the heading of its pages."""

    title: str
    url: str
    kind: str
    scope: str
    mode: str
    effective_on: dt.date
    by: str
    at: dt.datetime
    state: Shown


def head(upload: Upload) -> Head:
    return Head(
        title(upload),
        page_of(upload),
        kind_of(upload.kind).label,
        upload.place_name,
        upload.get_mode_display(),
        upload.effective_on,
        str(upload.uploaded_by),
        upload.uploaded_at,
        shown_state(upload),
    )


def crumbs(*more: Link) -> list[Link]:
    return [Link("导入中心", reverse("imports")), *more]
