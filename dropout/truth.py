"""What the derivation made of the example county, against the generator's truth: caught, left to people, wrong."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from dropout.models import CensusRound, Whereabouts
from eduaid.core import codes
from students.demo import County
from students.demo.truth import PersonTruth
from students.models import IdentityLink


@dataclass(frozen=True)
class Compared:
    """Children of one true kind in a round. `right`: derived as it is; `asked`: left 未核, for a person to settle; `wrong`:
    derived as something else, by that code."""

    kind: str
    label: str
    planted: int
    right: int
    asked: int
    wrong: Mapping[str, int]


def persons_of(county: County) -> dict[int, set[int]]:
    """Child → the persons of whom the generator made the rows that are tied to it (one, where matching is right)."""
    persons = {(row.filename, row.sheet, row.row): row.person for row in county.truth.rows}
    found: dict[int, set[int]] = defaultdict(set)
    links = IdentityLink.objects.values_list(
        "student_id", "row__sheet__file__name", "row__sheet__file__kind", "row__sheet__name", "row__number"
    )
    for student, name, kind, sheet, number in links.iterator():
        person = persons.get((name, "" if kind == "csv" else sheet, number))
        if person is not None:
            found[student].add(person)
    return found


def compare(round_: CensusRound, county: County) -> list[Compared]:
    """Every child of the round whose rows are of one person, by what is true of that person."""
    persons = persons_of(county)
    right, asked, planted = Counter[str](), Counter[str](), Counter[str]()
    wrong: dict[str, Counter[str]] = defaultdict(Counter)
    for student, code in Whereabouts.objects.filter(round=round_).values_list("student_id", "code"):
        of = persons.get(student, set())
        if len(of) != 1:
            continue
        true = county.truth.people[next(iter(of))].whereabouts
        planted[true] += 1
        if not code:
            asked[true] += 1
        elif code == true or (true == "C" and code.startswith("C")) or (true, code) == ("A3", "A4"):
            right[true] += 1
        else:
            wrong[true][code] += 1
    return [
        Compared(kind, _label(kind), count, right[kind], asked[kind], wrong[kind])
        for kind, count in sorted(planted.items())
    ]


def _label(kind: str) -> str:
    return "辍学" if kind == "C" else codes.WHEREABOUTS.label(kind) if kind else "未入园幼儿"


def unaccounted(person: PersonTruth) -> bool:
    """Whether nothing in the lists can account for the person: who must stand in 疑似辍学."""
    return not person.in_roster and person.whereabouts in ("A3", "A6", "B1", "B5", "B9", "C", "C6")
