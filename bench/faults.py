"""`python -m bench.faults`: lists on their way into force while what carries them is killed. See bench/README.md.

Real servers with their normal durability, a real worker with its beat, real SIGKILLs at drawn moments of a list's way. A list
that does not take force within its time is lost; more rows or children than the workbook has are double; fewer, or a list in
force whose changes are not all in force, are half.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import django
import psycopg2

from bench.databases import KEYRING
from bench.measuring import children_of, load, machine, table
from bench.roster import Roster, make_roster
from eduaid.core import services
from eduaid.core.services import CHECKOUT, Services

if TYPE_CHECKING:
    from eduaid.core.models import Upload

T = TypeVar("T")

_DOING = {
    "resolve_": "resolving",
    "list_new": "comparing",
    "students_identitylink": "matching",
    "students_identifier": "matching",
    "staged_row": "staging",
    "core_uploadrow": "staging",
    "core_finding": "checking",
    "core_changeset": "telling",
}
"""Words of the product's statements, and what it does with them."""

PATIENCE = 120.0
"""Seconds after which a list that is not in force counts as lost."""
FULL_SECONDS = 5.0
"""How long a disk stays full."""
CHANGED = 20
FAULTS = (
    "worker's child",
    "worker group",
    "parser",
    "worker told to stop",
    "broker",
    "broker emptied",
    "database",
    "backend",
)
DISK = "disk full"
_STATES = {"reading": "received", "applying": "approved"}


@dataclass
class Trial:
    """One list, one fault. `moment` is what the list was at when it struck; `recovery` seconds until somebody went on."""

    fault: str
    moment: str = ""
    recovery: float | None = None
    seconds: float = 0.0
    wrong: str = ""
    detail: str = ""


