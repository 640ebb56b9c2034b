"""Who a row speaks of. Plain Python, three answers, a reason for each; nothing is settled by taking the first.

Evidence in order (docs/architecture.md): a valid ID number, then the 学籍号, each confirmed by the name. A valid but different
number is another person or an old number: never merged here. Name and birth date alone identify nobody who has a number.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple


class Known(NamedTuple):
    """A child already on file, as far as matching needs it. `names`: every name key under which lists have named the child."""

    student_id: int
    names: frozenset[str]
    birth: dt.date | None
    has_number: bool


class Candidate(NamedTuple):
    """A row that asks who it speaks of. Digests are keyed; None means that the row has no usable number of that kind."""

    row_id: int
    name_key: str
    former_key: str
    birth: dt.date | None
    id_digest: bytes | None
    registry_digest: bytes | None
    embedded_digest: bytes | None = None
    """The ID number inside the 学籍号, which is today's or an old one."""
    admitted: bool = False
    """A person let the row in without a usable number (以证件号待更正入库)."""
    same_person: bool = False
    """A person confirmed that the row speaks of the child whom its number names."""
    another_person: bool = False
    """A person said that the child of that name and birth date is somebody else."""


@dataclass(frozen=True, slots=True)
class Matched:
    student_id: int
    rule: str


@dataclass(frozen=True, slots=True)
class NotFound:
    """Nobody on file; the row may make a new child."""


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """A person has to decide. `code` and `params` make the sentence (see `eduaid.core.findings`)."""

    candidates: tuple[int, ...]
    code: str
    params: Mapping[str, str | int] = field(default_factory=dict)


Answer = Matched | NotFound | Ambiguous


@dataclass(frozen=True)
class File:
    """The children on file that a list's rows may speak of, by number and by name with birth date."""

    by_id: Mapping[bytes, Known]
    by_registry: Mapping[bytes, Known]
    by_name_birth: Mapping[tuple[str, dt.date], Sequence[Known]]


def match(row: Candidate, on_file: File) -> Answer:
    """Decides for one row. The order of the questions is the order of the evidence."""
    by_id = on_file.by_id.get(row.id_digest) if row.id_digest else None
    by_registry = on_file.by_registry.get(row.registry_digest) if row.registry_digest else None
    if by_registry is None and by_id is None and row.embedded_digest and not row.id_digest:
        by_registry = on_file.by_id.get(row.embedded_digest)
    if by_id and by_registry and by_id.student_id != by_registry.student_id:
        return Ambiguous((by_id.student_id, by_registry.student_id), "numbers-disagree")
    if by_id:
        return _confirmed(row, by_id, "id")
    if by_registry:
        return _confirmed(row, by_registry, "registry")
    namesakes = on_file.by_name_birth.get((row.name_key, row.birth), ()) if row.birth else ()
    if row.id_digest or row.registry_digest:
        # A namesake born the same day without any number is probably this child, whose number is only now known; one with
        # another valid number is somebody else, or has an old number: a person says which (疑似同人).
        if row.another_person or not namesakes:
            return NotFound()
        likely = [known for known in namesakes if not known.has_number] or namesakes
        if row.same_person and len(likely) == 1:
            return Matched(likely[0].student_id, "person")
        return Ambiguous(tuple(known.student_id for known in likely), "name-birth-known")
    if not row.admitted:
        return Ambiguous(tuple(known.student_id for known in namesakes), "needs-number")
    nameless = [known for known in namesakes if not known.has_number]
    if len(nameless) == 1 and len(namesakes) == 1:
        return Matched(nameless[0].student_id, "name-birth")
    if namesakes and not row.another_person:
        return Ambiguous(tuple(known.student_id for known in namesakes), "name-birth-known")
    return NotFound()


def _confirmed(row: Candidate, known: Known, rule: str) -> Answer:
    """A number names a child; the name must agree (an old name counts), and a contradicting birth date is asked."""
    if row.same_person:
        return Matched(known.student_id, "person")
    if row.name_key not in known.names and row.former_key not in known.names:
        name = next(iter(sorted(known.names)), "")
        return Ambiguous((known.student_id,), "id-name-differs", {"surname": name[:1], "length": len(name)})
    if row.birth and known.birth and row.birth != known.birth:
        return Ambiguous((known.student_id,), "id-birth-differs")
    return Matched(known.student_id, rule)


def match_all(rows: Iterable[Candidate], on_file: File) -> list[tuple[Candidate, Answer]]:
    """Decides for every row of a list. Two rows of one list that claim the same child under different numbers are left to
    the checks on repeated rows; here each is judged on its own."""
    return [(row, match(row, on_file)) for row in rows]
