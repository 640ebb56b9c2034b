"""Lease, heartbeat, fence, sweeper: a job row is advanced by one worker at a time, and survives every death (docs/architecture.md).

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
import psycopg2.errors
import structlog
from django.db import connection, models, transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from eduaid.core.models.jobs import Job

LEASE_SECONDS = 20
HEARTBEAT_SECONDS = 5
PROGRESS_SECONDS = 1
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
    return models.Func(
        models.Value(f"{seconds} seconds"),
        template="(clock_timestamp() + %(expressions)s::interval)",
        output_field=models.DateTimeField(),
    )


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


def release(lease: Lease, *, failed: bool = False) -> None:
    """Gives the job back. A failure is due again at once and counted; after a success `due` is left as the stage's own
    transaction set it, since somebody may have asked for the next stage between that commit and now."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {lease.table} SET lease_until = NULL, lease_owner = '', due = due OR %s,"
            f" failures = CASE WHEN %s THEN failures + 1 ELSE 0 END WHERE id = %s AND attempt = %s",
            [failed, failed, lease.pk, lease.attempt],
        )


class Pulse:
    """What a stage and its heartbeat tell each other: how far the work is, and whether it must stop."""

    def __init__(self) -> None:
        self.stage, self.done, self.total = "", 0, 0
        self._lost, self._cancelled = threading.Event(), threading.Event()

    def report(self, stage: str, done: int = 0, total: int = 0) -> None:
        """Shown to the user within a second. Raises LeaseLost or Cancelled where the stage must stop."""
        self.stage, self.done, self.total = stage, done, total
        self.check()

    def check(self) -> None:
        if self._cancelled.is_set():
            raise Cancelled
        if self._lost.is_set():
            raise LeaseLost

    def lost(self) -> None:
        self._lost.set()

    def cancelled(self) -> None:
        self._cancelled.set()


@contextmanager
def heartbeat(lease: Lease) -> Iterator[Pulse]:
    """Prolongs the lease and writes the progress from a second connection: what is written inside the working transaction
    would not be seen by others."""
    stop, pulse = threading.Event(), Pulse()
    parameters = connection.get_connection_params()
    parameters.pop("cursor_factory", None)
    parameters.pop("context", None)

    def beat() -> None:
        second = psycopg2.connect(**parameters)
        second.autocommit = True
        shown = ""
        try:
            with second.cursor() as cursor:
                cursor.execute("SELECT set_config('eduaid.scope', '*', false), set_config('lock_timeout', '3s', false)")
                waited = HEARTBEAT_SECONDS
                while not stop.wait(PROGRESS_SECONDS):
                    waited += PROGRESS_SECONDS
                    if waited < HEARTBEAT_SECONDS and (pulse.stage, pulse.done) == (shown, 0):
                        continue
                    waited = 0
                    _beat_once(cursor, lease, pulse, new_stage=pulse.stage != shown)
                    shown = pulse.stage
        except psycopg2.Error:
            log.exception("heartbeat lost its connection", job=lease.pk)
            pulse.lost()
        finally:
            second.close()

    thread = threading.Thread(target=beat, name=f"heartbeat-{lease.pk}", daemon=True)
    thread.start()
    try:
        yield pulse
    finally:
        stop.set()
        thread.join()


def _beat_once(cursor: psycopg2.extensions.cursor, lease: Lease, pulse: Pulse, *, new_stage: bool) -> None:
    try:
        cursor.execute(
            f"UPDATE {lease.table} SET lease_until = clock_timestamp() + interval '{LEASE_SECONDS} seconds', stage = %s,"
            " done = %s, total = %s, stage_started_at = CASE WHEN %s THEN clock_timestamp() ELSE stage_started_at END"
            " WHERE id = %s AND attempt = %s AND lease_until IS NOT NULL RETURNING cancel_requested",
            [pulse.stage, pulse.done, pulse.total, new_stage, lease.pk, lease.attempt],
        )
    except psycopg2.errors.LockNotAvailable:
        return  # the working transaction is just committing; the next beat is soon enough
    row = cursor.fetchone()
    if row is None:
        pulse.lost()
    elif row[0]:
        pulse.cancelled()


def due_ids(jobs: models.QuerySet[J], *, limit: int = 100) -> list[int]:
    """What the sweeper wakes workers for: due jobs that nobody holds, and those whose holder has died."""
    free = Q(lease_until=None) | Q(lease_until__lt=Now())
    return list(jobs.filter(free, due=True).order_by("pk").values_list("pk", flat=True)[:limit])
