"""A setting wins only beyond the error of its repeats."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sootprint.core.errors import RecordError
from sootprint.estimator.tuning import choose, student
from sootprint.estimator.tuning.slices import Slice
from sootprint.estimator.tuning.state import State


def _slices(energies: dict[str, list[float]]) -> list[Slice]:
    return [
        Slice(
            setting={"batch_size": name},
            round=number,
            joules_per_sample=value,
            low_ratio=0.95,
            high_ratio=1.05,
        )
        for name, values in energies.items()
        for number, value in enumerate(values)
    ]


def test_quantiles_are_those_of_the_tables() -> None:
    """Student's t as printed: 6.314 (1), 2.920 (2), 2.015 (5), 1.812 (10) at 90 % on both sides."""
    printed = {1: 6.314, 2: 2.920, 5: 2.015, 10: 1.812, 30: 1.697}
    assert {df: round(student.quantile(0.90, df), 3) for df in printed} == printed


@given(st.floats(0.01, 30.0), st.integers(1, 60))
@settings(max_examples=50, deadline=None)
def test_probability_and_quantile_are_inverse(t: float, df: int) -> None:
    """The quantile of the probability within a bound is the bound."""
    share = student.within(t, df)
    if share < 1.0 - 1e-9:
        assert student.quantile(share, df) == pytest.approx(t, rel=1e-4)


def test_clear_difference_wins() -> None:
    """Half the energy with a spread of a few percent is an improvement, and its interval holds the half."""
    now, other = choose.outcomes(_slices({"32": [1.0, 1.02, 0.99], "64": [0.5, 0.52, 0.49]}), "sample")
    assert other.better and choose.best([now, other]) == other
    assert other.change.low < -0.5 < other.change.high < 0.0


def test_difference_within_the_error_keeps_the_present_setting() -> None:
    """Five percent less with a spread of ten is nothing."""
    listed = choose.outcomes(_slices({"32": [1.0, 1.1, 0.9], "64": [1.0, 0.9, 0.95]}), "sample")
    assert choose.best(listed) is None


def test_drift_from_round_to_round_is_in_no_difference() -> None:
    """A machine that warms up by 30 % a round hides nothing of a steady 10 %."""
    drift = [1.0, 1.3, 1.7, 2.2]
    listed = choose.outcomes(_slices({"32": drift, "64": [0.9 * one for one in drift]}), "sample")
    assert listed[1].change.value == pytest.approx(-0.1) and listed[1].better


def test_alike_settings_seldom_win_by_chance() -> None:
    """Of 300 tunings of five alike settings, about one in twenty or fewer finds a winner: 90 % on both sides."""
    draw = random.Random(7)
    names = ["a", "b", "c", "d", "e"]
    won = 0
    for _ in range(300):
        made = {name: [math.exp(draw.gauss(0.0, 0.05)) for _ in range(3)] for name in names}
        won += choose.best(choose.outcomes(_slices(made), "sample")) is not None
    assert won <= 0.09 * 300


def test_failed_setting_is_named_and_left_out() -> None:
    """A batch that does not fit the memory fails alone."""
    slices = [
        *_slices({"32": [1.0, 1.0], "64": [0.5, 0.5]}),
        Slice(setting={"batch_size": "4096"}, round=0, failed="exit code 1, 'out of memory'"),
    ]
    listed = choose.outcomes(slices, "sample")
    assert [one.failed for one in listed] == [None, None, "exit code 1, 'out of memory'"]
    assert choose.best(listed).setting == {"batch_size": "64"}


def test_state_survives_a_torn_line(tmp_path) -> None:
    """A line that was being written when the power went is measured again; the others stay."""
    state = State(tmp_path / "t" / "slices.jsonl")
    for one in _slices({"32": [1.0, 2.0]}):
        state.add(one)
    with state.path.open("a", encoding="utf-8") as file:
        file.write('{"setting": {"batch')
    again = State(state.path)
    assert again.all() == state.all()
    assert again.get(1, {"batch_size": "32"}).joules_per_sample == 2.0
    again.add(_slices({"64": [3.0]})[0])
    assert len(State(state.path).all()) == 3


def test_foreign_line_in_the_state_is_refused(tmp_path) -> None:
    """A file that is no state is not overwritten in silence."""
    path = tmp_path / "slices.jsonl"
    path.write_text('{"x": 1}\n', encoding="utf-8")
    with pytest.raises(RecordError, match="--fresh"):
        State(path)
