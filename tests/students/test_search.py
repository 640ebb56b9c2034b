"""The search box: names, sounds, numbers; what it finds, what it logs, what it never says back."""

from __future__ import annotations

import datetime as dt

import pytest

from eduaid.core.models import AccessRecord
from students import search
from students.search import Asked, By, read
from tests.small_county import SmallCounty, id_number

NUMBER = id_number("20150503", 12)
REGISTRY = "G" + NUMBER


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        ("李文", Asked(By.NAME, "李文")),
        (" 李 文 ", Asked(By.NAME, "李文")),
        ("李偉", Asked(By.NAME, "李伟")),
        ("阿依古丽•买买提", Asked(By.NAME, "阿依古丽买买提")),
        ("㛃", Asked(By.NAME, "㛃")),
        ("𬭎", Asked(By.NAME, "𬭎")),
        ("lwl", Asked(By.SOUND, "lwl")),
        ("Li Wen'l", Asked(By.SOUND, "liwenl")),
        ("lǚ", Asked(By.SOUND, "lv")),
        ("0023", Asked(By.TAIL, "0023")),
        ("002x", Asked(By.TAIL, "002X")),
        ("９９01 21２０15 0503 0127", Asked(By.ID_NUMBER, "990121201505030127")),
        ("g990121201505030127", Asked(By.REGISTRY_NUMBER, "G990121201505030127")),
        ("E12345678", Asked(By.ID_NUMBER, "E12345678")),
        ("李文2", Asked(By.NOTHING, "")),
        ("12", Asked(By.NOTHING, "")),
        ("", Asked(By.NOTHING, "")),
    ],
)
def test_a_text_is_taken_for_a_name_its_sounds_or_a_number(typed: str, asked: Asked) -> None:
    assert read(typed) == asked


@pytest.fixture
def people(county: SmallCounty) -> SmallCounty:
    where = {"户籍地址": "示例县水口镇东风村"}
    county.bring(
        "population",
        [
            {"姓名": "李文雷", "身份证号": NUMBER, **where},
            {"姓名": "单雯", "身份证号": id_number("20140601", 11), **where},
            {"姓名": "张李文", "身份证号": id_number("20130601", 13), **where},
            {"姓名": "王㛃", "身份证号": id_number("20120601", 17), **where},
            {"姓名": "赵𬭎", "身份证号": id_number("20110601", 19), **where},
        ],
        place="a",
        by="town-a",
        name="水口户籍.xlsx",
    )
    return county


def found(county: SmallCounty, typed: str, name: str = "county") -> list[tuple[str, str]]:
    response = county.client(name).post("/search/", {"q": typed})
    assert response.status_code == 200
    return [(hit.title, hit.reason) for hit in response.context["results"]]


def test_children_are_found_by_any_part_of_the_name_and_by_every_sound(people: SmallCounty) -> None:
    assert found(people, "李文") == [("李文雷", "姓名中的字"), ("张李文", "姓名中的字")]
    assert found(people, "李文雷") == [("李文雷", "姓名")]
    assert found(people, "文雷") == [("李文雷", "姓名中的字")]
    assert found(people, "lwl") == [("李文雷", "拼音首字母")]
    assert found(people, "liwenl") == [("李文雷", "拼音")]
    assert found(people, "sw") == [("单雯", "拼音首字母")]
    assert found(people, "danwen") == [("单雯", "拼音")]
    assert found(people, "㛃") == [("王㛃", "姓名中的字")]
    assert found(people, "𬭎") == [("赵𬭎", "姓名中的字")]
    assert found(people, "蔡朱") == [("水口镇蔡朱小学", "校名")]
    assert found(people, "户籍.xlsx") == [("户籍人口名单 1 号", "文件名")]
    assert not AccessRecord.objects.exists()


def test_the_index_of_names_answers_as_looking_at_every_child_does(people: SmallCounty) -> None:
    asked = ("李文", "李文雷", "文雷", "雷", "lwl", "liwenl", "sw", "danwen", "㛃", "𬭎", "王", "没有")
    before = [found(people, typed) for typed in asked]
    assert search.learn() == 1
    assert [found(people, typed) for typed in asked] == before
    newcomer = {"姓名": "李文丽", "身份证号": id_number("20160601", 21), "户籍地址": "示例县水口镇东风村"}
    people.bring("population", [newcomer], place="a", by="town-a", mode="supplement", as_of=dt.date(2026, 9, 20))
    assert found(people, "文丽") == [("李文丽", "姓名中的字")]
    assert search.learn() == 1
    assert found(people, "文丽") == [("李文丽", "姓名中的字")]
    assert found(people, "文雷") == [("李文雷", "姓名中的字")]
    assert search.learn() == 0


def test_a_number_finds_the_child_is_logged_and_never_comes_back(people: SmallCounty) -> None:
    client = people.client("county")
    for typed, kind in ((NUMBER, "证件号"), (NUMBER[-4:], "证件号后四位")):
        response = client.post("/search/", {"q": typed})
        assert [(hit.title, hit.reason) for hit in response.context["results"]] == [("李文雷", kind)]
        page = response.content.decode()
        assert typed not in page
        assert "990121************" in page
        record = AccessRecord.objects.latest("pk")
        assert (record.action, record.purpose, record.rows, record.page) == ("search", kind, 1, "/search/")
    assert found(people, REGISTRY) == []
    assert AccessRecord.objects.latest("pk").rows == 0


def test_an_old_number_still_finds_the_child(people: SmallCounty) -> None:
    from students import actions
    from students.models import Student

    child = Student.objects.get(name="李文雷")
    values = {"id_number": id_number("20150503", 14), "id_type": "1"}
    actions.correct(child, concept="id", values=values, by=people.user("data"), reason="户口簿")
    assert found(people, NUMBER) == [("李文雷", "证件号")]
    assert found(people, values["id_number"]) == [("李文雷", "证件号")]


def test_the_empty_search_page_tells_what_can_be_typed(county: SmallCounty) -> None:
    page = county.client("town-a").get("/search/?q=李文雷").content.decode()
    assert "拼音首字母（lwl）" in page
    assert "李文雷" not in page


def test_a_number_typed_into_the_lists_filter_is_sent_to_the_search(people: SmallCounty) -> None:
    page = people.client("county").get(f"/students/?q={NUMBER}").content.decode()
    assert "号码不会留在地址里" in page
    assert f'value="{NUMBER}"' not in page
