"""What single rows change in the comparison of a list with what is in force, without comparing the whole list again.

The same rules as in `students.rosters.destination`, asked of a few rows and of the older rows that they may speak of.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from django.db import connection

from eduaid.core.lists import Touched
from eduaid.core.models import Upload
from eduaid.core.models.uploads import Mode
from students.resolve import IN_FORCE

# The person whom a row speaks of, for telling rows of two lists apart: the child (of a merged file the one that goes on), else
# the number, else only itself.
CHILD = "coalesce((SELECT m.merged_into_id FROM students_student m WHERE m.id = l.student_id), l.student_id)"
PERSON = f"coalesce('s' || {CHILD}, 'd' || encode(r.id_digest, 'hex'), 'r' || r.id)"

_ROW = (
    f"r.id, r.state, r.digest, r.facts->>'name_key' AS name_key, r.facts->>'birth_on' AS birth, {PERSON} AS person,"
    f" {CHILD} AS student_id"
)

_TOUCHED = f"""
    WITH covered AS (
        SELECT DISTINCT kind, town_id, school_id, subkey FROM core_listslice WHERE upload_id = %(upload)s
    ), mine AS MATERIALIZED (
        SELECT {_ROW} FROM core_uploadrow r LEFT JOIN students_identitylink l ON l.row_id = r.id WHERE r.id = ANY(%(rows)s)
    ), asked AS MATERIALIZED (
        SELECT (jsonb_array_elements_text(f.params->'candidates'))::bigint AS student_id, f.row_id
        FROM core_finding f WHERE f.upload_id = %(upload)s AND f.params ? 'candidates' AND f.answer = ''
    ), old AS MATERIALIZED (
        SELECT {_ROW} FROM core_listslice s
        JOIN covered c ON c.kind = s.kind AND c.subkey = s.subkey AND c.town_id IS NOT DISTINCT FROM s.town_id
            AND c.school_id IS NOT DISTINCT FROM s.school_id
        JOIN core_uploadrow r ON r.slice_id = s.id
        LEFT JOIN students_identitylink l ON l.row_id = r.id
        WHERE s.upload_id <> %(upload)s AND s.applied_at IS NOT NULL AND {IN_FORCE.format(known_at="'infinity'")}
    ), near AS MATERIALIZED (
        SELECT * FROM old WHERE id = ANY(%(old)s) OR person IN (SELECT person FROM mine)
            OR name_key IN (SELECT name_key FROM mine)
            OR student_id IN (SELECT student_id FROM asked WHERE row_id = ANY(%(rows)s))
    ), new AS MATERIALIZED (
        SELECT {_ROW} FROM core_uploadrow r LEFT JOIN students_identitylink l ON l.row_id = r.id
        WHERE r.sheet_id IN (SELECT id FROM core_uploadsheet WHERE upload_id = %(upload)s) AND r.state IN ('A', 'W')
    )
    SELECT NULL::bigint, count(*) FILTER (WHERE o.id IS NULL), count(*) FILTER (WHERE o.digest <> m.digest),
        count(*) FILTER (WHERE o.digest = m.digest)
    FROM mine m LEFT JOIN (SELECT DISTINCT ON (person) * FROM near ORDER BY person, id DESC) o USING (person)
    WHERE m.state = 'A'
    UNION ALL
    -- Missing: no row of the list speaks of the person, and no waiting row may.
    SELECT o.id, CASE WHEN NOT %(judges)s THEN 0 ELSE (NOT EXISTS (SELECT 1 FROM new n WHERE n.person = o.person)
        AND NOT EXISTS (SELECT 1 FROM new n JOIN asked a ON a.row_id = n.id
            WHERE n.state = 'W' AND a.student_id = o.student_id)
        AND NOT EXISTS (SELECT 1 FROM new n WHERE n.state = 'W' AND n.name_key = o.name_key
            AND (n.birth IS NULL OR o.birth IS NULL OR n.birth = o.birth)))::int END, 0, 0
    FROM near o
"""


def touched(upload: Upload, rows: Sequence[int], old: Collection[int] | None = None) -> Touched:
    """How these rows of the list compare now, and which of the older rows near them and of `old` are missing now; without
    `old` nobody is looked for in the rest of the list."""
    with connection.cursor() as cursor:
        judges = old is not None
        cursor.execute(_TOUCHED, {"upload": upload.pk, "rows": list(rows), "old": list(old or ()), "judges": judges})
        added = changed = unchanged = 0
        near: dict[int, bool] = {}
        for pk, first, second, third in cursor.fetchall():
            if pk is None:
                added, changed, unchanged = first, second, third
            else:
                near[pk] = bool(first)
    # Only a complete list says that somebody is gone.
    is_complete = upload.mode == Mode.COMPLETE
    missing = frozenset(pk for pk, is_missing in near.items() if is_missing and is_complete)
    return Touched(added, changed, unchanged, frozenset(near), missing)
