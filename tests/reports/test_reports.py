"""Reports: kept as printed, traced to their rows, computed again for their moment, final only when everything holds."""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from html import unescape

import openpyxl
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DatabaseError, transaction
from docx import Document
from docx.oxml.ns import qn

from eduaid.core import uploads
from eduaid.core.scope import EVERYTHING, Scope, row_security
from reports.actions import NotAllowed, NotPossible, finalise, make_report, paper_of, recompute_all
from reports.documents import write_document
from reports.models import Figure, Report
from reports.models.snapshots import ReportState
from reports.moments import Moment
from reports.papers import placed, prose
from reports.workbooks import write_report
from tests.reports.conftest import DAY, SCHOOL_B, person, sits
from tests.small_county import SmallCounty

MOMENT = Moment(DAY)


@pytest.fixture(scope="module")
def report(filled: SmallCounty) -> Report:
    return make_report(area=filled.home, moment=MOMENT, by=filled.user("county"))


def text_of(data: bytes) -> list[str]:
    """The paragraphs of a Word document, links included."""
    return ["".join(node.text or "" for node in p._p.iter(qn("w:t"))) for p in Document(io.BytesIO(data)).paragraphs]


# --- made and kept ---------------------------------------------------------------------------------------------


def test_a_report_keeps_what_it_printed(filled: SmallCounty, report: Report) -> None:
    paper = paper_of(report, EVERYTHING)
    figures = list(Figure.objects.filter(report=report))
    assert [item.code for item, _ in placed(paper.sections)] == [figure.code for figure in figures]
    assert len({figure.code for figure in figures}) == len(figures) > 80
    first = figures[1]
    assert (first.indicator, first.area, first.value, first.text) == ("population.6-15", filled.home, 5, "5人")
    assert first.sentence == "截至2026年11月20日，公安户籍人口名单中，全县3—5周岁1人，6—15周岁5人，16—22周岁0人。"
    rate = next(figure for figure in figures if figure.over)
    assert (rate.indicator, rate.over, rate.value, rate.over_value, rate.text) == (
        "population.6-15.in-registry", "population.6-15", 4, 5, "80.00%",
    )  # fmt: skip
    kinds = {entry["kind"] for entry in report.basis["lists"]}
    assert kinds == {"population", "registry", "class-roster", "poverty-register", "hardship"}


def test_a_printed_figure_cannot_be_changed(report: Report) -> None:
    with pytest.raises(DatabaseError, match="figure_never_changes|Cannot update"), transaction.atomic():
        Figure.objects.filter(report=report, position=0).update(value=99)
    with pytest.raises(DatabaseError), transaction.atomic():
        Report.objects.filter(pk=report.pk).update(content={})
    assert Figure.objects.get(report=report, position=0).value == 1


def test_the_database_itself_keeps_a_report_from_another_township(filled: SmallCounty) -> None:
    made = make_report(area=filled.b, moment=MOMENT, by=filled.user("town-b"))
    with transaction.atomic(), row_security(Scope.of(filled.user("town-a")), local=True):
        assert not Report.objects.filter(pk=made.pk).exists()
        assert not Figure.objects.filter(report=made.pk).exists()
    with transaction.atomic(), row_security(Scope.of(filled.user("town-b")), local=True):
        assert Report.objects.filter(pk=made.pk).exists()
        assert Figure.objects.filter(report=made.pk).exists()


def test_only_the_responsible_make_reports(filled: SmallCounty) -> None:
    with pytest.raises(NotAllowed, match="您的岗位不能生成报告"):
        make_report(area=filled.home, moment=MOMENT, by=filled.user("data"))
    with pytest.raises(NotAllowed, match="“石洲乡”不在您负责的范围内"):
        make_report(area=filled.b, moment=MOMENT, by=filled.user("town-a"))


# --- the same figures on the page, in Word and in the workbook -------------------------------------------------


def test_word_page_and_workbook_print_the_same_figures(filled: SmallCounty, report: Report) -> None:
    paper = paper_of(report, EVERYTHING)
    said = [prose(paragraph) for section in paper.sections for paragraph in section.paragraphs]
    word = text_of(write_document(report, paper, site="https://a.example"))
    assert [re.sub(r"〔[0-9A-Z]{6}〕", "", line) for line in word if line.startswith("截至2026年11月20日，")] == said[
        :1
    ]
    assert all(line in [re.sub(r"〔[0-9A-Z]{6}〕", "", text) for text in word] for line in said)
    html = filled.client("county").get(f"/reports/{report.pk}/").content.decode()
    for line in said:
        assert line in unescape(re.sub(r"<[^>]+>", "", html))
    book = openpyxl.load_workbook(io.BytesIO(write_report(report, paper, site="https://a.example")))
    assert book.sheetnames == ["汇总", "分乡镇", "分户类型", "口径"]
    rows = list(book["汇总"].iter_rows(min_row=5, values_only=True))
    codes = {figure.code: figure for figure in Figure.objects.filter(report=report)}
    assert {row[5] for row in rows} <= codes.keys()
    for _, label, _, value, _, code, _ in rows:
        figure = codes[str(code)]
        assert label == figure.label
        assert value == (figure.text if figure.over else int(figure.value))
    table = list(book["分乡镇"].iter_rows(min_row=3, values_only=True))
    by_name = {row[0]: dict(zip(table[0], row, strict=True)) for row in table[1:]}
    assert by_name["水口镇"]["学龄人口：6—15周岁（人）"] == 4
    assert by_name["石洲乡"]["在校学生（按学段）：在校学生（人）"] == 3
    assert by_name["合计"]["名单报送：未报（所）"] == 1


