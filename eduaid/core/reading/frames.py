"""What the reading process says to its parent: length-prefixed frames of JSON, never pickles.

A frame is one letter, four bytes of length, and JSON: ``H`` the book, ``S`` a sheet's name, ``B`` a block of rows,
``E`` the end of a sheet with what was counted, ``X`` the end of the book, ``R`` a refusal. Cells that JSON has no word
for travel as objects with a single key.
"""

import datetime as dt
import json
import struct
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

from eduaid.core.cells import BadDate, Cell, Damaged, ErrorValue, Merged, Uncached

HEAD = struct.Struct(">cI")
LARGEST_FRAME = 256 * 1024 * 1024
Json: TypeAlias = Any  # what json.loads gives; every use below checks its shape


# Exact type → (key, how the value is written).
_WRITERS: dict[type, tuple[str, Callable[[Any], Json]]] = {
    dt.date: ("$d", dt.date.isoformat),
    dt.datetime: ("$t", dt.datetime.isoformat),
    dt.time: ("$h", dt.time.isoformat),
    dt.timedelta: ("$i", dt.timedelta.total_seconds),
    Damaged: ("$x", lambda cell: cell.shown),
    ErrorValue: ("$e", lambda cell: cell.code),
    Uncached: ("$u", lambda cell: cell.column),
    BadDate: ("$b", lambda cell: cell.serial),
    Merged: ("$m", lambda cell: cell.shown),
}
_READERS: dict[str, Callable[[Json], Cell]] = {
    "$d": lambda value: dt.date.fromisoformat(value),
    "$t": lambda value: dt.datetime.fromisoformat(value),
    "$h": lambda value: dt.time.fromisoformat(value),
    "$i": lambda value: dt.timedelta(seconds=float(value)),
    "$x": lambda value: Damaged(str(value)),
    "$e": lambda value: ErrorValue(str(value)),
    "$u": lambda value: Uncached(int(value)),
    "$b": lambda value: BadDate(float(value)),
    "$m": lambda value: Merged(str(value)),
}
_PLAIN = frozenset({str, float, int, bool, type(None)})


def packed(cell: Cell) -> Json:
    """A cell in JSON's words. Named tuples would otherwise turn into lists."""
    if type(cell) in _PLAIN:
        return cell
    key, write = _WRITERS[type(cell)]
    return {key: write(cell)}


def frame(letter: bytes, payload: Json) -> bytes:
    body = json.dumps(payload, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    return HEAD.pack(letter, len(body)) + body


def block_frame(first: int, rows: Iterable[list[Json]]) -> bytes:
    """``first``: the spreadsheet's number of the first row. The cells are packed already."""
    return frame(b"B", [first, rows])


def unpacked(found: dict[str, Json]) -> Cell:
    if len(found) != 1:
        raise ValueError("not a cell")
    key, value = next(iter(found.items()))
    if key not in _READERS:
        raise ValueError("not a cell")
    return _READERS[key](value)


_decode_block = json.JSONDecoder(object_hook=unpacked).decode


def read_block(body: bytes) -> tuple[int, list[list[Cell]]]:
    """Raises ValueError for anything that is no block."""
    decoded = _decode_block(body.decode())
    if not (isinstance(decoded, list) and len(decoded) == 2):
        raise ValueError("not a block")
    first, rows = decoded
    if not (isinstance(first, int) and isinstance(rows, list) and all(isinstance(row, list) for row in rows)):
        raise ValueError("not a block")
    return first, rows
