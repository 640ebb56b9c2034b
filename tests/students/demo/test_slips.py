"""What is planted in the lists, how often, and that it is what it claims to be."""

import random
from collections import Counter
from datetime import date

import pytest

from eduaid.core.text import is_valid_id
from students.demo import County, Rates, generate
from students.demo.people import Household, Person
from students.demo.slips import _MAKERS, PLANTED, REGISTRY_SLIPS, Slips
from students.demo.world import COMPULSORY_WINDOW, in_window


def child(name: str = "欧芳伟", id_no: str = "99012120151215508X") -> Person:
    household = Household(1, None, "990122", 0, "", "示例省示例市样例县", ("19900000001", "19900000002"))
    person = Person(1, name, "女", date(2015, 12, 15), id_no, household, "汉族", child=True, former_name="欧小伟")
    sibling = Person(2, "欧志强", "男", date(2018, 2, 3), "990122201802030011", household, "汉族", child=True)
    household.children = [person, sibling]
    return person


@pytest.mark.parametrize("kind", sorted(_MAKERS))
def test_a_slip_changes_one_thing_only(kind: str) -> None:
    slips = Slips(random.Random(5), Rates(wrong_item=0, dirty=0), REGISTRY_SLIPS)
    person = child(id_no="990121201512155098" if kind == "id-number-cell" else "99012120151215508X")
    clean = slips.entry(person, phone="19900000001")
    entry = slips.entry(person, force=(kind,), phone="19900000001")
    assert entry.planted == [kind]
    changed = [
        name
        for name in ("name", "sex", "born", "id_no", "ethnic", "phone", "born_as")
        if getattr(entry, name) != getattr(clean, name)
    ]
    assert len(changed) == 1


@pytest.mark.parametrize(
    "kind", ["id-check-digit", "id-substituted", "id-swapped", "id-short", "id-letter", "id-masked"]
)
def test_a_damaged_number_is_not_valid(kind: str) -> None:
    for seed in range(50):
        slips = Slips(random.Random(seed), Rates(wrong_item=0, dirty=0), REGISTRY_SLIPS)
        assert not is_valid_id(str(slips.entry(child(), force=(kind,)).id_no))


@pytest.mark.parametrize("kind", ["id-other-valid", "id-sibling"])
def test_anothers_number_is_valid(kind: str) -> None:
    slips = Slips(random.Random(1), Rates(wrong_item=0, dirty=0), REGISTRY_SLIPS)
    entry = slips.entry(child(), force=(kind,))
    assert is_valid_id(str(entry.id_no))
    assert entry.id_no != "99012120151215508X"


def test_every_planted_kind_is_declared_with_its_outcome(county: County) -> None:
    assert set(county.truth.planted()) <= set(PLANTED)
    assert set(_MAKERS) <= set(PLANTED)


@pytest.fixture(scope="module")
def large() -> County:
    return generate(12_000, 1)


def test_planting_follows_the_rates(large: County) -> None:
    listed = sum(person.in_population for person in large.truth.people.values())
    planted = large.truth.planted()
    assert planted["duplicate-hukou"] == round(listed * 0.0022)
    assert 0.0010 < planted["not-cancelled"] / listed < 0.0023


def test_less_than_one_row_in_fifty_has_to_wait(large: County) -> None:
    by_kind: dict[str, list[bool]] = {}
    kinds = {workbook.filename: workbook.kind for workbook in large.workbooks}
    for row in large.truth.rows:
        by_kind.setdefault(kinds[row.filename], []).append(any(PLANTED[kind] == "waits" for kind in row.planted))
    shares = {kind: sum(rows) / len(rows) for kind, rows in by_kind.items()}
    assert set(shares) == {"population", "registry", "class-roster", "poverty-register", "hardship"}
    assert all(0 < share < 0.02 for share in shares.values()), shares


def test_half_of_those_who_seem_unregistered_are_a_matter_of_linkage(large: County) -> None:
    registries = {workbook.filename for workbook in large.workbooks if workbook.kind == "registry"}
    broken = {
        row.person
        for row in large.truth.rows
        if row.filename in registries
        and any(PLANTED[kind] == "waits" and kind.startswith("id") for kind in row.planted)
    }
    people = large.truth.people
    linkage = sum(
        people[number].in_population and in_window(people[number].born, COMPULSORY_WINDOW) for number in broken
    )
    really = Counter(people[number].situation for number in large.truth.hukou_without_registry(COMPULSORY_WINDOW))
    assert 0.4 < linkage / (linkage + really.total() - really["outside"]) < 0.65
