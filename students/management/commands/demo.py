"""`manage.py demo`: the example county 示例县, from a generator, loaded through the real upload path or written to a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from eduaid.core import changes
from eduaid.core.commands import SystemCommand
from eduaid.core.models import ChangeSet, Post, Region, User
from students.demo import generate
from students.demo.load import PASSWORD, load_places, send_lists
from students.demo.places import COUNTY

DEFAULT_PEOPLE = 10_000

# Noted when every list has been sent: a load that was interrupted goes on at the next start.
_LOADED = "demo-loaded"


class Command(SystemCommand):
    help = "Load the example county into an empty database (or write its workbooks and their truth to a folder)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--people", type=int, default=DEFAULT_PEOPLE, help="children and young people of 3 to 22")
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--load", action="store_true", help="load; does nothing when the database holds a county")
        parser.add_argument("--accounts", action="store_true", help="list the example accounts")
        parser.add_argument("-o", "--output", type=Path, help="write workbooks and truth.json here instead of loading")

    def run(self, **options: Any) -> None:
        if options["accounts"]:
            return self.print_accounts()
        if options["output"]:
            return self.write(options["people"], options["seed"], options["output"])
        home = Region.objects.filter(is_home=True).first()
        if ChangeSet.objects.filter(cause=_LOADED).exists() or (home is not None and home.code != COUNTY):
            if options["load"]:
                return self.print_state()
            raise CommandError("数据库里已经有县，不再载入示例县。如只需要文件，请加 -o 文件夹。")
        return self.load(options["people"], options["seed"])

    def load(self, people: int, seed: int) -> None:
        county = generate(people, seed)
        if not Region.objects.filter(is_home=True).exists():
            load_places(county)
        self.stdout.write(
            f"示例县：{len(county.regions)} 个区划，{len(county.schools)} 所学校，{len(county.users)} 个账号，{len(county.workbooks)} 个表格"
        )
        self.stdout.flush()
        for receipt in send_lists(county):
            self.stdout.write(receipt.line())
            self.stdout.flush()
        changes.record(cause=_LOADED, students=[])

    def write(self, people: int, seed: int, folder: Path) -> None:
        county = generate(people, seed)
        folder.mkdir(parents=True, exist_ok=True)
        for workbook in county.workbooks:
            (folder / workbook.filename).write_bytes(workbook.content())
        with (folder / "truth.json").open("w", encoding="utf-8") as file:
            county.truth.dump(file)
        self.stdout.write(f"已写入 {len(county.workbooks)} 个表格和 truth.json：{folder}")

    def print_state(self) -> None:
        self.stdout.write(f"数据库里已有{Region.objects.home()}，不再载入。")

    def print_accounts(self) -> None:
        self.stdout.write(f"示例账号（密码都是 {PASSWORD}）：")
        for user in (
            User.objects.filter(is_active=True).prefetch_related("posts__region", "posts__school").order_by("pk")
        ):
            posts: list[Post] = list(user.posts.all())
            where = "、".join(f"{post.region or post.school} {post.get_role_display()}" for post in posts)
            self.stdout.write(f"  {user.username:<12}{user.display_name}　{where}")
