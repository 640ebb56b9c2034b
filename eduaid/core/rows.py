"""Making one row: cells → parsed values, facts, digests, findings. The same code for a list of 200,000 and for one corrected cell.

Texts repeat down a column, so each column remembers what it made of a text; what is remembered includes the finished JSON of
the facts, so that a row is joined together rather than built.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from json.encoder import encode_basestring as _quoted
from typing import Any

from eduaid.core.cells import Cell
from eduaid.core.findings import level_of
from eduaid.core.lists import Column, ListKind, Reading, RowFinding, Values
from eduaid.core.models.uploads import FindingLevel, RowState
from eduaid.core.reading.frames import packed
from eduaid.core.sealing import digest
from eduaid.core.text import IdNumber, XuejiNumber, plain, tidy
from eduaid.core.text.results import Problem, Result

# Beyond this a column's texts are mostly distinct (numbers, phones) and not worth remembering.
_REMEMBERED = 5_000

# Answers that settle a question about a cell (eduaid.core.editing); others are for matching.
CONFIRM, ADMIT = "confirm", "admit"


@dataclass(slots=True)
class Outcome:
    """What a column made of a cell: a value with its facts as JSON members, or a problem, or nothing (blank).

    `delivered` is the cell as a JSON member, `said` what a sealed column says for the row's digest.
    """

    key: str = ""
    value: Any = None
    members: str = ""
    note: str = ""
    problem: Problem | None = None
    delivered: str = ""
    said: str = ""


_BLANK = Outcome()


class ColumnReader:
    """One mapped column of one list."""

    def __init__(self, column: Column, reading: Reading) -> None:
        self.column = column
        self.key = column.key
        self.known: dict[Cell, Outcome] = {}
        """Texts only, so that looking up any other cell finds nothing (1, 1.0 and True are one key)."""
        self._parse = column.reader(reading)
        self._facts = column.keep if column.facts is not None or not column.sealed else None
        self._member, self._said = f'"{column.key}":', f"{column.key}=" if column.sealed else ""

    def read(self, cell: Cell) -> Outcome:
        """Reads a cell that is not in `known`, and remembers it there."""
        made = self.made_of(self._parse(cell))
        if made is _BLANK:
            return made
        if type(cell) is str:
            made.delivered = self._member + _quoted(cell)
            if len(self.known) < _REMEMBERED:
                self.known[cell] = made
        else:
            made.delivered = self._member + _json(packed(cell))
        return made

    def made_of(self, result: Result[Any]) -> Outcome:
        if result is None:
            return _BLANK
        if isinstance(result, Problem):
            return Outcome(self.key, problem=result)
        value, note = result
        if value is None:
            return _BLANK
        kept = members(self._facts(value)) if self._facts else ""
        return Outcome(self.key, value, kept, note, None, "", self._said + said(value) if self._said else "")


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def _json(value: Any) -> str:
    kind = type(value)
    if kind is str:
        return _quoted(value)
    return repr(value) if kind is float or kind is int else _encode(value)


def members(facts: Mapping[str, Any]) -> str:
    """Facts as the inside of a JSON object."""
    return ",".join([f'"{key}":{_json(value)}' for key, value in facts.items()])


def as_delivered(cells: Mapping[str, Cell]) -> bytes:
    """Cells as a row's sealed text, as `RowMaker.make` writes it: column key → cell, without the empty ones."""
    return (
        "{" + ",".join(f'"{key}":{_json(packed(cell))}' for key, cell in cells.items() if cell is not None) + "}"
    ).encode()


def said(value: object) -> str:
    """A sealed column's value in words: a number with its type is named by its number."""
    return value if type(value) is str else str(getattr(value, "number", value))


@dataclass(slots=True)
class Made:
    """A row ready to be stored."""

    number: int
    state: RowState
    facts: str
    sealed: bytes
    digest: bytes
    id_digest: bytes | None
    registry_digest: bytes | None
    values: Values
    findings: list[RowFinding]
    notes: list[tuple[str, str]] = field(default_factory=list)


