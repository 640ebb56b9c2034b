"""P14: submit, approve, send back, give up. Each is one act of `eduaid.core.uploads`."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from eduaid.core import uploads
from eduaid.core.forms import CommentForm
from eduaid.core.models import Upload
from eduaid.core.models.uploads import State
from eduaid.core.roles import Right
from eduaid.core.uploads import NotAllowed, NotPossible, StalePreview
from eduaid.core.views.imports.common import SENDERS, WORKERS, crumbs, head, the_list, title
from eduaid.core.views.imports.refusals import refused
from eduaid.core.views.pages import Link
from eduaid.core.views.policy import AccountRequest, needs


def _version(request: AccountRequest) -> int:
    """The version of the preview that the reader decided on; a page without one is never the latest."""
    given = request.POST.get("version", "")
    if not given.isdigit():
        raise StalePreview
    return int(given)


@require_POST
@needs(*SENDERS)
def submit(request: AccountRequest, pk: int) -> HttpResponse:
    upload = the_list(request, pk)
    try:
        uploads.submit(upload, by=request.user, version=_version(request), comment=request.POST.get("note", "").strip())
    except (NotAllowed, NotPossible) as refusal:
        return refused(request, upload, refusal)
    messages.success(request, "已提交县局审核。审核通过后生效，结果会在工作台提醒您。")
    return redirect("import", pk)


@require_POST
@needs(Right.APPROVE)
def approve(request: AccountRequest, pk: int) -> HttpResponse:
    """The worker applies the list at once; the page shows how far it is."""
    upload = the_list(request, pk)
    try:
        uploads.approve(upload, by=request.user, version=_version(request))
    except (NotAllowed, NotPossible) as refusal:
        return refused(request, upload, refusal)
    return redirect("import-run", pk)


@needs(Right.APPROVE)
def send_back(request: AccountRequest, pk: int) -> HttpResponse:
    upload = the_list(request, pk)
    if upload.state != State.SUBMITTED:
        return refused(request, upload, NotPossible("这份名单没有等待审核，不用退回。"))
    form = CommentForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            uploads.send_back(upload, by=request.user, comment=form.cleaned_data["comment"])
        except (NotAllowed, NotPossible) as refusal:
            return refused(request, upload, refusal)
        messages.success(request, f"已退回给{upload.uploaded_by}。")
        return redirect("approvals")
    return render(
        request,
        "confirm.html",
        {
            "title": "退回名单",
            "question": f"“{title(upload)}”退回给{upload.uploaded_by}，改好后再提交。",
            "form": form,
            "confirm_label": "退回",
            "back_url": reverse("import", args=[pk]),
            "crumbs": _crumbs(upload, "退回"),
        },
    )


@needs(*WORKERS)
def cancel(request: AccountRequest, pk: int) -> HttpResponse:
    """Asks before a list that is not in force is given up."""
    upload = the_list(request, pk)
    if request.method == "POST":
        try:
            uploads.cancel(upload, by=request.user)
        except (NotAllowed, NotPossible) as refusal:
            return refused(request, upload, refusal)
        messages.success(request, f"已放弃“{title(upload)}”，没有留下任何数据改动。")
        return redirect("imports")
    effects = [
        "已读取的行、在页面上做的修改都不再使用",
        "学生数据不受影响",
        "原表文件保留在记录中；同一份文件可以再次上传",
    ]
    return render(
        request,
        "confirm.html",
        {
            "title": "放弃本次导入",
            "question": f"确定放弃“{title(upload)}”吗？",
            "effects": effects,
            "confirm_label": "放弃本次导入",
            "danger": True,
            "back_url": head(upload).url,
            "crumbs": _crumbs(upload, "放弃"),
        },
    )


def _crumbs(upload: Upload, last: str) -> list[Link]:
    return crumbs(Link(title(upload), head(upload).url), Link(last))
