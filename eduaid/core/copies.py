"""A workbook of the old format, of WPS, OpenDocument or plain text as a new .xlsx with the same sheets, rows and columns.

Values, merged cells, hidden rows, columns and sheets come along; looks do not, since nobody can read them from every
format. Row numbers stay what the user saw. Plain Python, no Django.
"""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Sequence
from xml.sax.saxutils import quoteattr

from eduaid.core.cells import BadDate, Cell, Damaged, ErrorValue, Row, Uncached
from eduaid.core.packages import xml_text
from eduaid.core.parser import OpenSheet, open_book
from eduaid.core.preflight import Limits
from eduaid.core.workbooks import column_name

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_EPOCH = dt.datetime(1899, 12, 30)  # noqa: DTZ001 spreadsheets know no time zones
_GENERAL, _TEXT, _DAY, _MOMENT = range(4)
_STYLES = (
    f'{_HEAD}<styleSheet xmlns="{_MAIN}"><numFmts count="2"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd"/><numFmt '
    'numFmtId="165" formatCode="yyyy\\-mm\\-dd\\ hh:mm:ss"/></numFmts><fonts count="1"><font><sz val="11"/><name '
    'val="宋体"/></font></fonts><fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill '
    'patternType="gray125"/></fill></fills><borders count="1"><border/></borders><cellStyleXfs count="1"><xf/>'
    '</cellStyleXfs><cellXfs count="4">'
    + "".join(
        f'<xf numFmtId="{number}" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
        for number in (0, 49, 164, 165)
    )
    + '</cellXfs><cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)
_EMPTY = f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetData/></worksheet>'
_WIDEST, _NARROWEST = 40.0, 8.0


def as_xlsx(data: bytes, name: str, *, limits: Limits | None = None) -> bytes:
    """The file's contents as .xlsx. Raises FileRefused."""
    out = io.BytesIO()
    sheets: list[tuple[str, str]] = []
    with (
        open_book(data, name, limits=limits) as book,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
    ):
        for sheet in book.sheets():
            while len(sheets) < sheet.index:  # a chart: its place is kept, so that sheets count as before
                sheets.append((book.sheet_names[len(sheets)], "hidden"))
                archive.writestr(f"xl/worksheets/sheet{len(sheets)}.xml", _EMPTY)
            state = {"hidden": "hidden", "very-hidden": "veryHidden"}.get(sheet.visible, "visible")
            sheets.append((sheet.name or f"Sheet{len(sheets) + 1}", state))
            archive.writestr(f"xl/worksheets/sheet{len(sheets)}.xml", _sheet_xml(sheet))
        for part, text in _frame(sheets):
            archive.writestr(part, text)
    return out.getvalue()


def _sheet_xml(sheet: OpenSheet) -> bytes:
    widths: dict[int, float] = {}
    pieces: list[str] = []
    for block in sheet:
        for number, row in block.numbered():
            hidden = ' hidden="1"' if number in sheet.hidden_rows else ""
            pieces.append(f'<row r="{number}"{hidden}>{_row_xml(number, row, widths)}</row>')
    columns = "".join(
        f'<col min="{column + 1}" max="{column + 1}" width="{min(max(width, _NARROWEST), _WIDEST)}" customWidth="1"'
        + (' hidden="1"/>' if column in sheet.hidden_columns else "/>")
        for column, width in sorted(widths.items())
    )
    merges = "".join(
        f'<mergeCell ref="{column_name(left)}{top}:{column_name(right)}{bottom}"/>'
        for top, left, bottom, right in sheet.merged
    )
    merged = f'<mergeCells count="{len(sheet.merged)}">{merges}</mergeCells>' if merges else ""
    cols = f"<cols>{columns}</cols>" if columns else ""
    return (
        f'{_HEAD}<worksheet xmlns="{_MAIN}">{cols}<sheetData>{"".join(pieces)}</sheetData>{merged}</worksheet>'.encode(
            "utf-8", "replace"
        )
    )


def _row_xml(number: int, row: Row, widths: dict[int, float]) -> str:
    cells = []
    for column, cell in enumerate(row):
        if cell is None or cell == "":
            continue
        cells.append(_cell_xml(f"{column_name(column)}{number}", cell))
        length = len(cell) * (1.0 if cell.isascii() else 2.0) + 2 if isinstance(cell, str) else 12.0
        if number <= 60 and length > widths.get(column, 0):
            widths[column] = length
    return "".join(cells)


def _cell_xml(reference: str, cell: Cell) -> str:
    match cell:
        case str():
            return f'<c r="{reference}" s="{_TEXT}" t="inlineStr"><is><t xml:space="preserve">{xml_text(cell)}</t></is></c>'
        case bool():
            return f'<c r="{reference}" t="b"><v>{int(cell)}</v></c>'
        case float() | int():
            return f'<c r="{reference}"><v>{cell!r}</v></c>'
        case Damaged(shown):
            return f'<c r="{reference}"><v>{shown}</v></c>'
        case ErrorValue(code):
            return f'<c r="{reference}" t="e"><v>{xml_text(code)}</v></c>'
        case dt.datetime():
            return f'<c r="{reference}" s="{_MOMENT}"><v>{(cell - _EPOCH) / dt.timedelta(1)!r}</v></c>'
        case dt.date():
            return f'<c r="{reference}" s="{_DAY}"><v>{cell.toordinal() - _EPOCH.toordinal()}</v></c>'
        case BadDate(serial):
            return f'<c r="{reference}" s="{_DAY}"><v>{serial!r}</v></c>'
        case None | Uncached():
            return ""
    return f'<c r="{reference}" s="{_TEXT}" t="inlineStr"><is><t>{xml_text(str(cell))}</t></is></c>'


def _frame(sheets: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    listed = "".join(
        f'<sheet name={quoteattr(name)} sheetId="{number}" state="{state}" r:id="rId{number}"/>'
        for number, (name, state) in enumerate(sheets, 1)
    )
    related = "".join(
        f'<Relationship Id="rId{number}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{number}.xml"/>'
        for number in range(1, len(sheets) + 1)
    )
    typed = "".join(
        f'<Override PartName="/xl/worksheets/sheet{number}.xml" ContentType="{_TYPE}.worksheet+xml"/>'
        for number in range(1, len(sheets) + 1)
    )
    return [
        ("xl/styles.xml", _STYLES),
        (
            "xl/workbook.xml",
            f'{_HEAD}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{listed}</sheets></workbook>',
        ),
        (
            "xl/_rels/workbook.xml.rels",
            f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">{related}<Relationship Id="rIdS" '
            f'Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>',
        ),
        (
            "_rels/.rels",
            f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" '
            f'Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        ),
        (
            "[Content_Types].xml",
            f'{_HEAD}<Types xmlns="{_PACKAGE}/content-types"><Default Extension="xml" ContentType="application/xml"/>'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
            f'<Override PartName="/xl/styles.xml" ContentType="{_TYPE}.styles+xml"/>{typed}</Types>',
        ),
    ]
