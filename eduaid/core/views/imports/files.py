"""The original file back to its sender; the empty workbook of a kind."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.http import content_disposition_header

from eduaid.core import access, files, list_templates
from eduaid.core.lists import UnknownKind, kind_of
from eduaid.core.models import School, Term
from eduaid.core.models.access import Action
from eduaid.core.roles import posts_of, today
from eduaid.core.views.imports.common import READERS, SENDERS, file_name, the_list
from eduaid.core.views.imports.review import shows_in_full
from eduaid.core.views.policy import AccountRequest, needs

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def attachment(data: bytes, name: str, content_type: str) -> HttpResponse:
    return HttpResponse(
        data,
        content_type=content_type,
        headers={
            "Content-Disposition": content_disposition_header(True, name) or "attachment",
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        },
    )


@needs(*READERS)
def original(request: AccountRequest, pk: int, position: int) -> HttpResponse:
    """The bytes as they came, for the person who sent them: they hold whole numbers. Logged."""
    upload = the_list(request, pk)
    if not shows_in_full(upload, request.user):
        raise PermissionDenied("原表含有完整的证件号，只有上传人本人可以下载。")
    file = get_object_or_404(upload.files, position=position)
    access.note(
        by=request.user,
        action=Action.DOWNLOAD,
        subject_kind="upload",
        subject_id=upload.pk,
        page=request.path,
        purpose="下载自己上传的原表",
        rows=upload.rows_read,
    )
    return attachment(files.load(file.stored_as), file_name(file), "application/octet-stream")


@needs(*SENDERS)
def template(request: AccountRequest, kind: str) -> HttpResponse:
    """The workbook to fill in, with the sender's school in it where there is only one."""
    try:
        chosen = kind_of(kind)
    except UnknownKind:
        raise Http404 from None
    places = {post.school or post.region for post in posts_of(request.user) if post.school or post.region}
    place = places.pop() if len(places) == 1 else None
    term = Term.objects.filter(starts_on__lte=today()).order_by("-starts_on").first()
    data = list_templates.workbook(
        chosen, place=str(place or ""), school=place if isinstance(place, School) else None, term=str(term or "")
    )
    return attachment(data, list_templates.file_name(chosen, place=str(place or ""), term=str(term or "")), XLSX)
