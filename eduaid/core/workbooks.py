"""Writing workbooks and CSV: templates, exports, lists for people. Plain Python, no Django.

Sheets are written as XML while the rows come in, so a long export needs no more memory than a short one. Text never
becomes a formula: see ``guard_formula`` for the convention (one apostrophe in front) and ``restore_formula``, which
intake applies, so that what was exported comes back unchanged.
"""

import csv
import datetime as dt
import io
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from operator import itemgetter
from typing import IO, Any, Literal, TypeAlias
from xml.sax.saxutils import escape, quoteattr

from eduaid.core.text.characters import guard_formula

Value: TypeAlias = str | int | float | Decimal | bool | dt.date | dt.datetime | None
Format = Literal["text", "whole", "money", "date", "general"]


@dataclass(frozen=True)
class OutColumn:
    """One column. Text columns keep what is typed into them exactly, identity numbers above all.

    ``choices`` become a drop-down list kept on a hidden sheet; a value outside it is warned of, not refused, because
    the intake's own check explains better.
    """

    header: str
    format: Format = "text"
    width: float = 12.0
    choices: Sequence[str] = ()
    prompt: str = ""
    locked: bool = False
    hidden: bool = False


@dataclass(frozen=True)
class OutSheet:
    """``title`` and ``lines`` stand above the header (what, who, when); ``spare_rows`` are formatted below the data
    for typing; ``protected`` lets people change only what is not locked."""

    name: str
    columns: Sequence[OutColumn]
    rows: Iterable[Sequence[Value]]
    title: str = ""
    lines: Sequence[str] = ()
    spare_rows: int = 0
    protected: bool = False
    hidden: bool = False


_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'

_STYLE_NAMES = ("general", "title", "line", "header", "text", "whole", "money", "date")
_STYLES = {name: number for number, name in enumerate(_STYLE_NAMES)}
_UNLOCKED = len(_STYLE_NAMES)  # each style once more, for cells that may be changed on a protected sheet
_EPOCH = dt.date(1899, 12, 30)
_SPECIAL = re.compile("[&<>\x00-\x08\x0b-\x1f\ufffe\uffff\ud800-\udfff]|_x[0-9A-Fa-f]{4}_")
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0d\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_UNDERSCORED = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_LONGEST_TEXT = 32_767
_LISTS = "选项"


def write_workbook(sheets: Sequence[OutSheet], out: IO[bytes] | None = None, *, watermark: str = "") -> bytes:
    """Writes the workbook to ``out`` or returns its bytes. ``watermark`` (who, when, serial) is printed in every
    footer."""
    target = out if out is not None else io.BytesIO()
    lists = _lists(sheets)
    names = [_sheet_name(sheet.name, number) for number, sheet in enumerate(sheets)]
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for number, sheet in enumerate(sheets, 1):
            with archive.open(_entry(f"xl/worksheets/sheet{number}.xml"), "w", force_zip64=True) as part:
                for piece in _sheet_xml(sheet, lists, watermark):
                    part.write(piece.encode("utf-8", "surrogatepass"))
        states = ["hidden" if sheet.hidden else "visible" for sheet in sheets]
        if lists:
            names.append(_LISTS)
            states.append("hidden")
            archive.writestr(_entry(f"xl/worksheets/sheet{len(names)}.xml"), _lists_xml(lists))
        for name, body in _frame_parts(names, states):
            archive.writestr(_entry(name), body)
    return target.getvalue() if isinstance(target, io.BytesIO) and out is None else b""


