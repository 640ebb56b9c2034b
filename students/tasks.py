"""Tasks: what follows a change of children (each with a cursor of its own on the outbox), and comparing on demand."""

from __future__ import annotations

from celery import shared_task

from eduaid.core import changes
from eduaid.core.models import ChangeSet, Region
from eduaid.core.scope import everything
from students import crosscheck, search


@shared_task(name="students.tasks.learn_names", ignore_result=True)
def learn_names() -> None:
    """Keeps the search box's index of names up to date."""
    with everything():
        search.learn()


@shared_task(name="students.tasks.compare_changed", ignore_result=True)
def compare_changed() -> None:
    """Compares the children whose values were written since last time; lists never wait for it, nor do workers for one another."""
    with everything(), crosscheck.only_one() as is_mine:
        if is_mine:
            changes.follow("crosscheck", _compare)


def _compare(change: ChangeSet) -> None:
    crosscheck.compare(change.students)


@shared_task(name="students.tasks.compare_area", ignore_result=True)
def compare_area(region_id: int) -> None:
    """Compares a whole township, or the county, anew."""
    with everything():
        crosscheck.compare(crosscheck.children_of(Region.objects.get(pk=region_id)))
