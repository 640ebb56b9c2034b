"""Whereabouts as they were at an earlier moment, read off their history, for the replay of figures (docs/decisions/0017)."""

from __future__ import annotations

import datetime as dt

from django.db import connection

from dropout.indicators import moment_of
from dropout.models import Whereabouts
from eduaid.core.indicators import Basis
from eduaid.core.models import Region


def _moment(as_of: dt.date, known_at: dt.datetime | None) -> dt.datetime | None:
    return moment_of(Basis(Region(), as_of, known_at))


def whereabouts_changed_since(as_of: dt.date, known_at: dt.datetime | None) -> bool:
    """Whether whereabouts stand otherwise now than at the moment. The index of history is by child: its newest entry tells."""
    moment = _moment(as_of, known_at)
    if moment is None:
        return False
    newest = Whereabouts.pgh_event_model.objects.order_by("-pgh_id").first()  # type: ignore[attr-defined]
    return newest is not None and bool(newest.pgh_created_at > moment)


def stand_in(as_of: dt.date, known_at: dt.datetime | None) -> None:
    """Puts a temporary table of the whereabouts as they stood before the real one, for the running transaction.

    Call inside `students.resolve.at`, whose temporary tables it stands beside. Rounds need none: when they were opened and
    closed stands on them.
    """
    moment = _moment(as_of, known_at)
    if moment is None:
        return
    columns = ", ".join(str(field.column) for field in Whereabouts._meta.concrete_fields)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            CREATE TEMP TABLE dropout_whereabouts (LIKE public.dropout_whereabouts) ON COMMIT DROP;
            INSERT INTO dropout_whereabouts ({columns})
            SELECT {columns} FROM (
                SELECT DISTINCT ON (pgh_obj_id) * FROM public.dropout_whereaboutsevent
                WHERE pgh_created_at <= %s ORDER BY pgh_obj_id, pgh_id DESC
            ) e WHERE pgh_label <> 'delete';
            CREATE UNIQUE INDEX ON dropout_whereabouts (round_id, student_id);
            ANALYZE dropout_whereabouts;
            """,
            [moment],
        )
