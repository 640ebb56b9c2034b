import contextlib
import datetime as dt
import json
import os
import resource
import socket
import subprocess
import sys
import threading
import time
from dataclasses import asdict
from pathlib import Path

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eduaid.core import parser
from eduaid.core.cells import BadDate, Damaged, ErrorValue, Uncached
from eduaid.core.parser import Book, open_book, parse
from eduaid.core.preflight import FileRefused, Kind, Limits
from eduaid.core.text import restore_formula
from tests.core import workbooks as make
from tests.core.workbooks import MAIN, Raw, SheetSpec, sheet_xml

ROWS: make.Rows = [["姓名", "号", "生日"], ["王伟", 5, dt.date(2012, 9, 1)], [None, True], [], [None, None, "𠮷䶮"]]
READ = [["姓名", "号", "生日"], ["王伟", 5.0, dt.date(2012, 9, 1)], [None, True, None], [], [None, None, "𠮷䶮"]]


def only(book: Book) -> parser.Sheet:
    (sheet,) = book.sheets
    return sheet


def with_sheet(body: str) -> bytes:
    return make.xlsx([["a"]], replace={"xl/worksheets/sheet1.xml": sheet_xml(body)})


def refusal(data: bytes, **limits: int | float) -> FileRefused:
    with pytest.raises(FileRefused) as refused:
        parse(data, limits=Limits(**limits))  # type: ignore[arg-type]
    return refused.value


@pytest.mark.parametrize(
    "data",
    [
        make.xlsx(ROWS),
        make.xlsx(ROWS, inline=True),
        make.xlsx(ROWS, strict=True),
        make.xlsx(ROWS, prefix="x"),
        make.xlsx(ROWS, prefix="x", inline=True),
        make.xlsx(ROWS, date_1904=True),
        make.xlsx(ROWS, separator="\\"),
        make.xlsx({"一": SheetSpec(ROWS, dimension="A1")}),
        make.xls(ROWS),
        make.xls(ROWS, date_1904=True),
        make.ods(ROWS),
    ],
    ids=[
        "shared",
        "inline",
        "strict",
        "prefix",
        "prefix-inline",
        "1904",
        "backslash",
        "wrong-dimension",
        "xls",
        "xls-1904",
        "ods",
    ],
)
def test_every_kind_of_workbook_gives_the_same_cells(data: bytes) -> None:
    sheet = only(parse(data))
    assert sheet.rows == READ
    assert sheet.cells == 8


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_every_encoding_and_delimiter_of_text_is_read(encoding: str, delimiter: str) -> None:
    rows: make.Rows = [["姓名", "号", "备注"], ["𠮷䶮㐂", "5", f'分{delimiter}行\n"引"'], ["王伟", "", "x"]]
    sheet = only(parse(make.delimited(rows, encoding=encoding, delimiter=delimiter)))
    assert sheet.rows == [["姓名", "号", "备注"], ["𠮷䶮㐂", "5", f'分{delimiter}行\n"引"'], ["王伟", None, "x"]]


def test_old_line_ends_forced_text_and_stray_nuls_do_no_harm() -> None:
    assert only(parse(make.delimited([["a", "b"], ["c", "d"]], ending="\r"))).rows == [["a", "b"], ["c", "d"]]
    assert only(parse('名,="362331",x\n'.encode())).rows == [["名", "362331", "x"]]
    book = parse(b"a,b\0,c\n1,2,3")
    assert only(book).rows == [["a", "b", "c"], ["1", "2", "3"]]
    assert book.notes == ("nul-bytes",)


def test_a_quote_that_never_closes_is_refused_instead_of_swallowing_rows() -> None:
    data = make.delimited([["a", "b", "c"]] * 5).replace(b"a,b", b'"a,b', 2)
    assert refusal(data.replace(b'"a,b', b"a,b", 1)).code == "quotes"


def test_pages_and_xml_of_old_systems_are_read_as_tables() -> None:
    assert only(parse(make.html([["姓名", "号"], ["王伟", "362331"]]))).rows == [["姓名", "号"], ["王伟", "362331"]]
    assert only(parse(make.html([["姓名"], ["䶮"]], encoding="gb18030"))).rows == [["姓名"], ["䶮"]]
    xml = parse(make.spreadsheet_ml(ROWS[:2]))
    assert (xml.kind, only(xml).rows) == (Kind.XML, READ[:2])
    assert refusal("<html><body>登录超时</body></html>".encode()).code == "no-table"


