"""Widths, spaces and invisible characters; a cell as text."""

import datetime as dt
import re
import unicodedata

from eduaid.core.cells import BadDate, Cell, Damaged, ErrorValue, Merged, Uncached
from eduaid.core.text.results import Problem

# Joiners, direction marks, byte order marks, soft hyphens: they arrive with text copied from chat programs and web
# pages.
ZERO_WIDTH = "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e" + "".join(
    map(chr, (*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0xFEFF))
)
SPACES = "\t\n\x0b\x0c\r\x85\xa0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000"

_TIDY = dict.fromkeys(map(ord, ZERO_WIDTH)) | dict.fromkeys(map(ord, SPACES), " ")
_HALF = _TIDY | {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
_UNTIDY = re.compile(f"[{ZERO_WIDTH}{SPACES}]")
_WIDE = re.compile(f"[{ZERO_WIDTH}{SPACES}\uff01-\uff5e]")
# What a failed formula shows; text that says the same was pasted as values from one.
_ERROR_CODES = frozenset(
    (
        "#N/A",
        "#REF!",
        "#VALUE!",
        "#NAME?",
        "#DIV/0!",
        "#NULL!",
        "#NUM!",
        "#SPILL!",
        "#CALC!",
        "#GETTING_DATA",
        "#FIELD!",
    )
)
_UNSTORABLE = re.compile("[\x00-\x08\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")

# A first character that spreadsheets may take for the start of a formula (ASVS 5.0, 1.2.10), full-width forms
# included.
FORMULA_STARTS = frozenset("=+-@\t\r\n\0＝＋－＠")


def tidy(text: str) -> str:
    """Without invisible characters and outer spaces; inner spaces of any kind become plain ones."""
    if _UNTIDY.search(text):
        text = text.translate(_TIDY)
    return text.strip()


def half_width(text: str) -> str:
    """Like ``tidy``, and full-width letters, digits and signs become half-width."""
    if text.isascii():
        return tidy(text)
    if _WIDE.search(text):
        text = text.translate(_HALF)
    return text.strip()


def compact(text: str) -> str:
    """Half-width and without any space."""
    text = half_width(text)
    return text.replace(" ", "") if " " in text else text


def has_unstorable(text: str) -> bool:
    """Control characters, NUL, lone surrogates: PostgreSQL or XML would refuse them."""
    return _UNSTORABLE.search(text) is not None


def number_text(number: float) -> str:
    """A number as the spreadsheet shows it: at most fifteen digits, no exponent, no trailing .0."""
    if number.is_integer() and abs(number) < 1e15:
        return str(int(number))
    text = f"{number:.15g}"
    if "e" in text:
        text = f"{number:.15f}".rstrip("0").rstrip(".") if abs(number) < 1 else f"{number:.0f}"
    return text


def shown_as_kept(digits: str) -> str:
    """A damaged number as the spreadsheet shows it in full: the fifteen digits that it has kept, then zeros."""
    sign, bare = ("-", digits[1:]) if digits.startswith("-") else ("", digits)
    return f"{sign}{bare[:15]}{'0' * (len(bare) - 15)}" if bare.isdigit() else digits


def plain(cell: Cell) -> str:
    """The cell as the user sees it, for showing and storing; empty text for an empty cell."""
    if type(cell) is str:
        return cell
    match cell:
        case None:
            return ""
        case bool():
            return "TRUE" if cell else "FALSE"
        case float() | int():
            return number_text(float(cell))
        case dt.datetime():
            return cell.isoformat(" ", "seconds")
        case Damaged(shown):
            return shown_as_kept(shown)
        case ErrorValue(code):
            return code
        case BadDate(serial):
            return number_text(serial)
        case Merged(shown):
            return shown
        case Uncached():
            return ""
    return str(cell)


def unusable(cell: Cell) -> Problem | None:
    """The problem of a cell that holds no value at all, whatever its column expects."""
    match cell:
        case ErrorValue(code):
            return Problem("cell-error", {"code": code})
        case Uncached():
            return Problem("cell-uncached")
        case Merged():
            return Problem("cell-merged")
        case str() if has_unstorable(cell):
            return Problem("cell-control")
        case str() if cell[:1] == "#" and (code := cell.strip().upper()) in _ERROR_CODES:
            return Problem("cell-error", {"code": code})
        case str() if len(cell) > 2000:
            return Problem("cell-length", {"length": len(cell)})
    return None


def guard_formula(text: str) -> str:
    """Text for a workbook or CSV that no spreadsheet takes for a formula: one apostrophe before a dangerous start.

    Text that starts with an apostrophe gets one more, so that ``restore_formula`` gives back exactly the same text.
    """
    return "'" + text if text and (text[0] in FORMULA_STARTS or text[0] == "'") else text


def restore_formula(text: str) -> str:
    """The text that ``guard_formula`` was given. Other text is returned as it is."""
    if len(text) > 1 and text[0] == "'" and (text[1] in FORMULA_STARTS or text[1] == "'"):
        return text[1:]
    return text


def is_private_use(char: str) -> bool:
    return unicodedata.category(char) == "Co"
