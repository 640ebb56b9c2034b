"""Old and hostile containers, byte by byte: what no library of ours writes."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Sequence

from tests.core import workbooks as make


def _record(number: int, body: bytes) -> bytes:
    return struct.pack("<HH", number, len(body)) + body


def ole(stream: bytes, name: str) -> bytes:
    """A compound file with one stream: header, one sector chain, a directory of two entries."""
    stream = stream.ljust(max(4096, -(-len(stream) // 512) * 512), b"\0")
    sectors = len(stream) // 512
    tables = -(-(sectors + 2) // 128)
    while tables * 128 < sectors + 1 + tables:
        tables += 1
    end, free, table = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD
    chain = [*range(1, sectors), end, end, *[table] * tables]  # the stream, the directory, the tables themselves
    chain += [free] * (tables * 128 - len(chain))
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    head += struct.pack("<IIIIIIIII", 0, tables, sectors, 0, 4096, end, 0, end, 0)
    places = [sectors + 1 + number for number in range(tables)]
    head += struct.pack("<109I", *places, *[free] * (109 - tables))

    def entry(text: str, kind: int, child: int, start: int, size: int) -> bytes:
        encoded = (text + "\0").encode("utf-16-le")
        return (
            encoded.ljust(64, b"\0")
            + struct.pack("<HBBIII", len(encoded), kind, 1, free, free, child)
            + bytes(36)
            + struct.pack("<IQ", start, size)
        )

    directory = entry("Root Entry", 5, 1, end, 0) + entry(name, 2, free, 0, len(stream))
    directory += entry("", 0, free, 0, 0) * 2
    return head + stream + directory.ljust(512, b"\0") + struct.pack(f"<{len(chain)}I", *chain)


def biff5(rows: Sequence[Sequence[str | float | None]], *, name: str = "Sheet1") -> bytes:
    """A workbook of Excel 5 or 95: text in the code page, strings in the cells."""
    title = name.encode("gbk")
    cells = b""
    for row, values in enumerate(rows):
        for column, value in enumerate(values):
            place = struct.pack("<HHH", row, column, 0)
            if isinstance(value, str):
                text = value.encode("gbk")
                cells += _record(0x204, place + struct.pack("<H", len(text)) + text)
            elif value is not None:
                cells += _record(0x203, place + struct.pack("<d", value))
    begin = _record(0x809, struct.pack("<HHHH", 0x500, 5, 0x0DBB, 1996)) + _record(0x42, struct.pack("<H", 936))
    listed = 4 + 6 + 1 + len(title)
    offset = len(begin) + listed + 4
    begin += _record(0x85, struct.pack("<IBBB", offset, 0, 0, len(title)) + title) + _record(0x0A, b"")
    size = struct.pack("<HHHHH", 0, len(rows), 0, max(map(len, rows)), 0)
    sheet = _record(0x809, struct.pack("<HHHH", 0x500, 0x10, 0x0DBB, 1996)) + _record(0x200, size) + cells
    return ole(begin + sheet + _record(0x0A, b""), "Book")


def raw_biff(version: int) -> bytes:
    """The beginning of a workbook of Excel 2, 3 or 4: a bare stream of records."""
    number, length = {2: (0x09, 4), 3: (0x209, 6), 4: (0x409, 6)}[version]
    return _record(number, struct.pack("<HHH", version << 8, 0x10, 0)[:length]) + _record(0x0A, b"") + bytes(200)


def locked_xls(rows: make.Rows, *, method: str) -> bytes:
    """An old workbook whose stream says that it is encrypted: RC4 or XOR, as [MS-XLS] FILEPASS."""
    data = bytearray(make.xls(rows))
    body = {"xor": struct.pack("<HHH", 0, 0x1234, 0x5678), "rc4": struct.pack("<HHH", 1, 1, 1) + bytes(48)}[method]
    at = data.index(b"\x09\x08\x10\x00")
    while True:  # a record behind the first that is long enough becomes the lock
        number, length = struct.unpack_from("<HH", data, at)
        if number not in (0x809, 0xE1) and length >= len(body):
            data[at : at + 4 + len(body)] = struct.pack("<HH", 0x2F, length) + body
            return bytes(data)
        at += 4 + length


def big_part(megabytes: int, fill: bytes = b"\0") -> bytes:
    """A workbook with a part of this size, written piece by piece so that nobody needs the memory."""
    out = io.BytesIO(make.xlsx([["姓名"]], extra={}))
    piece = fill * (1024 * 1024)
    with (
        zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as archive,
        archive.open("xl/media/image1.png", "w") as part,
    ):
        for _ in range(megabytes):
            part.write(piece)
    return out.getvalue()