def write_csv(headers: Sequence[str], rows: Iterable[Sequence[Value]]) -> Iterator[bytes]:
    """UTF-8 with byte order mark, so that spreadsheet programs know the encoding; in pieces."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    buffer.write("\ufeff")
    writer.writerow([guard_formula(header) for header in headers])
    for row in rows:
        writer.writerow([_csv_value(value) for value in row])
        if buffer.tell() > 65_536:
            yield buffer.getvalue().encode("utf-8", "replace")
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode("utf-8", "replace")


def _csv_value(value: Value) -> str:
    match value:
        case None:
            return ""
        case str():
            return guard_formula(value)
        case bool():
            return "是" if value else "否"
        case dt.date():
            return value.isoformat()
    return str(value)


def _entry(name: str) -> zipfile.ZipInfo:
    """Every entry with the same moment: the same content gives the same file."""
    info = zipfile.ZipInfo(name)
    info.compress_type = zipfile.ZIP_DEFLATED
    return info


def _sheet_name(name: str, number: int) -> str:
    """Spreadsheets allow 31 characters and not all of them."""
    cleaned = re.sub(r"[\[\]:*?/\\\x00-\x1f]", " ", name).strip("' ")[:31]
    return cleaned or f"Sheet{number + 1}"


def _text_xml(text: str) -> str:
    """Escaped text: forbidden characters the way spreadsheets write them, _x000B_."""
    text = guard_formula(text)[:_LONGEST_TEXT]
    if _SPECIAL.search(text):
        text = _UNDERSCORED.sub("_x005F_", text)
        text = escape(_FORBIDDEN.sub(lambda match: f"_x{ord(match[0]):04X}_", text))
    return text


def column_name(column: int) -> str:
    """0 → A, 26 → AA."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def _lists(sheets: Sequence[OutSheet]) -> dict[tuple[str, ...], int]:
    """The different drop-down lists → their column on the hidden sheet."""
    found: dict[tuple[str, ...], int] = {}
    for sheet in sheets:
        for column in sheet.columns:
            if column.choices:
                found.setdefault(tuple(column.choices), len(found))
    return found


def _sheet_xml(sheet: OutSheet, lists: dict[tuple[str, ...], int], watermark: str) -> Iterator[str]:
    columns = sheet.columns
    above = ([sheet.title] if sheet.title else []) + list(sheet.lines)
    header_row = len(above) + 1
    last = column_name(len(columns) - 1)
    yield _HEAD
    yield f'<worksheet xmlns="{_MAIN}"><sheetPr><pageSetUpPr fitToPage="1"/></sheetPr><sheetViews><sheetView '
    yield f'workbookViewId="0"><pane ySplit="{header_row}" topLeftCell="A{header_row + 1}" activePane="bottomLeft" '
    yield 'state="frozen"/></sheetView></sheetViews><sheetFormatPr defaultRowHeight="16"/><cols>'
    styles = [_column_style(column, sheet.protected) for column in columns]
    for number, (column, style) in enumerate(zip(columns, styles, strict=True), 1):
        hidden = ' hidden="1"' if column.hidden else ""
        yield f'<col min="{number}" max="{number}" width="{column.width}" customWidth="1" style="{style}"{hidden}/>'
    yield "</cols><sheetData>"
    for number, line in enumerate(above, 1):
        style = _STYLES["title" if number == 1 and sheet.title else "line"]
        yield f'<row r="{number}">{_text_cell(f"A{number}", style, line)}</row>'
    heads = "".join(
        _text_cell(f"{column_name(index)}{header_row}", _STYLES["header"], column.header)
        for index, column in enumerate(columns)
    )
    yield f'<row r="{header_row}">{heads}</row>'
    writer = _Rows([column_name(index) for index in range(len(columns))], styles)
    number = header_row
    batch: list[str] = []
    for row in sheet.rows:
        number += 1
        batch.append(writer.xml(number, row))
        if len(batch) == 500:
            yield "".join(batch)
            batch.clear()
    yield "".join(batch)
    yield "</sheetData>"
    if sheet.protected:
        # No password: this keeps keys from being overtyped, not secrets. Sorting, filtering and widths stay allowed.
        yield (
            '<sheetProtection sheet="1" objects="1" scenarios="1" formatColumns="0" formatRows="0" sort="0" '
            'autoFilter="0"/>'
        )
    if number > header_row:
        yield f'<autoFilter ref="A{header_row}:{last}{number}"/>'
    if above and len(columns) > 1:
        merges = "".join(f'<mergeCell ref="A{row}:{last}{row}"/>' for row in range(1, header_row))
        yield f'<mergeCells count="{header_row - 1}">{merges}</mergeCells>'
    yield _validations(columns, lists, header_row + 1, number + max(sheet.spare_rows, 1))
    yield '<pageMargins left="0.4" right="0.4" top="0.5" bottom="0.6" header="0.3" footer="0.3"/>'
    yield '<pageSetup paperSize="9" orientation="landscape" fitToHeight="0"/>'
    footer = escape(watermark.replace("&", "&&"))
    yield f"<headerFooter><oddFooter>&amp;L{footer}&amp;R第 &amp;P 页，共 &amp;N 页</oddFooter></headerFooter>"
    yield "</worksheet>"


