"""The county progress summary: which figures it tells, in which words and tables. Page, Word and workbook render the same.

A township or a school gets the same summary of itself; sections that say nothing of such a place are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from django.urls import reverse

from dropout.indicators import moment_of, round_at
from dropout.models import CensusRound
from dropout.models.census import Window
from eduaid.core import codes
from eduaid.core.display import zh_date
from eduaid.core.indicators import indicator_of, rate_of
from eduaid.core.models import Region, School
from eduaid.core.models.places import Level
from eduaid.core.scope import Scope
from reports import tie_outs
from reports.areas import Area, whole_word
from reports.basis import KindInForce
from reports.board import Board, fetch_board
from reports.moments import Moment
from reports.numbers import Number, Share, basis_of
from reports.papers import Cell, Definition, Heading, Line, Paper, Part, Section, Table, placed

TITLE = "教育资助与控辍保学工作进展情况汇总"

AGES = ("population.3-5", "population.6-15", "population.16-22")
STAGES = ("pupils.kindergarten", "pupils.primary", "pupils.junior", "pupils.senior", "pupils.vocational")
BOARDING = ("pupils.boarding", "pupils.day", "pupils.boarding-unknown")
RELATIONS = ("pupils.hukou.same-town", "pupils.hukou.other-town", "pupils.hukou.other-county", "pupils.hukou.unknown")
HOUSEHOLDS = tuple(f"households.poverty.{entry.code}" for entry in codes.POVERTY_STATUS)
HARDSHIP = tuple(f"persons.hardship.{entry.code}" for entry in codes.HARDSHIP_TYPE)
DIFFERENCES = ("difference.population-not-registry", "difference.registry-not-roster", "difference.roster-only")

_PERSONS = tuple(f"persons.poverty.{entry.code}" for entry in codes.POVERTY_STATUS)
_COVERAGE = ("schools", "schools.sent", "schools.not-sent", "rows.waiting")

OVERVIEW_KEYS: tuple[str, ...] = (
    "population.6-15",
    "population.6-15.in-registry",
    *DIFFERENCES,
    "pupils",
    *_COVERAGE,
)
CENSUS = (
    ("本镇就读", "whereabouts.in-school.town"),
    ("县内外镇就读", "whereabouts.in-school.county"),
    ("县外就读", "whereabouts.in-school.outside"),
    ("非义务阶段", "whereabouts.beyond"),
    ("已备案", "whereabouts.filed"),
    ("重残", "whereabouts.disability"),
    ("缓学休学", "whereabouts.paused"),
    ("暂不在校", "whereabouts.out-of-school"),
    ("未核", "whereabouts.unverified"),
    ("待改", "whereabouts.waiting"),
)
"""The terms of the whereabouts equation, as they stand in a line."""
_CENSUS_DETAIL = tuple(part for _, key in CENSUS for part in (indicator_of(key).parts or (key,)))
_CENSUS_KEYS = (
    "whereabouts.population", *(key for _, key in CENSUS), *_CENSUS_DETAIL, "whereabouts.not-in-round",
    "whereabouts.counted", "whereabouts.enrolled", "whereabouts.not-enrolled", "whereabouts.excluded",
    "whereabouts.suspected", "whereabouts.dropout", "whereabouts.off-list", "whereabouts.contested", "whereabouts.decided",
)  # fmt: skip
_NUMERALS = "一二三四五六七八九十"
_NAMED_TOWNS = 3
_MOST_COLUMNS = 6  # beside the place, on an upright page


@dataclass(frozen=True)
class Topic:
    """One section of the summary: its figures, and the first of them, without which it says nothing of a place."""

    key: str
    title: str
    lead: str
    keys: tuple[str, ...]
    write: Callable[[_Composer], tuple[list[tuple[Part, ...]], list[Table]]]


@dataclass(frozen=True)
class Summary:
    """The paper, and the outcomes of the tie-outs that decide whether it can be final."""

    paper: Paper
    outcomes: list[tie_outs.Outcome]


def summarise(area: Area, moment: Moment, scope: Scope) -> Summary:
    """Composes the progress summary of a place that the scope covers."""
    composer = _composer(area, moment, scope, [key for topic in topics(area, moment) for key in topic.keys])
    outcomes = tie_outs.check(composer.board)
    sections = composer.sections()
    paper = Paper(
        title=f"{area.name}{TITLE}",
        area_name=area.name,
        office=_office(area),
        as_of=moment.as_of,
        sections=sections,
        definitions=_definitions(sections),
        checks=tuple(tie_outs.lines(outcomes)),
    )
    return Summary(paper, outcomes)


def topics(area: Area, moment: Moment) -> tuple[Topic, ...]:
    """The sections that say something: that of whereabouts only while a census round is open."""
    return TOPICS if census_at(area, moment) else tuple(topic for topic in TOPICS if topic.key != "whereabouts")


def census_at(area: Area, moment: Moment) -> CensusRound | None:
    """The round of the 6—15 window that was open at the moment."""
    if isinstance(area, School):
        return None
    return round_at(Window.COMPULSORY, moment_of(basis_of(area, moment)))


def topic_section(topic: Topic, area: Area, moment: Moment, scope: Scope) -> Section:
    """One section by itself, of a place that its first figure is told of."""
    paragraphs, tables = topic.write(_composer(area, moment, scope, topic.keys))
    return Section(topic.title, tuple(paragraphs), tuple(tables))


@dataclass(frozen=True)
class Balance:
    """人口 = 本镇就读 + 县内外镇就读 + …: the terms, and what they leave over (0: 不差一人).

    Without a census round: 人口 = 有学籍 + 没有学籍. `notes`: what stands beside the equation, and not in it.
    """

    title: str
    total: Number
    terms: tuple[Number, ...]
    gap: Number
    notes: tuple[Part, ...] = ()


@dataclass(frozen=True)
class Overview:
    """What the progress page shows first. `waiting`: rows that are not in the balance, because they are not in force."""

    key_figures: tuple[Number | Share, ...]
    balance: Balance | None
    waiting: Number | None
    tables: tuple[Table, ...]
    sentence: tuple[Part, ...]
    lists: dict[str, KindInForce]


def overview(area: Area, moment: Moment, scope: Scope) -> Overview:
    census = census_at(area, moment)
    composer = _composer(area, moment, scope, (*OVERVIEW_KEYS, *(_CENSUS_KEYS if census else ())))
    board = composer.board
    wanted: tuple[str, ...] = (
        "population.6-15",
        "difference.population-not-registry",
        "pupils",
        "schools.not-sent",
    )
    rates: tuple[str, ...] = ()
    # A round of other townships says nothing of this place.
    has_round = (
        census is not None and "whereabouts.population" in board and bool(board.total("whereabouts.population").value)
    )
    if has_round:
        wanted = ("whereabouts.suspected", "whereabouts.dropout", "schools.not-sent")
        rates = ("whereabouts.enrolment-rate",)
    if isinstance(area, School):
        wanted = ("pupils", "difference.registry-not-roster", "difference.roster-only", "rows.waiting")
    return Overview(
        key_figures=(*(board.rate(key) for key in rates), *(board.total(key) for key in wanted if key in board)),
        balance=composer.census_balance(census)
        if has_round and census
        else composer.balance()
        if "population.6-15" in board
        else None,
        waiting=board.total("rows.waiting") if "rows.waiting" in board else None,
        tables=(*(composer.census_tables() if has_round else ()), *composer.overview_tables()),
        sentence=composer.overview_sentence(),
        lists=composer.lists,
    )


def _composer(area: Area, moment: Moment, scope: Scope, keys: Sequence[str]) -> _Composer:
    return _Composer(fetch_board(area, moment, scope, keys))


def _office(area: Area) -> str:
    """Who signs: the bureau, the township's central school, the school."""
    if isinstance(area, School):
        return area.name
    return f"{area.name}教育局" if area.is_home else f"{area.name}中心校"


