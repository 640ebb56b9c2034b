"""Builds real workbook bytes for tests: as spreadsheet programs write them, and broken in every way.

A cell is text, a number, a date, ``None``, or ``Raw`` XML for what no writer would produce willingly.
"""

import csv
import datetime as dt
import io
import random
import struct
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias
from xml.sax.saxutils import escape, quoteattr

from eduaid.core.reading.xlsx import column_name
from eduaid.core.text import check_digit

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
STRICT_MAIN = "http://purl.oclc.org/ooxml/spreadsheetml/main"
STRICT_RELATIONS = "http://purl.oclc.org/ooxml/officeDocument/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"


@dataclass(frozen=True)
class Raw:
    """XML of a whole ``<c>`` element; ``{ref}`` stands for the cell's reference."""

    xml: str


Value: TypeAlias = str | int | float | bool | dt.date | Raw | None
Rows: TypeAlias = Sequence[Sequence[Value]]


@dataclass
class SheetSpec:
    """One sheet and what its structure says. Rows and columns count from 1 and 0 as in the parser."""

    rows: Rows
    state: Literal["visible", "hidden", "veryHidden"] = "visible"
    merged: Sequence[str] = ()  # A1:C1
    hidden_rows: Iterable[int] = ()
    hidden_columns: Iterable[int] = ()
    dimension: str = ""
    before: str = ""  # XML in front of sheetData
    after: str = ""  # XML behind it


@dataclass
class _Strings:
    """Shared strings, as Excel and WPS write them."""

    found: dict[str, int] = field(default_factory=dict)

    def index(self, text: str) -> int:
        return self.found.setdefault(text, len(self.found))


def valid_id(region: str = "990121", born: str = "20120901", sequence: str = "234") -> str:
    """A generated ID number with the right check digit, in the fictional county."""
    return region + born + sequence + check_digit(region + born + sequence)


def xlsx(
    sheets: Rows | Mapping[str, Rows | SheetSpec],
    *,
    date_1904: bool = False,
    strict: bool = False,
    prefix: str = "",
    inline: bool = False,
    extra: Mapping[str, bytes] | None = None,
    replace: Mapping[str, bytes] | None = None,
    separator: str = "/",
) -> bytes:
    """A workbook. ``prefix``: element names get it, as the Open XML SDK does. ``extra``: further parts; ``replace``:
    parts instead of the regular ones."""
    named: Mapping[str, Rows | SheetSpec] = sheets if isinstance(sheets, Mapping) else {"Sheet1": sheets}
    specs = {name: sheet if isinstance(sheet, SheetSpec) else SheetSpec(sheet) for name, sheet in named.items()}
    main, relations = (STRICT_MAIN, STRICT_RELATIONS) if strict else (MAIN, RELATIONS)
    strings = _Strings()
    p = f"{prefix}:" if prefix else ""
    namespace = f'xmlns:{prefix}="{main}"' if prefix else f'xmlns="{main}"'
    parts: dict[str, bytes] = {}
    for number, spec in enumerate(specs.values(), 1):
        parts[f"xl/worksheets/sheet{number}.xml"] = _sheet_xml(spec, strings, p, namespace, inline, date_1904).encode()
    listed = "".join(
        f'<{p}sheet name={quoteattr(name)} sheetId="{number}" '
        + (f'state="{spec.state}" ' if spec.state != "visible" else "")
        + f'r:id="rId{number}"/>'
        for number, (name, spec) in enumerate(specs.items(), 1)
    )
    epoch = ' date1904="1"' if date_1904 else ""
    parts["xl/workbook.xml"] = _xml(
        f'<{p}workbook {namespace} xmlns:r="{relations}"><{p}workbookPr{epoch}/><{p}sheets>{listed}</{p}sheets>'
        f"</{p}workbook>"
    )
    targets = [(f"rId{n}", "worksheet", f"worksheets/sheet{n}.xml") for n in range(1, len(specs) + 1)]
    targets += [("rId90", "styles", "styles.xml"), ("rId91", "sharedStrings", "sharedStrings.xml")]
    parts["xl/_rels/workbook.xml.rels"] = _relations(relations, targets)
    parts["xl/styles.xml"] = _STYLES.replace(b"MAIN", main.encode())
    items = "".join(f'<{p}si><{p}t xml:space="preserve">{escape(text)}</{p}t></{p}si>' for text in strings.found)
    parts["xl/sharedStrings.xml"] = _xml(f'<{p}sst {namespace} uniqueCount="{len(strings.found)}">{items}</{p}sst>')
    parts["_rels/.rels"] = _relations(relations, [("rId1", "officeDocument", "xl/workbook.xml")])
    parts["[Content_Types].xml"] = _content_types(len(specs))
    return zipped({**parts, **(extra or {}), **(replace or {})}, separator=separator)


