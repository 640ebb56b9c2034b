"""The evidence rate of a real township's report, to the last child: 99.84 %, with 5 unproved, 4 of them one family refusing."""

from __future__ import annotations

import datetime as dt

import time_machine

from dropout import proof
from dropout.models import CensusRound, Evidence, Whereabouts
from eduaid.core import display
from eduaid.core.indicators import Basis, indicator_of, rate_of
from eduaid.core.scope import EVERYTHING
from students.models import Household, Student
from tests.small_county import SmallCounty

NOW = dt.datetime(2026, 11, 20, 9, 0, tzinfo=dt.UTC)


def township_of_the_report(county: SmallCounty) -> None:
    """2,000 in other townships, all by the registry; 1,125 outside the county, 1,120 of them by accepted evidence."""
    round_ = CensusRound.objects.create(
        name="2026年秋季摸排",
        born_from=dt.date(2010, 9, 1),
        born_to=dt.date(2020, 8, 31),
        as_of=dt.date(2026, 11, 1),
        deadline=dt.date(2026, 12, 1),
        opened_by=county.user("county"),
        opened_at=NOW,
    )
    family = Household.objects.create(kind="hukou", number="H1", town=county.a, head="陈大水", is_listed=True)
    children = Student.objects.bulk_create(
        Student(
            name=f"陈{number}",
            birth_on=dt.date(2014, 3, 1),
            in_population=True,
            hukou_town=county.a,
            hukou_household=family if number < 4 else None,
        )
        for number in range(3125)
    )
    Whereabouts.objects.bulk_create(
        Whereabouts(
            round=round_,
            student=child,
            code="A2" if number >= 1125 else "A4",
            place="C" if number >= 1125 else "O",
            proof="registry" if number >= 1125 else "evidence" if number >= 5 else "",
            hukou_town=county.a,
        )
        for number, child in enumerate(children)
    )
    for child in children[:4]:
        proof.give_up(child, state="refused", reason="父亲多次拒绝提供任何证明", by=county.user("town-a"))
    one = proof.give_up(children[4], state="unreachable", reason="全家长期外出，电话停机", by=county.user("town-a"))
    proof.report_to_town(one, office="水口镇人民政府", on=dt.date(2026, 11, 18), by=county.user("town-a"))


@time_machine.travel(NOW, tick=False)
def test_five_unproved_of_3125_are_99_84_percent_and_each_stands_with_a_reason(county: SmallCounty) -> None:
    township_of_the_report(county)
    basis = Basis(county.a, NOW.date())

    def value(key: str) -> int:
        return int(indicator_of(key).value(basis, EVERYTHING))

    rate = rate_of("evidence.away.rate")
    part, whole, rest = (value(key) for key in (rate.part, rate.whole, rate.rest))
    assert (part, whole, rest) == (3120, 3125, 5)
    assert display.percent(part, whole) == "99.84%"
    assert "县内外镇就读与县外就读之和" in rate.definition
    assert {key: value(f"evidence.away.{key}") for key in ("waiting", "returned", "refused", "unreachable", "none")} == {
        "waiting": 0, "returned": 0, "refused": 4, "unreachable": 1, "none": 0,
    }  # fmt: skip
    # With the narrower denominator the same five are a lower rate: that is why it is named.
    assert (value("whereabouts.in-school.outside"), value("evidence.outside")) == (1125, 1125)
    assert display.percent(value("evidence.outside.proved"), value("evidence.outside")) == "99.56%"


@time_machine.travel(NOW, tick=False)
def test_the_way_from_the_rate_to_the_family_is_two_clicks(county: SmallCounty) -> None:
    """Ledger → 未取证 5 人 → the child, with what was tried and to whom it was reported."""
    township_of_the_report(county)
    client = county.client("county")
    ledger = client.get("/evidence/list/")
    assert ledger.context["share"] == "99.84%"
    unproved = next(item["figure"] for item in ledger.context["kpis"] if item["figure"].label.endswith("未取证"))
    assert (unproved.value, unproved.url) == (5, "/i/evidence.away.unproved/?area=990121")
    page = client.get(unproved.url).content.decode()
    assert page.count("拒不提供") >= 4
    assert page.count("陈大水") == 4
    assert "水口镇人民政府" in page
    child = Student.objects.get(name="陈4")
    assert f"/evidence/child/{child.public_id}/" in page
    assert "全家长期外出，电话停机" in client.get(f"/evidence/child/{child.public_id}/").content.decode()


@time_machine.travel(NOW, tick=False)
def test_parts_of_every_figure_of_evidence_make_the_whole(county: SmallCounty) -> None:
    township_of_the_report(county)
    Evidence.objects.filter(state="refused").first().delete()
    for area in (county.home, county.a, county.b):
        for key in ("evidence.away", "evidence.away.unproved", "evidence.outside", "evidence.outside.unproved"):
            whole = indicator_of(key)
            parts = sum(indicator_of(part).value(Basis(area, NOW.date()), EVERYTHING) for part in whole.parts)
            assert whole.value(Basis(area, NOW.date()), EVERYTHING) == parts, (key, area)
    assert indicator_of("evidence.away.none").value(Basis(county.a, NOW.date()), EVERYTHING) == 1
