"""Where roster rows take force: tied to children, resolved into students, households and enrolments, and taken back again."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.db import connection
from django.db.backends.utils import CursorWrapper
from psycopg2.extras import execute_values

from eduaid.core.database import refresh_statistics
from eduaid.core.lists import Diff, Proposal, Touched, UndoPreview
from eduaid.core.models import Finding, Term, Upload, UploadRow
from eduaid.core.models.uploads import FindingLevel, Mode, RowState
from eduaid.core.roles import today
from eduaid.core.sealing import digest
from students import acts, departures
from students.linking import Ambiguous, Candidate, File, Known, Matched, match_all
from students.models import Identifier, IdentityLink, Student
from students.precedence import BY_KEY
from students.resolve import IN_FORCE, resolve, resolve_households, take_turn
from students.rosters.households import ask_about_heads
from students.rosters.touched import CHILD, PERSON, touched

# Persons of a poverty or hardship list who are past schooling are counted from their rows and get no identity of a child.
OLDEST_CHILD = 25

# The two sides of a comparison: what this list delivers, and what counts now in the places that it covers. They stand in
# temporary tables because a list that has just come is in no statistics: joins planned for one row take quadratic time.
_NEW = f"""
    CREATE TEMP TABLE list_new ON COMMIT DROP AS
    SELECT r.id, r.state, r.digest, r.facts->>'name_key' AS name_key, r.facts->>'birth_on' AS birth, {PERSON} AS person,
        {CHILD} AS student_id, r.id_digest, r.registry_digest
    FROM core_uploadrow r LEFT JOIN students_identitylink l ON l.row_id = r.id
    WHERE r.sheet_id IN (SELECT id FROM core_uploadsheet WHERE upload_id = %(upload)s) AND r.state IN ('A', 'W');
    ANALYZE list_new (id, person, student_id, name_key)
"""
_OLD = f"""
    CREATE TEMP TABLE list_old ON COMMIT DROP AS
    WITH covered AS (
        SELECT DISTINCT kind, town_id, school_id, subkey FROM core_listslice WHERE upload_id = %(upload)s
    )
    SELECT r.id, r.digest, r.facts->>'name_key' AS name_key, r.facts->>'birth_on' AS birth, {PERSON} AS person,
        {CHILD} AS student_id, r.id_digest, r.registry_digest
    FROM core_uploadrow r JOIN core_listslice s ON s.id = r.slice_id
    JOIN covered c ON c.kind = s.kind AND c.subkey = s.subkey AND c.town_id IS NOT DISTINCT FROM s.town_id
        AND c.school_id IS NOT DISTINCT FROM s.school_id
    LEFT JOIN students_identitylink l ON l.row_id = r.id
    WHERE s.upload_id <> %(upload)s AND {IN_FORCE.format(known_at="'infinity'")};
    ANALYZE list_old (id, person, student_id, name_key)
"""
_HELD = """
    WITH asked AS (
        SELECT (jsonb_array_elements_text(f.params->'candidates'))::bigint AS student_id, f.row_id
        FROM core_finding f JOIN list_new n ON n.id = f.row_id
        WHERE n.state = 'W' AND f.upload_id = %(upload)s AND f.params ? 'candidates' AND f.answer = ''
    ), unnamed AS (
        SELECT o.* FROM list_old o WHERE NOT EXISTS (SELECT 1 FROM list_new n WHERE n.person = o.person)
    ), held AS (
        -- A waiting row is not a missing child: every old row that it may speak of stays (docs/architecture.md).
        SELECT id, min(waiting_id) AS waiting_id
        FROM (
            SELECT o.id, a.row_id AS waiting_id FROM unnamed o JOIN asked a ON a.student_id = o.student_id
            UNION ALL
            SELECT o.id, n.id FROM unnamed o JOIN list_new n ON n.name_key = o.name_key
            WHERE n.state = 'W' AND (n.birth IS NULL OR o.birth IS NULL OR n.birth = o.birth)
            UNION ALL
            -- The name may be what the row waits for.
            SELECT o.id, n.id FROM unnamed o JOIN list_new n ON n.id_digest = o.id_digest WHERE n.state = 'W'
            UNION ALL
            SELECT o.id, n.id FROM unnamed o JOIN list_new n ON n.registry_digest = o.registry_digest WHERE n.state = 'W'
        ) spoken_of
        GROUP BY id
    )
