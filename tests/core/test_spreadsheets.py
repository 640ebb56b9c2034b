from dataclasses import dataclass

import pytest

from eduaid.core.cells import Cell, Merged, Row
from eduaid.core.column_content import Content
from eduaid.core.parser import parse
from eduaid.core.spreadsheets import (
    Header,
    MergeFiller,
    RowKind,
    classify_row,
    find_header,
    header_forms,
    looks_transposed,
    map_columns,
    normalise_header,
    printed_total,
)
from tests.core import workbooks as make
from tests.core.workbooks import SheetSpec, valid_id


@dataclass(frozen=True)
class Column:
    key: str
    label: str
    synonyms: tuple[str, ...] = ()
    required: bool = False
    content: Content | None = None


COLUMNS = (
    Column("name", "姓名", ("学生姓名", "名字"), required=True),
    Column("id_number", "身份证号", ("身份证号码", "证件号码", "公民身份号码", "身份证件号"), required=True),
    Column("sex", "性别"),
    Column("born", "出生日期", ("出生年月",)),
    Column("school", "学校名称", ("就读学校",)),
    Column("guardian", "监护人姓名", ("父亲姓名",)),
    Column("guardian_phone", "监护人电话", ("监护人联系电话",)),
    Column("item", "资助项目", ("项目",)),
    Column("amount", "资助金额", ("金额",)),
    Column("nation", "国籍/地区"),
)


def numbered(rows: list[list[Cell]], first: int = 1) -> list[tuple[int, Row]]:
    return [(number, row) for number, row in enumerate(rows, first) if any(cell is not None for cell in row)]


def header_of(rows: list[list[Cell]], **options: object) -> Header:
    header = find_header(numbered(rows), COLUMNS, **options)  # type: ignore[arg-type]
    assert header is not None
    return header


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("身份证\n号码（18位）*", "身份证号码"),
        ("姓  名*", "姓名"),
        ("＊姓　名", "姓名"),
        ("（必填）姓名", "姓名"),
        ("1.姓名", "姓名"),
        ("姓名：", "姓名"),
        ("出生日期【格式20120901】", "出生日期"),
        ("\ufeff姓名", "姓名"),
        ("家庭人均收入（元）", "家庭人均收入"),
        ("（填写说明）", "(填写说明)"),
        ("ＩＤ", "id"),
    ],
)
def test_headers_are_compared_without_spaces_stars_and_remarks(text: str, expected: str) -> None:
    assert normalise_header(text) == expected


def test_a_sub_header_stands_alone_only_below_the_child_itself() -> None:
    assert header_forms("资助情况/金额(元)") == (
        "资助情况/金额(元)",
        "资助情况金额(元)",
        "资助情况金额",
        "金额(元)",
        "金额",
    )
    assert "姓名" not in header_forms("监护人/姓名")
    assert header_forms("劝返情况（已返校/未返校）") == ("劝返情况(已返校/未返校)", "劝返情况")


def test_a_header_in_the_first_row_is_found() -> None:
    assert header_of([["姓名", "性别", "身份证号"], ["王伟", "男", valid_id()]]) == Header(
        1, 1, ("姓名", "性别", "身份证号"), (), (frozenset({(0, "姓名"), (1, "性别"), (2, "身份证号")}),)
    )


@pytest.mark.parametrize("titles", [1, 2, 3, 5])
def test_titles_above_the_header_do_not_matter(titles: int) -> None:
    above: list[list[Cell]] = [
        ["示例镇2026年秋季花名册"],
        ["填报单位：示例小学", None, "日期：2026年9月"],
        [None],
        ["单位：人"],
        ["注：必填"],
    ]
    header = header_of([*above[:titles], ["序号", "姓名", "性别", "身份证号"], [1.0, "王伟", "男", valid_id()]])
    assert (header.first, header.last) == (titles + 1, titles + 1)
    assert header.texts == ("序号", "姓名", "性别", "身份证号")
    assert header.titles[0] == "示例镇2026年秋季花名册"


