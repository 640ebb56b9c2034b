"""Pages of figures: every number leads to its rows, every scope sees its own, and pages cost the same however long they get."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from html import unescape

import openpyxl
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from eduaid.core.models import AccessRecord
from eduaid.core.models.access import Action
from students.models import Student
from tests.reports.conftest import DAY
from tests.small_county import SmallCounty

AT = f"as_of={DAY.isoformat()}"
_LINK = re.compile(r'<a class="fig[^"]*" href="([^"]+)" data-value="([^"]+)"')


def numbers(html: str) -> Iterator[tuple[str, str]]:
    """(address, value) of every number that is a link."""
    return ((unescape(url), value) for url, value in _LINK.findall(html))


def page(client: Client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == 200, url
    return response.content.decode()


def big(html: str) -> str:
    """The figure at the head of a drill-down page."""
    found = re.search(r'<p class="big">.*?data-value="([^"]+)"', html)
    assert found is not None
    return found[1]


def listed(html: str) -> int:
    """How many rows the drill-down page lists on its (only) page."""
    body = html[html.index('id="rows"') :]
    return body.count('<th scope="row" class="nowrap">')


@pytest.mark.parametrize(("user", "at_least"), [("county", 60), ("town-a", 50), ("school-a", 9)])
def test_every_number_of_the_progress_page_leads_to_as_many_rows(filled: SmallCounty, user: str, at_least: int) -> None:
    client = filled.client(user)
    addresses: dict[str, str] = {}
    for part in ("", "population", "pupils", "poverty", "differences", "coverage"):
        addresses |= dict(numbers(page(client, f"/progress/?{AT}&part={part}")))
    assert len(addresses) >= at_least
    for url, value in addresses.items():
        target = page(client, url)
        if value.endswith("%"):
            assert value in target, url
        else:
            assert (big(target), listed(target)) == (value, int(value)), url


def test_from_the_county_to_a_child_in_four_clicks(filled: SmallCounty) -> None:
    client = filled.client("county")

    def follow(html: str, name: str) -> str:
        found = re.search(rf'<th scope="row"><a href="([^"]+)">{name}</a>', html)
        assert found is not None, name
        return page(client, unescape(found[1]))

    county = page(client, f"/i/pupils/?{AT}")
    township = follow(county, "石洲乡")
    school = follow(township, "石洲乡中心小学")
    of_class = follow(school, "四年级 1班")
    assert (big(county), big(township), big(school), big(of_class)) == ("5", "3", "3", "2")
    child = Student.objects.get(name="孙丽")
    assert f'<a href="{reverse("student", args=[child.public_id])}">孙丽</a>' in of_class
    # Every step back is one click, and the drill says where one stands.
    assert re.search(r'aria-current="page">四年级 1班</span>', of_class)


def test_a_row_of_a_figure_leads_to_its_line_in_the_file(filled: SmallCounty) -> None:
    client = filled.client("county")
    html = page(client, f"/i/difference.registry-not-roster/?{AT}")
    found = re.search(r'<a href="(/rows/\d+/)">学籍第 2 行</a>', html)
    assert found is not None
    assert "周杰" in page(client, found[1])


def test_a_rate_shows_what_it_is_made_of(filled: SmallCounty) -> None:
    html = page(filled.client("county"), f"/i/population.6-15.in-registry/?of=population.6-15&{AT}")
    assert "80.00%" in html
    assert "<dt>分母</dt><dd>6—15周岁户籍人口" in html


def test_nobody_counted_says_why(filled: SmallCounty) -> None:
    client = filled.client("county")
    assert "在所选范围和日期内没有符合口径的行" in page(client, f"/i/pupils.senior/?{AT}")
    earlier = page(client, "/i/pupils/?as_of=2026-09-01")
    assert big(earlier) == "0"
    assert "还没有生效的名单：班级名册" in earlier


def test_a_school_is_offered_only_what_is_told_of_schools(filled: SmallCounty) -> None:
    html = page(filled.client("school-a"), f"/progress/?part=population&{AT}")
    tabs = re.findall(
        r'<li><a href="[^"]*"( aria-current="page")?>([^<]+)</a></li>', html[html.index('class="tabs"') :]
    )
    assert tabs[:4] == [(' aria-current="page"', "总览"), ("", "在校学生"), ("", "名单比对"), ("", "名单报送")]


def test_a_village_has_its_page_too(filled: SmallCounty) -> None:
    client = filled.client("town-a")
    for part in ("", "population", "poverty", "pupils"):
        html = page(client, f"/progress/?area={filled.village_a.code}&part={part}&{AT}")
        assert "东风村" in html
    assert "全村6—15周岁户籍人口4人，其中有学籍3人、无学籍1人。" in page(
        client, f"/progress/?area={filled.village_a.code}&{AT}"
    )
    assert "全村共1户。按户类型分，脱贫户1户。" in re.sub(
        r"<[^>]+>", "", page(client, f"/progress/?area={filled.village_a.code}&part=poverty&{AT}")
    )


def test_a_date_that_cannot_be_used_is_said(filled: SmallCounty) -> None:
    client = filled.client("county")
    assert "看不懂日期“昨天”，请写成 2026-09-01 这样的形式。" in page(client, "/progress/?as_of=昨天")
    assert "晚于今天" in page(client, "/progress/?as_of=2999-01-01")


# --- scope ----------------------------------------------------------------------------------------------------


def test_a_township_sees_its_own_figures_and_no_others(filled: SmallCounty) -> None:
    client = filled.client("town-a")
    assert big(page(client, f"/i/pupils/?{AT}")) == "2"
    for url in (
        f"/progress/?area={filled.b.code}", f"/progress/?area={filled.home.code}", f"/i/pupils/?area={filled.b.code}",
        f"/i/pupils/?area={filled.primary_b.code}", f"/i/population.6-15/?area={filled.village_b.code}",
        f"/i/pupils/export/?area={filled.b.code}", "/i/pupils/?area=nowhere", "/i/nothing/", "/i/pupils/?grade=x&none=moon",
    ):  # fmt: skip
        assert client.get(url).status_code == 404, url
    assert page(client, f"/i/population.6-15/?area={filled.village_a.code}&{AT}")


def test_children_of_another_township_are_not_named(filled: SmallCounty) -> None:
    """孙丽 has hukou in A and sits in B: both see her; 周杰, 吴县 and 许多 are B's alone."""
    html = "".join(
        page(filled.client("town-a"), f"/progress/?{AT}&part={part}") for part in ("", "pupils", "population")
    )
    assert "石洲乡" not in html
    rows = page(filled.client("town-a"), f"/i/population.6-15/?{AT}")
    assert "孙丽" in rows
    for name in ("周杰", "吴县", "许多"):
        assert name not in rows


