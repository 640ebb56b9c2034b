"""What is really so: for each row of each workbook the true person and what was planted, and the facts of each person.

Kept beside the workbooks for tests and benchmarks; the program never reads it.
"""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any, NamedTuple, TextIO


class RowTruth(NamedTuple):
    """A data row. `sheet` is empty in a .csv; `row` is the number that a spreadsheet program shows."""

    filename: str
    sheet: str
    row: int
    person: int
    planted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PersonTruth:
    """The facts of a person. Regions and schools by code; empty where there is none.

    `in_population`, `in_registry`, `in_roster` and `in_poverty_register` say whether a list as delivered names the person,
    in whatever spelling, waiting rows included.
    """

    number: int
    name: str
    sex: str
    born: date
    id_no: str
    child: bool
    household: int
    hukou_township: str  # a township of the county, or the code of another county
    village: str
    situation: str = ""
    reason: str = ""
    whereabouts: str = ""  # the true code of the whereabouts table, or C for any reason of being out of school
    school: str = ""
    school_region: str = ""
    stage: str = ""
    grade: str = ""
    class_number: int = 0
    boarding: bool = False
    left_behind: int = 0
    registry_no: str = ""
    poverty: str = ""  # as of now: 脱贫户, or the kind of monitoring
    poverty_attribute: str = ""  # as the register writes it: 一般贫困户, 低保贫困户, or the kind of monitoring
    hardship: tuple[str, ...] = ()
    twin: int = 0
    in_population: bool = False
    in_registry: bool = False
    in_roster: bool = False
    in_poverty_register: bool = False


class Stay(NamedTuple):
    """Where pupils are counted: township of the school, stage, boarding."""

    region: str
    stage: str
    boarding: bool


@dataclass(slots=True)
class Truth:
    """Rows in the order of the workbooks, people by number, and the figures that follow from them."""

    rows: list[RowTruth] = field(default_factory=list)
    people: dict[int, PersonTruth] = field(default_factory=dict)

    def add(self, filename: str, sheet: str, row: int, person: int, planted: tuple[str, ...] = ()) -> None:
        """Record a data row."""
        self.rows.append(RowTruth(filename, sheet, row, person, planted))

    def rows_of(self, filename: str) -> list[RowTruth]:
        """Return the rows of one file."""
        return [row for row in self.rows if row.filename == filename]

    def planted(self) -> Counter[str]:
        """Count the planted slips by key."""
        return Counter(kind for row in self.rows for kind in row.planted)

    # Figures: each counts people, once

    def population(self, window: tuple[date, date]) -> Counter[str]:
        """Count the people of the population lists born in a window (both ends included) by hukou township.

        A double registration counts once, at the true township; the dead and emigrated who are still listed count.
        """
        return Counter(
            person.hukou_township
            for person in self.people.values()
            if person.in_population and window[0] <= person.born <= window[1]
        )

    def pupils(self) -> Counter[Stay]:
        """Count the pupils of the class rosters by township of the school, stage and boarding."""
        return Counter(
            Stay(person.school_region, person.stage, person.boarding)
            for person in self.people.values()
            if person.in_roster
        )

    def pupils_by_hukou(self) -> Counter[tuple[str, str]]:
        """Count the pupils of the class rosters by township of the school and hukou relation.

        Relations: own (本镇户籍), other-township (外镇在本镇), other-county (外县在本镇).
        """
        return Counter(
            (person.school_region, hukou_relation(person)) for person in self.people.values() if person.in_roster
        )

    def poverty_persons(self) -> Counter[str]:
        """Count the people of the poverty register by attribute of their household."""
        return Counter(person.poverty for person in self.people.values() if person.in_poverty_register)

    def poverty_households(self) -> Counter[str]:
        """Count the households of the poverty register by attribute."""
        households = {person.household: person.poverty for person in self.people.values() if person.in_poverty_register}
        return Counter(households.values())

    def hardship_persons(self) -> Counter[str]:
        """Count the children of the hardship lists by category; a child may have several."""
        return Counter(category for person in self.people.values() for category in person.hardship)

    def hukou_without_registry(self, window: tuple[date, date]) -> frozenset[int]:
        """Return the people of the population lists, born in a window, whom no registry of the county holds."""
        return self._numbers(
            person
            for person in self.people.values()
            if person.in_population and not person.in_registry and window[0] <= person.born <= window[1]
        )

    def registry_without_roster(self) -> frozenset[int]:
        """Return the registered pupils whom no class roster names, those of schools that sent none included."""
        return self._numbers(person for person in self.people.values() if person.in_registry and not person.in_roster)

    def roster_only(self) -> frozenset[int]:
        """Return the pupils in class whom no registry holds."""
        return self._numbers(person for person in self.people.values() if person.in_roster and not person.in_registry)

    @staticmethod
    def _numbers(people: Iterable[PersonTruth]) -> frozenset[int]:
        return frozenset(person.number for person in people)

    def dump(self, file: TextIO) -> None:
        """Write everything as JSON, the same truth always as the same text."""
        json.dump(
            {"people": [_plain(person) for person in self.people.values()], "rows": [list(row) for row in self.rows]},
            file,
            ensure_ascii=False,
            separators=(",", ":"),
        )


def hukou_relation(person: PersonTruth) -> str:
    """Return how a pupil's hukou lies to the school: own, other-township or other-county."""
    if person.hukou_township == person.school_region:
        return "own"
    return "other-township" if person.village else "other-county"


def _plain(person: PersonTruth) -> dict[str, Any]:
    plain = asdict(person)
    plain["born"] = person.born.isoformat()
    return plain
