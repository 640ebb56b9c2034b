"""The figures that follow from the truth are those that the workbooks show."""

import json
from collections import Counter
from datetime import date
from io import StringIO

from students.demo import County
from students.demo.world import COMPULSORY_WINDOW


def listed(county: County, kind: str) -> set[int]:
    files = {workbook.filename for workbook in county.workbooks if workbook.kind == kind}
    return {row.person for row in county.truth.rows if row.filename in files}


def test_people_know_in_which_lists_they_are(county: County) -> None:
    people = county.truth.people.values()
    assert listed(county, "population") == {person.number for person in people if person.in_population}
    assert listed(county, "registry") == {person.number for person in people if person.in_registry}
    assert listed(county, "class-roster") == {person.number for person in people if person.in_roster}
    assert listed(county, "poverty-register") == {person.number for person in people if person.in_poverty_register}
    assert listed(county, "hardship") == {person.number for person in people if person.hardship}


def test_population_of_a_window_counts_double_registrations_once(county: County) -> None:
    window = county.truth.population(COMPULSORY_WINDOW)
    files = {workbook.filename: workbook.scope_code for workbook in county.workbooks if workbook.kind == "population"}
    rows = Counter(
        files[row.filename]
        for row in county.truth.rows
        if row.filename in files
        and "duplicate-hukou" not in row.planted
        and COMPULSORY_WINDOW[0] <= county.truth.people[row.person].born <= COMPULSORY_WINDOW[1]
    )
    assert window == rows
    assert county.truth.population((date(2010, 9, 1), date(2010, 9, 1))).total() < 10


def test_pupils_are_counted_where_their_school_lies(county: County) -> None:
    pupils = county.truth.pupils()
    assert pupils.total() == len(listed(county, "class-roster"))
    assert {stay.stage for stay in pupils} == {"kindergarten", "primary", "junior", "senior", "vocational"}
    assert not any(stay.boarding for stay in pupils if stay.stage == "kindergarten")
    relations = county.truth.pupils_by_hukou()
    assert relations.total() == pupils.total()
    assert {relation for _, relation in relations} == {"own", "other-township", "other-county"}


def test_rosters_say_what_the_truth_says_of_boarding(county: County) -> None:
    said: Counter[bool] = Counter()
    for workbook in county.workbooks:
        if workbook.kind != "class-roster":
            continue
        for sheet in workbook.sheets:
            header = [str(cell) for cell in sheet.rows[sheet.header_row - 1]]
            column = next(
                (header.index(name) for name in ("就读方式", "是否寄宿生", "是否住宿生(是/否)") if name in header), None
            )
            for row in county.truth.rows_of(workbook.filename):
                if row.sheet == sheet.name and column is not None:
                    boards = sheet.rows[row.row - 1][column] in ("住校", "是")
                    assert boards == county.truth.people[row.person].boarding
                    said[boards] += 1
    assert said[True] > 100


def test_a_register_counts_households_and_people(county: County) -> None:
    households, persons = county.truth.poverty_households(), county.truth.poverty_persons()
    assert set(households) == set(persons) == {"脱贫户", "脱贫不稳定户", "边缘易致贫户", "突发严重困难户"}
    assert all(persons[kind] > 2 * households[kind] for kind in households)


def test_differences_between_lists_name_people(county: County) -> None:
    people = county.truth.people
    missing = county.truth.hukou_without_registry(COMPULSORY_WINDOW)
    assert {"outside", "out-of-school"} <= {people[number].situation for number in missing}
    assert all(people[number].registry_no == "" for number in county.truth.roster_only())
    assert all(people[number].registry_no for number in county.truth.registry_without_roster())


def test_the_truth_can_be_written_and_read_as_json(county: County) -> None:
    file = StringIO()
    county.truth.dump(file)
    read = json.loads(file.getvalue())
    assert len(read["people"]) == len(county.truth.people)
    assert read["rows"][0] == [*county.truth.rows[0][:4], list(county.truth.rows[0].planted)]
    assert read["people"][0]["number"] == 1
