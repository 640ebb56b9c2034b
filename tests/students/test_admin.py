"""P60: corrections in the admin, masked and with a reason; nothing else can be done there to a child."""

from __future__ import annotations

import io

import openpyxl
import pytest
from django.test import Client

from eduaid.core.models import AccessRecord
from students.models import Correction, Student
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


def fields(client: Client, child: Student) -> dict[str, object]:
    """The change form as a browser would send it back."""
    form = client.get(f"/admin/students/student/{child.pk}/change/").context["adminform"].form
    values = {name: form[name].value() for name in form.fields}
    return {name: value for name, value in values.items() if value not in (None, False)}


def test_saving_makes_a_correction_of_what_was_changed_and_nothing_else(county: SmallCounty, child: Student) -> None:
    client = county.client("data")
    path = f"/admin/students/student/{child.pk}/change/"
    response = client.post(
        path, fields(client, child) | {"name": "李晓雨", "birth_on": "2015年5月3日", "reason": "户口簿"}
    )
    assert response.status_code == 302
    child.refresh_from_db()
    assert (child.name, child.pinyin, str(child.birth_on)) == ("李晓雨", "lixiaoyu lxy", "2015-05-03")
    made = Correction.objects.holding().order_by("concept")
    assert [(c.concept, c.reason, c.made_by.username) for c in made] == [
        ("birth", "户口簿", "data"),
        ("name", "户口簿", "data"),
    ]
    history = client.get(f"/admin/students/student/{child.pk}/history/").content.decode()
    assert "李小雨" in history
    assert "李晓雨" in history
    assert "户口簿" in history


def test_a_save_without_reason_or_without_change_or_with_a_wrong_number_is_refused(
    county: SmallCounty, child: Student
) -> None:
    client = county.client("data")
    path = f"/admin/students/student/{child.pk}/change/"
    sent = fields(client, child)
    wrong = NUMBER[:-1] + ("1" if NUMBER[-1] != "1" else "2")
    for change, sentence in (
        ({"name": "李晓雨", "reason": ""}, "请填写「更正原因」"),
        ({"reason": "户口簿"}, "没有改动任何一项"),
        ({"id_number": wrong, "reason": "户口簿"}, "『证件号码』"),
        ({"id_number": id_number("20150503", 13), "reason": "户口簿"}, "所示性别"),
        ({"hukou_village": county.village_b.pk, "reason": "户口簿"}, "不在所选的乡镇"),
    ):
        response = client.post(path, sent | change)
        assert response.status_code == 200, change
        assert sentence in response.content.decode(), change
    assert not Correction.objects.exists()


def test_the_lists_show_no_number_and_offer_no_way_to_add_or_delete(county: SmallCounty, child: Student) -> None:
    client = county.client("data")
    page = client.get("/admin/students/student/?q=小雨").content.decode()
    assert "990121************" in page
    assert NUMBER not in page
    assert "delete_selected" not in page
    assert client.get("/admin/students/student/?q=没有").context["cl"].result_count == 0
    assert client.get("/admin/students/student/add/").status_code == 403
    assert client.post(f"/admin/students/student/{child.pk}/delete/", {"post": "yes"}).status_code == 403
    page = client.get(f"/admin/students/student/{child.pk}/change/").content.decode()
    assert NUMBER not in page
    assert f"/students/{child.public_id}/" in page
    assert AccessRecord.objects.filter(action="view", subject_id=child.pk).count() == 1
    for model in ("household", "enrolment", "correction"):
        assert client.get(f"/admin/students/{model}/").status_code == 200
    for name in ("county", "town-a", "leader", "auditor", "sysadmin"):
        assert county.client(name).get("/admin/students/student/").status_code in (302, 403), name


def test_the_export_is_masked_logged_and_says_who_took_it(county: SmallCounty, child: Student) -> None:
    client = county.client("data")
    response = client.post("/admin/students/student/export/", {"format": "0", "resource": "0"})
    rows = list(openpyxl.load_workbook(io.BytesIO(response.content)).active.iter_rows(values_only=True))
    assert rows[0][:6] == ("档案号", "姓名", "性别", "出生日期", "证件号", "户籍")
    assert rows[1][1:7] == ("李小雨", "女", None, "990121************", "水口镇东风村", "水口镇蔡朱小学")
    assert rows[2][0].startswith("导出：data老师（data）")
    record = AccessRecord.objects.get(action="export")
    assert (record.user.username, record.rows) == ("data", 1)


def test_a_correction_can_be_read_and_revoked_and_then_only_read(county: SmallCounty, child: Student) -> None:
    client = county.client("data")
    client.post(
        f"/admin/students/student/{child.pk}/change/",
        fields(client, child) | {"boarding": "false", "reason": "家长来电"},
    )
    made = Correction.objects.get()
    page = client.get("/admin/students/correction/").content.decode()
    assert "是否寄宿" in page
    assert "走读" in page
    path = f"/admin/students/correction/{made.pk}/change/"
    assert "撤销这条更正" in client.get(path).content.decode()
    assert client.post(path, {"revoke_reason": ""}).status_code == 200
    assert client.post(path, {"revoke_reason": "看错了人"}).status_code == 302
    child.refresh_from_db()
    made.refresh_from_db()
    assert child.boarding is True
    assert made.revoked_by == county.users["data"]
    assert "撤销这条更正" not in client.get(path).content.decode()
    assert client.post(path, {"revoke_reason": "再来"}).status_code == 403
