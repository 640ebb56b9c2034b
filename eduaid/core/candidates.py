"""Numbers of the lists in force that an unusable number may be meant to be: one typing error away, or what is left of it.

Nothing is guessed: a number is offered where it is on file under the row's own name, found by its digest. It is never sent to
the page; the page shows which digits would change, and names the candidate by its place in the order.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from eduaid.core.lists import ListKind, kind_of
from eduaid.core.models import Finding
from eduaid.core.text import compact, possible_ids

CODES = frozenset({"id-check", "id-length", "id-birth", "id-characters", "id-masked", "id-damaged", "id-zeros"})
_OFFERED = 3


@dataclass(frozen=True)
class Candidate:
    number: str
    shown: str
    """The region and the digits that differ from what was typed; the others are hidden."""


def of(found: Sequence[Finding], texts: Mapping[int, Mapping[str, str]]) -> dict[int, tuple[Candidate, ...]]:
    """Row → candidates in a fixed order, at most three: more would be no help. One query for any number of findings.

    `texts`: the cells of the rows, unmasked; the caller has made sure that they are the reader's own.
    """
    asked: dict[int, tuple[str, list[str]]] = {}
    kind: ListKind | None = None
    for finding in found:
        if finding.row is None or finding.code not in CODES:
            continue
        kind = kind or kind_of(finding.row.upload.kind)
        name = str(finding.row.facts.get("name_key") or "")
        typed = texts.get(finding.row.pk, {}).get(kind.id_column, "")
        numbers = possible_ids(typed, _birth(finding.row.facts.get("birth_on")))
        if finding.column == kind.id_column and name and numbers:
            asked[finding.row.pk] = (name, numbers)
    if kind is None or not asked:
        return {}
    known = kind.destination.known_numbers(asked)
    return {
        row: tuple(
            Candidate(number, differing(texts[row].get(kind.id_column, ""), number)) for number in sorted(numbers)
        )
        for row, numbers in known.items()
        if len(numbers) <= _OFFERED
    }


def _birth(text: object) -> dt.date | None:
    return dt.date.fromisoformat(str(text)) if text else None


def differing(typed: str, number: str) -> str:
    """362331********23**: the region, and the digits in which the number is not what was typed; of a text of another length
    only the region and the last four."""
    text = compact(typed).upper()
    if len(text) != len(number):
        return f"{number[:6]}{'*' * 8}{number[-4:]}"
    return number[:6] + "".join(
        digit if digit != other else "*" for digit, other in zip(number[6:], text[6:], strict=True)
    )
