"""A child's values in words: what the lists say, what a correction says, what history held, all through one function.

Values come as the resolver keeps them in a correction: column → text, None for nothing. Numbers never appear: an ID
number is its six region digits and stars.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from eduaid.core import codes
from eduaid.core.models import Region, School
from students.models.people import Sex
from students.precedence import BY_KEY, CONCEPTS, Concept

Said = Mapping[str, str | None]

_YES_NO = {"true": "是", "false": "否"}
_BOARDING = {"true": "寄宿", "false": "走读"}


@dataclass(frozen=True)
class Places:
    """Names of the regions and schools that some values mention."""

    regions: Mapping[int, str] = field(default_factory=dict)
    schools: Mapping[int, str] = field(default_factory=dict)

    @classmethod
    def of(cls, values: Iterable[Said]) -> Places:
        """Two queries, whatever the number of values."""
        regions, schools = set[int](), set[int]()
        for said in values:
            regions |= {int(pk) for column in ("hukou_town_id", "hukou_village_id") if (pk := said.get(column))}
            schools |= {int(pk) for column in ("school_id",) if (pk := said.get(column))}
        return cls(
            dict(Region.objects.filter(pk__in=regions).values_list("pk", "name")),
            dict(School.objects.filter(pk__in=schools).values_list("pk", "name")),
        )

    def region(self, pk: str | None) -> str:
        return self.regions.get(int(pk), "") if pk else ""

    def school(self, pk: str | None) -> str:
        return self.schools.get(int(pk), "") if pk else ""


def said_by(holder: Any, concept: Concept) -> dict[str, str | None]:
    """The concept's columns of a student, or of one of its states in history, as text; None for a column left out."""
    return {column: as_text(getattr(holder, column, None)) for column in concept.columns}


def as_text(value: object) -> str | None:
    """A column's value as PostgreSQL writes it: true and false, ISO dates, bytes as hexadecimal; nothing is None."""
    match value:
        case None | "":
            return None
        case bool():
            return "true" if value else "false"
        case dt.date():
            return value.isoformat()
        case bytes() | memoryview():
            return bytes(value).hex()
    return str(value)


def in_words(concept: str, said: Said, places: Places) -> str:
    """The value for a page; empty when nothing is said."""
    text = {column: value or "" for column, value in said.items()}
    match concept:
        case "name":
            return text["name"]
        case "sex":
            return str(Sex(text["sex"]).label) if text["sex"] else ""
        case "birth":
            return text["birth_on"]
        case "id":
            return _id_number(text)
        case "registry-number":
            return "已登记（号码已隐藏）" if text["registry_digest"] else ""
        case "ethnicity":
            return codes.ETHNIC.label(text["ethnicity"])
        case "hukou":
            return _hukou(text, places)
        case "schooling":
            return " ".join(
                filter(None, [places.school(text["school_id"]), codes.GRADE.label(text["grade"]), text["class_name"]])
            )
        case "boarding":
            return _BOARDING.get(text["boarding"], "")
        case "left-behind":
            return codes.LEFT_BEHIND.label(text["left_behind"])
        case "migrant" | "orphan":
            return _YES_NO.get(text[BY_KEY[concept].says], "")
        case "disability":
            return codes.DISABILITY.label(text["disability"])
        case "guardian":
            return text["guardian"]
    raise KeyError(concept)


def _id_number(text: Mapping[str, str]) -> str:
    if not text["id_digest"]:
        return ""
    kind = text["id_type"]
    if kind in ("", "1"):
        return f"{text['id_prefix']}************"
    return f"{codes.ID_TYPE.label(kind)}（号码已隐藏）"


def _hukou(text: Mapping[str, str], places: Places) -> str:
    if text["hukou_town_id"]:
        return f"{places.region(text['hukou_town_id'])}{places.region(text['hukou_village_id'])}"
    return "县外" if text["hukou_outside"] == "true" else ""


def changed(before: Any, after: Any) -> list[tuple[Concept, dict[str, str | None], dict[str, str | None]]]:
    """The concepts that differ between two states of a child, with what each said."""
    pairs = [(concept, said_by(before, concept), said_by(after, concept)) for concept in CONCEPTS]
    return [(concept, old, new) for concept, old, new in pairs if old != new]
