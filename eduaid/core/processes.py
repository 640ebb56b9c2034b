"""Child processes that end with their parent: start, recognise, stop. Plain Python, no Django.

Used for the embedded servers and for the processes of `manage.py up`. A process is recognised by its number *and* its
moment of start, because numbers are used again, soonest of all after a container was restarted.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

LOG_LIMIT = 10 * 1024 * 1024
"""Bytes after which a log is set aside (one older generation is kept)."""

_PR_SET_PDEATHSIG = 1
# Loaded before the fork: between fork and exec nothing may be imported.
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass(frozen=True)
class Account:
    """The system account that a server runs as."""

    uid: int
    gid: int

    @property
    def is_current(self) -> bool:
        return self.uid == os.geteuid()

    def owns(self, path: Path) -> bool:
        return path.stat().st_uid == self.uid

    def may_enter(self, folder: Path) -> bool:
        """Whether the account can reach what lies in the folder (every folder above it included)."""
        return all(self._permits(part, 0o1) for part in (folder, *folder.parents) if part.exists())

    def may_run(self, program: Path) -> bool:
        return self.may_enter(program.parent) and self._permits(program, 0o5)

    def _permits(self, path: Path, wanted: int) -> bool:
        found = path.stat()
        if found.st_uid == self.uid:
            return found.st_mode >> 6 & wanted == wanted
        if found.st_gid == self.gid:
            return found.st_mode >> 3 & wanted == wanted
        return found.st_mode & wanted == wanted


def current_account() -> Account:
    return Account(os.geteuid(), os.getegid())


def unprivileged_account() -> Account:
    """`nobody` with its own group (named nogroup on Debian, nobody elsewhere: hence the numbers)."""
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        return Account(65534, 65534)
    return Account(entry.pw_uid, entry.pw_gid)


def started_at(pid: int) -> int | None:
    """The process's moment of start in clock ticks since boot; None when there is no such process.

    Zombies count as gone. Where /proc is missing, 0 stands for "alive, moment unknown".
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except FileNotFoundError:
        if Path("/proc/self/stat").exists():
            return None
    except ProcessLookupError:
        return None
    else:
        return None if fields[0] in (b"Z", b"X") else int(fields[19])
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass
    return 0


class LockedError(Exception):
    """Another process holds the lock; `holder` is what it wrote there."""

    def __init__(self, holder: str) -> None:
        super().__init__(holder)
        self.holder = holder


def take_lock(path: Path) -> IO[str]:
    """Take the lock of this file, held until it is closed or the process ends, however it ends."""
    file = path.open("a+", encoding="utf-8")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        with file:
            raise LockedError(file.read().strip() or "?") from None
    note_holder(file, str(os.getpid()))
    return file


def note_holder(lock: IO[str], text: str) -> None:
    """What others are told while the lock is held."""
    lock.truncate(0)
    lock.write(text)
    lock.flush()


def open_log(path: Path) -> int:
    """A descriptor that appends to the log; the log is readable by its owner only."""
    with contextlib.suppress(FileNotFoundError):
        if path.stat().st_size > LOG_LIMIT:
            path.replace(path.with_name(path.name + ".1"))
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)


def spawn(
    command: Sequence[str | os.PathLike[str]],
    *,
    log: Path,
    environment: Mapping[str, str],
    account: Account | None = None,
    cwd: Path = Path("/"),
    death_signal: signal.Signals = signal.SIGTERM,
    stdin: bytes = b"",
    pass_fds: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start a child in a session of its own, so that Ctrl-C reaches the parent alone and the parent sets the order.

    `death_signal` is what the kernel sends to the child if the parent dies without having stopped it (Linux only).
    Call it from the main thread: to the kernel "the parent" is the thread that forked.
    """
    parent = os.getpid()

    def die_with_parent() -> None:
        if _libc is not None:
            _libc.prctl(_PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
            if os.getppid() != parent:
                os._exit(1)

    other = account if account is not None and not account.is_current else None
    output = open_log(log)
    try:
        child = subprocess.Popen(
            [os.fspath(part) for part in command],
            stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=cwd,
            env=dict(environment),
            user=other.uid if other else None,
            group=other.gid if other else None,
            extra_groups=[] if other else None,
            start_new_session=True,
            pass_fds=pass_fds,
            # Runs after the change of user, which would clear the death signal. Nothing in it takes a lock.
            preexec_fn=die_with_parent,
        )
    finally:
        os.close(output)
    if child.stdin is not None:
        with child.stdin:
            child.stdin.write(stdin)
    return child


def stop(child: subprocess.Popen[bytes], sent: signal.Signals | None, patience: float) -> None:
    """Ask the child to end; after `patience` seconds end it and everything that it started.

    `sent=None` for a child that was asked already: a second request makes some programs drop what they hold.
    """
    if child.poll() is None:
        if sent is not None:
            child.send_signal(sent)
        try:
            child.wait(patience)
        except subprocess.TimeoutExpired:
            _kill_group(child.pid)
            child.wait()
    # What a killed server or worker had started must not outlive it.
    _kill_group(child.pid)


def _kill_group(leader: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def wait_gone(pid: int, patience: float) -> bool:
    """Wait for a process that is not our child; True when it is gone."""
    limit = time.monotonic() + patience
    while started_at(pid) is not None:
        if time.monotonic() > limit:
            return False
        time.sleep(0.05)
    return True


def last_lines(log: Path, count: int = 5) -> str:
    """The end of a log, for an error message."""
    try:
        lines = log.read_text("utf-8", "replace").splitlines()
    except FileNotFoundError:
        return ""
    return "\n".join(lines[-count:])
