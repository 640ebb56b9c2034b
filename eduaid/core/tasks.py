"""Tasks: they take ids, are idempotent, and call one function; the outcome stands on the upload's row."""

from __future__ import annotations

import structlog
from celery import shared_task

from eduaid.core import intake, jobs, uploads
from eduaid.core.intake import NothingToRead
from eduaid.core.jobs import Cancelled, Lease, LeaseLost, Pulse
from eduaid.core.models import Upload
from eduaid.core.models.uploads import State
from eduaid.core.parser import ParserKilled
from eduaid.core.preflight import FileRefused
from eduaid.core.scope import everything
from eduaid.core.uploads import NotAllowed

log = structlog.get_logger("eduaid.tasks")


@shared_task(name="eduaid.core.tasks.advance", ignore_result=True)
def advance(upload_id: int) -> None:
    """Does what the upload's state asks for: reads it, puts it in force, or compares it anew. Nothing, when somebody is at it."""
    with everything():
        claimed = jobs.claim(Upload.objects.all(), upload_id)
        if claimed is None:
            return
        upload, lease = claimed
        if upload.failures >= jobs.MAX_FAILURES:
            uploads.fail(upload_id, "处理时连续出错，已保留文件。请点“重试”，或联系县局管理员。", state=State.FAILED)
            jobs.release(lease)
            return
        with jobs.heartbeat(lease) as pulse:
            _advance(upload, lease, pulse)
        if upload_id in jobs.due_ids(Upload.objects.filter(pk=upload_id, failures=0)):
            uploads.wake(upload)  # the next stage was asked for meanwhile; a failed one waits for the sweeper


def _advance(upload: Upload, lease: Lease, pulse: Pulse) -> None:
    try:
        if upload.state == State.RECEIVED:
            intake.read(upload.pk, lease, pulse)
        elif upload.state == State.APPROVED:
            pulse.report("apply")
            uploads.apply(upload.pk, lease)
        elif upload.state in (State.REVIEW, State.SUBMITTED):
            uploads.renew(upload.pk, lease)
    except FileRefused as refusal:
        uploads.fail(upload.pk, refusal.sentence, state=State.REFUSED)
    except NothingToRead as refusal:
        uploads.fail(upload.pk, str(refusal), state=State.REFUSED)
    except NotAllowed as refusal:
        uploads.not_applied(upload.pk, str(refusal))
    except ParserKilled:
        if upload.failures + 1 < jobs.MAX_FAILURES:
            log.warning("reading process killed", upload=upload.pk, failures=upload.failures + 1)
            jobs.release(lease, failed=True)
            return
        uploads.fail(upload.pk, FileRefused("memory").sentence, state=State.FAILED)
    except (LeaseLost, Cancelled):
        # Somebody else has the row now, or the user ended it; this attempt has been rolled back.
        log.info("upload left", upload=upload.pk, attempt=lease.attempt)
        return
    except Exception:
        # Whatever broke: counted on the row, due again, and the traceback goes to the log.
        jobs.release(lease, failed=True)
        raise
    jobs.release(lease)


@shared_task(name="eduaid.core.tasks.sweep", ignore_result=True)
def sweep() -> None:
    """Wakes workers for rows that are due: new ones whose message was lost, and those whose worker has died."""
    with everything():
        for pk in jobs.due_ids(Upload.objects.all()):
            advance.delay(pk)
