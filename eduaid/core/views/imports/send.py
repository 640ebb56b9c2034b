"""P11 上传: one list, in one or several files or pasted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from eduaid.core import scanning, uploads
from eduaid.core.forms import SendForm
from eduaid.core.lists import kinds
from eduaid.core.models import Upload
from eduaid.core.models.uploads import Mode
from eduaid.core.uploads import AlreadyUploaded, NotAllowed, NotPossible
from eduaid.core.views.imports import marked
from eduaid.core.views.imports.common import SENDERS, crumbs, page_of, title
from eduaid.core.views.pages import Link
from eduaid.core.views.policy import AccountRequest, needs


@dataclass(frozen=True)
class Duplicate:
    """The list that these files are already part of."""

    title: str
    at: dt.datetime
    receipt_url: str


@needs(*SENDERS)
def new(request: AccountRequest) -> HttpResponse:
    chosen = request.GET.get("kind", "")
    form = SendForm(
        request.user,
        request.POST or None,
        request.FILES or None,
        initial={"kind": chosen, "scope": request.GET.get("scope", "")},
    )
    known: Upload | None = None
    if request.method == "POST" and form.is_valid():
        try:
            contents = form.contents()
            if (known := marked.list_to_return_to(request, contents)) is not None:
                return marked.take_back(request, known, contents)
            return redirect("import-run", _receive(request, form, contents).pk)
        except AlreadyUploaded as refusal:
            known = refusal.upload
            if _sent_twice(request, form, known):
                messages.info(request, "这份名单已经收到，没有重复上传。")
                return redirect(page_of(known))
        except (NotAllowed, NotPossible) as refusal:
            form.add_error(None, str(refusal))
    registered = {kind.key for kind in kinds()}
    return render(
        request,
        "imports/new.html",
        {
            "form": form,
            "max_mb": settings.UPLOAD_MAX_BYTES // 1_048_576,
            "max_rows": settings.UPLOAD_MAX_ROWS,
            "template_url": reverse("import-template", args=[chosen]) if chosen in registered else "",
            "duplicate": Duplicate(title(known), known.uploaded_at, page_of(known)) if known else None,
            "scans": scanning.is_configured(),
            "index_url": reverse("imports"),
            "crumbs": crumbs(Link("上传名单")),
        },
        status=413 if form.has_error("files", "too-large") else 200,
    )


def _sent_twice(request: AccountRequest, form: SendForm, known: Upload) -> bool:
    """The same person's same files under the same names: a second click or a second tab, and no question."""
    names = sorted(file.name for file in known.files.all())
    return known.uploaded_by_id == request.user.pk and names == sorted(
        uploads.clean_name(name) for name, _ in form.contents()
    )


def _receive(request: AccountRequest, form: SendForm, contents: Sequence[tuple[str, bytes]]) -> Upload:
    kind, place = form.chosen_kind(), form.chosen_place()
    assert kind is not None
    assert place is not None
    return uploads.receive(
        kind=kind,
        contents=contents,
        place=place,
        effective_on=form.cleaned_data["effective_on"],
        mode=Mode(form.cleaned_data["mode"]),
        by=request.user,
        comment=form.cleaned_data["comment"],
    )
