"""P14 上期有、本期无: who is not in the list any more, and where they are, said before it is submitted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from eduaid.core import codes, departures, missing, questions, uploads
from eduaid.core.departures import Said
from eduaid.core.lists import ListKind, kind_of
from eduaid.core.models import Departure, Upload, UploadRow
from eduaid.core.models.uploads import State
from eduaid.core.sealing import Opener
from eduaid.core.templatetags.ui import mask_id
from eduaid.core.text import scrub
from eduaid.core.uploads import NotAllowed, NotPossible
from eduaid.core.views.imports.common import READERS, SENDERS, crumbs, head, the_list, title, to_its_page
from eduaid.core.views.imports.differences import grade, old_line, tabs
from eduaid.core.views.imports.refusals import refused
from eduaid.core.views.pages import Link, Option, Page, Tab, address, paged
from eduaid.core.views.policy import AccountRequest, needs

# Each line has a drop-down list of some thirty codes: with twenty lines the page stays under 1,500 nodes.
_ROWS, _GROUPS = 20, 40


@dataclass(frozen=True)
class OptionGroup:
    label: str
    options: list[Option]


@dataclass(frozen=True)
class Line:
    """One missing person. `key` names the form's fields of the line."""

    key: int
    name: str
    id_masked: str
    school: str
    grade: str
    line: str
    line_url: str
    said: str
    note: str
    by: str
    code: str
    basis: str
    proposed: str
    options: list[OptionGroup]


@needs(*READERS)
def missing_rows(request: AccountRequest, pk: int) -> HttpResponse:
    """While the list waits for its sender the whereabouts are said here; afterwards they are read here."""
    upload = the_list(request, pk)
    if upload.state not in (State.REVIEW, State.SUBMITTED) and not upload.applied_at:
        return to_its_page(upload)
    may_say = upload.state == State.REVIEW and uploads.may_work_on(upload, request.user)
    counts = dict(missing.told(upload))
    open_ones, pending = counts.get("", 0), counts.get(missing.PENDING, 0)
    part = request.GET.get("only", "")
    found = Departure.objects.filter(upload=upload)
    found = {"open": found.unsaid(), "pending": found.filter(code=missing.PENDING)}.get(part, found)
    page = paged(
        request, found.select_related("row", "row__school", "by", "proposed_school").order_by("row_id"), size=_ROWS
    )
    back = request.GET.urlencode()
    return render(
        request,
        "imports/missing.html",
        {
            "upload": head(upload),
            "rows": _lines(upload, page, may_say=may_say),
            "page": page,
            "tabs": tabs(upload, "missing") if not upload.applied_at else [],
            "parts": [
                Tab("全部", address(request, only="", page=""), part not in ("open", "pending"), sum(counts.values())),
                Tab("未说明", address(request, only="open", page=""), part == "open", open_ones),
                Tab("待核", address(request, only="pending", page=""), part == "pending", pending),
            ],
            "open_ones": open_ones,
            "pending": pending,
            "may_say": may_say,
            "certain": missing.certain(upload) if may_say else 0,
            "groups": _groups(upload) if may_say and open_ones else [],
            "options": _options(kind_of(upload.kind), "") if may_say and open_ones else [],
            "save_url": reverse("import-departures", args=[pk]),
            "bulk_url": reverse("import-departures-bulk", args=[pk]),
            "back": back,
            "crumbs": crumbs(Link(title(upload), head(upload).url), Link("上期有、本期无")),
        },
    )


@require_POST
@needs(*SENDERS)
def save(request: AccountRequest, pk: int) -> HttpResponse:
    """The lines of the page; a line's button 采用建议 takes the proposal of that line and saves the others as they stand."""
    upload = the_list(request, pk)
    given = request.POST.get("accept", "")
    accepted = int(given) if given.isdigit() else None
    try:
        done = departures.explain(
            upload,
            {row: one for row, one in _said(request.POST) if row != accepted},
            by=request.user,
        )
        if accepted is not None:
            done += departures.accept(upload, row=accepted, by=request.user)
    except (NotAllowed, NotPossible) as refusal:
        return refused(request, upload, refusal)
    return _back(request, pk, done)


