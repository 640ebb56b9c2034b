"""The lists look like those of real offices, and the program's own readers understand the good rows."""

from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from eduaid.core import codes
from eduaid.core.text import (
    Parsed,
    Problem,
    parse_class,
    parse_date,
    parse_grade,
    parse_id,
    parse_name,
    parse_phone,
    parse_xueji,
)
from students.demo import County
from students.demo.lists.poverty import FULL_EXPORT, MONITORING_EXPORT, SMALL_EXPORT
from students.demo.lists.registry import FIRST_GENERATION, SECOND_GENERATION
from students.demo.slips import PLANTED
from students.demo.truth import RowTruth
from students.demo.workbooks import Sheet, Workbook

ID_HEADERS = {
    "公民身份号码", "公民身份证件编号", "身份证号码", "身份证件号", "身份证号", "身份证\n号码（18位）", "身份证件号码", "证件号码"
}  # fmt: skip
NAME_HEADERS = {"姓名", "学生姓名", "姓  名", "姓名*", "幼儿姓名", "成员姓名"}
BIRTH_HEADERS = {"出生日期", "出生", "出生年月"}
GRADE_HEADERS = {"年级", "就读年级"}
CLASS_HEADERS = {"班级", "班号", "班级号", "班级名称", "所在班级"}
PHONE_HEADERS = {"联系电话", "家长电话", "家庭联系人电话", "手机号", "家庭成员联系电话"}


def data_rows(county: County) -> Iterator[tuple[Workbook, Sheet, RowTruth, dict[str, Any]]]:
    sheets = {
        (workbook.filename, sheet.name): (workbook, sheet) for workbook in county.workbooks for sheet in workbook.sheets
    }
    for truth in county.truth.rows:
        workbook, sheet = sheets[truth.filename, truth.sheet]
        header = [str(cell) for cell in sheet.rows[sheet.header_row - 1]]
        yield workbook, sheet, truth, dict(zip(header, sheet.rows[truth.row - 1], strict=False))


def first(cells: dict[str, Any], headers: set[str]) -> Any:
    return next((cell for header, cell in cells.items() if header in headers), None)


def outcomes(truth: RowTruth) -> set[str]:
    return {PLANTED[kind] for kind in truth.planted}


def test_row_numbers_point_at_the_person_of_the_truth(county: County) -> None:
    for _, _, truth, cells in data_rows(county):
        person = county.truth.people[truth.person]
        if not outcomes(truth) - {"silent"} and not any(kind.startswith("name") for kind in truth.planted):
            assert first(cells, NAME_HEADERS) == person.name


def test_every_data_row_has_its_truth_and_no_other_row_has(county: County) -> None:
    told = Counter((truth.filename, truth.sheet) for truth in county.truth.rows)
    for workbook in county.workbooks:
        for sheet in workbook.sheets:
            footers = [row for row in sheet.rows[-2:] if str(row[0]).startswith(("合计", "填表人"))]
            assert told[workbook.filename, sheet.name] == len(sheet.rows) - sheet.header_row - len(footers)


def test_good_rows_have_numbers_that_agree_with_birth_and_sex(county: County) -> None:
    for _, _, truth, cells in data_rows(county):
        person = county.truth.people[truth.person]
        if outcomes(truth) & {"waits", "asks"} or len(person.id_no) != 18:
            continue
        number = parse_id(first(cells, ID_HEADERS))
        assert isinstance(number, Parsed), truth
        assert number.value.number == person.id_no
        if (born := first(cells, BIRTH_HEADERS)) is not None:
            day = parse_date(born)
            assert isinstance(day, Parsed)
            assert day.value == person.born


def test_rows_that_have_to_wait_show_a_reason(county: County) -> None:
    waiting = 0
    for _, _, truth, cells in data_rows(county):
        if "waits" not in outcomes(truth) or truth.planted[0].startswith(("birth", "sex")):
            continue
        if {"id-other-valid", "id-sibling"} & set(truth.planted):
            continue
        number = parse_id(first(cells, ID_HEADERS))
        assert not isinstance(number, Parsed), truth
        waiting += 1
    assert waiting > 30


def test_names_telephones_grades_and_classes_can_be_read(county: County) -> None:
    stages = {school.code: school.stage_codes for school in county.schools}
    for workbook, _, _, cells in data_rows(county):
        name = parse_name(first(cells, NAME_HEADERS))
        assert isinstance(name, Parsed) or (isinstance(name, Problem) and name.level == "ask")
        if phone := first(cells, PHONE_HEADERS):
            assert isinstance(parse_phone(phone), Parsed)
        if workbook.kind in ("class-roster", "registry"):
            code = cells.get("学校标识码", workbook.scope_code)
            stage = stages[code][0] if len(stages[code]) == 1 else ""
            grade = parse_grade(first(cells, GRADE_HEADERS) or cells.get("班号"), stage=stage)
            assert isinstance(grade, Parsed), cells
            assert isinstance(parse_class(first(cells, CLASS_HEADERS), stage=stage), Parsed), cells


