"""P16 撤回: what an undo would do to whom is shown first, name by name; then the reason is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from eduaid.core import uploads
from eduaid.core.forms import UndoForm
from eduaid.core.lists import UndoPreview, kind_of
from eduaid.core.models import Upload, UploadRow
from eduaid.core.roles import Right
from eduaid.core.templatetags.ui import mask_id
from eduaid.core.uploads import NotAllowed, NotPossible
from eduaid.core.views.imports.common import crumbs, head, the_list, title
from eduaid.core.views.imports.differences import grade, old_line
from eduaid.core.views.imports.refusals import refused
from eduaid.core.views.pages import Link, Tab, paged
from eduaid.core.views.policy import AccountRequest, needs

_BUCKETS = {
    "withdrawn": ("将撤回", "这份名单带来的内容撤下，显示上一份名单的内容；上一份没有的，标为“来源已撤回”。"),
    "kept": ("保留", "之后又有更新的名单或更正，以更新的为准，不受撤回影响。"),
    "impossible": ("无法撤回", "已有走访、资助等办理记录，学生保留，标为“来源已撤回”。"),
}


@dataclass(frozen=True)
class Bucket:
    key: str
    label: str
    count: int
    text: str
    url: str


@dataclass(frozen=True)
class Line:
    """A person in a bucket, and why."""

    name: str
    id_masked: str
    school: str
    grade: str
    why: str
    line: str
    line_url: str


@needs(Right.APPROVE)
def undo(request: AccountRequest, pk: int) -> HttpResponse:
    upload = the_list(request, pk)
    form = UndoForm(request.POST or None)
    if not uploads.may_undo(upload, request.user):
        return refused(request, upload, _not_in_force(upload))
    if request.method == "POST" and form.is_valid():
        try:
            uploads.undo(upload, by=request.user, reason=form.cleaned_data["reason"])
        except (NotAllowed, NotPossible) as refusal:
            return refused(request, upload, refusal)
        messages.success(request, f"已撤回“{title(upload)}”。上一份名单重新生效；同一份文件可以再次上传。")
        return redirect("import-receipt", pk)
    preview = uploads.undo_preview(upload)
    return render(
        request,
        "imports/undo.html",
        {
            "upload": head(upload),
            "buckets": [
                Bucket(key, label, _size(preview, key), text, reverse("import-undo-rows", args=[pk, key]))
                for key, (label, text) in _BUCKETS.items()
            ],
            "form": form,
            "back_url": reverse("import-receipt", args=[pk]),
            "crumbs": crumbs(Link(title(upload), head(upload).url), Link("撤回")),
        },
    )


@needs(Right.APPROVE)
def rows(request: AccountRequest, pk: int, bucket: str) -> HttpResponse:
    """The names behind one number of the undo preview, with the reason of each."""
    upload = the_list(request, pk)
    if bucket not in _BUCKETS:
        raise Http404
    if not uploads.may_undo(upload, request.user):
        return refused(request, upload, _not_in_force(upload))
    preview = uploads.undo_preview(upload)
    page = paged(request, kind_of(upload.kind).destination.undo_rows(upload, bucket))
    label, text = _BUCKETS[bucket]
    return render(
        request,
        "imports/undo_rows.html",
        {
            "upload": head(upload),
            "title": label,
            "about": text,
            "rows": _lines(page.rows),
            "page": page,
            "tabs": [
                Tab(name, reverse("import-undo-rows", args=[pk, key]), key == bucket, _size(preview, key))
                for key, (name, _) in _BUCKETS.items()
            ],
            "undo_url": reverse("import-undo", args=[pk]),
            "crumbs": crumbs(
                Link(title(upload), head(upload).url), Link("撤回", reverse("import-undo", args=[pk])), Link(label)
            ),
        },
    )


def _size(preview: UndoPreview, bucket: str) -> int:
    sizes = {"withdrawn": preview.withdrawn, "kept": preview.kept, "impossible": preview.impossible}
    return sizes[bucket]


def _lines(pairs: Sequence[tuple[int, str]]) -> list[Line]:
    told = dict(pairs)
    found = UploadRow.objects.filter(pk__in=told).select_related("school").order_by("pk")
    return [
        Line(
            name=str(row.facts.get("name") or "—"),
            id_masked=mask_id(row.facts["id_prefix"]) if row.facts.get("id_prefix") else "",
            school=row.school.name if row.school else "",
            grade=grade(row, {}),
            why=told[row.pk],
            line=old_line(row),
            line_url=reverse("row-trace", args=[row.pk]),
        )
        for row in found
    ]


def _not_in_force(upload: Upload) -> NotPossible:
    return NotPossible(f"名单 {upload.pk} 号没有生效，不用撤回。")
