"""P12, P14: hidden rows, columns and sheets counted in or left out."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from eduaid.core import hidden_parts
from eduaid.core.intake import HIDDEN_PARTS
from eduaid.core.models import Upload, UploadSheet, User
from eduaid.core.models.uploads import State
from eduaid.core.uploads import NotAllowed, NotPossible
from eduaid.core.views.imports.common import SENDERS, the_list
from eduaid.core.views.imports.refusals import refused
from eduaid.core.views.policy import AccountRequest, needs


@dataclass(frozen=True)
class HiddenLine:
    """A question as `imports/hidden_parts.html` shows it; without a url for those who may not answer."""

    text: str
    url: str
    answer: str
    said: str


def lines(upload: Upload, user: User) -> list[HiddenLine]:
    may = hidden_parts.may_decide(upload, user)
    return [
        HiddenLine(
            question.text,
            reverse("import-hidden", args=[upload.pk, question.sheet_id, question.part]) if may else "",
            question.answer,
            f"{question.answered_by}：{hidden_parts.ANSWERS[question.answer]}" if question.answer else "",
        )
        for question in hidden_parts.of(upload)
    ]


@require_POST
@needs(*SENDERS)
def decide(request: AccountRequest, pk: int, sheet_pk: int, part: str) -> HttpResponse:
    if part not in HIDDEN_PARTS:
        raise Http404
    upload = the_list(request, pk)
    sheet = get_object_or_404(UploadSheet.objects.filter(upload=upload), pk=sheet_pk)
    try:
        after = hidden_parts.decide(sheet, part, request.POST.get("answer", ""), by=request.user)
    except (NotAllowed, NotPossible) as refusal:
        return refused(request, upload, refusal)
    if after.state == State.RECEIVED:
        return redirect("import-run", pk)
    messages.success(request, "已记下对隐藏内容的处理。")
    return redirect("import-map" if after.state == State.MAPPING else "import", pk)