def _column_style(column: OutColumn, protected: bool) -> int:
    style = _STYLES[column.format]
    return style + _UNLOCKED if protected and not column.locked else style


def _row_xml(number: int, row: Sequence[Value], letters: Sequence[str], styles: Sequence[int]) -> str:
    cells: list[str] = []
    needs_care = _CARE.search
    for letter, style, value in zip(letters, styles, row, strict=False):
        if type(value) is str:
            if not value:
                continue
            if needs_care(value) or len(value) > _LONGEST_TEXT:
                cells.append(_text_cell(f"{letter}{number}", style, value))
            else:
                cells.append(f'<c r="{letter}{number}" s="{style}" t="inlineStr"><is><t>{value}</t></is></c>')
        elif value is not None:
            cells.append(_value_xml(f"{letter}{number}", style, value))
    return f'<row r="{number}">{"".join(cells)}</row>'


@dataclass(frozen=True, slots=True)
class _Form:
    """`xml` with # for the row's number and %s for each value; `values` and `texts` take them out of a row as tuples."""

    xml: str
    values: Callable[[Sequence[Value]], tuple[Any, ...]]
    texts: Callable[[Sequence[Value]], tuple[Any, ...]]
    numbers: Sequence[int]


def _getter(places: Sequence[int]) -> Callable[[Sequence[Value]], tuple[Any, ...]]:
    if len(places) > 1:
        return itemgetter(*places)
    return lambda row: tuple(row[place] for place in places)


# Between the texts of a row while they are looked at; then what a text may not begin or end with is one search away.
_BETWEEN = "|"
_EDGES = re.compile(r"\|[\s'=+@＝＋－＠-]|\s\||_x")
_PRECISE = 10**15


