"""Loads the programmes, standards and categories that every county starts with (`subsidies/seeds`).

Each is made where it is missing and left alone where it is there: what a county ended, added or confirmed stays.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from decimal import Decimal
from importlib import resources

from django.db import transaction

from subsidies.models import Category, CategoryMapping, Exclusion, Programme, Standard
from subsidies.models.programmes import parse_term


def _rows(file: str) -> Iterator[dict[str, str]]:
    text = resources.files("subsidies").joinpath(f"seeds/{file}.csv").read_text("utf-8")
    yield from csv.DictReader(text.splitlines())


def _term(cell: str) -> int:
    number = parse_term(cell)
    if number is None:
        raise ValueError(f"no term: {cell}")
    return number


def _codes(cell: str) -> list[str]:
    return [code for code in cell.split("|") if code]


@transaction.atomic
def load_seeds() -> None:
    """Idempotent. Standards are loaded only for programmes that have none: those of a county are its own affair."""
    for row in _rows("categories"):
        Category.objects.get_or_create(
            code=row["code"],
            defaults={
                "rank": int(row["rank"]), "is_direct": row["is_direct"] == "1", "tier": row["tier"], "note": row["note"],
            },
        )  # fmt: skip
    categories = {category.code: category for category in Category.objects.all()}
    for row in _rows("mappings"):
        CategoryMapping.objects.get_or_create(
            form=row["form"],
            category=categories[row["category"]],
            defaults={"group": row["group"], "note": row["note"]},
        )
    for row in _rows("programmes"):
        Programme.objects.get_or_create(
            key=row["key"],
            defaults={name: row[name] for name in ("name", "short", "who", "form", "counting", "basis", "note")}
            | {name: _codes(row[name]) for name in ("stages", "categories", "grades")}
            | {"is_loan": row["is_loan"] == "1", "rank": int(row["rank"])},
        )
    programmes = {programme.key: programme for programme in Programme.objects.all()}
    without = set(Programme.objects.filter(standards=None).values_list("key", flat=True))
    Standard.objects.bulk_create(
        Standard(
            programme=programmes[row["programme"]],
            amount=Decimal(row["amount"]),
            from_term=_term(row["from_term"]),
            until_term=_term(row["until_term"]) if row["until_term"] else None,
            is_confirmed=row["is_confirmed"] == "1",
            **{name: row[name] for name in ("stage", "boarding", "tier", "group", "per", "document", "note")},
        )
        for row in _rows("standards")
        if row["programme"] in without
    )
    for row in _rows("exclusions"):
        Exclusion.objects.get_or_create(
            stands=programmes[row["stands"]],
            yields=programmes[row["yields"]],
            defaults={"document": row["document"], "note": row["note"]},
        )
