"""Who is measured in `bench.intake`: functions that take `Files` and note their `Steps`.

Every run has a process and a database of its own (`python -m bench.contenders`), so that memory is its own and nobody
finds a cache that another has warmed.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.roster import Roster, School

CONTENDERS = {
    "eduaid": ("eduaid", "run"),
    "bare pipeline": ("bare", "run"),
    "import-export tuned": ("import_export", "run_tuned"),
    "import-export": ("import_export", "run_default"),
}
"""Name → module and function here."""

CHANGED_SHARE = 0.01


@dataclass(frozen=True)
class Files:
    """What a run works on: the list, the same rows in other bytes, 1 % of them changed, and the places they name."""

    folder: Path
    rows: int
    changed: int
    towns: Sequence[str]
    schools: Sequence[School]

    @classmethod
    def write(cls, roster: Roster, folder: Path) -> Files:
        (folder / "list.xlsx").write_bytes(roster.workbook())
        (folder / "other-bytes.xlsx").write_bytes(roster.in_other_bytes())
        data, changed = roster.with_changes(CHANGED_SHARE)
        (folder / "changed.xlsx").write_bytes(data)
        files = cls(folder, len(roster.pupils), changed, roster.towns, roster.schools)
        (folder / "files.json").write_text(json.dumps(asdict(files) | {"folder": str(folder)}, ensure_ascii=False))
        return files

    @classmethod
    def of(cls, folder: Path) -> Files:
        told = json.loads((folder / "files.json").read_text())
        schools = [School(**school) for school in told["schools"]]
        return cls(folder, told["rows"], told["changed"], told["towns"], schools)

    @property
    def first(self) -> bytes:
        return (self.folder / "list.xlsx").read_bytes()

    @property
    def other_bytes(self) -> bytes:
        return (self.folder / "other-bytes.xlsx").read_bytes()

    @property
    def changed_list(self) -> bytes:
        return (self.folder / "changed.xlsx").read_bytes()
