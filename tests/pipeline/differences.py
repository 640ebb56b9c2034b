"""What the comparison of the example county's lists finds, against what its truth says was planted."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from eduaid.core.indicators import Basis, indicator_of
from eduaid.core.models import Region, UploadRow
from eduaid.core.models.uploads import RowState
from eduaid.core.scope import EVERYTHING
from students import crosscheck
from students.demo import County
from students.demo.truth import PersonTruth
from students.indicators import cohort
from students.models import Discrepancy, IdentityLink, Suggestion


@dataclass(frozen=True)
class Found:
    """Of one queue: the planted differences that it shows, those that it misses, and those that nobody planted.

    `waiting`: shown because a row of the other list waits for its office; `pointed`: of these, with a suggestion of that row.
    """

    queue: str
    planted: int
    caught: int
    false: int
    waiting: int
    pointed: int

    def line(self) -> str:
        return (
            f"{self.queue:<34} planted {self.planted:>4}  caught {self.caught:>4}  false {self.false:>3}"
            f"  behind waiting rows {self.waiting:>3}  pointed out {self.pointed:>3}"
        )


def find(example: County, day: dt.date = dt.date(2026, 11, 1)) -> list[Found]:
    """Compares the whole county and holds each queue against the truth."""
    crosscheck.compare(crosscheck.children_of(Region.objects.home()))
    persons = {(row.filename, row.sheet, row.row): row.person for row in example.truth.rows}
    places = UploadRow.objects.values_list(
        "pk", "sheet__file__name", "sheet__file__kind", "sheet__name", "number", "state", "slice__kind"
    )
    of_row: dict[int, int] = {}
    waiting: dict[int, set[str]] = defaultdict(set)
    accepted: dict[int, set[str]] = defaultdict(set)
    for pk, name, kind, sheet, number, state, lists in places:
        person = persons[name, "" if kind == "csv" else sheet, number]
        of_row[pk] = person
        (accepted if state == RowState.ACCEPTED else waiting)[person].add(lists)
    child_of = {student: of_row[row] for row, student in IdentityLink.objects.values_list("row", "student")}
    hints: dict[int, set[int]] = defaultdict(set)
    for suggestion in Suggestion.objects.found_at_moment():
        if suggestion.row_id is not None:
            hints[suggestion.left_id].add(of_row[suggestion.row_id])
        elif suggestion.right_id is not None:
            hints[suggestion.left_id].add(child_of[suggestion.right_id])
            hints[suggestion.right_id].add(child_of[suggestion.left_id])
    basis = Basis(Region.objects.home(), day)
    first, last = cohort(basis, 6, 15)

    def in_window(person: PersonTruth) -> bool:
        return first <= person.born <= last

    def against(key: str, holds: Callable[[PersonTruth], bool], own: str, lacking: Iterable[str]) -> Found:
        planted = {
            person.number
            for person in example.truth.people.values()
            if holds(person) and own in accepted[person.number] and person.number in child_of.values()
        }
        shown = {pk: child_of[pk] for pk in indicator_of(key).queryset(basis, EVERYTHING).values_list("pk", flat=True)}
        extra = {pk: person for pk, person in shown.items() if person not in planted}
        held_up = {pk: person for pk, person in extra.items() if waiting[person] & set(lacking)}
        return Found(
            key,
            len(planted),
            len(planted & set(shown.values())),
            len(extra) - len(held_up),
            len(held_up),
            sum(person in hints[pk] for pk, person in held_up.items()),
        )

    return [
        against(
            "difference.population-only",
            lambda p: p.in_population and not p.in_registry and not p.in_roster and in_window(p),
            "population",
            ("registry", "class-roster"),
        ),
        against(
            "difference.registry-not-roster",
            lambda p: p.in_registry and not p.in_roster,
            "registry",
            ("class-roster",),
        ),
        against("difference.roster-only", lambda p: p.in_roster and not p.in_registry, "class-roster", ("registry",)),
        against(
            "difference.poverty-not-in-school",
            lambda p: p.in_poverty_register and not p.in_roster and in_window(p),
            "poverty-register",
            ("class-roster",),
        ),
        *_contradictions(example, of_row, child_of, accepted),
    ]


def _contradictions(
    example: County, of_row: dict[int, int], child_of: dict[int, int], accepted: dict[int, set[str]]
) -> list[Found]:
    slips = {"boarding": "boarding-differs", "grade": "grade-differs"}
    marked: dict[str, set[int]] = defaultdict(set)
    for row in example.truth.rows:
        for slip in row.planted:
            marked[slip].add(row.person)
    found = []
    for concept, slip in slips.items():
        shown = {
            child_of[pk] for pk in Discrepancy.objects.open().filter(concept=concept).values_list("student", flat=True)
        }
        planted = {person for person in marked[slip] if {"registry", "class-roster"} <= accepted[person]}
        found.append(Found(f"contradicted: {concept}", len(planted), len(planted & shown), len(shown - planted), 0, 0))
    return found


def wrong_pairs(example: County) -> list[str]:
    """Suggestions of two files of different persons, with their certainty and reason."""
    persons = {(row.filename, row.sheet, row.row): row.person for row in example.truth.rows}
    person: dict[int, int] = {}
    links = IdentityLink.objects.values_list(
        "student", "row__sheet__file__name", "row__sheet__file__kind", "row__sheet__name", "row__number"
    )
    for student, name, kind, sheet, number in links:
        person[student] = persons[name, "" if kind == "csv" else sheet, number]
    pairs = Suggestion.objects.open()
    return [f"{p.certainty} {p.reason}" for p in pairs if p.right_id and person[p.left_id] != person[p.right_id]]
