"""Reading a workbook that nobody vouches for. The work happens in a separate process with limits and without
credentials; this side only receives checked frames, block by block, so that its memory stays flat.

``open_book`` streams; ``parse`` reads a whole book into memory, for small files and tests. Both raise ``FileRefused``,
also in the midst of reading: what was received until then must not be used.
"""

import importlib.util
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any, Literal

from eduaid.core.cells import Cell, Row
from eduaid.core.preflight import SENTENCES, FileRefused, Kind, Limits
from eduaid.core.reading.frames import HEAD, LARGEST_FRAME, read_block

Visible = Literal["visible", "hidden", "very-hidden"]
Mode = Literal["read", "explain"]
_CHILD = Path(__file__).with_name("reading") / "child.py"


@dataclass(slots=True)
class Block:
    """Some rows on end. ``first`` is the spreadsheet's number of the first; blank rows are empty lists."""

    first: int
    rows: list[Row]

    def numbered(self) -> Iterator[tuple[int, Row]]:
        """(row number as the user sees it, cells), blank rows left out."""
        return ((number, row) for number, row in enumerate(self.rows, self.first) if row)


@dataclass(slots=True)
class SheetFacts:
    """A sheet's structure. Rows are numbered from 1 as the user sees them, columns from 0 as in a row's list."""

    name: str
    visible: Visible
    index: int
    merged: list[tuple[int, int, int, int]] = field(
        default_factory=list
    )  # first row, first column, last row, last column
    hidden_rows: frozenset[int] = frozenset()
    hidden_columns: frozenset[int] = frozenset()
    formulas: dict[int, int] = field(default_factory=dict)  # column → cells whose value a formula computed


@dataclass(slots=True)
class Sheet(SheetFacts):
    """One sheet, read whole. ``rows`` holds blank rows too, so that row *n* of the spreadsheet is ``rows[n - 1]``."""

    rows: list[Row] = field(default_factory=list)
    cells: int = 0
    pictures: int = 0


@dataclass(slots=True)
class Book:
    """A workbook read whole. ``notes``: macros, other-sheets (charts, macro sheets), nul-bytes: left out, to be
    told."""

    kind: Kind
    epoch_1904: bool
    sheets: list[Sheet]
    notes: tuple[str, ...]


class OpenSheet(SheetFacts):
    """One sheet while it is being read. Iterating gives its blocks, once; then ``cells``, ``filled`` and
    ``pictures`` say what was read, and the independent count has agreed."""

    __slots__ = ("_blocks", "cells", "filled", "pictures")

    def __init__(self, blocks: Iterator[Block], **facts: Any) -> None:
        super().__init__(**facts)
        self._blocks = blocks
        self.cells = self.filled = self.pictures = 0

    def __iter__(self) -> Iterator[Block]:
        return self._blocks