def test_a_merged_header_of_two_rows_is_joined() -> None:
    rows: list[list[Cell]] = [
        ["花名册", None, None, None, None],
        ["姓名", "身份证号", "资助情况", None, "备注"],
        [None, None, "项目", "金额", None],
        ["王伟", valid_id(), "寄宿生生活补助", 625.0, None],
    ]
    merged = [(1, 0, 1, 4), (2, 0, 3, 0), (2, 1, 3, 1), (2, 2, 2, 3), (2, 4, 3, 4)]
    for merges in (merged, []):  # merges are lost in CSV and by some exporters
        header = header_of(rows, merged=merges)
        assert (header.first, header.last) == (2, 3)
        assert header.texts == ("姓名", "身份证号", "资助情况/项目", "资助情况/金额", "备注")
    assert map_columns(header.texts, COLUMNS).columns == {0: "name", 1: "id_number", 2: "item", 3: "amount"}


def test_a_sub_header_of_unknown_words_still_belongs_to_the_header() -> None:
    rows: list[list[Cell]] = [
        ["姓名", "身份证号", "体检", None, "性别"],
        [None, None, "身高", "体重", None],
        ["王伟", valid_id(), 150.0, 40.0, "男"],
    ]
    header = header_of(rows)
    assert (header.last, header.texts) == (2, ("姓名", "身份证号", "体检/身高", "体检/体重", "性别"))


def test_a_header_of_three_rows_is_joined() -> None:
    rows: list[list[Cell]] = [
        ["姓名", "资助情况", None, None, "性别"],
        [None, "春季", None, "秋季", None],
        [None, "项目", "金额", "金额", None],
        ["王伟", "补助", 625.0, 625.0, "男"],
    ]
    merged = [(1, 0, 3, 0), (1, 1, 1, 3), (2, 1, 2, 2), (1, 4, 3, 4)]
    header = header_of(rows, merged=merged)
    assert (header.first, header.last) == (1, 3)
    assert header.texts == ("姓名", "资助情况/春季/项目", "资助情况/春季/金额", "资助情况/秋季/金额", "性别")


def test_the_guardian_below_a_group_is_not_the_child() -> None:
    rows: list[list[Cell]] = [
        ["学生基本信息", None, "监护人", None],
        ["姓名", "身份证号", "姓名", "联系电话"],
        ["王伟", valid_id(), "王强", "13807970001"],
    ]
    header = header_of(rows, merged=[(1, 0, 1, 1), (1, 2, 1, 3)])
    assert header.texts == ("学生基本信息/姓名", "学生基本信息/身份证号", "监护人/姓名", "监护人/联系电话")
    assert map_columns(header.texts, COLUMNS).columns == {0: "name", 1: "id_number", 2: "guardian", 3: "guardian_phone"}


def test_data_below_the_header_is_not_taken_for_a_sub_header() -> None:
    header = header_of([["姓名", "性别", "学校名称"], ["王伟", "男", "示例小学"], ["李雨", "女", "示例小学"]])
    assert header.last == 1


def test_a_table_that_starts_further_right_is_found() -> None:
    header = header_of([[None, "序号", None, "姓名", "身份证号"], [None, 1.0, None, "王伟", valid_id()]])
    assert header.texts == ("", "序号", "", "姓名", "身份证号")


@pytest.mark.parametrize(
    "rows",
    [
        [["王伟", "男", "示例小学"], ["李雨", "女", "示例小学"]],
        [["通知", "请于周五前上报"], ["联系人", "王老师"]],
        [[1.0, 2.0], [3.0, 4.0]],
        [],
    ],
)
def test_a_sheet_without_header_has_none(rows: list[list[Cell]]) -> None:
    assert find_header(numbered(rows), COLUMNS) is None


def test_a_form_or_a_table_lying_on_its_side_is_recognised_as_such() -> None:
    rows: list[list[Cell]] = [["姓名", "王伟"], ["性别", "男"], ["身份证号", valid_id()], ["学校名称", "示例小学"]]
    assert looks_transposed(numbered(rows), COLUMNS)
    assert not looks_transposed(numbered([["姓名", "性别", "身份证号"]]), COLUMNS)


