"""`manage.py match A B [C] -o pairs.csv`: finds the same people in two or three files. Needs no database and no services."""

from __future__ import annotations

import csv
import time
from itertools import combinations
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from students.list_files import ListFile, Unreadable, read_list
from students.matching import Matching, match_lists

HEADER = ("left_list", "left_row", "right_list", "right_row", "answer", "score", "reason")


class Command(BaseCommand):
    help = "Find the same people in two or three lists (csv, xlsx, xls, ods) by name and whatever else they tell."
    requires_system_checks: list[str] = []  # noqa: RUF012 (so Django names it)
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="two or three lists: A, B and C")
        parser.add_argument("-o", "--output", type=Path, required=True, help="the pairs, as CSV")

    def handle(self, *args: Any, **options: Any) -> None:
        paths: list[Path] = options["files"]
        if not 2 <= len(paths) <= 3:
            raise CommandError(f"给了 {len(paths)} 个文件。请给出两个或三个名单文件，依次称为 A、B、C。")
        started = time.perf_counter()
        try:
            files = [read_list(path, label) for path, label in zip(paths, "ABC", strict=False)]
        except Unreadable as problem:
            raise CommandError(str(problem)) from None
        for path, file in zip(paths, files, strict=True):
            self.stdout.write(_described(path, file))
        read = time.perf_counter()
        matching = match_lists(*(file.people for file in files))
        matched = time.perf_counter()
        try:
            _write(matching, options["output"])
        except OSError:
            raise CommandError(f"结果不能写入“{options['output']}”。请检查文件夹是否存在、文件是否被占用。") from None
        for first, second in combinations(range(len(files)), 2):
            self.stdout.write(_counted(matching, first, second))
        ended = time.perf_counter()
        self.stdout.write(
            f"用时：读取 {read - started:.1f} 秒，比对 {matched - read:.1f} 秒，写出 {ended - matched:.1f} 秒。结果：{options['output']}"
        )


def _described(path: Path, file: ListFile) -> str:
    people = file.people
    line = f"{people.label}：{path.name}，{len(people)} 人，依据：{'、'.join(file.headers.values())}"
    if file.left_out:
        line += f"。只比对了工作表“{file.sheet}”，未比对：{'、'.join(file.left_out)}"
    return line


def _counted(matching: Matching, first: int, second: int) -> str:
    here = (matching.left_list == first) & (matching.right_list == second)
    sure, asked = here & ~matching.review, here & matching.review
    one, two = matching.lists[first], matching.lists[second]
    alone = [len(set(range(len(people))) - set(rows[here].tolist())) for people, rows in ((one, matching.left), (two, matching.right))]  # fmt: skip
    return (
        f"{one.label} 与 {two.label}：配对 {int(sure.sum())} 对，待核对 {int(asked.sum())} 对；"
        f"仅 {one.label} 有 {alone[0]} 人，仅 {two.label} 有 {alone[1]} 人"
    )


def _write(matching: Matching, path: Path) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        writer.writerows(matching.rows())
