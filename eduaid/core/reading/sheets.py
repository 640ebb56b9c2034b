"""What every format's reader offers to the programme of the reading process, and what those on calamine share."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any, Literal, Protocol

import python_calamine as calamine

from eduaid.core.cells import BadDate, Cell, Damaged, ErrorValue
from eduaid.core.preflight import FileRefused, Kind, Limits
from eduaid.core.reading.frames import Json, packed

Visible = Literal["visible", "hidden", "very-hidden"]
LARGEST_EXACT = 1e15  # from here on a float no longer tells fifteen digits exactly


@dataclass(slots=True)
class Facts:
    """What a sheet's structure tells besides its cells. Rows are numbered from 1, columns from 0."""

    merged: list[tuple[int, int, int, int]] = field(
        default_factory=list
    )  # first row, first column, last row, last column
    hidden_rows: list[int] = field(default_factory=list)
    hidden_columns: list[int] = field(default_factory=list)
    formulas: dict[int, int] = field(default_factory=dict)  # column → cells whose value a formula computed


class Sheet(Protocol):
    """One worksheet. ``open`` first, then ``rows``, then ``verify``."""

    name: str
    visible: Visible
    pictures: int  # pictures inside cells that ``rows`` left out

    def open(self) -> Facts:
        """Reads the sheet. Raises FileRefused."""
        ...

    def rows(self) -> Iterator[list[Json]]:
        """Every row from row 1 on, cells packed for a frame, empty cells None; a blank row may be an empty list."""
        ...

    def verify(self, delivered: int) -> None:
        """``delivered``: how many non-empty cells ``rows`` gave. Refuses unless an independent count agrees."""
        ...


class Book(Protocol):
    kind: Kind
    epoch_1904: bool
    notes: list[str]

    @property
    def sheets(self) -> list[Sheet]: ...


def number(value: float) -> Json:
    """A numeric cell: damaged beyond fifteen digits, an error when it is no number at all."""
    if -LARGEST_EXACT < value < LARGEST_EXACT:
        return value
    if value != value or value in (float("inf"), float("-inf")):
        return packed(ErrorValue("#NUM!"))
    return packed(Damaged(f"{value:.0f}"))


def special(value: Any, *, epoch_1904: bool = False) -> Json:
    """A cell of calamine that is not text, in a frame's words."""
    kind = type(value)
    if kind is float or kind is int:
        return number(float(value))
    if kind is bool:
        return value
    if kind is dt.date and not epoch_1904 and value.year == 1900 and value.month == 2 and value.day == 28:
        # The library answers the 28th for both 59 and 60, and 60 is the 29th of February 1900, which never was.
        return packed(BadDate(60.0))
    return packed(value)


def refuse_wide(name: str, width: int, limits: Limits) -> None:
    if width > limits.columns:
        raise FileRefused("columns", sheet=name, columns=width, limit=limits.columns)


def library_refusal(error: BaseException) -> FileRefused:
    """What a failure inside calamine means. Its panics do not derive from Exception, so callers catch everything."""
    if isinstance(error, FileRefused):
        return error
    if isinstance(error, calamine.PasswordError):
        return FileRefused("encrypted")
    if isinstance(error, MemoryError):
        return FileRefused("memory")
    if isinstance(error, KeyboardInterrupt | SystemExit):
        raise error
    return FileRefused("structure")


class Overlay(dict[int, dict[int, Cell]]):
    """Cells that the library gives as empty: row from 1 → column from 0 → what really stands there."""

    def put(self, row: int, column: int, cell: Cell) -> None:
        self.setdefault(row, {})[column] = cell


def calamine_rows(sheet: Any, overlay: Overlay, *, epoch_1904: bool) -> Iterator[list[Json]]:
    """A calamine sheet's rows from row 1 and column A on, packed, with the overlay's cells in their places."""
    start = sheet.start
    indent: list[Json] = [None] * (start[1] if start else 0)
    number = 0
    for number, raw in enumerate(sheet.iter_rows() if start else (), 1):
        row = [
            (value or None)
            if type(value) is str
            else value
            if type(value) is float and -LARGEST_EXACT < value < LARGEST_EXACT
            else special(value, epoch_1904=epoch_1904)
            for value in raw
        ]
        if indent:
            row = indent + row
        yield _laid_over(row, overlay[number]) if number in overlay else row
    for beyond in range(number + 1, max(overlay, default=0) + 1):
        yield _laid_over([], overlay.get(beyond, {}))


def _laid_over(row: list[Json], cells: dict[int, Cell]) -> list[Json]:
    for column, cell in cells.items():
        row.extend(repeat(None, column + 1 - len(row)))
        if row[column] is None:
            row[column] = packed(cell)
    return row


def without_result(overlay: Overlay) -> int:
    """How many of the overlay's cells hold no value that a count of values could find."""
    return sum(
        cell is not None and not isinstance(cell, ErrorValue) for cells in overlay.values() for cell in cells.values()
    )
