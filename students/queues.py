"""The queues of the comparison workbench: each is an indicator, so that its count is a figure with its rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from eduaid.core.indicators import Basis, Indicator, indicator_of
from eduaid.core.models import Region
from eduaid.core.roles import today
from eduaid.core.scope import Scope
from students.models import MatchDecision, Suggestion
from students.models.comparison import Verdict


@dataclass(frozen=True)
class Queue:
    """`about`: what its rows ask, in one sentence. Rows are children, or pairs of files."""

    key: str
    label: str
    indicator_key: str
    about: str
    is_pairs: bool = False

    @property
    def indicator(self) -> Indicator:
        return indicator_of(self.indicator_key)

    def rows(self, area: Region, scope: Scope) -> QuerySet[Any]:
        """In the order in which they are worked through."""
        rows = self.indicator.queryset(Basis(area, today()), scope).order_by("pk")
        return rows if self.is_pairs else rows.select_related("hukou_town", "school")

    def after(self, area: Region, scope: Scope, pk: int) -> Any:
        """The next row after this one, or None at the end."""
        return self.rows(area, scope).filter(pk__gt=pk).first()


QUEUES: tuple[Queue, ...] = (
    Queue(
        "population-only",
        "仅户籍有",
        "difference.population-only",
        "公安名单里有，学籍、班级名册都没有：在外地读书、没有入学，还是证件号写错了？",
    ),
    Queue(
        "registry-only",
        "仅学籍有",
        "difference.registry-only",
        "学籍里有，公安名单没有：户口在外县没有写明，还是证件号写错了？",
    ),
    Queue(
        "not-in-class",
        "有籍不在校",
        "difference.registry-not-roster",
        "学籍里有，班级名册没有：转走了、辍学了，还是名册漏报？",
    ),
    Queue("roster-only", "仅名册有", "difference.roster-only", "在班上，学籍没有：还没有转学籍，还是证件号写错了？"),
    Queue("contradicted", "信息不一致", "difference.contradicted", "几份名单都写到，但说法不同：以哪一份为准？"),
    Queue("duplicates", "疑似重复", "difference.duplicates", "可能是同一人的两份档案：是同一人，还是两个孩子？", True),
    Queue(
        "poor-not-in-class",
        "脱贫户不在校",
        "difference.poverty-not-in-school",
        "脱贫户、监测对象的适龄孩子，班级名册没有：人在哪里？",
    ),
)
BY_KEY = {queue.key: queue for queue in QUEUES}


def with_hints(queue: Queue, rows: Sequence[Any]) -> dict[int, str]:
    """Row → what is already known of it, in a word: the best suggestion's certainty, or 待核. Two queries."""
    keys = [row.pk for row in rows]
    checks = MatchDecision.objects.standing().filter(verdict=Verdict.CHECK)
    if queue.is_pairs:
        pairs = {frozenset((row.left_id, row.right_id)): row.pk for row in rows}
        asked = {pk for pair in pairs for pk in pair}
        found = checks.filter(student__in=asked, other__in=asked).values_list("student", "other")
        marked = {pairs[pair] for left, right in found if (pair := frozenset((left, right))) in pairs}
        return {row.pk: "待核" if row.pk in marked else "" for row in rows}
    hints = dict.fromkeys(keys, "")
    for suggestion in of_children(keys).order_by("score"):
        for pk in (suggestion.left_id, suggestion.right_id):
            if pk in hints:
                hints[pk] = f"有建议（{suggestion.get_certainty_display()}）"
    hints |= dict.fromkeys(checks.filter(student__in=keys, other=None).values_list("student", flat=True), "待核")
    return hints


def of_children(students: Sequence[int]) -> QuerySet[Suggestion]:
    """Open suggestions, of a second file or of a waiting row, about any of these children."""
    settled = MatchDecision.objects.standing().filter(verdict__in=(Verdict.SAME, Verdict.DIFFERENT))
    pair = Q(student=OuterRef("left"), other=OuterRef("right")) | Q(student=OuterRef("right"), other=OuterRef("left"))
    return (
        Suggestion.objects.found_at_moment()
        .filter(Q(left__in=students) | Q(right__in=students))
        .exclude(Exists(settled.filter(pair)))
    )
