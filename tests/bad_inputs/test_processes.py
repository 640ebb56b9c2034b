"""Clicks, tabs, sessions, rights and other people's lists that come at the wrong moment."""

from __future__ import annotations

import datetime as dt
import time
from threading import Barrier, Thread

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client

from eduaid.core import departures, intake, jobs, uploads
from eduaid.core.jobs import LeaseLost, Pulse
from eduaid.core.models import Departure, ListSlice, Post, Upload, UploadRow, User
from eduaid.core.models.uploads import State
from eduaid.core.tasks import advance
from eduaid.core.uploads import NotAllowed, NotPossible, StalePreview
from students.models import Student
from tests.core.test_pages_imports import CHEN, LI, LI_BROKEN, WANG, roster, send_form, text
from tests.small_county import SmallCounty, table, workbook

LATER = dt.date(2026, 9, 20)


# --- the same list twice -------------------------------------------------------------------------------------------


@pytest.mark.case("P01")
def test_two_clicks_and_two_tabs_at_once_are_one_list_and_lead_to_it(county: SmallCounty) -> None:
    data, start, answers = roster([LI]), Barrier(3), list[str]()

    def click() -> None:
        client = county.client("town-a")
        start.wait()
        answers.append(client.post("/imports/new/", send_form(data))["Location"])
        connection.close()

    clicks = [Thread(target=click) for _ in range(3)]
    for thread in clicks:
        thread.start()
    for thread in clicks:
        thread.join()
    upload = Upload.objects.get()
    assert answers == [f"/imports/{upload.pk}/run/"] * 3


@pytest.mark.case("P01")
def test_a_withdrawn_file_may_be_sent_again(county: SmallCounty) -> None:
    client = county.client("town-a")
    data = roster([LI])
    client.post("/imports/new/", send_form(data))
    first = Upload.objects.get()
    advance(first.pk)
    first.refresh_from_db()
    county.take_force(first)
    uploads.undo(first, by=county.user("leader"), reason="报错了学期")
    again = client.post("/imports/new/", send_form(data))
    assert again["Location"] == f"/imports/{first.pk + 1}/run/"


@pytest.mark.case("P02")
def test_a_renamed_copy_is_recognised_by_its_bytes(county: SmallCounty) -> None:
    client, data = county.client("town-a"), roster([LI])
    client.post("/imports/new/", send_form(data))
    page = text(client.post("/imports/new/", send_form(data, "另一个名字.xlsx")))
    assert "已上传过" in page
    assert Upload.objects.count() == 1


@pytest.mark.case("P02")
def test_the_same_rows_in_other_bytes_are_told_with_the_number_of_the_list(county: SmallCounty) -> None:
    first = county.send("class-roster", [LI, WANG], place="a", by="town-a")
    other_bytes = workbook({"另一张表": table([WANG, LI])})
    second = county.send("class-roster", [], place="a", by="town-a", files=[("另存.xlsx", other_bytes)])
    finding = second.findings.get(code="list-same")
    page = text(county.client("town-a").get(f"/imports/{second.pk}/?tab={finding.level}s"))
    assert f"名单 {first.pk} 号" in page


# --- two people, one place -----------------------------------------------------------------------------------------


@pytest.mark.case("P03")
def test_lists_of_one_place_take_force_one_after_the_other_and_the_second_is_compared_with_the_first(
    county: SmallCounty, worker: object
) -> None:
    """Both were approved before either took force, the county's and the township's; two workers take them."""
    ours = county.send("class-roster", [LI, WANG], place="a", by="town-a")
    theirs = county.send("class-roster", [LI, WANG], place="home", by="county", name="全县.xlsx")
    for upload in (ours, theirs):
        uploads.submit(upload, by=upload.uploaded_by)
    for upload in (ours, theirs):
        uploads.approve(upload, by=county.user("leader"))
    deadline = time.monotonic() + 30
    while Upload.objects.filter(state=State.IN_FORCE).count() < 2 and time.monotonic() < deadline:
        time.sleep(0.1)
    first, second = Upload.objects.order_by("applied_at")
    assert (first.rows_added, first.rows_unchanged) == (2, 0)
    assert (second.rows_added, second.rows_unchanged) == (0, 2)
    assert ListSlice.objects.filter(is_current=True).count() == 1
    assert Student.objects.count() == 2


