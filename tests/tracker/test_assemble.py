"""The footprint of known sums, worked by hand."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest

from sootprint.core.quantity import Factor
from sootprint.core.records import Place
from sootprint.tracker.assemble import InForce, Surroundings, footprint
from sootprint.tracker.fold import Fold
from sootprint.tracker.quantities import fill_j
from tests.tracker.conftest import head

LOSS = {"kind": "loss_share", "key": "node", "value": 0.1, "low": 0.05, "high": 0.2, "source": "test"}


def year(number: int, value: float) -> InForce:
    """Intensity of a year, known to 20 %."""
    factor = Factor(
        kind="intensity", key="FR", value=value, low=0.8 * value, high=1.2 * value, unit="gCO2e/kWh"
    )
    start, end = (datetime(one, 1, 1, tzinfo=UTC).timestamp() for one in (number, number + 1))
    return InForce(factor, start, end)


def component(
    index: int, meter: str, name: str, *, power_w: float, duration_s: float, **more: object
) -> list[dict]:
    """Lines of a component that draws a constant power, read at the start and the end."""
    basis = more.pop("basis", "sensor")
    return [
        {"k": "comp", "c": {"meter": meter, "component": name, "basis": basis, **more}},
        {"k": "tick", "s": 0.0, "r": [[index, 0.0, 0.0, None, None, 0.0]]},
        {"k": "tick", "s": duration_s, "r": [[index, duration_s, power_w * duration_s, None, 0.5, 0.0]]},
    ]


def folded(*lines: dict, **more: object) -> Fold:
    """Sums of a head and lines."""
    fold = Fold()
    for line in (head(**more), *lines):
        fold.apply(line)
    return fold


def around(*intensities: InForce, pue: Factor | None = None) -> Surroundings:
    """Surroundings in France."""
    return Surroundings(place=Place(zone="FR"), pue=pue, intensities=intensities)


def test_emissions_are_energy_times_pue_times_intensity():
    """300 W for an hour at PUE 1.2 and 500 g/kWh are 0.3 kWh and 0.18 kg."""
    fold = folded(*component(0, "nvml", "accelerator:0", power_w=300.0, duration_s=3600.0))
    made = footprint(
        fold, around(year(2026, 500.0), pue=Factor(kind="pue", key="x", value=1.2, low=1.2, high=1.2))
    )
    assert made.energy_kwh.value == pytest.approx(0.3)
    assert made.emissions_kg.value == pytest.approx(0.18)
    assert made.emissions_kg.low == pytest.approx(0.18 * 0.8)
    assert made.emissions_kg.high == pytest.approx(0.18 * 1.2)
    assert made.boundary == "facility"
    assert made.device_hours.value == pytest.approx(1.0)


def test_intensity_is_weighted_by_the_energy_of_each_year():
    """Half an hour at 100 g/kWh and half at 300 g/kWh of constant power make 200 g/kWh."""
    fold = folded(
        *component(0, "nvml", "accelerator:0", power_w=1000.0, duration_s=3600.0),
        wall_s=datetime(2025, 12, 31, 23, 30, tzinfo=UTC).timestamp(),
    )
    made = footprint(fold, around(year(2025, 100.0), year(2026, 300.0)))
    assert made.intensity_g_per_kwh.value == pytest.approx(200.0, rel=0.01)
    assert made.emissions_kg.value == pytest.approx(0.2, rel=0.01)


def test_unknown_pue_is_a_warning_and_one():
    """Without a PUE the boundary is the node, PUE is 1, it is named as unknown, and a warning says so."""
    made = footprint(
        folded(*component(0, "nvml", "accelerator:0", power_w=1.0, duration_s=60.0)), around(year(2026, 1.0))
    )
    assert (made.boundary, made.pue.value) == ("node", 1.0)
    assert "pue" in made.unknown
    assert any("PUE unknown" in text for text in made.warnings)


def test_node_carries_losses_on_the_other_components():
    """20 W of board and 10 % of a 300 W card make 50 W of node; the intervals add up to the total."""
    fold = folded(
        *component(0, "nvml", "accelerator:0", power_w=300.0, duration_s=3600.0),
        *component(1, "node", "node", power_w=20.0, duration_s=3600.0, basis="modelled"),
        {"k": "facts", "meter": "node", "factors": [LOSS]},
    )
    made = footprint(fold, around(year(2026, 500.0)))
    parts = {part.component: part.energy_kwh for part in made.components}
    assert parts["node"].value == pytest.approx(0.05)
    assert parts["node"].low == pytest.approx(0.05 - 0.015)
    assert made.energy_kwh.value == pytest.approx(0.35)
    assert math.fsum(part.energy_j for part in made.intervals) == pytest.approx(0.35 * 3.6e6, rel=1e-6)


def late(first_s: float, *readings: tuple[float, float]) -> Fold:
    """Sums of a card whose counter was read at 0 J after `first_s`, and then at (instant [s], counter [J])."""
    ticks = [
        {"k": "tick", "s": at_s, "r": [[0, at_s, energy_j, None, None, 0.0]]}
        for at_s, energy_j in ((first_s, 0.0), *readings)
    ]
    state = {"meter": "nvml", "component": "accelerator:0", "basis": "sensor"}
    return folded({"k": "comp", "c": state}, *ticks)


def test_time_before_the_first_reading_is_filled_at_the_power_after_it():
    """100 W for 0.5 s and 300 W for the other 9: 0.4 s before them were 40 J, not the 116 of the run's mean."""
    made = footprint(late(0.4, (0.9, 50.0), (5.0, 1280.0), (9.9, 2750.0)), around(year(2026, 500.0)))
    assert made.energy_kwh.value * 3.6e6 == pytest.approx(2750.0 + 40.0)
    assert math.fsum(part.energy_j for part in made.intervals) == pytest.approx(2790.0)
    bounds_j = [3.6e6 * bound for bound in (made.energy_kwh.low or 0.0, made.energy_kwh.high or 0.0)]
    assert bounds_j == pytest.approx([2750.0 + 20.0, 2750.0 + 0.4 * 1.5 * 2750.0 / 9.5], rel=1e-3)


