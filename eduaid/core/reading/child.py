"""The programme of the reading process: a file on standard input, frames on standard output.

Started by ``eduaid.core.parser`` as ``python -I -S child.py ROOT LIBRARIES MODE LIMITS``. It limits itself before it
reads a byte of the file, and imports nothing of Django. Exit codes do not matter: the last frame says how it went,
and a missing last frame that it died.
"""

import gc
import json
import os
import resource
import stat
import sys
from itertools import islice
from types import ModuleType
from typing import Any, BinaryIO

BLOCK_ROWS = 5_000


# A small file needs little memory, whatever it claims: this much, and a multiple of what it unpacks to.
_MEMORY_BASE, _MEMORY_FACTOR = 512 * 1024 * 1024, 16


def _limit(what: int, amount: int, *, grace: int = 0) -> None:
    """Lowers one limit of this process for good; `grace` is what the kernel adds before it kills without a signal that
    says why."""
    _, ceiling = resource.getrlimit(what)
    hard = amount + grace if ceiling == resource.RLIM_INFINITY else min(amount + grace, ceiling)
    resource.setrlimit(what, (min(amount, hard), hard))


def _limit_all(limits: dict[str, Any]) -> None:
    """Address space, processor time, no files written, no core dump with personal data."""
    _limit(resource.RLIMIT_AS, int(limits["memory_bytes"]))
    _limit(resource.RLIMIT_CPU, int(limits["cpu_seconds"]), grace=1)
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_NOFILE, 32)


def _limit_memory(unpacked: int) -> None:
    _limit(resource.RLIMIT_AS, _MEMORY_BASE + _MEMORY_FACTOR * unpacked)


def _make_importable(root: str, libraries: str) -> None:
    """Lets ``eduaid.core.…`` be imported without running the packages' own start-up code, which belongs to the web."""
    sys.path.append(libraries)
    for name, folder in (("eduaid", f"{root}/eduaid"), ("eduaid.core", f"{root}/eduaid/core")):
        package = ModuleType(name)
        package.__path__ = [folder]
        sys.modules[name] = package


def _open(data: bytes, limits: Any, *, ahead: bool) -> Any:
    """The book behind the bytes, by content."""
    from eduaid.core.preflight import Kind, kind_of

    kind = kind_of(data[: 128 * 1024], len(data), limits)
    if kind is Kind.XLSX:
        from eduaid.core.preflight import SafeZip

        archive = SafeZip(data, limits)
        _limit_memory(sum(part.unpacked for part in archive.parts.values()))
        if archive.kind is Kind.ODS:
            from eduaid.core.reading import ods

            return ods.Workbook(data, limits)
        from eduaid.core.reading import xlsx

        return xlsx.Workbook(data, limits, _path_of_input(), ahead=ahead)
    if kind is Kind.XLS:
        from eduaid.core.reading import xls

        _limit_memory(8 * len(data))
        return xls.Workbook(data, limits)
    if kind is Kind.CSV:
        from eduaid.core.reading import delimited

        return delimited.Workbook(data, limits)
    from eduaid.core.reading import markup

    return (markup.Page if kind is Kind.HTML else markup.XmlSpreadsheet)(data, limits)


def _path_of_input() -> str:
    """Where a library finds the file by itself: the parent hands it over in memory that looks like a file."""
    path = "/proc/self/fd/0"
    return path if stat.S_ISREG(os.fstat(0).st_mode) and os.path.exists(path) else ""


def _tell(book: Any, out: BinaryIO) -> None:
    from dataclasses import asdict

    from eduaid.core.preflight import FileRefused
    from eduaid.core.reading.frames import block_frame, frame

    sheets = book.sheets
    if not sheets:
        raise FileRefused("no-sheets")
    names = [[sheet.name, sheet.visible] for sheet in sheets]
    out.write(frame(b"H", {"kind": book.kind, "epoch_1904": book.epoch_1904, "sheets": names, "notes": book.notes}))
    out.flush()
    for index, sheet in enumerate(sheets):
        facts = sheet.open()
        out.write(frame(b"S", {"index": index, "facts": asdict(facts)}))
        rows, first, delivered, filled = sheet.rows(), 1, 0, 0
        while block := list(islice(rows, BLOCK_ROWS)):
            held = [len(row) - row.count(None) for row in block]
            if total := sum(held):
                delivered += total
                filled += len(held) - held.count(0)
                block = [row if count else [] for row, count in zip(block, held, strict=True)]
                written = block_frame(first, block)
                if b"\"'" in written:
                    written = block_frame(first, _without_guards(block))
                out.write(written)
            first += len(block)
        sheet.verify(delivered)
        out.write(frame(b"E", {"cells": delivered, "rows": filled, "pictures": sheet.pictures}))
        out.flush()
    out.write(frame(b"X", {}))
    out.flush()


def _without_guards(rows: list[list[Any]]) -> list[list[Any]]:
    """Takes back the apostrophe that our own exports put before text that looks like a formula."""
    from eduaid.core.text.characters import restore_formula

    return [[restore_formula(cell) if type(cell) is str else cell for cell in row] for row in rows]


def _explain(book: Any) -> None:
    """After a crash: look at the structure only, and name the reason if it can be named."""
    for sheet in book.sheets:
        if hasattr(sheet, "refuse_far"):
            sheet.refuse_far()


def main(root: str, libraries: str, mode: str, limits_json: str) -> None:
    limits_given = json.loads(limits_json)
    _limit_all(limits_given)
    gc.disable()  # the process lives for one file and makes no cycles worth collecting
    _make_importable(root, libraries)

    from eduaid.core.preflight import FileRefused, Limits
    from eduaid.core.reading.frames import frame

    out = sys.stdout.buffer
    try:
        data = sys.stdin.buffer.read()
        book = _open(data, Limits(**limits_given), ahead=mode == "read")
        if mode == "explain":
            _explain(book)
        else:
            _tell(book, out)
    except FileRefused as refusal:
        out.write(frame(b"R", {"code": refusal.code, "params": refusal.params}))
    except MemoryError:
        out.write(frame(b"R", {"code": "memory", "params": {}}))
    out.flush()
    os._exit(0)  # not worth tidying up; and the library may still be busy with a file that was refused


if __name__ == "__main__":
    main(*sys.argv[1:])
