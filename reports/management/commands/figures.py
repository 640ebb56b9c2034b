"""`manage.py figures`: the value of every indicator, for scripts."""

from __future__ import annotations

import argparse
import json
from typing import Any

from django.core.management.base import CommandError

from eduaid.core.commands import SystemCommand
from eduaid.core.display import figure_text
from eduaid.core.indicators import Amount, Indicator, UnknownIndicator, indicator_of, indicators
from eduaid.core.scope import EVERYTHING
from reports.areas import is_told_of
from reports.management.places import area_named, moment_named
from reports.moments import answering_for
from reports.numbers import basis_of
from reports.terminal import columns


class Command(SystemCommand):
    help = "Print indicators: key, label, unit, value, definition."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--scope", metavar="CODE", default="", help="region or school; the county when left out")
        parser.add_argument("--as-of", metavar="DATE", default="", help="2026-09-30; today when left out")
        parser.add_argument(
            "--known-at", metavar="MOMENT", default="", help="2026-09-30T17:00:00: only what was recorded until then"
        )
        parser.add_argument("--key", metavar="KEY", default="", help="one indicator; all when left out")
        parser.add_argument("--json", action="store_true", help="a list of objects, for programs")

    def run(self, **options: Any) -> None:
        area, moment = area_named(options["scope"]), moment_named(options["as_of"], options["known_at"])
        basis = basis_of(area, moment)
        with answering_for(moment):
            values = [(i, i.value(basis, EVERYTHING)) for i in _asked(options["key"]) if is_told_of(i, area)]
        if options["key"] and not values:
            raise CommandError(f"“{options['key']}”不按{area}统计。")
        if options["json"]:
            self.stdout.write(json.dumps([_object(i, value) for i, value in values], ensure_ascii=False, indent=2))
            return
        rows = [(i.key, i.label, figure_text(value, i.unit)[0], figure_text(value, i.unit)[1]) for i, value in values]
        for line in columns([("指标", "名称", "数值", "单位"), *rows], right={2}):
            self.stdout.write(line)


def _asked(key: str) -> tuple[Indicator, ...]:
    if not key:
        return indicators()
    try:
        return (indicator_of(key),)
    except UnknownIndicator as error:
        raise CommandError(str(error)) from None


def _object(indicator: Indicator, value: Amount) -> dict[str, object]:
    """Whole numbers as such; money in 元 with its 角 and 分."""
    whole = int(value) == value
    return {
        "key": indicator.key,
        "label": indicator.label,
        "unit": indicator.unit,
        "value": int(value) if whole else float(value),
        "definition": indicator.definition,
    }
