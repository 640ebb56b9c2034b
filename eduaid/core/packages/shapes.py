"""What is marked in a workbook, and the small change of reading its XML."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from xml.sax.saxutils import escape

OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
RELATED = "http://schemas.openxmlformats.org/package/2006/relationships"
TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
# A sheet with more notes than this takes minutes to open; the other cells are filled and listed all the same.
MOST_NOTES = 3_000


class CannotPatch(Exception):
    """The package holds what these patches do not know; write the contents into a new workbook instead."""


@dataclass(frozen=True)
class Mark:
    """A cell (row as the user sees it, column from 0): filled where it has a note; `text` replaces its contents unless it
    is None; `as_text` gives it the text format, so that what is typed there stays as typed."""

    row: int
    column: int
    note: str = ""
    is_mild: bool = False
    as_text: bool = False
    text: str | None = None


@dataclass(frozen=True)
class SheetMarks:
    """What is done to one sheet: `index` in the workbook's own order, `keys` by row, the header above the keys. `absent`
    gives the texts, by column, of a row with a key that the sheet does not have: it came later and is put at the end."""

    index: int
    header_row: int
    width: int
    key_header: str
    keys: Mapping[int, str]
    marks: Sequence[Mark] = ()
    absent: Callable[[int], Mapping[int, str]] = field(default=lambda _row: {})


@dataclass(frozen=True)
class Entry:
    """A line of the sheet in front; `sheet` and the cell are what it links to."""

    sheet: int | None
    row: int | None
    column: int | None
    texts: Sequence[str]


@dataclass(frozen=True)
class Front:
    """The sheet put before the others: a title, what to do, and one line for each problem."""

    name: str
    title: str
    lines: Sequence[str]
    headers: Sequence[str]
    widths: Sequence[float]
    entries: Sequence[Entry]
    link_column: int


def xml_text(text: str) -> str:
    """Escaped; what XML forbids and what no cell holds is cut away."""
    return escape(_FORBIDDEN.sub("\ufffd", text[:32_000]))


def attribute(tag: bytes, name: bytes) -> bytes | None:
    found = re.search(rb"\s" + name + rb"\s*=\s*(?:\"([^\"]*)\"|'([^']*)')", tag)
    return None if found is None else found[1] if found[1] is not None else found[2]


@cache
def column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1
