"""Dates and months in every form in which offices write them. What is ambiguous is asked, never guessed."""

import datetime as dt
import re

from eduaid.core.cells import BadDate, Cell, Damaged
from eduaid.core.text.characters import half_width, number_text, plain, unusable
from eduaid.core.text.results import Parsed, Problem, Result

EARLIEST, LATEST = dt.date(1900, 1, 1), dt.date(2099, 12, 31)
_LAST_SERIAL = 2_958_465  # 9999-12-31
_ISO = re.compile(r"(?:19|20)\d\d-\d\d-\d\d", re.ASCII)
_SEPARATOR = r"\s*[-/.,_~、。]\s*"
_YMD = re.compile(rf"(\d{{4}}){_SEPARATOR}(\d{{1,2}}){_SEPARATOR}(\d{{1,2}})", re.ASCII)
_YMD_HAN = re.compile(r"(\d{4})\s*年\s*(\d{1,2})\s*月\s*(\d{1,2})\s*[日号]?\s*[生]?", re.ASCII)
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})", re.ASCII)
_YM = re.compile(rf"(\d{{4}})(?:{_SEPARATOR}|\s*年\s*)(\d{{1,2}})\s*(?:月份?)?\s*[生]?", re.ASCII)
_YM_COMPACT = re.compile(r"((?:19|20)\d{2})(\d{2})", re.ASCII)
_YEAR = re.compile(r"((?:19|20)\d{2})\s*年?\s*[生]?", re.ASCII)
_SHORT_YEAR = re.compile(
    rf"(\d{{2}})(?:{_SEPARATOR}|\s*年\s*)(\d{{1,2}})(?:(?:{_SEPARATOR}|\s*月\s*)(\d{{1,2}})\s*日?|\s*月)?", re.ASCII
)
_YEAR_LAST = re.compile(rf"(\d{{1,2}}){_SEPARATOR}(\d{{1,2}}){_SEPARATOR}(\d{{4}})", re.ASCII)
_CLOCK = re.compile(r"[ T]\s*(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?\s*(?:Z|[+-]\d\d:?\d\d)?$", re.ASCII)
_HAN_DIGITS = str.maketrans("〇○零一二三四五六七八九", "000123456789")
_HAN_DATE = re.compile(
    r"([〇○零一二三四五六七八九]{4})年([一二三四五六七八九十]{1,3})月(?:([一二三四五六七八九十]{1,3})[日号])?"
)


def parse_date(cell: Cell, *, epoch_1904: bool = False) -> Result[dt.date]:
    """A day. ``epoch_1904``: the workbook counts its dates from 1904 (old Macintosh), as its settings say."""
    if type(cell) is str and _ISO.fullmatch(cell):
        return _day(int(cell[:4]), int(cell[5:7]), int(cell[8:]), "")
    match cell:
        case None:
            return None
        case dt.datetime():
            return _in_range(cell.date(), "") if cell.time() == dt.time() else Problem("date-time")
        case dt.date():
            return _in_range(cell, "")
        case BadDate() | dt.time() | dt.timedelta():
            return Problem("date-serial")
        case bool() | Damaged():
            return Problem("date-form")
        case float() | int():
            return _from_number(float(cell), epoch_1904)
    if problem := unusable(cell):
        return problem
    return _from_text(half_width(plain(cell)), epoch_1904)


def _day(year: int, month: int, day: int, note: str) -> Parsed[dt.date] | Problem:
    try:
        return _in_range(dt.date(year, month, day), note)
    except ValueError:
        return Problem("date-invalid")


def _in_range(day: dt.date, note: str) -> Parsed[dt.date] | Problem:
    return Parsed(day, note) if EARLIEST <= day <= LATEST else Problem("date-range")


