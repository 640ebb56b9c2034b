"""Checking rows again after their cells or answers have changed, with the code that made them the first time.

Only these rows are made anew, with those that share a number with them; the preview's numbers move by what these rows
change in them, so that the size of the list does not count.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence

from eduaid.core import missing, uploads
from eduaid.core.delivered import cells_of
from eduaid.core.intake import reading_for
from eduaid.core.lists import ListKind, RowFinding, kind_of
from eduaid.core.models import Finding, Upload, UploadRow, UploadSheet
from eduaid.core.models.uploads import FindingLevel, RowState
from eduaid.core.rows import Made, RowMaker
from eduaid.core.sealing import Opener
from eduaid.core.uploads import SlicePlace

_FIELDS = ["digest", "id_digest", "registry_digest", "town", "school", "facts", "slice", "state"]


def check_again(upload: Upload, rows: Sequence[UploadRow], *, whole: bool = False) -> None:
    """Makes the rows anew, asks again whom they speak of, and recounts the list. The caller holds the locks of list and rows;
    sheets are selected with the rows. `whole`: rows came or went as well, so the list is compared as a whole."""
    work = _Work(upload)
    work.make(rows)
    if upload.applied_at is None:
        work.make(_sharing(upload, work.numbers, but=rows))
    work.settle_repeats()
    destination, every = work.kind.destination, list(work.rows)
    # A slice that a correction opens covers people of whom nothing is known here: then the whole list is compared.
    moves = upload.applied_at is None and not work.opened and not whole
    before = destination.touched(upload, every) if moves else None
    work.store()
    ready = work.ready
    destination.rematch(ready, unclear=[row for row in work.rows.values() if row not in ready])
    if before is not None:
        after = destination.touched(upload, every, before.near)
        upload.rows_added += after.added - before.added
        upload.rows_changed += after.changed - before.changed
        upload.rows_unchanged += after.unchanged - before.unchanged
        missing.follow(upload, after.near, after.missing)
    elif upload.applied_at is None:
        uploads.compare(upload)
    uploads.count_rows(upload)
    upload.version += 1
    upload.save()


def _sharing(upload: Upload, numbers: Collection[bytes], *, but: Sequence[UploadRow]) -> list[UploadRow]:
    """The other rows of the list that carry one of these numbers: they were told apart by what the changed rows said."""
    if not numbers:
        return []
    found = UploadRow.objects.select_for_update(of=("self",)).filter(sheet__upload=upload, id_digest__in=numbers)
    return list(
        found.exclude(pk__in=[row.pk for row in but])
        .exclude(state=RowState.REFUSED)
        .select_related("sheet")
        .order_by("pk")
    )


class _Work:
    """The rows being made anew, in memory until they are stored together."""

    def __init__(self, upload: Upload) -> None:
        self.upload = upload
        self.kind: ListKind = kind_of(upload.kind)
        self.rows: dict[int, UploadRow] = {}
        self.numbers: set[bytes] = set()
        """Every number that the rows carried or carry."""
        self.opened = False
        self._findings: dict[int, list[RowFinding]] = {}
        self._subkeys: dict[int, str] = {}
        self._makers: dict[tuple[int, tuple[str, ...]], RowMaker] = {}
        self._slices: dict[SlicePlace, int] = {
            (town, school, subkey): pk
            for pk, town, school, subkey in upload.slices.values_list("pk", "town_id", "school_id", "subkey")
        }

    @property
    def ready(self) -> list[UploadRow]:
        """Rows of which nothing is wrong any more: it may be asked whom they speak of."""
        return [row for pk, row in self.rows.items() if row.state != RowState.REPEATED and not self._holds(pk)]

    def make(self, rows: Sequence[UploadRow]) -> None:
        answers: dict[int, dict[tuple[str, str], str]] = defaultdict(dict)
        for finding in Finding.objects.filter(row__in=[row.pk for row in rows]).exclude(answer=""):
            answers[finding.row_id or 0][finding.column, finding.code] = finding.answer
        cells = cells_of(rows, Opener())
        for row in rows:
            keys = tuple(cells[row.pk])
            made = self._maker(row.sheet, keys).make(row.number, list(cells[row.pk].values()), answers[row.pk])
            self._take(row, made)

    def _maker(self, sheet: UploadSheet, keys: tuple[str, ...]) -> RowMaker:
        """What a column has learnt of a text serves all rows."""
        if (sheet.pk, keys) not in self._makers:
            same = next((maker.reading for (pk, _), maker in self._makers.items() if pk == sheet.pk), None)
            reading = same or reading_for(self.upload, sheet=sheet)
            self._makers[sheet.pk, keys] = RowMaker(reading.kind, reading, keys)
        return self._makers[sheet.pk, keys]

    def _take(self, row: UploadRow, made: Made) -> None:
        self.numbers.update(bytes(number) for number in (row.id_digest, made.id_digest) if number)
        self.rows[row.pk] = row
        self._findings[row.pk] = list(made.findings)
        self._subkeys[row.pk] = made.values.subkey
        row.digest, row.id_digest, row.registry_digest = made.digest, made.id_digest, made.registry_digest
        row.town_id, row.school_id = made.values.town_id, made.values.school_id
        row.set_facts(made.facts)
        place = uploads.slice_place(self.kind, made.values)
        row.slice_id = self._slice(place) if place and made.state != RowState.REFUSED else None
        # A row of a list in force that is right now takes force with the next approval.
        late = self.upload.applied_at is not None and made.state == RowState.ACCEPTED
        row.state = RowState.WAITING if late else made.state

    def _slice(self, place: SlicePlace) -> int:
        if place not in self._slices:
            self._slices[place] = uploads.open_slice(self.upload, place).pk
            self.opened = True
        return self._slices[place]

    def _holds(self, pk: int) -> bool:
        """Whether something keeps the row from going in."""
        return self.rows[pk].state == RowState.REFUSED or any(
            found.level in (FindingLevel.ERROR, FindingLevel.ASK) for found in self._findings[pk]
        )

    def settle_repeats(self) -> None:
        """R01, R02 for the numbers of these rows, by the rules of the whole list (`intake`)."""
        people: dict[tuple[bytes, str], list[UploadRow]] = defaultdict(list)
        for row in sorted(self.rows.values(), key=lambda row: (row.sheet.file_id, row.sheet.position, row.number)):
            if row.id_digest and row.state != RowState.REFUSED:
                people[bytes(row.id_digest), self._subkeys[row.pk]].append(row)
        if self.upload.applied_at is not None:
            self._contradict_those_in_force(people)
            return
        for rows in people.values():
            first: dict[bytes, UploadRow] = {}
            for row in rows:
                same = first.setdefault(bytes(row.digest), row)
                if same is not row:
                    row.state = RowState.REPEATED
                    self._findings[row.pk] = [RowFinding("", "row-repeated", FindingLevel.HINT, {"first": same.number})]
            if len(first) > 1:
                for row in first.values():
                    other = rows[-1].number if row is rows[0] else rows[0].number
                    self._contradict(row, other)

    def _contradict(self, row: UploadRow, other: int) -> None:
        row.state = RowState.WAITING
        self._findings[row.pk].append(RowFinding(self.kind.id_column, "row-contradicts", params={"other": other}))

    def _contradict_those_in_force(self, people: dict[tuple[bytes, str], list[UploadRow]]) -> None:
        """Rows in force stay as they are; a late row that carries their number waits."""
        known = UploadRow.objects.filter(sheet__upload=self.upload, id_digest__in=[number for number, _ in people])
        for number, digest, subkey, pk in known.exclude(state__in=(RowState.REFUSED, RowState.REPEATED)).values_list(
            "number", "id_digest", "slice__subkey", "pk"
        ):
            for row in people.get((bytes(digest or b""), subkey or ""), ()):
                if row.pk != pk and pk not in self.rows:
                    self._contradict(row, number)

    def store(self) -> None:
        Finding.objects.filter(row__in=list(self.rows), answer="").delete()
        UploadRow.objects.bulk_update(self.rows.values(), _FIELDS, batch_size=500)
        Finding.objects.bulk_create(
            (
                Finding(
                    upload=self.upload,
                    sheet_id=row.sheet_id,
                    row=row,
                    number=row.number,
                    column=found.column,
                    code=found.code,
                    level=found.level,
                    params=dict(found.params),
                )
                for pk, row in self.rows.items()
                for found in self._findings[pk]
            ),
            batch_size=2000,
        )
