"""Bad input on its way out: what a spreadsheet would compute, and what a page or a document would take for its own."""

from __future__ import annotations

import csv
import datetime as dt
import io
import zipfile
from html import unescape
from typing import Any
from xml.etree import ElementTree

import openpyxl
import pytest
from docx import Document

from eduaid.core import editing, marked, prefilled
from eduaid.core.lists import kind_of
from eduaid.core.models import Finding, School, Upload, UploadRow
from eduaid.core.parser import parse
from eduaid.core.scope import EVERYTHING
from reports.actions import make_report, paper_of
from reports.documents import write_document
from reports.moments import Moment
from reports.workbooks import write_report
from tests.bad_inputs.outcomes import pupil, sent
from tests.small_county import SmallCounty

DAY = dt.date(2026, 11, 20)
FORMULAS = ["=cmd|' /C calc'!A0", '=HYPERLINK("http://x.example","点")', "+1+1", "-1+1", "@SUM(A1)", "'=x", "＝1+1"]
TRICKS = "{{7*7}}{%x%}<script>alert(1)</script>&amp;"


def brought(county: SmallCounty, rows: list[dict[str, Any]]) -> Upload:
    upload = sent(county, "class-roster", rows)
    for code in set(Finding.objects.filter(upload=upload, level="ask").values_list("code", flat=True)):
        editing.answer_all(upload, code=code, answer="confirm", by=county.user("town-a"))
    upload.refresh_from_db()
    assert upload.rows_waiting == 0
    return county.take_force(upload)


def formula_schools(county: SmallCounty) -> list[dict[str, Any]]:
    """Pupils of schools and classes with names that a spreadsheet would compute."""
    for number, name in enumerate(FORMULAS):
        School.objects.create(code=f"219900010{number}", name=name, stages=["2"], town=county.a)
    return [
        pupil(number, 学校名称=name, 学校标识码=f"219900010{number - 1}", 班主任=name)
        for number, name in enumerate(FORMULAS, 1)
    ]


@pytest.mark.case("X02")
def test_exports_hold_no_formula_and_come_back_as_they_were(county: SmallCounty) -> None:
    brought(county, formula_schools(county))
    client = county.client("county")
    address = f"/i/pupils/export/?as_of={DAY}"
    data = client.get(address).content
    sheet = openpyxl.load_workbook(io.BytesIO(data)).active
    assert sheet is not None
    cells = [cell for row in sheet.iter_rows() for cell in row]
    assert [cell.coordinate for cell in cells if cell.data_type == "f"] == []
    assert {f"'{name}" for name in FORMULAS} <= {cell.value for cell in cells}
    back = {cell for row in parse(data).sheets[0].rows for cell in row}
    assert set(FORMULAS) <= back
    text = client.get(f"{address}&format=csv").content
    written = {cell for row in csv.reader(io.StringIO(text.decode("utf-8-sig"))) for cell in row}
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r", "＝")) and len(cell) > 1 for cell in written)
    assert set(FORMULAS) <= {cell for row in parse(text).sheets[0].rows for cell in row}


@pytest.mark.case("X02")
def test_a_prefilled_template_with_formulas_in_it_comes_back_unchanged(county: SmallCounty) -> None:
    brought(county, formula_schools(county))
    data = prefilled.workbook(kind_of("class-roster"), county.a, schools=list(School.objects.all())).data
    cells = [cell for sheet in openpyxl.load_workbook(io.BytesIO(data)) for row in sheet.iter_rows() for cell in row]
    assert [cell.coordinate for cell in cells if cell.data_type == "f"] == []
    upload = county.send("class-roster", [], place="a", by="town-a", files=[("预填.xlsx", data)])
    assert (upload.rows_unchanged, upload.rows_changed, upload.rows_added, upload.rows_missing) == (7, 0, 0, 0)


@pytest.mark.case("X02")
def test_a_marked_workbook_repeats_text_as_text(county: SmallCounty) -> None:
    upload = sent(county, "class-roster", [pupil(1, 姓名="=1+1", 班主任="=2+2"), pupil(2)])
    book = openpyxl.load_workbook(io.BytesIO(marked.workbook(upload.files.get())))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells if str(cell.value).startswith("=")} <= {"s", "inlineStr"}
    assert "=1+1" in {cell.value for cell in book["错误清单"]["E"]}


@pytest.mark.case("X05")
def test_names_that_look_like_markup_are_shown_as_they_are_and_break_nothing(county: SmallCounty) -> None:
    School.objects.filter(pk=county.primary_a.pk).update(name=TRICKS)
    county.a.name = TRICKS[:40]
    county.a.save()
    upload = brought(county, [pupil(1, 学校名称=TRICKS, 班主任=TRICKS), pupil(2, 学校名称=TRICKS)])
    client = county.client("county")
    for address in (f"/i/pupils/?as_of={DAY}", "/students/", "/imports/", f"/imports/{upload.pk}/receipt/"):
        page = client.get(address).content.decode()
        assert "<script>alert" not in page, address
    assert "{{7*7}}{%x%}<script>alert(1)</script>&amp;" in unescape(client.get("/students/").content.decode())
    data = client.get(f"/i/pupils/export/?as_of={DAY}").content
    sheet = openpyxl.load_workbook(io.BytesIO(data)).active
    assert sheet is not None
    assert TRICKS in {cell.value for row in sheet.iter_rows() for cell in row}
    report = make_report(area=county.home, moment=Moment(DAY), by=county.user("county"))
    paper = paper_of(report, EVERYTHING)
    word = write_document(report, paper, site="https://a.example")
    texts = [cell.text for table in Document(io.BytesIO(word)).tables for row in table.rows for cell in row.cells]
    assert TRICKS[:40] in texts
    book = openpyxl.load_workbook(io.BytesIO(write_report(report, paper, site="https://a.example")))
    assert TRICKS[:40] in {cell.value for part in book for row in part.iter_rows() for cell in row}


@pytest.mark.case("X05")
def test_marked_and_prefilled_workbooks_stay_well_formed_whatever_stands_in_them(county: SmallCounty) -> None:
    upload = sent(county, "class-roster", [pupil(1, 年级=TRICKS + "]]>"), pupil(2, 班主任=TRICKS)])
    data = marked.workbook(upload.files.get())
    assert UploadRow.objects.get(state="W").number == 2
    for content in (data, prefilled.workbook(kind_of("class-roster"), county.a, schools=[]).data):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for name in archive.namelist():
                ElementTree.fromstring(archive.read(name))
    note = openpyxl.load_workbook(io.BytesIO(data)).worksheets[1]["B2"].comment
    assert note is not None
    assert "{{7*7}}{%x%}<script>alert(1)</script>&amp;" in note.text
