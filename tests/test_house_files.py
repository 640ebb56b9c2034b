"""What may lie in the repository, and how files speak of one another."""

from __future__ import annotations

import re
from pathlib import Path

from tests.house import ROOT, listed, named, project_files

TOP_LEVEL = {
    "manage.py",
    "eduaid",
    "students",
    "subsidies",
    "dropout",
    "reports",
    "templates",
    "static",
    "pyproject.toml",
    "docker-compose.yml",
    "tests",
    "README.md",
    "CHANGELOG.md",
    "LICENSE",
    "docs",
    "bench",
    "Makefile",
    "Dockerfile",
    "requirements.lock",
    "requirements-dev.lock",
}
MIB = 1_048_576
# Folders of somebody's machine. A variable that names one ($HOME) is not written this way.
MACHINE_PATH = re.compile(r"(?<![\w.}$*])/(?:home|Users|root|work|mnt|media)/[\w.-]|[A-Z]:\\\\?Users")


def test_the_top_level_is_exactly_what_was_agreed() -> None:
    found = {named(path).split("/")[0] for path in project_files()}
    assert sorted(name for name in found if not name.startswith(".")) == sorted(TOP_LEVEL)


def test_no_file_is_larger_than_a_mebibyte() -> None:
    assert [named(path) for path in project_files() if path.stat().st_size > MIB] == []


def test_no_file_names_a_folder_of_somebodys_machine() -> None:
    found = []
    for path in project_files():
        data = path.read_bytes()
        if path.parent.name == "vendor" or b"\0" in data or path == Path(__file__):
            continue
        lines = enumerate(data.decode("utf-8").splitlines(), start=1)
        found += [f"{named(path)}:{number}" for number, line in lines if MACHINE_PATH.search(line)]
    assert found == [], listed(found)


def test_the_search_for_folders_of_a_machine_finds_one() -> None:
    folder = "/".join(["", "home", "wang", "eduaid"])
    assert MACHINE_PATH.search(f"cd {folder}")
    assert not MACHINE_PATH.search("cache=${HOME:-/root}/.cache; https://example.com/home/page")


def test_nothing_is_left_to_do_or_switched_off_in_the_code() -> None:
    marks = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|pytest\.mark\.(skip|skipif|xfail)|\bbreakpoint\(\)")
    found = []
    for path in [path for path in project_files() if path.suffix in {".py", ".html", ".js", ".css"}]:
        if path.parent.name != "vendor" and path != Path(__file__):
            lines = enumerate(path.read_text("utf-8").splitlines(), start=1)
            found += [f"{named(path)}:{number}" for number, line in lines if marks.search(line)]
    assert found == [], listed(found)


def test_documents_that_the_code_names_exist() -> None:
    """A reader can open what a comment refers to: in docs/, or at the top level."""
    known = {path.name for path in project_files() if path.suffix == ".md"}
    found = []
    for path in [path for path in project_files() if path.suffix in {".py", ".html", ".toml", ".js", ".css"}]:
        if path.parent.name != "vendor" and path != Path(__file__):
            lines = enumerate(path.read_text("utf-8").splitlines(), start=1)
            names = ((number, name) for number, line in lines for name in re.findall(r"\b([\w-]+\.md)\b", line))
            found += [f"{named(path)}:{number} {name}" for number, name in names if name not in known]
    assert found == [], listed(found)


def test_every_dependency_says_why_it_is_there() -> None:
    lists = re.findall(r"^(?:dependencies|\w+) = \[\n(.*?)^\]", (ROOT / "pyproject.toml").read_text(), re.M | re.S)
    dependencies = [
        line.strip() for block in lists for line in block.splitlines() if re.match(r'\s*"[a-z][\w.-]*[\[=~<>"]', line)
    ]
    settings = {'"eduaid.urls', '"reports', '"dropout', '"students', '"eduaid.core'}  # the layers contract
    dependencies = [line for line in dependencies if not any(line.startswith(name) for name in settings)]
    assert any(line.startswith('"django~=') for line in dependencies)
    assert [line for line in dependencies if not re.search(r",\s*# \w", line)] == []
