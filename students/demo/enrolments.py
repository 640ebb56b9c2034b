"""Where every child truly is in the autumn term of 2026: school, grade, class, boarding, or the reason why in none."""

import random
from dataclasses import dataclass
from datetime import date
from math import ceil
from typing import Literal

from students.demo.identifiers import registry_number
from students.demo.people import Person, Population
from students.demo.places import COUNTY
from students.demo.rates import Rates
from students.demo.schools import School, Stage

Situation = Literal[
    "enrolled",  # at a school of the county
    "outside",  # at a school of another county
    "home-teaching",  # severely disabled, on the register of a school, taught at home 送教上门
    "not-yet",  # under six and in no kindergarten
    "deferred",  # entry put off with permission
    "severe-disability",  # placement pending
    "out-of-school",  # of compulsory age and in no school
    "working",  # past compulsory schooling, at no school
    "college",
    "dead",
    "emigrated",
]
OUT_OF_SCHOOL_REASONS = ("外出务工", "厌学", "家庭经济困难", "早婚早育", "因病", "随父母外出无法联系", "父母拒不配合")


@dataclass(frozen=True, slots=True)
class Grade:
    """A grade with its code and names; `age` is the usual age at the cut-off."""

    code: str
    name: str
    stage: Stage
    age: int
    number: int  # within the stage, from 1


GRADES = (
    Grade("11", "小班", "kindergarten", 3, 1),
    Grade("12", "中班", "kindergarten", 4, 2),
    Grade("13", "大班", "kindergarten", 5, 3),
    Grade("21", "一年级", "primary", 6, 1),
    Grade("22", "二年级", "primary", 7, 2),
    Grade("23", "三年级", "primary", 8, 3),
    Grade("24", "四年级", "primary", 9, 4),
    Grade("25", "五年级", "primary", 10, 5),
    Grade("26", "六年级", "primary", 11, 6),
    Grade("31", "七年级", "junior", 12, 1),
    Grade("32", "八年级", "junior", 13, 2),
    Grade("33", "九年级", "junior", 14, 3),
    Grade("41", "高一", "senior", 15, 1),
    Grade("42", "高二", "senior", 16, 2),
    Grade("43", "高三", "senior", 17, 3),
    Grade("51", "中职一", "vocational", 15, 1),
    Grade("52", "中职二", "vocational", 16, 2),
    Grade("53", "中职三", "vocational", 17, 3),
)
_BY_STAGE_AND_AGE = {(grade.stage, grade.age): grade for grade in GRADES}
_CLASS_SIZE: dict[Stage, int] = {"kindergarten": 32, "primary": 45, "junior": 50, "senior": 54, "vocational": 50}
_ENTRY_YEAR = 2026


@dataclass(slots=True)
class Enrolment:
    """The true place of a child. Without a school, `situation` says why; `grade` is kept for children outside."""

    person: Person
    situation: Situation
    school: School | None = None
    grade: Grade | None = None
    class_number: int = 0
    boarding: bool = False
    registry_no: str = ""  # 学籍号
    registered: bool = False  # the school's registry 学籍 holds the child
    seated: bool = False  # the child sits in class
    reason: str = ""  # of being in no school

    @property
    def entered(self) -> date:
        """The first of September on which the child entered the school's stage."""
        assert self.grade
        return date(_ENTRY_YEAR - self.grade.number + 1, 9, 1)


def make_enrolments(
    rng: random.Random, population: Population, schools: tuple[School, ...], rates: Rates
) -> tuple[Enrolment, ...]:
    """Place every child; the result is in the order of the children's numbers."""
    placing = _Placing(rng, schools, rates)
    enrolments = tuple(placing.place(child) for child in population.children)
    _form_classes(enrolments)
    return enrolments


