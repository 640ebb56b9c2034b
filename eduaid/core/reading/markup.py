"""Tables that web systems save as .xls: HTML pages, and SpreadsheetML 2003. Every HTML cell stays text."""

import datetime as dt
import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from eduaid.core.cells import ErrorValue
from eduaid.core.preflight import FileRefused, Kind, Limits
from eduaid.core.reading.delimited import decoded
from eduaid.core.reading.frames import Json, packed
from eduaid.core.reading.sheets import Facts, Sheet, Visible, number, refuse_wide
from eduaid.core.reading.xlsx import parse_xml

_CHARSET = re.compile(rb'charset\s*=\s*["\']?([\w\-]+)', re.IGNORECASE)
_GAP = re.compile(r"[ \t\r\n\f]+")


@dataclass(slots=True)
class Table:
    """A sheet that was read whole; ``cells`` was counted while reading, apart from ``grid``."""

    name: str
    limits: Limits
    visible: Visible = "visible"
    pictures: int = 0
    grid: list[list[Json]] = field(default_factory=list)
    cells: int = 0
    facts: Facts = field(default_factory=Facts)

    def open(self) -> Facts:
        refuse_wide(self.name, max(map(len, self.grid), default=0), self.limits)
        filled = sum(any(cell is not None for cell in row) for row in self.grid)
        if filled > self.limits.rows + 100:
            raise FileRefused("rows", sheet=self.name[:40], rows=self.limits.rows, limit=self.limits.rows)
        return self.facts

    def rows(self) -> Iterator[list[Json]]:
        return iter(self.grid)

    def verify(self, delivered: int) -> None:
        if delivered != self.cells:
            raise FileRefused("structure")

    def place(self, row: int, column: int, cell: Json) -> None:
        """Row and column from 0."""
        if row > self.limits.rows * 2 or column > self.limits.columns * 2:
            raise FileRefused("far-cell", sheet=self.name[:40], row=row + 1, column=str(column + 1))
        while len(self.grid) <= row:
            self.grid.append([])
        line = self.grid[row]
        line.extend([None] * (column + 1 - len(line)))
        line[column] = cell
        self.cells += cell is not None