def test_what_a_sheet_hides_is_told_by_row_and_column() -> None:
    book = parse(
        make.xlsx(
            {
                "一年级": SheetSpec(ROWS, merged=["A1:B1", "C2:C3"], hidden_rows=[2, 5], hidden_columns=[1]),
                "旧表": SheetSpec([["a"]], state="hidden"),
                "参数": SheetSpec([["b"]], state="veryHidden"),
                "空表": SheetSpec([]),
            }
        )
    )
    assert [(sheet.name, sheet.visible, sheet.cells) for sheet in book.sheets] == [
        ("一年级", "visible", 8),
        ("旧表", "hidden", 1),
        ("参数", "very-hidden", 1),
        ("空表", "visible", 0),
    ]
    first = book.sheets[0]
    assert first.merged == [(1, 0, 1, 1), (2, 2, 3, 2)]
    assert first.hidden_rows == {2, 5}
    assert first.hidden_columns == {1}
    assert only(parse(make.xls(ROWS, hidden_rows=[2]))).hidden_rows == {2}


def test_rows_keep_the_numbers_that_the_user_sees() -> None:
    sheet = only(
        parse(
            with_sheet(
                '<sheetData><row r="5"><c r="C5"><v>1</v></c></row><row r="7"><c r="D7"><v>2</v></c></row></sheetData>'
            )
        )
    )
    assert sheet.rows == [[], [], [], [], [None, None, 1.0, None], [], [None, None, None, 2.0]]


def test_errors_and_formulas_without_result_are_never_empty_cells() -> None:
    rows: make.Rows = [
        [Raw('<c r="{ref}" t="e"><v>#N/A</v></c>'), Raw('<c r="{ref}" t="e"><f>B9</f><v>#REF!</v></c>')],
        [Raw('<c r="{ref}"><f>1+1</f></c>'), Raw('<c r="{ref}"><f>1+1</f><v/></c>')],
        [Raw('<c r="{ref}"><f>1+1</f><v>2</v></c>'), Raw('<c r="{ref}" t="str"><f>IF(A1="","","")</f><v></v></c>')],
        [Raw('<c r="{ref}"><f>"362331"</f></c>'), "x"],
    ]
    sheet = only(parse(make.xlsx(rows)))
    assert sheet.rows == [
        [ErrorValue("#N/A"), ErrorValue("#REF!")],
        [Uncached(0), Uncached(1)],
        [2.0, None],
        ["362331", "x"],
    ]
    assert sheet.formulas == {0: 1, 1: 2}


def test_errors_and_formulas_of_old_workbooks_are_seen_too() -> None:
    sheet = only(parse(make.xls([["a", Raw("#N/A"), Raw("#DIV/0!")], [Raw("=1+1"), "", " "]])))
    assert sheet.rows == [["a", ErrorValue("#N/A"), ErrorValue("#DIV/0!")], [Uncached(0), None, " "]]


def test_an_uncalculated_formula_beyond_the_last_value_is_not_lost() -> None:
    sheet = only(parse(make.xlsx([["a"], [], [None, None, Raw('<c r="{ref}"><f>A1</f></c>')]])))
    assert sheet.rows == [["a"], [], [None, None, Uncached(2)]]


@pytest.mark.parametrize("value", [362331201209012345, 3.6233120120901235e17, 10**15, 6222021234567890128])
def test_numbers_beyond_fifteen_digits_are_damaged_in_every_format(value: float) -> None:
    shown = f"{float(value):.0f}"
    assert only(parse(make.xlsx([["号"], [value]]))).rows[1] == [Damaged(shown)]
    assert only(parse(make.xls([["号"], [float(value)]]))).rows[1] == [Damaged(shown)]
    assert only(parse(make.ods([["号"], [value]]))).rows[1] == [Damaged(shown)]
    assert only(parse(make.spreadsheet_ml([["号"], [value]]))).rows[1] == [Damaged(shown)]


def test_fifteen_digits_are_still_exact() -> None:
    assert only(parse(make.xlsx([[999999999999999, 13807970001]]))).rows == [[999999999999999.0, 13807970001.0]]