def test_the_word_document_has_the_form_of_an_official_paper(report: Report) -> None:
    data = write_document(report, paper_of(report, EVERYTHING), site="https://a.example")
    document = Document(io.BytesIO(data))
    section = document.sections[0]
    millimetres = [round(length.mm) for length in (
        section.page_width, section.page_height, section.top_margin, section.bottom_margin, section.left_margin, section.right_margin,
    )]  # fmt: skip
    assert millimetres == [210, 297, 37, 35, 28, 26]
    parts = zipfile.ZipFile(io.BytesIO(data))
    xml = parts.read("word/document.xml").decode()
    title = document.paragraphs[0]._p.xml
    assert "方正小标宋简体" in title
    assert 'w:sz w:val="44"' in title
    body = next(p._p.xml for p in document.paragraphs if p.text.startswith("截至2026年11月20日，"))
    assert 'w:firstLineChars="200"' in body
    assert "仿宋_GB2312" in body
    assert "黑体" in next(p._p.xml for p in document.paragraphs if p.text == "一、学龄人口")
    styles = parts.read("word/styles.xml").decode()
    assert 'w:lineRule="exact" w:line="578"' in styles
    assert "<w:evenAndOddHeaders" in parts.read("word/settings.xml").decode()
    footers = [parts.read(name).decode() for name in parts.namelist() if name.startswith("word/footer")]
    assert len(footers) == 2
    assert all("— " in footer and " PAGE " in footer for footer in footers)
    assert sorted(re.findall(r'w:jc w:val="(\w+)"', "".join(footers))) == ["left", "right"]
    assert "Noto Serif CJK SC" in parts.read("word/fontTable.xml").decode()
    assert xml.count("<w:tblHeader/>") == xml.count("<w:tbl>")
    assert "（草稿）" in xml


def test_every_number_of_the_word_document_is_linked_to_its_trace(filled: SmallCounty, report: Report) -> None:
    data = write_document(report, paper_of(report, EVERYTHING), site="https://a.example")
    document = Document(io.BytesIO(data))
    targets = {rel.target_ref for rel in document.part.rels.values() if rel.is_external and "/trace/" in rel.target_ref}
    codes = set(Figure.objects.filter(report=report).values_list("code", flat=True))
    assert targets == {f"https://a.example/trace/{code}/" for code in codes}
    digits = re.compile(r"^[\d,.]+%?$")
    unlinked = [
        node.text
        for table in document.tables[:-1]
        for node in table._tbl.iter(qn("w:t"))
        if digits.match(node.text or "") and node.getparent().getparent().tag != qn("w:hyperlink")
    ]
    assert unlinked == []


def test_rare_characters_get_a_font_that_holds_them() -> None:
    from reports.documents import BODY, PAGE, WIDER, WIDEST, fonts_for

    assert list(fonts_for("李堃䶮𬭎村", BODY)) == [
        ("李", BODY), ("堃", WIDER), ("䶮", PAGE), ("𬭎", WIDEST), ("村", BODY),
    ]  # fmt: skip


# --- traces ---------------------------------------------------------------------------------------------------


def test_every_figure_of_a_report_traces_to_as_many_rows(filled: SmallCounty, report: Report) -> None:
    client = filled.client("county")
    figures = list(Figure.objects.filter(report=report))
    for figure in figures:
        html = client.get(f"/trace/{figure.code}/").content.decode()
        assert "重算一致" in html, figure
        body = html[html.index('id="rows"') : html.index("来源名单和原表")]
        assert body.count('<th scope="row" class="nowrap">') == int(figure.value), figure


def test_a_trace_goes_from_the_sentence_to_the_files(filled: SmallCounty, report: Report) -> None:
    figure = Figure.objects.get(report=report, indicator="difference.roster-only", sentence__startswith="户籍")
    html = filled.client("auditor").get(f"/trace/{figure.code.lower()}/").content.decode()
    assert figure.sentence in html
    assert "班级名册有、生效的学籍名单没有的学生人数。" in html
    assert "许多" in html
    assert re.search(r'<a href="/rows/\d+/">班级名册第 4 行</a>', html)
    assert re.search(r'<a href="/imports/\d+/receipt/">名单.xlsx</a>', html)


