"""Lists of invented people with known truth, made in two different ways. Numbers start with 99, a region that does not exist.

`township_offices` is the usual county: typing slips in numbers and names, guardians who are now the mother and now the father,
families that moved. `scanned_forms` is another county with other troubles at other rates: forms read by machine, three numbers
in ten missing, no guardians, days and months exchanged, slips that hit whole families, people twice in one list.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from eduaid.core.text.ids import check_digit, is_valid_id
from eduaid.core.text.pinyin import name_sound
from students.demo import names
from students.linkage.people import People

LABELS = ("A", "B", "C")


@dataclass(slots=True)
class Person:
    number: int
    name: str
    sex: str
    born: date
    id_no: str
    father: str
    mother: str
    phone: str
    town: str
    family: int
    siblings: list[Person] = field(default_factory=list)


@dataclass(slots=True)
class Entry:
    """A row as it will be written."""

    person: int
    name: str
    sex: str
    id_no: str
    birth: str
    guardian: str
    phone: str
    town: str
    registry: str = ""


@dataclass
class Lists:
    """`people[k][i]` is the person of row i of list k. A pair is true when its two rows are of one person."""

    entries: list[list[Entry]]
    with_guardians: bool = True

    @property
    def people(self) -> list[list[int]]:
        return [[entry.person for entry in entries] for entries in self.entries]

    def columns(self) -> list[People]:
        return [
            People(
                label,
                [entry.name for entry in entries],
                id_numbers=[entry.id_no for entry in entries],
                births=[entry.birth for entry in entries],
                sexes=[entry.sex for entry in entries],
                guardians=[[entry.guardian for entry in entries]] if self.with_guardians else [],
                phones=[entry.phone for entry in entries],
                townships=[entry.town for entry in entries],
            )
            for label, entries in zip(LABELS, self.entries, strict=False)
        ]


def population(rng: random.Random, size: int, *, twins: float = 0.011) -> list[Person]:
    """Families of one to three children in villages where half the families bear one of three surnames."""
    towns = [f"{name}{kind}" for name, kind in zip(["东山", "西河", "南坪", "北岭", "石桥", "白马", "龙泉", "大塘", "新安", "长乐", "清水", "高坡", "黄沙", "双溪", "马田", "罗坊"],
                                                   "镇乡镇镇乡镇镇乡镇乡镇乡镇镇乡镇", strict=True)]  # fmt: skip
    villages = [(town, [names.surname(rng) for _ in range(3)]) for town in towns for _ in range(12)]
    people: list[Person] = []
    issued: set[str] = set()
    family = 0
    while len(people) < size:
        family += 1
        town, surnames = rng.choice(villages)
        surname = rng.choice(surnames) if rng.random() < 0.5 else names.surname(rng)
        dotted = rng.random() < 0.004
        father = surname + names.given_name(rng, "男", young=False)
        mother = names.surname(rng) + names.given_name(rng, "女", young=False)
        phone = f"1{rng.choice('35789')}{rng.randrange(10**9):09d}"
        born = date(2010, 9, 1) + timedelta(rng.randrange(10 * 365))
        region = f"99{rng.choice(('0311', '0312', '0313'))}" if rng.random() < 0.06 else "990311"
        children: list[Person] = []
        generation = names.given_name(rng, "男", young=True)[:1]
        for _ in range(rng.choices((1, 2, 3), (45, 43, 12))[0]):
            twin = 2 if rng.random() < twins else 1
            sequence = rng.randrange(2, 700)
            for second in range(twin):
                sex = rng.choice("男女")
                given = names.given_name(rng, sex, young=True, rare=0.004)
                if children and rng.random() < 0.3:
                    given = generation + given[-1]
                name = names.dotted_name(rng, "维吾尔族", father) if dotted else surname + given
                if any(child.name == name for child in children):
                    name = surname + rng.choice("一二三") + given[-1]
                sequence += (2 if second else 0) + ((sequence % 2 == 1) != (sex == "男"))
                body = f"{region}{born:%Y%m%d}{sequence % 1000:03d}"
                while body in issued:
                    sequence += 2
                    body = f"{region}{born:%Y%m%d}{sequence % 1000:03d}"
                issued.add(body)
                number = body + check_digit(body)
                person = Person(
                    len(people) + len(children), name, sex, born, number, father, mother, phone, town, family
                )
                children.append(person)
            born += timedelta(rng.randrange(400, 2200))
        for child in children:
            child.siblings = [other for other in children if other is not child]
        people.extend(children)
    return people[:size]


# --- numbers and names that go wrong


def substituted(rng: random.Random, number: str) -> str:
    place = rng.randrange(len(number))
    return number[:place] + rng.choice([d for d in "0123456789" if d != number[place]]) + number[place + 1 :]


def swapped(rng: random.Random, number: str) -> str:
    places = [place for place in range(len(number) - 1) if number[place] != number[place + 1]]
    place = rng.choice(places)
    return number[:place] + number[place + 1] + number[place] + number[place + 2 :]


def dropped(rng: random.Random, number: str) -> str:
    place = rng.randrange(len(number))
    return number[:place] + number[place + 1 :]


def inserted(rng: random.Random, number: str) -> str:
    place = rng.randrange(len(number))
    return number[:place] + rng.choice("0123456789") + number[place:]


def wrong_check(rng: random.Random, number: str) -> str:
    return number[:17] + rng.choice([d for d in "0123456789X" if d != number[17]])


def twice_wrong(rng: random.Random, number: str) -> str:
    return substituted(rng, swapped(rng, number) if rng.random() < 0.4 else substituted(rng, number))


_SLIPS: tuple[tuple[float, Callable[[random.Random, str], str]], ...] = (
    (40, substituted), (20, swapped), (7, dropped), (6, inserted), (6, wrong_check), (6, twice_wrong),
)  # fmt: skip


class Homophones:
    """Other characters of the same sound, among those that names are made of."""

    def __init__(self, people: list[Person]) -> None:
        self._by_sound: dict[str, set[str]] = defaultdict(set)
        self.all = sorted({char for person in people for char in person.name[1:] if "一" <= char <= "鿿"})
        extra = "玮炜婧靖茹汝儒昊皓颢宣萱瑄滢盈瑛怿弈翊熠铄硕朔桦骅烨晔垚尧瑶遥毓煜钰彧玥岳芮蕊锐渲璇旋祺淇琦麒韵芸筠昀霖琳麟"
        for char in {*self.all, *extra}:
            self._by_sound[name_sound("王" + char).sort_key[4:]].add(char)

    def of(self, rng: random.Random, char: str) -> str:
        found = sorted(self._by_sound.get(name_sound("王" + char).sort_key[4:], set()) - {char})
        return rng.choice(found) if found else rng.choice(self.all)


def _with_char(name: str, place: int, char: str) -> str:
    return name[:place] + char + name[place + 1 :]


def wrong_name(rng: random.Random, person: Person, sounds: Homophones) -> str:
    name = person.name
    place = rng.randrange(1, len(name)) if len(name) > 1 else 0
    chance = rng.random()
    if chance < 0.45:
        return _with_char(name, place, sounds.of(rng, name[place]))
    if chance < 0.70:
        similar = names.lookalike(rng, name)
        return similar if similar != name else _with_char(name, place, rng.choice(sounds.all))
    if chance < 0.80:
        return name[:place] + name[place + 1 :] if len(name) > 2 else name + rng.choice(sounds.all)
    if chance < 0.87:
        return name[1:] + name[:1]
    surname = name[:1] if rng.random() < 0.7 else person.mother[:1]
    return surname + names.given_name(rng, person.sex, young=True)


_WIDE = str.maketrans("0123456789X", "０１２３４５６７８９Ｘ")


def township_offices(size: int, seed: int = 4) -> Lists:
    """Population, registry (93 %) and class rosters (97 % of those), with some people in one list only."""
    rng = random.Random(seed)
    people = population(rng, int(size * 1.015))
    sounds = Homophones(people)
    insiders = people[:size]
    registry = [person for person in insiders if rng.random() < 0.93]
    rosters = [person for person in registry if rng.random() < 0.97]
    outsiders = people[size:]
    third = len(outsiders) // 3
    registry += outsiders[: 2 * third]
    rosters += outsiders[third:]
    rates = ((0.008, 0.008), (0.025, 0.02), (0.035, 0.025))  # wrong number, wrong name
    lists: list[list[Entry]] = []
    for position, members in enumerate((insiders, registry, rosters)):
        wrong_id, wrong = rates[position]
        entries = [_office_row(rng, person, people, sounds, wrong_id, wrong, position) for person in members]
        rng.shuffle(entries)
        lists.append(entries)
    return Lists(lists)


def _office_row(
    rng: random.Random,
    person: Person,
    people: list[Person],
    sounds: Homophones,
    wrong_id: float,
    wrong: float,
    position: int,
) -> Entry:
    number, name, born = person.id_no, person.name, person.born
    if rng.random() < wrong_id:
        chance = rng.random() * 100
        for share, slip in _SLIPS:
            if chance < share:
                number = slip(rng, number)
                break
            chance -= share
        else:
            if chance < 6:
                number = rng.choice(person.siblings or [rng.choice(people)]).id_no
            elif chance < 7:
                body = f"{number[:14]}{rng.randrange(1000):03d}"
                number = body + check_digit(body)
            else:
                number = ""
    if rng.random() < wrong:
        name = wrong_name(rng, person, sounds)
    if rng.random() < 0.01:
        name = name[0] + rng.choice((" ", "\u3000")) + name[1:]
    if "·" in name and rng.random() < 0.5:
        name = name.replace("·", rng.choice("•．."))
    if number and rng.random() < 0.01:
        number = rng.choice(("'" + number, number.translate(_WIDE), number.lower(), f"{number[:6]} {number[6:]}"))
    if rng.random() < 0.006:
        born = rng.choice(
            (born + timedelta(rng.randrange(-3, 4)), born.replace(year=born.year + 1, day=min(born.day, 28)))
        )
    birth = (
        born.isoformat()
        if position == 0
        else f"{born:%Y%m%d}"
        if position == 1
        else f"{born.year}.{born.month}.{born.day}"
    )
    guardian = person.father if rng.random() < (0.9, 0.75, 0.7)[position] else person.mother
    if rng.random() < 0.01:
        guardian = guardian[0] + sounds.of(rng, guardian[1]) + guardian[2:]
    if rng.random() < 0.03:
        guardian = ""
    phone = person.phone
    if rng.random() < 0.1:
        phone = f"1{rng.choice('35789')}{rng.randrange(10**9):09d}"
    if rng.random() < 0.08:
        phone = ""
    town = person.town if rng.random() > 0.04 else rng.choice(people).town
    sex = person.sex if rng.random() > 0.003 else ("女" if person.sex == "男" else "男")
    return Entry(person.number, name, sex, number, birth, guardian, phone, town)


# --- the other county

_MISREAD = {"0": "86", "1": "74", "2": "7", "3": "85", "4": "9", "5": "63", "6": "80", "7": "12", "8": "303", "9": "4"}


def scanned_forms(size: int, seed: int = 9) -> Lists:
    """Two thirds in the second list, half in the third; two lists hold people whom no other knows."""
    rng = random.Random(seed)
    people = population(rng, size, twins=0.03)
    glyphs = sorted({char for person in people for char in person.name[1:]})
    moved: dict[int, tuple[str, str, str]] = {}  # whole families: another township, phone and region of the number
    for person in people:
        if person.family not in moved and rng.random() < 0.03:
            moved[person.family] = (rng.choice(people).town, f"19{rng.randrange(10**9):09d}", "990399")
    members = (
        people,
        [person for person in people if rng.random() < 0.67],
        [person for person in people if rng.random() < 0.5],
    )
    lists: list[list[Entry]] = []
    for position, those in enumerate(members):
        entries = []
        for person in those:
            entry = _scanned_row(rng, person, glyphs, moved if position else {}, position)
            entries.append(entry)
            if rng.random() < 0.003:
                entries.append(replace(entry, phone="", birth=""))
        rng.shuffle(entries)
        lists.append(entries)
    return Lists(lists, with_guardians=False)


def _scanned_row(
    rng: random.Random, person: Person, glyphs: list[str], moved: dict[int, tuple[str, str, str]], position: int
) -> Entry:
    number, name, born, town, phone = person.id_no, person.name, person.born, person.town, person.phone
    if rng.random() < (0.05, 0.3, 0.3)[position]:
        number = ""
    if person.family in moved:
        town, phone, region = moved[person.family]
        if number and rng.random() < 0.3:
            number = region + number[6:]  # typed from another booklet; the check digit no longer fits
    for _ in range(rng.choices((0, 1, 2, 3), (92, 5, 2, 1))[0] if number else 0):
        place = rng.randrange(17)
        number = number[:place] + rng.choice(_MISREAD.get(number[place], "0")) + number[place + 1 :]
    if is_valid_id(number) and rng.random() < 0.001:
        number = number[:17] + "X"
    if rng.random() < 0.04:
        place = rng.randrange(len(name))
        name = rng.choice(
            (_with_char(name, place, rng.choice(glyphs)), _with_char(name, place, "□"), name[:-1], name + "儿")
        )
    chance = rng.random()
    if chance < 0.03 and born.day <= 12:
        born = born.replace(month=born.day, day=born.month)
    elif chance < 0.04:
        born = born.replace(year=born.year + rng.choice((-1, 1)), day=min(born.day, 28))
    birth = "" if rng.random() < 0.03 else born.isoformat()
    if rng.random() < 0.15:
        phone = ""
    elif rng.random() < 0.04:
        phone = substituted(rng, phone)
    sex = person.sex if rng.random() > 0.01 else ""
    return Entry(person.number, name, sex, number, birth, "", phone, town)
