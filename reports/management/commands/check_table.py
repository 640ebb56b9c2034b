"""`manage.py check_table FILE`: names the cells of a summary table that do not add up, or that repeat a figure wrongly.

Needs no database and no service. Ends with 0 when the table was checked, whatever was found, and with 2 when the file
cannot be read.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandParser

from eduaid.core.parser import ParserKilled
from eduaid.core.preflight import FileRefused
from reports.table_check.checking import check_file
from reports.table_check.telling import as_data, sentence, what_was_checked


class Command(BaseCommand):
    help = "核对一张汇总表：找出对不上的合计、乘积、比例和前后不一致的数字。"
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="xlsx、xls、et、ods、csv 或 html 表格")
        parser.add_argument("--json", action="store_true", dest="as_json", help="只输出 JSON 列表")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        try:
            report = check_file(path.read_bytes(), path.name)
        except OSError:
            self._refuse(f"读不到文件“{path}”。请检查路径，并确认有权读取。")
        except FileRefused as refusal:
            self._refuse(f"文件“{path.name}”无法读取：{refusal.sentence}。")
        except ParserKilled:
            self._refuse(f"读取文件“{path.name}”时内存不足，没有核对。请稍后再试。")
        if options["as_json"]:
            self.stdout.write(json.dumps([as_data(finding) for finding in report.findings], ensure_ascii=False))
            return
        for line in what_was_checked(report):
            self.stdout.write(line)
        if report.findings:
            self.stdout.write(f"发现 {len(report.findings)} 处不符：")
            for finding in report.findings:
                self.stdout.write(f"  {sentence(finding)}")
        elif report.rules:
            self.stdout.write("核对过的各处全部相符。")

    def _refuse(self, sentence: str) -> NoReturn:
        self.stderr.write(sentence)
        sys.exit(2)