class _Rows:
    """Writes rows of the same shape (which cells are filled, with text or whole numbers) through one form each.

    A row whose texts need no care, which is nearly every row, is one substitution; any other goes cell by cell.
    """

    _MOST_FORMS = 1_000

    def __init__(self, letters: Sequence[str], styles: Sequence[int]) -> None:
        self._letters, self._styles = letters, styles
        self._forms: dict[tuple[type | None, ...], _Form | None] = {}

    def xml(self, number: int, row: Sequence[Value]) -> str:
        shape = tuple([None if value is None or value == "" else value.__class__ for value in row])
        try:
            form = self._forms[shape]
        except KeyError:
            form = self._form(shape)
        if form is None:
            return _row_xml(number, row, self._letters, self._styles)
        texts = _BETWEEN.join(form.texts(row))
        if (
            not texts.isprintable()
            or "&" in texts
            or "<" in texts
            or ">" in texts
            or len(texts) > _LONGEST_TEXT
            or _EDGES.search(f"{_BETWEEN}{texts}{_BETWEEN}")
            or not all(-_PRECISE < row[place] < _PRECISE for place in form.numbers)  # type: ignore[operator]
        ):
            return _row_xml(number, row, self._letters, self._styles)
        return form.xml.replace("#", str(number)) % form.values(row)

    def _form(self, shape: tuple[type | None, ...]) -> _Form | None:
        found = self._made(shape) if len(self._forms) < self._MOST_FORMS else None
        if len(self._forms) < self._MOST_FORMS:
            self._forms[shape] = found
        return found

    def _made(self, shape: tuple[type | None, ...]) -> _Form | None:
        if len(shape) > len(self._letters):
            return None
        cells: list[str] = []
        places: list[int] = []
        numbers: list[int] = []
        for place, kind in enumerate(shape):
            letter, style = self._letters[place], self._styles[place]
            if kind is None:
                continue
            places.append(place)
            if kind is str:
                cells.append(f'<c r="{letter}#" s="{style}" t="inlineStr"><is><t>%s</t></is></c>')
            elif kind is int and style % _UNLOCKED != _STYLES["text"]:
                numbers.append(place)
                cells.append(f'<c r="{letter}#" s="{style}"><v>%s</v></c>')
            else:
                return None
        texts = [place for place in places if place not in numbers]
        return _Form(f'<row r="#">{"".join(cells)}</row>', _getter(places), _getter(texts), numbers)


# Anything that must be escaped, guarded or kept from being trimmed; most texts are nothing of the kind.
_CARE = re.compile(r"[&<>\s\x00-\x1f\ufffe\uffff\ud800-\udfff'=+@＝＋－＠]|_x|^-")


def _text_cell(reference: str, style: int, text: str) -> str:
    return f'<c r="{reference}" s="{style}" t="inlineStr"><is><t xml:space="preserve">{_text_xml(text)}</t></is></c>'


def _value_xml(reference: str, style: int, value: Value) -> str:
    """A cell that is no text. In a text column it is written as text, so that an identity number stays one."""
    as_text = style % _UNLOCKED == _STYLES["text"]
    match value:
        case bool():
            shown = "是" if value else "否"
            return _text_cell(reference, style, shown)
        case dt.datetime() if not as_text:
            return _text_cell(reference, style, f"{value:%Y-%m-%d %H:%M:%S}")
        case dt.date() if not as_text:
            return f'<c r="{reference}" s="{style}"><v>{(value - _EPOCH).days}</v></c>'
        case int() | float() | Decimal() if not as_text and abs(float(value)) < 1e15:
            return f'<c r="{reference}" s="{style}"><v>{value}</v></c>'
    return _text_cell(reference, style, str(value))


def _validations(columns: Sequence[OutColumn], lists: dict[tuple[str, ...], int], first: int, last: int) -> str:
    items = []
    for index, column in enumerate(columns):
        letter = column_name(index)
        prompt = f' showInputMessage="1" prompt={quoteattr(column.prompt[:250])}' if column.prompt else ""
        if column.choices:
            source = column_name(lists[tuple(column.choices)])
            items.append(
                f'<dataValidation type="list" allowBlank="1" errorStyle="warning" showErrorMessage="1"{prompt} '
                f"sqref=\"{letter}{first}:{letter}{last}\"><formula1>'{_LISTS}'!${source}$1:${source}${len(column.choices)}"
                "</formula1></dataValidation>"
            )
        elif prompt:
            items.append(f'<dataValidation type="none" allowBlank="1"{prompt} sqref="{letter}{first}:{letter}{last}"/>')
    return f'<dataValidations count="{len(items)}">{"".join(items)}</dataValidations>' if items else ""


def _lists_xml(lists: dict[tuple[str, ...], int]) -> str:
    longest = max(map(len, lists))
    rows = []
    for row in range(longest):
        cells = "".join(
            f'<c r="{column_name(column)}{row + 1}" t="inlineStr"><is><t>{_text_xml(choices[row])}</t></is></c>'
            for choices, column in lists.items()
            if row < len(choices)
        )
        rows.append(f'<row r="{row + 1}">{cells}</row>')
    return f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetData>{"".join(rows)}</sheetData></worksheet>'


