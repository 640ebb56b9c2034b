"""Fields of rows for PostgreSQL's COPY in its binary format, which spares both sides writing and reading numbers as text.

A file is SIGNATURE, rows, END; a row is the count of its fields and the fields one after the other.
"""

from __future__ import annotations

import struct

SIGNATURE = b"PGCOPY\n\xff\r\n\0" + bytes(8)
END = b"\xff\xff"

count = struct.Struct("!h").pack
_length = struct.Struct("!i").pack
_int4 = struct.Struct("!ii").pack
_int8 = struct.Struct("!iq").pack
_NULL = _length(-1)


def int4(value: int) -> bytes:
    return _int4(4, value)


def int8(value: int | None) -> bytes:
    return _NULL if value is None else _int8(8, value)


def raw(value: bytes | None) -> bytes:
    """A text or bytea field."""
    return _NULL if value is None else _length(len(value)) + value


def jsonb(text: str) -> bytes:
    data = text.encode()
    return _length(len(data) + 1) + b"\x01" + data