def test_a_long_time_before_the_first_reading_is_filled_at_the_power_of_as_long_a_time():
    """2 s are told from 2 s of 100 W, not from the first half second of 20 W; the gap says so."""
    fold = late(2.0, (2.5, 10.0), (4.0, 200.0), (14.0, 3200.0))
    assert fill_j(fold.states[0]) == pytest.approx(200.0)
    (gap,) = footprint(fold, around(year(2026, 500.0))).gaps
    assert gap.reason == "before the first reading; filled at the power of the first looks"


def test_a_short_run_and_a_counter_that_stood_still_are_filled_at_the_mean():
    """A gap is never 0 W: neither of 0.2 s after it, nor of a counter that moves once in 2 s, is the power known."""
    assert fill_j(late(0.4, (0.6, 10.0)).states[0]) == pytest.approx(0.4 * 50.0)
    assert fill_j(late(0.4, (1.4, 0.0), (2.4, 200.0)).states[0]) == pytest.approx(0.4 * 100.0)


def test_a_gap_later_in_the_run_keeps_the_runs_mean_power():
    """0.4 s before 100 W, and 1 s lost in the middle of 300 W: 40 J and 288 of the mean."""
    fold = late(0.4, (0.9, 50.0), (5.0, 1280.0))
    for line in (
        {"k": "tick", "s": 6.0, "r": [[0, 6.0, 0.0, None, None, 0.0]]},  # the counter was reset
        {"k": "tick", "s": 10.0, "r": [[0, 10.0, 1200.0, None, None, 0.0]]},
    ):
        fold.apply(line)
    mean_w = (1280.0 + 1200.0) / 8.6
    assert fill_j(fold.states[0]) == pytest.approx(40.0 + mean_w)


