"""The package around its sheets: parts, relations and content types."""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from collections.abc import Sequence
from xml.sax.saxutils import quoteattr, unescape

from eduaid.core.packages.front import front_xml
from eduaid.core.packages.notes import comments_xml, drawing_xml, more_comments, shape
from eduaid.core.packages.shapes import (
    HEAD,
    MOST_NOTES,
    OFFICE,
    RELATED,
    TYPE,
    CannotPatch,
    Front,
    SheetMarks,
    attribute,
)
from eduaid.core.packages.sheets import Sheet
from eduaid.core.packages.styles import Styles
from eduaid.core.preflight import Limits, SafeZip


def marked(data: bytes, sheets: Sequence[SheetMarks], front: Front, *, limits: Limits | None = None) -> bytes:
    """The package with its marks. Raises CannotPatch, and FileRefused where the file is not what it was."""
    return _Package(SafeZip(data, limits or Limits())).marked(sheets, front)


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
        styles = Styles(self._read(styles_part))
        workbook = self._read(workbook_part)
        listed = self._listed(workbook)
        out = io.BytesIO()
        lost_formula = False
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as target:
            written = set()
            for marks in sheets:
                part = relations.get(listed[marks.index][1], ("", ""))[1]
                sheet = Sheet(self._read(part), marks, styles)
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
            self._put(front_part, front_xml(front, names, styles).encode("utf-8", "replace"))
            self._put(workbook_part, _with_front(workbook, front_name))
            added = f'<Relationship Id="rIdEduaid" Type="{OFFICE}/worksheet" Target="/{front_part}"/>'
            self._put(relations_part, _before_end(self._read(relations_part), added))
            self._put(styles_part, styles.patched())
            types = _typed(types, f"/{front_part}", f"{TYPE}.worksheet+xml")
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
            if attribute(tag, b"TargetMode") == b"External":
                continue
            target = unescape((attribute(tag, b"Target") or b"").decode()).replace("\\", "/")
            part = (
                target.lstrip("/") if target.startswith("/") else posixpath.normpath(f"{folder}/{target}").lstrip("/")
            )
            kind = (attribute(tag, b"Type") or b"").decode().rpartition("/")[2]
            found[(attribute(tag, b"Id") or b"").decode()] = (kind, part)
        return found

    @staticmethod
    def _listed(workbook: bytes) -> list[tuple[str, str]]:
        """(name, relation id) of the workbook's sheets in order."""
        listed = []
        for tag in re.findall(rb"<(?:\w+:)?sheet\s[^>]*>", workbook):
            name = unescape((attribute(tag, b"name") or b"").decode(), {"&quot;": '"', "&apos;": "'"})
            relation = re.search(rb"\s\w+:id\s*=\s*[\"']([^\"']*)", tag)
            listed.append((name, relation[1].decode() if relation else ""))
        return listed

    def _without_macros(self, types: bytes, relations_part: str) -> bytes:
        """Macros stay behind: the workbook is handed back without code."""
        types = re.sub(
            rb"application/vnd\.ms-excel\.(?:sheet|template)\.macroEnabled\.main\+xml",
            f"{TYPE}.sheet.main+xml".encode(),
            types,
        )
        types = types.replace(f"{TYPE}.template.main+xml".encode(), f"{TYPE}.sheet.main+xml".encode())
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

    def _notes(self, sheet: Sheet, part: str, types: bytes, index: int) -> bytes:
        """Puts the notes of a sheet beside its own; the sheet's XML learns where they are drawn."""
        noted = [mark for mark in sheet.marks.marks if mark.note][:MOST_NOTES]
        if not noted:
            return types
        folder = posixpath.dirname(part)
        rels_part = f"{folder}/_rels/{posixpath.basename(part)}.rels"
        known = self._relations(rels_part, folder) if rels_part.lower() in self._lower else {}
        own = next((place for kind, place in known.values() if kind == "comments"), "")
        drawn = re.search(rb"<%blegacyDrawing\b[^>]*>" % sheet.p, sheet.xml[sheet.end :])
        if own and drawn:
            relation = re.search(rb"\s\w+:id\s*=\s*[\"']([^\"']*)", drawn[0])
            drawing = known.get(relation[1].decode() if relation else "", ("", ""))[1]
            if not drawing:
                raise CannotPatch("notes")
            self._put(own, more_comments(self._read(own), noted))
            shapes = "".join(shape(mark, f"_x0000_s9{number:05d}") for number, mark in enumerate(noted, 1))
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
        self._put(comments, comments_xml(noted).encode("utf-8", "replace"))
        self._put(drawing, drawing_xml(noted, index).encode())
        more = (
            f'<Relationship Id="rIdEduaidC" Type="{OFFICE}/comments" Target="/{comments}"/>'
            f'<Relationship Id="rIdEduaidD" Type="{OFFICE}/vmlDrawing" Target="/{drawing}"/>'
        )
        if known or rels_part.lower() in self._lower:
            self._put(rels_part, _before_end(self._read(rels_part), more))
        else:
            self._put(rels_part, f'{HEAD}<Relationships xmlns="{RELATED}">{more}</Relationships>'.encode())
        after = re.search(_AFTER_NOTES % (sheet.p, sheet.p), sheet.xml[sheet.end :])
        if after is None:
            raise CannotPatch("worksheet")
        at = sheet.end + after.start()
        element = f'<{sheet.p.decode()}legacyDrawing xmlns:ea="{OFFICE}" ea:id="rIdEduaidD"/>'.encode()
        sheet.xml = sheet.xml[:at] + element + sheet.xml[at:]
        types = _typed(types, f"/{comments}", f"{TYPE}.comments+xml")
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
    ids = [int(attribute(tag, b"sheetId") or 0) for tag in re.findall(rb"<(?:\w+:)?sheet\s[^>]*>", workbook)]
    sheet = (
        f'<{p}sheet name={quoteattr(name)} sheetId="{max(ids, default=0) + 1}" xmlns:ea="{OFFICE}" ea:id="rIdEduaid"/>'
    )
    workbook = workbook[: opening.end()] + sheet.encode() + workbook[opening.end() :]
    workbook = re.sub(
        rb"(\slocalSheetId\s*=\s*[\"'])(\d+)", lambda found: found[1] + b"%d" % (int(found[2]) + 1), workbook
    )
    return re.sub(rb"\s(?:activeTab|firstSheet)\s*=\s*[\"']\d+[\"']", b"", workbook)