def _xml(body: str) -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n{body}'.encode()


def _relations(base: str, targets: Iterable[tuple[str, str, str]]) -> bytes:
    items = "".join(f'<Relationship Id="{i}" Type="{base}/{kind}" Target="{target}"/>' for i, kind, target in targets)
    return _xml(f'<Relationships xmlns="{_PACKAGE}/relationships">{items}</Relationships>')


def _content_types(sheets: int) -> bytes:
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    overrides = [
        ("/xl/workbook.xml", "sheet.main"),
        ("/xl/styles.xml", "styles"),
        ("/xl/sharedStrings.xml", "sharedStrings"),
    ]
    overrides += [(f"/xl/worksheets/sheet{n}.xml", "worksheet") for n in range(1, sheets + 1)]
    items = "".join(f'<Override PartName="{part}" ContentType="{kind}.{what}+xml"/>' for part, what in overrides)
    return _xml(
        f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="xml" ContentType="application/xml"/><Default '
        f'Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>{items}</Types>'
    )


# Styles: 0 general, 1 date, 2 text.
_STYLES = _xml(
    '<styleSheet xmlns="MAIN"><fonts count="1"><font/></fonts><fills count="1"><fill><patternFill patternType="none"/></fill></fills>'
    '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
    '<cellXfs count="3"><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="49"/></cellXfs></styleSheet>'
)


def _sheet_xml(spec: SheetSpec, strings: _Strings, p: str, namespace: str, inline: bool, date_1904: bool) -> str:
    hidden = set(spec.hidden_rows)
    rows = []
    for number, row in enumerate(spec.rows, 1):
        cells = "".join(
            _cell_xml(value, f"{column_name(column)}{number}", strings, p, inline, date_1904)
            for column, value in enumerate(row)
        )
        rows.append(
            f'<{p}row r="{number}"{" hidden=" + chr(34) + "1" + chr(34) if number in hidden else ""}>{cells}</{p}row>'
        )
    columns = "".join(f'<{p}col min="{c + 1}" max="{c + 1}" width="9" hidden="1"/>' for c in spec.hidden_columns)
    merged = "".join(f'<{p}mergeCell ref="{reference}"/>' for reference in spec.merged)
    return (
        f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<{p}worksheet {namespace}>'
        + (f'<{p}dimension ref="{spec.dimension}"/>' if spec.dimension else "")
        + (f"<{p}cols>{columns}</{p}cols>" if columns else "")
        + spec.before
        + f"<{p}sheetData>{''.join(rows)}</{p}sheetData>"
        + (f"<{p}mergeCells>{merged}</{p}mergeCells>" if merged else "")
        + spec.after
        + f"</{p}worksheet>"
    )


def _cell_xml(value: Value, ref: str, strings: _Strings, p: str, inline: bool, date_1904: bool) -> str:
    match value:
        case None:
            return ""
        case Raw(xml):
            return xml.replace("{ref}", ref)
        case bool():
            return f'<{p}c r="{ref}" t="b"><{p}v>{int(value)}</{p}v></{p}c>'
        case int() | float():
            return f'<{p}c r="{ref}"><{p}v>{value!r}</{p}v></{p}c>'
        case dt.date():
            serial = (value - (dt.date(1904, 1, 1) if date_1904 else dt.date(1899, 12, 30))).days
            return f'<{p}c r="{ref}" s="1"><{p}v>{serial}</{p}v></{p}c>'
        case str() if inline:
            return (
                f'<{p}c r="{ref}" t="inlineStr"><{p}is><{p}t xml:space="preserve">{escape(value)}</{p}t></{p}is></{p}c>'
            )
    return f'<{p}c r="{ref}" t="s"><{p}v>{strings.index(value)}</{p}v></{p}c>'


def zipped(parts: Mapping[str, bytes], *, separator: str = "/") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            info = zipfile.ZipInfo(name.replace("/", separator))
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, data)
    return out.getvalue()


