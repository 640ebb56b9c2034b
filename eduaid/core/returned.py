"""A marked workbook that comes back: whose it is, and what was changed in it since it went out.

Each row is compared with what stood in the workbook when it left: cells that differ were changed by the person. Nothing is
written here; `eduaid.core.merging` does that with the plan that a person has seen.
"""

from __future__ import annotations

import json
import re
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings

from eduaid.core import row_keys
from eduaid.core.cells import Cell, Damaged, ErrorValue, Row, Uncached
from eduaid.core.intake import CELL, ROW, reading_for
from eduaid.core.lists import ListKind, kind_of
from eduaid.core.models import CellEdit, Upload, UploadRow, UploadSheet
from eduaid.core.models.uploads import RowState, State
from eduaid.core.parser import OpenSheet, open_book
from eduaid.core.preflight import FileRefused, Kind, Limits, SafeZip, inspect
from eduaid.core.reading.frames import unpacked
from eduaid.core.row_keys import RowKey, Use
from eduaid.core.rows import ColumnReader, said
from eduaid.core.sealing import Opener
from eduaid.core.spreadsheets import Header, MergeFiller, RowKind, classify_row, find_header
from eduaid.core.text import plain, tidy

_KEY = re.compile(rb"EA-[A-Z2-7]{26}")
_HEAD_ROWS = 60
_LOOK_AT = 64 * 1024 * 1024


def _cell(found: dict[str, Any]) -> Any:
    return unpacked(found) if len(found) == 1 and next(iter(found)).startswith("$") else found


class NotReturned(Exception):
    """The workbook cannot be compared with the list; the sentence says why and what to do instead."""


@dataclass(frozen=True)
class Change:
    """A cell that the person changed. `now` is what is typed there; texts are unmasked."""

    row_id: int
    sheet_id: int
    number: int
    column: str
    was: str
    now: str


@dataclass(frozen=True)
class NewRow:
    """A row that the workbook did not have when it went out: column key → cell; `number` as the person sees it."""

    sheet_id: int
    number: int
    cells: Mapping[str, Cell]
    is_copy: bool


@dataclass(frozen=True)
class GoneRow:
    row_id: int
    sheet_id: int
    number: int


@dataclass
class Plan:
    """What the workbook says, by what is to be done about it."""

    changes: list[Change] = field(default_factory=list)
    overtaken: list[Change] = field(default_factory=list)
    """Changed in the workbook and, differently, on the page since it went out: the page's value stays."""
    closed: list[Change] = field(default_factory=list)
    """In rows that are in force and cannot be changed here."""
    damaged: list[Change] = field(default_factory=list)
    """Numbers that the spreadsheet program spoilt, and errors of formulas: not taken over."""
    new: list[NewRow] = field(default_factory=list)
    gone: list[GoneRow] = field(default_factory=list)
    missing_columns: list[str] = field(default_factory=list)
    last_rows: dict[int, int] = field(default_factory=dict)
    """Sheet → its last row in the workbook, whatever stands there."""
    unchanged: int = 0

    @property
    def asks(self) -> bool:
        """Whether a person must decide something before it is merged."""
        return bool(self.new or self.gone)

    @property
    def rows_changed(self) -> int:
        return len({change.row_id for change in self.changes})


# --- whose workbook ----------------------------------------------------------------------------------------------


def list_of(contents: Sequence[tuple[str, bytes]]) -> int | None:
    """The list that all these files are marked workbooks of; None where one of them is anything else."""
    found = {_upload_of(data) for _, data in contents}
    return found.pop() if len(found) == 1 else None


def _upload_of(data: bytes) -> int | None:
    """By the first key found in the bytes; a key opens only here, so nothing else looks like one."""
    for key in row_keys.opened([text.decode() for text in _keys_in(data)]):
        if key is not None and key.use is Use.MARKED:
            return UploadRow.objects.filter(pk=key.row).values_list("upload_id", flat=True).first()
    return None


def _keys_in(data: bytes) -> list[bytes]:
    """A few keys as they stand in the file: in the text of a package's parts, or in the bytes of any other format."""
    try:
        pieces = _pieces(data) if inspect(data) in (Kind.XLSX, Kind.ODS) else iter([data[:_LOOK_AT]])
        tail = b""
        for piece in pieces:
            window = tail + piece
            if found := _KEY.findall(window):
                return found[:5]
            tail = piece[-64:]
    except (FileRefused, zlib.error):
        pass
    return []


def _pieces(data: bytes) -> Iterator[bytes]:
    archive = SafeZip(data, _limits())
    left = _LOOK_AT
    for name in sorted(archive.parts, key=lambda name: "sharedstrings" not in name.lower()):
        if name.lower().endswith(".xml"):
            for piece in archive.chunks(name):
                yield piece
                left -= len(piece)
                if left < 0:
                    return
            yield b"\n"


def _limits() -> Limits:
    return Limits(file_bytes=settings.UPLOAD_MAX_BYTES, rows=settings.UPLOAD_MAX_ROWS)


# --- what was changed --------------------------------------------------------------------------------------------


