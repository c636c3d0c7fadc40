"""A record whose interval energies are multiplied with the intensity of its own hours."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sootprint.core import regrid
from sootprint.core.errors import RecordError
from sootprint.core.protocols import Intensity
from sootprint.core.quantity import Factor, Quantity
from sootprint.core.records import Interval
from tests.fixtures.job_records import NOON, at, node_record

HOUR = timedelta(hours=1)
AVERAGE = "average, life-cycle, location-based"


def step(start_h, g, *, hours=1.0, forecast=False, method=AVERAGE):
    """Intensity of some hours after noon, a tenth either way."""
    start = NOON + start_h * HOUR
    factor = Factor(
        kind="intensity",
        key="FR",
        value=g,
        low=0.9 * g,
        high=1.1 * g,
        unit="gCO2e/kWh",
        method=method,
        source="S",
    )
    return Intensity(zone="FR", start=start, end=start + hours * HOUR, factor=factor, forecast=forecast)


def record(*energies, hours=1.0):
    """Record with one interval an hour, of energies in kWh, at a PUE of 1.25 +- 0."""
    intervals = tuple(
        Interval(
            start=at(3600 * hours * n), end=at(3600 * hours * (n + 1)), component="cpu", energy_j=3.6e6 * kwh
        )
        for n, kwh in enumerate(energies)
    )
    total = sum(energies)
    pue = Quantity(value=1.25, low=1.25, high=1.25)
    return dataclasses.replace(
        node_record(1), intervals=intervals, energy_kwh=Quantity(value=total, low=total, high=total), pue=pue
    )


def test_energy_counts_with_the_intensity_of_its_hour():
    """3 kWh at 100 g and 1 kWh at 300 g, times 1.25, are 0.75 kg, not the 1 kg of the plain mean."""
    made = regrid.with_hours(record(3.0, 1.0), [step(0, 100.0), step(1, 300.0)])
    assert made.intensity_g_per_kwh.value == pytest.approx(150.0)
    assert made.emissions_kg.value == pytest.approx(0.75)
    assert (made.intensity_g_per_kwh.low, made.intensity_g_per_kwh.high) == pytest.approx((135.0, 165.0))
    assert made.energy_kwh == record(3.0, 1.0).energy_kwh


def test_factor_names_source_method_span_and_step():
    """One factor stands for all steps; no step of a provider is in the record."""
    made = regrid.with_hours(record(3.0, 1.0), [step(0, 100.0), step(1, 300.0)])
    (factor,) = [one for one in made.factors if one.kind == "intensity"]
    assert factor.value == pytest.approx(150.0)
    assert factor.period == "2026-01-01T12:00Z/2026-01-01T14:00Z"
    assert (factor.method, factor.source) == (AVERAGE, "S, steps of 60 min weighted with the run's energy")
    assert regrid.has_hours(made)
    assert not regrid.has_hours(record(1.0))


def test_interval_over_two_steps_is_cut_by_time():
    """Of an hour and a half over steps of 100 and 400 g two thirds count at 100."""
    made = regrid.with_hours(record(4.0, hours=1.5), [step(0, 100.0), step(1, 400.0)])
    assert made.intensity_g_per_kwh.value == pytest.approx(200.0)


def test_gap_counts_at_the_mean_widens_and_is_said():
    """A quarter of the energy without a figure: mean of the rest, bounds out to the least and the greatest step."""
    made = regrid.with_hours(record(2.0, 1.0, 1.0), [step(0, 100.0), step(2, 400.0)])
    found = made.intensity_g_per_kwh
    assert found.value == pytest.approx(200.0)
    assert found.low == pytest.approx(0.75 * 180.0 + 0.25 * 90.0)
    assert found.high == pytest.approx(0.75 * 220.0 + 0.25 * 440.0)
    assert any("25% of the energy is in times for which S" in text for text in made.warnings)


def test_forecast_is_said_and_goes_when_it_is_read_again():
    """A provisional hour warns; the next reading removes that warning."""
    first = regrid.with_hours(record(1.0, 3.0), [step(0, 100.0), step(1, 300.0, forecast=True)])
    assert any("75% of the energy counts at a forecast" in text for text in first.warnings)
    assert regrid.is_provisional(first)
    again = regrid.with_hours(first, [step(0, 100.0), step(1, 320.0)])
    assert not regrid.is_provisional(again)
    assert [one.kind for one in again.factors].count("intensity") == 1


def test_run_without_energy_counts_the_plain_mean():
    """Where nothing was drawn the steps count by their length."""
    made = regrid.with_hours(record(0.0, 0.0), [step(0, 100.0), step(1, 300.0)])
    assert made.intensity_g_per_kwh.value == pytest.approx(200.0)
    assert made.emissions_kg.value == 0.0


@pytest.mark.parametrize(
    ("one", "steps", "words"),
    [
        (dataclasses.replace(record(1.0), intervals=()), [step(0, 1.0)], "was not measured"),
        (record(1.0), [step(0, 1.0), step(1, 1.0, method="average, direct, location-based")], "2 methods"),
        (record(1.0), [], "0 methods"),
    ],
)
def test_what_cannot_be_weighted_is_one_line(one, steps, words):
    """Estimates, mixed methods and nothing at all are refused."""
    with pytest.raises(RecordError, match=words):
        regrid.with_hours(one, steps)


@settings(max_examples=40, deadline=None)
@given(
    energies=st.lists(st.floats(0.0, 50.0), min_size=1, max_size=8),
    values=st.lists(st.floats(1.0, 900.0), min_size=8, max_size=8),
)
def test_sum_over_hours_is_the_emissions(energies, values):
    """Energy times PUE times intensity, hour by hour, is what the record says."""
    made = regrid.with_hours(record(*energies), [step(n, g) for n, g in enumerate(values)])
    expected_kg = sum(kwh * g * 1.25 / 1000.0 for kwh, g in zip(energies, values, strict=False))
    assert made.emissions_kg.value == pytest.approx(expected_kg, rel=1e-9, abs=1e-12)
