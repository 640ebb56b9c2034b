"""Working days: the state's calendar with its exchanged days, and what the county says otherwise."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import chinese_calendar


def is_workday(day: dt.date, overrides: Mapping[dt.date, bool]) -> bool:
    """The county's word first, then the state's calendar; for years that it does not know yet, Monday to Friday."""
    if day in overrides:
        return overrides[day]
    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError:
        return day.weekday() < 5


def last_day(first: dt.date, workdays: int, overrides: Mapping[dt.date, bool]) -> dt.date:
    """The last of so many working days; the first day counts when it is one."""
    day, left = first, workdays
    while True:
        left -= is_workday(day, overrides)
        if left <= 0:
            return day
        day += dt.timedelta(1)
