"""Bad files, case by case: built here, sent the way a user sends them, and either read whole or refused in a sentence."""

from __future__ import annotations

import io
import os
import socket
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from eduaid.core import files
from eduaid.core.models import Finding, ListSlice, Upload, UploadRow
from eduaid.core.models.uploads import State
from eduaid.core.parser import parse
from eduaid.core.review import said
from students.models import Student
from tests.bad_inputs import containers
from tests.bad_inputs.outcomes import outcomes, pupil, sheet
from tests.core import workbooks as make
from tests.core.workbooks import MAIN, Raw, SheetSpec, sheet_xml
from tests.small_county import AS_OF, SmallCounty

PUPILS = sheet([pupil(1), pupil(2, 姓名="王𠮷䶮"), pupil(3, 姓名="买买提·艾力")])
NAMES = ["李小雨", "王𠮷䶮", "买买提·艾力"]
GOOD = make.xlsx(PUPILS)


def send(county: SmallCounty, data: bytes, name: str = "名单.xlsx") -> Upload:
    return county.send("class-roster", [], files=[(name, data)], place="a", by="town-a")


def names_of(upload: Upload) -> list[str]:
    assert upload.state == State.REVIEW, upload.error
    return [str(row.facts["name"]) for row in outcomes(upload)]


def refused(county: SmallCounty, data: bytes, name: str = "名单.xlsx") -> str:
    """The sentence; nothing of the file may be left in the tables."""
    upload = send(county, data, name)
    assert upload.state == State.REFUSED
    assert not UploadRow.objects.exists()
    assert not ListSlice.objects.exists()
    assert not Student.objects.exists()
    return upload.error


def told(upload: Upload) -> dict[str, str]:
    """What is said about the list as a whole: code → sentence."""
    found = Finding.objects.filter(upload=upload, row=None).select_related("sheet", "row")
    return {item.finding.code: item.text for item in said(upload, found, in_full=False)}


