"""Yes and no, telephone numbers, bank cards, amounts, counts, region codes."""

import re
from decimal import Decimal
from typing import Literal

from eduaid.core.cells import BadDate, Cell, Damaged
from eduaid.core.text.characters import compact, half_width, number_text, plain, restore_formula, unusable
from eduaid.core.text.results import Parsed, Problem, Result

_YES_TEXT = "是 有 对 真 √ ✓ ✔ ☑ v y yes t true 1 ■ 1-是 是-1 1是 享受 已"
_YES = frozenset(_YES_TEXT.split())
_NO_TEXT = "否 无 不 错 假 × ✗ ✘ x n no f false 0 □ ☐ 没有 不是 0-否 否-0 0否 未享受 未"
_NO = frozenset(_NO_TEXT.split())
_NONE_SAID_TEXT = "无 没有 暂无 / - -- — —— \\ 空 none"
_NONE_SAID = frozenset(_NONE_SAID_TEXT.split())
Unit = Literal["元", "万元"]


def parse_flag(cell: Cell) -> Result[bool]:
    """Yes or no. Blank is neither; ○ and 2 mean different things in different offices and are asked."""
    if cell == "是" or cell == "否":
        return Parsed(cell == "是")
    if isinstance(cell, bool):
        return Parsed(cell, "flag-form")
    if problem := unusable(cell):
        return problem
    text = compact(plain(cell)).lower()
    if not text:
        return None
    if text in _YES:
        return Parsed(True, "flag-form")
    if text in _NO:
        return Parsed(False, "flag-form")
    return Problem("flag-form")


_MOBILE = re.compile(r"1[3-9]\d{9}", re.ASCII)
_LANDLINE = re.compile(r"0\d{2,3}-?[1-9]\d{6,7}(?:(?:-|转)\d{1,5})?", re.ASCII)
_LOCAL = re.compile(r"[2-9]\d{6,7}", re.ASCII)
_SERVICE = re.compile(r"[48]00-?\d{3}-?\d{4}", re.ASCII)
_SEVERAL = re.compile(r"[/、,;|和或]|(?<=\d{7})\s+(?=1[3-9]\d)|\n", re.ASCII)
_PREFIX = re.compile(r"^(?:\+|00)?86-?(?=1[3-9])|^0(?=1[3-9]\d{9}$)")
_MASKED = re.compile(r"(?=.*\d).*(?:[*×•●#]{2,}|[Xx]{3,}).*")


def parse_phone(cell: Cell) -> Result[str]:
    """One number, or several joined by 、 with the note ``phone-several``. Empty text: the cell says there is none."""
    if type(cell) is str and _MOBILE.fullmatch(cell):
        return Parsed(cell)
    if problem := unusable(cell):
        return problem
    if isinstance(cell, Damaged | BadDate):
        return Problem("phone-form")
    raw = plain(cell)
    text = half_width(restore_formula(raw)).lstrip("'")
    if not text:
        return None
    if text in _NONE_SAID:
        return Parsed("", "none-said")
    if _MASKED.fullmatch(text):
        return Problem("phone-masked")
    numbers = [_phone(part) for part in _SEVERAL.split(text) if part.strip()]
    if not numbers or "" in numbers:
        return Problem("phone-form")
    kept = list(dict.fromkeys(numbers))
    if len(kept) > 1:
        return Parsed("、".join(kept), "phone-several")
    if _LOCAL.fullmatch(kept[0]):
        return Parsed(kept[0], "phone-local")
    return Parsed(kept[0], "" if kept[0] == raw else "phone-form")


def _phone(text: str) -> str:
    """A number in its plain form, empty when it is none: 138…, 0797-1234567."""
    digits = re.sub(r"[\s.·()_]|(?<=\d{3})-(?=\d{4}-?\d{4}$)|(?<=\d{4})-(?=\d{4}$)", "", text)
    digits = _PREFIX.sub("", digits)
    if _MOBILE.fullmatch(bare := digits.replace("-", "")):
        return bare
    if _LANDLINE.fullmatch(digits):
        area = 3 if digits[1] in "12" else 4
        rest = digits[area:].lstrip("-")
        return f"{digits[:area]}-{rest}"
    return digits if _LOCAL.fullmatch(digits) or _SERVICE.fullmatch(digits) else ""


_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def luhn_is_valid(digits: str) -> bool:
    total = sum(map(int, digits[-1::-2])) + sum(_DOUBLED[int(digit)] for digit in digits[-2::-2])
    return total % 10 == 0


def parse_card(cell: Cell) -> Result[str]:
    """A bank card or account number; groups of four are joined. Empty text: the cell says there is none."""
    if problem := unusable(cell):
        return problem
    if isinstance(cell, Damaged) or (isinstance(cell, float | int) and abs(cell) >= 1e15):
        return Problem("card-damaged")
    raw = plain(cell)
    text = compact(restore_formula(raw)).lstrip("'").replace("-", "")
    if not text:
        return Parsed("", "none-said") if raw.strip(" '") else None
    if text in _NONE_SAID:
        return Parsed("", "none-said")
    if re.fullmatch(r"\d(?:\.\d+)?E\+?\d\d", text, re.IGNORECASE):
        return Problem("card-damaged")
    if _MASKED.fullmatch(text):
        return Problem("card-masked")
    if not (text.isascii() and text.isdigit()):
        return Problem("card-form")
    if not 16 <= len(text) <= 19:
        return Problem("card-length", {"length": len(text)})
    if not luhn_is_valid(text):
        return Problem("card-luhn")
    return Parsed(text, "" if text == raw else "card-form")


