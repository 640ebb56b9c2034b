"""Whatever the columns' order and spelling: planted errors are caught, and no wrong value is ever stored."""

from __future__ import annotations

from random import Random

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.bad_inputs import planting
from tests.small_county import SmallCounty


@settings(
    max_examples=16,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    kind=st.sampled_from(planting.KINDS),
    seed=st.integers(0, 2**32 - 1),
    rows=st.integers(1, 80),
    share=st.sampled_from([0.0, 0.2, 0.5, 1.0]),
)
@example(kind="class-roster", seed=1, rows=120, share=0.5)
@example(kind="registry", seed=2, rows=120, share=0.5)
@example(kind="population", seed=3, rows=120, share=0.5)
@example(kind="poverty-register", seed=4, rows=120, share=0.5)
@example(kind="hardship", seed=5, rows=120, share=0.5)
def test_planted_errors_are_caught_and_no_wrong_value_is_stored(
    county: SmallCounty, kind: str, seed: int, rows: int, share: float
) -> None:
    score = planting.Score()
    planting.send(county, planting.make(Random(seed), county, kind=kind, rows=rows, share=share), score)
    assert score.wrong == []
    assert {
        name: score.planted[name] - score.caught[name]
        for name in score.planted
        if score.planted[name] > score.caught[name]
    } == {}
    assert {
        name: score.spelt[name] - score.read[name] for name in score.spelt if score.spelt[name] > score.read[name]
    } == {}
    # A real number may end in three zeros, and looks like a rounded one: the one question that clean rows are asked.
    assert set(score.alarms) <= {"id_number:id-zeros"}
