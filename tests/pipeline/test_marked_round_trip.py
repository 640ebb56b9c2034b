"""Marked workbooks through the hands of other programs: LibreOffice for real, WPS-like writers, and every format that comes in."""

from __future__ import annotations

import datetime as dt
import io
import re
import shutil
import struct
import subprocess
import zipfile
import zlib
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.comments import Comment
from openpyxl.formatting.rule import CellIsRule
from openpyxl.styles import Font, PatternFill
from openpyxl.workbook.defined_name import DefinedName

from eduaid.core import marked, merging, returned
from eduaid.core.models import Finding, Upload, UploadRow
from tests.core import workbooks as built
from tests.pipeline.test_lists_in_force import LI, PUPIL_WANG
from tests.pipeline.test_marked_workbooks import BROKEN, changed
from tests.small_county import SmallCounty, id_number

HEADERS = ["学校名称", "年级", "班级", "姓名", "身份证号", "出生日期", "是否寄宿", "备注"]
GOOD = LI["身份证号"]
ROWS: list[list[Any]] = [
    ["蔡朱小学", "五年级", "1班", "李小雨", BROKEN, dt.date(2015, 5, 3), "是", ""],
    ["蔡朱小学", "六年级", "2班", "王伟", PUPIL_WANG["身份证号"], dt.date(2014, 6, 1), "否", "  两边有空格 "],
    ["蔡朱小学", "六年级", "2班", "赵小满", id_number("20140905", 22), dt.date(2014, 9, 5), "是", "=不是公式"],
]


def rich() -> bytes:
    """A school's own workbook: titles, merges, widths, colours, a note, a picture, formulas, another sheet."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "花名册"
    sheet.append(["水口镇蔡朱小学花名册"])
    sheet.merge_cells("A1:H1")
    sheet["A1"].font = Font(size=20, bold=True)
    sheet.append(HEADERS)
    for row in ROWS:
        sheet.append(row)
    sheet["H5"].data_type = "s"
    sheet.append(["合计", "=COUNTA(D3:D5)"])
    for cell in sheet[3]:
        cell.fill = PatternFill("solid", fgColor="FFCCEEFF")
        cell.font = Font(name="楷体", italic=True)
    sheet["D4"].comment = Comment("转来的", "张老师")
    sheet["E3"].comment = Comment("请家长再核对", "张老师")
    sheet.column_dimensions["E"].width = 33
    sheet.row_dimensions[2].height = 40
    sheet.freeze_panes = "A3"
    sheet.auto_filter.ref = "A2:H5"
    sheet.conditional_formatting.add("G3:G5", CellIsRule(operator="equal", formula=['"是"'], font=Font(bold=True)))
    other = book.create_sheet("说明")
    other["A1"], other["B1"] = 3, "=A1*2"
    book.defined_names["年级"] = DefinedName("年级", attr_text="花名册!$B$3:$B$5")
    sheet.print_title_rows = "2:2"
    out = io.BytesIO()
    book.save(out)
    return with_picture(out.getvalue())


_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_DRAWING = f"""<xdr:wsDr xmlns:xdr="http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing"
 xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" xmlns:r="{_OFFICE}"><xdr:oneCellAnchor><xdr:from>