def _frame_parts(names: Sequence[str], states: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The workbook around its sheets."""
    sheets = "".join(
        f'<sheet name={quoteattr(name)} sheetId="{number}" state="{state}" r:id="rId{number}"/>'
        for number, (name, state) in enumerate(zip(names, states, strict=True), 1)
    )
    yield (
        "xl/workbook.xml",
        f'{_HEAD}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{sheets}</sheets></workbook>',
    )
    related = "".join(
        f'<Relationship Id="rId{number}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{number}.xml"/>'
        for number in range(1, len(names) + 1)
    )
    related += f'<Relationship Id="rIdS" Type="{_OFFICE}/styles" Target="styles.xml"/>'
    yield (
        "xl/_rels/workbook.xml.rels",
        f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">{related}</Relationships>',
    )
    yield "xl/styles.xml", _styles_xml()
    yield (
        "_rels/.rels",
        (
            f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" '
            f'Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
        ),
    )
    overrides = "".join(
        f'<Override PartName="/xl/worksheets/sheet{number}.xml" ContentType="{_TYPE}.worksheet+xml"/>'
        for number in range(1, len(names) + 1)
    )
    yield (
        "[Content_Types].xml",
        (
            f'{_HEAD}<Types xmlns="{_PACKAGE}/content-types"><Default Extension="xml" ContentType="application/xml"/>'
            f'<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
            f'<Override PartName="/xl/styles.xml" ContentType="{_TYPE}.styles+xml"/>{overrides}</Types>'
        ),
    )


def _styles_xml() -> str:
    """The styles of ``_STYLE_NAMES`` in order, first locked, then unlocked."""
    formats = {"text": 49, "whole": 1, "money": 4, "date": 164}
    looks = {
        "title": 'fontId="1" applyFont="1" applyAlignment="1"><alignment horizontal="center" vertical="center"/>',
        "line": 'fontId="0" applyAlignment="1"><alignment horizontal="left"/>',
        "header": 'fontId="2" fillId="2" borderId="1" applyFont="1" applyFill="1" applyBorder="1" applyAlignment="1">'
        '<alignment horizontal="center" vertical="center" wrapText="1"/>',
    }
    cells = []
    for unlocked in (False, True):
        protection = '<protection locked="0"/>' if unlocked else ""
        for name in _STYLE_NAMES:
            number = formats.get(name, 0)
            attributes = f'numFmtId="{number}" xfId="0" applyNumberFormat="1"' + (
                ' applyProtection="1"' if unlocked else ""
            )
            cells.append(f"<xf {attributes} {looks.get(name, '>')}{protection}</xf>")
    fonts = (
        '<font><sz val="11"/><name val="宋体"/></font><font><b/><sz val="16"/><name val="宋体"/></font>'
        '<font><b/><sz val="11"/><name val="宋体"/></font>'
    )
    fills = (
        '<fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill>'
        '<fill><patternFill patternType="solid"><fgColor rgb="FFE8F1FB"/></patternFill></fill>'
    )
    side = "".join(
        f'<{edge} style="thin"><color rgb="FFB0B8C4"/></{edge}>' for edge in ("left", "right", "top", "bottom")
    )
    return (
        f'{_HEAD}<styleSheet xmlns="{_MAIN}"><numFmts count="1"><numFmt numFmtId="164" '
        f'formatCode="yyyy\\-mm\\-dd"/></numFmts><fonts count="3">{fonts}</fonts><fills count="3">{fills}</fills>'
        f'<borders count="2"><border/><border>{side}</border></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
        f'<cellXfs count="{len(cells)}">{"".join(cells)}</cellXfs><cellStyles count="1"><cellStyle name="Normal" '
        'xfId="0" builtinId="0"/></cellStyles></styleSheet>'
    )