HEADER = header_of(
    [
        ["示例小学花名册"],
        ["序号", "姓名", "身份证号", "学校名称", "资助金额"],
        [1.0, "王伟", valid_id(), "示例小学", 625.0],
    ]
)


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        ([1.0, "王伟", valid_id(), "示例小学", 625.0], RowKind.DATA),
        ([None, "王伟", None, None, None], RowKind.DATA),
        ([None, "王伟", None, None, "2012年9月"], RowKind.DATA),
        (["合计", None, valid_id(), None, None], RowKind.DATA),  # whoever carries an ID number is a person
        ([2.0, "全计", None, "示例小学", 625.0], RowKind.DATA),
        ([3.0, "合小计", None, "示例小学", 625.0], RowKind.DATA),
        ([None, None, None, None, None], RowKind.BLANK),
        ([" ", "\u3000", None, None, None], RowKind.BLANK),
        ([], RowKind.BLANK),
        (["序号", "姓 名", "身份证号", "学校名称", "资助金额"], RowKind.HEADER),
        (["示例小学花名册", None, None, None, None], RowKind.TITLE),
        (["合计", None, None, None, 1250.0], RowKind.TOTAL),
        (["合 计", None, None, None, 1250.0], RowKind.TOTAL),
        ([None, "小计", None, None, 625.0], RowKind.TOTAL),
        (["一年级小计", None, None, None, 625.0], RowKind.TOTAL),
        (["合计：35人", None, None, None, None], RowKind.TOTAL),
        (["本页合计", None, None, None, 100.0], RowKind.TOTAL),
        (["共35人", None, None, None, None], RowKind.TOTAL),
        (["填表人：张三", None, "审核人：李四", None, None], RowKind.FOOTER),
        (["校长（签字）：", None, None, "日期：2026年9月1日", None], RowKind.FOOTER),
        (["单位（盖章）", None, None, None, None], RowKind.FOOTER),
        (["联系电话：0797-2234567", None, None, None, None], RowKind.FOOTER),
        (["说明：1.本表由学校填写。", None, None, None, None], RowKind.FOOTER),
        (["2026年9月1日", None, None, None, None], RowKind.FOOTER),
        (
            [
                "本表一式三份，学校、乡镇中心校、县教育局各留存一份，填写务必完整准确，不得遗漏任何一名学生" * 2,
                None,
                None,
                None,
                None,
            ],
            RowKind.FOOTER,
        ),
    ],
)
def test_rows_below_the_header_are_told_apart(row: Row, kind: RowKind) -> None:
    assert classify_row(row, HEADER) is kind


def test_no_pupil_is_called_like_a_footer() -> None:
    for name in ("单位", "日期", "填春", "合欢", "共勉", "注册"):
        assert classify_row([1.0, name, None, "示例小学", 625.0], HEADER) is RowKind.DATA


def test_a_printed_total_can_be_used_as_a_control() -> None:
    assert printed_total(["合计：35人", None, None, None, 1250.0]).people == 35
    assert printed_total(["合计", None, "35", None, "1,250元"]).numbers == {2: 35.0, 4: 1250.0}


def test_columns_are_found_by_name_whatever_their_order() -> None:
    mapping = map_columns(("班主任", "名 字*", "性别", "公民身份号码（18位）"), COLUMNS)
    assert mapping.columns == {1: "name", 2: "sex", 3: "id_number"}
    assert mapping.unknown == (0,)
    assert mapping.is_certain


def test_two_equal_headers_are_always_asked_even_if_one_is_blank() -> None:
    sample: list[Row] = [["王伟", None, valid_id()]]
    mapping = map_columns(("姓名", "姓名", "身份证号"), COLUMNS, sample=sample)
    assert mapping.columns == {2: "id_number"}
    assert mapping.ambiguous == ("name",)
    assert mapping.candidates["name"] == (0, 1)
    assert not mapping.is_certain
    assert map_columns(("身份证号", "身份证号\n", "姓名"), COLUMNS).ambiguous == ("id_number",)


def test_two_spellings_of_one_concept_are_asked_unless_one_column_is_blank() -> None:
    texts = ("姓名", "身份证号", "证件号码")
    assert map_columns(texts, COLUMNS, sample=[["王伟", valid_id(), valid_id()]]).ambiguous == ("id_number",)
    mapping = map_columns(texts, COLUMNS, sample=[["王伟", None, valid_id()], ["李雨", " ", valid_id()]])
    assert mapping.columns == {0: "name", 2: "id_number"}