"""


class Children:
    """The destination of all roster kinds (eduaid.core.lists.Destination)."""

    def match(self, upload: Upload, *, to_apply: bool = False) -> None:
        """Links rows to the children whom their numbers name, and puts what is unclear to a person. Creates nobody.

        `to_apply`: nobody else may make children from now on until the transaction ends.
        """
        if to_apply:
            take_turn()
        self._match_rows(upload)
        self._ask_elsewhere(upload)
        ask_about_heads(upload)

    def rematch(self, rows: Sequence[UploadRow], *, unclear: Sequence[UploadRow] = ()) -> None:
        only = [row.pk for row in rows]
        IdentityLink.objects.filter(row__in=[*only, *(row.pk for row in unclear)]).delete()
        if rows:
            self._match_rows(rows[0].upload, only=only)
            self._ask_elsewhere(rows[0].upload, only=only)
            ask_about_heads(rows[0].upload, only=only)

    def known_numbers(self, asked: Mapping[int, tuple[str, Sequence[str]]]) -> dict[int, list[str]]:
        marks = {digest("id", number): number for _, numbers in asked.values() for number in numbers}
        holders = Student.objects.listed().filter(
            identifiers__kind=Identifier.ID_NUMBER, identifiers__digest__in=list(marks)
        )
        names = {
            marks[bytes(mark)]: set(keys) for mark, keys in holders.values_list("identifiers__digest", "name_keys")
        }
        found = {row: [n for n in numbers if name in names.get(n, ())] for row, (name, numbers) in asked.items()}
        return {row: numbers for row, numbers in found.items() if numbers}

    def touched(self, upload: Upload, rows: Sequence[int], old: Collection[int] | None = None) -> Touched:
        return touched(upload, rows, old)

    def forget(self, upload: Upload) -> None:
        IdentityLink.objects.filter(row__sheet__upload=upload).delete()

    def _match_rows(self, upload: Upload, *, only: list[int] | None = None) -> None:
        rows = _undecided(upload, only=only)
        if not rows:
            return
        answers = match_all(rows, _file_for(rows))
        _link([(row.row_id, answer.student_id, answer.rule) for row, answer in answers if isinstance(answer, Matched)])
        self._ask(upload, [(row, answer) for row, answer in answers if isinstance(answer, Ambiguous)])

    def _ask(self, upload: Upload, questions: Sequence[tuple[Candidate, Ambiguous]]) -> None:
        if not questions:
            return
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE core_uploadrow SET state = 'W' WHERE id = ANY(%s) RETURNING id, sheet_id, number",
                [[row.row_id for row, _ in questions]],
            )
            places = {pk: (sheet, number) for pk, sheet, number in cursor.fetchall()}
        Finding.objects.bulk_create(
            Finding(
                upload=upload,
                sheet_id=places[row.row_id][0],
                row_id=row.row_id,
                number=places[row.row_id][1],
                column="id_number" if row.id_digest or not row.registry_digest else "registry_number",
                code=answer.code,
                level=FindingLevel.ASK,
                params={**answer.params, "candidates": list(answer.candidates)},
            )
            for row, answer in questions
        )

    def _ask_elsewhere(self, upload: Upload, *, only: list[int] | None = None) -> None:
        """R03: a child whom another place's list of the same kind and term still names waits for somebody's word.

        A list of an earlier term gives way by itself: children move up and on.
        """
        term = Term.objects.at(upload.effective_on)
        with connection.cursor() as cursor:
            cursor.execute(
                """
                SELECT s.id FROM core_listslice s
                WHERE s.kind = %(kind)s AND s.upload_id <> %(upload)s AND s.effective_on >= %(from)s
                    AND s.applied_at IS NOT NULL AND s.undone_at IS NULL
                    AND NOT EXISTS (SELECT 1 FROM core_listslice own WHERE own.upload_id = %(upload)s
                        AND own.school_id IS NOT DISTINCT FROM s.school_id AND own.town_id IS NOT DISTINCT FROM s.town_id
                        AND own.mode = 'complete')
                """,
                {"upload": upload.pk, "kind": upload.kind, "from": term.starts_on},
            )
            others = [pk for (pk,) in cursor.fetchall()]
            if not others:
                return
            linked = "(SELECT row_id AS id, student_id FROM students_identitylink WHERE row_id = ANY(%(only)s))"
            if only is None:
                linked = "list_new"
                _lay_out(cursor, upload)
            cursor.execute(
                f"""
                WITH elsewhere AS (
                    SELECT DISTINCT ON (n.id) n.id, n.sheet_id, n.number, coalesce(sc.name, tn.name, '') AS place,
                        s.upload_id AS other, r.number AS other_row
                    FROM {linked} ln JOIN core_uploadrow n ON n.id = ln.id
                    JOIN students_identitylink lo ON lo.student_id = ln.student_id AND lo.row_id <> n.id
                    JOIN core_uploadrow r ON r.id = lo.row_id
                    JOIN core_listslice s ON s.id = r.slice_id
                    JOIN core_listslice sn ON sn.id = n.slice_id AND sn.subkey = s.subkey
                    LEFT JOIN core_school sc ON sc.id = s.school_id LEFT JOIN core_region tn ON tn.id = s.town_id
                    WHERE n.state = 'A' AND s.id = ANY(%(others)s) AND {IN_FORCE.format(known_at="'infinity'")}
                        AND (s.school_id, s.town_id) IS DISTINCT FROM (sn.school_id, sn.town_id)
                        AND NOT EXISTS (SELECT 1 FROM core_finding f WHERE f.row_id = n.id AND f.code = 'held-elsewhere')
                ), waits AS (
                    UPDATE core_uploadrow r SET state = 'W' FROM elsewhere e WHERE r.id = e.id
                )
                INSERT INTO core_finding (upload_id, sheet_id, row_id, number, "column", code, level, params, answer)
                SELECT %(upload)s, sheet_id, id, number, '', 'held-elsewhere', 'ask',
                    jsonb_build_object('school', place, 'upload', other, 'row', other_row), ''
                FROM elsewhere
                """,
                {"upload": upload.pk, "others": others, "only": only},
            )

    def diff(self, upload: Upload) -> Diff:
        with connection.cursor() as cursor:
            _lay_out_old(cursor, upload)
            cursor.execute("SELECT EXISTS (SELECT 1 FROM list_old)")
            if not cursor.fetchone()[0]:
                return Diff(UploadRow.objects.filter(sheet__upload=upload, state=RowState.ACCEPTED).count(), 0, 0, 0)
            _lay_out_new(cursor, upload)
            cursor.execute(
                _HELD
                + """
                SELECT count(*) FILTER (WHERE o.id IS NULL), count(*) FILTER (WHERE o.digest <> n.digest),
                    count(*) FILTER (WHERE o.digest = n.digest),
                    (SELECT count(*) FROM unnamed u WHERE u.id NOT IN (SELECT id FROM held))
                FROM list_new n
                LEFT JOIN (SELECT DISTINCT ON (person) * FROM list_old ORDER BY person, id DESC) o USING (person)
                WHERE n.state = 'A'
                """,
                {"upload": upload.pk},
            )
            added, changed, unchanged, missing = cursor.fetchone()
        # Only a complete list says that somebody is gone.
        return Diff(added, changed, missing if upload.mode == Mode.COMPLETE else 0, unchanged)

    def diff_rows(self, upload: Upload, part: str) -> list[tuple[int | None, int | None]]:
        """(new row, old row) ids of one part of the preview: added, changed, missing, unchanged or waiting; beside a waiting
        row stands the first that it keeps in force."""
        condition = {
            "added": "o.id IS NULL",
            "changed": "o.digest <> n.digest",
            "unchanged": "o.digest = n.digest",
        }
        with connection.cursor() as cursor:
            _lay_out(cursor, upload)
            if part == "waiting":
                sql = """
                    SELECT n.id, min(held.id) FROM list_new n LEFT JOIN held ON held.waiting_id = n.id
                    WHERE n.state = 'W' GROUP BY n.id ORDER BY n.id
                """
            elif part == "missing":
                if upload.mode != Mode.COMPLETE:
                    return []
                sql = "SELECT NULL::bigint, u.id FROM unnamed u WHERE u.id NOT IN (SELECT id FROM held) ORDER BY u.id"
            else:
                sql = f"""
                    SELECT n.id, o.id FROM list_new n
                    LEFT JOIN (SELECT DISTINCT ON (person) * FROM list_old ORDER BY person, id DESC) o USING (person)
                    WHERE n.state = 'A' AND {condition[part]} ORDER BY n.id
                """
            cursor.execute(_HELD + sql, {"upload": upload.pk})
            return cursor.fetchall()

    def propose(self, upload: Upload, rows: Sequence[int]) -> list[Proposal]:
        return departures.propose(upload, rows)

    def released(self, upload: Upload, rows: Sequence[int]) -> list[int]:
        """The older rows that nothing keeps in force any more and whose person no row of the list names."""
        with connection.cursor() as cursor:
            _lay_out(cursor, upload)
            cursor.execute(
                f"""
                SELECT r.id FROM core_uploadrow r LEFT JOIN students_identitylink l ON l.row_id = r.id
                WHERE r.id = ANY(%s) AND NOT EXISTS (SELECT 1 FROM list_new n WHERE n.person = {PERSON}) ORDER BY r.id
                """,
                [list(rows)],
            )
            return [pk for (pk,) in cursor.fetchall()]

    def hold(self, upload: Upload) -> None:
        """Keeps in force what waiting rows may speak of. Call before the slices flip."""
        waiting = UploadRow.objects.filter(sheet__upload=upload, state=RowState.WAITING)
        if upload.mode != Mode.COMPLETE or not waiting.exists():
            return
        with connection.cursor() as cursor:
            _lay_out(cursor, upload)
            cursor.execute(
                _HELD + "UPDATE core_uploadrow r SET held_by_id = held.waiting_id FROM held WHERE held.id = r.id",
                {"upload": upload.pk},
            )

    def take_force(self, upload: Upload, flipped: Sequence[int]) -> list[int]:
        self._allot(upload)
        return self._resolve(upload, flipped)

    def withdraw(self, upload: Upload, flipped: Sequence[int]) -> list[int]:
        take_turn()
        return self._resolve(upload, flipped)

    def _allot(self, upload: Upload) -> None:
        """Ids for the children whom the list names first, and every number of the list to the child that it names.

        Rows that matching has left without a child and without a question are the new ones.
        """
        with connection.cursor() as cursor:
            # Two rows of one list with the same number (two hardship categories) speak of one child. The rows are laid out
            # once: see _NEW.
            cursor.execute("DROP TABLE IF EXISTS list_named")
            cursor.execute(
                """
                CREATE TEMP TABLE list_named ON COMMIT DROP AS
                SELECT id, id_digest, registry_digest, embedded, known IS NULL AS is_new,
                    coalesce(known, first_value(fresh) OVER (PARTITION BY known, number ORDER BY id)) AS student_id
                FROM (
                    SELECT r.id, r.id_digest, r.registry_digest, decode(r.facts->>'embedded_id', 'hex') AS embedded,
                        l.student_id AS known, coalesce(r.id_digest, r.registry_digest, int8send(r.id)) AS number,
                        CASE WHEN l.student_id IS NULL
                            THEN nextval((SELECT pg_get_serial_sequence('students_student', 'id')::regclass)) END AS fresh
                    FROM core_uploadrow r LEFT JOIN students_identitylink l ON l.row_id = r.id
                    WHERE r.sheet_id IN (SELECT id FROM core_uploadsheet WHERE upload_id = %(upload)s) AND r.state = 'A'
                        AND (l.student_id IS NOT NULL OR coalesce((r.facts->>'birth_on')::date >= %(oldest)s, true))
                ) found;
                ANALYZE list_named (id, student_id);
                INSERT INTO students_identitylink (row_id, student_id, rule, made_at)
                SELECT id, student_id, 'new', now() FROM list_named WHERE is_new
                """,
                {"upload": upload.pk, "oldest": _oldest(upload)},
            )
            added = cursor.rowcount
            # An ID inside a 学籍号 counts only where the row has no other.
            cursor.execute(
                """
                INSERT INTO students_identifier (kind, digest, student_id, since)
                SELECT number.*, now() FROM (
                    SELECT DISTINCT ON (digest) %(id)s AS kind, coalesce(id_digest, embedded) AS digest, student_id
                    FROM list_named WHERE coalesce(id_digest, embedded) IS NOT NULL
                    UNION ALL
                    SELECT DISTINCT ON (digest) %(registry)s, registry_digest AS digest, student_id
                    FROM list_named WHERE registry_digest IS NOT NULL
                ) number
                WHERE NOT EXISTS (SELECT 1 FROM students_identifier i WHERE i.kind = number.kind AND i.digest = number.digest)
                """,
                {"id": Identifier.ID_NUMBER, "registry": Identifier.REGISTRY_NUMBER},
            )
            refresh_statistics("students_identitylink", "students_identifier", grown_by=max(added, cursor.rowcount))

    def _resolve(self, upload: Upload, flipped: Sequence[int]) -> list[int]:
        slices = list(flipped) + list(upload.slices.values_list("pk", flat=True))
        resolve_households(slices)
        terms = _terms_since(upload.effective_on)
        with connection.cursor() as cursor:
            cursor.execute(
                """
                SELECT l.student_id FROM core_uploadrow r JOIN students_identitylink l ON l.row_id = r.id
                JOIN core_listslice s ON s.id = r.slice_id
                WHERE r.slice_id = ANY(%s)
                GROUP BY l.student_id
                -- Two accepted rows that say the same, one gone and one come: nothing to resolve.
                HAVING NOT (count(*) = 2 AND count(DISTINCT r.digest) = 1 AND bool_and(r.state = 'A')
                    AND bool_or(s.is_current) AND NOT bool_and(s.is_current) AND count(DISTINCT r.slice_id) = 2
                    AND min(s.effective_on) >= %s)
                """,
                [slices, terms[0].starts_on if terms else dt.date.min],
            )
            students = [pk for (pk,) in cursor.fetchall()]
        written = resolve(students, terms=terms)
        refresh_statistics("students_student", "students_enrolment", "students_household", grown_by=len(written))
        return written

    def undo_preview(self, upload: Upload) -> UndoPreview:
        """What an undo would do to the children of the list: only those whose row counts now are touched at all."""
        buckets = self._undo_buckets(upload)
        return UndoPreview(len(buckets["withdrawn"]), len(buckets["kept"]), len(buckets["impossible"]))

    def undo_rows(self, upload: Upload, bucket: str) -> list[tuple[int, str]]:
        return self._undo_buckets(upload).get(bucket, [])

    def _undo_buckets(self, upload: Upload) -> dict[str, list[tuple[int, str]]]:
        """Bucket → (row, why), one row a child: the first in the list."""
        with connection.cursor() as cursor:
            cursor.execute(
                """
                WITH own AS (
                    SELECT l.student_id, min(r.id) AS row_id, bool_or(s.is_current AND r.state = 'A') AS counts,
                        bool_or(s.is_current) AS current
                    FROM core_uploadrow r JOIN core_listslice s ON s.id = r.slice_id
                    JOIN students_identitylink l ON l.row_id = r.id
                    WHERE s.upload_id = %(upload)s GROUP BY l.student_id
                ), corrected AS (
                    SELECT c.student_id, array_agg(DISTINCT c.concept) AS concepts FROM students_correction c
                    JOIN own ON own.student_id = c.student_id WHERE c.revoked_at IS NULL GROUP BY c.student_id
                ), newer AS (
                    SELECT max(n.upload_id) AS upload_id FROM core_listslice n JOIN core_listslice s ON s.kind = n.kind
                        AND s.subkey = n.subkey AND s.town_id IS NOT DISTINCT FROM n.town_id
                        AND s.school_id IS NOT DISTINCT FROM n.school_id
                    WHERE s.upload_id = %(upload)s AND n.is_current AND n.upload_id <> %(upload)s
                )
                SELECT own.student_id, own.row_id, own.counts, own.current, corrected.concepts,
                    (SELECT upload_id FROM newer)
                FROM own LEFT JOIN corrected USING (student_id) ORDER BY own.row_id
                """,
                {"upload": upload.pk},
            )
            touched = cursor.fetchall()
        held = acts.holding([student for student, *_ in touched])
        buckets: dict[str, list[tuple[int, str]]] = {"withdrawn": [], "kept": [], "impossible": []}
        for student, row, counts, current, concepts, newer in touched:
            if student in held:
                buckets["impossible"].append((row, "已有走访、资助等办理记录"))
            elif counts and not concepts:
                buckets["withdrawn"].append((row, ""))
            elif concepts:
                labels = "、".join(BY_KEY[concept].label for concept in concepts)
                buckets["kept"].append((row, f"有更正（{labels}），以更正为准"))
            elif not current:
                buckets["kept"].append((row, f"名单 {newer} 号更新，以它为准" if newer else "已有更新的名单，以它为准"))
            else:
                buckets["kept"].append((row, "这一行还在待改，没有生效"))
        return buckets


def _lay_out(cursor: CursorWrapper, upload: Upload) -> None:
    """Makes list_new and list_old as they stand now, for the statements that follow in this transaction."""
    _lay_out_old(cursor, upload)
    _lay_out_new(cursor, upload)


def _lay_out_old(cursor: CursorWrapper, upload: Upload) -> None:
    cursor.execute("DROP TABLE IF EXISTS list_old")
    cursor.execute(_OLD, {"upload": upload.pk})


def _lay_out_new(cursor: CursorWrapper, upload: Upload) -> None:
    cursor.execute("DROP TABLE IF EXISTS list_new")
    cursor.execute(_NEW, {"upload": upload.pk})


def _terms_since(day: dt.date) -> list[Term]:
    """The terms that a list of this day speaks for: its own and those that have begun since."""
    first = Term.objects.at(day)
    return list(
        Term.objects.filter(starts_on__gte=first.starts_on, starts_on__lte=max(today(), first.starts_on)).order_by(
            "starts_on"
        )
    )


def _oldest(upload: Upload) -> dt.date:
    """Born before this day: no child any more."""
    return upload.effective_on.replace(year=upload.effective_on.year - OLDEST_CHILD, day=1)


# Rows without an identity. A row of a list in force that waited and has been put right stays 'W' until it is approved.
_ASKED = """
    CREATE TEMP TABLE list_asked ON COMMIT DROP AS
    SELECT r.id, coalesce(r.facts->>'name_key', '') AS name_key, coalesce(r.facts->>'former_key', '') AS former_key,
        (r.facts->>'birth_on')::date AS birth, r.id_digest, r.registry_digest, decode(r.facts->>'embedded_id', 'hex') AS embedded,
        r.continues_id
    FROM core_uploadrow r
    WHERE r.sheet_id IN (SELECT id FROM core_uploadsheet WHERE upload_id = %(upload)s)
        AND NOT EXISTS (SELECT 1 FROM students_identitylink l WHERE l.row_id = r.id)
        AND (%(only)s::bigint[] IS NULL OR r.id = ANY(%(only)s::bigint[]))
        AND (r.state = 'A' OR (%(only)s::bigint[] IS NOT NULL AND r.state = 'W'))
        AND coalesce((r.facts->>'birth_on')::date >= %(oldest)s, true);
    ANALYZE list_asked (id, id_digest, registry_digest)
