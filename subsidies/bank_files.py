"""The workbook that a bank gets, and the workbook that it sends back. Plain columns that every bank's counter program maps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eduaid.core.cells import Cell, Row
from eduaid.core.column_content import Content
from eduaid.core.parser import Sheet, parse
from eduaid.core.spreadsheets import Header, RowKind, classify_row, find_header, map_columns
from eduaid.core.text import Problem, parse_amount, plain
from eduaid.core.workbooks import OutColumn, OutSheet, write_workbook
from subsidies.ledger import NotPossible
from subsidies.payments import Answer, BankRow


@dataclass(frozen=True)
class Heading:
    """A column of the bank's answer, in the shape that recognition asks for."""

    key: str
    label: str
    synonyms: tuple[str, ...] = ()
    required: bool = False
    content: Content | None = None


NUMBER = Heading("number", "序号", ("行号", "编号", "笔号", "明细序号"), required=True)
MARK = Heading("mark", "批次标识", ("批次号", "批号", "批次"))
AMOUNT = Heading("amount", "金额", ("金额（元）", "实发金额", "交易金额", "代发金额", "发放金额"))
STATE = Heading(
    "state", "处理结果", ("状态", "结果", "交易状态", "发放状态", "处理状态", "成功标志", "是否成功"), required=True
)
REASON = Heading("reason", "失败原因", ("原因", "错误信息", "返回信息", "备注", "摘要", "说明"))
HEADINGS = (NUMBER, MARK, AMOUNT, STATE, REASON)

_PAID = {"成功", "已发放", "交易成功", "处理成功", "发放成功", "已入账", "是", "1", "y", "s", "0000", "√"}
_FAILED = {"失败", "未成功", "交易失败", "处理失败", "发放失败", "退回", "否", "0", "n", "f", "×"}


def write_payment_file(rows: Sequence[BankRow], *, title: str) -> bytes:
    columns = [
        OutColumn("序号", "whole", 8),
        OutColumn("户名", width=14),
        OutColumn("卡号", width=26),
        OutColumn("金额", "money", 12),
        OutColumn("开户银行", width=20),
        OutColumn("学生姓名", width=14),
        OutColumn("批次标识", width=16),
        OutColumn("处理结果", width=12),
        OutColumn("失败原因", width=30),
    ]
    total = sum(row.amount for row in rows)
    lines = [f"共 {len(rows)} 笔，{total:,.2f} 元。请银行填写最后两列后退回，不要改动其他列。"]
    body = [(row.number, row.holder, row.card, row.amount, row.bank, row.name, row.mark, None, None) for row in rows]
    return write_workbook([OutSheet("发放明细", columns, body, title=title, lines=lines)])


def read_return(data: bytes, name: str, *, mark: str) -> list[Answer]:
    """The bank's answers, in the order of the sheet. Raises NotPossible with every wrong row (at most five are told), and
    FileRefused where the file is no spreadsheet: nothing is taken from a file that has one."""
    book = parse(data, name)
    for sheet in book.sheets:
        numbered = [(number, row) for number, row in enumerate(sheet.rows, 1) if row]
        header = find_header(numbered[:40], HEADINGS, merged=sheet.merged)
        if header is not None:
            return _answers(sheet, header, mark)
    raise NotPossible("没有找到回盘的表头。表头应在同一行，并包含：序号、处理结果。请用银行退回的原文件。")


def _answers(sheet: Sheet, header: Header, mark: str) -> list[Answer]:
    found = map_columns(header.texts, HEADINGS)
    places = {key: position for position, key in found.columns.items()}
    if missing := [one.label for one in HEADINGS if one.required and one.key not in places]:
        raise NotPossible(f"工作表“{sheet.name}”缺少或分不清“{'、'.join(missing)}”列。请补上列名再上传。")
    answers: list[Answer] = []
    wrong: list[str] = []
    for number, row in enumerate(sheet.rows[header.last :], header.last + 1):
        if not row or classify_row(row, header) is not RowKind.DATA:
            continue
        answer = _answer(row, places, mark)
        if isinstance(answer, str):
            wrong.append(f"工作表“{sheet.name}”第 {number} 行{answer}")
        else:
            answers.append(answer)
    if wrong:
        more = f"另有 {len(wrong) - 5} 行。" if len(wrong) > 5 else ""
        raise NotPossible(f"回盘没有收下：{''.join(wrong[:5])}{more}")
    if not answers:
        raise NotPossible("回盘里没有数据行。")
    return answers


def _answer(row: Row, places: dict[str, int], mark: str) -> Answer | str:
    def cell(heading: Heading) -> Cell:
        at = places.get(heading.key)
        return row[at] if at is not None and at < len(row) else None

    number, said = plain(cell(NUMBER)).strip(), plain(cell(MARK)).strip()
    if not number.isdecimal():
        return "“序号”应是发放文件里的序号。"
    if said and said != mark:
        return f"的批次标识与本文件（{mark}）不同，请核对是否选错了文件。"
    amount = None
    if cell(AMOUNT) not in (None, ""):
        read = parse_amount(cell(AMOUNT))
        if isinstance(read, Problem):
            return f"“金额”{read.sentence}。"
        amount = read.value if read else None
    state = plain(cell(STATE)).strip().lower()
    if state in _PAID:
        return Answer(int(number), True, amount=amount)
    if state in _FAILED:
        reason = plain(cell(REASON)).strip()
        return Answer(int(number), False, reason or "银行未说明原因", amount) if reason else "失败，但没有写失败原因。"
    return "“处理结果”应填“成功”或“失败”。"
