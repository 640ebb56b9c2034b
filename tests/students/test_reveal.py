"""Numbers in full: one at a time, with a purpose and a fresh password, to the side that may know, always logged."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from django.test import Client

from eduaid.core.models import AccessRecord, Notice
from students import actions
from students.models import Student
from tests.small_county import PASSWORD, SmallCounty, id_number

NUMBER = id_number("20150503", 12)
REGISTRY = "G" + NUMBER
LI = {"姓名": "李小雨", "身份证号": NUMBER, "户籍地址": "示例县水口镇东风村", "联系电话": "13800990001"}
PUPIL = {
    "学校标识码": "2199000002", "姓名": "李小雨", "身份证件号": NUMBER, "学籍号": REGISTRY, "年级": "五年级", "班级": "1班",
    "成员1姓名": "李大山", "成员1联系电话": "13900990003", "现住址": "石洲乡船形村 8 号",
}  # fmt: skip


@pytest.fixture
def child(county: SmallCounty) -> Student:
    county.bring("population", [LI], place="a", by="town-a")
    county.bring("registry", [PUPIL], place="home", by="county")
    return Student.objects.get()


def ask(client: Client, child: Student, what: str, **fields: str) -> tuple[int, str]:
    response = client.post(f"/students/{child.public_id}/reveal/{what}/", fields)
    return response.status_code, response.content.decode()


def test_an_identity_number_needs_purpose_and_password_and_the_password_holds_ten_minutes(
    county: SmallCounty, child: Student
) -> None:
    client = county.client("town-b")
    status, page = ask(client, child, "id")
    assert (status, NUMBER in page) == (200, False)
    assert "登录密码" in page
    assert ask(client, child, "id", purpose="核对身份", password="wrong")[1].count("有 1 处需要修改") == 1
    assert ask(client, child, "id", purpose="", password=PASSWORD)[1].count("有 1 处需要修改") == 1
    assert ask(client, child, "id", purpose="其他", password=PASSWORD)[1].count("有 1 处需要修改") == 1
    assert not AccessRecord.objects.filter(action="reveal").exists()

    response = client.post(f"/students/{child.public_id}/reveal/id/", {"purpose": "核对身份", "password": PASSWORD})
    page = response.content.decode()
    assert NUMBER in page
    assert 'data-hide-after="30"' in page
    assert response["Cache-Control"] == "no-store"
    record = AccessRecord.objects.get(action="reveal")
    assert (record.user.username, record.subject_id, record.purpose) == ("town-b", child.pk, "证件号码：核对身份")
    assert NUMBER not in record.page

    status, page = ask(client, child, "registry", purpose="办理学籍")
    assert REGISTRY in page
    with time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(minutes=11)):
        status, page = ask(client, child, "registry", purpose="办理学籍")
        assert (status, REGISTRY in page) == (200, False)


def test_a_corrected_number_is_shown_from_the_correction(county: SmallCounty, child: Student) -> None:
    right = id_number("20150503", 14)
    actions.correct(
        child, concept="id", values={"id_number": right, "id_type": "1"}, by=county.user("data"), reason="户口簿"
    )
    _, page = ask(county.client("county"), child, "id", purpose="核对身份", password=PASSWORD)
    assert right in page
    assert NUMBER not in page


def test_a_phone_is_shown_for_calling_the_family_to_the_side_that_delivered_it(
    county: SmallCounty, child: Student
) -> None:
    school_side, hukou_side = county.client("town-b"), county.client("town-a")
    _, page = ask(school_side, child, "guardian-phone")
    assert "13900990003" in page
    assert AccessRecord.objects.get(action="reveal").purpose == "监护人电话：联系家长"
    _, page = ask(hukou_side, child, "phone")
    assert "13800990001" in page
    for client, what in ((school_side, "phone"), (hukou_side, "guardian-phone")):
        response = client.post(f"/students/{child.public_id}/reveal/{what}/", follow=True)
        assert "没有填写" in response.content.decode()
        assert "0990003" not in response.content.decode()
    assert AccessRecord.objects.filter(action="reveal").count() == 2


def test_more_than_fifty_an_hour_alerts_the_audit_administrator_once(county: SmallCounty, child: Student) -> None:
    user = county.user("town-b")
    AccessRecord.objects.bulk_create(
        AccessRecord(user=user, action="reveal", subject_kind="student", subject_id=child.pk, page="/")
        for _ in range(49)
    )
    client = county.client("town-b")
    ask(client, child, "guardian-phone")
    assert not Notice.objects.filter(user=county.users["auditadmin"]).exists()
    ask(client, child, "guardian-phone")
    ask(client, child, "guardian-phone")
    notice = Notice.objects.get(user=county.users["auditadmin"])
    assert "town-b老师（town-b）1 小时内显示完整号码超过 50 次" in notice.text
    log = county.client("auditadmin").get(notice.url)
    assert log.status_code == 200
    assert log.context["cl"].result_count == 52


def test_who_may_not_reveal_gets_no_button_and_no_number(county: SmallCounty, child: Student) -> None:
    for name in ("leader", "auditor"):
        client = county.client(name)
        assert "/reveal/" not in client.get(f"/students/{child.public_id}/").content.decode()
        assert ask(client, child, "guardian-phone")[0] == 403
    assert ask(county.client("school-a"), child, "guardian-phone")[0] == 404
    assert ask(county.client("county"), child, "nonsense")[0] == 404
    assert county.client("county").get(f"/students/{child.public_id}/reveal/id/").status_code == 405
