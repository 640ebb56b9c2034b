"""The sender's own workbook back, marked: wrong cells filled and explained, a list of problems in front, good rows as they are.

Every row carries a hidden key, so that the workbook can be dropped back when it has been put right: `eduaid.core.returned`
merges what was changed in it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping

from django.conf import settings
from django.db.models import Max, Q

from eduaid.core import findings, questions, row_keys
from eduaid.core.copies import as_xlsx
from eduaid.core.files import load
from eduaid.core.intake import CELL, delivered
from eduaid.core.list_templates import PROBLEMS_SHEET
from eduaid.core.lists import ListKind, kind_of
from eduaid.core.models import CellEdit, Finding, Upload, UploadFile, UploadRow, UploadSheet, User
from eduaid.core.models.uploads import FindingLevel, State
from eduaid.core.packages import MOST_NOTES, CannotPatch, Entry, Front, Mark, SheetMarks, marked
from eduaid.core.preflight import Kind, Limits
from eduaid.core.sealing import Opener

_HEADERS = ("序号", "工作表", "行", "列", "现在的内容", "问题", "怎样改", "级别")
_WIDTHS = (6.0, 14.0, 8.0, 16.0, 24.0, 44.0, 44.0, 10.0)
_LINK = 2  # the row number is what one clicks
_ROW_SAID = {FindingLevel.ERROR: "须修改", FindingLevel.ASK: "须确认", FindingLevel.WARNING: "提示"}


def may_take(upload: Upload, user: User) -> bool:
    """The sender alone: the workbook holds the numbers of persons in full, as he sent them. Once there are rows."""
    has_rows = upload.rows_read > 0 and upload.state in (State.REVIEW, State.SUBMITTED, State.IN_FORCE)
    return has_rows and upload.uploaded_by_id == user.pk


def file_name(file: UploadFile, shown: str) -> str:
    """The original's name with what it is now; always .xlsx."""
    stem = shown.rpartition(".")[0] or shown
    return f"{stem}（标错）.xlsx"


def workbook(file: UploadFile) -> bytes:
    """The marked workbook of one file of a list. Raises FileRefused where the stored file cannot be read any more."""
    upload = file.upload
    limits = Limits(file_bytes=settings.UPLOAD_MAX_BYTES, rows=settings.UPLOAD_MAX_ROWS)
    sheets, front = _marks(upload, file)
    data = load(file.stored_as)
    if file.kind == Kind.XLSX:
        try:
            return marked(data, sheets, front, limits=limits)
        except CannotPatch:
            pass  # an unusual writer: the contents go into a workbook of our own, as for the other formats
    return marked(as_xlsx(data, file.name, limits=limits), sheets, front)


def _marks(upload: Upload, file: UploadFile) -> tuple[list[SheetMarks], Front]:
    kind = kind_of(upload.kind)
    seen = CellEdit.objects.filter(upload=upload).aggregate(newest=Max("pk"))["newest"] or 0
    sheets = {sheet.pk: sheet for sheet in file.sheets.filter(rows__gt=0).select_related("file").order_by("position")}
    rows: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for pk, sheet_id, number in UploadRow.objects.filter(sheet_id__in=list(sheets)).values_list(
        "pk", "sheet_id", "number"
    ):
        rows[sheet_id].append((number, pk))
    changed = _corrected(file)
    notes, entries = _problems(upload, kind, sheets)
    found = []
    for pk, sheet in sheets.items():
        positions = {key: int(position) for position, key in sheet.mapping.items()}
        keys = row_keys.keys(row_keys.Use.MARKED, [row for _, row in rows[pk]], seen=seen)
        cells: _Cells = {cell: ([], False) for cell in changed.get(pk, {})} | notes.get(pk, {})
        sealed = {positions[column.key] for column in kind.columns if column.sealed and column.key in positions}
        found.append(
            SheetMarks(
                sheet.position,
                sheet.header_to,
                len(sheet.headers),
                row_keys.HEADER,
                {number: key for (number, _), key in zip(rows[pk], keys, strict=True)},
                [
                    Mark(
                        row,
                        column,
                        "\n".join(texts),
                        is_mild,
                        column in sealed,
                        changed.get(pk, {}).get((row, column)),
                    )
                    for (row, column), (texts, is_mild) in sorted(cells.items())
                ],
                _later(sheet, positions),
            )
        )
    return found, _front(entries)