def resident() -> int:
    """Bytes of memory that this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.3)
        yield server


def nobody_called(server: socket.socket) -> None:
    with pytest.raises(TimeoutError):
        server.accept()


# --- not a workbook, or not a whole one -----------------------------------------------------------------------------


@pytest.mark.case("F01")
def test_an_empty_file_is_named(county: SmallCounty) -> None:
    assert refused(county, b"") == "这是一个空文件（0 字节）。请检查原文件，重新保存后上传"


@pytest.mark.case("F02")
@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"\xff\xd8\xff\xe0" + bytes(100), "图片（JPEG）"),
        (b"%PDF-1.7\n" + bytes(100), "PDF 文档"),
        (b"MZ\x90\x00" + bytes(100), "程序（exe）"),
        (make.zipped({"[Content_Types].xml": b"<x/>", "word/document.xml": b"<x/>"}), "Word 文档"),
        (containers.ole(bytes(5000), "WordDocument"), "Word 文档"),
    ],
)
def test_another_kind_of_file_is_refused_by_its_true_name(county: SmallCounty, data: bytes, kind: str) -> None:
    sentence = refused(county, data)
    assert sentence == f"这不是表格，而是{kind}。请上传 xlsx、xls、et、ods 或 csv 格式的表格"


@pytest.mark.case("F03")
def test_a_file_cut_off_on_its_way_is_incomplete(county: SmallCounty) -> None:
    sentence = refused(county, make.truncated(make.xlsx(make.roster_rows(300))))
    assert sentence == "文件不完整，可能上传中断或保存时出错。请重新保存并重新上传"


@pytest.mark.case("F04")
@pytest.mark.parametrize("part", ["xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"])
def test_a_part_with_a_wrong_byte_gives_no_first_half(county: SmallCounty, part: str) -> None:
    sentence = refused(county, make.with_flipped_byte(make.xlsx(make.roster_rows(3000)), part))
    assert "损坏" in sentence or "结构异常" in sentence
    assert "另存" in sentence


# --- bombs ----------------------------------------------------------------------------------------------------------


@pytest.mark.case("F05")
@pytest.mark.parametrize("fill", [b"\0", b"A"])
def test_a_bomb_is_refused_before_it_is_unpacked(county: SmallCounty, fill: bytes) -> None:
    data = containers.big_part(300, fill)
    assert len(data) < 1024 * 1024
    before = resident()
    assert refused(county, data) == "文件解压后过大，不像正常的表格。请用 WPS 或 Excel 打开，另存为新的 xlsx 后上传"
    assert resident() - before < 150 * 1024 * 1024


@pytest.mark.case("F06")
def test_a_bomb_that_lies_about_its_size_is_cut_off_while_it_streams(county: SmallCounty) -> None:
    data = make.lying_bomb(megabytes=64, claimed=1024)
    before, started = resident(), time.monotonic()
    assert "内部有损坏（sheet1.xml）" in refused(county, data)
    assert resident() - before < 150 * 1024 * 1024
    assert time.monotonic() - started < 10


@pytest.mark.case("F07")
def test_nested_and_overlapping_archives_are_refused(county: SmallCounty) -> None:
    assert refused(county, make.zipped({"内层.xlsx": GOOD})) == "这是压缩包（zip）。请解压后上传里面的表格"
    assert "压缩结构异常" in refused(county, make.overlapping())


@pytest.mark.case("F09")
def test_paths_that_lead_out_are_refused_and_backslashes_are_read(county: SmallCounty) -> None:
    for name in ("../../tmp/evil.xml", "/tmp/evil.xml", "..\\..\\evil.xml", "C:\\evil.xml"):
        assert "路径异常" in refused(county, make.with_entry(GOOD, name))
    assert names_of(send(county, make.xlsx(PUPILS, separator="\\"))) == NAMES


@pytest.mark.case("F10")
@pytest.mark.parametrize(
    "part", ["xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/styles.xml", "docProps/core.xml"]
)
def test_entities_are_refused_in_every_part(county: SmallCounty, part: str) -> None:
    laughs = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    body = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a0 "ha">{laughs}]><x>&a9;</x>'
    assert "DOCTYPE" in refused(county, make.xlsx(PUPILS, replace={part: body.encode()}))


@pytest.mark.case("F11")
def test_an_external_entity_reads_no_file_and_calls_nobody(county: SmallCounty, listener: socket.socket) -> None:
    address = f"http://127.0.0.1:{listener.getsockname()[1]}/x"
    for target in ("file:///etc/passwd", address):
        body = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "{target}">]><worksheet xmlns="{MAIN}"><sheetData>'
        body += '<row r="1"><c r="A1" t="inlineStr"><is><t>&a;</t></is></c></row></sheetData></worksheet>'
        sentence = refused(county, make.xlsx(PUPILS, replace={"xl/worksheets/sheet1.xml": body.encode()}))
        assert "DOCTYPE" in sentence
        assert "root:" not in sentence
    nobody_called(listener)


@pytest.mark.case("F12")
def test_a_false_count_of_strings_is_no_crash(county: SmallCounty) -> None:
    strings = f'<?xml version="1.0"?><sst xmlns="{MAIN}" uniqueCount="4000000000"><si><t>姓名</t></si></sst>'
    data = make.xlsx(PUPILS, replace={"xl/sharedStrings.xml": strings.encode()})
    assert "文字表的声明与内容不符" in refused(county, data)


# --- structure ------------------------------------------------------------------------------------------------------


@pytest.mark.case("F13")
def test_a_lonely_cell_at_the_end_of_the_sheet_is_named(county: SmallCounty) -> None:
    body = '<sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>姓名</t></is></c></row>'
    body += '<row r="1048576"><c r="XFD1048576"><v>5</v></c></row></sheetData>'
    data = make.xlsx(PUPILS, replace={"xl/worksheets/sheet1.xml": sheet_xml(body)})
    assert "第 1048576 行第 XFD 列有孤立的内容" in refused(county, data)


@pytest.mark.case("F14")
def test_a_million_formatted_rows_are_read_in_seconds_and_are_no_data(county: SmallCounty) -> None:
    blank = "".join(f'<row r="{number}" s="1" customFormat="1"/>' for number in range(10, 1_048_577))
    spec = SheetSpec(PUPILS)
    data = make.xlsx({"一": spec})
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        xml = archive.read("xl/worksheets/sheet1.xml").replace(b"</sheetData>", blank.encode() + b"</sheetData>")
    started = time.monotonic()
    upload = send(county, make.xlsx({"一": spec}, replace={"xl/worksheets/sheet1.xml": xml}))
    assert time.monotonic() - started < 10
    assert names_of(upload) == NAMES
    assert upload.rows_read == 3


@pytest.mark.case("F15")
def test_a_dimension_of_one_cell_hides_nothing(county: SmallCounty) -> None:
    rows = sheet([pupil(number) for number in range(1, 151)])
    upload = send(county, make.xlsx({"一": SheetSpec(rows, dimension="A1")}))
    assert upload.rows_read == 150


@pytest.mark.case("F16")
def test_strict_open_xml_is_read_like_any_other(county: SmallCounty) -> None:
    assert names_of(send(county, make.xlsx(PUPILS, strict=True))) == NAMES


@pytest.mark.case("F17")
@pytest.mark.case("F18")
@pytest.mark.parametrize(
    "data",
    [
        make.encrypted(GOOD),
        containers.locked_xls(PUPILS, method="rc4"),
        containers.locked_xls(PUPILS, method="xor"),
    ],
    ids=["F17-xlsx", "F18-rc4", "F18-xor"],
)
def test_a_password_is_asked_to_be_taken_off(county: SmallCounty, data: bytes) -> None:
    assert refused(county, data) == "文件设有打开密码。请在 WPS 或 Excel 中取消密码，保存后再上传"


# --- kinds and names ------------------------------------------------------------------------------------------------

PLAIN = sheet([pupil(1), pupil(2, 姓名="王伟"), pupil(3, 姓名="刘佳")])
PLAIN_NAMES = ["李小雨", "王伟", "刘佳"]


@pytest.mark.case("F19")
@pytest.mark.case("F20")
@pytest.mark.case("F22")
@pytest.mark.case("F26")
@pytest.mark.parametrize(
    ("data", "name", "kind"),
    [
        (make.xls(PUPILS), "名单.xlsx", "xls"),
        (GOOD, "名单.xls", "xlsx"),
        (make.xls(PUPILS), "名单.et", "xls"),
        (make.delimited(PUPILS), "名单.xls", "csv"),
        (make.delimited(PUPILS), "名单.xlsx", "csv"),
    ],
    ids=["F19", "F20", "F22", "F26-xls", "F26-xlsx"],
)
def test_the_content_decides_whatever_the_name_says(county: SmallCounty, data: bytes, name: str, kind: str) -> None:
    upload = send(county, data, name)
    assert names_of(upload) == NAMES
    assert upload.files.get().kind == kind
    digest = upload.content_digest
    other = county.send(
        "class-roster", [], files=[("原名.xlsx", make.xlsx(PUPILS, inline=True))], place="a", by="town-a"
    )
    assert bytes(other.content_digest) == bytes(digest)


@pytest.mark.case("F21")
@pytest.mark.parametrize(
    "data",
    [containers.biff5(PLAIN), *map(containers.raw_biff, (2, 3, 4))],
    ids=["biff5", "biff2", "biff3", "biff4"],
)
def test_workbooks_of_the_nineties_are_asked_to_be_saved_anew(county: SmallCounty, data: bytes) -> None:
    assert refused(county, data) == "这是很早版本的表格文件。请用 WPS 或 Excel 打开后另存为 xlsx 再上传"


@pytest.mark.case("F23")
def test_pictures_in_cells_are_left_out_and_told(county: SmallCounty) -> None:
    picture = Raw('<c r="{ref}" t="str"><f>_xlfn.DISPIMG("ID_A",1)</f><v>=DISPIMG("ID_A",1)</v></c>')
    upload = send(county, make.xlsx([[*PUPILS[0], "照片"], *([*row, picture] for row in PUPILS[1:])]))
    assert names_of(upload) == NAMES
    assert told(upload)["cells-pictures"] == "工作表“Sheet1”有 3 个单元格里是图片，未读取。"


@pytest.mark.case("F24")
@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_a_page_saved_as_a_workbook_is_read_as_its_table(county: SmallCounty, encoding: str) -> None:
    upload = send(county, make.html(PUPILS, encoding=encoding), "导出.xls")
    assert names_of(upload) == NAMES
    assert "没有表格" in refused_only(county, "<html><body>登录超时</body></html>".encode(), "导出.xls")


def refused_only(county: SmallCounty, data: bytes, name: str) -> str:
    upload = send(county, data, name)
    assert upload.state == State.REFUSED
    return upload.error


@pytest.mark.case("F25")
def test_spreadsheet_xml_of_2003_is_read(county: SmallCounty) -> None:
    assert names_of(send(county, make.spreadsheet_ml(PUPILS), "名单.xls")) == NAMES


@pytest.mark.case("F27")
def test_macros_are_dropped_and_told(county: SmallCounty) -> None:
    upload = send(county, make.xlsx(PUPILS, extra={"xl/vbaProject.bin": b"\xd0\xcf" + bytes(80)}), "名单.xlsm")
    assert names_of(upload) == NAMES
    assert told(upload)["file-macros"] == "文件“名单.xlsm”含有宏，只读取表格内容，宏没有运行，也不保存。"


@pytest.mark.case("F28")
def test_a_binary_workbook_is_asked_to_be_saved_anew(county: SmallCounty) -> None:
    assert "二进制工作簿" in refused(county, make.zipped({"xl/workbook.bin": bytes(50)}), "名单.xlsb")


@pytest.mark.case("F30")
def test_links_connections_and_objects_are_ignored_and_nobody_is_called(
    county: SmallCounty, listener: socket.socket
) -> None:
    address = f"http://127.0.0.1:{listener.getsockname()[1]}/x"
    relations = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" '
        'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/externalLinkPath" '
        f'Target="{address}" TargetMode="External"/></Relationships>'
    )
    dde = f'<externalLink xmlns="{MAIN}"><ddeLink ddeService="cmd" ddeTopic="/c calc"/></externalLink>'
    extra = {
        "xl/externalLinks/externalLink1.xml": dde.encode(),
        "xl/externalLinks/_rels/externalLink1.xml.rels": relations.encode(),
        "xl/connections.xml": f'<connections xmlns="{MAIN}"><connection id="1" webPr="{address}"/></connections>'.encode(),
        "xl/comments1.xml": f'<comments xmlns="{MAIN}"><authors/><commentList/></comments>'.encode(),
        "xl/embeddings/oleObject1.bin": bytes(200),
        "xl/media/image1.png": b"\x89PNG\r\n\x1a\n" + bytes(50),
        "xl/worksheets/_rels/sheet1.xml.rels": relations.encode(),
    }
    linked = Raw('<c r="{ref}" t="str"><f>[1]Sheet1!A1</f><v>备注</v></c>')
    rows: make.Rows = [[*PUPILS[0], "备注"], *([*row, linked] for row in PUPILS[1:])]
    upload = send(county, make.xlsx(rows, extra=extra))
    assert names_of(upload) == NAMES
    nobody_called(listener)


@pytest.mark.case("F31")
def test_macro_sheets_are_no_data(county: SmallCounty) -> None:
    book = make.xlsx({"一": SheetSpec(PUPILS), "宏": SheetSpec(PUPILS, state="veryHidden")})
    with zipfile.ZipFile(io.BytesIO(book)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts["xl/macrosheets/sheet1.xml"] = parts.pop("xl/worksheets/sheet2.xml").replace(b"worksheet", b"macrosheet")
    relation = f'{make.RELATIONS}/worksheet" Target="worksheets/sheet2.xml"'.encode()
    macro = b'http://schemas.microsoft.com/office/2006/relationships/xlMacrosheet" Target="macrosheets/sheet1.xml"'
    assert relation in parts["xl/_rels/workbook.xml.rels"]
    parts["xl/_rels/workbook.xml.rels"] = parts["xl/_rels/workbook.xml.rels"].replace(relation, macro)
    upload = send(county, make.zipped(parts), "名单.xlsm")
    assert names_of(upload) == NAMES
    assert "宏表" in told(upload)["file-other-sheets"]


# --- text files -----------------------------------------------------------------------------------------------------


@pytest.mark.case("F32")
def test_gbk_and_utf8_give_the_same_rows_byte_for_byte(county: SmallCounty) -> None:
    gbk = send(county, make.delimited(PLAIN, encoding="gbk"), "甲.csv")
    assert names_of(gbk) == PLAIN_NAMES
    utf8 = send(county, make.delimited(PLAIN, encoding="utf-8"), "乙.csv")
    assert [row.cells for row in outcomes(gbk)] == [row.cells for row in outcomes(utf8)]
    assert bytes(gbk.content_digest) == bytes(utf8.content_digest)


@pytest.mark.case("F33")
def test_four_byte_characters_survive(county: SmallCounty) -> None:
    rows = sheet([pupil(1, 姓名="王𠮷"), pupil(2, 姓名="李㐂"), pupil(3, 姓名="张䶮")])
    upload = send(county, make.delimited(rows, encoding="gb18030"), "名单.csv")
    assert names_of(upload) == ["王𠮷", "李㐂", "张䶮"]


@pytest.mark.case("F34")
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_byte_order_mark_is_no_part_of_the_first_header(county: SmallCounty, encoding: str) -> None:
    upload = send(county, make.delimited(PUPILS, encoding=encoding), "名单.csv")
    assert names_of(upload) == NAMES
    assert upload.sheets.get().headers[0] == "学校名称"


@pytest.mark.case("F35")
@pytest.mark.parametrize(("encoding", "mark"), [("utf-16-le", b"\xff\xfe"), ("utf-16-be", b"\xfe\xff")])
def test_unicode_text_of_spreadsheets_is_read(county: SmallCounty, encoding: str, mark: bytes) -> None:
    upload = send(county, mark + make.delimited(PUPILS, encoding=encoding, delimiter="\t"), "名单.txt")
    assert names_of(upload) == NAMES


@pytest.mark.case("F35")
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_its_mark_is_read_or_refused_but_never_garbled(county: SmallCounty, encoding: str) -> None:
    upload = send(county, make.delimited(PUPILS, encoding=encoding, delimiter="\t"), "名单.txt")
    assert upload.state == State.REFUSED or names_of(upload) == NAMES


@pytest.mark.case("F37")
@pytest.mark.parametrize("delimiter", [";", "\t", "|", "，"])
def test_other_delimiters_are_recognised(county: SmallCounty, delimiter: str) -> None:
    text = "\r\n".join(delimiter.join(str(cell) for cell in row) for row in PLAIN)
    assert names_of(send(county, text.encode(), "名单.csv")) == PLAIN_NAMES


@pytest.mark.case("F38")
def test_line_breaks_quotes_old_line_ends_and_nuls(county: SmallCounty) -> None:
    rows = sheet([pupil(1, 备注="第一行\n第二行"), pupil(2, 姓名="王伟", 备注='他说"好"')])
    upload = send(county, make.delimited(rows), "甲.csv")
    assert names_of(upload) == ["李小雨", "王伟"]
    assert [row.cells["note"] for row in outcomes(upload)] == ["第一行\n第二行", '他说"好"']
    assert names_of(send(county, make.delimited(PLAIN, ending="\r"), "乙.csv")) == PLAIN_NAMES
    padded = send(county, make.delimited(PLAIN).replace("王伟".encode(), "王伟".encode() + b"\0"), "丙.csv")
    assert names_of(padded) == PLAIN_NAMES
    assert "空字符" in told(padded)["file-nul-bytes"]
    broken = make.delimited(PLAIN).replace("王伟".encode(), '"王伟'.encode())
    assert "引号没有成对" in refused_only(county, broken, "丁.csv")


@pytest.mark.case("F39")
def test_a_number_in_scientific_notation_waits_because_its_digits_are_gone(county: SmallCounty) -> None:
    upload = send(county, make.delimited(sheet([pupil(1), pupil(2, 身份证号="3.62331E+17")])), "名单.csv")
    assert [row.said for row in outcomes(upload)] == [("A",), ("W", "id_number:id-damaged")]
    found = Finding.objects.select_related("sheet", "row").get(row__isnull=False)
    assert "已被表格软件抹去" in said(upload, [found], in_full=False)[0].text


# --- limits and names -----------------------------------------------------------------------------------------------


def post(county: SmallCounty, data: bytes, name: str = "名单.xlsx") -> object:
    return county.client("town-a").post(
        reverse("import-new"),
        {
            "files": SimpleUploadedFile(name, data),
            "kind": "class-roster",
            "scope": county.a.code,
            "effective_on": AS_OF.isoformat(),
            "mode": "complete",
            "pasted": "",
            "comment": "",
        },
    )


@pytest.mark.case("F40")
def test_a_file_over_the_limit_is_turned_away_at_the_door(county: SmallCounty, settings: object) -> None:
    settings.UPLOAD_MAX_BYTES = 3 * 1024 * 1024  # type: ignore[attr-defined]
    response = post(county, b"PK\x03\x04" + os.urandom(3 * 1024 * 1024))
    assert response.status_code == 413  # type: ignore[attr-defined]
    assert "超过 3 MB 的上限" in response.content.decode()  # type: ignore[attr-defined]
    assert not Upload.objects.exists()


@pytest.mark.case("F40")
def test_more_rows_than_allowed_are_refused_with_the_limit(county: SmallCounty, settings: object) -> None:
    settings.UPLOAD_MAX_ROWS = 100  # type: ignore[attr-defined]
    sentence = refused(county, make.xlsx(sheet([pupil(number) for number in range(1, 250)])))
    assert "超过 100 行的上限" in sentence
    assert "分成几个文件" in sentence


@pytest.mark.case("F41")
@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("", "未命名"),
        ("名" * 300 + ".xlsx", ("名" * 300 + ".xlsx")[-255:]),
        ("../../etc/passwd", "passwd"),
        ("C:\\用户\\名单.xlsx", "名单.xlsx"),
        ("名\r\n单.xlsx", "名单.xlsx"),
        ("\u202excod.名单.xlsx", "xcod.名单.xlsx"),
        ("😀名单.xlsx", "😀名单.xlsx"),
    ],
)
def test_the_sender_s_file_name_is_only_shown(county: SmallCounty, name: str, shown: str) -> None:
    upload = send(county, GOOD, name)
    file = upload.files.get()
    assert file.name == shown
    assert file.stored_as.isascii()
    assert shown not in file.stored_as
    assert "/.." not in file.stored_as
    assert files.load(file.stored_as) == GOOD
    response = county.client("town-a").get(reverse("import-file", args=[upload.pk, 0]))
    header = response.headers["Content-Disposition"]
    assert header.startswith("attachment")
    assert header.isascii()
    assert "\n" not in header
    assert header.startswith("attachment; filename*=utf-8''") or shown.isascii()


@pytest.mark.case("F41")
def test_two_files_of_one_name_are_two_files(county: SmallCounty) -> None:
    other = make.xlsx(sheet([pupil(9, 姓名="赵敏")]))
    upload = county.send("class-roster", [], files=[("名单.xlsx", GOOD), ("名单.xlsx", other)], place="a", by="town-a")
    assert names_of(upload) == [*NAMES, "赵敏"]
    assert len({file.stored_as for file in upload.files.all()}) == 2


EICAR = r"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-" + "ANTIVIRUS-TEST-FILE!$H+H*"


@pytest.mark.case("F42")
def test_without_a_scanner_the_upload_page_says_that_nothing_is_scanned(county: SmallCounty) -> None:
    page = county.client("town-a").get(reverse("import-new")).content.decode()
    assert "没有配置病毒扫描，文件未经扫描" in page
    upload = send(county, make.xlsx(sheet([pupil(1, 备注=EICAR)])))
    assert names_of(upload) == ["李小雨"]


@pytest.mark.case("F42")
def test_with_a_scanner_a_bad_file_is_kept_apart_and_told(county: SmallCounty, settings: object) -> None:
    """A server that speaks clamd's INSTREAM and knows one signature, as clamd would."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings.CLAMD_ADDRESS = f"127.0.0.1:{server.getsockname()[1]}"  # type: ignore[attr-defined]

        def answer() -> None:
            for _ in range(2):
                connection, _ = server.accept()
                with connection, connection.makefile("rb") as stream:
                    assert stream.read(10) == b"zINSTREAM\0"
                    data = b""
                    while size := int.from_bytes(stream.read(4), "big"):
                        data += stream.read(size)
                    bad = EICAR.encode() in data
                    connection.sendall(b"stream: Eicar-Test-Signature FOUND\0" if bad else b"stream: OK\0")

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        text = make.delimited(sheet([pupil(1, 备注=EICAR)]))
        assert refused(county, text, "名单.csv") == (
            "病毒扫描发现文件有问题（Eicar-Test-Signature），已隔离，没有读取。请查杀病毒后重新上传"
        )
        upload = send(county, GOOD)
        assert names_of(upload) == NAMES
        assert "未经扫描" not in county.client("town-a").get(reverse("import-new")).content.decode()
        thread.join(timeout=5)


def test_a_workbook_that_our_own_writer_made_is_read_by_the_parser_alone() -> None:
    (only,) = parse(GOOD).sheets
    assert only.cells == 4 * len(PUPILS[0])
