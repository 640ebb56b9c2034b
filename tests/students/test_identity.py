"""One child, two files: made one, taken apart again, and remembered for the next lists."""

from __future__ import annotations

import contextlib
import datetime as dt
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eduaid.core.models import ChangeSet, UploadRow
from eduaid.core.uploads import NotAllowed
from students import actions, crosscheck, identity
from students.actions import NotPossible
from students.identity import Unsettled
from students.models import (
    Alias,
    Correction,
    Enrolment,
    Identifier,
    IdentityLink,
    MatchDecision,
    Student,
    Suggestion,
)
from tests.small_county import SmallCounty, id_number

NUMBER, OLD = id_number("20150503", 12), id_number("20150503", 48)
LI = {"姓名": "李小雨", "身份证号": NUMBER, "性别": "女", "出生日期": "2015-05-03", "户籍地址": "示例县水口镇东风村"}
PUPIL = {"学校名称": "蔡朱小学", "年级": "五年级", "班级": "1班", "姓名": "李晓雨", "身份证号": OLD, "性别": "女", "出生日期": "2015-05-03",
}  # fmt: skip


def files(county: SmallCounty) -> tuple[Student, Student]:
    """The hukou list knows the child by one number and name, the class roster by an old number and another spelling."""
    county.bring("population", [LI], place="a", by="town-a")
    county.bring("class-roster", [PUPIL], place="a", by="town-a")
    return Student.objects.get(name="李小雨"), Student.objects.get(name="李晓雨")


def state() -> dict[str, Any]:
    """Everything that says who is who and what is known of whom, as values."""
    hidden = {"id", "public_id", "made_at", "key_id"}
    return {
        "students": {
            child.public_id: {
                field.attname: _plain(getattr(child, field.attname))
                for field in Student._meta.concrete_fields
                if field.attname not in hidden
            }
            for child in Student.objects.all()
        },
        "links": sorted(IdentityLink.objects.values_list("row", "student", "rule")),
        "numbers": sorted(
            (k, bytes(d).hex(), s) for k, d, s in Identifier.objects.values_list("kind", "digest", "student")
        ),
        "enrolments": sorted(Enrolment.objects.values_list("student", "term", "school", "grade", "in_roster")),
        "corrections": sorted(
            (c.student_id, c.concept, sorted(c.values.items(), key=str), str(c.contested_by))
            for c in Correction.objects.holding()
        ),
        "aliases": sorted(Alias.objects.values_list("student", "name")),
    }


def _plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value


def test_two_files_become_one_child_with_everything_that_the_lists_say(county: SmallCounty) -> None:
    keep, other = files(county)
    identity.merge(keep=keep, other=other, reason="户口簿曾用名", by=county.user("town-a"))
    keep.refresh_from_db()
    other.refresh_from_db()
    assert (keep.in_population, keep.in_roster, keep.grade) == (True, True, "25")
    assert (other.merged_into, keep.merged_into) == (keep, None)
    assert list(Student.objects.listed()) == [keep]
    assert keep.name_keys == ["李小雨", "李晓雨"]
    assert list(keep.aliases.values_list("name", flat=True)) == ["李晓雨"]
    assert list(Enrolment.objects.values_list("student", "grade")) == [(keep.pk, "25")]
    assert Student.pgh_event_model.objects.filter(pgh_obj=other).latest("pgh_id").pgh_context.metadata == {
        "user": county.users["town-a"].pk,
        "reason": "户口簿曾用名",
    }
    change = ChangeSet.objects.latest("pk")
    assert (change.cause, set(change.students)) == ("merged", {keep.pk, other.pk})


