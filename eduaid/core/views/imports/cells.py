"""P14: one cell typed anew, one question answered. To htmx the line alone is answered; without scripts the page comes back."""

from __future__ import annotations

from dataclasses import replace

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST
from django_htmx.http import HttpResponseClientRedirect

from eduaid.core import editing, questions
from eduaid.core.lists import kind_of
from eduaid.core.models import Finding, Upload, UploadRow
from eduaid.core.models.uploads import FindingLevel
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
        if request.POST.get("candidate"):
            text = _candidate(row, column, request.POST["candidate"])
        if same := request.POST.get("same"):
            changed = editing.edit_all(upload, column=column, code=same, text=text, like=row, by=request.user)
            messages.success(request, f"内容相同的 {changed} 行都已改好。")
            return _whole_page(request, upload)
        editing.edit_cell(row, column=column, text=text, by=request.user, seen=_seen(request))
    except editing.EditedMeanwhile as stale:
        return _overtaken(request, upload, row, column, stale)
    except (NotAllowed, NotPossible) as refusal:
        return refused(request, upload, refusal)
    return _answered(request, upload, row_pk, column)


def _seen(request: AccountRequest) -> int | None:
    """The last correction that stood on the page."""
    text = request.POST.get("seen", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _candidate(row: UploadRow, column: str, place: str) -> str:
    """The number behind a candidate of the page, looked up again: numbers of persons do not travel in forms."""
    try:
        return questions.candidate(row, column, int(place))
    except (LookupError, ValueError):
        raise NotPossible("这个候选号码已经变化，请按最新的核对结果选择。") from None


def _overtaken(
    request: AccountRequest, upload: Upload, row: UploadRow, column: str, stale: editing.EditedMeanwhile
) -> HttpResponse:
    """Who changed the cell meanwhile and to what, beside the line as it stands now."""
    known = kind_of(upload.kind).column(column)
    text = stale.text if shows_in_full(upload, request.user) else questions.hidden(known, stale.text)
    who = "您" if stale.edit.by_id == request.user.pk else str(stale.edit.by)
    sentence = (
        f"第 {row.number} 行『{known.label}』在您打开页面之后已由{who}于 {timezone.localtime(stale.edit.at):%H:%M}"
        f" 改为“{text}”，没有保存您填写的内容。请核对后再改。"
    )
    if not request.htmx:  # type: ignore[attr-defined]
        messages.error(request, sentence)
        return _whole_page(request, upload)
    return _answered(request, upload, row.pk, column, said=sentence)


def _whole_page(request: AccountRequest, upload: Upload) -> HttpResponse:
    page = f"{reverse('import', args=[upload.pk])}?{request.POST.get('back', '') or 'tab=fix'}"
    if request.htmx:  # type: ignore[attr-defined]
        return HttpResponseClientRedirect(page)
    return redirect(page)


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
    code, column, said = (request.POST.get(key, "") for key in ("code", "column", "answer"))
    level = request.POST.get("level", "")
    try:
        if said == editing.NOTED:
            if level not in FindingLevel.values:
                raise NotPossible("这类问题要逐行修改或回答，不能只标为已阅。")
            read = editing.note_all(upload, level=FindingLevel(level), code=code, column=column, by=request.user)
            messages.success(request, f"{read} 处已标为已阅。")
            return redirect(reverse("import", args=[pk]))
        if questions.bulk_answer(code) is None:
            raise NotPossible("这类问题不能批量回答，请逐行处理。")
        if said == questions.ADOPT:
            settled = editing.adopt_all(upload, column=column, code=code, by=request.user)
        else:
            settled = editing.answer_all(upload, code=code, answer=said, by=request.user, column=column or None)
    except (NotAllowed, NotPossible) as refusal:
        return refused(request, upload, refusal)
    messages.success(request, f"已处理 {settled} 行。")
    return redirect(f"{reverse('import', args=[pk])}?tab=fix")


def _answered(request: AccountRequest, upload: Upload, row_pk: int, column: str, *, said: str = "") -> HttpResponse:
    """The line as it stands now: what is still wrong in the cell, or that it is right; `said` before it."""
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
        upload,
        line,
        may_edit=may_correct(upload, request.user),
        back=back,
        in_full=in_full,
        fixed=not lines and not said,
    )
    if said:
        shown = replace(shown, message=said, level="bad")
    context = {
        "row": shown,
        "counts": questions.counts(upload),
        "version": upload.version,
        "late": upload.applied_at is not None,
    }
    return render(request, "imports/review_answer.html", context)
