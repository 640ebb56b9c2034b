"""The kernel's tables in the admin: who may open them, spreadsheets in and out, nothing is deleted."""

from __future__ import annotations

import datetime as dt
import io
import re

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from eduaid.core.models import AccessRecord, Post, Region, School, User
from eduaid.core.models.access import Action
from tests.small_county import SmallCounty, workbook

SCHOOL_HEADERS = [
    "学校标识码",
    "学校名称",
    "学段",
    "办学类型",
    "乡镇代码",
    "县外学校",
    "简称与曾用名",
    "启用日期",
    "停用日期",
]
XLSX_IMPORT, XLSX_EXPORT = "0", "0"


def text(answer: object) -> str:
    return answer.content.decode()  # type: ignore[attr-defined,no-any-return]


MATRIX = {
    "region": {"data", "sysadmin"},
    "school": {"data", "sysadmin"},
    "schoolyear": {"data", "sysadmin"},
    "term": {"data", "sysadmin"},
    "user": {"sysadmin"},
    "post": {"secadmin"},
    "accessrecord": {"auditor", "auditadmin"},
}


@pytest.mark.parametrize("table", MATRIX)
def test_each_table_opens_for_those_whose_duty_it_is(county: SmallCounty, table: str) -> None:
    insiders = {"data", "sysadmin", "secadmin", "auditor", "auditadmin"}
    for name in sorted(insiders):
        status = county.client(name).get(f"/admin/core/{table}/").status_code
        assert status == (200 if name in MATRIX[table] else 403), name
    for name in ("town-a", "school-a", "teacher", "leader"):
        assert county.client(name).get(f"/admin/core/{table}/").status_code == 302


def test_nothing_is_deleted(county: SmallCounty) -> None:
    assert county.client("data").get(f"/admin/core/school/{county.primary_a.pk}/delete/").status_code == 403
    assert (
        county.client("sysadmin")
        .post(f"/admin/core/user/{county.user('town-a').pk}/delete/", {"post": "yes"})
        .status_code
        == 403
    )
    assert School.objects.count() == 3


def test_the_system_administrator_makes_an_account_and_no_post(county: SmallCounty) -> None:
    client = county.client("sysadmin")
    data = {"username": "new-one", "display_name": "王新", "password": "first day at work 1"}
    assert client.post("/admin/core/user/add/", data).status_code == 302
    user = User.objects.get(username="new-one")
    assert user.check_password("first day at work 1")
    assert user.must_change_password
    assert client.get("/admin/core/post/add/").status_code == 403


def test_the_exclusion_of_duties_is_a_sentence_here_too(county: SmallCounty) -> None:
    client = county.client("secadmin")
    data = {
        "user": county.user("county").pk,
        "role": "audit-admin",
        "region": "",
        "school": "",
        "from_on": "2026-09-01",
        "until_on": "",
    }
    page = text(client.post("/admin/core/post/add/", data))
    assert "三员分立：这个账号同一时段已任“资助专干、控辍保学专干”，不能再任“审计管理员”" in page
    assert not Post.objects.filter(role="audit-admin", user=county.user("county")).exists()


def import_schools(client: Client, rows: list[list[object]]) -> str:
    data = workbook({"学校": [SCHOOL_HEADERS, *rows]})
    answer = client.post(
        "/admin/core/school/import/",
        {"format": XLSX_IMPORT, "import_file": SimpleUploadedFile("学校.xlsx", data), "resource": ""},
    )
    return text(answer)


def confirm(client: Client, page: str) -> None:
    form = page.split('action="/admin/core/school/process_import/"')[1].split("</form>")[0]
    fields = {}
    for field in re.findall(r"<input[^>]*>", form):
        name, value = re.search(r'name="([^"]*)"', field), re.search(r'value="([^"]*)"', field)
        if name and value:
            fields[name[1]] = value[1]
    assert client.post("/admin/core/school/process_import/", fields).status_code == 302