class OpenBook:
    """A workbook while it is being read. ``sheet_names`` is known at once; ``sheets`` gives them in file order,
    once."""

    def __init__(self, process: "_Process", header: dict[str, Any]) -> None:
        self._process = process
        try:
            self.kind = Kind(header["kind"])
            self.epoch_1904 = bool(header["epoch_1904"])
            self.sheet_names: list[str] = [str(name) for name, _ in header["sheets"]]
            self.visible: list[Visible] = [_visible(state) for _, state in header["sheets"]]
            self.notes: tuple[str, ...] = tuple(dict.fromkeys(map(str, header["notes"])))
        except (KeyError, TypeError, ValueError):
            raise FileRefused("crashed") from None

    def sheets(self) -> Iterator[OpenSheet]:
        """Each sheet's blocks must be taken (or the rest is skipped) before the next sheet comes."""
        while True:
            letter, body = self._process.frame()
            if letter == b"X":
                return
            if letter != b"S":
                raise FileRefused("crashed")
            sheet = self._sheet(body)
            yield sheet
            for _ in sheet:
                pass

    def _sheet(self, body: bytes) -> OpenSheet:
        try:
            told = json.loads(body)
            index, facts = int(told["index"]), told["facts"]
            sheet = OpenSheet(
                iter(()),
                name=self.sheet_names[index],
                visible=self.visible[index],
                index=index,
                merged=[(int(a), int(b), int(c), int(d)) for a, b, c, d in facts["merged"]],
                hidden_rows=frozenset(map(int, facts["hidden_rows"])),
                hidden_columns=frozenset(map(int, facts["hidden_columns"])),
                formulas={int(column): int(count) for column, count in facts["formulas"].items()},
            )
        except (KeyError, TypeError, ValueError, IndexError, AttributeError):
            raise FileRefused("crashed") from None
        sheet._blocks = self._blocks(sheet)
        return sheet

    def _blocks(self, sheet: OpenSheet) -> Iterator[Block]:
        while True:
            letter, body = self._process.frame()
            try:
                if letter == b"B":
                    first, rows = read_block(body)
                    yield Block(first, rows)
                elif letter == b"E":
                    told = json.loads(body)
                    sheet.cells, sheet.filled, sheet.pictures = (
                        int(told[key]) for key in ("cells", "rows", "pictures")
                    )
                    return
                else:
                    raise FileRefused("crashed")
            except (KeyError, TypeError, ValueError):
                raise FileRefused("crashed") from None


def _visible(state: object) -> Visible:
    return "hidden" if state == "hidden" else "very-hidden" if state == "very-hidden" else "visible"


class _Process:
    """The reading process and the pipe from it. Only the time spent waiting for it counts against the wall clock, so
    that a slow consumer is not punished."""

    def __init__(self, data: bytes, limits: Limits, mode: Mode) -> None:
        self._left = limits.wall_seconds
        self._buffer = bytearray()
        command = [sys.executable, "-I", "-S", str(_CHILD), *_places(), mode, json.dumps(asdict(limits))]
        with _in_memory(data) as handed:
            self._child = subprocess.Popen(
                command,
                stdin=handed or subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # the library's complaints could quote the file
                cwd="/",
                env=_environment(),
            )
        try:
            if self._child.stdin:
                self._send(data, self._child.stdin)
        except BaseException:
            self.stop()
            raise

    def _send(self, data: bytes, stdin: IO[bytes]) -> None:
        pipe = stdin.fileno()
        os.set_blocking(pipe, False)
        rest = memoryview(data)
        try:
            while rest:
                self._wait(writable=pipe)
                rest = rest[os.write(pipe, rest[: 1 << 20]) :]
        except BrokenPipeError:
            pass  # it died or refused early: its last frame, or none, tells which
        finally:
            stdin.close()

    def _wait(self, *, readable: int | None = None, writable: int | None = None) -> None:
        started = time.monotonic()
        ready = select.select(
            [] if readable is None else [readable], [] if writable is None else [writable], [], max(self._left, 0)
        )
        self._left -= time.monotonic() - started
        if not any(ready):
            raise FileRefused("time")

    def frame(self) -> tuple[bytes, bytes]:
        """The next frame. A refusal told by the process is raised; a pipe that ends without one is a crash."""
        letter, length = HEAD.unpack(self._take(HEAD.size))
        if length > LARGEST_FRAME:
            raise _Crash(self._child)
        body = self._take(length)
        if letter == b"R":
            raise _told_refusal(body)
        return letter, body

    def _take(self, count: int) -> bytes:
        assert self._child.stdout
        pipe = self._child.stdout.fileno()
        while len(self._buffer) < count:
            self._wait(readable=pipe)
            received = os.read(pipe, 1 << 20)
            if not received:
                raise _Crash(self._child)
            self._buffer += received
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken

    def stop(self) -> None:
        self._child.kill()
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe and not pipe.closed:
                pipe.close()
        self._child.wait()


class _Crash(Exception):
    """The process ended without a last word: killed by a limit or by a fault in a library."""

    def __init__(self, child: subprocess.Popen[bytes]) -> None:
        try:
            self.signal = -child.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.signal = 0


