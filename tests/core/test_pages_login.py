"""The door: log-in with its lockout, one's own page, and what the launcher and the proxy ask."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client, override_settings
from django.utils import timezone

from eduaid.core.models import AccessRecord, Notice, Post, User
from eduaid.core.models.access import Action
from tests.small_county import PASSWORD, SmallCounty


def sign_in(client: Client, username: str, password: str = PASSWORD) -> str:
    """The page that answers a try, as text."""
    return client.post("/login/", {"username": username, "password": password}).content.decode()


def test_whoever_knows_the_password_comes_to_the_workbench(county: SmallCounty) -> None:
    client = Client()
    answer = client.post("/login/", {"username": "town-a", "password": PASSWORD, "next": "/imports/"})
    assert (answer.status_code, answer["Location"]) == (302, "/imports/")
    assert client.get("/me/").status_code == 200


def test_a_wrong_password_says_how_many_tries_are_left(county: SmallCounty) -> None:
    client = Client()
    assert "账号或密码不对，还可试 4 次" in sign_in(client, "town-a", "wrong")
    page = sign_in(client, "town-a", "wrong again")
    assert "账号或密码不对，还可试 3 次" in page
    assert "<title>错误:登录" in page
    assert 'id="errors"' in page


def test_an_account_that_does_not_exist_answers_like_a_wrong_password(county: SmallCounty) -> None:
    assert "账号或密码不对，还可试 4 次" in sign_in(Client(), "nobody", "wrong")


def test_the_fifth_wrong_password_locks_the_account_for_the_right_one_too(county: SmallCounty) -> None:
    client = Client()
    for _ in range(4):
        sign_in(client, "town-a", "wrong")
    fifth = client.post("/login/", {"username": "town-a", "password": "wrong"})
    assert fifth.status_code == 429
    assert "账号已暂停登录" in fifth.content.decode()
    assert client.post("/login/", {"username": "town-a", "password": PASSWORD}).status_code == 429
    assert client.post("/login/", {"username": "town-b", "password": PASSWORD}).status_code == 302


def test_a_stopped_account_does_not_come_in(county: SmallCounty) -> None:
    User.objects.filter(username="town-a").update(is_active=False)
    assert "账号或密码不对" in sign_in(Client(), "town-a")


def test_the_session_ends_after_its_hours_however_busy_it_was(county: SmallCounty) -> None:
    client = Client()
    sign_in(client, "town-a")
    ends = client.session.get_expiry_date()
    assert abs((ends - timezone.now()).total_seconds() - 8 * 3600) < 60
    client.get("/me/")
    assert client.session.get_expiry_date() == ends


@override_settings(SESSION_IDLE_SECONDS=-1)
def test_an_idle_session_ends(county: SmallCounty) -> None:
    client = Client()
    sign_in(client, "town-a")
    client.get("/me/")
    assert client.get("/me/").status_code == 302


def test_leaving_is_a_post_and_ends_the_session(county: SmallCounty) -> None:
    client = county.client("town-a")
    assert client.get("/logout/").status_code == 405
    assert client.post("/logout/")["Location"] == "/login/"
    assert client.get("/me/")["Location"] == "/login/?next=/me/"


def test_an_initial_password_leads_to_the_page_where_it_is_changed(county: SmallCounty) -> None:
    User.objects.filter(username="town-a").update(must_change_password=True)
    client = Client()
    answer = client.post("/login/", {"username": "town-a", "password": PASSWORD})
    assert answer["Location"] == "/me/"
    new = "a quite different sentence"
    changed = client.post("/me/", {"old_password": PASSWORD, "new_password1": new, "new_password2": new})
    assert changed.status_code == 302
    user = User.objects.get(username="town-a")
    assert user.check_password(new)
    assert not user.must_change_password
    assert client.get("/me/").status_code == 200


@pytest.mark.parametrize(
    ("old", "new", "again", "sentence"),
    [
        (PASSWORD, "short", "short", "密码太短"),
        (PASSWORD, "123456789012", "123456789012", "密码只包含数字。"),
        (PASSWORD, "qwertyuiop123", "qwertyuiop123", "这个密码太常见了。"),
        (PASSWORD, "a quite different sentence", "another", "两次输入的新密码不一样。请重新输入"),
        ("wrong", "a quite different sentence", "a quite different sentence", "现在的密码不对。请重新输入"),
    ],
)
def test_a_password_that_cannot_be_is_refused_in_a_sentence(
    county: SmallCounty, old: str, new: str, again: str, sentence: str
) -> None:
    client = county.client("town-a")
    page = client.post("/me/", {"old_password": old, "new_password1": new, "new_password2": again}).content.decode()
    assert "<title>错误:我的" in page
    assert page.count(sentence) == 2
    assert User.objects.get(username="town-a").check_password(PASSWORD)


def test_changing_the_password_ends_the_sessions_elsewhere(county: SmallCounty) -> None:
    here, elsewhere = county.client("town-a"), county.client("town-a")
    new = "a quite different sentence"
    here.post("/me/", {"old_password": PASSWORD, "new_password1": new, "new_password2": new})
    assert here.get("/me/").status_code == 200
    assert elsewhere.get("/me/").status_code == 302


def test_notices_are_read_by_their_owner_alone(county: SmallCounty) -> None:
    mine = Notice.objects.create(user=county.user("town-a"), text="名单 1 号已生效", url="/imports/1/")
    other = Notice.objects.create(user=county.user("town-b"), text="名单 2 号被退回", url="/imports/2/")
    client = county.client("town-a")
    page = client.get("/me/").content.decode()
    assert "名单 1 号已生效" in page
    assert "名单 2 号被退回" not in page
    client.post("/me/notices/", {"notice": other.pk})
    client.post("/me/notices/", {"notice": mine.pk})
    mine.refresh_from_db()
    other.refresh_from_db()
    assert mine.read_at is not None
    assert other.read_at is None


def test_all_notices_are_read_at_once(county: SmallCounty) -> None:
    for number in range(3):
        Notice.objects.create(user=county.user("town-a"), text=f"名单 {number} 号", url="/imports/1/")
    county.client("town-a").post("/me/notices/")
    assert Notice.objects.filter(read_at=None).count() == 0


def test_ones_own_page_shows_posts_and_what_the_log_holds(county: SmallCounty) -> None:
    AccessRecord.objects.create(
        user=county.user("town-a"),
        action=Action.REVEAL,
        subject_kind="student",
        page="/students/x/",
        purpose="联系家长",
    )
    Post.objects.filter(user=county.user("town-a")).update(until_on=dt.date(2030, 8, 31))
    page = county.client("town-a").get("/me/").content.decode()
    assert "中心校校长" in page
    assert "2030年8月31日止" in page
    assert "显示完整号码" in page
    assert "联系家长" in page


def test_the_health_check_answers_without_a_session_and_tells_no_data(county: SmallCounty) -> None:
    answer = Client().get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"database": "ok", "broker": "ok"})
    assert "sessionid" not in answer.cookies


@override_settings(CELERY_BROKER_URL="redis://127.0.0.1:1/0")
def test_a_broker_that_is_away_is_told_and_no_reason_to_stop(county: SmallCounty) -> None:
    from celery import current_app

    was = current_app.conf.broker_url
    current_app.conf.broker_url = "redis://127.0.0.1:1/0"
    try:
        answer = Client().get("/healthz")
    finally:
        current_app.conf.broker_url = was
    assert (answer.status_code, answer.json()) == (200, {"database": "ok", "broker": "away"})


def test_the_watermark_says_who_looks_from_where_and_when(county: SmallCounty) -> None:
    answer = county.client("town-a").get("/watermark.svg")
    assert answer["Content-Type"].startswith("image/svg+xml")
    assert "private" in answer["Cache-Control"]
    text = answer.content.decode()
    assert "水口镇 town-a老师" in text
    assert f"{timezone.localtime():%Y-%m-%d}" in text
    assert Client().get("/watermark.svg").status_code == 302