def test_a_township_traces_the_issued_county_report_by_count_only(filled: SmallCounty) -> None:
    made = make_report(area=filled.home, moment=MOMENT, by=filled.user("county"))
    county = Figure.objects.get(report=made, indicator="pupils", sentence__startswith="班级名册")
    township_b = Figure.objects.filter(report=made, indicator="pupils", region=filled.b).first()
    client = filled.client("town-a")
    assert client.get(f"/reports/{made.pk}/").status_code == 404
    assert client.get(f"/trace/{county.code}/").status_code == 404
    finalise(made, by=filled.user("leader"))
    html = client.get(f"/trace/{county.code}/").content.decode()
    assert 'data-value="5"' in html
    assert "另有 2 行不在您的范围内，只计数，不列名。" in html
    assert "孙丽" in html
    for name in ("吴县", "许多"):
        assert name not in html
    assert township_b is not None
    assert client.get(f"/trace/{township_b.code}/").status_code == 404
    paper = client.get(f"/reports/{made.pk}/").content.decode()
    assert f"/trace/{county.code}/" in paper
    assert township_b.code not in paper
    assert client.get(f"/reports/{made.pk}/changes/").status_code == 404
    assert client.post(f"/reports/{made.pk}/final/").status_code == 302
    made.refresh_from_db()
    assert made.state == ReportState.FINAL


# --- the way to the final version -------------------------------------------------------------------------------


def test_a_report_becomes_final_and_is_withdrawn_with_a_reason(filled: SmallCounty) -> None:
    client = filled.client("leader")
    assert client.get("/reports/new/").status_code == 405
    response = client.post("/reports/new/", {"area": filled.home.code, "as_of": DAY.isoformat()})
    made = Report.objects.latest("pk")
    assert response.headers["Location"] == f"/reports/{made.pk}/"
    client.post(f"/reports/{made.pk}/final/")
    made.refresh_from_db()
    assert (made.state, made.finalised_by) == (ReportState.FINAL, filled.user("leader"))
    assert "（草稿）" not in "".join(text_of(client.get(f"/reports/{made.pk}/docx/").content))
    with pytest.raises(NotPossible, match="现在是“终稿”"):
        finalise(made, by=filled.user("leader"))
    assert "请填写「撤回原因」" in client.post(f"/reports/{made.pk}/withdraw/", {"reason": " "}).content.decode()
    client.post(f"/reports/{made.pk}/withdraw/", {"reason": "漏了石洲乡的名单"})
    made.refresh_from_db()
    assert (made.state, made.withdraw_reason) == (ReportState.WITHDRAWN, "漏了石洲乡的名单")
    assert "这份报告已撤回：漏了石洲乡的名单" in client.get(f"/reports/{made.pk}/").content.decode()


def test_a_broken_tie_out_keeps_a_report_from_being_final(filled: SmallCounty) -> None:
    made = make_report(area=filled.b, moment=MOMENT, by=filled.user("town-b"))
    made.content["checks"] = [["在校学生＝寄宿＋走读（石洲乡）：左边 3人，右边 2人，差 1人", False]]
    broken = Report.objects.create(
        kind=made.kind, title=made.title, region=filled.b, town=filled.b, as_of=DAY, known_at=made.known_at,
        basis=made.basis, content=made.content, made_by=made.made_by,
    )  # fmt: skip
    with pytest.raises(NotPossible, match="有 1 条勾稽不一致，不能定为终稿：在校学生＝寄宿＋走读（石洲乡）"):
        finalise(broken, by=filled.user("town-b"))
    assert finalise(made, by=filled.user("town-b")).state == ReportState.FINAL


def test_a_township_head_issues_the_report_of_the_township(filled: SmallCounty) -> None:
    client = filled.client("town-a")
    assert client.post("/reports/new/", {"area": filled.b.code}).status_code == 404
    client.post("/reports/new/", {"area": filled.a.code, "as_of": DAY.isoformat()})
    made = Report.objects.latest("pk")
    assert (made.title, made.town) == ("水口镇教育资助与控辍保学工作进展情况汇总", filled.a)
    assert filled.client("town-b").get(f"/reports/{made.pk}/").status_code == 404
    assert filled.client("county").get(f"/reports/{made.pk}/").status_code == 200


# --- other dates and moments ------------------------------------------------------------------------------------


