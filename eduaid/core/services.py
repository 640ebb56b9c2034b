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
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import IO, Self
from urllib.parse import quote

from eduaid.core import processes
from eduaid.core.binaries import PostgresPrograms, find_postgres, find_valkey
from eduaid.core.processes import Account

CHECKOUT = Path(__file__).resolve().parents[2]
ROOT_STATE = Path("/var/lib/eduaid")
DATABASE = "eduaid"
OWNER_ROLE = "eduaid_owner"
APPLICATION_ROLE = "eduaid_app"

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
_SOCKET_NAME_LIMIT = 107 - len("/.s.PGSQL.5432")


class ServicesError(Exception):
    """The embedded services cannot do what was asked; the text tells the user what to do."""


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
        self.logs = state / "logs"
        self._throw_away = throw_away
        self._wanted = {"postgres": postgres, "valkey": valkey}
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._account = processes.current_account()
        self._copies = state / "servers"
        self._passwords: dict[str, str] = {}
        self._programs: PostgresPrograms | None = None
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
            self.logs.mkdir(mode=0o700, exist_ok=True)
            self._account = self._choose_account()
            self._passwords = json.loads(_kept(self.state / "passwords.json", _new_passwords))
            _remove_left_sockets(self.state)
            self._sockets = _make_socket_folder(self._account)
            if self._wanted["valkey"]:
                self._start_valkey()
            if self._wanted["postgres"]:
                self._programs = self._find_postgres()
                self._initialise_cluster(self._programs)
                self._start_postgres()
                provision(self.endpoints.superuser_url, self.endpoints.database_owner_url, self.endpoints.database_url)
            if self._wanted["valkey"]:
                self._await_valkey()
            self._write_record()
        except BaseException:
            self.stop()
            raise
        return self.endpoints

    @property
    def endpoints(self) -> Endpoints:
        def database_url(role: str, name: str) -> str:
            if not self._wanted["postgres"]:
                return ""
            return f"postgresql://{role}:{self._passwords[role]}@/{name}?host={quote(str(self._sockets))}"

        valkey = f"redis+socket://:{self._passwords['valkey']}@{quote(str(self._sockets))}/valkey.sock?virtual_host=0"
        return Endpoints(
            database_url=database_url(APPLICATION_ROLE, DATABASE),
            database_owner_url=database_url(OWNER_ROLE, DATABASE),
            superuser_url=database_url("postgres", "postgres"),
            redis_url=valkey if self._wanted["valkey"] else "",
        )

    def process_ids(self) -> dict[str, int]:
        """The running servers by name (`postgres`, `valkey`)."""
        return {name: child.pid for name, child in self._children.items() if child.poll() is None}

    def revive(self) -> list[tuple[str, int]]:
        """Restart the servers that ended by themselves; gives their names and exit codes."""
        dead = [(name, child.returncode) for name, child in self._children.items() if child.poll() is not None]
        for name, _code in dead:
            if name == "postgres":
                self._start_postgres()
            else:
                self._start_valkey()
                self._await_valkey()
        return dead

    def stop(self) -> None:
        """End both servers in order; can be called twice and after a start that failed half-way."""
        if self._lock is not None:
            (self.state / "services.json").unlink(missing_ok=True)
        if child := self._children.pop("valkey", None):
            processes.stop(child, signal.SIGTERM, patience=10)
        if child := self._children.pop("postgres", None):
            # "Fast" shutdown: sessions are ended, everything is written. After a minute recovery at the next start
            # is the smaller evil.
            processes.stop(child, signal.SIGINT, patience=60)
            if child.returncode == 0:
                (self.state / "unclean").unlink(missing_ok=True)
        if self._sockets is not None:
            shutil.rmtree(self._sockets, ignore_errors=True)
            self._sockets = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    # --- the account ------------------------------------------------------------------------------------------

    def _choose_account(self) -> Account:
        """Ourselves; for root the owner of the state folder, or `nobody` if that is root, whom PostgreSQL refuses."""
        if os.geteuid() != 0:
            return processes.current_account()
        owner = self.state.stat()
        account = Account(owner.st_uid, owner.st_gid) if owner.st_uid else processes.unprivileged_account()
        if not account.may_enter(self.state):
            raise ServicesError(
                f"以 root 启动时,数据库以普通账户运行,但该账户进不了 {self.state}。"
                "请用 EDUAID_STATE 指定一个各级上级目录都可进入的目录,或改用普通用户启动。"
            )
        return account

    def _own(self, folder: Path) -> Path:
        """Create the folder with mode 0700, owned by the servers' account."""
        folder.mkdir(mode=0o700, exist_ok=True)
        if not self._account.is_current:
            try:
                os.chown(folder, self._account.uid, self._account.gid)
            except OSError as error:
                raise ServicesError(
                    f"不能把 {folder} 交给账户 {self._account.uid}({error.strerror})。请改用普通用户启动。"
                ) from error
        return folder

    def _environment(self) -> dict[str, str]:
        """Bare on purpose: PG* variables of the user must not reach the server, nor its messages be translated."""
        return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}

    # --- PostgreSQL -------------------------------------------------------------------------------------------

    def _find_postgres(self) -> PostgresPrograms:
        data, unclean = self.state / "postgres", self.state / "unclean"
        version = data / "PG_VERSION"
        major = int(version.read_text("ascii")) if version.exists() else None
        if not self._throw_away:
            return find_postgres(self._account, copies=self._copies, major=major)
        programs = find_postgres(self._account, copies=self._copies)
        if data.exists() and (major != programs.major or unclean.exists()):
            # Without fsync a crash may leave rubbish; nothing in it is worth a repair.
            _free_data_folder(data)
            shutil.rmtree(data)
        unclean.touch()
        return programs

    def _initialise_cluster(self, programs: PostgresPrograms) -> None:
        """initdb beside the final place, then rename: a half-made cluster is never taken for a whole one."""
        data = self.state / "postgres"
        if data.exists():
            return
        unfinished = self.state / "postgres.part"
        shutil.rmtree(unfinished, ignore_errors=True)
        self._own(unfinished)
        assert self._sockets is not None
        password_file = self._sockets / "password"
        password_file.touch(mode=0o600)
        password_file.write_text(self._passwords["postgres"])
        os.chown(password_file, self._account.uid, self._account.gid)
        command: list[str | Path] = [
            programs.path("initdb"),
            *INITDB_LOCALE,
            "--username=postgres",
            "--auth=scram-sha-256",
            f"--pwfile={password_file}",
            f"--pgdata={unfinished}",
            *(["--no-sync"] if self._throw_away else []),
        ]
        child = processes.spawn(
            command,
            log=self.logs / "initdb.log",
            environment=self._environment(),
            account=self._account,
        )
        code = child.wait()
        password_file.unlink()
        if code != 0:
            raise ServicesError(f"数据库初始化失败:\n{processes.last_lines(self.logs / 'initdb.log')}")
        unfinished.rename(data)

    def _start_postgres(self) -> None:
        assert self._programs is not None and self._sockets is not None
        data = self.state / "postgres"
        settings = POSTGRES_SETTINGS | (THROW_AWAY_SETTINGS if self._throw_away else {})
        settings["unix_socket_directories"] = str(self._sockets)
        command: list[str | Path] = [self._programs.path("postgres"), "-D", data]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        limit = time.monotonic() + START_SECONDS
        while True:
            _free_data_folder(data)
            child = processes.spawn(
                command,
                log=self.logs / "postgres.log",
                environment=self._environment(),
                account=self._account,
                death_signal=signal.SIGINT,
            )
            self._children["postgres"] = child
            if _await(partial(_postmaster_ready, data, child.pid), child, limit):
                return
            # Backends of a killed postmaster hold its shared memory for a moment longer.
            if "shared memory block" not in processes.last_lines(self.logs / "postgres.log") or (
                time.monotonic() > limit
            ):
                raise ServicesError(f"PostgreSQL 没有启动:\n{processes.last_lines(self.logs / 'postgres.log')}")
            time.sleep(0.2)

    # --- Valkey -----------------------------------------------------------------------------------------------

    def _start_valkey(self) -> None:
        assert self._sockets is not None
        data = self._own(self.state / "valkey")
        path = self._sockets / "valkey.sock"
        path.unlink(missing_ok=True)
        configuration = {
            "port": "0",
            "unixsocket": str(path),
            "unixsocketperm": "700",
            "requirepass": self._passwords["valkey"],
            "dir": str(data),
            "appendonly": "no" if self._throw_away else "yes",
            "save": "",
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
        }
        lines = "".join(f"{name} {_quoted(value)}\n" for name, value in configuration.items())
        self._children["valkey"] = processes.spawn(
            [find_valkey(self._account, copies=self._copies), "-"],  # by standard input: no password in the ps list
            log=self.logs / "valkey.log",
            environment=self._environment(),
            account=self._account,
            stdin=lines.encode(),
        )

    def _await_valkey(self) -> None:
        assert self._sockets is not None
        path, child = self._sockets / "valkey.sock", self._children["valkey"]
        if not _await(lambda: _valkey_ready(path, self._passwords["valkey"]), child, time.monotonic() + START_SECONDS):
            raise ServicesError(f"Valkey 没有启动:\n{processes.last_lines(self.logs / 'valkey.log')}")

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


