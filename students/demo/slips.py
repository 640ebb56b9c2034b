"""What goes wrong when people type: wrong items, and odd spelling that loses nothing.

Each kind of slip has a key, which the truth keeps for every row, and an outcome: what a careful intake does with it.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Literal

from students.demo import names
from students.demo.identifiers import check_digit, fifteen_digits
from students.demo.people import Person
from students.demo.rates import Rates
from students.demo.xlsx import Cell

Outcome = Literal["normalised", "waits", "asks", "silent"]

PLANTED: dict[str, Outcome] = {
    # A row that waits for its office: the number or the birth date cannot be right
    "id-check-digit": "waits",
    "id-substituted": "waits",
    "id-swapped": "waits",
    "id-short": "waits",
    "id-letter": "waits",
    "id-missing": "waits",
    "id-masked": "waits",
    "id-number-cell": "waits",
    "birth-differs": "waits",
    "sex-differs": "waits",
    # Questions for a person: both readings are possible
    "name-homophone": "asks",
    "name-lookalike": "asks",
    "name-dropped": "asks",
    "former-name": "asks",
    "id-other-valid": "asks",
    "id-sibling": "asks",
    "id-fifteen": "asks",
    "duplicate-hukou": "asks",
    "no-id": "asks",  # true: no number has been issued
    "foreign-document": "asks",  # true: a passport, in lists that mostly have no column for the kind
    "double-enrolment": "asks",
    # Seen only when lists are compared
    "not-cancelled": "silent",
    "boarding-differs": "silent",
    "grade-differs": "silent",
    "stage-outdated": "silent",
    "registry-only": "silent",
    "unregistered": "silent",
    "old-id-in-registry-number": "silent",
    # Spelling that is put right without loss
    "duplicate-row": "normalised",
    "id-lowercase-x": "normalised",
    "id-full-width": "normalised",
    "id-spaced": "normalised",
    "name-spaced": "normalised",
    "name-dot": "normalised",
    "birth-form": "normalised",
    "phone-form": "normalised",
    "ethnic-short": "normalised",
    "school-short": "normalised",
    "old-village": "normalised",
}
"""Every key that a row can carry, with its outcome."""

BAD_ID = ("id-check-digit", "id-substituted", "id-swapped", "id-short", "id-missing")
"""Slips after which a number cannot be used."""

POPULATION_SLIPS = {
    "name-homophone": 20,
    "name-lookalike": 15,
    "birth-differs": 20,
    "sex-differs": 10,
    "id-check-digit": 8,
    "id-substituted": 12,
    "id-swapped": 8,
    "id-missing": 3,
    "id-other-valid": 4,
}
REGISTRY_SLIPS = {
    "id-substituted": 20,
    "id-swapped": 10,
    "id-check-digit": 6,
    "id-short": 3,
    "id-missing": 8,
    "birth-differs": 8,
    "sex-differs": 4,
    "name-homophone": 20,
    "name-lookalike": 9,
    "name-dropped": 3,
    "id-sibling": 3,
    "id-other-valid": 6,
}
ROSTER_SLIPS = {
    "id-substituted": 18,
    "id-swapped": 10,
    "id-check-digit": 4,
    "id-short": 4,
    "id-letter": 2,
    "id-missing": 10,
    "id-masked": 6,
    "id-number-cell": 4,
    "birth-differs": 6,
    "sex-differs": 4,
    "name-homophone": 20,
    "name-lookalike": 6,
    "name-dropped": 2,
    "id-sibling": 4,
}
POVERTY_SLIPS = {
    "id-substituted": 16,
    "id-swapped": 10,
    "id-short": 3,
    "id-missing": 4,
    "name-homophone": 22,
    "name-lookalike": 10,
    "id-other-valid": 5,
    "former-name": 2,
}
_DIRT = {
    "id-full-width": 14,
    "id-spaced": 16,
    "name-spaced": 26,
    "birth-form": 24,
    "phone-form": 12,
    "ethnic-short": 8,
    "id-lowercase-x": 20,
}
_DOTS = "•・．‧."
_FULL_WIDTH = str.maketrans("0123456789X", "０１２３４５６７８９Ｘ")


@dataclass(slots=True)
class Entry:
    """What a list says about a person. `born_as` overrides the date style of the list."""

    person: Person
    name: str
    sex: str
    born: date
    id_no: Cell
    ethnic: str
    phone: Cell
    born_as: str = ""
    planted: list[str] = field(default_factory=list)

    @property
    def kinds(self) -> tuple[str, ...]:
        return tuple(self.planted)


DATE_STYLES: dict[str, Callable[[date], Cell]] = {
    "date": lambda day: day,
    "compact": lambda day: f"{day:%Y%m%d}",
    "dashed": lambda day: day.isoformat(),
    "dotted": lambda day: f"{day.year}.{day.month}.{day.day}",
    "slashed": lambda day: f"{day.year}/{day.month}/{day.day}",
    "chinese": lambda day: f"{day.year}年{day.month}月{day.day}日",
}


def born_cell(entry: Entry, style: str) -> Cell:
    """Return the birth date in the list's style, or in the entry's own."""
    return DATE_STYLES[entry.born_as or style](entry.born)


class Slips:
    """Makes the entries of one list, wrong and dirty at the given rates."""

    def __init__(self, rng: random.Random, rates: Rates, wrong: dict[str, int]) -> None:
        self._rng = rng
        self._rates = rates
        self._wrong = (tuple(wrong), tuple(wrong.values()))
        self._dirt = (tuple(_DIRT), tuple(_DIRT.values()))

    def entry(self, person: Person, *, force: Sequence[str] = (), phone: Cell = "") -> Entry:
        """Make the entry of a person; `force` names slips of which one is made in any case."""
        rng = self._rng
        entry = Entry(person, person.name, person.sex, person.born, person.id_no, person.ethnic, phone)
        if person.id_type != "居民身份证":
            entry.planted.append("foreign-document" if person.id_no else "no-id")
        if force:
            self._try_until_changed(entry, tuple(force), (1,) * len(force))
        elif rng.random() < self._rates.wrong_item:
            self._try_until_changed(entry, *self._wrong)
        if rng.random() < self._rates.dirty:
            self._try_until_changed(entry, *self._dirt)
        if "·" in entry.name and rng.random() < 0.5:
            entry.name = entry.name.replace("·", rng.choice(_DOTS))
            entry.planted.append("name-dot")
        return entry

    def _try_until_changed(self, entry: Entry, kinds: tuple[str, ...], weights: tuple[int, ...]) -> None:
        """Not every slip fits everybody (no X, no brother): draw until one has changed something."""
        for _ in range(12):
            kind = self._rng.choices(kinds, weights)[0]
            if kind not in entry.planted and _MAKERS[kind](self._rng, entry):
                entry.planted.append(kind)
                return


def _change_id(change: Callable[[random.Random, str], str]) -> Callable[[random.Random, Entry], bool]:
    def apply(rng: random.Random, entry: Entry) -> bool:
        if not isinstance(entry.id_no, str) or len(entry.id_no) != 18:
            return False
        changed = change(rng, entry.id_no)
        if changed == entry.id_no:
            return False
        entry.id_no = changed
        return True

    return apply


def _wrong_check_digit(rng: random.Random, number: str) -> str:
    return number[:17] + rng.choice([digit for digit in "0123456789X" if digit != number[17]])


def _substituted(rng: random.Random, number: str) -> str:
    position = rng.randrange(6, 17)
    digit = rng.choice([digit for digit in "0123456789" if digit != number[position]])
    return number[:position] + digit + number[position + 1 :]


def _swapped(rng: random.Random, number: str) -> str:
    places = [place for place in range(6, 16) if number[place] != number[place + 1]]
    place = rng.choice(places)
    return number[:place] + number[place + 1] + number[place] + number[place + 2 :]


def _short(rng: random.Random, number: str) -> str:
    position = rng.randrange(7, 17)
    return number[:position] + number[position + 1 :]


def _letter(_rng: random.Random, number: str) -> str:
    return number[:6] + number[6:].replace("0", "O", 1)


def _other_valid(rng: random.Random, number: str) -> str:
    """Another number of the same birth date and sex: it is valid, and it is not this person's."""
    sequence = (int(number[14:17]) + 2 * rng.randint(3, 60)) % 1000
    body = f"{number[:14]}{sequence:03d}"
    return body + check_digit(body)