def test_a_report_is_computed_again_as_it_was_known_after_the_lists_have_changed(filled: SmallCounty) -> None:
    made = make_report(area=filled.home, moment=MOMENT, by=filled.user("county"))
    newcomer = person("马上", "20160606", 23)
    later = filled.bring(
        "class-roster", [sits(newcomer, SCHOOL_B, "四年级", "1班", "否")], place="b", by="town-b", mode="supplement",
        as_of=dt.date(2026, 10, 8),
    )  # fmt: skip
    assert [item.text for item in recompute_all(made) if not item.same] == []
    now = {
        (item.figure.indicator, str(item.figure.area)): item.text
        for item in recompute_all(made, as_known_now=True)
        if not item.same
    }
    assert now["pupils", "示例县"] == "6人"
    assert now["difference.roster-only", "石洲乡"] == "2人"
    assert ("pupils", "水口镇") not in now
    html = filled.client("county").get(f"/reports/{made.pk}/changes/").content.decode()
    assert "报告中的数字都与重算相同" in html
    assert "表2 各乡镇在校学生（按学段）（单位：人）：石洲乡，在校学生" in html
    figure = Figure.objects.get(report=made, indicator="pupils", sentence__startswith="班级名册")
    trace = filled.client("county").get(f"/trace/{figure.code}/").content.decode()
    assert "重算一致" in trace
    assert "马上" not in trace
    # As of a day before that list, the page shows what the report shows.
    page = filled.client("county").get("/i/pupils/?as_of=2026-09-30").content.decode()
    assert 'data-value="5"' in page
    assert "马上" not in page
    uploads.undo(later, by=filled.user("leader"), reason="只为试验")
    assert [item.text for item in recompute_all(made, as_known_now=True) if not item.same] == []


# --- commands ---------------------------------------------------------------------------------------------------


def test_the_command_writes_files_and_prints_tables(filled: SmallCounty, tmp_path: object) -> None:
    from pathlib import Path

    folder = Path(str(tmp_path))
    out = io.StringIO()
    call_command("report", "county-progress", as_of=DAY.isoformat(), output=folder / "汇总.docx", stdout=out)
    made = Report.objects.latest("pk")
    assert made.made_by is None
    assert f"示例县教育资助与控辍保学工作进展情况汇总（报告第 {made.pk} 号）已写入" in out.getvalue()
    assert "本报告由系统于" in "".join(text_of((folder / "汇总.docx").read_bytes()))
    out = io.StringIO()
    call_command("report", "county-progress", as_of=DAY.isoformat(), scope=filled.b.code, stdout=out)
    assert "石洲乡教育资助与控辍保学工作进展情况汇总（截至2026-11-20）" in out.getvalue()
    assert "勾稽：全部一致" in out.getvalue()
    before = Report.objects.count()
    call_command("report", "county-progress", as_of=DAY.isoformat(), stdout=io.StringIO())
    assert Report.objects.count() == before
    for options, sentence in (
        ({"scope": "123"}, "没有代码为“123”的区划或学校"),
        ({"as_of": "2026-13-01"}, "看不懂日期“2026-13-01”"),
        ({"as_of": "2001-01-01"}, "2001年1月1日之前没有学期"),
        ({"output": folder / "汇总.pdf"}, "“汇总.pdf”不是 .docx 或 .xlsx 文件"),
        ({"output": folder / "没有" / "汇总.docx"}, "不能写入"),
    ):
        with pytest.raises(CommandError, match=sentence):
            call_command("report", "county-progress", **options, stdout=io.StringIO())
    assert Report.objects.count() == before


def test_the_figures_command_answers_programs(filled: SmallCounty) -> None:
    import json

    out = io.StringIO()
    call_command("figures", as_of=DAY.isoformat(), json=True, stdout=out)
    figures = {item["key"]: item for item in json.loads(out.getvalue())}
    assert figures["pupils"] == {
        "key": "pupils", "label": "在校学生", "unit": "人", "value": 5,
        "definition": "生效的班级名册中、学校在本县的学生人数，一人计一次，计入学校所在乡镇。",
    }  # fmt: skip
    assert figures["rows.waiting"]["value"] == 1
    out = io.StringIO()
    call_command("figures", as_of=DAY.isoformat(), scope=filled.a.code, key="pupils", json=True, stdout=out)
    assert [item["value"] for item in json.loads(out.getvalue())] == [2]
    out = io.StringIO()
    call_command("figures", as_of=DAY.isoformat(), known_at="2026-01-01T00:00:00", key="pupils", json=True, stdout=out)
    assert [item["value"] for item in json.loads(out.getvalue())] == [0]
    with pytest.raises(CommandError, match="没有名为“nope”的指标"):
        call_command("figures", key="nope", stdout=io.StringIO())
    with pytest.raises(CommandError, match="“population.6-15”不按水口镇蔡朱小学统计。"):
        call_command("figures", key="population.6-15", scope=filled.primary_a.code, stdout=io.StringIO())
