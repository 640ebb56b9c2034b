"""Workbooks of Excel 2007 and later: calamine reads the cells, a second pass over the XML proves that none is missing.

The second pass also finds what the library turns into empty cells: error values and formulas without a result. It
counts tags with the speed of a text search and looks closer only where something unusual stands; when the two counts
differ, a slow and exact parser decides. Both run at the same time: the library works outside the interpreter's lock.
"""

import io
import re
import threading
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import Any
from xml.parsers import expat

import python_calamine as calamine

from eduaid.core.cells import Cell, ErrorValue, Uncached
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
    without_result,
)

_DECLARATIONS = (b"<!DOCTYPE", b"<!ENTITY", b"<!doctype")
# Written by Java tools for cells that were set to an empty text.
_BLANK_STRINGS = (b"<si/>", b"<t/>", b"<t></t>", b'"preserve"/>', b'"preserve"></')
_MACRO_RELATION = re.compile(
    rb"http://schemas\.microsoft\.com/office/2006/relationships/xl(?:Intl)?Macrosheet", re.IGNORECASE
)
_DIALOG_RELATION = b"http://schemas.openxmlformats.org/officeDocument/2006/relationships/dialogsheet"
_LONGEST_ROW = 64 * 1024 * 1024


# A document type can only stand before the root element. Nearly every part begins like this, and then none can follow.
_PLAIN_PROLOG = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>?]*\?>\s*)?<[A-Za-z_]")


def checked_chunks(archive: SafeZip, name: str) -> Iterator[bytes]:
    """A part's XML in pieces, refused when it declares a document type (entity bombs, files of others) or is no
    UTF-8."""
    last = b""
    plain = False
    for piece in archive.chunks(name):
        if not last:
            if piece.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in piece[:64]:
                raise FileRefused("structure")
            plain = _PLAIN_PROLOG.match(piece) is not None
        if not plain:
            window = last + piece
            if any(mark in window for mark in _DECLARATIONS):
                raise FileRefused("doctype")
        last = piece[-16:]
        yield piece


def check_part(archive: SafeZip, name: str) -> None:
    is_xml = name.lower().endswith((".xml", ".rels", ".vml"))
    for _ in checked_chunks(archive, name) if is_xml else archive.chunks(name):
        pass