class _Page:
    """Receives the events of lxml's HTML parser. Only outermost tables become sheets; cells of inner ones are text."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.tables: list[Table] = []
        self._depth = 0
        self._row = self._column = -1
        self._span = (1, 1)
        self._taken: set[tuple[int, int]] = set()  # places covered by cells that span rows
        self._text: list[str] | None = None
        self._skips = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag in ("script", "style", "head"):
            self._skips += 1
        elif tag == "table":
            self._depth += 1
            if self._depth == 1:
                self.tables.append(Table(f"表{len(self.tables) + 1}", self._limits))
                self._row, self._taken = -1, set()
        elif self._depth != 1:
            return
        elif tag == "tr":
            self._finish()
            self._row, self._column = self._row + 1, -1
            if "display:none" in attributes.get("style", "").replace(" ", "").lower():
                self.tables[-1].facts.hidden_rows.append(self._row + 1)
        elif tag in ("td", "th"):
            self._finish()
            if self._row < 0:
                self._row = 0
            self._column += 1
            while (self._row, self._column) in self._taken:
                self._column += 1
            self._span = (_span(attributes.get("rowspan")), _span(attributes.get("colspan")))
            self._text = []
        elif tag in ("br", "p", "div") and self._text:
            self._text.append("\n")

    def end(self, tag: str) -> None:
        if tag in ("script", "style", "head"):
            self._skips = max(0, self._skips - 1)
        elif tag == "table":
            if self._depth == 1:
                self._finish()
            self._depth = max(0, self._depth - 1)
        elif tag in ("td", "th", "tr") and self._depth == 1:
            self._finish()

    def data(self, data: str) -> None:
        if self._text is not None and not self._skips:
            self._text.append(data if data == "\n" else _GAP.sub(" ", data))

    def close(self) -> list[Table]:
        return [table for table in self.tables if table.cells]

    def _finish(self) -> None:
        if self._text is None:
            return
        text = "".join(self._text).strip(" \n")
        self._text = None
        table, (rows, columns) = self.tables[-1], self._span
        table.place(self._row, self._column, text or None)
        if rows > 1 or columns > 1:
            last_row, last_column = self._row + rows - 1, self._column + columns - 1
            table.facts.merged.append((self._row + 1, self._column, last_row + 1, last_column))
            for row in range(self._row + 1, last_row + 1):
                self._taken.update((row, column) for column in range(self._column, last_column + 1))
        self._column += columns - 1


def _span(value: str | None) -> int:
    return max(1, min(int(value), 1000)) if value and value.strip().isdigit() else 1


class Page:
    """An HTML file as a book: one sheet per table."""

    kind = Kind.HTML
    epoch_1904 = False

    def __init__(self, data: bytes, limits: Limits) -> None:
        from lxml import etree  # type: ignore[import-untyped]  # forty thousandths of a second that other formats need not pay

        self.notes: list[str] = []
        charset = _CHARSET.search(data[:4096])
        encoding = charset[1].decode().lower() if charset else ""
        if encoding in ("gb2312", "gbk", "gb18030"):
            try:
                text = data.decode("gb18030")
            except UnicodeDecodeError:
                text = decoded(data)
        else:
            text = decoded(data)
        page = _Page(limits)
        parser = etree.HTMLParser(target=page, no_network=True, huge_tree=False)
        try:
            parser.feed(text.removeprefix("\ufeff"))
            self._tables: list[Table] = parser.close()
        except etree.XMLSyntaxError:
            raise FileRefused("structure") from None
        if not self._tables:
            raise FileRefused("no-table")

    @property
    def sheets(self) -> list[Sheet]:
        return list(self._tables)


class XmlSpreadsheet:
    """SpreadsheetML 2003: one XML file with typed cells."""

    kind = Kind.XML
    epoch_1904 = False

    def __init__(self, data: bytes, limits: Limits) -> None:
        if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
            raise FileRefused("doctype")
        self.notes: list[str] = []
        self._limits = limits
        self._tables: list[Table] = []
        self._row = self._column = 0
        self._across = self._down = 0
        self._kind = ""
        self._text: list[str] | None = None
        self._formula = False
        parse_xml(iter((data,)), self._start, self._end, self._data)

    @property
    def sheets(self) -> list[Sheet]:
        return list(self._tables)

    def _start(self, name: str, raw: dict[str, str]) -> None:
        attributes = {key.rpartition(":")[2]: value for key, value in raw.items()}
        match name.rpartition(":")[2]:
            case "Worksheet":
                self._tables.append(Table(attributes.get("Name", ""), self._limits))
                self._row = 0
            case "Visible" | "SheetHidden" if self._tables:
                self._tables[-1].visible = "hidden"
            case "Row" if self._tables:
                self._row = _index(attributes, self._row + 1)
                self._column = 0
                if attributes.get("Hidden") == "1":
                    self._tables[-1].facts.hidden_rows.append(self._row)
            case "Cell" if self._tables:
                self._column = _index(attributes, self._column + 1)
                self._across, self._down = _count(attributes, "MergeAcross"), _count(attributes, "MergeDown")
                self._formula = "Formula" in attributes
                if self._across or self._down:
                    merged = (self._row, self._column - 1, self._row + self._down, self._column - 1 + self._across)
                    self._tables[-1].facts.merged.append(merged)
            case "Data" if self._tables:
                self._kind, self._text = attributes.get("Type", "String"), []

    def _data(self, data: str) -> None:
        if self._text is not None:
            self._text.append(data)

    def _end(self, name: str) -> None:
        local = name.rpartition(":")[2]
        if local == "Data" and self._text is not None:
            table = self._tables[-1]
            table.place(self._row - 1, self._column - 1, _typed("".join(self._text), self._kind))
            self._text = None
            if self._formula:
                formulas = table.facts.formulas
                formulas[self._column - 1] = formulas.get(self._column - 1, 0) + 1
        elif local == "Cell":
            self._column += self._across


def _index(attributes: dict[str, str], otherwise: int) -> int:
    value = attributes.get("Index", "")
    return int(value) if value.isdigit() and len(value) < 8 else otherwise


def _count(attributes: dict[str, str], name: str) -> int:
    value = attributes.get(name, "")
    return int(value) if value.isdigit() and len(value) < 5 else 0


def _typed(text: str, kind: str) -> Json:
    if not text:
        return None
    match kind:
        case "Number":
            try:
                return number(float(text))
            except ValueError:
                return text
        case "DateTime":
            try:
                moment = dt.datetime.fromisoformat(text)
            except ValueError:
                return text
            return packed(moment.date() if moment.time() == dt.time() else moment)
        case "Boolean":
            return text == "1"
        case "Error":
            return packed(ErrorValue(text))
    return html.unescape(text) if "&#" in text else text
