"""Lease, heartbeat, fence, sweeper: a job row is advanced by one worker at a time, and survives every death (quality.md §3).

A worker claims a due row with SKIP LOCKED for 20 seconds of database time, a heartbeat on a second connection prolongs the
lease every 5 seconds, and whatever applies something checks at its end, in the same transaction, that it still holds the
attempt it started with. A row whose lease has run out is simply due again.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import psycopg2
import structlog
from django.db import connection, models, transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from eduaid.core.models.jobs import Job

LEASE_SECONDS = 20
HEARTBEAT_SECONDS = 5
MAX_FAILURES = 3

J = TypeVar("J", bound=Job)
log = structlog.get_logger("eduaid.jobs")


class LeaseLost(Exception):
    """Another worker took the job over; everything done under the old attempt must be rolled back."""


class Cancelled(Exception):
    """The user asked to stop; the stage leaves nothing behind."""


@dataclass(frozen=True)
class Lease:
    """Proof of holding a job: its table, row and attempt."""

    table: str
    pk: int
    attempt: int


def _in(seconds: int) -> models.Expression:
    return models.Func(models.Value(f"{seconds} seconds"), template="(clock_timestamp() + %(expressions)s::interval)",
                       output_field=models.DateTimeField())


def claim(jobs: models.QuerySet[J], pk: int) -> tuple[J, Lease] | None:
    """Takes the job if it is due and nobody holds it; None when there is nothing to do. Runs in its own transaction."""
    owner = f"{socket.gethostname()}:{os.getpid()}"
    with transaction.atomic():
        free = Q(lease_until=None) | Q(lease_until__lt=Now())
        job = jobs.filter(free, pk=pk, due=True).select_for_update(skip_locked=True, of=("self",)).first()
        if job is None:
            return None
        jobs.filter(pk=pk).update(lease_owner=owner, lease_until=_in(LEASE_SECONDS), attempt=F("attempt") + 1)
    job.refresh_from_db()
    return job, Lease(job._meta.db_table, job.pk, job.attempt)


def fence(lease: Lease) -> None:
    """The last statement of every writing transaction: raises LeaseLost (and so rolls back) unless the lease still holds."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {lease.table} SET lease_until = lease_until WHERE id = %s AND attempt = %s AND lease_until IS NOT NULL",
            [lease.pk, lease.attempt],
        )
        if cursor.rowcount != 1:
            raise LeaseLost(f"{lease.table} {lease.pk} attempt {lease.attempt}")


def release(lease: Lease, *, due: bool, failed: bool = False) -> None:
    """Gives the job back: `due` again at once, or at rest until somebody sets it due. Counts failures in a row."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {lease.table} SET lease_until = NULL, lease_owner = '', due = %s,"
            f" failures = CASE WHEN %s THEN failures + 1 ELSE 0 END WHERE id = %s AND attempt = %s",
            [due, failed, lease.pk, lease.attempt],
        )


@contextmanager
def heartbeat(lease: Lease) -> Iterator[threading.Event]:
    """Prolongs the lease from a second connection (one inside the applying transaction would not be seen by others).

    Yields an event that is set when the lease was lost or the user asked to cancel; stages look at it between blocks.
    """
    stop, broken = threading.Event(), threading.Event()
    parameters = connection.get_connection_params()
    parameters.pop("cursor_factory", None)
    parameters.pop("context", None)

    def beat() -> None:
        second = psycopg2.connect(**parameters)
        second.autocommit = True
        try:
            with second.cursor() as cursor:
                cursor.execute("SELECT set_config('eduaid.scope', '*', false)")
                while not stop.wait(HEARTBEAT_SECONDS):
                    cursor.execute(
                        f"UPDATE {lease.table} SET lease_until = clock_timestamp() + interval '{LEASE_SECONDS} seconds'"
                        " WHERE id = %s AND attempt = %s RETURNING cancel_requested",
                        [lease.pk, lease.attempt],
                    )
                    row = cursor.fetchone()
                    if row is None or row[0]:
                        broken.set()
        except psycopg2.Error:
            log.exception("heartbeat lost its connection", job=lease.pk)
            broken.set()
        finally:
            second.close()

    thread = threading.Thread(target=beat, name=f"heartbeat-{lease.pk}", daemon=True)
    thread.start()
    try:
        yield broken
    finally:
        stop.set()
        thread.join()


def due_ids(jobs: models.QuerySet[J], *, limit: int = 100) -> list[int]:
    """What the sweeper wakes workers for: due jobs that nobody holds, and those whose holder has died."""
    free = Q(lease_until=None) | Q(lease_until__lt=Now())
    return list(jobs.filter(free, due=True).order_by("pk").values_list("pk", flat=True)[:limit])
