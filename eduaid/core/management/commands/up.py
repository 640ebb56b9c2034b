"""`manage.py up`: the whole product as children of one process, from nothing to serving, until Ctrl-C."""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import IO, Any

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from eduaid.core import processes, services
from eduaid.core.binaries import ServerProgramMissingError
from eduaid.core.servers import ServicesError
from eduaid.core.services import Services

FIRST_PORT = 8000
WEB_WORKERS = 2
TASK_WORKERS = 2
ANSWER_SECONDS = 60.0
"""How long the web server may take until /healthz answers."""

QUICK_DEATHS_ALLOWED = 5
"""A child that ends this often within a few seconds of its start will not get better: stop, and say so."""

QUICK_DEATH_SECONDS = 10.0


class ChildFailedError(Exception):
    """A process that is needed does not stay alive; the text names it and shows the end of its log."""


@dataclass
class Child:
    """One process of the product: how to start it, and how long it may take to end."""

    name: str
    command: Sequence[str]
    patience: float
    pass_fds: Sequence[int] = ()
    process: subprocess.Popen[bytes] | None = None
    deaths: list[float] = field(default_factory=list)


class Command(BaseCommand):
    help = "Start database, broker, migrations, worker, beat and web server, and serve until Ctrl-C."
    requires_system_checks = ()

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--demo", action="store_true", help="load the example county if the database is empty")
        parser.add_argument("--people", type=int, help="size of the example county")
        parser.add_argument("--port", type=int, help=f"default: EDUAID_PORT, else the first free one from {FIRST_PORT}")
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")

    def handle(self, *args: Any, **options: Any) -> None:
        for number in _STOP_SIGNALS:
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # nohup asks to be left alone
                signal.signal(number, _interrupt)
        state: Path = settings.STATE_DIR
        self.children: list[Child] = []
        try:
            with contextlib.ExitStack() as undo:
                lock = undo.enter_context(self.only_one(state))
                listener = undo.enter_context(self.listen(options["host"], options["port"]))
                port = listener.getsockname()[1]
                address = f"http://{options['host']}:{port}/"
                processes.note_holder(lock, f"{address} (进程 {os.getpid()})")
                self.logs = state / "logs"
                self.environment = dict(os.environ, EDUAID_PORT=str(port))
                embedded = undo.enter_context(self.services(state))
                self.prepare(state)
                undo.callback(self.stop_children)
                self.name_children(listener)
                web, *others = self.children
                # The web server first and alone: on two cores everything at once is slower to answer.
                self.start_child(web)
                self.wait_until_answering(listener)
                for child in others:
                    self.start_child(child)
                if options["demo"]:
                    self.show_example(options["people"])
                self.stdout.write(f"\n已启动: {address}   日志: {self.logs}   按 Ctrl-C 停止。")
                self.stdout.flush()
                self.watch(embedded)
        except Interrupted:
            self.stdout.write("已停止。")
        except (ServicesError, ServerProgramMissingError, ChildFailedError) as error:
            raise CommandError(str(error)) from error

    # --- once -------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def only_one(self, state: Path) -> Iterator[IO[str]]:
        """There may be one beat and one supervisor of a state folder."""
        services.make_state_folder(state)
        try:
            lock = processes.take_lock(state / "up.lock")
        except processes.LockedError as error:
            raise CommandError(f"本项目已在运行: {error.holder}。如需重启,请先在原窗口按 Ctrl-C 停止。") from error
        with lock:
            yield lock

    @contextlib.contextmanager
    def listen(self, host: str, port: int | None) -> Iterator[socket.socket]:
        """The web server inherits this socket: two copies that start together cannot take the same port."""
        wanted = port or int(os.environ.get("EDUAID_PORT") or 0)
        candidates = [wanted] if wanted else range(FIRST_PORT, FIRST_PORT + 100)
        for candidate in candidates:
            listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
            with listener:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    listener.bind((host, candidate))
                    listener.listen(64)
                except OSError:
                    continue
                if not wanted and candidate != FIRST_PORT:
                    self.stdout.write(f"端口 {FIRST_PORT} 已被占用,改用 {candidate}。")
                yield listener
                return
        raise CommandError(f"端口 {wanted or FIRST_PORT} 不能使用,请用 --port 指定另一个端口。")

    @contextlib.contextmanager
    def services(self, state: Path) -> Iterator[Services | None]:
        """What the environment does not name is started here; None when it names both."""
        named = {
            name for name in ("DATABASE_URL", "REDIS_URL") if os.environ.get(name) or os.environ.get(f"{name}_FILE")
        }
        if "DATABASE_URL" in named and not any(os.environ.get(f"DATABASE_OWNER_URL{end}") for end in ("", "_FILE")):
            raise CommandError("设置了 DATABASE_URL 就必须同时设置 DATABASE_OWNER_URL(执行升级的账户)。")
        self.keep_keyring(state)
        if {"DATABASE_URL", "REDIS_URL"} <= named:
            yield None
            return
        with Services(state, postgres="DATABASE_URL" not in named, valkey="REDIS_URL" not in named) as embedded:
            self.environment |= {name: url for name, url in embedded.endpoints.environment().items() if url}
            yield embedded

    def keep_keyring(self, state: Path) -> None:
        """A ring is made for new data only: with a new ring, data sealed with the old one would be lost."""
        if not settings.KEYRING and not (state / "postgres").exists():
            services.keyring(state)

    def prepare(self, state: Path) -> None:
        """Migrations and static files, side by side."""
        steps = {"upgrade": self.begin("upgrade")}
        stamp, fingerprint = state / "static.stamp", static_fingerprint()
        if not stamp.exists() or stamp.read_text() != fingerprint:
            stamp.unlink(missing_ok=True)
            steps["collectstatic"] = self.begin("collectstatic", "--noinput", "--clear")
        try:
            for name, step in steps.items():
                if step.wait() != 0:
                    raise ChildFailedError(f"{name} 失败:\n{processes.last_lines(self.logs / f'{name}.log', 15)}")
        finally:
            for step in steps.values():
                processes.stop(step, signal.SIGTERM, patience=5)
        stamp.write_text(fingerprint)

    def begin(self, name: str, *arguments: str) -> subprocess.Popen[bytes]:
        return processes.spawn(
            [*manage(), name, *arguments],
            log=self.logs / f"{name}.log",
            environment=self.environment,
            cwd=settings.BASE_DIR,
        )

    def show_example(self, people: int | None) -> None:
        """The example county through the real upload path, one line per workbook; then its summary and accounts."""
        size = ["--people", str(people)] if people else []
        self.run("demo", "--load", *size)
        self.run("census", "--open")
        self.run("proofs", "--example")
        self.run("report", "county-progress", "--table")
        self.run("demo", "--accounts")

    def run(self, *arguments: str) -> None:
        """A command whose output the user sees."""
        self.stdout.flush()
        step = subprocess.Popen(
            [*manage(), *arguments], env=self.environment, cwd=settings.BASE_DIR, start_new_session=True
        )
        try:
            code = step.wait()
        finally:
            processes.stop(step, signal.SIGTERM, patience=5)
        if code != 0:
            raise ChildFailedError(f"manage.py {' '.join(arguments)} 失败(代码 {code})。")

    # --- children ---------------------------------------------------------------------------------------------

    def name_children(self, listener: socket.socket) -> None:
        web = f"gunicorn eduaid.wsgi:application --bind fd://{listener.fileno()} --workers {WEB_WORKERS}"
        worker = f"celery -A eduaid worker -Q default --concurrency {TASK_WORKERS} --loglevel INFO"
        beat = "celery -A eduaid beat --loglevel WARNING --pidfile="
        self.children = [
            Child(
                "web",
                module(f"{web} --worker-class sync --no-control-socket"),
                patience=10,
                pass_fds=[listener.fileno()],
            ),
            Child("worker", module(worker), patience=20),
            Child("beat", module(beat), patience=5),
        ]

    def start_child(self, child: Child) -> None:
        child.process = processes.spawn(
            child.command,
            log=self.logs / f"{child.name}.log",
            environment=self.environment,
            cwd=settings.BASE_DIR,
            pass_fds=child.pass_fds,
        )

    def stop_children(self) -> None:
        _ignore_stop_signals()
        started = [child for child in self.children if child.process is not None]
        for child in started:
            assert child.process is not None
            if child.process.poll() is None:
                child.process.terminate()
        for child in started:
            assert child.process is not None
            processes.stop(child.process, None, child.patience)

    def revive_children(self) -> None:
        for child in self.children:
            if child.process is None or child.process.poll() is None:
                continue
            now = time.monotonic()
            child.deaths = [death for death in child.deaths if now - death < QUICK_DEATH_SECONDS * QUICK_DEATHS_ALLOWED]
            child.deaths.append(now)
            if len(child.deaths) > QUICK_DEATHS_ALLOWED:
                log = self.logs / f"{child.name}.log"
                raise ChildFailedError(f"{child.name} 反复退出,已停止。{log} 的末尾:\n{processes.last_lines(log, 15)}")
            self.report_restart(child.name, child.process.returncode)
            self.start_child(child)

    def report_restart(self, name: str, code: int) -> None:
        moment = timezone.localtime().strftime("%H:%M:%S")
        self.stdout.write(f"{moment} {name} 已退出(代码 {code}),已重新启动。")
        self.stdout.flush()

    def wait_until_answering(self, listener: socket.socket) -> None:
        limit = time.monotonic() + ANSWER_SECONDS
        host, port = listener.getsockname()[:2]
        while not answers("127.0.0.1" if host == "0.0.0.0" else host, port):
            self.revive_children()
            if time.monotonic() > limit:
                log = self.logs / "web.log"
                raise ChildFailedError(f"网页服务没有应答。{log} 的末尾:\n{processes.last_lines(log, 15)}")
            time.sleep(0.05)

    def watch(self, embedded: Services | None) -> None:
        """For ever: restart what ended by itself, servers first."""
        while True:
            if embedded is not None:
                for name, code in embedded.revive():
                    self.report_restart(name, code)
            self.revive_children()
            time.sleep(0.5)


class Interrupted(BaseException):
    """Ctrl-C or a request to end; no Exception, so that nothing on the way takes it for an error."""


_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    _ignore_stop_signals()
    raise Interrupted


def _ignore_stop_signals() -> None:
    """Stopping is under way, and every wait in it has its limit: a second Ctrl-C would leave processes behind."""
    for number in _STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def module(command: str) -> list[str]:
    """A Python module's command line, run by our own interpreter."""
    return [sys.executable, "-m", *command.split()]


def manage() -> list[str]:
    return [sys.executable, str(settings.BASE_DIR / "manage.py")]


def answers(host: str, port: int) -> bool:
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def static_fingerprint() -> str:
    """Changes whenever collectstatic would have something to do."""
    digest = hashlib.sha256()
    for finder in get_finders():
        for path, storage in finder.list([]):
            found = os.stat(storage.path(path))
            digest.update(f"{path} {found.st_size} {found.st_mtime_ns}\n".encode())
    return digest.hexdigest()
