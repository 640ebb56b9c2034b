"""Bad sheets, case by case: titles, merges, hidden parts, totals, footers. Every workbook is built here and really sent."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from django.urls import reverse

from eduaid.core import hidden_parts, intake
from eduaid.core.models import ColumnMemory, Finding, Upload
from eduaid.core.models.uploads import State
from eduaid.core.review import said
from eduaid.core.tasks import advance
from eduaid.core.uploads import NotPossible
from tests.bad_inputs.outcomes import outcomes, person, pupil, sheet
from tests.core import workbooks as make
from tests.core.workbooks import Rows, SheetSpec, Value
from tests.small_county import SmallCounty

HEADER, *_ = sheet([pupil()])
WIDTH = len(HEADER)
CHILDREN = [pupil(1), pupil(2, 姓名="王伟"), pupil(3, 姓名="刘佳"), pupil(4, 姓名="陈晨")]
NAMES = ["李小雨", "王伟", "刘佳", "陈晨"]


def line(row: Mapping[str, Value]) -> list[Value]:
    return [row[str(header)] for header in HEADER]


LINES = [line(row) for row in CHILDREN]


def send(
    county: SmallCounty,
    sheets: Rows | Mapping[str, Rows | SheetSpec],
    *,
    kind: str = "class-roster",
    name: str = "名单.xlsx",
) -> Upload:
    return county.send(kind, [], files=[(name, make.xlsx(sheets))], place="a", by="town-a")


def rows_of(upload: Upload) -> list[tuple[str, int, str, str]]:
    """(sheet, line, name, state) in the order of the book."""
    assert upload.state == State.REVIEW, upload.error
    return [
        (row.sheet.name, row.number, str(row.facts.get("name", "")), row.state)
        for row in upload.rows.select_related("sheet").order_by("sheet__position", "number")
    ]


def names_of(upload: Upload) -> list[str]:
    return [name for _, _, name, _ in rows_of(upload)]


def told(upload: Upload) -> dict[str, str]:
    """What is said about sheets: code → sentence."""
    found = Finding.objects.filter(upload=upload, row=None).select_related("sheet", "row")
    return {item.finding.code: item.text for item in said(upload, found, in_full=False)}


def refused(county: SmallCounty, sheets: Rows | Mapping[str, Rows | SheetSpec], *, kind: str = "class-roster") -> str:
    upload = send(county, sheets, kind=kind)
    assert upload.state == State.REFUSED
    assert upload.rows_read == 0
    return upload.error


# --- header ---------------------------------------------------------------------------------------------------------


@pytest.mark.case("S01")
@pytest.mark.parametrize("titles", [1, 2, 3])
def test_titles_above_the_header_do_not_hide_it_and_its_place_is_told(county: SmallCounty, titles: int) -> None:
    above: list[list[Value]] = [
        ["水口镇建档立卡学生花名册"],
        ["填报单位：蔡朱小学", None, "日期：2026年9月"],
        ["单位：人"],
    ]
    upload = send(county, [*above[:titles], HEADER, *LINES])
    assert names_of(upload) == NAMES
    assert told(upload)["header-found"] == f"工作表“Sheet1”的表头在第 {titles + 1} 行，数据从第 {titles + 2} 行起。"


@pytest.mark.case("S02")
def test_merged_headers_of_two_rows_are_joined_and_the_columns_can_be_seen_and_changed(county: SmallCounty) -> None:
    top = [*HEADER, "监护人", None]
    below: list[Value] = [*[None] * WIDTH, "姓名", "联系电话"]
    rows = [["花名册"], top, below, *([*row, "李大山", "13807970001"] for row in LINES)]
    merged = ["A1:I1", *(f"{chr(65 + n)}2:{chr(65 + n)}3" for n in range(WIDTH)), "H2:I2"]
    upload = send(county, {"一班": SheetSpec(rows, merged=merged)})
    assert names_of(upload) == NAMES
    stored = upload.sheets.get()
    assert stored.headers[WIDTH:] == ["监护人/姓名", "监护人/联系电话"]
    assert (stored.mapping["7"], stored.mapping["8"]) == ("guardian", "guardian_phone")
    client = county.client("town-a")
    assert "列对应" in client.get(reverse("import", args=[upload.pk])).content.decode()
    assert client.post(reverse("import-remap", args=[upload.pk])).status_code == 302
    page = client.get(reverse("import-map", args=[upload.pk])).content.decode()
    assert "监护人/联系电话" in page
    client.post(
        reverse("import-map", args=[upload.pk]),
        {f"c-{upload.sheets.get().pk}-{position}": key for position, key in stored.mapping.items() if position != "8"}
        | {f"c-{upload.sheets.get().pk}-8": "phone", "remember": "1"},
    )
    advance(upload.pk)
    upload.refresh_from_db()
    assert (upload.state, upload.sheets.get().mapping["8"]) == (State.REVIEW, "phone")


@pytest.mark.case("S02")
def test_merged_headers_of_three_rows_are_joined(county: SmallCounty) -> None:
    rows: list[list[Value]] = [
        ["姓名", "身份证号", "资助情况", None, None],
        [None, None, "春季", None, "秋季"],
        [None, None, "项目", "金额", "金额"],
        *([row[3], row[6], "补助", 625, 625] for row in LINES),
    ]
    spec = SheetSpec(rows, merged=["A1:A3", "B1:B3", "C1:E1", "C2:D2"])
    upload = send(county, {"一班": spec})
    assert names_of(upload) == NAMES
    assert upload.sheets.get().headers == [
        "姓名",
        "身份证号",
        "资助情况/春季/项目",
        "资助情况/春季/金额",
        "资助情况/秋季/金额",
    ]


@pytest.mark.case("S11")
@pytest.mark.parametrize("name", ["姓名", "学生姓名", "名 字", "学生名字"])
@pytest.mark.parametrize("number", ["身份证号", "身份证号码", "公民身份号码", "证件号码", "身份证件号"])
def test_other_names_of_the_same_columns_need_no_question(county: SmallCounty, name: str, number: str) -> None:
    header = [{"姓名": name, "身份证号": number}.get(str(text), text) for text in HEADER]
    assert names_of(send(county, [header, *LINES])) == NAMES


@pytest.mark.case("S11")
def test_a_header_that_nobody_knows_is_asked_once_and_remembered(county: SmallCounty) -> None:
    header = ["小朋友" if text == "姓名" else text for text in HEADER]
    upload = send(county, [header, *LINES])
    assert (upload.state, upload.sheets.get().questions) == (State.MAPPING, ["name"])
    assert told(upload)["column-missing"] == (
        "工作表“Sheet1”没有名为“姓名”的列，可能是：D 列“小朋友”。请在“列对应”中指明，或补列后重新上传。"
    )
    intake.confirm_mapping(upload, {upload.sheets.get().pk: {3: "name"}}, by=county.user("town-a"))
    advance(upload.pk)
    upload.refresh_from_db()
    assert names_of(upload) == NAMES
    again = send(county, [header, *LINES[:3]])
    assert names_of(again) == NAMES[:3]
    school = county.send(
        "class-roster", [], files=[("名单.xlsx", make.xlsx([header, *LINES[:2]]))], place="primary_a", by="school-a"
    )
    assert names_of(school) == NAMES[:2]  # the township's memory speaks for its schools


@pytest.mark.case("S12")
def test_spaces_line_breaks_brackets_and_stars_in_headers_do_no_harm(county: SmallCounty) -> None:
    written = {
        "姓名": "姓  名*",
        "身份证号": "身份证\n号码（18位）",
        "性别": "＊性　别",
        "班级": "班级（必填）",
        "年级": "4.年级：",
    }
    upload = send(county, [[written.get(str(text), text) for text in HEADER], *LINES])
    assert names_of(upload) == NAMES
    assert set(upload.sheets.get().mapping.values()) >= {"name", "id_number", "sex", "class", "grade"}


@pytest.mark.case("S13")
@pytest.mark.parametrize("twice", ["姓名", "身份证号"])
def test_two_equal_headers_are_always_asked(county: SmallCounty, twice: str) -> None:
    upload = send(county, [[*HEADER, twice], *([*row, None] for row in LINES)])
    key = {"姓名": "name", "身份证号": "id_number"}[twice]
    assert (upload.state, upload.sheets.get().questions) == (State.MAPPING, [key])
    first = chr(65 + HEADER.index(twice))
    assert f"{first} 列“{twice}”、H 列“{twice}”" in told(upload)["columns-alike"]


@pytest.mark.case("S14")
def test_a_missing_required_column_is_named_and_unknown_ones_are_listed_and_not_kept(county: SmallCounty) -> None:
    without = [[cell for header, cell in zip(HEADER, row, strict=True) if header != "姓名"] for row in [HEADER, *LINES]]
    # 身份证号 and the rest are there, but nothing that could be a name.
    assert "缺少“姓名”列" in refused(county, without)
    upload = send(county, [[*HEADER, "鞋码", "特长"], *([*row, 36, "书法"] for row in LINES)])
    assert names_of(upload) == NAMES
    assert told(upload)["columns-unknown"] == "工作表“Sheet1”有 2 列不属于本名单，未保存：鞋码、特长。"
    assert not any("书法" in row.cells.values() for row in outcomes(upload))


@pytest.mark.case("S14")
def test_a_column_of_numbers_under_a_strange_header_is_proposed_not_lost(county: SmallCounty) -> None:
    header = ["识别码" if text == "身份证号" else text for text in HEADER]
    upload = send(county, [header, *LINES])
    assert (upload.state, upload.sheets.get().questions) == (State.MAPPING, ["id_number"])
    assert told(upload)["column-proposed"] == (
        "工作表“Sheet1”的 G 列“识别码” 内容像证件号，可能是“身份证件号”。请在“列对应”中指明。"
    )
    page = county.client("town-a").get(reverse("import-map", args=[upload.pk])).content.decode()
    assert '<option value="id_number" selected>' in page
    intake.confirm_mapping(upload, {upload.sheets.get().pk: {6: ""}}, by=county.user("town-a"))
    advance(upload.pk)
    upload.refresh_from_db()
    assert upload.state == State.REVIEW
    assert ColumnMemory.objects.get(header="识别码").column == ""
    assert send(county, [header, *LINES[:2]]).state == State.REVIEW  # what was left out is not asked again


@pytest.mark.case("S15")
def test_columns_go_by_their_headers_wherever_they_stand(county: SmallCounty) -> None:
    order = [6, 3, 0, 5, 1, 4, 2]
    shuffled = [[row[position] for position in order] for row in [HEADER, *LINES]]
    assert names_of(send(county, shuffled)) == NAMES
    shifted: list[list[Value]] = [["序号", *HEADER], *([None, *row] for row in LINES)]
    assert names_of(send(county, shifted)) == NAMES


@pytest.mark.case("S15")
def test_values_that_slipped_under_the_wrong_header_are_asked(county: SmallCounty) -> None:
    people = [person(number, 姓名=name) for number, name in enumerate([*NAMES, "赵敏", "孙洋"], 1)]
    slipped = [["姓名", "身份证号"], *([row["身份证号"], row["姓名"]] for row in people)]
    upload = send(county, slipped, kind="population")
    assert upload.state == State.MAPPING
    assert set(upload.sheets.get().questions) == {"name", "id_number"}


@pytest.mark.case("S16")
def test_a_header_without_data_is_refused(county: SmallCounty) -> None:
    assert refused(county, [HEADER]) == "表格里只有表头，没有数据行。请填写后重新上传。"


@pytest.mark.case("S17")
def test_a_table_lying_on_its_side_is_refused_with_the_way_out(county: SmallCounty) -> None:
    turned = [list(column) for column in zip(HEADER, *LINES, strict=True)]
    assert "横着排" in refused(county, turned)


@pytest.mark.case("S19")
def test_frozen_grouped_and_protected_sheets_are_read(county: SmallCounty) -> None:
    before = '<sheetViews><sheetView workbookViewId="0"><pane ySplit="1" state="frozen"/></sheetView></sheetViews>'
    after = '<sheetProtection sheet="1" objects="1" password="CC1A"/>'
    assert names_of(send(county, {"一班": SheetSpec([HEADER, *LINES], before=before, after=after)})) == NAMES


# --- merged and hidden ----------------------------------------------------------------------------------------------


@pytest.mark.case("S03")
def test_school_and_household_merged_over_rows_are_filled_and_told(county: SmallCounty) -> None:
    rows = [list(row) for row in LINES]
    for row in rows[1:]:
        row[0] = None
    upload = send(county, {"一班": SheetSpec([HEADER, *rows], merged=["A2:A5"])})
    assert [state for *_, state in rows_of(upload)] == ["A"] * 4
    assert {row.school_id for row in upload.rows.all()} == {county.primary_a.pk}
    note = Finding.objects.get(upload=upload, code="cell-filled")
    assert (note.column, note.params) == ("school_name", {"rows": 3, "first": 3})


@pytest.mark.case("S03")
@pytest.mark.parametrize(("column", "key"), [("姓名", "name"), ("身份证号", "id_number")])
def test_names_and_numbers_merged_over_rows_are_never_filled(county: SmallCounty, column: str, key: str) -> None:
    at = HEADER.index(column)
    rows = [list(row) for row in LINES]
    rows[2][at] = None
    letter = chr(65 + at)
    upload = send(county, {"一班": SheetSpec([HEADER, *rows], merged=[f"{letter}3:{letter}4"])})
    found = outcomes(upload)
    assert [row.state for row in found] == ["A", "A", "W", "A"]
    assert f"{key}:cell-merged" in found[2].errors
    finding = Finding.objects.select_related("sheet", "row").get(upload=upload, code="cell-merged")
    assert said(upload, [finding], in_full=True)[0].text.endswith(
        "是几行合并的单元格，看不出各行的内容。请取消合并，逐行填写。"
    )


HIDING = {"一班": SheetSpec([HEADER, *LINES], hidden_rows=[3, 5])}


@pytest.mark.case("S04")
def test_hidden_rows_count_until_somebody_decides_and_are_told(county: SmallCounty) -> None:
    upload = send(county, HIDING)
    assert names_of(upload) == NAMES
    assert told(upload)["rows-hidden"] == (
        "工作表“一班”含 2 条隐藏行（第 3、5 行），已全部计入。请确认计入，或选择不计入。"
    )
    page = county.client("town-a").get(reverse("import", args=[upload.pk])).content.decode()
    assert "含 2 条隐藏行" in page
    assert "不计入" in page


@pytest.mark.case("S04")
def test_hidden_rows_are_left_out_where_the_sender_says_so_and_come_back_the_same_way(county: SmallCounty) -> None:
    upload = send(county, HIDING)
    client = county.client("town-a")
    url = reverse("import-hidden", args=[upload.pk, upload.sheets.get().pk, "rows"])
    assert client.post(url, {"answer": "leave"}).status_code == 302
    advance(upload.pk)
    upload.refresh_from_db()
    assert names_of(upload) == ["李小雨", "刘佳"]
    assert told(upload)["rows-hidden-left"] == "工作表“一班”的 2 条隐藏行（第 3、5 行）已按选择不计入。"
    assert Finding.objects.get(code="rows-hidden-left").answered_by == county.user("town-a")
    client.post(reverse("import-hidden", args=[upload.pk, upload.sheets.get().pk, "rows"]), {"answer": "count"})
    advance(upload.pk)
    upload.refresh_from_db()
    assert names_of(upload) == NAMES
    assert Finding.objects.get(code="rows-hidden").answer == "count"


@pytest.mark.case("S04")
def test_hidden_sheets_and_columns_are_decided_alike(county: SmallCounty) -> None:
    ethnic = [[*HEADER, "民族"], *([*row, "汉族"] for row in LINES)]
    sheets = {
        "一班": SheetSpec(ethnic[:3], hidden_columns=[WIDTH]),
        "旧名单": SheetSpec([HEADER, LINES[2]], state="hidden"),
        "参数": SheetSpec([HEADER, LINES[3]], state="veryHidden"),
    }
    upload = send(county, sheets)
    assert names_of(upload) == NAMES
    assert (
        told(upload)["columns-hidden"] == "工作表“一班”有 1 个隐藏列（H 列“民族”），已计入。请确认计入，或选择不计入。"
    )
    hidden = [item.params["sheet"] for item in Finding.objects.filter(code="sheet-hidden").order_by("id")]
    assert hidden == ["旧名单", "参数"]
    by = county.user("town-a")
    hidden_parts.decide(upload.sheets.get(name="旧名单"), "sheet", "leave", by=by)
    advance(upload.pk)
    hidden_parts.decide(upload.sheets.get(name="一班"), "columns", "leave", by=by)
    advance(upload.pk)
    upload.refresh_from_db()
    assert names_of(upload) == ["李小雨", "王伟", "陈晨"]
    assert [row.facts.get("ethnicity") for row in upload.rows.all()] == [None] * 3
    assert "已按选择不计入" in told(upload)["sheet-hidden-left"]


@pytest.mark.case("S04")
def test_nobody_leaves_out_everything(county: SmallCounty) -> None:
    upload = send(county, {"一班": SheetSpec([HEADER, *LINES], hidden_rows=[2, 3, 4, 5])})
    with pytest.raises(NotPossible, match="一行也不剩"):
        hidden_parts.decide(upload.sheets.get(), "rows", "leave", by=county.user("town-a"))


# --- several sheets -------------------------------------------------------------------------------------------------


@pytest.mark.case("S05")
def test_a_book_of_one_sheet_a_class_is_read_sheet_by_sheet(county: SmallCounty) -> None:
    upload = send(
        county,
        {
            "五年级1班": [HEADER, *LINES[:1]],
            "五年级2班": [["五年级2班花名册"], HEADER, *LINES[1:3]],
            "五年级3班": [HEADER, LINES[3]],
            "填表说明": [["请于周五前上报"], ["联系人", "王老师"]],
            "汇总": [["学校名称", "年级", "班级", "人数"], ["水口镇蔡朱小学", "五年级", "1班", 4]],
        },
    )
    assert rows_of(upload) == [
        ("五年级1班", 2, "李小雨", "A"),
        ("五年级2班", 3, "王伟", "A"),
        ("五年级2班", 4, "刘佳", "A"),
        ("五年级3班", 2, "陈晨", "A"),
    ]
    assert list(upload.sheets.order_by("position").values_list("name", "rows")) == [
        ("五年级1班", 1),
        ("五年级2班", 2),
        ("五年级3班", 1),
    ]
    assert told(upload)["sheet-without-header"].startswith("工作表“填表说明”没有找到表头，未读取")
    assert told(upload)["sheet-without-columns"].startswith("工作表“汇总”缺少“姓名”列，未读取")
    page = county.client("town-a").get(reverse("import", args=[upload.pk])).content.decode()
    assert "五年级2班" in page


# --- lines that are no data -----------------------------------------------------------------------------------------

AID = [*HEADER, "补助金额（元）"]


def aid(amount: Value, row: list[Value]) -> list[Value]:
    return [*row, amount]


def blank(first: str, amount: Value = None) -> list[Value]:
    return [first, *[None] * (WIDTH - 1), amount]


@pytest.mark.case("S06")
def test_totals_are_no_pupils_and_right_ones_are_quiet(county: SmallCounty) -> None:
    rows = [
        AID,
        aid(625, LINES[0]),
        aid("1,250元", LINES[1]),
        blank("小计", 1875),
        aid(500, LINES[2]),
        aid(0.5, LINES[3]),
        blank("小计", 500.5),
        blank("合计：4人", 2375.5),
    ]
    upload = send(county, rows)
    assert names_of(upload) == NAMES
    assert told(upload)["rows-not-data"] == "工作表“Sheet1”有 3 行不是数据，未计入：合计 3 行（第 4、7—8 行）。"
    assert not {"total-differs", "amount-differs"} & told(upload).keys()


@pytest.mark.case("S06")
def test_a_total_that_the_rows_do_not_bear_out_is_a_finding(county: SmallCounty) -> None:
    rows = [AID, aid(625, LINES[0]), aid(625, LINES[1]), blank("合计：3人", 1875)]
    said_of = told(send(county, rows))
    assert said_of["total-differs"] == "工作表“Sheet1”第 4 行合计为 3 人，实际 2 行。请核对是否漏行。"
    assert said_of["amount-differs"] == (
        "工作表“Sheet1”第 4 行“补助金额(元)”合计为 1875，以上各行相加为 1250，相差 625。请核对是否漏行或填错。"
    ).replace("(元)", "（元）")


@pytest.mark.case("S06")
def test_a_total_above_the_data_is_compared_with_the_whole_sheet(county: SmallCounty) -> None:
    rows = [AID, blank("合计", 2000), aid(625, LINES[0]), aid(625, LINES[1])]
    upload = send(county, rows)
    assert names_of(upload) == NAMES[:2]
    assert "合计为 2000，以上各行相加为 1250" in told(upload)["amount-differs"]


@pytest.mark.case("S07")
def test_signatures_and_remarks_below_the_table_are_no_pupils(county: SmallCounty) -> None:
    footers: list[list[Value]] = [
        ["填表人：张三", None, None, "审核人：李四"],
        ["联系电话：0797-2234567"],
        ["单位（盖章）：", None, None, "日期：2026年9月1日"],
        ["备注：本表一式三份。"],
        [
            "本表一式三份，学校、乡镇中心校、县教育局各留存一份，填写务必完整准确，不得遗漏任何一名学生，逾期不再受理补报"
        ],
    ]
    upload = send(county, [HEADER, *LINES, *footers])
    assert names_of(upload) == NAMES
    assert told(upload)["rows-not-data"] == "工作表“Sheet1”有 5 行不是数据，未计入：表尾说明 5 行（第 6—10 行）。"


@pytest.mark.case("S08")
def test_blank_rows_and_columns_keep_the_numbers_of_the_spreadsheet(county: SmallCounty) -> None:
    def wide(row: list[Value]) -> list[Value]:
        return [None, *row[:3], None, *row[3:]]

    rows = [[], wide(HEADER), wide(LINES[0]), [], [], wide(LINES[1]), [" "], wide(LINES[2])]
    upload = send(county, rows)
    assert [(number, name) for _, number, name, _ in rows_of(upload)] == [(3, "李小雨"), (6, "王伟"), (8, "刘佳")]
    assert told(upload)["rows-not-data"] == "工作表“Sheet1”有 3 行不是数据，未计入：空行 3 行。"


@pytest.mark.case("S09")
def test_a_header_printed_on_every_page_is_skipped_and_told(county: SmallCounty) -> None:
    title: list[Value] = ["蔡朱小学花名册"]
    rows = [title, HEADER, LINES[0], title, HEADER, LINES[1], title, HEADER, LINES[2]]
    upload = send(county, rows)
    assert names_of(upload) == NAMES[:3]
    assert told(upload)["rows-not-data"] == (
        "工作表“Sheet1”有 4 行不是数据，未计入：重复的表头 2 行（第 5、8 行）、重复的标题 2 行（第 4、7 行）。"
    )
