"""Workbooks as other programs write them, full of what is no data: nothing crashes, nothing is lost, nothing is invented."""

from __future__ import annotations

import datetime as dt
import io

import openpyxl
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.chart import BarChart, Reference
from openpyxl.comments import Comment
from openpyxl.formatting.rule import ColorScaleRule
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.table import Table
from openpyxl.worksheet.worksheet import Worksheet

from eduaid.core.models import Finding, Upload
from eduaid.core.models.uploads import State
from eduaid.core.review import said
from tests.bad_inputs.outcomes import outcomes, pupil, sheet
from tests.core import workbooks as make
from tests.core.workbooks import MAIN, Raw
from tests.small_county import SmallCounty

NAMES = ["李小雨", "王伟", "刘佳", "陈晨", "赵敏", "孙洋"]
ROWS = sheet([pupil(number, 姓名=name) for number, name in enumerate(NAMES, 1)])


def send(county: SmallCounty, data: bytes, name: str = "外来.xlsx") -> Upload:
    return county.send("class-roster", [], files=[(name, data)], place="a", by="town-a")


def names_of(upload: Upload) -> list[str]:
    assert upload.state == State.REVIEW, upload.error
    return [str(row.facts.get("name", "")) for row in outcomes(upload)]


def furnished() -> bytes:
    """A table with everything that Excel lets people add to it, behind an empty sheet and before a chart."""
    book = openpyxl.Workbook()
    book.worksheets[0].title = "空"
    page = book.create_sheet("名单")
    assert isinstance(page, Worksheet)
    for row in ROWS:
        page.append(row)
    page["D2"] = CellRichText("李", TextBlock(InlineFont(b=True), "小雨"))
    page["D3"].comment = Comment("转学来的", "老师")
    page["D4"].hyperlink = "http://127.0.0.1:1/x"
    for number in range(2, 8):
        page[f"F{number}"] = dt.date(2015, 5, 3)
        page[f"F{number}"].number_format = '[$-804]yyyy"年"m"月"d"日"'
        page[f"G{number}"].number_format = ";;;"  # shown as nothing, and still there
    page.add_table(Table(displayName="名册", ref="A1:G7"))
    page.auto_filter.ref = "A1:G7"
    page.conditional_formatting.add("A2:G7", ColorScaleRule(start_type="min", end_type="max", start_color="FF0000"))
    page.protection.sheet = True
    page.freeze_panes = "B2"
    page.row_dimensions.group(3, 4, hidden=True)
    page.column_dimensions["E"].hidden = True
    book.defined_names["名单区"] = DefinedName("名单区", attr_text="名单!$A$1:$G$7")
    choices = DataValidation(type="list", formula1='"男,女"')
    page.add_data_validation(choices)
    choices.add("E2:E7")
    chart = BarChart()
    chart.add_data(Reference(page, min_col=1, min_row=1, max_row=7))
    page.add_chart(chart, "J2")
    book.create_chartsheet("图").add_chart(BarChart())
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_a_furnished_workbook_gives_its_rows_and_tells_what_it_hides(county: SmallCounty) -> None:
    upload = send(county, furnished())
    assert names_of(upload) == NAMES
    assert {row.state for row in outcomes(upload)} == {"A"}
    assert {row.facts["birth_on"] for row in outcomes(upload)} == {"2015-05-03"}
    codes = set(Finding.objects.filter(upload=upload, row=None).values_list("code", flat=True))
    assert codes >= {"rows-hidden", "columns-hidden", "file-other-sheets"}


def test_parts_that_nobody_reads_do_no_harm(county: SmallCounty) -> None:
    extra = {
        "xl/pivotCache/pivotCacheDefinition1.xml": f'<pivotCacheDefinition xmlns="{MAIN}"/>'.encode(),
        "xl/pivotTables/pivotTable1.xml": f'<pivotTableDefinition xmlns="{MAIN}"/>'.encode(),
        "xl/calcChain.xml": f'<calcChain xmlns="{MAIN}"><c r="A9" i="1"/></calcChain>'.encode(),
        "xl/threadedComments/threadedComment1.xml": b"<ThreadedComments/>",
        "customXml/item1.xml": b"<x/>",
        "xl/printerSettings/printerSettings1.bin": bytes(500),
    }
    assert names_of(send(county, make.xlsx(ROWS, extra=extra))) == NAMES


def test_phonetic_guides_rich_and_shared_texts_are_read_as_people_see_them(county: SmallCounty) -> None:
    phonetic = '<c r="{ref}" t="inlineStr"><is><t>李小雨</t><rPh sb="0" eb="1"><t>li</t></rPh></is></c>'
    rich = '<c r="{ref}" t="inlineStr"><is><r><rPr><b/></rPr><t>王</t></r><r><t>伟</t></r></is></c>'
    rows = [list(row) for row in ROWS]
    rows[1][3], rows[2][3] = Raw(phonetic), Raw(rich)
    assert names_of(send(county, make.xlsx(rows))) == NAMES


def test_formulas_give_their_results_and_those_without_one_wait(county: SmallCounty) -> None:
    rows = [list(row) for row in ROWS]
    rows[1][3] = Raw('<c r="{ref}" t="str"><f t="shared" ref="D2:D3" si="0">A1</f><v>李小雨</v></c>')
    rows[2][3] = Raw('<c r="{ref}" t="str"><f t="shared" si="0"/><v>王伟</v></c>')
    rows[3][3] = Raw('<c r="{ref}" t="array"><f t="array" ref="D4">A1</f></c>'.replace(' t="array">', ">", 1))
    upload = send(county, make.xlsx(rows))
    assert names_of(upload) == ["李小雨", "王伟", "", "陈晨", "赵敏", "孙洋"]
    assert outcomes(upload)[2].said == ("W", "name:cell-uncached")
    found = Finding.objects.select_related("sheet", "row").get(upload=upload, code="columns-computed")
    assert said(upload, [found], in_full=False)[0].text == (
        "工作表“Sheet1”中有公式，已取文件里的计算结果：“姓名” 2 格。"
    )


def test_an_old_workbook_with_merges_hidden_columns_and_formulas_loses_nothing(county: SmallCounty) -> None:
    import xlwt

    book = xlwt.Workbook(encoding="utf-8")
    page = book.add_sheet("名单")
    page.write_merge(0, 0, 0, 6, "蔡朱小学花名册")
    for row, cells in enumerate(ROWS, 1):
        for column, value in enumerate(cells):
            page.write(row, column, value)
    page.col(4).hidden = True
    hidden = book.add_sheet("旧")
    hidden.visibility = 1
    hidden.write(0, 0, "便条")
    out = io.BytesIO()
    book.save(out)
    upload = send(county, out.getvalue(), "名单.xls")
    assert names_of(upload) == NAMES
    codes = set(Finding.objects.filter(upload=upload, row=None).values_list("code", flat=True))
    assert codes >= {"columns-hidden", "header-found", "sheet-without-header"}
