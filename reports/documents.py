"""A report as a Word document in the form of official papers (GB/T 9704-2012); every figure carries its trace code.

A4, margins 37/28/35/26 mm, 22 lines of 28 characters; title 小标宋 22 pt, body 仿宋 16 pt, headings 黑体 and 楷体, page number
— 1 — on the outer side. Figures in sentences are followed by their code in small print; figures in tables are links.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import Any
from xml.sax.saxutils import escape

from docx import Document
from docx.enum.section import WD_ORIENT
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_LINE_SPACING
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.opc.packuri import PackURI
from docx.opc.part import Part as PackagePart
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Mm, Pt
from docx.text.paragraph import Paragraph

from eduaid.core.display import figure_text, zh_date, zh_moment
from reports.models import Report
from reports.models.snapshots import ReportState
from reports.numbers import Figured, Number, Share
from reports.papers import Cell, Paper, Part, Table

CONTENT_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"

# Fonts by use. Offices have the first; `altName` in the font table names what stands in elsewhere, last a free font that
# holds the rare characters of names.
TITLE, BODY, HEAD, SUBHEAD, PAGE = "方正小标宋简体", "仿宋_GB2312", "黑体", "楷体_GB2312", "宋体"
WIDER, WIDEST = "仿宋", "SimSun-ExtB"
LATIN = "Times New Roman"
_STAND_INS = {
    TITLE: "方正小标宋_GBK,小标宋体,华文中宋,STZhongsong,Noto Serif CJK SC",
    BODY: "仿宋,FangSong,华文仿宋,STFangsong,FandolFang R,Noto Serif CJK SC",
    HEAD: "SimHei,华文黑体,STHeiti,Noto Sans CJK SC",
    SUBHEAD: "楷体,KaiTi,华文楷体,STKaiti,Noto Serif CJK SC",
    PAGE: "SimSun,华文宋体,STSong,Noto Serif CJK SC",
    WIDER: "FangSong,华文仿宋,STFangsong,Noto Serif CJK SC",
    WIDEST: "宋体-扩展B,Noto Serif CJK SC",
    LATIN: "Liberation Serif",
}
_LINE = Pt(28.9)  # 22 lines on the 225 mm between the margins
_SIZE, _TITLE_SIZE, _TABLE_SIZE, _CODE_SIZE = Pt(16), Pt(22), Pt(10.5), Pt(12)
_INDENT = Pt(32)  # two characters


def write_document(report: Report, paper: Paper, *, site: str) -> bytes:
    """The .docx of a report. `site`: scheme and host that the trace links lead to, without a slash at the end."""
    return _Writer(report, paper, site).bytes()


class _Writer:
    def __init__(self, report: Report, paper: Paper, site: str) -> None:
        self.report = report
        self.paper = paper
        self.site = site
        self.document = Document()
        self._table_style = self.document.styles["Table Grid"].style_id
        self._links: dict[str, str] = {}

    def bytes(self) -> bytes:
        self._page()
        self._styles()
        self._title()
        for section in self.paper.sections:
            self._heading(section.title)
            for paragraph in section.paragraphs:
                self._paragraph(paragraph)
            for table in section.tables:
                self._table(table)
        self._signature()
        self._definitions()
        self._font_table()
        self._properties()
        out = io.BytesIO()
        self.document.save(out)
        return out.getvalue()

    # --- page and styles --------------------------------------------------------------------------------------

    def _page(self) -> None:
        section = self.document.sections[0]
        section.orientation = WD_ORIENT.PORTRAIT
        section.page_width, section.page_height = Mm(210), Mm(297)
        section.top_margin, section.bottom_margin = Mm(37), Mm(35)
        section.left_margin, section.right_margin = Mm(28), Mm(26)
        section.header_distance, section.footer_distance = Mm(15), Mm(23)
        grid = section._sectPr.find(qn("w:docGrid"))
        if grid is None:
            grid = OxmlElement("w:docGrid")
            section._sectPr.append(grid)
        for name, value in (("w:type", "lines"), ("w:linePitch", "578")):
            grid.set(qn(name), value)
        self.document.settings.odd_and_even_pages_header_footer = True
        self._footer(section.footer.paragraphs[0], WD_ALIGN_PARAGRAPH.RIGHT)
        self._footer(section.even_page_footer.paragraphs[0], WD_ALIGN_PARAGRAPH.LEFT)

    def _footer(self, paragraph: Paragraph, side: Any) -> None:
        """— 1 —, one character from the outer edge."""
        paragraph.alignment = side
        paragraph.paragraph_format.first_line_indent = Pt(0)
        if side == WD_ALIGN_PARAGRAPH.RIGHT:
            paragraph.paragraph_format.right_indent = Pt(14)
        else:
            paragraph.paragraph_format.left_indent = Pt(14)
        self._run(paragraph, "— ", PAGE, Pt(14), latin=PAGE)
        for kind, text in (("begin", ""), ("", " PAGE "), ("separate", ""), ("text", "1"), ("end", "")):
            run = self._run(paragraph, text if kind == "text" else "", PAGE, Pt(14), latin=PAGE)
            if kind in ("begin", "separate", "end"):
                mark = OxmlElement("w:fldChar")
                mark.set(qn("w:fldCharType"), kind)
                run.append(mark)
            elif not kind:
                code = OxmlElement("w:instrText")
                code.set(qn("xml:space"), "preserve")
                code.text = text
                run.append(code)
        self._run(paragraph, " —", PAGE, Pt(14), latin=PAGE)

    def _styles(self) -> None:
        normal = self.document.styles["Normal"]
        normal.font.size = _SIZE
        normal.font.name = LATIN
        fonts = normal.element.get_or_add_rPr().get_or_add_rFonts()
        fonts.set(qn("w:eastAsia"), BODY)
        form = normal.paragraph_format
        form.line_spacing_rule, form.line_spacing = WD_LINE_SPACING.EXACTLY, _LINE
        form.space_before = form.space_after = Pt(0)
        form.widow_control = False
        # 28 characters of 16 pt are 6 pt wider than the line between the margins: a quarter of a point closer (1/20 pt).
        tighter = OxmlElement("w:spacing")
        tighter.set(qn("w:val"), "-5")
        normal.element.get_or_add_rPr().insert_element_before(tighter, "w:w", "w:kern", "w:position", "w:sz", "w:szCs")
        language = OxmlElement("w:lang")
        language.set(qn("w:val"), "zh-CN")
        language.set(qn("w:eastAsia"), "zh-CN")
        normal.element.get_or_add_rPr().append(language)
        for level in (1, 2):
            style = self.document.styles[f"Heading {level}"]
            style.font.size, style.font.bold, style.font.italic = _SIZE, False, False
            style.font.color.rgb = None
            font = HEAD if level == 1 else SUBHEAD
            fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
            for name in list(fonts.attrib):
                del fonts.attrib[name]
            for name in ("w:ascii", "w:hAnsi", "w:eastAsia"):
                fonts.set(qn(name), font)
            for color in style.element.rPr.findall(qn("w:color")):
                style.element.rPr.remove(color)
            style.paragraph_format.space_before = style.paragraph_format.space_after = Pt(0)
            style.paragraph_format.keep_with_next = True

    # --- text -------------------------------------------------------------------------------------------------

    def _run(self, paragraph: Any, text: str, font: str, size: Any, **look: Any) -> Any:
        """A run appended to a paragraph or a link element; returns the element."""
        run = parse_xml(run_xml(text, font, size, declare=True, **look))
        (paragraph._p if isinstance(paragraph, Paragraph) else paragraph).append(run)
        return run

    def _text(self, paragraph: Any, text: str, font: str, size: Any) -> None:
        """Text, in runs of a font that holds its characters: the names of villages and children go beyond GB 2312."""
        for piece, wanted in fonts_for(text, font):
            self._run(paragraph, piece, wanted, size)

    def _link_id(self, url: str) -> str:
        """The relation to an outside address, named by ourselves: the library looks through all of them for a free name."""
        if url not in self._links:
            self._links[url] = f"rIdTrace{len(self._links) + 1}"
            self.document.part.rels.add_relationship(
                RELATIONSHIP_TYPE.HYPERLINK, url, self._links[url], is_external=True
            )
        return self._links[url]

    def _link(self, paragraph: Paragraph, url: str) -> Any:
        """An outside link element; runs are put into it."""
        link = OxmlElement("w:hyperlink")
        link.set(qn("r:id"), self._link_id(url))
        link.set(qn("w:tooltip"), "点开看这个数字的名单")
        paragraph._p.append(link)
        return link

    def _figure(self, paragraph: Paragraph, figure: Figured) -> None:
        """A number of a sentence and, small and raised, its trace code, which is a link."""
        self._text(paragraph, figure.text, BODY, _SIZE)
        if figure.code:
            link = self._link(paragraph, self._trace_url(figure))
            self._run(link, f"〔{figure.code}〕", BODY, _CODE_SIZE, grey=True, raised=True)

    def _trace_url(self, figure: Figured) -> str:
        return f"{self.site}/trace/{figure.code}/"

    def _title(self) -> None:
        paragraph = self.document.add_paragraph()
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
        paragraph.paragraph_format.line_spacing = Pt(36)
        _off_the_grid(paragraph)
        self._text(paragraph, self.paper.title, TITLE, _TITLE_SIZE)
        below = self.document.add_paragraph()
        below.alignment = WD_ALIGN_PARAGRAPH.CENTER
        mark = "" if self.report.state == ReportState.FINAL else f"（{self.report.get_state_display()}）"
        self._text(below, f"（截至{zh_date(self.paper.as_of)}）{mark}", SUBHEAD, _SIZE)
        self.document.add_paragraph()

    def _heading(self, text: str) -> None:
        paragraph = self.document.add_paragraph(style="Heading 1")
        _indent(paragraph)
        self._text(paragraph, text, HEAD, _SIZE)

    def _paragraph(self, parts: tuple[Part, ...]) -> None:
        paragraph = self.document.add_paragraph()
        paragraph.alignment = WD_ALIGN_PARAGRAPH.JUSTIFY
        _indent(paragraph)
        for part in parts:
            if isinstance(part, str):
                self._text(paragraph, part, BODY, _SIZE)
            else:
                self._figure(paragraph, part)

    # --- tables -----------------------------------------------------------------------------------------------

    def _table(self, table: Table) -> None:
        caption = self.document.add_paragraph()
        caption.alignment = WD_ALIGN_PARAGRAPH.CENTER
        caption.paragraph_format.keep_with_next = True
        self._text(caption, table.caption, HEAD, Pt(12))
        headers = [table.row_label, *(f"{c.label}（{c.unit}）" if c.unit else c.label for c in table.columns)]
        lines: list[Sequence[Cell]] = [(line.name, *line.cells) for line in table.rows]
        if table.totals:
            lines.append(("合计", *table.totals))
        self._grid(
            headers, lines, numeric=[False, *(column.numeric for column in table.columns)], total=bool(table.totals)
        )
        if table.note:
            note = self.document.add_paragraph()
            self._text(note, f"注：{table.note}", BODY, Pt(10.5))

    def _grid(
        self,
        headers: Sequence[str],
        lines: Sequence[Sequence[Cell]],
        *,
        numeric: Sequence[bool],
        total: bool = False,
        widths: Sequence[float] = (),
    ) -> None:
        """A table with lines around every cell; its header is repeated on each page and no row is cut.

        Written as XML: a report has a thousand cells, and building them one by one takes seconds.
        """
        first = 30.0 if len(headers) > 2 else 50.0
        even = (156 - first) / (len(headers) - 1)
        twips = [round(mm * 1440 / 25.4) for mm in widths or [first, *[even] * (len(headers) - 1)]]
        grid = "".join(f'<w:gridCol w:w="{width}"/>' for width in twips)
        rows = [self._row(headers, twips, HEAD, ["center"] * len(headers), header=True)]
        sides = ["right" if number else "left" for number in numeric]
        for number, line in enumerate(lines, 1):
            rows.append(self._row(line, twips, HEAD if total and number == len(lines) else BODY, sides))
        table = parse_xml(
            f'<w:tbl {nsdecls("w", "r")}><w:tblPr><w:tblStyle w:val="{self._table_style}"/>'
            f'<w:tblW w:w="{sum(twips)}" w:type="dxa"/><w:jc w:val="center"/><w:tblLayout w:type="fixed"/></w:tblPr>'
            f"<w:tblGrid>{grid}</w:tblGrid>{''.join(rows)}</w:tbl>"
        )
        # Word wants a paragraph after a table; this one must not open a page of its own.
        after = self.document.add_paragraph()
        after.paragraph_format.line_spacing = Pt(1 if widths else 12)
        _off_the_grid(after)
        after._p.addprevious(table)

    def _row(
        self, cells: Sequence[Cell], twips: Sequence[int], font: str, sides: Sequence[str], *, header: bool = False
    ) -> str:
        look = "<w:trPr><w:cantSplit/>" + ("<w:tblHeader/>" if header else "") + "</w:trPr>"
        columns = []
        for cell, width, side in zip(cells, twips, sides, strict=True):
            columns.append(
                f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/><w:vAlign w:val="center"/></w:tcPr><w:p><w:pPr>'
                f'<w:snapToGrid w:val="0"/><w:spacing w:line="320" w:lineRule="exact"/><w:jc w:val="{side}"/></w:pPr>'
                f"{self._cell(cell, font)}</w:p></w:tc>"
            )
        return f"<w:tr>{look}{''.join(columns)}</w:tr>"

    def _cell(self, cell: Cell, font: str) -> str:
        """A figure as a link to its trace, or text."""
        if isinstance(cell, (Number, Share)):
            run = run_xml(table_text(cell), font, _TABLE_SIZE)
            if not cell.code:
                return run
            return f'<w:hyperlink r:id="{self._link_id(self._trace_url(cell))}">{run}</w:hyperlink>'
        pieces = fonts_for(cell if cell is not None else "—", font)
        return "".join(run_xml(piece, wanted, _TABLE_SIZE) for piece, wanted in pieces)

    # --- the end ----------------------------------------------------------------------------------------------

    def _signature(self) -> None:
        self.document.add_paragraph()
        for text, indent in ((self.paper.office, 2), (zh_date(self.paper.as_of), 4)):
            paragraph = self.document.add_paragraph()
            paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
            paragraph.paragraph_format.right_indent = Pt(16 * indent)
            self._text(paragraph, text, BODY, _SIZE)

    def _definitions(self) -> None:
        """附件: what each figure means, and how to follow one."""
        lead = self.document.add_paragraph()
        lead.paragraph_format.page_break_before = True
        self._text(lead, "附件", HEAD, _SIZE)
        title = self.document.add_paragraph()
        title.alignment = WD_ALIGN_PARAGRAPH.CENTER
        self._text(title, "指标口径和数字溯源", TITLE, _TITLE_SIZE)
        said = self.document.add_paragraph()
        _indent(said)
        maker = str(self.report.made_by) if self.report.made_by else "系统"
        self._text(
            said,
            f"本报告由{maker}于{zh_moment(self.report.made_at)}生成，编号第{self.report.pk}号。数字后方括号内的六位编码为溯源编码，"
            f"点开编码，或打开 {self.site}/trace/编码/，可以看到该数字的口径、名单和原表的行。",
            BODY,
            _SIZE,
        )
        self._grid(
            ["指标", "单位", "口径", "计数规则", "来源"],
            [(d.label, d.unit, d.text, d.counting, d.source) for d in self.paper.definitions],
            numeric=[False] * 5,
            widths=[32, 13, 62, 20, 29],
        )

    # --- the package ------------------------------------------------------------------------------------------

    def _font_table(self) -> None:
        """Names the stand-ins of each font, for machines that lack it."""
        fonts = "".join(
            f'<w:font w:name="{name}"><w:altName w:val="{others}"/><w:charset w:val="{"00" if name == LATIN else "86"}"/>'
            f'<w:family w:val="{"roman" if name in (LATIN, PAGE, WIDEST) else "auto"}"/></w:font>'
            for name, others in _STAND_INS.items()
        )
        body = (
            '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
            f'<w:fonts xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">{fonts}</w:fonts>'
        ).encode()
        part = self.document.part
        for relation in part.rels.values():
            if relation.reltype == RELATIONSHIP_TYPE.FONT_TABLE:
                relation.target_part._blob = body
                return
        content = "application/vnd.openxmlformats-officedocument.wordprocessingml.fontTable+xml"
        table = PackagePart(PackURI("/word/fontTable.xml"), content, body, part.package)
        part.relate_to(table, RELATIONSHIP_TYPE.FONT_TABLE)

    def _properties(self) -> None:
        properties = self.document.core_properties
        properties.title, properties.author = self.paper.title, self.paper.office
        properties.last_modified_by = self.paper.office
        properties.created = properties.modified = self.report.made_at
        properties.comments = f"报告第{self.report.pk}号"
        properties.language = "zh-CN"


def _off_the_grid(paragraph: Paragraph) -> None:
    """Lines of its own height: the grid of 22 lines is for the body."""
    snap = OxmlElement("w:snapToGrid")
    snap.set(qn("w:val"), "0")
    properties = paragraph._p.get_or_add_pPr()
    properties.insert_element_before(
        snap, "w:spacing", "w:ind", "w:contextualSpacing", "w:mirrorIndents", "w:suppressOverlap", "w:jc", "w:rPr"
    )


def _indent(paragraph: Paragraph) -> None:
    """First line two characters in, said in characters so that it follows the font's size."""
    paragraph.paragraph_format.first_line_indent = _INDENT
    paragraph._p.get_or_add_pPr().get_or_add_ind().set(qn("w:firstLineChars"), "200")


