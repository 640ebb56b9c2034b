"""A letter to the bureau of another county as a Word document in the form of official papers (GB/T 9704-2012).

It may hold full ID numbers, where whoever wrote it chose so: the other bureau looks children up by them.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.shared import Pt

from dropout.models import InquiredChild, InquiryLetter
from eduaid.core import codes
from eduaid.core.display import zh_date
from eduaid.core.models import Region
from eduaid.core.roles import today
from eduaid.core.scope import EVERYTHING
from eduaid.core.sealing import Unreadable
from reports.documents import BODY, SUBHEAD, TITLE, _off_the_grid, _Writer
from reports.models import Report
from reports.papers import Paper
from students import numbers, provenance

_SUBJECT = "关于协助核实适龄儿童少年就读情况的函"


@dataclass(frozen=True)
class Line:
    name: str
    sex: str
    born: str
    number: str
    said: str


def lines_of(letter: InquiryLetter) -> list[Line]:
    """The children of a letter, their numbers in full where the letter says so, else masked."""
    children = letter.children.select_related("student").order_by("pk")
    return [_line(one, full=letter.full_numbers) for one in children]


def _line(one: InquiredChild, *, full: bool) -> Line:
    child = one.student
    number = child.masked_id
    if full:
        try:
            number = numbers.in_full(numbers.NUMBERS["id"], child, provenance.of(child, EVERYTHING))
        except (numbers.NotOnFile, Unreadable):
            number = "（无）"
    born = zh_date(child.birth_on) if child.birth_on else ""
    return Line(child.name, codes.SEX.label(child.sex) if child.sex else "", born, number, one.said)


def write_letter(letter: InquiryLetter, lines: Sequence[Line], *, home: Region) -> bytes:
    """The .docx of a letter."""
    paper = Paper(_SUBJECT, home.name, f"{home.name}教育局", today(), (), ())
    return _Letter(letter, lines, paper).bytes()


class _Letter(_Writer):
    """The writer of reports, with a letter's parts: no figures, so no traces and no appendix."""

    def __init__(self, letter: InquiryLetter, lines: Sequence[Line], paper: Paper) -> None:
        super().__init__(Report(made_at=letter.written_at), paper, "")
        self.letter, self.lines = letter, lines

    def bytes(self) -> bytes:
        self._page()
        self._styles()
        self._heading_of_letter()
        for text in self._sentences():
            self._paragraph((text,))
        self._grid(
            ["序号", "姓名", "性别", "出生日期", "证件号码", "我县掌握的就读情况", "核实结果"],
            [
                (str(number), line.name, line.sex, line.born, line.number, line.said, "")
                for number, line in enumerate(self.lines, 1)
            ],
            numeric=[False] * 7,
            widths=[10, 17, 10, 25, 36, 36, 22],
        )
        self._signature()
        self._font_table()
        self._properties()
        out = io.BytesIO()
        self.document.save(out)
        return out.getvalue()

    def _properties(self) -> None:
        super()._properties()
        self.document.core_properties.comments = f"协查函{self.letter}"

    def _heading_of_letter(self) -> None:
        title = self.document.add_paragraph()
        title.alignment = WD_ALIGN_PARAGRAPH.CENTER
        title.paragraph_format.line_spacing = Pt(36)
        _off_the_grid(title)
        self._text(title, _SUBJECT, TITLE, Pt(22))
        number = self.document.add_paragraph()
        number.alignment = WD_ALIGN_PARAGRAPH.CENTER
        self._text(number, f"{self.letter}", SUBHEAD, Pt(16))
        self.document.add_paragraph()
        to = self.document.add_paragraph()
        self._text(to, f"{self.letter.to_office}：", BODY, Pt(16))

    def _sentences(self) -> tuple[str, ...]:
        return (
            f"为做好控辍保学工作，落实义务教育阶段适龄儿童少年“一个都不能少”的要求，我县正在逐人核实户籍在本县、在外地就读的"
            f"学生。经了解，下列{len(self.lines)}名学生在贵县（市、区）学校就读。请协助核实其是否在读以及所在学校、年级、班级，"
            f"在表中填写核实结果，于{zh_date(self.letter.reply_by)}前函复我局。",
            "表中信息仅用于核实就读情况，请注意保管，不得外传。感谢贵局的支持。",
        )