def parse_xml(chunks: Iterator[bytes], start: Any, end: Any = None, text: Any = None) -> None:
    """Feeds a part to expat; broken XML is a refusal. Element names arrive with their prefix."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = start
    if end:
        parser.EndElementHandler = end
    if text:
        parser.CharacterDataHandler = text
    try:
        for piece in chunks:
            parser.Parse(piece, False)
        parser.Parse(b"", True)
    except expat.ExpatError:
        raise FileRefused("structure") from None


def _local(name: str) -> str:
    return name.rpartition(":")[2]


def _attribute(attributes: dict[str, str], name: str) -> str:
    return next((value for key, value in attributes.items() if _local(key) == name), "")


@dataclass(slots=True)
class _Named:
    """A sheet as the workbook lists it."""

    name: str
    state: str
    part: str


class _Library:
    """calamine at work in a thread of its own: it opens the book, and reads one sheet at a time.

    The first sheet is read ahead, while this side still checks the other parts. What it gives is used only after the
    checks: a library that dies of a bad file ends the process, which is made for that.
    """

    def __init__(self, source: Any) -> None:
        self._source = source
        self._book: Any = None
        self._given: Any = None
        self._index = -1
        self._failure: BaseException | None = None
        self._thread: threading.Thread | None = None

    def start(self, index: int) -> None:
        """Begins to read a sheet, unless it is being read already."""
        if index == self._index:
            return
        if self._thread:
            self._thread.join()
        self._index, self._given, self._failure = index, None, None
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        try:
            if self._book is None:
                self._book = calamine.CalamineWorkbook.from_object(self._source)
            self._given = self._book.get_sheet_by_index(self._index)
        except BaseException as error:
            self._failure = error

    def sheet(self) -> Any:
        """The sheet that was started last. Raises FileRefused."""
        assert self._thread
        self._thread.join()
        self._index = -1
        if self._failure is not None:
            raise library_refusal(self._failure)
        given, self._given = self._given, None  # kept by the caller alone, so that its memory is freed with it
        return given


class Workbook:
    """An xlsx or xlsm file. Everything but the worksheets has been unpacked and checked once it is made."""

    kind = Kind.XLSX

    def __init__(self, data: bytes, limits: Limits, path: str = "", *, ahead: bool = False) -> None:
        """``path`` names the same bytes for the library. Reading them through Python would make it wait for the
        interpreter's lock, which the second pass holds, and the two would run one after the other."""
        self._limits = limits
        self.archive = SafeZip(data, limits)
        self._lower = {name.lower(): name for name in self.archive.parts}
        if any("macrosheets/" in name for name in self._lower):
            self.library = _Library(io.BytesIO(self._without_macro_sheets()))
        else:
            self.library = _Library(path or io.BytesIO(data))
        if ahead:
            self.library.start(0)
        self.notes: list[str] = []
        self.epoch_1904 = False
        self.has_blank_strings = False
        named = self._listed()
        worksheets = {sheet.part for sheet in named}
        self.strings_part = self._found("xl/sharedStrings.xml")
        for name in self.archive.parts:
            if name not in worksheets and name != self.strings_part:
                check_part(self.archive, name)
        self._check_strings()
        if any("vbaproject" in name for name in self._lower):
            self.notes.append("macros")
        self._named = named

    def _without_macro_sheets(self) -> bytes:
        """The file once more with its macro sheets listed as dialogs: the library opens no book that has any."""
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as copy:
            for name in self.archive.parts:
                body = self.archive.read(name)
                if name.lower().endswith("workbook.xml.rels"):
                    body = re.sub(rb"macrosheets/", b"dialogsheets/", body, flags=re.IGNORECASE)
                    body = _MACRO_RELATION.sub(_DIALOG_RELATION, body)
                copy.writestr(name, body)
        return out.getvalue()

    def _found(self, name: str) -> str:
        return self._lower.get(name.lower().lstrip("/"), "")

    def _listed(self) -> list[_Named]:
        """The sheets in the workbook's order, with the parts that hold them."""
        root = self._related("_rels/.rels", "")
        workbook = next((part for kind, part in root.values() if kind == "officeDocument"), "") or self._found(
            "xl/workbook.xml"
        )
        if not workbook:
            raise FileRefused("structure")
        folder, _, file = workbook.rpartition("/")
        related = self._related(f"{folder}/_rels/{file}.rels".lstrip("/"), folder)
        sheets: list[_Named] = []

        def start(name: str, attributes: dict[str, str]) -> None:
            local = _local(name)
            if local == "workbookPr":
                self.epoch_1904 = attributes.get("date1904", "0") in ("1", "true")
            elif local == "sheet" and "name" in attributes:
                kind, part = related.get(_attribute(attributes, "id"), ("", ""))
                sheets.append(
                    _Named(attributes["name"], attributes.get("state", "visible"), part if kind == "worksheet" else "")
                )

        parse_xml(checked_chunks(self.archive, workbook), start)
        return sheets

    def _related(self, part: str, folder: str) -> dict[str, tuple[str, str]]:
        """Relation id → (last word of its type, part that it points to)."""
        found: dict[str, tuple[str, str]] = {}

        def start(name: str, attributes: dict[str, str]) -> None:
            if _local(name) == "Relationship" and attributes.get("TargetMode") != "External":
                target = attributes.get("Target", "").replace("\\", "/")
                path = target.lstrip("/") if target.startswith("/") else f"{folder}/{target}".lstrip("/")
                steps: list[str] = []
                for step in path.split("/"):
                    if step == "..":
                        steps = steps[:-1]
                    elif step != ".":
                        steps.append(step)
                kind = attributes.get("Type", "").rpartition("/")[2]
                found[attributes.get("Id", "")] = (kind, self._found("/".join(steps)))

        if name := self._found(part):
            parse_xml(checked_chunks(self.archive, name), start)
        return found

    def _check_strings(self) -> None:
        """The library reserves as much memory as ``uniqueCount`` says, so the claim must be near the truth."""
        if not self.strings_part:
            return
        claimed, real, tail = 0, 0, b""
        for piece in checked_chunks(self.archive, self.strings_part):
            if not tail and (claim := re.search(rb'uniqueCount\s*=\s*["\'](\d+)', piece[:4096])):
                claimed = int(claim[1])
            window = tail + piece
            self.has_blank_strings |= any(mark in window for mark in _BLANK_STRINGS)
            real += window.count(b"</si>") + window.count(b":si>") + window.count(b"<si/>") - tail.count(b"</si>")
            tail = piece[-4:] or b" "
        if claimed > max(2 * real, 1_000_000):
            raise FileRefused("shared-strings")

    @property
    def sheets(self) -> list[Sheet]:
        sheets: list[Sheet] = []
        for index, named in enumerate(self._named):
            if named.part:
                sheets.append(Worksheet(self, index, named, self._limits))
            else:
                self.notes.append("other-sheets")  # charts, dialogs, macro sheets
        return sheets

    @cached_property
    def blank_markers(self) -> tuple[bytes, ...]:
        """How cells that show a blank shared string look, when there are few such strings."""
        blank = self.blank_strings() if self.has_blank_strings else set()
        return tuple(b't="s"><v>%d</v>' % position for position in blank) if len(blank) <= 50 else ()

    def blank_strings(self) -> set[int]:
        """Positions of shared strings that hold nothing but spaces."""
        blank: set[int] = set()
        position, inside, phonetic, filled = -1, False, 0, False

        def start(name: str, _: dict[str, str]) -> None:
            nonlocal position, inside, phonetic, filled
            local = _local(name)
            if local == "si":
                position, filled = position + 1, False
            elif local == "rPh":
                phonetic += 1
            inside = local == "t" and not phonetic

        def text(data: str) -> None:
            nonlocal filled
            filled = filled or (inside and bool(data.strip()))

        def end(name: str) -> None:
            nonlocal inside, phonetic
            local = _local(name)
            if local == "rPh":
                phonetic -= 1
            elif local == "si" and not filled:
                blank.add(position)
            inside = False

        if self.strings_part:
            parse_xml(checked_chunks(self.archive, self.strings_part), start, end, text)
        return blank