@dataclass
class _Came:
    """A row as it came back."""

    number: int
    key: RowKey | None
    cells: dict[str, Cell]


def compare(upload: Upload, contents: Sequence[tuple[str, bytes]]) -> Plan:
    """What the workbooks change in the list. Raises FileRefused and NotReturned."""
    return _Comparison(upload).with_files(contents)


class _Comparison:
    def __init__(self, upload: Upload) -> None:
        self._upload = upload
        self._kind: ListKind = kind_of(upload.kind)
        self._sheets = {sheet.pk: sheet for sheet in upload.sheets.select_related("file")}
        self._reading = reading_for(upload)
        self._readers: dict[str, ColumnReader] = {}
        self._opener = Opener()
        self._plan = Plan()

    def with_files(self, contents: Sequence[tuple[str, bytes]]) -> Plan:
        came: dict[int, list[_Came]] = defaultdict(list)
        for name, data in contents:
            with open_book(data, name, limits=_limits()) as book:
                found = [found for sheet in book.sheets() if (found := self._sheet(sheet)) is not None]
            if not found:
                raise NotReturned(
                    f"“{name}”里没有找到行标识列，不能合并到这份名单。请用“下载标错的原表”得到的文件改，或作为新的名单上传。"
                )
            for sheet_id, rows in found:
                came[sheet_id].extend(rows)
        files = {self._sheets[sheet_id].file_id for sheet_id in came}
        for pk, sheet in self._sheets.items():
            if sheet.file_id in files and sheet.rows:
                self._compare_sheet(sheet, came.get(pk, []))
        return self._plan

    def _sheet(self, sheet: OpenSheet) -> tuple[int, list[_Came]] | None:
        """The list's sheet that this one is, and its rows; None for sheets without keys (the list of problems, notes)."""
        rows: list[tuple[int, Row]] = [(number, list(row)) for block in sheet for number, row in block.numbered()]
        column = _key_column(rows)
        if column is None:
            return None
        texts = [
            str(row[column] or "") if column < len(row) and isinstance(row[column], str) else "" for _, row in rows
        ]
        keys = row_keys.opened(texts)
        of_rows = dict(UploadRow.objects.filter(pk__in=[key.row for key in keys if key]).values_list("pk", "sheet_id"))
        own = [of_rows[key.row] for key in keys if key and of_rows.get(key.row) in self._sheets]
        if not own:
            raise NotReturned("这个文件是另一份名单的标错原表，不能合并到这份名单。请到那份名单的核对页上传。")
        stored = self._sheets[max(set(own), key=own.count)]
        header = find_header(rows[:_HEAD_ROWS], self._kind.columns, merged=sheet.merged)
        if header is None:
            raise NotReturned(f"工作表“{sheet.name}”的表头不见了，不能核对改了哪些格。请保留表头后再上传。")
        positions = self._positions(stored, header)
        self._plan.last_rows[stored.pk] = max(number for number, _ in rows)
        down = [position for key, position in positions.items() if self._kind.column(key).fills_down]
        filler = MergeFiller(sheet.merged, down, below=header.last)
        came = []
        for (number, row), key in zip(rows, keys, strict=True):
            if number <= header.last:
                continue
            filler.fill(number, row)
            if key is not None and (key.use is not Use.MARKED or of_rows.get(key.row) != stored.pk):
                key = None
            if column < len(row):
                row[column] = None
            if key is None and classify_row(row, header) is not RowKind.DATA:
                continue
            cells = {name: row[at] if at < len(row) else None for name, at in positions.items()}
            if key is not None or any(cell is not None for cell in cells.values()):
                came.append(_Came(number, key, cells))
        return stored.pk, came

    def _positions(self, stored: UploadSheet, header: Header) -> dict[str, int]:
        """Column key → where it stands now: found by its header, so that columns may have been moved."""
        places: dict[str, list[int]] = defaultdict(list)
        for position, text in enumerate(header.texts):
            places[text].append(position)
        before: dict[str, int] = defaultdict(int)
        nth = {}
        for position, text in enumerate(stored.headers):
            nth[position] = before[text]
            before[text] += 1
        found = {}
        for at, key in stored.mapping.items():
            text = stored.headers[int(at)]
            if nth[int(at)] < len(places[text]):
                found[key] = places[text][nth[int(at)]]
            else:
                self._plan.missing_columns.append(str(text))
        return found

    def _compare_sheet(self, sheet: UploadSheet, came: Sequence[_Came]) -> None:
        rows = {
            row.pk: row
            for row in UploadRow.objects.filter(sheet=sheet).only(
                "pk", "number", "state", "sealed", "facts", "sheet_id"
            )
        }
        delivered = {pk: json.loads(self._opener.open(row.sealed, ROW), object_hook=_cell) for pk, row in rows.items()}
        edits: dict[int, list[CellEdit]] = defaultdict(list)
        for edit in CellEdit.objects.filter(row__sheet=sheet).order_by("pk"):
            edits[edit.row_id].append(edit)
        seen = max((each.key.seen for each in came if each.key), default=0)
        base = {pk: self._edited(cells, edits.get(pk, ()), until=seen) for pk, cells in delivered.items()}
        taken: set[int] = set()
        for each, row_id, is_copy in _claims(came, base):
            if row_id is None:
                self._plan.new.append(NewRow(sheet.pk, each.number, each.cells, is_copy))
                continue
            taken.add(row_id)
            now = self._edited(base[row_id], edits.get(row_id, ()), since=seen)
            self._compare_row(rows[row_id], each.cells, base[row_id], now)
        withdrawn = self._withdrawn(sheet)
        self._plan.gone.extend(
            GoneRow(pk, sheet.pk, row.number)
            for pk, row in sorted(rows.items(), key=lambda item: item[1].number)
            if pk not in taken and pk not in withdrawn
        )

    def _withdrawn(self, sheet: UploadSheet) -> set[int]:
        return set(sheet.findings.filter(code="row-withdrawn", row__isnull=False).values_list("row_id", flat=True))

    def _edited(
        self, cells: Mapping[str, Cell], edits: Iterable[CellEdit], *, until: int | None = None, since: int = 0
    ) -> dict[str, Cell]:
        found = dict(cells)
        for edit in edits:
            if edit.pk > since and (until is None or edit.pk <= until):
                found[edit.column] = self._opener.open(edit.sealed, CELL).decode() or None
        return found

    def _compare_row(
        self, row: UploadRow, came: Mapping[str, Cell], base: Mapping[str, Cell], now: Mapping[str, Cell]
    ) -> None:
        is_open = self._upload.state == State.REVIEW or row.state == RowState.WAITING
        is_changed = False
        for column, cell in came.items():
            before = base.get(column)
            if self._same(column, cell, before):
                continue
            is_changed = True
            change = Change(row.pk, row.sheet_id, row.number, column, plain(before), tidy(plain(cell)))
            if isinstance(cell, Damaged | ErrorValue):
                self._plan.damaged.append(change)
            elif not is_open:
                self._plan.closed.append(change)
            elif self._same(column, cell, now.get(column)):
                continue  # the same correction was made on the page
            elif now.get(column) != before:
                self._plan.overtaken.append(change)
            else:
                self._plan.changes.append(change)
        self._plan.unchanged += not is_changed

    def _same(self, column: str, came: Cell, before: Cell) -> bool:
        """Whether the cell says what it said: spreadsheet programs write the same value in many ways."""
        if came is before or came == before or isinstance(came, Uncached):
            return True
        left, right = tidy(plain(came)), tidy(plain(before))
        if left == right:
            return True
        if not left or not right or isinstance(came, Damaged | ErrorValue):
            return False
        reader = self._readers.get(column)
        if reader is None:
            reader = self._readers[column] = ColumnReader(self._kind.column(column), self._reading)
        if isinstance(came, str) and isinstance(before, str):
            return False  # typed anew: another spelling is a change that the person made
        one, other = reader.read(came), reader.read(before)
        return one.value is not None and other.value is not None and said(one.value) == said(other.value)


