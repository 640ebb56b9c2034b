"""What the tests of the house rules look at: the project's files, and its Python as trees."""

from __future__ import annotations

import ast
import subprocess
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
APPS = ("eduaid", "students", "subsidies", "dropout", "reports")
TEMPLATES = ROOT / "templates"


@cache
def project_files() -> tuple[Path, ...]:
    """What is kept under version control, or would be: new files that nobody ignores belong to it."""
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    ).stdout.decode()
    return tuple(path for name in listed.split("\0") if name and (path := ROOT / name).is_file())


@cache
def sources() -> tuple[Path, ...]:
    """The product's own Python."""
    return tuple(path for path in project_files() if path.suffix == ".py" and named(path).split("/")[0] in APPS)


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), named(path))


def at(path: Path, node: ast.AST) -> str:
    return f"{named(path)}:{getattr(node, 'lineno', 0)}"


def called(node: ast.Call) -> str:
    """The last word of what is called: `count` of `rows.count()`."""
    return getattr(node.func, "attr", None) or getattr(node.func, "id", "")


def listed(found: list[str]) -> str:
    """All of them, where pytest would show the first."""
    return "\n" + "\n".join(found)


def calls_in(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def comments(path: Path) -> dict[int, str]:
    with tokenize.open(path) as file:
        return {
            token.start[0]: token.string
            for token in tokenize.generate_tokens(file.readline)
            if token.type == tokenize.COMMENT
        }