def sheet_xml(body: str) -> bytes:
    """A worksheet part with this inside."""
    return _xml(f'<worksheet xmlns="{MAIN}">{body}</worksheet>')


def xls(sheets: Rows | Mapping[str, Rows], *, date_1904: bool = False, hidden_rows: Iterable[int] = ()) -> bytes:
    """A BIFF8 workbook. ``Raw("#N/A")`` writes an error value, ``Raw("=1+1")`` a formula without a result."""
    import xlwt

    errors = {"#NULL!": 0, "#DIV/0!": 7, "#VALUE!": 15, "#REF!": 23, "#NAME?": 29, "#NUM!": 36, "#N/A": 42}
    book = xlwt.Workbook(encoding="utf-8")
    book.dates_1904 = date_1904
    for name, rows in (sheets if isinstance(sheets, Mapping) else {"Sheet1": sheets}).items():
        sheet = book.add_sheet(name)
        for number in hidden_rows:
            sheet.row(number - 1).hidden = True
        for row_index, row in enumerate(rows):
            for column, value in enumerate(row):
                match value:
                    case None:
                        continue
                    case Raw(text) if text.startswith("="):
                        sheet.write(row_index, column, xlwt.Formula(text[1:]))
                    case Raw(text):
                        sheet.row(row_index).set_cell_error(column, errors[text])
                    case dt.date():
                        sheet.write(row_index, column, value, xlwt.easyxf(num_format_str="yyyy-mm-dd"))
                    case _:
                        sheet.write(row_index, column, value)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def delimited(rows: Rows, *, encoding: str = "utf-8-sig", delimiter: str = ",", ending: str = "\r\n") -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator=ending)
    writer.writerows(["" if value is None else value for value in row] for row in rows)
    return out.getvalue().encode(encoding)


def ods(rows: Rows, *, name: str = "Sheet1") -> bytes:
    """A small OpenDocument spreadsheet. Equal neighbours in a row are written once and repeated, as LibreOffice
    does."""
    lines = "".join(f"<table:table-row>{_ods_cells(row)}</table:table-row>" for row in rows)
    content = (
        '<?xml version="1.0" encoding="UTF-8"?><office:document-content '
        'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
        'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
        'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" '
        'xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0" office:version="1.3">'
        f"<office:body><office:spreadsheet><table:table table:name={quoteattr(name)}>{lines}</table:table>"
        "</office:spreadsheet></office:body></office:document-content>"
    )
    manifest = (
        '<?xml version="1.0"?><manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'
    )
    mime = b"application/vnd.oasis.opendocument.spreadsheet"
    return zipped({"mimetype": mime, "content.xml": content.encode(), "META-INF/manifest.xml": manifest.encode()})


def _ods_cells(row: Sequence[Value]) -> str:
    cells = []
    index = 0
    while index < len(row):
        value, times = row[index], 1
        while index + times < len(row) and row[index + times] == value:
            times += 1
        repeat = f' table:number-columns-repeated="{times}"' if times > 1 else ""
        match value:
            case None:
                cells.append(f"<table:table-cell{repeat}/>")
            case Raw(xml):
                cells.append(xml)
            case bool():
                cells.append(
                    f'<table:table-cell{repeat} office:value-type="boolean" '
                    f'office:boolean-value="{str(value).lower()}"/>'
                )
            case int() | float():
                cells.append(
                    f'<table:table-cell{repeat} office:value-type="float" office:value="{value}">'
                    f"<text:p>{value}</text:p></table:table-cell>"
                )
            case dt.date():
                cells.append(
                    f'<table:table-cell{repeat} office:value-type="date" office:date-value="{value}">'
                    f"<text:p>{value}</text:p></table:table-cell>"
                )
            case str():
                cells.append(
                    f'<table:table-cell{repeat} office:value-type="string"><text:p>{escape(value)}</text:p>'
                    "</table:table-cell>"
                )
        index += times
    return "".join(cells)


def html(rows: Rows, *, encoding: str = "utf-8") -> bytes:
    """A page with one table, as web systems offer it under the name .xls."""
    lines = "".join("<tr>" + "".join(f"<td>{escape(str(value or ''))}</td>" for value in row) + "</tr>" for row in rows)
    head = f'<head><meta charset="{encoding}"><style>td {{}}</style></head>'
    page = f"<html>{head}<body><table>{lines}</table></body></html>"
    return page.encode(encoding)


