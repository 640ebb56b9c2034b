"""比对: queues equal their lists, a source is picked by one press, everything is undone, and each side sees its own."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from students import crosscheck, identity
from students.crosscheck import compare
from students.models import Correction, Discrepancy, IdentityLink, MatchDecision, Student, Suggestion
from students.queues import QUEUES
from tests.small_county import SmallCounty, id_number

LI, WANG, ZHAO = id_number("20150503", 12), id_number("20140601", 11), id_number("20160601", 21)
OTHER = id_number("20150503", 48)


def hukou(name: str, number: str, sex: str = "女", village: str = "水口镇东风村") -> dict[str, object]:
    born = f"{number[6:10]}-{number[10:12]}-{number[12:14]}"
    return {"姓名": name, "身份证号": number, "性别": sex, "出生日期": born, "户籍地址": f"示例县{village}"}


def pupil(name: str, number: str, sex: str = "女", school: str = "蔡朱小学", **more: object) -> dict[str, object]:
    born = f"{number[6:10]}-{number[10:12]}-{number[12:14]}"
    return {
        "学校名称": school, "年级": "五年级", "班级": "1班", "姓名": name, "身份证号": number, "性别": sex, "出生日期": born, **more,
    }  # fmt: skip


def registered(name: str, number: str, sex: str = "女", **more: object) -> dict[str, object]:
    return {
        "学校标识码": "2199000001", "学校名称": "水口镇蔡朱小学", "姓名": name, "性别": sex, "身份证件类型": "居民身份证",
        "身份证件号": number, "年级": "五年级", "班级": "1班", "学籍号": f"G{number}", "出生日期": number[6:14], **more,
    }  # fmt: skip


@pytest.fixture
def lists(county: SmallCounty) -> SmallCounty:
    """王伟 stands everywhere, with another way of boarding; 李小雨 of the hukou list may be 李晓雨 of the class roster; 赵一 of
    township B stands in the hukou list only."""
    county.bring("population", [hukou("王伟", WANG, "男"), hukou("李小雨", LI)], place="a", by="town-a")
    county.bring("population", [hukou("赵一", ZHAO, "男", "石洲乡船形村")], place="b", by="town-b")
    county.bring("registry", [registered("王伟", WANG, "男", 是否寄宿="否")], place="home", by="county")
    county.bring(
        "class-roster",
        [pupil("王伟", WANG, "男", 是否寄宿="是"), pupil("李晓雨", OTHER, 是否寄宿="否")],
        place="a",
        by="town-a",
    )
    compare(Student.objects.values_list("pk", flat=True))
    return county


def queue(client: Client, key: str, town: str = "") -> list[str]:
    response = client.get("/match/", {"queue": key, "town": town})
    assert response.status_code == 200
    shown = next(one for one in response.context["queues"] if one["current"])
    names = [row.name for row in response.context["rows"]]
    assert shown["figure"].value == len(names)
    return names


def test_each_queue_shows_the_children_that_its_figure_counts(lists: SmallCounty) -> None:
    client = lists.client("town-a")
    assert {one.key: queue(client, one.key) for one in QUEUES} == {
        "population-only": ["李小雨"],
        "registry-only": [],
        "not-in-class": [],
        "roster-only": ["李晓雨"],
        "contradicted": ["王伟"],
        "duplicates": ["李小雨"],
        "poor-not-in-class": [],
    }
    assert queue(lists.client("county"), "population-only") == ["李小雨", "赵一"]
    assert queue(lists.client("county"), "population-only", lists.b.code) == ["赵一"]


def test_a_pair_is_made_one_child_by_picking_a_list_and_undone_by_one_press(lists: SmallCounty) -> None:
    client = lists.client("town-a")
    pair = Suggestion.objects.open().get()
    page = client.get(f"/match/pairs/{pair.pk}/")
    text = page.content.decode()
    assert "姓名同音、出生同" in text
    assert "<mark>小</mark>" in text
    assert "<mark>晓</mark>" in text
    assert LI not in text
    assert OTHER not in text
    done = client.post(f"/match/pairs/{pair.pk}/decide/", {"do": "population", "reason": "户口簿"})
    assert done.status_code == 302
    child = Student.objects.get(name="李小雨", merged_into=None)
    assert (child.in_population, child.in_roster) == (True, True)
    assert {one.key: queue(client, one.key) for one in QUEUES}["duplicates"] == []
    assert queue(client, "population-only") == []
    settled = MatchDecision.objects.standing()
    assert {(d.verdict, d.concept, d.source) for d in settled} == {
        ("same", "", ""),
        ("source", "name", "population"),
        ("source", "id", "population"),
    }
    assert Correction.objects.count() == 0  # the lists' own order says so already
    client.post(f"/match/decisions/{settled[0].pk}/undo/", {"now": "1"})
    assert MatchDecision.objects.standing().count() == 0
    assert queue(client, "duplicates") == ["李小雨"]


def test_the_less_trusted_list_is_believed_by_a_correction(lists: SmallCounty) -> None:
    client = lists.client("town-a")
    child = Student.objects.get(name="王伟")
    assert child.boarding is True
    path = f"/match/children/{child.public_id}/"
    page = client.get(path, {"queue": "contradicted"}).content.decode()
    assert "是否寄宿：名册与学籍不同，一般以名册为准" in page
    client.post(f"{path}decide/?queue=contradicted", {"do": "registry"})
    child.refresh_from_db()
    assert child.boarding is False
    assert Correction.objects.holding().get().concept == "boarding"
    assert queue(client, "contradicted") == []
    # The next lists say the same: nobody is asked again. A third value is asked about.
    lists.bring(
        "class-roster",
        [pupil("王伟", WANG, "男", 是否寄宿="是", 监护人姓名="王大力"), pupil("李晓雨", OTHER, 是否寄宿="否")],
        place="a",
        by="town-a",
        as_of=dt.date(2026, 10, 9),
    )
    compare([child.pk])
    assert queue(client, "contradicted") == []
    decision = MatchDecision.objects.standing().get()
    client.post(f"/match/decisions/{decision.pk}/undo/", {"reason": "看错了"})
    child.refresh_from_db()
    assert child.boarding is True
    assert queue(client, "contradicted") == ["王伟"]


def test_what_was_told_apart_or_left_open_is_remembered(lists: SmallCounty) -> None:
    client = lists.client("town-a")
    pair = Suggestion.objects.open().get()
    client.post(f"/match/pairs/{pair.pk}/decide/", {"do": "check", "reason": "请村里问一问"})
    assert queue(client, "duplicates") == ["李小雨"]
    assert "待核：" in client.get(f"/match/pairs/{pair.pk}/").content.decode()
    client.post(f"/match/pairs/{pair.pk}/decide/", {"do": "different"})
    assert queue(client, "duplicates") == []
    crosscheck.compare(Student.objects.values_list("pk", flat=True))
    assert queue(client, "duplicates") == []
    page = client.get("/match/decisions/").content.decode()
    assert "不是同一人" in page
    assert "请村里问一问" in page


def test_a_stranger_finds_nothing(lists: SmallCounty) -> None:
    pair = Suggestion.objects.open().get()
    child = Student.objects.get(name="王伟")
    decision = identity.leave_open(student=child, reason="问学校", by=lists.user("town-a"))
    stranger = lists.client("town-b")
    for path in (
        f"/match/pairs/{pair.pk}/",
        f"/match/children/{child.public_id}/",
        f"/match/?town={lists.a.code}",
        f"/match/certain/?town={lists.a.code}",
        f"/match/decisions/{decision.pk}/undo/",
    ):
        assert stranger.get(path).status_code == 404, path
    for path in (f"/match/pairs/{pair.pk}/decide/", f"/match/children/{child.public_id}/decide/"):
        assert stranger.post(path, {"do": "different"}).status_code == 404, path
    assert stranger.post("/match/compare/", {"town": lists.a.code}).status_code == 404
    assert "王伟" not in stranger.get("/match/decisions/").content.decode()
    for name in ("leader", "school-a", "teacher", "sysadmin"):
        assert lists.client(name).get("/match/").status_code == 403, name
    assert lists.client("leader").post(f"/match/pairs/{pair.pk}/decide/", {"do": "different"}).status_code == 403


def test_a_pair_over_two_townships_is_seen_by_both(county: SmallCounty) -> None:
    county.bring("population", [hukou("李小雨", LI)], place="a", by="town-a")
    county.bring(
        "class-roster", [pupil("李晓雨", OTHER, school="石洲乡中心小学", 监护人姓名="李大山")], place="b", by="town-b"
    )
    compare(Student.objects.values_list("pk", flat=True))
    pair = Suggestion.objects.open().get()
    hukou_side, school_side = county.client("town-a"), county.client("town-b")
    for client, sees_guardian in ((hukou_side, False), (school_side, True)):
        page = client.get(f"/match/pairs/{pair.pk}/")
        assert page.status_code == 200
        assert ("李大山" in page.content.decode()) is sees_guardian
    assert hukou_side.post(f"/match/pairs/{pair.pk}/decide/", {"do": "population"}).status_code == 302
    child = Student.objects.get(name="李小雨", merged_into=None)
    assert (child.hukou_town, child.school_town) == (county.a, county.b)
    for client in (hukou_side, school_side):
        assert "李小雨" in client.get("/match/decisions/").content.decode()


def test_certain_ones_are_accepted_at_once_and_taken_back_at_once(lists: SmallCounty) -> None:
    lists.bring(
        "class-roster",
        [pupil("王伟", WANG, "女", 是否寄宿="否"), pupil("李晓雨", OTHER, 是否寄宿="否")],
        place="a",
        by="town-a",
        as_of=dt.date(2026, 10, 9),
    )
    Suggestion.objects.update(certainty="sure")
    compare([Student.objects.get(name="王伟").pk])
    client = lists.client("town-a")
    page = client.get("/match/certain/")
    shown = page.content.decode()
    assert "李小雨" in shown
    count = next(field["value"] for field in page.context["fields"] if field["name"] == "expected")
    assert client.post("/match/certain/", {"expected": "77"}).status_code == 302
    assert MatchDecision.objects.count() == 0
    done = client.post("/match/certain/", {"expected": count}, follow=True)
    assert f"已采用水口镇的 {count} 条确定建议" in done.content.decode()
    standing = MatchDecision.objects.standing()
    assert standing.count() == count
    assert len(set(standing.values_list("batch", flat=True))) == 1
    client.post(f"/match/batches/{standing[0].batch}/undo/", {"reason": "整批再看看"})
    assert MatchDecision.objects.standing().count() == 0
    assert Student.objects.filter(merged_into=None).count() == 4


def test_a_missing_or_old_list_is_named(county: SmallCounty) -> None:
    county.bring("population", [hukou("李小雨", LI)], place="a", by="town-a", as_of=dt.date(2026, 3, 10))
    text = county.client("town-a").get("/match/").content.decode()
    assert "户籍人口名单最近一份是2026年3月10日的" in text
    assert "还没有学籍名单" in text
    assert "还没有班级名册名单" in text


def test_queries_do_not_grow_with_the_rows(lists: SmallCounty) -> None:
    client = lists.client("town-a")
    client.get("/match/")  # notes in the session that somebody is there

    def asked() -> int:
        with CaptureQueriesContext(connection) as found:
            client.get("/match/", {"queue": "population-only"})
        return len(found)

    few = asked()
    more = [hukou(name, id_number("20150601", 20 + place)) for place, name in enumerate(("陈一", "陈二", "陈三"))]
    lists.bring(
        "population",
        [hukou("王伟", WANG, "男"), hukou("李小雨", LI), *more],
        place="a",
        by="town-a",
        as_of=dt.date(2026, 10, 9),
    )
    compare(Student.objects.values_list("pk", flat=True))
    assert asked() == few
    assert Discrepancy.objects.open().count() == 1


def test_two_files_are_merged_by_hand_and_a_row_is_given_to_a_new_child(lists: SmallCounty) -> None:
    client = lists.client("town-a")
    keep, other = Student.objects.get(name="李小雨"), Student.objects.get(name="李晓雨")
    path = f"/students/{keep.public_id}/merge/"
    assert "您的范围内没有这个档案号" in client.post(path, {"number": "ZZZZZZZZZZ"}).content.decode()
    assert client.post(path, {"number": other.public_id}).headers["Location"] == f"{path}?other={other.public_id}"
    page = client.get(f"{path}?other={other.public_id}").content.decode()
    assert "班级名册里写到“李晓雨”的行都归到这一份档案" in page
    client.post(f"{path}?other={other.public_id}", {"reason": "户口簿曾用名"})
    other.refresh_from_db()
    assert other.merged_into == keep
    banner = client.get(f"/students/{other.public_id}/").content.decode()
    assert f'这份档案已并入 <a href="/students/{keep.public_id}/">' in banner
    assert "也写作李晓雨" in client.get(f"/students/{keep.public_id}/").content.decode()

    row = IdentityLink.objects.get(student=other).pk
    assert lists.client("town-b").get(f"/rows/{row}/move/").status_code == 404
    assert lists.client("town-b").get(path).status_code == 404
    client.post(f"/rows/{row}/move/?to=new", {"reason": "是另一个孩子"})
    new = IdentityLink.objects.get(row=row).student
    assert (new.name, new in (keep, other)) == ("李晓雨", False)
    keep.refresh_from_db()
    assert keep.in_roster is False
