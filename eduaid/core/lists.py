"""What a kind of list is: declared once, and everything derives from the declaration (docs/architecture.md).

The template workbook, the recognition of columns, the checks, the data dictionary page and the row's facts are read off a
`ListKind`. Each app registers its kinds; `destination` says what happens to rows that take force there.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any, Protocol

from eduaid.core.cells import Cell
from eduaid.core.codes import Entry
from eduaid.core.column_content import Content
from eduaid.core.models import Region, School, Upload, UploadRow
from eduaid.core.models.uploads import FindingLevel
from eduaid.core.places import Regions, Schools
from eduaid.core.roles import Reach
from eduaid.core.text.results import Result

Json = str | int | bool | None
Parser = Callable[[Cell], Result[Any]]


@dataclass(frozen=True)
class Reading:
    """What parsers and checks of one list may look at: its scope and date, and the directories of places."""

    kind: ListKind
    region: Region | None
    school: School | None
    town: Region | None
    effective_on: dt.date
    schools: Schools
    regions: Regions
    sheet: str = ""
    epoch_1904: bool = False
    title: str = ""
    """The sheet's name and the text above its header: a class roster often names school and class only there."""

    words: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """(column, word) → meaning, as the list's place has explained words that no table knows."""

    @property
    def school_year(self) -> int:
        """The calendar year in which the list's school year began."""
        return self.effective_on.year - (self.effective_on.month < 8)

    @property
    def scope_name(self) -> str:
        return str(self.school or self.region)


@dataclass(frozen=True)
class Column:
    """One concept of a list: its usual header, the other ways it is written, how a cell is read, what is kept of it.

    `reader` makes the parser for one list; `again` reads a cell that could not be read alone, with the rest of the row.
    `facts` turns a parsed value into facts of the row (never an identifier); a `sealed` column keeps nothing by default:
    its value lives only in the sealed row, found again by digest.
    """

    key: str
    label: str
    reader: Callable[[Reading], Parser]
    synonyms: tuple[str, ...] = ()
    required: bool = False
    sealed: bool = False
    facts: Callable[[Any], Mapping[str, Json]] | None = None
    again: Callable[[Cell, Mapping[str, Any], Reading], Result[Any]] | None = None
    choices: tuple[str, ...] = ()
    fills_down: bool = False
    """A cell merged over several rows speaks for all of them (school, village, household); never names, numbers, amounts."""
    content: Content | None = None
    """What its cells look like, where that tells the column from others: to propose it when its header is unknown."""
    help: str = ""

    def keep(self, value: Any) -> Mapping[str, Json]:
        if self.facts:
            return self.facts(value)
        return {} if self.sealed else {self.key: value}


def plain(parse: Parser) -> Callable[[Reading], Parser]:
    """A reader whose parser needs nothing of the list."""
    return lambda _reading: parse


class Place(StrEnum):
    """By what a kind's lists are cut into slices."""

    SCHOOL = "school"
    TOWNSHIP = "township"


@dataclass(slots=True)
class Values:
    """One row on its way: parsed values by column key, and where it belongs (set by the kind's `locate`, which may also derive
    facts from several columns). Checks read it and may not change it."""

    number: int
    parsed: dict[str, Any]
    town_id: int | None = None
    school_id: int | None = None
    subkey: str = ""
    facts: dict[str, Json] = field(default_factory=dict)

    def get(self, key: str) -> Any:
        return self.parsed.get(key)


@dataclass(frozen=True, slots=True)
class RowFinding:
    """A check's verdict on one cell of a row. `params` never hold identifiers or names."""

    column: str
    code: str
    level: FindingLevel = FindingLevel.ERROR
    params: Mapping[str, Json] = field(default_factory=dict)


Check = Callable[[Values, Reading], Iterable[RowFinding]]


@dataclass(frozen=True)
class Diff:
    """What taking force would do, in rows. `missing` counts children of the last list whom this one does not name."""

    added: int
    changed: int
    missing: int
    unchanged: int


@dataclass(frozen=True)
class Touched:
    """The share of some rows in a `Diff`. `near`: the older rows that they speak or may speak of; `missing`: those of them whom
    the list does not name."""

    added: int
    changed: int
    unchanged: int
    near: frozenset[int]
    missing: frozenset[int]


@dataclass(frozen=True)
class Proposal:
    """Where a missing person probably is, read off other lists. `basis`: the reason as a sentence, without names or numbers."""

    row_id: int
    code: str
    basis: str
    to_school_id: int | None = None
    is_certain: bool = False
    """May be taken for all such rows at once."""


