"""Putting rows right on the check page: one row is checked again, the delivered value stays, late rows need an approval."""

from __future__ import annotations

import pytest
from django.db import transaction

from eduaid.core import editing, intake, uploads
from eduaid.core.lists import kind_of
from eduaid.core.models import CellEdit, Departure, Finding, Upload, UploadRow
from eduaid.core.models.uploads import FindingLevel, State
from eduaid.core.sealing import Opener
from eduaid.core.tasks import advance
from eduaid.core.uploads import NotAllowed, NotPossible
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


def preview_is_that_of_the_whole_list(upload: Upload) -> tuple[int, int, int, int]:
    """Corrections move the preview's numbers by what they change; comparing everything anew must say the same."""
    upload.refresh_from_db()
    destination = kind_of(upload.kind).destination
    with transaction.atomic():
        diff = destination.diff(upload)
        missing = {old for _, old in destination.diff_rows(upload, "missing")}
    numbers = (upload.rows_added, upload.rows_changed, upload.rows_missing, upload.rows_unchanged)
    assert numbers == (diff.added, diff.changed, diff.missing, diff.unchanged)
    assert set(Departure.objects.filter(upload=upload).values_list("row_id", flat=True)) == missing
    return numbers


def pupils(count: int) -> list[dict[str, object]]:
    return [
        PUPIL_LI | {"姓名": f"李{'天地玄黄宇宙洪荒日月盈昃'[n]}", "身份证号": id_number("20150503", 2 * n + 2)}
        for n in range(count)
    ]


def wrong(number: object) -> str:
    return f"{str(number)[:17]}{'1' if str(number)[17] != '1' else '2'}"


def test_every_correction_moves_the_preview_as_comparing_the_whole_list_would(county: SmallCounty) -> None:
    county.bring("class-roster", pupils(8), place="a", by="town-a")
    rows = pupils(10)
    rows[1] |= {"身份证号": wrong(rows[1]["身份证号"])}
    rows[2] |= {"身份证号": wrong(rows[2]["身份证号"]), "姓名": "王新名"}
    rows[3] |= {"年级": "六年级"}
    rows[4] |= {"年级": "毕业班"}
    rows[8] |= {"身份证号": "无"}
    upload = county.send("class-roster", rows[:7] + rows[8:], place="a", by="town-a")
    assert preview_is_that_of_the_whole_list(upload) == (1, 1, 2, 3)
    by = county.user("town-a")

    def edit(number: int, column: str, text: object) -> tuple[int, int, int, int]:
        row = UploadRow.objects.get(sheet__upload=upload, number=number)
        editing.edit_cell(row, column=column, text=str(text), by=by)
        return preview_is_that_of_the_whole_list(upload)

    assert edit(3, "id_number", pupils(2)[1]["身份证号"]) == (1, 1, 2, 4)  # the right number: unchanged after all
    assert edit(4, "name", pupils(3)[2]["姓名"]) == (1, 1, 1, 4)  # the name of a missing child: waits, so not missing
    assert edit(4, "id_number", pupils(3)[2]["身份证号"]) == (1, 1, 1, 5)
    assert edit(6, "grade", "六年级") == (1, 2, 1, 5)
    assert edit(5, "grade", "五年级") == (1, 1, 1, 6)
    assert edit(2, "id_number", wrong(pupils(1)[0]["身份证号"])) == (
        1,
        1,
        1,
        5,
    )  # broken on purpose: waits, not missing
    assert edit(2, "name", "赵别人") == (1, 1, 2, 5)
    assert edit(2, "school_name", "水口镇初级中学") == (1, 1, 2, 5)  # opens another school of the list


def test_a_number_that_another_row_has_makes_both_wait_and_setting_it_right_frees_both(county: SmallCounty) -> None:
    rows = pupils(3)
    upload = county.send("class-roster", rows, place="a", by="town-a")
    by = county.user("town-a")
    second = UploadRow.objects.get(number=3)
    editing.edit_cell(second, column="id_number", text=str(rows[0]["身份证号"]), by=by)
    assert list(UploadRow.objects.order_by("number").values_list("state", flat=True)) == ["W", "W", "A"]
    assert Finding.objects.filter(code="row-contradicts").count() == 2
    preview_is_that_of_the_whole_list(upload)
    editing.edit_cell(second, column="id_number", text=str(rows[1]["身份证号"]), by=by)
    assert list(UploadRow.objects.order_by("number").values_list("state", flat=True)) == ["A", "A", "A"]
    assert not Finding.objects.filter(row__isnull=False).exists()
    assert preview_is_that_of_the_whole_list(upload) == (3, 0, 0, 0)


