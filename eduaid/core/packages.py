"""Marking somebody's own workbook: the XML of its package is patched where something is marked, all else stays byte for byte.

A library that reads a workbook and writes it anew loses what it does not know (pictures, conditional formats, print
settings) and needs twenty times as long. Here only the marked cells, one hidden column of keys, the notes and one more
sheet in front are added. Plain Python, no Django. What is too unusual to be patched safely raises `CannotPatch`.
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from xml.sax.saxutils import escape, quoteattr, unescape

from eduaid.core.preflight import Limits, SafeZip
from eduaid.core.workbooks import column_name

_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_RELATED = "http://schemas.openxmlformats.org/package/2006/relationships"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_WIDEST = 16_384
# A sheet with more notes than this takes minutes to open; the other cells are filled and listed all the same.
MOST_NOTES = 3_000
_MOST_LINKS = 60_000


class CannotPatch(Exception):
    """The package holds what these patches do not know; write the contents into a new workbook instead."""


@dataclass(frozen=True)
class Mark:
    """A cell (row as the user sees it, column from 0): filled where it has a note; `text` replaces its contents unless it
    is None; `as_text` gives it the text format, so that what is typed there stays as typed."""

    row: int
    column: int
    note: str = ""
    is_mild: bool = False
    as_text: bool = False
    text: str | None = None


@dataclass(frozen=True)
class SheetMarks:
    """What is done to one sheet: `index` in the workbook's own order, `keys` by row, the header above the keys. `absent`
    gives the texts, by column, of a row with a key that the sheet does not have: it came later and is put at the end."""

    index: int
    header_row: int
    width: int
    key_header: str
    keys: Mapping[int, str]
    marks: Sequence[Mark] = ()
    absent: Callable[[int], Mapping[int, str]] = field(default=lambda _row: {})


@dataclass(frozen=True)
class Entry:
    """A line of the sheet in front; `sheet` and the cell are what it links to."""

    sheet: int | None
    row: int | None
    column: int | None
    texts: Sequence[str]


@dataclass(frozen=True)
class Front:
    """The sheet put before the others: a title, what to do, and one line for each problem."""

    name: str
    title: str
    lines: Sequence[str]
    headers: Sequence[str]
    widths: Sequence[float]
    entries: Sequence[Entry]
    link_column: int


def marked(data: bytes, sheets: Sequence[SheetMarks], front: Front, *, limits: Limits | None = None) -> bytes:
    """The package with its marks. Raises CannotPatch, and FileRefused where the file is not what it was."""
    return _Package(SafeZip(data, limits or Limits())).marked(sheets, front)


def xml_text(text: str) -> str:
    """Escaped; what XML forbids and what no cell holds is cut away."""
    return escape(_FORBIDDEN.sub("\ufffd", text[:32_000]))


def _attribute(tag: bytes, name: bytes) -> bytes | None:
    found = re.search(rb"\s" + name + rb"\s*=\s*(?:\"([^\"]*)\"|'([^']*)')", tag)
    return None if found is None else found[1] if found[1] is not None else found[2]


@cache
def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1


@dataclass
class _Styles:
    """The style sheet, grown by what the marks need. New styles are copies of the cell's own with another fill."""

    xml: bytes
    _added: list[bytes] = field(default_factory=list)
    _known: dict[tuple[int, str, bool], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        root = re.search(rb"<(\w+:)?styleSheet\b", self.xml)
        if root is None:
            raise CannotPatch("styles")
        self._p = root[1] or b""
        formats = self._block(b"cellXfs")
        self._formats = re.findall(rb"<%bxf\b[^>]*?(?:/>|>.*?</%bxf>)" % (self._p, self._p), formats, re.DOTALL)
        fills = self._count(b"fills", b"fill")
        fonts = self._count(b"fonts", b"font")
        self._extra = {
            b"fills": [self._fill(b"FFFFFF00"), self._fill(b"FFFFF2CC"), self._fill(b"FFE8F1FB")],
            b"fonts": [
                b'<font><b/><sz val="14"/><name val="\xe5\xae\x8b\xe4\xbd\x93"/></font>',
                b'<font><b/><sz val="11"/><name val="\xe5\xae\x8b\xe4\xbd\x93"/></font>',
                b'<font><u/><sz val="11"/><color rgb="FF0563C1"/><name val="\xe5\xae\x8b\xe4\xbd\x93"/></font>',
                b'<font><sz val="11"/><name val="\xe5\xae\x8b\xe4\xbd\x93"/></font>',
            ],
        }
        self._fill_ids = {"bad": fills, "mild": fills + 1, "head": fills + 2}
        wrap = b'<alignment vertical="top" wrapText="1"/>'
        self.key = self._new(b'numFmtId="49" fontId="0" fillId="0" borderId="0" applyNumberFormat="1"')
        self.title = self._new(b'numFmtId="0" fontId="%d" fillId="0" borderId="0" applyFont="1"' % fonts)
        self.header = self._new(
            b'numFmtId="49" fontId="%d" fillId="%d" borderId="0" applyFont="1" applyFill="1"' % (fonts + 1, fills + 2)
        )
        self.link = self._new(b'numFmtId="49" fontId="%d" fillId="0" borderId="0" applyFont="1"' % (fonts + 2), wrap)
        self.said = self._new(b'numFmtId="49" fontId="%d" fillId="0" borderId="0" applyFont="1"' % (fonts + 3), wrap)

    def _block(self, name: bytes) -> bytes:
        found = re.search(rb"<%b%b\b[^>]*>(.*?)</%b%b>" % (self._p, name, self._p, name), self.xml, re.DOTALL)
        if found is None:
            raise CannotPatch("styles")
        return found[1]

    def _count(self, group: bytes, one: bytes) -> int:
        return len(re.findall(rb"<%b%b[\s/>]" % (self._p, one), self._block(group)))

    @staticmethod
    def _fill(colour: bytes) -> bytes:
        return (
            b'<fill><patternFill patternType="solid"><fgColor rgb="%b"/><bgColor indexed="64"/></patternFill></fill>'
            % (colour)
        )

    def _new(self, attributes: bytes, inside: bytes = b"") -> int:
        number = len(self._formats) + len(self._added)
        aligned = b' applyAlignment="1"' if inside else b""
        self._added.append(b'<xf %b%b xfId="0">%b</xf>' % (attributes, aligned, inside))
        return number

    def filled(self, style: int, how: str, *, as_text: bool) -> int:
        """The style with the fill of a marked cell."""
        if (style, how, as_text) not in self._known:
            own = self._formats[style] if style < len(self._formats) else b"<%bxf/>" % self._p
            tag = re.match(rb"<%bxf\b[^>]*?(?=/?>)" % self._p, own)
            if tag is None:
                raise CannotPatch("styles")
            bare = re.sub(rb"\s(?:fillId|applyFill)\s*=\s*(?:\"[^\"]*\"|'[^']*')", b"", tag[0])
            if as_text:
                bare = re.sub(rb"\s(?:numFmtId|applyNumberFormat)\s*=\s*(?:\"[^\"]*\"|'[^']*')", b"", bare)
                bare += b' numFmtId="49" applyNumberFormat="1"'
            self._known[style, how, as_text] = len(self._formats) + len(self._added)
            self._added.append(b'%b fillId="%d" applyFill="1"%b' % (bare, self._fill_ids[how], own[tag.end() :]))
        return self._known[style, how, as_text]

    def patched(self) -> bytes:
        xml = self.xml
        groups = {**self._extra, b"cellXfs": self._added}
        for name, items in groups.items():
            # Elements of our own carry no prefix; with a prefixed root they name their space themselves.
            body = b"".join(items)
            if self._p:
                body = re.sub(rb"<(/?)(?!%b)(?=[A-Za-z])" % self._p, rb"<\1" + self._p, body)
            close = b"</%b%b>" % (self._p, name)
            at = xml.rfind(close)
            xml = xml[:at] + body + xml[at:]
            count = re.search(rb"<%b%b\b[^>]*?\scount\s*=\s*[\"'](\d+)" % (self._p, name), xml)
            if count:
                xml = xml[: count.start(1)] + b"%d" % (int(count[1]) + len(items)) + xml[count.end(1) :]
        return xml


@dataclass
class _Sheet:
    """One worksheet part, taken apart at its rows."""

    xml: bytes
    marks: SheetMarks
    styles: _Styles

    def __post_init__(self) -> None:
        root = re.search(rb"<(\w+:)?worksheet\b", self.xml)
        if root is None or b"<![CDATA[" in self.xml or b"<!--" in self.xml:
            raise CannotPatch("worksheet")
        self.p = root[1] or b""
        opening = re.search(rb"<%bsheetData\s*>" % self.p, self.xml)
        end = self.xml.rfind(b"</%bsheetData>" % self.p)
        if opening is None or end < 0:
            raise CannotPatch("worksheet")
        self._start, self._end = opening.end(), end
        self._rows = re.compile(rb"<%brow\b([^>]*?)(?:/>|>(.*?)</%brow>)" % (self.p, self.p), re.DOTALL)
        self._cells = re.compile(rb"<%bc\b([^>]*?)(?:/>|>(.*?)</%bc>)" % (self.p, self.p), re.DOTALL)
        self._cell, self._cell_end = b"<%bc " % self.p, b"</%bc>" % self.p
        self.key_column = self._free_column()
        self.has_lost_formula = False

    def _free_column(self) -> int:
        """The first column to the right of everything that has a value or is merged."""
        last = self.marks.width - 1
        reference = re.compile(rb"\sr\s*=\s*[\"']([A-Z]{1,3})\d+")
        for found in self._rows.finditer(self.xml, self._start, self._end):
            body = found[2] or b""
            end = body.rfind(self._cell_end)
            if end < 0:
                continue
            cell = reference.search(body, body.rfind(self._cell, 0, end))
            if cell is None:
                raise CannotPatch("cells without reference")
            last = max(last, _column_number(cell[1]))
        for merged in re.finditer(rb"mergeCell\b[^>]*?ref\s*=\s*[\"'][A-Z]+\d+:([A-Z]+)\d+", self.xml[self._end :]):
            column = _column_number(merged[1])
            if column < _WIDEST - 1:
                last = max(last, column)
        if last + 1 >= _WIDEST:
            raise CannotPatch("no free column")
        return last + 1

    def patched(self) -> Iterator[bytes]:
        yield self._head(self.xml[: self._start])
        yield from self._data()
        yield self._tail(self.xml[self._end :])

    def _head(self, head: bytes) -> bytes:
        head = re.sub(rb"\stabSelected\s*=\s*[\"'](?:1|true)[\"']", b"", head)
        head = re.sub(rb"<%bdimension\b[^>]*?(?:/>|>\s*</%bdimension>)" % (self.p, self.p), b"", head)
        number = self.key_column + 1
        own = b'<%bcol min="%d" max="%d" width="4" customWidth="1" hidden="1"/>' % (self.p, number, number)
        columns = re.search(rb"<%bcols\b[^>]*>(.*?)</%bcols>" % (self.p, self.p), head, re.DOTALL)
        if columns is None:
            at = head.rfind(b"<%bsheetData" % self.p)
            return head[:at] + b"<%bcols>%b</%bcols>" % (self.p, own, self.p) + head[at:]
        spans: list[tuple[int, bytes]] = [(number, own)]
        for column in re.findall(rb"<%bcol\b[^>]*?/?>" % self.p, columns[1]):
            first, last = int(_attribute(column, b"min") or 0), int(_attribute(column, b"max") or 0)
            for low, high in ((first, min(last, number - 1)), (max(first, number + 1), last)):
                if 0 < low <= high:
                    piece = re.sub(rb"(\smin\s*=\s*[\"'])\d+", rb"\g<1>%d" % low, column)
                    spans.append((low, re.sub(rb"(\smax\s*=\s*[\"'])\d+", rb"\g<1>%d" % high, piece)))
        spans.sort()
        body = b"".join(xml if xml.endswith(b"/>") else xml[:-1] + b"/>" for _, xml in spans)
        return head[: columns.start(1)] + body + head[columns.end(1) :]

    def _data(self) -> Iterator[bytes]:
        marks: dict[int, dict[int, Mark]] = {}
        for mark in self.marks.marks:
            marks.setdefault(mark.row, {}).setdefault(mark.column, mark)
        keys = dict(self.marks.keys)
        keys[self.marks.header_row] = self.marks.key_header
        name = column_name(self.key_column)
        key_cell = '<{p}c r="{name}{row}" s="{style}" t="inlineStr"><{p}is><{p}t>{key}</{p}t></{p}is></{p}c>'
        style, p = self.styles.key, self.p.decode()
        position, number = self._start, 0
        pieces: list[bytes] = []
        for found in self._rows.finditer(self.xml, self._start, self._end):
            stated = _attribute(found[1], b"r")
            number = int(stated) if stated else number + 1
            key, marked = keys.pop(number, None), marks.pop(number, None)
            if key is None and marked is None:
                continue
            body = found[2] or b""
            if b"extLst" in body:
                raise CannotPatch("row extension")
            pieces.append(self.xml[position : found.start()])
            position = found.end()
            added = (
                b""
                if key is None
                else key_cell.format(p=p, name=name, row=number, style=style, key=xml_text(key)).encode()
            )
            pieces.append(b"<%brow%b>" % (self.p, re.sub(rb"\sspans\s*=\s*[\"'][^\"']*[\"']", b"", found[1])))
            if marked or not self._ends_before_key(body):
                pieces.append(self._row(number, body, marked or {}, added))
            else:
                pieces.append(body + added)
            pieces.append(b"</%brow>" % self.p)
            if len(pieces) > 4_000:
                yield b"".join(pieces)
                pieces.clear()
        if set(marks) - set(keys) or min(keys, default=number + 1) <= number:
            raise CannotPatch("rows are missing")
        yield b"".join(pieces)
        yield self.xml[position : self._end]
        for row in sorted(keys):
            texts = self.marks.absent(row)
            cells = {column: Mark(row, column, text=text) for column, text in texts.items() if text}
            cells |= {column: replace(mark, text=texts.get(column, "")) for column, mark in marks.get(row, {}).items()}
            added = key_cell.format(p=p, name=name, row=row, style=style, key=xml_text(keys[row])).encode()
            yield b'<%brow r="%d">%b</%brow>' % (self.p, row, self._row(row, b"", cells, added), self.p)

    def _ends_before_key(self, body: bytes) -> bool:
        at = body.rfind(self._cell)
        if at < 0:
            return True
        reference = re.match(rb"[^>]*?\sr\s*=\s*[\"']([A-Z]{1,3})\d+", body[at:])
        if reference is None:
            raise CannotPatch("cells without reference")
        return _column_number(reference[1]) < self.key_column

    def _row(self, number: int, body: bytes, marks: Mapping[int, Mark], key: bytes) -> bytes:
        """The row's cells in order, the marked ones filled, missing ones made, the key in its place."""
        cells: dict[int, bytes] = {}
        for found in self._cells.finditer(body):
            stated = _attribute(b"<c" + found[1], b"r")
            letters = re.match(rb"[A-Z]{1,3}", stated or b"")
            if letters is None:
                raise CannotPatch("cells without reference")
            cells[_column_number(letters[0])] = found[0]
        for column, mark in marks.items():
            cells[column] = self._marked(number, mark, cells.get(column))
        if key:
            cells[self.key_column] = key
        return b"".join(cells[column] for column in sorted(cells))

    def _marked(self, number: int, mark: Mark, cell: bytes | None) -> bytes:
        reference = f"{column_name(mark.column)}{number}".encode()
        tag = re.match(rb"<%bc\b[^>]*?(?=/?>)" % self.p, cell) if cell else None
        style = int(_attribute(tag[0], b"s") or 0) if tag else 0
        how = "mild" if mark.is_mild else "bad"
        new = self.styles.filled(style, how, as_text=mark.as_text) if mark.note else style
        if mark.text is not None or cell is None or tag is None:
            if cell and b"<%bf" % self.p in cell:
                if re.search(rb"<%bf\b[^>]*\st\s*=" % self.p, cell):
                    raise CannotPatch("shared formula")
                self.has_lost_formula = True
            start = b'<%bc r="%b" s="%d"' % (self.p, reference, new)
            if not mark.text:
                return start + b"/>"
            text = xml_text(mark.text).encode("utf-8", "replace")
            return start + b' t="inlineStr"><%bis><%bt xml:space="preserve">%b</%bt></%bis></%bc>' % (
                self.p,
                self.p,
                text,
                self.p,
                self.p,
                self.p,
            )
        bare = re.sub(rb"\ss\s*=\s*(?:\"[^\"]*\"|'[^']*')", b"", tag[0])
        return b'%b s="%d"%b' % (bare, new, cell[tag.end() :])

    def _tail(self, tail: bytes) -> bytes:
        """A filter that ended at the last column takes the keys with it when rows are sorted."""
        own = column_name(self.key_column).encode()

        def widened(found: re.Match[bytes]) -> bytes:
            close = _column_number(found[3]) >= self.key_column - 2
            return found[1] + found[2] + (own if close else found[3]) + found[4]

        return re.sub(
            rb"(<%bautoFilter\b[^>]*?ref\s*=\s*[\"'])(\$?[A-Z]+\$?\d+:\$?)([A-Z]+)(\$?\d+)" % self.p,
            widened,
            tail,
            count=1,
        )


_AFTER_NOTES = (
    rb"<%b(?:legacyDrawingHF|drawingHF|picture|oleObjects|controls|webPublishItems|tableParts|extLst)\b|</%bworksheet>"
)


class _Package:
    def __init__(self, archive: SafeZip) -> None:
        self._archive = archive
        self._lower = {name.lower(): name for name in archive.parts}
        self._changed: dict[str, bytes] = {}
        self._dropped: set[str] = set()

    def _read(self, name: str) -> bytes:
        known = self._lower.get(name.lower())
        if known is None:
            raise CannotPatch(f"no part {name}")
        if known in self._changed:
            return self._changed[known]
        data = self._archive.read(known)
        if data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"<!DOCTYPE" in data[:4096]:
            raise CannotPatch("encoding")
        if re.match(rb"(?:\xef\xbb\xbf)?<\?xml[^>]*encoding\s*=\s*[\"'](?!utf-8)", data, re.IGNORECASE):
            raise CannotPatch("encoding")
        return data

    def _put(self, name: str, data: bytes) -> None:
        self._changed[self._lower.get(name.lower(), name)] = data
        self._lower.setdefault(name.lower(), name)

    def marked(self, sheets: Sequence[SheetMarks], front: Front) -> bytes:
        types = self._read("[Content_Types].xml")
        workbook_part = self._workbook_part()
        folder = posixpath.dirname(workbook_part)
        relations_part = f"{folder}/_rels/{posixpath.basename(workbook_part)}.rels".lstrip("/")
        relations = self._relations(relations_part, folder)
        styles_part = next((part for kind, part in relations.values() if kind == "styles"), "")
        styles = _Styles(self._read(styles_part))
        workbook = self._read(workbook_part)
        listed = self._listed(workbook)
        out = io.BytesIO()
        lost_formula = False
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as target:
            written = set()
            for marks in sheets:
                part = relations.get(listed[marks.index][1], ("", ""))[1]
                sheet = _Sheet(self._read(part), marks, styles)
                types = self._notes(sheet, part, types, marks.index)
                with target.open(_entry(self._lower.get(part.lower(), part)), "w", force_zip64=True) as file:
                    for piece in sheet.patched():
                        file.write(piece)
                written.add(self._lower.get(part.lower(), part))
                lost_formula |= sheet.has_lost_formula
            for _, relation in listed:
                part = relations.get(relation, ("", ""))[1]
                if part and self._lower.get(part.lower(), part) not in written:
                    self._put(part, re.sub(rb"\stabSelected\s*=\s*[\"'](?:1|true)[\"']", b"", self._read(part)))
            names = [name for name, _ in listed]
            front_name = _free_name(front.name, names)
            front_part = f"{folder}/worksheets/eduaid.xml".lstrip("/")
            self._put(front_part, _front_xml(front, names, styles).encode("utf-8", "replace"))
            self._put(workbook_part, _with_front(workbook, front_name))
            added = f'<Relationship Id="rIdEduaid" Type="{_OFFICE}/worksheet" Target="/{front_part}"/>'
            self._put(relations_part, _before_end(self._read(relations_part), added))
            self._put(styles_part, styles.patched())
            types = _typed(types, f"/{front_part}", f"{_TYPE}.worksheet+xml")
            types = self._without_macros(types, relations_part)
            if lost_formula:
                types = self._without(types, relations_part, "calcChain")
            self._put("[Content_Types].xml", types)
            for name in dict.fromkeys([*self._archive.parts, *self._changed]):
                if name in written or name in self._dropped or name.endswith("/"):
                    continue
                data = self._changed.get(name)
                target.writestr(_entry(name), self._archive.read(name) if data is None else data)
        return out.getvalue()

    def _workbook_part(self) -> str:
        found = self._relations("_rels/.rels", "")
        return next((part for kind, part in found.values() if kind == "officeDocument"), "xl/workbook.xml")

    def _relations(self, name: str, folder: str) -> dict[str, tuple[str, str]]:
        """Relation id → (last word of its type, part)."""
        found: dict[str, tuple[str, str]] = {}
        for tag in re.findall(rb"<(?:\w+:)?Relationship\b[^>]*>", self._read(name)):
            if _attribute(tag, b"TargetMode") == b"External":
                continue
            target = unescape((_attribute(tag, b"Target") or b"").decode()).replace("\\", "/")
            part = (
                target.lstrip("/") if target.startswith("/") else posixpath.normpath(f"{folder}/{target}").lstrip("/")
            )
            kind = (_attribute(tag, b"Type") or b"").decode().rpartition("/")[2]
            found[(_attribute(tag, b"Id") or b"").decode()] = (kind, part)
        return found

    @staticmethod
    def _listed(workbook: bytes) -> list[tuple[str, str]]:
        """(name, relation id) of the workbook's sheets in order."""
        listed = []
        for tag in re.findall(rb"<(?:\w+:)?sheet\s[^>]*>", workbook):
            name = unescape((_attribute(tag, b"name") or b"").decode(), {"&quot;": '"', "&apos;": "'"})
            relation = re.search(rb"\s\w+:id\s*=\s*[\"']([^\"']*)", tag)
            listed.append((name, relation[1].decode() if relation else ""))
        return listed

    def _without_macros(self, types: bytes, relations_part: str) -> bytes:
        """Macros stay behind: the workbook is handed back without code."""
        types = re.sub(
            rb"application/vnd\.ms-excel\.(?:sheet|template)\.macroEnabled\.main\+xml",
            f"{_TYPE}.sheet.main+xml".encode(),
            types,
        )
        types = types.replace(f"{_TYPE}.template.main+xml".encode(), f"{_TYPE}.sheet.main+xml".encode())
        return self._without(types, relations_part, "vbaProject")

    def _without(self, types: bytes, relations_part: str, kind: str) -> bytes:
        """The package without the workbook's parts of a kind."""
        folder = posixpath.dirname(posixpath.dirname(relations_part))
        for relation, (found, part) in self._relations(relations_part, folder).items():
            if found == kind:
                real = self._lower.get(part.lower(), part)
                self._dropped |= {real, f"{posixpath.dirname(real)}/_rels/{posixpath.basename(real)}.rels"}
                xml = self._read(relations_part)
                pattern = (
                    rb"<(?:\w+:)?Relationship\b[^>]*?\sId\s*=\s*[\"']%b[\"'][^>]*?(?:/>|>\s*</(?:\w+:)?Relationship>)"
                )
                self._put(relations_part, re.sub(pattern % re.escape(relation.encode()), b"", xml))
                pattern = (
                    rb"<(?:\w+:)?Override\b[^>]*?PartName\s*=\s*[\"']/?%b[\"'][^>]*?(?:/>|>\s*</(?:\w+:)?Override>)"
                )
                types = re.sub(pattern % re.escape(part.encode()), b"", types, flags=re.IGNORECASE)
        return types

    def _notes(self, sheet: _Sheet, part: str, types: bytes, index: int) -> bytes:
        """Puts the notes of a sheet beside its own; the sheet's XML learns where they are drawn."""
        noted = [mark for mark in sheet.marks.marks if mark.note][:MOST_NOTES]
        if not noted:
            return types
        folder = posixpath.dirname(part)
        rels_part = f"{folder}/_rels/{posixpath.basename(part)}.rels"
        known = self._relations(rels_part, folder) if rels_part.lower() in self._lower else {}
        own = next((place for kind, place in known.values() if kind == "comments"), "")
        drawn = re.search(rb"<%blegacyDrawing\b[^>]*>" % sheet.p, sheet.xml[sheet._end :])
        if own and drawn:
            relation = re.search(rb"\s\w+:id\s*=\s*[\"']([^\"']*)", drawn[0])
            drawing = known.get(relation[1].decode() if relation else "", ("", ""))[1]
            if not drawing:
                raise CannotPatch("notes")
            self._put(own, _more_comments(self._read(own), noted))
            shapes = "".join(_shape(mark, f"_x0000_s9{number:05d}") for number, mark in enumerate(noted, 1))
            vml = self._read(drawing)
            at = vml.rfind(b"</xml>")
            if at < 0:
                raise CannotPatch("notes")
            self._put(drawing, vml[:at] + shapes.encode() + vml[at:])
            return types
        if own or drawn:
            raise CannotPatch("notes")
        root = posixpath.dirname(folder)
        comments, drawing = f"{root}/eduaidComments{index}.xml", f"{root}/drawings/eduaidNotes{index}.vml"
        self._put(comments, _comments_xml(noted).encode("utf-8", "replace"))
        self._put(drawing, _drawing_xml(noted, index).encode())
        more = (
            f'<Relationship Id="rIdEduaidC" Type="{_OFFICE}/comments" Target="/{comments}"/>'
            f'<Relationship Id="rIdEduaidD" Type="{_OFFICE}/vmlDrawing" Target="/{drawing}"/>'
        )
        if known or rels_part.lower() in self._lower:
            self._put(rels_part, _before_end(self._read(rels_part), more))
        else:
            self._put(rels_part, f'{_HEAD}<Relationships xmlns="{_RELATED}">{more}</Relationships>'.encode())
        after = re.search(_AFTER_NOTES % (sheet.p, sheet.p), sheet.xml[sheet._end :])
        if after is None:
            raise CannotPatch("worksheet")
        at = sheet._end + after.start()
        element = f'<{sheet.p.decode()}legacyDrawing xmlns:ea="{_OFFICE}" ea:id="rIdEduaidD"/>'.encode()
        sheet.xml = sheet.xml[:at] + element + sheet.xml[at:]
        types = _typed(types, f"/{comments}", f"{_TYPE}.comments+xml")
        return _typed(types, f"/{drawing}", "application/vnd.openxmlformats-officedocument.vmlDrawing")


def _entry(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    packed = name.lower().endswith((".png", ".jpg", ".jpeg", ".gif", ".bin"))
    info.compress_type = zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED
    return info


def _before_end(xml: bytes, more: str) -> bytes:
    """An element before the root's end tag, in the root's own name space (written out when the root has a prefix)."""
    at = xml.rfind(b"</")
    if at < 0:
        at = xml.rfind(b"/>")
        name = re.search(rb"<([\w:]+)[^<]*$", xml[:at])
        if at < 0 or name is None:
            raise CannotPatch("relations")
        xml = xml[:at] + b"></" + name[1] + b">" + xml[at + 2 :]
        at = xml.rfind(b"</")
    prefix = re.match(rb"</(\w+:)", xml[at:])
    if prefix:
        more = re.sub(r"<(?=[A-Z])", f"<{prefix[1].decode()}", more)
    return xml[:at] + more.encode() + xml[at:]


def _typed(types: bytes, part: str, kind: str) -> bytes:
    return _before_end(types, f'<Override PartName="{part}" ContentType="{kind}"/>')


def _free_name(name: str, names: Sequence[str]) -> str:
    taken = {other.lower() for other in names}
    return next(
        found
        for number in range(1, len(names) + 3)
        if (found := name if number == 1 else f"{name} {number}") not in taken
    )


def _with_front(workbook: bytes, name: str) -> bytes:
    """The sheet in front and shown first; what counts sheets by position counts one more."""
    opening = re.search(rb"<(\w+:)?sheets\s*>", workbook)
    if opening is None:
        raise CannotPatch("workbook")
    p = (opening[1] or b"").decode()
    ids = [int(_attribute(tag, b"sheetId") or 0) for tag in re.findall(rb"<(?:\w+:)?sheet\s[^>]*>", workbook)]
    sheet = (
        f'<{p}sheet name={quoteattr(name)} sheetId="{max(ids, default=0) + 1}" xmlns:ea="{_OFFICE}" ea:id="rIdEduaid"/>'
    )
    workbook = workbook[: opening.end()] + sheet.encode() + workbook[opening.end() :]
    workbook = re.sub(
        rb"(\slocalSheetId\s*=\s*[\"'])(\d+)", lambda found: found[1] + b"%d" % (int(found[2]) + 1), workbook
    )
    return re.sub(rb"\s(?:activeTab|firstSheet)\s*=\s*[\"']\d+[\"']", b"", workbook)


def _front_xml(front: Front, names: Sequence[str], styles: _Styles) -> str:
    above = [front.title, *front.lines]
    header = len(above) + 1
    last = column_name(len(front.headers) - 1)

    def cell(column: int, row: int, style: int, text: str) -> str:
        return (
            f'<c r="{column_name(column)}{row}" s="{style}" t="inlineStr"><is><t xml:space="preserve">{xml_text(text)}</t></is></c>'
            if text
            else f'<c r="{column_name(column)}{row}" s="{style}"/>'
        )

    rows = [
        f'<row r="{number}">{cell(0, number, styles.title if number == 1 else styles.said, line)}</row>'
        for number, line in enumerate(above, 1)
    ]
    heads = "".join(cell(column, header, styles.header, text) for column, text in enumerate(front.headers))
    rows.append(f'<row r="{header}">{heads}</row>')
    links: list[str] = []
    for number, entry in enumerate(front.entries, header + 1):
        is_link = entry.sheet is not None and entry.row is not None and len(links) < _MOST_LINKS
        cells = "".join(
            cell(column, number, styles.link if is_link and column == front.link_column else styles.said, text)
            for column, text in enumerate(entry.texts)
        )
        rows.append(f'<row r="{number}">{cells}</row>')
        if is_link and entry.sheet is not None:
            quoted = names[entry.sheet].replace("'", "''")
            place = quoteattr(f"'{quoted}'!{column_name(entry.column or 0)}{entry.row}")
            links.append(f'<hyperlink ref="{column_name(front.link_column)}{number}" location={place}/>')
    widths = "".join(
        f'<col min="{number}" max="{number}" width="{width}" customWidth="1"/>'
        for number, width in enumerate(front.widths, 1)
    )
    merges = "".join(f'<mergeCell ref="A{row}:{last}{row}"/>' for row in range(1, header))
    linked = f"<hyperlinks>{''.join(links)}</hyperlinks>" if links else ""
    return (
        f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetPr><pageSetUpPr fitToPage="1"/></sheetPr><sheetViews><sheetView '
        f'tabSelected="1" workbookViewId="0"><pane ySplit="{header}" topLeftCell="A{header + 1}" activePane="bottomLeft" '
        f'state="frozen"/></sheetView></sheetViews><sheetFormatPr defaultRowHeight="16"/><cols>{widths}</cols>'
        f"<sheetData>{''.join(rows)}</sheetData>"
        f'<autoFilter ref="A{header}:{last}{header + max(len(front.entries), 1)}"/>'
        f'<mergeCells count="{header - 1}">{merges}</mergeCells>{linked}'
        '<pageMargins left="0.4" right="0.4" top="0.5" bottom="0.6" header="0.3" footer="0.3"/>'
        '<pageSetup paperSize="9" orientation="landscape" fitToHeight="0"/></worksheet>'
    )


_AUTHOR = "核对结果"


def _reference(mark: Mark) -> str:
    return f"{column_name(mark.column)}{mark.row}"


def _comments_xml(marks: Sequence[Mark]) -> str:
    items = "".join(
        f'<comment ref="{_reference(mark)}" authorId="0"><text><t xml:space="preserve">{xml_text(mark.note)}</t></text></comment>'
        for mark in marks
    )
    return (
        f'{_HEAD}<comments xmlns="{_MAIN}"><authors><author>{_AUTHOR}</author></authors>'
        f"<commentList>{items}</commentList></comments>"
    )


def _more_comments(xml: bytes, marks: Sequence[Mark]) -> bytes:
    """Our notes beside theirs; a cell that has a note already gets ours behind it."""
    root = re.search(rb"<(\w+:)?comments\b", xml)
    if root is None:
        raise CannotPatch("notes")
    p = root[1] or b""
    q = p.decode()
    authors = len(re.findall(rb"<%bauthor[\s>/]" % p, xml))
    xml = xml.replace(b"</%bauthors>" % p, f"<{q}author>{_AUTHOR}</{q}author></{q}authors>".encode(), 1)
    fresh = []
    for mark in marks:
        theirs = re.search(rb"<%bcomment\b[^>]*\sref\s*=\s*[\"']%b[\"']" % (p, _reference(mark).encode()), xml)
        text = xml_text(mark.note)
        if theirs is None:
            fresh.append(
                f'<{q}comment ref="{_reference(mark)}" authorId="{authors}"><{q}text><{q}t xml:space="preserve">'
                f"{text}</{q}t></{q}text></{q}comment>"
            )
            continue
        at = xml.find(b"</%btext>" % p, theirs.end())
        ours = f'<{q}r><{q}t xml:space="preserve">\n{text}</{q}t></{q}r>'.encode("utf-8", "replace")
        xml = xml[:at] + ours + xml[at:]
    at = xml.rfind(b"</%bcommentList>" % p)
    if at < 0:
        raise CannotPatch("notes")
    return xml[:at] + "".join(fresh).encode("utf-8", "replace") + xml[at:]


def _shape(mark: Mark, name: str) -> str:
    """The box of one note, hidden until the pointer stands on the cell."""
    right, below = mark.column + 1, max(mark.row - 2, 0)
    lines = 2 + len(mark.note) // 22
    return (
        f'<v:shape id="{name}" type="#_x0000_t202" style="position:absolute;width:220pt;height:{16 * lines}pt;z-index:1;'
        'visibility:hidden" fillcolor="#ffffe1" o:insetmode="auto"><v:fill color2="#ffffe1"/><v:shadow on="t" '
        'color="black" obscured="t"/><v:path o:connecttype="none"/><v:textbox style="mso-direction-alt:auto"><div '
        'style="text-align:left"></div></v:textbox><x:ClientData ObjectType="Note"><x:MoveWithCells/><x:SizeWithCells/>'
        f"<x:Anchor>{right}, 15, {below}, 2, {right + 4}, 15, {below + lines}, 4</x:Anchor><x:AutoFill>False</x:AutoFill>"
        f"<x:Row>{mark.row - 1}</x:Row><x:Column>{mark.column}</x:Column></x:ClientData></v:shape>"
    )


def _drawing_xml(marks: Sequence[Mark], index: int) -> str:
    """Shape numbers run on through blocks of 1,024; each sheet begins at a block of its own."""
    first = 1 + index * (MOST_NOTES // 1024 + 1)
    blocks = ",".join(str(first + block) for block in range(len(marks) // 1024 + 1))
    shapes = "".join(_shape(mark, f"_x0000_s{first * 1024 + number}") for number, mark in enumerate(marks, 1))
    return (
        '<xml xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office" '
        'xmlns:x="urn:schemas-microsoft-com:office:excel"><o:shapelayout v:ext="edit"><o:idmap v:ext="edit" '
        f'data="{blocks}"/></o:shapelayout><v:shapetype id="_x0000_t202" coordsize="21600,21600" o:spt="202" '
        'path="m,l,21600r21600,l21600,xe"><v:stroke joinstyle="miter"/><v:path gradientshapeok="t" '
        f'o:connecttype="rect"/></v:shapetype>{shapes}</xml>'
    )
