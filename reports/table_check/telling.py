"""Findings in words and for programs."""

from __future__ import annotations

from decimal import Decimal
from typing import TypedDict

from reports.table_check.checking import Finding, Report
from reports.table_check.equations import RuleName
from reports.table_check.values import shown


class FindingData(TypedDict):
    """A finding as `manage.py check_table --json` prints it."""

    sheet: str
    cell: str
    rule: str
    printed: int | float | str
    expected: int | float | str


def as_data(finding: Finding) -> FindingData:
    return {
        "sheet": finding.sheet,
        "cell": finding.cell,
        "rule": finding.rule.value,
        "printed": _exact(finding.printed),
        "expected": _exact(finding.expected),
    }


def _exact(value: Decimal | str) -> int | float | str:
    """A number that JSON carries without losing a digit; text where a float would not come out the same."""
    if isinstance(value, str):
        return value
    text = shown(value)
    if "." not in text:
        return int(text)
    return float(text) if repr(float(text)) == text else text


def value_text(value: Decimal | str) -> str:
    return value if isinstance(value, str) else shown(value)


def sentence(finding: Finding) -> str:
    """工作表“表1” D13：表中是 413，应为 412（“合计”等于…之和）"""
    printed = value_text(finding.printed) or "空白"
    expected = value_text(finding.expected)
    if finding.rule in (RuleName.DATES_IN_ORDER, RuleName.SUBSET, RuleName.PERSONS_NOT_ABOVE_PERSON_TIMES):
        wanted = f"应{expected}" if expected else "与规则不符"
    else:
        wanted = f"应为 {expected}" if expected else "与规则不符"
    return f"工作表“{finding.sheet}” {finding.cell}：表中是 {printed}，{wanted}（{finding.why}）"


def what_was_checked(report: Report) -> list[str]:
    """How much was recognised and compared, so that silence is not taken for agreement."""
    if not report.blocks:
        return [f"{report.sheets} 张工作表中没有找到带数字的表格，没有核对任何数字。"]
    if not report.rules:
        return [
            f"找到 {report.blocks} 个表格，但没有认出合计、比例、乘积等任何关系，没有核对任何数字；不能据此认为表格无误。"
        ]
    lines = [f"找到 {report.blocks} 个表格，认出 {len(report.rules)} 条关系，核对 {report.compared} 处。"]
    lines += [f"{name.label}：{rules} 条，{compared} 处" for name, rules, compared in report.by_rule()]
    return lines
