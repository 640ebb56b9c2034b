"""Throw-away databases on the embedded services: one is migrated, every run works in a copy of it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import psycopg2

from eduaid.core import services
from eduaid.core.services import CHECKOUT, OWNER_ROLE, Endpoints

# A ring for measuring only; the product makes its own at the first start.
KEYRING = (
    '{"primary": "k1", "algorithm": "aes-gcm", "keys": {"k1": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="},'
    ' "digest": "ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA="}'
)


class Databases:
    """Servers of their own, apart from those of tests, that end with this process; and the template."""

    def __init__(self) -> None:
        self._endpoints: Endpoints = services.for_tests(services.state_dir() / "bench")
        self._template = f"bench_template_{os.getpid()}"
        self._made = 0

    def __enter__(self) -> Databases:
        self._create(self._template)
        subprocess.run(
            [sys.executable, "manage.py", "upgrade", "--verbosity=0"],
            cwd=CHECKOUT,
            check=True,
            env=self._environment(self._template, Path("/nonexistent")),
        )
        return self

    def __exit__(self, *exception: object) -> None:
        self._drop(self._template)

    @contextmanager
    def fresh(self, folder: Path) -> Iterator[dict[str, str]]:
        """The environment of a process that works in a new copy of the template; sealed files go into the folder."""
        self._made += 1
        name = f"bench_{os.getpid()}_{self._made}"
        self._create(name, template=self._template)
        try:
            yield self._environment(name, folder)
        finally:
            self._drop(name)

    @property
    def version(self) -> str:
        return f"PostgreSQL {self._ask('SHOW server_version')}"

    def _environment(self, name: str, files: Path) -> dict[str, str]:
        places = {
            key: value.replace("@/eduaid?", f"@/{quote(name)}?") for key, value in self._endpoints.environment().items()
        }
        return (
            os.environ
            | places
            | {
                "DJANGO_SETTINGS_MODULE": "eduaid.settings",
                "EDUAID_FILES": str(files),
                "EDUAID_KEYRING": KEYRING,
                "EDUAID_SECRET_KEY": "only for measuring",
            }
        )

    def _create(self, name: str, *, template: str = "template1") -> None:
        self._ask(f'CREATE DATABASE "{name}" OWNER {OWNER_ROLE} TEMPLATE "{template}"')

    def _drop(self, name: str) -> None:
        self._ask(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def _ask(self, sql: str) -> str:
        server = psycopg2.connect(self._endpoints.superuser_url)
        server.autocommit = True
        try:
            with server.cursor() as cursor:
                cursor.execute(sql)
                return str(cursor.fetchone()[0]) if cursor.description else ""
        finally:
            server.close()
