"""The numbers behind the masks: opened one at a time from the sealed row or correction that the value comes from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from eduaid.core.intake import delivered
from eduaid.core.lists import kind_of
from eduaid.core.models import UploadRow
from eduaid.core.scope import EVERYTHING, row_security
from eduaid.core.sealing import Opener, digest
from eduaid.core.text import mask_phone, parse_id, parse_phone, parse_xueji
from eduaid.core.text.results import Parsed
from students.actions import SEALED_AS
from students.models import Student
from students.precedence import HARDSHIP, POPULATION, POVERTY, REGISTRY, ROSTER
from students.provenance import Provenance, Source


class NotOnFile(Exception):
    """No list in force gives the number; the sentence says so."""


@dataclass(frozen=True)
class Number:
    """One kind of thing that a page hides. `columns`: where lists keep it; identity numbers have rules of their own.

    `is_contact`: shown to the side that delivered it only, and for calling the family without a fresh log-in.
    """

    key: str
    label: str
    columns: tuple[str, ...] = ()
    is_contact: bool = False
    purpose: str = ""


NUMBERS: dict[str, Number] = {
    number.key: number
    for number in (
        Number("id", "证件号码"),
        Number("registry", "学籍号"),
        Number("guardian-phone", "监护人电话", ("guardian_phone", "guardian2_phone"), True, "联系家长"),
        Number("phone", "联系电话", ("phone",), True, "联系家长"),
        Number("address", "现住址", ("address",), True),
    )
}
CONTACTS = tuple(number for number in NUMBERS.values() if number.is_contact)

# Who is closest to the family: the school that the child sits in.
_CONTACT_ORDER = (ROSTER, REGISTRY, POPULATION, POVERTY, HARDSHIP)


def in_full(number: Number, student: Student, provenance: Provenance) -> str:
    """The number's text. Raises NotOnFile, and sealing.Unreadable where the key is gone."""
    if number.key == "id":
        return _id_number(student, provenance)
    if number.key == "registry":
        return _registry_number(student, provenance)
    for text in _contact(number, _contact_sources(provenance), Opener()):
        return text
    raise NotOnFile(f"生效的名单里没有填写{number.label}。")


def masked_contacts(provenance: Provenance) -> list[tuple[Number, str]]:
    """What the reader's own lists say of how to reach the family, masked; things that no list says are left out."""
    sources = _contact_sources(provenance)
    opener = Opener()
    found = []
    for number in CONTACTS:
        for text in _contact(number, sources, opener):
            found.append((number, "已隐藏" if number.key == "address" else mask_phone(_tidy_phone(text))))
            break
    return found


def opened(row: UploadRow, opener: Opener) -> dict[str, str]:
    """The delivered texts of a row that the reader may see, with the cells corrected on the check page, whoever did that."""
    with row_security(EVERYTHING, local=True):
        return delivered(row, opener)


def _contact_sources(provenance: Provenance) -> list[tuple[Source, UploadRow]]:
    """The picked row of each kind that the reader's side has delivered, the closest to the family first."""
    picked = [source for kind in _CONTACT_ORDER if (source := provenance.picked(kind)) and source.in_scope]
    # Unordered: the order of rows goes by way of their lists, and a county-wide list is beyond a township's sight.
    rows = UploadRow.objects.order_by().in_bulk([source.row_id for source in picked])
    return [(source, rows[source.row_id]) for source in picked if source.row_id in rows]


def _contact(number: Number, sources: Sequence[tuple[Source, UploadRow]], opener: Opener) -> Iterable[str]:
    for source, row in sources:
        known = {column.key for column in kind_of(source.kind).columns}
        if not known & set(number.columns):
            continue
        cells = opened(row, opener)
        yield from (cells[column] for column in number.columns if cells.get(column))


def _tidy_phone(text: str) -> str:
    found = parse_phone(text)
    return found.value if isinstance(found, Parsed) else text


def _id_number(student: Student, provenance: Provenance) -> str:
    correction = provenance.origins["id"].correction
    if correction is not None and correction.sealed is not None:
        return Opener().open(correction.sealed, SEALED_AS).decode()
    mark = bytes(student.id_digest) if student.id_digest else b""
    for source, cells in _opened(s for s in provenance.sources if s.in_force and s.id_digest == mark):
        found = parse_id(cells.get(kind_of(source.kind).id_column, ""), student.id_type or "1")
        if isinstance(found, Parsed):
            return found.value.number
    raise NotOnFile("生效的名单里没有可用的证件号码。")


def _registry_number(student: Student, provenance: Provenance) -> str:
    mark = bytes(student.registry_digest) if student.registry_digest else b""
    for _, cells in _opened(s for s in provenance.sources if s.in_force and s.registry_digest == mark):
        for column in ("registry_number", "registry_continuation", "registry_auxiliary"):
            found = parse_xueji(cells.get(column, ""))
            if isinstance(found, Parsed) and digest("registry", found.value.number) == mark:
                return found.value.number
    raise NotOnFile("生效的名单里没有学籍号。")


def _opened(sources: Iterable[Source]) -> Iterable[tuple[Source, dict[str, str]]]:
    """Rows that carry the child's own number, opened one after the other, the reader's own first.

    Identity is known to both sides of a child, so a row beyond the reader's scope may give the number.
    """
    opener = Opener()
    for source in sorted(sources, key=lambda source: not source.in_scope):
        with row_security(EVERYTHING, local=True):
            row = UploadRow.objects.get(pk=source.row_id)
        yield source, opened(row, opener)
