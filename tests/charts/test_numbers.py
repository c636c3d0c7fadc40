"""The numbers behind the charts: families, power over time, units."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sootprint import Footprint, Quantity
from sootprint.charts import power
from sootprint.charts.course import thinned
from sootprint.charts.families import parts
from sootprint.charts.power import MOST_CELLS, Span, Step
from sootprint.charts.scale import ENERGY, MASS, TIME, fitting
from sootprint.core.records import Component, Gap, Interval

ID = "019c0000-0000-7000-8000-00000000a009"
START = datetime(2026, 1, 1, tzinfo=UTC)


def _at(second: float) -> str:
    return (START + timedelta(seconds=second)).isoformat()


def _footprint(*intervals: tuple[float, float, str, float], **fields: object) -> Footprint:
    listed = tuple(
        Interval(start=_at(a), end=_at(b), component=name, energy_j=j) for a, b, name, j in intervals
    )
    return Footprint(id=ID, started=_at(0), intervals=listed, **fields)


def _component(
    name: str, value: float, *, meter: str = "nvml", basis: str = "sensor", **fields: float
) -> Component:
    energy = Quantity(value=value, low=0.9 * value, high=1.2 * value, basis=basis)
    return Component(component=name, meter=meter, energy_kwh=energy, **fields)


def test_devices_of_one_meter_are_one_part_with_added_bounds() -> None:
    """Two GPUs of 1 and 3 kWh are 4 kWh between 3.6 and 4.8; their mean busy share is that of both."""
    two = (
        _component("accelerator:0", 1.0, idle_kwh=0.1, utilisation=0.5),
        _component("accelerator:1", 3.0, idle_kwh=0.2, utilisation=0.9),
    )
    (part,) = parts(Footprint(id=ID, components=two))
    assert (part.label, part.count) == ("Accelerator × 2", 2)
    assert part.energy_kwh.value == pytest.approx(4.0)
    assert (part.energy_kwh.low, part.energy_kwh.high) == pytest.approx((3.6, 4.8))
    assert (part.idle_kwh, part.utilisation) == pytest.approx((0.3, 0.7))


def test_parts_keep_order_and_do_not_mix_meters() -> None:
    """A modelled and a counted CPU stay apart; the order is that of the machine, unknown families last."""
    mixed = (
        _component("quantum", 1.0),
        _component("node", 1.0, meter="node", basis="modelled"),
        _component("cpu:0", 1.0, meter="rapl"),
        _component("cpu", 1.0, meter="cpu", basis="modelled"),
        _component("accelerator:0", 1.0),
    )
    found = parts(Footprint(id=ID, components=mixed))
    assert [(part.family, part.meter) for part in found] == [
        ("accelerator", "nvml"), ("cpu", "cpu"), ("cpu", "rapl"), ("node", "node"), ("quantum", "nvml"),
    ]  # fmt: skip
    assert [part.measured for part in found] == [True, False, True, False, True]


def test_one_unknown_makes_the_sum_unknown() -> None:
    """Idle energy that one of two devices does not tell is not known for both."""
    two = (_component("cpu:0", 1.0, idle_kwh=0.1), _component("cpu:1", 1.0))
    (part,) = parts(Footprint(id=ID, components=two))
    assert part.idle_kwh is None


def test_power_is_energy_over_time_and_families_are_stacked() -> None:
    """600 J and 300 J in a minute are 10 W and, on top of them, 5 W."""
    found = power.steps(_footprint((0, 60, "cpu", 300.0), (0, 60, "accelerator:0", 600.0)))
    assert found == [
        Step("accelerator", 0, 0.0, 0.0, 10.0),
        Step("cpu", 0, 0.0, 10.0, 15.0),
        Step("accelerator", 0, 60.0, 0.0, 10.0),
        Step("cpu", 0, 60.0, 10.0, 15.0),
    ]


def test_devices_of_a_family_are_added() -> None:
    """Two GPUs of 10 W and 20 W draw 30 W."""
    found = power.steps(_footprint((0, 60, "accelerator:0", 600.0), (0, 60, "accelerator:1", 1200.0)))
    assert [step.high_w for step in found] == [30.0, 30.0]


def test_time_without_intervals_is_a_hole_not_zero() -> None:
    """Between two segments there is no step at 0 W."""
    found = power.steps(_footprint((0, 60, "cpu", 600.0), (120, 180, "cpu", 600.0)))
    assert [(step.segment, step.start_s) for step in found] == [(0, 0.0), (0, 60.0), (1, 120.0), (1, 180.0)]
    assert all(step.high_w == 10.0 for step in found)


def test_intervals_that_are_none_are_left_out() -> None:
    """A text that is no instant, and an interval that does not advance, draw nothing."""
    bad = (
        Interval(start="soon", end=_at(60), component="cpu", energy_j=1.0),
        Interval(start=_at(60), end=_at(60), component="cpu", energy_j=1.0),
    )
    assert power.steps(Footprint(id=ID, started=_at(0), intervals=bad)) == []


@given(st.lists(st.floats(0.0, 1e6), min_size=1, max_size=1500))
def test_drawn_energy_is_the_recorded_energy(energies_j: list[float]) -> None:
    """However many intervals there are, the area under the steps is their energy, and the steps are few."""
    found = power.steps(_footprint(*((i, i + 1.0, "cpu", j) for i, j in enumerate(energies_j))))
    area_j = sum(step.high_w * (after.start_s - step.start_s) for step, after in itertools.pairwise(found))
    assert area_j == pytest.approx(sum(energies_j), rel=1e-6, abs=1e-6)
    assert len(found) <= MOST_CELLS + 1


def test_touching_gaps_are_one() -> None:
    """Gaps of two components that overlap are one shaded time."""
    listed = [("cpu", 10, 20), ("accelerator:0", 15, 30), ("cpu", 50, 60)]
    gaps = tuple(Gap(component=name, start=_at(a), end=_at(b), reason="x") for name, a, b in listed)
    assert power.gaps(Footprint(id=ID, started=_at(0), gaps=gaps)) == [Span(10.0, 30.0), Span(50.0, 60.0)]


@pytest.mark.parametrize(
    ("units", "amount", "name"),
    [
        (ENERGY, 2e6, "GWh"), (ENERGY, 1.0, "kWh"), (ENERGY, 0.999, "Wh"), (ENERGY, 1e-5, "Wh"),
        (ENERGY, 9e-6, "J"), (ENERGY, 0.0, "kWh"),
        (MASS, 1500.0, "t"), (MASS, 0.5, "g"), (MASS, 1e-5, "g"), (MASS, 9e-6, "mg"), (MASS, 1e-9, "µg"),
        (TIME, 100.0, "s"), (TIME, 3600.0, "min"), (TIME, 36000.0, "h"), (TIME, 1e6, "d"),
    ],
)  # fmt: skip
def test_unit_fits_the_amount(units, amount: float, name: str) -> None:
    """Small amounts are told in small units, and nothing in the base unit."""
    assert fitting(units, amount).name == name


def test_units_convert_to_the_base_unit() -> None:
    """1 J is 1/3,600,000 kWh; 1 g is a thousandth of a kilogram."""
    sizes = {unit.name: unit.size for unit in (*ENERGY, *MASS)}
    assert sizes["J"] * 3.6e6 == pytest.approx(1.0)
    assert (sizes["Wh"], sizes["g"], sizes["t"]) == pytest.approx((0.001, 0.001, 1000.0))


@given(st.lists(st.integers(), max_size=300), st.integers(1, 50))
def test_thinned_points_end_with_the_last(items: list[int], most: int) -> None:
    """A thinned line has at most the wanted points, in order, and its last one."""
    kept = thinned(items, most)
    assert len(kept) <= most
    assert kept[-1:] == items[-1:]