"""

# The answers of `students.linking` that need no thought, for all rows at once: a number names one child, whose name and
# birth date agree; the number is on nobody's file, and nobody of that name and birth date is either; or the number names
# nobody, and the key of a prefilled template names a child whose name and birth date agree and who has no other ID number.
_DECIDED = """
    CREATE TEMP TABLE list_decided ON COMMIT DROP AS
    SELECT a.id, coalesce(st.id, kept.id) AS student_id, CASE
        WHEN st.id IS NULL AND kept.id IS NOT NULL AND coalesce(kept.id_digest = a.id_digest, true)
            AND a.name_key = ANY (kept.name_keys) AND coalesce(a.birth = kept.birth_on, true) THEN 'key'
        WHEN EXISTS (SELECT 1 FROM core_finding f WHERE f.row_id = a.id AND f.answer <> '') THEN ''
        WHEN st.id IS NOT NULL THEN CASE
            WHEN coalesce(by_id.student_id = by_registry.student_id, true)
                AND (a.name_key = ANY (st.name_keys) OR a.former_key = ANY (st.name_keys))
                AND coalesce(a.birth = st.birth_on, true)
            THEN CASE WHEN by_id.student_id IS NULL THEN 'registry' ELSE 'id' END
            ELSE '' END
        WHEN (a.id_digest IS NULL AND (a.registry_digest IS NULL OR a.embedded IS NOT NULL)) OR EXISTS (
            SELECT 1 FROM students_student n WHERE n.name_key = a.name_key AND n.birth_on = a.birth
                AND n.merged_into_id IS NULL) THEN ''
        ELSE 'new' END AS rule
    FROM list_asked a
    LEFT JOIN (
        SELECT i.digest, coalesce(m.merged_into_id, i.student_id) AS student_id FROM students_identifier i
        LEFT JOIN students_student m ON m.id = i.student_id AND m.merged_into_id IS NOT NULL WHERE i.kind = %(id)s
    ) by_id ON by_id.digest = a.id_digest
    LEFT JOIN (
        SELECT i.digest, coalesce(m.merged_into_id, i.student_id) AS student_id FROM students_identifier i
        LEFT JOIN students_student m ON m.id = i.student_id AND m.merged_into_id IS NOT NULL WHERE i.kind = %(registry)s
    ) by_registry ON by_registry.digest = a.registry_digest
    LEFT JOIN students_student st ON st.id = coalesce(by_id.student_id, by_registry.student_id)
    LEFT JOIN (
        SELECT l.row_id, coalesce(m.merged_into_id, m.id) AS student_id FROM students_identitylink l
        JOIN students_student m ON m.id = l.student_id
    ) by_key ON by_key.row_id = a.continues_id
    LEFT JOIN students_student kept ON kept.id = by_key.student_id;
    INSERT INTO students_identitylink (row_id, student_id, rule, made_at)
    SELECT id, student_id, rule, now() FROM list_decided WHERE rule IN ('id', 'registry', 'key')
