"""The example county as a whole: `generate` makes everything from a size and a seed."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from students.demo import names
from students.demo.accounts import User, make_users
from students.demo.enrolments import Enrolment, make_enrolments
from students.demo.lists.class_rosters import make_class_rosters
from students.demo.lists.hardship import make_hardship_lists
from students.demo.lists.population import make_population_lists
from students.demo.lists.poverty import make_poverty_register, poverty_attribute
from students.demo.lists.registry import make_registry_lists
from students.demo.people import Person, make_population
from students.demo.places import COUNTY, Region, make_places
from students.demo.rates import Rates
from students.demo.schools import School, make_schools
from students.demo.truth import PersonTruth, Truth
from students.demo.workbooks import Workbook
from students.demo.world import World, choose_broken_links, choose_silent_schools, has_hukou_row


@dataclass(frozen=True, slots=True)
class Term:
    """A term of a school year, both days included."""

    code: str
    name: str
    season: str  # autumn, spring
    starts_on: date
    ends_on: date


@dataclass(frozen=True, slots=True)
class SchoolYear:
    """A school year with its two terms and the birth window of compulsory age."""

    code: str
    name: str
    starts_on: date
    ends_on: date
    terms: tuple[Term, Term]
    born_from: date  # 6 to 15 at the cut-off
    born_until: date


@dataclass(frozen=True, slots=True)
class County:
    """What `manage.py demo` loads, and the truth that tests compare with. Regions come parents first."""

    seed: int
    code: str
    regions: tuple[Region, ...]
    schools: tuple[School, ...]
    school_years: tuple[SchoolYear, ...]
    users: tuple[User, ...]
    workbooks: tuple[Workbook, ...]
    truth: Truth

    def uploads(self) -> Iterator[tuple[Workbook, ...]]:
        """Yield the files of each list together, in an order in which they can be sent in."""
        for _, parts in groupby(self.workbooks, key=lambda workbook: workbook.group):
            yield tuple(parts)


def generate(people: int, seed: int, rates: Rates | None = None) -> County:
    """Make the example county with `people` children and young people of 3 to 22, and their adults.

    The same arguments give the same county, down to the bytes of every workbook.
    """
    if people < 1:
        raise ValueError("the example county needs people")
    rates = rates or Rates()
    places = make_places(random.Random(f"{seed}:places"), tuple(names.SURNAMES))
    schools = make_schools(places, people)
    population = make_population(random.Random(f"{seed}:people"), places, people, rates)
    enrolments = make_enrolments(random.Random(f"{seed}:enrolments"), population, schools, rates)
    world = World(
        seed=seed,
        rates=rates,
        places=places,
        schools=schools,
        population=population,
        enrolments=enrolments,
        users=make_users(random.Random(f"{seed}:users"), places, schools),
        truth=Truth(),
        silent_schools=choose_silent_schools(random.Random(f"{seed}:silent"), schools),
        broken_links=choose_broken_links(random.Random(f"{seed}:links"), enrolments, rates),
    )
    workbooks = (
        *make_population_lists(world),
        *make_registry_lists(world),
        *make_class_rosters(world),
        *make_poverty_register(world),
        *make_hardship_lists(world),
    )
    _record_people(world)
    return County(
        seed=seed,
        code=COUNTY,
        regions=places.regions,
        schools=schools,
        school_years=tuple(_school_year(year) for year in (2025, 2026)),
        users=world.users,
        workbooks=workbooks,
        truth=world.truth,
    )


def _school_year(year: int) -> SchoolYear:
    return SchoolYear(
        code=f"{year}-{year + 1}",
        name=f"{year}—{year + 1}学年",
        starts_on=date(year, 9, 1),
        ends_on=date(year + 1, 8, 31),
        terms=(
            Term(f"{year}-autumn", f"{year}年秋季学期", "autumn", date(year, 9, 1), date(year + 1, 1, 31)),
            Term(f"{year + 1}-spring", f"{year + 1}年春季学期", "spring", date(year + 1, 2, 1), date(year + 1, 8, 31)),
        ),
        born_from=date(year - 16, 9, 1),
        born_until=date(year - 6, 8, 31),
    )


def _record_people(world: World) -> None:
    people = world.truth.people
    for child in world.population.children:
        people[child.number] = _child_truth(world, child)
    for adult in world.population.adults:
        household = adult.household
        people[adult.number] = PersonTruth(
            number=adult.number,
            name=adult.name,
            sex=adult.sex,
            born=adult.born,
            id_no=adult.id_no,
            child=False,
            household=household.number,
            hukou_township=household.township,
            village=household.origin if household.village else "",
            poverty=household.poverty,
            poverty_attribute=poverty_attribute(household),
            in_poverty_register=bool(household.poverty),
        )


_PLACELESS = {
    "home-teaching": "A6",
    "deferred": "B9",
    "severe-disability": "C6",
    "out-of-school": "C",
    "dead": "B1",
    "emigrated": "B5",
    "working": "B7",
    "college": "B7",
}


def whereabouts(enrolment: Enrolment) -> str:
    """The true code of a child's whereabouts; empty for small children at home, whom no code speaks of."""
    if enrolment.situation in _PLACELESS:
        return _PLACELESS[enrolment.situation]
    stage = enrolment.grade.stage if enrolment.grade else ""
    if stage == "senior":
        return "B7"
    if stage == "vocational":
        return "A8"
    if enrolment.situation == "outside":
        return "A3"
    if enrolment.school is None:
        return ""
    # In a special school, or in a regular class with a disability (随班就读), as the registry tells it.
    if enrolment.school.kind == "special" or (enrolment.person.disability and enrolment.registered):
        return "A7"
    return "A1" if enrolment.school.region == enrolment.person.household.township else "A2"


def _child_truth(world: World, child: Person) -> PersonTruth:
    household = child.household
    enrolment = world.enrolment(child)
    school, grade = enrolment.school, enrolment.grade
    return PersonTruth(
        number=child.number,
        name=child.name,
        sex=child.sex,
        born=child.born,
        id_no=child.id_no,
        child=True,
        household=household.number,
        hukou_township=household.township,
        village=household.origin if household.village else "",
        situation=enrolment.situation,
        reason=enrolment.reason,
        whereabouts=whereabouts(enrolment),
        school=school.code if school else "",
        school_region=school.region if school else "",
        stage=grade.stage if grade else "",
        grade=grade.code if grade else "",
        class_number=enrolment.class_number,
        boarding=enrolment.boarding,
        left_behind=child.left_behind,
        registry_no=enrolment.registry_no,
        poverty=household.poverty,
        poverty_attribute=poverty_attribute(household),
        hardship=child.hardship if child.alive else (),
        twin=child.twin,
        in_population=has_hukou_row(child),
        in_registry=enrolment.registered,
        in_roster=enrolment.seated and school is not None and school.code not in world.silent_schools,
        in_poverty_register=bool(household.poverty) and child.alive,
    )
