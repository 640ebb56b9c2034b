"""`manage.py proofs --example`: some evidence, a letter and a spot check for the example county, made as its people would."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.core.management.base import CommandError, CommandParser

from dropout import inquiries, proof, spot
from dropout.indicators import round_at
from dropout.models import Evidence, SpotCheck, Whereabouts
from dropout.models.census import Place, Window
from dropout.models.evidence import EvidenceState
from dropout.models.spot_checks import Outcome
from eduaid.core import codes
from eduaid.core.commands import SystemCommand
from eduaid.core.models import Post, Region, User
from eduaid.core.models.accounts import RoleKey
from eduaid.core.roles import today
from students.models import Student

_PLACES = (
    ("广东省", "深圳市", "宝安区", "西乡街道", "西乡小学"),
    ("广东省", "东莞市", "长安镇", "", "长安中心小学"),
    ("浙江省", "温州市", "瑞安市", "塘下镇", "塘下镇中心小学"),
    ("福建省", "泉州市", "晋江市", "陈埭镇", "陈埭民族小学"),
)
_KINDS = ("E1", "E2", "E6", "E1")


class Command(SystemCommand):
    help = "Give the example county some evidence, a letter and a spot check. Does nothing where there is any."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--example", action="store_true", required=True)

    def run(self, **options: Any) -> None:
        home = Region.objects.filter(is_home=True).first()
        if home is None or home.code != "990121":
            raise CommandError("这不是示例县。取证和抽查请在网页上登记。")
        if Evidence.objects.exists() or SpotCheck.objects.exists():
            return
        officer = _holder(RoleKey.DROPOUT_OFFICER)
        if officer is None:
            raise CommandError("还没有控辍保学专干的岗位，请先在“设置—人员岗位”中任命。")
        self.record(officer)
        self.draw(officer)

    def record(self, officer: User) -> None:
        """By the heads of the townships; the bureau accepts some, returns one, and asks one county."""
        heads = {
            post.region_id: post.user
            for post in Post.objects.filter(role=RoleKey.TOWN_HEAD, until_on=None, user__is_active=True).select_related(
                "user"
            )
        }
        children = [child for child in _away() if child.hukou_town_id in heads][:14]
        made = []
        for number, child in enumerate(children):
            head = heads[child.hukou_town_id or 0]
            if number in (9, 10):
                state = EvidenceState.REFUSED if number == 9 else EvidenceState.UNREACHABLE
                reason = (
                    "11月以来三次电话、一次上门，父亲拒绝提供证明"
                    if number == 9
                    else "全家长期外出，登记的电话停机，亲友也联系不上"
                )
                one = proof.give_up(child, state=state, reason=reason, by=head)
                town = child.hukou_town.name if child.hukou_town else ""
                proof.report_to_town(one, office=f"{town}人民政府", on=today(), by=head)
                continue
            made.append(proof.record(child, _proof(child, number), by=head))
        for one in made[:3]:
            proof.accept(one, by=officer)
        for one in made[3:4]:
            proof.send_back(one, reason="没有学校盖章，请补盖章的就读证明", by=officer)
        asked = inquiries.to_ask_about()
        if asked:
            place = inquiries.place_of(asked[0])
            inquiries.write(
                [one for one in asked if inquiries.place_of(one) == place],
                to_office=f"{asked[0].at_county}教育局",
                reply_by=today() + dt.timedelta(days=15),
                full_numbers=False,
                by=officer,
            )
        self.stdout.write(f"已为 {len(children)} 名在外就读的孩子登记取证。")

    def draw(self, officer: User) -> None:
        check = spot.draw(name=f"{today().year}年{today().month}月随机抽查", per_school=5, seed="20261123", by=officer)
        calls = list(check.calls.order_by("pk")[:12])
        for number, call in enumerate(calls):
            if number == 4:
                text, due = "学校说已随父母外出，班级名册没有减去", today() + dt.timedelta(days=14)
                spot.note(call, outcome=Outcome.UNTRUE, text=text, due_on=due, by=officer)
            else:
                outcome = Outcome.UNREACHABLE if number == 7 else Outcome.TRUE
                spot.note(call, outcome=outcome, by=officer)
        self.stdout.write(f"已抽取“{check.name}”，登记了 {len(calls)} 人的结果。")


def _holder(role: RoleKey) -> User | None:
    post = (
        Post.objects.filter(role=role, until_on=None, user__is_active=True)
        .select_related("user")
        .order_by("pk")
        .first()
    )
    return post.user if post else None


def _away() -> list[Student]:
    """Children of the open round outside the county who are not proved, then children of whom nothing is known."""
    round_ = round_at(Window.COMPULSORY, None)
    rows = Whereabouts.objects.filter(round=round_, proof="").select_related("student__hukou_town").order_by("pk")
    outside = [one.student for one in rows.filter(place=Place.OUTSIDE)[:14]]
    return [*outside, *(one.student for one in rows.filter(code="")[: 14 - len(outside)])]


def _proof(child: Student, number: int) -> proof.Proof:
    where = _PLACES[number % len(_PLACES)]
    year = today().year - (today().month < 9)
    age = min(max(year - (child.birth_on.year if child.birth_on else year - 9), 6), 11)
    grade = f"2{age - 5}" if f"2{age - 5}" in codes.GRADE else "21"
    return proof.Proof(
        proof.Where(*where, grade, f"{number % 6 + 1}班"),
        _KINDS[number % len(_KINDS)],
        today() - dt.timedelta(days=number % 9),
        "班主任",
        f"1380099{number:04d}",
    )