<xdr:col>9</xdr:col><xdr:colOff>0</xdr:colOff><xdr:row>1</xdr:row><xdr:rowOff>0</xdr:rowOff></xdr:from>
<xdr:ext cx="190500" cy="190500"/><xdr:pic><xdr:nvPicPr><xdr:cNvPr id="1" name="校徽"/><xdr:cNvPicPr/></xdr:nvPicPr>
<xdr:blipFill><a:blip r:embed="rId1"/><a:stretch><a:fillRect/></a:stretch></xdr:blipFill><xdr:spPr><a:xfrm>
<a:off x="0" y="0"/><a:ext cx="190500" cy="190500"/></a:xfrm><a:prstGeom prst="rect"><a:avLst/></a:prstGeom></xdr:spPr>
</xdr:pic><xdr:clientData/></xdr:oneCellAnchor></xdr:wsDr>"""


def with_picture(data: bytes) -> bytes:
    """A real picture in the first sheet."""
    found = parts(data)
    red = zlib.compress(b"\0\xff\0\0")
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)), (b"IDAT", red), (b"IEND", b"")]
    found["xl/media/image1.png"] = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )
    found["xl/drawings/drawing1.xml"] = _DRAWING.encode()
    found["xl/drawings/_rels/drawing1.xml.rels"] = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" '
        f'Type="{_OFFICE}/image" Target="../media/image1.png"/></Relationships>'
    ).encode()
    changes = {
        "xl/worksheets/_rels/sheet1.xml.rels": (
            "</Relationships>",
            f'<Relationship Id="rIdP" Type="{_OFFICE}/drawing" Target="/xl/drawings/drawing1.xml"/></Relationships>',
        ),
        "xl/worksheets/sheet1.xml": ("<legacyDrawing", f'<drawing xmlns:r="{_OFFICE}" r:id="rIdP"/><legacyDrawing'),
        "[Content_Types].xml": (
            "</Types>",
            '<Default Extension="png" ContentType="image/png"/><Override PartName="/xl/drawings/drawing1.xml" '
            'ContentType="application/vnd.openxmlformats-officedocument.drawing+xml"/></Types>',
        ),
    }
    for name, (old, new) in changes.items():
        assert old.encode() in found[name]
        found[name] = found[name].replace(old.encode(), new.encode(), 1)
    return built.zipped(found)


def send(county: SmallCounty, data: bytes, name: str = "花名册.xlsx") -> Upload:
    upload = county.send("class-roster", [], place="primary_a", by="school-a", files=[(name, data)])
    assert (upload.rows_read, upload.rows_waiting) == (3, 1), upload.error
    return upload


def give_back(county: SmallCounty, upload: Upload, data: bytes, name: str = "改好.xlsx") -> returned.Plan:
    came = merging.keep(upload, [(name, data)], by=county.user("school-a"))
    plan = merging.merge(upload, came, by=county.user("school-a"))
    upload.refresh_from_db()
    return plan


def corrected(data: bytes, sheet: str = "花名册", cell: str = "E3") -> bytes:
    return changed(data, lambda book: book[sheet].__setitem__(cell, GOOD))


def only_the_correction(county: SmallCounty, upload: Upload, plan: returned.Plan) -> None:
    assert [(change.column, change.was, change.now) for change in plan.changes] == [("id_number", BROKEN, GOOD)]
    assert (plan.new, plan.gone, plan.overtaken, plan.damaged, plan.missing_columns) == ([], [], [], [], [])
    assert plan.unchanged == 2
    assert (upload.rows_accepted, upload.rows_waiting) == (3, 0)


def parts(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_everything_else_of_the_workbook_stays_byte_for_byte(county: SmallCounty) -> None:
    data = rich()
    upload = send(county, data)
    before, after = parts(data), parts(marked.workbook(upload.files.get()))
    touched = {name for name, content in before.items() if after.get(name) != content}
    assert touched == {
        "[Content_Types].xml",
        "xl/_rels/workbook.xml.rels",
        "xl/comments/comment1.xml",
        "xl/drawings/commentsDrawing1.vml",
        "xl/styles.xml",
        "xl/workbook.xml",
        "xl/worksheets/sheet1.xml",
    }
    assert {"xl/media/image1.png", "xl/worksheets/sheet2.xml"} <= before.keys()
    assert after.keys() - before.keys() == {"xl/worksheets/eduaid.xml"}


def test_looks_merges_formulas_and_notes_of_the_sender_stay(county: SmallCounty) -> None:
    upload = send(county, rich())
    book = openpyxl.load_workbook(io.BytesIO(marked.workbook(upload.files.get())))
    sheet = book["花名册"]
    assert book.sheetnames == ["错误清单", "花名册", "说明"]
    assert [str(merged) for merged in sheet.merged_cells.ranges] == ["A1:H1"]
    assert sheet.column_dimensions["E"].width == 33
    assert sheet.row_dimensions[2].height == 40
    assert (sheet["D3"].font.name, sheet["D3"].font.i, sheet["D3"].fill.fgColor.rgb) == ("楷体", True, "FFCCEEFF")
    assert (sheet["E3"].font.name, sheet["E3"].font.i, sheet["E3"].fill.fgColor.rgb) == ("楷体", True, "FFFFFF00")
    assert sheet["D4"].comment.text == "转来的"
    assert sheet["E3"].comment.text.startswith("请家长再核对\n第 3 行『身份证件号』现为")
    assert book["说明"]["B1"].value == "=A1*2"
    assert sheet["B6"].value == "=COUNTA(D3:D5)"
    assert sheet.print_title_rows == "$2:$2"
    assert sheet.auto_filter.ref == "A2:I5"
    assert len(sheet.conditional_formatting) == 1
    assert book["错误清单"].sheet_view.tabSelected
    assert not sheet.sheet_view.tabSelected


def soffice(data: bytes, into: str, folder: Path, name: str = "book.xlsx") -> bytes:
    """Opened and saved by LibreOffice, headless and with a profile of its own."""
    program = shutil.which("soffice") or shutil.which("libreoffice")
    if program is None:
        pytest.skip("LibreOffice (soffice) is not installed: the round trip through it was NOT tested")
    (folder / "in").mkdir(parents=True, exist_ok=True)
    source = folder / "in" / name
    source.write_bytes(data)
    filters = {"xlsx": "xlsx:Calc MS Excel 2007 XML", "xls": "xls:MS Excel 97", "ods": "ods"}
    done = subprocess.run(
        [program, f"-env:UserInstallation=file://{folder}/profile", "--headless", "--convert-to", filters[into],
         "--outdir", str(folder / "out"), str(source)],
        capture_output=True, timeout=180, check=False,
    )  # fmt: skip
    saved = folder / "out" / f"{source.stem}.{into}"
    assert saved.exists(), (done.stdout, done.stderr)
    return saved.read_bytes()


@pytest.mark.parametrize("into", ["xlsx", "xls", "ods"])
def test_saved_by_libreoffice_only_the_correction_is_merged(county: SmallCounty, tmp_path: Path, into: str) -> None:
    upload = send(county, rich())
    data = soffice(corrected(marked.workbook(upload.files.get())), into, tmp_path)
    assert returned.list_of([(f"改好.{into}", data)]) == upload.pk
    only_the_correction(county, upload, give_back(county, upload, data, f"改好.{into}"))


def test_libreoffice_opens_the_marked_workbook_and_keeps_its_marks(county: SmallCounty, tmp_path: Path) -> None:
    upload = send(county, rich())
    saved = soffice(marked.workbook(upload.files.get()), "xlsx", tmp_path)
    assert any(name.endswith(".png") for name in parts(saved))
    book = openpyxl.load_workbook(io.BytesIO(saved))
    assert book.sheetnames == ["错误清单", "花名册", "说明"]
    sheet = book["花名册"]
    assert sheet["E3"].fill.fgColor.rgb == "FFFFFF00"
    assert "证件号校验不通过" in sheet["E3"].comment.text
    assert sheet.column_dimensions["I"].hidden
    assert book["错误清单"]["C5"].hyperlink.location.replace("$", "") in ("'花名册'!E3", "花名册!E3")


def wps_like(data: bytes) -> bytes:
    """As WPS-like writers leave it: no dimension, inline strings only, styles rewritten, notes and hidden widths dropped."""
    book = openpyxl.load_workbook(io.BytesIO(data))
    sheets = {}
    for sheet in book:
        rows: list[list[Any]] = [[cell.value for cell in row] for row in sheet.iter_rows()]
        while rows and rows[-1] == [None] * len(rows[-1]):
            rows.pop()
        sheets[sheet.title] = built.SheetSpec(
            [[value.date() if isinstance(value, dt.datetime) else value for value in row] for row in rows],
            merged=[str(merged) for merged in sheet.merged_cells.ranges],
        )
    plain = built.xlsx(sheets, inline=True)
    assert b"<dimension" not in parts(plain)["xl/worksheets/sheet2.xml"]
    return plain


def test_rewritten_by_a_wps_like_program_only_the_correction_is_merged(county: SmallCounty) -> None:
    upload = send(county, rich())
    data = wps_like(corrected(marked.workbook(upload.files.get())))
    assert returned.list_of([("改好.xlsx", data)]) == upload.pk
    only_the_correction(county, upload, give_back(county, upload, data))


def test_a_prefixed_package_is_marked_in_its_own_words(county: SmallCounty) -> None:
    upload = send(county, built.xlsx({"花名册": [["标题"], HEADERS, *ROWS]}, prefix="x"))
    data = marked.workbook(upload.files.get())
    sheet = next(content for name, content in parts(data).items() if name.endswith("sheet1.xml"))
    assert re.search(rb'<x:c r="I3" s="\d+" t="inlineStr"><x:is><x:t>EA-', sheet)
    only_the_correction(county, upload, give_back(county, upload, corrected(data)))


def test_a_package_that_cannot_be_patched_comes_back_as_a_plain_workbook(county: SmallCounty) -> None:
    original = built.xlsx({"花名册": [["标题"], HEADERS, *ROWS]})
    content = parts(original)["xl/worksheets/sheet1.xml"].replace(b"<sheetData>", b"<!-- by hand --><sheetData>")
    upload = send(county, built.zipped({**parts(original), "xl/worksheets/sheet1.xml": content}))
    data = marked.workbook(upload.files.get())
    assert openpyxl.load_workbook(io.BytesIO(data))["花名册"]["E3"].fill.fgColor.rgb == "FFFFFF00"
    only_the_correction(county, upload, give_back(county, upload, corrected(data)))


@pytest.mark.parametrize("kind", ["csv", "ods", "xls", "et"])
def test_other_formats_come_back_as_xlsx_with_their_rows_in_place(
    county: SmallCounty, tmp_path: Path, kind: str
) -> None:
    if kind == "csv":
        data = built.delimited([["标题"], HEADERS, *ROWS], encoding="gb18030")
    elif kind == "ods":
        data = built.ods([["标题"], HEADERS, *ROWS], name="花名册")
    else:
        data = soffice(built.xlsx({"花名册": [["标题"], HEADERS, *ROWS]}), "xls", tmp_path)
    upload = send(county, data, f"花名册.{kind}")
    file = upload.files.get()
    assert marked.file_name(file, file.name) == "花名册（标错）.xlsx"
    taken = marked.workbook(file)
    book = openpyxl.load_workbook(io.BytesIO(taken))
    sheet = book.worksheets[1]
    row = UploadRow.objects.get(state="W").number
    assert (sheet.cell(row, 5).value, sheet.cell(row, 5).fill.fgColor.rgb) == (BROKEN, "FFFFFF00")
    assert sheet.cell(row + 1, 5).number_format == "@"
    only_the_correction(county, upload, give_back(county, upload, corrected(taken, sheet.title, f"E{row}")))


def test_a_lost_formula_result_is_no_change(county: SmallCounty) -> None:
    """openpyxl drops the results of formulas when it saves; the list keeps what it had read."""
    rows = [["标题"], HEADERS, *[list(row) for row in ROWS]]
    rows[3][2] = built.Raw('<c r="{ref}" t="str"><f>"2"&amp;"班"</f><v>2班</v></c>')
    upload = send(county, built.xlsx({"花名册": rows}))
    only_the_correction(county, upload, give_back(county, upload, corrected(marked.workbook(upload.files.get()))))
    assert not Finding.objects.filter(level="error").exists()


def test_macros_stay_behind(county: SmallCounty) -> None:
    found = parts(built.xlsx({"花名册": [["标题"], HEADERS, *ROWS]}))
    found["xl/vbaProject.bin"] = b"macros"
    changes = {
        "[Content_Types].xml": [
            (b"openxmlformats-officedocument.spreadsheetml.sheet.main", b"ms-excel.sheet.macroEnabled.main"),
            (b"</Types>", b'<Override PartName="/xl/vbaProject.bin" ContentType="application/vnd.ms-office.vbaProject"/></Types>'),
        ],
        "xl/_rels/workbook.xml.rels": [
            (
                b"</Relationships>",
                b'<Relationship Id="rIdV" Type="http://schemas.microsoft.com/office/2006/relationships/vbaProject" '
                b'Target="vbaProject.bin"/></Relationships>',
            )
        ],
    }  # fmt: skip
    for name, pairs in changes.items():
        for old, new in pairs:
            assert old in found[name]
            found[name] = found[name].replace(old, new)
    upload = send(county, built.zipped(found), "花名册.xlsm")
    after = parts(marked.workbook(upload.files.get()))
    assert "xl/vbaProject.bin" not in after
    assert b"vbaProject" not in after["xl/_rels/workbook.xml.rels"] + after["[Content_Types].xml"]
    assert b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml" in after["[Content_Types].xml"]
