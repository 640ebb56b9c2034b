"""The invented people are possible people."""

from collections import Counter
from datetime import date

from eduaid.core.text import is_valid_id
from students.demo import County


def test_there_are_as_many_children_as_asked_for(county: County) -> None:
    assert sum(person.child for person in county.truth.people.values()) == 3000


def test_children_are_three_to_twenty_two_at_the_cut_off(county: County) -> None:
    births = [person.born for person in county.truth.people.values() if person.child]
    assert min(births) >= date(2003, 9, 1)
    assert max(births) <= date(2023, 8, 31)


def test_every_number_is_valid_unique_and_of_no_real_region(county: County) -> None:
    numbers = [person.id_no for person in county.truth.people.values() if person.id_no and person.id_no[0] != "E"]
    assert all(is_valid_id(number) for number in numbers)
    assert len(set(numbers)) == len(numbers)
    assert all(number.startswith("99") for number in numbers)


def test_numbers_tell_birth_date_and_sex(county: County) -> None:
    for person in county.truth.people.values():
        if len(person.id_no) == 18:
            assert person.id_no[6:14] == f"{person.born:%Y%m%d}"
            assert (int(person.id_no[16]) % 2 == 1) == (person.sex == "男")


def test_twins_share_birth_date_and_household_and_have_names_of_their_own(county: County) -> None:
    people = county.truth.people
    twins = [person for person in people.values() if person.twin]
    assert len(twins) >= 20
    for person in twins:
        other = people[person.twin]
        assert (other.twin, other.born, other.household) == (person.number, person.born, person.household)
        assert other.name != person.name
        assert other.id_no[:14] == person.id_no[:14]


def test_one_household_in_ten_is_poor(county: County) -> None:
    poor = {person.household for person in county.truth.people.values() if person.poverty}
    households = {person.household for person in county.truth.people.values()}
    assert 0.085 < len(poor) / len(households) < 0.125


def test_the_names_hold_the_traps_of_real_names(county: County) -> None:
    names = Counter(person.name for person in county.truth.people.values() if person.child)
    assert sum(count > 1 for count in names.values()) >= 80
    assert any("·" in name for name in names)
    assert any(character in "堃喆䶮𬭎翀昉珺" for name in names for character in name)


def test_villages_have_leading_surnames(county: County) -> None:
    caizhu = next(region.code for region in county.regions if region.name == "蔡朱村")
    surnames = Counter(person.name[0] for person in county.truth.people.values() if person.village == caizhu)
    leading = sum(count for _, count in surnames.most_common(3))
    assert leading > 0.35 * sum(surnames.values())
