"""Imports point one way: between the apps, between the rooms of an app, and never in a circle."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

import grimp
import pytest
from importlinter.cli import lint_imports

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("eduaid", "students", "subsidies", "dropout", "reports")
APPS = ("students", "subsidies", "dropout", "reports")

# The rooms of an app, highest first; those of one line do not know each other. A module that stands in no line may be
# used by any room, and may not lead from a lower room to a higher one.
ROOMS: tuple[frozenset[str], ...] = (
    frozenset({"urls"}),
    frozenset({"views", "admin", "management"}),
    frozenset({"tasks"}),
    frozenset({"forms", "resources", "tables"}),
    frozenset({"rosters", "lists"}),
    frozenset({"actions"}),
    frozenset({"indicators", "coverage", "crosscheck"}),
    frozenset({"models"}),
)
# In the kernel the registry of list kinds lies below the life of a list, which is what `actions` is elsewhere.
KERNEL_ROOMS: tuple[frozenset[str], ...] = (
    frozenset({"urls"}),
    frozenset({"views", "admin", "management"}),
    frozenset({"tasks"}),
    frozenset({"forms", "templatetags"}),
    frozenset({"intake"}),
    frozenset({"uploads"}),
    frozenset({"lists", "indicators"}),
    frozenset({"scope"}),
    frozenset({"roles"}),
    frozenset({"models"}),
)
# Plain Python, tested without a database: not even by way of another module do these reach Django.
PLAIN = (
    "eduaid.core.cells",
    "eduaid.core.text",
    "eduaid.core.preflight",
    "eduaid.core.reading",
    "eduaid.core.parser",
    "eduaid.core.spreadsheets",
    "eduaid.core.processes",
    "eduaid.core.binaries",
    "eduaid.core.servers",
    "reports.table_check",
    "students.linkage",
    "students.linking",
    "students.matching",
    "students.precedence",
)


@cache
def graph() -> grimp.ImportGraph:
    return grimp.build_graph(*PACKAGES, cache_dir=None)


@cache
def graph_with_libraries() -> grimp.ImportGraph:
    return grimp.build_graph(*PACKAGES, include_external_packages=True, cache_dir=None)


def circles(edges: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """The groups of nodes that reach one another, each in alphabetical order. An edge to itself is no circle."""
    reached = {node: _reached_from(node, edges) for node in edges}
    found = set()
    for node, others in reached.items():
        group = {node} | {other for other in others if node in reached.get(other, ())}
        if len(group) > 1:
            found.add(tuple(sorted(group)))
    return [list(group) for group in sorted(found)]


def _reached_from(start: str, edges: Mapping[str, Iterable[str]]) -> set[str]:
    seen: set[str] = set()
    ahead = [start]
    while ahead:
        for target in edges.get(ahead.pop(), ()):
            if target not in seen:
                seen.add(target)
                ahead.append(target)
    return seen


def imports() -> dict[str, set[str]]:
    """Module → the modules that it imports anywhere: at its head, inside a function, for types only."""
    return {module: graph().find_modules_directly_imported_by(module) for module in graph().modules}


def between_children(package: str) -> dict[str, set[str]]:
    """Child → children of the same package that it or anything inside it imports."""
    inside = package + "."

    def child(module: str) -> str | None:
        return inside + module[len(inside) :].split(".")[0] if module.startswith(inside) else None

    edges: dict[str, set[str]] = {}
    for module, targets in imports().items():
        here = child(module)
        if here is not None:
            there = {name for target in targets if (name := child(target))}
            edges.setdefault(here, set()).update(there - {here})
    return edges


def ways_up(package: str, rooms: tuple[frozenset[str], ...]) -> list[str]:
    """Every way in which a lower room of the package reaches a higher one, or one beside it, as `a → b → c`."""
    layers = [
        grimp.Layer(*sorted(present), independent=True)
        for room in rooms
        if (present := {name for name in room if f"{package}.{name}" in graph().modules})
    ]
    broken = graph().find_illegal_dependencies_for_layers(layers=layers, containers={package})
    return sorted(
        " → ".join([head, *route.middle, tail])
        for dependency in broken
        for route in dependency.routes
        for head in route.heads
        for tail in route.tails
    )


def test_the_contracts_of_the_project_file_hold() -> None:
    assert lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True) == 0


def test_no_module_imports_itself_by_way_of_others() -> None:
    assert circles(imports()) == []


@pytest.mark.parametrize("package", ["eduaid", "eduaid.core", *APPS])
def test_no_package_imports_itself_by_way_of_its_siblings(package: str) -> None:
    assert circles(between_children(package)) == []


@pytest.mark.parametrize("app", APPS)
def test_rooms_of_an_app_import_only_lower_rooms(app: str) -> None:
    assert ways_up(app, ROOMS) == []


def test_rooms_of_the_kernel_import_only_lower_rooms() -> None:
    assert ways_up("eduaid.core", KERNEL_ROOMS) == []


@pytest.mark.parametrize("module", PLAIN)
def test_plain_modules_do_not_reach_django(module: str) -> None:
    chain = graph_with_libraries().find_shortest_chain(importer=module, imported="django", as_packages=True)
    assert chain is None


def test_only_its_command_imports_the_example_county() -> None:
    demo = {module for module in graph().modules if module.startswith("students.demo")}
    users = {user for module in demo for user in graph().find_modules_that_directly_import(module)} - demo
    assert users == {"students.management.commands.demo"}


def test_nobody_imports_the_composition_root() -> None:
    """Settings are read through `django.conf`; addresses are resolved by name."""
    users = {
        (user, root)
        for root in ("eduaid.settings", "eduaid.urls", "eduaid.wsgi", "eduaid.celery")
        for user in graph().find_modules_that_directly_import(root)
    }
    # Whoever has settings can send a task by name.
    assert users == {("eduaid.settings", "eduaid.celery")}


def test_the_search_for_circles_finds_one() -> None:
    assert circles({"a": ["b"], "b": ["c"], "c": ["a", "d"], "d": [], "e": ["e", "d"]}) == [["a", "b", "c"]]
    assert circles({"a": ["b", "c"], "b": ["d"], "c": ["d"], "d": []}) == []
    assert circles({"a": ["b"], "b": ["a"], "x": ["y", "a"], "y": ["x"]}) == [["a", "b"], ["x", "y"]]
