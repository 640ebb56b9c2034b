"""Evidence and disability lists: rows tie to children whom others name, and a proof from a list waits for its review."""

from __future__ import annotations

import datetime as dt

import pytest

from dropout import proof
from dropout.models import Evidence
from eduaid.core import uploads
from eduaid.core.models import Finding, UploadRow
from eduaid.core.tasks import advance
from students.models import Student
from tests.small_county import SmallCounty, id_number

LI, WANG, NOBODY = id_number("20150503", 12), id_number("20140601", 11), id_number("20150909", 33)
PHONE = "13800990007"
DAY = dt.date(2026, 11, 10)


def lived(name: str, number: str) -> dict[str, str]:
    born = f"{number[6:10]}-{number[10:12]}-{number[12:14]}"
    return {
        "户号": number[-4:],
        "户主姓名": "李大水",
        "姓名": name,
        "身份证号": number,
        "出生日期": born,
        "户籍地址": "示例县水口镇东风村",
    }


def proved(name: str, number: str, **more: str) -> dict[str, str]:
    return {
        "姓名": name, "身份证号": number, "就读省": "广东省", "就读市": "深圳市", "就读县": "宝安区", "就读学校": "西乡小学", "就读年级": "五年级",
        "就读班级": "3班", "取证方式": "就读证明", "证明日期": "2026.11.3", "联系人": "刘老师", "联系电话": PHONE, "备注": "",
    } | more  # fmt: skip


@pytest.fixture
def listed(county: SmallCounty) -> SmallCounty:
    county.bring("population", [lived("李小雨", LI), lived("王伟", WANG)], place="a", by="town-a")
    return county


def test_rows_become_records_that_wait_for_review(listed: SmallCounty) -> None:
    upload = listed.bring("evidence", [proved("李小雨", LI)], place="a", by="town-a", as_of=DAY)
    one = Evidence.objects.get()
    assert (one.student.name, one.state, one.kind, one.proved_on) == ("李小雨", "recorded", "E1", dt.date(2026, 11, 3))
    assert one.where == "广东省深圳市宝安区西乡小学五年级3班"
    assert (one.phone_masked, proof.phone_of(one), one.contact) == ("138****0007", PHONE, "刘老师")
    assert (one.verified_by, one.town, one.row.upload_id) == (listed.user("town-a"), listed.a, upload.pk)
    proof.accept(one, by=listed.user("county"))
    again = listed.bring(
        "evidence", [proved("李小雨", LI, 就读班级="4班")], place="a", by="town-a", as_of=dt.date(2026, 11, 12)
    )
    assert again.state == "in-force"
    one.refresh_from_db()
    assert (one.state, one.at_class) == ("accepted", "3班"), "an accepted proof is not overwritten by a list"


def test_a_newer_list_replaces_what_waits_and_an_undo_brings_the_older_back(listed: SmallCounty) -> None:
    listed.bring("evidence", [proved("李小雨", LI)], place="a", by="town-a", as_of=DAY)
    newer = listed.bring(
        "evidence",
        [proved("李小雨", LI, 就读班级="4班"), proved("王伟", WANG)],
        place="a",
        by="town-a",
        as_of=dt.date(2026, 11, 12),
    )
    assert sorted(Evidence.objects.values_list("student__name", "at_class", "state")) == [
        ("李小雨", "4班", "recorded"),
        ("王伟", "3班", "recorded"),
    ]
    uploads.undo(newer, by=listed.user("leader"), reason="报错了")
    advance(newer.pk)
    assert sorted(Evidence.objects.standing().values_list("student__name", "at_class", "state")) == [
        ("李小雨", "3班", "recorded")
    ], "the older list shows again"


def test_whom_nobody_knows_waits_and_becomes_no_child(listed: SmallCounty) -> None:
    upload = listed.send("evidence", [proved("李小雨", LI), proved("张三", NOBODY)], place="a", by="town-a", as_of=DAY)
    found = Finding.objects.get(upload=upload, code="nobody-known")
    assert (found.number, found.level) == (3, "error")
    listed.take_force(upload)
    assert set(Student.objects.values_list("name", flat=True)) == {"李小雨", "王伟"}
    assert Evidence.objects.count() == 1
    assert UploadRow.objects.get(upload=upload, number=3).state == "W"


@pytest.mark.parametrize(
    ("more", "column", "code"),
    [
        ({"证明日期": "2026-03-01"}, "proved_on", "proof-of-last-year"),
        ({"证明日期": "2026-11-11"}, "proved_on", "proof-after-list"),
        ({"取证方式": "其他证明"}, "note", "proof-undescribed"),
        ({"就读班级": ""}, "at_class", "required"),
        ({"取证方式": "听说"}, "evidence_kind", "code-unknown"),
    ],
)
def test_rows_that_prove_nothing_are_told(listed: SmallCounty, more: dict[str, str], column: str, code: str) -> None:
    upload = listed.send("evidence", [proved("李小雨", LI, **more)], place="a", by="town-a", as_of=DAY)
    assert (column, code) in set(Finding.objects.filter(upload=upload).values_list("column", "code"))


def test_the_phone_of_a_row_lies_sealed(listed: SmallCounty) -> None:
    upload = listed.bring("evidence", [proved("李小雨", LI)], place="a", by="town-a", as_of=DAY)
    row = UploadRow.objects.get(upload=upload)
    assert PHONE not in str(row.facts)
    assert "刘老师" not in str(row.facts)


def disabled(**more: str) -> dict[str, str]:
    return {
        "乡镇": "水口镇", "姓名": "李小雨", "身份证号": LI, "残疾人证号": f"{LI}52", "残疾类型": "智力残疾", "残疾等级": "二级", "发证日期": "2024-05-01",
    } | more  # fmt: skip


def test_a_disability_list_says_kind_and_level_and_seals_the_certificate(listed: SmallCounty) -> None:
    upload = listed.bring("disability", [disabled()], place="a", by="town-a", as_of=DAY)
    assert Student.objects.get(name="李小雨").disability == "5"
    row = UploadRow.objects.get(upload=upload)
    assert (row.facts["disability_level"], row.facts["issued"]) == ("2", "2024-05-01")
    assert LI not in str(row.facts)
    uploads.undo(upload, by=listed.user("leader"), reason="报错了")
    advance(upload.pk)
    assert Student.objects.get(name="李小雨").disability == ""


@pytest.mark.parametrize(
    ("more", "column", "code"),
    [
        ({"残疾人证号": f"{LI}5"}, "certificate", "certificate-length"),
        ({"残疾人证号": f"{WANG}52"}, "certificate", "certificate-not-of-id"),
        ({"残疾等级": "四级"}, "disability_level", "certificate-level"),
        ({"残疾等级": ""}, "disability_level", "required"),
    ],
)
def test_a_certificate_that_fits_nobody_is_told(
    listed: SmallCounty, more: dict[str, str], column: str, code: str
) -> None:
    upload = listed.send("disability", [disabled(**more)], place="a", by="town-a", as_of=DAY)
    assert (column, code) in set(Finding.objects.filter(upload=upload).values_list("column", "code"))
