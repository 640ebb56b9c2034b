"""P14 核对结果: what the list would do, what must be put right, and the way to the bureau's approval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from eduaid.core import access, column_memory, editing, marked, missing, questions, uploads
from eduaid.core.models import Upload, UploadRow, User
from eduaid.core.models.access import Action
from eduaid.core.models.uploads import FindingLevel, RowState, State
from eduaid.core.questions import Answer, Group, Groups, Line
from eduaid.core.roles import Right, may
from eduaid.core.templatetags.ui import mask_id
from eduaid.core.views.imports import hidden
from eduaid.core.views.imports.common import READERS, crumbs, file_name, head, the_list, title, to_its_page
from eduaid.core.views.pages import Link, Tab, address, paged
from eduaid.core.views.policy import AccountRequest, needs

# Forty lines with their forms keep the page under 1,500 nodes.
LINES_PER_PAGE = 40
ERRORS_SHOWN = 20


@dataclass(frozen=True)
class Tile:
    value: int
    url: str


@dataclass(frozen=True)
class Bulk:
    url: str
    code: str
    column: str
    level: str
    answer: str
    label: str


@dataclass(frozen=True)
class GroupLine:
    label: str
    count: int
    url: str
    current: bool
    bulk: Bulk | None


@dataclass(frozen=True)
class RowLine:
    """A finding as `imports/review_row.html` shows it."""

    anchor: str
    sheet: str
    line: int | None
    name: str
    id_masked: str
    column: str
    key: str
    code: str
    value: str
    """What the field starts with: never a mask, which would be saved as the value."""
    message: str
    suggestions: tuple[str, ...]
    candidates: tuple[str, ...]
    """As they may be shown; a candidate is named by its place."""
    seen: int
    is_word: bool
    """The same word may be put right in all rows at once."""
    answers: tuple[Answer, ...]
    answered: str
    answered_by: str
    level: str
    edit_url: str
    answer_url: str
    editable: bool
    choices_id: str
    hint: str
    back: str


@dataclass(frozen=True)
class ChoiceList:
    """What a column of the page may hold; one list for all its fields."""

    id: str
    choices: tuple[str, ...]


@dataclass(frozen=True)
class PlainRow:
    """A row without a finding, on the tab of all rows."""

    number: int
    sheet: str
    name: str
    id_masked: str
    state: str
    url: str


@dataclass(frozen=True)
class FileLine:
    name: str
    sheets: int
    rows: int
    url: str
    parts: list[str]
    """Each sheet with its rows."""


@needs(*READERS)
def review(request: AccountRequest, pk: int) -> HttpResponse:
    upload = the_list(request, pk)
    # A list in force answers with its receipt; its waiting rows are opened from there (?tab=fix).
    if upload.state not in (State.REVIEW, State.SUBMITTED) and not (
        upload.state == State.IN_FORCE and request.GET.get("tab")
    ):
        return to_its_page(upload)
    groups = questions.groups(upload)
    tabs = _tabs(request, upload, groups)
    tab = next(tab.key for tab in tabs if tab.current)
    context = {
        "upload": head(upload),
        "files": _files(request, upload),
        "marked": _marked(request, upload),
        "returned_url": reverse("import-returned", args=[pk]) if may_correct(upload, request.user) else "",
        "hidden": hidden.lines(upload, request.user),
        "remap_url": _remap_url(request, upload),
        "version": upload.version,
        "counts": questions.counts(upload),
        "tiles": _tiles(upload),
        "tabs": tabs,
        "note": upload.comment,
        "crumbs": crumbs(Link(title(upload))),
        "problems_of": [f"{group.label}：{group.rows} 行" for group in groups.fix[:ERRORS_SHOWN]],
        "tab": tab,
        **_acts(request, upload),
    }
    if tab == "rows":
        page = paged(request, _rows(upload, request.GET.get("state", "")))
        context |= {"plain_rows": _plain_rows(page.rows), "page": page}
    else:
        context |= _findings(request, upload, groups, tab)
    return render(request, "imports/review.html", context)


def _remap_url(request: AccountRequest, upload: Upload) -> str:
    """Where the columns can be seen and changed, as long as nothing was corrected."""
    may = upload.state == State.REVIEW and upload.applied_at is None and uploads.may_work_on(upload, request.user)
    return reverse("import-remap", args=[upload.pk]) if may and not uploads.is_corrected(upload) else ""


@dataclass(frozen=True)
class PartTab(Tab):
    key: str = ""


def _tabs(request: AccountRequest, upload: Upload, groups: Groups) -> list[PartTab]:
    """Only tabs that hold something, and the first of them when the address names none."""
    sizes = {
        "fix": ("需修改", sum(group.rows for group in groups.fix)),
        "warnings": ("提示", sum(group.rows for group in groups.warnings)),
        "hints": ("说明", sum(group.rows for group in groups.hints)),
        "refused": ("不收", sum(group.rows for group in groups.refused)),
        "settled": ("已答复", groups.settled),
        "rows": ("全部行", upload.rows_read),
    }
    asked = request.GET.get("tab", "")
    shown = [key for key, (_, size) in sizes.items() if size or key == asked or key == "rows"]
    current = asked if asked in shown else shown[0]
    return [
        PartTab(sizes[key][0], f"{reverse('import', args=[upload.pk])}?tab={key}", key == current, sizes[key][1], key)
        for key in shown
    ]


def _findings(request: AccountRequest, upload: Upload, groups: Groups, tab: str) -> dict[str, object]:
    parts = {"fix": groups.fix, "warnings": groups.warnings, "hints": groups.hints, "refused": groups.refused}
    found = questions.of_part(upload, tab)
    code, column = request.GET.get("code", ""), request.GET.get("column", "")
    if code:
        found = found.filter(code=code, column=column)
    page = paged(request, found, size=LINES_PER_PAGE)
    in_full = shows_in_full(upload, request.user)
    may_edit = tab in ("fix", "refused", "warnings") and may_correct(upload, request.user)
    lines = questions.lines(upload, page.rows, in_full=in_full)
    note_shown(request, upload, lines)
    shown = parts.get(tab, [])
    return {
        "page": page,
        "rows": [
            row_line(upload, line, may_edit=may_edit, back=request.GET.urlencode(), in_full=in_full) for line in lines
        ],
        "groups": [
            _group(
                request,
                upload,
                group,
                current=(group.code, group.column) == (code, column),
                may_edit=may_correct(upload, request.user),
                tab=tab,
            )
            for group in shown[:ERRORS_SHOWN]
        ],
        "all_url": address(request, code="", column="", page="") if code else "",
        "choice_lists": [
            ChoiceList(f"choices-{key}", choices)
            for key, choices in {line.column: line.choices for line in lines if line.choices and may_edit}.items()
        ],
    }


_LEVELS = {"warnings": FindingLevel.WARNING, "hints": FindingLevel.HINT}


def _group(
    request: AccountRequest, upload: Upload, group: Group, *, current: bool, may_edit: bool, tab: str
) -> GroupLine:
    answer: tuple[str, str] | None = None
    if may_edit and tab in _LEVELS:
        answer = (editing.NOTED, "标为已阅")
    elif may_edit and tab == "fix" and group.rows > 1:
        answer = questions.bulk_answer(group.code)
    bulk = None
    if answer is not None:
        label = f"{group.rows} 处都{answer[1]}" if tab in _LEVELS else f"{group.rows} 行都{answer[1]}"
        url = reverse("import-answer-all", args=[upload.pk])
        bulk = Bulk(url, group.code, group.column, _LEVELS.get(tab, ""), answer[0], label)
    return GroupLine(
        group.label, group.rows, address(request, code=group.code, column=group.column, page=""), current, bulk
    )


def row_line(upload: Upload, line: Line, *, may_edit: bool, back: str, in_full: bool, fixed: bool = False) -> RowLine:
    editable = may_edit and line.row_id is not None and bool(line.column)
    return RowLine(
        anchor=line.anchor,
        sheet=line.sheet,
        line=line.number,
        name=line.name,
        id_masked=mask_id(line.id_prefix) if line.id_prefix else "",
        column=line.label,
        key=line.column,
        code=line.code,
        value=line.value if in_full or line.is_plain else "",
        message=line.message,
        suggestions=line.suggestions,
        candidates=line.candidates,
        seen=line.seen,
        is_word=editable and line.code in questions.SAME_WORD,
        answers=line.answers,
        answered=line.answered,
        answered_by=line.answered_by,
        level="ok" if fixed else "bad" if line.level in questions.MUST else "warn",
        edit_url=reverse("import-cell", args=[upload.pk, line.row_id, line.column]) if editable else "",
        answer_url=reverse("import-answer", args=[upload.pk, line.row_id]) if may_edit and line.row_id else "",
        editable=editable,
        choices_id=f"choices-{line.column}" if editable and line.choices else "",
        hint="" if line.level not in questions.MUST else "请在原表修改" if may_edit else "由上传单位修改",
        back=back,
    )


def shows_in_full(upload: Upload, user: User) -> bool:
    """Whoever sent the list sees his own rows as he sent them; everybody else sees masks."""
    return upload.uploaded_by_id == user.pk


def note_shown(request: AccountRequest, upload: Upload, lines: Sequence[Line]) -> None:
    """Writes down that numbers stood on the page in full, how many, and to whom."""
    numbers = [line for line in lines if line.is_number]
    if numbers:
        access.note(
            by=request.user,
            action=Action.VIEW,
            subject_kind="upload",
            subject_id=upload.pk,
            page=request.path,
            purpose="核对自己上传的名单",
            rows=len(numbers),
        )


def may_correct(upload: Upload, user: User) -> bool:
    """While the list waits for its sender, or waits in force with rows to be put right."""
    return upload.state in (State.REVIEW, State.IN_FORCE) and uploads.may_work_on(upload, user)


def _tiles(upload: Upload) -> dict[str, Tile] | None:
    """What the list would change; afterwards the receipt says what it did."""
    if upload.applied_at:
        return None
    parts = {
        "added": upload.rows_added,
        "changed": upload.rows_changed,
        "missing": upload.rows_missing,
        "unchanged": upload.rows_unchanged,
        "waiting": upload.rows_waiting,
    }
    return {part: Tile(value, reverse("import-diff", args=[upload.pk, part])) for part, value in parts.items()}


def _acts(request: AccountRequest, upload: Upload) -> dict[str, object]:
    """What this reader may do with the list now."""
    user, pk = request.user, upload.pk
    works = uploads.may_work_on(upload, user)
    waits_for_bureau = upload.state == State.SUBMITTED
    approves = waits_for_bureau and may(user, Right.APPROVE)
    own = approves and uploads.worked_on_by(upload, user)
    unsaid = dict(missing.told(upload)).get("", 0) if works and upload.state == State.REVIEW else 0
    return {
        "can_submit": works and upload.state in (State.REVIEW, State.IN_FORCE) and not unsaid and not upload.due,
        "unsaid": unsaid,
        "missing_url": reverse("import-missing", args=[pk]),
        "comparing": upload.due and upload.state in (State.REVIEW, State.SUBMITTED),
        "not_applied": upload.error,
        "submit_url": reverse("import-submit", args=[pk]),
        "can_approve": approves and not own and not upload.due,
        "approve_url": reverse("import-approve", args=[pk]),
        "return_url": reverse("import-return", args=[pk]) if approves else "",
        "approve_note": "这是您上传、提交、修改过或填过去向的名单，请由另一人审核。" if approves and own else "",
        "discard_url": reverse("import-cancel", args=[pk]) if works and upload.applied_at is None else "",
        "forget_url": reverse("import-forget", args=[pk]) if column_memory.may_forget(upload, user) else "",
        "receipt_url": reverse("import-receipt", args=[pk]) if upload.applied_at else "",
        "sent_back": upload.returned_for,
        "late": upload.applied_at is not None,
    }


def _files(request: AccountRequest, upload: Upload) -> list[FileLine]:
    """Sheets and rows by file; the originals are for their sender alone."""
    sheets = list(upload.sheets.all())
    own = shows_in_full(upload, request.user)
    return [
        FileLine(
            file_name(file),
            sum(1 for sheet in sheets if sheet.file_id == file.pk),
            sum(sheet.rows for sheet in sheets if sheet.file_id == file.pk),
            reverse("import-file", args=[upload.pk, file.position]) if own else "",
            [f"{sheet.name or '表'} {sheet.rows} 行" for sheet in sheets if sheet.file_id == file.pk],
        )
        for file in upload.files.all()
    ]


def _marked(request: AccountRequest, upload: Upload) -> list[Link]:
    """The workbooks of the list with their problems marked, for their sender."""
    if not marked.may_take(upload, request.user):
        return []
    return [
        Link(file_name(file), reverse("import-marked", args=[upload.pk, file.position])) for file in upload.files.all()
    ]


def _rows(upload: Upload, state: str) -> QuerySet[UploadRow]:
    rows = UploadRow.objects.filter(sheet__upload=upload).select_related("sheet").order_by("sheet_id", "number")
    return rows.filter(state=state) if state in RowState.values else rows


def _plain_rows(rows: Sequence[UploadRow]) -> list[PlainRow]:
    several = len({row.sheet_id for row in rows}) > 1
    return [
        PlainRow(
            row.number,
            row.sheet.name if several else "",
            str(row.facts.get("name") or ""),
            mask_id(row.facts["id_prefix"]) if row.facts.get("id_prefix") else "",
            RowState(row.state).label,
            reverse("row-trace", args=[row.pk]),
        )
        for row in rows
    ]