def test_a_row_that_becomes_the_same_as_another_counts_once(county: SmallCounty) -> None:
    rows = [PUPIL_LI, PUPIL_LI | {"年级": "六年级"}, PUPIL_WANG]
    upload = county.send("class-roster", rows, place="a", by="town-a")
    assert list(UploadRow.objects.order_by("number").values_list("state", flat=True)) == ["W", "W", "A"]
    editing.edit_cell(UploadRow.objects.get(number=3), column="grade", text="五年级", by=county.user("town-a"))
    assert list(UploadRow.objects.order_by("number").values_list("state", flat=True)) == ["A", "D", "A"]
    assert preview_is_that_of_the_whole_list(upload) == (2, 0, 0, 0)


def test_one_click_settles_all_rows_of_the_kind(county: SmallCounty) -> None:
    rows = [row | {"身份证号": wrong(row["身份证号"])} for row in pupils(6)]
    upload = county.send("class-roster", rows, place="a", by="town-a")
    assert editing.answer_all(upload, code="id-check", answer="admit", by=county.user("town-a")) == 6
    upload.refresh_from_db()
    assert (upload.rows_accepted, upload.rows_waiting) == (6, 0)
    assert preview_is_that_of_the_whole_list(upload) == (6, 0, 0, 0)


def test_one_click_gives_all_cells_of_the_same_content_the_same_value(county: SmallCounty) -> None:
    rows = [
        row | {"民族": group} for row, group in zip(pupils(5), ["穿青", "穿青", "汉族", "火星", "穿青"], strict=True)
    ]
    upload = county.send("class-roster", rows, place="a", by="town-a")
    like = UploadRow.objects.get(number=2)
    options = {"column": "ethnicity", "code": "code-unknown", "text": "其他", "like": like}
    assert editing.edit_all(upload, by=county.user("town-a"), **options) == 3  # type: ignore[arg-type]
    upload.refresh_from_db()
    assert (upload.rows_accepted, upload.rows_waiting) == (4, 1)
    assert sorted(CellEdit.objects.values_list("row__number", flat=True)) == [2, 3, 6]
    assert Finding.objects.get(code="code-unknown").number == 5
    with pytest.raises(NotPossible, match="已经没有了"):
        editing.edit_all(upload, by=county.user("town-a"), **options)  # type: ignore[arg-type]


def test_one_click_adopts_what_each_finding_proposes(county: SmallCounty) -> None:
    rows = [
        PUPIL_LI | {"出生日期": "2015-05-04", "姓名": "李  小雨"},
        PUPIL_WANG | {"出生日期": "2014-06-02"},
    ]
    upload = county.send("class-roster", rows, place="a", by="town-a")
    by = county.user("town-a")
    assert editing.adopt_all(upload, column="birth", code="birth-not-of-id", by=by) == 2
    assert editing.adopt_all(upload, column="name", code="name-spaces", by=by) == 1
    upload.refresh_from_db()
    assert (upload.rows_accepted, upload.rows_waiting) == (2, 0)
    assert set(UploadRow.objects.values_list("facts__name", "facts__birth_on")) == {
        ("李小雨", "2015-05-03"),
        ("王伟", "2014-06-01"),
    }


def test_warnings_and_hints_are_read_by_kind_and_errors_are_not(county: SmallCounty) -> None:
    rows = [row | {"年级": "七年级"} for row in pupils(3)]
    upload = county.send("class-roster", rows, place="a", by="town-a")
    by = county.user("town-a")
    options = {"code": "grade-not-of-school", "column": "grade", "by": by}
    assert editing.note_all(upload, level=FindingLevel.WARNING, **options) == 3  # type: ignore[arg-type]
    assert Finding.objects.filter(code="grade-not-of-school", answer="noted", answered_by=by).count() == 3
    with pytest.raises(NotPossible):
        editing.note_all(upload, level=FindingLevel.ERROR, **options)  # type: ignore[arg-type]


def test_a_stale_edit_is_refused_with_who_changed_the_cell_and_to_what(county: SmallCounty) -> None:
    county.send("class-roster", [PUPIL_LI | {"身份证号": BROKEN}], place="a", by="town-a")
    row = UploadRow.objects.get()
    editing.edit_cell(row, column="id_number", text=LI["身份证号"], by=county.user("county"), seen=0)
    with pytest.raises(editing.EditedMeanwhile) as refused:
        editing.edit_cell(row, column="id_number", text=id_number("20150503", 14), by=county.user("town-a"), seen=0)
    assert (refused.value.edit.by.username, refused.value.text) == ("county", LI["身份证号"])
    assert CellEdit.objects.count() == 1
    # The same text once more is a double click; whoever has seen the change may change it again.
    editing.edit_cell(row, column="id_number", text=LI["身份证号"], by=county.user("town-a"), seen=0)
    assert CellEdit.objects.count() == 1
    last = CellEdit.objects.get().pk
    editing.edit_cell(row, column="id_number", text=id_number("20150503", 14), by=county.user("town-a"), seen=last)
    assert CellEdit.objects.count() == 2
