"""`manage.py up` as a user starts it: a process of its own, real servers, real signals."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from eduaid.core import processes

ROOT = Path(__file__).resolve().parents[2]
CHILDREN = ["beat", "postgres", "valkey", "web", "worker"]


class Up:
    """A running `manage.py up` and what it printed."""

    def __init__(self, state: Path, *arguments: str) -> None:
        names = ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "EDUAID_PORT")
        environment = {name: value for name, value in os.environ.items() if name not in names}
        handle, name = tempfile.mkstemp(dir=state.parent, prefix="output")
        self.output = Path(name)
        with os.fdopen(handle, "w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "up", *arguments],
                cwd=ROOT,
                env=environment | {"EDUAID_STATE": str(state)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def says(self, pattern: str, seconds: float = 90) -> re.Match[str]:
        """Wait until the output holds it."""
        limit = time.monotonic() + seconds
        while time.monotonic() < limit:
            if found := re.search(pattern, self.output.read_text("utf-8")):
                return found
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        raise AssertionError(f"{pattern!r} not in:\n{self.output.read_text('utf-8')}")

    def child_numbers(self) -> list[int]:
        pid = self.process.pid
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def children(self) -> dict[str, int]:
        """Process numbers by what they are; waits until all have started."""
        for _ in range(100):
            found: dict[str, int] = {}
            for pid in self.child_numbers():
                command = Path(f"/proc/{pid}/cmdline").read_bytes()
                signs = {b"bin/postgres": "postgres", b"valkey-server": "valkey", b"gunicorn": "web"}
                signs |= {b"\0worker\0": "worker", b"\0beat\0": "beat"}
                found |= {name: pid for sign, name in signs.items() if sign in command}
            if sorted(found) == CHILDREN:
                return found
            time.sleep(0.1)
        raise AssertionError(f"only {sorted(found)} run")

    def end(self, sent: signal.Signals) -> int:
        self.process.send_signal(sent)
        return self.process.wait(60)


def answers(address: str) -> bool:
    with urllib.request.urlopen(f"{address}healthz", timeout=20) as answer:
        return bool(answer.status == 200)


@pytest.fixture(scope="module")
def state() -> Iterator[Path]:
    """One state folder for all tests here: the second start finds what the first one made."""
    folder = Path(tempfile.mkdtemp(prefix="示例县 up "))
    folder.chmod(0o755)
    yield folder / "state"
    shutil.rmtree(folder)


@pytest.fixture
def up(state: Path) -> Iterator[Up]:
    started = Up(state)
    yield started
    if started.process.poll() is None:
        started.end(signal.SIGTERM)


def test_up_serves_revives_what_dies_refuses_a_second_one_and_leaves_nothing_behind(up: Up, state: Path) -> None:
    address = up.says(r"已启动: (http://127\.0\.0\.1:\d+/)")[1]
    assert answers(address)
    before = up.children()

    second = Up(state)
    second.says(f"本项目已在运行: {address}", seconds=30)
    assert second.process.wait(30) == 1

    for pid in before.values():
        os.kill(pid, signal.SIGKILL)
    for name in CHILDREN:
        up.says(f"{name} 已退出\\(代码 -9\\),已重新启动", seconds=30)
    after = up.children()
    assert not set(before.values()) & set(after.values())
    assert answers(address)

    assert up.end(signal.SIGINT) == 0
    up_said = up.output.read_text("utf-8")
    assert up_said.rstrip().endswith("已停止。")
    assert all(processes.started_at(pid) is None for pid in after.values())


def test_up_starts_again_from_its_state_and_its_children_end_with_it_even_if_it_is_killed(up: Up) -> None:
    address = up.says(r"已启动: (http://127\.0\.0\.1:\d+/)")[1]
    assert answers(address)
    children = up.children()
    assert up.end(signal.SIGKILL) == -9
    assert all(processes.wait_gone(pid, patience=30) for pid in children.values())


def test_up_that_is_interrupted_while_it_starts_leaves_nothing_behind(up: Up) -> None:
    children: list[int] = []
    while len(children) < 2 and up.process.poll() is None:
        children = up.child_numbers()
    assert up.end(signal.SIGTERM) == 0
    assert up.output.read_text("utf-8").endswith("已停止。\n")
    assert "已启动" not in up.output.read_text("utf-8")
    assert all(processes.started_at(child) is None for child in children)


def test_up_says_when_a_port_is_taken(state: Path, up: Up) -> None:
    port = up.says(r"已启动: http://127\.0\.0\.1:(\d+)/")[1]
    other = Up(state.with_name("other"), "--port", port)
    assert other.process.wait(30) == 1
    other.says(f"端口 {port} 不能使用")
