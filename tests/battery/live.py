"""The product as people get it: `manage.py up --demo` on a state folder of its own, with the small example county."""

from __future__ import annotations

import os
import queue
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import BrowserContext

ROOT = Path(__file__).resolve().parents[2]
PEOPLE = 1500
PASSWORD = "shilixian-2026"  # of every example account, as `manage.py demo --accounts` prints it
START_SECONDS = 300
_ADDRESS = re.compile(r"已启动\S*\s*(http://\S+?)/?(?:\s|$)")
# What this process was given for its own tests must not reach the product under test.
_NOT_INHERITED = ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "EDUAID_KEYRING", "EDUAID_FILES", "EDUAID_PORT")


@dataclass(frozen=True)
class LiveSite:
    """A served site and how to enter it; accounts are those of the example county."""

    url: str
    password: str = PASSWORD

    def sign_in(self, context: BrowserContext, account: str) -> None:
        """Through the log-in page, as a person would; raises AssertionError where the account is not let in."""
        page = context.new_page()
        page.goto(f"{self.url}/login/")
        page.fill("input[name=username]", account)
        page.fill("input[name=password]", self.password)
        page.click("main button[type=submit]")
        page.wait_for_load_state("load")
        assert not page.url.endswith("/login/"), page.inner_text("main")
        page.close()


def _read(process: subprocess.Popen[str], lines: queue.Queue[str]) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        lines.put(line)


@contextmanager
def running(people: int = PEOPLE) -> Iterator[LiveSite]:
    """The site while the block runs; EDUAID_BATTERY_URL names one that runs already, for quick looks at a desk."""
    given = os.environ.get("EDUAID_BATTERY_URL")
    if given:
        yield LiveSite(given.rstrip("/"))
        return
    with tempfile.TemporaryDirectory(prefix="eduaid-battery-") as state:
        environment = {name: value for name, value in os.environ.items() if name not in _NOT_INHERITED}
        process = subprocess.Popen(
            [sys.executable, "manage.py", "up", "--demo", "--people", str(people)],
            cwd=ROOT,
            env=environment | {"EDUAID_STATE": state, "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=_read, args=(process, lines), daemon=True).start()
        try:
            yield LiveSite(_wait_for_address(process, lines))
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _wait_for_address(process: subprocess.Popen[str], lines: queue.Queue[str]) -> str:
    """The address that the start prints when everything serves; raises with the last lines where it does not."""
    seen: list[str] = []
    limit = time.monotonic() + START_SECONDS
    while time.monotonic() < limit:
        try:
            seen.append(lines.get(timeout=1))
        except queue.Empty:
            if process.poll() is not None:
                break
            continue
        found = _ADDRESS.search(seen[-1])
        if found:
            return found.group(1)
    raise RuntimeError("the site did not start:\n" + "".join(seen[-30:]))
