"""Corrections: they stand over the lists, survive the next one, are put to a person when it says a third thing."""

from __future__ import annotations

import datetime as dt

import pytest

from eduaid.core.models import ChangeSet
from eduaid.core.sealing import Opener
from eduaid.core.uploads import NotAllowed
from students import actions
from students.actions import CannotCorrect, NotPossible
from students.models import Correction, Identifier, Student
from tests.small_county import SmallCounty, id_number

NUMBER = id_number("20150503", 12)
LI = {"姓名": "李小雨", "身份证号": NUMBER, "性别": "女", "户籍地址": "示例县水口镇东风村"}
PUPIL = {
    "学校名称": "蔡朱小学",
    "年级": "五年级",
    "班级": "1班",
    "姓名": "李小雨",
    "身份证号": NUMBER,
    "是否寄宿": "是",
}


@pytest.fixture
def child(county: SmallCounty) -> Student:
    county.bring("population", [LI], place="a", by="town-a")
    county.bring("class-roster", [PUPIL], place="a", by="town-a")
    return Student.objects.get()


def test_a_correction_shows_at_once_and_remembers_what_it_replaced(county: SmallCounty, child: Student) -> None:
    made = actions.correct(child, concept="name", values={"name": "李晓雨"}, by=county.user("data"), reason="户口簿")
    child.refresh_from_db()
    assert (child.name, child.name_key, child.pinyin) == ("李晓雨", "李晓雨", "lixiaoyu lxy")
    assert made.replaced == {"name": "李小雨", "name_key": "李小雨", "pinyin": "lixiaoyu lxy"}
    change = ChangeSet.objects.latest("pk")
    assert (change.cause, change.students) == ("corrected", [child.pk])
    event = Student.pgh_event_model.objects.filter(pgh_obj=child).latest("pgh_id")
    assert event.name == "李晓雨"
    assert event.pgh_context.metadata == {"user": county.users["data"].pk, "reason": "户口簿"}


def test_a_correction_survives_the_same_list_and_is_asked_about_a_third_value(
    county: SmallCounty, child: Student
) -> None:
    by = county.user("data")
    values = {"school_id": county.primary_a.pk, "grade": "26", "class_name": "1班"}
    made = actions.correct(child, concept="schooling", values=values, by=by, reason="学校来函")
    county.bring("class-roster", [PUPIL | {"监护人姓名": "李大山"}], place="a", by="town-a", as_of=dt.date(2026, 9, 20))
    child.refresh_from_db()
    made.refresh_from_db()
    assert (child.grade, child.guardian, made.contested_by) == ("26", "李大山", None)

    county.bring("class-roster", [PUPIL | {"年级": "四年级"}], place="a", by="town-a", as_of=dt.date(2026, 9, 30))
    child.refresh_from_db()
    made.refresh_from_db()
    assert child.grade == "26"
    assert made.contested_by is not None
    assert made.contested_by["grade"] == "24"

    actions.decide(made, keep=True, by=by, reason="再次核实")
    child.refresh_from_db()
    made.refresh_from_db()
    assert (child.grade, made.contested_by, made.replaced["grade"]) == ("26", None, "24")
    with pytest.raises(NotPossible, match="没有矛盾"):
        actions.decide(made, keep=True, by=by, reason="再点一次")

    county.bring("class-roster", [PUPIL | {"年级": "三年级"}], place="a", by="town-a", as_of=dt.date(2026, 10, 9))
    made.refresh_from_db()
    actions.decide(made, keep=False, by=by, reason="学校更正了说法")
    child.refresh_from_db()
    made.refresh_from_db()
    assert child.grade == "23"
    assert (made.revoked_by, made.revoked_at is None) == (by, False)
    assert ChangeSet.objects.latest("pk").cause == "decided"


def test_revoking_shows_the_lists_value_again(county: SmallCounty, child: Student) -> None:
    by = county.user("data")
    made = actions.correct(child, concept="boarding", values={"boarding": False}, by=by, reason="家长来电")
    child.refresh_from_db()
    assert child.boarding is False
    actions.revoke(made, by=by, reason="看错了人")
    child.refresh_from_db()
    assert child.boarding is True
    with pytest.raises(NotPossible, match="已经撤销"):
        actions.revoke(made, by=by, reason="再撤一次")


