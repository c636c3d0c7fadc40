"""Comparisons worked by hand: intervals, targets, quality, grouping, and methods that may not be ranked."""

from __future__ import annotations

import itertools
import math
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sootprint import Footprint, InputError, Quantity, estimate
from sootprint.core.ids import uuid7
from sootprint.core.quantity import Factor
from sootprint.core.records import Component, CurvePoint, Interval, Result
from sootprint.estimator.compare import Side, differences, grouped, quality, reached, target_of
from sootprint.estimator.compare.quality import lower_is_better
from sootprint.estimator.compare.targets import Target, check

FRANCE = Factor(
    kind="intensity", key="FR", value=50.0, low=40.0, high=62.5, method="average, life-cycle, location-based"
)
OREGON = Factor(
    kind="intensity",
    key="US-OR",
    value=165.0,
    low=150.0,
    high=180.0,
    method="average, direct, location-based",
)
_count = iter(range(10_000))


def _run(energy_kwh: float, *, wide: float = 1.02, factor: Factor | None = FRANCE, **more: Any) -> Footprint:
    """A measured run in France, whose energy is known within a factor."""
    energy = Quantity(value=energy_kwh, low=energy_kwh / wide, high=energy_kwh * wide, basis="sensor")
    grid = math.hypot(math.log(wide), math.log(1.25))
    emissions = energy_kwh * 0.05
    bounds = {"low": emissions * math.exp(-grid), "high": emissions * math.exp(grid)}
    given = {
        "id": uuid7(time.time() + next(_count)),
        "grade": "B",
        "energy_kwh": energy,
        "emissions_kg": Quantity(value=emissions, **bounds),
        "duration_s": 3600.0,
        "factors": (factor,) if factor else (),
    }
    return Footprint(**{**given, **more})


def _side(label: str, *runs: Footprint) -> Side:
    return Side(label=label, runs=runs)


def _by_name(first: Side, second: Side, **more: Any) -> dict[str, Any]:
    return {one.of: one for one in differences(first, second, **more)}


def test_difference_within_the_intervals_is_no_measurable_difference() -> None:
    """3 % less, each known within 2 %, straddles zero: ln 1.02 x sqrt 2 is 2.8 % to either side of 3 %."""
    found = _by_name(_side("a", _run(100.0)), _side("b", _run(98.0)))["energy_kwh"]
    assert found.verdict == "no measurable difference"
    assert found.ratio.high == pytest.approx(0.98 * math.exp(math.sqrt(2) * math.log(1.02)))
    assert _by_name(_side("a", _run(100.0)), _side("b", _run(90.0)))["energy_kwh"].verdict == "less"


def test_known_zero_is_shown_and_is_not_unknown() -> None:
    """A run on a grid of 0 g/kWh emitted 0 kg, which is known: only the ratio is not."""
    clean = _run(100.0, emissions_kg=Quantity(value=0.0, low=0.0, high=0.0))
    found = _by_name(_side("wind", clean), _side("b", _run(90.0)))["emissions_kg"]
    assert (found.a, found.b) == (0.0, pytest.approx(4.5))
    assert (found.ratio, found.verdict) == (None, "not known")
    assert found.why == "there is no ratio with the 0 of wind"
    unknown = _by_name(_side("wind", clean), _side("b", _run(90.0, emissions_kg=None)))["emissions_kg"]
    assert (unknown.a, unknown.b, unknown.why) == (0.0, None, "not known of b")


def _paid(value: float, currency: str | None) -> Footprint:
    price = Factor(kind="price", key="tariff", value=0.1, unit=f"{currency}/kWh")
    return _run(
        100.0, cost=Quantity(value=value, low=value, high=value), factors=(price,) if currency else ()
    )


@pytest.mark.parametrize(
    ("first", "second", "verdict", "said"),
    [
        ("EUR", "EUR", "less", "one run on a side"),
        ("EUR", "USD", "refused", "in EUR and USD: compare energy"),
        ("EUR", None, "refused", "in EUR and a currency that is not stated"),
        (None, None, "refused", "in a currency that is not stated"),
    ],
)
def test_costs_are_compared_in_one_currency_only(
    first: str | None, second: str | None, verdict: str, said: str
) -> None:
    """12 EUR and 10 USD are of no ratio, and of a bare number nobody knows what it counts."""
    found = _by_name(_side("a", _paid(12.0, first)), _side("b", _paid(10.0, second)))["cost"]
    assert (found.verdict, found.ratio is None) == (verdict, verdict == "refused")
    assert said in found.why


