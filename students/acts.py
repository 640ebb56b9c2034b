"""What hangs on a child beside lists: visits, payments, cases. Each app above says so, so that an undo takes nobody away
whom something was done for (docs/architecture.md)."""

from __future__ import annotations

from collections.abc import Callable, Collection

_HOLDERS: list[Callable[[Collection[int]], set[int]]] = []


def register(holder: Callable[[Collection[int]], set[int]]) -> None:
    """`holder` answers, for student ids, those on whom its acts hang."""
    _HOLDERS.append(holder)


def holding(students: Collection[int]) -> set[int]:
    """The children among these who stay, flagged 来源已撤回, when their lists are withdrawn."""
    return set().union(*(holder(students) for holder in _HOLDERS)) if _HOLDERS else set()
