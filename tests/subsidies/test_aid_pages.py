"""The pages of programmes, recognition, entitlement and gaps: who sees what, and acts through their forms."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from eduaid.core.indicators import Basis
from eduaid.core.roles import today
from eduaid.core.scope import EVERYTHING
from students.models import Student
from subsidies import entitlement, indicators, recognition
from subsidies.models import Award, Entitlement, GapCheck, Programme, Recognition, Standard
from subsidies.seeding import load_seeds
from tests.small_county import SmallCounty
from tests.subsidies.test_entitlement import LI, WANG, ZHAO, follow, said


@pytest.fixture
def aided(county: SmallCounty) -> SmallCounty:
    load_seeds()
    county.bring("class-roster", [LI, WANG, ZHAO], place="a", by="town-a")
    county.bring("hardship", [said(LI, "低保"), said(WANG, "残疾")], place="home", by="county")
    follow()
    return county


PAGES = ("/aid/", "/aid/programmes/", "/aid/programmes/compulsory-boarders/", "/aid/hardship/", "/aid/gaps/")


def test_pages_open_for_whoever_reads_figures_and_children_stay_in_their_scope(aided: SmallCounty) -> None:
    for name in ("county", "leader", "auditor", "town-a", "town-b", "school-a"):
        client = aided.client(name)
        for page in PAGES:
            response = client.get(page)
            assert (name, page, response.status_code) == (name, page, 200)
            assert ("李小雨" in response.content.decode()) == (page == "/aid/gaps/" and name != "town-b")
    assert aided.client("teacher").get("/aid/").status_code == 403
    assert aided.client("sysadmin").get("/aid/").status_code == 403


def test_the_overview_adds_up_to_the_cent_and_says_full_only_when_full(aided: SmallCounty) -> None:
    basis = Basis(aided.home, today())
    assert indicators.ENTITLED.value(basis, EVERYTHING) == 2
    assert indicators.ENTITLED_AMOUNT.value(basis, EVERYTHING) == Decimal("937.50")
    assert indicators.ENTITLED_PERSONS.value(basis, EVERYTHING) == 2
    assert indicators.RECOGNISED.value(basis, EVERYTHING) == 2
    assert indicators.RECOGNISED_NOTHING.value(basis, EVERYTHING) == 0
    assert sum(i.value(basis, EVERYTHING) for i in indicators.ENTITLED_BY_STAGE if not i.sum_of) == 2
    assert indicators.ENTITLED.values_by(indicators.BY_PROGRAMME, basis, EVERYTHING) == {
        "compulsory-boarders": 1,
        "compulsory-day": 1,
    }
    page = aided.client("county").get("/aid/").content.decode()
    assert "0.0938" in page
    assert "全覆盖" not in page


def test_the_reason_names_rule_document_and_list_row(aided: SmallCounty) -> None:
    li = Student.objects.get(name="李小雨")
    address = f"/aid/entitled/{li.public_id}/compulsory-boarders/"
    page = aided.client("school-a").get(address).content.decode()
    assert "由生效名单直接认定属“城乡低保家庭学生”、等级为“特别困难”" in page
    assert "每学期625元享受" in page
    assert "名单，第 2 行" in page
    assert aided.client("town-b").get(address).status_code == 404


def test_staff_add_a_standard_and_nobody_else(aided: SmallCounty) -> None:
    said_ = {
        "new-stage": "2", "new-boarding": "1", "new-amount": "650", "new-per": "term", "new-from_term": "2026年秋季",
        "new-document": "示例〔2026〕1号",
    }  # fmt: skip
    address = "/aid/programmes/compulsory-boarders/"
    assert aided.client("town-a").post(address, said_).status_code == 404
    assert aided.client("auditor").post("/aid/programmes/new/", {}).status_code == 403
    assert aided.client("county").post(address, said_ | {"new-from_term": "去年"}).status_code == 200
    assert aided.client("county").post(address, said_).status_code == 302
    new = Standard.objects.get(document="示例〔2026〕1号")
    assert (new.amount, new.from_label) == (Decimal("650.00"), "2026年秋季学期")
    assert Standard.objects.get(programme=new.programme, stage="2", until_term=new.from_term - 1).amount == 625


def test_a_child_is_recognised_from_application_to_approval_by_three_people(aided: SmallCounty) -> None:
    zhao = Student.objects.get(name="赵一")
    address = f"/aid/hardship/{zhao.public_id}/"
    school, county = aided.client("school-a"), aided.client("county")
    school.post(address, {"category": "8", "applied_on": "2026-09-20", "reason": "父亲重病住院"})
    school.post(
        address, {"step": "review", "tier": "2", "ways": ["走访"], "reviewed_on": "2026-09-22", "review": "属实"}
    )
    assert "父亲重病住院" in county.get(address).content.decode()
    county.post(address, {"step": "approve", "comment": ""})
    one = Recognition.objects.get(student=zhao)
    assert (one.state, one.tier, one.recorded_by) == ("approved", "2", aided.user("school-a"))
    assert aided.client("town-b").get(address).status_code == 404
    assert "父亲重病住院" not in county.get("/aid/hardship/?state=approved").content.decode()
    follow()
    assert Entitlement.objects.get(student=zhao).amount == Decimal("625.00")


def test_the_reason_of_hardship_is_hidden_from_the_township_of_the_hukou(aided: SmallCounty) -> None:
    from eduaid.core.scope import Scope, row_security

    zhao = Student.objects.get(name="赵一")
    Student.objects.filter(pk=zhao.pk).update(hukou_town=aided.b)
    recognition.apply(zhao, term=aided.term, category="8", reason="父亲重病", by=aided.user("school-a"))
    assert aided.client("town-b").get(f"/aid/hardship/{zhao.public_id}/").status_code == 404
    with row_security(Scope.of(aided.user("town-b")), local=False):
        assert Student.objects.filter(pk=zhao.pk).exists()
        assert not Recognition.objects.exists()


def test_a_gap_is_handed_out_and_settled_with_a_reason(aided: SmallCounty) -> None:
    county, school = aided.client("county"), aided.client("school-a")
    li = Student.objects.get(name="李小雨")
    assert school.post("/aid/gaps/hand-out/", {"kind": "missed", "due_on": "2030-01-01"}).status_code == 403
    county.post("/aid/gaps/hand-out/", {"kind": "missed", "due_on": "2030-01-01"})
    assert GapCheck.objects.filter(settled_at=None).count() == 2
    settle = {"kind": "missed", "student": li.public_id, "programme": "compulsory-boarders"}
    assert aided.client("town-b").post("/aid/gaps/settle/", settle | {"reason": "家长放弃"}).status_code == 404
    school.post("/aid/gaps/settle/", settle | {"reason": ""})
    assert "李小雨" in school.get("/aid/gaps/").content.decode()
    school.post("/aid/gaps/settle/", settle | {"reason": "家长书面放弃"})
    assert "李小雨" not in school.get("/aid/gaps/").content.decode()
    assert "王伟" in school.get("/aid/gaps/").content.decode()


def test_pages_ask_as_much_for_one_child_as_for_three(aided: SmallCounty) -> None:
    client = aided.client("county")
    for page in ("/aid/", "/aid/gaps/", "/aid/hardship/"):
        client.get(page)
        with CaptureQueriesContext(connection) as few:
            client.get(page)
        Student.objects.filter(name="赵一").update(name="赵一一")
        zhao = Student.objects.get(name="赵一一")
        Student.objects.filter(pk=zhao.pk).update(name="赵一")
        Recognition.objects.filter(student=zhao).delete()
        one = recognition.apply(zhao, term=aided.term, category="8", reason="病", by=aided.user("school-a"))
        recognition.review(one, tier="2", ways=["走访"], review="", by=aided.user("town-a"))
        recognition.approve(one, by=aided.user("county"))
        entitlement.compute(aided.term)
        with CaptureQueriesContext(connection) as more:
            client.get(page)
        assert (page, len(more)) == (page, len(few))
        recognition.withdraw(one, comment="试", by=aided.user("county"))
        entitlement.compute(aided.term)


def test_no_award_no_programme_by_list_counts_as_a_gap(aided: SmallCounty) -> None:
    assert not Award.objects.exists()
    assert Programme.objects.get(key="student-loan") not in Programme.objects.entitling()
    basis = Basis(aided.home, today())
    assert {key: i.value(basis, EVERYTHING) for key, i in indicators.GAPS.items()} == {
        "missed": 2, "not-entitled": 0, "twice": 0, "gone": 0, "other-amount": 0, "shared-card": 0, "outside": 0,
    }  # fmt: skip
