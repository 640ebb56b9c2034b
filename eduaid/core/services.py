"""The embedded PostgreSQL and Valkey of one checkout: real servers, on unix sockets only, kept in the state folder.

No Django here: settings ask `running()` at every start of `manage.py`. State folder (`./.local` or EDUAID_STATE):

    postgres/ valkey/      data, owned by the account that the servers run as (`nobody` when root started them)
    services.json          who supervises the servers, where their sockets are (mode 0600, only while they run)
    passwords.json secret_key keyring   made once, mode 0600
    logs/ servers/         logs of children; copies of server programs where the originals cannot be reached
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self
from urllib.parse import quote

from eduaid.core import processes
from eduaid.core.processes import Account
from eduaid.core.servers import Place, Postgres, ServicesError, Valkey

CHECKOUT = Path(__file__).resolve().parents[2]
ROOT_STATE = Path("/var/lib/eduaid")
DATABASE = "eduaid"
OWNER_ROLE = "eduaid_owner"
APPLICATION_ROLE = "eduaid_app"

_SOCKET_NAME_LIMIT = 107 - len("/.s.PGSQL.5432")


class AlreadyRunningError(ServicesError):
    """Another process supervises the services of this state folder."""


@dataclass(frozen=True)
class Endpoints:
    """Where the services are. The database URLs suit libpq and django-environ alike, the last one Celery."""

    database_url: str
    database_owner_url: str
    superuser_url: str
    redis_url: str

    def environment(self) -> dict[str, str]:
        """What a child process needs to use these services (the superuser stays out of it)."""
        return {
            "DATABASE_URL": self.database_url,
            "DATABASE_OWNER_URL": self.database_owner_url,
            "REDIS_URL": self.redis_url,
        }


# --- state folder and what is kept in it ----------------------------------------------------------------------


def state_dir(base: Path = CHECKOUT) -> Path:
    """The state folder of a checkout; a question only, nothing is created.

    PostgreSQL refuses root and so runs as `nobody`: where `nobody` cannot enter the checkout, root's state lies in
    /var/lib/eduaid under a name made from the checkout's path.
    """
    named = os.environ.get("EDUAID_STATE")
    if named:
        return Path(named).expanduser().absolute()
    local = base.resolve() / ".local"
    if os.geteuid() == 0 and not processes.unprivileged_account().may_enter(local.parent):
        return ROOT_STATE / hashlib.sha256(os.fsencode(local.parent)).hexdigest()[:12]
    return local


def secret_key(state: Path) -> str:
    """Django's secret key of the embedded default, made at first use."""
    return _kept(state / "secret_key", lambda: secrets.token_urlsafe(50))


def keyring(state: Path) -> str:
    """The ring of key-encrypting keys (JSON) of the embedded default, made at first use."""

    def new() -> str:
        # Settings import this module, and sealing needs settings.
        from eduaid.core.sealing import new_keyring

        return new_keyring()

    return _kept(state / "keyring", new)


def _kept(path: Path, new: Callable[[], str]) -> str:
    """The file's text; made atomically with mode 0600 if it is not there, so that of two makers one wins for both."""
    with contextlib.suppress(FileNotFoundError):
        return path.read_text("utf-8")
    make_state_folder(path.parent)
    handle, unfinished = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(new())
            file.flush()
            os.fsync(handle)
        with contextlib.suppress(FileExistsError):
            os.link(unfinished, path)
    finally:
        os.unlink(unfinished)
    return path.read_text("utf-8")


def make_state_folder(state: Path) -> None:
    # Root's servers run as `nobody` and must pass through; what is private below is private by itself.
    mode = 0o711 if os.geteuid() == 0 else 0o700
    try:
        for folder in (*reversed(state.parents), state):
            if not folder.exists():
                folder.mkdir(exist_ok=True)
                folder.chmod(mode)  # whatever the umask is
        owner = state.stat().st_uid
        if owner == os.geteuid():
            state.chmod(mode)
    except OSError as error:
        raise ServicesError(
            f"不能在 {state} 建立数据目录({error.strerror})。请检查权限,或用 EDUAID_STATE 指定另一个目录。"
        ) from error
    if os.geteuid() not in (owner, 0):
        raise ServicesError(f"{state} 属于另一个用户。请用该用户启动,或用 EDUAID_STATE 指定另一个目录。")


# --- what runs ------------------------------------------------------------------------------------------------


