"""包保: one person at a time, teachers see theirs and nobody else's, and nobody is left between two."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.db import IntegrityError, connection, transaction

from eduaid.core.models import Post, User
from eduaid.core.roles import role, today
from eduaid.core.scope import EVERYTHING, Scope, row_security
from eduaid.core.uploads import NotAllowed
from students import responsibility
from students.care_indicators import LEFT, WITH, WITHOUT
from students.indicators import PUPILS
from students.models import Responsibility, Student
from students.responsibility import CannotAssign
from tests.small_county import SmallCounty, id_number

DAY = dt.timedelta(days=1)


def pupil(name: str, number: int, school: str, grade: str, class_name: str, teacher: str = "") -> dict[str, object]:
    return {
        "学校名称": school,
        "年级": grade,
        "班级": class_name,
        "姓名": name,
        "身份证号": id_number("20160601", number),
        "监护人姓名": "李大山",
        "监护人电话": "13900990003",
        "班主任": teacher,
    }


A, B = "水口镇蔡朱小学", "石洲乡中心小学"
ROSTER_A = [
    pupil("李小雨", 12, A, "三年级", "1班", "teacher老师"),
    pupil("王伟", 11, A, "三年级", "1班", "teacher老师"),
    pupil("张三丰", 13, A, "四年级", "2班"),
]
ROSTER_B = [pupil("赵一", 21, B, "三年级", "1班")]


@pytest.fixture
def classes(county: SmallCounty) -> SmallCounty:
    """Three pupils of A's primary school in two classes, one of B's."""
    county.bring("class-roster", ROSTER_A, place="a", by="town-a")
    county.bring("class-roster", ROSTER_B, place="b", by="town-b")
    return county


def ids(*names: str) -> list[int]:
    return list(Student.objects.filter(name__in=names).values_list("pk", flat=True))


def who(name: str) -> list[str]:
    held = Responsibility.objects.held_on(today()).filter(student__name=name)
    return [one.user.username for one in held.select_related("user")]


def second_teacher(county: SmallCounty, name: str = "teacher-2") -> User:
    user = User.objects.create(username=name, display_name=f"{name}老师", password="!")
    duty = role("teacher").duty
    Post.objects.create(user=user, role="teacher", duty=duty, school=county.primary_a, from_on=dt.date(2025, 9, 1))
    return user


def figures(county: SmallCounty) -> tuple[object, ...]:
    from eduaid.core.indicators import Basis

    basis = Basis(county.a, today())
    return tuple(one.value(basis, EVERYTHING) for one in (PUPILS, WITH, WITHOUT, LEFT))


# --- one at a time -----------------------------------------------------------------------------------------------


def test_a_child_has_one_person_at_a_time_whatever_the_code_forgets(classes: SmallCounty) -> None:
    responsibility.assign(ids("李小雨"), to=classes.user("teacher"), by=classes.user("town-a"))
    first = Responsibility.objects.get()
    with pytest.raises(IntegrityError, match="responsibility_one_at_a_time"), transaction.atomic():
        Responsibility.objects.create(
            student=first.student,
            user=classes.user("school-a"),
            from_on=today(),
            assigned_by=classes.user("town-a"),
            batch=first.batch,
        )
    with pytest.raises(IntegrityError, match="responsibility_ends_after_start"), transaction.atomic():
        Responsibility.objects.filter(pk=first.pk).update(ended_on=today() - DAY, ended_by=classes.user("town-a"))
    with pytest.raises(IntegrityError, match="responsibility_ended_by_somebody"), transaction.atomic():
        Responsibility.objects.filter(pk=first.pk).update(ended_on=today())


def test_a_hand_over_relieves_the_first_on_the_day_the_second_begins(classes: SmallCounty) -> None:
    head = classes.user("town-a")
    responsibility.assign(ids("李小雨", "王伟"), to=classes.user("teacher"), by=head, from_on=today() - 10 * DAY)
    done = responsibility.assign(
        ids("李小雨", "王伟", "张三丰"), to=classes.user("school-a"), by=head, from_on=today() - 2 * DAY
    )
    assert (done.new, done.taken_over, done.unchanged) == (1, 2, 0)
    spans = Responsibility.objects.filter(student__name="李小雨").order_by("from_on")
    assert [(one.user.username, one.from_on, one.ended_on) for one in spans] == [
        ("teacher", today() - 10 * DAY, today() - 2 * DAY),
        ("school-a", today() - 2 * DAY, None),
    ]
    again = responsibility.assign(ids("李小雨"), to=classes.user("school-a"), by=head)
    assert (again.new, again.taken_over, again.unchanged) == (0, 0, 1)


def test_two_changes_on_one_day_leave_the_last(classes: SmallCounty) -> None:
    head = classes.user("town-a")
    for name in ("teacher", "school-a", "teacher"):
        responsibility.assign(ids("王伟"), to=classes.user(name), by=head)
    assert who("王伟") == ["teacher"]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda c: {"from_on": today() + DAY}, "晚于今天"),
        (lambda c: {"to": c.user("town-b")}, "不在“town-b老师”任职的乡镇"),
        (lambda c: {"to": c.user("auditor")}, "没有可以包保学生的岗位"),
        (lambda c: {"students": []}, "没有选中学生"),
        (lambda c: {"students": ids("赵一")}, "没有选中学生"),  # of the other township: as if not there
    ],
)
def test_assignments_that_cannot_be_are_refused_with_a_sentence(
    classes: SmallCounty, change: Callable[[SmallCounty], dict[str, object]], sentence: str
) -> None:
    asked: dict[str, object] = {"students": ids("李小雨"), "to": classes.user("teacher"), "by": classes.user("town-a")}
    asked |= change(classes)
    children = asked.pop("students")
    with pytest.raises(CannotAssign, match=sentence):
        responsibility.assign(children, **asked)  # type: ignore[arg-type]
    assert Responsibility.objects.count() == 0


def test_a_day_before_what_is_on_record_is_refused(classes: SmallCounty) -> None:
    head = classes.user("town-a")
    responsibility.assign(ids("李小雨"), to=classes.user("teacher"), by=head, from_on=today() - DAY)
    with pytest.raises(CannotAssign, match="开始日期不能早于此"):
        responsibility.assign(ids("李小雨"), to=classes.user("school-a"), by=head, from_on=today() - 5 * DAY)


def test_only_heads_assign(classes: SmallCounty) -> None:
    for name in ("teacher", "leader", "auditor", "data"):
        with pytest.raises(NotAllowed):
            responsibility.assign(ids("李小雨"), to=classes.user("teacher"), by=classes.user(name))


def test_what_was_assigned_at_once_is_taken_back_at_once(classes: SmallCounty) -> None:
    head = classes.user("town-a")
    responsibility.assign(ids("李小雨"), to=classes.user("teacher"), by=head, from_on=today() - DAY)
    done = responsibility.assign(ids("李小雨", "王伟", "张三丰"), to=classes.user("school-a"), by=head)
    responsibility.assign(ids("张三丰"), to=classes.user("teacher"), by=head)  # handed on since: stays
    assert responsibility.undo(done.batch, by=head) == 2
    assert (who("李小雨"), who("王伟"), who("张三丰")) == (["teacher"], [], ["teacher"])
    assert responsibility.undo(done.batch, by=head) == 0


# --- who left ----------------------------------------------------------------------------------------------------


def test_children_of_somebody_who_left_are_named_and_handed_over_class_by_class(classes: SmallCounty) -> None:
    head = classes.user("town-a")
    leaving, first, second = classes.user("teacher"), second_teacher(classes), second_teacher(classes, "teacher-3")
    responsibility.assign(ids("李小雨", "王伟", "张三丰"), to=leaving, by=head)
    assert figures(classes) == (3, 3, 0, 0)
    Post.objects.filter(user=leaving).update(until_on=today() - DAY)
    assert figures(classes) == (3, 3, 0, 3)
    page = classes.client("town-a").get("/t/990121001/assign/")
    assert [one.label for one in page.context["leaving"]] == ["teacher老师"]
    done = responsibility.hand_over(leaving, to=[first, second], by=head)
    assert done.taken_over == 3
    assert (who("李小雨"), who("王伟"), who("张三丰")) == (["teacher-2"], ["teacher-2"], ["teacher-3"])
    assert figures(classes) == (3, 3, 0, 0)


# --- what a teacher sees -----------------------------------------------------------------------------------------


def seen_in_the_database(user: User) -> set[str]:
    with row_security(Scope.of(user), local=False), connection.cursor() as cursor:
        cursor.execute("SELECT name FROM students_student")
        return {name for (name,) in cursor.fetchall()}


def test_a_teacher_sees_the_children_assigned_and_nobody_else(classes: SmallCounty) -> None:
    teacher = classes.user("teacher")
    assert Scope.of(teacher).children == frozenset()
    assert seen_in_the_database(teacher) == set()
    responsibility.assign(ids("李小雨", "张三丰"), to=teacher, by=classes.user("town-a"))
    teacher = classes.user("teacher")
    assert set(Student.objects.visible_to(teacher).values_list("name", flat=True)) == {"李小雨", "张三丰"}
    assert seen_in_the_database(teacher) == {"李小雨", "张三丰"}
    client = classes.client("teacher")
    assert {row.name for row in client.get("/students/").context["rows"]} == {"李小雨", "张三丰"}
    for child in Student.objects.all():
        expected = 200 if child.name in ("李小雨", "张三丰") else 404
        assert client.get(f"/students/{child.public_id}/").status_code == expected, child.name
    responsibility.release(ids("李小雨"), by=classes.user("town-a"), reason="转学")
    assert seen_in_the_database(classes.user("teacher")) == {"张三丰"}
    # Others see by their place, as before.
    assert seen_in_the_database(classes.user("town-b")) == {"赵一"}
    assert Scope.of(classes.user("town-a")).children == frozenset()


def test_responsibilities_follow_the_child_through_row_security(classes: SmallCounty) -> None:
    responsibility.assign(ids("李小雨"), to=classes.user("teacher"), by=classes.user("town-a"))
    for name, number in {"town-a": 1, "town-b": 0, "teacher": 1, "county": 1}.items():
        with row_security(Scope.of(classes.user(name)), local=False), connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM students_responsibility")
            assert cursor.fetchone() == (number,), name


# --- the page ----------------------------------------------------------------------------------------------------


def test_the_page_suggests_the_class_teacher_and_assigns_after_asking(classes: SmallCounty) -> None:
    client = classes.client("town-a")
    page = client.get("/t/990121001/assign/")
    assert [(line.label, line.children, line.to, line.why) for line in page.context["groups"]] == [
        (f"{A} 三年级 1班", 2, "teacher老师", "名册上的班主任"),
        (f"{A} 四年级 2班", 1, "teacher老师", "现负责 2 人，最少"),
    ]
    asked = client.post("/t/990121001/assign/save/", {"part": "class", "all": "1"})
    assert asked.context["effects"] == ["teacher老师：3 人"]
    assert Responsibility.objects.count() == 0
    fields = {field["name"]: field["value"] for field in asked.context["fields"]}
    done = client.post("/t/990121001/assign/save/", fields, follow=True)
    assert "新分配 3 人" in done.content.decode()
    assert "全部已分配 ✓" in done.content.decode()
    assert figures(classes) == (3, 3, 0, 0)
    undone = client.post("/t/990121001/assign/undo/", {"batch": done.context["undo"]}, follow=True)
    assert "已撤销 3 人的分配" in undone.content.decode()
    assert figures(classes) == (3, 0, 3, 0)


def test_ticked_children_and_villages_go_to_whom_is_chosen(classes: SmallCounty) -> None:
    client = classes.client("school-a")
    code = classes.primary_a.code
    chosen = Student.objects.get(name="王伟")
    form = {"part": "child", "to": classes.user("teacher").pk, "row": [chosen.public_id], "confirmed": "1"}
    client.post(f"/t/{code}/assign/save/", form)
    assert (who("王伟"), who("李小雨")) == (["teacher"], [])
    groups = client.get(f"/t/{code}/assign/?part=village").context["groups"]
    assert [(line.label, line.children) for line in groups] == [("户籍在县外或不明", 2)]
    client.post(
        f"/t/{code}/assign/save/",
        {"part": "village", "to": classes.user("school-a").pk, "row": [groups[0].key], "confirmed": "1"},
    )
    assert who("李小雨") == ["school-a"]


def test_nothing_ticked_and_nobody_chosen_are_said(classes: SmallCounty) -> None:
    client = classes.client("town-a")
    for form, sentence in (
        ({"part": "class"}, "没有选择责任人"),
        ({"part": "class", "to": classes.user("teacher").pk}, "没有选中还没有责任人的学生"),
        ({"part": "class", "to": classes.user("town-b").pk, "row": ["x"]}, "没有选择责任人"),
    ):
        assert sentence in client.post("/t/990121001/assign/save/", form, follow=True).content.decode()


def test_places_beyond_the_scope_do_not_exist(classes: SmallCounty) -> None:
    code = classes.primary_a.code
    for name, statuses in {
        "town-a": (404, 200, 404, 200),
        "town-b": (404, 404, 200, 404),
        "school-a": (404, 404, 404, 200),
        "county": (200, 200, 200, 200),
        "leader": (200, 200, 200, 200),
        "teacher": (403, 403, 403, 403),
        "sysadmin": (403, 403, 403, 403),
    }.items():
        client = classes.client(name)
        places = ("990121", "990121001", "990121002", code)
        assert tuple(client.get(f"/t/{one}/assign/").status_code for one in places) == statuses, name
    for name in ("leader", "auditor", "teacher"):
        assert classes.client(name).post("/t/990121001/assign/save/", {}).status_code == 403, name
    assert classes.client("town-b").post("/t/990121001/assign/save/", {}).status_code == 404


def test_the_bureau_sees_the_widest_gap_first_and_the_parts_add_up(classes: SmallCounty) -> None:
    responsibility.assign(ids("赵一"), to=classes.user("town-b"), by=classes.user("town-b"))
    table = classes.client("county").get("/t/990121/assign/").context["table"]
    assert [(row["name"], [cell.value for cell in row["cells"]]) for row in table["rows"]] == [
        ("水口镇", [3, 0, 3, 0]),
        ("石洲乡", [1, 1, 0, 0]),
    ]
    assert [cell.value for cell in table["totals"]] == [4, 1, 3, 0]


def test_somebody_s_children_are_listed_under_their_number(classes: SmallCounty) -> None:
    responsibility.assign(ids("李小雨", "王伟"), to=classes.user("teacher"), by=classes.user("town-a"))
    client = classes.client("town-a")
    people = client.get("/t/990121001/assign/?part=people")
    assert [(line.name, line.figure.value) for line in people.context["lines"]][0] == ("teacher老师", 2)
    listed = client.get(people.context["lines"][0].figure.url)
    assert [line.name for line in listed.context["children"]] == ["李小雨", "王伟"]


def test_the_page_asks_as_many_queries_for_one_class_as_for_two(
    classes: SmallCounty, django_assert_num_queries: object
) -> None:
    from django.test.utils import CaptureQueriesContext

    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert client.get("/t/990121001/assign/").status_code == 200
        return len(asked)

    client = classes.client("town-a")
    client.get("/t/990121001/assign/")
    two = queries()
    responsibility.assign(ids("张三丰"), to=classes.user("teacher"), by=classes.user("town-a"))
    client.get("/t/990121001/assign/")
    assert queries() == two