@pytest.mark.case("P03")
def test_who_comes_second_sees_the_newest_preview_and_what_he_saw_before_is_refused(county: SmallCounty) -> None:
    first = county.send("class-roster", [LI, WANG], place="primary_a", by="school-a")
    second = county.send("class-roster", [LI, CHEN], place="a", by="town-a", as_of=LATER)
    assert (second.rows_added, second.rows_missing) == (2, 0)
    seen = second.version
    county.take_force(first)
    with pytest.raises(StalePreview):
        uploads.submit(second, by=county.user("town-a"), version=seen)
    with pytest.raises(NotPossible, match="正在按最新情况重新比对"):
        uploads.submit(second, by=county.user("town-a"))
    assert "正在按最新情况重新比对" in text(county.client("town-a").get(f"/imports/{second.pk}/"))
    advance(second.pk)
    second.refresh_from_db()
    assert (second.rows_added, second.rows_unchanged, second.rows_missing, second.due) == (1, 1, 1, False)
    departures.explain_group(second, key="", code="A3", by=county.user("town-a"))
    second.refresh_from_db()
    uploads.submit(second, by=county.user("town-a"), version=second.version)


@pytest.mark.case("P04")
def test_an_approval_of_numbers_that_are_no_more_is_refused(county: SmallCounty) -> None:
    waiting = county.send("class-roster", [LI, CHEN], place="a", by="town-a", as_of=LATER)
    uploads.submit(waiting, by=county.user("town-a"))
    leader = county.client("leader")
    seen = waiting.version
    county.bring("class-roster", [LI, WANG], place="primary_a", by="school-a")
    answer = leader.post(f"/imports/{waiting.pk}/approve/", {"version": seen}, follow=True)
    assert "名单在您打开页面之后有改动" in text(answer)
    advance(waiting.pk)
    waiting.refresh_from_db()
    answer = leader.post(f"/imports/{waiting.pk}/approve/", {"version": waiting.version}, follow=True)
    assert "有 1 人变为上期有、本期无，还没有说明去向。请退回报送单位补填" in text(answer)
    waiting.refresh_from_db()
    assert waiting.state == State.SUBMITTED


@pytest.mark.case("P04")
def test_an_undo_ages_previews_too(county: SmallCounty) -> None:
    first = county.bring("class-roster", [LI, WANG], place="a", by="town-a")
    waiting = county.send("class-roster", [LI], place="a", by="town-a", as_of=LATER)
    assert waiting.rows_missing == 1
    uploads.undo(first, by=county.user("leader"), reason="报错了")
    advance(waiting.pk)
    waiting.refresh_from_db()
    assert (waiting.rows_missing, waiting.rows_added) == (0, 1)
    assert not Departure.objects.filter(upload=waiting).exists()


# --- sessions ------------------------------------------------------------------------------------------------------


@pytest.mark.case("P10")
def test_a_list_goes_on_without_its_sender_and_is_found_in_the_record(county: SmallCounty) -> None:
    """The browser is closed after the upload."""
    county.client("town-a").post("/imports/new/", send_form(roster([LI])))
    upload = Upload.objects.get()
    advance(upload.pk)
    page = text(county.client("town-a").get("/imports/"))
    assert "待核对" in page
    assert f'href="/imports/{upload.pk}/"' in page


@pytest.mark.case("P10")
def test_after_the_session_ended_the_log_in_leads_back_to_the_page_that_asks_for_the_word(
    county: SmallCounty,
) -> None:
    upload = county.send("class-roster", [LI], place="a", by="town-a")
    page = f"http://testserver/imports/{upload.pk}/"
    stranger = Client()
    submit = {"version": upload.version}
    answer = stranger.post(f"/imports/{upload.pk}/submit/", submit, headers={"Referer": page})
    assert answer["Location"] == f"/login/?next=/imports/{upload.pk}/"
    signed_in = stranger.post(
        answer["Location"],
        {"username": "town-a", "password": "correct horse battery", "next": f"/imports/{upload.pk}/"},
        follow=True,
    )
    assert "提交可入库的" in text(signed_in)
    upload.refresh_from_db()
    assert upload.state == State.REVIEW


