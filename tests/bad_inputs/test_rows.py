"""Bad rows, case by case: what one row says against the others of its list, or against the lists in force."""

from __future__ import annotations

import pytest

from eduaid.core import editing
from eduaid.core.models import AccessRecord, Finding, Notice, UploadRow
from eduaid.core.models.access import Action
from students.models import Student
from tests.bad_inputs.outcomes import ACCEPTED, REFUSED, REPEATED, WAITING, outcomes, person, pupil, sent, taken
from tests.core.workbooks import Value
from tests.small_county import SmallCounty, id_number

AT_B = {"学校名称": "石洲乡中心小学"}


@pytest.mark.case("R01")
def test_the_same_row_twice_counts_once_and_is_told(county: SmallCounty) -> None:
    upload = sent(county, "class-roster", [pupil(1), pupil(1), pupil(2), pupil(1)])
    assert [row.state for row in outcomes(upload)] == [ACCEPTED, REPEATED, ACCEPTED, REPEATED]
    assert (upload.rows_read, upload.rows_accepted, upload.rows_repeated) == (4, 2, 2)
    assert list(Finding.objects.filter(code="row-repeated").values_list("number", "params")) == [
        (3, {"first": 2}),
        (5, {"first": 2}),
    ]
    county.take_force(upload)
    assert Student.objects.listed().count() == 2


@pytest.mark.case("R02")
def test_rows_of_one_number_that_differ_all_wait(county: SmallCounty) -> None:
    upload = sent(county, "class-roster", [pupil(1), pupil(1, 年级="六年级"), pupil(2)])
    assert [row.said for row in outcomes(upload)] == [
        (WAITING, "id_number:row-contradicts"),
        (WAITING, "id_number:row-contradicts"),
        (ACCEPTED,),
    ]
    county.take_force(upload)
    assert Student.objects.listed().count() == 1


@pytest.mark.case("R03")
def test_a_child_whom_another_place_still_names_waits_and_overwrites_nothing(county: SmallCounty) -> None:
    county.take_force(sent(county, "class-roster", [pupil(1)]))
    upload = sent(county, "class-roster", [pupil(1, **AT_B), pupil(2, 姓名="王伟", **AT_B)], place="b", by="town-b")
    assert [row.said for row in outcomes(upload)] == [(WAITING, ":held-elsewhere"), (ACCEPTED,)]
    assert Finding.objects.get(code="held-elsewhere").params == {"school": "水口镇蔡朱小学", "upload": 1, "row": 2}
    county.take_force(upload)
    held = Student.objects.get(id_digest=UploadRow.objects.filter(number=2).first().id_digest)  # type: ignore[union-attr]
    assert held.school == county.primary_a
    editing.answer(Finding.objects.get(code="held-elsewhere"), answer="transfer", by=county.user("town-b"))
    assert Finding.objects.filter(code="held-elsewhere", answer="transfer").count() == 1
    assert Notice.objects.filter(user=county.user("town-a"), text__contains="也报了").count() == 1


@pytest.mark.case("R03")
def test_both_places_are_told_of_the_conflict_each_by_its_own_rows(county: SmallCounty) -> None:
    first = county.take_force(sent(county, "class-roster", [pupil(1), pupil(3, 姓名="赵敏")]))
    upload = sent(county, "class-roster", [pupil(1, **AT_B), pupil(2, 姓名="王伟", **AT_B)], place="b", by="town-b")
    assert not Notice.objects.filter(text__contains="也报了").exists()
    county.take_force(upload)
    told = Notice.objects.get(text__contains="也报了")
    assert (told.user, told.url) == (county.user("town-a"), f"/imports/{first.pk}/")
    assert told.text == f"您名单 {first.pk} 号第 2 行的学生，石洲乡的名单也报了：是转入还是重复，等对方确认"
    editing.answer(Finding.objects.get(code="held-elsewhere"), answer="transfer", by=county.user("town-b"))
    county.take_force(upload)
    texts = list(Notice.objects.filter(text__contains="也报了").order_by("pk").values_list("text", flat=True))
    assert texts[1:] == [f"您名单 {first.pk} 号第 2 行的学生，石洲乡的名单也报了：对方已确认转入"]
    assert Student.objects.get(name="李小雨").school == county.primary_b