def test_impossible_dates_are_not_turned_into_possible_ones() -> None:
    cells = [Raw(f'<c r="{{ref}}" s="1"><v>{serial}</v></c>') for serial in ("60", "-5", "2958466", "25569.5", "41153")]
    (row,) = only(parse(make.xlsx([cells]))).rows
    assert row[0] == BadDate(60.0)
    assert not isinstance(row[1], dt.date)
    assert row[2:] == [2958466.0, dt.datetime(1970, 1, 1, 12), dt.date(2012, 9, 1)]  # noqa: DTZ001  no zone in sheets


def test_the_epoch_of_the_workbook_is_told_for_bare_serials() -> None:
    assert parse(make.xlsx(ROWS, date_1904=True)).epoch_1904
    assert parse(make.xls(ROWS, date_1904=True)).epoch_1904
    assert not parse(make.xlsx(ROWS)).epoch_1904


def test_guarded_text_of_our_exports_comes_back_as_it_was() -> None:
    sheet = only(parse(make.xlsx([["'=1+1", "'@x", "''x", "'王", "=cmd|' /C calc'!A0", "-5"]])))
    assert sheet.rows == [["=1+1", "@x", "'x", "'王", "=cmd|' /C calc'!A0", "-5"]]


def test_odd_but_lawful_xml_is_read_completely() -> None:
    comment = Raw('<!-- <v>1</v> --><c r="{ref}"><v>5</v></c>')
    quotes = Raw("<c r='{ref}' t='e'><v>#N/A</v></c>")
    unreferenced = Raw('<c><v>7</v></c><c t="e"><v>#N/A</v></c>')
    assert only(parse(make.xlsx([["a", comment]]))).rows == [["a", 5.0]]
    assert only(parse(make.xlsx([["a", quotes]]))).rows == [["a", ErrorValue("#N/A")]]
    assert only(parse(make.xlsx([[unreferenced]]))).rows == [[7.0, ErrorValue("#N/A")]]
    assert only(parse(make.xlsx([["a", "", " "], ["", "b"]]))).rows == [["a", None, " "], [None, "b", None]]


def test_pictures_in_cells_are_counted_not_read() -> None:
    picture = Raw('<c r="{ref}" t="str"><f>_xlfn.DISPIMG("ID_A",1)</f><v>=DISPIMG("ID_A",1)</v></c>')
    sheet = only(parse(make.xlsx([["照片", "姓名"], [picture, "王伟"]])))
    assert sheet.rows == [["照片", "姓名"], [None, "王伟"]]
    assert sheet.pictures == 1


def test_macros_are_left_out_and_told() -> None:
    assert parse(make.xlsx(ROWS, extra={"xl/vbaProject.bin": b"\0" * 50})).notes == ("macros",)


@pytest.mark.parametrize(
    "cell",
    [
        '<c r="{ref}" t="str"><v><![CDATA[x]]></v></c>',  # the library reads it as empty
        '<c r="A1"><v>5</v></c>',  # a second cell for a place that is taken
        '<c r="{ref}" t="s"><v>99</v></c>',  # a shared string that is not there
        '<c r="{ref}"><v>5</v></x>',
    ],
)
def test_a_cell_that_cannot_be_proved_refuses_the_file(cell: str) -> None:
    refused = refusal(make.xlsx([["a", Raw(cell)]]))
    assert refused.sentence == "表格结构异常，请另存后重新上传"


def test_a_sheet_that_breaks_off_is_refused_not_read_halfway() -> None:
    body = (
        b'<worksheet xmlns="%s"><sheetData><row r="1"><c r="A1"><v>1</v></c></row><row r="2"><c r="A2"><v>2</'
        % MAIN.encode()
    )
    assert refusal(make.xlsx([["a"]], replace={"xl/worksheets/sheet1.xml": body})).code == "structure"


@pytest.mark.parametrize("part", ["xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/styles.xml"])
def test_a_wrong_byte_in_any_part_refuses_the_file(part: str) -> None:
    data = make.with_flipped_byte(make.xlsx(make.roster_rows(80)), part)
    assert refusal(data).code in ("damaged", "structure")


@pytest.mark.parametrize(
    "part", ["xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/styles.xml", "docProps/core.xml"]
)
def test_entity_bombs_are_refused_in_every_part(part: str) -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "' + "&a;" * 100 + '">]>'
    body = f'<?xml version="1.0"?><!-- <x> -->{bomb}<worksheet xmlns="{MAIN}"><sheetData/></worksheet>'.encode()
    assert refusal(make.xlsx([["a"]], replace={part: body})).code == "doctype"


