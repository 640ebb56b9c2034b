"""What goes into matching: a list of persons, column by column."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

Texts = Sequence[str | None]
Births = Sequence["dt.date | str | None"]


@dataclass(frozen=True)
class People:
    """One list of persons. Everything beyond the names may be missing; every column is as long as `names`.

    Cells are text as the office wrote it (births also dates); what cannot be read counts as empty. `guardians` are columns whose
    order says nothing: 监护人, 父亲, 母亲, 户主. `rows` are the row numbers that people see; without them 1, 2, 3 …
    """

    label: str
    names: Texts
    former_names: Texts | None = None
    id_numbers: Texts | None = None
    registry_numbers: Texts | None = None
    births: Births | None = None
    sexes: Texts | None = None
    guardians: Sequence[Texts] = ()
    phones: Texts | None = None
    townships: Texts | None = None
    villages: Texts | None = None
    schools: Texts | None = None
    rows: Sequence[int] | None = None

    def __post_init__(self) -> None:
        for column in (
            self.former_names, self.id_numbers, self.registry_numbers, self.births, self.sexes, *self.guardians,
            self.phones, self.townships, self.villages, self.schools, self.rows,
        ):  # fmt: skip
            if column is not None and len(column) != len(self.names):
                raise ValueError(f"a column of list {self.label} has {len(column)} cells, not {len(self.names)}")

    def __len__(self) -> int:
        return len(self.names)
