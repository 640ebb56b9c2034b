"""How two files of the lists are alike, as a person would say it: which places of a number differ, which characters of a name,
and what follows from it. Plain Python, no Django.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

SURE, LIKELY, DOUBTFUL = "sure", "likely", "doubtful"

MOST_SHOWN = 4
"""A number of which more places differ is another number; showing so many of its digits would give it away."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What one side says. `number`: the ID number in full, empty where there is none or it may not be opened.

    `old_number_of_other`: the 学籍号 of this side holds an ID number that the other side has today.
    """

    name: str
    name_key: str
    sound: str
    sex: str
    birth: dt.date | None
    number: str = ""
    has_number: bool = False
    place: int | None = None
    guardian: str = ""
    old_number_of_other: bool = False


@dataclass(frozen=True, slots=True)
class Judgement:
    certainty: str
    score: int
    reason: str


def differing_places(left: str, right: str) -> list[int]:
    """The places, counted from 1, in which two texts differ; what one has more counts as different."""
    return [place for place, (one, other) in enumerate(zip_longest(left, right), start=1) if one != other]


def marked(texts: Sequence[str]) -> list[list[tuple[str, bool]]]:
    """Each text as runs (part, differs): places in which any two of the texts differ are marked. Empty texts take no part."""
    told = [text for text in texts if text]
    longest = max((len(text) for text in told), default=0)
    differs = [len({text[place : place + 1] for text in told}) > 1 for place in range(longest)]
    return [_runs(text, differs) for text in texts]


def marked_numbers(numbers: Sequence[str]) -> list[list[tuple[str, bool]]]:
    """The same for numbers that are hidden: six region digits, stars, and only the places that differ, if they are few."""
    told = [number for number in numbers if number]
    same_length = len({len(number) for number in told}) <= 1
    differs = (
        [len({number[place] for number in told}) > 1 for place in range(len(told[0]))] if told and same_length else []
    )
    few = sum(differs) <= MOST_SHOWN
    shown = []
    for number in numbers:
        text = "".join(
            digit if place < 6 or (differs and differs[place] and few) else "*" for place, digit in enumerate(number)
        )
        shown.append(
            _runs(text, differs if few else [place >= 6 for place in range(len(number))] if len(told) > 1 else [])
        )
    return shown


def _runs(text: str, differs: Sequence[bool]) -> list[tuple[str, bool]]:
    runs: list[tuple[str, bool]] = []
    for place, sign in enumerate(text):
        flag = differs[place] if place < len(differs) else bool(differs)
        if runs and runs[-1][1] == flag:
            runs[-1] = (runs[-1][0] + sign, flag)
        else:
            runs.append((sign, flag))
    return runs


def judge(left: Seen, right: Seen) -> Judgement | None:
    """Whether two files may be one child, how sure that is, and why; None where nothing speaks for it.

    A valid but different number is another person or an old number: without the old number's own evidence it is never certain.
    """
    name, name_words = _name(left, right)
    birth, birth_words = _birth(left, right)
    if not name or left.sex and right.sex and left.sex != right.sex and name < 30:
        return None
    words = [name_words, birth_words]
    score = name + birth
    if left.sex and right.sex:
        if left.sex == right.sex:
            score += 4
        else:
            score -= 15
            words.append("性别不同")
    near = False
    if left.guardian and left.guardian == right.guardian:
        near, score = True, score + 14
        words.append("监护人同")
    if left.place is not None and left.place == right.place:
        near, score = True, score + 8
        words.append("同村")
    old = left.old_number_of_other or right.old_number_of_other
    if old:
        words.append("学籍号里的旧证件号就是另一份档案的证件号")
        return Judgement(SURE if name >= 30 and birth >= 0 else LIKELY, 99, "、".join(filter(None, words)))
    clear = False
    if left.number and right.number:
        places = differing_places(left.number, right.number)
        if len(left.number) != len(right.number):
            words.append("证件号位数不同")
            score -= 6
        elif len(places) <= MOST_SHOWN:
            words.append(f"证件第 {'、'.join(map(str, places))} 位不同")
            score += 8
        else:
            words.append("证件号整体不同")
            score -= 18
    elif left.has_number and right.has_number:
        words.append("证件号不同")
        score -= 10
    elif left.has_number or right.has_number:
        words.append("一份没有证件号")
        clear = name >= 50 and birth >= 30
    else:
        words.append("两份都没有证件号")
        clear = name >= 50 and birth >= 30 and near
    if clear and near:
        return Judgement(SURE, min(98, score), "、".join(filter(None, words)))
    if score >= 74:
        return Judgement(LIKELY, min(95, score), "、".join(filter(None, words)))
    return Judgement(DOUBTFUL, score, "、".join(filter(None, words))) if score >= 56 else None


def _name(left: Seen, right: Seen) -> tuple[int, str]:
    if left.name_key == right.name_key:
        return 50, "姓名同"
    if left.sound and left.sound == right.sound:
        return 40, "姓名同音"
    one, other = sorted((left.name_key, right.name_key), key=len)
    if len(one) == len(other) and len(one) > 1 and sum(a != b for a, b in zip(one, other, strict=True)) == 1:
        return (32, "姓名一字之差") if one[0] == other[0] else (20, "姓不同、名同")
    if len(other) - len(one) == 1 and len(one) > 1 and _without_one(one, other):
        return 30, "姓名少一字"
    return 0, ""


def _without_one(short: str, long: str) -> bool:
    return any(long[:place] + long[place + 1 :] == short for place in range(len(long)))


def _birth(left: Seen, right: Seen) -> tuple[int, str]:
    if left.birth is None or right.birth is None:
        return 0, "一份没有出生日期"
    if left.birth == right.birth:
        return 30, "出生同"
    one, other = f"{left.birth:%Y%m%d}", f"{right.birth:%Y%m%d}"
    places = [place for place, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
    if len(places) == 1:
        return 16, "出生日期一位不同"
    if one[4:6] == other[6:] and one[6:] == other[4:6] and one[:4] == other[:4]:
        return 16, "出生月日互换"
    if (
        len(places) == 2
        and places[1] == places[0] + 1
        and sorted(one[places[0] : places[1] + 1]) == sorted(other[places[0] : places[1] + 1])
    ):
        return 16, "出生日期两位互换"
    if abs((left.birth - right.birth).days) <= 31:
        return 8, "出生相差不到一个月"
    return -12, "出生不同"
