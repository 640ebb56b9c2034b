"""How the parsers of this package answer.

Each ``parse_…`` function takes one cell and answers one of three things:

* ``None``: the cell is blank (blank is not "no", and not an error: the list decides whether it may be);
* ``Parsed(value, note)``: the one possible reading; ``note`` names the harmless change that led to it, if any, so
  that the preview can show old and new;
* ``Problem(code, params)``: no reading, or several. ``level`` says whether the row must be corrected (``error``) or a
  person may confirm (``ask``). ``params`` never hold identifiers, so a problem can be stored and logged.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, Literal, NamedTuple, TypeAlias, TypeVar

from eduaid.core.cells import Cell
from eduaid.core.text.sentences import NOTES, SENTENCES

T = TypeVar("T")
Level = Literal["error", "ask"]
Param: TypeAlias = str | int


class Parsed(NamedTuple, Generic[T]):
    value: T
    note: str = ""

    @property
    def hint(self) -> str:
        """The note as a Chinese sentence, empty when nothing was changed."""
        return NOTES[self.note] if self.note else ""


@dataclass(frozen=True, slots=True)
class Problem:
    code: str
    params: Mapping[str, Param] = field(default_factory=dict)

    @property
    def level(self) -> Level:
        return "ask" if SENTENCES[self.code].asks else "error"

    @property
    def sentence(self) -> str:
        """What is wrong and what to do, in Chinese, without the value; the caller puts row and column before it."""
        return SENTENCES[self.code].text.format(**self.params)

    def __hash__(self) -> int:
        return hash((self.code, tuple(sorted(self.params.items()))))


Result: TypeAlias = Parsed[T] | Problem | None


class Column(dict[str, "Result[T]"], Generic[T]):
    """A parser that remembers its answer per distinct text: one object per column and file.

    Only text is remembered: ``True``, ``1`` and ``1.0`` are equal as dictionary keys but are different cells.
    """

    def __init__(self, parse: Callable[[Cell], "Result[T]"]) -> None:
        super().__init__()
        self._parse = parse

    def __missing__(self, text: str) -> "Result[T]":
        answer = self[text] = self._parse(text)
        return answer

    def __call__(self, cell: Cell) -> "Result[T]":
        return self[cell] if type(cell) is str else self._parse(cell)
