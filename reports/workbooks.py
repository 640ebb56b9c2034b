"""A report as a workbook: the figures of the sentences, the figures by place, and the definitions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from eduaid.core.display import zh_date, zh_moment
from eduaid.core.workbooks import OutColumn, OutSheet, Value, write_workbook
from reports.models import Report
from reports.numbers import Figured, Number, Share
from reports.papers import Cell, Paper, Table, prose

CONTENT_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def write_report(report: Report, paper: Paper, *, site: str) -> bytes:
    """The .xlsx of a report: 汇总, one sheet for each kind of place, 口径. Each figure stands with its trace code."""
    maker = str(report.made_by) if report.made_by else "系统"
    lines = [
        f"截至{zh_date(paper.as_of)}　{report.get_state_display()}　报告第{report.pk}号　由{maker}于{zh_moment(report.made_at)}生成",
        f"溯源：打开 {site}/trace/编码/ 可看该数字的口径、名单和原表的行",
    ]
    kinds = list(dict.fromkeys(table.row_label for section in paper.sections for table in section.tables))
    return write_workbook(
        [
            OutSheet(
                "汇总",
                rows=_figures(paper),
                title=paper.title,
                lines=lines,
                columns=[
                    OutColumn("部分", width=22),
                    OutColumn("指标", width=34),
                    OutColumn("范围", width=16),
                    OutColumn("数值", "general", 12),
                    OutColumn("单位", width=8),
                    OutColumn("溯源编码", width=12),
                    OutColumn("所在句子", width=80),
                ],
            ),
            *(_by_place(paper, kind, lines) for kind in kinds),
            OutSheet(
                "口径",
                title="指标口径",
                rows=([d.label, d.unit, d.text, d.counting, d.source] for d in paper.definitions),
                columns=[
                    OutColumn("指标", width=34),
                    OutColumn("单位", width=8),
                    OutColumn("口径", width=80),
                    OutColumn("计数规则", width=12),
                    OutColumn("来源", width=36),
                ],
            ),
        ],
        watermark=f"{paper.office} {report.title} 第{report.pk}号",
    )


def _figures(paper: Paper) -> Iterator[list[Value]]:
    for section in paper.sections:
        for paragraph in section.paragraphs:
            for part in paragraph:
                if not isinstance(part, str):
                    words = prose(paragraph)
                    yield [section.title, part.label, part.area.name, _value(part), _unit(part), part.code, words]


def _value(cell: Cell) -> Value:
    """Numbers stay numbers (money in 元); a rate reads as it is printed."""
    if isinstance(cell, Number):
        return cell.value
    if isinstance(cell, Share):
        return cell.text
    return cell


def _unit(figure: Figured) -> str:
    return "" if isinstance(figure, Share) else figure.unit


@dataclass(frozen=True)
class _Wide:
    """One column of the sheet by place: a column of one of the paper's tables."""

    header: str
    cells: dict[str, Cell]


def _by_place(paper: Paper, row_label: str, lines: list[str]) -> OutSheet:
    """All tables of the same kind of place side by side, places in the order of the first table."""
    tables = [table for section in paper.sections for table in section.tables if table.row_label == row_label]
    names = list(dict.fromkeys(line.name for table in tables for line in table.rows))
    columns = [column for table in tables for column in _columns(table)]
    rows = [[name, *(_value(column.cells.get(name)) for column in columns)] for name in [*names, "合计"]]
    return OutSheet(
        f"分{row_label}",
        rows=rows,
        title=f"{paper.title}（分{row_label}）",
        lines=lines[:1],
        columns=[OutColumn(row_label, width=18), *(OutColumn(column.header, "general", 14) for column in columns)],
    )


def _columns(table: Table) -> Iterator[_Wide]:
    totals = table.totals
    for position, heading in enumerate(table.columns):
        cells = {line.name: line.cells[position] for line in table.rows}
        if totals:
            cells["合计"] = totals[position]
        unit = heading.unit or _unit_of(cells)
        yield _Wide(
            f"{table.title.removeprefix('各' + table.row_label)}：{heading.label}" + (f"（{unit}）" if unit else ""),
            cells,
        )


def _unit_of(cells: dict[str, Cell]) -> str:
    return next((cell.unit for cell in cells.values() if isinstance(cell, Number)), "")
