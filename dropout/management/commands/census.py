"""`manage.py census`: the open census rounds by township; opens one; compares the example county's with its truth."""

from __future__ import annotations

import datetime as dt
import time
from typing import Any

from django.core.management.base import CommandError, CommandParser

from dropout import actions
from dropout.indicators import TERMS, prefix_of
from dropout.models import CensusRound
from dropout.models.census import Window, born_in
from dropout.truth import compare
from eduaid.core.commands import SystemCommand
from eduaid.core.indicators import Basis, indicator_of
from eduaid.core.models import Post, Region, User
from eduaid.core.models.accounts import RoleKey
from eduaid.core.roles import today
from eduaid.core.scope import EVERYTHING
from students.demo import generate


class Command(SystemCommand):
    help = "Print the whereabouts equation of the open rounds by township; open a round; check the example county's."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--open", action="store_true", help="open the 6-15 round of the county; nothing if one is open"
        )
        parser.add_argument("--truth", action="store_true", help="compare with the generator's truth (example county)")
        parser.add_argument("--people", type=int, default=10_000, help="size of the example county that was loaded")
        parser.add_argument("--seed", type=int, default=1)

    def run(self, **options: Any) -> None:
        if options["open"]:
            self.open()
            return
        rounds = list(CensusRound.objects.open())
        if not rounds:
            raise CommandError("没有正在进行的摸排。可用 manage.py census --open 发起。")
        for round_ in rounds:
            if options["truth"]:
                self.print_truth(round_, options["people"], options["seed"])
            else:
                self.print_equation(round_)

    def open(self) -> None:
        """By the officer for 控辍保学 of longest standing, with the usual dates."""
        if CensusRound.objects.open().filter(window=Window.COMPULSORY).exists():
            return
        post = (
            Post.objects.filter(role=RoleKey.DROPOUT_OFFICER, until_on=None, user__is_active=True)
            .select_related("user")
            .order_by("pk")
            .first()
        )
        if post is None:
            raise CommandError("还没有控辍保学干部的岗位，请先在“设置—人员岗位”中任命。")
        day = today()
        year = day.year - (day.month < 9)
        first, last = born_in(Window.COMPULSORY, year)
        began = time.monotonic()
        made = actions.open_round(
            name=f"{year}年秋季适龄儿童摸排" if day.month >= 9 else f"{day.year}年春季适龄儿童摸排",
            window=Window.COMPULSORY,
            born_from=first,
            born_to=last,
            as_of=day,
            deadline=day + dt.timedelta(days=30),
            by=User.objects.get(pk=post.user_id),
        )
        seconds = time.monotonic() - began
        basis = Basis(Region.objects.home(), day)
        people, open_ = (
            int(indicator_of(f"whereabouts.{key}").value(basis, EVERYTHING)) for key in ("population", "suspected")
        )
        self.stdout.write(f"{made}：{people} 人，名单推定去向 {people - open_} 人，未核 {open_} 人（{seconds:.1f} 秒）")

    def print_equation(self, round_: CensusRound) -> None:
        prefix = prefix_of(Window(round_.window))
        keys = [*(f"{prefix}.{term.key}" for term in TERMS), f"{prefix}.not-in-round"]
        self.stdout.write(f"\n{round_}（{round_.born_from} 至 {round_.born_to} 出生）")
        for area in [Region.objects.home(), *Region.objects.townships().valid_on(today())]:
            basis = Basis(area, today())
            whole = indicator_of(f"{prefix}.population").value(basis, EVERYTHING)
            values = [(indicator_of(key).label, indicator_of(key).value(basis, EVERYTHING)) for key in keys]
            gap = whole - sum(value for _, value in values)
            terms = " + ".join(f"{label} {value}" for label, value in values if value)
            self.stdout.write(f"  {area.name} {whole} = {terms}" + (f"  ✗ 差 {gap}" if gap else "  ✓"))

    def print_truth(self, round_: CensusRound, people: int, seed: int) -> None:
        self.stdout.write(f"\n{round_}：推定与真实情况\n  真实情况 | 人数 | 推定正确 | 交人核实 | 推定错误")
        for one in compare(round_, generate(people, seed)):
            wrong = "、".join(f"{code} {count}" for code, count in sorted(one.wrong.items())) or "0"
            self.stdout.write(f"  {one.kind} {one.label} | {one.planted} | {one.right} | {one.asked} | {wrong}")