def test_shared_grid_cancels() -> None:
    """The grid is uncertain by 25 %, and two runs on it still differ by their energies."""
    found = _by_name(_side("a", _run(100.0)), _side("b", _run(80.0)))
    assert found["emissions_kg"].verdict == "less"
    assert found["emissions_kg"].ratio.high == pytest.approx(found["energy_kwh"].ratio.high)


def test_prior_of_jobs_of_two_sizes_cancels() -> None:
    """Twice the hours on one device are more, though the share of its rated power is another for a larger job."""
    made = [estimate(hardware="A100", hours=hours, work="vision", intensity=100.0) for hours in (24, 48)]
    found = _by_name(*(_side(name, one) for name, one in zip("ab", made, strict=True)))["energy_kwh"]
    assert found.verdict == "more"


def test_intensities_of_different_method_are_not_ranked() -> None:
    """Life-cycle beside direct, or beside an unstated method: energy only."""
    for factor in (OREGON, None):
        found = _by_name(_side("a", _run(100.0)), _side("b", _run(50.0, factor=factor)))
        assert found["emissions_kg"].verdict == "refused"
        assert "method" in found["emissions_kg"].why
        assert found["energy_kwh"].verdict == "less"


def test_seeds_bring_chance_into_the_interval() -> None:
    """Three seeds that scatter by 10 % hide a difference of 5 %, which single runs would have shown."""
    first = _side("a", *(_run(energy, wide=1.001) for energy in (90.0, 100.0, 110.0)))
    second = _side("b", *(_run(energy, wide=1.001) for energy in (85.5, 95.0, 104.5)))
    found = _by_name(first, second)["energy_kwh"]
    assert found.verdict == "no measurable difference"
    assert found.why == ""
    single = _by_name(_side("a", _run(100.0, wide=1.001)), _side("b", _run(95.0, wide=1.001)))["energy_kwh"]
    assert single.verdict == "less"
    assert "by chance" in single.why


def test_estimates_of_one_device_share_their_priors() -> None:
    """Twice the hours of the same device are twice the energy, whatever its power is; another device's is not."""
    short, long = (estimate(hardware="A100", hours=hours, zone="FR") for hours in (10, 20))
    found = _by_name(_side("a", short), _side("b", long))["emissions_kg"]
    assert (found.ratio.value, found.verdict) == (pytest.approx(2.0), "more")
    assert found.ratio.low == pytest.approx(2.0)
    other = estimate(hardware="V100", hours=12, zone="FR")
    assert _by_name(_side("a", short), _side("b", other))["energy_kwh"].verdict == "no measurable difference"


def _modelled(cpu_kwh: float, dram_kwh: float) -> Footprint:
    """A run followed on one machine, of which no sensor was read."""
    rated = Factor(kind="rated_power", key="thread", value=3.5, low=1.75, high=7.0)
    per_gb = Factor(kind="memory_power", key="host", value=0.2, low=0.1, high=0.4)
    given = {"cpu": (cpu_kwh, 2.5), "dram": (dram_kwh, 2.0)}
    parts = tuple(
        Component(
            component=name,
            meter=name,
            energy_kwh=Quantity(value=kwh, low=kwh / wide, high=kwh * wide, basis="modelled"),
        )
        for name, (kwh, wide) in given.items()
    )
    return _run(
        cpu_kwh + dram_kwh, wide=1.9, grade="D", node="n", components=parts, factors=(FRANCE, rated, per_gb)
    )


