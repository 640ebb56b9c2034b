"""Households across the rows of one list: what a single row cannot show (R15)."""

from __future__ import annotations

from django.db import connection

from eduaid.core.models import Upload
from students.precedence import POVERTY


def ask_about_heads(upload: Upload, *, only: list[int] | None = None) -> None:
    """Two heads under one 户编号 are two households, or one of them is not the head: all such rows wait for a person.

    Of poverty registers alone: their numbers are unique in the county, those of the police begin anew in every village.
    """
    if upload.kind != POVERTY:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH heads AS (
                SELECT r.id, r.sheet_id, r.number, r.state, count(*) OVER household AS heads,
                    first_value(r.number) OVER household AS first, last_value(r.number) OVER household AS last,
                    row_number() OVER household = 1 AS is_first
                FROM core_uploadrow r
                WHERE r.sheet_id IN (SELECT id FROM core_uploadsheet WHERE upload_id = %(upload)s) AND r.state IN ('A', 'W')
                    AND r.facts @> '{"is_head": true}' AND r.facts ? 'household_no'
                WINDOW household AS (PARTITION BY r.facts->>'household_no' ORDER BY r.sheet_id, r.number
                    ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
            ), asked AS (
                SELECT * FROM heads h WHERE heads > 1 AND state = 'A' AND (%(only)s::bigint[] IS NULL OR id = ANY(%(only)s))
                    AND NOT EXISTS (SELECT 1 FROM core_finding f WHERE f.row_id = h.id AND f.code = 'household-heads')
            ), waits AS (
                UPDATE core_uploadrow r SET state = 'W' FROM asked WHERE r.id = asked.id
            )
            INSERT INTO core_finding (upload_id, sheet_id, row_id, number, "column", code, level, params, answer)
            SELECT %(upload)s, sheet_id, id, number, 'household_no', 'household-heads', 'ask',
                jsonb_build_object('other', CASE WHEN is_first THEN last ELSE first END), ''
            FROM asked
            """,
            {"upload": upload.pk, "only": only},
        )
