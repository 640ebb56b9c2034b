"""Reading a list in: recognise → stage → check → match → preview, restartable from the sealed files at any time.

Everything is written in one transaction that ends with the fence; a worker that dies on the way leaves the upload as it was,
due again.
"""

from __future__ import annotations

import gc
import hashlib
import io
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from eduaid.core import copying, files, jobs, scanning, uploads, value_memory
from eduaid.core.cells import Cell, Row
from eduaid.core.column_content import WORDS
from eduaid.core.controls import Control, Difference, Skipped, lines_in_words
from eduaid.core.database import refresh_statistics
from eduaid.core.jobs import Lease, Pulse
from eduaid.core.list_templates import CHOICES_SHEET, HELP_SHEET, PROBLEMS_SHEET
from eduaid.core.lists import ListKind, Reading, kind_of
from eduaid.core.models import (
    CellEdit,
    ColumnMemory,
    Finding,
    Region,
    Upload,
    UploadFile,
    UploadRow,
    UploadSheet,
    User,
)
from eduaid.core.models.uploads import ENDED, FindingLevel, RowState, State
from eduaid.core.parser import OpenBook, OpenSheet, open_book
from eduaid.core.places import Regions, Schools
from eduaid.core.prefilled import OWN_HEADERS, Restorer, say_departures
from eduaid.core.preflight import Limits
from eduaid.core.reading.frames import unpacked
from eduaid.core.rows import Made, RowMaker
from eduaid.core.sealing import Opener, Sealer
from eduaid.core.spreadsheets import (
    ColumnMapping,
    Header,
    MergeFiller,
    RowKind,
    classify_row,
    find_header,
    looks_transposed,
    map_columns,
    normalise_header,
)
from eduaid.core.text import plain
from eduaid.core.workbooks import column_name

ROW = b"row"
CELL = b"cell"

_FILE_NOTES = {"macros": "file-macros", "other-sheets": "file-other-sheets", "nul-bytes": "file-nul-bytes"}

# What a sheet may hide, and what its sender may say of it. Counted in until somebody says otherwise, and told either way.
HIDDEN_PARTS = ("sheet", "rows", "columns")
COUNT, LEAVE = "count", "leave"

_STAGED = "number, state, slice_id, town_id, school_id, id_digest, registry_digest, digest, facts, sealed, continues_id"
_NOBODY = copying.int8(None)
_FIELDS = copying.count(_STAGED.count(",") + 1)


class NothingToRead(Exception):
    """The files hold no data row of this kind; the sentence says what was looked for."""


def reading_for(upload: Upload, sheet: UploadSheet | None = None) -> Reading:
    """What parsers and checks of this list (or of one sheet of it) may look at: five queries."""
    reading = Reading(
        kind=kind_of(upload.kind),
        region=upload.region,
        school=upload.school,
        town=upload.town,
        effective_on=upload.effective_on,
        schools=Schools.on(upload.effective_on, near=upload.town),
        regions=Regions.load(),
        words=value_memory.words(upload),
    )
    return (
        reading if sheet is None else replace(reading, sheet=sheet.name, title=sheet.title, epoch_1904=sheet.epoch_1904)
    )


# --- the whole list --------------------------------------------------------------------------------------------


def read(upload_id: int, lease: Lease, pulse: Pulse) -> None:
    """Reads every file of the list and leaves it 待核对, or 待确认列对应 where a column is not certain.

    Raises FileRefused and NothingToRead with the sentence for the sender; jobs.LeaseLost and jobs.Cancelled roll back.
    """
    with transaction.atomic():
        upload = Upload.objects.select_related("region", "school", "town", "data_key", "uploaded_by").get(pk=upload_id)
        kind = kind_of(upload.kind)
        settled = _settled(upload)
        _clear(upload)
        pulse.report("read")
        stager = _Stager(upload, kind, reading_for(upload), pulse, settled)
        with _without_search_for_cycles():
            for file in upload.files.order_by("position"):
                stager.stage(file)
        if stager.asks:
            upload.state, upload.due, upload.stage = State.MAPPING, False, ""
        else:
            if not stager.rows:
                raise NothingToRead(_nothing(kind, stager))
            pulse.report("check", stager.rows, stager.rows)
            refresh_statistics("core_uploadrow", "core_listslice", "core_finding", grown_by=stager.rows)
            if stager.has_repeats:
                _settle_repeats(upload)
            pulse.report("match", stager.rows, stager.rows)
            kind.destination.match(upload)
            uploads.compare(upload)
            say_departures(upload)
            uploads.count_rows(upload)
            upload.content_digest = stager.content_digest()
            _tell_of_same_content(upload)
            upload.state, upload.due, upload.stage, upload.version = State.REVIEW, False, "", upload.version + 1
            uploads.note_refused_rows(upload)
        upload.error = ""
        upload.save()
        jobs.fence(lease)


