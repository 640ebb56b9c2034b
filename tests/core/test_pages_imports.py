"""The pages of intake: sending, checking, correcting, approving, the receipt; who sees what of a list."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from pathlib import Path

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from eduaid.core import uploads
from eduaid.core.models import AccessRecord, CellEdit, ColumnMemory, Finding, Notice, Upload, UploadRow
from eduaid.core.models.uploads import State
from eduaid.core.tasks import advance
from tests.small_county import SmallCounty, id_number, table, workbook

LI = {
    "学校名称": "水口镇蔡朱小学",
    "年级": "三年级",
    "班级": "1班",
    "姓名": "李小雨",
    "性别": "女",
    "身份证件号": id_number("20170503", 12),
    "出生日期": "2017-05-03",
    "联系电话": "13800990001",
}
WANG = LI | {
    "姓名": "王伟",
    "性别": "男",
    "身份证件号": id_number("20170601", 11),
    "出生日期": "2017-06-01",
    "联系电话": "13800990002",
}
CHEN = LI | {
    "姓名": "陈晨",
    "身份证件号": id_number("20170812", 14),
    "出生日期": "2017-08-12",
    "联系电话": "13800990003",
}
BROKEN = LI["身份证件号"][:-1] + ("1" if LI["身份证件号"][-1] != "1" else "2")
LI_BROKEN = LI | {"身份证件号": BROKEN}


def text(answer: object) -> str:
    return answer.content.decode()  # type: ignore[attr-defined,no-any-return]


def roster(rows: list[dict[str, str]]) -> bytes:
    return workbook({"三年级1班": table(rows)})


def send_form(data: bytes, name: str = "名单.xlsx", **changes: str) -> dict[str, object]:
    """What the upload page posts."""
    return {
        "files": SimpleUploadedFile(name, data),
        "kind": "class-roster",
        "scope": "990121001",
        "effective_on": "2026-09-10",
        "mode": "complete",
        "comment": "",
        "pasted": "",
    } | changes


# --- P10 ---------------------------------------------------------------------------------------------------------


def test_the_centre_shows_a_card_for_each_kind_that_the_post_sends(county: SmallCounty) -> None:
    township = text(county.client("town-a").get("/imports/"))
    assert all(label in township for label in ("班级名册", "户籍人口", "学籍", "建档立卡与监测对象", "困难群体"))
    school = text(county.client("school-a").get("/imports/"))
    assert '下载模板<span class="vh">：班级名册' in school
    assert '下载模板<span class="vh">：户籍人口' not in school
    leader = text(county.client("leader").get("/imports/"))
    assert "下载模板" not in leader
    assert 'href="/imports/new/"' not in leader


def test_a_card_tells_what_is_in_force_and_what_is_still_open(county: SmallCounty) -> None:
    client = county.client("town-a")
    assert "本学期未报" in text(client.get("/imports/"))
    county.bring("class-roster", [LI], place="a", by="town-a", name="旧名单.xlsx")
    page = text(client.get("/imports/"))
    assert "本学期已生效" in page
    assert "2026年9月10日 水口镇 1 行" in page
    county.send("class-roster", [LI, WANG], place="a", by="town-a", name="新名单.xlsx")
    page = text(client.get("/imports/"))
    assert "未办完：" in page
    assert "新名单.xlsx（水口镇）" in page


def test_the_record_is_found_by_file_remark_kind_and_state(county: SmallCounty) -> None:
    county.bring("class-roster", [LI], place="a", by="town-a", name="蔡朱小学花名册.xlsx")
    county.send(
        "population", [{"姓名": "李小雨", "身份证号": LI["身份证件号"]}], place="a", by="town-a", name="公安.xlsx"
    )
    client = county.client("county")

    def files(query: str) -> set[str]:
        page = text(client.get(f"/imports/?{query}"))
        return {name for name in ("蔡朱小学花名册.xlsx", "公安.xlsx") if name in page.split("导入记录表")[-1]}

    assert files("") == {"蔡朱小学花名册.xlsx", "公安.xlsx"}
    assert files("q=蔡朱") == {"蔡朱小学花名册.xlsx"}
    assert files("kind=population") == {"公安.xlsx"}
    assert files("state=open") == {"公安.xlsx"}
    assert files("state=in-force") == {"蔡朱小学花名册.xlsx"}
    assert "没有符合条件的记录" in text(client.get("/imports/?q=没有这个"))


def test_a_superseded_list_says_so(county: SmallCounty) -> None:
    old = county.bring("class-roster", [LI], place="primary_a", by="school-a")
    new = county.bring("class-roster", [LI, WANG], place="primary_a", by="school-a", as_of=dt.date(2026, 9, 20))
    client = county.client("school-a")
    assert "已被新名单替代" in text(client.get("/imports/"))
    page = text(client.get(f"/imports/{old.pk}/receipt/"))
    assert f"2026年9月20日的名单 {new.pk} 号已替代这一份" in page


# --- P11 ---------------------------------------------------------------------------------------------------------


def test_sending_a_file_makes_a_list_and_shows_its_progress(county: SmallCounty) -> None:
    answer = county.client("town-a").post("/imports/new/", send_form(roster([LI, WANG])))
    upload = Upload.objects.get()
    assert answer["Location"] == f"/imports/{upload.pk}/run/"
    assert (upload.kind, upload.region, upload.effective_on, upload.due) == (
        "class-roster",
        county.a,
        dt.date(2026, 9, 10),
        True,
    )
    assert upload.uploaded_by == county.user("town-a")


def test_several_files_are_one_list(county: SmallCounty) -> None:
    files = [SimpleUploadedFile(f"{number}班.xlsx", roster([row])) for number, row in ((1, LI), (2, WANG))]
    county.client("town-a").post("/imports/new/", send_form(b"") | {"files": files})
    upload = Upload.objects.get()
    assert [file.name for file in upload.files.all()] == ["1班.xlsx", "2班.xlsx"]
    advance(upload.pk)
    upload.refresh_from_db()
    assert upload.rows_read == 2


def test_a_pasted_block_is_read_like_a_file(county: SmallCounty) -> None:
    block = "\n".join("\t".join(map(str, row)) for row in table([LI, WANG]))
    county.client("town-a").post("/imports/new/", send_form(b"", pasted=block) | {"files": []})
    upload = Upload.objects.get()
    advance(upload.pk)
    upload.refresh_from_db()
    assert (upload.state, upload.rows_accepted) == (State.REVIEW, 2)


def test_too_long_a_block_is_refused(county: SmallCounty) -> None:
    block = "\n".join(["姓名"] + [f"李{number}" for number in range(201)])
    page = text(county.client("town-a").post("/imports/new/", send_form(b"", pasted=block) | {"files": []}))
    assert page.count("粘贴了 202 行，超过 200 行。请存成表格文件后上传") == 2
    assert not Upload.objects.exists()


@pytest.mark.parametrize(
    ("data", "name", "sentence"),
    [
        (b"", "空.xlsx", "这是一个空文件（0 字节）"),
        (b"%PDF-1.7 ...", "通知.xlsx", "这不是表格，而是PDF 文档"),
        (b"Rar!\x1a\x07\x00 ...", "名单.rar", "这是压缩包（rar）"),
        (b"PK\x03\x04 broken", "坏.xlsx", "文件不完整，可能上传中断或保存时出错"),
    ],
)
def test_a_file_that_is_no_workbook_is_refused_by_name_in_summary_and_at_the_field(
    county: SmallCounty, data: bytes, name: str, sentence: str
) -> None:
    page = text(county.client("town-a").post("/imports/new/", send_form(data, name)))
    assert "<title>错误:上传名单" in page
    assert page.count(f"“{name}”：{sentence}") == 2
    assert not Upload.objects.exists()


def test_what_is_missing_is_asked_for_at_its_field_and_the_rest_is_kept(county: SmallCounty) -> None:
    page = text(
        county.client("town-a").post(
            "/imports/new/", {"effective_on": "九月", "comment": "请看第三页", "mode": "complete"}
        )
    )
    assert page.count("还没有选择文件。请选择要上传的表格") == 2
    assert page.count("请选择「名单种类」") == 2
    assert page.count("「名单日期」看不懂这个日期。请写成 2012-09-01 这样的形式") == 2
    assert "请看第三页" in page


@pytest.mark.parametrize("written", ["20260901", "2026.9.1", "2026年9月1日", "2026/9/1"])
def test_the_date_may_be_written_as_offices_do(county: SmallCounty, written: str) -> None:
    county.client("town-a").post("/imports/new/", send_form(roster([LI]), effective_on=written))
    assert Upload.objects.get().effective_on == dt.date(2026, 9, 1)


def test_only_ones_own_places_are_offered_and_taken(county: SmallCounty) -> None:
    client = county.client("town-a")
    page = text(client.get("/imports/new/"))
    assert "水口镇（全镇）" in page
    assert "水口镇蔡朱小学" in page
    assert "石洲乡" not in page
    client.post("/imports/new/", send_form(roster([LI]), scope="990121002"))
    assert not Upload.objects.exists()


def test_a_list_by_township_is_not_sent_for_a_school(county: SmallCounty) -> None:
    answer = county.client("town-a").post(
        "/imports/new/", send_form(roster([LI]), kind="population", scope=county.primary_a.code)
    )
    assert "“户籍人口”按乡镇报送，范围请选一个乡镇或全县" in text(answer)


def test_a_school_has_no_place_to_choose(county: SmallCounty) -> None:
    page = text(county.client("school-a").get("/imports/new/?kind=class-roster"))
    options = re.search(r'<select name="scope".*?</select>', page, re.DOTALL)
    assert options is not None
    assert options[0].count("<option") == 1
    assert "水口镇蔡朱小学" in options[0]


def test_the_same_file_again_leads_to_the_list_that_it_is_part_of(county: SmallCounty) -> None:
    client = county.client("town-a")
    data = roster([LI])
    client.post("/imports/new/", send_form(data))
    upload = Upload.objects.get()
    page = text(client.post("/imports/new/", send_form(data, "改了名.xlsx")))
    assert "已上传过" in page
    assert f'href="/imports/{upload.pk}/run/"' in page
    assert Upload.objects.count() == 1


# --- P13 ---------------------------------------------------------------------------------------------------------


def waiting_upload(county: SmallCounty, **state: object) -> Upload:
    """A list that no worker has touched, with some state laid over it."""
    county.client("town-a").post("/imports/new/", send_form(roster([LI])))
    upload = Upload.objects.get()
    Upload.objects.filter(pk=upload.pk).update(**state)
    upload.refresh_from_db()
    return upload


def test_the_progress_shows_stage_percent_and_time_left_and_reloads_without_scripts(county: SmallCounty) -> None:
    upload = waiting_upload(county, stage="check", done=500, total=1000)
    page = text(county.client("town-a").get(f"/imports/{upload.pk}/run/"))
    assert '<noscript><meta http-equiv="refresh" content="3"></noscript>' in page
    assert 'aria-current="step">校验' in page
    assert 'value="37"' in page
    assert "已处理 500 / 1,000 行" in page
    assert "约剩" in page
    assert f'action="/imports/{upload.pk}/cancel/"' in page


def test_the_polled_part_is_the_progress_alone(county: SmallCounty) -> None:
    upload = waiting_upload(county, stage="read")
    answer = county.client("town-a").get(f"/imports/{upload.pk}/run/", HTTP_HX_REQUEST="true")
    assert text(answer).lstrip().startswith('<div id="progress"')


def test_a_finished_list_is_opened_where_it_goes_on(county: SmallCounty) -> None:
    upload = county.send("class-roster", [LI], place="a", by="town-a")
    client = county.client("town-a")
    assert client.get(f"/imports/{upload.pk}/run/")["Location"] == f"/imports/{upload.pk}/"
    polled = client.get(f"/imports/{upload.pk}/run/", HTTP_HX_REQUEST="true")
    assert polled["HX-Redirect"] == f"/imports/{upload.pk}/"


def test_a_list_that_nobody_works_on_any_more_can_be_resumed(county: SmallCounty) -> None:
    past = dt.datetime(2026, 9, 10, 8, tzinfo=dt.UTC)
    upload = waiting_upload(county, lease_until=past, stage="check")
    client = county.client("town-a")
    page = text(client.get(f"/imports/{upload.pk}/run/"))
    assert "已保留，点此继续" in page
    assert client.post(f"/imports/{upload.pk}/resume/")["Location"] == f"/imports/{upload.pk}/run/"


def test_a_list_that_stands_behind_others_is_not_called_lost(county: SmallCounty) -> None:
    upload = waiting_upload(county, uploaded_at=timezone.now() - dt.timedelta(seconds=60))
    client = county.client("town-a")
    assert "已保留，点此继续" not in text(client.get(f"/imports/{upload.pk}/run/"))
    Upload.objects.update(uploaded_at=timezone.now() - dt.timedelta(seconds=200))
    assert "已保留，点此继续" in text(client.get(f"/imports/{upload.pk}/run/"))


def test_a_failed_list_says_why_and_is_tried_again(county: SmallCounty) -> None:
    upload = waiting_upload(county, state=State.FAILED, due=False, failures=3, error="处理时连续出错，已保留文件。")
    client = county.client("town-a")
    page = text(client.get(f"/imports/{upload.pk}/run/"))
    assert "处理时连续出错，已保留文件。" in page
    client.post(f"/imports/{upload.pk}/resume/")
    upload.refresh_from_db()
    assert (upload.state, upload.due, upload.failures) == (State.RECEIVED, True, 0)


def test_a_file_that_cannot_be_used_is_sent_again_not_tried_again(county: SmallCounty) -> None:
    upload = county.send(
        "class-roster",
        [],
        place="a",
        by="town-a",
        files=[("空表.xlsx", workbook({"Sheet1": [["姓名", "身份证件号"]]}))],
    )
    assert upload.state == State.REFUSED
    page = text(county.client("town-a").get(f"/imports/{upload.pk}/run/"))
    assert "没有数据行" in page
    assert "改好后重新上传" in page
    assert "重试" not in page


def test_cancelling_asks_first_and_leaves_nothing(county: SmallCounty) -> None:
    upload = county.send("class-roster", [LI], place="a", by="town-a")
    client = county.client("town-a")
    assert "确定放弃" in text(client.get(f"/imports/{upload.pk}/cancel/"))
    upload.refresh_from_db()
    assert upload.state == State.REVIEW
    assert client.post(f"/imports/{upload.pk}/cancel/")["Location"] == "/imports/"
    upload.refresh_from_db()
    assert upload.state == State.CANCELLED


# --- P12 ---------------------------------------------------------------------------------------------------------

TWO_NAMES = [{"姓名": "李小雨", "姓名 ": "王伟", **{key: value for key, value in LI.items() if key != "姓名"}}]


def mapping_upload(county: SmallCounty) -> Upload:
    upload = county.send("class-roster", TWO_NAMES, place="a", by="town-a")
    assert upload.state == State.MAPPING
    return upload


def test_columns_that_are_not_certain_are_asked_with_masked_samples(county: SmallCounty) -> None:
    upload = mapping_upload(county)
    page = text(county.client("town-a").get(f"/imports/{upload.pk}/map/"))
    assert page.count('<select id="c-0-') == 2
    assert "李小雨" in page
    assert LI["身份证件号"] not in page
    assert "有几列都像" in page


def test_the_answer_is_remembered_and_the_list_is_read_again(county: SmallCounty) -> None:
    upload = mapping_upload(county)
    client = county.client("town-a")
    page = text(client.get(f"/imports/{upload.pk}/map/"))
    first, second = re.findall(r'<select id="c-0-\d+" name="(c-\d+-\d+)"', page)
    answer = client.post(f"/imports/{upload.pk}/map/", {first: "name", second: "", "remember": "1"})
    assert answer["Location"] == f"/imports/{upload.pk}/run/"
    advance(upload.pk)
    upload.refresh_from_db()
    assert (upload.state, upload.rows_accepted) == (State.REVIEW, 1)
    assert UploadRow.objects.get().facts["name"] == "李小雨"


def test_two_columns_for_one_meaning_are_refused_in_a_sentence(county: SmallCounty) -> None:
    upload = mapping_upload(county)
    client = county.client("town-a")
    first, second = re.findall(
        r'<select id="c-0-\d+" name="(c-\d+-\d+)"', text(client.get(f"/imports/{upload.pk}/map/"))
    )
    page = text(client.post(f"/imports/{upload.pk}/map/", {first: "name", second: "name"}))
    assert "有两列都对应“姓名”，请只选一列" in page
    assert "<title>错误:列对应" in page


def test_a_wrong_memory_is_forgotten_and_the_list_read_again(county: SmallCounty) -> None:
    upload = mapping_upload(county)
    ColumnMemory.objects.create(
        kind="class-roster", region=county.a, header="孩子", column="name", by=county.user("town-a")
    )
    client = county.client("town-a")
    assert "忘掉上次的对应" in text(client.get(f"/imports/{upload.pk}/map/"))
    client.post(f"/imports/{upload.pk}/map/forget/")
    upload.refresh_from_db()
    assert (upload.state, upload.due) == (State.RECEIVED, True)
    assert not ColumnMemory.objects.exists()


# --- P14 ---------------------------------------------------------------------------------------------------------


def test_a_list_without_errors_says_so_in_one_line(county: SmallCounty) -> None:
    upload = county.send("class-roster", [LI, WANG], place="a", by="town-a")
    page = text(county.client("town-a").get(f"/imports/{upload.pk}/"))
    assert "2 行全部通过核对 ✓" in page
    assert "提交可入库的" in page


def test_errors_stand_by_kind_above_and_line_by_line_below(county: SmallCounty) -> None:
    upload = county.send("class-roster", [LI_BROKEN, WANG | {"出生日期": "2017-13-01"}, CHEN], place="a", by="town-a")
    page = text(county.client("town-a").get(f"/imports/{upload.pk}/"))
    assert "核对结果：1 行可入库，2 行需修改" in page
    assert "「身份证件号」证件号校验不通过：有一位写错，或相邻两位写反：1 处" in page
    assert "「出生日期」日历上没有这一天：1 处" in page
    assert "第 3 行『出生日期』现为“2017-13-01”，日历上没有这一天。请核对年、月、日。" in page
    assert "读取 3 行 = 可入库 1 + 需修改 2 + 不收 0 + 重复 0" in page


def test_the_sender_sees_his_own_number_and_nobody_else_does(county: SmallCounty) -> None:
    upload = county.send("class-roster", [LI_BROKEN], place="primary_a", by="school-a")
    assert BROKEN in text(county.client("school-a").get(f"/imports/{upload.pk}/"))
    for other in ("town-a", "county", "auditor", "leader"):
        page = text(county.client(other).get(f"/imports/{upload.pk}/"))
        assert BROKEN not in page
        assert f"{BROKEN[:6]}************" in page


def test_numbers_that_stood_in_full_on_a_page_are_in_the_log(county: SmallCounty) -> None:
    upload = county.send(
        "class-roster", [LI_BROKEN, WANG | {"出生日期": "2017-13-01"}], place="primary_a", by="school-a"
    )
    client = county.client("school-a")
    client.get(f"/imports/{upload.pk}/")
    record = AccessRecord.objects.get(subject_kind="upload")
    assert (record.user, record.action, record.subject_id, record.rows) == (
        county.user("school-a"),
        "view",
        upload.pk,
        1,
    )
    edit(client, upload, "990121", HTTP_HX_REQUEST="true")
    assert AccessRecord.objects.filter(subject_kind="upload").count() == 2
    county.client("town-a").get(f"/imports/{upload.pk}/")
    client.get(f"/imports/{upload.pk}/?tab=rows")
    assert AccessRecord.objects.filter(subject_kind="upload").count() == 2


def test_a_mask_is_never_offered_as_the_value_to_save(county: SmallCounty) -> None:
    upload = county.send("class-roster", [LI_BROKEN], place="primary_a", by="school-a")
    page = text(county.client("town-a").get(f"/imports/{upload.pk}/"))
    field = re.search(r'<input id="r\d+-id_number-id-check" name="value" value="([^"]*)"', page)
    assert field is not None
    assert field[1] == ""


def test_a_number_in_the_wrong_column_is_masked_for_others(county: SmallCounty) -> None:
    upload = county.send("class-roster", [LI | {"姓名": LI["身份证件号"]}], place="primary_a", by="school-a")
    assert LI["身份证件号"] in text(county.client("school-a").get(f"/imports/{upload.pk}/"))
    assert LI["身份证件号"] not in text(county.client("town-a").get(f"/imports/{upload.pk}/"))


def edit(client: Client, upload: Upload, value: str, **headers: str) -> object:
    row = Finding.objects.filter(code__startswith="id-", answer="").latest("pk").row
    assert row is not None
    return client.post(f"/imports/{upload.pk}/rows/{row.pk}/id_number/", {"value": value, "back": "tab=fix"}, **headers)


def test_a_cell_is_corrected_in_place_and_the_line_alone_comes_back(county: SmallCounty) -> None:
    upload = county.send("class-roster", [LI_BROKEN, WANG], place="a", by="town-a")
    client = county.client("town-a")
    wrong = text(edit(client, upload, "990121", HTTP_HX_REQUEST="true"))
    assert wrong.count("<tr") == 1
    assert "证件号是 6 位，应为 18 位" in wrong
    right = text(edit(client, upload, LI["身份证件号"], HTTP_HX_REQUEST="true"))
    assert "已改好" in right
    assert '<span id="ready" hx-swap-oob="true">2</span>' in right
    upload.refresh_from_db()
    assert f'name="version" value="{upload.version}"' in right
    assert (upload.rows_accepted, upload.rows_waiting) == (2, 0)


def test_a_correction_that_comes_too_late_opens_the_page_instead_of_filling_the_line(county: SmallCounty) -> None:
    upload = county.send("class-roster", [LI_BROKEN, WANG], place="a", by="town-a")
    client = county.client("town-a")
    uploads.submit(upload, by=county.user("town-a"))
    answer = edit(client, upload, LI["身份证件号"], HTTP_HX_REQUEST="true")
    assert answer["HX-Redirect"] == f"/imports/{upload.pk}/"  # type: ignore[index]
    assert "不能这样操作" in text(client.get(f"/imports/{upload.pk}/"))
    assert CellEdit.objects.count() == 0


def test_without_scripts_the_page_comes_back_after_a_correction(county: SmallCounty) -> None:
    upload = county.send("class-roster", [LI_BROKEN, WANG], place="a", by="town-a")
    answer = edit(county.client("town-a"), upload, LI["身份证件号"])
    assert answer["Location"] == f"/imports/{upload.pk}/?tab=fix"  # type: ignore[index]


def test_a_proposed_value_is_taken_with_one_click(county: SmallCounty) -> None:
    upload = county.send("class-roster", [LI | {"出生日期": "2016-05-03"}], place="a", by="town-a")
    row = UploadRow.objects.get()
    client = county.client("town-a")
    assert 'name="suggestion" value="2017-05-03"' in text(client.get(f"/imports/{upload.pk}/"))
    client.post(f"/imports/{upload.pk}/rows/{row.pk}/birth/", {"value": "2016-05-03", "suggestion": "2017-05-03"})
    row.refresh_from_db()
    assert row.state == "A"


def test_a_number_on_file_is_offered_to_its_sender_and_never_sent_to_the_page(county: SmallCounty) -> None:
    number = LI["身份证件号"]
    county.take_force(county.send("class-roster", [LI], place="primary_a", by="school-a"))
    upload = county.send(
        "class-roster", [LI | {"身份证件号": number[:10] + number[11:]}], place="primary_a", by="school-a"
    )
    shown = text(county.client("school-a").get(f"/imports/{upload.pk}/"))
    assert f"采用库内号码 {number[:6]}********{number[-4:]}" in shown
    assert number not in shown
    assert "采用库内号码" not in text(county.client("town-a").get(f"/imports/{upload.pk}/"))


def test_a_question_is_answered_on_its_line_or_for_all_rows_of_its_kind(county: SmallCounty) -> None:
    nameless = [row | {"身份证件号": ""} for row in (LI, WANG, CHEN)]
    upload = county.send("class-roster", nameless, place="a", by="town-a")
    client = county.client("town-a")
    assert "3 行都以证件号待更正入库" in text(client.get(f"/imports/{upload.pk}/"))
    row = UploadRow.objects.order_by("number").first()
    assert row is not None
    finding = Finding.objects.filter(row=row, code="needs-number").get()
    client.post(
        f"/imports/{upload.pk}/rows/{row.pk}/answer/",
        {"code": finding.code, "column": finding.column, "answer": "admit"},
    )
    row.refresh_from_db()
    assert row.state == "A"
    client.post(f"/imports/{upload.pk}/answers/", {"code": "needs-number", "answer": "admit"})
    assert set(UploadRow.objects.values_list("state", flat=True)) == {"A"}
    assert "以证件号待更正入库" in text(client.get(f"/imports/{upload.pk}/?tab=settled"))


def test_who_somebody_is_is_never_answered_in_bulk(county: SmallCounty) -> None:
    county.bring("class-roster", [LI, WANG], place="a", by="town-a")
    renamed = [LI | {"姓名": "赵云"}, WANG | {"姓名": "马超"}]
    upload = county.send("class-roster", renamed, place="a", by="town-a", as_of=dt.date(2026, 9, 20))
    assert Finding.objects.filter(code="id-name-differs").count() == 2
    client = county.client("town-a")
    page = text(client.get(f"/imports/{upload.pk}/"))
    assert "2 行都" not in page
    assert "是同一人" in page
    client.post(f"/imports/{upload.pk}/answers/", {"code": "id-name-differs", "answer": "same"})
    assert set(UploadRow.objects.filter(sheet__upload=upload).values_list("state", flat=True)) == {"W"}


def test_rows_that_are_not_taken_stand_apart(county: SmallCounty) -> None:
    upload = county.send("class-roster", [LI, WANG | {"学校名称": "石洲乡中心小学"}], place="a", by="town-a")
    page = text(county.client("town-a").get(f"/imports/{upload.pk}/?tab=refused"))
    assert "1 行不收" in page
    assert "不在本次填报范围（水口镇）内，本行不收" in page


def test_every_row_is_on_the_tab_of_all_rows_and_leads_to_its_source(county: SmallCounty) -> None:
    upload = county.send("class-roster", [LI_BROKEN, WANG], place="a", by="town-a")
    client = county.client("town-a")
    page = text(client.get(f"/imports/{upload.pk}/?tab=rows"))
    assert re.findall(r'href="/rows/(\d+)/"', page) == [
        str(pk) for pk in UploadRow.objects.order_by("number").values_list("pk", flat=True)
    ]
    waiting = text(client.get(f"/imports/{upload.pk}/?tab=rows&state=W"))
    assert waiting.count("第 2 行") == 1
    assert "第 3 行" not in waiting


def test_the_four_tiles_open_who_is_new_changed_missing_and_the_same(county: SmallCounty) -> None:
    county.bring("class-roster", [LI, WANG], place="a", by="town-a")
    moved = LI | {"班级": "2班", "联系电话": "13800990009"}
    upload = county.send("class-roster", [moved, CHEN], place="a", by="town-a", as_of=dt.date(2026, 9, 20))
    client = county.client("town-a")
    pages = {
        part: text(client.get(f"/imports/{upload.pk}/diff/{part}/"))
        for part in ("added", "changed", "missing", "unchanged")
    }
    assert "陈晨" in pages["added"]
    assert "王伟" in pages["missing"]
    assert "没有与上期完全相同的人" in pages["unchanged"]
    assert re.search(r'班级：<span class="was">1班</span> → <span class="now">2班</span>', pages["changed"])
    assert "138****0009" in pages["changed"]
    assert "13800990009" not in pages["changed"]
    assert client.get(f"/imports/{upload.pk}/diff/else/").status_code == 404


# --- submit, approve, send back, undo ----------------------------------------------------------------------------


def test_a_list_goes_from_its_sender_to_the_bureau_and_into_force(county: SmallCounty) -> None:
    upload = county.send("class-roster", [LI_BROKEN, WANG], place="a", by="town-a")
    county.client("town-a").post(f"/imports/{upload.pk}/submit/", {"version": upload.version, "note": "一行待查户口本"})
    upload.refresh_from_db()
    assert (upload.state, upload.comment) == (State.SUBMITTED, "一行待查户口本")
    leader = county.client("leader")
    page = text(leader.get(f"/imports/{upload.pk}/"))
    assert "通过，1 行生效" in page
    assert "一行待查户口本" in page
    answer = leader.post(f"/imports/{upload.pk}/approve/", {"version": upload.version})
    assert answer["Location"] == f"/imports/{upload.pk}/run/"
    advance(upload.pk)
    assert leader.get(f"/imports/{upload.pk}/")["Location"] == f"/imports/{upload.pk}/receipt/"
    page = text(leader.get(f"/imports/{upload.pk}/receipt/"))
    assert "1 行待改" in page
    assert "审核通过" in page


def test_a_preview_that_has_changed_since_is_neither_submitted_nor_approved(county: SmallCounty) -> None:
    upload = county.send("class-roster", [LI, WANG], place="a", by="town-a")
    client = county.client("town-a")
    answer = client.post(f"/imports/{upload.pk}/submit/", {"version": upload.version - 1}, follow=True)
    assert "名单在您打开页面之后有改动" in text(answer)
    client.post(f"/imports/{upload.pk}/submit/", {})
    upload.refresh_from_db()
    assert upload.state == State.REVIEW


def test_nobody_approves_a_list_that_he_sent_or_corrected(county: SmallCounty) -> None:
    own = county.send(
        "population", [{"姓名": "李小雨", "身份证号": LI["身份证件号"], "乡镇": "水口镇"}], place="home", by="county"
    )
    uploads.submit(own, by=county.user("county"))
    client = county.client("county")
    assert "请由另一人审核" in text(client.get(f"/imports/{own.pk}/"))
    client.post(f"/imports/{own.pk}/approve/", {"version": own.version})
    own.refresh_from_db()
    assert own.state == State.SUBMITTED

    corrected = county.send("class-roster", [LI_BROKEN, WANG], place="a", by="town-a")
    edit(client, corrected, LI["身份证件号"])
    corrected.refresh_from_db()
    uploads.submit(corrected, by=county.user("town-a"))
    corrected.refresh_from_db()
    page = text(client.post(f"/imports/{corrected.pk}/approve/", {"version": corrected.version}, follow=True))
    assert "修改过名单或填过去向的人不能审核它，请由另一人审核。" in page
    corrected.refresh_from_db()
    assert corrected.state == State.SUBMITTED


def test_a_township_cannot_approve(county: SmallCounty) -> None:
    upload = county.send("class-roster", [LI], place="a", by="town-a")
    uploads.submit(upload, by=county.user("town-a"))
    assert county.client("town-a").post(f"/imports/{upload.pk}/approve/", {"version": 1}).status_code == 403


def test_a_list_that_is_sent_back_comes_with_its_reason(county: SmallCounty) -> None:
    upload = county.send("class-roster", [LI, WANG], place="a", by="town-a")
    uploads.submit(upload, by=county.user("town-a"))
    client = county.client("county")
    empty = text(client.post(f"/imports/{upload.pk}/return/", {"comment": " "}))
    assert empty.count("请写明退回的原因") == 2
    assert client.post(f"/imports/{upload.pk}/return/", {"comment": "第 2 行年级不对"})["Location"] == "/approve/"
    page = text(county.client("town-a").get(f"/imports/{upload.pk}/"))
    assert "县局退回：" in page
    assert "第 2 行年级不对" in page
    assert Notice.objects.filter(user=county.user("town-a"), text__contains="第 2 行年级不对").exists()


def test_waiting_rows_of_a_list_in_force_are_put_right_and_submitted_again(county: SmallCounty) -> None:
    upload = county.bring("class-roster", [LI_BROKEN, WANG], place="a", by="town-a")
    client = county.client("town-a")
    assert client.get(f"/imports/{upload.pk}/")["Location"] == f"/imports/{upload.pk}/receipt/"
    assert f"/imports/{upload.pk}/?tab=fix" in text(client.get(f"/imports/{upload.pk}/receipt/"))
    edit(client, upload, LI["身份证件号"])
    upload.refresh_from_db()
    page = text(client.get(f"/imports/{upload.pk}/?tab=fix"))
    assert "待改行：1 行已改好，0 行需修改" in page
    client.post(f"/imports/{upload.pk}/submit/", {"version": upload.version})
    leader = county.client("leader")
    assert "通过，1 行生效" in text(leader.get(f"/imports/{upload.pk}/"))
    upload.refresh_from_db()
    leader.post(f"/imports/{upload.pk}/approve/", {"version": upload.version})
    advance(upload.pk)
    upload.refresh_from_db()
    assert (upload.state, upload.rows_accepted, upload.rows_waiting) == (State.IN_FORCE, 2, 0)


def test_an_undo_shows_its_three_buckets_first_and_asks_why(county: SmallCounty) -> None:
    upload = county.bring("class-roster", [LI, WANG], place="a", by="town-a")
    leader = county.client("leader")
    page = text(leader.get(f"/imports/{upload.pk}/undo/"))
    assert re.search(r"将撤回</span><b>2</b>", page)
    assert re.search(r"保留</span><b>0</b>", page)
    assert re.search(r"无法撤回</span><b>0</b>", page)
    assert text(leader.post(f"/imports/{upload.pk}/undo/", {"reason": ""})).count("请写明撤回的原因") == 2
    upload.refresh_from_db()
    assert upload.state == State.IN_FORCE
    leader.post(f"/imports/{upload.pk}/undo/", {"reason": "报错了学期"})
    upload.refresh_from_db()
    assert upload.state == State.UNDONE
    assert "报错了学期" in text(leader.get(f"/imports/{upload.pk}/receipt/"))
    assert county.client("town-a").get(f"/imports/{upload.pk}/undo/").status_code == 403


def test_the_receipt_tells_counts_people_fingerprints_and_decisions(county: SmallCounty) -> None:
    upload = county.send("class-roster", [LI_BROKEN, WANG], place="a", by="town-a")
    edit(county.client("town-a"), upload, LI["身份证件号"])
    upload.refresh_from_db()
    county.take_force(upload)
    page = text(county.client("auditor").get(f"/imports/{upload.pk}/receipt/"))
    assert upload.files.get().sha256 in page
    assert "修改单元格 1 格" in page
    for step in ("上传", "提交县局审核", "审核通过", "生效"):
        assert step in page
    assert re.search(r'data-value="2"[^>]*>2</a>', page)
    assert BROKEN not in page


# --- files ---------------------------------------------------------------------------------------------------------


def test_the_original_goes_to_its_sender_alone_and_is_logged(county: SmallCounty) -> None:
    upload = county.send("class-roster", [LI], place="primary_a", by="school-a", name=f"花名册{LI['身份证件号']}.xlsx")
    client = county.client("school-a")
    answer = client.get(f"/imports/{upload.pk}/files/0/")
    assert answer.content[:2] == b"PK"
    assert LI["身份证件号"] not in answer["Content-Disposition"]
    record = AccessRecord.objects.get(action="download")
    assert (record.user, record.subject_id) == (county.user("school-a"), upload.pk)
    for other in ("town-a", "county", "auditor"):
        assert county.client(other).get(f"/imports/{upload.pk}/files/0/").status_code == 403
    assert AccessRecord.objects.filter(action="download").count() == 1
    assert LI["身份证件号"] not in text(county.client("county").get("/imports/"))


@pytest.mark.parametrize("kind", ["population", "registry", "class-roster", "poverty-register", "hardship"])
def test_a_template_is_read_back_without_a_question(county: SmallCounty, kind: str) -> None:
    from eduaid.core.lists import kind_of

    answer = county.client("county").get(f"/imports/template/{kind}/")
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    sheet = book.worksheets[0]
    labels = [column.label for column in kind_of(kind).columns]
    header = next(row for row in sheet.iter_rows(values_only=True) if "姓名" in row)
    assert [cell for cell in header if cell] == labels
    assert "填写说明" in book.sheetnames
    start = next(cell for row in sheet.iter_rows() for cell in row if cell.value == labels[0])
    values = {
        "姓名": "李小雨",
        "身份证件号": LI["身份证件号"],
        "学校标识码": county.primary_a.code,
        "学校名称": "水口镇蔡朱小学",
        "年级": "三年级",
        "班级": "1班",
        "乡镇": "水口镇",
        "户编号": "P1",
        "户号": "P1",
    }
    if kind == "hardship":
        values["困难类型"] = kind_of(kind).column("category").choices[0]
    if kind == "poverty-register":
        values["在校生状况"] = kind_of(kind).column("in_school").choices[0]
        values["与户主关系"] = "女"
    for label, value in values.items():
        if label in labels:
            sheet.cell(start.row + 1, labels.index(label) + 1, value).number_format = "@"
    data = io.BytesIO()
    book.save(data)
    upload = county.send(kind, [], place="home", by="county", files=[("填好的.xlsx", data.getvalue())])
    found = list(upload.findings.exclude(level="hint").values_list("code", "column"))
    assert (upload.state, upload.rows_read, found) == (State.REVIEW, 1, []), upload.error


def test_a_school_finds_itself_in_its_template(county: SmallCounty) -> None:
    answer = county.client("school-a").get("/imports/template/class-roster/")
    values = [
        value
        for row in openpyxl.load_workbook(io.BytesIO(answer.content)).worksheets[0].iter_rows(values_only=True)
        for value in row
    ]
    assert "2199000001" in values
    assert "水口镇蔡朱小学" in values
    assert county.client("school-a").get("/imports/template/nothing/").status_code == 404


# --- scope, size -----------------------------------------------------------------------------------------------------

OF_ONE_LIST = ["", "map/", "run/", "cancel/", "receipt/", "diff/added/", "files/0/"]


@pytest.mark.parametrize("page", OF_ONE_LIST)
def test_another_townships_list_does_not_exist(county: SmallCounty, page: str) -> None:
    upload = county.send("class-roster", [LI], place="a", by="town-a")
    assert county.client("town-b").get(f"/imports/{upload.pk}/{page}").status_code == 404
    assert county.client("teacher").get(f"/imports/{upload.pk}/{page}").status_code == 403
    assert county.client("sysadmin").get(f"/imports/{upload.pk}/{page}").status_code == 403


@pytest.mark.parametrize("act", ["submit/", "resume/", "map/forget/", "answers/"])
def test_another_townships_list_cannot_be_acted_on(county: SmallCounty, act: str) -> None:
    upload = county.send("class-roster", [LI], place="a", by="town-a")
    client = county.client("town-b")
    assert client.post(f"/imports/{upload.pk}/{act}", {"version": upload.version}).status_code == 404
    row = UploadRow.objects.get()
    assert client.post(f"/imports/{upload.pk}/rows/{row.pk}/name/", {"value": "张三"}).status_code == 404
    assert client.post(f"/imports/{upload.pk}/rows/{row.pk}/answer/", {"code": "x"}).status_code == 404
    upload.refresh_from_db()
    assert (upload.state, CellEdit.objects.count()) == (State.REVIEW, 0)


def test_a_row_of_another_list_is_not_edited_through_ones_own(county: SmallCounty) -> None:
    other = county.send("class-roster", [WANG | {"学校名称": "石洲乡中心小学"}], place="b", by="town-b")
    own = county.send("class-roster", [LI], place="a", by="town-a")
    row = UploadRow.objects.get(sheet__upload=other)
    answer = county.client("town-a").post(f"/imports/{own.pk}/rows/{row.pk}/name/", {"value": "张三"})
    assert answer.status_code == 404
    assert CellEdit.objects.count() == 0


def queries(client: Client, address: str) -> int:
    client.get(address)
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


def test_pages_of_a_list_ask_as_much_for_one_row_as_for_three(county: SmallCounty) -> None:
    broken = [row | {"出生日期": "2017-13-01"} for row in (LI, WANG, CHEN)]
    one = county.send("class-roster", broken[:1], place="primary_a", by="school-a", name="一.xlsx")
    three = county.send("class-roster", broken, place="primary_a", by="school-a", name="三.xlsx")
    client = county.client("school-a")
    for page in ("", "?tab=rows", "diff/added/", "cancel/"):
        assert queries(client, f"/imports/{one.pk}/{page}") == queries(client, f"/imports/{three.pk}/{page}"), page


def test_a_receipt_asks_as_much_for_one_row_as_for_three(county: SmallCounty) -> None:
    one = county.bring("class-roster", [LI], place="primary_a", by="school-a", name="一.xlsx")
    others = [
        row | {"学校名称": "石洲乡中心小学", "身份证件号": id_number("20160901", 100 + n)}
        for n, row in enumerate((LI, WANG, CHEN))
    ]
    three = county.bring(
        "class-roster", [row | {"出生日期": "2016-09-01", "性别": ""} for row in others], place="b", by="town-b"
    )
    client = county.client("county")
    assert three.rows_accepted == 3
    assert queries(client, f"/imports/{one.pk}/receipt/") == queries(client, f"/imports/{three.pk}/receipt/")


def test_the_centre_asks_as_much_for_one_list_as_for_three(county: SmallCounty) -> None:
    county.send("class-roster", [LI], place="primary_a", by="school-a", name="一.xlsx")
    client = county.client("school-a")
    before = queries(client, "/imports/")
    county.send("class-roster", [WANG], place="primary_a", by="school-a", name="二.xlsx")
    county.send("class-roster", [CHEN], place="primary_a", by="school-a", name="三.xlsx")
    assert queries(client, "/imports/") == before


def test_the_check_page_stays_small_for_any_list(county: SmallCounty) -> None:
    rows = [
        LI
        | {
            "姓名": f"李{'甲乙丙丁戊己庚辛壬癸'[n % 10]}{'一二三四五六七八九十'[n // 10]}",
            "身份证件号": id_number("20170503", 100 + n),
            "出生日期": "2017-13-01",
            "性别": "",
        }
        for n in range(100)
    ]
    upload = county.send("class-roster", rows, place="primary_a", by="school-a")
    page = text(county.client("school-a").get(f"/imports/{upload.pk}/"))
    assert upload.rows_waiting == 100
    assert len(re.findall(r"<[a-z]", page)) < 1500
    assert "共 100 条" in page
    assert "page=2" in page


def test_the_columns_of_the_widest_export_make_a_light_page_and_can_be_written_over(county: SmallCounty) -> None:
    with (Path(__file__).parents[1] / "students" / "real_headers.csv").open(encoding="utf-8", newline="") as file:
        headers = [row["header"] for row in csv.DictReader(file) if row["list"] == "学籍信息模板"]
    values = {"姓名": "李小雨", "学校标识码": "2199000001", "身份证件号": id_number("20150503", 12), "年级": "五年级"}
    book = workbook({"学籍": [headers, [values.get(header, "") for header in headers]]})
    upload = county.send("registry", [], files=[("学籍.xlsx", book)], place="a", by="town-a")
    client = county.client("town-a")
    client.post(reverse("import-remap", args=[upload.pk]))
    page = client.get(reverse("import-map", args=[upload.pk])).content.decode()
    assert page.count("<") - page.count("</") < 1500
    sheet, at = upload.sheets.get(), headers.index("班内学号")
    assert f'name="k-{sheet.pk}-{at}" value="班内学号"' in page
    fields = {f"k-{sheet.pk}-{at}": "没有这一列"}
    assert "所选的列不属于这种名单" in client.post(reverse("import-map", args=[upload.pk]), fields).content.decode()
    client.post(reverse("import-map", args=[upload.pk]), {f"k-{sheet.pk}-{at}": ""})
    advance(upload.pk)
    upload.refresh_from_db()
    assert upload.state == State.REVIEW
    assert str(at) not in upload.sheets.get().mapping
