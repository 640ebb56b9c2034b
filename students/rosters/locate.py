"""Where a row belongs: its school or township, and whether the sender may report it (R08: rows out of scope are not taken)."""

from __future__ import annotations

from eduaid.core.lists import Reading, RowFinding, Values
from eduaid.core.models import Region, School
from eduaid.core.models.places import Level
from eduaid.core.models.uploads import FindingLevel
from eduaid.core.text import GRADES, Grade, SchoolClass, parse_grade
from eduaid.core.text.results import Parsed
from eduaid.core.text.schooling import PRIMARY

from .columns import LATER, stage_of


def outside(column: str, place: object, reading: Reading) -> RowFinding:
    return RowFinding(column, "outside-scope", params={"place": str(place), "scope": reading.scope_name})


def by_school(row: Values, reading: Reading) -> RowFinding | None:
    """Sets school and township from the row's school, else the list's own, else the one that the sheet's title names.

    Also settles grade and class when only the sheet's title or name tells them.
    """
    school = row.get("school_code") or row.get("school_name") or reading.school or _titled_school(reading)
    _settle_class(row, reading, school)
    if school is None:
        return RowFinding("school_name", "no-place", params={"what": "学校"})
    row.school_id, row.town_id = school.pk, school.town_id
    row.facts["school_id"] = school.pk
    if reading.school is not None and school.pk != reading.school.pk:
        return outside("school_name", school, reading)
    if reading.region is not None and not reading.region.is_home and school.town_id != reading.region.pk:
        return outside("school_name", school, reading)
    return None


def _titled_school(reading: Reading) -> School | None:
    """The one school whose full or other name stands in the title above the header, the sheet's or the file's name."""
    found = reading.schools.named_in(reading.title) or reading.schools.named_in(reading.sheet)
    return found[0] if len(found) == 1 else None


def _settle_class(row: Values, reading: Reading, school: School | None) -> None:
    written: Grade | None = row.get("grade")
    if written is not None:
        if written.is_bare and school is not None and PRIMARY not in school.stages:
            # A bare year is that of a primary school only where there is one.
            stage = stage_of({**row.parsed, "school_name": school}, reading)
            grade = GRADES.get(f"{stage}{written.code[1:]}") if stage in LATER else None
            if grade is not None:
                row.parsed["grade"] = grade
                row.facts["grade"] = grade.code
        return
    room: SchoolClass | None = row.get("class")
    grade = room.grade if room else None
    if grade is None and row.get("enrolled"):
        stage = stage_of({**row.parsed, "school_name": school}, reading)
        cohort = parse_grade(f"{row.get('enrolled').year}级", stage=stage, school_year=reading.school_year)
        grade = cohort.value if isinstance(cohort, Parsed) else None
    if grade is not None:
        row.parsed["grade"] = grade
        row.facts["grade"] = grade.code


def by_town(row: Values, reading: Reading) -> RowFinding | None:
    """Sets township (and village) from the row, else the list's own township; a county list may leave it open."""
    town: Region | None = row.get("town")
    address = row.get("hukou_address")
    if town is None and address is not None and address.region is not None:
        town = reading.regions.town_of(address.region)
    if town is None and reading.region is not None and reading.region.level == Level.TOWNSHIP:
        town = reading.region
    village = _village(row, reading, town)
    if town is None and village is not None:
        town = reading.regions.town_of(village)
    row.town_id = town.pk if town else None
    if village is not None:
        row.facts["hukou_village_id"] = village.pk
    if town is None:
        return None
    if reading.region is not None and not reading.region.is_home and town.pk != reading.region.pk:
        return outside("town" if row.get("town") else "hukou_address", town, reading)
    return None


def _village(row: Values, reading: Reading, town: Region | None) -> Region | None:
    name: str | None = row.get("village")
    if name:
        found = reading.regions.villages(name, town)
        if len(found) == 1:
            return found[0]
    address = row.get("hukou_address")
    if address is not None and address.region is not None and address.region.level == Level.VILLAGE:
        return address.region
    return None


def with_hukou(row: Values, reading: Reading) -> RowFinding | None:
    """`by_town` for lists whose rows have their hukou in the township: it is a fact of the row too."""
    finding = by_town(row, reading)
    if row.town_id is None:
        return finding or RowFinding("town", "no-place", params={"what": "乡镇"})
    row.facts["hukou_known"] = True
    row.facts["hukou_town_id"] = row.town_id
    row.facts["hukou_outside"] = False
    address = row.get("hukou_address")
    if finding is None and address is not None and address.is_outside and row.get("town") is None:
        # The list says its own township, the row says another county: nobody may settle that but a person.
        return RowFinding("hukou_address", "hukou-outside", FindingLevel.ASK, {"place": str(reading.regions.home)})
    return finding