def _definitions(sections: Sequence[Section]) -> tuple[Definition, ...]:
    """The 口径 of every indicator that is printed, in the order of their first appearance."""
    keys: dict[str, None] = {}
    for figure, _ in placed(sections):
        for number in (figure.part, figure.whole) if isinstance(figure, Share) else (figure,):
            keys.setdefault(number.key)
    return tuple(Definition(i.label, i.unit, i.definition, i.counting.value, i.source) for i in map(indicator_of, keys))


class _Composer:
    """Writes the sections from one board. Every sentence is built of words and figures; none counts."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self.lists = board.lists
        self.whole = whole_word(board.area)
        self.tables = 0

    def sections(self) -> tuple[Section, ...]:
        sections: list[Section] = []
        for topic in topics(self.board.area, self.board.moment):
            if topic.lead in self.board:
                paragraphs, tables = topic.write(self)
                sections.append(Section(f"{_NUMERALS[len(sections)]}、{topic.title}", tuple(paragraphs), tuple(tables)))
        return (*sections, Section(f"{_NUMERALS[len(sections)]}、所用名单", (self.sources(),)))

    # --- the overview -----------------------------------------------------------------------------------------

    def balance(self) -> Balance:
        total = self.board.total("population.6-15")
        terms = (self.board.total("population.6-15.in-registry", "有学籍"), self.board.total(DIFFERENCES[0], "无学籍"))
        over = total.value - sum(term.value for term in terms)
        return Balance("6—15周岁户籍人口平衡", total, terms, replace(total, label="未说明", value=over))

    def census_balance(self, census: CensusRound) -> Balance:
        """Whoever is in the police list and not in the round is the gap, with the children in it."""
        board = self.board
        notes: list[Part] = []
        for key, lead in (
            ("whereabouts.off-list", "进入摸排后已不在户籍名单或年龄范围的"),
            ("whereabouts.contested", "认定与新名单不一致、待复核的"),
        ):
            if board.total(key).value:
                notes += ["；" if notes else "不计入上式：" if key.endswith("off-list") else "", lead, board.total(key)]
        return Balance(
            f"{census.name}（{census.born_from:%Y-%m-%d}至{census.born_to:%Y-%m-%d}出生）",
            board.total("whereabouts.population", "摸排人口"),
            tuple(board.total(key, label) for label, key in CENSUS),
            board.total("whereabouts.not-in-round", "未入摸排"),
            (*notes, "。") if notes else (),
        )

    def census_tables(self) -> list[Table]:
        """The equation of each township and village; then its details of the whole area, each with its rows."""
        columns = [("人口", "whereabouts.population"), *CENSUS, ("未入摸排", "whereabouts.not-in-round")]
        shown = [
            (label, key)
            for label, key in columns
            if self.board.total(key).value or key in ("whereabouts.population", "whereabouts.unverified")
        ]
        tables = [
            self._table("适龄儿童去向", split, shown, order="whereabouts.unverified")
            for split in self._splits("whereabouts.population")
        ]
        return [*tables, self._census_details()]

    def _census_details(self) -> Table:
        board = self.board
        self.tables += 1
        return Table(
            caption=f"表{self.tables} 去向明细（单位：人）",
            row_label="去向",
            columns=(Heading("人数"),),
            rows=tuple(
                Line(board.total(key).label, (board.total(key),)) for key in _CENSUS_DETAIL if board.total(key).value
            ),
            title="去向明细",
        )

    def census(self) -> tuple[list[tuple[Part, ...]], list[Table]]:
        board = self.board
        if not board.total("whereabouts.population").value:
            return [("本轮摸排的范围内没有儿童。",)], []
        first: tuple[Part, ...] = (
            "纳入摸排的6—15周岁户籍人口",
            board.total("whereabouts.population"),
            "，",
            *self._of_which("其中", [key for _, key in CENSUS]),
        )
        second: list[Part] = [
            "应入学",
            board.total("whereabouts.counted"),
            "，在校",
            board.total("whereabouts.enrolled"),
            "，入学率",
            board.rate("whereabouts.enrolment-rate"),
        ]
        if board.total("whereabouts.in-school.outside").value:
            second += [
                "；县外就读",
                board.total("whereabouts.in-school.outside"),
                "，取证率",
                board.rate("whereabouts.evidence-rate"),
            ]
            if board.total("whereabouts.in-school.outside.unproved").value:
                second += ["，未取证", board.total("whereabouts.in-school.outside.unproved")]
        second += [
            "。疑似辍学",
            board.total("whereabouts.suspected"),
            "，辍学",
            board.total("whereabouts.dropout"),
            "。",
        ]
        left_out = [key for key in rate_of("whereabouts.enrolment-rate").excluded if board.total(key).value]
        third = self._of_which("入学率不计", left_out)
        return [part for part in (first, tuple(second), third) if part], self.census_tables()

    def overview_tables(self) -> Iterator[Table]:
        """The places with the most children without a registry entry first (缺口, never a score)."""
        columns = [
            ("6—15周岁户籍人口（人）", "population.6-15"),
            ("有学籍（人）", "population.6-15.in-registry"),
            ("无学籍（人）", DIFFERENCES[0]),
            ("在校学生（人）", "pupils"),
            ("有学籍不在班（人）", DIFFERENCES[1]),
            ("在班无学籍（人）", DIFFERENCES[2]),
            ("应报名册（所）", "schools"),
            ("未报名册（所）", "schools.not-sent"),
            ("待改（行）", "rows.waiting"),
        ]
        for split in self.board.splits:
            shown = [column for column in columns if column[1] in self.board and self.board.has(column[1], split)]
            if not shown:
                continue
            order = next(key for key in (*DIFFERENCES, shown[0][1]) if self.board.has(key, split))
            table = self._table("进展", split, shown, order=order)
            yield replace(table, caption=f"{table.title}（按{_brief(order)}人数从多到少）")

    def overview_sentence(self) -> tuple[Part, ...]:
        """The usual sentence of a report, to be copied: counts only."""
        board = self.board
        parts: list[Part] = [f"截至{zh_date(board.moment.as_of)}，{self.whole}"]
        if "population.6-15" in board:
            parts += [
                "6—15周岁户籍人口",
                board.total("population.6-15"),
                "，其中有学籍",
                board.total("population.6-15.in-registry"),
                "、无学籍",
                board.total(DIFFERENCES[0]),
            ]
        if "pupils" in board:
            missing, unregistered = board.total(DIFFERENCES[1]), board.total(DIFFERENCES[2])
            parts += [
                "；在校学生" if len(parts) > 1 else "在校学生",
                board.total("pupils"),
                "；有学籍不在班",
                missing,
                "，在班无学籍",
                unregistered,
            ]
        if "schools" in board and not isinstance(board.area, School):
            parts += ["；应报班级名册学校", board.total("schools"), "，未报", board.total("schools.not-sent")]
        parts.append("。")
        return tuple(parts)

    # --- sections ---------------------------------------------------------------------------------------------

    def population(self) -> tuple[list[tuple[Part, ...]], list[Table]]:
        if "population" not in self.lists:
            return [("还没有生效的户籍人口名单，本部分数字待名单生效后填写。",)], []
        board = self.board
        window, gap = board.total("population.6-15"), board.total("difference.population-not-registry")
        registered = board.total("population.6-15.in-registry")
        said: list[tuple[Part, ...]] = [
            (
                f"截至{zh_date(board.moment.as_of)}，公安户籍人口名单中，{self.whole}3—5周岁",
                board.total("population.3-5"),
                "，6—15周岁",
                window,
                "，16—22周岁",
                board.total("population.16-22"),
                "。",
            )
        ]
        if "registry" not in self.lists:
            said.append(("还没有生效的学籍名单，是否有学籍待学籍名单生效后比对。",))
        elif gap.value == 0 and window.value:
            said.append(("6—15周岁人口全部有学籍（", registered, "）。"))
        elif window.value:
            said.append(
                (
                    "6—15周岁人口中，有学籍",
                    registered,
                    "，占",
                    board.share("学籍登记率", registered, window),
                    "；没有学籍",
                    gap,
                    "，须逐人核实去向。",
                    *self._most(gap.key, "没有学籍人数较多的是"),
                )
            )
        columns: list[tuple[str, str]] = [
            ("3—5周岁", "population.3-5"),
            ("6—15周岁", "population.6-15"),
            ("其中有学籍", registered.key),
            ("没有学籍", gap.key),
            ("16—22周岁", "population.16-22"),
        ]
        tables = [
            self._table("学龄人口", split, columns, order=gap.key, share=("学籍登记率", registered.key, window.key, 3))
            for split in self._splits("population.6-15")
        ]
        return said, tables

    def pupils(self) -> tuple[list[tuple[Part, ...]], list[Table]]:
        if "class-roster" not in self.lists:
            return [("还没有生效的班级名册，本部分数字待名册生效后填写。",)], []
        board = self.board
        said: list[tuple[Part, ...]] = [
            (
                "班级名册中，",
                f"{self.whole}在校学生",
                board.total("pupils"),
                "。",
                *self._of_which("按学段分，", (*STAGES, "pupils.no-grade")),
            ),
            (*self._of_which("按就读方式分，", BOARDING), *self._of_which("按户籍分，", RELATIONS)),
        ]
        tables = []
        for split in self._splits("pupils"):
            attended = [key for key in (*STAGES, "pupils.no-grade") if board.total(key).value]
            stages = [("在校学生", "pupils"), *((_brief(key), key) for key in attended)]
            tables.append(self._table("在校学生（按学段）", split, stages, order="pupils"))
            others = [
                (_brief(key), key)
                for key in (*self._told(BOARDING[:2], BOARDING[2]), *self._told(RELATIONS[:3], RELATIONS[3]))
            ]
            tables.append(self._table("在校学生（按就读方式和户籍）", split, others, order="pupils"))
        return said, tables

    def poverty(self) -> tuple[list[tuple[Part, ...]], list[Table]]:
        board = self.board
        said: list[tuple[Part, ...]] = []
        tables: list[Table] = []
        if "poverty-register" in self.lists:
            types = [key for key in (*HOUSEHOLDS, "households.poverty.unknown") if board.total(key).value]
            persons: list[Part] = ["、", board.total("persons.poverty")] if "persons.poverty" in board else []
            lead = f"乡村振兴部门的建档立卡和监测对象名单中，{self.whole}共"
            said.append(
                (lead, board.total("households.poverty"), *persons, "。", *self._of_which("按户类型分，", types))
            )
            if "class-roster" in self.lists and "pupils.poverty" in board:
                said.append(("在校学生中，列入上述名单的有", board.total("pupils.poverty"), "。"))
            if types:
                tables.append(self._by_poverty_type(types))
            columns = [
                ("户数", "households.poverty"),
                ("人数", "persons.poverty"),
                ("在校学生（就读地）", "pupils.poverty"),
            ]
            tables += [
                self._table("建档立卡与监测对象", split, columns, order="households.poverty", units=True)
                for split in self._splits("persons.poverty")
            ]
        else:
            said.append(("还没有生效的建档立卡和监测对象名单。",))
        # A hardship list names townships at the finest.
        if HARDSHIP[0] in board:
            self._hardship(said, tables)
        return said, tables

    def _hardship(self, said: list[tuple[Part, ...]], tables: list[Table]) -> None:
        if "hardship" not in self.lists:
            said.append(("还没有生效的困难群体名单。",))
            return
        types = [key for key in HARDSHIP if self.board.total(key).value]
        if not types:
            said.append(("困难群体名单中没有本地人员。",))
            return
        lead = self._of_which("民政、残联等部门的困难群体名单中，", types)
        said.append((*lead, "一人可有几种类型，各类型不相加。"))
        for split in self._splits(HARDSHIP[0]):
            columns = [(_brief(key), key) for key in types[:_MOST_COLUMNS]]
            tables.append(self._table("困难群体（按类型）", split, columns, order=types[0]))

    def _by_poverty_type(self, types: Sequence[str]) -> Table:
        """户类型 × 户数、人数: the types that anybody is in."""
        board = self.board

        def persons(key: str) -> Cell:
            return board.total(key) if key in board else None

        self.tables += 1
        return Table(
            caption=f"表{self.tables} 建档立卡与监测对象（按户类型）",
            row_label="户类型",
            columns=(Heading("户数", "户"), Heading("人数", "人")),
            rows=tuple(
                Line(_brief(key), (board.total(key), persons(key.replace("households.", "persons.")))) for key in types
            ),
            totals=(board.total("households.poverty"), persons("persons.poverty")),
            title="建档立卡与监测对象（按户类型）",
        )

    def differences(self) -> tuple[list[tuple[Part, ...]], list[Table]]:
        board = self.board
        said: list[tuple[Part, ...]] = []
        told = [key for key in DIFFERENCES if key in board]
        lead: list[Part] = []
        if {"population", "registry"} <= self.lists.keys() and DIFFERENCES[0] in told:
            lead += ["户籍人口名单与学籍比对，6—15周岁有户籍无学籍", board.total(DIFFERENCES[0]), "。"]
        if {"registry", "class-roster"} <= self.lists.keys():
            lead += [
                "学籍与班级名册比对，有学籍不在班",
                board.total(DIFFERENCES[1]),
                "，在班无学籍",
                board.total(DIFFERENCES[2]),
                "。",
            ]
            silent = board.total("schools.not-sent")
            if silent.value and board.total(DIFFERENCES[1]).value:
                lead += ["有学籍不在班的人数，包括", silent, "未报班级名册学校的学生。"]
        said.append(tuple(lead) or ("参加比对的名单还没有都生效，名单生效后自动比对。",))
        tables = (
            [
                self._table("名单比对", split, columns, order=columns[0][1])
                for split in self._splits(DIFFERENCES[1])
                if (columns := [(_brief(key), key) for key in told if board.has(key, split)])
            ]
            if lead
            else []
        )
        return said, tables

    def coverage(self) -> tuple[list[tuple[Part, ...]], list[Table]]:
        board = self.board
        due, sent, silent = (board.total(key) for key in ("schools", "schools.sent", "schools.not-sent"))
        waiting = board.total("rows.waiting")
        if due.value and not silent.value:
            first: tuple[Part, ...] = ("本学期应报班级名册的学校", due, "，全部已报。")
        else:
            first = ("本学期应报班级名册的学校", due, "，已报", sent, "，未报", silent, "。")
        second: tuple[Part, ...] = (
            ("已生效的名单中，还有待改", waiting, "，这些行上的学生沿用上一份名单的记录。")
            if waiting.value
            else ("已生效的名单中没有待改的行。",)
        )
        columns = [
            ("应报学校", "schools"),
            ("已报", "schools.sent"),
            ("未报", "schools.not-sent"),
            ("待改行", "rows.waiting"),
        ]
        tables = [
            self._table(
                "名单报送", split, [c for c in columns if board.has(c[1], split)], order="schools.not-sent", units=True
            )
            for split in self._splits("schools")
        ]
        return [first, second], tables

    def sources(self) -> tuple[Part, ...]:
        if not self.lists:
            return ("还没有生效的名单。",)
        named = "；".join(f"{kind.label}（{_dates(kind)}）" for kind in self.lists.values())
        return (f"{named}。各数字的口径见附件。",)

    # --- their pieces -----------------------------------------------------------------------------------------

    def _splits(self, key: str) -> list[str]:
        return [split for split in self.board.splits if self.board.has(key, split)]

    def _told(self, keys: Sequence[str], rest: str) -> list[str]:
        """The usual parts, and the remainder (not written, unknown) only where somebody is in it."""
        return [*keys, rest] if self.board.total(rest).value else list(keys)

    def _of_which(self, lead: str, keys: Sequence[str], *, end: str = "。") -> tuple[Part, ...]:
        """“按学段分，小学2108人，初中1202人。”: the parts that anybody is in."""
        parts: list[Part] = []
        for number in map(self.board.total, keys):
            if number.value:
                parts += ["，" if parts else lead, _brief(number.key), number]
        return (*parts, end) if parts else ()

    def _most(self, key: str, lead: str) -> tuple[Part, ...]:
        """The places with the greatest numbers, at most three: where to look first, no ranking beyond."""
        split = next(iter(self._splits(key)), "")
        if not split:
            return ()
        numbers = [self.board.cell(key, split, place) for place in self.board.splits[split].places]
        most = sorted((n for n in numbers if n.value), key=lambda n: (-n.value, n.area.code))[:_NAMED_TOWNS]
        if len(most) < 2:
            return ()
        parts: list[Part] = []
        for number in most:
            parts += ["、" if parts else lead, number.area.name, number]
        return (*parts, "。")

    def _table(
        self,
        name: str,
        split: str,
        columns: Sequence[tuple[str, str]],
        *,
        order: str,
        units: bool = False,
        share: tuple[str, str, str, int] | None = None,
    ) -> Table:
        """Places × indicators, the greatest of `order` first, with the total of the whole area.

        `units`: the columns differ in unit and each says its own. `share`: a rate column (label, part, whole, position).
        """
        board = self.board
        part = board.splits[split]
        lines = []
        for place in part.places:
            cells: list[Cell] = [board.cell(key, split, place) for _, key in columns]
            lines.append((self._with_share(cells, columns, share), place))
        if board.has(order, split):
            lines.sort(key=lambda line: (-board.amount(order, split, line[1]), line[1].code))
        rows = [Line(place.name, cells, _place_url(place, board.moment)) for cells, place in lines]
        unplaced = [board.unplaced(key, split) for _, key in columns]
        if any(number.value for number in unplaced):
            rows.append(Line(f"未落到{part.label}", self._with_share(list(unplaced), columns, share)))
        self.tables += 1
        totals: list[Cell] = [board.total(key) for _, key in columns]
        unit = indicator_of(columns[0][1]).unit
        headings = [Heading(label, indicator_of(key).unit if units else "") for label, key in columns]
        if share:
            headings.insert(share[3], Heading(share[0]))
        caption = f"表{self.tables} 各{part.label}{name}" + ("" if units else f"（单位：{unit}）")
        return Table(
            caption=caption,
            row_label=part.label,
            columns=tuple(headings),
            rows=tuple(rows),
            totals=self._with_share(totals, columns, share),
            title=f"各{part.label}{name}",
        )

    def _with_share(
        self, cells: list[Cell], columns: Sequence[tuple[str, str]], share: tuple[str, str, str, int] | None
    ) -> tuple[Cell, ...]:
        if share is None:
            return tuple(cells)
        label, part_key, whole_key, position = share
        found = {key: cell for (_, key), cell in zip(columns, cells, strict=True)}
        part, whole = found[part_key], found[whole_key]
        assert isinstance(part, Number)
        assert isinstance(whole, Number)
        return (*cells[:position], self.board.share(label, part, whole), *cells[position:])


def _brief(key: str) -> str:
    """A part's name alone: 在校学生—小学 → 小学, 困难群体—孤儿（含事实无人抚养儿童） → 孤儿."""
    return indicator_of(key).label.split("（")[0].split("—", 1)[-1]