def _later(sheet: UploadSheet, positions: Mapping[str, int]) -> Callable[[int], Mapping[int, str]]:
    """Rows that were added with a corrected workbook: the original file does not have them."""

    def cells(number: int) -> Mapping[int, str]:
        row = UploadRow.objects.get(sheet=sheet, number=number)
        return {positions[key]: text for key, text in delivered(row, Opener()).items() if key in positions}

    return cells


def _corrected(file: UploadFile) -> dict[int, dict[tuple[int, int], str]]:
    """Sheet → (row, column position) → the newest correction: the workbook shows the list as it stands now."""
    opener = Opener()
    found: dict[int, dict[tuple[int, int], str]] = defaultdict(dict)
    edits = (
        CellEdit.objects.filter(row__sheet__file=file)
        .select_related("row__sheet")
        .order_by("row_id", "column", "-pk")
        .distinct("row_id", "column")
    )
    for edit in edits:
        sheet = edit.row.sheet
        position = next((int(at) for at, key in sheet.mapping.items() if key == edit.column), None)
        if position is not None:
            found[sheet.pk][edit.row.number, position] = opener.open(edit.sealed, CELL).decode()
    return found


_Cells = dict[tuple[int, int], tuple[list[str], bool]]


def _problems(upload: Upload, kind: ListKind, sheets: dict[int, UploadSheet]) -> tuple[dict[int, _Cells], list[Entry]]:
    """What is open in these sheets: sheet → cell → its notes and whether they are only warnings; and the list in front."""
    listed = list(
        Finding.objects.filter(Q(sheet__in=sheets) | Q(sheet=None), upload=upload, level__in=_ROW_SAID, answer="")
        .select_related("row")
        .order_by("sheet__position", "number", "id")
    )
    for finding in listed:  # the few sheets, and not a copy of one for each finding
        finding.sheet = sheets.get(finding.sheet_id or 0)
    notes: dict[int, _Cells] = defaultdict(dict)
    entries = []
    for number, (finding, line) in enumerate(
        zip(listed, questions.lines(upload, listed, in_full=True), strict=True), 1
    ):
        sheet = sheets.get(finding.sheet_id or 0)
        positions = {key: int(at) for at, key in sheet.mapping.items()} if sheet else {}
        column = positions.get(finding.column, positions.get("name", min(positions.values(), default=0)))
        text = findings.sentence(finding.code, finding.params)
        problem, _, advice = text.partition("。")
        if line.suggestions:
            advice = "；".join(filter(None, [advice, f"可能是：{'、'.join(line.suggestions)}"]))
        if sheet is not None and finding.row_id is not None and finding.number is not None:
            texts, is_mild = notes[sheet.pk].setdefault((finding.number, column), ([], True))
            texts.append(line.message)
            is_mild = is_mild and finding.level == FindingLevel.WARNING
            notes[sheet.pk][finding.number, column] = (texts, is_mild)
        entries.append(
            Entry(
                sheet.position if sheet else None,
                finding.number,
                column if finding.number else None,
                (
                    str(number),
                    sheet.name if sheet else "",
                    str(finding.number or ""),
                    line.label,
                    line.value,
                    problem,
                    advice,
                    _ROW_SAID[FindingLevel(finding.level)],
                ),
            )
        )
    return notes, entries


def _front(entries: list[Entry]) -> Front:
    count = sum(1 for entry in entries if entry.texts[-1] != _ROW_SAID[FindingLevel.WARNING])
    lines = [
        "点“行”一栏的数字到那一格。黄色的格要改，浅黄色的请留意；批注写明怎样改。没有标色的行不用动。",
        "改好后保存，把这个文件直接拖回上传页，或在核对页点“上传改好的表”：只合并改动过的格，其余不动。请不要删除隐藏的行标识列。",
    ]
    if len(entries) > MOST_NOTES:
        lines.append(f"每张表最多加 {MOST_NOTES} 条批注，其余的只标色，说明见本表。")
    return Front(PROBLEMS_SHEET, f"错误清单：{count} 处须改", lines, _HEADERS, _WIDTHS, entries, _LINK)
