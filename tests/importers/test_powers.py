"""Powers that somebody logged: integrated, with gaps that stay gaps and bounds that hold."""

from __future__ import annotations

import math
import random

import pytest

from sootprint.core.errors import InputError
from sootprint.core.records import Footprint
from sootprint.core.units import J_PER_KWH
from sootprint.importers import powers

START_S = 1.7e9


def series(*looks: tuple[float, float], component: str = "accelerator:0") -> powers.Series:
    """A series of looks, seconds after the start and watts."""
    made = powers.Series(component)
    for at_s, power_w in looks:
        made.add(START_S + at_s, str(power_w))
    return made


def steady(power_w: float, count: int = 361, step_s: float = 10.0) -> list[tuple[float, float]]:
    """Looks at a power that stays the same."""
    return [(index * step_s, power_w) for index in range(count)]


def record(*listed: powers.Series, **told: object) -> Footprint:
    """Record of some series."""
    fields = powers.parts(listed, meter="test", **told)  # type: ignore[arg-type]
    return Footprint(id="00000000-0000-7000-8000-000000000000", **fields)


def test_hour_at_a_kilowatt_is_a_kilowatt_hour() -> None:
    """Four devices at 250 W for 3,600 s: 1 kWh, 10 % each way by the sensors, and its course in minutes."""
    made = record(*(series(*steady(250.0), component=f"accelerator:{index}") for index in range(4)))
    assert made.energy_kwh is not None
    assert made.energy_kwh.value == pytest.approx(1.0)
    assert (made.energy_kwh.low, made.energy_kwh.high) == (pytest.approx(0.9), pytest.approx(1.1))
    assert (made.duration_s, made.started) == (3600.0, "2023-11-14T22:13:20.000Z")
    assert made.device_hours is not None
    assert made.device_hours.value == pytest.approx(4.0)
    assert len(made.intervals) == 4 * 60
    assert math.fsum(one.energy_j for one in made.intervals) == pytest.approx(J_PER_KWH)
    assert made.gaps == ()


def test_gap_is_no_energy() -> None:
    """Ten minutes without looks are a gap with its times; what was before and after is counted."""
    looks = [(at_s, power_w) for at_s, power_w in steady(360.0) if not 600.0 < at_s < 1200.0]
    made = record(series(*looks))
    assert made.energy_kwh is not None
    assert made.energy_kwh.value == pytest.approx(0.36 * 3000.0 / 3600.0)
    (gap,) = made.gaps
    assert (gap.start, gap.end) == ("2023-11-14T22:23:20.000Z", "2023-11-14T22:33:20.000Z")
    assert any("powers cover 83.3 % of the time" in warning for warning in made.warnings)
    assert math.fsum(one.energy_j for one in made.intervals) == pytest.approx(360.0 * 3000.0)


def test_time_of_the_run_without_looks_is_a_gap() -> None:
    """A run that began five minutes before its first look and went on for an hour after its last one."""
    made = record(series(*steady(360.0)), told_s=(START_S - 300.0, START_S + 7200.0))
    assert [gap.end for gap in made.gaps] == ["2023-11-14T22:13:20.000Z", "2023-11-15T00:13:20.000Z"]
    assert made.duration_s == 7500.0


@pytest.mark.parametrize("said", ["-5", "1e6", "inf", "12 W", "-nan"])
def test_power_that_is_none_counts_as_not_logged(said: str) -> None:
    """Its neighbours bridge it, and the record says how many there were."""
    one = series(*steady(100.0, count=7))
    del one.looks[START_S + 30.0]
    one.add(START_S + 30.0, said)
    made = record(one)
    assert made.energy_kwh is not None
    assert made.energy_kwh.value == pytest.approx(100.0 * 60.0 / J_PER_KWH)
    assert any(warning.startswith("1 powers were negative") for warning in made.warnings)


@pytest.mark.parametrize("said", ["", "nan", "NaN", "None", "null"])
def test_power_that_was_not_read_is_neither_bad_nor_zero(said: str) -> None:
    """As tools write it."""
    one = powers.Series("accelerator:0")
    one.add(0.0, said)
    assert (one.looks, one.bad) == ({}, 0)


def test_device_that_tells_nothing_is_not_zero() -> None:
    """A sensor that says 0 W all the time is told and left out; where all do, there is no record."""
    silent = series(*steady(0.0), component="accelerator:1")
    made = record(series(*steady(100.0)), silent)
    assert [part.component for part in made.components] == ["accelerator:0"]
    assert any("accelerator:1: all powers are 0" in warning for warning in made.warnings)
    with pytest.raises(InputError, match="no device has a power above 0"):
        record(silent)
    with pytest.raises(InputError, match="no device"):
        record(series((0.0, 100.0)))


def test_two_dies_with_one_sensor_are_told() -> None:
    """Equal at every look, and not merely steady."""
    looks = [(at_s, 100.0 + at_s % 70.0) for at_s, _ in steady(0.0, count=30)]
    twins = record(series(*looks), series(*looks, component="accelerator:1"))
    assert any("one card" in warning for warning in twins.warnings)
    idle = record(series(*steady(60.0)), series(*steady(60.0), component="accelerator:1"))
    assert not any("one card" in warning for warning in idle.warnings)


def test_long_run_has_a_coarser_course() -> None:
    """Thirty days of eight devices, a look a minute: hours, and the sum stays."""
    looks = steady(100.0, count=30 * 1440, step_s=60.0)
    made = record(*(series(*looks, component=f"accelerator:{index}") for index in range(2)))
    assert len(made.intervals) == 2 * 720
    assert made.energy_kwh is not None
    assert math.fsum(one.energy_j for one in made.intervals) == pytest.approx(
        made.energy_kwh.value * J_PER_KWH, rel=1e-9
    )


@pytest.mark.parametrize(("period_s", "duty"), [(1.37, 0.5), (7.3, 0.8), (23.0, 0.5), (600.0, 0.9)])
def test_bounds_hold_what_lies_between_looks(period_s: float, duty: float) -> None:
    """A load that goes up and down, looked at every 10 s or so: the truth lies in the 90 % interval of the sampling."""
    held, trials = 0, 300
    drawn = random.Random(7)
    for _ in range(trials):
        offset_s, at_s, looks = drawn.uniform(0.0, period_s), 0.0, []
        while at_s < 1800.0:
            looks.append((at_s, 400.0 if (at_s + offset_s) % period_s < duty * period_s else 100.0))
            at_s += 10.0 + drawn.uniform(0.0, 0.4)
        found = powers.spent(looks)
        off_j = 1.645 * math.sqrt(found.variance_j2)
        held += abs(found.energy_j - _true_j(looks[-1][0], offset_s, period_s, duty)) <= off_j
    assert held >= 0.88 * trials


def _true_j(until_s: float, offset_s: float, period_s: float, duty: float) -> float:
    """Energy of the same load, exactly [J]."""

    def high_s(at_s: float) -> float:
        whole, rest = divmod(at_s, period_s)
        return whole * duty * period_s + min(rest, duty * period_s)

    return 100.0 * until_s + 300.0 * (high_s(until_s + offset_s) - high_s(offset_s))
