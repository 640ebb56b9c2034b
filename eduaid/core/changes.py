"""The outbox: what followed from a change hears of it here (docs/architecture.md). No signals, no upward imports."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from django.db import transaction

from eduaid.core.models import ChangeSet, Cursor, Upload


def record(*, cause: str, students: Iterable[int], upload: Upload | None = None) -> ChangeSet:
    """Notes which students' resolved values were written. Call inside the transaction that wrote them."""
    return ChangeSet.objects.create(cause=cause, upload=upload, students=sorted(students))


def follow(follower: str, handle: Callable[[ChangeSet], None]) -> int:
    """Hands every unseen change set to `handle`, oldest first, each in one transaction with the cursor's step.

    A handler that raises leaves the cursor where it was: the change set is handed over again. Returns how many were seen.
    """
    seen = 0
    Cursor.objects.get_or_create(follower=follower)
    while True:
        with transaction.atomic():
            cursor = Cursor.objects.select_for_update().get(follower=follower)
            change = ChangeSet.objects.filter(pk__gt=cursor.seen).order_by("pk").first()
            if change is None:
                return seen
            handle(change)
            cursor.seen = change.pk
            cursor.save(update_fields=["seen"])
            seen += 1