@pytest.mark.parametrize(
    ("header", "table"),
    [
        ("性别", codes.SEX),
        ("民族", codes.ETHNIC),
        ("身份证件类型", codes.ID_TYPE),
        ("就读方式", codes.BOARDING),
        ("是否寄宿生", codes.BOARDING),
        ("是否留守儿童", codes.LEFT_BEHIND),
        ("残疾类型", codes.DISABILITY),
        ("残疾人类型", codes.DISABILITY),
        ("健康状况", codes.HEALTH),
        ("政治面貌", codes.POLITICS),
        ("户口性质", codes.HUKOU_TYPE),
        ("入学方式", codes.ENTRY_WAY),
        ("学生来源", codes.STUDENT_SOURCE),
        ("港澳台侨外", codes.OVERSEAS),
        ("与户主关系", codes.RELATION),
        ("在校生状况", codes.IN_SCHOOL),
        ("贫困户属性", codes.POVERTY_STATUS),
        ("监测对象类别", codes.POVERTY_STATUS),
        ("户类型", codes.POVERTY_STATUS),
        ("特殊群体类型", codes.HARDSHIP_TYPE),
        ("家庭困难类型", codes.HARDSHIP_TYPE),
    ],
)
def test_coded_columns_use_words_of_the_code_tables(county: County, header: str, table: codes.Table) -> None:
    values = {cells[header] for _, _, _, cells in data_rows(county) if cells.get(header)}
    assert values
    unread = {value for value in values if not isinstance(table.parse(value), Parsed)}
    assert unread == set()


def test_registry_exports_come_in_both_generations_and_three_dialects(county: County) -> None:
    exports = [workbook for workbook in county.workbooks if workbook.kind == "registry"]
    headers = [tuple(workbook.sheets[0].rows[0]) for workbook in exports]
    assert headers.count(tuple(FIRST_GENERATION)) == 6
    assert headers.count(tuple(SECOND_GENERATION)) == 6
    words = {cells["就读方式"] for workbook, _, _, cells in data_rows(county) if workbook.kind == "registry"}
    assert words == {"走读", "住校", "1-走读", "2-住校", "1", "2"}


def test_registry_numbers_are_read(county: County) -> None:
    heads: Counter[str] = Counter()
    for workbook, _, _, cells in data_rows(county):
        if workbook.kind == "registry":
            mark = str(cells.get("学籍接续标识") or cells.get("学籍辅号"))
            assert isinstance(parse_xueji(mark), Parsed)
            heads[mark[0]] += 1
    assert heads["G"] > 0.98 * heads.total()
    assert heads["L"] > 0


def test_population_lists_have_title_rows_and_three_forms(county: County) -> None:
    forms = Counter(
        tuple(workbook.sheets[0].rows[workbook.sheets[0].header_row - 1])
        for workbook in county.workbooks
        if workbook.kind == "population"
    )
    assert len(forms) == 3
    titles = {
        sheet.header_row - 1
        for workbook in county.workbooks
        if workbook.kind == "population"
        for sheet in workbook.sheets
    }
    assert titles == {1, 2, 3}


def test_older_registers_still_name_the_merged_village(county: County) -> None:
    villages = Counter(
        cells["行政村"]
        for workbook, _, _, cells in data_rows(county)
        if workbook.kind == "population" and workbook.scope_code == "990121002"
    )
    assert villages["老屋村"] > 0
    assert villages["蔡朱村"] > villages["老屋村"]


def test_poor_households_come_whole_with_head_and_size(county: County) -> None:
    households: dict[str, list[dict[str, Any]]] = {}
    for workbook, _, _, cells in data_rows(county):
        if workbook.kind == "poverty-register":
            households.setdefault(cells["户编号"], []).append(cells)
    for members in households.values():
        assert [cells["与户主关系"] for cells in members].count("户主") == 1
        assert members[0]["与户主关系"] == "户主"
        if "人数" in members[0]:
            assert {cells["人数"] for cells in members} == {len(members)}
    assert len(households) == sum(county.truth.poverty_households().values())


def test_the_poverty_register_comes_in_three_forms(county: County) -> None:
    files = [workbook for workbook in county.workbooks if workbook.kind == "poverty-register"]
    assert [tuple(workbook.sheets[0].rows[workbook.sheets[0].header_row - 1]) for workbook in files] == [
        FULL_EXPORT,
        SMALL_EXPORT,
        MONITORING_EXPORT,
    ]
    assert [len(form) for form in (FULL_EXPORT, SMALL_EXPORT, MONITORING_EXPORT)] == [27, 18, 30]
    assert [(workbook.scope_code, workbook.mode) for workbook in files] == [
        ("990121", "complete"),
        ("990121008", "complete"),
        ("990121", "supplement"),
    ]


def test_a_forgotten_class_arrives_as_a_supplement(county: County) -> None:
    late = [
        workbook for workbook in county.workbooks if workbook.kind == "class-roster" and workbook.mode == "supplement"
    ]
    assert [(workbook.filename, workbook.as_of) for workbook in late] == [
        ("枫岭镇中心小学2026年秋季学生花名册（补报）.xlsx", date(2026, 9, 25))
    ]
    names = [
        sheet.name
        for workbook in county.workbooks
        if workbook.scope_code == late[0].scope_code
        for sheet in workbook.sheets
    ]
    assert len(set(names)) == len(names)


def test_sheet_names_are_names_that_spreadsheets_allow(county: County) -> None:
    for workbook in county.workbooks:
        names = [sheet.name for sheet in workbook.sheets]
        assert len(set(names)) == len(names)
        if workbook.format != "csv":
            assert all(0 < len(name) <= 31 and not set(name) & set("[]:*?/\\") for name in names)
