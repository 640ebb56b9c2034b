"""Everything that is true in the invented county, for the lists to be drawn from."""

import random
from dataclasses import dataclass
from datetime import date

from students.demo.accounts import User
from students.demo.enrolments import Enrolment
from students.demo.people import Person, Population
from students.demo.places import Places
from students.demo.rates import Rates
from students.demo.schools import School
from students.demo.truth import Truth

COMPULSORY_WINDOW = (date(2010, 9, 1), date(2020, 8, 31))
"""First and last birth date of those who are 6 to 15 in the school year 2026-2027."""


@dataclass(slots=True)
class World:
    """Places, people and where they are; `seed` makes every list's own sequence of chances."""

    seed: int
    rates: Rates
    places: Places
    schools: tuple[School, ...]
    population: Population
    enrolments: tuple[Enrolment, ...]  # in the order of the children's numbers
    users: tuple[User, ...]
    truth: Truth
    silent_schools: frozenset[str] = frozenset()  # codes of schools that have sent no class roster
    broken_links: frozenset[int] = frozenset()  # children whose registry row has an unusable number

    def rng(self, purpose: str) -> random.Random:
        """Return the sequence of chances for one purpose; other purposes do not disturb it."""
        return random.Random(f"{self.seed}:{purpose}")

    def enrolment(self, child: Person) -> Enrolment:
        return self.enrolments[child.number - 1]

    def county_schools(self) -> list[School]:
        return [school for school in self.schools if school.in_county]


def in_window(born: date, window: tuple[date, date] = COMPULSORY_WINDOW) -> bool:
    """Return whether a birth date lies in a window, both ends included."""
    return window[0] <= born <= window[1]


def has_hukou_row(child: Person) -> bool:
    """Return whether the police list names the child: hukou here, and a number issued."""
    return child.household.village is not None and bool(child.id_no)


def choose_silent_schools(rng: random.Random, schools: tuple[School, ...]) -> frozenset[str]:
    """Choose one village primary school and one kindergarten that are late with their class rosters."""
    rural = [school for school in schools if school.in_county and school.seat == "township"]
    primaries = [school for school in rural if school.kind == "primary" and "中心" not in school.name]
    kindergartens = [school for school in rural if school.kind == "kindergarten"]
    primaries = [school for school in primaries if "蔡朱" not in school.name] or primaries
    return frozenset((rng.choice(primaries).code, rng.choice(kindergartens).code))


def choose_broken_links(rng: random.Random, enrolments: tuple[Enrolment, ...], rates: Rates) -> frozenset[int]:
    """Choose registered children whose number is unusable in the registry.

    So many that, among the children of compulsory age who seem to have no registry, the wanted share is a linkage
    problem only.
    """
    without = 0
    registered: list[int] = []
    for enrolment in enrolments:
        child = enrolment.person
        if not has_hukou_row(child) or not in_window(child.born):
            continue
        if enrolment.registered:
            registered.append(child.number)
        elif enrolment.situation != "outside":
            without += 1
    share = rates.unlinked_bad_id
    wanted = round(without * share / (1 - share)) if share < 1 else len(registered)
    return frozenset(rng.sample(registered, min(wanted, len(registered))))
