"""The public page of a notice, without log-in and only while it runs; and the proof that is kept of it."""

from __future__ import annotations

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from eduaid.core.roles import Right
from eduaid.core.scope import EVERYTHING, row_security
from eduaid.core.views.policy import AccountRequest, needs, public
from subsidies import notices
from subsidies.ledger import NotPossible
from subsidies.models import PublicNotice


@require_safe
@public
def public_notice(request: HttpRequest, address: str) -> HttpResponse:
    """What everybody may read. Before and after its time the address answers 404, and nobody keeps a copy of it for long."""
    with transaction.atomic(), row_security(EVERYTHING, local=True):
        shown = notices.shown(address)
    if shown is None:
        raise Http404("没有正在进行的公示，或公示期已满。")
    response = render(request, "subsidies/public_notice.html", {"notice": shown})
    response["Cache-Control"] = "no-store"
    response["X-Robots-Tag"] = "noindex, noarchive"
    return response


@needs(Right.SEE_FIGURES)
def proof(request: AccountRequest, pk: int) -> HttpResponse:
    """The sealed page as it was published, checked against its digest."""
    notice = get_object_or_404(PublicNotice.objects.within(request.scope).select_related("batch"), pk=pk)
    try:
        page = notices.proof(notice)
    except NotPossible as refusal:
        messages.error(request, str(refusal))
        return redirect(notice.batch.get_absolute_url())
    response = HttpResponse(page, content_type="text/html; charset=utf-8")
    response["Content-Disposition"] = content_disposition_header(True, f"公示存证-{notice.pk}.html") or ""
    return response
