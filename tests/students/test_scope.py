"""Who sees which child and which part: hukou in A and school in B is seen by both, family and phones by the side that
delivered them; everything else beyond the scope does not exist."""

from __future__ import annotations

import pytest

from eduaid.core.models import UploadRow
from students import actions
from students.models import Household, Student
from tests.small_county import SmallCounty, id_number

# Canaries: what must appear on one side only.
HUKOU_PHONE, SCHOOL_PHONE, GUARDIAN = "138****0001", "139****0003", "李大山"

SHARED = {
    "户号": "H1", "户主姓名": "李大水", "姓名": "李小雨", "身份证号": id_number("20150503", 12), "户籍地址": "示例县水口镇东风村",
    "联系电话": "13800990001",
}  # fmt: skip
ONLY_A = {
    "户号": "H2",
    "户主姓名": "王大力",
    "姓名": "王伟",
    "身份证号": id_number("20140601", 11),
    "户籍地址": "示例县水口镇东风村",
}
ONLY_B = {
    "户号": "H3",
    "户主姓名": "赵大有",
    "姓名": "赵一",
    "身份证号": id_number("20160601", 21),
    "户籍地址": "示例县石洲乡船形村",
}
PUPIL = {
    "学校名称": "石洲乡中心小学", "年级": "五年级", "班级": "1班", "姓名": "李小雨", "身份证号": SHARED["身份证号"], "监护人姓名": GUARDIAN,
    "监护人电话": "13900990003",
}  # fmt: skip
POOR = {
    "户编号": "P1", "户主姓名": "李大水", "姓名": "李小雨", "身份证号": SHARED["身份证号"], "与户主关系": "之女", "乡镇": "水口镇",
    "行政村": "东风村", "贫困户属性": "脱贫户", "在校生状况": "小学",
}  # fmt: skip


@pytest.fixture
def children(county: SmallCounty) -> SmallCounty:
    """李小雨 of A in B's school, 王伟 of A, 赵一 of B; the poverty register came from the county, for everybody."""
    county.bring("population", [SHARED, ONLY_A], place="a", by="town-a")
    county.bring("population", [ONLY_B], place="b", by="town-b")
    county.bring("class-roster", [PUPIL], place="b", by="town-b")
    county.bring("poverty-register", [POOR], place="home", by="county", name="全县建档立卡.xlsx")
    return county


def test_each_side_sees_its_children_and_the_shared_one(children: SmallCounty) -> None:
    expected = {
        "county": {"李小雨", "王伟", "赵一"},
        "auditor": {"李小雨", "王伟", "赵一"},
        "town-a": {"李小雨", "王伟"},
        "town-b": {"李小雨", "赵一"},
        "school-a": set(),
        "teacher": set(),
    }
    for name, names in expected.items():
        client = children.client(name)
        assert {row.name for row in client.get("/students/").context["rows"]} == names, name
        for typed in ("李小", "王伟", "zy", SHARED["身份证号"], ONLY_B["身份证号"][-4:]):
            hits = {hit.title for hit in client.post("/search/", {"q": typed}).context["results"]}
            assert hits <= names | {"李大水户", "王大力户", "赵大有户"}, (name, typed)
        for child in Student.objects.all():
            status = client.get(f"/students/{child.public_id}/").status_code
            assert status == (200 if child.name in names else 404), (name, child.name)
    for name in ("sysadmin", "secadmin", "auditadmin"):
        client = children.client(name)
        for path in ("/students/", f"/students/{Student.objects.first().public_id}/", "/search/", "/rows/1/"):
            assert client.get(path).status_code == 403, (name, path)


def test_the_shared_child_shows_each_side_its_own_contacts_only(children: SmallCounty) -> None:
    child = Student.objects.get(name="李小雨")

    def page(name: str) -> str:
        return children.client(name).get(f"/students/{child.public_id}/").content.decode()

    hukou_side, school_side, county = page("town-a"), page("town-b"), page("county")
    for text in ("水口镇东风村", "石洲乡中心小学 五年级 1班", "990121************"):
        assert text in hukou_side
        assert text in school_side
    assert HUKOU_PHONE in hukou_side
    assert SCHOOL_PHONE not in hukou_side
    assert GUARDIAN not in hukou_side
    assert SCHOOL_PHONE in school_side
    assert GUARDIAN in school_side
    assert HUKOU_PHONE not in school_side
    assert all(text in county for text in (HUKOU_PHONE, SCHOOL_PHONE, GUARDIAN))
    assert "班级名册（由其他乡镇或学校报送）" in hukou_side
    assert "户籍人口（由其他乡镇或学校报送）" in school_side
    assert "李大水户" in hukou_side
    assert "李大水" not in school_side


def test_a_change_of_the_guardian_stays_with_the_schools_side(children: SmallCounty) -> None:
    child = Student.objects.get(name="李小雨")
    actions.correct(
        child, concept="guardian", values={"guardian": "李大海"}, by=children.user("data"), reason="家长来校说明"
    )
    assert "李大海" not in children.client("town-a").get(f"/students/{child.public_id}/").content.decode()
    assert "李大海" in children.client("town-b").get(f"/students/{child.public_id}/").content.decode()


def test_rows_open_where_their_place_lies_also_those_of_a_county_wide_list(children: SmallCounty) -> None:
    rows = {
        (row.slice.kind, row.town.name): row.pk
        for row in UploadRow.objects.order_by("pk").select_related("slice", "town")
    }
    expected = {
        ("population", "水口镇"): {"town-a"},
        ("population", "石洲乡"): {"town-b"},
        ("class-roster", "石洲乡"): {"town-b"},
        ("poverty-register", "水口镇"): {"town-a"},
    }
    assert rows.keys() == expected.keys()
    for key, seers in expected.items():
        for name in ("town-a", "town-b", "school-a"):
            response = children.client(name).get(f"/rows/{rows[key]}/")
            assert response.status_code == (200 if name in seers else 404), (key, name)
    page = children.client("town-a").get(f"/rows/{rows['poverty-register', '水口镇']}/").content.decode()
    assert "全县建档立卡.xlsx" in page
    assert "导入回执" not in page
    assert SHARED["身份证号"] not in page


def test_a_household_belongs_to_its_township(children: SmallCounty) -> None:
    for home in Household.objects.all():
        seer, stranger = ("town-a", "town-b") if home.town == children.a else ("town-b", "town-a")
        page = children.client(seer).get(f"/households/{home.pk}/")
        assert page.status_code == 200
        assert children.client(stranger).get(f"/households/{home.pk}/").status_code == 404
    poor = Household.objects.get(kind="poverty")
    page = children.client("town-a").get(f"/households/{poor.pk}/").content.decode()
    assert "脱贫户" in page
    assert "李小雨" in page


def test_corrections_are_settled_by_the_data_administrator_only(children: SmallCounty) -> None:
    child = Student.objects.get(name="李小雨")
    made = actions.correct(child, concept="sex", values={"sex": "1"}, by=children.user("data"), reason="户口簿")
    path = f"/students/{child.public_id}/corrections/{made.pk}/"
    for name in ("county", "town-a", "leader", "auditor"):
        assert children.client(name).post(path, {}).status_code == 403, name
    assert children.client("data").get(path).status_code == 405
    other = Student.objects.get(name="赵一")
    assert children.client("data").post(f"/students/{other.public_id}/corrections/{made.pk}/", {}).status_code == 404