def run_xml(
    text: str,
    font: str,
    size: Any,
    *,
    latin: str = LATIN,
    grey: bool = False,
    raised: bool = False,
    declare: bool = False,
) -> str:
    """One run. `declare`: as a document of its own, with the namespace."""
    color = '<w:color w:val="4B5563"/>' if grey else ""
    half_points = int(size.pt * 2)
    raise_it = '<w:vertAlign w:val="superscript"/>' if raised else ""
    words = f'<w:t xml:space="preserve">{escape(text)}</w:t>' if text else ""
    return (
        f"<w:r{' ' + nsdecls('w') if declare else ''}><w:rPr>"
        f'<w:rFonts w:ascii="{latin}" w:hAnsi="{latin}" w:eastAsia="{font}" w:cs="{latin}"/>{color}'
        f'<w:sz w:val="{half_points}"/><w:szCs w:val="{half_points}"/>{raise_it}</w:rPr>{words}</w:r>'
    )


def table_text(figure: Figured) -> str:
    """A figure in a table: thousands separators, the unit in the header."""
    return figure_text(figure.value, figure.unit, table=True)[0]


def fonts_for(text: str, font: str) -> Iterator[tuple[str, str]]:
    """Splits text into runs by what fonts hold: GB 2312, the rest of the common plane, extension A, the planes beyond.

    堃, 䶮 and 𬭎 stand in no GB 2312 font; without a font of their own they print as boxes on older machines.
    """
    piece, held = "", font
    for char in text:
        wanted = _font_of(char, font)
        if wanted != held and piece:
            yield piece, held
            piece = ""
        piece, held = piece + char, wanted
    if piece:
        yield piece, held


def _font_of(char: str, font: str) -> str:
    if ord(char) > 0xFFFF:
        return WIDEST
    if "\u4e00" <= char <= "\u9fff" or "\u3400" <= char <= "\u4dbf":
        try:
            char.encode("gb2312")
        except UnicodeEncodeError:
            return PAGE if char <= "\u4dbf" else WIDER
    return font
