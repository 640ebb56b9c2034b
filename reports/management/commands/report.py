"""`manage.py report county-progress`: the progress summary as a Word document, a workbook, or a table on the terminal."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.db import transaction

from eduaid.core.commands import SystemCommand
from eduaid.core.scope import EVERYTHING
from reports import documents, workbooks
from reports.actions import make_report, paper_of
from reports.management.places import area_named, moment_named, site_address
from reports.models.snapshots import ReportKind
from reports.sections import summarise
from reports.terminal import table_lines, wrapped

_WRITERS = {".docx": documents.write_document, ".xlsx": workbooks.write_report}


class Command(SystemCommand):
    help = "Write the county progress summary (.docx or .xlsx), or print it as tables."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("kind", choices=ReportKind.values)
        parser.add_argument("--scope", metavar="CODE", default="", help="region or school; the county when left out")
        parser.add_argument("--as-of", metavar="DATE", default="", help="2026-09-30; today when left out")
        parser.add_argument(
            "-o",
            "--output",
            metavar="FILE",
            type=Path,
            help="a .docx or .xlsx file; keeps the report with its trace codes",
        )
        parser.add_argument("--table", action="store_true", help="print the tables (the default without -o)")

    def run(self, **options: Any) -> None:
        area, moment = area_named(options["scope"]), moment_named(options["as_of"])
        output: Path | None = options["output"]
        if output is not None:
            write = _WRITERS.get(output.suffix.lower())
            if write is None:
                raise CommandError(f"“{output.name}”不是 .docx 或 .xlsx 文件，请改文件名。")
            with transaction.atomic():
                report = make_report(area=area, moment=moment, by=None, kind=ReportKind(options["kind"]))
                data = write(report, paper_of(report, EVERYTHING), site=site_address())
                try:
                    output.write_bytes(data)
                except OSError as error:
                    raise CommandError(f"不能写入“{output}”：{error.strerror}。") from None
            self.stdout.write(f"{report.title}（报告第 {report.pk} 号）已写入 {output}")
        if options["table"] or output is None:
            self._print(summarise(area, moment, EVERYTHING))

    def _print(self, summary: Any) -> None:
        paper = summary.paper
        self.stdout.write(f"{paper.title}（截至{paper.as_of:%Y-%m-%d}）\n")
        for section in paper.sections:
            self.stdout.write(f"\n{section.title}")
            for paragraph in section.paragraphs:
                for line in wrapped(paragraph):
                    self.stdout.write(line)
            for table in section.tables:
                self.stdout.write("")
                for line in table_lines(table):
                    self.stdout.write(line)
        bad = [check.text for check in paper.checks if not check.ok]
        self.stdout.write("\n勾稽：" + ("全部一致" if not bad else f"{len(bad)} 条不一致"))
        for text in bad:
            self.stdout.write(f"  ✗ {text}")
