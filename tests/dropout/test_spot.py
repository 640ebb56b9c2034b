"""Spot checks: the same seed draws the same children, each call is noted, what is untrue is put right, nobody is named in public."""

from __future__ import annotations

import datetime as dt
import hashlib

import pytest
import time_machine
from django.db import IntegrityError, transaction

from dropout import bulletin, spot
from dropout.draws import draw
from dropout.models import SpotCall, SpotCheck
from eduaid.core.indicators import Basis, indicator_of
from eduaid.core.scope import EVERYTHING
from eduaid.core.uploads import NotAllowed
from students.models import Student
from tests.small_county import SmallCounty

NOW = dt.datetime(2026, 11, 20, 9, 0, tzinfo=dt.UTC)


@pytest.fixture
def pupils(county: SmallCounty) -> SmallCounty:
    """12 in a school of A, 4 in one of B, by their class rosters; no census round."""
    with time_machine.travel(NOW, tick=False):
        Student.objects.bulk_create(
            Student(
                name=f"李{number}",
                birth_on=dt.date(2015, 5, 3),
                in_roster=True,
                school=county.primary_a if number < 12 else county.primary_b,
                school_town=county.a if number < 12 else county.b,
                grade="25",
                class_name="1班",
            )
            for number in range(16)
        )
        yield county


# --- the draw ---------------------------------------------------------------------------------------------------


def test_the_lots_can_be_drawn_by_hand() -> None:
    pool = {1: "AAAAAAAAAA", 2: "BBBBBBBBBB", 3: "CCCCCCCCCC"}
    lots = {pk: hashlib.sha256(f"20261120:{public}".encode()).hexdigest() for pk, public in pool.items()}
    assert draw("20261120", pool, 2) == sorted(lots, key=lots.__getitem__)[:2]
    assert draw("20261120", dict(reversed(pool.items())), 2) == draw("20261120", pool, 2)
    assert draw("20261120", pool, 9) == sorted(lots, key=lots.__getitem__)


def test_seeds_draw_differently_and_fairly() -> None:
    pool = {number: f"P{number:09d}" for number in range(100)}
    assert draw("1", pool, 10) != draw("2", pool, 10)
    times = [0] * 100
    for seed in range(1000):
        for pk in draw(str(seed), pool, 10):
            times[pk] += 1
    assert 60 < min(times) <= max(times) < 145


def test_a_school_gives_five_a_smaller_one_all(pupils: SmallCounty) -> None:
    check = spot.draw(name="11月抽查", per_school=5, seed="20261120", by=pupils.user("county"))
    drawn = {pool.school_id: pool.calls.count() for pool in check.pools.all()}
    assert drawn == {pupils.primary_a.pk: 5, pupils.primary_b.pk: 4}
    assert {pool.school_id: len(pool.children) for pool in check.pools.all()} == {
        pupils.primary_a.pk: 12, pupils.primary_b.pk: 4,
    }  # fmt: skip
    again = spot.draw(name="再抽一次", per_school=5, seed="20261120", by=pupils.user("county"))
    assert set(again.calls.values_list("student", flat=True)) == set(check.calls.values_list("student", flat=True))
    assert spot.drawn_again(check)
    other = spot.draw(name="另一种子", per_school=5, by=pupils.user("county"))
    assert len(other.seed) == 8
    assert SpotCall.objects.filter(check_of=check).first().said == "水口镇蔡朱小学五年级1班"


def test_a_child_slipped_in_later_shows(pupils: SmallCounty) -> None:
    check = spot.draw(name="11月抽查", per_school=5, seed="20261120", by=pupils.user("county"))
    pool = check.pools.get(school=pupils.primary_a)
    outsider = Student.objects.exclude(pk__in=check.calls.values("student")).filter(school=pupils.primary_a).first()
    check.calls.filter(pool=pool).first().delete()
    SpotCall.objects.create(check_of=check, pool=pool, student=outsider)
    assert not spot.drawn_again(check)
    page = pupils.client("county").post(f"/spotcheck/{check.pk}/again/", follow=True).content.decode()
    assert "重抽的结果与原来不一致" in page


def test_what_cannot_be_drawn_is_said(pupils: SmallCounty) -> None:
    officer = pupils.user("county")
    spot.draw(name="11月抽查", per_school=5, by=officer)
    for values, sentence in (
        ({"name": "11月抽查", "per_school": 5}, "已有名为“11月抽查”的抽查"),
        ({"name": " ", "per_school": 5}, "请填写「名称」"),
        ({"name": "多抽", "per_school": 11}, "应为 5—10 人"),
    ):
        with pytest.raises(spot.CannotDraw, match=sentence):
            spot.draw(by=officer, **values)  # type: ignore[arg-type]
    with pytest.raises(NotAllowed):
        spot.draw(name="镇里抽", per_school=5, by=pupils.user("town-a"))
    Student.objects.update(in_roster=False)
    with pytest.raises(spot.CannotDraw, match="没有可抽的学生"):
        spot.draw(name="空", per_school=5, by=officer)
    with pytest.raises(IntegrityError, match="spotcheck_five_to_ten"), transaction.atomic():
        SpotCheck.objects.update(per_school=20)


# --- calls ------------------------------------------------------------------------------------------------------


