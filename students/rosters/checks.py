"""The bureau's checklist for a row about a person: one check, one function, one sentence (in `eduaid.core.findings`)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from eduaid.core import codes
from eduaid.core.lists import Reading, RowFinding, Values
from eduaid.core.models.uploads import FindingLevel
from eduaid.core.text import GRADES, Grade, IdNumber, XuejiNumber, id_region_is_known
from eduaid.core.text.schooling import PRIMARY
from students.facts import age_on

from .columns import LATER, stage_of

# The two calendars of spreadsheets begin so many days apart.
_EPOCHS_APART = 1462


def birth_agrees_with_id(row: Values, reading: Reading) -> Iterator[RowFinding]:
    """Neither side is changed: either may be the wrong one. Off by the distance of two calendars has a cause of its own."""
    number: IdNumber | None = row.get("id_number")
    birth: dt.date | None = row.get("birth")
    if number and number.born_on and birth and number.born_on != birth:
        code = "birth-epoch" if abs((number.born_on - birth).days) == _EPOCHS_APART else "birth-not-of-id"
        yield RowFinding("birth", code, params={"of_id": number.born_on.isoformat()})


def id_ends_in_three_zeros(row: Values, reading: Reading) -> Iterator[RowFinding]:
    """A rounded number that became text later: one in eleven has a fitting check digit. The 学籍号 may confirm it."""
    number: IdNumber | None = row.get("id_number")
    if number and number.number.endswith("000") and number.born_on:
        registry: XuejiNumber | None = row.get("registry_number")
        if not (registry and registry.embedded_id == number.number):
            yield RowFinding("id_number", "id-zeros", FindingLevel.ASK)


def sex_agrees_with_id(row: Values, reading: Reading) -> Iterator[RowFinding]:
    number: IdNumber | None = row.get("id_number")
    sex: str | None = row.get("sex")
    if number and number.sex and sex in ("1", "2") and number.sex != sex:
        yield RowFinding("sex", "sex-not-of-id", params={"of_id": codes.SEX.label(number.sex)})


def registry_number_agrees_with_id(row: Values, reading: Reading) -> Iterator[RowFinding]:
    """A G number does not follow a change of ID: a difference is legal, and worth a look."""
    number: IdNumber | None = row.get("id_number")
    registry: XuejiNumber | None = row.get("registry_number")
    if number and registry and registry.embedded_id and registry.embedded_id != number.number:
        yield RowFinding("registry_number", "registry-not-of-id", FindingLevel.WARNING)


def id_region_was_ever_known(row: Values, reading: Reading) -> Iterator[RowFinding]:
    """A warning only: counties are abolished, births registered late."""
    number: IdNumber | None = row.get("id_number")
    if number and number.kind == "1" and not id_region_is_known(number.number, (reading.regions.home.code[:6],)):
        yield RowFinding("id_number", "id-region-unknown", FindingLevel.WARNING)


def birth_is_before_the_list(row: Values, reading: Reading) -> Iterator[RowFinding]:
    birth: dt.date | None = row.get("birth")
    if birth and birth > reading.effective_on:
        yield RowFinding("birth", "born-after-list")


def age_fits_grade(row: Values, reading: Reading) -> Iterator[RowFinding]:
    """More than three years off the usual age of the grade: late starters exist, so this never blocks."""
    grade: Grade | None = row.get("grade")
    birth: dt.date | None = row.get("birth")
    entry = codes.GRADE[grade.code].facts.get("entry_age", "") if grade and grade.code in codes.GRADE else ""
    if grade and birth and entry:
        age = age_on(birth, dt.date(reading.school_year, 9, 1))
        if abs(age - int(entry)) > 3:
            yield RowFinding("birth", "age-out-of-stage", FindingLevel.WARNING, {"age": age, "grade": grade.label})


def age_fits_schooling(row: Values, reading: Reading) -> Iterator[RowFinding]:
    """Where no grade says what age is usual: from kindergarten to the end of upper secondary school, with some grace."""
    birth: dt.date | None = row.get("birth")
    if birth and not row.get("grade") and birth <= reading.effective_on:
        age = age_on(birth, dt.date(reading.school_year, 9, 1))
        if not YOUNGEST <= age <= OLDEST:
            yield RowFinding(
                "birth", "age-out-of-range", FindingLevel.WARNING, {"age": age, "low": YOUNGEST, "high": OLDEST}
            )


def bare_year_is_of_one_stage(row: Values, reading: Reading) -> Iterator[RowFinding]:
    """一年级 where no primary school is, or where the child is as old as the junior pupils of the same school: asked."""
    grade: Grade | None = row.get("grade")
    if grade is None or not grade.is_bare:
        return
    school = reading.schools.by_id.get(row.school_id or 0)
    if school is None or school.stages == [PRIMARY] or not school.stages:
        return
    stage = stage_of({**row.parsed, "school_name": school}, reading)
    if PRIMARY not in school.stages or (stage in LATER and f"{stage}{grade.code[1:]}" in GRADES):
        yield RowFinding("grade", "grade-stage", FindingLevel.ASK)


def grade_is_taught_at_the_school(row: Values, reading: Reading) -> Iterator[RowFinding]:
    """A warning: the directory may not know yet that a school has got another stage."""
    grade: Grade | None = row.get("grade")
    school = reading.schools.by_id.get(row.school_id or 0)
    if grade and not grade.is_bare and school and school.stages and grade.stage not in school.stages:
        yield RowFinding(
            "grade", "grade-not-of-school", FindingLevel.WARNING, {"grade": grade.label, "school": school.name}
        )


YOUNGEST, OLDEST = 2, 22

PERSON = (
    birth_agrees_with_id,
    sex_agrees_with_id,
    id_ends_in_three_zeros,
    id_region_was_ever_known,
    birth_is_before_the_list,
)
PUPIL = (
    *PERSON,
    registry_number_agrees_with_id,
    age_fits_grade,
    age_fits_schooling,
    grade_is_taught_at_the_school,
    bare_year_is_of_one_stage,
)
POPULATION = (*PERSON, age_fits_schooling)
