"""The bureau's checklist for a row about a person: one check, one function, one sentence (in `eduaid.core.findings`)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from eduaid.core import codes
from eduaid.core.lists import Reading, RowFinding, Values
from eduaid.core.models.uploads import FindingLevel
from eduaid.core.text import Grade, IdNumber, XuejiNumber, id_region_is_known
from students.facts import age_on


def birth_agrees_with_id(row: Values, reading: Reading) -> Iterator[RowFinding]:
    """Neither side is changed: either may be the wrong one."""
    number: IdNumber | None = row.get("id_number")
    birth: dt.date | None = row.get("birth")
    if number and number.born_on and birth and number.born_on != birth:
        yield RowFinding("birth", "birth-not-of-id", params={"of_id": number.born_on.isoformat()})


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


PERSON = (
    birth_agrees_with_id,
    sex_agrees_with_id,
    id_region_was_ever_known,
    birth_is_before_the_list,
)
PUPIL = (*PERSON, registry_number_agrees_with_id, age_fits_grade)
