"""Saying where missing persons are, before a list is submitted: one by one, a class at once, or as proposed.

What is said makes the preview a new version, and stands unchanged from the submission on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Count, F
from django.utils import timezone

from eduaid.core import missing, uploads
from eduaid.core.lists import kind_of
from eduaid.core.models import Departure, Upload, User
from eduaid.core.models.uploads import State
from eduaid.core.text import scrub
from eduaid.core.uploads import NotAllowed, NotPossible


@dataclass(frozen=True)
class Said:
    """What a person says of one missing row. An empty code takes back what was said."""

    code: str
    note: str = ""


@dataclass(frozen=True)
class Group:
    """Missing rows that were in one class (school lists) or one township, of which nothing is said yet."""

    key: str
    place: str
    grade: str
    class_name: str
    rows: int


@transaction.atomic
def explain(upload: Upload, said: Mapping[int, Said], *, by: User) -> int:
    """Row by row, by the older row's id. Rows that are not missing and words that stand there already are left; returns how
    many changed."""
    upload = _locked(upload, by)
    _allowed(upload, {one.code for one in said.values() if one.code})
    changed = []
    for departure in Departure.objects.filter(upload=upload, row__in=said):
        word = said[departure.row_id]
        note = scrub(word.note.strip())[:120]
        if (word.code, note) != (departure.code, departure.note):
            departure.code, departure.note, departure.by, departure.at = word.code, note, by, timezone.now()
            changed.append(departure)
    Departure.objects.bulk_update(changed, ["code", "note", "by", "at"])
    return _noted(upload, len(changed))


@transaction.atomic
def accept(upload: Upload, *, by: User, row: int | None = None) -> int:
    """Takes what is proposed for one row, or everywhere where it is certain; what a person has said stays."""
    upload = _locked(upload, by)
    asked = Departure.objects.filter(upload=upload).unsaid().exclude(proposed="")
    asked = asked.filter(row=row) if row is not None else asked.filter(is_certain=True)
    return _noted(upload, asked.update(code=F("proposed"), by=by, at=timezone.now()))


@transaction.atomic
def explain_group(upload: Upload, *, key: str, code: str, by: User) -> int:
    """The same word for everybody of a class or township of whom nothing is said yet; an empty key: for all of them."""
    upload = _locked(upload, by)
    _allowed(upload, {code})
    open_ones = Departure.objects.filter(upload=upload).unsaid()
    if key:
        members = open_ones.values_list("pk", *_CLASS)
        open_ones = open_ones.filter(pk__in=[pk for pk, *place in members if _key(place) == key])
    return _noted(upload, open_ones.update(code=code, by=by, at=timezone.now()))


_CLASS = ("school_id", "town_id", "row__facts__grade", "row__facts__class_name")


def _key(place: Sequence[object]) -> str:
    return "/".join(str(part or "") for part in place)


def groups(upload: Upload) -> list[Group]:
    """The missing rows of which nothing is said, by class or township, the largest group first. One query."""
    counted = (
        Departure.objects.filter(upload=upload)
        .unsaid()
        .values_list(*_CLASS, "school__name", "town__name")
        .annotate(found=Count("pk"))
    )
    found = [
        Group(_key(place), school_name or town_name or "", str(place[2] or ""), str(place[3] or ""), rows)
        for *place, school_name, town_name, rows in counted
    ]
    return sorted(found, key=lambda group: (-group.rows, group.place, group.grade, group.class_name))


def _locked(upload: Upload, by: User) -> Upload:
    found = uploads.locked(upload.pk, states=[State.REVIEW])
    if not uploads.may_work_on(found, by):
        raise NotAllowed("只有上传人所在单位可以填写这份名单的去向。")
    return found


def _allowed(upload: Upload, said: set[str]) -> None:
    if said - {entry.code for entry in missing.answers(kind_of(upload.kind))}:
        raise NotPossible("这类名单没有这种去向，请从列出的去向中选择，不清楚的选“待核”。")


def _noted(upload: Upload, written: int) -> int:
    if written:
        upload.version += 1
        upload.save(update_fields=["version"])
    return written