def running(base: Path = CHECKOUT) -> Endpoints | None:
    """The services of this checkout if somebody supervises them now; costs two small reads."""
    return _read_endpoints(state_dir(base))


def _read_endpoints(state: Path) -> Endpoints | None:
    try:
        record = json.loads((state / "services.json").read_bytes())
    except (FileNotFoundError, PermissionError, ValueError):
        return None
    if processes.started_at(record["pid"]) != record["started"]:
        return None
    return Endpoints(**record["endpoints"])


class Services:
    """Both servers of a state folder as children of this process.

    Use as a context manager. `revive()` restarts what died. Servers that a killed predecessor left behind are stopped
    first. `throw_away` trades durability for speed (tests). `postgres=False` or `valkey=False` leaves one out.
    """

    def __init__(self, state: Path, *, throw_away: bool = False, postgres: bool = True, valkey: bool = True) -> None:
        self.state = state
        self._throw_away = throw_away
        self._wanted = [name for name, wanted in (("valkey", valkey), ("postgres", postgres)) if wanted]
        self._servers: list[Postgres | Valkey] = []
        self._passwords: dict[str, str] = {}
        self._sockets: Path | None = None
        self._lock: IO[str] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> Endpoints:
        make_state_folder(self.state)
        try:
            self._lock = processes.take_lock(self.state / "services.lock")
        except processes.LockedError as error:
            raise AlreadyRunningError(f"{self.state} 的服务已由进程 {error.holder} 启动。") from error
        try:
            (self.state / "logs").mkdir(mode=0o700, exist_ok=True)
            account = _server_account(self.state)
            self._passwords = json.loads(_kept(self.state / "passwords.json", _new_passwords))
            _remove_left_sockets(self.state)
            self._sockets = _make_socket_folder(account)
            place = Place(self.state, self._sockets, account, self._throw_away)
            for name in self._wanted:
                server = (
                    Valkey(place, self._passwords["valkey"])
                    if name == "valkey"
                    else Postgres(place, self._passwords["postgres"])
                )
                self._servers.append(server)
                server.start()
            if "postgres" in self._wanted:
                self._provision()
            self._write_record()
        except BaseException:
            self.stop()
            raise
        return self.endpoints

    @property
    def endpoints(self) -> Endpoints:
        def database_url(role: str, name: str) -> str:
            if "postgres" not in self._wanted:
                return ""
            return f"postgresql://{role}:{self._passwords[role]}@/{name}?host={quote(str(self._sockets))}"

        valkey = f"redis+socket://:{self._passwords['valkey']}@{quote(str(self._sockets))}/valkey.sock?virtual_host=0"
        return Endpoints(
            database_url=database_url(APPLICATION_ROLE, DATABASE),
            database_owner_url=database_url(OWNER_ROLE, DATABASE),
            superuser_url=database_url("postgres", "postgres"),
            redis_url=valkey if "valkey" in self._wanted else "",
        )

    def process_ids(self) -> dict[str, int]:
        """The running servers by name (`postgres`, `valkey`)."""
        return {
            server.name: server.child.pid
            for server in self._servers
            if server.child is not None and server.child.poll() is None
        }

    def revive(self) -> list[tuple[str, int]]:
        """Restart the servers that ended by themselves; gives their names and exit codes."""
        revived = []
        for server in self._servers:
            if server.child is not None and server.child.poll() is not None:
                revived.append((server.name, server.child.returncode))
                server.start()
        return revived

    def stop(self) -> None:
        """End both servers in order; can be called twice and after a start that failed half-way."""
        if self._lock is not None:
            (self.state / "services.json").unlink(missing_ok=True)
        while self._servers:
            self._servers[0].stop()
            del self._servers[0]
        if self._sockets is not None:
            shutil.rmtree(self._sockets, ignore_errors=True)
            self._sockets = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _provision(self) -> None:
        # Settings import this module at every start of manage.py; the driver is wanted only here.
        from eduaid.core.provisioning import provision

        urls = self.endpoints
        provision(urls.superuser_url, urls.database_owner_url, urls.database_url)

    def _write_record(self) -> None:
        record = {
            "pid": os.getpid(),
            "started": processes.started_at(os.getpid()),
            "endpoints": self.endpoints.__dict__,
            "sockets": str(self._sockets),
        }
        handle, unfinished = tempfile.mkstemp(dir=self.state, prefix="services")
        with os.fdopen(handle, "w") as file:
            json.dump(record, file)
        os.replace(unfinished, self.state / "services.json")