def test_the_next_lists_find_the_one_child_by_either_number(county: SmallCounty) -> None:
    keep, other = files(county)
    identity.merge(keep=keep, other=other, reason="户口簿曾用名", by=county.user("town-a"))
    sent = county.bring(
        "class-roster", [PUPIL | {"年级": "六年级"}], place="a", by="town-a", as_of=dt.date(2026, 10, 9)
    )
    assert (sent.rows_waiting, sent.rows_changed) == (0, 1)
    keep.refresh_from_db()
    assert keep.grade == "26"
    assert Student.objects.listed().count() == 1
    assert IdentityLink.objects.get(row__upload=sent).student == keep


def test_a_split_gives_back_also_the_rows_that_came_since(county: SmallCounty) -> None:
    keep, other = files(county)
    merged = identity.merge(keep=keep, other=other, reason="户口簿曾用名", by=county.user("town-a"))
    county.bring("class-roster", [PUPIL | {"年级": "六年级"}], place="a", by="town-a", as_of=dt.date(2026, 10, 9))
    effects = " ".join(identity.split_preview(merged).effects)
    assert "班级名册" in effects
    identity.undo(merged, reason="同村同音两个孩子", by=county.user("town-a"))
    keep.refresh_from_db()
    other.refresh_from_db()
    assert (keep.in_roster, keep.grade, other.merged_into, other.in_roster, other.grade) == (
        False,
        "",
        None,
        True,
        "26",
    )
    merged.refresh_from_db()
    assert (merged.undone_by, merged.undo_reason) == (county.users["town-a"], "同村同音两个孩子")
    with pytest.raises(NotPossible, match="已经撤销"):
        identity.undo(merged, reason="再点一次", by=county.user("town-a"))


def test_one_correction_a_value_is_left_and_a_person_says_which(county: SmallCounty) -> None:
    keep, other = files(county)
    by = county.user("data")
    actions.correct(keep, concept="boarding", values={"boarding": True}, by=by, reason="家长来电")
    actions.correct(other, concept="boarding", values={"boarding": False}, by=by, reason="班主任来电")
    actions.correct(other, concept="ethnicity", values={"ethnicity": "11"}, by=by, reason="户口簿")
    before = state()
    with pytest.raises(Unsettled, match="是否寄宿"):
        identity.merge(keep=keep, other=other, reason="同一人", by=by)
    merged = identity.merge(
        keep=keep, other=other, reason="同一人", by=by, settled={"correction:boarding": identity.OTHER}
    )
    keep.refresh_from_db()
    assert (keep.boarding, keep.ethnicity) == (False, "11")
    identity.undo(merged, reason="看错了", by=by)
    assert state() == before


def test_a_chain_of_merges_is_taken_apart_from_its_end(county: SmallCounty) -> None:
    keep, other = files(county)
    third_number = id_number("20150503", 76)
    county.bring("registry", [_registered("李筱雨", third_number)], place="home", by="county")
    third = Student.objects.get(name="李筱雨")
    by = county.user("county")
    before = state()
    first = identity.merge(keep=other, other=third, reason="同一人", by=by)
    second = identity.merge(keep=keep, other=other, reason="同一人", by=by)
    assert set(Student.objects.filter(merged_into=keep)) == {other, third}
    with pytest.raises(NotPossible, match="请先撤销那一次合并"):
        identity.undo(first, reason="错了", by=by)
    identity.undo(second, reason="错了", by=by)
    third.refresh_from_db()
    assert third.merged_into == other
    identity.undo(first, reason="错了", by=by)
    assert state() == before


def _registered(name: str, number: str) -> dict[str, object]:
    return {
        "学校标识码": "2199000001", "学校名称": "水口镇蔡朱小学", "姓名": name, "性别": "女", "身份证件类型": "居民身份证",
        "身份证件号": number, "年级": "五年级", "班级": "1班", "学籍号": f"G{number}", "出生日期": f"{number[6:14]}",
    }  # fmt: skip