@contextmanager
def _without_search_for_cycles() -> Iterator[None]:
    """Rows come and go without cycles; Python would look for some after every few hundred of them, all over the process."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _nothing(kind: ListKind, stager: _Stager) -> str:
    wanted = "、".join(column.label for column in kind.required) or "姓名"
    if stager.incomplete:
        name, labels = stager.incomplete[0]
        return f"“{name}”缺少{labels}列，不能作为“{kind.label}”名单。请补上该列，或核对是否选错了文件或名单种类。"
    if stager.sideways:
        return f"“{stager.sideways}”是横着排的（一人一列，或一人一张表），不能读取。请下载模板，按一人一行填写后上传。"
    if stager.headless:
        sheets = "、".join(f"“{name}”" for name in stager.headless[:5])
        return f"{sheets}中没有找到“{kind.label}”的表头。表头应在同一行，并包含：{wanted}。请核对是否选错了文件或名单种类，或下载模板填写。"
    return "表格里只有表头，没有数据行。请填写后重新上传。"


@dataclass(frozen=True)
class Settled:
    """What the user has said of a sheet, kept when it is read again: its columns, and what becomes of hidden parts."""

    mapping: Mapping[str, str] = field(default_factory=dict)
    decisions: Mapping[str, list[Any]] = field(default_factory=dict)

    def leaves_out(self, part: str) -> bool:
        return bool(self.decisions.get(part)) and self.decisions[part][0] == LEAVE


def _settled(upload: Upload) -> dict[tuple[int, int], Settled]:
    """By file position and sheet position."""
    return {
        (sheet.file.position, sheet.position): Settled({} if sheet.questions else sheet.mapping, sheet.decisions)
        for sheet in upload.sheets.select_related("file")
    }


def _clear(upload: Upload) -> None:
    """Takes away what an earlier reading staged. Nothing of it was ever in force."""
    if upload.applied_at is not None:
        raise ValueError(f"upload {upload.pk} is in force and cannot be read again")
    sheets = upload.sheets.all()
    Finding.objects.filter(upload=upload).delete()
    kind_of(upload.kind).destination.forget(upload)
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM core_uploadrow WHERE sheet_id = ANY(%s)", [list(sheets.values_list("pk", flat=True))]
        )
    sheets.delete()
    upload.slices.all().delete()


@dataclass
class _Stager:
    """The running state of one reading: where rows go, which slices they open, what is told once a sheet."""

    upload: Upload
    kind: ListKind
    reading: Reading
    pulse: Pulse
    settled: Mapping[tuple[int, int], Settled]
    rows: int = 0
    asks: bool = False
    headless: list[str] = field(default_factory=list)
    sideways: str = ""
    """A sheet whose headers run down a column."""
    incomplete: list[tuple[str, str]] = field(default_factory=list)
    """Sheets without a required column, and the labels of what they lack."""
    has_repeats: bool = False
    """Some number stands in two rows."""
    _numbers: set[bytes] = field(default_factory=set)
    _slices: dict[tuple[int | None, int | None, str], int] = field(default_factory=dict)
    _digests: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._sealer = Sealer(self.upload.data_key)
        self._memory = _remembered_columns(self.upload)

    def content_digest(self) -> bytes:
        """The same for the same rows in whatever order and bytes."""
        return hashlib.sha256(b"".join(sorted(self._digests))).digest()

    def stage(self, file: UploadFile) -> None:
        limits = Limits(file_bytes=settings.UPLOAD_MAX_BYTES, rows=settings.UPLOAD_MAX_ROWS)
        data = files.load(file.stored_as)
        if scanning.is_configured():
            scanning.scan(data)
        with open_book(data, file.name, limits=limits) as book:
            file.kind = book.kind.value
            file.save(update_fields=["kind"])
            for note in book.notes:
                if note in _FILE_NOTES:
                    self.tell(_FILE_NOTES[note], FindingLevel.HINT, None, file=file.name[:60])
            for sheet in book.sheets():
                self._stage_sheet(file, book, sheet)
                if sheet.pictures:
                    self.tell("cells-pictures", FindingLevel.HINT, None, sheet=sheet.name, count=sheet.pictures)

    def _stage_sheet(self, file: UploadFile, book: OpenBook, sheet: OpenSheet) -> None:
        if sheet.name == CHOICES_SHEET and sheet.visible != "visible":
            return  # the drop-down lists of our own template
        blocks = iter(sheet)
        head: list[tuple[int, Row]] = []
        for block in blocks:
            head.extend(block.numbered())
            if len(head) >= 40:
                break
        if not head:
            return
        header = find_header(head, self.kind.columns, merged=sheet.merged)
        turned = header is None and looks_transposed(head, self.kind.columns)
        if header is None and (sheet.name == HELP_SHEET or sheet.name.startswith(PROBLEMS_SHEET)):
            return
        if header is None:
            self.headless.append(sheet.name or file.name)
            if turned:
                self.sideways = self.sideways or sheet.name or file.name
            self.tell(
                "sheet-without-header",
                FindingLevel.WARNING,
                None,
                sheet=sheet.name or file.name,
                expected="、".join(column.label for column in self.kind.columns if column.required) or "姓名",
            )
            return
        settled = self.settled.get((file.position, sheet.index), Settled())
        stored = UploadSheet(
            file=file,
            upload=self.upload,
            position=sheet.index,
            name=sheet.name[:120],
            is_hidden=sheet.visible != "visible",
            header_from=header.first,
            header_to=header.last,
            headers=list(header.texts),
            epoch_1904=book.epoch_1904,
            title=" ".join([file.name, *header.titles])[:500],
            decisions=dict(settled.decisions),
        )
        if stored.is_hidden and settled.leaves_out("sheet"):
            stored.mapping = dict(settled.mapping)
            stored.save()
            self.tell_hidden("sheet", stored)
            return
        sample = [row for number, row in head if number > header.last]
        mapping, found = self._map(stored, header, sample, settled)
        if found is not None and (hopeless := [key for key in found.missing if not found.candidates.get(key)]):
            labels = "、".join(f"“{self.kind.column(key).label}”" for key in hopeless)
            self.incomplete.append((stored.name or file.name, labels))
            self.tell(
                "sheet-without-columns", FindingLevel.WARNING, None, sheet=stored.name or file.name, columns=labels
            )
            return
        stored.mapping = {str(position): key for position, key in mapping.items()}
        stored.questions = list(found.questions) if found is not None else []
        stored.save()
        if found is not None and stored.questions:
            self._ask(stored, found, header)
            return
        left_out = self._hidden_columns(stored, sheet, mapping, settled)
        mapping = {position: key for position, key in mapping.items() if position not in left_out}
        self._tell_of_structure(stored, sheet, header, mapping, sample)
        reading = replace(self.reading, sheet=stored.name, title=stored.title, epoch_1904=stored.epoch_1904)
        maker = RowMaker(self.kind, reading, list(mapping.values()))
        writer = _RowWriter(self, stored, maker, mapping, header, sheet, sample, leaves=settled.leaves_out("rows"))
        writer.write(head)
        for block in blocks:
            writer.write(block.numbered())
            self.pulse.report("check", self.rows, max(self.rows, sheet.index and self.rows))
        writer.close()

    def _map(
        self, stored: UploadSheet, header: Header, sample: Sequence[Row], settled: Settled
    ) -> tuple[dict[int, str], ColumnMapping | None]:
        """Column position → key; and what recognition made of the header, None where the user has settled it."""
        if settled.mapping:
            return {int(position): key for position, key in settled.mapping.items() if key}, None
        remembered = {
            position: self._memory[normalise_header(text)]
            for position, text in enumerate(header.texts)
            if normalise_header(text) in self._memory
        }
        found = map_columns(header.texts, self.kind.columns, sample=sample, remembered=remembered)
        return dict(found.columns), found

    def _ask(self, stored: UploadSheet, found: ColumnMapping, header: Header) -> None:
        """Says in a sentence what the page of columns asks, for those who read the answer elsewhere."""
        self.asks = True
        codes = dict.fromkeys(found.ambiguous, "columns-alike") | dict.fromkeys(found.missing, "column-missing")
        for key in found.questions:
            column = self.kind.column(key)
            named = [
                f"{column_name(at)} 列“{header.texts[at]}”"
                if at < len(header.texts) and header.texts[at]
                # A column without a name is known by what stands in it.
                else f"{column_name(at)} 列（没有列名）"
                for at in found.candidates.get(key, ())
            ]
            self.tell(
                codes.get(key, "column-proposed"),
                FindingLevel.ASK,
                stored,
                sheet=stored.name,
                label=column.label,
                columns="、".join(named),
                looks=WORDS[column.content] if column.content else "",
            )

    def _hidden_columns(
        self, stored: UploadSheet, sheet: OpenSheet, mapping: Mapping[int, str], settled: Settled
    ) -> set[int]:
        """The hidden columns that are left out as the user said; required ones never are."""
        hidden = [
            position
            for position, key in mapping.items()
            if position in sheet.hidden_columns and not self.kind.column(key).required
        ]
        if not hidden:
            return set()
        labels = "、".join(f"{column_name(at)} 列“{self.kind.column(mapping[at]).label}”" for at in hidden)
        self.tell_hidden("columns", stored, columns=labels, count=len(hidden))
        return set(hidden) if settled.leaves_out("columns") else set()

    def _tell_of_structure(
        self,
        stored: UploadSheet,
        sheet: OpenSheet,
        header: Header,
        mapping: Mapping[int, str],
        sample: Sequence[Row],
    ) -> None:
        name = sheet.name
        if header.first > 1 or header.last > header.first:
            lines = lines_in_words(range(header.first, header.last + 1))
            self.tell("header-found", FindingLevel.HINT, stored, sheet=name, lines=lines, next=header.last + 1)
        nameless = [
            position
            for position in range(max(map(len, sample), default=0))
            if position not in mapping
            and (position >= len(header.texts) or not header.texts[position])
            and any(position < len(row) and row[position] is not None for row in sample)
        ]
        unknown = [text for position, text in enumerate(header.texts) if text and position not in mapping]
        unknown = [text for text in unknown if text not in OWN_HEADERS]
        unknown += [f"{column_name(position)} 列（没有列名）" for position in nameless]
        if unknown:
            shown = "、".join(text[:30] for text in unknown[:8]) + ("等" if len(unknown) > 8 else "")
            self.tell("columns-unknown", FindingLevel.HINT, stored, sheet=name, count=len(unknown), columns=shown)
        computed = [(self.kind.column(mapping[at]).label, n) for at, n in sheet.formulas.items() if at in mapping]
        if computed:
            columns = "、".join(f"“{label}” {count} 格" for label, count in computed[:8])
            self.tell("columns-computed", FindingLevel.HINT, stored, sheet=name, columns=columns)

    def tell_hidden(self, part: str, where: UploadSheet, **params: str | int) -> None:
        """That a sheet hides something and what was done with it, with the answer that the user has given."""
        answer, by = where.decisions.get(part, ("", None))
        Finding.objects.create(
            upload=self.upload,
            sheet=where,
            code=f"{part}-hidden-left" if answer == LEAVE else f"{part}-hidden",
            level=FindingLevel.WARNING,
            params={"sheet": where.name, **params},
            answer=answer,
            answered_by_id=by,
            answered_at=timezone.now() if answer else None,
        )

    def tell(self, code: str, level: FindingLevel, where: UploadSheet | None, /, **params: str | int) -> None:
        Finding.objects.create(upload=self.upload, sheet=where, code=code, level=level, params=params)

    def slice_for(self, made: Made) -> int | None:
        """The slice that the row opens or joins; rows that are not taken, or of which nobody knows the place, join none."""
        place = uploads.slice_place(self.kind, made.values)
        if made.state == RowState.REFUSED or place is None:
            return None
        if place not in self._slices:
            self._slices[place] = uploads.open_slice(self.upload, place).pk
        return self._slices[place]

    def sealed(self, made: Made) -> bytes:
        return self._sealer.seal(made.sealed, ROW)

    def note(self, made: Made) -> None:
        self.rows += 1
        self._digests.append(made.digest)
        if made.id_digest is not None:
            self.has_repeats = self.has_repeats or made.id_digest in self._numbers
            self._numbers.add(made.id_digest)


class _RowWriter:
    """Writes the rows of one sheet by COPY, and their findings behind them."""

    def __init__(
        self,
        stager: _Stager,
        stored: UploadSheet,
        maker: RowMaker,
        mapping: Mapping[int, str],
        header: Header,
        sheet: OpenSheet,
        sample: Sequence[Row],
        *,
        leaves: bool,
    ) -> None:
        """`leaves`: hidden rows are left out, as the user said."""
        self._stager, self._sheet, self._maker, self._header, self._opened = stager, stored, maker, header, sheet
        self._keys = mapping
        self._positions = list(mapping)
        self._width = max(self._positions, default=-1) + 1
        columns = {position: stager.kind.column(key) for position, key in mapping.items()}
        down = [position for position, column in columns.items() if column.fills_down]
        own = [position for position, column in columns.items() if not column.fills_down]
        self._filler = MergeFiller(sheet.merged, down, below=header.last, own=own)
        counted = [at for at, key in mapping.items() if key in ("name", "sequence", stager.kind.id_column)]
        self._control = Control(header, sample[:200], mapped=mapping, people=counted)
        self._prefilled = Restorer.of(stager.upload, stager.kind, header, mapping)
        self._hidden, self._leaves = sheet.hidden_rows, leaves
        self._hidden_rows: list[int] = []
        self._found: list[tuple[int, Any]] = []
        self._notes: Counter[tuple[str, str]] = Counter()
        self._first_noted: dict[tuple[str, str], int] = {}
        self._skipped = Skipped(header.last)
        self._rows = 0
        self._places: dict[tuple[RowState, int | None, int | None, int | None], bytes] = {}

    def write(self, rows: Iterable[tuple[int, Row]]) -> None:
        copied: list[bytes] = []
        rows = list(rows)
        if self._prefilled is not None:
            self._prefilled.restore([(number, row) for number, row in rows if number > self._header.last])
        followed = {number for number, _ in rows} if self._filler.has_work else frozenset()
        control, skipped, hidden = self._control, self._skipped, self._hidden
        for number, row in rows:
            if number <= self._header.last:
                continue
            skipped.pass_by(number)
            if followed:
                for position in self._filler.fill(number, row, followed=followed)[0]:
                    self._note((self._keys[position], "cell-filled"), number)
            kind = classify_row(row, self._header)
            if kind is not RowKind.DATA:
                skipped.note(kind, number)
                if kind is RowKind.TOTAL:
                    self._differ(control.check(number, row))
                continue
            control.add(row)
            if number in hidden:
                self._hidden_rows.append(number)
                if self._leaves:
                    continue
            if len(row) < self._width:
                row = row + [None] * (self._width - len(row))
            cells: list[Cell] = [row[position] for position in self._positions]
            answers = None if self._prefilled is None else self._prefilled.answers(number)
            made = self._maker.make(number, cells, answers)
            if self._prefilled is not None:
                if self._prefilled.leaves(number):
                    self._stager.slice_for(made)  # a school that everybody leaves is covered all the same
                self._prefilled.judge(number, made)
            copied.append(self._copied(made))
            self._found.extend((number, found) for found in made.findings)
            for note in made.notes:
                self._note(note, number)
            self._stager.note(made)
            self._rows += 1
        if not copied:
            return
        # PostgreSQL takes no COPY into a table under row-level security: by way of a staging table, then one statement.
        file = io.BytesIO(b"".join((copying.SIGNATURE, *copied, copying.END)))
        with connection.cursor() as cursor:
            cursor.execute(
                "CREATE TEMP TABLE IF NOT EXISTS staged_row ON COMMIT DROP AS"
                f" SELECT {_STAGED} FROM core_uploadrow LIMIT 0; TRUNCATE staged_row"
            )
            cursor.copy_expert(f"COPY staged_row ({_STAGED}) FROM STDIN (FORMAT binary)", file, 1 << 20)
            cursor.execute(
                f"INSERT INTO core_uploadrow (upload_id, sheet_id, {_STAGED}) SELECT %s, %s, {_STAGED} FROM staged_row",
                [self._stager.upload.pk, self._sheet.pk],
            )

    def _note(self, note: tuple[str, str], number: int) -> None:
        self._notes[note] += 1
        self._first_noted.setdefault(note, number)

    def _differ(self, differences: Iterable[Difference]) -> None:
        """Printed totals are a control: what the rows do not bear out is told."""
        for found in differences:
            told: dict[str, str | int] = {"number": found.number, "printed": plain(found.printed)}
            told["counted"] = plain(found.counted)
            if found.column is not None:
                told["header"] = self._header.texts[found.column]
                told["difference"] = plain(round(abs(found.printed - found.counted), 2))
            code = "total-differs" if found.column is None else "amount-differs"
            self._stager.tell(code, FindingLevel.WARNING, self._sheet, sheet=self._sheet.name, **told)

    def _copied(self, made: Made) -> bytes:
        """The row as COPY takes it, in the order of _STAGED."""
        values = made.values
        place = (made.state, self._stager.slice_for(made), values.town_id, values.school_id)
        if place not in self._places:
            self._places[place] = copying.raw(made.state.value.encode()) + b"".join(map(copying.int8, place[1:]))
        return b"".join(
            (
                _FIELDS,
                copying.int4(made.number),
                self._places[place],
                copying.raw(made.id_digest),
                copying.raw(made.registry_digest),
                copying.raw(made.digest),
                copying.jsonb(made.facts),
                copying.raw(self._stager.sealed(made)),
                _NOBODY if self._prefilled is None else copying.int8(self._prefilled.continues(made.number)),
            )
        )

    def close(self) -> None:
        """Stores findings with the ids of their rows, hints once a column, and how many rows the sheet gave."""
        self._sheet.rows = self._rows
        self._sheet.save(update_fields=["rows"])
        self._differ(self._control.finish())
        if self._sheet.is_hidden and self._rows:
            self._stager.tell_hidden("sheet", self._sheet, rows=self._rows)
        if self._hidden_rows:
            lines = lines_in_words(self._hidden_rows)
            self._stager.tell_hidden("rows", self._sheet, rows=len(self._hidden_rows), lines=lines)
        if self._skipped.count:
            which, count = self._skipped.in_words(), self._skipped.count
            self._stager.tell(
                "rows-not-data", FindingLevel.HINT, self._sheet, sheet=self._sheet.name, count=count, which=which
            )
        numbers = {number for number, _ in self._found}
        ids = dict(self._sheet.row_set.filter(number__in=numbers).values_list("number", "pk")) if numbers else {}
        Finding.objects.bulk_create(
            (
                Finding(
                    upload=self._stager.upload,
                    sheet=self._sheet,
                    row_id=ids[number],
                    number=number,
                    column=found.column,
                    code=found.code,
                    level=found.level,
                    params=dict(found.params),
                )
                for number, found in self._found
            ),
            batch_size=2000,
        )
        if self._prefilled is not None:
            Finding.objects.bulk_create(self._prefilled.settled(self._stager.upload, self._sheet), batch_size=2000)
        Finding.objects.bulk_create(
            Finding(
                upload=self._stager.upload,
                sheet=self._sheet,
                column=column,
                code=note,
                level=FindingLevel.HINT,
                params={"rows": count, "first": self._first_noted[column, note]},
            )
            for (column, note), count in sorted(self._notes.items())
        )


def _settle_repeats(upload: Upload) -> None:
    """R01: rows that say the same of the same person count once. R02: rows of one number that differ all wait."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH numbered AS (
                SELECT r.id, r.sheet_id, r.number, r.state, sh.name AS sheet,
                    count(*) OVER person AS times, count(*) OVER same AS alike,
                    first_value(r.id) OVER same AS first_id, first_value(r.number) OVER person AS first_number,
                    first_value(r.id) OVER person AS person_id, last_value(r.number) OVER whole AS last_number,
                    first_value(r.number) OVER same AS first_same, first_value(r.state) OVER same AS first_state
                FROM core_uploadrow r JOIN core_uploadsheet sh ON sh.id = r.sheet_id
                LEFT JOIN core_listslice s ON s.id = r.slice_id
                WHERE sh.upload_id = %(upload)s AND r.id_digest IS NOT NULL AND r.state <> 'R'
                WINDOW person AS (PARTITION BY r.id_digest, s.subkey ORDER BY sh.file_id, sh.position, r.number
                        ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING),
                    whole AS (PARTITION BY r.id_digest, s.subkey ORDER BY sh.file_id, sh.position, r.number
                        ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING),
                    same AS (PARTITION BY r.id_digest, s.subkey, r.digest ORDER BY sh.file_id, sh.position, r.number
                        ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
            ), repeated AS (
                SELECT *, CASE WHEN alike > 1 AND id <> first_id THEN 'D' WHEN alike < times THEN 'W' END AS becomes
                FROM numbered WHERE times > 1
            ), changed AS (
                UPDATE core_uploadrow r SET state = x.becomes FROM repeated x WHERE x.id = r.id AND x.becomes IS NOT NULL
            )
            INSERT INTO core_finding (upload_id, sheet_id, row_id, number, "column", code, level, params, answer)
            SELECT %(upload)s, sheet_id, id, number, CASE becomes WHEN 'W' THEN 'id_number' ELSE '' END,
                CASE becomes WHEN 'D' THEN 'row-repeated' ELSE 'row-contradicts' END,
                CASE becomes WHEN 'D' THEN 'hint' ELSE 'error' END,
                CASE becomes WHEN 'D' THEN jsonb_build_object('first', first_same)
                    ELSE jsonb_build_object('other', CASE WHEN id = person_id THEN last_number ELSE first_number END) END, ''
            FROM repeated WHERE becomes IS NOT NULL
            """,
            {"upload": upload.pk},
        )
        # A repeated row's own errors are those of the row that counts.
        cursor.execute(
            "DELETE FROM core_finding f USING core_uploadrow r WHERE r.id = f.row_id AND f.upload_id = %s AND r.state = 'D'"
            " AND f.code <> 'row-repeated'",
            [upload.pk],
        )


def _tell_of_same_content(upload: Upload) -> None:
    """P02: the same rows in other bytes. Said, not refused: the list confirms the older one."""
    same = (
        Upload.objects.filter(kind=upload.kind, content_digest=upload.content_digest)
        .exclude(state__in=ENDED)
        .exclude(pk=upload.pk)
        .order_by("-pk")
        .first()
    )
    if same is not None:
        Finding.objects.create(
            upload=upload,
            code="list-same",
            level=FindingLevel.HINT,
            params={"upload": same.pk, "date": same.effective_on.isoformat()},
        )


# --- columns ---------------------------------------------------------------------------------------------------


def _remembered_columns(upload: Upload) -> dict[str, str]:
    """Header → column as settled before by the school, else its township, else the county."""
    home = Region.objects.home()
    memory: dict[str, str] = {}
    for filters in (
        {"region": home},
        {"region": upload.town or home},
        {"school": upload.school} if upload.school else None,
    ):
        if filters is not None:
            memory |= dict(ColumnMemory.objects.filter(kind=upload.kind, **filters).values_list("header", "column"))
    return memory


@transaction.atomic
def confirm_mapping(
    upload: Upload, answers: Mapping[int, Mapping[int, str]], *, by: User, remember: bool = True
) -> Upload:
    """The user's word on the columns: sheet id → {column position: column key, or "" for none}. Reads the list again.

    Raises uploads.NotPossible where a required column is still missing or one is given twice.
    """
    upload = uploads.locked(upload.pk, states=[State.MAPPING])
    kind = kind_of(upload.kind)
    for sheet in upload.sheets.all():
        mapping = dict(sheet.mapping)
        for position, key in answers.get(sheet.pk, {}).items():
            mapping.pop(str(position), None)
            if key:
                mapping[str(position)] = kind.column(key).key
        keys = list(mapping.values())
        twice = sorted({kind.column(key).label for key in keys if keys.count(key) > 1})
        if twice:
            raise uploads.NotPossible(f"工作表“{sheet.name}”中有两列都对应“{'、'.join(twice)}”，请只选一列。")
        missing = [column.label for column in kind.required if column.key not in keys]
        if missing:
            raise uploads.NotPossible(f"工作表“{sheet.name}”还缺少“{'、'.join(missing)}”列，请指明是哪一列。")
        if remember:
            _remember(upload, sheet, mapping, answers.get(sheet.pk, {}), by)
        sheet.mapping, sheet.questions = mapping, []
        sheet.save(update_fields=["mapping", "questions"])
    read_again(upload)
    return upload


def read_again(upload: Upload) -> None:
    """Puts a list that is not in force back to be read, with what its sender has said of columns and hidden parts."""
    upload.state, upload.due, upload.stage = State.RECEIVED, True, ""
    upload.save(update_fields=["state", "due", "stage"])
    uploads.wake(upload)


@transaction.atomic
def reopen_mapping(upload: Upload, *, by: User) -> Upload:
    """Shows the columns of a list that was read without a question (or with other answers) once more.

    Raises uploads.NotAllowed, and uploads.NotPossible once rows were corrected: reading again would lose that.
    """
    upload = uploads.locked(upload.pk, states=[State.REVIEW])
    if not uploads.may_work_on(upload, by):
        raise uploads.NotAllowed("只有上传人所在单位可以修改这份名单。")
    if upload.applied_at is not None or uploads.is_corrected(upload):
        raise uploads.NotPossible("名单已有改动，不能再改列对应。需要时请放弃本次导入，再上传一次。")
    upload.state = State.MAPPING
    upload.save(update_fields=["state"])
    return upload


def _remember(
    upload: Upload, sheet: UploadSheet, mapping: Mapping[str, str], answers: Mapping[int, str], by: User
) -> None:
    """What the user has decided differently from recognition. A column that was asked and is left out is remembered as
    such, unless another one of the same name is taken."""
    kept = {position: key for position, key in mapping.items() if sheet.mapping.get(position) != key}
    names = {normalise_header(str(sheet.headers[int(at)])) for at in mapping if int(at) < len(sheet.headers)}
    if set(sheet.questions) - set(mapping.values()):
        kept |= {str(at): "" for at, key in answers.items() if not key}
    for position, key in kept.items():
        name = normalise_header(str(sheet.headers[int(position)])) if int(position) < len(sheet.headers) else ""
        if not name or (not key and name in names):
            continue
        ColumnMemory.objects.update_or_create(
            kind=upload.kind,
            region=None if upload.school_id else (upload.town or upload.region),
            school=upload.school,
            header=name[:120],
            defaults={"column": key, "by": by},
        )


# --- reading a stored row --------------------------------------------------------------------------------------


def _cell_or_row(found: dict[str, Any]) -> Any:
    return unpacked(found) if len(found) == 1 and next(iter(found)).startswith("$") else found


def delivered_cells(row: UploadRow, opener: Opener) -> dict[str, Cell]:
    """Column key → cell as it was delivered, with the corrections made on the check page laid over it."""
    # Cells that JSON has no word for come back as what they were: a damaged number must not turn into good text.
    cells: dict[str, Cell] = json.loads(opener.open(row.sealed, ROW), object_hook=_cell_or_row)
    for edit in CellEdit.objects.filter(row=row).order_by("pk"):
        cells[edit.column] = opener.open(edit.sealed, CELL).decode() or None
    return cells


def delivered(row: UploadRow, opener: Opener) -> dict[str, str]:
    """Column key → text as it was delivered (corrected cells as corrected). Unmasked: the caller decides who sees it."""
    return {key: plain(cell) for key, cell in delivered_cells(row, opener).items()}
