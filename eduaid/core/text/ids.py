"""Identity numbers (GB 11643) and student registry numbers (学籍号).

The 18-digit check is three table look-ups and no library call: region and sequence digits add up from tables of
weighted sums per three digits, the birth date is remembered with its sum.
"""

import datetime as dt
import re
from collections.abc import Collection
from functools import lru_cache
from typing import Literal, NamedTuple

from eduaid.core.cells import Cell, Damaged
from eduaid.core.text.characters import compact, plain, unusable
from eduaid.core.text.results import Parsed, Problem, Result

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECK_DIGITS = "10X98765432"  # GB 11643: position = weighted sum modulo 11

Sex = Literal["1", "2"]  # GB/T 2261.1: 1 male, 2 female


class IdNumber(NamedTuple):
    """``kind`` is the code of the ID type list (1 resident identity card). Birth and sex only where the number
    tells."""

    number: str
    kind: str = "1"
    born_on: dt.date | None = None
    sex: Sex | None = None


class XuejiNumber(NamedTuple):
    """``kind`` G formal, with the ID of the day of issue in it; J formal, for a child without an ID; L temporary."""

    number: str
    kind: Literal["G", "J", "L"]
    embedded_id: str | None


def _sums(weights: tuple[int, int, int]) -> dict[str, int]:
    a, b, c = weights
    return {f"{n:03d}": n // 100 * a + n // 10 % 10 * b + n % 10 * c for n in range(1000)}


_REGION_1 = _sums((7, 9, 10))
_REGION_2 = _sums((5, 8, 4))
_SEQUENCE = _sums((8, 4, 2))


_new = tuple.__new__


class _Births(dict[str, tuple[int, dt.date]]):
    """Digits 7–14 → (weighted sum, date); no real date → KeyError. Holds at most the days of four centuries."""

    def __missing__(self, digits: str) -> tuple[int, dt.date]:
        if not (digits.isascii() and digits.isdigit() and len(digits) == 8 and "1800" <= digits < "2200"):
            raise KeyError(digits)
        try:
            born_on = dt.date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
        except ValueError:
            raise KeyError(digits) from None
        self[digits] = found = (sum(int(d) * w for d, w in zip(digits, WEIGHTS[6:14], strict=True)), born_on)
        return found


_BIRTHS = _Births()


def is_valid_id(number: str) -> bool:
    """18 digits with a real birth date and the right check digit (capital X). Nothing is cleaned."""
    try:
        total = _REGION_1[number[:3]] + _REGION_2[number[3:6]] + _BIRTHS[number[6:14]][0] + _SEQUENCE[number[14:17]]
    except KeyError:
        return False
    return CHECK_DIGITS[total % 11] == number[17:]


def check_digit(digits: str) -> str:
    """The eighteenth character for seventeen digits."""
    return CHECK_DIGITS[sum(int(d) * w for d, w in zip(digits, WEIGHTS, strict=True)) % 11]


def born_on(number: str) -> dt.date:
    """The birth date that a valid ID tells."""
    return _BIRTHS[number[6:14]][1]


def sex_of(number: str) -> Sex:
    """The sex that a valid ID tells: odd seventeenth digit male, even female."""
    return "1" if number[16] in "13579" else "2"


_EIGHTEEN = re.compile(r"[0-9]{17}[0-9X]")
_SCIENTIFIC = re.compile(r"\d(?:\.\d+)?E\+?\d{2}", re.IGNORECASE)
_MASKED = re.compile(r"(?=.*\d)\d*(?:[*×•●#?_]{2,}|X{3,})[\dX*×•●#?_]*")
_WRAPPED = re.compile(r"""=?"([^"]*)"|'(.*)""", re.DOTALL)
_MIXED_UP = re.compile(r"(?=(?:.*\d){6})[\dA-Z*\-_./]{13,22}", re.IGNORECASE)
_PERMIT = re.compile(r"[A-Z]{1,3}\d{6,12}[A-Z\d]?|[A-Z]{3}\d{12}|\d{8,10}[A-Z]?|[A-Z0-9()]{7,12}", re.IGNORECASE)
_NONE_WORDS_TEXT = (
    "无 没有 未办 未办理 未办证 办理中 正在办理 暂无 暂缺 无证 无证件 无身份证 无户口 未上户 未上户口 黑户 "
    "不详 不清楚 未知 同上 "
    "空 - -- — —— / \\ 0 1 none null n/a na"
)
_NONE_WORDS = frozenset(_NONE_WORDS_TEXT.split())

# Types of the registry's ID list whose numbers carry the resident check digit: identity card, household booklet.
_CHECKED_KINDS = frozenset({"1", "-"})


def _text(cell: Cell) -> tuple[str, str]:
    """The cell without spaces, wrapping and full-width forms, in capitals; and the note that says what changed."""
    raw = plain(cell)
    text, note = raw, ""
    if match := _WRAPPED.fullmatch(text.strip()):  # ="3623…" and '3623… are how people force text
        text, note = match[1] if match[1] is not None else match[2], "unquoted"
    cleaned = compact(text)
    if cleaned != text:
        note = note or ("half-width" if any("！" <= char <= "～" for char in text) else "tidied")
    upper = cleaned.upper()
    if upper != cleaned:
        note = note or "upper-case"
    return upper, note or ("" if isinstance(cell, str) else "from-number")


def parse_id(cell: Cell, kind: str = "1") -> Result[IdNumber]:
    """An ID number of the given type (code of the ID type list; 1 and - carry a check digit, the others do not).

    The region digits are not judged here (``region_is_known``): abolished counties and late registrations are normal.
    A number that spreadsheet rounding has touched is a problem even where its check digit happens to fit (one in
    eleven does), so only text cells can pass.
    """
    if type(cell) is str and kind in _CHECKED_KINDS and is_valid_id(cell):
        sex = "1" if cell[16] in "13579" else "2"
        # tuple.__new__ spares the keyword handling of named tuples: this line runs once per row of every list.
        return _new(Parsed, (_new(IdNumber, (cell, kind, _BIRTHS[cell[6:14]][1], sex)), ""))
    if cell is None:
        return None
    if problem := unusable(cell):
        return problem
    if _is_damaged(cell):
        return Problem("id-damaged")
    text, note = _text(cell)
    if not text:
        return None
    if _SCIENTIFIC.fullmatch(text):
        return Problem("id-damaged")
    if kind not in _CHECKED_KINDS:
        return _other_id(text, kind, note)
    if is_valid_id(text):
        return Parsed(IdNumber(text, kind, born_on(text), sex_of(text)), note)
    return _id_problem(text)


def _is_damaged(cell: Cell) -> bool:
    """By the kind of the cell and never by its digits: one rounded number in eleven still has a fitting check digit."""
    return isinstance(cell, Damaged) or (isinstance(cell, float | int) and abs(cell) >= 1e15)


def _id_problem(text: str) -> Problem:
    """Why this cleaned text is no valid resident ID."""
    if _EIGHTEEN.fullmatch(text):
        if text.endswith("000"):  # a rounded number that somebody turned into text afterwards
            return Problem("id-damaged")
        return Problem("id-check" if _has_birth(text) else "id-birth")
    if text.lower() in _NONE_WORDS:
        return Problem("id-none")
    if text.isascii() and text.isdigit():
        return Problem("id-15") if len(text) == 15 else Problem("id-length", {"length": len(text)})
    if _MASKED.fullmatch(text):
        return Problem("id-masked")
    if len(text) == 19 and text[0] in "GLJ":
        return Problem("id-xueji")
    if _MIXED_UP.fullmatch(text) and sum(char.isdigit() for char in text) >= 12:
        return Problem("id-characters")
    if _PERMIT.fullmatch(text):
        return Problem("id-type")
    return Problem("id-other")


def _has_birth(text: str) -> bool:
    try:
        _BIRTHS[text[6:14]]
    except KeyError:
        return False
    return True


_OTHER_FORM = re.compile(r"[A-Z0-9()/-]{4,30}")


def _other_id(text: str, kind: str, note: str) -> Result[IdNumber]:
    """Passports and permits have no common check: letters, digits and brackets, kept as they are."""
    if text.lower() in _NONE_WORDS:
        return Problem("id-none")
    if _MASKED.fullmatch(text):
        return Problem("id-masked")
    if not _OTHER_FORM.fullmatch(text):
        return Problem("id-other")
    return Parsed(IdNumber(text, kind), note)


def id_candidates(text: str) -> list[str]:
    """The valid IDs that one typing error can have turned into ``text``: a wrong digit, two neighbours swapped, one
    digit lost or doubled. At most a few dozen; in the order substitution, swap, insertion, deletion."""
    text = compact(text).upper()
    found: dict[str, None] = {}
    if len(text) == 18:
        for place in range(18):
            for digit in "0123456789" if place < 17 else "0123456789X":
                if digit != text[place]:
                    found[text[:place] + digit + text[place + 1 :]] = None
        for place in range(17):
            if text[place] != text[place + 1]:
                found[text[:place] + text[place + 1] + text[place] + text[place + 2 :]] = None
    elif len(text) == 17:
        for place in range(18):
            for digit in "0123456789" if place < 17 else "0123456789X":
                found[text[:place] + digit + text[place:]] = None
    elif len(text) == 19:
        for place in range(19):
            found[text[:place] + text[place + 1 :]] = None
    return [candidate for candidate in found if is_valid_id(candidate)]


_KEPT_SIX = re.compile(r"(\d)\.(\d{5})\d*E\+?17")
_MASKED_MIDDLE = re.compile(r"(\d{6})[*X×•]{8}(\d{3}[\dX])")
_LOOK_ALIKE = str.maketrans("OolIi", "00111")


def possible_ids(text: str, birth: dt.date | None = None) -> list[str]:
    """Every valid ID that an unusable text may stand for: one typing error away (`id_candidates`), what spreadsheet rounding,
    masking or a look-alike letter has left of it. At most a thousand; to be looked up, never to be proposed as they are."""
    text = compact(text)
    spelt = text.translate(_LOOK_ALIKE).replace("-", "").upper()
    found = [spelt, *id_candidates(spelt)]
    text = text.upper()
    prefix = damaged_prefix(text)
    if prefix and text.endswith("000"):
        found += [prefix + f"{tail:02d}" + check_digit(f"{prefix}{tail:02d}") for tail in range(100)]
    if birth is not None:
        if match := _KEPT_SIX.fullmatch(text):
            start = f"{match[1]}{match[2]}{birth:%Y%m%d}"
            found += [f"{start}{tail:03d}" + check_digit(f"{start}{tail:03d}") for tail in range(1000)]
        elif match := _MASKED_MIDDLE.fullmatch(text):
            found.append(f"{match[1]}{birth:%Y%m%d}{match[2]}")
    return [number for number in dict.fromkeys(found) if is_valid_id(number) and number != text]


def damaged_prefix(cell: Cell) -> str:
    """The fifteen digits of a damaged ID that can be trusted, to look for candidates; empty when there are fewer."""
    text = compact(plain(cell)).upper()
    if _SCIENTIFIC.fullmatch(text):
        digits = text.split("E")[0].replace(".", "")
        return digits if len(digits) == 15 else ""
    digits = text[:15]
    return digits if len(text) in (17, 18) and digits.isdigit() else ""


@lru_cache(maxsize=20_000)
def region_is_known(prefix: str) -> bool:
    """Whether the first six digits were ever a county-level code in the list of python-stdnum. False is a hint
    only."""
    from stdnum import numdb

    return any(properties.get("county") for _, properties in numdb.get("cn/loc").info(prefix))


def id_region_is_known(number: str, also: Collection[str] = ()) -> bool:
    """Whether the six region digits were ever in use, in the published list or in ``also`` (the county's own)."""
    return number[:6] in also or region_is_known(number[:6])


def parse_xueji(cell: Cell) -> Result[XuejiNumber]:
    """A national student registry number. The ID inside a G number must be valid, but need not be today's ID."""
    if type(cell) is str and len(cell) == 19 and cell[0] == "G" and is_valid_id(cell[1:]):
        return Parsed(XuejiNumber(cell, "G", cell[1:]))
    if cell is None:
        return None
    if problem := unusable(cell):
        return problem
    if _is_damaged(cell):
        return Problem("id-damaged")
    text, note = _text(cell)
    if not text:
        return None
    if _SCIENTIFIC.fullmatch(text):
        return Problem("id-damaged")
    if is_valid_id(text):
        return Problem("xueji-id")
    if len(text) != 19 or not _EIGHTEEN.fullmatch(text[1:]) or text[0] not in "GJL":
        return Problem("xueji-form")
    if text[0] == "G":
        if not is_valid_id(text[1:]):
            return Problem("xueji-embedded")
        return Parsed(XuejiNumber(text, "G", text[1:]), note)
    # J and L: six digits of the school's region, birth date, four more; some provinces put a whole ID behind the L.
    if not _has_birth(text[1:]):
        return Problem("xueji-birth")
    embedded = text[1:] if text[0] == "L" and is_valid_id(text[1:]) else None
    return Parsed(XuejiNumber(text, "L" if text[0] == "L" else "J", embedded), note)
