"""What a person reads about a list: its findings as whole sentences, with the values of the rows where they may be shown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from eduaid.core.delivered import texts_of
from eduaid.core.findings import message
from eduaid.core.lists import kind_of
from eduaid.core.masking import masked
from eduaid.core.models import Finding, Upload
from eduaid.core.sealing import Opener
from eduaid.core.text import spaceless


@dataclass(frozen=True)
class Said:
    """A finding in words. `value` is what stands in the cell, masked unless it may be shown in full."""

    finding: Finding
    sheet: str
    label: str
    value: str
    text: str


def said(upload: Upload, findings: Iterable[Finding], *, in_full: bool) -> list[Said]:
    """The findings as sentences. `in_full`: the sender looks at his own rows (docs/architecture.md); everybody else sees masks.

    Two queries for any number of findings, which come with sheet and row selected.
    """
    findings = list(findings)
    kind = kind_of(upload.kind)
    columns = {column.key: column for column in kind.columns}
    opened = texts_of({found.row.pk: found.row for found in findings if found.row is not None}.values(), Opener())
    answer = []
    for finding in findings:
        column = columns.get(finding.column)
        value: str | None = None
        if finding.row is not None and column is not None:
            value = opened[finding.row.pk].get(column.key, "")
            if not in_full:
                value = masked(column, value)
        if finding.code == "name-spaces" and value:
            # Findings never hold names: what is proposed is made from the cell when it is read.
            finding.params = {**finding.params, "suggestion": spaceless(value)}
        label = column.label if column else ""
        answer.append(
            Said(
                finding,
                finding.sheet.name if finding.sheet else "",
                label,
                value or "",
                message(finding, label=label, value=value),
            )
        )
    return answer