def test_who_was_told_apart_is_not_merged_or_proposed_again(county: SmallCounty) -> None:
    keep, other = files(county)
    crosscheck.compare([keep.pk])
    assert Suggestion.objects.open().count() == 1
    apart = identity.tell_apart(left=keep, right=other, reason="两个孩子", by=county.user("town-a"))
    assert Suggestion.objects.open().count() == 0
    with pytest.raises(NotPossible, match="不是同一人"):
        identity.merge(keep=other, other=keep, reason="同一人", by=county.user("county"))
    county.bring("class-roster", [PUPIL | {"年级": "六年级"}], place="a", by="town-a", as_of=dt.date(2026, 10, 9))
    crosscheck.compare([keep.pk, other.pk])
    assert Suggestion.objects.open().count() == 0
    identity.undo(apart, reason="问过村里，是一个孩子", by=county.user("town-a"))
    crosscheck.compare([keep.pk, other.pk])
    assert Suggestion.objects.open().count() == 1


def test_a_row_is_given_to_a_new_child_and_back(county: SmallCounty) -> None:
    keep, other = files(county)
    by = county.user("town-a")
    merged = identity.merge(keep=keep, other=other, reason="同一人", by=by)
    before = state()
    row = UploadRow.objects.get(link__student=other)
    moved = identity.move_row(row, to=None, reason="另一个孩子的行", by=by)
    new = Student.objects.get(pk=IdentityLink.objects.get(row=row).student_id)
    assert (new.name, new.in_roster, new in (keep, other)) == ("李晓雨", True, False)
    keep.refresh_from_db()
    assert keep.in_roster is False
    identity.undo(moved, reason="原来没错", by=by)
    after = state()
    del after["students"][new.public_id]
    assert after == before
    identity.undo(merged, reason="拆开", by=by)


def test_only_who_compares_lists_may_say_who_is_who(county: SmallCounty) -> None:
    keep, other = files(county)
    for name in ("leader", "auditor", "school-a", "sysadmin"):
        with pytest.raises(NotAllowed, match="比对由"):
            identity.merge(keep=keep, other=other, reason="同一人", by=county.user(name))
    with pytest.raises(NotPossible, match="请填写理由"):
        identity.merge(keep=keep, other=other, reason=" ", by=county.user("town-a"))
    assert MatchDecision.objects.count() == 0


PEOPLE = [("李小雨", NUMBER), ("李晓雨", OLD), ("李筱雨", id_number("20150503", 76))]


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    merges=st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 2)).filter(lambda pair: pair[0] != pair[1]), max_size=2
    ),
    corrected=st.sets(st.tuples(st.integers(0, 2), st.sampled_from(["boarding", "ethnicity"])), max_size=3),
    prefer=st.sampled_from([identity.KEEP, identity.OTHER]),
)
def test_whatever_was_merged_is_whole_again_after_the_splits(
    three: SmallCounty, merges: list[tuple[int, int]], corrected: set[tuple[int, str]], prefer: str
) -> None:
    by = three.user("data")
    with transaction.atomic():
        children = [Student.objects.get(name=name) for name, _ in PEOPLE]
        for place, concept in sorted(corrected):
            value: object = {"ethnicity": f"1{place + 1}", "boarding": place == 0}[concept]
            with contextlib.suppress(actions.CannotCorrect):  # the list says so already
                actions.correct(children[place], concept=concept, values={concept: value}, by=by, reason="户口簿")
        before = state()
        made = []
        for keep, other in merges:
            with contextlib.suppress(NotPossible):  # merged already
                choices = {f"correction:{concept}": prefer for concept in ("boarding", "ethnicity")}
                made.append(
                    identity.merge(keep=children[keep], other=children[other], reason="同一人", by=by, settled=choices)
                )
        for decision in reversed(made):
            identity.undo(decision, reason="拆开", by=by)
        assert state() == before
        transaction.set_rollback(True)


@pytest.fixture
def three(county: SmallCounty) -> SmallCounty:
    files(county)
    county.bring("registry", [_registered("李筱雨", PEOPLE[2][1])], place="home", by="county")
    return county
