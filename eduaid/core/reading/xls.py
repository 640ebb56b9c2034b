"""Workbooks of Excel 97 to 2003 and WPS .et: calamine reads the cells, a walk over the BIFF records proves them.

The walk also finds error values and hidden rows and columns, which the library does not tell.
"""

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import python_calamine as calamine

from eduaid.core.cells import ErrorValue, Uncached
from eduaid.core.preflight import FileRefused, Kind, Limits, inspect
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

# Record numbers of [MS-XLS].
_BOF, _EOF, _BOUNDSHEET, _FILEPASS, _DATEMODE, _SST, _CONTINUE = 0x809, 0x0A, 0x85, 0x2F, 0x22, 0xFC, 0x3C
_FORMULA = (0x06, 0x206, 0x406)
_NUMBER, _LABEL, _BOOLERR, _RSTRING, _RK, _MULRK, _LABELSST = 0x203, 0x204, 0x205, 0xD6, 0x27E, 0xBD, 0xFD
_ROW, _COLINFO = 0x208, 0x7D
_ERRORS = {0: "#NULL!", 7: "#DIV/0!", 15: "#VALUE!", 23: "#REF!", 29: "#NAME?", 36: "#NUM!", 42: "#N/A"}
_HEAD = struct.Struct("<HH")
_CELL = struct.Struct("<HH")
_WORKSHEET_TYPE = 0
_BIFF8 = b"\x00\x06"


@dataclass(slots=True)
class _Listed:
    visible: int
    kind: int
    offset: int


@dataclass(slots=True)
class _Scan:
    cells: int = 0
    overlay: Overlay = field(default_factory=Overlay)
    formulas: dict[int, int] = field(default_factory=dict)
    hidden_rows: list[int] = field(default_factory=list)
    hidden_columns: list[int] = field(default_factory=list)
    without_text: list[tuple[int, int]] = field(default_factory=list)  # formulas whose result is said to be empty text

    def finish(self) -> None:
        """A program that does not calculate marks every formula's result as empty text. Where not one formula of a
        sheet has a result, they were never calculated."""
        if sum(self.formulas.values()) == len(self.without_text):
            for row, column in self.without_text:
                self.overlay.put(row, column, Uncached(column))
            self.formulas.clear()


class Workbook:
    kind = Kind.XLS

    def __init__(self, data: bytes, limits: Limits) -> None:
        import olefile  # type: ignore[import-untyped]  # fifteen thousandths of a second that other formats need not pay

        inspect(data, limits=limits)
        self._limits = limits
        self.notes: list[str] = []
        self.epoch_1904 = False
        with olefile.OleFileIO(io.BytesIO(data)) as ole:
            names = {"/".join(path).lower(): path for path in ole.listdir()}
            if any(name.startswith("_vba_project_cur") for name in names):
                self.notes.append("macros")
            path = names.get("workbook") or names["book"]
            try:
                self.stream: bytes = ole.openstream(path).read()
            except OSError:
                raise FileRefused("truncated") from None
        self._listed: list[_Listed] = []
        self.blank_strings: set[int] = set()
        self._read_globals()
        try:
            self.book: Any = calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
        except BaseException as error:
            raise library_refusal(error) from None

    def records(self, position: int) -> Iterator[tuple[int, bytes]]:
        """Record number and body from a position in the stream on."""
        stream, end = self.stream, len(self.stream)
        while position + 4 <= end:
            number, length = _HEAD.unpack_from(stream, position)
            position += 4
            yield number, stream[position : position + length]
            position += length

    def _read_globals(self) -> None:
        strings: list[bytes] = []
        last = 0
        for number, body in self.records(0):
            if number == _EOF:
                break
            if number == _BOF and body[:2] != _BIFF8:
                raise FileRefused("old-xls")  # texts in a code page, which the library takes for UTF-16
            if number == _FILEPASS:
                raise FileRefused("encrypted")
            if number == _DATEMODE:
                self.epoch_1904 = body[:1] == b"\1"
            elif number == _BOUNDSHEET and len(body) >= 6:
                offset, visible, kind = struct.unpack_from("<IBB", body)
                self._listed.append(_Listed(visible & 3, kind, offset))
            elif number == _SST or (number == _CONTINUE and last == _SST):
                strings.append(body)
                number = _SST
            last = number
        if strings:
            self.blank_strings = _blank_strings(strings)

    @property
    def sheets(self) -> list[Sheet]:
        metadata = self.book.sheets_metadata
        if len(metadata) != len(self._listed):
            raise FileRefused("structure")
        found: list[Sheet] = []
        for index, (listed, meta) in enumerate(zip(self._listed, metadata, strict=True)):
            if listed.kind == _WORKSHEET_TYPE:
                found.append(Worksheet(self, index, meta.name, listed, self._limits))
            else:
                self.notes.append("other-sheets")
        return found