def test_modelled_runs_of_one_machine_differ_by_what_each_component_leaves_open() -> None:
    """The factors cancel; what the processor's factor does not explain, ln 2.5 less ln 2, counts by its share."""
    found = _by_name(_side("a", _modelled(3.0, 1.0)), _side("b", _modelled(9.0, 3.0)))
    own = math.sqrt(2) * 0.75 * math.sqrt(math.log(2.5) ** 2 - math.log(2.0) ** 2)
    assert found["energy_kwh"].ratio.high == pytest.approx(3.0 * math.exp(own))
    assert found["energy_kwh"].verdict == found["emissions_kg"].verdict == "more"
    other = _side("b", _modelled(3.5, 1.0))
    assert (
        _by_name(_side("a", _modelled(3.0, 1.0)), other)["energy_kwh"].verdict == "no measurable difference"
    )


def _curved(values: list[float], **more: Any) -> Footprint:
    points = tuple(
        CurvePoint(energy_kwh=10.0 * (step + 1), metric="accuracy", value=value)
        for step, value in enumerate(values)
    )
    return _run(10.0 * len(values), curve=points, **more)


def test_target_is_reached_at_the_first_logged_point_and_never_beyond_the_curve() -> None:
    """0.97 is first seen at 30 kWh; a curve that ends at 0.96 does not reach it."""
    target = target_of("accuracy=0.97")
    found = reached(_curved([0.8, 0.95, 0.98, 0.99]), target)
    assert (found.low_kwh, found.energy_kwh, found.whole_kwh) == (20.0, 30.0, 40.0)
    assert reached(_curved([0.8, 0.9, 0.96]), target) is None
    made = _by_name(
        _side("a", _curved([0.8, 0.95, 0.98, 0.99])), _side("b", _curved([0.8, 0.9, 0.96])), target=target
    )
    one = made["energy_kwh_to_target"]
    assert (one.a, one.b, one.verdict) == (pytest.approx(30.0), None, "not known")
    assert one.why == "target not reached by b"
    assert made["emissions_kg_to_target"].a == pytest.approx(1.5)


def test_time_to_a_target_is_read_from_the_intervals() -> None:
    """30 of 40 kWh, spent evenly over four minutes, are three minutes."""
    stamps = [f"2026-01-01T00:0{minute}:00.000Z" for minute in range(5)]
    intervals = tuple(
        Interval(start=start, end=end, component="accelerator:0", energy_j=10.0 * 3.6e6)
        for start, end in itertools.pairwise(stamps)
    )
    runs = [
        _curved([0.8, 0.95, 0.98, 0.99], intervals=intervals, started=stamps[0], duration_s=240.0)
        for _ in range(2)
    ]
    found = _by_name(_side("a", runs[0]), _side("b", runs[1]), target=Target("accuracy", 0.97))[
        "duration_s_to_target"
    ]
    assert (found.a, found.b) == (180.0, 180.0)


@pytest.mark.parametrize(("started", "took_s"), [("2026-01-01T00:00:00", 180.0), ("yesterday", None)])
def test_time_to_a_target_of_a_record_of_others(started: str, took_s: float | None) -> None:
    """A start without a zone is in UTC, as everywhere; one that is none tells no time."""
    whole = Interval(
        start="2026-01-01T00:00:00Z", end="2026-01-01T00:03:00Z", component="cpu", energy_j=1.08e8
    )
    run = _curved([0.8, 0.95, 0.98], intervals=(whole,), started=started, duration_s=180.0)
    found = _by_name(_side("a", run), _side("b", run), target=Target("accuracy", 0.97))
    assert found["duration_s_to_target"].a == took_s


def test_falling_metric_is_reached_from_above() -> None:
    """A loss target is reached where the loss is at most that."""
    points = tuple(CurvePoint(energy_kwh=one, metric="val_loss", value=3.0 / one) for one in (1.0, 2.0, 3.0))
    assert reached(_run(3.0, curve=points), Target("val_loss", 1.5)).energy_kwh == 2.0


def _scored(**results: float) -> Footprint:
    kinds = {"shift": "robustness", "parity_gap": "fairness"}
    made = tuple(
        Result(metric=name, value=value, kind=kinds.get(name, "quality")) for name, value in results.items()
    )
    return _run(10.0, results=made)


