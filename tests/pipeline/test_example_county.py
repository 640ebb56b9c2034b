"""The example county through the real path with a real worker: what comes out is what its truth says."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict

from eduaid.core.indicators import Basis, indicator_of
from eduaid.core.models import Region, Upload, UploadRow
from eduaid.core.models.uploads import RowState, State
from eduaid.core.scope import EVERYTHING
from students.demo import County, generate
from students.demo.load import load_places, send_lists
from students.indicators import cohort
from students.models import IdentityLink


def test_the_example_county_is_what_its_truth_says(worker: object) -> None:
    """One load, several questions: seventy lists through a real worker take their time."""
    example = generate(1500, seed=3)
    load_places(example)
    for _ in send_lists(example, seconds=600):
        pass
    every_list_took_force_and_every_row_is_accounted_for(example)
    no_child_is_two_and_no_two_children_are_one(example)
    figures_equal_the_truth_up_to_the_rows_that_wait(example)


def value(key: str, day: dt.date = dt.date(2026, 11, 1)) -> int:
    return int(indicator_of(key).value(Basis(Region.objects.home(), day), EVERYTHING))


def every_list_took_force_and_every_row_is_accounted_for(example: County) -> None:
    states = list(Upload.objects.exclude(state=State.IN_FORCE).values_list("pk", "state", "error"))
    assert states == []
    delivered = sum(1 for _ in example.truth.rows)
    assert UploadRow.objects.count() == delivered


def no_child_is_two_and_no_two_children_are_one(example: County) -> None:
    """Every accepted row that is tied to a child, against the person of whom the generator made the row."""
    persons = {(row.filename, row.sheet, row.row): row.person for row in example.truth.rows}
    # A valid number of somebody else's, or a second hukou entry with a number of its own, is put to people, never merged.
    other_number = {
        row.person for row in example.truth.rows if {"id-other-valid", "duplicate-hukou"} & set(row.planted)
    }
    children: dict[int, set[int]] = defaultdict(set)
    people: dict[int, set[int]] = defaultdict(set)
    links = IdentityLink.objects.filter(row__state=RowState.ACCEPTED).values_list(
        "student_id", "row__sheet__file__name", "row__sheet__file__kind", "row__sheet__name", "row__number"
    )
    for student, name, kind, sheet, number in links:
        person = persons[name, "" if kind == "csv" else sheet, number]
        children[student].add(person)
        people[person].add(student)
    merged = [found for found in children.values() if len(found) > 1]
    split = [person for person, found in people.items() if len(found) > 1 and person not in other_number]
    assert len(links) > 3500
    assert merged == []
    assert split == []


def figures_equal_the_truth_up_to_the_rows_that_wait(example: County) -> None:
    truth, day = example.truth, dt.date(2026, 11, 1)
    waiting = UploadRow.objects.filter(state=RowState.WAITING).count()
    pupils = sum(truth.pupils().values())
    assert pupils - waiting <= value("pupils", day) <= pupils
    population = sum(truth.population(cohort(Basis(Region.objects.home(), day), 6, 15)).values())
    assert population - waiting <= value("population.6-15", day) <= population
    for key in ("pupils", "population", "schools", "households.poverty", "population.6-15"):
        assert value(key, day) == sum(value(part, day) for part in indicator_of(key).parts), key