def test_an_untrue_record_has_a_task_until_it_is_put_right(pupils: SmallCounty) -> None:
    officer = pupils.user("county")
    check = spot.draw(name="11月抽查", per_school=5, seed="1", by=officer)
    call = check.calls.first()
    with pytest.raises(spot.CannotNote, match="写明实际情况"):
        spot.note(call, outcome="untrue", due_on=dt.date(2026, 12, 1), by=officer)
    with pytest.raises(spot.CannotNote, match="整改期限"):
        spot.note(call, outcome="untrue", text="已随父母外出", by=officer)
    with pytest.raises(spot.CannotNote, match="早于今天"):
        spot.note(call, outcome="untrue", text="已随父母外出", due_on=dt.date(2026, 11, 1), by=officer)
    spot.note(call, outcome="untrue", text="已随父母外出", due_on=dt.date(2026, 12, 1), by=officer)
    with pytest.raises(spot.CannotNote, match="怎么改的"):
        spot.rectify(call, text="", on=dt.date(2026, 11, 20), by=officer)
    spot.rectify(call, text="去向已改为县外就读并取证", on=dt.date(2026, 11, 20), by=officer)
    with pytest.raises(spot.NotPossible, match="不能再改"):
        spot.note(call, outcome="true", by=officer)
    with pytest.raises(spot.NotPossible, match="没有待整改"):
        spot.rectify(call, text="再来", on=dt.date(2026, 11, 20), by=officer)
    with pytest.raises(IntegrityError, match="spotcall_untrue_has_a_task"), transaction.atomic():
        SpotCall.objects.filter(outcome="").update(due_on=dt.date(2026, 12, 1))


def test_figures_of_a_check_add_up_and_the_bulletin_says_them_without_a_name(pupils: SmallCounty) -> None:
    officer = pupils.user("county")
    check = spot.draw(name="11月抽查", per_school=5, seed="20261120", by=officer)
    calls = list(check.calls.all())
    for call in calls[:6]:
        spot.note(call, outcome="true", by=officer)
    spot.note(calls[6], outcome="untrue", text="已外出务工", due_on=dt.date(2026, 12, 1), by=officer)
    spot.note(calls[7], outcome="unreachable", by=officer)
    basis = Basis(pupils.home, NOW.date())
    value = {
        key: indicator_of(f"spotcheck{key}").value(basis, EVERYTHING)
        for key in ("", ".called", ".waiting", ".true", ".untrue", ".unreachable", ".reached", ".unrectified")
    }
    assert list(value.values()) == [9, 8, 1, 6, 1, 1, 7, 1]
    page = pupils.client("county").get(f"/spotcheck/{check.pk}/")
    assert page.context["share"] == "85.71%"
    assert page.context["bulletin"] == (
        "2026年11月20日，县教育局采取随机抽取、电话核实的方式开展“11月抽查”，每校抽取5人（不足的全部抽取，随机种子20261120），"
        "共抽取2所学校（含各乡镇在外就读）9人。截至目前已抽查8人，其中情况属实6人，不属实1人，无法接通1人；接通并核实7人，属实率85.71%。"
        "对不属实的1人已交有关学校限期整改，已整改0人，尚有1人正在整改。对无法接通的1人，请有关学校重新核实联系方式后报县教育局。"
    )
    assert not any(name in page.context["bulletin"] for name in Student.objects.values_list("name", flat=True))


def test_the_bulletin_claims_all_only_when_it_is_all() -> None:
    counts = bulletin.Counts(drawn=9, called=9, true=8, untrue=1, unreachable=0, rectified=1, schools=2)
    text = bulletin.paragraph("11月抽查", dt.date(2026, 11, 20), 5, "1", counts)
    assert "已全部抽查，共9人" in text
    assert "全部整改到位" in text
    assert "无法接通的" not in text
    nobody = bulletin.Counts(drawn=9, called=0, true=0, untrue=0, unreachable=0, rectified=0, schools=2)
    assert "属实率—" in bulletin.paragraph("11月抽查", dt.date(2026, 11, 20), 5, "1", nobody)


def test_the_pages_lead_through_a_check_without_script(pupils: SmallCounty) -> None:
    client = pupils.client("county")
    assert "请填写「名称」" in client.post("/spotcheck/", {"name": "", "per_school": "5", "seed": ""}).content.decode()
    too_many = client.post("/spotcheck/", {"name": "抽查", "per_school": "50", "seed": ""}).content.decode()
    assert "「每校人数」应为 5—10 人" in too_many
    made = client.post("/spotcheck/", {"name": "11月抽查", "per_school": "5", "seed": "20261120"})
    check = SpotCheck.objects.get()
    assert made.url == f"/spotcheck/{check.pk}/"
    first, second = check.calls.order_by("pk")[:2]
    answer = client.post(f"/spotcheck/{check.pk}/calls/{first.pk}/", {"outcome": "true", "note": "", "due_on": ""})
    assert answer.url == f"/spotcheck/{check.pk}/calls/{second.pk}/"
    asked = client.post(f"/spotcheck/{check.pk}/calls/{second.pk}/", {"outcome": "untrue", "note": "", "due_on": ""})
    assert "请在「说明」写明实际情况" in asked.content.decode()
    sheet = client.get(f"/spotcheck/{check.pk}/sheet/").content.decode()
    assert second.student.name in sheet
    for name in ("town-a", "school-a", "auditor", "leader"):
        assert pupils.client(name).get(f"/spotcheck/{check.pk}/").status_code == 403, name
