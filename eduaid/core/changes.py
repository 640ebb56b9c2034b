"""The outbox: what followed from a change hears of it here (docs/architecture.md). No signals, no upward imports."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from django.db import connection, transaction
from django.utils import timezone

from eduaid.core.models import ChangeSet, Cursor, Upload


def record(*, cause: str, students: Iterable[int], upload: Upload | None = None) -> None:
    """Notes which students' resolved values were written. Call inside the transaction that wrote them."""
    with connection.cursor() as cursor:
        # Not by the model: its array field looks at every id on its own, and there are as many as a list has rows.
        cursor.execute(
            "INSERT INTO core_changeset (made_at, cause, upload_id, students) VALUES (%s, %s, %s, %s::bigint[])",
            [timezone.now(), cause, upload.pk if upload else None, sorted(students)],
        )


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
