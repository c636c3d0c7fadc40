"""What a slice tells, from its record and its curve."""

from __future__ import annotations

import dataclasses

import pytest

from sootprint import Footprint, estimate
from sootprint.core.errors import InputError
from sootprint.core.quantity import Quantity
from sootprint.core.records import CurvePoint
from sootprint.estimator.tuning.plan import Probe
from sootprint.estimator.tuning.slices import read

J = 1.0 / 3.6e6
NOW = {"batch_size": "32"}


def _probe(**stated: object) -> Probe:
    return Probe(command=("x",), knobs={"batch_size": ("32", "64")}, **stated)  # type: ignore[arg-type]


def _record(points: list[tuple[str, float, float]] = [], energy_j: float = 1000.0) -> Footprint:  # noqa: B006
    made = estimate(power_w=100, hours=1, intensity=100)
    curve = tuple(CurvePoint(metric=name, value=value, energy_kwh=at_j * J) for name, value, at_j in points)
    spent = Quantity(value=energy_j * J, low=0.9 * energy_j * J, high=1.1 * energy_j * J)
    return dataclasses.replace(made, energy_kwh=spent, curve=curve, duration_s=10.0)


def test_start_up_before_the_first_samples_is_left_out() -> None:
    """400 J from 100 to 300 samples are 2 J a sample, whatever the 500 J before were for."""
    inside = _record([("samples", 100, 500.0), ("samples", 300, 900.0)])
    one = read(_probe(), NOW, 0, _record(), [inside])
    assert one.joules_per_sample == pytest.approx(2.0)
    assert (one.low_ratio, one.high_ratio) == pytest.approx((0.9, 1.1))
    assert one.samples_per_s == pytest.approx(30.0)


def test_quality_is_the_gain_of_a_metric_in_its_direction() -> None:
    """A loss that falls by 0.5 for 200 J costs 400 J a unit; without gain there is none."""
    points = [("samples", 10, 100.0), ("samples", 20, 300.0), ("loss", 1.0, 100.0), ("loss", 0.5, 300.0)]
    one = read(_probe(), NOW, 0, _record(), [_record(points)])
    assert (one.metric, one.joules_per_quality) == ("loss", pytest.approx(400.0))
    worse = [*points[:2], ("loss", 1.0, 100.0), ("loss", 1.5, 300.0)]
    assert read(_probe(), NOW, 0, _record(), [_record(worse)]).joules_per_quality is None


def test_target_is_where_the_metric_first_was_as_good() -> None:
    """The energy at the first point that is good enough, and nothing where none is."""
    points = [("samples", 10, 100.0), ("acc", 0.5, 100.0), ("acc", 0.8, 200.0), ("acc", 0.7, 300.0)]
    reached = read(_probe(target=("acc", 0.75)), NOW, 0, _record(), [_record(points)])
    assert reached.joules_to_target == pytest.approx(200.0)
    assert read(_probe(target=("acc", 0.9)), NOW, 0, _record(), [_record(points)]).joules_to_target is None


def test_stated_samples_stand_in_for_logged_ones() -> None:
    """1,000 J for 500 samples, start-up included."""
    assert read(_probe(samples=500.0), NOW, 0, _record(), []).joules_per_sample == pytest.approx(2.0)


def test_slice_without_samples_says_what_to_do() -> None:
    """The line names both ways out."""
    with pytest.raises(InputError, match=r"run\.log.*--samples"):
        read(_probe(), NOW, 0, _record(), [])