class Site:
    """Servers, worker and beat of one measurement, restarted whenever they end, as `manage.py up` does."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.servers = Services(state)
        self.children: dict[str, subprocess.Popen[bytes]] = {}
        self.ballast: Path | None = None
        self._watch: psycopg2.extensions.connection | None = None

    def __enter__(self) -> Site:
        self.servers.start()
        os.environ.update(self.servers.endpoints.environment())
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "eduaid.settings",
            "EDUAID_STATE": str(self.state),
            "EDUAID_FILES": str(self.state / "files"),
            "EDUAID_KEYRING": KEYRING,
            "EDUAID_SECRET_KEY": "only for measuring",
        }
        subprocess.run([sys.executable, "manage.py", "upgrade", "--verbosity=0"], cwd=CHECKOUT, check=True)
        return self

    def __exit__(self, *exception: object) -> None:
        for child in self.children.values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
        self.servers.stop()

    def supervise(self) -> None:
        """Restarts what has died. Call it often, from the main thread."""
        try:
            self.servers.revive()
        except services.ServicesError:
            self.make_room()  # a database whose disk is full does not start; somebody clears the disk
        for name, arguments in (("worker", ("worker", "--concurrency=2")), ("beat", ("beat", "--pidfile="))):
            if name not in self.children or self.children[name].poll() is not None:
                with (self.state / "log").open("ab") as log:
                    self.children[name] = subprocess.Popen(
                        [sys.executable, "-m", "celery", "-A", "eduaid.celery", *arguments, "--loglevel=WARNING"],
                        cwd=CHECKOUT,
                        stdout=log,
                        stderr=log,
                        start_new_session=True,
                    )

    @property
    def worker(self) -> subprocess.Popen[bytes]:
        return self.children["worker"]

    def ask(self, sql: str, *values: object) -> list[tuple[object, ...]]:
        """From outside the product, and only if the database answers."""
        try:
            if self._watch is None or self._watch.closed:
                url = self.servers.endpoints.superuser_url.replace("/postgres?", f"/{services.DATABASE}?")
                self._watch = psycopg2.connect(url, connect_timeout=2)
                self._watch.autocommit = True
            with self._watch.cursor() as cursor:
                cursor.execute(sql, values)
                return cursor.fetchall()
        except psycopg2.Error:
            self._watch = None
            return []

    def at(self) -> str:
        """What the worker is doing now, by the statement that the database runs for it."""
        if any(children_of(pid) for pid in self._pool()):
            return "parsing"
        for (query,) in self.ask(
            "SELECT query FROM pg_stat_activity WHERE usename = %s AND state LIKE %s ORDER BY xact_start NULLS LAST",
            services.APPLICATION_ROLE,
            "%active%",
        ):
            for word, doing in _DOING.items():
                if word in str(query):
                    return doing
            return "working"
        return "waiting"

    # --- faults -----------------------------------------------------------------------------------------------

    def strike(self, fault: str, upload: Upload) -> bool:
        """False where there was nothing to strike at this moment."""
        match fault:
            case "worker's child":
                return _kill(self._holder(upload) or next(iter(self._pool()), None))
            case "worker group":
                return _kill(self.worker.pid, group=True)
            case "parser":
                return _kill(next((pid for child in self._pool() for pid in children_of(child)), None))
            case "worker told to stop":
                return _kill(self.worker.pid, by=signal.SIGTERM)
            case "broker":
                return _kill(self.servers.process_ids().get("valkey"))
            case "broker emptied":
                return self._empty_broker()
            case "database":
                return _kill(self.servers.process_ids().get("postgres"))
            case "backend":
                found = self.ask(
                    "SELECT pid FROM pg_stat_activity WHERE usename = %s ORDER BY state = 'active' DESC LIMIT 1",
                    services.APPLICATION_ROLE,
                )
                return bool(found) and _kill(int(str(found[0][0])))
            case _:
                return self._fill_disk()

    def _holder(self, upload: Upload) -> int | None:
        found = self.ask("SELECT lease_owner FROM core_upload WHERE id = %s AND lease_until IS NOT NULL", upload.pk)
        return int(str(found[0][0]).rpartition(":")[2]) if found and found[0][0] else None

    def _pool(self) -> list[int]:
        """The processes of the worker that do the work."""
        return children_of(self.worker.pid)

    def _empty_broker(self) -> bool:
        import redis
        from django.conf import settings

        url = settings.REDIS_URL.replace("redis+socket", "unix").replace("virtual_host", "db")
        with contextlib.suppress(redis.RedisError):
            return bool(redis.Redis.from_url(url).flushall())
        return False

    def _fill_disk(self) -> bool:
        """Takes all that is left on the file system of the state folder, until `make_room`."""
        self.ballast = self.state / "ballast"
        with contextlib.suppress(OSError), self.ballast.open("wb", buffering=0) as file:
            while file.write(bytes(1 << 16)):
                pass
        return True

    def make_room(self) -> None:
        if self.ballast is not None:
            self.ballast.unlink(missing_ok=True)
            self.ballast = None


def _kill(pid: int | None, *, by: signal.Signals = signal.SIGKILL, group: bool = False) -> bool:
    try:
        if pid is not None:
            (os.killpg if group else os.kill)(pid, by)
    except ProcessLookupError:
        return False
    return pid is not None


class Driver:
    """A sender and an approver who try again when the site does not answer, as people do."""

    def __init__(self, site: Site, rows: int) -> None:
        self.site, self.roster, self.rows = site, make_roster(rows), rows
        self.usual = {"reading": 1.0, "applying": 1.0}
        """Seconds that a list needs when nothing strikes."""

    def prepare(self) -> None:
        from bench.contenders.eduaid import make_places

        make_places(self.roster)
        self.run(Trial("none"), 0, random.Random(0))
        calm = Trial("none")
        self.run(calm, 1, random.Random(0))
        if calm.wrong:
            raise SystemExit(f"a list does not even take force in peace: {calm.wrong} {calm.detail}")

    def run(self, trial: Trial, number: int, rng: random.Random) -> None:
        """Sends one list, lets the fault strike at a drawn moment, and sees what became of the list."""
        phase = "reading" if trial.fault == "parser" else rng.choice(list(_STATES))
        started = time.monotonic()
        roster = self._changed(number)
        upload = self._patiently(lambda: self._send(roster))
        struck_at = self._carry(trial, upload, phase, rng)
        trial.seconds = time.monotonic() - started
        if struck_at is None and trial.fault != "none":
            trial.moment = "missed"
        self.site.make_room()
        trial.wrong, trial.detail = self._patiently(lambda: self._verdict(upload, number))

    def _carry(self, trial: Trial, upload: Upload, phase: str, rng: random.Random) -> float | None:
        """Takes the list through its states; returns when the fault struck."""
        entered, state, struck_at = time.monotonic(), "", None
        delay = rng.uniform(0, self.usual[phase] * 0.9) if trial.fault != "none" else 0.0
        limit = time.monotonic() + PATIENCE
        attempt_then = 0
        while time.monotonic() < limit:
            self.site.supervise()
            found = self.site.ask("SELECT state, attempt FROM core_upload WHERE id = %s", upload.pk)
            if not found:
                time.sleep(0.02)
                continue
            now, attempt = str(found[0][0]), int(str(found[0][1]))
            if now != state:
                if trial.fault == "none" and state in ("received", "approved"):
                    self.usual["reading" if state == "received" else "applying"] = time.monotonic() - entered
                state, entered = now, time.monotonic()
            if (
                struck_at is not None
                and trial.recovery is None
                and (attempt > attempt_then or now in ("in-force", "review"))
            ):
                trial.recovery = time.monotonic() - struck_at
            due = trial.fault != "none" and struck_at is None and time.monotonic() - entered >= delay
            if due and state == _STATES[phase]:
                doing = self.site.at()
                if self.site.strike(trial.fault, upload):
                    struck_at, attempt_then = time.monotonic(), attempt
                    trial.moment = f"{phase}, {doing}"
            if struck_at is not None and self.site.ballast is not None and time.monotonic() - struck_at > FULL_SECONDS:
                self.site.make_room()
            if state == "in-force" and self.site.ballast is None:
                return struck_at
            if state in ("review", "submitted"):
                self._patiently(lambda: self._let_pass(upload))
            elif state in ("failed", "refused"):
                self._patiently(lambda: self._again(upload, trial))
            time.sleep(0.005)
        return struck_at

    def _patiently(self, act: Callable[[], T]) -> T:
        from django.db import DatabaseError, InterfaceError, connection

        from eduaid.core.scope import everything
        from eduaid.core.uploads import NotPossible

        limit = time.monotonic() + PATIENCE
        while True:
            try:
                with everything():
                    return act()
            except (DatabaseError, InterfaceError, NotPossible):
                if time.monotonic() > limit:
                    raise
                connection.close()
                self.site.supervise()
                time.sleep(0.05)

    def _changed(self, number: int) -> Roster:
        """The roster with the same few pupils in a class that no other trial names."""
        return self.roster.with_class(range(0, self.rows, self.rows // CHANGED), f"{20 + number}班")

    def _send(self, roster: Roster) -> Upload:
        from bench.contenders.eduaid import user
        from eduaid.core import uploads
        from eduaid.core.lists import kind_of
        from eduaid.core.models import Region
        from eduaid.core.roles import today

        try:
            return uploads.receive(
                kind=kind_of("class-roster"),
                contents=[("名册.xlsx", roster.workbook())],
                place=Region.objects.home(),
                effective_on=today(),
                by=user("county"),
            )
        except uploads.AlreadyUploaded as known:
            return known.upload  # the answer to the first try was lost on the way

    def _let_pass(self, upload: Upload) -> None:
        """Submits and approves as far as the state asks for it: an earlier try may have been committed without an answer."""
        from bench.contenders.eduaid import user
        from eduaid.core import uploads

        upload.refresh_from_db()
        if upload.state == "review":
            uploads.submit(upload, by=user("county"))
        upload.refresh_from_db()
        if upload.state == "submitted":
            uploads.approve(upload, by=user("leader"))

    def _again(self, upload: Upload, trial: Trial) -> None:
        """What was set aside after repeated failures is taken up by a click; that it came to this is told."""
        from bench.contenders.eduaid import user
        from eduaid.core import uploads

        upload.refresh_from_db()
        trial.detail = f"set aside: {upload.error}"
        if upload.state == "failed":
            uploads.retry(upload, by=user("county"))

    def _verdict(self, upload: Upload, number: int) -> tuple[str, str]:
        """What is wrong with the list and the children now: lost, double, half, or nothing."""
        from eduaid.core.models import ChangeSet, UploadRow
        from students.models import Enrolment, IdentityLink, Student

        upload.refresh_from_db()
        if upload.state != "in-force":
            return "lost", f"{upload.state} {upload.error}"
        counts = {
            "rows": UploadRow.objects.filter(upload=upload).count(),
            "rows in force": UploadRow.objects.in_force("class-roster").count(),
            "children": Student.objects.count(),
            "children listed": Student.objects.listed().count(),
            "enrolments": Enrolment.objects.count(),
            "links": IdentityLink.objects.filter(row__upload=upload).count(),
        }
        if any(count > self.rows for count in counts.values()):
            return "double", str(counts)
        if ChangeSet.objects.filter(upload=upload, cause="applied").count() != 1:
            return "double", "change sets"
        moved = Student.objects.filter(class_name=f"{20 + number}班").count()
        if set(counts.values()) != {self.rows} or moved != CHANGED:
            return "half", f"{counts} {moved} moved"
        return "", ""


@contextlib.contextmanager
def _state_folder(on_small_disk: bool) -> Iterator[Path]:
    """A folder for one site: on a file system of its own where the disk is to be filled (root only)."""
    folder = Path(tempfile.mkdtemp(prefix="eduaid-faults-", dir="/var/tmp"))
    folder.chmod(0o711)
    mounted = (
        on_small_disk
        and subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1500m,mode=711", "none", folder]).returncode == 0
    )
    if on_small_disk and not mounted:
        raise SystemExit("filling a disk needs one that may be filled: run as root, or leave “disk full” out")
    try:
        yield folder
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", folder], check=True)
        shutil.rmtree(folder, ignore_errors=True)


def _run_site(options: argparse.Namespace) -> list[Trial]:
    rng = random.Random(options.seed)
    trials = [Trial(options.faults[number % len(options.faults)]) for number in range(options.kills)]
    with _state_folder(DISK in options.faults) as state, Site(state) as site:
        driver = Driver(site, options.rows)
        django.setup()  # only now is it known where the database is
        from eduaid.core.scope import everything

        with everything():
            driver.prepare()
        for number, trial in enumerate(trials, 2):
            driver.run(trial, number, rng)
            print(
                f"  {trial.fault}, {trial.moment}: {trial.wrong or 'in force'} {trial.detail}",
                file=sys.stderr,
                flush=True,
            )
            if trial.wrong:
                shutil.copy(state / "log", Path(tempfile.gettempdir()) / f"faults-{options.seed}-{number}.log")
                break  # what comes after would only repeat it
    return trials


def _report(trials: list[Trial]) -> str:
    by_fault: dict[str, list[Trial]] = defaultdict(list)
    for trial in trials:
        by_fault[trial.fault].append(trial)
    lines = []
    for fault, some in [*by_fault.items(), ("all", trials)]:
        hit = [trial for trial in some if trial.moment and trial.moment != "missed"]
        wrong = Counter(trial.wrong for trial in some)
        times = sorted(trial.recovery for trial in hit if trial.recovery is not None)
        shown = [f"{times[int(share * (len(times) - 1))]:.1f}" if times else "" for share in (0.5, 0.95, 1)]
        lines.append((fault, str(len(hit)), *(str(wrong[kind]) for kind in ("lost", "double", "half")), *shown))
    moments = Counter(trial.moment for trial in trials if trial.moment)
    return (
        table(("killed or filled", "strikes", "lost", "double", "half", "recovery p50 s", "p95 s", "max s"), lines)
        + "\n\nstruck while "
        + ", ".join(f"{moment} {count}" for moment, count in moments.most_common())
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.faults", description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--rows", type=int, default=1500, help="rows of each list")
    parser.add_argument("--sites", type=int, default=3, help="installations that are struck at the same time")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--faults", nargs="+", choices=[*FAULTS, DISK], default=list(FAULTS), metavar="FAULT")
    parser.add_argument("--json", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    options = _options()
    if options.json:
        print(json.dumps([asdict(trial) for trial in _run_site(options)]))
        return
    print(f"{machine()}, load {load():.1f}; {options.sites} sites, lists of {options.rows:,} rows", flush=True)
    command = [sys.executable, "-m", "bench.faults", "--json", "--rows", str(options.rows), "--faults", *options.faults]
    running = [
        subprocess.Popen(
            [*command, "--kills", str(-(-options.kills // options.sites)), "--seed", str(options.seed * 100 + number)],
            cwd=CHECKOUT,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(options.sites)
    ]
    trials: list[Trial] = []
    for process in running:
        told, _ = process.communicate()
        if process.returncode:
            raise SystemExit("a site failed")
        trials += [Trial(**trial) for trial in json.loads(told.splitlines()[-1])]
    print(f"\n{_report(trials)}")
    if any(trial.wrong for trial in trials):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