@dataclass(slots=True)
class Scan:
    """What the second pass found in one sheet's XML."""

    cells: int = 0
    overlay: Overlay = field(default_factory=Overlay)
    formulas: dict[int, int] = field(default_factory=dict)
    hidden_rows: list[int] = field(default_factory=list)
    hidden_columns: list[int] = field(default_factory=list)
    pictures: bool = False
    odd: bool = False  # something that counting tags cannot judge
    far: tuple[int, int] = (0, 0)  # exact pass only: last row and last column in use
    last: tuple[int, int] = (0, 0)  # exact pass only: the cell that stretches the sheet most


_REFERENCE = re.compile(r"\$?([A-Za-z]{1,3})\$?(\d{1,7})")
_COLUMNS: dict[str, int] = {}


def column_index(letters: str) -> int:
    """A → 0, Z → 25, AA → 26."""
    found = _COLUMNS.get(letters)
    if found is None:
        found = 0
        for letter in letters.upper():
            found = found * 26 + ord(letter) - 64
        _COLUMNS[letters] = found = found - 1
    return found


_REFERENCE_BYTES = re.compile(rb'\br="([A-Z]{1,3})(\d{1,7})"')
_ATTRIBUTE_ROW = re.compile(rb'\br="(\d{1,7})"')
_HIDDEN = re.compile(rb'\bhidden="(?:1|true)"|\bwidth="0"')
_COLUMN_SPAN = re.compile(rb'\b(min|max)="(\d{1,5})"')
_LITERAL = re.compile(r'=?"((?:[^"]|"")*)"')