@pytest.mark.case("P10")
def test_a_refused_upload_of_a_broken_connection_leaves_nothing(county: SmallCounty) -> None:
    """A part of the form's body is no form: nothing was received."""
    client = county.client("town-a")
    whole = {"files": SimpleUploadedFile("名单.xlsx", roster([LI])[:100])}
    client.post("/imports/new/", whole)
    assert not Upload.objects.exists()


# --- cancelling and undoing ------------------------------------------------------------------------------------------


@pytest.mark.case("P13")
def test_a_list_that_is_cancelled_while_a_worker_reads_it_leaves_nothing(county: SmallCounty) -> None:
    county.client("town-a").post("/imports/new/", send_form(roster([LI, WANG])))
    claimed = jobs.claim(Upload.objects.all(), Upload.objects.get().pk)
    assert claimed is not None
    upload, lease = claimed
    uploads.cancel(upload, by=county.user("town-a"))
    with pytest.raises(LeaseLost):
        intake.read(upload.pk, lease, Pulse())
    upload.refresh_from_db()
    assert (upload.state, UploadRow.objects.count(), Student.objects.count()) == (State.CANCELLED, 0, 0)


@pytest.mark.case("P13")
def test_an_undo_brings_the_older_list_back_and_tells_who_when_and_why(county: SmallCounty) -> None:
    county.bring("class-roster", [LI, WANG], place="a", by="town-a")
    newer = county.bring("class-roster", [LI | {"班级": "2班"}], place="a", by="town-a", as_of=LATER)
    assert Student.objects.get(name="李小雨").class_name == "2班"
    leader = county.client("leader")
    leader.post(f"/imports/{newer.pk}/undo/", {"reason": "班级填错"})
    assert Student.objects.get(name="李小雨").class_name == "1班"
    receipt = text(county.client("auditor").get(f"/imports/{newer.pk}/receipt/"))
    assert "撤回：班级填错" in receipt
    assert "leader老师" in receipt
    history: list[str] = list(Student.objects.get(name="李小雨").events.values_list("class_name", flat=True))
    assert "2班" in history


# --- rights that change meanwhile ----------------------------------------------------------------------------------


@pytest.mark.case("P17")
def test_an_approval_by_somebody_who_lost_the_right_before_the_worker_came_does_not_take_force(
    county: SmallCounty,
) -> None:
    upload = county.send("class-roster", [LI], place="a", by="town-a")
    uploads.submit(upload, by=county.user("town-a"))
    uploads.approve(upload, by=county.user("leader"))
    User.objects.filter(username="leader").update(is_active=False)
    advance(upload.pk)
    upload.refresh_from_db()
    assert (upload.state, upload.applied_at, Student.objects.count()) == (State.SUBMITTED, None, 0)
    county_officer = county.client("county")
    assert "审核人已不再有审核权限，名单没有生效" in text(county_officer.get("/approve/"))
    county_officer.post(f"/imports/{upload.pk}/approve/", {"version": upload.version})
    advance(upload.pk)
    upload.refresh_from_db()
    assert (upload.state, upload.error) == (State.IN_FORCE, "")


@pytest.mark.case("P17")
def test_a_sender_whose_post_ended_submits_nothing_more(county: SmallCounty) -> None:
    upload = county.send("class-roster", [LI, LI_BROKEN], place="a", by="town-a")
    Post.objects.filter(user=county.user("town-a")).delete()
    client = county.client("town-a")
    assert client.post(f"/imports/{upload.pk}/submit/", {"version": upload.version}).status_code == 403
    with pytest.raises(NotAllowed, match="只有上传人所在单位可以提交"):
        uploads.submit(upload, by=county.user("town-a"))
