"""Who stood in the last list in force and is not named by this complete list, and what other lists say of them.

A waiting row never makes its child missing: the destination keeps the child's last row in force (docs/architecture.md).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from django.db import connection
from django.db.models import Count
from psycopg2.extras import execute_values

from eduaid.core import codes
from eduaid.core.codes import Entry
from eduaid.core.lists import ListKind, kind_of
from eduaid.core.models import Departure, Upload
from eduaid.core.models.departures import PENDING


def answers(kind: ListKind) -> tuple[Entry, ...]:
    """What may be said of a missing person of this kind of list, 待核 last."""
    return (*kind.departures, codes.DEPARTURE[PENDING])


def label(code: str) -> str:
    table = codes.DEPARTURE if code in codes.DEPARTURE else codes.WHEREABOUTS
    return table.label(code)


def told(upload: Upload) -> list[tuple[str, int]]:
    """Code → missing rows, the largest first; an empty code: nothing said yet. One query."""
    counted = Departure.objects.filter(upload=upload).values_list("code").annotate(found=Count("pk"))
    return sorted(counted, key=lambda pair: (-pair[1], pair[0]))


def pending_of(lists: Sequence[Upload]) -> dict[int, int]:
    """List → missing persons of whom nobody knows yet where they are; one query."""
    said = Departure.objects.filter(upload__in=[upload.pk for upload in lists], code=PENDING)
    return dict(said.values_list("upload_id").annotate(found=Count("pk")))


def certain(upload: Upload) -> int:
    """Open missing rows with a proposal that may be taken for all at once."""
    return Departure.objects.filter(upload=upload, is_certain=True).unsaid().count()


def look(upload: Upload, *, anew: bool = False) -> None:
    """Brings the list's missing rows up to what is in force: new ones get what other lists propose, those that are not missing
    any more go with what was said of them. `anew`: open ones are proposed again, for which all lists must be in sight."""
    destination = kind_of(upload.kind).destination
    known = Departure.objects.filter(upload=upload)
    if not upload.rows_missing and not known.exists():
        return
    rows = [old for _, old in destination.diff_rows(upload, "missing") if old is not None]
    known.exclude(row__in=rows).delete()
    settled = set((known.exclude(code="") if anew else known).values_list("row_id", flat=True))
    _propose(upload, [row for row in rows if row not in settled])


def follow(upload: Upload, near: Collection[int], gone: Collection[int]) -> None:
    """`look` for some older rows only: those in `gone` are missing, the others of `near` are not (not saved)."""
    known = Departure.objects.filter(upload=upload)
    known.filter(row__in=set(near) - set(gone)).delete()
    if gone:
        settled = set(known.filter(row__in=gone).values_list("row_id", flat=True))
        _propose(upload, [row for row in gone if row not in settled])
    upload.rows_missing = known.count()


def _propose(upload: Upload, rows: list[int]) -> None:
    if not rows:
        return
    kind = kind_of(upload.kind)
    allowed = {entry.code for entry in kind.departures}
    found = {one.row_id: one for one in kind.destination.propose(upload, rows) if one.code in allowed}
    values: list[tuple[Any, ...]] = [
        (row, one.code, one.to_school_id, one.basis[:200], one.is_certain)
        if (one := found.get(row))
        else (row, "", None, "", False)
        for row in rows
    ]
    with connection.cursor() as cursor:
        raw: Any = cursor.cursor
        execute_values(
            raw,
            "INSERT INTO core_departure"
            " (upload_id, row_id, town_id, school_id, code, note, proposed, proposed_school_id, basis, is_certain, at)"
            f" SELECT {int(upload.pk)}, r.id, r.town_id, r.school_id, '', '', v.code, v.school, v.basis, v.certain, now()"
            " FROM (VALUES %s) v(row_id, code, school, basis, certain) JOIN core_uploadrow r ON r.id = v.row_id"
            " ON CONFLICT (upload_id, row_id) DO UPDATE SET proposed = excluded.proposed,"
            " proposed_school_id = excluded.proposed_school_id, basis = excluded.basis, is_certain = excluded.is_certain",
            values,
            template="(%s::bigint, %s, %s::bigint, %s, %s)",
            page_size=10_000,
        )


def leave_pending(upload: Upload, rows: Collection[int] = ()) -> None:
    """待核 in nobody's name: for open missing rows when a list takes force, and for older rows that a late row released."""
    _propose(upload, list(rows))
    Departure.objects.filter(upload=upload).unsaid().update(code=PENDING)
