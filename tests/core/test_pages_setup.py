"""The settings: places over time, the calendar, accounts without rights, posts that exclude one another, dictionaries."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from eduaid.core.models import Post, Region, School, SchoolYear, Term, User
from eduaid.core.models.accounts import RoleKey
from tests.small_county import PASSWORD, SmallCounty


def text(answer: object) -> str:
    return answer.content.decode()  # type: ignore[attr-defined,no-any-return]


def said_twice(page: str, sentence: str) -> bool:
    """In the summary and at the field, and in the title that something is wrong."""
    return page.count(sentence) == 2 and "<title>错误:" in page


# --- who may do what -----------------------------------------------------------------------------------------------

PLACE_PAGES = [
    "/setup/regions/",
    "/setup/regions/new/",
    "/setup/schools/",
    "/setup/schools/new/",
    "/setup/calendar/",
    "/setup/calendar/new/",
]


@pytest.mark.parametrize("page", PLACE_PAGES)
def test_places_are_for_the_bureau_and_the_system_administrator(county: SmallCounty, page: str) -> None:
    for name in ("county", "data", "sysadmin"):
        assert county.client(name).get(page).status_code == 200
    for name in ("town-a", "school-a", "teacher", "auditor", "secadmin", "auditadmin", "leader"):
        assert county.client(name).get(page).status_code == 403


def test_accounts_and_posts_are_two_hands(county: SmallCounty) -> None:
    person = county.user("town-a")
    system, security = county.client("sysadmin"), county.client("secadmin")
    assert system.get("/setup/users/new/").status_code == 200
    assert security.get("/setup/users/new/").status_code == 403
    assert system.get(f"/setup/users/{person.pk}/posts/new/").status_code == 403
    assert security.get(f"/setup/users/{person.pk}/posts/new/").status_code == 200
    assert county.client("county").get("/setup/users/").status_code == 403
    changed = security.post(f"/setup/users/{person.pk}/", {"display_name": "改名", "is_active": "on"})
    assert changed.status_code == 200
    assert User.objects.get(pk=person.pk).display_name == "town-a老师"


def test_the_tabs_are_those_that_the_reader_may_open(county: SmallCounty) -> None:
    def tabs(name: str) -> list[str]:
        page = text(county.client(name).get("/setup/"))
        block = page.split('aria-label="设置"')[1].split("</nav>")[0]
        return [label.strip() for label in re.findall(r">([^<>]+)</a>", block)]

    assert tabs("sysadmin") == ["概况", "区划", "学校", "学年学期", "人员岗位", "字典"]
    assert tabs("secadmin") == ["概况", "人员岗位", "字典"]
    assert tabs("data") == ["概况", "区划", "学校", "学年学期", "字典"]


# --- the first run -------------------------------------------------------------------------------------------------


def test_the_five_steps_tell_what_is_done(county: SmallCounty) -> None:
    page = text(county.client("sysadmin").get("/setup/"))
    assert len(re.findall(r'<li class="is-done"><a href="/setup/', page)) == 4
    assert '<li><a href="/imports/">导入第一份名单</a>' in page


def test_an_empty_installation_begins_with_the_county(committed: None) -> None:
    system = User.objects.create_user("sysadmin", PASSWORD, display_name="系统管理员")
    nowhere = Region.objects.create(code="990000", name="示例省", level="province")
    Post.objects.create(user=system, role="system-admin", duty="system", region=nowhere, from_on=dt.date(2025, 9, 1))
    client = Client()
    client.force_login(system, backend="eduaid.core.roles.PostBackend")
    assert client.get("/setup/regions/")["Location"] == "/setup/regions/new/"
    assert "登记本县" in text(client.get("/setup/regions/new/"))
    assert "县的代码应为 6 位" in text(client.post("/setup/regions/new/", {"name": "示例县", "code": "99"}))
    client.post("/setup/regions/new/", {"name": "示例县", "code": "990121"})
    home = Region.objects.home()
    assert (home.name, home.level, home.valid_from) == ("示例县", "county", dt.date(1949, 10, 1))
    assert "还没有乡镇" in text(client.get("/setup/regions/"))


# --- regions -------------------------------------------------------------------------------------------------------


def test_a_village_is_registered_under_its_township(county: SmallCounty) -> None:
    client = county.client("sysadmin")
    data = {
        "level": "village",
        "parent": county.a.pk,
        "name": " 新塘村 ",
        "code": "990121001202",
        "valid_from": "2026.9.1",
    }
    answer = client.post("/setup/regions/new/", data)
    assert answer["Location"] == "/setup/regions/?open=990121001"
    village = Region.objects.get(code="990121001202")
    assert (village.name, village.parent, village.valid_from) == ("新塘村", county.a, dt.date(2026, 9, 1))
    assert "新塘村" in text(client.get("/setup/regions/"))


def test_a_township_belongs_to_the_county_without_being_asked(county: SmallCounty) -> None:
    county.client("sysadmin").post("/setup/regions/new/", {"level": "township", "name": "船形乡", "code": "990121003"})
    assert Region.objects.get(code="990121003").parent == county.home


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"code": "990121001201"}, "这个代码从这一天起已经有了。请核对代码，或改启用日期"),
        ({"code": "9901210012"}, "村的代码应为 12 位"),
        ({"code": "88012100120X"}, "代码只能是数字。请核对"),
        ({"code": "880121001299"}, "代码应以本县代码 990121 开头"),
        ({"parent": ""}, "请选择村所属的乡镇"),
        ({"name": ""}, "请填写「名称」"),
        ({"valid_from": "去年"}, "「启用日期」看不懂这个日期。请写成 2012-09-01 这样的形式"),
    ],
)
def test_what_is_wrong_with_a_region_is_said_at_its_field(
    county: SmallCounty, changes: dict[str, str], sentence: str
) -> None:
    data = {"level": "village", "parent": str(county.a.pk), "name": "新塘村", "code": "990121001299", "valid_from": ""}
    page = text(county.client("sysadmin").post("/setup/regions/new/", data | changes))
    assert said_twice(page, sentence)
    assert not Region.objects.filter(name="新塘村").exists()


def test_a_village_that_merges_stays_with_its_last_day_and_its_history(county: SmallCounty) -> None:
    target = Region.objects.create(code="990121001299", name="大桥村", level="village", parent=county.a)
    client = county.client("sysadmin")
    page = text(client.get(f"/setup/regions/{county.village_a.pk}/end/"))
    assert "水口镇大桥村" in page
    client.post(f"/setup/regions/{county.village_a.pk}/end/", {"valid_until": "2026-09-01", "merged_into": target.pk})
    village = Region.objects.get(pk=county.village_a.pk)
    assert (village.valid_until, village.merged_into) == (dt.date(2026, 9, 1), target)
    assert "已并入大桥村" in text(client.get("/setup/regions/"))
    page = text(client.get(f"/setup/regions/{village.pk}/"))
    assert "停用日期：空 → 2026-09-01" in page
    assert "并入：空 → 大桥村" in page
    assert "sysadmin老师" in page


def test_a_region_cannot_end_before_it_began(county: SmallCounty) -> None:
    Region.objects.filter(pk=county.village_a.pk).update(valid_from=dt.date(2026, 1, 1))
    page = text(
        county.client("sysadmin").post(f"/setup/regions/{county.village_a.pk}/end/", {"valid_until": "2025-01-01"})
    )
    assert said_twice(page, "停用日期应晚于启用日期")


def test_the_county_itself_cannot_end(county: SmallCounty) -> None:
    assert county.client("sysadmin").get(f"/setup/regions/{county.home.pk}/end/").status_code == 404


# --- schools -------------------------------------------------------------------------------------------------------

SCHOOL = {
    "name": "水口镇田心小学",
    "code": "2199000099",
    "kind": "公办",
    "stages": ["2"],
    "town": "",
    "other_names": "田心小学\n 田心完小 \n田心小学",
    "valid_from": "",
}


def test_a_school_is_registered_with_the_names_under_which_lists_know_it(county: SmallCounty) -> None:
    county.client("data").post("/setup/schools/new/", SCHOOL | {"town": county.a.pk})
    school = School.objects.get(code="2199000099")
    assert (school.town, school.other_names, school.valid_from) == (
        county.a,
        ["田心小学", "田心完小"],
        dt.date(1949, 10, 1),
    )


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"town": ""}, "县内学校请选择所在乡镇；县外学校请勾选“县外学校”"),
        ({"code": "2199000001"}, "「学校标识码」已经有了，不能重复"),
        ({"stages": []}, "请选择「学段」"),
    ],
)
def test_what_is_wrong_with_a_school_is_said_at_its_field(
    county: SmallCounty, changes: dict[str, object], sentence: str
) -> None:
    page = text(county.client("data").post("/setup/schools/new/", SCHOOL | {"town": county.a.pk} | changes))
    assert said_twice(page, sentence)


def test_a_school_outside_the_county_needs_no_township(county: SmallCounty) -> None:
    county.client("data").post("/setup/schools/new/", SCHOOL | {"is_outside": "on"})
    assert School.objects.get(code="2199000099").is_outside


def test_a_school_that_merges_names_its_last_day(county: SmallCounty) -> None:
    client = county.client("data")
    data = SCHOOL | {
        "town": county.a.pk,
        "name": "水口镇初级中学",
        "code": "3199000001",
        "merged_into": county.primary_a.pk,
        "valid_until": "",
    }
    page = text(client.post(f"/setup/schools/{county.junior_a.pk}/", data))
    assert said_twice(page, "并入别校的，请填写停用日期")
    client.post(f"/setup/schools/{county.junior_a.pk}/", data | {"valid_until": "2026-09-01"})
    assert "已并入水口镇蔡朱小学" in text(client.get("/setup/schools/"))


def test_schools_are_found_by_name_other_name_code_township_and_stage(county: SmallCounty) -> None:
    client = county.client("data")

    def found(query: str) -> int:
        return len(re.findall(r'href="/setup/schools/\d+/"', text(client.get(f"/setup/schools/?{query}"))))

    assert (found(""), found("q=蔡朱小学"), found("q=2199"), found("town=990121001"), found("stage=3")) == (
        3,
        1,
        2,
        2,
        1,
    )
    assert "没有符合条件的学校" in text(client.get("/setup/schools/?q=没有"))


# --- calendar ------------------------------------------------------------------------------------------------------


def test_the_next_year_is_proposed_and_saved_with_its_terms(county: SmallCounty) -> None:
    client = county.client("data")
    page = text(client.get("/setup/calendar/new/"))
    assert 'value="2027-2028"' in page
    assert 'value="2027-09-01"' in page
    client.post(
        "/setup/calendar/new/",
        {
            "label": "2027—2028学年",
            "autumn_starts_on": "2027-09-01",
            "autumn_ends_on": "2028-01-31",
            "spring_starts_on": "2028-02-01",
            "spring_ends_on": "2028-08-31",
        },
    )
    year = SchoolYear.objects.get(label="2027-2028")
    assert (year.starts_on, year.ends_on) == (dt.date(2027, 9, 1), dt.date(2028, 8, 31))
    assert Term.objects.at(dt.date(2028, 3, 1)).year == year


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"label": "2028"}, "学年写成相邻的两个年份，如 2026-2027"),
        ({"spring_starts_on": "2028-01-15"}, "「春季学期开始」应晚于它前面的日期"),
        ({"autumn_starts_on": "2027-08-15"}, "与已有的学年重叠。请核对起止日期"),
        ({"label": "2026-2027"}, "「学年」已经有了，不能重复"),
    ],
)
def test_what_is_wrong_with_a_year_is_said_at_its_field(
    county: SmallCounty, changes: dict[str, str], sentence: str
) -> None:
    data = {
        "label": "2027-2028",
        "autumn_starts_on": "2027-09-01",
        "autumn_ends_on": "2028-01-31",
        "spring_starts_on": "2028-02-01",
        "spring_ends_on": "2028-08-31",
    }
    page = text(county.client("data").post("/setup/calendar/new/", data | changes))
    assert said_twice(page, sentence)
    assert SchoolYear.objects.count() == 2


@pytest.mark.parametrize(
    ("autumn_ends_on", "spring_starts_on"), [("2026-01-20", "2026-01-25"), ("2026-02-15", "2026-02-20")]
)
def test_a_year_is_changed_with_its_terms_in_either_direction(
    county: SmallCounty, autumn_ends_on: str, spring_starts_on: str
) -> None:
    year = SchoolYear.objects.get(label="2025-2026")
    data = {
        "label": "2025-2026",
        "autumn_starts_on": "2025-09-01",
        "autumn_ends_on": autumn_ends_on,
        "spring_starts_on": spring_starts_on,
        "spring_ends_on": "2026-08-31",
    }
    assert county.client("data").post(f"/setup/calendar/{year.pk}/", data).status_code == 302
    autumn, spring = year.terms.order_by("starts_on")
    assert (autumn.ends_on.isoformat(), spring.starts_on.isoformat()) == (autumn_ends_on, spring_starts_on)


# --- accounts and posts ----------------------------------------------------------------------------------------------


def test_a_new_account_can_do_nothing_and_must_change_its_password(county: SmallCounty) -> None:
    county.client("sysadmin").post(
        "/setup/users/new/", {"username": "new-one", "display_name": "王新", "password": "first day at work 1"}
    )
    user = User.objects.get(username="new-one")
    assert user.must_change_password
    assert user.check_password("first day at work 1")
    assert not user.posts.exists()
    client = Client()
    answer = client.post("/login/", {"username": "new-one", "password": "first day at work 1"})
    assert answer["Location"] == "/me/"
    assert client.get("/imports/").status_code == 403
    assert client.get("/students/").status_code == 403


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"username": "town-a"}, "「账号」已经有了，不能重复"),
        ({"username": "990121201705030128"}, "请不要用证件号、手机号作账号"),
        ({"password": "short"}, "密码太短"),
        ({"display_name": ""}, "请填写「姓名」"),
    ],
)
def test_what_is_wrong_with_an_account_is_said_at_its_field(
    county: SmallCounty, changes: dict[str, str], sentence: str
) -> None:
    data = {"username": "new-one", "display_name": "王新", "password": "first day at work 1"}
    page = text(county.client("sysadmin").post("/setup/users/new/", data | changes))
    assert said_twice(page, sentence)


def test_an_account_is_stopped_and_its_password_set_anew(county: SmallCounty) -> None:
    person = county.user("town-a")
    client = county.client("sysadmin")
    client.post(
        f"/setup/users/{person.pk}/", {"display_name": "李校长", "is_active": "on", "password": "second day at work"}
    )
    person = User.objects.get(pk=person.pk)
    assert (person.display_name, person.must_change_password) == ("李校长", True)
    assert person.check_password("second day at work")
    client.post(f"/setup/users/{person.pk}/", {"display_name": "李校长", "password": ""})
    assert not User.objects.get(pk=person.pk).is_active
    page = text(client.get(f"/setup/users/{person.pk}/"))
    assert "姓名：town-a老师 → 李校长" in page
    assert "启用：是 → 否" in page
    assert "second day" not in page


def grant(county: SmallCounty, name: str, **changes: object) -> str:
    data = {"role": "", "region": "", "school": "", "from_on": "2026-09-01", "until_on": ""} | changes
    person = county.user(name)
    return text(county.client("secadmin").post(f"/setup/users/{person.pk}/posts/new/", data, follow=True))


def test_a_post_lies_where_its_role_belongs(county: SmallCounty) -> None:
    grant(county, "teacher", role=RoleKey.TOWN_HEAD, region=county.b.pk)
    grant(county, "teacher", role=RoleKey.SCHOOL_HEAD, school=county.junior_a.pk)
    grant(county, "teacher", role=RoleKey.LEADER)
    posts = {post.role: post.region or post.school for post in county.user("teacher").posts.all()}
    assert posts == {
        "teacher": county.primary_a,
        "town-head": county.b,
        "school-head": county.junior_a,
        "leader": county.home,
    }


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"role": "town-head"}, "“中心校校长”请选择乡镇"),
        ({"role": "school-head"}, "“学校负责人”请选择学校"),
        ({"role": ""}, "请选择「岗位」"),
        ({"role": "leader", "until_on": "2026-08-01"}, "任职止应不早于任职起"),
    ],
)
def test_what_is_wrong_with_a_post_is_said_at_its_field(
    county: SmallCounty, changes: dict[str, str], sentence: str
) -> None:
    assert said_twice(grant(county, "teacher", **changes), sentence)
    assert county.user("teacher").posts.count() == 1


@pytest.mark.parametrize(
    ("name", "role", "sentence"),
    [
        (
            "county",
            "security-admin",
            "三员分立：这个账号同一时段已任“资助专干、控辍保学专干”，不能再任“安全管理员”。请先停用原岗位，或另建账号",
        ),
        (
            "sysadmin",
            "audit-admin",
            "三员分立：这个账号同一时段已任“系统管理员”，不能再任“审计管理员”。请先停用原岗位，或另建账号",
        ),
        (
            "auditadmin",
            "leader",
            "三员分立：这个账号同一时段已任“审计管理员”，不能再任“局领导”（业务岗位）。请先停用原岗位，或另建账号",
        ),
    ],
)
def test_the_three_administrators_exclude_one_another_and_all_business(
    county: SmallCounty, name: str, role: str, sentence: str
) -> None:
    assert said_twice(grant(county, name, role=role), sentence)
    assert not county.user(name).posts.filter(role=role).exists()


def test_after_the_old_post_has_ended_another_family_may_follow(county: SmallCounty) -> None:
    person = county.user("auditadmin")
    post = person.posts.get()
    county.client("secadmin").post(f"/setup/posts/{post.pk}/end/", {"until_on": "2026-08-31"})
    grant(county, "auditadmin", role=RoleKey.LEADER)
    assert county.user("auditadmin").posts.filter(role="leader").exists()
    page = text(county.client("secadmin").get(f"/setup/users/{person.pk}/"))
    assert "已停用" in page
    assert "任职止：空 → 2026-08-31" in page


def test_people_are_found_by_name_role_and_township(county: SmallCounty) -> None:
    client = county.client("secadmin")

    def found(query: str) -> list[str]:
        page = text(client.get(f"/setup/users/?{query}"))
        return re.findall(r'href="/setup/users/\d+/">([^<]+)</a>', page)

    assert found("q=town") == ["town-a老师", "town-b老师"]
    assert found("role=town-head&town=990121002") == ["town-b老师"]
    assert found("town=990121001") == ["school-a老师", "teacher老师", "town-a老师"]
    assert "没有岗位，看不到任何名单" not in text(client.get("/setup/users/?q=town"))


# --- dictionaries ------------------------------------------------------------------------------------------------------


def test_the_dictionary_of_a_kind_is_open_to_every_account(county: SmallCounty) -> None:
    page = text(county.client("teacher").get("/setup/dictionaries/class-roster/"))
    assert "班级名册" in page
    assert "家长/监护人姓名" in page
    assert "必填" in page
    assert "下载空白模板" not in page
    assert "下载空白模板" in text(county.client("school-a").get("/setup/dictionaries/class-roster/"))
    assert county.client("teacher").get("/setup/dictionaries/nothing/").status_code == 404


def test_a_code_table_is_shown_with_its_sources(county: SmallCounty) -> None:
    page = text(county.client("teacher").get("/setup/dictionaries/?table=ethnic"))
    assert "畲族" in page
    page = text(county.client("teacher").get("/setup/dictionaries/?table=stage"))
    assert "本系统自定" in page
    assert "学前" in page


# --- queries ---------------------------------------------------------------------------------------------------------


def queries(client: Client, address: str) -> int:
    client.get(address)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


def test_lists_of_the_settings_ask_as_much_for_one_row_as_for_three(county: SmallCounty) -> None:
    client = county.client("sysadmin")
    pages = ["/setup/schools/?q=新", "/setup/users/?q=new", "/setup/regions/", "/setup/calendar/"]

    def add(number: int) -> None:
        School.objects.create(code=f"219900010{number}", name=f"新{number}小学", stages=["2"], town=county.a)
        user = User.objects.create(username=f"new{number}", display_name=f"新人{number}")
        Post.objects.create(
            user=user, role="teacher", duty="business", school=county.primary_a, from_on=dt.date(2025, 9, 1)
        )
        Region.objects.create(code=f"99012100130{number}", name=f"新{number}村", level="village", parent=county.a)
        year = 2030 + number
        saved = SchoolYear.objects.create(
            label=f"{year}-{year + 1}", starts_on=dt.date(year, 9, 1), ends_on=dt.date(year + 1, 8, 31)
        )
        Term.objects.create(
            year=saved, season="autumn", starts_on=dt.date(year, 9, 1), ends_on=dt.date(year + 1, 1, 31)
        )

    add(1)
    one = [queries(client, page) for page in pages]
    add(2)
    add(3)
    assert [queries(client, page) for page in pages] == one
