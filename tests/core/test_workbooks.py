import datetime as dt
import io
import itertools
import tracemalloc
import zipfile
from collections.abc import Iterator
from decimal import Decimal

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from eduaid.core.parser import parse
from eduaid.core.workbooks import OutColumn, OutSheet, Value, write_csv, write_workbook
from tests.core.workbooks import valid_id

COLUMNS = (
    OutColumn("姓名", locked=True),
    OutColumn("身份证号", width=22),
    OutColumn("金额（元）", format="money"),
    OutColumn("人数", format="whole"),
    OutColumn("出生日期", format="date"),
    OutColumn("变动", choices=("在读", "转出", "辍学"), prompt="请从列表中选择"),
)
ROW: tuple[Value, ...] = ("王伟", valid_id(), Decimal("312.50"), 3, dt.date(2012, 9, 1), "在读")


def opened(data: bytes, name: str = "名单") -> Worksheet:
    sheet = openpyxl.load_workbook(io.BytesIO(data))[name]
    assert isinstance(sheet, Worksheet)
    return sheet


def test_a_written_workbook_is_read_back_by_ourselves_and_by_openpyxl() -> None:
    data = write_workbook([OutSheet("名单", COLUMNS, [ROW], title="示例镇花名册", lines=["导出人：张三"])])
    sheet = opened(data)
    values = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert values[0][0] == "示例镇花名册"
    assert values[1][0] == "导出人：张三"
    assert values[2] == ["姓名", "身份证号", "金额（元）", "人数", "出生日期", "变动"]
    assert values[3] == ["王伟", valid_id(), 312.5, 3, dt.datetime(2012, 9, 1), "在读"]  # noqa: DTZ001  openpyxl's way
    read = parse(data).sheets[0]
    assert read.rows[3] == ["王伟", valid_id(), 312.5, 3.0, dt.date(2012, 9, 1), "在读"]
    assert (read.name, read.merged) == ("名单", [(1, 0, 1, 5), (2, 0, 2, 5)])


def test_identity_numbers_stay_text_also_in_cells_still_to_be_typed() -> None:
    data = write_workbook(
        [OutSheet("名单", COLUMNS, [(None, 990121201209012342, None, None, None, None)], spare_rows=100)]
    )
    sheet = opened(data)
    assert sheet["B2"].value == "990121201209012342"
    assert sheet["B2"].number_format == "@"
    assert sheet.column_dimensions["B"].width == 22
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        column = archive.read("xl/worksheets/sheet1.xml").decode().partition('<col min="2"')[2].partition("/>")[0]
    assert 'style="4"' in column  # the text style, for the whole column


def test_drop_downs_come_from_a_hidden_sheet_and_cover_the_rows_to_be_typed() -> None:
    data = write_workbook([OutSheet("名单", COLUMNS, [ROW, ROW], spare_rows=50)])
    book = openpyxl.load_workbook(io.BytesIO(data))
    assert book.sheetnames == ["名单", "选项"]
    assert book["选项"].sheet_state == "hidden"
    assert [cell.value for cell in book["选项"]["A"]] == ["在读", "转出", "辍学"]
    (rule,) = book["名单"].data_validations.dataValidation
    assert (rule.type, rule.formula1, str(rule.sqref)) == ("list", "'选项'!$A$1:$A$3", "F2:F53")
    assert rule.errorStyle == "warning"


def test_a_protected_sheet_locks_only_its_keys() -> None:
    sheet = opened(write_workbook([OutSheet("名单", COLUMNS, [ROW], protected=True)]))
    assert sheet.protection.sheet
    assert sheet["A2"].protection.locked
    assert not sheet["B2"].protection.locked
    assert sheet["B2"].number_format == "@"


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+86", "-5", "@SUM(A1)", "\tx", "=cmd|' /C calc'!A0", '=HYPERLINK("http://x")', "＝1", "'x", "'=x", "'"],
)
def test_no_text_becomes_a_formula_and_every_text_comes_back(text: str) -> None:
    data = write_workbook([OutSheet("名单", [OutColumn("备注"), OutColumn("=头")], [(text, "x")])])
    cell = opened(data)["A2"]
    assert cell.data_type == "s"
    assert str(cell.value)[:1] == "'"
    rows = parse(data).sheets[0].rows
    assert rows[0] == ["备注", "=头"]
    assert rows[1] == [text, "x"]
    (text_read, _) = parse(b"".join(write_csv(["备注", "乙"], [(text, "x")]))).sheets[0].rows[1]
    assert text_read == text


def test_awkward_characters_survive() -> None:
    data = write_workbook([OutSheet("名单", [OutColumn("备注")], [("a<b>&\"'\n𠮷 _x0041_ \x0b甲\ud800",)])])
    assert parse(data).sheets[0].rows[1] == ["a<b>&\"'\n𠮷 _x0041_ \x0b甲_xD800_"]  # half a character is none


def test_sheet_names_are_made_lawful() -> None:
    data = write_workbook([OutSheet("一年级[1]/二:三*?" + "长" * 40, COLUMNS[:1], []), OutSheet("", COLUMNS[:1], [])])
    assert [sheet.name for sheet in parse(data).sheets] == ["一年级 1  二 三  " + "长" * 19, "Sheet2"]


def test_the_watermark_is_printed_on_every_page() -> None:
    data = write_workbook([OutSheet("名单", COLUMNS, [ROW])], watermark="张三 示例镇&中心校 2026-11-23 编号 A1")
    footer = opened(data).oddFooter
    assert "张三 示例镇&" in str(footer.left.text)
    assert "A1" in str(footer.left.text)


def test_the_same_rows_give_the_same_bytes() -> None:
    assert write_workbook([OutSheet("名单", COLUMNS, [ROW])]) == write_workbook([OutSheet("名单", COLUMNS, [ROW])])


def test_a_long_export_needs_no_more_memory_than_a_short_one() -> None:
    def rows(count: int) -> Iterator[tuple[Value, ...]]:
        return itertools.repeat(ROW, count)

    def peak(count: int) -> int:
        tracemalloc.start()
        with io.BufferedWriter(io.FileIO("/dev/null", "w")) as sink:
            write_workbook([OutSheet("名单", COLUMNS, rows(count))], sink)
        _, used = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return used

    peak(10)
    assert peak(8_000) < peak(1_000) + 500_000


def test_csv_opens_as_utf8_and_says_yes_and_no_in_chinese() -> None:
    data = b"".join(
        write_csv(
            ["姓名", "寄宿", "金额", "日期"],
            [("王伟", True, Decimal("1.50"), dt.date(2012, 9, 1)), ("𠮷", None, 2, None)],
        )
    )
    assert data.decode("utf-8") == "\ufeff姓名,寄宿,金额,日期\r\n王伟,是,1.50,2012-09-01\r\n𠮷,,2,\r\n"
