"""Code tables: sex, ethnic groups, ID types, stages and grades, relations, hardship, poverty, whereabouts …

Each table is a CSV file beside this module, with its source and notes in columns. ``eduaid`` as a source marks codes
of our own where the published standard has none or could not be obtained. Further columns are facts of the entries
(``entry.facts["evidence"]``).
"""

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import resources

from eduaid.core.cells import Cell
from eduaid.core.text.characters import compact, plain, unusable
from eduaid.core.text.results import Parsed, Problem, Result

_COLUMNS = frozenset({"code", "label", "synonyms", "group", "source", "note"})
_CODE_AND_LABEL = re.compile(r"(?P<first>.+?)\s*(?:[-—_:|.、]|\((?=.+\)$))\s*(?P<second>.+?)\)?")


@dataclass(frozen=True, slots=True)
class Entry:
    code: str
    label: str
    synonyms: tuple[str, ...]
    group: str
    facts: Mapping[str, str]
    source: str
    note: str


class Table:
    """One code table, read from its file on first use. ``title`` is the table's name in messages."""

    def __init__(self, file: str, title: str, *, pads: int = 0, drops_prefix: str = "") -> None:
        self.file = file
        self.title = title
        self._pads = pads  # codes of this width lose their leading zeros in spreadsheets
        self._drops_prefix = drops_prefix

    def __repr__(self) -> str:
        return f"<Table {self.file}>"

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries.values())

    def __len__(self) -> int:
        return len(self.entries)

    def __contains__(self, code: object) -> bool:
        return code in self.entries

    def __getitem__(self, code: str) -> Entry:
        return self.entries[code]

    @cached_property
    def entries(self) -> dict[str, Entry]:
        """Code → entry, in the order of the file."""
        text = resources.files(__name__).joinpath(f"{self.file}.csv").read_text("utf-8")
        entries = [
            Entry(
                code=row["code"],
                label=row["label"],
                synonyms=tuple(filter(None, row["synonyms"].split("|"))),
                group=row["group"],
                facts={name: value for name, value in row.items() if name not in _COLUMNS},
                source=row["source"],
                note=row["note"],
            )
            for row in csv.DictReader(text.splitlines())
        ]
        return {entry.code: entry for entry in entries}

    @property
    def choices(self) -> list[tuple[str, str]]:
        """(code, label) pairs, for form fields and drop-down lists."""
        return [(entry.code, entry.label) for entry in self]

    def label(self, code: str) -> str:
        """The label of a code; empty for an empty code. Raises KeyError for an unknown one."""
        return self.entries[code].label if code else ""

    @cached_property
    def _readings(self) -> dict[str, tuple[str, ...]]:
        """Every spelling that is understood → the codes that it may mean."""
        readings: dict[str, dict[str, None]] = {}
        for entry in self:
            spellings = [entry.code, entry.label, *entry.synonyms]
            if self._pads:
                spellings.append(entry.code.lstrip("0"))
            for spelling in filter(None, map(_spelling, spellings)):
                readings.setdefault(spelling, {})[entry.code] = None
        return {spelling: tuple(codes) for spelling, codes in readings.items()}

    def parse(self, cell: Cell) -> Result[str]:
        """The code that a cell means: by code, label, synonym, or code and label together in either order."""
        if type(cell) is str and (exact := self._by_label.get(cell)):
            return exact
        if problem := unusable(cell):
            return problem
        text = _spelling(plain(cell))
        if not text:
            return None
        codes = self._readings.get(text) or self._readings.get(text.removeprefix(self._drops_prefix))
        if codes is None and (match := _CODE_AND_LABEL.fullmatch(text)):
            first, second = (self._readings.get(match[part], ()) for part in ("first", "second"))
            codes = tuple(code for code in first if code in second)
        if not codes:
            return Problem("code-unknown", {"table": self.title})
        if len(codes) > 1:
            candidates = "、".join(self.label(code) for code in codes)
            return Problem("code-several", {"table": self.title, "candidates": candidates})
        return Parsed(codes[0], "code-form")

    @cached_property
    def _by_label(self) -> dict[str, Parsed[str]]:
        """The plain case, answered at once: the cell is exactly a label."""
        return {entry.label: Parsed(entry.code) for entry in self}


def _spelling(text: str) -> str:
    return compact(text).lower()


SEX = Table("sex", "性别")
ETHNIC = Table("ethnic", "民族", pads=2)
ID_TYPE = Table("id_type", "证件类型")
STAGE = Table("stage", "学段")
GRADE = Table("grade", "年级")  # for labels; text.parse_grade reads cells
RELATION = Table("relation", "家庭关系", drops_prefix="之")
HARDSHIP_TYPE = Table("hardship_type", "困难类型")
HARDSHIP_LEVEL = Table("hardship_level", "困难等级")
POVERTY_STATUS = Table("poverty_status", "户类型")
MONITOR_STATE = Table("monitor_state", "风险状态")
IN_SCHOOL = Table("in_school", "在校生状况", pads=2)
WHEREABOUTS = Table("whereabouts", "去向与未在校原因")
HEALTH = Table("health", "健康状况")
HUKOU_TYPE = Table("hukou_type", "户口性质")
BOARDING = Table("boarding", "就读方式")
LEFT_BEHIND = Table("left_behind", "留守情况")
OVERSEAS = Table("overseas", "港澳台侨外", pads=2)
POLITICS = Table("politics", "政治面貌", pads=2)
ENTRY_WAY = Table("entry_way", "入学方式")
STUDENT_SOURCE = Table("student_source", "学生来源")
DISABILITY = Table("disability", "残疾类型")
PLACEMENT = Table("placement", "安置方式")
DEPARTURE = Table("departure", "离开名单的原因")
GRADUATION = Table("graduation", "毕业去向")
EVIDENCE_KIND = Table("evidence_kind", "取证方式")
DISABILITY_LEVEL = Table("disability_level", "残疾等级")

TABLES = (
    SEX, ETHNIC, ID_TYPE, STAGE, GRADE, RELATION, HARDSHIP_TYPE, HARDSHIP_LEVEL, POVERTY_STATUS, MONITOR_STATE,
    IN_SCHOOL, WHEREABOUTS, HEALTH, HUKOU_TYPE, BOARDING, LEFT_BEHIND, OVERSEAS, POLITICS, ENTRY_WAY, STUDENT_SOURCE,
    DISABILITY, PLACEMENT, DEPARTURE, GRADUATION, EVIDENCE_KIND, DISABILITY_LEVEL,
)  # fmt: skip
