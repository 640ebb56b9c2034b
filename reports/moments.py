"""Of which date and which moment a page speaks, and what it takes to answer for another one than now."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.apps import apps
from django.db import connection
from django.db.models import Model, Q
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from dropout.replay import stand_in, whereabouts_changed_since
from eduaid.core.models import ChangeSet, ListSlice, Upload
from eduaid.core.roles import today
from eduaid.core.scope import EVERYTHING, row_security
from students.resolve import at


class NotADate(ValueError):
    """A date or moment that was asked for cannot be used; the sentence says what to write."""


@dataclass(frozen=True)
class Moment:
    """`as_of`: the day that the figures are about; `known_at`: only what had been recorded until then (None: all of it)."""

    as_of: dt.date
    known_at: dt.datetime | None = None

    @classmethod
    def asked(cls, as_of: str | None, known_at: str | None = None) -> Moment:
        """From an address or the command line; empty means today and now. Raises NotADate."""
        day = _day(as_of) if as_of else today()
        if day > today():
            raise NotADate(f"日期 {day:%Y-%m-%d} 晚于今天，请改为今天或以前的日期。")
        return cls(day, _moment(known_at) if known_at else None)

    @property
    def is_now(self) -> bool:
        return self.known_at is None and self.as_of == today()

    @property
    def params(self) -> dict[str, str]:
        """What an address must carry to ask for the same moment; nothing for now."""
        params = {}
        if self.as_of != today() or self.known_at is not None:
            params["as_of"] = self.as_of.isoformat()
        if self.known_at is not None:
            params["known_at"] = self.known_at.isoformat()
        return params


def _day(text: str) -> dt.date:
    try:
        day = parse_date(text)
    except ValueError:  # well formed, but no such day
        day = None
    if day is None:
        raise NotADate(f"看不懂日期“{text[:20]}”，请写成 2026-09-01 这样的形式。")
    return day


def _moment(text: str) -> dt.datetime:
    # A plus sign that an address has turned into a space.
    try:
        moment = parse_datetime(text.replace(" 0", "+0") if text.count(" ") == 1 and "T" in text else text)
    except ValueError:
        moment = None
    if moment is None:
        raise NotADate(f"看不懂时间“{text[:32]}”，请写成 2026-09-01T08:30:00 这样的形式。")
    return moment if timezone.is_aware(moment) else timezone.make_aware(moment)


def needs_replay(moment: Moment) -> bool:
    """Whether the tables as they stand would answer otherwise: a list of a later date is in force, or something was recorded
    after the moment. Mostly not, and then no copy has to be resolved."""
    if moment.known_at is not None:
        later = moment.known_at
        if (
            ChangeSet.objects.filter(made_at__gt=later).exists()
            or ListSlice.objects.filter(Q(applied_at__gt=later) | Q(undone_at__gt=later)).exists()
        ):
            return True
    if whereabouts_changed_since(moment.as_of, moment.known_at):
        return True
    if moment.as_of >= today():
        return False
    return ListSlice.objects.filter(applied_at__isnull=False, undone_at=None, effective_on__gt=moment.as_of).exists()


@contextmanager
def answering_for(moment: Moment) -> Iterator[None]:
    """Every query inside answers for the moment. Fetch rows inside: what is read after the end is of now."""
    if needs_replay(moment):
        with at(as_of=moment.as_of, known_at=moment.known_at):
            stand_in(moment.as_of, moment.known_at)
            yield
    else:
        yield


def state_of_the_data() -> str:
    """A word that changes whenever a figure may: with each resolve, each edit of a list, each edit of places.

    Counts and sums as well as newest ids: a transaction with a smaller id may commit later. Over all lists, also those beyond
    the reader's sight, whose rows may lie within it.
    """
    tables: list[type[Model]] = [
        ChangeSet,
        apps.get_model("core", "SchoolEvent"),
        apps.get_model("core", "RegionEvent"),
    ]
    parts = [
        f"(SELECT count(*) || '.' || coalesce(max({model._meta.pk.column}), 0) FROM {model._meta.db_table})"
        for model in tables
    ]
    parts.append(f"(SELECT count(*) || '.' || coalesce(sum(version), 0) FROM {Upload._meta.db_table})")
    with row_security(EVERYTHING, local=True), connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(parts)}")
        row: tuple[str, ...] = cursor.fetchone()
    return "-".join(row)
