"""P13 进度: read off the list's own row; the page may be left, and the work goes on."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST
from django_htmx.http import HttpResponseClientRedirect

from eduaid.core import uploads
from eduaid.core.models import Upload
from eduaid.core.models.uploads import State
from eduaid.core.uploads import NotAllowed, NotPossible
from eduaid.core.views.imports.common import WORKERS, crumbs, head, page_of, the_list, title
from eduaid.core.views.imports.refusals import refused
from eduaid.core.views.pages import Link
from eduaid.core.views.policy import AccountRequest, needs

# Stage → label and the share of the whole at which it begins, in percent. Measured on rosters of 10,000 rows.
_STAGES = {"read": ("读取", 0), "check": ("校验", 5), "match": ("比对", 70), "apply": ("写入", 0)}
_READING, _APPLYING = ("read", "check", "match"), ("apply",)
# A worker beats every five seconds; a list whose lease ran out this long ago has lost its worker and waits for the next.
_LOST_AFTER_SECONDS = 15
# One that nobody has taken yet stands behind others; after this long no worker seems to be there at all.
_UNTAKEN_AFTER_SECONDS = 180
_ETA_FROM_PERCENT = 5


@dataclass(frozen=True)
class StageLine:
    label: str
    state: str
    note: str = ""


@dataclass(frozen=True)
class Progress:
    """The context of `partials/progress.html`."""

    stages: list[StageLine]
    percent: int
    done: int
    total: int
    seconds_left: float | None
    message: str
    finished: bool
    poll_url: str


@dataclass(frozen=True)
class Failed:
    reason: str
    retry_url: str
    again_url: str


def progress_of(upload: Upload) -> Progress:
    """How far the list is, from its row alone."""
    applying = upload.state == State.APPROVED
    finished = upload.state not in (State.RECEIVED, State.APPROVED)
    now = "apply" if applying else upload.stage if upload.stage in _READING else "read"
    order = [*_READING, *_APPLYING]
    begins = _STAGES[now][1]
    ends = 100 if now in ("match", "apply") else _STAGES[order[order.index(now) + 1]][1]
    share = min(upload.done / upload.total, 1) if upload.total else 0
    percent = 100 if finished else int(begins + (ends - begins) * share)
    stages = [
        StageLine(
            _STAGES[name][0], "now" if name == now else "done" if order.index(name) < order.index(now) else "todo"
        )
        for name in order
    ]
    rows = f"，已处理 {upload.done:,} 行" if upload.done else ""
    return Progress(
        stages=stages,
        percent=percent,
        done=upload.done,
        total=upload.total,
        seconds_left=_seconds_left(upload, percent),
        message=f"{_STAGES[now][0]}，完成百分之 {percent // 10 * 10}{rows}",
        finished=finished,
        poll_url=reverse("import-run", args=[upload.pk]),
    )


def _seconds_left(upload: Upload, percent: int) -> float | None:
    """Told from five percent on, by the speed since the upload or the approval."""
    started = upload.approved_at if upload.state == State.APPROVED else upload.uploaded_at
    if started is None or percent < _ETA_FROM_PERCENT or percent >= 100:
        return None
    spent = (timezone.now() - started).total_seconds()
    return spent * (100 - percent) / percent


def _is_lost(upload: Upload) -> bool:
    """Due, and nobody has been at it for a while."""
    seen = upload.lease_until or upload.approved_at or upload.uploaded_at
    limit = _LOST_AFTER_SECONDS if upload.lease_until else _UNTAKEN_AFTER_SECONDS
    return upload.due and (timezone.now() - seen).total_seconds() > limit


@needs(*WORKERS)
def run(request: AccountRequest, pk: int) -> HttpResponse:
    upload = the_list(request, pk)
    failed = upload.state in (State.REFUSED, State.FAILED)
    if not failed and upload.state not in (State.RECEIVED, State.APPROVED):
        return HttpResponseClientRedirect(page_of(upload)) if request.htmx else redirect(page_of(upload))  # type: ignore[attr-defined]
    lost = not failed and _is_lost(upload)
    if request.htmx:  # type: ignore[attr-defined]
        if failed or lost:
            return HttpResponseClientRedirect(reverse("import-run", args=[pk]))
        return render(request, "partials/progress.html", {"progress": progress_of(upload)})
    may_stop = upload.state == State.RECEIVED and uploads.may_work_on(upload, request.user)
    return render(
        request,
        "imports/run.html",
        {
            "upload": head(upload),
            "progress": progress_of(upload),
            "lost": lost,
            "failed": _failed(upload) if failed else None,
            "resume_url": reverse("import-resume", args=[pk]),
            "index_url": reverse("imports"),
            "cancel_url": reverse("import-cancel", args=[pk]) if may_stop else "",
            "crumbs": crumbs(Link(title(upload))),
        },
    )


def _failed(upload: Upload) -> Failed:
    retry = reverse("import-resume", args=[upload.pk]) if upload.state == State.FAILED else ""
    return Failed(upload.error, retry, f"{reverse('import-new')}?kind={upload.kind}")


@require_POST
@needs(*WORKERS)
def resume(request: AccountRequest, pk: int) -> HttpResponse:
    """Wakes a worker for a list that lost its own, or puts a failed one back into the queue."""
    upload = the_list(request, pk)
    try:
        if upload.state == State.FAILED:
            uploads.retry(upload, by=request.user)
        elif upload.due:
            uploads.wake(upload)
    except (NotAllowed, NotPossible) as refusal:
        return refused(request, upload, refusal)
    return redirect("import-run", pk)