@pytest.mark.case("R04")
def test_a_number_under_another_name_is_asked_and_renames_nobody(county: SmallCounty) -> None:
    county.take_force(sent(county, "class-roster", [pupil(1)]))
    upload = sent(county, "class-roster", [pupil(1, 姓名="张三丰")])
    assert [row.said for row in outcomes(upload)] == [(WAITING, "id_number:id-name-differs")]
    # Who it is, is said by surname and length alone.
    assert Finding.objects.get(code="id-name-differs").params["surname"] == "李"
    county_list = sent(county, "population", [person(1, 姓名="张三丰"), person(2, 姓名="王伟")])
    assert [row.said for row in outcomes(county_list)] == [(WAITING, "id_number:id-name-differs"), (ACCEPTED,)]
    county.take_force(county_list)
    assert set(Student.objects.listed().values_list("name", flat=True)) == {"李小雨", "王伟"}


@pytest.mark.case("R05")
def test_the_same_name_and_birth_under_another_number_is_asked_and_merges_nobody(county: SmallCounty) -> None:
    county.take_force(sent(county, "class-roster", [pupil(1)]))
    upload = sent(county, "population", [person(2), person(3, 姓名="王伟")])
    assert [row.said for row in outcomes(upload)] == [(WAITING, "id_number:name-birth-known"), (ACCEPTED,)]
    editing.answer(Finding.objects.get(code="name-birth-known"), answer="another", by=county.user("town-a"))
    assert [row.said for row in outcomes(upload)] == [(ACCEPTED,), (ACCEPTED,)]
    county.take_force(upload)
    assert Student.objects.listed().filter(name="李小雨").count() == 2


@pytest.mark.case("R06")
def test_twins_are_two_children(county: SmallCounty) -> None:
    home = {"家庭地址": "东风村 12 号", "监护人姓名": "李大山"}
    rows = [pupil(1, 姓名="李大雨", **home), pupil(2, 姓名="李小雨", **home), pupil(3, 姓名="李大雪", **home)]
    upload = sent(county, "class-roster", rows)
    assert [(row.said, row.warnings) for row in outcomes(upload)] == [((ACCEPTED,), ())] * 3
    county.take_force(upload)
    assert Student.objects.listed().count() == 3
    again = sent(county, "population", [person(1, 姓名="李大雨"), person(2, 姓名="李小雨")])
    assert [row.said for row in outcomes(again)] == [(ACCEPTED,)] * 2
    county.take_force(again)
    assert Student.objects.listed().count() == 3


@pytest.mark.case("R07")
def test_two_of_one_name_in_one_class_are_two_children(county: SmallCounty) -> None:
    other = {"出生日期": "2015-08-09", "身份证号": id_number("20150809", 2)}
    upload = sent(county, "class-roster", [pupil(1), pupil(1, **other)])
    assert [row.said for row in outcomes(upload)] == [(ACCEPTED,)] * 2
    county.take_force(upload)
    assert Student.objects.listed().filter(name="李小雨", class_name="1班").count() == 2


@pytest.mark.case("R08")
def test_children_of_another_township_are_not_taken_and_that_they_were_sent_is_logged(county: SmallCounty) -> None:
    upload = sent(county, "class-roster", [pupil(1), pupil(2, **AT_B)])
    assert [row.said for row in outcomes(upload)] == [(ACCEPTED,), (REFUSED, "school_name:outside-scope")]
    assert (upload.rows_accepted, upload.rows_refused) == (1, 1)
    assert (
        AccessRecord.objects.filter(action=Action.REFUSED_ROW, subject_id=upload.pk)
        .values_list("rows", flat=True)
        .get()
        == 1
    )
    upload = sent(county, "population", [person(1), person(2, 户籍地址="示例县石洲乡船形村")])
    assert [row.said for row in outcomes(upload)] == [(ACCEPTED,), (REFUSED, "hukou_address:outside-scope")]


@pytest.mark.case("R08")
def test_a_child_with_hukou_there_and_school_here_is_reported_by_each_for_its_part(county: SmallCounty) -> None:
    county.take_force(sent(county, "class-roster", [pupil(1)]))
    upload = sent(county, "population", [person(1, 户籍地址="示例县石洲乡船形村")], place="b", by="town-b")
    assert [row.said for row in outcomes(upload)] == [(ACCEPTED,)]
    county.take_force(upload)
    student = Student.objects.listed().get()
    assert (student.school, student.hukou_town) == (county.primary_a, county.b)


