"""Recording who looked at what (未成年人网络保护条例 art. 36)."""

from __future__ import annotations

from eduaid.core.models import AccessRecord, User
from eduaid.core.models.access import Action


def note(
    *,
    by: User,
    action: Action,
    subject_kind: str,
    subject_id: int | None = None,
    page: str,
    purpose: str = "",
    rows: int = 1,
) -> None:
    """Writes one access record. Runs in the request's transaction: an act that cannot be recorded does not happen."""
    AccessRecord.objects.create(
        user=by,
        action=action,
        subject_kind=subject_kind,
        subject_id=subject_id,
        page=page[:200],
        purpose=purpose,
        rows=rows,
    )
