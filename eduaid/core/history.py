"""What became of a record of the kernel (a region, a school, an account, a post): read off the trigger history."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db.models import Field, ForeignKey, Model

from eduaid.core.display import dense_date
from eduaid.core.models import User


@dataclass(frozen=True)
class Moment:
    """One change: when, what (before → after), by whom."""

    at: dt.datetime
    text: str
    by: str


def moments(records: Sequence[Model], *, limit: int = 20) -> list[Moment]:
    """The newest changes of records of one tracked model, newest first. Three queries and one for each foreign key told."""
    if not records:
        return []
    model: Any = type(records[0])
    fields = _told_fields(model)
    events = list(
        model.pgh_event_model.objects.filter(pgh_obj__in=records)
        .select_related("pgh_context")
        .order_by("-pgh_id")[: limit + 50]
    )
    users = dict(
        User.objects.filter(pk__in=[pk for event in events if (pk := _user(event))]).values_list("pk", "display_name")
    )
    names = _names(fields, events)
    found = []
    for position, event in enumerate(events[:limit]):
        before = next((older for older in events[position + 1 :] if older.pgh_obj_id == event.pgh_obj_id), None)
        text = _told(fields, before, event, names)
        if text:
            found.append(Moment(event.pgh_created_at, text, users.get(_user(event) or 0, "系统")))
    return found


def _user(event: Any) -> int | None:
    return event.pgh_context.metadata.get("user") if event.pgh_context else None


def _told_fields(model: type[Model]) -> list[Field[Any, Any]]:
    """The fields that the history keeps and that have a Chinese name."""
    told = []
    for kept in model.pgh_event_model._meta.get_fields():  # type: ignore[attr-defined]
        try:
            field = model._meta.get_field(kept.name)
        except FieldDoesNotExist:
            continue
        if isinstance(field, Field) and not field.primary_key and not str(field.verbose_name).isascii():
            told.append(field)
    return told


def _names(fields: Sequence[Field[Any, Any]], events: Sequence[Any]) -> dict[tuple[str, int], str]:
    names: dict[tuple[str, int], str] = {}
    for field in fields:
        if isinstance(field, ForeignKey):
            ids = {getattr(event, field.attname) for event in events} - {None}
            if ids:
                names |= {
                    (field.name, pk): str(found)
                    for pk, found in field.related_model._default_manager.in_bulk(ids).items()
                }
    return names


def _told(fields: Sequence[Field[Any, Any]], before: Any, event: Any, names: dict[tuple[str, int], str]) -> str:
    if before is None:
        shown = "，".join(
            f"{field.verbose_name} {words}"
            for field in fields
            if (words := _words(field, event, names)) and words != "否"
        )
        return f"登记：{shown}" if event.pgh_label == "insert" else ""
    changes = [
        f"{field.verbose_name}：{_words(field, before, names) or '空'} → {_words(field, event, names) or '空'}"
        for field in fields
        if getattr(before, field.attname) != getattr(event, field.attname)
    ]
    return "；".join(changes)


def _words(field: Field[Any, Any], event: Any, names: dict[tuple[str, int], str]) -> str:
    value = getattr(event, field.attname)
    if value is None or value == "":
        return ""
    if isinstance(field, ForeignKey):
        return names.get((field.name, value), "")
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, (dt.date, dt.datetime)):
        return dense_date(value)
    if isinstance(value, list):
        labels = dict(getattr(field, "base_field", field).flatchoices)
        return "、".join(str(labels.get(item, item)) for item in value)
    return str(dict(field.flatchoices).get(value, value))
