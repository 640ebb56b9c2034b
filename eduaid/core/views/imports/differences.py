"""P14: one tile of the preview opened: who is new, what changed (old → new), who is missing, who stayed the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from eduaid.core import codes, questions
from eduaid.core.lists import ListKind, kind_of
from eduaid.core.models import Upload, UploadRow
from eduaid.core.models.uploads import State
from eduaid.core.sealing import Opener
from eduaid.core.templatetags.ui import mask_id
from eduaid.core.text import scrub
from eduaid.core.views.imports.common import READERS, crumbs, head, the_list, title, to_its_page
from eduaid.core.views.pages import Link, Tab, paged
from eduaid.core.views.policy import AccountRequest, needs

PARTS = {"added": "新增", "changed": "变更", "missing": "上期有、本期无", "unchanged": "无变化"}


@dataclass(frozen=True)
class Change:
    label: str
    was: str
    now: str


@dataclass(frozen=True)
class Line:
    name: str
    url: str
    id_masked: str
    school: str
    grade: str
    line: str
    line_url: str
    changes: list[Change] = field(default_factory=list)


@needs(*READERS)
def diff(request: AccountRequest, pk: int, part: str) -> HttpResponse:
    if part not in PARTS:
        raise Http404
    upload = the_list(request, pk)
    if upload.state not in (State.REVIEW, State.SUBMITTED) or upload.applied_at:
        return to_its_page(upload)
    page = paged(request, kind_of(upload.kind).destination.diff_rows(upload, part))
    sizes = {
        "added": upload.rows_added,
        "changed": upload.rows_changed,
        "missing": upload.rows_missing,
        "unchanged": upload.rows_unchanged,
    }
    return render(
        request,
        "imports/diff.html",
        {
            "title": PARTS[part],
            "kind": part,
            "upload": head(upload),
            "rows": _lines(upload, list(page.rows)),
            "page": page,
            "tabs": [
                Tab(label, reverse("import-diff", args=[pk, key]), key == part, sizes[key])
                for key, label in PARTS.items()
            ],
            "crumbs": crumbs(Link(title(upload), reverse("import", args=[pk])), Link(PARTS[part])),
        },
    )


def _lines(upload: Upload, pairs: list[tuple[int | None, int | None]]) -> list[Line]:
    """The rows of one page, opened in two queries."""
    rows = {
        row.pk: row
        for row in UploadRow.objects.filter(pk__in=[pk for pair in pairs for pk in pair if pk]).select_related(
            "sheet", "school"
        )
    }
    texts = questions.delivered_texts(rows.values(), Opener())
    kind = kind_of(upload.kind)
    found = []
    for new_pk, old_pk in pairs:
        new, old = rows.get(new_pk or 0), rows.get(old_pk or 0)
        if row := new or old:
            changes = _changes(kind, texts[old.pk], texts[new.pk]) if new and old else []
            found.append(_line(row, texts[row.pk], changes, is_new=new is not None))
    return found


def _line(row: UploadRow, cells: Mapping[str, str], changes: list[Change], *, is_new: bool) -> Line:
    facts = row.facts
    code = str(facts.get("grade") or "")
    grade = codes.GRADE.label(code) if code in codes.GRADE else cells.get("grade", "")
    grade = f"{grade} {facts.get('class_name') or ''}".strip()
    return Line(
        name=str(facts.get("name") or scrub(cells.get("name", ""))),
        url="",
        id_masked=mask_id(facts["id_prefix"]) if facts.get("id_prefix") else "",
        school=row.school.name if row.school else cells.get("school_name", ""),
        grade=grade,
        line=f"{row.sheet.name} 第 {row.number} 行" if is_new else f"名单 {row.upload_id} 号第 {row.number} 行",
        line_url=reverse("row-trace", args=[row.pk]),
        changes=changes,
    )


def _changes(kind: ListKind, was: Mapping[str, str], now: Mapping[str, str]) -> list[Change]:
    """Column by column what was delivered then and now, numbers masked for everybody; a column that one of the lists does
    not have is no change."""
    found = []
    for column in kind.columns:
        before, after = was.get(column.key, ""), now.get(column.key, "")
        if before == after or column.key not in was and not after:
            continue
        shown = [questions.hidden(column, text) for text in (before, after)]
        if shown[0] == shown[1]:
            shown = [f"{shown[0]}（已隐藏的部分不同）", shown[1]]
        found.append(Change(column.label, shown[0], shown[1]))
    return found
