"""The notes of marked cells: what they say, and the boxes in which they are drawn."""

from __future__ import annotations

import re
from collections.abc import Sequence

from eduaid.core.packages.shapes import HEAD, MAIN, MOST_NOTES, CannotPatch, Mark, xml_text
from eduaid.core.workbooks import column_name

_AUTHOR = "核对结果"


def _reference(mark: Mark) -> str:
    return f"{column_name(mark.column)}{mark.row}"


def comments_xml(marks: Sequence[Mark]) -> str:
    items = "".join(
        f'<comment ref="{_reference(mark)}" authorId="0"><text><t xml:space="preserve">{xml_text(mark.note)}</t></text></comment>'
        for mark in marks
    )
    return (
        f'{HEAD}<comments xmlns="{MAIN}"><authors><author>{_AUTHOR}</author></authors>'
        f"<commentList>{items}</commentList></comments>"
    )


def more_comments(xml: bytes, marks: Sequence[Mark]) -> bytes:
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


def shape(mark: Mark, name: str) -> str:
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


def drawing_xml(marks: Sequence[Mark], index: int) -> str:
    """Shape numbers run on through blocks of 1,024; each sheet begins at a block of its own."""
    first = 1 + index * (MOST_NOTES // 1024 + 1)
    blocks = ",".join(str(first + block) for block in range(len(marks) // 1024 + 1))
    shapes = "".join(shape(mark, f"_x0000_s{first * 1024 + number}") for number, mark in enumerate(marks, 1))
    return (
        '<xml xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office" '
        'xmlns:x="urn:schemas-microsoft-com:office:excel"><o:shapelayout v:ext="edit"><o:idmap v:ext="edit" '
        f'data="{blocks}"/></o:shapelayout><v:shapetype id="_x0000_t202" coordsize="21600,21600" o:spt="202" '
        'path="m,l,21600r21600,l21600,xe"><v:stroke joinstyle="miter"/><v:path gradientshapeok="t" '
        f'o:connecttype="rect"/></v:shapetype>{shapes}</xml>'
    )
