"""学籍变动: asked for by one, decided by another, seen by both sides and nobody else, at most one of a kind open."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from eduaid.core.models import Post, User
from eduaid.core.roles import role, today
from eduaid.core.scope import Scope, row_security
from eduaid.core.uploads import NotAllowed
from students import moving
from students.models import Movement, Student
from students.models.movements import Kind, Stand
from students.moving import CannotMove, NoLonger, Request
from tests.small_county import SmallCounty, id_number

DAY = dt.timedelta(days=1)
A, B = "水口镇蔡朱小学", "石洲乡中心小学"
DOCUMENT = "教基〔2026〕12号"


def pupil(name: str, number: int, school: str, born: str = "20160601") -> dict[str, object]:
    return {
        "学校名称": school,
        "年级": "三年级",
        "班级": "1班",
        "姓名": name,
        "身份证号": id_number(born, number),
    }


@pytest.fixture
def classes(county: SmallCounty) -> SmallCounty:
    """李小雨 and 王伟 in A's primary school, 赵一 in B's; 周小满 of A is six and in no school."""
    county.bring("class-roster", [pupil("李小雨", 12, A), pupil("王伟", 11, A)], place="a", by="town-a")
    county.bring("class-roster", [pupil("赵一", 21, B)], place="b", by="town-b")
    born = f"{today().year - 6}0601"
    county.bring(
        "population",
        [
            {
                "户号": "H1",
                "户主姓名": "周大",
                "姓名": "周小满",
                "身份证号": id_number(born, 31),
                "出生日期": born,
                "户籍地址": "示例县水口镇东风村",
            }
        ],
        place="a",
        by="town-a",
    )
    head_b = User.objects.create(username="school-b", display_name="school-b老师", password="!")
    Post.objects.create(
        user=head_b,
        role="school-head",
        duty=role("school-head").duty,
        school=county.primary_b,
        from_on=dt.date(2025, 9, 1),
    )
    county.users["school-b"] = head_b
    return county


def child(name: str = "李小雨") -> Student:
    return Student.objects.get(name=name)


def asked(county: SmallCounty, kind: str, **change: Any) -> Request:
    fields: dict[str, Any] = {
        "from_on": today(),
        "reason": "随父母迁居",
        "papers": [p.key for p in moving.PAPERS[kind]],
    }
    if kind == Kind.TRANSFER:
        fields["to_school"] = county.primary_b
    if kind in (Kind.OUT, Kind.IN):
        fields["elsewhere"] = "外省某市某小学"
    if kind in (Kind.SUSPENSION, Kind.DEFERRAL):
        fields["until_on"] = today() + 180 * DAY
    if kind == Kind.DEFERRAL:
        fields["authority"] = "government"
    return Request(kind=kind, **(fields | change))


def propose(county: SmallCounty, kind: str, *, by: str = "school-a", who: str = "李小雨", **change: Any) -> Movement:
    return moving.propose(child(who), asked(county, kind, **change), by=county.user(by))


def state(movement: Movement) -> str:
    return Movement.objects.get(pk=movement.pk).state


# --- the life of a movement --------------------------------------------------------------------------------------


def test_a_transfer_is_accepted_by_the_receiving_side_and_says_where_the_child_is(classes: SmallCounty) -> None:
    movement = propose(classes, Kind.TRANSFER)
    for name in ("school-a", "town-a"):
        with pytest.raises(NotAllowed):
            moving.accept(movement, by=classes.user(name))
    moving.accept(movement, by=classes.user("school-b"), note="同意接收")
    held = Movement.objects.in_effect(today()).with_whereabouts().get()
    assert (held.whereabouts, held.to_school.name, held.state) == ("A2", B, "accepted")
    assert not Movement.objects.in_effect(today() - DAY).exists()
    # The lists stay the source: the child is where the roster says until the next roster.
    assert child().school == classes.primary_a


def test_the_receiving_side_rejects_with_a_reason(classes: SmallCounty) -> None:
    movement = propose(classes, Kind.TRANSFER)
    with pytest.raises(CannotMove, match="意见"):
        moving.reject(movement, by=classes.user("town-b"), reason=" ")
    moving.reject(movement, by=classes.user("town-b"), reason="班额已满")
    assert state(movement) == "rejected"
    with pytest.raises(NoLonger, match="已退回"):
        moving.accept(movement, by=classes.user("town-b"))


def test_the_sender_withdraws_before_it_is_decided_and_the_bureau_revokes_after(classes: SmallCounty) -> None:
    movement = propose(classes, Kind.TRANSFER)
    with pytest.raises(NotAllowed):
        moving.withdraw(movement, by=classes.user("town-b"), reason="不接")
    moving.withdraw(movement, by=classes.user("town-a"), reason="家长改变主意")
    assert state(movement) == "withdrawn"
    again = propose(classes, Kind.TRANSFER)
    moving.accept(again, by=classes.user("school-b"))
    with pytest.raises(NotAllowed):
        moving.revoke(again, by=classes.user("school-b"), reason="错了")
    moving.revoke(again, by=classes.user("leader"), reason="办错了人")
    assert state(again) == "revoked"
    assert not Movement.objects.in_effect(today()).exists()


def test_nobody_decides_what_they_asked_for_themselves(classes: SmallCounty) -> None:
    movement = propose(classes, Kind.SUSPENSION, by="county")
    with pytest.raises(NotAllowed, match="自己提出的"):
        moving.accept(movement, by=classes.user("county"), document_no=DOCUMENT)
    with pytest.raises(IntegrityError, match="movement_decided_by_another"), transaction.atomic():
        Movement.objects.filter(pk=movement.pk).update(
            state="accepted", decided_by=classes.user("county"), decided_at=movement.applied_at
        )
    moving.accept(movement, by=classes.user("leader"), document_no=DOCUMENT)
    assert state(movement) == "accepted"


def test_a_suspension_ends_when_the_child_is_back_and_undoing_that_brings_it_back(classes: SmallCounty) -> None:
    suspension = propose(classes, Kind.SUSPENSION, from_on=today() - 30 * DAY)
    with pytest.raises(CannotMove, match="批准文号"):
        moving.accept(suspension, by=classes.user("leader"))
    moving.accept(suspension, by=classes.user("leader"), document_no=DOCUMENT)
    assert Movement.objects.in_effect(today()).with_whereabouts().get().whereabouts == "B10"
    back = propose(classes, Kind.RESUMPTION)
    moving.accept(back, by=classes.user("town-a"))
    assert Movement.objects.get(pk=suspension.pk).until_on == today() - DAY
    assert not Movement.objects.in_effect(today()).filter(kind=Kind.SUSPENSION).exists()
    with pytest.raises(CannotMove, match="先撤销复学"):
        moving.revoke(suspension, by=classes.user("leader"), reason="误批")
    moving.revoke(back, by=classes.user("leader"), reason="误办")
    assert Movement.objects.get(pk=suspension.pk).until_on == today() + 180 * DAY
    moving.revoke(suspension, by=classes.user("leader"), reason="误批")


def test_a_suspension_that_ran_out_is_named_until_the_child_is_back(classes: SmallCounty) -> None:
    suspension = propose(classes, Kind.SUSPENSION, from_on=today() - 90 * DAY, until_on=today() - DAY)
    moving.accept(suspension, by=classes.user("leader"), document_no=DOCUMENT)
    assert list(Movement.objects.lapsed(today())) == [suspension]
    assert not Movement.objects.in_effect(today()).exists()
    moving.accept(propose(classes, Kind.RESUMPTION), by=classes.user("town-a"))
    assert not Movement.objects.lapsed(today()).exists()


def test_a_deferral_is_noted_by_a_second_person_with_the_government_s_number(classes: SmallCounty) -> None:
    movement = propose(classes, Kind.DEFERRAL, by="town-a", who="周小满")
    with pytest.raises(NotAllowed, match="自己提出的"):
        moving.accept(movement, by=classes.user("town-a"), document_no="水府〔2026〕3号")
    with pytest.raises(NotAllowed):
        moving.accept(movement, by=classes.user("town-b"), document_no="水府〔2026〕3号")
    moving.accept(movement, by=classes.user("leader"), document_no="水府〔2026〕3号")
    assert Movement.objects.in_effect(today()).with_whereabouts().get().whereabouts == "B9"


# --- what is refused ---------------------------------------------------------------------------------------------


REFUSED: list[tuple[Kind, Callable[[SmallCounty], dict[str, Any]], str]] = [
    (Kind.TRANSFER, lambda c: {"to_school": c.primary_a}, "不能转入同一所学校"),
    (Kind.TRANSFER, lambda c: {"to_school": None}, "请选择『转入学校』"),
    (Kind.TRANSFER, lambda c: {"to_school": c.junior_a}, "没有小学学段"),
    (Kind.TRANSFER, lambda c: {"reason": " "}, "请填写『事由』"),
    (Kind.TRANSFER, lambda c: {"papers": []}, "还没有查验：监护人申请"),
    (Kind.TRANSFER, lambda c: {"from_on": today() + 61 * DAY}, "最多提前 60 天"),
    (Kind.TRANSFER, lambda c: {"from_on": today() - 400 * DAY}, "已过去一年以上"),
    (Kind.OUT, lambda c: {"elsewhere": " "}, "请填写『去往的地点和学校』"),
    (Kind.SUSPENSION, lambda c: {"until_on": today() - DAY}, "早于起始日期"),
    (Kind.SUSPENSION, lambda c: {"until_on": None}, "请填写『截止日期』"),
    (Kind.SUSPENSION, lambda c: {"until_on": today() + 400 * DAY}, "一次最长一年"),
    (Kind.SUSPENSION, lambda c: {"papers": ["application"]}, "县级以上医院诊断证明"),
    (Kind.RESUMPTION, lambda c: {}, "没有已批准的休学"),
    (Kind.DEFERRAL, lambda c: {"by": "town-a"}, "不能办缓学"),
    (Kind.DEFERRAL, lambda c: {"by": "town-a", "who": "周小满", "authority": ""}, "请选择『批准机关』"),
    (Kind.ADMISSION, lambda c: {"to_school": c.primary_a}, "请由该校办理“县内转学”"),
]


def test_what_cannot_be_is_refused_with_a_sentence(classes: SmallCounty) -> None:
    for kind, change, sentence in REFUSED:
        with pytest.raises(CannotMove, match=sentence):
            propose(classes, kind, **change(classes))
        assert Movement.objects.count() == 0, sentence


def test_a_second_open_one_and_overlapping_absences_are_refused(classes: SmallCounty) -> None:
    propose(classes, Kind.TRANSFER)
    with pytest.raises(CannotMove, match="已有一份转学待办理"):
        propose(classes, Kind.TRANSFER, by="town-a")
    with pytest.raises(CannotMove, match="已有一份转学待办理"):
        propose(classes, Kind.OUT)
    first = propose(classes, Kind.SUSPENSION)
    moving.accept(first, by=classes.user("leader"), document_no=DOCUMENT)
    second = propose(classes, Kind.SUSPENSION, from_on=today() + 10 * DAY)
    with pytest.raises(CannotMove, match="已有批准的休学或缓学"):
        moving.accept(second, by=classes.user("leader"), document_no=DOCUMENT)


def test_a_child_whose_lists_were_withdrawn_is_not_moved(classes: SmallCounty) -> None:
    Student.objects.filter(name="李小雨").update(in_roster=False)
    with pytest.raises(CannotMove, match="来源已撤回"):
        propose(classes, Kind.TRANSFER)


def test_only_the_side_of_the_child_asks(classes: SmallCounty) -> None:
    for name in ("town-b", "school-b", "leader", "auditor", "teacher"):
        with pytest.raises(NotAllowed):
            propose(classes, Kind.TRANSFER, by=name)


# --- who sees it -------------------------------------------------------------------------------------------------


def seen_in_the_database(user: User) -> int:
    with row_security(Scope.of(user), local=False), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM students_movement")
        (number,) = cursor.fetchone()
        return int(number)


def test_both_sides_see_a_transfer_and_nobody_else(classes: SmallCounty) -> None:
    movement = propose(classes, Kind.TRANSFER)
    expected = {
        "county": 200, "leader": 200, "auditor": 200, "town-a": 200, "town-b": 200, "school-a": 200, "school-b": 200, "teacher": 404,
        "sysadmin": 403,
    }  # fmt: skip
    for name, status in expected.items():
        assert classes.client(name).get(f"/moves/{movement.pk}/").status_code == status, name
        assert seen_in_the_database(classes.user(name)) == (1 if status == 200 else 0), name
    # Before the child is theirs, the receiving side sees the movement and not the child's file.
    assert classes.client("town-b").get(f"/students/{movement.student.public_id}/").status_code == 404
    assert "李小雨" in classes.client("town-b").get(f"/moves/{movement.pk}/").content.decode()
    inside = propose(classes, Kind.TRANSFER, who="王伟", to_school=second_school(classes))
    assert classes.client("town-b").get(f"/moves/{inside.pk}/").status_code == 404
    assert classes.client("town-b").post(f"/moves/{inside.pk}/accept/", {}).status_code == 404


def second_school(county: SmallCounty) -> Any:
    from eduaid.core.models import School

    return School.objects.create(code="2199000003", name="水口镇中心小学", stages=["2"], town=county.a)


# --- against the lists -------------------------------------------------------------------------------------------


def test_a_later_roster_that_says_otherwise_is_shown(classes: SmallCounty) -> None:
    movement = propose(classes, Kind.TRANSFER, from_on=dt.date(2026, 10, 1))
    moving.accept(movement, by=classes.user("school-b"))
    assert not Movement.objects.contradicted().exists()
    rows = [pupil("李小雨", 12, A), pupil("王伟", 11, A)]
    classes.bring("class-roster", rows, place="a", by="town-a", as_of=dt.date(2026, 10, 20))
    assert [one.pk for one in Movement.objects.contradicted()] == [movement.pk]
    page = classes.client("county").get("/moves/?part=contradicted").content.decode()
    assert "李小雨" in page
    assert "与名册不一致" in page


def test_an_accepted_movement_is_proposed_when_the_next_list_misses_the_child(classes: SmallCounty) -> None:
    from eduaid.core.models import Departure

    movement = propose(classes, Kind.OUT, from_on=dt.date(2026, 10, 1), out_of_province=True)
    moving.accept(movement, by=classes.user("leader"), document_no=DOCUMENT)
    rows = [pupil("王伟", 11, A)]
    upload = classes.send("class-roster", rows, place="a", by="town-a", as_of=dt.date(2026, 10, 20))
    said = Departure.objects.get(upload=upload)
    assert (said.proposed, said.is_certain) == ("A4", True)
    assert "转出县外" in said.basis


# --- the pages ---------------------------------------------------------------------------------------------------


def test_a_transfer_goes_through_the_pages_from_one_side_to_the_other(classes: SmallCounty) -> None:
    sender, receiver = classes.client("school-a"), classes.client("town-b")
    public_id = child().public_id
    form = {
        "from_on": today().isoformat(),
        "reason": "随父母务工",
        "to_school": classes.primary_b.code,
        "papers": ["application"],
    }
    empty = sender.post(f"/moves/new/{public_id}/transfer/", form | {"reason": ""})
    assert "请填写『事由』" in empty.content.decode()
    done = sender.post(f"/moves/new/{public_id}/transfer/", form, follow=True)
    movement = Movement.objects.get()
    assert done.redirect_chain[-1][0] == f"/moves/{movement.pk}/"
    waiting = receiver.get("/moves/?part=mine")
    assert [line.name for line in waiting.context["rows"]] == ["李小雨"]
    assert receiver.post(f"/moves/{movement.pk}/reject/", {"note": ""}, follow=True).status_code == 200
    assert state(movement) == "proposed"
    receiver.post(f"/moves/{movement.pk}/accept/", {"note": "同意"})
    assert state(movement) == "accepted"
    assert classes.client("town-b").get("/moves/?part=mine").context["rows"] == []


def test_every_queue_asks_as_many_queries_for_one_as_for_two(classes: SmallCounty) -> None:
    from django.test.utils import CaptureQueriesContext

    def queries() -> int:
        with CaptureQueriesContext(connection) as done:
            assert client.get("/moves/").status_code == 200
        return len(done)

    client = classes.client("town-a")
    propose(classes, Kind.TRANSFER)
    client.get("/moves/")
    one = queries()
    propose(classes, Kind.TRANSFER, who="王伟")
    assert queries() == one


# --- any order of acts -------------------------------------------------------------------------------------------

ENDS = {Stand.REJECTED, Stand.WITHDRAWN, Stand.REVOKED}
STEPS = {
    "accept": (Stand.PROPOSED, Stand.ACCEPTED),
    "reject": (Stand.PROPOSED, Stand.REJECTED),
    "withdraw": (Stand.PROPOSED, Stand.WITHDRAWN),
    "revoke": (Stand.ACCEPTED, Stand.REVOKED),
}
PEOPLE = ("school-a", "town-a", "school-b", "town-b", "county", "leader")


def test_whatever_people_do_in_whatever_order_the_rules_hold(classes: SmallCounty) -> None:
    class Life(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            Movement.objects.filter(kind=Kind.RESUMPTION).delete()
            Movement.objects.all().delete()
            self.states: dict[int, str] = {}

        @rule(
            kind=st.sampled_from([Kind.TRANSFER, Kind.OUT, Kind.SUSPENSION, Kind.RESUMPTION]),
            by=st.sampled_from(PEOPLE),
            start=st.integers(-40, 40),
            length=st.integers(0, 90),
        )
        def ask(self, kind: Kind, by: str, start: int, length: int) -> None:
            first = today() + start * DAY
            change: dict[str, Any] = {"from_on": first}
            if kind == Kind.SUSPENSION:
                change["until_on"] = first + length * DAY
            try:
                made = propose(classes, kind, by=by, **change)
            except (CannotMove, NotAllowed):
                return
            self.states[made.pk] = made.state

        @rule(step=st.sampled_from(sorted(STEPS)), by=st.sampled_from(PEOPLE), which=st.integers(0, 20))
        def act(self, step: str, by: str, which: int) -> None:
            if not self.states:
                return
            pk = sorted(self.states)[which % len(self.states)]
            movement = Movement.objects.get(pk=pk)
            words = {"document_no": DOCUMENT} if step == "accept" else {"reason": "理由"}
            before, after = STEPS[step]
            try:
                getattr(moving, step)(movement, by=classes.user(by), **words)
            except (CannotMove, NotAllowed, NoLonger):
                assert state(movement) == self.states[pk]
                return
            assert self.states[pk] == before
            self.states[pk] = after

        @invariant()
        def rules_hold(self) -> None:
            held = list(Movement.objects.all())
            assert {one.pk: one.state for one in held} == self.states
            opened = [one.kind for one in held if one.is_open]
            assert len(opened) == len(set(opened))
            assert len([kind for kind in opened if kind in ("transfer", "out", "in")]) <= 1
            away = [one for one in held if one.state == Stand.ACCEPTED and one.kind == Kind.SUSPENSION]
            for day in (today() + offset * DAY for offset in range(-45, 135, 5)):
                assert len([one for one in away if one.from_on <= day <= (one.until_on or day)]) <= 1
            assert all(one.decided_by_id != one.applied_by_id for one in held if one.decided_by_id)

    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=12,
            stateful_step_count=20,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
