"""Workbooks open in the readers that offices' files are opened with, and say what their cells say."""

import csv
import zipfile
from datetime import date
from io import BytesIO, StringIO

import openpyxl
import python_calamine

from students.demo import County
from students.demo.workbooks import Sheet, Workbook
from students.demo.xlsx import column_letters


def small_workbook(filename: str) -> Workbook:
    sheet = Sheet("三（2）班")
    sheet.add_titles(["水口镇蔡朱小学2026年秋季学生花名册"], 4)
    sheet.add_header(["姓名", "出生日期", "人数", "备注"])
    sheet.rows.append(["王𬭎 & <丁>", date(2018, 3, 5), 3, " 前后空格 "])
    sheet.rows.append(["", None, 4, ""])
    return Workbook(filename, "class-roster", "2199005518", date(2026, 9, 10), [sheet], "town-b", "county")


def test_calamine_reads_what_was_written() -> None:
    book = python_calamine.CalamineWorkbook.from_filelike(BytesIO(small_workbook("花名册.xlsx").content()))
    sheet = book.get_sheet_by_name("三（2）班")
    assert sheet.to_python() == [
        ["水口镇蔡朱小学2026年秋季学生花名册", "", "", ""],
        ["姓名", "出生日期", "人数", "备注"],
        ["王𬭎 & <丁>", date(2018, 3, 5), 3.0, " 前后空格 "],
        ["", "", 4.0, ""],
    ]
    assert sheet.merged_cell_ranges == [((0, 0), (0, 3))]


def test_openpyxl_reads_the_same() -> None:
    book = openpyxl.load_workbook(BytesIO(small_workbook("花名册.xlsx").content()))
    assert book["三（2）班"]["A3"].value == "王𬭎 & <丁>"
    assert str(book["三（2）班"].merged_cells) == "A1:D1"


def test_old_workbooks_are_real_xls() -> None:
    content = small_workbook("花名册.xls").content()
    assert content[:8] == bytes.fromhex("D0CF11E0A1B11AE1")
    book = python_calamine.CalamineWorkbook.from_filelike(BytesIO(content))
    assert book.get_sheet_by_index(0).to_python()[2] == ["王𬭎 & <丁>", date(2018, 3, 5), 3, " 前后空格 "]


def test_text_files_are_gb18030_with_four_byte_characters() -> None:
    lines = small_workbook("花名册.csv").content().decode("gb18030").split("\r\n")
    assert lines[2] == "王𬭎 & <丁>,2018/3/5,3, 前后空格 "


def test_no_clock_is_in_the_file() -> None:
    with zipfile.ZipFile(BytesIO(small_workbook("花名册.xlsx").content())) as archive:
        assert {info.date_time for info in archive.infolist()} == {(2026, 9, 1, 8, 0, 0)}


def test_columns_go_on_after_z() -> None:
    assert [column_letters(position) for position in (0, 25, 26, 70, 701, 702)] == ["A", "Z", "AA", "BS", "ZZ", "AAA"]


def test_all_three_forms_and_many_sheets_are_among_the_lists(county: County) -> None:
    assert {workbook.format for workbook in county.workbooks} == {"xlsx", "xls", "csv"}
    rosters = [workbook for workbook in county.workbooks if workbook.kind == "class-roster"]
    assert {workbook.format for workbook in rosters} == {"xlsx", "xls", "csv"}
    assert any(workbook.group != workbook.filename for workbook in rosters)
    assert any(len(workbook.sheets) > 6 for workbook in county.workbooks)


def test_every_workbook_opens_with_as_many_rows_as_it_has(county: County) -> None:
    for workbook in county.workbooks:
        if workbook.format == "csv":
            text = StringIO(workbook.content().decode("gb18030"), newline="")
            assert sum(1 for _ in csv.reader(text)) == len(workbook.sheets[0].rows)
            continue
        book = python_calamine.CalamineWorkbook.from_filelike(BytesIO(workbook.content()))
        assert book.sheet_names == [sheet.name for sheet in workbook.sheets]
        for sheet in workbook.sheets:
            assert len(book.get_sheet_by_name(sheet.name).to_python(skip_empty_area=False)) == len(sheet.rows)