def _spaced(rng: random.Random, number: str) -> str:
    return rng.choice(
        (f" {number}", f"{number} ", f"{number}\u3000", f"{number[:6]} {number[6:14]} {number[14:]}", f"{number}\u00a0")
    )


def _sibling(rng: random.Random, entry: Entry) -> bool:
    others = [child for child in entry.person.household.children if child is not entry.person and child.id_no]
    if not others or not entry.id_no:
        return False
    entry.id_no = rng.choice(others).id_no
    return True


def _number_cell(_rng: random.Random, entry: Entry) -> bool:
    """The number typed into a numeric cell: a spreadsheet program keeps fifteen digits."""
    if not isinstance(entry.id_no, str) or not entry.id_no.isdigit():
        return False
    entry.id_no = int(entry.id_no[:15] + "000")
    return True


def _birth_differs(rng: random.Random, entry: Entry) -> bool:
    entry.born += timedelta(days=rng.choice((-31, -10, -1, 1, 10, 30, 365)))
    return True


def _sex_differs(_rng: random.Random, entry: Entry) -> bool:
    entry.sex = "女" if entry.sex == "男" else "男"
    return True


def _change_name(change: Callable[[random.Random, str], str]) -> Callable[[random.Random, Entry], bool]:
    def apply(rng: random.Random, entry: Entry) -> bool:
        changed = change(rng, entry.name)
        if changed == entry.name:
            return False
        entry.name = changed
        return True

    return apply


