"""Lease and fence: one worker at a time, and a dead one's work is taken over and rolled back."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import transaction
from django.db.models.functions import Now

from eduaid.core import jobs, uploads
from eduaid.core.jobs import LeaseLost
from eduaid.core.lists import kind_of
from eduaid.core.models import Upload
from tests.small_county import SmallCounty, table, workbook

ROWS = [{"姓名": "李小雨", "身份证号": ""}]


@pytest.fixture
def upload(county: SmallCounty) -> Upload:
    return uploads.receive(
        kind=kind_of("population"),
        contents=[("名单.xlsx", workbook({"S": table(ROWS)}))],
        place=county.a,
        effective_on=dt.date(2026, 9, 1),
        by=county.user("town-a"),
    )


def test_a_job_is_claimed_once(upload: Upload) -> None:
    claimed = jobs.claim(Upload.objects.all(), upload.pk)
    assert claimed is not None
    assert claimed[1].attempt == 1
    assert jobs.claim(Upload.objects.all(), upload.pk) is None
    assert jobs.due_ids(Upload.objects.all()) == []


def test_a_lease_that_ran_out_is_due_again_and_fences_its_old_holder(upload: Upload) -> None:
    first = jobs.claim(Upload.objects.all(), upload.pk)
    assert first is not None
    Upload.objects.update(lease_until=Now() - dt.timedelta(seconds=1))
    assert jobs.due_ids(Upload.objects.all()) == [upload.pk]
    second = jobs.claim(Upload.objects.all(), upload.pk)
    assert second is not None
    assert second[1].attempt == 2
    with pytest.raises(LeaseLost), transaction.atomic():
        jobs.fence(first[1])
    with transaction.atomic():
        jobs.fence(second[1])


def test_cancelling_fences_the_worker_that_is_at_it(county: SmallCounty, upload: Upload) -> None:
    claimed = jobs.claim(Upload.objects.all(), upload.pk)
    assert claimed is not None
    uploads.cancel(upload, by=county.user("town-a"))
    with pytest.raises(LeaseLost), transaction.atomic():
        jobs.fence(claimed[1])


def test_failures_are_counted_and_forgotten_after_a_success(upload: Upload) -> None:
    claimed = jobs.claim(Upload.objects.all(), upload.pk)
    assert claimed is not None
    jobs.release(claimed[1], failed=True)
    upload.refresh_from_db()
    assert (upload.failures, upload.due, upload.lease_until) == (1, True, None)
    again = jobs.claim(Upload.objects.all(), upload.pk)
    assert again is not None
    jobs.release(again[1])
    upload.refresh_from_db()
    assert (upload.failures, upload.due, upload.lease_until) == (0, True, None)


def test_what_is_asked_for_before_a_lease_is_given_back_is_not_lost(upload: Upload) -> None:
    """An approval that comes between the commit of the reading and the release of its lease."""
    claimed = jobs.claim(Upload.objects.all(), upload.pk)
    assert claimed is not None
    Upload.objects.update(due=False)  # the stage's own last word
    Upload.objects.update(due=True)  # somebody approves
    jobs.release(claimed[1])
    assert jobs.due_ids(Upload.objects.all()) == [upload.pk]