def test_gap_is_filled_where_it_lies_and_named():
    """100 W read for 60 s, lost for 60 s, then read for 60 s: 18 kJ, of which the gap's 6 kJ are stated."""
    lines = [
        {
            "k": "comp",
            "c": {"meter": "nvml", "component": "accelerator:0", "basis": "sensor", "integrated": True},
        },
        {"k": "tick", "s": 0.0, "r": [[0, 0.0, 0.0, None, None, 0.0]]},
        {"k": "tick", "s": 60.0, "r": [[0, 60.0, 6000.0, None, None, 0.0]]},
        {"k": "tick", "s": 61.0, "r": [], "miss": [[0, "lost"]]},
        {"k": "tick", "s": 120.0, "r": [[0, 120.0, 6000.0, None, None, 0.0]]},
        {"k": "tick", "s": 180.0, "r": [[0, 180.0, 12000.0, None, None, 0.0]]},
    ]
    made = footprint(folded(*lines), around(year(2026, 500.0)))
    assert made.energy_kwh.value * 3.6e6 == pytest.approx(18000.0)
    assert {part.energy_j for part in made.intervals} == {500.0}  # 5 s each
    (gap,) = made.gaps
    assert (gap.start, gap.end) == ("2026-01-01T00:01:00.000Z", "2026-01-01T00:02:00.000Z")
    assert "filled at the run's mean power" in gap.reason
    assert any("60 s without readings" in text for text in made.warnings)


def test_gap_that_the_counter_bridged_is_not_filled_again():
    """100 W, bridged by the counter for 60 s and later lost for 60 s: every interval has 500 J, the sum 24 kJ."""
    lines = [
        {"k": "comp", "c": {"meter": "nvml", "component": "accelerator:0", "basis": "sensor"}},
        {"k": "tick", "s": 0.0, "r": [[0, 0.0, 0.0, None, None, 0.0]]},
        {"k": "tick", "s": 60.0, "r": [[0, 60.0, 6000.0, None, None, 0.0]]},
        {"k": "tick", "s": 61.0, "r": [], "miss": [[0, "silent"]]},
        {"k": "tick", "s": 120.0, "r": [[0, 120.0, 12000.0, None, None, 0.0]]},
        {"k": "tick", "s": 180.0, "r": [[0, 180.0, 0.0, None, None, 0.0]]},  # the counter was reset
        {"k": "tick", "s": 240.0, "r": [[0, 240.0, 6000.0, None, None, 0.0]]},
    ]
    made = footprint(folded(*lines), around(year(2026, 500.0)))
    assert [gap.reason.partition(";")[0] for gap in made.gaps] == ["silent", "counter reset"]
    assert made.energy_kwh.value * 3.6e6 == pytest.approx(24000.0)
    assert {round(part.energy_j, 3) for part in made.intervals} == {500.0}


def test_gaps_beyond_the_limit_are_in_the_intervals():
    """1,500 gaps of 10 s at 100 W, of which 1,000 are listed: the intervals add up to the energy all the same."""
    lines: list[dict] = [
        {"k": "comp", "c": {"meter": "nvml", "component": "accelerator:0", "basis": "sensor"}},
        {"k": "tick", "s": 0.0, "r": [[0, 0.0, None, 100.0, None, 0.0]]},
    ]
    at_s = 0.0
    for step in range(3000):
        at_s += 10.0 if step % 2 else 1.0
        lines.append({"k": "tick", "s": at_s, "r": [[0, at_s, None, 100.0, None, 0.0]]})
    made = footprint(folded(*lines), around(year(2026, 500.0)))
    assert made.energy_kwh.value * 3.6e6 == pytest.approx(100.0 * at_s)
    assert math.fsum(part.energy_j for part in made.intervals) == pytest.approx(100.0 * at_s)
    assert any("500 gaps beyond the limit" in text for text in made.warnings)


