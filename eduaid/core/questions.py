"""What a list still asks of people, as the check page shows it: findings by kind, and line by line with a way to settle each.

Counts here are of findings and rows of one list, for the person who puts it right; figures about children are indicators.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Count, Max, Q, QuerySet

from eduaid.core import candidates, findings, uploads
from eduaid.core.delivered import texts_of
from eduaid.core.editing import NOTED, answers_for, proposal
from eduaid.core.lists import Column, kind_of
from eduaid.core.masking import masked
from eduaid.core.models import CellEdit, Finding, Upload, UploadRow
from eduaid.core.models.uploads import FindingLevel, RowState
from eduaid.core.sealing import Opener
from eduaid.core.text import scrub, spaceless

MUST = (FindingLevel.ERROR, FindingLevel.ASK)
BLOCKING = Q(level__in=MUST, answer="")

# Questions whose answer is the same act for every row; who somebody is, is never answered in bulk.
_IN_BULK = {
    "needs-number",
    "hukou-outside",
    "id-none",
    "id-check",
    "id-damaged",
    "id-length",
    "id-birth",
    "id-characters",
    "id-masked",
    "id-other",
    "id-15",
    "id-15-child",
    "held-elsewhere",
    "name-length",
    "name-digits",
    "name-form",
}
_OFFERED = 25


@dataclass(frozen=True)
class Group:
    """One kind of finding in one column."""

    code: str
    column: str
    label: str
    rows: int


@dataclass(frozen=True)
class Groups:
    """The findings of a list by what they ask for."""

    fix: list[Group]
    warnings: list[Group]
    hints: list[Group]
    refused: list[Group]
    settled: int


def groups(upload: Upload) -> Groups:
    """Largest first; one query."""
    kind = kind_of(upload.kind)
    labels = {column.key: column.label for column in kind.columns}
    parts: dict[str, list[Group]] = defaultdict(list)
    settled = 0
    counted = (
        Finding.objects.filter(upload=upload)
        .order_by()
        .values_list("level", "code", "column", "row__state", "answer")
        .annotate(found=Count("pk"))
    )
    merged: dict[tuple[str, str, str], int] = defaultdict(int)
    for level, code, column, state, answer, found in counted:
        if answer:
            settled += found
        elif state == RowState.REFUSED:
            merged["refused", code, column] += found
        else:
            merged["fix" if level in MUST else str(level), code, column] += found
    for (part, code, column), found in merged.items():
        label, short = labels.get(column, ""), _short(code, part)
        parts[part].append(Group(code, column, f"「{label}」{short}" if label else short, found))
    for found_groups in parts.values():
        found_groups.sort(key=lambda group: (-group.rows, group.label))
    return Groups(parts["fix"], parts[FindingLevel.WARNING], parts[FindingLevel.HINT], parts["refused"], settled)


# Short names of the kinds whose sentence begins with what differs from row to row.
_SHORT = {
    "id-length": "证件号位数不对",
    "age-out-of-stage": "年龄与年级相差较大",
    "age-out-of-range": "年龄不在本名单应有的范围",
    "row-repeated": "与前面的行完全相同",
    "row-contradicts": "同一证件号有几行，内容不同",
    "no-place": "看不出属于哪个乡镇或学校",
    "held-elsewhere": "本学期已在别处的名单中",
    "hukou-outside": "户籍地址不在本县",
    "grade-not-of-school": "该校没有这个学段",
    "birth-epoch": "与证件号相差四年零一天（日期起点不同）",
    "required": "没有填写",
    "household-heads": "同一户编号有两个户主",
    "school-close": "不在学校名录中，有相近的校名",
    "cell-length": "内容过长",
    "card-length": "卡号位数少见",
    "code-unknown": "不在代码表中",
    "code-several": "可能是代码表中的几项",
    "list-same": "与已有的名单内容完全相同",
    "rows-hidden": "有隐藏行，已计入",
    "rows-hidden-left": "隐藏行，已按选择不计入",
    "sheet-hidden": "有隐藏的工作表，已计入",
    "sheet-hidden-left": "隐藏的工作表，已按选择不计入",
    "columns-hidden": "有隐藏列，已计入",
    "columns-hidden-left": "隐藏列，已按选择不计入",
    "columns-unknown": "有不属于本名单的列，未保存",
    "columns-computed": "有公式，已取计算结果",
    "header-found": "表头的位置",
    "total-differs": "表中合计人数与实际行数不符",
    "amount-differs": "表中合计金额与各行之和不符",
    "rows-not-data": "合计、表尾、重复表头等，未计入",
    "sheet-without-columns": "有工作表缺少必填列，未读取",
    "sheet-without-header": "有工作表没有表头，未读取",
}
_PARAMS = re.compile(r"（[^（）]*\{\w+\}[^（）]*）|“\{\w+\}”|：?\{\w+\}")


def _short(code: str, level: str) -> str:
    """The kind in a few words: the first clause of its sentence, without what differs from row to row."""
    if code in _SHORT:
        return _SHORT[code]
    return _PARAMS.sub("", re.split(r"[。；]", _template(code, level), maxsplit=1)[0]).strip("，、 ")


def _template(code: str, level: str) -> str:
    """The sentence as declared. Some codes name both a problem and the note of a harmless change; a hint is the note."""
    if level == FindingLevel.HINT and code in findings.NOTES:
        return findings.NOTES[code]
    if code in findings.ROWS:
        return findings.ROWS[code]
    known = findings.PLACES.get(code) or findings.SENTENCES.get(code)
    return known.text if known else findings.PLACE_NOTES.get(code) or findings.NOTES[code]


def bulk_answer(code: str) -> tuple[str, str] | None:
    """(answer, button) that may be given to all rows of the kind at once."""
    if code in _PROPOSED:
        return ADOPT, "采用建议"
    return next(iter(answers_for(code).items()), None) if code in _IN_BULK else None


ADOPT = "adopt"
_PROPOSED = {"birth-not-of-id", "birth-epoch", "sex-not-of-id", "school-close", "name-spaces"}


@dataclass(frozen=True)
class Counts:
    """The rows of a list by what becomes of them: read = ready + waiting + refused + repeated, until it is in force."""

    read: int
    ready: int
    waiting: int
    refused: int
    repeated: int


def counts(upload: Upload) -> Counts:
    """Of a list in force, `ready` are the waiting rows that have been put right since."""
    ready = uploads.ready_rows(upload).count() if upload.applied_at else upload.rows_accepted
    waiting = upload.rows_waiting - ready if upload.applied_at else upload.rows_waiting
    return Counts(upload.rows_read, ready, waiting, upload.rows_refused, upload.rows_repeated)


# --- line by line ----------------------------------------------------------------------------------------------


def of_part(upload: Upload, part: str) -> QuerySet[Finding]:
    """The findings of one tab, in the order of the workbook."""
    found = Finding.objects.filter(upload=upload).select_related("row", "sheet", "sheet__file", "answered_by")
    not_refused = Q(row=None) | ~Q(row__state=RowState.REFUSED)
    conditions = {
        "fix": BLOCKING & not_refused,
        "warnings": Q(level=FindingLevel.WARNING, answer="") & not_refused,
        "hints": Q(level=FindingLevel.HINT, answer="") & not_refused,
        "refused": Q(row__state=RowState.REFUSED, answer=""),
        "settled": ~Q(answer=""),
    }
    return found.filter(conditions[part]).order_by("sheet_id", "number", "id")


@dataclass(frozen=True)
class Answer:
    value: str
    label: str


@dataclass(frozen=True)
class Line:
    """One finding as a line of the check page. `value` is the cell as it may be shown to the reader: in full to the sender
    of the list for his own rows, masked to everybody else."""

    row_id: int | None
    column: str
    code: str
    sheet: str
    number: int | None
    name: str
    id_prefix: str
    label: str
    message: str
    value: str
    level: str
    suggestions: tuple[str, ...]
    answers: tuple[Answer, ...]
    answered: str
    answered_by: str
    is_plain: bool
    """The value is shown as it stands, to everybody."""
    is_number: bool
    """The value is a number of a person, or could be, and stands there in full."""
    choices: tuple[str, ...]
    """What the column may hold, where that is a short list."""
    candidates: tuple[str, ...] = ()
    """Numbers on file that may be meant, as they may be shown; a candidate is named by its place."""
    seen: int = 0
    """The last correction of the cell, for refusing one that is made on an older page."""

    @property
    def anchor(self) -> str:
        """Stays the same while the row is checked again and its findings are made anew."""
        return f"r{self.row_id or 0}-{self.column or 'row'}-{self.code}"


def lines(upload: Upload, found: Sequence[Finding], *, in_full: bool) -> list[Line]:
    """Two queries for any number of rows (corrected cells, the list's key)."""
    kind = kind_of(upload.kind)
    columns = {column.key: column for column in kind.columns}
    rows = {finding.row.pk: finding.row for finding in found if finding.row is not None}
    texts = delivered_texts(rows.values(), Opener())
    several = len({finding.sheet_id for finding in found}) > 1
    offered = candidates.of(found, texts) if in_full else {}
    seen = last_edits(rows)
    made = [
        _line(finding, columns, texts.get(finding.row_id or 0, {}), in_full=in_full, several=several)
        for finding in found
    ]
    return [
        replace(
            line,
            seen=seen.get((line.row_id or 0, line.column), 0),
            candidates=tuple(one.shown for one in offered.get(line.row_id or 0, ()))
            if line.code in candidates.CODES
            else (),
        )
        for line in made
    ]


def last_edits(rows: Iterable[int]) -> dict[tuple[int, str], int]:
    """(row, column) → its newest correction."""
    found = CellEdit.objects.filter(row__in=list(rows)).order_by().values_list("row", "column").annotate(Max("pk"))
    return {(row, column): newest for row, column, newest in found}


def candidate(row: UploadRow, column: str, place: int) -> str:
    """The number that the page offered at this place. Raises LookupError where it is not offered any more."""
    found = [one for one in open_of_cell(row, column) if one.code in candidates.CODES]
    offered = candidates.of(found, delivered_texts([row], Opener())).get(row.pk, ())
    if not 0 <= place < len(offered):
        raise LookupError(place)
    return offered[place].number


# Questions about words, whose answer is the same wherever the same word stands.
SAME_WORD = frozenset(
    {
        "code-unknown", "code-several", "flag-form", "grade-form", "grade-stage", "grade-year", "grade-outside", "class-form",
        "school-close", "school-several", "school-unknown", "school-code-unknown", "town-unknown", "region-unknown",
    }
)  # fmt: skip


def _line(finding: Finding, columns: dict[str, Column], cells: dict[str, str], *, in_full: bool, several: bool) -> Line:
    column = columns.get(finding.column)
    value: str | None = None
    if column is not None and finding.row_id is not None:
        value = cells.get(column.key, "")
    shown = value if in_full or value is None or column is None else hidden(column, value)
    if finding.code == "name-spaces" and shown:
        # Findings never hold names: what is proposed is made from the cell when it is read.
        finding.params = {**finding.params, "suggestion": spaceless(shown)}
    facts = finding.row.facts if finding.row is not None else {}
    label = column.label if column else ""
    said = answers_for(finding.code)
    return Line(
        row_id=finding.row_id,
        column=finding.column,
        code=finding.code,
        sheet=(f"{finding.sheet.file.name} {finding.sheet.name}" if several and finding.sheet else ""),
        number=finding.number,
        name=_name(facts, cells, in_full=in_full),
        id_prefix=str(facts.get("id_prefix") or ""),
        label=label,
        message=_message(finding, label, shown),
        value=shown or "",
        level=finding.level,
        suggestions=_suggestions(finding, cells) if finding.row_id else (),
        answers=tuple(Answer(*pair) for pair in said.items()),
        answered="已阅" if finding.answer == NOTED else said.get(finding.answer, finding.answer),
        answered_by=str(finding.answered_by) if finding.answered_by else "",
        is_plain=shown == value,
        is_number=in_full and _is_number(column, shown),
        choices=_few(column),
    )


def open_of_cell(row: UploadRow, column: str) -> list[Finding]:
    """What still keeps this cell's row from going in."""
    found = Finding.objects.filter(BLOCKING, row=row, column=column).select_related(
        "row", "sheet", "sheet__file", "answered_by"
    )
    return list(found.order_by("id"))


def settled_line(row: UploadRow, column: str, *, in_full: bool) -> Line:
    """The line of a cell in which nothing is wrong any more."""
    known = {one.key: one for one in kind_of(row.upload.kind).columns}[column] if column else None
    cells = delivered_texts([row], Opener())[row.pk]
    value = cells.get(column, "")
    shown = value if in_full or known is None else hidden(known, value)
    return Line(
        row_id=row.pk,
        column=column,
        code="",
        sheet="",
        number=row.number,
        name=_name(row.facts, cells, in_full=in_full),
        id_prefix=str(row.facts.get("id_prefix") or ""),
        label=known.label if known else "",
        message="",
        value=shown,
        level="",
        suggestions=(),
        answers=(),
        answered="",
        answered_by="",
        is_plain=shown == value,
        is_number=in_full and _is_number(known, shown),
        choices=_few(known),
        seen=last_edits([row.pk]).get((row.pk, column), 0),
    )


def _name(facts: Mapping[str, Any], cells: Mapping[str, str], *, in_full: bool) -> str:
    """The name as parsed, else as it was typed: something else may stand in that cell."""
    typed = cells.get("name", "")
    return str(facts.get("name") or (typed if in_full else scrub(typed)))


def _few(column: Column | None) -> tuple[str, ...]:
    return column.choices if column and len(column.choices) <= _OFFERED else ()


def _message(finding: Finding, label: str, value: str | None) -> str:
    """Hints of a whole column say how many rows and where the first is."""
    if finding.level == FindingLevel.HINT and finding.code in findings.NOTES:
        text = f"{findings.NOTES[finding.code]}。"
    else:
        text = findings.message(finding, label=label, value=value)
    if finding.row_id is None and finding.number is None and "rows" in finding.params and "first" in finding.params:
        return f"『{label}』{finding.params['rows']} 行（从第 {finding.params['first']} 行起）：{text}"
    return text


def _is_number(column: Column | None, value: str | None) -> bool:
    return column is not None and bool(value) and hidden(column, value or "") != value


def hidden(column: Column, value: str) -> str:
    """A cell for somebody who did not deliver it: numbers of persons masked, also where they stand in the wrong column."""
    return masked(column, value) if column.sealed else scrub(value)


def _suggestions(finding: Finding, cells: dict[str, str]) -> tuple[str, ...]:
    """What the cell could be changed to with one click."""
    text = proposal(finding, cells.get(finding.column, ""))
    return (text,) if text else ()


delivered_texts = texts_of