def _dates(kind: KindInForce) -> str:
    if kind.oldest == kind.newest:
        return f"名单日期{zh_date(kind.newest)}"
    return f"名单日期{zh_date(kind.oldest)}至{zh_date(kind.newest)}"


def progress_url(area: Area, moment: Moment) -> str:
    return f"{reverse('progress')}?{urlencode({'area': area.code, **moment.params})}"


def _place_url(area: Area, moment: Moment) -> str:
    """The place's own summary; a village has none."""
    return "" if isinstance(area, Region) and area.level == Level.VILLAGE else progress_url(area, moment)


TOPICS: tuple[Topic, ...] = (
    Topic(
        "population",
        "学龄人口",
        "population.6-15",
        ("population", *AGES, "population.other", "population.6-15.in-registry", DIFFERENCES[0]),
        _Composer.population,
    ),
    Topic(
        "pupils",
        "在校学生",
        "pupils",
        ("pupils", *STAGES, "pupils.no-grade", *BOARDING, *RELATIONS),
        _Composer.pupils,
    ),
    Topic(
        "poverty",
        "建档立卡、监测对象和困难群体",
        "households.poverty",
        (
            "households.poverty",
            *HOUSEHOLDS,
            "households.poverty.unknown",
            "persons.poverty",
            *_PERSONS,
            "pupils.poverty",
            *HARDSHIP,
        ),
        _Composer.poverty,
    ),
    Topic("whereabouts", "适龄儿童去向", "whereabouts.population", _CENSUS_KEYS, _Composer.census),
    Topic("differences", "名单比对", DIFFERENCES[1], (*DIFFERENCES, "schools.not-sent"), _Composer.differences),
    Topic("coverage", "名单报送", "rows.waiting", _COVERAGE, _Composer.coverage),
)
