"""The original file back to its sender; the empty workbook of a kind, and the one with everybody in it."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.http import content_disposition_header

from eduaid.core import access, files, list_templates, prefilled, senders
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


@needs(*SENDERS)
def prefilled_template(request: AccountRequest, kind: str) -> HttpResponse:
    """The list in force of the sender's place, to be changed and sent again: numbers masked, rows with hidden keys. Logged."""
    chosen = next((one for one in senders.kinds_of(request.user) if one.key == kind), None)
    place = senders.usual_place(request.user)
    if chosen is None or place is None:
        raise Http404
    term = Term.objects.filter(starts_on__lte=today()).order_by("-starts_on").first()
    schools = [
        school
        for school in senders.schools_of(request.user)
        if not isinstance(place, School) and (place.is_home or school.town_id == place.pk)
    ]
    try:
        filled = prefilled.workbook(chosen, place, schools=schools, term=str(term or ""))
    except prefilled.TooMany as refusal:
        messages.error(request, str(refusal))
        return redirect("imports")
    access.note(
        by=request.user,
        action=Action.EXPORT,
        subject_kind="list",
        page=request.path,
        purpose="下载预填模板",
        rows=filled.rows,
    )
    return attachment(filled.data, prefilled.file_name(chosen, place=str(place), term=str(term or "")), XLSX)
