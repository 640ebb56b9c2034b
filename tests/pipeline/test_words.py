"""A word that no table knows is explained once and understood the next time, by the place that explained it."""

from __future__ import annotations

from eduaid.core import column_memory, editing
from eduaid.core.models import UploadRow, ValueMemory
from tests.bad_inputs.outcomes import notes, outcomes, pupil, sent
from tests.small_county import SmallCounty

STRANGE = "小学部三"


def row_of(upload_pk: int) -> UploadRow:
    return UploadRow.objects.select_related("upload", "sheet").get(upload=upload_pk)


def test_a_word_explained_once_is_understood_the_next_time_and_told(county: SmallCounty) -> None:
    first = sent(county, "class-roster", [pupil(1, 年级=STRANGE)])
    assert outcomes(first)[0].said == ("W", "grade:grade-form")
    editing.edit_cell(row_of(first.pk), column="grade", text="五年级", by=county.user("town-a"))
    known = ValueMemory.objects.get()
    assert (known.kind, known.column, known.written, known.meaning) == ("class-roster", "grade", STRANGE, "五年级")
    assert (known.region, known.school) == (county.a, None)
    second = sent(county, "class-roster", [pupil(2, 年级=STRANGE), pupil(3, 年级=STRANGE)])
    assert [row.said for row in outcomes(second)] == [("A",), ("A",)]
    assert outcomes(second)[0].facts["grade"] == "25"
    assert outcomes(second)[0].cells["grade"] == STRANGE
    assert notes(second)["grade:word-known"] == 2
    school = sent(county, "class-roster", [pupil(4, 年级=STRANGE)], place="primary_a", by="school-a")
    assert outcomes(school)[0].said == ("A",)


def test_another_township_and_a_wrong_explanation_learn_nothing(county: SmallCounty) -> None:
    first = sent(county, "class-roster", [pupil(1, 年级=STRANGE)])
    editing.edit_cell(row_of(first.pk), column="grade", text="什么都不是", by=county.user("town-a"))
    assert not ValueMemory.objects.exists()
    editing.edit_cell(row_of(first.pk), column="grade", text="五年级", by=county.user("town-a"))
    elsewhere = sent(
        county, "class-roster", [pupil(2, 年级=STRANGE, 学校名称="石洲乡中心小学")], place="b", by="town-b"
    )
    assert outcomes(elsewhere)[0].said == ("W", "grade:grade-form")


def test_names_and_numbers_are_never_remembered(county: SmallCounty) -> None:
    first = sent(county, "class-roster", [pupil(1, 姓名="李小雨3", 身份证号="99012120150503")])
    by = county.user("town-a")
    editing.edit_cell(row_of(first.pk), column="name", text="李小雨", by=by)
    editing.edit_cell(row_of(first.pk), column="id_number", text=str(pupil(1)["身份证号"]), by=by)
    assert not ValueMemory.objects.exists()


def test_what_was_explained_is_forgotten_with_one_click(county: SmallCounty) -> None:
    first = sent(county, "class-roster", [pupil(1, 年级=STRANGE)])
    editing.edit_cell(row_of(first.pk), column="grade", text="五年级", by=county.user("town-a"))
    second = sent(county, "class-roster", [pupil(2, 年级=STRANGE)])
    assert column_memory.may_forget(second, county.user("town-a"))
    column_memory.forget(second, by=county.user("town-a"))
    assert not ValueMemory.objects.exists()
