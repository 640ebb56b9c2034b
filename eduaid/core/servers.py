"""PostgreSQL and Valkey as children of this process: start, readiness, stop. Plain Python, no Django."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from eduaid.core import processes
from eduaid.core.binaries import PostgresPrograms, find_postgres, find_valkey
from eduaid.core.processes import Account

INITDB_LOCALE = ("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", "--encoding=UTF8")
"""The same sorting on every machine; docker-compose.yml says the same in POSTGRES_INITDB_ARGS."""

POSTGRES_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "shared_buffers": "256MB",
    "work_mem": "32MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "2GB",
    "synchronous_commit": "on",
    "jit": "off",
    # A refused statement would bring names and numbers into the log, by its text or by "Key (…)=(…) already exists".
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
THROW_AWAY_SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "shared_buffers": "128MB",
}
START_SECONDS = 60.0


class ServicesError(Exception):
    """The embedded services cannot do what was asked; the text tells the user what to do."""


@dataclass(frozen=True)
class Place:
    """What both servers are told: where to keep data and sockets, as whom to run, and whether the data matters."""

    state: Path
    sockets: Path
    account: Account
    throw_away: bool

    def log(self, name: str) -> Path:
        return self.state / "logs" / f"{name}.log"

    @property
    def copies(self) -> Path:
        """Where server programs are copied that the account cannot reach."""
        return self.state / "servers"

    def own(self, folder: Path) -> Path:
        """Create the folder with mode 0700, owned by the servers' account."""
        folder.mkdir(mode=0o700, exist_ok=True)
        if not self.account.is_current:
            try:
                os.chown(folder, self.account.uid, self.account.gid)
            except OSError as error:
                raise ServicesError(
                    f"不能把 {folder} 交给账户 {self.account.uid}({error.strerror})。请改用普通用户启动。"
                ) from error
        return folder


