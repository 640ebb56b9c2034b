"""P14: one tile of the preview opened: who is new, what changed (old → new), who stayed the same, whose row waits.

Who is missing has a page of its own (`departures`), where their whereabouts are said.
"""

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

PARTS = {"added": "新增", "changed": "变更", "missing": "上期有、本期无", "unchanged": "无变化", "waiting": "待改"}
# With these the page stays under 1,500 nodes however many cells of a row differ.
_ROWS, _MARKED = 30, 5


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
    more: str = ""
    """Further differences, as text."""


@needs(*READERS)
def diff(request: AccountRequest, pk: int, part: str) -> HttpResponse:
    if part not in PARTS:
        raise Http404
    upload = the_list(request, pk)
    if upload.state not in (State.REVIEW, State.SUBMITTED) or upload.applied_at:
        return to_its_page(upload)
    page = paged(request, kind_of(upload.kind).destination.diff_rows(upload, part), size=_ROWS)
    return render(
        request,
        "imports/diff.html",
        {
            "title": PARTS[part],
            "kind": part,
            "upload": head(upload),
            "rows": _lines(upload, list(page.rows)),
            "page": page,
            "tabs": tabs(upload, part),
            "crumbs": crumbs(Link(title(upload), reverse("import", args=[pk])), Link(PARTS[part])),
        },
    )


def tabs(upload: Upload, part: str) -> list[Tab]:
    """The tiles as tabs, with what the preview counted."""
    sizes = {
        "added": upload.rows_added,
        "changed": upload.rows_changed,
        "missing": upload.rows_missing,
        "unchanged": upload.rows_unchanged,
        "waiting": upload.rows_waiting,
    }
    return [
        Tab(label, reverse("import-diff", args=[upload.pk, key]), key == part, sizes[key])
        for key, label in PARTS.items()
    ]


def _lines(upload: Upload, pairs: list[tuple[int | None, int | None]]) -> list[Line]:
    """The rows of one page, opened in a constant number of queries."""
    rows = {
        # Not joined: row security hides the sheets of county-wide lists, and rows would go with them.
        row.pk: row
        for row in UploadRow.objects.filter(pk__in=[pk for pair in pairs for pk in pair if pk]).select_related("school")
    }
    sheets = dict(upload.sheets.values_list("pk", "name"))
    texts = questions.delivered_texts(rows.values(), Opener())
    kind = kind_of(upload.kind)
    found = []
    for new_pk, old_pk in pairs:
        new, old = rows.get(new_pk or 0), rows.get(old_pk or 0)
        if row := new or old:
            changes = _changes(kind, texts[old.pk], texts[new.pk]) if new and old else []
            found.append(_line(row, texts[row.pk], changes, sheet=sheets.get(row.sheet_id) if new else None))
    return found


def _line(row: UploadRow, cells: Mapping[str, str], changes: list[Change], *, sheet: str | None = None) -> Line:
    facts = row.facts
    return Line(
        name=str(facts.get("name") or scrub(cells.get("name", ""))),
        url="",
        id_masked=mask_id(facts["id_prefix"]) if facts.get("id_prefix") else "",
        school=row.school.name if row.school else cells.get("school_name", ""),
        grade=grade(row, cells),
        line=old_line(row) if sheet is None else f"{sheet} 第 {row.number} 行".strip(),
        line_url=reverse("row-trace", args=[row.pk]),
        changes=changes[:_MARKED],
        more="；".join(f"{one.label}：{one.was or '空'} → {one.now or '空'}" for one in changes[_MARKED:]),
    )


def grade(row: UploadRow, cells: Mapping[str, str]) -> str:
    """Grade and class as the row says them."""
    code = str(row.facts.get("grade") or "")
    label = codes.GRADE.label(code) if code in codes.GRADE else cells.get("grade", "")
    return f"{label} {row.facts.get('class_name') or ''}".strip()


def old_line(row: UploadRow) -> str:
    return f"名单 {row.upload_id} 号第 {row.number} 行"


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