def test_a_second_correction_of_the_same_thing_takes_the_place_of_the_first(
    county: SmallCounty, child: Student
) -> None:
    by = county.user("data")
    first = actions.correct(child, concept="birth", values={"birth_on": dt.date(2015, 5, 4)}, by=by, reason="出生证")
    second = actions.correct(child, concept="birth", values={"birth_on": dt.date(2015, 5, 5)}, by=by, reason="户口簿")
    child.refresh_from_db()
    first.refresh_from_db()
    assert child.birth_on == dt.date(2015, 5, 5)
    assert first.revoked_by == by
    assert (second.replaced, second.values) == ({"birth_on": None}, {"birth_on": "2015-05-05"})
    with pytest.raises(CannotCorrect, match="就是这个值"):
        actions.correct(child, concept="birth", values={"birth_on": dt.date(2015, 5, 5)}, by=by, reason="户口簿")
    assert list(Correction.objects.holding()) == [second]


def test_a_corrected_number_is_sealed_and_names_the_child_to_later_lists(county: SmallCounty, child: Student) -> None:
    by = county.user("data")
    right = id_number("20150503", 14)
    made = actions.correct(child, concept="id", values={"id_number": right, "id_type": "1"}, by=by, reason="户口簿")
    child.refresh_from_db()
    assert made.sealed is not None
    assert Opener().open(made.sealed, actions.SEALED_AS).decode() == right
    assert right not in str(made.values)
    assert (child.id_prefix, bytes(child.id_digest).hex()) == ("990121", made.values["id_digest"])
    assert child.key is not None

    county.bring("population", [LI | {"身份证号": right}], place="a", by="town-a", as_of=dt.date(2026, 9, 20))
    assert Student.objects.count() == 1
    made.refresh_from_db()
    assert made.contested_by is None


def test_a_number_known_only_from_a_revoked_correction_names_nobody(county: SmallCounty, child: Student) -> None:
    by = county.user("data")
    numbers = Identifier.objects.filter(kind="id", student=child)
    assert numbers.count() == 1
    values = {"id_number": id_number("20150503", 14), "id_type": "1"}
    made = actions.correct(child, concept="id", values=values, by=by, reason="户口簿")
    assert numbers.count() == 2
    actions.revoke(made, by=by, reason="填错了人")
    assert numbers.count() == 1


def test_the_number_of_another_child_is_a_question_of_identity(county: SmallCounty, child: Student) -> None:
    taken = id_number("20140601", 11)
    wang = {"姓名": "王伟", "身份证号": taken, "性别": "男", "户籍地址": "示例县水口镇东风村"}
    county.bring("population", [LI, wang], place="a", by="town-a", as_of=dt.date(2026, 9, 20))
    with pytest.raises(CannotCorrect, match="该证件号已是“王伟”") as refusal:
        values = {"id_number": taken, "id_type": "1"}
        actions.correct(child, concept="id", values=values, by=county.user("data"), reason="户口簿")
    assert taken not in str(refusal.value)
    assert not Correction.objects.exists()


@pytest.mark.parametrize(
    ("concept", "values", "sentence"),
    [
        ("id", {"id_number": NUMBER[:-1], "id_type": "1"}, "『证件号码』"),
        ("name", {"name": "李小雨1"}, "『姓名』"),
        ("sex", {"sex": ""}, "请选择『性别』"),
        ("birth", {"birth_on": dt.date(2030, 1, 1)}, "晚于今天"),
        ("ethnicity", {"ethnicity": "99"}, "不在代码表中"),
        ("registry-number", {"registry_digest": ""}, "这一项不能更正"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence_without_the_value(
    concept: str, values: dict[str, object], sentence: str
) -> None:
    with pytest.raises(CannotCorrect, match=sentence) as refusal:
        actions.prepared(concept, values)
    assert not any(str(value) in str(refusal.value) for value in values.values() if len(str(value)) > 6)


def test_only_the_data_administrator_corrects_and_never_without_a_reason(county: SmallCounty, child: Student) -> None:
    for name in ("county", "leader", "town-a", "auditor"):
        with pytest.raises(NotAllowed):
            actions.correct(child, concept="sex", values={"sex": "1"}, by=county.user(name), reason="户口簿")
    with pytest.raises(CannotCorrect, match="更正原因"):
        actions.correct(child, concept="sex", values={"sex": "1"}, by=county.user("data"), reason="  ")
    with pytest.raises(CannotCorrect, match="不在所选的乡镇"):
        values = {"hukou_town_id": county.a.pk, "hukou_village_id": county.village_b.pk, "hukou_outside": False}
        actions.correct(child, concept="hukou", values=values, by=county.user("data"), reason="户口簿")
    with pytest.raises(CannotCorrect, match="没有这个学段"):
        values = {"school_id": county.primary_a.pk, "grade": "31", "class_name": ""}
        actions.correct(child, concept="schooling", values=values, by=county.user("data"), reason="户口簿")
    assert not Correction.objects.exists()
