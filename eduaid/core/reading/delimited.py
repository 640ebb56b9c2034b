"""CSV and TSV in any encoding that Chinese offices produce. Every cell stays text: nothing is guessed to be a
number."""

import codecs
import csv
import io
import re
from collections.abc import Iterator

from eduaid.core.preflight import FileRefused, Kind, Limits
from eduaid.core.reading.frames import Json
from eduaid.core.reading.sheets import Facts, Sheet, Visible, refuse_wide

_DELIMITERS = ",\t;|，"
# ="3623…" is how spreadsheets are told to keep text as it is; it is no formula for us.
_FORCED_TEXT = re.compile(r'="((?:[^"]|"")*)"')


def decoded(data: bytes) -> str:
    """The text of the file: byte order mark, else UTF-8, else GB18030 (GBK would lose rare characters of names)."""
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if data.startswith(mark):
            return _strictly(data, encoding)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return _strictly(data, "gb18030")


def _strictly(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        raise FileRefused("encoding") from None


def delimiter_of(text: str) -> str:
    """The character that splits the first filled lines into the most equal number of columns; comma when in doubt."""
    lines = [line for line in text[:20_000].splitlines() if line.strip()][:20]
    best, best_score = ",", (0, 0)
    for delimiter in _DELIMITERS:
        counts = [_outside_quotes(line).count(delimiter) for line in lines]
        widest = max(counts, default=0)
        if widest:
            score = (sum(count == widest for count in counts), widest)
            if score > best_score or (delimiter in ",\t" and score[1] > 2 * best_score[1]):
                best, best_score = delimiter, score
    return best


def _outside_quotes(line: str) -> str:
    return re.sub(r'"[^"]*"', "", line)


class Workbook:
    """The file as a book of one sheet."""

    kind = Kind.CSV
    epoch_1904 = False

    def __init__(self, data: bytes, limits: Limits) -> None:
        self.notes: list[str] = []
        text = decoded(data).removeprefix("\ufeff")
        if "\0" in text:  # padding of old systems; PostgreSQL could not store it
            text = text.replace("\0", "")
            self.notes.append("nul-bytes")
        self._text = text
        self._limits = limits

    @property
    def sheets(self) -> list[Sheet]:
        return [Page(self._text, self._limits)]


class Page:
    name = ""
    visible: Visible = "visible"
    pictures = 0

    def __init__(self, text: str, limits: Limits) -> None:
        self._text = text
        self._limits = limits
        self._delimiter = delimiter_of(text)
        lines = [_outside_quotes(line).count(self._delimiter) for line in text[:20_000].splitlines()[:20]]
        self._columns = max(2, max(lines, default=0) // 2)

    def open(self) -> Facts:
        return Facts()

    def rows(self) -> Iterator[list[Json]]:
        """Rows numbered as lines of the table: a line break inside quotes does not start a row."""
        csv.field_size_limit(1_000_000)
        reader = csv.reader(io.StringIO(self._text, newline=""), delimiter=self._delimiter, strict=False)
        filled = number = 0
        try:
            for number, row in enumerate(reader, 1):
                refuse_wide(self.name, len(row), self._limits)
                filled += any(row)
                if filled > self._limits.rows + 100:
                    raise FileRefused("rows", sheet=self.name, rows=self._limits.rows, limit=self._limits.rows)
                if any(self._swallowed(cell) for cell in row):
                    raise FileRefused("quotes", row=number)
                yield [_text(cell) for cell in row]
        except csv.Error:
            raise FileRefused("quotes", row=number + 1) from None

    def _swallowed(self, cell: str) -> bool:
        """Whether a quote that never closed drew whole rows into this cell."""
        if len(cell) > 32_767:
            return True
        return "\n" in cell and any(line.count(self._delimiter) >= self._columns for line in cell.split("\n")[1:])

    def verify(self, delivered: int) -> None:
        """The text was decoded strictly and split without loss; there is no second structure to compare with."""


def _text(cell: str) -> Json:
    if cell.startswith('="') and (match := _FORCED_TEXT.fullmatch(cell)):
        cell = match[1].replace('""', '"')
    return cell or None
