"""Where each yuan of an award stands, and how it may move. Plain Python; `subsidies.models.ledger` keeps the same in the database.

An award's money begins in the fund, becomes payable when the award is approved, is with the bank while a payment file is out,
and ends paid, or comes back. Amounts are 元 with two decimals; a line is signed: plus came into the account, minus left it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

ZERO = Decimal("0.00")
WAN = Decimal(10_000)


class Place(StrEnum):
    """The accounts; every one but the fund holds nothing less than zero for any award."""

    FUND = "fund"
    PAYABLE = "payable"
    TRANSIT = "transit"
    PAID = "paid"
    RETURNED = "returned"
    DUE_BACK = "due-back"
    RECOVERED = "recovered"


class Deed(StrEnum):
    """What an entry records."""

    APPROVE = "approve"
    CANCEL = "cancel"
    SEND = "send"
    RECALL = "recall"
    PAY = "pay"
    FAIL = "fail"
    FIX = "fix"
    DROP = "drop"
    CLAIM = "claim"
    RECOVER = "recover"
    FORGIVE = "forgive"
    REVERSE = "reverse"


WAYS: Mapping[Deed, tuple[Place, Place]] = {
    Deed.APPROVE: (Place.FUND, Place.PAYABLE),
    Deed.CANCEL: (Place.PAYABLE, Place.FUND),
    Deed.SEND: (Place.PAYABLE, Place.TRANSIT),
    Deed.RECALL: (Place.TRANSIT, Place.PAYABLE),
    Deed.PAY: (Place.TRANSIT, Place.PAID),
    Deed.FAIL: (Place.TRANSIT, Place.RETURNED),
    Deed.FIX: (Place.RETURNED, Place.PAYABLE),
    Deed.DROP: (Place.RETURNED, Place.FUND),
    Deed.CLAIM: (Place.PAID, Place.DUE_BACK),
    Deed.RECOVER: (Place.DUE_BACK, Place.RECOVERED),
    Deed.FORGIVE: (Place.DUE_BACK, Place.PAID),
}
"""Each deed moves money one way; a reversal is the mirror of the entry that it reverses."""

LABELS: Mapping[Place, str] = {
    Place.FUND: "资助资金",
    Place.PAYABLE: "应发",
    Place.TRANSIT: "在途（已交银行）",
    Place.PAID: "已发放",
    Place.RETURNED: "银行退回",
    Place.DUE_BACK: "待追回",
    Place.RECOVERED: "已追回",
}

DEEDS: Mapping[Deed, str] = {
    Deed.APPROVE: "审核通过",
    Deed.CANCEL: "撤销",
    Deed.SEND: "交银行",
    Deed.RECALL: "收回发放文件",
    Deed.PAY: "发放成功",
    Deed.FAIL: "发放失败",
    Deed.FIX: "改正待重发",
    Deed.DROP: "失败后不再发放",
    Deed.CLAIM: "错发待追回",
    Deed.RECOVER: "追回",
    Deed.FORGIVE: "撤销追回",
    Deed.REVERSE: "冲销",
}


class NotEnough(ValueError):
    """More would leave an account than it holds for the award."""


@dataclass(frozen=True, slots=True)
class Line:
    award: int
    place: Place
    amount: Decimal


def lines_of(deed: Deed, amounts: Iterable[tuple[int, Decimal]]) -> list[Line]:
    """Two lines an award: out of one account and into another. Raises NotEnough for an amount that is not above zero."""
    source, target = WAYS[deed]
    lines: list[Line] = []
    for award, amount in amounts:
        if amount <= 0:
            raise NotEnough(f"金额 {amount} 不能入账，金额应大于 0。")
        lines += (Line(award, source, -amount), Line(award, target, amount))
    return lines


def mirrored(lines: Sequence[Line]) -> list[Line]:
    return [Line(line.award, line.place, -line.amount) for line in lines]


def is_balanced(lines: Iterable[Line]) -> bool:
    """Per award, as the database asks."""
    sums: dict[int, Decimal] = {}
    for line in lines:
        sums[line.award] = sums.get(line.award, ZERO) + line.amount
    return not any(sums.values())


Holding = Mapping[Place, Decimal]


def after(holding: Holding, lines: Iterable[Line], approved: Decimal) -> dict[Place, Decimal]:
    """One award's accounts after these lines of it. Raises NotEnough where an account would fall below zero, or more would have
    left the fund than was approved."""
    held = dict(holding)
    for line in lines:
        held[line.place] = held.get(line.place, ZERO) + line.amount
    for place, amount in held.items():
        if place is Place.FUND:
            if amount > 0 or -amount > approved:
                raise NotEnough("入账后的金额会超过批准的金额。")
        elif amount < 0:
            raise NotEnough(f"“{LABELS[place]}”的余额不足。")
    return held


@dataclass(frozen=True, slots=True)
class Totals:
    """What somebody typed, or what the rows add up to: 人次 and 元."""

    heads: int
    amount: Decimal


def difference(typed: Totals, counted: Totals) -> str:
    """What does not agree, in a sentence; empty where all does."""
    said = []
    if typed.heads != counted.heads:
        said.append(f"人次填 {typed.heads:,}，名单为 {counted.heads:,}，相差 {abs(typed.heads - counted.heads):,}")
    if typed.amount != counted.amount:
        hint = ""
        if typed.amount * WAN == counted.amount:
            hint = "（像是按万元填的，这里应填元）"
        said.append(
            f"金额填 {typed.amount:,.2f} 元，名单为 {counted.amount:,.2f} 元，"
            f"相差 {abs(typed.amount - counted.amount):,.2f} 元{hint}"
        )
    return "；".join(said)