@pytest.mark.parametrize(
    ("a", "b", "equal", "words"),
    [
        ({"accuracy": 0.9}, {"accuracy": 0.9}, True, "robustness and fairness were not measured"),
        ({"accuracy": 0.9}, {"accuracy": 0.91}, True, "better in accuracy"),
        ({"accuracy": 0.9}, {"accuracy": 0.89}, False, "quality fell: accuracy from 0.9 to 0.89"),
        ({"accuracy": 0.9, "shift": 0.7}, {"accuracy": 0.9, "shift": 0.6}, False, "robustness fell"),
        ({"accuracy": 0.9, "parity_gap": 0.1}, {"accuracy": 0.9, "parity_gap": 0.2}, False, "fairness fell"),
        ({"accuracy": 0.9, "shift": 0.7}, {"accuracy": 0.9}, False, "measured on one side only: robustness"),
        ({}, {"accuracy": 0.9}, False, "one side only"),
        ({}, {}, False, "no result is recorded"),
        ({"perplexity": 12.0}, {"perplexity": 11.0}, True, "better in perplexity"),
    ],
)
def test_equal_quality_is_said_only_where_nothing_fell(a: dict, b: dict, equal: bool, words: str) -> None:
    """Robustness and fairness count as much as the metric."""
    made = quality(_side("a", _scored(**a)), _side("b", _scored(**b)))
    assert made.equal is equal
    assert words in made.verdict


def test_quality_of_seeds_is_compared_with_its_interval() -> None:
    """0.90 +- 0.01 beside 0.895 +- 0.01 over three seeds is no fall."""
    first = _side("a", *(_scored(accuracy=value) for value in (0.89, 0.90, 0.91)))
    second = _side("b", *(_scored(accuracy=value) for value in (0.885, 0.895, 0.905)))
    assert quality(first, second).equal


def test_direction_of_a_metric_is_in_its_name() -> None:
    """Losses and gaps fall, scores rise."""
    assert [lower_is_better(name) for name in ("val_loss", "accuracy", "wer")] == [True, False, True]


def test_runs_are_grouped_by_name_or_tag() -> None:
    """Seeds of one name are one side, in the order of the first."""
    runs = [("r1", _run(1.0, name="a", tags={"v": "x"})), ("r2", _run(2.0, name="b", tags={"v": "y"}))]
    runs += [("r3", _run(3.0, name="a", tags={"v": "y"}))]
    assert [(side.label, len(side.runs)) for side in grouped(runs)] == [("a", 2), ("b", 1)]
    assert [(side.label, len(side.runs)) for side in grouped(runs, by="tag:v")] == [("x", 1), ("y", 2)]


@pytest.mark.parametrize(
    ("by", "words"), [("tag:w", "has no tag 'w'"), ("colour", "by is 'colour'"), ("tag:v", "one side only")]
)
def test_grouping_that_cannot_be_is_refused(by: str, words: str) -> None:
    """The line says what to do."""
    runs = [("r1", _run(1.0, name="a", tags={"v": "x"})), ("r2", _run(2.0, name="b", tags={"v": "x"}))]
    with pytest.raises(InputError, match=words):
        grouped(runs, by=by)


def test_run_twice_and_target_never_logged_are_refused() -> None:
    """A run is not compared with itself, nor by a metric that no run has."""
    run = _curved([0.5])
    with pytest.raises(InputError, match="given twice"):
        grouped([("x", run), ("x", run)])
    with pytest.raises(InputError, match="logged are accuracy"):
        check(Target("bleu", 30.0), [run])
    for text in ("accuracy", "accuracy=high", "=1", "a=nan"):
        with pytest.raises(InputError, match="METRIC=VALUE"):
            target_of(text)


@given(st.floats(min_value=0.01, max_value=1e6), st.floats(min_value=0.01, max_value=1e6))
def test_swapped_sides_give_the_inverse(one: float, other: float) -> None:
    """B over A is 1 over A over B, with the interval turned round and the verdict with it."""
    there = _by_name(_side("a", _run(one)), _side("b", _run(other)))["energy_kwh"]
    back = _by_name(_side("b", _run(other)), _side("a", _run(one)))["energy_kwh"]
    assert there.ratio.value == pytest.approx(1.0 / back.ratio.value)
    assert there.ratio.low == pytest.approx(1.0 / back.ratio.high)
    opposite = {"less": "more", "more": "less"}
    assert back.verdict == opposite.get(there.verdict, there.verdict)