def _blank_strings(bodies: list[bytes]) -> set[int]:
    """Positions of shared strings without a character. A string may run on in a CONTINUE record, where its characters'
    width flag is repeated."""
    blank: set[int] = set()
    try:
        _, total = struct.unpack_from("<II", bodies[0])
        body, at = 0, 8
        for position in range(total):
            if at >= len(bodies[body]):
                body, at = body + 1, 0
            length, flags = struct.unpack_from("<HB", bodies[body], at)
            at += 3
            runs = extension = 0
            if flags & 8:
                (runs,) = struct.unpack_from("<H", bodies[body], at)
                at += 2
            if flags & 4:
                (extension,) = struct.unpack_from("<I", bodies[body], at)
                at += 4
            if not length:
                blank.add(position)
            width, left = 1 + (flags & 1), length
            while left:
                room = (len(bodies[body]) - at) // width
                taken = min(left, room)
                left -= taken
                at += taken * width
                if left:
                    body, at = body + 1, 1
                    width = 1 + (bodies[body][0] & 1)
            rest = runs * 4 + extension
            while rest:
                room = len(bodies[body]) - at
                taken = min(rest, room)
                rest -= taken
                at += taken
                if rest:
                    body, at = body + 1, 0
    except (struct.error, IndexError):
        raise FileRefused("structure") from None
    return blank


def _scan(records: Iterator[tuple[int, bytes]], blank_strings: set[int]) -> _Scan:
    """One worksheet's records, its own charts skipped."""
    scan = _Scan()
    depth = 0
    string_due = False
    for number, body in records:
        if number == _BOF:
            depth += 1
        elif number == _EOF:
            depth -= 1
            if depth <= 0:
                scan.finish()
                return scan
        elif depth != 1:
            continue
        elif number == _LABELSST:
            scan.cells += struct.unpack_from("<I", body, 6)[0] not in blank_strings
        elif number in (_NUMBER, _RK):
            scan.cells += 1
        elif number == _MULRK:
            scan.cells += (len(body) - 6) // 6
        elif number in (_LABEL, _RSTRING):
            scan.cells += len(body) > 8 and struct.unpack_from("<H", body, 6)[0] > 0
        elif number == _BOOLERR:
            row, column = _CELL.unpack_from(body)
            scan.cells += 1
            if body[7]:
                scan.overlay.put(row + 1, column, ErrorValue(_ERRORS.get(body[6], "#N/A")))
        elif number in _FORMULA:
            string_due = _formula(scan, body)
        elif number == 0x207 and string_due:  # the text result of the formula before
            scan.cells += struct.unpack_from("<H", body)[0] > 0
            string_due = False
        elif number == _ROW and len(body) >= 14 and (struct.unpack_from("<H", body, 12)[0] & 0x20):
            scan.hidden_rows.append(struct.unpack_from("<H", body)[0] + 1)
        elif number == _COLINFO and len(body) >= 10:
            first, last, width, _, flags = struct.unpack_from("<5H", body)
            if flags & 1 or not width:
                scan.hidden_columns.extend(range(first, min(last, 1000) + 1))
    raise FileRefused("truncated")


def _formula(scan: _Scan, body: bytes) -> bool:
    """Counts a formula's result; true when its text follows in a record of its own."""
    row, column = _CELL.unpack_from(body)
    result = body[6:14]
    scan.formulas[column] = scan.formulas.get(column, 0) + 1
    if result[6:] != b"\xff\xff":
        scan.cells += 1
        return False
    match result[0]:
        case 0:
            return True
        case 1:
            scan.cells += 1
        case 2:
            scan.cells += 1
            scan.overlay.put(row + 1, column, ErrorValue(_ERRORS.get(result[2], "#N/A")))
        case _:
            scan.without_text.append((row + 1, column))
    return False


class Worksheet:
    def __init__(self, book: Workbook, index: int, name: str, listed: _Listed, limits: Limits) -> None:
        self._book, self._index, self._listed, self._limits = book, index, listed, limits
        self.name = name
        visible: tuple[Visible, ...] = ("visible", "hidden", "very-hidden", "very-hidden")
        self.visible = visible[listed.visible]
        self.pictures = 0
        self._sheet: Any = None
        self._scan = _Scan()

    def open(self) -> Facts:
        try:
            self._scan = _scan(self._book.records(self._listed.offset), self._book.blank_strings)
            self._sheet = self._book.book.get_sheet_by_index(self._index)
        except struct.error:
            raise FileRefused("structure") from None
        except BaseException as error:
            raise library_refusal(error) from None
        refuse_wide(self.name, self._sheet.total_width, self._limits)
        scan = self._scan
        merged = [(r1 + 1, c1, r2 + 1, c2) for (r1, c1), (r2, c2) in self._sheet.merged_cell_ranges]
        return Facts(merged, scan.hidden_rows, scan.hidden_columns, scan.formulas)

    def rows(self) -> Iterator[list[Json]]:
        return calamine_rows(self._sheet, self._scan.overlay, epoch_1904=self._book.epoch_1904)

    def verify(self, delivered: int) -> None:
        if delivered - without_result(self._scan.overlay) != self._scan.cells:
            raise FileRefused("structure")
