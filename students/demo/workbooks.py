"""Workbooks as offices send them: their cells, and their bytes as .xlsx, .xls or GB18030 .csv."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from io import BytesIO, StringIO
from typing import Literal

from students.demo import xlsx
from students.demo.xlsx import Cell, column_letters

Format = Literal["xlsx", "xls", "csv"]
Kind = Literal["population", "registry", "class-roster", "poverty-register", "hardship"]
Mode = Literal["complete", "supplement", "amendment"]


@dataclass(slots=True)
class Sheet:
    """Rows of cells; the list position plus one is the row number that a spreadsheet program shows."""

    name: str
    rows: list[list[Cell]] = field(default_factory=list)
    header_row: int = 1  # rows above it are titles
    merges: list[str] = field(default_factory=list)

    def add_titles(self, titles: Sequence[str], width: int) -> None:
        """Put title rows first, each merged over the width of the table."""
        for title in titles:
            self.rows.append([title])
            self.merges.append(f"A{len(self.rows)}:{column_letters(width - 1)}{len(self.rows)}")

    def add_header(self, headers: Sequence[str]) -> None:
        self.rows.append(list(headers))
        self.header_row = len(self.rows)


@dataclass(slots=True)
class Workbook:
    """One file of an upload. Files with the same `group` are the parts of one list and are uploaded together."""

    filename: str
    kind: Kind
    scope_code: str  # region or school code
    as_of: date
    sheets: list[Sheet]
    uploaded_by: str
    approved_by: str
    mode: Mode = "complete"
    group: str = ""  # never empty after generation; the filename for a list of one file
    category: str = ""  # hardship lists: the category that all rows share, when they do
    note: str = ""

    @property
    def format(self) -> Format:
        extension = self.filename.rpartition(".")[2]
        if extension == "xls":
            return "xls"
        return "csv" if extension == "csv" else "xlsx"

    def content(self) -> bytes:
        """Return the bytes of the file; the same cells always give the same bytes."""
        if self.format == "csv":
            return _csv_bytes(self.sheets[0])
        if self.format == "xls":
            return _xls_bytes(self.sheets)
        return xlsx.write([(sheet.name, sheet.rows, sheet.header_row, sheet.merges) for sheet in self.sheets])


def _csv_bytes(sheet: Sheet) -> bytes:
    """Write as the Chinese edition of a spreadsheet program does: GB18030, commas, dates as 2026/9/1."""
    buffer = StringIO(newline="")
    writer = csv.writer(buffer)
    for row in sheet.rows:
        writer.writerow([_csv_text(cell) for cell in row])
    return buffer.getvalue().encode("gb18030")


def _csv_text(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, date):
        return f"{cell.year}/{cell.month}/{cell.day}"
    return str(cell)


def _xls_bytes(sheets: Sequence[Sheet]) -> bytes:
    import xlwt  # it has no stubs; imported late, for a few old workbooks only

    book = xlwt.Workbook(encoding="utf-8")
    title = xlwt.easyxf("font: bold on, height 320; align: horiz center")
    header = xlwt.easyxf("font: bold on; align: horiz center, wrap on")
    day = xlwt.easyxf(num_format_str="yyyy/m/d")
    plain = xlwt.easyxf("")
    for sheet in sheets:
        page = book.add_sheet(sheet.name)
        merged = {int("".join(filter(str.isdigit, ranged.partition(":")[0]))): ranged for ranged in sheet.merges}
        for number, row in enumerate(sheet.rows, start=1):
            style = header if number == sheet.header_row else title if number < sheet.header_row else plain
            if number in merged:
                width = max(len(cells) for cells in sheet.rows)
                page.write_merge(number - 1, number - 1, 0, width - 1, row[0], style)
                continue
            for position, cell in enumerate(row):
                if cell is not None and cell != "":
                    page.write(number - 1, position, cell, day if isinstance(cell, date) else style)
    buffer = BytesIO()
    book.save(buffer)
    return buffer.getvalue()
