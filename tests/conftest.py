"""Real PostgreSQL and a real broker for every test that names them; a database for each test process."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from eduaid.core import services
from tests.early import ENDPOINTS
from tests.small_county import SmallCounty, make_county


@pytest.fixture(scope="session", autouse=True)
def _own_files(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Sealed files of tests go to a folder that goes away."""
    from django.conf import settings

    settings.FILES_DIR = Path(tmp_path_factory.mktemp("files"))


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: pytest.FixtureRequest, request: pytest.FixtureRequest) -> Iterator[None]:
    """Creates and migrates this process's database as the owner role; tests themselves run as the application role.

    Django's own set-up would run everything as one role, and row-level security would never be felt.
    """
    import psycopg2
    from django.core.management import call_command
    from django.db import connections

    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    name = f"test_{worker}_{os.getpid()}"

    def administrate(sql: str) -> None:
        server = psycopg2.connect(ENDPOINTS.superuser_url)
        server.autocommit = True
        with server.cursor() as cursor:
            cursor.execute(sql)
        server.close()

    administrate(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    administrate(f'CREATE DATABASE "{name}" OWNER {services.OWNER_ROLE}')
    with django_db_blocker.unblock():
        for alias in ("default", "owner"):
            connections[alias].close()
            connections[alias].settings_dict["NAME"] = name
        call_command("upgrade", verbosity=0)
        connections["owner"].close()
    yield
    with django_db_blocker.unblock():
        connections.close_all()
    administrate(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _truncate() -> None:
    """Empties every table, as the owner: the application role may neither truncate nor touch history."""
    from django.db import connections

    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "SELECT string_agg(format('%I', tablename), ', ') FROM pg_tables WHERE schemaname = 'public'"
            " AND tablename NOT IN ('django_migrations', 'django_content_type', 'auth_permission')"
        )
        cursor.execute(f"TRUNCATE {cursor.fetchone()[0]} RESTART IDENTITY CASCADE")
    connections["owner"].close()


@pytest.fixture
def committed(django_db_setup: None, django_db_blocker: pytest.FixtureRequest) -> Iterator[None]:
    """A database in which commits are real (workers, heartbeats and other connections see them), emptied afterwards.

    The test itself sees everything, as a worker does; requests made through a client get their user's scope.
    """
    from django.db import connections

    from eduaid.core.scope import everything

    with django_db_blocker.unblock():
        try:
            with everything():
                yield
        finally:
            connections["default"].close()
            _truncate()


@pytest.fixture
def county(committed: None) -> SmallCounty:
    """Two townships with schools, the calendar, and the accounts that tests act as."""
    return make_county()


@pytest.fixture
def worker(committed: None) -> Iterator[subprocess.Popen[bytes]]:
    """A real Celery worker with a real beat on this test's database and broker; killed at the end, whatever it is doing."""
    from django.conf import settings
    from django.db import connections

    name = connections["default"].settings_dict["NAME"]
    environment = os.environ | {
        "DATABASE_URL": ENDPOINTS.database_url.replace("@/eduaid?", f"@/{name}?"),
        "EDUAID_FILES": str(settings.FILES_DIR),
        "DJANGO_SETTINGS_MODULE": "eduaid.settings",
    }
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "celery",
            "-A",
            "eduaid.celery",
            "worker",
            "-B",
            "--concurrency=2",
            "--loglevel=WARNING",
        ],
        env=environment,
        cwd=settings.BASE_DIR,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):  # the test may have ended it
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