class _Patterns:
    """The tags of one dialect: some programs write every name with a prefix."""

    def __init__(self, prefix: bytes, blank_markers: Sequence[bytes]) -> None:
        p = re.escape(prefix)
        self.value_end, self.inline_end = b"</" + prefix + b"v>", b"</" + prefix + b"is>"
        blank = (b"<v></v>", b"<is></is>", b"<is><t/></is>", b"<is><t></t></is>")
        self.empty = tuple(re.sub(rb"<(/?)(?=\w)", rb"<\1" + prefix, tag) for tag in blank)
        self.blank_markers = tuple(blank_markers)
        self.row_start = b"<" + prefix + b"row"
        self.data_start = b"<" + prefix + b"sheetData"
        self.formula_start = b"<" + prefix + b"f"
        self.formula_tags = tuple(b"<" + prefix + b"f" + end for end in (b">", b" ", b"/>"))
        body = rb"(?:\s[^>]*?)?(?:/>|>([^<]*)</" + p
        self.formula = re.compile(
            rb"<" + p + rb"c\s([^>]*)>\s*<" + p + rb"f" + body + rb"f>)\s*(<" + p + rb"v" + body + rb"v>))?"
        )
        self.error = re.compile(
            rb"<" + p + rb'c\s([^>]*\bt="e"[^>]*)>(?:\s*<' + p + rb"f" + body + rb"f>))?\s*<" + p + rb"v>([^<]*)<"
        )
        self.row = re.compile(rb"<" + p + rb"row\s([^>]*)>")
        self.column = re.compile(rb"<" + p + rb"col\s([^>]*)>")


def scan_sheet(chunks: Iterator[bytes], blank_markers: Sequence[bytes] = ()) -> Scan:
    """One fast pass: pieces are cut behind rows, so that every cell lies whole in one piece."""
    scan = Scan()
    head = b""
    for piece in chunks:
        head += piece
        if (at := head.find(b"sheetData")) >= 0 and b">" in head[at:]:
            break
        if len(head) > _LONGEST_ROW:
            raise FileRefused("structure")
    root = re.search(rb"<((?:[\w.\-]+:)?)worksheet[\s>]", head)
    if not root:
        raise FileRefused("structure")
    patterns = _Patterns(root[1], blank_markers)
    opening = head.find(b"<" + root[1] + b"sheetData")
    if opening < 0:
        scan.odd = b"sheetData" in head
        for _ in chunks:  # to the end, so that length and checksum are proved
            pass
        return scan
    scan.odd = b"='" in head  # other quotes than usual: attributes would be missed
    for column in patterns.column.finditer(head, 0, opening):
        if _HIDDEN.search(column[1]):
            span = dict(_COLUMN_SPAN.findall(column[1]))
            first, last = int(span.get(b"min", b"1")), int(span.get(b"max", b"1"))
            scan.hidden_columns.extend(range(first - 1, min(last, first + 1000)))
    closing = b"</" + root[1] + b"sheetData>"
    buffer, finished = b"", False
    for piece in chain((head[opening:],), chunks):
        if finished:
            scan.odd |= patterns.data_start in piece
            continue
        buffer += piece
        if (end := buffer.find(closing)) >= 0:
            _scan_piece(buffer[:end], patterns, scan)
            finished = True
            scan.odd |= patterns.data_start in buffer[end:]  # a second table, which the library would not read
            continue
        cut = buffer.rfind(patterns.row_start)  # everything before the last row that begins is whole
        if cut > 0:
            _scan_piece(buffer[:cut], patterns, scan)
            buffer = buffer[cut:]
        elif len(buffer) > _LONGEST_ROW:
            raise FileRefused("structure")
    if not finished:
        _scan_piece(buffer, patterns, scan)
    return scan