"""


def _undecided(upload: Upload, *, only: list[int] | None = None) -> list[Candidate]:
    """Rows without an identity, or `only` rows that have just been put right, of which somebody has to think.

    Rows whose numbers name a child beyond doubt are linked here; rows that name a new child are left without a link.
    """
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS list_asked, list_decided")
        cursor.execute(_ASKED, {"upload": upload.pk, "only": only, "oldest": _oldest(upload)})
        cursor.execute(_DECIDED, {"id": Identifier.ID_NUMBER, "registry": Identifier.REGISTRY_NUMBER})
        cursor.execute(
            "SELECT a.id, name_key, former_key, birth, id_digest, registry_digest, embedded"
            " FROM list_asked a JOIN list_decided d ON d.id = a.id WHERE d.rule = '' ORDER BY a.id"
        )
        rows = cursor.fetchall()
        cursor.execute(
            "SELECT row_id, array_agg(answer) FROM core_finding WHERE row_id = ANY(%s) AND answer <> '' GROUP BY row_id",
            [[row[0] for row in rows]],
        )
        answered: dict[int, list[str]] = dict(cursor.fetchall())
    return [
        Candidate(
            pk,
            name,
            former,
            birth,
            bytes(id_digest) if id_digest else None,
            bytes(registry) if registry else None,
            bytes(embedded) if embedded else None,
            admitted="admit" in answered.get(pk, ()),
            same_person="same" in answered.get(pk, ()),
            another_person="another" in answered.get(pk, ()),
        )
        for pk, name, former, birth, id_digest, registry, embedded in rows
    ]


def _file_for(rows: Sequence[Candidate]) -> File:
    """The children on file whom these rows may name, in two queries."""
    ids = [number for row in rows for number in (row.id_digest, row.embedded_digest) if number]
    registries = [row.registry_digest for row in rows if row.registry_digest]
    names = list({row.name_key for row in rows if row.birth})
    by_kind: dict[str, dict[bytes, Known]] = {Identifier.ID_NUMBER: {}, Identifier.REGISTRY_NUMBER: {}}
    by_name: dict[tuple[str, dt.date], list[Known]] = defaultdict(list)
    with connection.cursor() as cursor:
        # Joined to the arrays, whose lengths the planner knows, and not compared with them one by one.
        for kind, numbers in ((Identifier.ID_NUMBER, ids), (Identifier.REGISTRY_NUMBER, registries)):
            cursor.execute(
                """
                SELECT i.digest, st.id, st.name_keys, st.birth_on
                FROM (SELECT DISTINCT n FROM unnest(%s::bytea[]) n) asked
                JOIN students_identifier i ON i.kind = %s AND i.digest = asked.n
                JOIN students_student m ON m.id = i.student_id
                JOIN students_student st ON st.id = coalesce(m.merged_into_id, m.id)
                """,
                [numbers, kind],
            )
            for number, pk, keys, birth in cursor.fetchall():
                by_kind[kind][bytes(number)] = Known(pk, frozenset(keys), birth, True)
        cursor.execute(
            """
            SELECT name_key, birth_on, id, name_keys, id_digest IS NOT NULL OR registry_digest IS NOT NULL
            FROM unnest(%s::text[]) asked JOIN students_student ON name_key = asked
            WHERE birth_on IS NOT NULL AND merged_into_id IS NULL
            """,
            [names],
        )
        for name, birth, pk, keys, has_number in cursor.fetchall():
            by_name[name, birth].append(Known(pk, frozenset(keys), birth, has_number))
    return File(by_kind[Identifier.ID_NUMBER], by_kind[Identifier.REGISTRY_NUMBER], by_name)


def _link(links: Sequence[tuple[int, int, str]]) -> None:
    if not links:
        return
    with connection.cursor() as cursor:
        raw: Any = cursor.cursor
        execute_values(
            raw,
            "INSERT INTO students_identitylink (row_id, student_id, rule, made_at) VALUES %s",
            links,
            template="(%s, %s, %s, now())",
            page_size=5000,
        )


CHILDREN = Children()