def test_an_external_entity_opens_no_file_and_no_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.5)
        address = f"http://127.0.0.1:{listener.getsockname()[1]}/x"
        for target in ("file:///etc/passwd", address):
            body = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "{target}">]><worksheet xmlns="{MAIN}">'
            body += '<sheetData><row r="1"><c r="A1" t="str"><v>&a;</v></c></row></sheetData></worksheet>'
            assert refusal(make.xlsx([["a"]], replace={"xl/worksheets/sheet1.xml": body.encode()})).code == "doctype"
        page = f'<html><head><link rel="stylesheet" href="{address}"></head><table><tr><td>甲<img src="{address}">'
        page += "</td></tr></table></html>"
        assert only(parse(page.encode())).rows == [["甲"]]
        with pytest.raises(TimeoutError):
            listener.accept()


def test_a_lying_count_of_shared_strings_reserves_no_memory() -> None:
    strings = f'<?xml version="1.0"?><sst xmlns="{MAIN}" uniqueCount="4000000000"><si><t>a</t></si></sst>'
    assert refusal(make.xlsx([["a"]], replace={"xl/sharedStrings.xml": strings.encode()})).code == "shared-strings"


@pytest.mark.parametrize(
    ("cell", "words"),
    [("XFD1048576", "第 1048576 行第 XFD 列"), ("B1048576", "第 1048576 行第 B 列"), ("XFD1", "第 1 行第 XFD 列")],
)
def test_a_lonely_cell_far_away_is_named(cell: str, words: str) -> None:
    row = cell.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    far = f'<c r="{cell}"><v>5</v></c>'
    first = '<c r="A1"><v>1</v></c>'
    rows = f'<row r="1">{first}{far}</row>' if row == "1" else f'<row r="1">{first}</row><row r="{row}">{far}</row>'
    refused = refusal(with_sheet(f"<sheetData>{rows}</sheetData>"))
    assert refused.code == "far-cell"
    assert words in refused.sentence


def test_a_sheet_that_is_really_wide_is_refused_by_its_columns() -> None:
    refused = refusal(make.xlsx([["x"] * 1500] * 3))
    assert refused.code == "columns"
    assert "超过 1000 列的上限" in refused.sentence


def test_a_second_table_in_one_sheet_is_not_lost() -> None:
    first, second = (f'<sheetData><row r="{n}"><c r="A{n}"><v>{n}</v></c></row></sheetData>' for n in (1, 2))
    assert refusal(with_sheet(first + second)).code == "structure"


def test_a_million_formatted_but_empty_rows_are_no_rows() -> None:
    blank = "".join(f'<row r="{number}" s="1" customFormat="1"/>' for number in range(2, 1_048_577))
    sheet = only(parse(with_sheet(f'<sheetData><row r="1"><c r="A1"><v>1</v></c></row>{blank}</sheetData>')))
    assert sheet.rows == [[1.0]]


def test_more_rows_than_allowed_are_refused_with_the_limit() -> None:
    refused = refusal(make.xlsx([["x"]] * 400), rows=100)
    assert refused.code == "rows"
    assert "超过 100 行的上限" in refused.sentence
    assert refusal(make.delimited([["x", "y"]] * 400), rows=100).code == "rows"
    assert only(parse(make.xlsx([["x"]] * 100), limits=Limits(rows=100))).cells == 100


def test_bombs_are_refused_without_using_the_workers_memory() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    codes = [refusal(data).code for data in (make.bomb(200), make.lying_bomb(64), make.lying_bomb(64, claimed=200))]
    assert codes == ["bomb", "damaged", "damaged"]
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 150 * 1024 + 64 * 1024  # the test builds its own bombs of 64 MB in this very process


def test_a_password_is_named() -> None:
    assert refusal(make.encrypted(make.xlsx(ROWS))).code == "encrypted"


