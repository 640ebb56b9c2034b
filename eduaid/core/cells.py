"""What a spreadsheet cell can hold, once read. Plain Python, no Django.

An empty cell is ``None``. Text stays ``str``; every number is ``float`` (a spreadsheet knows no other); dates and
times are what the cell's format says. Five things that careless readers turn into empty cells or wrong values
stay visible as themselves: ``Damaged``, ``ErrorValue``, ``Uncached``, ``BadDate`` and ``Merged``.
"""

import datetime as dt
from typing import NamedTuple, TypeAlias


class Damaged(NamedTuple):
    """A number with more than fifteen digits: spreadsheets keep fifteen, so its last digits are gone for good.

    ``shown`` is the number written out; only its first fifteen digits can be trusted.
    """

    shown: str


class ErrorValue(NamedTuple):
    """A formula that failed; ``code`` is what the spreadsheet shows, such as ``#N/A``."""

    code: str


class Uncached(NamedTuple):
    """A formula whose result the file does not contain (written by a program that does not calculate)."""

    column: int


class BadDate(NamedTuple):
    """A number formatted as a date that is no date: negative, 1900-02-29, or beyond the year 9999."""

    serial: float


class Merged(NamedTuple):
    """Part of a range that is merged over several rows in a column where each row must have its own value.

    ``shown`` is what the spreadsheet shows there, in the range's first row; empty text in the others.
    """

    shown: str


Cell: TypeAlias = (
    str
    | float
    | bool
    | dt.date
    | dt.datetime
    | dt.time
    | dt.timedelta
    | Damaged
    | ErrorValue
    | Uncached
    | BadDate
    | Merged
    | None
)
Row: TypeAlias = list[Cell]