@dataclass(frozen=True)
class UndoPreview:
    """The three buckets: what an undo withdraws, what stays because something newer holds, what cannot go (docs/architecture.md)."""

    withdrawn: int
    kept: int
    impossible: int


class Destination(Protocol):
    """Where a kind's rows take force. Every method runs inside the caller's transaction and is set-based."""

    def match(self, upload: Upload, *, to_apply: bool = False) -> None:
        """Ties the list's rows to identities, or leaves a question on the row. Creates nobody.

        `to_apply`: take_force follows in this transaction, and what is found here must hold until then.
        """
        ...

    def rematch(self, rows: Sequence[UploadRow], *, unclear: Sequence[UploadRow] = ()) -> None:
        """Asks again whom corrected rows speak of; `unclear` ones speak of nobody until they are put right."""
        ...

    def known_numbers(self, asked: Mapping[int, tuple[str, Sequence[str]]]) -> dict[int, list[str]]:
        """Row → those of its possible ID numbers that lists in force give to somebody of its name: (name key, numbers)."""
        ...

    def touched(self, upload: Upload, rows: Sequence[int], old: Collection[int] | None = None) -> Touched:
        """How these rows of a list that is not in force compare now, and which older rows near them, or in `old`, are missing;
        without `old` only which are near."""
        ...

    def forget(self, upload: Upload) -> None:
        """Drops the ties of a list that is read anew; it was never in force."""
        ...

    def diff(self, upload: Upload) -> Diff: ...

    def diff_rows(self, upload: Upload, part: str) -> list[tuple[int | None, int | None]]:
        """(new row, old row) of one part of the preview: added, changed, missing, unchanged or waiting."""
        ...

    def propose(self, upload: Upload, rows: Sequence[int]) -> list[Proposal]:
        """Where the persons of these missing rows (of the older list) probably are; at most one proposal a row."""
        ...

    def released(self, upload: Upload, rows: Sequence[int]) -> list[int]:
        """Of older rows that waiting rows kept in force, those whose person the list does not name now that these went in."""
        ...

    def hold(self, upload: Upload) -> None:
        """Keeps in force what the list's waiting rows may speak of. Called before its slices take force."""
        ...

    def take_force(self, upload: Upload, flipped: Sequence[int]) -> Sequence[int]:
        """Makes identities for rows that found none in `match`, resolves what the flipped slices touch; returns written ids."""
        ...

    def withdraw(self, upload: Upload, flipped: Sequence[int]) -> Sequence[int]:
        """Resolves again after the list's slices went out of force; returns written ids."""
        ...

    def undo_preview(self, upload: Upload) -> UndoPreview: ...

    def undo_rows(self, upload: Upload, bucket: str) -> list[tuple[int, str]]:
        """(row, why) for everybody in one bucket of the undo preview, one row a person, in the order of the list."""
        ...


@dataclass(frozen=True)
class ListKind:
    key: str
    label: str
    source: str
    columns: tuple[Column, ...]
    checks: tuple[Check, ...]
    place: Place
    locate: Callable[[Values, Reading], RowFinding | None]
    destination: Destination
    senders: frozenset[Reach]
    about: str = ""
    id_column: str = "id_number"
    registry_column: str = ""
    departures: tuple[Entry, ...] = ()
    """Where somebody may be whom the next complete list of this kind does not name; 待核 is allowed besides."""
    one_of: tuple[tuple[str, ...], ...] = ()

    def column(self, key: str) -> Column:
        return self._by_key[key]

    @cached_property
    def _by_key(self) -> dict[str, Column]:
        return {column.key: column for column in self.columns}

    @cached_property
    def required(self) -> tuple[Column, ...]:
        return tuple(column for column in self.columns if column.required)

    def is_by_school(self) -> bool:
        return self.place is Place.SCHOOL


class UnknownKind(LookupError):
    """No list kind of that key is registered."""


_KINDS: dict[str, ListKind] = {}


def register(kind: ListKind) -> ListKind:
    if kind.key in _KINDS and _KINDS[kind.key] is not kind:
        raise ValueError(f"list kind {kind.key} is declared twice")
    keys = [column.key for column in kind.columns]
    if len(keys) != len(set(keys)):
        raise ValueError(f"list kind {kind.key} declares a column twice")
    _KINDS[kind.key] = kind
    return kind


def kinds() -> tuple[ListKind, ...]:
    """All kinds in the order in which they were declared."""
    return tuple(_KINDS.values())


def kind_of(key: str) -> ListKind:
    if key not in _KINDS:
        known = "、".join(f"{kind.key}（{kind.label}）" for kind in _KINDS.values())
        raise UnknownKind(f"没有名为“{key}”的名单种类。可用的有：{known}")
    return _KINDS[key]
