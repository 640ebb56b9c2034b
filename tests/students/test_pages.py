"""The pages about children: what they show, and where each value comes from."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from eduaid.core.models import AccessRecord
from students.models import Household, Student
from tests.small_county import SmallCounty, id_number

LI = {
    "户号": "H1",
    "户主姓名": "李大山",
    "与户主关系": "女",
    "姓名": "李小雨",
    "身份证号": id_number("20150503", 12),
    "性别": "女",
    "户籍地址": "示例县水口镇东风村",
    "联系电话": "13800990001",
}
WANG = {
    "户号": "H2",
    "户主姓名": "王大力",
    "与户主关系": "子",
    "姓名": "王伟",
    "身份证号": id_number("20140601", 11),
    "性别": "男",
    "户籍地址": "示例县水口镇东风村",
    "联系电话": "13800990002",
}
PUPIL_LI = {
    "学校名称": "石洲乡中心小学",
    "年级": "五年级",
    "班级": "1班",
    "姓名": "李小雨",
    "身份证号": LI["身份证号"],
    "是否寄宿": "是",
    "监护人姓名": "李大山",
    "监护人电话": "13900990003",
}
PUPIL_WANG = {
    "学校名称": "水口镇蔡朱小学",
    "年级": "六年级",
    "班级": "2班",
    "姓名": "王伟",
    "身份证号": WANG["身份证号"],
    "是否寄宿": "否",
    "监护人姓名": "王大力",
    "监护人电话": "13900990004",
}
POOR = [
    {
        "户编号": "P1",
        "户主姓名": "李大山",
        "姓名": "李大山",
        "身份证号": id_number("19800101", 15),
        "与户主关系": "户主",
        "乡镇": "水口镇",
        "行政村": "东风村",
        "贫困户属性": "一般脱贫户",
        "在校生状况": "非在校生",
    },
    {
        "户编号": "P1",
        "户主姓名": "李大山",
        "姓名": "李小雨",
        "身份证号": LI["身份证号"],
        "与户主关系": "之女",
        "乡镇": "水口镇",
        "行政村": "东风村",
        "贫困户属性": "一般脱贫户",
        "在校生状况": "小学",
    },
]


@pytest.fixture
def children(county: SmallCounty) -> SmallCounty:
    """李小雨: hukou in A, school in B, poor. 王伟: hukou and school in A."""
    county.bring("population", [LI, WANG], place="a", by="town-a", name="户籍人口.xlsx")
    county.bring("class-roster", [PUPIL_LI], place="b", by="town-b", name="石洲名册.xlsx")
    county.bring("class-roster", [PUPIL_WANG], place="a", by="town-a", name="水口名册.xlsx")
    county.bring("poverty-register", POOR, place="home", by="county", name="建档立卡.xlsx")
    return county


def page_of(county: SmallCounty, name: str, child: str) -> str:
    student = Student.objects.get(name=child)
    return county.client(name).get(f"/students/{student.public_id}/").content.decode()


def test_a_child_page_names_the_row_behind_each_value(children: SmallCounty) -> None:
    page = page_of(children, "county", "李小雨")
    assert "户籍人口「Sheet1」第 2 行" in page
    assert "班级名册「Sheet1」第 2 行" in page
    assert "户籍人口.xlsx" in page
    assert "石洲名册.xlsx" in page
    assert "石洲乡中心小学 五年级 1班" in page
    assert "990121************" in page
    assert LI["身份证号"] not in page


def test_opening_a_child_is_logged(children: SmallCounty) -> None:
    student = Student.objects.get(name="王伟")
    page_of(children, "county", "王伟")
    record = AccessRecord.objects.get(action="view")
    assert (record.user.username, record.subject_kind, record.subject_id) == ("county", "student", student.pk)


def test_a_household_lists_members_who_are_no_children(children: SmallCounty) -> None:
    home = Household.objects.get(kind="poverty", number="P1")
    page = children.client("county").get(f"/households/{home.pk}/").content.decode()
    assert "李大山" in page
    assert "李小雨" in page
    assert "脱贫户" in page
    assert "2 人" in page


def test_a_row_shows_what_was_delivered_with_numbers_masked(children: SmallCounty) -> None:
    student = Student.objects.get(name="李小雨")
    row = student.links.get(row__slice__kind="class-roster").row
    page = children.client("county").get(f"/rows/{row.pk}/").content.decode()
    assert "石洲名册.xlsx" in page
    assert "第 2 行" in page
    assert "139****0003" in page
    assert "13900990003" not in page
    assert LI["身份证号"] not in page
    assert f'href="/students/{student.public_id}/"' in page


def test_the_list_is_narrowed_by_what_the_lists_say(children: SmallCounty) -> None:
    client = children.client("county")

    def names(query: str) -> set[str]:
        page = client.get(f"/students/?{query}").content.decode()
        return {name for name in ("李小雨", "王伟") if f">{name}</a>" in page}

    assert names("") == {"李小雨", "王伟"}
    assert names("school=2199000002") == {"李小雨"}
    assert names("town=990121001") == {"王伟"}
    assert names("hukou=990121001") == {"李小雨", "王伟"}
    assert names("grade=26") == {"王伟"}
    assert names("stage=2") == {"李小雨", "王伟"}
    assert names("relation=other-town") == {"李小雨"}
    assert names("poverty=poverty") == {"李小雨"}
    assert names("lists=roster-only") == {"李小雨", "王伟"}
    assert names("lists=registry-not-roster") == set()
    assert names("q=小雨") == {"李小雨"}
    assert names("q=ww") == {"王伟"}
    assert names("stage=nonsense") == {"李小雨", "王伟"}


def test_the_list_turns_pages_in_both_directions_without_losing_anybody(county: SmallCounty) -> None:
    rows = [
        {
            "姓名": f"赵{'一二三四五六七八九'[i // 12]}{'甲乙丙丁戊己庚辛壬癸子丑'[i % 12]}",
            "身份证号": id_number("20150503", 100 + i),
            "户籍地址": "示例县水口镇东风村",
        }
        for i in range(105)
    ]
    county.bring("population", rows, place="a", by="town-a")
    client = county.client("county")
    for sort in ("class", "name", "-name", "birth", "-birth"):
        seen: list[str] = []
        url = f"/students/?sort={sort}"
        while url:
            response = client.get(url)
            seen += [row.url for row in response.context["rows"]]
            last, url = url, response.context["page"].next_url
        assert len(seen) == 105
        assert len(set(seen)) == 105
        back = client.get(client.get(last).context["page"].previous_url)
        assert [row.url for row in back.context["rows"]] == seen[50:100]
        assert (back.context["page"].shown_from, back.context["page"].shown_to) == (51, 100)
        assert client.get(back.context["page"].previous_url).context["page"].previous_url == ""


def test_the_list_asks_as_many_queries_for_three_children_as_for_one(county: SmallCounty) -> None:
    client = county.client("county")
    county.bring("population", [LI], place="a", by="town-a")
    client.get("/students/")
    with CaptureQueriesContext(connection) as one:
        client.get("/students/")
    zhao = WANG | {"姓名": "赵一", "身份证号": id_number("20160601", 21)}
    county.bring("population", [LI, WANG, zhao], place="a", by="town-a", as_of=dt.date(2026, 9, 20))
    with CaptureQueriesContext(connection) as three:
        assert len(client.get("/students/").context["rows"]) == 3
    assert len(three) == len(one)
