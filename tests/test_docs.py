"""The documents say what is there: links lead somewhere, commands exist, words of the glossary stand in the code."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from urllib.parse import unquote

import pytest
from django.core.management import get_commands, load_command_class

from eduaid.core.lists import kinds
from students.demo.load import PASSWORD

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "bench").glob("*.md")])
README = (ROOT / "README.md").read_text("utf-8")
APPS = ("eduaid", "students", "subsidies", "dropout", "reports")
HELP = sorted((ROOT / "docs" / "help").glob("*.md"))
A_PAGE = 60
"""Lines of a printed page, wrapped lines counted as they wrap."""


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def anchors(path: Path) -> set[str]:
    """The headings as addresses, the way hosting sites make them."""
    headings = re.findall(r"^#+ (.+)$", path.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_links_lead_somewhere(document: Path) -> None:
    text = re.sub(r"```.*?```", "", document.read_text("utf-8"), flags=re.DOTALL)
    lost = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith(("http://", "https://", "mailto:")):
            continue
        file, _, anchor = unquote(target).partition("#")
        path = (document.parent / file).resolve() if file else document
        if not path.exists() or (anchor and anchor not in anchors(path)):
            lost.append(target)
    assert lost == []


def test_every_page_of_help_and_every_decision_is_in_its_list() -> None:
    for folder in ("help", "decisions"):
        listed = (ROOT / "docs" / folder / "README.md").read_text("utf-8")
        pages = [path.name for path in (ROOT / "docs" / folder).glob("*.md") if path.name != "README.md"]
        assert [page for page in pages if f"({page})" not in listed] == []
    assert [path.name for path in HELP if f"docs/help/{path.name}" not in README and path.name != "README.md"] == []


@pytest.mark.parametrize("page", HELP, ids=lambda path: path.name)
def test_a_page_of_help_fits_on_a_page(page: Path) -> None:
    lines = page.read_text("utf-8").splitlines()
    assert sum(1 + len(line) // 60 for line in lines) <= A_PAGE


@pytest.mark.parametrize("page", sorted((ROOT / "docs" / "decisions").glob("0*.md")), ids=lambda path: path.name)
def test_a_decision_has_its_parts(page: Path) -> None:
    text = page.read_text("utf-8")
    assert text.startswith(f"# {page.name[:4]} ")
    assert [part for part in ("**Context.**", "**Decision.**", "**Consequences.**") if part not in text] == []
    assert 15 <= len(text.splitlines()) <= 40


def test_make_targets_that_documents_name_exist() -> None:
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = {
        (name_of(path), target)
        for path in DOCUMENTS
        for target in re.findall(r"(?:^|`)make ([a-z][\w-]+)", path.read_text("utf-8"), re.MULTILINE)
    }
    assert ("README.md", "up") in named
    assert {(document, target) for document, target in named if target not in targets} == set()


def test_the_readme_starts_with_the_two_commands() -> None:
    first = README.partition("```")[2].partition("```")[0].strip().splitlines()
    assert [line.split("#")[0].strip() for line in first] == ["make up", "make test"]


OWN = {name: app for name, app in get_commands().items() if str(app).split(".")[0] in APPS}


def test_commands_that_documents_name_exist() -> None:
    of_django = {"check", "collectstatic", "migrate", "makemigrations", "shell"}
    named = {
        (name_of(path), command)
        for path in DOCUMENTS
        for command in re.findall(r"manage\.py ([a-z]\w+)", path.read_text("utf-8"))
    }
    assert ("README.md", "intake") in named
    assert {(document, command) for document, command in named if command not in OWN.keys() | of_django} == set()


@pytest.mark.parametrize("line", re.findall(r"^python manage\.py (.+(?:\n {10,}.+)*)$", README, re.MULTILINE))
def test_options_in_the_readme_exist(line: str) -> None:
    command = line.split()[0]
    parser = load_command_class(OWN[command], command).create_parser("manage.py", command)
    known = {option for action in parser._actions for option in action.option_strings}
    assert set(re.findall(r"(?<![\w-])--?[a-z][\w-]*", line)) - known == set()
    required = {action.option_strings[-1] for action in parser._actions if action.required and action.option_strings}
    assert {option for option in required if option not in line} == set()


def test_options_that_the_readme_leaves_out_are_few() -> None:
    parser: argparse.ArgumentParser = load_command_class(OWN["intake"], "intake").create_parser("manage.py", "intake")
    ordinary = {
        action.dest for action in load_command_class(OWN["rotate_keys"], "rotate_keys").create_parser("", "")._actions
    }
    told = re.search(r"manage\.py intake .+\n.+", README)
    assert told is not None
    own = {action.dest: action.option_strings for action in parser._actions if action.dest not in ordinary}
    assert {dest for dest, options in own.items() if options and options[-1] not in told[0]} == {"wait"}


def test_list_kinds_and_the_password_are_those_of_the_program() -> None:
    assert [kind.key for kind in kinds() if f"`{kind.key}`" not in README] == []
    assert f"`{PASSWORD}`" in README


def test_counts_in_the_readme_are_those_of_the_command() -> None:
    from eduaid.core.management.commands.intake import _COUNTS

    told = re.search(r'"counts": \{(.*?)\}', README, re.DOTALL)
    assert told is not None
    numbers = dict(re.findall(r'"(\w+)": (\d+)', told[1]))
    assert set(numbers) == set(_COUNTS)
    parts = ("accepted", "waiting", "refused", "repeated")
    assert int(numbers["read"]) == sum(int(numbers[part]) for part in parts)


def test_words_of_the_glossary_stand_in_the_code() -> None:
    source = "\n".join(
        path.read_text("utf-8") for app in APPS for path in (ROOT / app).rglob("*.py") if "migrations" not in path.parts
    )
    glossary = (ROOT / "docs" / "glossary.md").read_text("utf-8")
    words = {
        word
        for line in glossary.splitlines()
        if line.startswith("| ") and line.count("|") >= 4
        for word in re.findall(r"`([^`]+)`", line.split("|")[2])
    }
    assert len(words) > 50
    assert sorted(word for word in words if not re.search(rf"\b{re.escape(word)}\b", source)) == []
