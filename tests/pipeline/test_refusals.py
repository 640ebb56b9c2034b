"""Bad input: a Chinese sentence that says what is there and what to do; nothing stored half."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Callable
from contextlib import AbstractContextManager

import openpyxl
import pytest

from eduaid.core import uploads
from eduaid.core.lists import kind_of
from eduaid.core.models import Finding, ListSlice, Upload, UploadRow
from eduaid.core.models.uploads import State
from eduaid.core.review import said
from eduaid.core.uploads import AlreadyUploaded, NotAllowed, NotPossible
from students.models import Student
from tests.pipeline.test_lists_in_force import LI, PUPIL_LI, WANG
from tests.small_county import AS_OF, SmallCounty, id_number, table, workbook

GOOD = workbook({"S": table([LI, WANG])})


def refused(county: SmallCounty, name: str, data: bytes, kind: str = "population") -> str:
    upload = county.send(kind, [], files=[(name, data)], place="a", by="town-a")
    assert upload.state == State.REFUSED
    assert not UploadRow.objects.exists()
    assert not ListSlice.objects.exists()
    assert not Student.objects.exists()
    return upload.error


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("空.xlsx", b"", "空"),
        ("照片.xlsx", b"\xff\xd8\xff\xe0" + b"\0" * 64, "JPEG"),
        ("文件.xlsx", b"%PDF-1.7\n" + b"\0" * 64, "PDF"),
        ("截断.xlsx", GOOD[: len(GOOD) * 7 // 10], "不完整"),
    ],
)
def test_what_is_no_usable_workbook_is_named(county: SmallCounty, name: str, data: bytes, sentence: str) -> None:
    assert sentence in refused(county, name, data)


def test_a_damaged_part_refuses_the_whole_file(county: SmallCounty) -> None:
    with zipfile.ZipFile(io.BytesIO(GOOD)) as archive:
        offset = archive.getinfo("xl/worksheets/sheet1.xml").header_offset + 80
    assert refused(county, "坏.xlsx", GOOD[:offset] + bytes([GOOD[offset] ^ 0xFF]) + GOOD[offset + 1 :])


def test_a_list_without_a_header_is_told_what_it_should_hold(county: SmallCounty) -> None:
    sentence = refused(county, "无表头.xlsx", workbook({"S": [["甲", "乙"], ["丙", "丁"]]}))
    assert "没有找到“户籍人口”的表头" in sentence
    assert "姓名、身份证件号" in sentence


def test_a_header_without_rows_is_refused(county: SmallCounty) -> None:
    assert (
        refused(county, "空表.xlsx", workbook({"S": [["姓名", "身份证号", "性别"]]}))
        == "表格里只有表头，没有数据行。请填写后重新上传。"
    )


def test_a_missing_required_column_is_named(county: SmallCounty) -> None:
    assert "身份证件号" in refused(
        county, "缺列.xlsx", workbook({"S": [["姓名", "性别", "民族"], ["李小雨", "女", "汉族"]]})
    )


def test_an_id_typed_as_a_number_waits_and_is_never_guessed(county: SmallCounty) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["姓名", "身份证号", "性别"])
    sheet.append(["李小雨", 990121201505030000, "女"])
    data = io.BytesIO()
    book.save(data)
    upload = county.send("population", [], files=[("数字.xlsx", data.getvalue())], place="a", by="town-a")
    assert (upload.rows_accepted, upload.rows_waiting) == (0, 1)
    finding = Finding.objects.get(row__isnull=False)
    text = said(upload, [finding], in_full=False)[0].text
    assert text.startswith("第 2 行『身份证件号』")
    assert "已被表格软件抹去" in text
    assert "990121201505030000" not in text


def test_the_same_file_is_shown_not_imported_again(county: SmallCounty) -> None:
    first = county.send("population", [], files=[("a.xlsx", GOOD)], place="a", by="town-a")
    with pytest.raises(AlreadyUploaded, match="已上传") as known:
        county.send("population", [], files=[("改名.xlsx", GOOD)], place="a", by="town-a")
    assert known.value.upload == first
    uploads.cancel(first, by=county.user("town-a"))
    assert county.send("population", [], files=[("a.xlsx", GOOD)], place="a", by="town-a").state == State.REVIEW


def test_nobody_sends_for_another_place_or_approves_their_own_list(county: SmallCounty) -> None:
    with pytest.raises(NotAllowed, match="不在您负责的范围内"):
        county.send("population", [LI], place="b", by="town-a")
    with pytest.raises(NotAllowed, match="全县名单由县教育局上传|不在您负责的范围内"):
        county.send("population", [LI], place="home", by="town-a")
    upload = county.send("population", [LI], place="home", by="county")
    uploads.submit(upload, by=county.user("county"))
    with pytest.raises(NotAllowed, match="不能审核它，请由另一人审核"):
        uploads.approve(upload, by=county.user("county"))
    with pytest.raises(NotAllowed, match="只有县局"):
        uploads.approve(upload, by=county.user("town-a"))


def test_a_list_of_the_future_is_not_taken(county: SmallCounty) -> None:
    with pytest.raises(NotPossible, match="晚于今天"):
        uploads.receive(
            kind=kind_of("population"),
            contents=[("a.xlsx", GOOD)],
            place=county.a,
            by=county.user("town-a"),
            effective_on=dt.date.today() + dt.timedelta(days=1),
        )


def test_a_stale_preview_is_refused(county: SmallCounty) -> None:
    upload = county.send("class-roster", [PUPIL_LI], place="a", by="town-a", as_of=AS_OF)
    with pytest.raises(uploads.StalePreview, match="有改动"):
        uploads.submit(upload, by=county.user("town-a"), version=upload.version - 1)
    assert Upload.objects.get().state == State.REVIEW


def test_two_equal_headers_are_asked(county: SmallCounty) -> None:
    sheet = [["姓名", "身份证号", "姓名"], ["李小雨", id_number("20150503", 12), "李大山"]]
    upload = county.send("population", [], files=[("两列.xlsx", workbook({"S": sheet}))], place="a", by="town-a")
    assert upload.state == State.MAPPING
    assert upload.sheets.get().questions == ["name"]


def test_findings_are_worded_with_as_many_queries_for_thirty_rows_as_for_one(
    county: SmallCounty, django_assert_num_queries: Callable[[int], AbstractContextManager[object]]
) -> None:
    rows = [PUPIL_LI | {"姓名": f"李{n}", "身份证号": id_number("20150503", 2 * n)} for n in range(1, 31)]
    upload = county.send("class-roster", rows, place="a", by="town-a")
    found = list(Finding.objects.filter(code="name-digits").select_related("row", "sheet"))
    assert len(found) == 30
    for some in (found[:1], found):
        with django_assert_num_queries(2):
            assert len(said(upload, some, in_full=True)) == len(some)
