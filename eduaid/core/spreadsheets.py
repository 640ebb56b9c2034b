"""Finding the table inside a sheet: the header under its titles, what each row is, which column is which.

Plain Python over the rows that ``parser`` gives; no Django. Writing workbooks is in ``workbooks``.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from enum import StrEnum
from functools import cached_property, lru_cache
from typing import Protocol

from eduaid.core.cells import Cell, Merged, Row
from eduaid.core.column_content import Content, content_of
from eduaid.core.text.characters import compact, plain
from eduaid.core.text.ids import is_valid_id

Merge = tuple[int, int, int, int]  # first row (from 1), first column (from 0), last row, last column

_NOTE = r"(?:\([^()]*\)|\[[^\[\]]*\]|【[^【】]*】|〔[^〔〕]*〕|<[^<>]*>)"
_TRAILING = re.compile(rf"(?:{_NOTE}|[*※★▲△#:])+$")
_LEADING = re.compile(rf"^(?:{_NOTE}|[*※★▲△#]|\d{{1,2}}[.、])+(?=.)")
_STARS = re.compile(r"^[*※★▲△]+|[*※★▲△:]+$")
_SLASH = re.compile(r"/(?![^(（]*[)）])")  # between the rows of a header, not inside a remark
# A sub-header below one of these belongs to another person than the child of the row.
_OTHER_PERSON = re.compile(r"监护人|家长|父亲|母亲|父母|户主|班主任|成员|联系人|祖|教师|老师|配偶|校长|填|审")


@lru_cache(maxsize=20_000)
def _bare(text: str) -> str:
    """Without spaces, line breaks, full-width forms and stars; remarks in brackets stay."""
    return _STARS.sub("", compact(text.replace("\n", "").replace("\r", ""))).lower()


@lru_cache(maxsize=20_000)
def normalise_header(text: str) -> str:
    """A header as it is compared: 「身份证\\n号码（18位）*」 → 身份证号码. Empty when there is nothing but remarks."""
    bare = _bare(text)
    return _LEADING.sub("", _TRAILING.sub("", bare)) or bare


@lru_cache(maxsize=20_000)
def header_forms(text: str) -> tuple[str, ...]:
    """What to look a header up by, surest first: the whole with its remarks, without them, then the lowest part alone,
    unless the part above it speaks of another person (监护人/姓名 is not the child's name)."""
    parts = [part for part in _SLASH.split(text) if part.strip()]
    forms = [_bare(text), "".join(map(_bare, parts)), "".join(map(normalise_header, parts))]
    if len(parts) > 1 and not _OTHER_PERSON.search("".join(parts[:-1])):
        forms += [_bare(parts[-1]), normalise_header(parts[-1])]
    return tuple(dict.fromkeys(filter(None, forms)))

# Such a header means the child's own column only where no plainer one does: 成员姓名 beside 姓名, 家长电话 beside 联系电话.
_WEAK = re.compile(f"{_OTHER_PERSON.pattern}|本人")
_WEAKER = 100


@dataclass(frozen=True)
class Header:
    """Where the header stands (the spreadsheet's own row numbers) and what it says, by column position.

    ``texts`` joins the cells of several rows with a slash: 资助情况/金额; empty text where a column has no header.
    ``raw`` is each of its rows as it stands, to know it again where it is printed on every page.
    """

    first: int
    last: int
    texts: tuple[str, ...]
    titles: tuple[str, ...] = ()
    raw: tuple[frozenset[tuple[int, str]], ...] = ()

    @cached_property
    def title_texts(self) -> frozenset[str]:
        return frozenset(map(_bare, self.titles))

    @cached_property
    def width(self) -> int:
        return sum(map(bool, self.texts))


class ColumnLike(Protocol):
    """What recognition needs to know of a list's column."""

    @property
    def key(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def synonyms(self) -> Sequence[str]: ...
    @property
    def required(self) -> bool: ...
    @property
    def content(self) -> Content | None:
        """What its cells look like, where that tells the column from others."""
        ...


def vocabulary(columns: Iterable[ColumnLike]) -> frozenset[str]:
    """Every spelling of every column."""
    texts = (text for column in columns for text in (column.label, *column.synonyms))
    return frozenset(form for text in texts for form in (_bare(text), normalise_header(text)))


_SEARCHED_ROWS = 40
_DEEPEST = 3


def find_header(
    rows: Sequence[tuple[int, Row]], columns: Sequence[ColumnLike], *, merged: Sequence[Merge] = ()
) -> Header | None:
    """The header among a sheet's first rows (numbered, blank ones left out), or None.

    One to three rows that together hold the most known headers; titles above it do not matter. A single known header
    is not enough unless it is all that the row holds. ``merged`` tells which cells belong to a group; without it
    (CSV, lost merges) a blank cell belongs to the group on its left.
    """
    known = vocabulary(columns)
    numbered = rows[: _SEARCHED_ROWS + _DEEPEST]
    numbers = [number for number, _ in numbered]
    grid = [[_header_text(cell) for cell in row] for _, row in numbered]
    _spread_merges(grid, merged, numbers)
    best: tuple[tuple[int, int, int], int, int, tuple[str, ...]] | None = None
    for top in range(min(len(grid), _SEARCHED_ROWS)):
        for depth in range(1, min(_DEEPEST, len(grid) - top) + 1):
            lines = grid[top : top + depth]
            if numbers[top + depth - 1] != numbers[top] + depth - 1:
                break  # a blank row ends a header
            texts = _joined(lines)
            if texts is None:
                break
            hits = len({form for text in texts if text and (form := _known_form(text, known))})
            if hits < min(2, sum(map(bool, texts))) or not hits:
                continue
            below = top + depth
            last = numbers[top] + depth - 1
            continued = (
                below < len(grid)
                and numbers[below] == last + 1
                and (
                    # A cell merged from here downwards says how far the header reaches.
                    any(
                        numbers[top] <= first <= last < bottom <= numbers[top] + _DEEPEST
                        for first, _, bottom, _ in merged
                    )
                    or _is_subheader(lines, grid[below])
                )
            )
            score = (hits - 2 * continued, -depth, -top)
            if best is None or score > best[0]:
                best = (score, top, depth, texts)
    if best is None:
        return None
    _, top, depth, texts = best
    titles = tuple(text for row in grid[:top] for text in dict.fromkeys(row) if text)
    raw = tuple(
        frozenset((column, _bare(cell)) for column, cell in enumerate(row) if type(cell) is str and cell.strip())
        for _, row in numbered[top : top + depth]
    )
    return Header(numbers[top], numbers[top + depth - 1], texts, titles, raw)


def _header_text(cell: Cell) -> str | None:
    """A cell's text when it may stand in a header, empty for a blank one, None for a value."""
    if cell is None:
        return ""
    if type(cell) is str:
        text = cell.strip()
        return text if len(text) <= 60 and not _looks_like_value(text) else None
    return None


_VALUE = re.compile(
    r"[GLJglj]?\d{15,19}[Xx]?|1[3-9]\d{9}|\d{4}[-./年]\d{1,2}(?:[-./月]\d{1,2}日?)?|\d+(?:\.\d+)?", re.ASCII
)


def _looks_like_value(text: str) -> bool:
    return _VALUE.fullmatch(text) is not None


def _spread_merges(grid: list[list[str | None]], merged: Sequence[Merge], numbers: Sequence[int]) -> None:
    """Gives every cell of a range that is merged across columns its text."""
    position = {number: index for index, number in enumerate(numbers)}
    widest = max(map(len, grid), default=0)
    for top, left, _, right in merged:
        right = min(right, widest - 1)  # a title merged over the whole sheet
        if top in position and right > left and left < len(grid[position[top]]):
            line = grid[position[top]]
            line.extend([""] * (right + 1 - len(line)))
            line[left : right + 1] = [line[left]] * (right + 1 - left)


def _joined(lines: Sequence[Sequence[str | None]]) -> tuple[str, ...] | None:
    """The headers that these rows make together; None when they hold values and so are no header."""
    width = max(map(len, lines))
    headers: list[str] = []
    groups = [""] * len(lines)  # the last text of each upper row, for cells that a lost merge left blank
    for column in range(width):
        texts = [line[column] if column < len(line) else "" for line in lines]
        if None in texts:
            return None
        cells = [_one_line(text or "") for text in texts]
        if any(cells):
            for level in range(len(lines) - 1):
                if cells[level]:
                    groups[level:] = [cells[level], *[""] * (len(lines) - level - 1)]
                elif any(cells[level + 1 :]) and not any(cells[:level]):
                    cells[level] = groups[level]
            if not cells[-1]:
                groups = [""] * len(lines)  # a header that spans all rows ends the group before it
        headers.append("/".join(dict.fromkeys(filter(None, cells))))
    return tuple(headers) if any(headers) else None


def _one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def _known_form(text: str, known: Collection[str]) -> str:
    return next((form for form in header_forms(text) if form in known), "")


def _is_subheader(above: Sequence[Sequence[str | None]], row: Sequence[str | None]) -> bool:
    """Whether a row carries the header on: only short texts, and only where the rows above leave room for a part."""
    cells = {column: text for column, text in enumerate(row) if text}
    if not cells or None in row or len(cells) == 1:
        return False
    last = above[-1]
    counts = Counter(filter(None, last))
    for column in cells:
        over = last[column] if column < len(last) else ""
        if over and counts[over] < 2:
            next_over = last[column + 1] if column + 1 < len(last) else "x"
            if next_over or column + 1 not in cells:
                return False
    return True


def looks_transposed(rows: Sequence[tuple[int, Row]], columns: Sequence[ColumnLike]) -> bool:
    """Whether the headers run down a column: one person per column, or one form per person."""
    known = vocabulary(columns)
    for position in range(3):
        texts = [row[position] for _, row in rows[:_SEARCHED_ROWS] if position < len(row)]
        hits = {form for text in texts if isinstance(text, str) and (form := _known_form(text, known))}
        if len(hits) >= 3:
            return True
    return False


class RowKind(StrEnum):
    DATA = "data"
    BLANK = "blank"
    HEADER = "header"  # printed again on every page
    TITLE = "title"  # likewise
    TOTAL = "total"
    FOOTER = "footer"


_TOTAL = re.compile(
    r"(?:本页|本村|本班|本校|全校|全镇|全县|累计|\S{1,12}(?:小学|中学|学校|村|镇|乡|班|年级))?"
    r"(?:合计|小计|总计|共计|总人数|总数)(?:[:(,\d共].*|人数|金额)?"
)
_TOTAL_SENTENCE = re.compile(r"(?:以上|本表|本页|合计)?共(?:计)?\d+[人名户条行].*")
_FOOTER = re.compile(
    r"(?:填表|制表|审核|审批|复核|填报|负责|经办|报送|统计|校对|录入)(?:单位)?(?:负责)?(?:人|人员|单位|日期|时间|说明)?(?:\(?(?:签字|签名|签章|盖章|公章)\)?)?[:(].*"
    r"|(?:单位|学校|校长|园长|村委会|主要领导|分管领导|负责人|班主任|联系人)(?:\(?(?:签字|签名|签章|盖章|公章)\)?)[:(]?.*"
    r"|(?:单位|学校)?\(?(?:公章|盖章)\)?[:(]?|(?:日期|联系电话|电话|单位|校长|负责人|制表)[:].*"
    r"|(?:说明|备注|注|附注|填表说明|填报说明|要求|提示)[:1１].*|注[:;].*|\d{4}年\d{1,2}月(?:\d{1,2}日)?"
)
_LONG_TEXT = 40


def classify_row(row: Row, header: Header) -> RowKind:
    """What a row below the header is. Only rows without an ID number can be anything but data."""
    texts: list[tuple[int, str]] = []
    filled = 0
    for column, cell in enumerate(row):
        if cell is None:
            continue
        if type(cell) is str:
            if len(cell) == 18 and is_valid_id(cell):
                return RowKind.DATA
            if not cell.strip():
                continue
            if len(texts) < 4:
                texts.append((column, cell))
        filled += 1
    if not filled:
        return RowKind.BLANK
    if not texts:
        return RowKind.DATA
    if _repeats_header(row, header):
        return RowKind.HEADER
    for _, text in texts[:2]:
        bare = _bare(text)
        if _TOTAL.fullmatch(bare) or (filled <= 3 and _TOTAL_SENTENCE.fullmatch(bare)):
            return RowKind.TOTAL
    first = _bare(texts[0][1])
    if filled <= max(3, header.width // 3):
        if first in header.title_texts:
            return RowKind.TITLE
        # The first text decides: a pupil of whom only name and month are known must not pass for a signature line.
        if _FOOTER.fullmatch(compact(texts[0][1])):
            return RowKind.FOOTER
        if filled == 1 and len(first) >= _LONG_TEXT:
            return RowKind.FOOTER
    return RowKind.DATA


def _repeats_header(row: Row, header: Header) -> bool:
    """At least two cells, and three quarters of them, say what the header says in the same column."""
    cells = {(column, _bare(cell)) for column, cell in enumerate(row) if type(cell) is str and cell.strip()}
    if len(cells) < 2:
        return False
    return any(4 * len(cells & raw) >= 3 * len(cells) and len(cells & raw) >= 2 for raw in header.raw)


@dataclass(frozen=True, slots=True)
class PrintedTotal:
    """What a total row claims: ``people`` where it says 35人, ``numbers`` by column."""

    people: int | None
    numbers: Mapping[int, float]


_PEOPLE = re.compile(r"(\d+)\s*(?:人|名|户|条)")


def printed_total(row: Row) -> PrintedTotal:
    people: int | None = None
    numbers: dict[int, float] = {}
    for column, cell in enumerate(row):
        if isinstance(cell, float):
            numbers[column] = cell
        elif isinstance(cell, str):
            text = compact(cell).replace(",", "")
            if found := _PEOPLE.search(text):
                people = int(found[1]) if people is None else people
            elif re.fullmatch(r"[¥￥]?-?\d+(?:\.\d+)?(?:元|万元)?", text, re.ASCII):
                amount = float(text.strip("¥￥万元"))
                numbers[column] = amount * 10_000 if text.endswith("万元") else amount
    return PrintedTotal(people, numbers)


@dataclass(frozen=True)
class ColumnMapping:
    """Which position of the sheet is which concept.

    ``columns`` holds what is certain. ``ambiguous``: concepts that several headers want to be, or that share one
    header, or whose values look like something else; a person must choose among ``candidates``. ``missing``: required
    concepts without a header; their ``candidates`` are up to two likely ones. ``proposed``: other concepts without a
    header whose values stand in some column all the same. ``unknown``: positions whose header means nothing to this list.
    """

    columns: Mapping[int, str]
    ambiguous: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    proposed: tuple[str, ...] = ()
    unknown: tuple[int, ...] = ()
    candidates: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    @property
    def is_certain(self) -> bool:
        return not self.questions

    @property
    def questions(self) -> tuple[str, ...]:
        return (*self.ambiguous, *self.missing, *self.proposed)


def map_columns(
    texts: Sequence[str],
    columns: Sequence[ColumnLike],
    *,
    sample: Sequence[Row] = (),
    remembered: Mapping[int, str] | None = None,
) -> ColumnMapping:
    """Headers (a header's ``texts``) to concepts by their names. ``remembered``: position → key as decided before,
    or empty to leave the column out; it goes first. ``sample``, some data rows, breaks ties between headers that read
    differently (a blank column gives way), and speaks up: a column without a known header whose values are plainly
    numbers of persons, names and so on is proposed, and a header whose values are plainly something else is doubted.

    Two headers that read the same are never settled here, not even by their content.
    """
    remembered = remembered or {}
    spellings = _spellings(columns)
    labels = {column.key: column.label for column in columns}
    wanted: dict[str, list[tuple[int, int]]] = {}  # key → (rank of the spelling that matched, position)
    unknown: set[int] = set()
    for position, text in enumerate(texts):
        if position in remembered:
            if remembered[position]:
                wanted.setdefault(remembered[position], []).append((-1, position))
        elif text:
            forms = enumerate(header_forms(text))
            rank, keys = next(((rank, spellings[form]) for rank, form in forms if form in spellings), (0, ()))
            for key in keys:
                weak = _WEAK.search(text) is not None and not _WEAK.search(labels[key])
                wanted.setdefault(key, []).append((rank + weak * _WEAKER, position))
            if not keys:
                unknown.add(position)
    found: dict[str, int] = {}
    candidates: dict[str, tuple[int, ...]] = {}
    for key, claims in wanted.items():
        best = _best_claims(claims, texts, sample)
        if len(best) == 1:
            found[key] = best[0]
            unknown.update(position for _, position in claims if position not in best)
        else:
            candidates[key] = best
    uses = Counter(found.values())
    for key, position in list(found.items()):
        if uses[position] > 1:  # a spelling that two concepts share
            candidates[key] = (position,)
            del found[key]
    looks = _Looks(texts, sample)
    for column in columns:
        at = found.get(column.key)
        if at is not None and at not in remembered and looks.contradict(column, at):
            fitting = looks.fitting(column, unknown | looks.nameless, ())
            candidates[column.key] = (at, *fitting)
            del found[column.key]
    ambiguous = tuple(candidates)
    missing = tuple(
        column.key for column in columns if column.required and column.key not in found and column.key not in candidates
    )
    by_key = {column.key: column for column in columns}
    taken: list[int] = []
    for key in missing:
        fitting = looks.fitting(by_key[key], unknown | looks.nameless, taken)
        candidates[key] = tuple(dict.fromkeys((*fitting, *_likely(by_key[key], unknown, texts))))[:2]
        taken += fitting
    proposed: list[str] = []
    answered = {position for position, key in remembered.items() if not key}
    for column in columns:
        if column.key in found or column.key in candidates or column.content is None:
            continue
        if any(other.content is column.content and other.key in found for other in columns):
            continue  # the list's own column of that sort is there; this is somebody else's
        among = looks.nameless if column.content in (Content.PHONE, Content.DATE) else unknown | looks.nameless
        if fitting := looks.fitting(column, among - answered, taken):
            proposed.append(column.key)
            candidates[column.key] = fitting[:2]
            taken += fitting
    mapped = {position: key for key, position in sorted(found.items(), key=lambda pair: pair[1])}
    return ColumnMapping(
        mapped, ambiguous, missing, tuple(proposed), tuple(sorted(unknown - mapped.keys())), candidates
    )


class _Looks:
    """What the columns of a sample look like, worked out where it is asked for."""

    _FEWEST_TO_DOUBT = 5

    def __init__(self, texts: Sequence[str], sample: Sequence[Row]) -> None:
        self._texts, self._sample = texts, sample[:200]
        width = max(map(len, self._sample), default=0)
        self.nameless = {position for position in range(width) if position >= len(texts) or not texts[position]}
        self._known: dict[int, Content | None] = {}

    def of(self, position: int) -> Content | None:
        if position not in self._known:
            self._known[position] = content_of(row[position] for row in self._sample if position < len(row))
        return self._known[position]

    def contradict(self, column: ColumnLike, position: int) -> bool:
        """Whether the values are plainly of another sort than the column's; a few cells do not say so."""
        if column.content is None or self.of(position) in (None, column.content):
            return False
        filled = sum(1 for row in self._sample if _is_filled(row, position))
        return filled >= self._FEWEST_TO_DOUBT

    def fitting(self, column: ColumnLike, among: Collection[int], taken: Collection[int]) -> tuple[int, ...]:
        """Positions whose values are of the column's sort."""
        if column.content is None:
            return ()
        return tuple(p for p in sorted(among) if p not in taken and self.of(p) is column.content)


def _spellings(columns: Sequence[ColumnLike]) -> dict[str, tuple[str, ...]]:
    """Spelling → keys. Where one column's own label is another's synonym, the label wins; a spelling with its
    remarks wins over one without."""
    levels: list[dict[str, dict[str, None]]] = [{}, {}, {}, {}]
    for column in columns:
        levels[0].setdefault(_bare(column.label), {})[column.key] = None
        levels[2].setdefault(normalise_header(column.label), {})[column.key] = None
        for synonym in column.synonyms:
            levels[1].setdefault(_bare(synonym), {})[column.key] = None
            levels[3].setdefault(normalise_header(synonym), {})[column.key] = None
    merged: dict[str, tuple[str, ...]] = {}
    for level in levels:
        for form, keys in level.items():
            if form:
                merged.setdefault(form, tuple(keys))
    return merged


def _best_claims(claims: Sequence[tuple[int, int]], texts: Sequence[str], sample: Sequence[Row]) -> tuple[int, ...]:
    best = min(rank for rank, _ in claims)
    positions = [position for rank, position in claims if rank == best]
    if len({_bare(texts[position]) for position in positions}) == len(positions) > 1 and sample:
        filled = [position for position in positions if any(_is_filled(row, position) for row in sample)]
        positions = filled or positions
    return tuple(positions)


def _is_filled(row: Row, position: int) -> bool:
    return position < len(row) and row[position] is not None and plain(row[position]).strip() != ""


def _likely(column: ColumnLike, unknown: Collection[int], texts: Sequence[str]) -> tuple[int, ...]:
    """Up to two unknown headers that read most like this column."""
    wanted = {normalise_header(text) for text in (column.label, *column.synonyms)}
    scored = [
        (
            max(SequenceMatcher(None, form, text).ratio() for form in header_forms(texts[position]) for text in wanted),
            position,
        )
        for position in unknown
        if header_forms(texts[position])
    ]
    scored.sort(key=lambda pair: (-pair[0], pair[1]))
    return tuple(position for score, position in scored[:2] if score >= 0.5)


class MergeFiller:
    """Cells that merges over several rows left blank: filled in allowed columns, marked as `Merged` in the others; feed
    it the rows in order.

    Identity numbers, names and amounts must never be filled: one merged cell there stands for one row, and the others
    are missing. A number at the head of such a range may be the sum of its rows, so it is marked, too.
    """

    def __init__(
        self, merged: Sequence[Merge], allowed: Collection[int], *, below: int, own: Collection[int] = ()
    ) -> None:
        """``below``: the header's last row; merges that begin above are not data. ``own``: columns in which each row
        must have its own value; what stands in neither is nobody's concern."""
        self._spans: dict[int, list[tuple[int, int]]] = {}
        self._allowed, self._own = frozenset(allowed), frozenset(own)
        self._held: dict[int, Cell] = {}
        for top, left, bottom, right in merged:
            if top > below and bottom > top:
                for column in range(left, right + 1):
                    if column in self._allowed or column in self._own:
                        self._spans.setdefault(column, []).append((top, bottom))
        for spans in self._spans.values():
            spans.sort(reverse=True)

    @property
    def has_work(self) -> bool:
        return bool(self._spans)

    def fill(self, number: int, row: Row, *, followed: Collection[int] = ()) -> tuple[list[int], list[int]]:
        """Changes the row in place; answers (columns filled, columns marked). ``followed``: numbers of rows with
        content, to tell a range over several rows of data from a tall cell."""
        filled: list[int] = []
        marked: list[int] = []
        for column, spans in self._spans.items():
            while spans and spans[-1][1] < number:
                spans.pop()
            if not spans or number < spans[-1][0]:
                continue
            top, bottom = spans[-1]
            row.extend([None] * (column + 1 - len(row)))
            if number == top:
                held = self._held[column] = row[column]
                if (
                    column in self._own
                    and type(held) is float
                    and any(n in followed for n in range(top + 1, bottom + 1))
                ):
                    row[column] = Merged(plain(held))
                    marked.append(column)
            elif column in self._own:
                if row[column] is None:
                    row[column] = Merged("")
                    marked.append(column)
            elif self._held.get(column) is not None and row[column] is None:
                row[column] = self._held[column]
                filled.append(column)
        return filled, marked
