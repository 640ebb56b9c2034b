"""The workbook that people fill in, read off the declaration of a list kind: the same columns that the checks know."""

from __future__ import annotations

from collections.abc import Iterator

from eduaid.core.lists import Column, ListKind
from eduaid.core.models import School
from eduaid.core.workbooks import OutColumn, OutSheet, write_workbook

# Intake passes over these sheets of a filled-in template: they explain, they hold no rows.
HELP_SHEET, CHOICES_SHEET = "填写说明", "选项"
# The list of problems in front of a marked workbook; it may be dropped on as a new list, too.
PROBLEMS_SHEET = "错误清单"
SPARE_ROWS = 2_000


def file_name(kind: ListKind, *, place: str = "", term: str = "") -> str:
    return "-".join(filter(None, [term, place, kind.label])) + "（模板）.xlsx"


def workbook(kind: ListKind, *, place: str = "", school: School | None = None, term: str = "") -> bytes:
    """An empty list of a kind: text format throughout, so that long numbers survive; drop-downs for coded columns; no macros.

    For one school, its code and name are ready in the first row.
    """
    title = " ".join(filter(None, [place, term, kind.label]))
    lines = ["从下一行的表头开始，一人一行；不需要的列可以空着，不要改列名。怎样填见“填写说明”。"]
    columns = [out_column(column) for column in kind.columns]
    rows = [_first_row(kind, school)] if school and kind.is_by_school() else []
    filled = OutSheet(kind.label, columns, rows, title=title, lines=lines, spare_rows=SPARE_ROWS)
    return write_workbook([filled, help_sheet(kind)])


def help_sheet(kind: ListKind) -> OutSheet:
    """What every column is and how it is filled in."""
    return OutSheet(
        HELP_SHEET,
        [OutColumn("怎样填各列", width=120)],
        [[line] for line in _explained(kind)],
        title=f"{kind.label}：填写说明",
        lines=[kind.about, f"来源：{kind.source}"],
    )


def out_column(column: Column) -> OutColumn:
    prompt = "；".join(filter(None, ["必填" if column.required else "", column.help]))
    widest = max((len(column.label), 6), default=6)
    return OutColumn(
        column.label,
        "text",
        width=24.0 if column.sealed else min(28.0, 2.2 * widest),
        choices=column.choices,
        prompt=prompt,
    )


def _first_row(kind: ListKind, school: School) -> list[str | None]:
    known = {"school_code": school.code, "school_name": school.name}
    return [known.get(column.key) for column in kind.columns]


def _explained(kind: ListKind) -> Iterator[str]:
    """A sentence for each column; one cell a line, so that nobody takes it for a list of people."""
    for column in kind.columns:
        said = ["必填"] if column.required else []
        if column.help:
            said.append(column.help)
        if column.choices:
            few = "、".join(column.choices[:12])
            said.append(f"从下拉列表中选：{few}{'等' if len(column.choices) > 12 else ''}")
        if column.synonyms:
            said.append(f"列名也可以写作：{'、'.join(column.synonyms)}")
        yield f"“{column.label}”：{'；'.join(said) or '照实填写'}。"
