"""Before the first list: what has to be done, instead of zeros."""

from __future__ import annotations

from tests.small_county import SmallCounty


def test_an_empty_county_is_led_through_its_first_steps(county: SmallCounty) -> None:
    from django.core.cache import cache

    cache.clear()
    html = county.client("county").get("/progress/").content.decode()
    assert "还没有名单，先做这几步" in html
    assert "导入第一份名单" in html
    assert "开通五步" in county.client("county").get("/").content.decode()