def born(day: str, **changes: Value) -> dict[str, Value]:
    return pupil(1, 出生日期=f"{day[:4]}-{day[4:6]}-{day[6:]}", 身份证号=id_number(day, 2), **changes)


@pytest.mark.case("R09")
def test_ages_that_do_not_fit_are_pointed_out_and_impossible_ones_wait(county: SmallCounty) -> None:
    rows = [
        born("20060503", 年级="一年级"),
        born("20270503"),
        born("20010503", 年级=None),
        born("20250101", 年级=None),
        born("20190901", 年级="二年级"),
    ]
    found = taken(county, "class-roster", rows)
    assert [(row.said, row.warnings) for row in found] == [
        ((ACCEPTED,), ("birth:age-out-of-stage",)),
        ((WAITING, "birth:born-after-list"), ("birth:age-out-of-stage",)),
        ((ACCEPTED,), ("birth:age-out-of-range",)),
        ((ACCEPTED,), ("birth:age-out-of-range",)),
        ((ACCEPTED,), ()),
    ]


@pytest.mark.case("R10")
def test_a_grade_that_the_school_does_not_teach_is_pointed_out(county: SmallCounty) -> None:
    found = taken(county, "class-roster", [born("20130503", 年级="七年级"), pupil(2)])
    assert [(row.said, row.warnings) for row in found] == [
        ((ACCEPTED,), ("grade:grade-not-of-school",)),
        ((ACCEPTED,), ()),
    ]


MEMBER: dict[str, Value] = {"乡镇": "水口镇", "行政村": "东风村", "户编号": "H1", "在校生状况": "小学"}


def member(place: int, **changes: Value) -> dict[str, Value]:
    return {**MEMBER, "姓名": f"李小{'雨雪霜露'[place]}", "身份证号": id_number("20150503", 2 * place), **changes}


@pytest.mark.case("R15")
def test_members_of_households_without_number_or_relation_are_told(county: SmallCounty) -> None:
    adult = {"户编号": "H1", "姓名": "李大山", "身份证号": id_number("19850503", 1), "在校生状况": None}
    rows = [
        member(0, **adult, 与户主关系="户主"),
        member(1, 与户主关系="之女"),
        member(2, 与户主关系=None),
        member(3, 与户主关系="之女", 户编号=None),
    ]
    found = taken(county, "poverty-register", rows)
    assert [(row.said, row.warnings) for row in found] == [
        ((ACCEPTED,), ()),
        ((ACCEPTED,), ()),
        ((ACCEPTED,), ("relation:relation-missing",)),
        ((WAITING, "household_no:required"), ()),
    ]
    assert [row.facts.get("household_no") for row in found] == ["H1", "H1", "H1", None]


@pytest.mark.case("R15")
def test_two_heads_under_one_household_number_are_asked(county: SmallCounty) -> None:
    head = {"与户主关系": "户主", "在校生状况": None}
    rows = [
        member(0, **head, 姓名="李大山", 身份证号=id_number("19850503", 1)),
        member(1, 与户主关系="之女"),
        member(2, **head, 姓名="王大山", 身份证号=id_number("19860503", 1)),
        member(3, **head, 户编号="H2", 姓名="赵大山", 身份证号=id_number("19870503", 1)),
    ]
    upload = sent(county, "poverty-register", rows)
    asked = (WAITING, "household_no:household-heads")
    assert [row.said for row in outcomes(upload)] == [asked, (ACCEPTED,), asked, (ACCEPTED,)]
    assert sorted(Finding.objects.filter(code="household-heads").values_list("number", "params__other")) == [
        (2, 4),
        (4, 2),
    ]
    by = county.user("town-a")
    editing.edit_cell(UploadRow.objects.get(number=4), column="household_no", text="H3", by=by)
    editing.answer(Finding.objects.get(code="household-heads", number=2), answer="confirm", by=by)
    assert [row.said for row in outcomes(upload)] == [(ACCEPTED,)] * 4
