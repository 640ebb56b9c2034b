"""Who is missing and where they are; the queue of the bureau; the names behind an undo; log-in inside a fragment."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.db import InternalError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from eduaid.core import departures, editing, files, uploads
from eduaid.core.lists import kind_of
from eduaid.core.models import Departure, Upload, UploadRow
from eduaid.core.models.uploads import State
from eduaid.core.tasks import advance
from students.models import Student
from tests.core.test_pages_imports import CHEN, LI, LI_BROKEN, WANG, send_form, text
from tests.small_county import SmallCounty, id_number

LATER = dt.date(2026, 9, 20)


def pupils(count: int, **changes: str) -> list[dict[str, str]]:
    """Children of one class, all different."""
    names = "甲乙丙丁戊己庚辛壬癸"
    return [
        LI
        | {
            "姓名": f"赵{names[n % 10]}{names[n // 10 % 10]}{names[n // 100]}",
            "身份证件号": id_number("20170503", 100 + n),
            "性别": "男" if (100 + n) % 2 else "女",
        }
        | changes
        for n in range(count)
    ]


def elements(page: str) -> int:
    return len(re.findall(r"<[a-z]", page))


def queries(client: Client, address: str) -> int:
    client.get(address)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


def without_wang(county: SmallCounty) -> Upload:
    county.bring("class-roster", [LI, WANG], place="a", by="town-a")
    return county.send("class-roster", [LI, CHEN], place="a", by="town-a", as_of=LATER)


# --- whereabouts -------------------------------------------------------------------------------------------------


def test_a_list_is_not_submitted_while_somebody_is_missing_without_a_word(county: SmallCounty) -> None:
    upload = without_wang(county)
    client = county.client("town-a")
    page = text(client.get(f"/imports/{upload.pk}/"))
    assert "先说明 1 人的去向" in page
    assert f"/imports/{upload.pk}/submit/" not in page
    answer = client.post(f"/imports/{upload.pk}/submit/", {"version": upload.version}, follow=True)
    assert "上期有、本期无的 1 人还没有说明去向" in text(answer)
    upload.refresh_from_db()
    assert upload.state == State.REVIEW


def test_a_word_for_one_person_is_kept_shown_on_the_receipt_and_frozen(county: SmallCounty) -> None:
    upload = without_wang(county)
    client = county.client("town-a")
    row = Departure.objects.get().row_id
    page = text(client.get(f"/imports/{upload.pk}/diff/missing/"))
    assert "王伟" in page
    answer = client.post(
        f"/imports/{upload.pk}/departures/", {f"code-{row}": "A3", f"note-{row}": "随父母去赣州", "back": ""}
    )
    assert answer["Location"] == f"/imports/{upload.pk}/diff/missing/"
    upload.refresh_from_db()
    client.post(f"/imports/{upload.pk}/submit/", {"version": upload.version})
    upload.refresh_from_db()
    assert upload.state == State.SUBMITTED
    late = client.post(f"/imports/{upload.pk}/departures/", {f"code-{row}": "B1"}, follow=True)
    assert "不能这样操作" in text(late)
    leader = county.client("leader")
    leader.post(f"/imports/{upload.pk}/approve/", {"version": upload.version})
    advance(upload.pk)
    receipt = text(leader.get(f"/imports/{upload.pk}/receipt/"))
    assert "上期有、本期无的去向" in receipt
    assert "县外省内就读" in receipt
    assert "说明去向 1 人" in receipt
    kept = text(leader.get(f"/imports/{upload.pk}/diff/missing/"))
    assert "随父母去赣州" in kept
    assert "<select" not in kept.split("<main")[1]


def test_a_note_holds_no_number_of_a_person(county: SmallCounty) -> None:
    upload = without_wang(county)
    row = Departure.objects.get().row_id
    county.client("town-a").post(
        f"/imports/{upload.pk}/departures/", {f"code-{row}": "A3", f"note-{row}": f"证件号{WANG['身份证件号']}"}
    )
    assert WANG["身份证件号"] not in Departure.objects.get().note


def test_an_unknown_word_is_refused(county: SmallCounty) -> None:
    upload = without_wang(county)
    row = Departure.objects.get().row_id
    answer = county.client("town-a").post(f"/imports/{upload.pk}/departures/", {f"code-{row}": "X1"}, follow=True)
    assert "这类名单没有这种去向" in text(answer)
    assert Departure.objects.get().code == ""


def test_a_whole_class_is_explained_at_once(county: SmallCounty) -> None:
    six = pupils(6, 年级="六年级", 班级="2班")
    county.bring("class-roster", [LI, *six], place="a", by="town-a")
    upload = county.send("class-roster", [LI], place="a", by="town-a", as_of=LATER)
    client = county.client("town-a")
    page = text(client.get(f"/imports/{upload.pk}/diff/missing/"))
    group = re.search(r'<option value="([^"]+)">水口镇蔡朱小学 六年级 2班：6 人', page)
    assert group
    client.post(f"/imports/{upload.pk}/departures/bulk/", {"group": group[1], "code": "A8"})
    assert list(Departure.objects.values_list("code", flat=True)) == ["A8"] * 6
    done = text(client.get(f"/imports/{upload.pk}/diff/missing/?only=open"))
    assert "都已说明去向 ✓" in done


def test_proposals_are_taken_with_one_click(county: SmallCounty) -> None:
    county.bring("class-roster", [LI, WANG], place="primary_a", by="school-a")
    moved = WANG | {"学校名称": "石洲乡中心小学"}
    other = county.send("class-roster", [moved], place="b", by="town-b", as_of=dt.date(2026, 9, 15))
    departures_of = county.client("town-b")
    departures_of.post(f"/imports/{other.pk}/answers/", {"code": "held-elsewhere", "answer": "transfer"})
    other.refresh_from_db()
    county.take_force(other)
    upload = county.send("class-roster", [LI], place="primary_a", by="school-a", as_of=LATER)
    client = county.client("school-a")
    page = text(client.get(f"/imports/{upload.pk}/diff/missing/"))
    assert "县内外镇就读（石洲乡中心小学）" in page
    assert "2026年9月15日的班级名册名单里，这个人在石洲乡中心小学。" in page
    assert "采用 1 条确定的建议" in page
    row = Departure.objects.get(upload=upload).row_id
    client.post(f"/imports/{upload.pk}/departures/", {"accept": str(row), f"code-{row}": ""})
    said = Departure.objects.get(upload=upload)
    assert (said.code, said.proposed_school, str(said.by)) == ("A2", county.primary_b, "school-a老师")


def test_the_page_of_the_missing_stays_small_and_asks_as_much_for_one_as_for_many(county: SmallCounty) -> None:
    county.bring("class-roster", [LI, *pupils(95)], place="a", by="town-a")
    many = county.send("class-roster", [LI], place="a", by="town-a", as_of=LATER)
    client = county.client("town-a")
    assert many.rows_missing == 95
    address = f"/imports/{many.pk}/diff/missing/"
    page = text(client.get(address))
    assert elements(page) < 1500
    assert "共 95 条" in page
    before = queries(client, address)
    Departure.objects.filter(upload=many).exclude(pk=Departure.objects.filter(upload=many).first().pk).delete()  # type: ignore[union-attr]
    assert queries(client, address) == before


def test_each_tile_opens_a_small_page_with_the_cells_that_differ(county: SmallCounty) -> None:
    old = pupils(90)
    county.bring("class-roster", old, place="a", by="town-a")
    new = [
        row | {"班级": "9班", "联系电话": f"1380099{n:04d}", "家庭住址": f"新住址{n}", "监护人": "新监护人", "民族": "畲族",
               "就读方式": "寄宿", "备注": "新", "曾用名": "赵旧名", "现住址": "新地方"}
        for n, row in enumerate(old)
    ]  # fmt: skip
    upload = county.send("class-roster", new, place="a", by="town-a", as_of=LATER)
    client = county.client("town-a")
    assert upload.rows_changed == 90
    page = text(client.get(f"/imports/{upload.pk}/diff/changed/"))
    assert elements(page) < 1500
    assert "共 90 条" in page
    assert "年级：" not in page
    assert page.count("民族：") == 30


def test_a_waiting_row_is_no_missing_child_and_stands_beside_the_row_that_it_keeps(county: SmallCounty) -> None:
    county.bring("class-roster", [LI, WANG], place="a", by="town-a")
    upload = county.send("class-roster", [LI_BROKEN | {"班级": "2班"}, WANG], place="a", by="town-a", as_of=LATER)
    assert (upload.rows_missing, upload.rows_waiting) == (0, 1)
    page = text(county.client("town-a").get(f"/imports/{upload.pk}/diff/waiting/"))
    assert re.search(r'班级：<span class="was">1班</span> → <span class="now">2班</span>', page)


def test_three_late_pupils_are_a_supplement_and_nobody_is_missing(county: SmallCounty) -> None:
    county.bring("class-roster", [LI, WANG], place="a", by="town-a")
    upload = county.send("class-roster", pupils(3), place="a", by="town-a", as_of=LATER, mode="supplement")
    assert (upload.rows_added, upload.rows_missing) == (3, 0)
    county.take_force(upload)
    assert Student.objects.filter(in_roster=True).count() == 5
    assert not Departure.objects.exists()


def test_a_county_wide_list_asks_for_the_missing_of_every_township(county: SmallCounty) -> None:
    county.bring("class-roster", [LI, WANG], place="a", by="town-a")
    stone = CHEN | {"学校名称": "石洲乡中心小学"}
    county.bring("class-roster", [stone], place="b", by="town-b")
    staying = [LI, stone | {"姓名": "陈晓", "身份证件号": id_number("20170901", 21)}]
    upload = county.send("class-roster", staying, place="home", by="county", as_of=LATER)
    assert upload.rows_missing == 2
    names = Departure.objects.filter(upload=upload).values_list("row__facts__name", flat=True)
    assert sorted(names) == ["王伟", "陈晨"]


def test_another_townships_missing_do_not_exist(county: SmallCounty) -> None:
    upload = without_wang(county)
    other = county.client("town-b")
    assert other.get(f"/imports/{upload.pk}/diff/missing/").status_code == 404
    assert other.post(f"/imports/{upload.pk}/departures/", {}).status_code == 404
    assert other.post(f"/imports/{upload.pk}/departures/bulk/", {"certain": "1"}).status_code == 404


def test_who_is_still_looked_for_is_listed_until_a_list_names_him_again(county: SmallCounty) -> None:
    county.take_force(without_wang(county))
    client = county.client("town-a")
    page = text(client.get("/departures/pending/"))
    assert "去向待核：1 人" in page
    assert "王伟" in page
    assert "去向待核：0 人" in text(county.client("town-b").get("/departures/pending/"))
    before = queries(client, "/departures/pending/")
    assert before < 20
    county.bring("class-roster", [LI, CHEN, WANG], place="a", by="town-a", as_of=dt.date(2026, 9, 21))
    assert "去向待核：0 人" in text(client.get("/departures/pending/"))


def test_what_was_said_cannot_be_changed_once_the_list_is_in_force(county: SmallCounty) -> None:
    county.take_force(without_wang(county))
    with pytest.raises(InternalError, match="took force"), transaction.atomic():
        Departure.objects.update(code="B1")
    with pytest.raises(InternalError, match="took force"), transaction.atomic():
        Departure.objects.all().delete()
    assert Departure.objects.get().code == "Z"


def test_a_child_that_a_late_row_released_is_listed_too(county: SmallCounty) -> None:
    """The waiting row turns out to speak of somebody else: whom it kept in force is missing now."""
    county.bring("class-roster", [LI, WANG], place="a", by="town-a")
    upload = county.bring("class-roster", [LI_BROKEN, WANG], place="a", by="town-a", as_of=LATER)
    assert not Departure.objects.exists()
    row = UploadRow.objects.get(upload=upload, state="W")
    editing.edit_cell(row, column="id_number", text=CHEN["身份证件号"], by=county.user("town-a"))
    editing.edit_cell(row, column="birth", text=CHEN["出生日期"], by=county.user("town-a"))
    editing.edit_cell(row, column="name", text="陈晨", by=county.user("town-a"))
    upload.refresh_from_db()
    uploads.submit(upload, by=county.user("town-a"))
    uploads.approve(upload, by=county.user("leader"))
    advance(upload.pk)
    upload.refresh_from_db()
    assert (upload.state, upload.rows_waiting) == (State.IN_FORCE, 0)
    said = Departure.objects.get()
    assert (said.row.facts["name"], said.code, said.by) == ("李小雨", "Z", None)


# --- the queue of the bureau -------------------------------------------------------------------------------------


def test_the_queue_has_a_row_a_list_with_what_changes_and_lets_it_pass(county: SmallCounty) -> None:
    upload = without_wang(county)
    departures.explain_group(upload, key="", code="Z", by=county.user("town-a"))
    uploads.submit(upload, by=county.user("town-a"), comment="一人去向还在问")
    leader = county.client("leader")
    page = text(leader.get("/approve/"))
    assert "审核：1 份名单待通过" in page
    for part in (
        "水口镇 班级名册",
        "新增 1",
        "上期有、本期无 1",
        "其中去向待核 1",
        "2 行全部通过核对",
        "一人去向还在问",
    ):
        assert part in page
    version = re.search(r'name="version" value="(\d+)"', page)
    assert version
    answer = leader.post(f"/imports/{upload.pk}/approve/", {"version": version[1]})
    assert answer["Location"] == f"/imports/{upload.pk}/run/"
    assert county.client("town-a").get("/approve/").status_code == 403


def test_the_queue_offers_no_button_to_whoever_worked_on_the_list(county: SmallCounty) -> None:
    upload = without_wang(county)
    departures.explain_group(upload, key="", code="Z", by=county.user("county"))
    uploads.submit(upload, by=county.user("town-a"))
    page = text(county.client("county").get("/approve/"))
    assert "您上传、修改过或填过去向，请由另一人审核" in page
    assert f"/imports/{upload.pk}/approve/" not in page


def test_the_queue_asks_as_much_for_one_list_as_for_three(county: SmallCounty) -> None:
    lists = [
        county.send("class-roster", [row], place="primary_a", by="school-a", name=f"{n}.xlsx")
        for n, row in enumerate((LI, WANG, CHEN))
    ]
    client = county.client("leader")
    uploads.submit(lists[0], by=county.user("school-a"))
    before = queries(client, "/approve/")
    for upload in lists[1:]:
        uploads.submit(upload, by=county.user("school-a"))
    assert queries(client, "/approve/") == before


# --- undo --------------------------------------------------------------------------------------------------------


def test_the_names_behind_each_number_of_an_undo_come_with_their_reason(county: SmallCounty) -> None:
    upload = county.bring("class-roster", [LI, WANG], place="primary_a", by="school-a")
    newer = county.bring("class-roster", [LI], place="primary_a", by="school-a", as_of=LATER)
    leader = county.client("leader")
    page = text(leader.get(f"/imports/{upload.pk}/undo/"))
    assert re.search(r"保留</span><b>2</b>", page)
    names = text(leader.get(f"/imports/{upload.pk}/undo/kept/"))
    assert "李小雨" in names
    assert f"名单 {newer.pk} 号更新，以它为准" in names
    goes = text(leader.get(f"/imports/{newer.pk}/undo/withdrawn/"))
    assert "李小雨" in goes
    assert leader.get(f"/imports/{upload.pk}/undo/else/").status_code == 404
    assert county.client("town-a").get(f"/imports/{upload.pk}/undo/kept/").status_code == 403


# --- a session that has ended ------------------------------------------------------------------------------------


def test_a_fragment_sends_the_whole_page_to_the_log_in_and_back(county: SmallCounty) -> None:
    upload = without_wang(county)
    answer = Client().get(
        f"/imports/{upload.pk}/run/",
        headers={"HX-Request": "true", "HX-Current-URL": f"http://testserver/imports/{upload.pk}/run/?x=1"},
    )
    assert (answer.status_code, answer["HX-Redirect"]) == (200, f"/login/?next=/imports/{upload.pk}/run/%3Fx%3D1")
    foreign = Client().get("/imports/", headers={"HX-Request": "true", "HX-Current-URL": "http://elsewhere.example/a"})
    assert foreign["HX-Redirect"] == "/login/?next=/"


def test_an_act_after_the_session_leads_back_to_its_page_and_does_nothing(county: SmallCounty) -> None:
    upload = without_wang(county)
    answer = Client().post(
        f"/imports/{upload.pk}/submit/",
        {"version": upload.version},
        headers={"Referer": f"http://testserver/imports/{upload.pk}/?tab=fix"},
    )
    assert answer["Location"] == f"/login/?next=/imports/{upload.pk}/%3Ftab%3Dfix"
    upload.refresh_from_db()
    assert upload.state == State.REVIEW


# --- pasting -----------------------------------------------------------------------------------------------------


def test_a_block_without_header_is_read_in_the_order_of_the_template(county: SmallCounty) -> None:
    labels = [column.label for column in kind_of("class-roster").columns]
    values = [LI | {"性别": "女"}, WANG]
    block = "\n".join("\t".join(str(row.get(label, "")) for label in labels) for row in values)
    county.client("town-a").post("/imports/new/", send_form(b"", pasted=block) | {"files": []})
    upload = Upload.objects.get()
    advance(upload.pk)
    upload.refresh_from_db()
    assert (upload.state, upload.rows_accepted) == (State.REVIEW, 2)
    file = upload.files.get()
    assert file.name == "粘贴的内容.tsv"
    assert files.load(file.stored_as).decode("utf-8-sig").startswith("\t".join(labels))


def test_a_block_that_is_no_table_is_refused_like_a_file(county: SmallCounty) -> None:
    county.client("town-a").post("/imports/new/", send_form(b"", pasted="李小雨 三年级\n王伟 三年级") | {"files": []})
    upload = Upload.objects.get()
    advance(upload.pk)
    upload.refresh_from_db()
    assert upload.state == State.REFUSED
    assert "没有找到“班级名册”的表头" in upload.error