def _scan_piece(piece: bytes, patterns: _Patterns, scan: Scan) -> None:
    # Each line here reads the whole piece once; comments, CDATA and empty tags only make the counts differ.
    count = piece.count
    scan.cells += count(patterns.value_end) + count(patterns.inline_end) - sum(map(count, patterns.blank_markers))
    if patterns.formula_start in piece:
        formulas = sum(map(count, patterns.formula_tags))
        found = 0
        for match in patterns.formula.finditer(piece):
            found += 1
            _note_formula(match, scan)
        scan.odd |= found != formulas
        scan.pictures |= b"DISPIMG" in piece
        scan.cells -= sum(map(count, patterns.empty))
    if errors := count(b't="e"'):
        found = 0
        for match in patterns.error.finditer(piece):
            if reference := _REFERENCE_BYTES.search(match[1]):
                found += 1
                scan.overlay.put(
                    int(reference[2]),
                    column_index(reference[1].decode()),
                    ErrorValue(match[3].decode("utf-8", "replace")),
                )
        scan.odd |= found != errors
    if b"hidden=" in piece:
        for row in patterns.row.finditer(piece):
            if _HIDDEN.search(row[1]) and (reference := _ATTRIBUTE_ROW.search(row[1])):
                scan.hidden_rows.append(int(reference[1]))


def _note_formula(match: re.Match[bytes], scan: Scan) -> None:
    attributes, formula, has_value, value = match.groups()
    reference = _REFERENCE_BYTES.search(attributes)
    if reference is None:
        scan.odd = True
        return
    row, column = int(reference[2]), column_index(reference[1].decode())
    if value or (has_value and b't="str"' in attributes):  # an empty text is a result, too
        scan.formulas[column] = scan.formulas.get(column, 0) + 1
    else:
        scan.overlay.put(row, column, _uncached(_unescaped((formula or b"").decode("utf-8", "replace")), column))


def _uncached(formula: str, column: int) -> Cell:
    """A formula without a result; ="3623…" is only a way to force text and needs no calculation."""
    if literal := _LITERAL.fullmatch(formula.strip()):
        return literal[1].replace('""', '"') or None
    return Uncached(column)


def _unescaped(text: str) -> str:
    for entity, char in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&apos;", "'"), ("&amp;", "&")):
        text = text.replace(entity, char)
    return text


class _ExactScan:
    """The slow pass: a real parser, for files in which counting tags cannot decide."""

    def __init__(self, blank_strings: set[int]) -> None:
        self.scan = Scan()
        self._blank = blank_strings
        self._row = self._column = 0
        self._kind = ""
        self._value: list[str] | None = None
        self._formula: list[str] | None = None
        self._into: list[str] | None = None
        self._inline = self._phonetic = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        local = _local(name)
        if local == "c":
            self._column += 1
            if match := _REFERENCE.fullmatch(attributes.get("r", "")):
                self._column, self._row = column_index(match[1]) + 1, int(match[2])
            self._kind = attributes.get("t", "n")
            self._value = self._formula = None
        elif local == "v" or (local == "t" and self._inline and not self._phonetic):
            self._value = self._value if self._value is not None else []
            self._into = self._value
        elif local == "f":
            self._formula = self._into = []
        elif local == "is":
            self._inline = True
        elif local == "rPh":
            self._phonetic = True
        elif local == "row":
            number = attributes.get("r", "")
            self._row = int(number) if number.isdigit() and len(number) < 8 else self._row + 1
            self._column = 0
            if attributes.get("hidden") in ("1", "true") or attributes.get("ht") == "0":
                self.scan.hidden_rows.append(self._row)
        elif local == "col" and (attributes.get("hidden") in ("1", "true") or attributes.get("width") == "0"):
            first, last = int(attributes.get("min", "1")), int(attributes.get("max", "1"))
            self.scan.hidden_columns.extend(range(first - 1, min(last, first + 1000)))

    def text(self, data: str) -> None:
        if self._into is not None:
            self._into.append(data)

    def end(self, name: str) -> None:
        local = _local(name)
        if local in ("v", "t", "f"):
            self._into = None
        elif local == "is":
            self._inline = False
        elif local == "rPh":
            self._phonetic = False
        elif local == "c":
            self._cell()

    def _cell(self) -> None:
        value = "".join(self._value or ())
        formula = "".join(self._formula) if self._formula is not None else None
        scan, row, column = self.scan, self._row, self._column - 1
        filled = bool(value.strip())
        if self._kind == "s" and value.strip().isdigit():
            filled = int(value) not in self._blank
        if self._kind == "e" and filled:
            scan.overlay.put(row, column, ErrorValue(value.strip()))
        if formula is not None:
            if self._value is not None and (value or self._kind == "str"):
                scan.formulas[column] = scan.formulas.get(column, 0) + 1
                scan.pictures |= "DISPIMG" in formula
            else:
                scan.overlay.put(row, column, _uncached(formula, column))
        if filled:
            scan.cells += 1
            rows, columns = scan.far
            if row > rows or column >= columns:
                scan.last = (row, column)
            scan.far = (max(rows, row), max(columns, column + 1))