def test_a_missing_required_column_is_named_with_likely_headers() -> None:
    mapping = map_columns(("姓名", "身份证编码", "班级", "身份"), COLUMNS)
    assert mapping.missing == ("id_number",)
    assert mapping.candidates["id_number"][0] == 1
    assert not mapping.is_certain


def test_what_was_decided_before_goes_first() -> None:
    texts = ("姓名", "姓名", "身份证号", "编码")
    mapping = map_columns(texts, COLUMNS, remembered={0: "name", 1: "", 3: "school"})
    assert mapping.columns == {0: "name", 2: "id_number", 3: "school"}
    assert mapping.ambiguous == ()


def test_a_header_with_a_slash_in_its_own_name_is_whole() -> None:
    assert map_columns(("姓名", "身份证号", "国籍/地区"), COLUMNS).columns[2] == "nation"


def test_merges_are_filled_only_where_it_is_allowed() -> None:
    number = valid_id()
    rows: list[Row] = [
        ["示例小学", "王伟", number, "王强"],
        [None, "李雨", number, None],
        [None, None, number, None],
        ["示例中学", "刘佳", number, "刘明"],
    ]
    merged = [(2, 0, 4, 0), (3, 1, 4, 1), (2, 3, 3, 3), (1, 0, 1, 3)]
    filler = MergeFiller(merged, allowed={0, 3}, own={1, 2}, below=1)
    told = [filler.fill(number, row) for number, row in enumerate(rows, 2)]
    assert told == [([], []), ([0, 3], []), ([0], [1]), ([], [])]
    assert [row[0] for row in rows] == ["示例小学", "示例小学", "示例小学", "示例中学"]
    assert [row[3] for row in rows] == ["王强", "王强", None, "刘明"]
    assert rows[2][1] == Merged("")


def test_a_number_merged_over_rows_of_data_may_be_their_sum_and_is_not_taken() -> None:
    rows: list[Row] = [["王伟", 625.0], ["李雨", None], ["刘佳", 500.0]]
    merged = [(2, 1, 3, 1), (4, 1, 5, 1)]
    filler = MergeFiller(merged, allowed=(), own={1}, below=1)
    told = [filler.fill(number, row, followed={2, 3, 4}) for number, row in enumerate(rows, 2)]
    assert told == [([], [1]), ([], [1]), ([], [])]
    assert [row[1] for row in rows] == [Merged("625"), Merged(""), 500.0]


def test_header_and_rows_of_a_real_workbook_fit_together() -> None:
    spec = SheetSpec(
        [
            ["示例镇建档立卡学生花名册"],
            ["序号", "姓名", "身份证\n号码（18位）*", "资助情况", None],
            [None, None, None, "项目", "金额（元）"],
            [1, "王伟", valid_id(), "补助", 625],
            [],
            ["序号", "姓名", "身份证\n号码（18位）*", "资助情况", None],
            [2, "李雨", valid_id(sequence="100"), "补助", 625],
            ["合计", None, None, None, 1250],
            ["填表人：张三", None, "审核人：李四"],
        ],
        merged=["A1:E1", "A2:A3", "B2:B3", "C2:C3", "D2:E2"],
    )
    (sheet,) = parse(make.xlsx({"示例小学": spec})).sheets
    rows = [(number, row) for number, row in enumerate(sheet.rows, 1) if row]
    header = find_header(rows, COLUMNS, merged=sheet.merged)
    assert header is not None
    assert (header.first, header.last) == (2, 3)
    assert map_columns(header.texts, COLUMNS).columns == {1: "name", 2: "id_number", 3: "item", 4: "amount"}
    kinds = [(number, classify_row(row, header)) for number, row in rows if number > header.last]
    assert kinds == [
        (4, RowKind.DATA),
        (6, RowKind.HEADER),
        (7, RowKind.DATA),
        (8, RowKind.TOTAL),
        (9, RowKind.FOOTER),
    ]
