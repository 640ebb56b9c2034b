"""Children of the small county who are owed money, made directly: how lists make them is tested elsewhere."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from eduaid.core.models import Term
from students.models import Student
from subsidies import batches, notices
from subsidies.batches import NewAward
from subsidies.models import AidBatch, Programme, Standard
from tests.small_county import SmallCounty


def card(place: int) -> str:
    """A number of 19 digits that is valid and different for each place."""
    body = f"629900{place:012d}"
    total = 0
    for position, digit in enumerate(reversed(body)):
        value = int(digit) * (2 - position % 2)
        total += value - 9 if value > 9 else value
    return f"{body}{-total % 10}"


def programme(key: str = "boarding", name: str = "寄宿生生活补助", amount: str = "500") -> Programme:
    made = Programme.objects.create(key=key, name=name, stages=["2", "3"], who="listed")
    Standard.objects.create(
        programme=made, stage="2", boarding="1", amount=Decimal(amount), from_term=4000, document="示例〔2023〕1号"
    )
    return made


def children(county: SmallCounty, count: int, *, poor: int = 0, at: str = "a") -> list[Student]:
    """Pupils of the primary school of a township; the first `poor` stand in the poverty register."""
    school = county.primary_a if at == "a" else county.primary_b
    town = county.a if at == "a" else county.b
    made = [
        Student(
            name=f"学生{at}{number}", name_key=f"学生{at}{number}", school=school, school_town=town, hukou_town=town,
            grade="25", class_name="1班", boarding=True, in_roster=True, in_poverty=number < poor,
        )
        for number in range(count)
    ]  # fmt: skip
    return Student.objects.bulk_create(made)


def row(student: Student, amount: str = "500", *, bank: str = "示例农商行", place: int | None = None) -> NewAward:
    return NewAward(
        student.pk,
        Decimal(amount),
        bank=bank,
        holder=student.name,
        card=card(student.pk if place is None else place),
    )


def draft(
    county: SmallCounty,
    count: int = 5,
    *,
    paid_for: Programme | None = None,
    by: str = "town-a",
    term: Term | None = None,
) -> AidBatch:
    found = paid_for or programme()
    return batches.make_from_rows(
        programme=found,
        term=term or county.term,
        place=county.a,
        rows=[row(child) for child in children(county, count)],
        by=county.user(by),
    )


def approved(county: SmallCounty, count: int = 5, *, paid_for: Programme | None = None) -> AidBatch:
    batch = draft(county, count, paid_for=paid_for)
    total = batches.counted(batch)
    batches.submit(batch, heads=total.heads, amount=total.amount, by=county.user("town-a"))
    return batches.approve(batch, by=county.user("county"))


def payable(county: SmallCounty, count: int = 5, *, paid_for: Programme | None = None) -> AidBatch:
    """Approved, and to be paid without a notice."""
    batch = approved(county, count, paid_for=paid_for)
    return notices.go_without(batch, by=county.user("county"), reason="认定时已公示")


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)