def _server_account(state: Path) -> Account:
    """Ourselves; for root the owner of the state folder, or `nobody` if that is root, whom PostgreSQL refuses."""
    if os.geteuid() != 0:
        return processes.current_account()
    owner = state.stat()
    account = Account(owner.st_uid, owner.st_gid) if owner.st_uid else processes.unprivileged_account()
    if not account.may_enter(state):
        raise ServicesError(
            f"以 root 启动时,数据库以普通账户运行,但该账户进不了 {state}。"
            "请用 EDUAID_STATE 指定一个各级上级目录都可进入的目录,或改用普通用户启动。"
        )
    return account


def _new_passwords() -> str:
    return json.dumps({name: secrets.token_hex(24) for name in ("postgres", OWNER_ROLE, APPLICATION_ROLE, "valkey")})


def _make_socket_folder(account: Account) -> Path:
    """A short private folder: a socket's path may have 107 bytes, and a checkout's path can be longer or Chinese."""
    for parent in ("/tmp", tempfile.gettempdir(), "/run", "/dev/shm"):
        if len(os.fsencode(parent)) + len("/eduaid-12345678") > _SOCKET_NAME_LIMIT or not os.access(parent, os.W_OK):
            continue
        folder = Path(tempfile.mkdtemp(prefix="eduaid-", dir=parent))
        if not account.is_current:
            os.chown(folder, account.uid, account.gid)
        return folder
    raise ServicesError("没有可写的短路径目录用来放置套接字,请让 /tmp 可写。")


def _remove_left_sockets(state: Path) -> None:
    """The socket folder of a killed predecessor; the caller holds the lock, so nobody supervises it any more."""
    with contextlib.suppress(FileNotFoundError, KeyError, ValueError):
        shutil.rmtree(json.loads((state / "services.json").read_bytes())["sockets"], ignore_errors=True)


# --- tests ----------------------------------------------------------------------------------------------------

_client_locks: dict[Path, IO[str]] = {}


def for_tests(state: Path | None = None) -> Endpoints:
    """The throw-away services that all test processes of this checkout share; started by the first that asks.

    They are kept by a process of its own, which ends them when the last process that called this function is gone,
    however it went: each holds a shared lock that the kernel takes back, and the keeper waits for it.
    """
    state = state or state_dir() / "test"
    make_state_folder(state.parent)
    make_state_folder(state)
    with (state / "start.lock").open("a") as one_at_a_time:
        fcntl.flock(one_at_a_time, fcntl.LOCK_EX)
        if state not in _client_locks:
            lock = (state / "clients.lock").open("a")
            fcntl.flock(lock, fcntl.LOCK_SH)  # waits while a keeper is just stopping
            _client_locks[state] = lock
        endpoints = _read_endpoints(state)
        if endpoints is None:
            _start_keeper(state)
            endpoints = _read_endpoints(state)
    if endpoints is None:
        raise ServicesError(f"测试用的服务没有启动:\n{processes.last_lines(state / 'logs' / 'keeper.log', 20)}")
    return endpoints


def _start_keeper(state: Path) -> None:
    """Start the keeper in a session of its own and wait until the services answer or it has failed."""
    told, tell = os.pipe()
    log = processes.open_log(state / "logs" / "keeper.log")
    try:
        subprocess.Popen(
            [sys.executable, "-m", "eduaid.core.services", str(state), str(tell)],
            cwd=CHECKOUT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            pass_fds=[tell],
        )
    finally:
        os.close(tell)
        os.close(log)
    with os.fdopen(told, "rb") as pipe:
        pipe.read(1)


def _keep(state: Path, tell: int) -> None:
    """Serve until no client holds its lock any more (or until SIGTERM)."""
    signal.signal(signal.SIGTERM, lambda _signal, _frame: sys.exit(0))
    # The lock is let go after the servers: who asks while they stop waits, and then starts anew.
    with (state / "clients.lock").open("a") as lock, Services(state, throw_away=True) as servers:
        os.write(tell, b"+")
        os.close(tell)
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                servers.revive()
                time.sleep(0.2)
            else:
                return


if __name__ == "__main__":
    _keep(Path(sys.argv[1]), int(sys.argv[2]))