def test_schools_come_in_by_spreadsheet_after_a_look_at_them(county: SmallCounty) -> None:
    client = county.client("data")
    row = ["2199000777", "水口镇田心小学", "小学、初中", "公办", 990121001, "否", "田心小学、田心完小", "", ""]
    page = import_schools(client, [row])
    assert "确认导入" in page
    assert not School.objects.filter(code="2199000777").exists()
    confirm(client, page)
    school = School.objects.get(code="2199000777")
    assert (school.town, school.stages, school.other_names) == (county.a, ["2", "3"], ["田心小学", "田心完小"])
    assert school.valid_from == dt.date(1949, 10, 1)


def test_an_import_that_fails_after_its_confirmation_never_says_that_it_worked(county: SmallCounty) -> None:
    client = county.client("data")
    rows: list[list[object]] = [
        ["2199000777", "水口镇田心小学", "小学", "公办", "990121001", "否", "", "", ""],
        ["2199000778", "水口镇新塘小学", "小学", "公办", "990121001", "否", "", "", ""],
    ]
    page = import_schools(client, rows)
    Region.objects.filter(pk=county.a.pk).update(code="990121099")
    confirm(client, page)
    assert "没有导入" in text(client.get("/admin/core/school/import/"))
    assert School.objects.count() == 3


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({2: "大学"}, "“大学”不在可选的值中"),
        ({4: "990121999"}, "没有代码为“990121999”的区划。请先登记"),
        ({7: "去年"}, "看不懂这个日期。请写成 2012-09-01 这样的形式"),
    ],
)
def test_one_wrong_row_stops_the_import_with_its_line_and_reason(
    county: SmallCounty, changes: dict[int, str], sentence: str
) -> None:
    row: list[object] = ["2199000777", "水口镇田心小学", "小学", "公办", "990121001", "否", "", "", ""]
    for column, value in changes.items():
        row[column] = value
    page = import_schools(county.client("data"), [row])
    assert sentence in page
    assert "确认导入" not in page
    assert School.objects.count() == 3


def test_what_goes_out_comes_in_again_unchanged(county: SmallCounty) -> None:
    client = county.client("data")
    School.objects.filter(pk=county.primary_a.pk).update(name="=水口镇蔡朱小学")
    names = ("code", "name", "stages", "kind", "town", "is_outside", "other_names", "valid_from", "valid_until")
    fields = dict.fromkeys(names, "on") | {f"schoolresource_{name}": "on" for name in names}
    answer = client.post("/admin/core/school/export/", {"format": XLSX_EXPORT, "resource": ""} | fields)
    sheet = openpyxl.load_workbook(io.BytesIO(answer.content)).active
    assert sheet is not None
    rows = [list(row) for row in sheet.iter_rows(values_only=True)]
    assert rows[0] == SCHOOL_HEADERS
    first = next(row for row in rows if row[0] == "2199000001")
    assert first[1] == "'=水口镇蔡朱小学"
    again = import_schools(client, rows[1:])
    confirm(client, again)
    assert School.objects.get(pk=county.primary_a.pk).name == "=水口镇蔡朱小学"
    assert School.objects.count() == 3


def test_a_merged_village_keeps_its_code_and_the_newer_one_is_found(county: SmallCounty) -> None:
    page = text(county.client("data").get("/admin/core/region/?q=东风村"))
    assert "东风村" in page
    assert Region.objects.filter(name="东风村").count() == 1


def test_the_log_is_read_and_never_changed(county: SmallCounty) -> None:
    record = AccessRecord.objects.create(
        user=county.user("town-a"),
        action=Action.REVEAL,
        subject_kind="student",
        subject_id=1,
        page="/students/x/",
        purpose="联系家长",
    )
    client = county.client("auditadmin")
    assert "联系家长" in text(client.get("/admin/core/accessrecord/"))
    assert client.get(f"/admin/core/accessrecord/{record.pk}/change/").status_code == 200
    assert client.post(f"/admin/core/accessrecord/{record.pk}/change/", {"purpose": "别的"}).status_code == 403
    record.refresh_from_db()
    assert record.purpose == "联系家长"
