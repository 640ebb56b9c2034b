"""Tasks: they take ids only, are idempotent, and call one function."""

from __future__ import annotations

from celery import shared_task

from eduaid.core import changes
from eduaid.core.scope import everything
from subsidies import entitlement


@shared_task(name="subsidies.tasks.follow_lists", ignore_result=True)
def follow_lists() -> None:
    """Hands what lists, undos and corrections have written to the categories and entitlements of the term."""
    with everything():
        changes.follow("aid", entitlement.follow_lists)
