"""What all measurements share: timing, memory of processes, medians, the state of the machine, tables."""

from __future__ import annotations

import os
import platform
import statistics
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

MB = 1024 * 1024


@dataclass
class Steps:
    """One run by named step: seconds on the wall, seconds of processors, peak of this process's memory (bytes).

    Processors' seconds are those of this process, of its children that have ended, and of the process `backend` (the
    database's). They hardly change with what else runs on the machine.
    """

    backend: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    processors: dict[str, float] = field(default_factory=dict)
    memory: dict[str, int] = field(default_factory=dict)

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        self.seconds[name] = 0.0  # a step stands before the steps within it
        started, busy = time.perf_counter(), self._busy()
        yield
        self.seconds[name] = time.perf_counter() - started
        self.processors[name] = self._busy() - busy
        self.memory[name] = peak_memory(os.getpid())

    def _busy(self) -> float:
        children = os.times()
        other = int(Path(f"/proc/{self.backend}/schedstat").read_text().split()[0]) / 1e9 if self.backend else 0.0
        return time.process_time() + children.children_user + children.children_system + other


def peak_memory(pid: int) -> int:
    """Bytes that the process has held at most since its program started; 0 when it is gone.

    Not `getrusage`: its peak counts what the process was a copy of before it started its own program.
    """
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except (FileNotFoundError, ProcessLookupError):
        pass
    return 0


def children_of(pid: int) -> list[int]:
    """The running children of a process, whichever of its threads started them."""
    found: list[int] = []
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            found.extend(map(int, (task / "children").read_text().split()))
    except (FileNotFoundError, ProcessLookupError):
        pass
    return found


class Watcher:
    """Watches a process from outside while the block runs: the largest peak of any of its children (bytes)."""

    def __init__(self, pid: int, *, every: float = 0.02) -> None:
        self.peak = 0
        self._pid, self._every, self._stop = pid, every, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Watcher:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(self._every):
            self.peak = max([self.peak, *map(peak_memory, children_of(self._pid))])


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def load() -> float:
    """How many processes wanted a processor on average in the last minute."""
    return os.getloadavg()[0]


def machine() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    model = next(models, platform.machine())
    return f"{os.cpu_count()} × {model}, Python {platform.python_version()}"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Plain text, columns aligned: the first to the left, the others to the right."""
    widths = [max(len(row[position]) for row in (header, *rows)) for position in range(len(header))]

    def line(row: Sequence[str]) -> str:
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        return "  ".join(cells).rstrip()

    return "\n".join([line(header), "  ".join("-" * width for width in widths), *map(line, rows)])
