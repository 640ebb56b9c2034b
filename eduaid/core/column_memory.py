"""Forgetting how a place writes its columns, when what was remembered turns out wrong."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Q, QuerySet

from eduaid.core import uploads, value_memory
from eduaid.core.models import ColumnMemory, Upload, User
from eduaid.core.models.uploads import State
from eduaid.core.uploads import NotAllowed, NotPossible


def of_place(upload: Upload) -> QuerySet[ColumnMemory]:
    """What the list's own place remembers of this kind."""
    place = Q(school=upload.school_id) if upload.school_id else Q(region=upload.town_id or upload.region_id)
    return ColumnMemory.objects.filter(place, kind=upload.kind)


def may_forget(upload: Upload, user: User) -> bool:
    """Before anything was corrected or came into force, by those who work on the list."""
    return (
        upload.state in (State.MAPPING, State.REVIEW)
        and upload.applied_at is None
        and uploads.may_work_on(upload, user)
        and (of_place(upload).exists() or value_memory.of_place(upload).exists())
        and not uploads.is_corrected(upload)
    )


@transaction.atomic
def forget(upload: Upload, *, by: User) -> Upload:
    """Drops the memory and reads the list again, asking anew what is not certain."""
    upload = uploads.locked(upload.pk, states=[State.MAPPING, State.REVIEW])
    if not uploads.may_work_on(upload, by):
        raise NotAllowed("只有上传人所在单位可以修改这份名单。")
    if upload.applied_at is not None or uploads.is_corrected(upload):
        raise NotPossible("名单已有改动或已经生效，不能重新读取。需要时请放弃本次导入，再上传一次。")
    of_place(upload).delete()
    value_memory.of_place(upload).delete()
    upload.sheets.update(mapping={})
    upload.state, upload.due, upload.stage = State.RECEIVED, True, ""
    upload.save(update_fields=["state", "due", "stage"])
    uploads.wake(upload)
    return upload