def test_figures_are_for_those_who_see_figures(filled: SmallCounty) -> None:
    for user in ("teacher", "sysadmin", "secadmin", "auditadmin"):
        client = filled.client(user)
        for url in ("/progress/", "/i/pupils/", "/reports/"):
            assert client.get(url).status_code == 403, (user, url)
        assert client.get("/").status_code == 200
    for url in ("/progress/", "/i/pupils/", "/reports/", "/"):
        assert Client().get(url).status_code == 302


# --- exports --------------------------------------------------------------------------------------------------


def test_an_export_is_masked_marked_and_logged(filled: SmallCounty) -> None:
    response = filled.client("town-a").get(f"/i/population.6-15/export/?{AT}")
    sheet = openpyxl.load_workbook(io.BytesIO(response.content)).active
    assert sheet is not None
    rows = [[str(cell or "") for cell in row] for row in sheet.iter_rows(values_only=True)]
    assert rows[0][0] == "6—15周岁户籍人口"
    assert rows[1][0].startswith("水口镇　截至2026年11月20日　共 4 人　口径：")
    record = AccessRecord.objects.get(action=Action.EXPORT, subject_kind="indicator")
    serial = record.purpose.removeprefix("population.6-15 ")
    assert re.fullmatch(r"\d{8}-[0-9a-f]{8}", serial)
    assert rows[2][0].startswith("导出人：水口镇 town-a老师　导出时间：")
    assert f"编号：{serial}" in rows[2][0]
    assert rows[3][:4] == ["姓名", "性别", "出生日期", "证件号"]
    assert sorted(row[0] for row in rows[4:]) == ["孙丽", "李小雨", "王伟", "赵强"]
    assert {row[3] for row in rows[4:]} == {"990121************"}
    assert (record.user.username, record.rows, record.page) == ("town-a", 4, "/i/population.6-15/export/")
    assert not re.search(rb"\d{17}[\dX]", response.content)


def test_an_export_as_csv_opens_in_a_spreadsheet(filled: SmallCounty) -> None:
    response = filled.client("county").get(f"/i/difference.roster-only/export/?format=csv&{AT}")
    assert response.content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(response.content.decode("utf-8-sig"))))
    assert rows[1][:2] == ["姓名", "性别"]
    assert [row[0] for row in rows[2:]] == ["许多"]


def test_only_those_who_may_export_do(filled: SmallCounty) -> None:
    assert filled.client("leader").get("/i/pupils/export/").status_code == 403
    assert "导出名单" not in page(filled.client("leader"), f"/i/pupils/?{AT}")
    assert filled.client("county").get("/i/pupils/export/?format=exe").status_code == 404


# --- cost -----------------------------------------------------------------------------------------------------


def test_a_list_costs_the_same_for_one_row_and_for_many(filled: SmallCounty) -> None:
    client = filled.client("county")
    costs = []
    for key in ("difference.roster-only", "pupils"):
        url = f"/i/{key}/?area={filled.primary_b.code}&{AT}"
        client.get(url)
        with CaptureQueriesContext(connection) as queries:
            client.get(url)
        costs.append(len(queries))
    assert costs[0] == costs[1]


# --- home -----------------------------------------------------------------------------------------------------


def test_everybody_has_a_home_page_with_what_waits_for_them(filled: SmallCounty) -> None:
    county = page(filled.client("county"), "/")
    assert "1所学校未报班级名册" in county
    assert "1行待改" in county
    assert "最近导入" in county
    township = page(filled.client("town-b"), "/")
    assert "未报班级名册" not in township
    assert "本周没有待办" in township
    assert "水口镇" not in township
    teacher = page(filled.client("teacher"), "/")
    assert "在校学生" not in teacher


def test_a_list_that_waits_for_approval_is_a_task_of_the_bureau(filled: SmallCounty) -> None:
    from eduaid.core import uploads
    from tests.reports.conftest import ZHOU, B, lived

    upload = filled.send("population", [lived(ZHOU, B)], place="b", by="town-b", mode="supplement", name="补报.xlsx")
    assert f'<a href="/imports/{upload.pk}/">核对并提交：石洲乡户籍人口名单（2026年9月10日）</a>' in page(
        filled.client("town-b"), "/"
    )
    uploads.submit(upload, by=upload.uploaded_by)
    assert f'<a href="/imports/{upload.pk}/">审核石洲乡户籍人口名单（2026年9月10日）</a>' in page(
        filled.client("leader"), "/"
    )
    assert "审核石洲乡" not in page(filled.client("town-b"), "/")
    uploads.cancel(upload, by=upload.uploaded_by)
