"""The style sheet of a package, grown by what marks need."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from eduaid.core.packages.shapes import CannotPatch


@dataclass
class Styles:
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