def scan_exactly(chunks: Iterator[bytes], blank_strings: set[int]) -> Scan:
    exact = _ExactScan(blank_strings)
    parse_xml(chunks, exact.start, exact.end, exact.text)
    return exact.scan


def column_name(column: int) -> str:
    """0 → A, 26 → AA, as spreadsheets show it."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


class Worksheet:
    def __init__(self, book: Workbook, index: int, named: _Named, limits: Limits) -> None:
        self._book = book
        self._index = index
        self._part = named.part
        self._limits = limits
        self.name = named.name
        self.visible: Visible = {"hidden": "hidden", "veryHidden": "very-hidden"}.get(named.state, "visible")  # type: ignore[assignment]
        self._sheet: Any = None
        self._scan = Scan()
        self.pictures = 0

    def open(self) -> Facts:
        self._book.library.start(self._index)
        self._scan = scan_sheet(checked_chunks(self._book.archive, self._part), self._book.blank_markers)
        if self._scan.odd:
            self._scan = self._exact()
        self._sheet = self._book.library.sheet()
        width = self._sheet.total_width
        if width > self._limits.columns:
            self.refuse_far()
            refuse_wide(self.name, width, self._limits)
        if self._sheet.total_height > self._limits.rows + 100:
            self._refuse_rows()
        scan = self._scan
        merged = [(r1 + 1, c1, r2 + 1, c2) for (r1, c1), (r2, c2) in self._sheet.merged_cell_ranges]
        return Facts(merged, scan.hidden_rows, scan.hidden_columns, scan.formulas)

    def _exact(self) -> Scan:
        chunks = checked_chunks(self._book.archive, self._part)
        return scan_exactly(chunks, self._book.blank_strings())

    def refuse_far(self) -> None:
        """Refuses when a few cells stretch the sheet far beyond the others, naming the outermost one."""
        scan = self._exact()
        rows, columns = scan.far
        is_large = rows * columns > 2_000_000 or columns > self._limits.columns
        if is_large and scan.cells * 50 < rows * columns:
            row, column = scan.last
            raise FileRefused("far-cell", sheet=self.name[:40], row=row, column=column_name(column))

    def _refuse_rows(self) -> None:
        filled = sum(1 for row in self._sheet.iter_rows() if any(cell != "" for cell in row))
        if filled > self._limits.rows:
            raise FileRefused("rows", sheet=self.name[:40], rows=self._limits.rows, limit=self._limits.rows)
        if self._sheet.total_height > 1_000_000:
            self.refuse_far()

    def rows(self) -> Iterator[list[Json]]:
        rows = calamine_rows(self._sheet, self._scan.overlay, epoch_1904=self._book.epoch_1904)
        return map(self._without_pictures, rows) if self._scan.pictures else rows

    def _without_pictures(self, row: list[Json]) -> list[Json]:
        """Pictures inside cells (WPS) carry a formula's text as their value; they are told, not read."""
        for column, value in enumerate(row):
            if type(value) is str and value.startswith(("=DISPIMG(", "=_xlfn.DISPIMG(")):
                row[column] = None
                self.pictures += 1
        return row

    def verify(self, delivered: int) -> None:
        if delivered - without_result(self._scan.overlay) + self.pictures == self._scan.cells:
            return
        # Spaces and empty shared strings count as tags but not as content: compare exactly before refusing.
        filled = sum(
            value != "" and not (type(value) is str and value.isspace())
            for row in self._sheet.iter_rows()
            for value in row
        )
        exact = self._exact()
        if (
            filled + sum(isinstance(cell, ErrorValue) for cells in exact.overlay.values() for cell in cells.values())
            != exact.cells
        ):
            raise FileRefused("structure")
