"""P14: one cell typed anew, one question answered. To htmx the line alone is answered; without scripts the page comes back."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from eduaid.core import editing, questions
from eduaid.core.lists import kind_of
from eduaid.core.models import Finding, Upload, UploadRow
from eduaid.core.uploads import NotAllowed, NotPossible
from eduaid.core.views.imports.common import SENDERS, the_list
from eduaid.core.views.imports.refusals import refused
from eduaid.core.views.imports.review import may_correct, note_shown, row_line, shows_in_full
from eduaid.core.views.policy import AccountRequest, needs


@require_POST
@needs(*SENDERS)
def cell(request: AccountRequest, pk: int, row_pk: int, column: str) -> HttpResponse:
    """Lays the typed value over the delivered one and shows what the row says now."""
    upload = the_list(request, pk)
    row = get_object_or_404(UploadRow.objects.filter(sheet__upload=upload), pk=row_pk)
    if column not in {known.key for known in kind_of(upload.kind).columns}:
        return refused(request, upload, NotPossible("这种名单没有这一列。"))
    text = request.POST.get("suggestion") or request.POST.get("value", "")
    try:
        editing.edit_cell(row, column=column, text=text, by=request.user)
    except (NotAllowed, NotPossible) as refusal:
        return refused(request, upload, refusal)
    return _answered(request, upload, row_pk, column)


@require_POST
@needs(*SENDERS)
def answer(request: AccountRequest, pk: int, row_pk: int) -> HttpResponse:
    """Settles one question of a row. The finding is looked up by its code: it is made anew whenever the row changes."""
    upload = the_list(request, pk)
    code, column = request.POST.get("code", ""), request.POST.get("column", "")
    found = (
        Finding.objects.filter(upload=upload, row=row_pk, code=code, column=column, answer="")
        .select_related("row")
        .first()
    )
    if found is None:
        return refused(request, upload, NotPossible("这个问题已经没有了，请按最新的核对结果继续。"))
    try:
        editing.answer(found, answer=request.POST.get("answer", ""), by=request.user)
    except (NotAllowed, NotPossible) as refusal:
        return refused(request, upload, refusal)
    return _answered(request, upload, row_pk, column)


@require_POST
@needs(*SENDERS)
def answer_all(request: AccountRequest, pk: int) -> HttpResponse:
    """The same answer to every open question of one kind."""
    upload = the_list(request, pk)
    code = request.POST.get("code", "")
    try:
        if questions.bulk_answer(code) is None:
            raise NotPossible("这类问题不能批量回答，请逐行处理。")
        settled = editing.answer_all(upload, code=code, answer=request.POST.get("answer", ""), by=request.user)
    except (NotAllowed, NotPossible) as refusal:
        return refused(request, upload, refusal)
    messages.success(request, f"已处理 {settled} 行。")
    return redirect(f"{reverse('import', args=[pk])}?tab=fix")


def _answered(request: AccountRequest, upload: Upload, row_pk: int, column: str) -> HttpResponse:
    """The line as it stands now: what is still wrong in the cell, or that it is right."""
    back = request.POST.get("back", "")
    if not request.htmx:  # type: ignore[attr-defined]
        return redirect(f"{reverse('import', args=[upload.pk])}?{back or 'tab=fix'}")
    upload = the_list(request, upload.pk)
    row = UploadRow.objects.select_related("upload").get(pk=row_pk)
    in_full = shows_in_full(upload, request.user)
    lines = questions.lines(upload, questions.open_of_cell(row, column)[:1], in_full=in_full)
    line = lines[0] if lines else questions.settled_line(row, column, in_full=in_full)
    note_shown(request, upload, [line])
    shown = row_line(
        upload, line, may_edit=may_correct(upload, request.user), back=back, in_full=in_full, fixed=not lines
    )
    context = {
        "row": shown,
        "counts": questions.counts(upload),
        "version": upload.version,
        "late": upload.applied_at is not None,
    }
    return render(request, "imports/review_answer.html", context)
