"""Lists in force, end to end on real workbooks: what is uploaded, what is resolved, what an undo brings back (docs/architecture.md)."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from eduaid.core import uploads
from eduaid.core.models import ListSlice, UploadRow
from eduaid.core.models.uploads import State
from students.actions import correct
from students.models import Enrolment, Student
from students.resolve import at, resolve, resolve_households
from tests.small_county import SmallCounty, id_number

LI = {"姓名": "李小雨", "身份证号": id_number("20150503", 12), "性别": "女", "户籍地址": "示例县水口镇东风村"}
WANG = {"姓名": "王伟", "身份证号": id_number("20140601", 11), "性别": "男", "户籍地址": "示例县水口镇东风村"}
PUPIL_LI = {
    "学校名称": "蔡朱小学",
    "年级": "五年级",
    "班级": "1班",
    "姓名": "李小雨",
    "身份证号": LI["身份证号"],
    "是否寄宿": "是",
}
PUPIL_WANG = {
    "学校名称": "水口镇蔡朱小学",
    "年级": "六年级",
    "班级": "2班",
    "姓名": "王伟",
    "身份证号": WANG["身份证号"],
    "是否寄宿": "否",
}


def resolved() -> list[tuple[str, str, str, bool, bool]]:
    return list(
        Student.objects.listed()
        .order_by("name")
        .values_list("name", "grade", "class_name", "in_population", "in_roster")
    )


def test_a_list_takes_force_only_after_approval(county: SmallCounty) -> None:
    upload = county.send("population", [LI, WANG], place="a", by="town-a")
    assert (upload.state, upload.rows_read, upload.rows_accepted, upload.rows_added) == (State.REVIEW, 2, 2, 2)
    assert not Student.objects.exists()
    county.take_force(upload)
    assert upload.state == State.IN_FORCE
    assert resolved() == [("李小雨", "", "", True, False), ("王伟", "", "", True, False)]
    student = Student.objects.get(name="李小雨")
    assert (student.birth_on, student.sex, student.hukou_town, student.hukou_village) == (
        None,
        "2",
        county.a,
        county.village_a,
    )


def test_school_comes_from_the_roster_and_hukou_from_the_population_list(county: SmallCounty) -> None:
    county.bring("population", [LI, WANG], place="a", by="town-a")
    county.bring("class-roster", [PUPIL_LI, PUPIL_WANG], place="a", by="town-a")
    student = Student.objects.get(name="李小雨")
    assert (student.school, student.school_town, student.grade, student.boarding) == (
        county.primary_a,
        county.a,
        "25",
        True,
    )
    assert list(
        Enrolment.objects.order_by("grade").values_list("term", "school", "grade", "in_roster", "in_registry")
    ) == [
        (county.term.pk, county.primary_a.pk, "25", True, False),
        (county.term.pk, county.primary_a.pk, "26", True, False),
    ]


def test_the_same_rows_in_other_bytes_write_nothing(county: SmallCounty) -> None:
    county.bring("class-roster", [PUPIL_LI, PUPIL_WANG], place="a", by="town-a")
    events = Student.objects.model.pgh_event_model.objects.count() if hasattr(Student, "pgh_event_model") else None
    again = county.bring("class-roster", [PUPIL_WANG, PUPIL_LI], place="a", by="town-a", as_of=dt.date(2026, 9, 20))
    assert (again.rows_added, again.rows_changed, again.rows_unchanged, again.rows_missing) == (0, 0, 2, 0)
    assert list(again.changes.values_list("students", flat=True)) == [[]]
    if events is not None:
        assert Student.objects.model.pgh_event_model.objects.count() == events


def test_a_changed_list_and_its_undo(county: SmallCounty) -> None:
    county.bring("class-roster", [PUPIL_LI, PUPIL_WANG], place="a", by="town-a")
    moved = PUPIL_LI | {"年级": "六年级"}
    newcomer = {
        "学校名称": "蔡朱小学",
        "年级": "一年级",
        "班级": "1班",
        "姓名": "赵一",
        "身份证号": id_number("20190601", 13),
        "是否寄宿": "否",
    }
    second = county.bring("class-roster", [moved, newcomer], place="a", by="town-a", as_of=dt.date(2026, 9, 20))
    assert (second.rows_added, second.rows_changed, second.rows_missing, second.rows_unchanged) == (1, 1, 1, 0)
    assert resolved() == [("李小雨", "26", "1班", False, True), ("赵一", "21", "1班", False, True)]
    buckets = uploads.undo(second, by=county.user("leader"), reason="传错了文件")
    assert (buckets.withdrawn, buckets.kept, buckets.impossible) == (2, 0, 0)
    assert resolved() == [("李小雨", "25", "1班", False, True), ("王伟", "26", "2班", False, True)]
    assert Student.objects.get(name="赵一").is_withdrawn


@pytest.mark.parametrize(
    "wrong",
    [{"身份证号": LI["身份证号"][:-1] + ("1" if LI["身份证号"][-1] != "1" else "2")}, {"姓名": "李  小雨"}],
    ids=["its number is wrong", "its name is in doubt"],
)
def test_a_waiting_row_keeps_the_last_row_of_the_child_in_force(county: SmallCounty, wrong: dict[str, str]) -> None:
    county.bring("class-roster", [PUPIL_LI, PUPIL_WANG], place="a", by="town-a")
    broken = PUPIL_LI | wrong
    second = county.bring("class-roster", [broken, PUPIL_WANG], place="a", by="town-a", as_of=dt.date(2026, 9, 20))
    assert (second.rows_accepted, second.rows_waiting, second.rows_missing) == (1, 1, 0)
    assert resolved() == [("李小雨", "25", "1班", False, True), ("王伟", "26", "2班", False, True)]
    assert UploadRow.objects.waiting().count() == 1


def test_a_supplement_adds_and_leaves_the_others(county: SmallCounty) -> None:
    county.bring("class-roster", [PUPIL_LI], place="a", by="town-a")
    late = county.bring(
        "class-roster", [PUPIL_WANG], place="a", by="town-a", mode="supplement", as_of=dt.date(2026, 9, 12)
    )
    assert (late.rows_added, late.rows_missing) == (1, 0)
    assert [name for name, *_ in resolved()] == ["李小雨", "王伟"]


def test_a_child_whose_list_was_withdrawn_is_found_again_by_the_next_list(county: SmallCounty) -> None:
    first = county.bring("class-roster", [PUPIL_LI], place="a", by="town-a")
    uploads.undo(first, by=county.user("leader"), reason="传错了文件")
    assert resolved() == []
    again = county.bring("class-roster", [PUPIL_LI], place="a", by="town-a")
    assert again.pk != first.pk
    assert (again.rows_accepted, again.rows_waiting) == (1, 0)
    assert Student.objects.count() == 1


def test_figures_of_an_earlier_date_and_moment_are_computed_again(county: SmallCounty) -> None:
    from eduaid.core.indicators import Basis, indicator_of
    from eduaid.core.scope import EVERYTHING

    first = county.bring("class-roster", [PUPIL_LI, PUPIL_WANG], place="a", by="town-a")
    county.bring("class-roster", [PUPIL_LI], place="a", by="town-a", as_of=dt.date(2026, 10, 8))
    pupils = indicator_of("pupils")

    def value(day: dt.date) -> int:
        return int(pupils.value(Basis(county.home, day), EVERYTHING))

    assert value(dt.date(2026, 11, 1)) == 1
    with at(as_of=dt.date(2026, 9, 30)):
        assert value(dt.date(2026, 9, 30)) == 2
    with at(as_of=dt.date(2026, 11, 1), known_at=first.applied_at):
        assert value(dt.date(2026, 11, 1)) == 2
    assert value(dt.date(2026, 11, 1)) == 1


def test_a_replay_that_resolves_few_children_answers_as_one_that_resolves_all(county: SmallCounty) -> None:
    moments = [timezone.now()]
    county.bring("population", [LI, WANG], place="a", by="town-a")
    county.bring("class-roster", [PUPIL_LI, PUPIL_WANG], place="a", by="town-a")
    moments.append(timezone.now())
    second = county.bring(
        "class-roster", [PUPIL_LI | {"班级": "2班"}], place="a", by="town-a", as_of=dt.date(2026, 10, 8)
    )
    child = Student.objects.get(name="李小雨")
    correct(child, concept="sex", values={"sex": "1"}, reason="核对户口簿", by=county.user("data"))
    moments.append(timezone.now())
    uploads.undo(second, by=county.user("leader"), reason="传错了文件")
    county.bring("population", [LI], place="a", by="town-a", as_of=dt.date(2026, 10, 20))
    moments.append(timezone.now())

    def enrolments() -> list[tuple[object, ...]]:
        return sorted(Enrolment.objects.values_list("student_id", "term_id", "class_name", "in_roster"))

    seen: set[tuple[str, str, str, bool]] = set()
    for known_at in (None, *moments):
        for day in (dt.date(2026, 9, 1), dt.date(2026, 10, 10), dt.date(2026, 11, 1)):
            with at(as_of=day, known_at=known_at):
                children = Student.objects.order_by("pk").values_list("name", "sex", "class_name", "in_roster")
                seen |= set(children)
                taught = enrolments()
                resolve_households(ListSlice.objects.values_list("pk", flat=True), known_at=known_at)
                written = resolve(Student.objects.values_list("pk", flat=True), terms=[county.term], known_at=known_at)
                assert (written, enrolments()) == ([], taught)
    assert {
        ("李小雨", "2", "1班", True),
        ("李小雨", "1", "2班", True),
        ("李小雨", "1", "1班", True),
        ("王伟", "1", "", False),
        ("王伟", "", "2班", True),
    } <= seen


def test_a_number_of_somebody_else_is_put_to_a_person(county: SmallCounty) -> None:
    county.bring("population", [LI], place="a", by="town-a")
    upload = county.send("class-roster", [PUPIL_LI | {"姓名": "张三丰"}], place="a", by="town-a")
    assert (upload.rows_accepted, upload.rows_waiting) == (0, 1)
    assert list(upload.findings.filter(row__isnull=False).values_list("code", "level")) == [("id-name-differs", "ask")]


def test_rows_of_a_foreign_township_are_not_taken(county: SmallCounty) -> None:
    stranger = {
        "学校名称": "石洲乡中心小学",
        "年级": "一年级",
        "班级": "1班",
        "姓名": "周外",
        "身份证号": id_number("20190601", 15),
    }
    upload = county.bring("class-roster", [PUPIL_LI, stranger], place="a", by="town-a")
    assert (upload.rows_accepted, upload.rows_refused) == (1, 1)
    assert [name for name, *_ in resolved()] == ["李小雨"]


def test_a_repeated_row_counts_once_and_a_contradicting_one_waits(county: SmallCounty) -> None:
    other = PUPIL_WANG | {"年级": "一年级"}
    upload = county.send("class-roster", [PUPIL_LI, PUPIL_LI, PUPIL_WANG, other], place="a", by="town-a")
    assert (upload.rows_accepted, upload.rows_repeated, upload.rows_waiting) == (1, 1, 2)
    assert sorted(upload.findings.filter(row__isnull=False).values_list("number", "code")) == [
        (3, "row-repeated"),
        (4, "row-contradicts"),
        (5, "row-contradicts"),
    ]
