"""The template with everybody in it: who is in force goes out, and only what changed is typed.

Every row carries a hidden key, numbers of persons are masked. Dropped back like any list, a masked number stands for the
sealed one of the row that the key names, whom the row speaks of is known by the key, and what a person has confirmed of a
cell is not asked again while the cell stays as it is. In the column 变动 one chooses where somebody went.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.db.models import Q, QuerySet

from eduaid.core import codes, row_keys
from eduaid.core.cells import Cell, Row
from eduaid.core.list_templates import SPARE_ROWS, help_sheet, out_column
from eduaid.core.lists import Column, ListKind, RowFinding
from eduaid.core.masking import masked
from eduaid.core.models import CellEdit, Departure, Finding, ListSlice, Region, School, Upload, UploadRow, UploadSheet
from eduaid.core.models.departures import PENDING
from eduaid.core.models.uploads import FindingLevel, RowState
from eduaid.core.reading.frames import unpacked
from eduaid.core.row_keys import RowKey, Use
from eduaid.core.rows import Made
from eduaid.core.sealing import Opener, Unreadable
from eduaid.core.spreadsheets import Header
from eduaid.core.text import plain, scrub, tidy
from eduaid.core.workbooks import OutColumn, OutSheet, write_workbook

CHANGE = "变动"
OWN_HEADERS = frozenset({CHANGE, row_keys.HEADER})
_STAYS = ("在读", "在册")
_MOST_ROWS = 60_000


class TooMany(Exception):
    """More rows than one workbook should hold; the sentence says what to do."""


def stays(kind: ListKind) -> str:
    """How the column 变动 says that somebody is still there."""
    return _STAYS[0] if kind.is_by_school() else _STAYS[1]


def in_force(kind: ListKind, place: Region | School) -> QuerySet[UploadRow]:
    """The rows of a kind that count now in a place, in the order in which they were delivered."""
    rows = UploadRow.objects.in_force(kind.key)
    if isinstance(place, School):
        rows = rows.filter(school=place)
    elif not place.is_home:
        rows = rows.filter(Q(school__town=place) if kind.is_by_school() else Q(town=place))
    return rows.order_by("school__name", "sheet_id", "number")


def kinds_in_force(place: Region | School) -> frozenset[str]:
    """The kinds of list of which anything counts now in a place: what can be filled in. One query."""
    current = ListSlice.objects.filter(is_current=True)
    if isinstance(place, School):
        current = current.filter(school=place)
    elif not place.is_home:
        current = current.filter(Q(town=place) | Q(school__town=place))
    return frozenset(current.values_list("kind", flat=True).distinct())


def file_name(kind: ListKind, *, place: str, term: str) -> str:
    return "-".join(filter(None, [term, place, kind.label])) + "（预填）.xlsx"


@dataclass(frozen=True)
class Filled:
    data: bytes
    rows: int


def workbook(kind: ListKind, place: Region | School, *, schools: Sequence[School], term: str = "") -> Filled:
    """The list in force, ready to be changed. Raises TooMany. `schools`: what the column of school names offers."""
    rows: list[_Stored] = list(
        in_force(kind, place).values_list("pk", "sealed", "school__name", "school__code")[: _MOST_ROWS + 1]
    )
    if len(rows) > _MOST_ROWS:
        raise TooMany(f"名单超过 {_MOST_ROWS:,} 行，一张表放不下。请按乡镇下载。")
    columns = [_column(column, place, schools) for column in kind.columns]
    said = [stays(kind), *(entry.label for entry in kind.departures), codes.DEPARTURE[PENDING].label]
    change = OutColumn(CHANGE, width=12, choices=said, prompt="不变的空着；不在了的选去向，整行保留，不用删")
    key = OutColumn(row_keys.HEADER, width=4, locked=True, hidden=True)
    lines = [
        "已按现在生效的名单填好。没有变化的行不用动；有变化的格直接改；不在了的在“变动”中选去向；新增的人写在最后。",
        "证件号、电话显示为星号，不变就不用改，变了再填完整的号码。改好后和平时一样上传。",
    ]
    title = " ".join(filter(None, [str(place), term, kind.label]))
    filled = OutSheet(
        kind.label,
        [change, *columns, key],
        _values(kind, rows),
        title=title,
        lines=lines,
        spare_rows=SPARE_ROWS,
        protected=True,
    )
    return Filled(write_workbook([filled, help_sheet(kind)]), len(rows))


def _column(column: Column, place: Region | School, schools: Sequence[School]) -> OutColumn:
    out = out_column(column)
    if column.key == "school_name" and schools:
        out = replace(out, choices=tuple(dict.fromkeys(school.name for school in schools)))
    # For one school its name and code are given; in a township's list a new pupil needs them.
    return replace(out, locked=isinstance(place, School) and column.key in ("school_name", "school_code"))


# A row as it is read here: id, sealed cells, its school's name and code. Whole objects cost more than all the rest.
_Stored = tuple[int, bytes | memoryview, str, str]


def _values(kind: ListKind, rows: Sequence[_Stored]) -> list[list[str]]:
    texts = _delivered([row[:2] for row in rows], Opener())
    keys = row_keys.keys(Use.PREFILLED, [row[0] for row in rows])
    shown = _Shown(kind)
    order = list(shown.columns)
    found = []
    for (pk, _, school, code), key in zip(rows, keys, strict=True):
        values = {name: shown.of(name, plain(cell)) for name, cell in texts[pk].items() if name in shown.columns}
        if school:  # empty where the list is not by schools
            values["school_name"], values["school_code"] = school, code
        get = values.get
        found.append(["", *[get(name, "") for name in order], key])
    return found


class _Shown:
    """Cells as the workbook shows them. Texts repeat down a column, and what one shows for a text is always the same."""

    def __init__(self, kind: ListKind) -> None:
        self.columns = {column.key: column for column in kind.columns}
        self._known: dict[str, str] = {}

    def of(self, key: str, text: str) -> str:
        column = self.columns[key]
        if column.sealed:
            return masked(column, text)
        if text not in self._known:
            self._known[text] = scrub(text)
        return self._known[text]


def _cell(found: dict[str, Any]) -> Any:
    return unpacked(found) if len(found) == 1 and next(iter(found)).startswith("$") else found


def _delivered(rows: Iterable[tuple[int, bytes | memoryview]], opener: Opener) -> dict[int, dict[str, Cell]]:
    """Row → column key → cell as it counts, corrections laid over: one query for any number of rows."""
    opened: dict[int, dict[str, Cell]] = {
        pk: json.loads(opener.open(sealed, b"row"), object_hook=_cell) for pk, sealed in rows
    }
    for edit in CellEdit.objects.filter(row__in=list(opened)).order_by("pk"):
        opened[edit.row_id][edit.column] = opener.open(edit.sealed, b"cell").decode() or None
    return opened


# --- coming back ---------------------------------------------------------------------------------------------------


@dataclass
class Restorer:
    """Reads the keys of a prefilled sheet: what is masked there becomes what it stands for, and 变动 is taken in."""

    upload: Upload
    kind: ListKind
    columns: Mapping[int, str]
    """Column position → column key, as intake has mapped them."""
    key_at: int
    change_at: int | None
    _shown: _Shown = field(init=False)
    _opener: Opener = field(default_factory=Opener)
    _first: dict[int, int] = field(default_factory=dict)
    _told: dict[int, list[RowFinding]] = field(default_factory=dict)
    _leaves: dict[int, RowFinding] = field(default_factory=dict)
    _continues: dict[int, int] = field(default_factory=dict)
    """Number of a row → the older row that its key names."""
    _settled: dict[int, list[Finding]] = field(default_factory=dict)
    """Number of a row → what was answered about cells of the older row that have not changed since."""

    def __post_init__(self) -> None:
        self._shown = _Shown(self.kind)
        entries = (*self.kind.departures, codes.DEPARTURE[PENDING])
        self._departures = {text: entry.code for entry in reversed(entries) for text in (*entry.synonyms, entry.label)}

    @classmethod
    def of(cls, upload: Upload, kind: ListKind, header: Header, mapping: Mapping[int, str]) -> Restorer | None:
        """None for a sheet without our keys."""
        texts = list(header.texts)
        if row_keys.HEADER not in texts:
            return None
        change = texts.index(CHANGE) if CHANGE in texts else None
        return cls(upload, kind, mapping, texts.index(row_keys.HEADER), change)

    def restore(self, rows: Sequence[tuple[int, Row]]) -> None:
        """Puts the sealed values in place of their masks, in these rows themselves. Five queries for any number of rows."""
        texts = [plain(row[self.key_at]) if self.key_at < len(row) else "" for _, row in rows]
        keys = row_keys.opened(texts)
        known = self._known([key for key in keys if key is not None and key.use is Use.PREFILLED])
        answered = _answered(known)
        for (number, row), text, key in zip(rows, texts, keys, strict=True):
            if self.key_at < len(row):
                row[self.key_at] = None
            old = known.get(key.row) if key is not None and key.use is Use.PREFILLED else None
            # A marked workbook of a list that is gone may be sent as a new one: its keys mean nothing here.
            if text and old is None and not (key is not None and key.use is Use.MARKED):
                self._tell(number, "key-foreign")
            if old is not None and key is not None:
                first = self._first.setdefault(key.row, number)
                if first != number:
                    self._tell(number, "key-twice", first=first)
                    old = None
            self._take_change(number, row, key.row if old is not None and key is not None else None)
            if old is None or key is None:
                continue
            self._continues[number] = key.row
            same: set[str] = set()
            for position, name in self.columns.items():
                before, now = old.get(name), row[position] if position < len(row) else None
                if before is None:
                    if not tidy(plain(now)):
                        same.add(name)
                elif tidy(plain(now)) == tidy(self._shown.of(name, plain(before))) and position < len(row):
                    row[position] = before
                    same.add(name)
            if "name" in same and key.row in answered:
                self._settled[number] = [found for found in answered[key.row] if found.column in same]

    def _known(self, keys: Sequence[RowKey]) -> dict[int, dict[str, Cell]]:
        """The rows of these keys, as far as they belong to the list's kind and place and can still be opened."""
        rows = UploadRow.objects.filter(pk__in=[key.row for key in keys], sheet__upload__kind=self.kind.key)
        if self.upload.school_id:
            rows = rows.filter(school=self.upload.school_id)
        elif self.upload.town_id:
            rows = rows.filter(Q(town=self.upload.town_id) | Q(school__town=self.upload.town_id))
        try:
            return _delivered(list(rows.values_list("pk", "sealed")), self._opener)
        except Unreadable:
            return {}  # erased meanwhile: its keys open nothing any more

    def _take_change(self, number: int, row: Row, old: int | None) -> None:
        if self.change_at is None or self.change_at >= len(row):
            return
        text, row[self.change_at] = tidy(plain(row[self.change_at])), None
        if not text or text in _STAYS:
            return
        code = self._departures.get(text)
        if code is None:
            self._tell(number, "change-unknown", level=FindingLevel.WARNING)
            return
        said = "row-left" if old is not None else "row-left-unknown"
        self._leaves[number] = RowFinding(
            "", said, FindingLevel.WARNING, {"code": code, "change": _label(code), "row": old}
        )

    def _tell(self, number: int, code: str, *, level: FindingLevel = FindingLevel.ERROR, **params: int) -> None:
        column = self.kind.id_column if level is FindingLevel.ERROR else ""
        self._told.setdefault(number, []).append(RowFinding(column, code, level, params))

    def continues(self, number: int) -> int | None:
        return self._continues.get(number)

    def answers(self, number: int) -> Mapping[tuple[str, str], str] | None:
        """What people have answered about this row before, as `RowMaker.make` takes it."""
        found = self._settled.get(number)
        return {(one.column, one.code): one.answer for one in found} if found else None

    def settled(self, upload: Upload, sheet: UploadSheet) -> list[Finding]:
        """The answers that hold on, as findings of the rows that have been stored meanwhile; with their authors and times."""
        rows = dict(sheet.row_set.filter(number__in=self._settled).values_list("number", "pk")) if self._settled else {}
        return [
            Finding(
                upload=upload,
                sheet=sheet,
                row_id=rows[number],
                number=number,
                column=one.column,
                code=one.code,
                level=one.level,
                params=one.params,
                answer=one.answer,
                answered_by_id=one.answered_by_id,
                answered_at=one.answered_at,
            )
            for number, found in self._settled.items()
            if number in rows
            for one in found
        ]

    def leaves(self, number: int) -> bool:
        return number in self._leaves

    def judge(self, number: int, made: Made) -> None:
        """Adds what the key and 变动 say of a row: somebody who is gone is not taken, a key of nobody waits."""
        if found := self._leaves.pop(number, None):
            made.state = RowState.REFUSED
            made.findings = [found]
        for found in self._told.pop(number, ()):
            made.findings.append(found)
            if found.level is FindingLevel.ERROR and made.state == RowState.ACCEPTED:
                made.state = RowState.WAITING


def _answered(rows: Iterable[int]) -> dict[int, list[Finding]]:
    """Row → findings about its cells that somebody has answered."""
    found: dict[int, list[Finding]] = {}
    for finding in Finding.objects.filter(row__in=list(rows)).exclude(answer="").exclude(column="").order_by("pk"):
        found.setdefault(finding.row_id or 0, []).append(finding)
    return found


def _label(code: str) -> str:
    table = codes.DEPARTURE if code in codes.DEPARTURE else codes.WHEREABOUTS
    return table.label(code)


def say_departures(upload: Upload) -> None:
    """What 变动 said becomes the sender's word on the missing, where he has not said anything else."""
    told = Finding.objects.filter(upload=upload, code="row-left").values_list("params", flat=True)
    words = {params["row"]: params["code"] for params in told if params.get("row")}
    if not words:
        return
    found = list(Departure.objects.filter(upload=upload, row__in=list(words)).unsaid())
    for departure in found:
        departure.code, departure.by = words[departure.row_id], upload.uploaded_by
    Departure.objects.bulk_update(found, ["code", "by"], batch_size=1000)