def _new_passwords() -> str:
    return json.dumps({name: secrets.token_hex(24) for name in ("postgres", OWNER_ROLE, APPLICATION_ROLE, "valkey")})


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


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


def _await(ready: Callable[[], bool], child: subprocess.Popen[bytes], limit: float) -> bool:
    """Poll until ready; False when the child ended or the time is over."""
    while time.monotonic() < limit:
        if ready():
            return True
        if child.poll() is not None:
            return False
        time.sleep(0.01)
    return False


def _postmaster_ready(data: Path, pid: int) -> bool:
    """The eighth line of postmaster.pid says `ready` once recovery is over (pg_ctl waits for the same)."""
    try:
        lines = (data / "postmaster.pid").read_text("utf-8", "replace").splitlines()
    except (FileNotFoundError, PermissionError):
        return False
    return len(lines) >= 8 and lines[0].strip() == str(pid) and lines[7].strip() == "ready"


def _free_data_folder(data: Path) -> None:
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


def _valkey_ready(path: Path, password: str) -> bool:
    """Answers PONG: it refuses while it still loads its file."""
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


# --- roles and database ---------------------------------------------------------------------------------------


def provision(superuser_url: str, owner_url: str, application_url: str) -> None:
    """Create the two roles and the database that the URLs name, if absent, and set the roles' passwords to theirs.

    The owner may create databases (tests do) but is no superuser and does not bypass row-level security; the
    application role may log in and nothing else. Tables and grants are the business of `manage.py upgrade`.
    """
    import psycopg2  # settings import this module at every start; the driver is wanted only here
    from psycopg2 import sql
    from psycopg2.extensions import encrypt_password, parse_dsn

    owner, application = parse_dsn(owner_url), parse_dsn(application_url)
    if owner["dbname"] != application["dbname"] or owner["user"] == application["user"]:
        raise ServicesError("DATABASE_URL 与 DATABASE_OWNER_URL 必须指向同一个数据库,并使用两个不同的账户。")
    connection = psycopg2.connect(superuser_url)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            for wanted, rights in ((owner, sql.SQL("CREATEDB")), (application, sql.SQL("NOCREATEDB"))):
                role = sql.Identifier(wanted["user"])
                cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [wanted["user"]])
                verb = sql.SQL("ALTER" if cursor.fetchone() else "CREATE")
                plain = sql.SQL("LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOREPLICATION")
                cursor.execute(sql.SQL("{} ROLE {} {} {}").format(verb, role, plain, rights))
                if "password" in wanted:
                    # Hashed here, so that the password itself reaches neither the server's log nor its views.
                    hashed = encrypt_password(wanted["password"], wanted["user"], connection, "scram-sha-256")
                    cursor.execute(sql.SQL("ALTER ROLE {} PASSWORD %s").format(role), [hashed])
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [owner["dbname"]])
            if cursor.fetchone() is None:
                cursor.execute(
                    sql.SQL("CREATE DATABASE {} OWNER {}").format(
                        sql.Identifier(owner["dbname"]), sql.Identifier(owner["user"])
                    )
                )
    finally:
        connection.close()


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
