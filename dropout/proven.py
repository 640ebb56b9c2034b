"""What accepted evidence says in a census round: where the child is (a word), and that it is proved."""

from __future__ import annotations

from typing import Any

from django.db.backends.utils import CursorWrapper

PROVED = (
    "EXISTS (SELECT 1 FROM dropout_evidence e WHERE e.student_id = w.student_id AND e.state = 'accepted'"
    " AND e.school_year = %(year)s)"
)
"""A condition of `derivation.PROOFS`."""


def words(cursor: CursorWrapper, params: dict[str, Any], *, weight: int) -> None:
    """Outside the county by the names of province and county, unless a class roster of a later day names the child again."""
    cursor.execute(
        """
        WITH RECURSIVE home AS (
            SELECT id, name, level, parent_id FROM core_region WHERE is_home
            UNION ALL SELECT r.id, r.name, r.level, r.parent_id FROM core_region r JOIN home h ON r.id = h.parent_id
        ), own AS (
            SELECT coalesce(max(name) FILTER (WHERE level = 'province'), '') AS province,
                coalesce(max(name) FILTER (WHERE level = 'county'), '') AS county FROM home
        ), proof AS (
            SELECT e.student_id, e.proved_on, e.at_school, e.at_class, e.at_county, own.county AS home,
                CASE WHEN e.at_county = own.county THEN 'A2' WHEN e.at_province IN ('', own.province) THEN 'A3' ELSE 'A4' END
                    AS code,
                e.at_province || CASE WHEN e.at_city <> e.at_province THEN e.at_city ELSE '' END || e.at_county || e.at_town
                    || e.at_school AS place
            FROM dropout_evidence e CROSS JOIN own
            WHERE e.state = 'accepted' AND e.school_year = %(year)s
        )
        INSERT INTO census_word (student_id, weight, code, place, place_text, said)
        SELECT c.student_id, %(weight)s, p.code, CASE p.code WHEN 'A2' THEN 'C' ELSE 'O' END, left(p.place, 120),
            to_char(p.proved_on, 'YYYY-MM-DD') || '取证：在' || p.place
        FROM census_child c JOIN proof p ON p.student_id = c.student_id
        -- Inside the county the lists say the school themselves.
        WHERE (p.code <> 'A2' OR NOT EXISTS (SELECT 1 FROM census_listed l WHERE l.student_id = c.student_id))
            AND NOT EXISTS (SELECT 1 FROM census_listed l WHERE l.student_id = c.student_id
                AND l.kind = 'class-roster' AND l.effective_on > p.proved_on)
        """,
        params | {"weight": weight},
    )