def _environment() -> dict[str, str]:
    """Bare on purpose: PG* variables of the user must not reach the server, nor its messages be translated."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def _await(ready: Callable[[], bool], child: subprocess.Popen[bytes], limit: float) -> bool:
    """Poll until ready; False when the child ended or the time is over."""
    while time.monotonic() < limit:
        if ready():
            return True
        if child.poll() is not None:
            return False
        time.sleep(0.01)
    return False


class Postgres:
    """The cluster in `postgres/` of the state folder; made by the first start."""

    name = "postgres"

    def __init__(self, place: Place, superuser_password: str) -> None:
        self.place = place
        self.child: subprocess.Popen[bytes] | None = None
        self._data = place.state / "postgres"
        self._unclean = place.state / "unclean"
        self._superuser_password = superuser_password
        self._programs: PostgresPrograms | None = None

    def start(self) -> None:
        """Returns when connections are accepted; after a crash that is when recovery is over."""
        if self._programs is None:
            self._programs = self._find_programs()
            self._initialise(self._programs)
        settings = POSTGRES_SETTINGS | (THROW_AWAY_SETTINGS if self.place.throw_away else {})
        settings["unix_socket_directories"] = str(self.place.sockets)
        command: list[str | Path] = [self._programs.path("postgres"), "-D", self._data]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        log = self.place.log("postgres")
        limit = time.monotonic() + START_SECONDS
        while True:
            free_data_folder(self._data)
            self.child = processes.spawn(
                command,
                log=log,
                environment=_environment(),
                account=self.place.account,
                death_signal=signal.SIGINT,
            )
            if _await(partial(_postmaster_ready, self._data, self.child.pid), self.child, limit):
                return
            # Backends of a killed postmaster hold its shared memory for a moment longer.
            if "shared memory block" not in processes.last_lines(log) or time.monotonic() > limit:
                raise ServicesError(f"PostgreSQL 没有启动:\n{processes.last_lines(log)}")
            time.sleep(0.2)

    def stop(self) -> None:
        """ "Fast" shutdown: sessions are ended, everything is written. After a minute recovery is the smaller evil."""
        if self.child is not None:
            processes.stop(self.child, signal.SIGINT, patience=60)
            if self.child.returncode == 0:
                self._unclean.unlink(missing_ok=True)
            self.child = None

    def _find_programs(self) -> PostgresPrograms:
        version = self._data / "PG_VERSION"
        major = int(version.read_text("ascii")) if version.exists() else None
        account, copies = self.place.account, self.place.copies
        if not self.place.throw_away:
            return find_postgres(account, copies=copies, major=major)
        programs = find_postgres(account, copies=copies)
        if self._data.exists() and (major != programs.major or self._unclean.exists()):
            # Without fsync a crash may leave rubbish; nothing in it is worth a repair.
            free_data_folder(self._data)
            shutil.rmtree(self._data)
        self._unclean.touch()
        return programs

    def _initialise(self, programs: PostgresPrograms) -> None:
        """initdb beside the final place, then rename: a half-made cluster is never taken for a whole one."""
        if self._data.exists():
            return
        unfinished = self._data.with_name("postgres.part")
        shutil.rmtree(unfinished, ignore_errors=True)
        self.place.own(unfinished)
        password_file = self.place.sockets / "password"
        password_file.touch(mode=0o600)
        password_file.write_text(self._superuser_password)
        os.chown(password_file, self.place.account.uid, self.place.account.gid)
        log = self.place.log("initdb")
        command: list[str | Path] = [
            programs.path("initdb"),
            *INITDB_LOCALE,
            "--username=postgres",
            "--auth=scram-sha-256",
            f"--pwfile={password_file}",
            f"--pgdata={unfinished}",
            *(["--no-sync"] if self.place.throw_away else []),
        ]
        child = processes.spawn(command, log=log, environment=_environment(), account=self.place.account)
        code = child.wait()
        password_file.unlink()
        if code != 0:
            raise ServicesError(f"数据库初始化失败:\n{processes.last_lines(log)}")
        unfinished.rename(self._data)


class Valkey:
    """The broker in `valkey/` of the state folder."""

    name = "valkey"

    def __init__(self, place: Place, password: str) -> None:
        self.place = place
        self.child: subprocess.Popen[bytes] | None = None
        self._password = password
        self._socket = place.sockets / "valkey.sock"

    def start(self) -> None:
        """Returns when it answers; before that it loads its file."""
        data = self.place.own(self.place.state / "valkey")
        self._socket.unlink(missing_ok=True)
        configuration = {
            "port": "0",
            "unixsocket": str(self._socket),
            "unixsocketperm": "700",
            "requirepass": self._password,
            "dir": str(data),
            "appendonly": "no" if self.place.throw_away else "yes",
            "save": "",
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
        }
        lines = "".join(f"{name} {_quoted(value)}\n" for name, value in configuration.items())
        log = self.place.log("valkey")
        self.child = processes.spawn(
            [find_valkey(self.place.account, copies=self.place.copies), "-"],  # no password in the process list
            log=log,
            environment=_environment(),
            account=self.place.account,
            stdin=lines.encode(),
        )
        ready = partial(_valkey_ready, self._socket, self._password)
        if not _await(ready, self.child, time.monotonic() + START_SECONDS):
            raise ServicesError(f"Valkey 没有启动:\n{processes.last_lines(log)}")

    def stop(self) -> None:
        if self.child is not None:
            processes.stop(self.child, signal.SIGTERM, patience=10)
            self.child = None


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _valkey_ready(path: Path, password: str) -> bool:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(2)
        try:
            connection.connect(str(path))
            connection.sendall(f"AUTH {password}\r\nPING\r\n".encode())
            answer = b""
            while answer.count(b"\r\n") < 2 and (part := connection.recv(200)):
                answer += part
        except OSError:
            return False
    return answer == b"+OK\r\n+PONG\r\n"


def _postmaster_ready(data: Path, pid: int) -> bool:
    """The eighth line of postmaster.pid says `ready` once recovery is over (pg_ctl waits for the same)."""
    try:
        lines = (data / "postmaster.pid").read_text("utf-8", "replace").splitlines()
    except (FileNotFoundError, PermissionError):
        return False
    return len(lines) >= 8 and lines[0].strip() == str(pid) and lines[7].strip() == "ready"


def free_data_folder(data: Path) -> None:
    """Deal with the postmaster.pid of a predecessor, by whom it names.

    A live postmaster of this folder (its supervisor was killed) is stopped. A number that now belongs to another
    program would make PostgreSQL refuse to start for ever: it is replaced by our own, which PostgreSQL takes for
    stale while it still checks that nobody uses the old shared memory. (Removing the file would skip that check.)
    """
    pid_file = data / "postmaster.pid"
    try:
        first, _newline, rest = pid_file.read_text("utf-8", "surrogateescape").partition("\n")
        pid = abs(int(first))
    except (FileNotFoundError, ValueError):
        return
    if processes.started_at(pid) is None:
        return
    if _is_postmaster_of(pid, data):
        os.kill(pid, signal.SIGINT)
        if not processes.wait_gone(pid, patience=30):
            os.kill(pid, signal.SIGQUIT)
            processes.wait_gone(pid, patience=10)
    else:
        with pid_file.open("r+", encoding="utf-8", errors="surrogateescape") as file:
            file.write(f"{os.getpid()}\n{rest}")
            file.truncate()


def _is_postmaster_of(pid: int, data: Path) -> bool:
    try:
        return Path(os.readlink(f"/proc/{pid}/cwd")) == data.resolve() and (
            Path(f"/proc/{pid}/comm").read_text().strip() == "postgres"
        )
    except OSError:
        return False
