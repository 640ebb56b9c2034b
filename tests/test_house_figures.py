"""One number, one indicator; and what a kind of list owes to everything that is derived from it."""

from __future__ import annotations

import ast
import re
from collections import Counter

import pytest

from eduaid.core.indicators import Indicator, indicators
from eduaid.core.lists import ListKind, kinds
from eduaid.core.spreadsheets import map_columns, normalise_header
from tests.house import at, called, listed, named, sources, tree_of

# --- counting ----------------------------------------------------------------------------------------------------

# Rooms that show numbers; they get them from indicators, or from a row that already holds them.
SHOWING = re.compile(
    r"/(views|templatetags|management|admin)/|/(views|admin|tasks|context|display|board|numbers|papers|narrative|"
    r"documents|dossier|bulletin|tables)\.py$|^reports/(?!indicators\.py|tie_outs\.py|models/|migrations/)"
)
COUNTING = re.compile(r"\b(?:count|sum|avg)\s*\(", re.IGNORECASE)
# File and function: what is counted there is not a figure.
MAY_COUNT = {
    "reports/moments.py state_of_the_data": "tells whether anything has changed since a page was kept; the number is never shown",
    "reports/basis.py record_of": "what a report rested on, kept beside its figures for the replay",
    "reports/sources.py files_behind": "splits the rows of one indicator by the file that delivered them",
    "reports/sources.py _files_of_schools": "the same for an indicator of schools",
    "students/views/reveal.py alert_when_many": "a limit of numbers shown within an hour",
}


def counts_something(node: ast.AST) -> bool:
    if isinstance(node, ast.Call) and called(node) in {"count", "aggregate", "Count", "Sum", "Avg"}:
        # A word in a list or a text has its own count, with an argument.
        return called(node) != "count" or not node.args
    return (
        isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and bool(COUNTING.search(node.value) and re.search(r"\bselect\b|\bfrom\b|\*", node.value, re.IGNORECASE))
    )


def documentation(tree: ast.Module) -> set[ast.AST]:
    """The constants that are docstrings."""
    return {
        node.body[0].value
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef))
        and node.body
        and isinstance(node.body[0], ast.Expr)
        and isinstance(node.body[0].value, ast.Constant)
    }


def counting_places() -> dict[str, list[str]]:
    """File and function → the lines where it counts, in the rooms that show numbers."""
    found: dict[str, list[str]] = {}
    for path in sources():
        if not SHOWING.search(named(path)):
            continue
        tree = tree_of(path)
        texts = documentation(tree)
        for function in [node for node in tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef))] + [tree]:
            place = f"{named(path)} {getattr(function, 'name', '')}".strip()
            for node in ast.walk(function):
                if node not in texts and counts_something(node):
                    # The module comes last: it adds only what stands in no function.
                    if isinstance(function, ast.Module) and at(path, node) in [x for y in found.values() for x in y]:
                        continue
                    found.setdefault(place, []).append(at(path, node))
    return found


def test_nothing_that_shows_numbers_counts_them_itself() -> None:
    found = sorted({line for place, lines in counting_places().items() if place not in MAY_COUNT for line in lines})
    assert found == [], listed(found)


def test_exceptions_to_the_rule_on_counting_are_still_needed() -> None:
    assert set(MAY_COUNT) - set(counting_places()) == set()


KEY = re.compile(r"[a-z0-9]+(?:[.-][a-z0-9]+)*")
UNITS = {"人", "人次", "户", "所", "行", "元", "万元", "项", "对"}


@pytest.mark.parametrize("indicator", indicators(), ids=lambda indicator: indicator.key)
def test_an_indicator_says_what_it_counts(indicator: Indicator) -> None:
    assert KEY.fullmatch(indicator.key)
    assert indicator.label
    assert indicator.unit in UNITS
    assert indicator.source
    assert indicator.definition.endswith("。")
    assert len(indicator.definition) >= 10
    keys = [breakdown.key for breakdown in indicator.breakdowns]
    assert len(keys) == len(set(keys))
    assert indicator.row_kind.columns


def test_indicators_are_told_apart_by_their_names() -> None:
    labels = Counter(indicator.label for indicator in indicators())
    assert [label for label, times in labels.items() if times > 1] == []
    assert len(labels) >= 20


@pytest.mark.parametrize("indicator", [item for item in indicators() if item.parts], ids=lambda item: item.key)
def test_parts_of_an_indicator_exist_and_are_counted_alike(indicator: Indicator) -> None:
    known = {item.key: item for item in indicators()}
    assert [part for part in indicator.parts if part not in known] == []
    assert indicator.key not in indicator.parts
    assert len(indicator.parts) == len(set(indicator.parts)) >= 2
    alike = {(known[part].unit, known[part].counting, known[part].row_kind.key) for part in indicator.parts}
    assert alike == {(indicator.unit, indicator.counting, indicator.row_kind.key)}


# --- list kinds --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.key)
def test_a_list_kind_is_declared_whole(kind: ListKind) -> None:
    keys = {column.key for column in kind.columns}
    named_keys = {kind.id_column, *([kind.registry_column] if kind.registry_column else [])}
    assert named_keys | {key for group in kind.one_of for key in group} <= keys
    assert kind.required
    assert kind.column(kind.id_column).sealed
    assert kind.label
    assert kind.source
    assert kind.about.endswith("。")
    assert kind.checks
    assert kind.senders


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.key)
def test_no_header_means_two_columns_of_a_list(kind: ListKind) -> None:
    meanings: dict[str, set[str]] = {}
    for column in kind.columns:
        for text in (column.label, *column.synonyms):
            meanings.setdefault(normalise_header(text), set()).add(column.key)
    assert {header: keys for header, keys in meanings.items() if len(keys) > 1} == {}


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.key)
def test_the_headers_of_a_template_are_recognised_without_a_question(kind: ListKind) -> None:
    found = map_columns([column.label for column in kind.columns], kind.columns, sample=[])
    assert dict(found.columns) == {position: column.key for position, column in enumerate(kind.columns)}
    assert (list(found.ambiguous), list(found.missing)) == ([], [])


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.key)
def test_columns_that_may_hold_a_number_or_an_address_are_sealed(kind: ListKind) -> None:
    telling = re.compile(r"证件号|身份证|学籍|电话|手机|住址|卡号|账号|备注")
    kept_open = {"id_kind"}  # the kind of the document, not its number
    found = [
        column.key
        for column in kind.columns
        if telling.search(column.label) and not column.sealed and column.key not in kept_open
    ]
    assert found == [], listed(found)
