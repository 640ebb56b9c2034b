"""What machines do to lists: disks that are full, messages twice, workers that are stopped (the kills are bench/faults.py)."""

from __future__ import annotations

import datetime as dt
import os
import resource
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from eduaid.core import jobs, parser, tasks, uploads
from eduaid.core.commands import wait_for
from eduaid.core.lists import kind_of
from eduaid.core.models import Upload, UploadRow
from eduaid.core.models.uploads import State
from eduaid.core.preflight import Limits
from eduaid.core.scope import everything
from eduaid.core.uploads import NotPossible
from students.models import Student
from tests.pipeline.test_lists_in_force import LI, WANG
from tests.pipeline.test_worker import receive
from tests.small_county import SmallCounty, table, workbook


@contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    """The operating system refuses to write on, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.case("P09")
def test_a_full_disk_refuses_the_upload_and_leaves_nothing(county: SmallCounty) -> None:
    kept = receive(county)
    with files_no_larger_than(1000), pytest.raises(NotPossible, match="磁盘空间不足.*没有留下半份"):
        receive(county, extra="二")
    assert list(Upload.objects.all()) == [kept]
    stored = [path for path in Path(settings.FILES_DIR).rglob("*") if path.is_file()]
    assert [path.name for path in stored if path.name in kept.files.get().stored_as or path.suffix] == [
        kept.files.get().stored_as.split("/")[1]
    ]
    assert receive(county, extra="二").state == State.RECEIVED


@pytest.mark.case("P14")
def test_one_message_delivered_many_times_at_once_is_done_once(county: SmallCounty) -> None:
    upload = receive(county)
    failures: list[BaseException] = []

    def deliver() -> None:
        try:
            with everything():
                tasks.advance(upload.pk)
        except BaseException as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=deliver) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    upload.refresh_from_db()
    assert failures == []
    assert (upload.state, upload.attempt, UploadRow.objects.count()) == (State.REVIEW, 1, 2)


@pytest.mark.case("P11")
def test_a_worker_that_is_told_to_stop_finishes_or_hands_over(
    county: SmallCounty, worker: subprocess.Popen[bytes]
) -> None:
    wait_for([receive(county)], until=[State.REVIEW], seconds=60)
    upload = receive(county, extra="二")
    os.kill(worker.pid, signal.SIGTERM)  # a deployment: the message may be with the worker or not
    assert worker.wait(timeout=30) == 0
    upload.refresh_from_db()
    assert upload.state in (State.RECEIVED, State.REVIEW)
    if upload.state == State.RECEIVED:
        assert jobs.due_ids(Upload.objects.all()) == [upload.pk]
        tasks.advance(upload.pk)
        upload.refresh_from_db()
    assert (upload.state, upload.rows_accepted) == (State.REVIEW, 2)


@pytest.mark.case("P15")
def test_townships_send_at_once_and_all_arrive(county: SmallCounty, worker: object) -> None:
    """Lists of both townships and many dates in the queue together: each takes force with its own children."""
    sent = []
    for day in range(1, 11):
        for place, user in ((county.a, "town-a"), (county.b, "town-b")):
            sent.append(
                uploads.receive(
                    kind=kind_of("population"),
                    contents=[("名单.xlsx", workbook({"S": table([LI | {"备注": f"{place.pk}-{day}"}, WANG])}))],
                    place=place,
                    effective_on=dt.date(2026, 9, day),
                    by=county.user(user),
                )
            )
    wait_for(sent, until=[State.REVIEW], seconds=60)
    for upload in sent:
        upload.refresh_from_db()
    assert [(upload.rows_read, upload.failures) for upload in sent] == [(2, 0)] * 20
    assert Student.objects.count() == 0


@pytest.mark.case("P06")
def test_a_killed_reading_process_is_tried_again_and_set_aside_at_last(
    county: SmallCounty, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel short of memory kills whoever reads: twice it is tried again, the third time a person is told."""
    begin = parser._Process.__init__

    def killed(self: parser._Process, data: bytes, limits: Limits, mode: parser.Mode) -> None:
        begin(self, data, limits, mode)
        os.kill(self._child.pid, signal.SIGKILL)

    upload, other = receive(county), receive(county, extra="二")
    monkeypatch.setattr(parser._Process, "__init__", killed)
    for failures in (1, 2):
        tasks.advance(upload.pk)
        upload.refresh_from_db()
        assert (upload.state, upload.due, upload.failures, upload.lease_until) == (State.RECEIVED, True, failures, None)
    tasks.advance(upload.pk)
    upload.refresh_from_db()
    assert (upload.state, upload.due) == (State.FAILED, False)
    assert "需要的内存过多" in upload.error
    assert UploadRow.objects.count() == 0
    monkeypatch.undo()
    tasks.advance(other.pk)
    uploads.retry(upload, by=county.user("town-a"))
    tasks.advance(upload.pk)
    for each in (upload, other):
        each.refresh_from_db()
        assert (each.state, each.rows_accepted) == (State.REVIEW, 2)
