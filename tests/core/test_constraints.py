"""Invariants that the database holds by itself, whatever a program forgets."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from threading import Thread

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from eduaid.core.models import (
    ListSlice,
    Post,
    Region,
    School,
    SchoolYear,
    Term,
    Upload,
    UploadFile,
    UploadRow,
    UploadSheet,
)
from eduaid.core.models.accounts import Duty, RoleKey
from eduaid.core.scope import everything
from eduaid.core.sealing import new_data_key
from students.models import Correction, Enrolment, Identifier, Student
from tests.small_county import SmallCounty


def an_upload(county: SmallCounty, **fields: object) -> Upload:
    return Upload.objects.create(
        **{
            "kind": "population", "region": county.a, "town": county.a, "effective_on": dt.date(2026, 9, 1),
            "idempotency_key": "k", "data_key": new_data_key("list"), "uploaded_by": county.user("town-a"),
        }
        | fields
    )  # fmt: skip


def a_slice(county: SmallCounty, upload: Upload) -> ListSlice:
    return ListSlice.objects.create(
        upload=upload, kind="population", mode="complete", town=county.a, effective_on=dt.date(2026, 9, 1),
        applied_at=timezone.now(), is_current=True,
    )  # fmt: skip


def a_row(county: SmallCounty, **fields: object) -> UploadRow:
    upload = an_upload(county)
    file = UploadFile.objects.create(upload=upload, position=0, name="名册.xlsx", size=1, sha256="", stored_as="")
    sheet = UploadSheet.objects.create(file=file, upload=upload, position=0, name="一班")
    given = {"upload": upload, "sheet": sheet, "slice": a_slice(county, upload), "number": 2, "state": "A"} | fields
    return UploadRow.objects.create(digest=b"0" * 16, sealed=b"", **given)


NOBODY = 999_999


def post(county: SmallCounty, name: str, role: RoleKey, duty: Duty, **fields: object) -> Post:
    return Post.objects.create(
        **{"user": county.user(name), "role": role, "duty": duty, "region": county.home, "from_on": dt.date(2026, 1, 1)}
        | fields
    )


def correction(county: SmallCounty, **fields: object) -> Correction:
    student = Student.objects.create(name="李小雨")
    return Correction.objects.create(
        **{
            "student": student, "concept": "name", "values": {}, "replaced": {}, "reason": "核对户口簿",
            "made_by": county.user("data"),
        }
        | fields
    )  # fmt: skip


def twice(make: Callable[[], object]) -> None:
    make()
    make()


BREAKS: dict[str, Callable[[SmallCounty], object]] = {
    "post_duties_exclude_one_another": lambda c: post(c, "sysadmin", RoleKey.LEADER, Duty.BUSINESS),
    "post_at_a_region_or_a_school": lambda c: post(c, "county", RoleKey.LEADER, Duty.BUSINESS, school=c.primary_a),
    "post_ends_after_start": lambda c: post(c, "county", RoleKey.LEADER, Duty.BUSINESS, until_on=dt.date(2025, 1, 1)),
    "region_one_home_county": lambda c: Region.objects.create(code="990122", name="另县", level="county", is_home=True),
    "region_home_is_county": lambda c: Region.objects.filter(pk=c.home.pk).update(level="township"),
    "region_code_once": lambda c: Region.objects.create(code=c.a.code, name="重", level="township"),
    "region_merged_has_ended": lambda c: Region.objects.filter(pk=c.village_a.pk).update(merged_into=c.village_b),
    "school_inside_lies_in_a_township": lambda c: School.objects.filter(pk=c.primary_a.pk).update(town=None),
    "schoolyear_no_overlap": lambda c: SchoolYear.objects.create(
        label="重叠", starts_on=dt.date(2026, 10, 1), ends_on=dt.date(2027, 10, 1)
    ),
    "term_no_overlap": lambda c: Term.objects.create(
        year=c.term.year, season="spring", starts_on=dt.date(2026, 12, 1), ends_on=dt.date(2027, 6, 1)
    ),
    "upload_once_while_not_ended": lambda c: twice(lambda: an_upload(c)),
    "upload_covers_a_region_or_a_school": lambda c: an_upload(c, school=c.primary_a),
    "upload_in_force_was_approved": lambda c: an_upload(c, state="in-force"),
    "upload_approved_by_another": lambda c: an_upload(c, approved_by=c.user("town-a")),
    "upload_every_row_accounted_for": lambda c: an_upload(
        c, state="in-force", approved_by=c.user("leader"), applied_at=timezone.now(), rows_read=3, rows_accepted=2
    ),
    "upload_undone_by_somebody": lambda c: an_upload(c, state="undone"),
    "listslice_one_complete_list_in_force": lambda c: [
        a_slice(c, an_upload(c)),
        a_slice(c, an_upload(c, idempotency_key="l")),
    ],  # fmt: skip
    "listslice_current_was_applied": lambda c: ListSlice.objects.create(
        upload=an_upload(c),
        kind="population",
        mode="complete",
        town=c.a,
        effective_on=dt.date(2026, 9, 1),
        is_current=True,
    ),
    "identifier_names_one_child": lambda c: twice(
        lambda: Identifier.objects.create(kind="id", digest=b"0" * 16, student=Student.objects.create())
    ),
    "enrolment_named_by_a_list": lambda c: Enrolment.objects.create(
        student=Student.objects.create(), term=c.term, school=c.primary_a
    ),
    "core_uploadrow_sheet_id_refers": lambda c: a_row(c, sheet=UploadSheet(pk=NOBODY)),
    "core_uploadrow_slice_id_refers": lambda c: UploadRow.objects.filter(pk=a_row(c).pk).update(slice=NOBODY),
    "core_uploadrow_sheet_id_referred": lambda c: UploadSheet.objects.filter(pk=a_row(c).sheet_id)._raw_delete(
        "default"
    ),
    "core_uploadrow_slice_id_referred": lambda c: a_row(c).upload.slices.all()._raw_delete("default"),
    "students_student_school_id_refers": lambda c: Student.objects.create(school_id=NOBODY),
    "students_student_school_id_referred": lambda c: [
        Student.objects.create(school=c.primary_a, hukou_town=c.a),
        School.objects.filter(pk=c.primary_a.pk)._raw_delete("default"),
    ],
    "students_enrolment_term_id_refers": lambda c: Enrolment.objects.create(
        student=Student.objects.create(), term_id=NOBODY, school=c.primary_a, in_roster=True
    ),
    "ids do not change": lambda c: Region.objects.filter(pk=c.a.pk).update(id=NOBODY),
    "correction_has_a_reason": lambda c: correction(c, reason=""),
    "correction_revoked_by_somebody": lambda c: correction(c, revoked_at=timezone.now()),
}


@pytest.mark.parametrize("constraint", BREAKS)
def test_the_database_refuses(county: SmallCounty, constraint: str) -> None:
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        BREAKS[constraint](county)


def test_a_parent_that_a_new_row_points_at_cannot_go_before_the_row_is_there(county: SmallCounty) -> None:
    """As with a foreign key: whoever deletes waits for whoever points, and is refused then."""
    school = School.objects.create(code="2199009999", name="水口镇末小学", stages=["2"], town=county.a)
    refused: list[str] = []

    def delete() -> None:
        try:
            with everything():
                School.objects.filter(pk=school.pk)._raw_delete("default")
        except IntegrityError as error:
            refused.append(str(error))
        finally:
            connection.close()

    with transaction.atomic():
        Student.objects.create(name="李小雨", school=school)
        other = Thread(target=delete)
        other.start()
        other.join(0.5)
        assert other.is_alive()
    other.join(10)
    assert len(refused) == 1
    assert "students_student_school_id_referred" in refused[0]