def _from_number(number: float, epoch_1904: bool) -> Result[dt.date]:
    if not number.is_integer():
        text = number_text(number)
        if _YM.fullmatch(text) and 1900 <= number < 2100:
            return Problem("date-day")  # 2012.9 typed as a number
        return Problem("date-time" if 0 < number <= _LAST_SERIAL else "date-serial")
    whole = int(number)
    if 19_000_101 <= whole <= 20_991_231:
        return _day(whole // 10000, whole // 100 % 100, whole % 100, "date-form")
    if 1900 <= whole <= 2100:
        return Problem("date-month")
    if 190_001 <= whole <= 209_912 and 1 <= whole % 100 <= 12:
        return Problem("date-day")
    return _from_serial(whole, epoch_1904)


def _from_serial(serial: int, epoch_1904: bool) -> Parsed[dt.date] | Problem:
    """Serial 1 is 1900-01-01; 60 is the 29th of February 1900, which never was; in the 1904 system 0 is 1904-01-01."""
    if epoch_1904:
        if not 0 <= serial <= _LAST_SERIAL - 1462:
            return Problem("date-serial")
        return _in_range(dt.date(1904, 1, 1) + dt.timedelta(serial), "date-number")
    if not 1 <= serial <= _LAST_SERIAL or serial == 60:
        return Problem("date-serial")
    return _in_range(dt.date(1899, 12, 31 if serial < 60 else 30) + dt.timedelta(serial), "date-number")


def _from_text(text: str, epoch_1904: bool) -> Result[dt.date]:
    if not text:
        return None
    if clock := _CLOCK.search(text):
        if any(int(part or 0) for part in clock.groups()):
            return Problem("date-time")
        text = text[: clock.start()]
    if match := _YMD.fullmatch(text) or _YMD_HAN.fullmatch(text) or _COMPACT.fullmatch(text):
        return _day(int(match[1]), int(match[2]), int(match[3]), "date-form")
    if match := _HAN_DATE.fullmatch(text.replace(" ", "")):
        year = int(match[1].translate(_HAN_DIGITS))
        return _day(year, han_number(match[2]), han_number(match[3]), "date-form") if match[3] else Problem("date-day")
    if _YEAR_LAST.fullmatch(text):
        return Problem("date-order")
    if match := _YM.fullmatch(text) or _YM_COMPACT.fullmatch(text):
        return Problem("date-day" if 1 <= int(match[2]) <= 12 else "date-invalid")
    if _YEAR.fullmatch(text):
        return Problem("date-month")
    if _SHORT_YEAR.fullmatch(text):
        return Problem("date-century")
    if text.isascii() and text.isdigit():
        if len(text) == 6:
            return Problem("date-century")
        if len(text) == 5:  # a serial that went through a text file
            return _from_serial(int(text), epoch_1904)
    return Problem("date-form")


def parse_month(cell: Cell, *, epoch_1904: bool = False) -> Result[dt.date]:
    """A month, as its first day: 201209, 2012-09, 2012年9月; a whole date counts as its month."""
    if type(cell) is float and not cell.is_integer():
        text = number_text(cell)
        if match := _YM.fullmatch(text):
            if match[2] == "1":
                return Problem("month-zero")  # 2012.1 and 2012.10 are the same number
            return _month(int(match[1]), int(match[2]))
        return Problem("month-form")
    if type(cell) is float and 190_001 <= cell <= 209_912 and 1 <= int(cell) % 100 <= 12:
        return _month(int(cell) // 100, int(cell) % 100)
    if isinstance(cell, str) and not unusable(cell):
        text = half_width(cell)
        if match := _YM.fullmatch(text) or _YM_COMPACT.fullmatch(text):
            return _month(int(match[1]), int(match[2]))
        if (match := _HAN_DATE.fullmatch(text)) and not match[3]:
            return _month(int(match[1].translate(_HAN_DIGITS)), han_number(match[2]))
    match parse_date(cell, epoch_1904=epoch_1904):
        case Parsed(day):
            return Parsed(day.replace(day=1), "month-start")
        case Problem("date-form"):
            return Problem("month-form")
        case other:
            return other


def _month(year: int, month: int) -> Parsed[dt.date] | Problem:
    if not 1 <= month <= 12:
        return Problem("date-invalid")
    return _in_range(dt.date(year, month, 1), "month-start")


def han_number(text: str) -> int:
    """一 … 九十九 as a number; digits pass through. Raises ValueError for anything else."""
    if text.isascii():
        return int(text)
    tens, ten, ones = text.rpartition("十")
    if ten:
        return (int(tens.translate(_HAN_DIGITS)) if tens else 1) * 10 + (
            int(ones.translate(_HAN_DIGITS)) if ones else 0
        )
    return int(text.translate(_HAN_DIGITS).replace("两", "2"))
