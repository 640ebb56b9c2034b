"""The example county as a whole."""

import hashlib
from datetime import date

import pytest

from students.demo import County, Rates, generate


def digest(county: County) -> str:
    whole = hashlib.sha256()
    for workbook in county.workbooks:
        whole.update(workbook.filename.encode())
        whole.update(workbook.content())
    whole.update(repr(county.truth.rows).encode())
    whole.update(repr(county.truth.people).encode())
    return whole.hexdigest()


def test_the_same_seed_gives_the_same_bytes() -> None:
    assert digest(generate(400, 7)) == digest(generate(400, 7))


def test_another_seed_gives_other_people() -> None:
    assert digest(generate(400, 7)) != digest(generate(400, 8))


def test_nobody_is_no_county() -> None:
    with pytest.raises(ValueError, match="needs people"):
        generate(0, 1)


def test_the_tree_of_places_is_complete(county: County) -> None:
    codes = [region.code for region in county.regions]
    assert len(set(codes)) == len(codes)
    assert codes[:3] == ["990000", "990100", "990121"]
    townships = [region for region in county.regions if region.level == "township"]
    assert [region.code for region in townships] == [f"990121{number:03d}" for number in range(1, 13)]
    seen: set[str] = {""}
    for region in county.regions:
        assert region.parent in seen
        seen.add(region.code)


def test_one_village_was_merged_into_another(county: County) -> None:
    names = {region.code: region.name for region in county.regions}
    merged = [region for region in county.regions if region.merged_into]
    assert [(region.name, names[region.merged_into], region.valid_until) for region in merged] == [
        ("老屋村", "蔡朱村", date(2025, 7, 1))
    ]


def test_schools_have_ten_digit_codes_and_lie_in_townships(county: County) -> None:
    codes = [region.code for region in county.regions if region.level == "township"]
    assert len({school.code for school in county.schools}) == len(county.schools)
    assert len({school.name for school in county.schools}) == len(county.schools)
    assert {len(school.code) for school in county.schools} == {10}
    assert all(school.region in codes for school in county.schools if school.in_county)
    assert "水口镇蔡朱小学" in {school.name for school in county.schools}
    assert {school.kind for school in county.schools} == {
        "kindergarten",
        "primary",
        "junior",
        "nine-year",
        "senior",
        "vocational",
        "special",
    }


def test_a_short_name_means_one_school(county: County) -> None:
    short_names = [name for school in county.schools for name in school.short_names]
    assert len(set(short_names)) == len(short_names)
    assert not set(short_names) & {school.name for school in county.schools}


def test_accounts_hold_known_roles_at_known_places(county: County) -> None:
    places = {region.code for region in county.regions} | {school.code for school in county.schools}
    posts = [post for user in county.users for post in user.posts]
    assert {post.role for post in posts} == {
        "aid-officer",
        "dropout-officer",
        "leader",
        "data-admin",
        "town-head",
        "school-head",
        "teacher",
        "auditor",
        "system-admin",
        "security-admin",
        "audit-admin",
    }
    assert all(post.scope_code in places for post in posts)
    names = [user.username for user in county.users]
    assert len(set(names)) == len(names)
    assert {"county", "leader", "town-a", "town-b", "town-l", "school-a", "sysadmin", "secadmin", "auditadmin"} <= set(
        names
    )


def test_terms_divide_the_school_year(county: County) -> None:
    year = county.school_years[1]
    assert (year.code, year.starts_on, year.born_from, year.born_until) == (
        "2026-2027",
        date(2026, 9, 1),
        date(2010, 9, 1),
        date(2020, 8, 31),
    )
    assert [(term.season, term.starts_on) for term in year.terms] == [
        ("autumn", date(2026, 9, 1)),
        ("spring", date(2027, 2, 1)),
    ]


def test_files_of_one_list_are_uploaded_together(county: County) -> None:
    uploads = list(county.uploads())
    assert sum(map(len, uploads)) == len(county.workbooks)
    groups = [parts[0].group for parts in uploads]
    assert len(set(groups)) == len(groups)
    assert "" not in groups
    assert [workbook.filename for workbook in next(parts for parts in uploads if len(parts) == 3)] == [
        "长塘镇户籍人口3—5岁.xlsx",
        "长塘镇户籍人口6—15岁.xlsx",
        "长塘镇户籍人口16—22岁.xlsx",
    ]
    for parts in uploads:
        assert len({(part.kind, part.scope_code, part.as_of, part.mode, part.uploaded_by) for part in parts}) == 1


def test_every_kind_scope_and_account_of_a_list_exists(county: County) -> None:
    places = {region.code for region in county.regions} | {school.code for school in county.schools}
    users = {user.username for user in county.users}
    assert {workbook.kind for workbook in county.workbooks} == {
        "population",
        "registry",
        "class-roster",
        "poverty-register",
        "hardship",
    }
    for workbook in county.workbooks:
        assert workbook.scope_code in places
        assert {workbook.uploaded_by, workbook.approved_by} <= users
        assert workbook.uploaded_by != workbook.approved_by


def test_a_handful_of_people_give_no_empty_lists() -> None:
    county = generate(5, 1)
    for workbook in county.workbooks:
        rows = [row for row in county.truth.rows if row.filename == workbook.filename]
        assert rows, workbook.filename


def test_two_schools_have_sent_no_roster(county: County) -> None:
    sent = {workbook.scope_code for workbook in county.workbooks if workbook.kind == "class-roster"}
    late = [school.kind for school in county.schools if school.in_county and school.code not in sent]
    assert sorted(late) == ["kindergarten", "primary"]


def test_without_errors_nothing_is_planted_but_habits() -> None:
    clean = Rates(
        duplicate_hukou=0,
        not_cancelled=0,
        wrong_item=0,
        unlinked_bad_id=0,
        dirty=0,
        duplicate_row=0,
        double_enrolment=0,
        boarding_differs=0,
        grade_differs=0,
        unregistered=0,
        registry_only=0,
        changed_id=0,
        minority_dotted=0,
        no_id=0,
        foreign_document=0,
    )
    county = generate(1500, 3, clean)
    assert set(county.truth.planted()) <= {"school-short", "old-village", "id-fifteen", "stage-outdated"}
