"""OpenDocument spreadsheets: calamine reads the cells, a walk over content.xml proves them and finds hidden rows."""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import python_calamine as calamine

from eduaid.core.cells import ErrorValue
from eduaid.core.preflight import FileRefused, Kind, Limits, SafeZip
from eduaid.core.reading.frames import Json
from eduaid.core.reading.sheets import (
    Facts,
    Overlay,
    Sheet,
    Visible,
    calamine_rows,
    library_refusal,
    refuse_wide,
)
from eduaid.core.reading.xlsx import check_part, checked_chunks, parse_xml

_MOST_ROWS = 1 << 20


@dataclass(slots=True)
class _Scan:
    name: str
    style: str
    cells: int = 0
    last_row: int = 0
    overlay: Overlay = field(default_factory=Overlay)
    formulas: dict[int, int] = field(default_factory=dict)
    hidden_rows: list[int] = field(default_factory=list)
    hidden_columns: list[int] = field(default_factory=list)


class _Content:
    """Walks content.xml. Repeated rows and cells (``number-…-repeated``) count as often as they are repeated."""

    def __init__(self) -> None:
        self.scans: list[_Scan] = []
        self.hidden_styles: set[str] = set()
        self._style = ""
        self._row = self._column = 0
        self._row_repeat = self._cell_repeat = 1
        self._row_cells = 0
        self._text: list[str] = []
        self._in_cell = self._in_text = self._in_note = False
        self._attributes: dict[str, str] = {}

    def start(self, name: str, attributes: dict[str, str]) -> None:
        match name:
            case "style:style":
                self._style = attributes.get("style:name", "")
            case "style:table-properties" if attributes.get("table:display") == "false":
                self.hidden_styles.add(self._style)
            case "table:table" if not self._in_cell:
                self.scans.append(_Scan(attributes.get("table:name", ""), attributes.get("table:style-name", "")))
                self._row = self._column = 0
            case "table:table-column" if self.scans:
                repeat = _times(attributes, "table:number-columns-repeated")
                if attributes.get("table:visibility", "visible") != "visible":
                    first = self._column
                    self.scans[-1].hidden_columns.extend(range(first, min(first + repeat, 1000)))
                self._column += repeat
            case "table:table-row":
                self._row_repeat = _times(attributes, "table:number-rows-repeated")
                self._column = self._row_cells = 0
                if attributes.get("table:visibility", "visible") != "visible":
                    first = self._row + 1
                    self.scans[-1].hidden_rows.extend(range(first, first + min(self._row_repeat, 1000)))
            case "table:table-cell" | "table:covered-table-cell":
                self._in_cell, self._text, self._attributes = True, [], attributes
                self._cell_repeat = _times(attributes, "table:number-columns-repeated")
            case "office:annotation":
                self._in_note = True
            case "text:p" if self._in_cell and not self._in_note:
                self._in_text = True

    def text(self, data: str) -> None:
        if self._in_text:
            self._text.append(data)

    def end(self, name: str) -> None:
        match name:
            case "text:p":
                self._in_text = False
            case "office:annotation":
                self._in_note = False
            case "table:table-cell" | "table:covered-table-cell":
                self._cell()
            case "table:table-row":
                scan = self.scans[-1]
                if self._row_cells:
                    scan.cells += self._row_cells * self._row_repeat
                    scan.last_row = self._row + self._row_repeat
                self._row += self._row_repeat

    def _cell(self) -> None:
        self._in_cell = False
        attributes, scan = self._attributes, self.scans[-1]
        kind = attributes.get("calcext:value-type") or attributes.get("office:value-type", "")
        shown = "".join(self._text)
        if kind == "error":
            for row in range(self._row + 1, self._row + 1 + min(self._row_repeat, 1000)):
                for column in range(self._column, self._column + min(self._cell_repeat, 1000)):
                    scan.overlay.put(row, column, ErrorValue(shown or "#N/A"))
        if kind and (kind != "string" or shown or attributes.get("office:string-value")):
            self._row_cells += self._cell_repeat
            if "table:formula" in attributes:
                scan.formulas[self._column] = scan.formulas.get(self._column, 0) + self._row_repeat
        self._column += self._cell_repeat


def _times(attributes: dict[str, str], name: str) -> int:
    value = attributes.get(name, "1")
    return min(int(value), _MOST_ROWS) if re.fullmatch(r"\d{1,9}", value) else 1


class Workbook:
    kind = Kind.ODS
    epoch_1904 = False  # ODS dates are written out, not counted

    def __init__(self, data: bytes, limits: Limits) -> None:
        self._limits = limits
        self.notes: list[str] = []
        archive = SafeZip(data, limits)
        for part in archive.parts:
            check_part(archive, part)
        if any(part.startswith("Basic/") for part in archive.parts):
            self.notes.append("macros")
        content = _Content()
        parse_xml(checked_chunks(archive, "content.xml"), content.start, content.end, content.text)
        self._content = content
        for scan in content.scans:
            # A note in the millionth row makes the library reserve every row before it.
            if scan.last_row > limits.rows + 100 and scan.cells < scan.last_row:
                raise FileRefused("far-cell", sheet=scan.name[:40], row=scan.last_row, column="A")
        try:
            self.book: Any = calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
        except BaseException as error:
            raise library_refusal(error) from None

    @property
    def sheets(self) -> list[Sheet]:
        hidden = self._content.hidden_styles
        return [
            Worksheet(self, index, scan, "hidden" if scan.style in hidden else "visible", self._limits)
            for index, scan in enumerate(self._content.scans)
        ]


class Worksheet:
    def __init__(self, book: Workbook, index: int, scan: _Scan, visible: Visible, limits: Limits) -> None:
        self._book, self._index, self._scan, self._limits = book, index, scan, limits
        self.name = scan.name
        self.visible: Visible = visible
        self.pictures = 0
        self._sheet: Any = None

    def open(self) -> Facts:
        try:
            self._sheet = self._book.book.get_sheet_by_index(self._index)
        except BaseException as error:
            raise library_refusal(error) from None
        refuse_wide(self.name, self._sheet.total_width, self._limits)
        scan = self._scan
        try:
            merged = [(r1 + 1, c1, r2 + 1, c2) for (r1, c1), (r2, c2) in self._sheet.merged_cell_ranges or ()]
        except calamine.CalamineError:  # the library does not tell them for every format
            merged = []
        return Facts(merged, scan.hidden_rows, scan.hidden_columns, scan.formulas)

    def rows(self) -> Iterator[list[Json]]:
        return calamine_rows(self._sheet, self._scan.overlay, epoch_1904=False)

    def verify(self, delivered: int) -> None:
        if delivered != self._scan.cells:
            raise FileRefused("structure")
