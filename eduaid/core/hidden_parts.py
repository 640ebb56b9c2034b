"""What a workbook hides (rows, columns, whole sheets) and its sender's word on it. Counted in until then, and told either way."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from eduaid.core import uploads
from eduaid.core.findings import sentence
from eduaid.core.intake import COUNT, HIDDEN_PARTS, LEAVE, read_again
from eduaid.core.models import Finding, Upload, UploadSheet, User
from eduaid.core.models.uploads import State
from eduaid.core.uploads import NotAllowed, NotPossible

ANSWERS = {COUNT: "计入", LEAVE: "不计入"}
_CODES = {f"{part}-hidden{end}": part for part in HIDDEN_PARTS for end in ("", "-left")}


@dataclass(frozen=True)
class Question:
    """One hidden part of one sheet. `answer` is empty while nobody has decided."""

    sheet_id: int
    part: str
    text: str
    answer: str
    answered_by: str


def of(upload: Upload) -> list[Question]:
    """In the order of the workbook; one query."""
    found = Finding.objects.filter(upload=upload, code__in=_CODES, sheet__isnull=False).select_related("answered_by")
    return [
        Question(
            finding.sheet_id or 0,
            _CODES[finding.code],
            f"{sentence(finding.code, finding.params)}。",
            # Somebody who only took note of it has decided nothing.
            finding.answer if finding.answer in ANSWERS else "",
            str(finding.answered_by or ""),
        )
        for finding in found.order_by("sheet_id", "id")
    ]


def may_decide(upload: Upload, user: User) -> bool:
    """Before the list goes to the bureau, by those who work on it."""
    return (
        upload.state in (State.REVIEW, State.MAPPING)
        and upload.applied_at is None
        and uploads.may_work_on(upload, user)
    )


@transaction.atomic
def decide(sheet: UploadSheet, part: str, answer: str, *, by: User) -> Upload:
    """Counts the part in or leaves it out. What changes the rows reads the list again; what confirms them does not.

    Raises NotAllowed, NotPossible: corrections made on the page would be lost by reading again.
    """
    upload = uploads.locked(sheet.upload_id, states=[State.REVIEW, State.MAPPING])
    if not uploads.may_work_on(upload, by):
        raise NotAllowed("只有上传人所在单位可以修改这份名单。")
    finding = Finding.objects.filter(sheet=sheet, code__in=[code for code, of in _CODES.items() if of == part]).first()
    if answer not in ANSWERS or finding is None:
        raise NotPossible("这张表没有这样的隐藏内容，请按最新的核对结果继续。")
    was = sheet.decisions.get(part, [COUNT])[0]
    if answer != was:
        if upload.applied_at is not None or uploads.is_corrected(upload):
            raise NotPossible("名单已有改动，不能再改变隐藏内容的处理。需要时请放弃本次导入，再上传一次。")
        hidden = {"rows": finding.params.get("rows", 0), "sheet": sheet.rows}.get(part, 0)
        if answer == LEAVE and hidden and hidden >= upload.rows_read > 0:
            raise NotPossible("全部数据行都是隐藏的，不计入就一行也不剩。请核对原表。")
    sheet.decisions = {**sheet.decisions, part: [answer, by.pk]}
    sheet.save(update_fields=["decisions"])
    if answer == was:
        Finding.objects.filter(pk=finding.pk).update(answer=answer, answered_by=by, answered_at=timezone.now())
    elif upload.state == State.REVIEW:
        read_again(upload)
    else:
        # The columns are still asked; their answer reads the list again anyway.
        Finding.objects.filter(pk=finding.pk).update(answer=answer, answered_by=by, answered_at=timezone.now())
    return upload