def test_an_old_workbook_with_a_password_is_named() -> None:
    stream = make.xls(ROWS)
    bof = stream.index(b"\x09\x08\x10\x00")
    length = int.from_bytes(stream[bof + 2 : bof + 4], "little")
    after = bof + 4 + length
    number, size = stream[after : after + 2], int.from_bytes(stream[after + 2 : after + 4], "little")
    assert size >= 2
    locked = stream[:after] + b"\x2f\x00" + stream[after + 2 :]  # the record behind the first becomes FILEPASS
    assert number != b"\x2f\x00"
    assert refusal(locked).code == "encrypted"


def test_a_file_of_another_kind_and_name_is_read_by_content() -> None:
    assert parse(make.xls(ROWS), "名单.xlsx").kind is Kind.XLS
    assert parse(make.xlsx(ROWS), "名单.xls").kind is Kind.XLSX
    assert parse(make.delimited(ROWS), "名单.xls").kind is Kind.CSV


def test_a_header_without_rows_and_an_empty_book_are_told_apart_from_damage() -> None:
    assert only(parse(make.xlsx([["姓名"]]))).rows == [["姓名"]]
    assert only(parse(make.xlsx([]))).rows == []


def test_blocks_come_in_order_and_sum_up_to_the_sheet() -> None:
    rows = make.roster_rows(12_000)
    with open_book(make.xlsx({"一": SheetSpec(rows), "二": SheetSpec([["a"]])})) as book:
        assert book.sheet_names == ["一", "二"]
        sheets = book.sheets()
        first = next(sheets)
        blocks = [(block.first, len(block.rows)) for block in first]
        assert blocks == [(1, 5000), (5001, 5000), (10_001, 2001)]
        assert (first.cells, first.filled) == (12_001 * 6, 12_001)
        assert [list(block.numbered()) for block in next(sheets)] == [[(1, ["a"])]]
        assert next(sheets, None) is None


def test_a_sheet_that_nobody_reads_is_skipped_for_the_next() -> None:
    with open_book(make.xlsx({"一": SheetSpec(make.roster_rows(6000)), "二": SheetSpec([["a"]])})) as book:
        assert [sheet.name for sheet in book.sheets()] == ["一", "二"]


