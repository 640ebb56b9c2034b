"""Putting rows right on the check page: one row is checked again, the delivered value stays, late rows need an approval."""

from __future__ import annotations

import pytest

from eduaid.core import editing, intake, uploads
from eduaid.core.models import Finding, UploadRow
from eduaid.core.models.uploads import State
from eduaid.core.sealing import Opener
from eduaid.core.tasks import advance
from eduaid.core.uploads import NotAllowed
from students.models import Student
from tests.pipeline.test_lists_in_force import LI, PUPIL_LI, PUPIL_WANG
from tests.small_county import SmallCounty, id_number

BROKEN = LI["身份证号"][:-1] + ("1" if LI["身份证号"][-1] != "1" else "2")


def test_a_corrected_cell_lets_the_row_in(county: SmallCounty) -> None:
    upload = county.send("class-roster", [PUPIL_LI | {"身份证号": BROKEN}, PUPIL_WANG], place="a", by="town-a")
    row = UploadRow.objects.get(state="W")
    editing.edit_cell(row, column="id_number", text=LI["身份证号"], by=county.user("town-a"))
    upload.refresh_from_db()
    assert (upload.rows_accepted, upload.rows_waiting, upload.rows_added) == (2, 0, 2)
    assert intake.delivered(UploadRow.objects.get(pk=row.pk), Opener())["id_number"] == LI["身份证号"]
    county.take_force(upload)
    assert Student.objects.listed().count() == 2


def test_a_row_put_right_after_the_list_took_force_waits_for_the_next_approval(county: SmallCounty) -> None:
    upload = county.bring("class-roster", [PUPIL_LI | {"身份证号": BROKEN}, PUPIL_WANG], place="a", by="town-a")
    assert Student.objects.listed().count() == 1
    row = UploadRow.objects.get(state="W")
    editing.edit_cell(row, column="id_number", text=LI["身份证号"], by=county.user("town-a"))
    assert Student.objects.listed().count() == 1
    upload.refresh_from_db()
    assert upload.state == State.IN_FORCE
    uploads.submit(upload, by=county.user("town-a"))
    uploads.approve(upload, by=county.user("leader"))
    advance(upload.pk)
    upload.refresh_from_db()
    assert (upload.state, upload.rows_accepted, upload.rows_waiting) == (State.IN_FORCE, 2, 0)
    assert set(Student.objects.listed().values_list("name", flat=True)) == {"李小雨", "王伟"}


def test_a_damaged_number_stays_damaged_when_another_cell_is_corrected(county: SmallCounty) -> None:
    rows = [PUPIL_LI | {"身份证号": 990121201505030000, "是否寄宿": "也许"}]
    county.send("class-roster", rows, place="a", by="town-a")
    row = UploadRow.objects.get()
    editing.edit_cell(row, column="boarding", text="是", by=county.user("town-a"))
    assert list(Finding.objects.filter(row=row).values_list("code", flat=True)) == ["id-damaged"]


def test_a_question_is_answered_and_remembered_on_the_row(county: SmallCounty) -> None:
    county.bring("population", [LI], place="a", by="town-a")
    upload = county.send("class-roster", [PUPIL_LI | {"姓名": "李晓雨"}], place="a", by="town-a")
    finding = Finding.objects.get(code="id-name-differs")
    editing.answer(finding, answer="same", by=county.user("town-a"))
    upload.refresh_from_db()
    assert (upload.rows_accepted, upload.rows_waiting) == (1, 0)
    county.take_force(upload)
    student = Student.objects.get()
    assert (student.name, student.name_keys) == ("李小雨", ["李小雨", "李晓雨"])


def test_a_row_without_a_number_goes_in_when_a_person_says_so(county: SmallCounty) -> None:
    upload = county.send(
        "class-roster", [PUPIL_LI | {"身份证号": None, "出生日期": "2015-05-03"}], place="a", by="town-a"
    )
    finding = Finding.objects.get(code="needs-number")
    editing.answer(finding, answer="admit", by=county.user("town-a"))
    county.take_force(upload)
    student = Student.objects.get()
    assert (student.name, student.id_digest, student.in_roster) == ("李小雨", None, True)


def test_another_township_may_not_correct_the_list(county: SmallCounty) -> None:
    county.send("class-roster", [PUPIL_LI | {"身份证号": BROKEN}], place="a", by="town-a")
    with pytest.raises(NotAllowed):
        editing.edit_cell(
            UploadRow.objects.get(), column="id_number", text=id_number("20150503", 14), by=county.user("town-b")
        )