def spreadsheet_ml(rows: Rows, *, name: str = "Sheet1") -> bytes:
    """SpreadsheetML 2003."""
    lines = "".join("<Row>" + "".join(map(_ml_cell, row)) + "</Row>" for row in rows)
    return _xml(
        '<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" '
        'xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet">'
        f"<Worksheet ss:Name={quoteattr(name)}><Table>{lines}</Table></Worksheet></Workbook>"
    )


def _ml_cell(value: Value) -> str:
    match value:
        case None:
            return "<Cell/>"
        case Raw(xml):
            return xml
        case int() | float():
            return f'<Cell><Data ss:Type="Number">{value!r}</Data></Cell>'
        case dt.date():
            return f'<Cell><Data ss:Type="DateTime">{value.isoformat()}T00:00:00.000</Data></Cell>'
    return f'<Cell><Data ss:Type="String">{escape(str(value))}</Data></Cell>'


def encrypted(data: bytes, password: str = "secret") -> bytes:
    """An xlsx behind an opening password: an OLE container with an EncryptedPackage."""
    from msoffcrypto.format.ooxml import OOXMLFile

    out = io.BytesIO()
    OOXMLFile(io.BytesIO(data)).encrypt(password, out)
    return out.getvalue()


def truncated(data: bytes, share: float = 0.7) -> bytes:
    return data[: int(len(data) * share)]


def with_flipped_byte(data: bytes, part: str) -> bytes:
    """One byte in the packed data of a part is wrong, as after a bad copy."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        info = archive.getinfo(part)
    name_length, extra_length = struct.unpack("<HH", data[info.header_offset + 26 : info.header_offset + 30])
    place = info.header_offset + 30 + name_length + extra_length + info.compress_size // 2
    return data[:place] + bytes([data[place] ^ 0x10]) + data[place + 1 :]


def bomb(megabytes: int = 300) -> bytes:
    """A worksheet of blanks that unpacks to this much, honestly declared."""
    return xlsx([["a"]], replace={"xl/worksheets/sheet1.xml": b" " * (megabytes * 1024 * 1024)})


def lying_bomb(megabytes: int = 64, claimed: int = 1024) -> bytes:
    """The same, but the directory and the local header claim that the part is small."""
    data = bytearray(bomb(megabytes))
    real = struct.pack("<I", megabytes * 1024 * 1024)
    fake = struct.pack("<I", claimed)
    return bytes(data).replace(real, fake)


def overlapping() -> bytes:
    """Two entries of the directory that share the same packed bytes."""
    data = xlsx([["a"]], extra={"xl/media/a.xml": b"x" * 64, "xl/media/b.xml": b"x" * 64})
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        first, second = archive.getinfo("xl/media/a.xml"), archive.getinfo("xl/media/b.xml")
    return data.replace(
        struct.pack("<I", second.header_offset) + b"xl/media/b.xml",
        struct.pack("<I", first.header_offset) + b"xl/media/b.xml",
    )


def with_entry(data: bytes, name: str, content: bytes = b"x") -> bytes:
    """One more entry under any name at all."""
    out = io.BytesIO(data)
    with zipfile.ZipFile(out, "a") as archive:
        info = zipfile.ZipInfo("placeholder" + "_" * (len(name) - 11) if len(name) > 11 else "p" * len(name))
        archive.writestr(info, content)
        placed = info.filename.encode()
    return out.getvalue().replace(placed, name.encode())


def roster_rows(count: int, *, seed: int = 1) -> list[list[Value]]:
    """A header and generated pupils: name, sex, birth date, ID, grade, class."""
    chance = random.Random(seed)
    surnames, given = "王李张刘陈杨黄赵吴周徐孙", "子涵宇轩欣怡浩然梓萱雨桐俊杰诗琪佳明思远"
    rows: list[list[Value]] = [["姓名", "性别", "出生日期", "身份证号", "年级", "班级"]]
    for _ in range(count):
        born = dt.date(2010, 1, 1) + dt.timedelta(chance.randrange(3000))
        number = valid_id(born=born.strftime("%Y%m%d"), sequence=f"{chance.randrange(1000):03d}")
        name = chance.choice(surnames) + "".join(chance.sample(given, 2))
        sex = "男" if int(number[16]) % 2 else "女"
        rows.append(
            [
                name,
                sex,
                born.isoformat(),
                number,
                chance.choice(["一年级", "三年级", "七年级"]),
                f"{chance.randrange(1, 7)}班",
            ]
        )
    return rows
