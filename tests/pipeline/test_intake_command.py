"""`manage.py intake` on a second list: whoever is missing is noted as the command line says."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from eduaid.core.models import Departure, Upload
from tests.core.test_pages_imports import LI, WANG, roster
from tests.small_county import SmallCounty


def intake(path: Path, **options: Any) -> dict[str, Any]:
    out = io.StringIO()
    call_command(
        "intake", str(path), kind="class-roster", scope="990121001", by="town-a", approve_by="leader", wait=30, as_json=True,
        stdout=out, **options,
    )  # fmt: skip
    answer: dict[str, Any] = json.loads(out.getvalue())
    return answer


@pytest.fixture
def first(county: SmallCounty) -> Upload:
    """In force before the worker starts."""
    return county.bring("class-roster", [LI, WANG], place="a", by="town-a")


@pytest.fixture
def second(first: Upload, worker: object, tmp_path: Path) -> Path:
    """A list without a child that the one in force names."""
    path = tmp_path / "新名册.xlsx"
    path.write_bytes(roster([LI]))
    return path


def test_whoever_is_missing_is_not_known_yet_and_the_answer_says_so(second: Path) -> None:
    answer = intake(second)
    assert (answer["state"], answer["counts"]["missing"]) == ("in-force", 1)
    assert answer["missing_as"] == {"code": "Z", "label": "待核", "rows": 1}
    assert Departure.objects.get(upload=answer["upload"]).code == "Z"


def test_another_whereabouts_may_be_named(second: Path) -> None:
    answer = intake(second, missing="A4")
    assert answer["missing_as"] == {"code": "A4", "label": "省外就读(有学籍)", "rows": 1}
    assert Departure.objects.get(upload=answer["upload"]).code == "A4"


def test_a_whereabouts_that_the_kind_does_not_know_is_refused_before_anything_is_sent(second: Path) -> None:
    with pytest.raises(CommandError, match="没有去向“X1”。可用的有：G1 小学毕业"):
        intake(second, missing="X1")
    assert Upload.objects.count() == 1