class RowMaker:
    """Makes rows of one list (or one sheet of it) from cells in the order of its readers."""

    def __init__(self, kind: ListKind, reading: Reading, keys: Sequence[str]) -> None:
        self.kind, self.reading = kind, reading
        self.readers = [ColumnReader(kind.column(key), reading) for key in keys]
        self._columns = [(reader.known.get, reader.read) for reader in self.readers]
        self._required = [column.key for column in kind.required]

    def make(self, number: int, cells: Sequence[Cell], answers: Mapping[tuple[str, str], str] | None = None) -> Made:
        """`answers`: what people said to findings of this row, by (column, code)."""
        found = [
            outcome
            for (known, read), cell in zip(self._columns, cells, strict=True)
            if cell is not None and (outcome := known(cell) or read(cell)) is not _BLANK
        ]
        parsed = {outcome.key: outcome.value for outcome in found if outcome.problem is None}
        parts = [outcome.members for outcome in found if outcome.members]
        sealed = [outcome.said for outcome in found if outcome.said]
        notes = [(outcome.key, outcome.note) for outcome in found if outcome.note]
        findings: list[RowFinding] = []
        if len(parsed) < len(found):
            for reader, cell in zip(self.readers, cells, strict=True):
                if cell is not None and (problem := (reader.known.get(cell) or reader.read(cell)).problem) is not None:
                    if self.reading.words and self._understood(reader, cell, parsed, parts):
                        notes.append((reader.key, "word-known"))
                        continue
                    self._settle(reader, cell, problem, parsed, parts, findings, answers or {})
                    if reader.column.sealed and reader.key in parsed:
                        sealed.append(f"{reader.key}={said(parsed[reader.key])}")
        values = Values(number, parsed)
        place = self.kind.locate(values, self.reading)
        # A question about the cell that names the place is asked once, not again for the place that is therefore unknown.
        if place is not None and place.column not in {found.column for found in findings}:
            findings.append(place)
        for key in self._required:
            if key not in parsed and all(outcome.key != key for outcome in found):
                findings.append(RowFinding(key, "required"))
        for check in self.kind.checks:
            findings.extend(check(values, self.reading))
        if answers:
            findings = [one for one in findings if not answers.get((one.column, one.code))]
        number_found: IdNumber | None = parsed.get(self.kind.id_column)
        registry: XuejiNumber | None = parsed.get(self.kind.registry_column) if self.kind.registry_column else None
        number_digest = id_digest(number_found) if number_found else None
        registry_digest = digest("registry", registry.number) if registry else None
        # Rows that say the same have the same digest, in whatever order their columns stand.
        parts.sort()
        sealed.sort()
        if values.facts:
            parts.append(members(values.facts))
        facts = ",".join(parts)
        return Made(
            number,
            _state(findings),
            "{" + facts + "}",
            ("{" + ",".join([outcome.delivered for outcome in found]) + "}").encode(),
            digest("row", "\x1f".join((facts, values.subkey, *sealed))),
            number_digest,
            registry_digest,
            values,
            findings,
            notes,
        )

    def _understood(self, reader: ColumnReader, cell: Cell, parsed: dict[str, Any], parts: list[str]) -> bool:
        """Reads the meaning that the list's place has given to this word, where it has."""
        meaning = self.reading.words.get((reader.key, tidy(cell))) if type(cell) is str else None
        if meaning is None:
            return False
        outcome = reader.read(meaning)
        if outcome.problem is not None and reader.column.again is not None:
            outcome = reader.made_of(reader.column.again(meaning, parsed, self.reading))
        if outcome.problem is not None or outcome.value is None:
            return False
        parsed[reader.key] = outcome.value
        if outcome.members:
            parts.append(outcome.members)
        return True

    def _settle(
        self,
        reader: ColumnReader,
        cell: Cell,
        problem: Problem,
        parsed: dict[str, Any],
        parts: list[str],
        findings: list[RowFinding],
        answers: Mapping[tuple[str, str], str],
    ) -> None:
        """A cell that could not be read alone: with the rest of the row, by somebody's answer, or not at all."""
        column = reader.column
        if column.again is not None:
            outcome = reader.made_of(column.again(cell, parsed, self.reading))
            if outcome.problem is None:
                if outcome.value is not None:
                    parsed[column.key] = outcome.value
                    if outcome.members:
                        parts.append(outcome.members)
                return
            problem = outcome.problem
        answer = answers.get((column.key, problem.code), "")
        if answer == ADMIT and column.key == self.kind.id_column:
            parts.append('"id_to_correct":true')
            return
        if answer == CONFIRM and column.facts is not None and level_of(problem) is FindingLevel.ASK:
            text = tidy(plain(cell))
            parsed[column.key] = text
            parts.append(members(column.keep(text)))
            return
        findings.append(RowFinding(column.key, problem.code, level_of(problem), dict(problem.params)))


def id_digest(number: IdNumber) -> bytes:
    """Resident numbers by themselves; other documents with their type, since their numbers may coincide."""
    return digest("id", number.number if number.kind in ("1", "-") else f"{number.kind}:{number.number}")


def _state(findings: Sequence[RowFinding]) -> RowState:
    if not findings:
        return RowState.ACCEPTED
    if any(found.code == "outside-scope" for found in findings):
        return RowState.REFUSED
    if any(found.level in (FindingLevel.ERROR, FindingLevel.ASK) for found in findings):
        return RowState.WAITING
    return RowState.ACCEPTED
