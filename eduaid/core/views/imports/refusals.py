"""An act on a list that is not possible (any more): the sentence is shown on the page where the list goes on."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django_htmx.http import HttpResponseClientRedirect

from eduaid.core.models import Upload
from eduaid.core.views.imports.common import in_scope, page_of
from eduaid.core.views.policy import AccountRequest


def refused(request: AccountRequest, upload: Upload, refusal: Exception) -> HttpResponse:
    messages.error(request, str(refusal))
    page = page_of(in_scope(request).get(pk=upload.pk))
    if request.htmx:  # type: ignore[attr-defined]
        return HttpResponseClientRedirect(page)  # a plain redirect would put the whole page into the table's line
    return redirect(page)
