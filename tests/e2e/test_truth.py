"""Runs of 60 s against known waves: the joules of the record are the joules that were spent."""

from __future__ import annotations

import pytest

from tests.e2e import scenarios
from tests.e2e.harness import Outcome, Wave, seconds

pytestmark = pytest.mark.slow

COUNTER = 0.001
POWER = 0.01
DRAM = 0.25
STAMP_S = 0.0015  # an instant in a record is a whole millisecond
CLOCKS_S = (
    0.05  # a wall clock that is being set right beside the monotonic one for 60 s, and the times of files
)
LATE_S = 0.5  # half a period: more is a look that was not taken at once


@pytest.mark.parametrize("shape", ["const", "square", "sine", "ramp"])
def test_closed_form_is_the_integral_of_the_power(shape: str) -> None:
    """The truth itself, against the midpoint rule in steps of 0.1 ms."""
    wave = Wave(shape=shape, base_w=50.0, amp_w=30.0, period_s=1.7)
    step_s = 1e-4
    summed_j = sum(wave.power_w(0.3 + (k + 0.5) * step_s) * step_s for k in range(40_000))
    assert wave.energy_j(0.3, 4.3) == pytest.approx(summed_j, rel=1e-5)


@pytest.mark.parametrize("scenario", scenarios.SCENARIOS, ids=lambda scenario: scenario.name)
def test_run_lasts_as_long_as_its_command(outcomes: dict[str, Outcome], scenario: scenarios.Scenario) -> None:
    """The exit code is the command's; sensors are read before it begins and after it has ended, within the run."""
    outcome = outcomes[scenario.name]
    assert outcome.exit_code == 0, outcome.stderr
    started_s, ended_s = (seconds(outcome.record[name]) for name in ("started", "ended"))
    assert ended_s - started_s == pytest.approx(outcome.record["duration_s"], abs=2 * STAMP_S)
    for component, looks_s in outcome.looks_s.items():
        assert outcome.begun_s - STAMP_S <= started_s <= looks_s[0] + STAMP_S, component
        assert looks_s[0] <= outcome.lived_s[0] + CLOCKS_S, component
        assert outcome.lived_s[1] - CLOCKS_S <= ended_s <= looks_s[-1] + STAMP_S, component
        assert looks_s[-1] <= outcome.kept_s + CLOCKS_S, component


def test_nothing_is_waited_for_as_a_run_begins_and_ends(outcomes: dict[str, Outcome]) -> None:
    """The quickest of ten: however busy the machine is, a look that waits for the next tick is late in each."""
    late_s = [
        (
            max(looks_s[0] for looks_s in one.looks_s.values()) - seconds(one.record["started"]),
            max(looks_s[-1] for looks_s in one.looks_s.values()) - one.lived_s[1],
        )
        for one in outcomes.values()
    ]
    for end_s in zip(*late_s, strict=True):
        assert min(end_s) < LATE_S, late_s


@pytest.mark.parametrize(
    ("name", "component", "share"),
    [
        ("package", "cpu:0", 1.0),
        ("package", "dram:0", DRAM),
        ("node", "cpu:0", 1.0),
        ("node", "cpu:1", 1.0),
        ("node", "dram:0", DRAM),
        ("node", "dram:1", DRAM),
        ("cards", "accelerator:0", 1.0),
        ("cards", "accelerator:1", 1.1),
    ],
)
def test_counter_is_true_to_a_thousandth(
    outcomes: dict[str, Outcome], name: str, component: str, share: float
) -> None:
    """Between its first and last reading, wraps included; the fake tree's own steps of 20 ms are allowed for."""
    outcome = outcomes[name]
    truth_j = outcome.truth_j(component, share=share)
    measured = outcome.energy_j(component)
    allowed_j = COUNTER * truth_j + outcome.stale_j(component, share=share)
    assert measured["value"] == pytest.approx(truth_j, abs=allowed_j)
    assert measured["low"] <= truth_j <= measured["high"]
    assert outcome.gaps(component) == []


@pytest.mark.parametrize("scenario", scenarios.POWERS, ids=lambda one: f"{one.wave.period_s:.2f}s")
def test_power_is_true_to_a_hundredth(outcomes: dict[str, Outcome], scenario: scenarios.Scenario) -> None:
    """A card without a counter under a square wave of 100 and 300 W, whose edges no look can see."""
    outcome = outcomes[scenario.name]
    truth_j = outcome.truth_j("accelerator:0")
    measured = outcome.energy_j("accelerator:0")
    assert measured["value"] == pytest.approx(truth_j, rel=POWER)
    assert measured["low"] <= truth_j <= measured["high"]


