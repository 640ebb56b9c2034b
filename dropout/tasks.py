"""Tasks: they take no ids of persons, are idempotent, and call one function."""

from __future__ import annotations

from celery import shared_task

from dropout import actions
from eduaid.core import changes
from eduaid.core.scope import everything


@shared_task(name="dropout.tasks.follow_lists", ignore_result=True)
def follow_lists() -> None:
    """Hands what lists, undos and corrections have written to the open census rounds."""
    with everything():
        changes.follow("census", actions.follow_lists)
