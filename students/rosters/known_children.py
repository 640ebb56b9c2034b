"""The destination of lists about children whom other lists name: they make nobody, so whom nobody knows waits."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection

from eduaid.core.models import Upload, UploadRow
from students.rosters.destination import Children, _oldest


class KnownChildren(Children):
    """As `Children`, but a list of this kind never begins a child: its rows speak of children whom the police, the registry, a
    roster, the poverty register or a hardship list names. A row of school age that nobody knows waits with a question to the
    sender; older persons are kept as rows alone, as everywhere."""

    def match(self, upload: Upload, *, to_apply: bool = False) -> None:
        super().match(upload, to_apply=to_apply)
        self._ask_unknown(upload)

    def rematch(self, rows: Sequence[UploadRow], *, unclear: Sequence[UploadRow] = ()) -> None:
        super().rematch(rows, unclear=unclear)
        if rows:
            self._ask_unknown(rows[0].upload, only=[row.pk for row in rows])

    def _allot(self, upload: Upload) -> None:
        """Nobody is made."""

    def _ask_unknown(self, upload: Upload, *, only: list[int] | None = None) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                """
                WITH unknown AS (
                    SELECT r.id, r.sheet_id, r.number FROM core_uploadrow r
                    WHERE r.sheet_id IN (SELECT id FROM core_uploadsheet WHERE upload_id = %(upload)s) AND r.state = 'A'
                        AND (%(only)s::bigint[] IS NULL OR r.id = ANY(%(only)s))
                        AND coalesce((r.facts->>'birth_on')::date >= %(oldest)s, true)
                        AND NOT EXISTS (SELECT 1 FROM students_identitylink l WHERE l.row_id = r.id)
                ), waits AS (
                    UPDATE core_uploadrow r SET state = 'W' FROM unknown u WHERE r.id = u.id
                )
                INSERT INTO core_finding (upload_id, sheet_id, row_id, number, "column", code, level, params, answer)
                SELECT %(upload)s, sheet_id, id, number, 'id_number', 'nobody-known', 'error', '{}', '' FROM unknown
                """,
                {"upload": upload.pk, "only": only, "oldest": _oldest(upload)},
            )


KNOWN_CHILDREN = KnownChildren()