def _drop_character(rng: random.Random, name: str) -> str:
    if len(name) != 3:
        return name
    return name[0] + rng.choice(name[1:])


def _space_name(rng: random.Random, name: str) -> str:
    if len(name) == 2:
        return name[0] + rng.choice((" ", "  ", "\u3000")) + name[1]
    return name + rng.choice((" ", "\u3000"))


def _former_name(_rng: random.Random, entry: Entry) -> bool:
    if not entry.person.former_name:
        return False
    entry.name = entry.person.former_name
    return True


def _birth_form(rng: random.Random, entry: Entry) -> bool:
    entry.born_as = rng.choice(("compact", "dashed", "dotted", "slashed", "chinese"))
    return True


def _phone_form(rng: random.Random, entry: Entry) -> bool:
    if not isinstance(entry.phone, str) or len(entry.phone) != 11:
        return False
    digits = entry.phone
    entry.phone = rng.choice(
        (
            int(digits),
            f"{digits[:3]} {digits[3:7]} {digits[7:]}",
            f"{digits[:3]}-{digits[3:7]}-{digits[7:]}",
            f"{digits} ",
        )
    )
    return True


def _short_ethnic(_rng: random.Random, entry: Entry) -> bool:
    entry.ethnic = entry.ethnic.removesuffix("族")
    return True


_MAKERS: dict[str, Callable[[random.Random, Entry], bool]] = {
    "id-check-digit": _change_id(_wrong_check_digit),
    "id-substituted": _change_id(_substituted),
    "id-swapped": _change_id(_swapped),
    "id-short": _change_id(_short),
    "id-letter": _change_id(_letter),
    "id-missing": _change_id(lambda _rng, _number: ""),
    "id-masked": _change_id(lambda _rng, number: f"{number[:6]}********{number[14:]}"),
    "id-other-valid": _change_id(_other_valid),
    "id-fifteen": _change_id(lambda _rng, number: fifteen_digits(number)),
    "id-lowercase-x": _change_id(lambda _rng, number: number.replace("X", "x")),
    "id-full-width": _change_id(lambda _rng, number: number.translate(_FULL_WIDTH)),
    "id-spaced": _change_id(_spaced),
    "id-sibling": _sibling,
    "id-number-cell": _number_cell,
    "birth-differs": _birth_differs,
    "sex-differs": _sex_differs,
    "name-homophone": _change_name(names.homophone),
    "name-lookalike": _change_name(names.lookalike),
    "name-dropped": _change_name(_drop_character),
    "name-spaced": _change_name(_space_name),
    "former-name": _former_name,
    "birth-form": _birth_form,
    "phone-form": _phone_form,
    "ethnic-short": _short_ethnic,
}
