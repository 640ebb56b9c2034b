"""Tasks: what follows a change of children, with a cursor of its own on the outbox."""

from __future__ import annotations

from celery import shared_task

from eduaid.core.scope import everything
from students import search


@shared_task(name="students.tasks.learn_names", ignore_result=True)
def learn_names() -> None:
    """Keeps the search box's index of names up to date."""
    with everything():
        search.learn()
