"""What the container files promise, compared with what the program says elsewhere."""

import re
from pathlib import Path

from eduaid.core import servers

ROOT = Path(__file__).resolve().parents[1]
COMPOSE = (ROOT / "docker-compose.yml").read_text("utf-8")


def block(name: str, text: str = COMPOSE, indent: str = "  ") -> str:
    """The lines below `name:` at this indentation."""
    found = re.search(rf"^{indent}{name}:.*\n((?:{indent} .*\n|\s*\n|{indent}#.*\n)*)", text, re.MULTILINE)
    assert found is not None, name
    return found[1]


SERVICES = re.findall(r"^  ([a-z]+):$", block("services", indent=""), re.MULTILINE)


def test_the_services_are_those_of_the_plan() -> None:
    assert SERVICES == ["proxy", "db", "valkey", "migrate", "web", "worker", "beat"]
    assert not re.search(r"^version:", COMPOSE, re.MULTILINE)


def test_the_database_runs_with_the_settings_of_the_embedded_one() -> None:
    db = block("db")
    written = dict(re.findall(r"^      - (\w+)=(.+)$", db, re.MULTILINE))
    written["shared_buffers"] = written["shared_buffers"].removeprefix("${POSTGRES_SHARED_BUFFERS:-").rstrip("}")
    sockets_only = {"listen_addresses", "unix_socket_permissions"}
    assert written == {name: value for name, value in servers.POSTGRES_SETTINGS.items() if name not in sockets_only}
    for argument in servers.INITDB_LOCALE:
        assert argument in db
    assert '["db:/var/lib/postgresql"]' in db


def test_only_the_proxy_is_reached_from_outside() -> None:
    assert [name for name in SERVICES if "ports:" in block(name)] == ["proxy"]
    assert [name for name in SERVICES if "outside" in block(name)] == ["proxy"]
    assert "\n  inside: {internal: true}\n" in COMPOSE


def test_only_the_migration_knows_the_owner_and_the_superuser() -> None:
    for secret in ("database_owner_url", "database_superuser_url"):
        assert [name for name in SERVICES if f"/run/secrets/{secret}" in block(name)] == ["migrate"]
    shared = block("x-app", indent="").partition("logging:")[0]
    assert "owner" not in shared
    assert "superuser" not in shared


def test_there_can_be_one_beat_only() -> None:
    assert "container_name: eduaid-beat" in block("beat")
    assert COMPOSE.count("celery, -A, eduaid, beat") == 1


def test_the_migration_comes_before_all_that_use_the_tables() -> None:
    assert "migrate: {condition: service_completed_successfully}" in block("x-app", indent="")
    for name in ("web", "worker", "beat"):
        assert "<<: *app" in block(name)
        assert "depends_on" not in block(name)


def test_the_secret_files_that_compose_mounts_are_those_that_the_command_makes() -> None:
    command = (ROOT / "eduaid/core/management/commands/secrets.py").read_text("utf-8")
    made = set(re.findall(r'self\.keep\("(\w+)"', command))
    mounted = set(re.findall(r"\./\.deploy/secrets/(\w+)", COMPOSE))
    assert mounted == made - {"valkey_password"}


def test_every_setting_is_documented() -> None:
    settings = (ROOT / "eduaid/settings.py").read_text("utf-8")
    documented = (ROOT / "docs/deployment.md").read_text("utf-8")
    names = set(re.findall(r'env\.\w+\("(\w+)"', settings))
    assert "EDUAID_SECRET_KEY" in names
    assert sorted(name for name in names if f"`{name}`" not in documented) == []