def test_platform_counter_is_not_added_to_the_packages(outcomes: dict[str, Outcome]) -> None:
    """Two packages and two memories; psys, which holds them all, is in no component."""
    record = outcomes["node"].record
    counted = [part["component"] for part in record["components"] if part["meter"] == "rapl"]
    assert sorted(counted) == ["cpu:0", "cpu:1", "dram:0", "dram:1"]
    assert not any(part["component"] in {"cpu", "dram"} for part in record["components"])


def test_parts_add_up_to_the_whole(outcomes: dict[str, Outcome]) -> None:
    """The sum of the components is the energy of the record, and so is that of the minutes."""
    for outcome in outcomes.values():
        record = outcome.record
        total_kwh = record["energy_kwh"]["value"]
        assert sum(part["energy_kwh"]["value"] for part in record["components"]) == pytest.approx(total_kwh)
        minutes_j = sum(row["energy_j"] for row in record["intervals"])
        assert minutes_j == pytest.approx(total_kwh * 3.6e6, rel=1e-6), outcome.scenario.name


@pytest.mark.parametrize(("name", "component"), [("reset", "cpu:0"), ("card-reset", "accelerator:0")])
def test_reset_adds_no_energy(outcomes: dict[str, Outcome], name: str, component: str) -> None:
    """The time between two looks across the reset is a gap at the mean power of the others: never too much."""
    outcome = outcomes[name]
    truth_j = outcome.truth_j(component)
    measured = outcome.energy_j(component)
    allowed_j = COUNTER * truth_j + outcome.stale_j(component)
    assert measured["value"] <= truth_j + allowed_j
    assert measured["value"] >= 0.98 * truth_j
    assert measured["low"] <= truth_j <= measured["high"]
    ((start_s, end_s, reason),) = outcome.gaps(component)
    assert "reset" in reason
    earliest_s, latest_s = outcome.moved_s(scenarios.RESET_S)
    assert start_s <= latest_s + STAMP_S and end_s >= earliest_s - STAMP_S
    middle_s = 0.5 * (start_s + end_s)
    assert (start_s, end_s) == pytest.approx(outcome.without_look(component, middle_s), abs=2 * STAMP_S)


def test_failing_meter_leaves_a_gap_and_a_wider_interval(outcomes: dict[str, Outcome]) -> None:
    """10 s without readings: a gap from look to look, the energy of the counter that went on, never 0 W."""
    outcome, whole = outcomes["failure"], outcomes["package"]
    for component, share in (("cpu:0", 1.0), ("dram:0", DRAM)):
        ((start_s, end_s, reason),) = outcome.gaps(component)
        assert start_s <= outcome.moved_s(scenarios.FAIL_FROM_S)[1] + STAMP_S, reason
        assert end_s >= outcome.moved_s(scenarios.FAIL_FROM_S + scenarios.FAIL_FOR_S)[0] - STAMP_S, reason
        no_look_s = outcome.without_look(component, scenarios.FAIL_FROM_S + 0.5 * scenarios.FAIL_FOR_S)
        assert (start_s, end_s) == pytest.approx(no_look_s, abs=2 * STAMP_S)
        truth_j = outcome.truth_j(component, share=share)
        measured, known = outcome.energy_j(component), whole.energy_j(component)
        allowed_j = COUNTER * truth_j + outcome.stale_j(component, share=share)
        assert measured["value"] == pytest.approx(truth_j, abs=allowed_j)
        assert measured["low"] <= truth_j <= measured["high"]
        for bound in ("low", "high"):
            spread = abs(measured[bound] / measured["value"] - 1.0)
            assert spread > 1.1 * abs(known[bound] / known["value"] - 1.0), component


def test_other_components_are_not_touched_by_a_failing_meter(outcomes: dict[str, Outcome]) -> None:
    """A gap of the CPU's counter is none of the node's, the memory's or the network's."""
    named = {gap["component"] for gap in outcomes["failure"].record["gaps"]}
    assert named == {"cpu:0", "dram:0"}