@require_POST
@needs(*SENDERS)
def bulk(request: AccountRequest, pk: int) -> HttpResponse:
    """All certain proposals at once, or one word for a whole class."""
    upload = the_list(request, pk)
    try:
        if "certain" in request.POST:
            done = departures.accept(upload, by=request.user)
        else:
            code, group = request.POST.get("code", ""), request.POST.get("group", "")
            if not code or not group:
                raise NotPossible("请选择一个班（或全部），再选去向。")
            done = departures.explain_group(upload, key="" if group == _ALL else group, code=code, by=request.user)
    except (NotAllowed, NotPossible) as refusal:
        messages.error(request, str(refusal))
        return redirect("import-missing", pk)
    return _back(request, pk, done)


_ALL = "all"


def _back(request: AccountRequest, pk: int, done: int) -> HttpResponse:
    messages.success(request, f"已填写 {done:,} 人的去向。" if done else "没有改动。")
    query = QueryDict(request.POST.get("back", "")).urlencode()
    page = reverse("import-missing", args=[pk])
    return redirect(f"{page}?{query}" if query else page)


def _said(form: QueryDict) -> Iterable[tuple[int, Said]]:
    """The fields `code-<row>` and `note-<row>` of the lines that were on the page."""
    for name in form:
        kind, _, row = name.partition("-")
        if kind == "code" and row.isdigit():
            yield int(row), Said(str(form.get(name, "")), str(form.get(f"note-{row}", "")))


def _lines(upload: Upload, page: Page[Departure], *, may_say: bool) -> list[Line]:
    kind = kind_of(upload.kind)
    rows: list[UploadRow] = [one.row for one in page.rows]
    texts = questions.delivered_texts(rows, Opener())
    found = []
    for one in page.rows:
        row, cells = one.row, texts[one.row_id]
        name = str(row.facts.get("name") or scrub(cells.get("name", "")))
        target = f"（{one.proposed_school.name}）" if one.proposed_school else ""
        said = missing.label(one.code) + (target if one.code == one.proposed else "") if one.code else ""
        found.append(
            Line(
                key=row.pk,
                name=name,
                id_masked=mask_id(row.facts["id_prefix"]) if row.facts.get("id_prefix") else "",
                school=row.school.name if row.school else cells.get("school_name", ""),
                grade=grade(row, cells),
                line=old_line(row),
                line_url=reverse("row-trace", args=[row.pk]),
                said=said,
                note=one.note,
                by=str(one.by) if one.by else "系统" if one.code else "",
                code=one.code,
                basis=one.basis,
                proposed=missing.label(one.proposed) + target if one.proposed else "",
                options=_options(kind, one.code) if may_say else [],
            )
        )
    return found


def _options(kind: ListKind, chosen: str) -> list[OptionGroup]:
    """The codes of the kind by their group, in the kind's order."""
    found: dict[str, list[Option]] = {}
    for entry in missing.answers(kind):
        found.setdefault(entry.group, []).append(Option(entry.code, entry.label, entry.code == chosen))
    return [OptionGroup(label, options) for label, options in found.items()]


def _groups(upload: Upload) -> list[Option]:
    """The largest classes with somebody of whom nothing is said, and all together."""
    groups = departures.groups(upload)
    total = sum(group.rows for group in groups)
    shown = [
        Option(
            group.key,
            f"{group.place} {codes.GRADE.label(group.grade) if group.grade in codes.GRADE else group.grade} {group.class_name}".strip()
            + f"：{group.rows:,} 人",
        )
        for group in groups[:_GROUPS]
    ]
    return [*shown, Option(_ALL, f"未说明的全部 {total:,} 人")]