class _Placing:
    """Finds a school for one child after another."""

    def __init__(self, rng: random.Random, schools: tuple[School, ...], rates: Rates) -> None:
        self._rng = rng
        self._rates = rates
        self._near: dict[tuple[str, Stage], list[School]] = {}
        self._outside: dict[Stage, list[School]] = {}
        for school in schools:
            for stage in school.stages:
                if not school.in_county:
                    self._outside.setdefault(stage, []).append(school)
                elif school.kind != "special":
                    self._near.setdefault((school.region, stage), []).append(school)
        self._seat = next(school.region for school in schools if school.seat == "county")
        self._rural = sorted({region for region, _ in self._near if region != self._seat})
        self._special = next(school for school in schools if school.kind == "special")
        # A pupil comes back to the school of elder children of the household
        self._chosen: dict[tuple[int, Stage], School] = {}

    def place(self, child: Person) -> Enrolment:
        """Decide where the child is."""
        if child.household.village and self._rng.random() < self._rates.not_cancelled:
            child.alive = self._rng.random() < 0.4
            return Enrolment(child, "dead" if not child.alive else "emigrated")
        age = child.age
        if age <= 5:
            return self._place_small(child)
        if age <= 14:
            return self._place_compulsory(child)
        if age <= 17:
            return self._place_older(child)
        return Enrolment(child, "college" if self._rng.random() < 0.48 else "working")

    def _place_small(self, child: Person) -> Enrolment:
        rng = self._rng
        if child.household.village is None or rng.random() < self._rates.kindergarten:
            if rng.random() < 0.02 and child.household.village:
                return self._abroad(child, "kindergarten")
            return self._at_school(child, "kindergarten")
        return Enrolment(child, "not-yet")

    def _place_compulsory(self, child: Person) -> Enrolment:
        rng, rates = self._rng, self._rates
        stage: Stage = "primary" if child.age <= 11 else "junior"
        if child.severe:
            return self._place_severe(child, stage)
        if child.household.village is None:
            return self._at_school(child, stage)
        if child.age == 6 and rng.random() < rates.deferred:
            return Enrolment(child, "deferred", reason="身体原因延缓入学")
        if rng.random() < rates.out_of_school * (0.5 if stage == "primary" else 2.2):
            return Enrolment(child, "out-of-school", reason=rng.choice(OUT_OF_SCHOOL_REASONS))
        if rng.random() < rates.outside_compulsory:
            return self._abroad(child, stage)
        return self._at_school(child, stage)

    def _place_severe(self, child: Person, stage: Stage) -> Enrolment:
        chance = self._rng.random()
        if chance < 0.3:
            return self._enrol(child, self._special, stage)
        if chance < 0.75:
            enrolment = self._at_school(child, stage)
            enrolment.situation, enrolment.boarding = "home-teaching", False
            return enrolment
        return Enrolment(child, "severe-disability", reason="重度残疾待安置")

    def _place_older(self, child: Person) -> Enrolment:
        rng = self._rng
        if child.severe:
            return Enrolment(child, "severe-disability", reason="重度残疾")
        chance = rng.random()
        if child.age == 15 and chance < 0.16:
            return self._at_school(child, "junior")  # entered school at seven
        if chance < 0.62:
            return self._at_school(child, "senior")
        if chance < 0.83 or child.household.village is None:
            return self._at_school(child, "vocational")
        if chance < 0.93:
            return self._abroad(child, "vocational" if rng.random() < 0.6 else "senior")
        return Enrolment(child, "working", reason="初中毕业未升学")

    def _abroad(self, child: Person, stage: Stage) -> Enrolment:
        """A school outside the county: one of those known here, or one far away that has no entry."""
        known = self._outside.get(stage)
        school = self._rng.choice(known) if known and self._rng.random() < 0.4 else None
        return Enrolment(child, "outside", school=school, grade=self._grade(child, stage))

    def _at_school(self, child: Person, stage: Stage) -> Enrolment:
        chosen = self._chosen.get((child.household.number, stage))
        if chosen is None or self._rng.random() < 0.06:
            chosen = self._choose(child, stage)
            self._chosen[child.household.number, stage] = chosen
        return self._enrol(child, chosen, stage)

    def _choose(self, child: Person, stage: Stage) -> School:
        rng, rates = self._rng, self._rates
        village = child.household.village
        home = village.township.code if village else rng.choice([self._seat, self._seat, *self._rural])
        if home != self._seat:
            chance = rng.random()
            if chance < rates.county_seat:
                home = self._seat
            elif chance < rates.county_seat + rates.other_township:
                home = rng.choice(self._rural)
        choices = self._near.get((home, stage)) or self._near[self._seat, stage]
        if len(choices) == 1:
            return choices[0]
        if village and home == village.township.code and home != self._seat:
            # The village school when the village has one, else mostly the central school
            for school in choices:
                if village.region.name.removesuffix("村") in school.name.removeprefix(village.township.name):
                    return school
            return choices[0] if rng.random() < 0.6 else choices[int(village.region.code) % len(choices)]
        return rng.choice(choices)

    def _grade(self, child: Person, stage: Stage) -> Grade:
        ages = [grade.age for grade in GRADES if grade.stage == stage]
        age = child.age
        if self._rng.random() < 0.03:
            age += self._rng.choice((-1, -1, 1))
        return _BY_STAGE_AND_AGE[stage, min(max(age, ages[0]), ages[-1])]

    def _enrol(self, child: Person, school: School, stage: Stage) -> Enrolment:
        rng, rates = self._rng, self._rates
        grade = self._grade(child, stage)
        enrolment = Enrolment(child, "enrolled", school, grade, registered=True, seated=True)
        enrolment.boarding = rng.random() < _boarding_share(child, school, grade)
        enrolment.registry_no = self._registry_no(child, school)
        chance = rng.random()
        if stage != "kindergarten" and chance < rates.unregistered:
            enrolment.registered, enrolment.registry_no = False, ""
        elif stage != "kindergarten" and chance < rates.unregistered + rates.registry_only:
            enrolment.seated = False
        return enrolment

    def _registry_no(self, child: Person, school: School) -> str:
        prefix = "G"
        if child.id_type != "居民身份证":
            prefix = "J"
        elif self._rng.random() < 0.002:
            prefix = "L"
        return registry_number(
            prefix,
            id_no=child.old_id or child.id_no,
            school_region=COUNTY,
            born=child.born,
            serial=child.number,
        )


def _boarding_share(child: Person, school: School, grade: Grade) -> float:
    if not school.boarding:
        return 0.0
    away = child.household.township != school.region
    if grade.stage == "primary":
        return 0.0 if grade.number < 3 else (0.45 if away else 0.16)
    if grade.stage == "junior":
        return 0.85 if away else 0.5
    return 0.92 if away else 0.45


def _form_classes(enrolments: tuple[Enrolment, ...]) -> None:
    """Number the classes of every school and grade so that none is larger than usual."""
    groups: dict[tuple[str, str], list[Enrolment]] = {}
    for enrolment in enrolments:
        if enrolment.school and enrolment.grade and enrolment.situation in ("enrolled", "home-teaching"):
            groups.setdefault((enrolment.school.code, enrolment.grade.code), []).append(enrolment)
    for group in groups.values():
        assert group[0].grade
        classes = ceil(len(group) / _CLASS_SIZE[group[0].grade.stage])
        for position, enrolment in enumerate(group):
            enrolment.class_number = position % classes + 1
