"""`python -m bench.names`: finding children by two characters inside their names, or by the sound, in the database.

Beside it, in the same run, what is done while the index of names lags behind: looking at every child.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import django
from psycopg2.extras import execute_values

from bench.databases import Databases
from bench.measuring import load, machine, median, table
from eduaid.core.services import CHECKOUT

_SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
_GIVEN = "伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超霞平刚桂文辉玲红梅佳雨欣怡子轩浩宇梓涵诗晨思语嘉俊博一诺泽梦琪雅彤睿"
TYPED = ("佳明", "雨欣", "李文", "zhangwei")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.names")
    parser.add_argument("--children", type=int, default=300_000)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        _measure(options.children, options.runs)
        return
    print(f"{machine()}, load {load():.1f}; {options.children:,} children, medians of {options.runs} runs", flush=True)
    command = [
        sys.executable,
        "-m",
        "bench.names",
        "--child",
        f"--children={options.children}",
        f"--runs={options.runs}",
    ]
    with Databases() as databases, databases.fresh(Path(os.devnull)) as environment:
        subprocess.run(command, cwd=CHECKOUT, env=environment, check=True)


def _measure(children: int, runs: int) -> None:
    django.setup()
    from eduaid.core.scope import everything
    from students import search

    with everything():
        _make(children)
        looking = list(_milliseconds(runs))
        search.learn()
        found = list(_milliseconds(runs))
    lines = [
        (typed, str(count), f"{index:.2f}", f"{scan:.1f}")
        for (typed, count, index), (_, _, scan) in zip(found, looking, strict=True)
    ]
    print(table(("typed", "children", "by the index ms", "looking at every child ms"), lines))


def _make(children: int) -> None:
    from django.db import connection, transaction

    from eduaid.core import changes
    from students.facts import name_facts

    rng = random.Random(5)
    rows = []
    for place in range(children):
        name = rng.choice(_SURNAMES) + "".join(rng.choices(_GIVEN, k=1 if rng.random() < 0.15 else 2))
        facts = name_facts(name)
        rows.append((f"{place:010}", name, facts["name_key"], [facts["name_key"]], facts["pinyin"]))
    with transaction.atomic(), connection.cursor() as cursor:
        made = execute_values(
            cursor.cursor,
            "INSERT INTO students_student (public_id, made_at, name, name_key, name_keys, pinyin, sex, ethnicity, id_type, id_prefix,"
            " hukou_outside, grade, class_name, left_behind, disability, guardian, in_population, in_registry, in_roster,"
            " in_poverty, in_hardship, has_waiting_row) VALUES %s RETURNING id",
            rows,
            template="(%s, now(), %s, %s, %s, %s, '', '', '', '', false, '', '', '', '', '', true, false, false, false, false, false)",
            page_size=5000,
            fetch=True,
        )
        changes.record(cause="measuring", students=[pk for (pk,) in made])


def _milliseconds(runs: int) -> Iterator[tuple[str, int, float]]:
    """What was typed, how many children it finds, and the database's time for all of them."""
    from django.db import connection

    from students import search
    from students.models import Student

    with connection.cursor() as cursor:
        cursor.execute("ANALYZE students_student (id, merged_into_id, name_key, birth_on)")
    for typed in TYPED:
        rows = search.named(Student.objects.all(), search.read(typed))
        plans = [rows.explain(analyze=True) for _ in range(runs)]
        told = [line for plan in plans for line in plan.splitlines() if line.startswith("Execution Time")]
        yield typed, rows.count(), median([float(line.split()[2]) for line in told])


if __name__ == "__main__":
    main()
