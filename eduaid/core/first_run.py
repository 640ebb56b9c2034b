"""The five steps from an empty installation to the first list; shown until all are done."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection
from django.urls import reverse


@dataclass(frozen=True)
class Step:
    text: str
    url: str
    done: bool


# Villages are wanted, but a county without them works; one post of the business family makes the third wheel turn.
_DONE = """
    SELECT EXISTS (SELECT 1 FROM core_region WHERE level = 'township'),
        EXISTS (SELECT 1 FROM core_school WHERE NOT is_outside),
        EXISTS (SELECT 1 FROM core_term),
        EXISTS (SELECT 1 FROM core_post WHERE duty = 'business'),
        EXISTS (SELECT 1 FROM core_listslice WHERE applied_at IS NOT NULL)
"""


def steps() -> list[Step]:
    """In the order in which they can be taken. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_DONE)
        done = cursor.fetchone()
    return [
        Step("登记乡镇和村", reverse("setup-regions"), done[0]),
        Step("登记学校和标识码", reverse("setup-schools"), done[1]),
        Step("设学年和学期", reverse("setup-calendar"), done[2]),
        Step("建立账号和岗位", reverse("setup-users"), done[3]),
        Step("导入第一份名单", reverse("imports"), done[4]),
    ]