@pytest.mark.parametrize(
    ("parts", "grade"),
    [
        ([("wall", "wall", "metered")], "A"),
        ([("nvml", "accelerator:0", "sensor"), ("rapl", "cpu:0", "sensor")], "B"),
        ([("rapl", "cpu:0", "sensor")], "B"),
        ([("nvml", "accelerator:0", "sensor"), ("cpu", "cpu", "modelled")], "C"),
        ([("cpu", "cpu", "modelled"), ("memory", "dram", "modelled")], "D"),
    ],
)
def test_grade_follows_the_evidence(parts, grade):
    """A wall meter is A, sensors on all main components B, on accelerators alone C, models D."""
    lines = [
        line
        for index, (meter, name, basis) in enumerate(parts)
        for line in component(index, meter, name, power_w=10.0, duration_s=60.0, basis=basis)
    ]
    assert footprint(folded(*lines), around(year(2026, 1.0))).grade == grade


def test_run_without_any_meter_is_unknown_and_not_zero():
    """A run in which nothing could be read has no energy and no emissions, and says so."""
    made = footprint(folded({"k": "end", "s": 5.0, "why": "finished"}), around(year(2026, 1.0)))
    assert made.energy_kwh is None
    assert made.emissions_kg is None
    assert "energy_kwh" in made.unknown
    assert made.duration_s == 5.0


def test_span_energies_are_charged_like_the_run():
    """Two halves of a run with node losses sum to the run."""
    fold = folded(
        {"k": "comp", "c": {"meter": "nvml", "component": "accelerator:0", "basis": "sensor"}},
        {"k": "tick", "s": 0.0, "r": [[0, 0.0, 0.0, None, None, 0.0]]},
        {"k": "span", "s": 0.0, "n": 0, "open": True, "name": "first"},
        {"k": "span", "s": 5.0, "n": 0, "open": False},
        {"k": "span", "s": 5.0, "n": 1, "open": True, "name": "second"},
        {"k": "tick", "s": 10.0, "r": [[0, 10.0, 1000.0, None, None, 0.0]]},
    )
    made = footprint(fold, around(year(2026, 1.0)))
    assert [span.energy_kwh.value * 3.6e6 for span in made.spans] == pytest.approx([500.0, 500.0])


def test_recorded_footprint_survives_json():
    """The assembled record reads back equal."""
    fold = folded(*component(0, "nvml", "accelerator:0", power_w=300.0, duration_s=3600.0))
    made = footprint(fold, around(year(2026, 500.0)))
    assert type(made).from_json(made.to_json()) == made


def test_strict_share_keeps_the_rest_apart():
    """Of 100 W a run's own processes are charged 75 W; the other 25 W are nobody's, with the card's own rest."""
    cpu = component(1, "cpu", "cpu", power_w=75.0, duration_s=60.0, basis="modelled")
    cpu[2]["r"][0].append(25.0 * 60.0)
    card = component(0, "nvml", "accelerator:0", power_w=250.0, duration_s=60.0)
    card[2]["r"][0].append(50.0 * 60.0)
    made = footprint(folded(*card, *cpu, share="process"), around(year(2026, 500.0)))
    parts = {part.component: part.energy_kwh.value * 3.6e6 for part in made.components}
    assert parts == {"accelerator:0": pytest.approx(15000.0), "cpu": pytest.approx(4500.0)}
    assert made.unallocated_kwh.value * 3.6e6 == pytest.approx(4500.0)
    assert math.fsum(part.energy_j for part in made.intervals) == pytest.approx(19500.0)


def test_facts_of_a_model_that_was_not_used_stay_out():
    """Where RAPL counts the CPU, the modelled CPU's warning is not in the record; its hardware is."""
    fold = folded(
        *component(0, "rapl", "cpu:0", power_w=50.0, duration_s=60.0),
        *component(1, "cpu", "cpu", power_w=99.0, duration_s=60.0, basis="modelled"),
        {
            "k": "facts",
            "meter": "cpu",
            "warnings": ["assumed"],
            "hardware": [{"kind": "cpu", "name": "EPYC"}],
        },
        {"k": "facts", "meter": "rapl", "warnings": ["counted"]},
    )
    made = footprint(fold, around(year(2026, 1.0)))
    assert "assumed" not in made.warnings
    assert "counted" in made.warnings
    assert [device.name for device in made.hardware] == ["EPYC"]
