"""Merging a marked workbook that came back into the list that it came from: what changed, and nothing else.

Changed cells become corrections with their author and are checked again; rows that nobody touched are not. Rows that are new
or gone wait for the person's word.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from django.db import transaction
from django.utils import timezone

from eduaid.core import files, returned, uploads
from eduaid.core.intake import CELL, ROW
from eduaid.core.models import CellEdit, Finding, ReturnedFile, Upload, UploadRow, User
from eduaid.core.models.uploads import FindingLevel, RowState, State
from eduaid.core.rechecking import check_again
from eduaid.core.returned import Change, GoneRow, NewRow, Plan
from eduaid.core.rows import as_delivered
from eduaid.core.sealing import Sealer
from eduaid.core.uploads import NotAllowed, NotPossible

OPEN = (State.REVIEW, State.IN_FORCE)


@transaction.atomic
def keep(upload: Upload, contents: Sequence[tuple[str, bytes]], *, by: User) -> list[ReturnedFile]:
    """Takes corrected workbooks in, sealed, without merging anything. Raises NotAllowed, NotPossible."""
    upload = _open(upload, by)
    if not contents:
        raise NotPossible("没有选择文件。请选择改好的表。")
    stored: list[str] = []
    try:
        for _, data in contents:
            stored.append(files.store(data, upload.data_key))
    except files.NotStored as error:
        for name in stored:
            files.forget(name)
        raise NotPossible("服务器磁盘空间不足或不可写，文件没有收下。请联系县局管理员清理磁盘后再传一次。") from error
    now = timezone.now()
    return [
        ReturnedFile.objects.create(
            upload=upload,
            at=now,
            name=_shown(name),
            size=len(data),
            sha256=hashlib.sha256(data).hexdigest(),
            stored_as=place,
            by=by,
        )
        for (name, data), place in zip(contents, stored, strict=True)
    ]


def _shown(name: str) -> str:
    return "".join(filter(str.isprintable, name.replace("\\", "/").rpartition("/")[2]))[-255:] or "未命名"


def together(file: ReturnedFile) -> list[ReturnedFile]:
    """The workbooks that came in the same sending."""
    return list(ReturnedFile.objects.filter(upload=file.upload_id, by=file.by_id, at=file.at).order_by("pk"))


def plan_of(upload: Upload, came: Iterable[ReturnedFile]) -> Plan:
    """What these workbooks change as the list stands now. Raises FileRefused, NotReturned."""
    return returned.compare(upload, [(file.name, files.load(file.stored_as)) for file in came])


@transaction.atomic
def merge(
    upload: Upload, came: Sequence[ReturnedFile], *, by: User, take_new: bool = False, drop_gone: bool = False
) -> Plan:
    """Merges the changed cells, and, where the person says so, adds the new rows and withdraws those that are gone.

    Looks at the workbooks again under the list's lock, so that corrections made meanwhile on the page are not lost.
    """
    upload = _open(upload, by)
    if any(file.merged_at for file in came):
        raise NotPossible("这个文件已经合并过了，请看最新的核对结果。")
    plan = plan_of(upload, came)
    new = plan.new if take_new and upload.applied_at is None else []
    gone = plan.gone if drop_gone and upload.applied_at is None else []
    if plan.changes or new or gone:
        _write(upload, plan, new, gone, by)
    now = timezone.now()
    for file in came:
        file.merged_at, file.cells_changed, file.rows_changed = now, len(plan.changes), plan.rows_changed
        file.rows_added, file.rows_withdrawn = len(new), len(gone)
        file.save()
    return plan


def _open(upload: Upload, by: User) -> Upload:
    found = uploads.locked(upload.pk, states=OPEN)
    if not uploads.may_work_on(found, by):
        raise NotAllowed("只有上传人所在单位可以修改这份名单。")
    return found


def _write(upload: Upload, plan: Plan, new: Sequence[NewRow], gone: Sequence[GoneRow], by: User) -> None:
    """Everything that the workbooks change is checked together, so that a number which one row takes and another gives up
    is judged once, as it stands in the end."""
    rows = [*_corrected(upload, plan.changes, by), *_add(upload, plan, new)]
    rows += _withdraw(upload, gone, but=rows)
    check_again(upload, rows, whole=bool(new or gone))


def _corrected(upload: Upload, changes: Sequence[Change], by: User) -> list[UploadRow]:
    """Lays the corrected cells over the delivered ones; earlier answers about these cells were about other values."""
    sealer = Sealer(upload.data_key)
    CellEdit.objects.bulk_create(
        CellEdit(
            row_id=change.row_id,
            upload=upload,
            column=change.column,
            sealed=sealer.seal(change.now.encode(), CELL),
            by=by,
        )
        for change in changes
    )
    cells = {(change.row_id, change.column) for change in changes}
    rows = {change.row_id for change in changes}
    answered = Finding.objects.filter(row__in=rows).exclude(answer="").values_list("pk", "row_id", "column")
    Finding.objects.filter(pk__in=[pk for pk, row, column in answered if (row, column) in cells]).delete()
    found = UploadRow.objects.select_for_update(of=("self",)).filter(pk__in=rows).select_related("sheet")
    return list(found.order_by("pk"))


def _withdraw(upload: Upload, gone: Sequence[GoneRow], *, but: Sequence[UploadRow]) -> list[UploadRow]:
    """Rows that the sender struck out are not taken, and stay on record as such. Returns the rows that share a number with
    one of them, which may have waited for nothing else."""
    ids = [row.row_id for row in gone]
    Finding.objects.filter(row__in=ids, answer="").delete()
    rows = UploadRow.objects.filter(sheet__upload=upload)
    numbers = list(rows.filter(pk__in=ids).exclude(id_digest=None).values_list("id_digest", flat=True))
    rows.filter(pk__in=ids).update(state=RowState.REFUSED, slice=None)
    Finding.objects.bulk_create(
        Finding(
            upload=upload,
            sheet_id=row.sheet_id,
            row_id=row.row_id,
            number=row.number,
            code="row-withdrawn",
            level=FindingLevel.WARNING,
        )
        for row in gone
    )
    sharing = rows.filter(id_digest__in=numbers).exclude(state=RowState.REFUSED).exclude(pk__in=[row.pk for row in but])
    return list(sharing.select_for_update(of=("self",)).select_related("sheet").order_by("pk"))


def _add(upload: Upload, plan: Plan, new: Sequence[NewRow]) -> list[UploadRow]:
    """Writes the new rows into their sheet, still to be checked. One that was typed below all others keeps its number; the
    rest come after."""
    sealer = Sealer(upload.data_key)
    sheets = {sheet.pk: sheet for sheet in upload.sheets.filter(pk__in={row.sheet_id for row in new})}
    # Rows that were put in or struck out moved the others: the sheet as it was delivered ends where it did, footers and all.
    gone, come = Counter(row.sheet_id for row in plan.gone), Counter(row.sheet_id for row in new)
    last = {sheet: number + gone[sheet] - come[sheet] for sheet, number in plan.last_rows.items()}
    taken: dict[int, set[int]] = defaultdict(set)
    for sheet_id, number in UploadRow.objects.filter(sheet__in=sheets).values_list("sheet_id", "number"):
        taken[sheet_id].add(number)
        last[sheet_id] = max(last[sheet_id], number)
    typed = {sheet_id: {row.number for row in new if row.sheet_id == sheet_id} for sheet_id in sheets}
    rows: list[UploadRow] = []
    for row in sorted(new, key=lambda row: (row.sheet_id, row.number)):
        number = row.number
        below = set(range(number, plan.last_rows[row.sheet_id] + 1))
        if number <= max(taken[row.sheet_id], default=0) or gone[row.sheet_id] or not below <= typed[row.sheet_id]:
            last[row.sheet_id] += 1
            number = last[row.sheet_id]
        sealed = sealer.seal(as_delivered(row.cells), ROW)
        rows.append(
            # Refused until it has been checked.
            UploadRow(
                upload=upload,
                sheet=sheets[row.sheet_id],
                number=number,
                state=RowState.REFUSED,
                digest=b"",
                facts={},
                sealed=sealed,
            )
        )
    UploadRow.objects.bulk_create(rows, batch_size=500)
    for sheet_id, sheet in sheets.items():
        sheet.rows += sum(1 for row in rows if row.sheet_id == sheet_id)
        sheet.save(update_fields=["rows"])
    return rows
