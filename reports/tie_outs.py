"""勾稽: what must hold between figures. Declared once, run over a board, and named with place and numbers when broken.

A broken rule blocks the final version of a report, not the draft (docs/architecture.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from eduaid.core.indicators import Amount, indicator_of, indicators
from reports.board import Board
from reports.papers import Check


@dataclass(frozen=True)
class Outcome:
    """One rule at one place. `left` and `right` are the two sides as computed."""

    rule: str
    place: str
    ok: bool
    left: Amount
    right: Amount
    key: str

    @property
    def text(self) -> str:
        if self.ok:
            return f"{self.rule}（{self.place}）"
        unit = indicator_of(self.key).unit
        return f"{self.rule}（{self.place}）：左边 {self.left}{unit}，右边 {self.right}{unit}，差 {abs(self.left - self.right)}{unit}"


@dataclass(frozen=True)
class PartsMakeTotal:
    """A figure is the sum of figures that share its rows out among them: each row in exactly one."""

    whole: str
    parts: tuple[str, ...]

    @property
    def text(self) -> str:
        whole = indicator_of(self.whole).label
        return f"{whole}＝{'＋'.join(_short(part, whole) for part in self.parts)}"


@dataclass(frozen=True)
class NotMoreThan:
    """Some of a whole (a subset, or households beside the persons in them)."""

    part: str
    whole: str

    @property
    def text(self) -> str:
        return f"{indicator_of(self.part).label}≤{indicator_of(self.whole).label}"


# Partitions beside those that an indicator itself names (its `parts`).
PARTITIONS: tuple[PartsMakeTotal, ...] = (
    PartsMakeTotal("pupils", ("pupils.boarding", "pupils.day", "pupils.boarding-unknown")),
    PartsMakeTotal(
        "pupils",
        ("pupils.hukou.same-town", "pupils.hukou.other-town", "pupils.hukou.other-county", "pupils.hukou.unknown"),
    ),
    PartsMakeTotal("pupils", ("responsibility.with", "responsibility.without")),
    PartsMakeTotal("schools", ("schools.sent", "schools.not-sent")),
    PartsMakeTotal("evidence.away", ("whereabouts.in-school.county", "whereabouts.in-school.outside")),
    PartsMakeTotal(
        "whereabouts.population", ("whereabouts.counted", "whereabouts.excluded", "whereabouts.not-in-round")
    ),
)
WITHIN: tuple[NotMoreThan, ...] = (
    NotMoreThan("population.6-15.in-registry", "population.6-15"),
    NotMoreThan("difference.population-not-registry", "population.6-15"),
    NotMoreThan("difference.roster-only", "pupils"),
    NotMoreThan("pupils.poverty", "pupils"),
    NotMoreThan("households.poverty", "persons.poverty"),
    NotMoreThan("responsibility.left", "responsibility.with"),
    NotMoreThan("schools.not-sent", "schools"),
    NotMoreThan("evidence.outside", "evidence.away"),
    NotMoreThan("spotcheck.rectified", "spotcheck.untrue"),
    NotMoreThan("whereabouts.contested", "whereabouts.decided"),
)


def _short(key: str, whole: str) -> str:
    """A part's label without the whole's name in front of it: 在校学生—寄宿 → 寄宿."""
    return (
        indicator_of(key)
        .label.removeprefix(f"{whole}—")
        .removeprefix("户数—")
        .removeprefix("人数—")
        .removeprefix("困难群体—")
    )


def rules() -> tuple[PartsMakeTotal | NotMoreThan, ...]:
    """Every rule that is declared, those of the indicators' own parts first."""
    own = tuple(PartsMakeTotal(i.key, i.parts) for i in indicators() if i.parts)
    return (*own, *PARTITIONS, *WITHIN)


def check(board: Board) -> list[Outcome]:
    """Runs every rule whose figures the board holds: at its place, in each of its parts, and parts against the whole."""
    return [
        *(outcome for rule in rules() for outcome in _check_rule(board, rule)),
        *(outcome for key in board.keys for outcome in _check_places(board, key)),
    ]


def broken(outcomes: list[Outcome]) -> list[Outcome]:
    return [outcome for outcome in outcomes if not outcome.ok]


def _check_rule(board: Board, rule: PartsMakeTotal | NotMoreThan) -> Iterator[Outcome]:
    keys = (rule.whole, *rule.parts) if isinstance(rule, PartsMakeTotal) else (rule.part, rule.whole)
    if not all(key in board for key in keys):
        return
    yield _verdict(rule, board.area.name, {key: board.total(key).value for key in keys})
    for split in board.splits.values():
        if all(board.has(key, split.key) for key in keys):
            for place in split.places:
                yield _verdict(rule, place.name, {key: board.amount(key, split.key, place) for key in keys})


def _verdict(rule: PartsMakeTotal | NotMoreThan, place: str, values: dict[str, Amount]) -> Outcome:
    if isinstance(rule, PartsMakeTotal):
        left, right = values[rule.whole], sum(values[part] for part in rule.parts)
        return Outcome(rule.text, place, left == right, left, right, rule.whole)
    left, right = values[rule.part], values[rule.whole]
    return Outcome(rule.text, place, left <= right, left, right, rule.whole)


def _check_places(board: Board, key: str) -> Iterator[Outcome]:
    """What the parts of the area hold, together with what lies in none of them, is what the area holds."""
    for split in board.splits.values():
        if not board.has(key, split.key):
            continue
        total = board.total(key)
        named = sum(board.amount(key, split.key, place) for place in split.places)
        left, right = total.value, named + board.unplaced(key, split.key).value
        yield Outcome(f"{total.label}＝各{split.label}之和", board.area.name, left == right, left, right, key)


def lines(outcomes: list[Outcome]) -> list[Check]:
    """Broken rules first, each with its place and numbers; then each rule that holds everywhere, once."""
    bad = broken(outcomes)
    names = {outcome.rule for outcome in bad}
    good = dict.fromkeys(outcome.rule for outcome in outcomes if outcome.rule not in names)
    return [*(Check(outcome.text, False) for outcome in bad), *(Check(rule, True) for rule in good)]