def _key_column(rows: Sequence[tuple[int, Row]]) -> int | None:
    """The column in which most keys stand."""
    counts: dict[int, int] = defaultdict(int)
    for _, row in rows:
        for position in range(len(row) - 1, -1, -1):
            cell = row[position]
            if type(cell) is str and cell[:3] == "EA-" and row_keys.PATTERN.fullmatch(cell.strip()):
                counts[position] += 1
                break
        if len(counts) == 1 and max(counts.values()) > 200:
            break
    return max(counts, key=lambda position: counts[position]) if counts else None


_WHO = ("name", "id_number")


def _who(cells: Mapping[str, Cell]) -> tuple[str, ...]:
    return tuple(tidy(plain(cells.get(key))) for key in _WHO)


def _claims(came: Sequence[_Came], base: Mapping[int, Mapping[str, Cell]]) -> Iterator[tuple[_Came, int | None, bool]]:
    """Which stored row each returned row is: by its key, unless name and number both say that the keys were left behind when
    the columns beside them were sorted; then by these two. None for rows that are new; a copy has the key of another."""
    persons: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for pk, cells in base.items():
        persons[_who(cells)].append(pk)
    settled: dict[int, int] = {}
    taken: set[int] = set()
    doubtful = []
    for at, each in enumerate(came):
        row = each.key.row if each.key else None
        if row is None or row not in base:
            continue
        ours, theirs = _who(base[row]), _who(each.cells)
        if row not in taken and any(one == other and one for one, other in zip(ours, theirs, strict=True)):
            settled[at] = row
            taken.add(row)
        else:
            doubtful.append(at)
    for at in doubtful:
        each = came[at]
        same = [pk for pk in persons.get(_who(each.cells), ()) if pk not in taken]
        row = each.key.row if each.key else None
        if len(same) == 1:
            settled[at] = same[0]
        elif row is not None and row not in taken:
            settled[at] = row
        taken.add(settled.get(at, 0))
    for at, each in enumerate(came):
        yield each, settled.get(at), at not in settled and each.key is not None
