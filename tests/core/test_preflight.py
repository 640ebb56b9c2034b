import pickle

import pytest

from eduaid.core.preflight import FileRefused, Kind, Limits, SafeZip, inspect, kind_of
from tests.core import workbooks as make

ROWS = [["姓名", "号"], ["王伟", "5"]]


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (make.xlsx(ROWS), Kind.XLSX),
        (make.xlsx(ROWS, separator="\\"), Kind.XLSX),
        (make.xls(ROWS), Kind.XLS),
        (make.ods(ROWS), Kind.ODS),
        (make.delimited(ROWS), Kind.CSV),
        (make.delimited(ROWS, encoding="gb18030"), Kind.CSV),
        (make.delimited(ROWS, encoding="utf-16", delimiter="\t"), Kind.CSV),
        (make.html(ROWS), Kind.HTML),
        (make.spreadsheet_ml(ROWS), Kind.XML),
    ],
)
def test_the_kind_is_told_by_content_whatever_the_name_says(data: bytes, kind: Kind) -> None:
    assert inspect(data, "名单.jpg") is kind


@pytest.mark.parametrize(
    ("data", "code", "words"),
    [
        (b"", "empty", "空文件"),
        (b"\xef\xbb\xbf \n", "empty", "空文件"),
        (b"\xff\xd8\xff\xe0" + bytes(100), "wrong-kind", "图片（JPEG）"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "wrong-kind", "图片（PNG）"),
        (b"%PDF-1.7\n", "wrong-kind", "PDF 文档"),
        (b"MZ\x90\x00" + bytes(100), "wrong-kind", "程序（exe）"),
        (b"\0\0\0\x18ftypheic" + bytes(100), "wrong-kind", "手机照片"),
        (make.zipped({"[Content_Types].xml": b"<x/>", "word/document.xml": b"<x/>"}), "wrong-kind", "Word 文档"),
        (make.zipped({"[Content_Types].xml": b"<x/>", "ppt/presentation.xml": b"<x/>"}), "wrong-kind", "PPT"),
        (b'<?xml version="1.0"?><project/>', "wrong-kind", "网页或 XML 文件"),
        (make.zipped({"名单.xlsx": make.xlsx(ROWS)}), "archive", "zip"),
        (b"Rar!\x1a\x07\x01\x00" + bytes(50), "archive", "rar"),
        (b"7z\xbc\xaf\x27\x1c" + bytes(50), "archive", "7z"),
        (make.zipped({"xl/workbook.bin": b"x"}), "xlsb", "二进制工作簿"),
        (b"\x09\x04\x06\x00\x00\x00\x10\x00" + bytes(100), "old-xls", "很早版本"),
        (bytes(range(256)) * 40, "unknown-kind", "看不出"),
        (bytes(500), "truncated", "不完整"),
        (make.truncated(make.xlsx(ROWS)), "truncated", "不完整"),
        (make.encrypted(make.xlsx(ROWS)), "encrypted", "密码"),
        (make.bomb(), "bomb", "解压后过大"),
        (make.overlapping(), "overlapping", "压缩结构异常"),
        (make.with_entry(make.xlsx(ROWS), "../../etc/cron.d/x.xml"), "path", "路径异常"),
        (make.with_entry(make.xlsx(ROWS), "/etc/cron.d/x.xml"), "path", "路径异常"),
        (make.with_entry(make.xlsx(ROWS), "C:/windows/x.xml"), "path", "路径异常"),
        (make.with_entry(make.xlsx(ROWS), "..\\..\\evil.xml"), "path", "路径异常"),
    ],
)
def test_what_is_no_safe_spreadsheet_is_refused_by_its_true_name(data: bytes, code: str, words: str) -> None:
    with pytest.raises(FileRefused) as refused:
        inspect(data, "名单.xlsx")
    assert refused.value.code == code
    assert words in refused.value.sentence


def test_limits_are_said_with_their_numbers() -> None:
    with pytest.raises(FileRefused, match="too-large") as refused:
        kind_of(b"PK\x03\x04", 60 * 1024 * 1024)
    assert refused.value.sentence == "文件有 60 MB，超过 50 MB 的上限。请删去图片或按学校分成几个文件上传"
    with pytest.raises(FileRefused, match="entries"):
        inspect(make.xlsx(ROWS), limits=Limits(entries=5))
    with pytest.raises(FileRefused, match="bomb"):
        inspect(make.xlsx(make.roster_rows(500)), limits=Limits(unpacked_bytes=10_000))


def test_a_ratio_is_judged_only_where_it_can_hurt() -> None:
    many_equal_rows = make.xlsx([["是"] * 10] * 2000)
    assert inspect(many_equal_rows) is Kind.XLSX


def test_a_part_that_unpacks_to_more_than_it_claims_is_cut_off_at_once() -> None:
    archive = SafeZip(make.lying_bomb(megabytes=64, claimed=1024), Limits())
    pieces = archive.chunks("xl/worksheets/sheet1.xml")
    with pytest.raises(FileRefused, match="damaged"):
        next(pieces)


def test_a_wrong_checksum_is_noticed_after_the_last_byte() -> None:
    archive = SafeZip(make.with_flipped_byte(make.xlsx(make.roster_rows(50)), "xl/worksheets/sheet1.xml"), Limits())
    with pytest.raises(FileRefused, match="damaged") as refused:
        archive.read("xl/worksheets/sheet1.xml")
    assert "sheet1.xml" in refused.value.sentence


def test_a_refusal_survives_the_way_between_processes() -> None:
    refusal = FileRefused("rows", sheet="一年级", rows=200_000, limit=200_000)
    copy = pickle.loads(pickle.dumps(refusal))
    assert (copy.code, copy.params, copy.sentence) == (refusal.code, refusal.params, refusal.sentence)