class ParserKilled(Exception):
    """Something outside ended the process, the kernel short of memory or an operator: no fault of the file as far as is
    known. Reading may be tried again; a file that ends so every time needs more memory than there is."""


_SIGXCPU, _SIGKILL = 24, 9


def _told_refusal(body: bytes) -> FileRefused:
    """Builds the refusal from our own sentences: the process is not trusted to phrase anything."""
    try:
        told = json.loads(body)
        code = str(told["code"])
        params = {
            str(name): value if isinstance(value, int) else "".join(filter(str.isprintable, str(value)))[:60]
            for name, value in told["params"].items()
        }
        return FileRefused(code if code in SENTENCES else "crashed", **params)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):
        return FileRefused("crashed")


@contextmanager
def _in_memory(data: bytes) -> Iterator[IO[bytes] | None]:
    """The bytes as an anonymous file in memory, or None where the system has no such thing and a pipe must do."""
    if not hasattr(os, "memfd_create"):
        yield None
        return
    with open(os.memfd_create("upload", os.MFD_CLOEXEC), "wb", buffering=0) as file:
        rest = memoryview(data)
        while rest:
            rest = rest[file.write(rest) :]
        file.seek(0)
        yield file


def _places() -> tuple[str, str]:
    """The project's root and the folder of the libraries, for a process that starts with an empty search path."""
    found = importlib.util.find_spec("python_calamine")
    if found is None or not found.origin:
        raise ModuleNotFoundError("python_calamine")
    return str(Path(__file__).resolve().parents[2]), str(Path(found.origin).resolve().parents[1])


def _environment() -> dict[str, str]:
    """No credentials, no settings; one memory arena, so that the address space limit means what it says."""
    kept = {name: os.environ[name] for name in ("LD_LIBRARY_PATH", "SYSTEMROOT") if name in os.environ}
    return {"MALLOC_ARENA_MAX": "1", "LANG": "C.UTF-8", **kept}


@contextmanager
def open_book(data: bytes, filename: str = "", *, limits: Limits | None = None) -> Iterator[OpenBook]:
    """Reads a file, sheet by sheet and block by block. The file's name is only for people; the content decides.

    A process that dies (memory, time, a fault in a library) becomes a refusal with the reason, where a second look at
    the structure finds one. Raises ParserKilled where the process was killed from outside.
    """
    limits = limits or Limits()
    if len(data) == 0 or len(data) > limits.file_bytes:
        from eduaid.core.preflight import kind_of

        kind_of(data[:1], len(data), limits)
    process = _Process(data, limits, "read")
    try:
        letter, body = process.frame()
        if letter != b"H":
            raise FileRefused("crashed")
        yield OpenBook(process, json.loads(body))
    except _Crash as crash:
        process.stop()
        raise _explained(data, limits, crash.signal) from None
    finally:
        process.stop()


def _explained(data: bytes, limits: Limits, signal: int) -> FileRefused:
    if signal == _SIGXCPU:
        return FileRefused("time")
    process = None
    try:
        process = _Process(data, limits, "explain")
        process.frame()
    except FileRefused as refusal:
        return refusal
    except _Crash:
        pass
    finally:
        if process:
            process.stop()
    if signal == _SIGKILL:
        raise ParserKilled from None
    return FileRefused("crashed")


def parse(data: bytes, filename: str = "", *, limits: Limits | None = None) -> Book:
    """The whole book in memory."""
    sheets: list[Sheet] = []
    with open_book(data, filename, limits=limits) as book:
        for told in book.sheets():
            rows: list[list[Cell]] = []
            for block in told:
                rows.extend([] for _ in range(block.first - 1 - len(rows)))
                rows.extend(block.rows)
            facts = {name: getattr(told, name) for name in SheetFacts.__dataclass_fields__}
            sheets.append(Sheet(**facts, rows=rows, cells=told.cells, pictures=told.pictures))
        return Book(book.kind, book.epoch_1904, sheets, book.notes)