def test_the_reading_process_knows_no_secrets_and_loads_no_django(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Runs the real command with a spy in front: the environment and the modules that it has at the end."""
    monkeypatch.setenv("DATABASE_URL", "postgres://secret")
    assert "DATABASE_URL" not in parser._environment()
    assert not [name for name in parser._environment() if "KEY" in name or "URL" in name]
    spy = tmp_path / "spy.py"
    spy.write_text(
        "import os, runpy, sys\nos._exit = lambda code: None\nsys.argv = sys.argv[1:]\nrunpy.run_path(sys.argv[0], run_name='__main__')\n"
        "loaded = {name.partition('.')[0] for name in sys.modules}\n"
        "print(sorted(loaded & {'django', 'celery', 'psycopg2', 'environ'}), file=sys.stderr)\n"
    )
    command = [
        sys.executable,
        "-I",
        "-S",
        str(spy),
        str(parser._CHILD),
        *parser._places(),
        "read",
        json.dumps(asdict(Limits())),
    ]
    done = subprocess.run(
        command, input=make.xlsx(ROWS), capture_output=True, env=parser._environment(), cwd="/", check=True
    )
    assert done.stderr.strip().endswith(b"[]")


def test_a_process_that_is_killed_refuses_only_this_file(monkeypatch: pytest.MonkeyPatch) -> None:
    assert refusal(make.xlsx(make.roster_rows(30_000)), cpu_seconds=0).code in ("time", "crashed", "memory")
    assert refusal(make.xlsx(ROWS), memory_bytes=8 * 1024 * 1024).code in ("crashed", "memory")
    assert only(parse(make.xlsx(ROWS))).rows == READ


def test_a_process_that_hangs_is_stopped_by_the_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sleeper = tmp_path / "child.py"
    sleeper.write_text("import time\ntime.sleep(60)\n")
    monkeypatch.setattr(parser, "_CHILD", sleeper)
    started = time.monotonic()
    assert refusal(make.xlsx(ROWS), wall_seconds=0.5).code == "time"
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    "frames",
    [
        "b''",
        "b'B\\x00\\x00\\x00\\x02[]'",
        "b'H\\xff\\xff\\xff\\xff'",
        "b'H\\x00\\x00\\x00\\x02{}'",
        "b'R\\x00\\x00\\x00\\x02[]'",
        'b\'R\\x00\\x00\\x00\\x22{"code": "no-such", "params": {} } \'',
        "b'garbage that is no frame at all'",
    ],
)
def test_whatever_a_broken_process_says_is_a_refusal(
    frames: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    liar = tmp_path / "child.py"
    liar.write_text(f"import sys\nsys.stdin.buffer.read()\nsys.stdout.buffer.write({frames})\n")
    monkeypatch.setattr(parser, "_CHILD", liar)
    assert refusal(make.xlsx(ROWS), wall_seconds=5).code == "crashed"


def test_cells_that_no_reader_made_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    liar = tmp_path / "child.py"
    liar.write_text(
        "import json, struct, sys\n"
        "def say(letter, payload):\n"
        "    body = json.dumps(payload).encode()\n"
        "    sys.stdout.buffer.write(struct.pack('>cI', letter, len(body)) + body)\n"
        "say(b'H', {'kind': 'xlsx', 'epoch_1904': False, 'sheets': [['a', 'visible']], 'notes': []})\n"
        "say(b'S', {'index': 0, 'facts': {'merged': [], 'hidden_rows': [], 'hidden_columns': [], 'formulas': {}}})\n"
        "say(b'B', [1, [[{'$evil': 1}]]])\n"
    )
    monkeypatch.setattr(parser, "_CHILD", liar)
    assert refusal(make.xlsx(ROWS), wall_seconds=5).code == "crashed"


def test_no_process_and_no_pipe_is_left_behind() -> None:
    def children() -> set[int]:
        found = set()
        for entry in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                if entry.read_text().rpartition(")")[2].split()[1] == str(os.getpid()):
                    found.add(int(entry.parent.name))
        return found

    before, pipes = children(), len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        parse(make.xlsx(ROWS))
        refusal(make.truncated(make.xlsx(ROWS)))
        with open_book(make.xlsx(make.roster_rows(6000))) as book:
            next(book.sheets())  # left in the middle
    assert children() <= before
    assert len(os.listdir("/proc/self/fd")) == pipes


def test_several_files_can_be_read_at_the_same_time() -> None:
    answers: list[int] = []
    data = make.xlsx(make.roster_rows(300))
    threads = [threading.Thread(target=lambda: answers.append(only(parse(data)).cells)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [301 * 6] * 4


def test_our_reading_agrees_with_openpyxl_on_a_workbook_that_openpyxl_wrote(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in make.roster_rows(200):
        sheet.append(row)
    sheet["H3"] = dt.date(2012, 9, 1)
    sheet["I4"] = "=1+1"
    path = tmp_path / "a.xlsx"
    book.save(path)
    read = only(parse(path.read_bytes()))
    assert read.rows[2][7] == dt.date(2012, 9, 1)
    assert read.rows[3][8] == Uncached(8)
    again = openpyxl.load_workbook(path).active
    assert again is not None
    assert [row[:6] for row in read.rows] == [[cell.value for cell in row][:6] for row in again.iter_rows()]


_TEXT = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Cn"], include_characters="\n𠮷䶮\u200b'=&<>\"_x000D_"),
    min_size=1,
    max_size=12,
).filter(lambda text: text.strip() == text and restore_formula(text) == text and "_x" not in text)
_CELL = st.one_of(
    st.none(),
    _TEXT,
    st.booleans(),
    st.floats(min_value=-1e14, max_value=1e14, allow_nan=False).map(lambda value: float(f"{value:.6g}")),
    st.dates(dt.date(1900, 3, 1), dt.date(2099, 12, 31)),
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    rows=st.lists(st.lists(_CELL, min_size=1, max_size=6), max_size=8),
    inline=st.booleans(),
    prefix=st.sampled_from(["", "x"]),
)
def test_whatever_is_written_is_read_cell_by_cell(rows: list[list[make.Value]], inline: bool, prefix: str) -> None:
    width = max(map(len, rows), default=0)
    expected = [row + [None] * (width - len(row)) if any(cell is not None for cell in row) else [] for row in rows]
    while expected and not expected[-1]:
        expected.pop()
    used = max((column for row in expected for column, cell in enumerate(row) if cell is not None), default=-1) + 1
    read = only(parse(make.xlsx(rows, inline=inline, prefix=prefix))).rows
    assert [row[:used] for row in read] == [row[:used] for row in expected]
