"""Merging a marked workbook that came back into the list that it came from: what changed, and nothing else.

Changed cells become corrections with their author and are checked again; rows that nobody touched are not. Rows that are new
or gone wait for the person's word.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from django.db import transaction
from django.utils import timezone

from eduaid.core import files, returned, uploads
from eduaid.core.cells import Cell
from eduaid.core.intake import CELL, ROW, delivered_cells, reading_for
from eduaid.core.lists import ListKind, kind_of
from eduaid.core.models import CellEdit, Finding, ReturnedFile, Upload, UploadRow, UploadSheet, User
from eduaid.core.models.uploads import FindingLevel, RowState, State
from eduaid.core.returned import Change, GoneRow, NewRow, Plan
from eduaid.core.rows import Made, RowMaker
from eduaid.core.sealing import Opener, Sealer
from eduaid.core.uploads import NotAllowed, NotPossible

OPEN = (State.REVIEW, State.IN_FORCE)
# A few rows are matched one by one; beyond that one matching of the whole list is cheaper.
_FEW = 5


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
    kind = kind_of(upload.kind)
    rows = _corrected(upload, plan.changes, by)
    _check_again(upload, kind, rows)
    _withdraw(upload, gone)
    _add(upload, kind, plan, new)
    changed = [row for row in rows if row.state != RowState.REFUSED]
    if upload.applied_at is None and len(changed) + len(new) > _FEW:
        kind.destination.forget(upload)
        kind.destination.match(upload)
    else:
        if changed:
            kind.destination.rematch(changed)
        if new:
            kind.destination.match(upload)
    if upload.applied_at is None:
        uploads.compare(upload)
    uploads.count_rows(upload)
    upload.version += 1
    upload.save()


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


def _check_again(upload: Upload, kind: ListKind, rows: Sequence[UploadRow]) -> None:
    """Makes the rows anew from their cells and answers, with the code that made them the first time."""
    answers: dict[int, dict[tuple[str, str], str]] = defaultdict(dict)
    for finding in Finding.objects.filter(row__in=rows).exclude(answer=""):
        answers[finding.row_id or 0][finding.column, finding.code] = finding.answer
    Finding.objects.filter(row__in=rows, answer="").delete()
    makers = _Makers(upload)
    found: list[Finding] = []
    opener = Opener()
    for row in rows:
        cells: dict[str, Cell] = delivered_cells(row, opener)
        made = makers.of(row.sheet, list(cells)).make(row.number, list(cells.values()), answers[row.pk])
        found.extend(_findings(upload, row, made))
        row.digest, row.id_digest, row.registry_digest = made.digest, made.id_digest, made.registry_digest
        row.town_id, row.school_id = made.values.town_id, made.values.school_id
        row.set_facts(made.facts)
        row.slice_id = uploads.slice_for_row(upload, made.values) if made.state != RowState.REFUSED else None
        in_force = upload.applied_at is not None
        row.state = RowState.WAITING if in_force and made.state == RowState.ACCEPTED else made.state
    UploadRow.objects.bulk_update(
        rows,
        ["digest", "id_digest", "registry_digest", "town", "school", "facts", "slice", "state"],
        batch_size=500,
    )
    Finding.objects.bulk_create(found, batch_size=2000)


class _Makers:
    """One maker for each sheet and set of columns: what a column has learnt of a text serves all rows."""

    def __init__(self, upload: Upload) -> None:
        self._upload = upload
        self._known: dict[tuple[int, tuple[str, ...]], RowMaker] = {}

    def of(self, sheet: UploadSheet, keys: Sequence[str]) -> RowMaker:
        place = (sheet.pk, tuple(keys))
        if place not in self._known:
            reading = reading_for(self._upload, sheet=sheet)
            self._known[place] = RowMaker(reading.kind, reading, keys)
        return self._known[place]


def _findings(upload: Upload, row: UploadRow, made: Made) -> list[Finding]:
    return [
        Finding(
            upload=upload,
            sheet_id=row.sheet_id,
            row=row,
            number=row.number,
            column=found.column,
            code=found.code,
            level=found.level,
            params=dict(found.params),
        )
        for found in made.findings
    ]


def _withdraw(upload: Upload, gone: Sequence[GoneRow]) -> None:
    """Rows that the sender struck out are not taken, and stay on record as such."""
    ids = [row.row_id for row in gone]
    Finding.objects.filter(row__in=ids, answer="").delete()
    UploadRow.objects.filter(pk__in=ids).update(state=RowState.REFUSED, slice=None)
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


def _add(upload: Upload, kind: ListKind, plan: Plan, new: Sequence[NewRow]) -> None:
    """Writes the new rows into their sheet. One that was typed below all others keeps its number; the rest come after."""
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
    makers = _Makers(upload)
    rows: list[UploadRow] = []
    made_of: list[Made] = []
    for row in sorted(new, key=lambda row: (row.sheet_id, row.number)):
        number = row.number
        below = set(range(number, plan.last_rows[row.sheet_id] + 1))
        if number <= max(taken[row.sheet_id], default=0) or gone[row.sheet_id] or not below <= typed[row.sheet_id]:
            last[row.sheet_id] += 1
            number = last[row.sheet_id]
        made = makers.of(sheets[row.sheet_id], list(row.cells)).make(number, list(row.cells.values()))
        made_of.append(made)
        rows.append(
            UploadRow(
                upload=upload,
                sheet=sheets[row.sheet_id],
                number=number,
                state=made.state,
                slice_id=uploads.slice_for_row(upload, made.values) if made.state != RowState.REFUSED else None,
                town_id=made.values.town_id,
                school_id=made.values.school_id,
                id_digest=made.id_digest,
                registry_digest=made.registry_digest,
                digest=made.digest,
                facts=json.loads(made.facts),
                sealed=sealer.seal(made.sealed, ROW),
            )
        )
    found: list[Finding] = []
    twice = _numbers_of(upload, rows)
    UploadRow.objects.bulk_create(rows, batch_size=500)
    for stored, made in zip(rows, made_of, strict=True):
        found.extend(_findings(upload, stored, made))
        other = twice.get(bytes(stored.id_digest)) if stored.id_digest else None
        if other is not None and stored.state != RowState.REFUSED:
            stored.state = RowState.WAITING
            found.append(
                Finding(
                    upload=upload,
                    sheet_id=stored.sheet_id,
                    row=stored,
                    number=stored.number,
                    column=kind.id_column,
                    code="row-contradicts",
                    level=FindingLevel.ERROR,
                    params={"other": other},
                )
            )
        elif stored.id_digest:
            twice[bytes(stored.id_digest)] = stored.number
    UploadRow.objects.bulk_update(rows, ["state"], batch_size=500)
    Finding.objects.bulk_create(found, batch_size=2000)
    for sheet_id, sheet in sheets.items():
        sheet.rows += sum(1 for row in rows if row.sheet_id == sheet_id)
        sheet.save(update_fields=["rows"])


def _numbers_of(upload: Upload, rows: Sequence[UploadRow]) -> dict[bytes, int]:
    """Numbers of the new rows that the list names already → in which row."""
    asked = [row.id_digest for row in rows if row.id_digest]
    known = UploadRow.objects.filter(sheet__upload=upload, id_digest__in=asked).exclude(
        state__in=(RowState.REFUSED, RowState.REPEATED)
    )
    return {bytes(digest): number for digest, number in known.values_list("id_digest", "number") if digest}
