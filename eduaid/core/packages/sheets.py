"""One worksheet: marked cells, the hidden column of keys, rows that came later; everything else as it was."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from eduaid.core.packages.shapes import CannotPatch, Mark, SheetMarks, attribute, column_number, xml_text
from eduaid.core.packages.styles import Styles
from eduaid.core.workbooks import column_name

_WIDEST = 16_384


@dataclass
class Sheet:
    """One worksheet part, taken apart at its rows."""

    xml: bytes
    marks: SheetMarks
    styles: Styles

    def __post_init__(self) -> None:
        root = re.search(rb"<(\w+:)?worksheet\b", self.xml)
        if root is None or b"<![CDATA[" in self.xml or b"<!--" in self.xml:
            raise CannotPatch("worksheet")
        self.p = root[1] or b""
        opening = re.search(rb"<%bsheetData\s*>" % self.p, self.xml)
        end = self.xml.rfind(b"</%bsheetData>" % self.p)
        if opening is None or end < 0:
            raise CannotPatch("worksheet")
        self._start, self.end = opening.end(), end
        self._rows = re.compile(rb"<%brow\b([^>]*?)(?:/>|>(.*?)</%brow>)" % (self.p, self.p), re.DOTALL)
        self._cells = re.compile(rb"<%bc\b([^>]*?)(?:/>|>(.*?)</%bc>)" % (self.p, self.p), re.DOTALL)
        self._cell, self._cell_end = b"<%bc " % self.p, b"</%bc>" % self.p
        self.key_column = self._free_column()
        self.has_lost_formula = False

    def _free_column(self) -> int:
        """The first column to the right of everything that has a value or is merged."""
        last = self.marks.width - 1
        reference = re.compile(rb"\sr\s*=\s*[\"']([A-Z]{1,3})\d+")
        for found in self._rows.finditer(self.xml, self._start, self.end):
            body = found[2] or b""
            end = body.rfind(self._cell_end)
            if end < 0:
                continue
            cell = reference.search(body, body.rfind(self._cell, 0, end))
            if cell is None:
                raise CannotPatch("cells without reference")
            last = max(last, column_number(cell[1]))
        for merged in re.finditer(rb"mergeCell\b[^>]*?ref\s*=\s*[\"'][A-Z]+\d+:([A-Z]+)\d+", self.xml[self.end :]):
            column = column_number(merged[1])
            if column < _WIDEST - 1:
                last = max(last, column)
        if last + 1 >= _WIDEST:
            raise CannotPatch("no free column")
        return last + 1

    def patched(self) -> Iterator[bytes]:
        yield self._head(self.xml[: self._start])
        yield from self._data()
        yield self._tail(self.xml[self.end :])

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
            first, last = int(attribute(column, b"min") or 0), int(attribute(column, b"max") or 0)
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
        for found in self._rows.finditer(self.xml, self._start, self.end):
            stated = attribute(found[1], b"r")
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
        yield self.xml[position : self.end]
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
        return column_number(reference[1]) < self.key_column

    def _row(self, number: int, body: bytes, marks: Mapping[int, Mark], key: bytes) -> bytes:
        """The row's cells in order, the marked ones filled, missing ones made, the key in its place."""
        cells: dict[int, bytes] = {}
        for found in self._cells.finditer(body):
            stated = attribute(b"<c" + found[1], b"r")
            letters = re.match(rb"[A-Z]{1,3}", stated or b"")
            if letters is None:
                raise CannotPatch("cells without reference")
            cells[column_number(letters[0])] = found[0]
        for column, mark in marks.items():
            cells[column] = self._marked(number, mark, cells.get(column))
        if key:
            cells[self.key_column] = key
        return b"".join(cells[column] for column in sorted(cells))

    def _marked(self, number: int, mark: Mark, cell: bytes | None) -> bytes:
        reference = f"{column_name(mark.column)}{number}".encode()
        tag = re.match(rb"<%bc\b[^>]*?(?=/?>)" % self.p, cell) if cell else None
        style = int(attribute(tag[0], b"s") or 0) if tag else 0
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
            close = column_number(found[3]) >= self.key_column - 2
            return found[1] + found[2] + (own if close else found[3]) + found[4]

        return re.sub(
            rb"(<%bautoFilter\b[^>]*?ref\s*=\s*[\"'])(\$?[A-Z]+\$?\d+:\$?)([A-Z]+)(\$?\d+)" % self.p,
            widened,
            tail,
            count=1,
        )
