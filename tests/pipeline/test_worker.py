"""A real worker, a real beat, a real broker: the row is the queue, the broker only wakes (docs/architecture.md)."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
import time

import redis
from django.conf import settings
from django.db import connection
from django.db.models.functions import Now

from eduaid.core import jobs, uploads
from eduaid.core.commands import wait_for
from eduaid.core.lists import kind_of
from eduaid.core.models import Upload, UploadRow
from eduaid.core.models.uploads import State
from tests.early import ENDPOINTS
from tests.pipeline.test_lists_in_force import LI, WANG
from tests.small_county import SmallCounty, table, workbook


def receive(county: SmallCounty, *, extra: str = "") -> Upload:
    rows = [LI | {"备注": extra}, WANG]
    return uploads.receive(
        kind=kind_of("population"),
        contents=[("名单.xlsx", workbook({"S": table(rows)}))],
        place=county.a,
        effective_on=dt.date(2026, 9, 1),
        by=county.user("town-a"),
    )


def test_a_list_goes_from_upload_to_force_through_the_worker(county: SmallCounty, worker: object) -> None:
    upload = receive(county)
    wait_for([upload], until=[State.REVIEW], seconds=60)
    uploads.submit(upload, by=county.user("town-a"))
    uploads.approve(upload, by=county.user("leader"))
    wait_for([upload], until=[State.IN_FORCE], seconds=60)
    # The lease is given back a moment after the list has taken force.
    for _ in range(100):
        upload.refresh_from_db()
        if upload.lease_until is None:
            break
        time.sleep(0.1)
    assert (upload.rows_accepted, upload.due, upload.lease_until) == (2, False, None)


def test_a_message_that_was_lost_and_a_worker_that_died_lose_nothing(county: SmallCounty, worker: object) -> None:
    lost, orphaned = receive(county), receive(county, extra="二")
    broker = redis.Redis.from_url(settings.REDIS_URL.replace("redis+socket", "unix").replace("virtual_host", "db"))
    broker.delete("default")
    # The second list was being read by a worker that is no more: its lease runs out, nothing of its work was committed.
    Upload.objects.filter(pk=orphaned.pk).update(
        lease_owner="gone:1", attempt=7, lease_until=Now() + dt.timedelta(seconds=2), due=True, state=State.RECEIVED
    )
    wait_for([lost, orphaned], until=[State.REVIEW], seconds=60)
    orphaned.refresh_from_db()
    assert orphaned.attempt > 7
    assert UploadRow.objects.count() == 4


_SEND_WITHOUT_BROKER = """
import datetime as dt, sys, time, django
django.setup()
from eduaid.core import uploads
from eduaid.core.lists import kind_of
from eduaid.core.models import Region, User
from eduaid.core.scope import everything
with everything():
    started = time.monotonic()
    upload = uploads.receive(
        kind=kind_of("population"), contents=[("a.xlsx", sys.stdin.buffer.read())], place=Region.objects.get(name="水口镇"),
        effective_on=dt.date(2026, 9, 1), by=User.objects.get(username="town-a"),
    )
    print(upload.pk, time.monotonic() - started < 10)
"""


def test_an_upload_is_taken_while_the_broker_is_away(county: SmallCounty) -> None:
    database = ENDPOINTS.database_url.replace("@/eduaid?", f"@/{connection.settings_dict['NAME']}?")
    answer = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _SEND_WITHOUT_BROKER],
        input=workbook({"S": table([LI, WANG])}),
        env=os.environ
        | {
            "DATABASE_URL": database,
            "REDIS_URL": "redis+socket:///nowhere/valkey.sock",
            "DJANGO_SETTINGS_MODULE": "eduaid.settings",
            "EDUAID_FILES": str(settings.FILES_DIR),
        },
        cwd=settings.BASE_DIR,
        capture_output=True,
        check=True,
    )
    upload = Upload.objects.get()
    assert answer.stdout.decode().split() == [str(upload.pk), "True"]
    assert upload.state == State.RECEIVED
    assert jobs.due_ids(Upload.objects.all()) == [upload.pk]
