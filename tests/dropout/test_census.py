"""Census rounds: who is in one, what lists say of each child, what people decide, and what the database refuses."""

from __future__ import annotations

from dropout.models import CensusRound, Whereabouts
from tests.small_county import SmallCounty


def test_opening_a_round_puts_every_child_of_the_window_in_it_with_what_the_lists_say(
    lists: SmallCounty, opened: CensusRound
) -> None:
    said = {
        w.student.name: (w.code, w.place, w.proof, w.where_school.name if w.where_school else "", w.basis)
        for w in Whereabouts.objects.filter(round=opened).select_related("student", "where_school")
    }
    assert said == {
        "李小雨": ("A1", "T", "registry", "水口镇蔡朱小学", said["李小雨"][4]),
        "王伟": ("", "", "", "", "2026-09-10学籍：水口镇蔡朱小学，但该校班级名册里没有"),
        "赵强": ("", "", "", "", "生效的学籍、班级名册里都没有这个孩子。"),
        "孙丽": ("A2", "C", "", "石洲乡中心小学", "2026-09-10班级名册：石洲乡中心小学"),
        "钱多": ("A1", "T", "registry", "水口镇初级中学", "2026-09-10学籍：水口镇初级中学（该校还没有生效的班级名册）"),
        "周杰": ("A1", "T", "", "石洲乡中心小学", "2026-09-10班级名册：石洲乡中心小学"),
    }
    assert said["李小雨"][4] == "2026-09-10班级名册：水口镇蔡朱小学；2026-09-10学籍：水口镇蔡朱小学"
