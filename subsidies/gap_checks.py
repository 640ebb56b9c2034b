"""Acts on gaps: hand them out to the schools that answer, and settle one with a reason (已核实)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.utils import timezone

from eduaid.core.models import Term, User
from subsidies.gaps import GapKind
from subsidies.models import GapCheck


class GapRefused(Exception):
    """A gap cannot be handed out or settled; the sentence says why."""


def _check(kind: GapKind, row: Any, term: Term, *, batch: uuid.UUID, due_on: dt.date, by: User) -> GapCheck:
    return GapCheck(
        kind=kind.key,
        student_id=row.student_id,
        programme_id=row.programme_id,
        term=term,
        school_id=row.school_id,
        school_town_id=row.school_town_id,
        batch=batch,
        due_on=due_on,
        handed_by=by,
    )


@transaction.atomic
def hand_out(kind: GapKind, term: Term, rows: Iterable[Any], *, due_on: dt.date, by: User) -> int:
    """Asks the schools to look at these gaps by a day; those that were handed out before keep their day. Returns how many are
    new."""
    if due_on < timezone.localdate():
        raise GapRefused(f"限期 {due_on:%Y-%m-%d} 已过，请改为今天或以后。")
    batch = uuid.uuid4()
    one_each = {(row.student_id, row.programme_id): row for row in rows}
    known = set(GapCheck.objects.filter(kind=kind.key, term=term).values_list("student_id", "programme_id"))
    made = GapCheck.objects.bulk_create(
        [
            _check(kind, row, term, batch=batch, due_on=due_on, by=by)
            for key, row in one_each.items()
            if key not in known
        ],
        batch_size=1_000,
    )
    return len(made)


@transaction.atomic
def settle(kind: GapKind, term: Term, row: Any, *, reason: str, by: User) -> GapCheck:
    """Somebody looked at it: with the reason it is no gap any more. Raises GapRefused without one."""
    if not reason.strip():
        raise GapRefused("请写明核实情况，以后查得到为什么不再列为问题。")
    known = GapCheck.objects.select_for_update().filter(
        kind=kind.key, term=term, student=row.student_id, programme=row.programme_id
    )
    check = known.first() or _check(kind, row, term, batch=uuid.uuid4(), due_on=timezone.localdate(), by=by)
    check.reason, check.settled_by, check.settled_at = reason.strip(), by, timezone.now()
    check.save()
    return check
