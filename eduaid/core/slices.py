"""Which slices of lists are in force: the one place where supersession is decided (docs/architecture.md).

Of one kind, place and subkey: the newest complete slice (by effective date, then the moment of taking force) and every supplement
or amendment that is newer than it.
"""

from __future__ import annotations

import datetime as dt

from django.db import connection

from eduaid.core.models import ListSlice, Upload

# %(as_of)s and %(known_at)s: the two time axes. A slice that was undone later than known_at still counted then.
CURRENT = """
    SELECT id, (
        complete_rank = 1
        OR (mode <> 'complete' AND (newest_effective IS NULL OR (effective_on, applied_at) > (newest_effective, newest_applied)))
    ) AS is_current
    FROM (
        SELECT s.id, s.mode, s.effective_on, s.applied_at,
            CASE WHEN s.mode = 'complete' THEN rank() OVER (
                PARTITION BY s.kind, s.town_id, s.school_id, s.subkey, s.mode = 'complete'
                ORDER BY s.effective_on DESC, s.applied_at DESC, s.id DESC) END AS complete_rank,
            first_value(CASE WHEN s.mode = 'complete' THEN s.effective_on END) OVER newest AS newest_effective,
            first_value(CASE WHEN s.mode = 'complete' THEN s.applied_at END) OVER newest AS newest_applied
        FROM core_listslice s
        WHERE s.applied_at IS NOT NULL AND s.effective_on <= %(as_of)s AND s.applied_at <= %(known_at)s
            AND (s.undone_at IS NULL OR s.undone_at > %(known_at)s) AND {where}
        WINDOW newest AS (PARTITION BY s.kind, s.town_id, s.school_id, s.subkey
            ORDER BY (s.mode = 'complete') DESC, s.effective_on DESC, s.applied_at DESC, s.id DESC)
    ) ranked
"""


def settle(upload: Upload) -> list[int]:
    """Recomputes `is_current` for every slice that shares a place with the upload's; returns the ids that flipped.

    Call inside the transaction that applies or undoes; the flags are cleared before they are set so that the constraint
    of one complete slice in force holds at every statement.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH place AS (
                SELECT DISTINCT kind, town_id, school_id, subkey FROM core_listslice WHERE upload_id = %(upload)s
            ), touched AS (
                SELECT s.id, s.is_current FROM core_listslice s JOIN place p ON p.kind = s.kind AND p.subkey = s.subkey
                    AND p.town_id IS NOT DISTINCT FROM s.town_id AND p.school_id IS NOT DISTINCT FROM s.school_id
            ), wanted AS ({CURRENT.format(where="s.id IN (SELECT id FROM touched)")})
            SELECT t.id, coalesce(w.is_current, false) FROM touched t LEFT JOIN wanted w ON w.id = t.id
            WHERE t.is_current IS DISTINCT FROM coalesce(w.is_current, false)
            """,
            {"upload": upload.pk, "as_of": dt.date.max, "known_at": "infinity"},
        )
        flips: list[tuple[int, bool]] = cursor.fetchall()
    off = [pk for pk, current in flips if not current]
    on = [pk for pk, current in flips if current]
    ListSlice.objects.filter(pk__in=off).update(is_current=False)
    ListSlice.objects.filter(pk__in=on).update(is_current=True)
    return off + on
