"""Where each value of a child comes from: read off the precedence table, the rows in force and the corrections.

The rows are decided over all lists, as the resolver does, also where they lie beyond the reader's scope: otherwise a
value would seem to come from the next best row. Of rows beyond the scope only the kind of list is told.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from eduaid.core.lists import kind_of
from eduaid.core.scope import EVERYTHING, Scope, row_security
from students.models import Correction, Student
from students.precedence import CONCEPTS, MEMBERSHIP, Concept
from students.resolve import IN_FORCE
from students.wording import Places, in_words, said_by


@dataclass(frozen=True)
class Source:
    """A row of a list that speaks of the child. `line` is the number that the spreadsheet shows."""

    row_id: int
    kind: str
    upload_id: int
    file: str
    sheet: str
    line: int
    effective_on: dt.date
    in_force: bool
    """False for a row that waits for a correction (待改)."""
    is_held: bool
    """In force only because a newer row about the same child waits."""
    in_scope: bool
    facts: Mapping[str, Any]
    id_digest: bytes | None
    registry_digest: bytes | None
    school_id: int | None

    @property
    def kind_label(self) -> str:
        return kind_of(self.kind).label

    def says(self, concept: Concept) -> bool:
        """Whether the row speaks of the concept, as `students.resolve` decides it."""
        match concept.says:
            case "id_digest":
                return self.id_digest is not None
            case "registry_digest":
                return self.registry_digest is not None
            case "school_id":
                return self.school_id is not None
        return concept.says in self.facts


@dataclass(frozen=True)
class Origin:
    """One concept: the value in words, the row that says it, the correction that stands over it."""

    concept: Concept
    value: str
    source: Source | None
    correction: Correction | None  # where one holds, it is the value's origin, and the row is what it replaced


@dataclass(frozen=True)
class Provenance:
    origins: Mapping[str, Origin]
    sources: tuple[Source, ...]
    """Every row in force that names the child, and the waiting ones; of a kind first the one that is resolved."""
    corrections: tuple[Correction, ...]
    """All that were ever made, newest first."""
    places: Places

    def visible_sources(self) -> list[Source]:
        return [source for source in self.sources if source.in_scope]

    def picked(self, kind: str) -> Source | None:
        """The row of a kind that the resolver reads."""
        return next((source for source in self.sources if source.kind == kind and source.in_force), None)


def of(student: Student, scope: Scope) -> Provenance:
    """For a child whom the scope covers (the caller has made sure). Four queries."""
    sources = tuple(_sources(student, scope))
    corrections = tuple(
        Correction.objects.filter(student=student).select_related("made_by", "revoked_by").order_by("-id")
    )
    holding = {correction.concept: correction for correction in corrections if correction.revoked_at is None}
    values = {concept.key: said_by(student, concept) for concept in CONCEPTS}
    mentioned = [
        *values.values(), *(said for c in corrections for said in (c.values, c.replaced, c.contested_by or {})),
    ]  # fmt: skip
    places = Places.of(mentioned)
    origins = {
        concept.key: Origin(
            concept,
            in_words(concept.key, values[concept.key], places),
            _source_of(concept, sources),
            holding.get(concept.key),
        )
        for concept in CONCEPTS
    }
    return Provenance(origins, sources, corrections, places)


def _source_of(concept: Concept, sources: Sequence[Source]) -> Source | None:
    """The picked row of the first kind, in the concept's order, that speaks of it."""
    picked: dict[str, Source] = {}
    for source in sources:
        if source.in_force:
            picked.setdefault(source.kind, source)
    return next((picked[kind] for kind in concept.order if kind in picked and picked[kind].says(concept)), None)


_SOURCES = f"""
    WITH member AS (
        SELECT %(student)s::bigint AS id UNION ALL SELECT id FROM students_student WHERE merged_into_id = %(student)s
    ), spoken AS (
        SELECT r.*, s.kind, s.effective_on, s.applied_at, s.is_current,
            ({IN_FORCE.format(known_at="'infinity'")}) AS in_force
        FROM member m JOIN students_identitylink l ON l.student_id = m.id
        JOIN core_uploadrow r ON r.id = l.row_id JOIN core_listslice s ON s.id = r.slice_id
    )
    SELECT r.id, r.kind, r.upload_id, f.name, sh.name, r.number, r.effective_on, r.in_force, NOT r.is_current,
        r.facts, r.id_digest, r.registry_digest, r.school_id, r.town_id, u.town_id, u.school_id
    FROM spoken r JOIN core_uploadsheet sh ON sh.id = r.sheet_id JOIN core_uploadfile f ON f.id = sh.file_id
    JOIN core_upload u ON u.id = r.upload_id
    WHERE r.in_force OR (r.state = 'W' AND r.is_current)
    ORDER BY array_position(%(kinds)s, r.kind::text), r.is_current DESC, r.effective_on DESC, r.applied_at DESC,
        r.id DESC
"""


def _sources(student: Student, scope: Scope) -> list[Source]:
    with row_security(EVERYTHING, local=True), connection.cursor() as cursor:
        cursor.execute(_SOURCES, {"student": student.pk, "kinds": list(MEMBERSHIP)})
        rows = cursor.fetchall()
    found = []
    for *told, town, list_town, list_school in rows:
        pk, kind, upload, file, sheet, line, day, in_force, older, facts, id_digest, registry, school = told
        mine = scope.county or {town, list_town} & scope.towns or {school, list_school} & scope.schools
        found.append(
            Source(
                row_id=pk,
                kind=kind,
                upload_id=upload,
                file=file,
                sheet=sheet,
                line=line,
                effective_on=day,
                in_force=in_force,
                is_held=in_force and older,
                in_scope=bool(mine),
                facts=json.loads(facts),
                id_digest=_bytes(id_digest),
                registry_digest=_bytes(registry),
                school_id=school,
            )
        )
    return found


def _bytes(value: memoryview | None) -> bytes | None:
    return None if value is None else bytes(value)
