"""The paragraph of the bulletin 通报 about a spot check: counts, no names. Plain Python."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from eduaid.core import display


@dataclass(frozen=True)
class Counts:
    drawn: int
    called: int
    true: int
    untrue: int
    unreachable: int
    rectified: int
    schools: int

    @property
    def reached(self) -> int:
        return self.true + self.untrue


def paragraph(name: str, drawn_on: dt.date, per_school: int, seed: str, counts: Counts) -> str:
    """As bulletins say it; what was not found is not said."""
    text = (
        f"{display.zh_date(drawn_on)}，县教育局采取随机抽取、电话核实的方式开展“{name}”，每校抽取{per_school}人"
        f"（不足的全部抽取，随机种子{seed}），共抽取{counts.schools}所学校（含各乡镇在外就读）{counts.drawn}人。"
    )
    if counts.called < counts.drawn:
        text += f"截至目前已抽查{counts.called}人，"
    else:
        text += f"已全部抽查，共{counts.called}人，"
    text += (
        f"其中情况属实{counts.true}人，不属实{counts.untrue}人，无法接通{counts.unreachable}人；"
        f"接通并核实{counts.reached}人，属实率{display.percent(counts.true, counts.reached)}。"
    )
    if counts.untrue:
        left = counts.untrue - counts.rectified
        text += f"对不属实的{counts.untrue}人已交有关学校限期整改，"
        text += "全部整改到位。" if not left else f"已整改{counts.rectified}人，尚有{left}人正在整改。"
    if counts.unreachable:
        text += f"对无法接通的{counts.unreachable}人，请有关学校重新核实联系方式后报县教育局。"
    return text