_AMOUNT = re.compile(
    r"(?:人民币|RMB|CNY|[¥￥])?([+-]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?)(万元|万|元整|元|圆|块)?",
    re.IGNORECASE | re.ASCII,
)
_RATE = re.compile(r"(?:[/每]|一)(?:学期|学年|月|年|天|日|人|期|次|生)|(?:学期|学年|月|年|人)均")
_HAN_MONEY = {
    **dict(zip("零壹贰叁肆伍陆柒捌玖", range(10), strict=True)),
    **dict(zip("〇一二三四五六七八九", range(10), strict=True)),
    "两": 2,
}
_HAN_UNITS = {"拾": 10, "十": 10, "佰": 100, "百": 100, "仟": 1000, "千": 1000}
_HAN_AMOUNT = re.compile(
    r"(?:人民币)?[零壹贰叁肆伍陆柒捌玖〇一二三四五六七八九两拾十佰百仟千万亿]+[元圆](?:[零壹贰叁肆伍陆柒捌玖]角)?(?:零?[壹贰叁肆伍陆柒捌玖]分)?[整正]?"
    r"|[零壹贰叁肆伍陆柒捌玖拾佰仟万亿]{2,}[整正]?"
)


def parse_amount(cell: Cell, *, unit: Unit = "元", signed: bool = False) -> Result[Decimal]:
    """An amount in yuan with two places. ``unit`` is what the column's header says; only a list of reversals is
    ``signed``: anywhere else a negative amount is a problem.

    A cell that names its own unit wins over a header in 元; 元 under a header in 万元 is asked. More than two decimals
    of yuan are a problem, but the noise of binary fractions (0.30000000000000004) is not.
    """
    if problem := unusable(cell):
        return problem
    if isinstance(cell, bool | Damaged | BadDate):
        return Problem("amount-form")
    if isinstance(cell, float | int):
        return _yuan(Decimal(number_text(float(cell))), unit, "amount-unit" if unit == "万元" else "", signed)
    raw = plain(cell)
    text = compact(restore_formula(raw))
    if not text:
        return None
    if _HAN_AMOUNT.fullmatch(text):
        return Parsed(han_amount(text), "amount-words")
    if match := _AMOUNT.fullmatch(text):
        own: Unit = "万元" if match[2] in ("万元", "万") else "元"
        if match[2] and own == "元" and unit == "万元":
            return Problem("amount-unit")
        number = Decimal(match[1].replace(",", ""))
        used: Unit = own if match[2] else unit
        note = "amount-unit" if used == "万元" else "" if match[1] == raw and "," not in raw else "amount-form"
        return _yuan(number, used, note, signed)
    return Problem("amount-rate" if _RATE.search(text) else "amount-form")


def _yuan(number: Decimal, unit: Unit, note: str, signed: bool) -> Parsed[Decimal] | Problem:
    if number < 0 and not signed:
        return Problem("amount-negative")
    yuan = number * 10_000 if unit == "万元" else number
    if yuan != yuan.quantize(Decimal("0.01")) if abs(yuan) < 10**15 else True:
        return Problem("amount-scale" if abs(yuan) < 10**15 else "amount-form")
    return Parsed(yuan.quantize(Decimal("0.01")), note)


def han_amount(text: str) -> Decimal:
    """壹仟贰佰伍拾元整 → 1250.00."""
    whole, fraction = re.fullmatch(r"(?:人民币)?([^元圆角分整正]*)[元圆]?(.*)", text).groups()  # type: ignore[union-attr]
    total = section = digit = 0
    for char in whole:
        if char in _HAN_MONEY:
            digit = _HAN_MONEY[char]
        elif char in _HAN_UNITS:
            section += (digit or 1) * _HAN_UNITS[char]
            digit = 0
        else:
            total = (total + section + digit) * (10_000 if char == "万" else 100_000_000)
            section = digit = 0
    amount = Decimal(total + section + digit)
    for char, worth in (("角", "0.1"), ("分", "0.01")):
        place = fraction.find(char)
        if place > 0:
            amount += _HAN_MONEY[fraction[place - 1]] * Decimal(worth)
    return amount.quantize(Decimal("0.01"))


def parse_whole(cell: Cell) -> Result[int]:
    """A count or year: a whole number without sign."""
    if problem := unusable(cell):
        return problem
    if isinstance(cell, bool | Damaged | BadDate):
        return Problem("number-form")
    text = compact(plain(cell)).rstrip("人户年岁个次")
    if not text:
        return None if not plain(cell).strip() else Problem("number-form")
    return Parsed(int(text)) if re.fullmatch(r"\d{1,9}", text, re.ASCII) else Problem("number-form")


_REGION = re.compile(r"(\d{6}|\d{9}|\d{12})(?:[-—_:|\s].*)?", re.ASCII | re.DOTALL)


def parse_region_code(cell: Cell) -> Result[str]:
    """A region code of 6, 9 or 12 digits; a label behind it (990121-示例县) is left aside."""
    if problem := unusable(cell):
        return problem
    text = half_width(plain(cell)).lstrip("'")
    if not text:
        return None
    match = _REGION.fullmatch(text)
    if not match:
        return Problem("region-form")
    return Parsed(match[1], "" if match[1] == plain(cell) else "code-form")
