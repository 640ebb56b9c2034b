"""What hangs on a child beside lists: visits, payments, cases. Each app above says so, so that an undo takes nobody away
whom something was done for, and a merge asks what only one of two files can keep (docs/architecture.md)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from students.models import Student

if TYPE_CHECKING:
    from eduaid.core.models import User

_HOLDERS: list[Callable[[Collection[int]], set[int]]] = []


def register(holder: Callable[[Collection[int]], set[int]]) -> None:
    """`holder` answers, for student ids, those on whom its acts hang."""
    _HOLDERS.append(holder)


def holding(students: Collection[int]) -> set[int]:
    """The children among these who stay, flagged 来源已撤回, when their lists are withdrawn: also those whose acts hang on a
    file that was merged into theirs, or into which theirs was merged."""
    if not _HOLDERS or not students:
        return set()
    one: dict[int, int] = {}
    for pk, kept in Student.objects.exclude(merged_into=None).values_list("pk", "merged_into_id"):
        one[pk] = kept
    asked = {one.get(pk, pk) for pk in students}
    whole = asked | {pk for pk, kept in one.items() if kept in asked}
    held = {one.get(pk, pk) for pk in set[int]().union(*(holder(whole) for holder in _HOLDERS))}
    return {pk for pk in students if one.get(pk, pk) in held}


@dataclass(frozen=True)
class Conflict:
    """Of two files only one may keep something: what each says, in words. A person picks while merging."""

    key: str
    label: str
    kept: str
    other: str


@dataclass(frozen=True)
class Merging:
    """What an app has to say when two files become one. Acts stay on the file on which they were made; queries of acts look
    through `merged_into`. Only what a child can have once is settled here, so that it can be put back.

    `settle` gets the keys picked from the other file (all others stay as they are), and answers what `restore` needs.
    """

    key: str
    conflicts: Callable[[int, int], Sequence[Conflict]]
    settle: Callable[[int, int, Collection[str], User], Mapping[str, object]]
    restore: Callable[[int, int, Mapping[str, object], User], None]


_MERGINGS: dict[str, Merging] = {}


def register_merging(merging: Merging) -> None:
    """Call from the app's `ready`; keys of its conflicts begin with its key and a colon."""
    _MERGINGS[merging.key] = merging


def mergings() -> tuple[Merging, ...]:
    return tuple(_MERGINGS.values())
