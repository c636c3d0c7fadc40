"""Power logs of MLPerf: watts over time become joules, by the mark, and nothing stands where nobody read."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sootprint import importers
from sootprint.core.errors import InputError
from sootprint.core.records import Footprint
from sootprint.importers.clocks import LOCAL
from sootprint.importers.mlperf_power import CUT_OFF, UNBOUNDED


def line(second: int, watts: object, mark: str = "testing") -> str:
    """A line of the meter's daemon, within an hour."""
    clock = f"12-23-2020 10:{second // 60:02}:{second % 60:02}.000"
    return f"Time,{clock},Watts,{watts},Volts,228.37,Amps,0.204,PF,0.5023,Mark,{mark}"


def event(key: str, second: float, value: object = None, **metadata: object) -> str:
    """A line of MLPerf's logger."""
    told = {"namespace": "", "time_ms": int(1_600_000_000_000 + 1000 * second), "event_type": "POINT_IN_TIME"}
    return ":::MLLOG " + json.dumps(told | {"key": key, "value": value, "metadata": metadata})


NODE = (
    event("power_measurement_start", 0),
    event("conversion_eff", 0, 1.1, measurement_type="DC"),
    event("power_reading", -5, 9000, host="node_0"),
    event("power_reading", 0, 1000, host="node_0"),
    event("power_reading", 10, 2000, host="node_0"),
    event("power_reading", 20, 2000, host="node_0"),
    event("power_measurement_stop", 20),
    event("power_reading", 30, 9000, host="node_0"),
)


def of(*lines: str) -> tuple[Footprint, ...]:
    """Records of the lines of a log."""
    return importers.read("\n".join(lines) + "\n", name="spl.txt").records


def energy_j(record: Footprint) -> float:
    """Energy of a record [J]."""
    assert record.energy_kwh is not None
    return record.energy_kwh.value * 3.6e6


def test_meter_at_the_wall_by_its_marks() -> None:
    """100 W to 300 W over 10 s are 2 kJ; ranging and testing are two records, metered, of grade A."""
    lines = [
        line(0, 50, "ranging"),
        line(5, 50, "ranging"),
        line(7, 1, "notset"),
        line(10, 100),
        line(20, 300),
    ]
    found = importers.read("\n".join(lines), name="spl.txt")
    assert [record.name for record in found.records] == ["MLPerf ranging", "MLPerf testing"]
    assert [round(energy_j(record), 6) for record in found.records] == [250.0, 2000.0]
    last = found.records[-1]
    assert (last.grade, last.boundary, last.duration_s) == ("A", "node", 10.0)
    assert [(part.component, part.energy_kwh.basis) for part in last.components] == [("wall", "metered")]
    assert (last.started, last.ended) == (
        "2020-12-23T10:00:10.000Z",
        "2020-12-23T10:00:20.000Z",
    )
    assert [row.why for row in found.left_out] == ["1 readings between the runs"]
    assert [record.id for record in of(*lines)] == [record.id for record in found.records]


def test_node_of_a_training_from_start_to_stop() -> None:
    """1.1 x (15 kJ + 20 kJ); readings before the start and after the stop are not in; nobody's host is told."""
    (record,) = of(*NODE)
    assert energy_j(record) == pytest.approx(38_500.0)
    assert [(factor.kind, factor.value) for factor in record.factors] == [("conversion", 1.1)]
    assert record.given["measurement"] == "DC"
    assert "node_0" not in record.to_json()


def test_time_without_readings_has_no_energy() -> None:
    """Ten minutes without a line are a gap that is told, not a trapezoid."""
    (record,) = of(line(0, 100), line(10, 100), line(610, 100), line(620, 100))
    assert energy_j(record) == pytest.approx(2000.0)
    assert [(gap.start[11:], gap.end[11:]) for gap in record.gaps] == [("10:00:10.000Z", "10:10:10.000Z")]


@pytest.mark.parametrize(
    "bad", [line(5, "nan"), line(5, -3), line(5, "1e99"), line(5, ""), line(5, 7)[:30], "rubbish"]
)
def test_bad_line_is_told_and_holds_back_none(bad: str) -> None:
    """Its neighbours are read."""
    found = importers.read("\n".join([line(0, 100), bad, line(10, 100)]), name="spl.txt")
    assert [round(energy_j(record)) for record in found.records] == [1000]
    assert [row.where for row in found.left_out] == ["line 2"]


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ((line(0, 100),), "1 powers, and energy lies between two"),
        (NODE[1:], "no power_measurement_start"),
        ((*NODE, event("interconnect_power_est", 3, 500)), "estimate of a switch"),
        ((NODE[0], event("conversion_eff", 0, 95), *NODE[3:]), "conversion_eff is 95"),
        ((":::MLLOG {", *NODE[1:]), "line 1: it is no event|no power_measurement_start"),
    ],
)
def test_bad_log_gets_one_line(lines: tuple[str, ...], why: str) -> None:
    """The line has the value and the rule."""
    with pytest.raises(InputError) as caught:
        of(*lines)
    assert any(part in str(caught.value) for part in why.split("|"))
    assert "\n" not in str(caught.value)


@settings(max_examples=100, deadline=None)
@given(start=st.sampled_from([line(0, 100), NODE[0]]), rest=st.text(max_size=80))
def test_no_log_makes_the_reader_fail(start: str, rest: str) -> None:
    """Whatever the text: records, or one line."""
    try:
        assert of(start, rest)
    except InputError as err:
        assert str(err)


def test_readings_are_integrated_as_those_of_any_tool() -> None:
    """Three usual steps without a reading are a gap; the course is kept, its minutes add up to the energy."""
    looks = [line(second, 360) for second in range(0, 600, 10) if not 200 < second < 260]
    (record,) = of(*looks)
    assert energy_j(record) == pytest.approx(360.0 * (590.0 - 60.0))
    assert [(gap.start[14:19], gap.end[14:19]) for gap in record.gaps] == [("03:20", "04:20")]
    assert math.fsum(one.energy_j for one in record.intervals) == pytest.approx(energy_j(record))
    assert {one.component for one in record.intervals} == {"wall"}
    assert any("powers cover 89.8 % of the time" in warning for warning in record.warnings)


def test_bounds_are_those_of_the_meter_and_none_where_nobody_tells_them() -> None:
    """An analyzer that SPEC accepts is good to 1 %; the readings of a node say nothing of theirs."""
    (wall,) = of(line(0, 100), line(10, 100))
    assert wall.energy_kwh is not None
    assert wall.energy_kwh.low == pytest.approx(0.99 * wall.energy_kwh.value)
    assert wall.energy_kwh.high == pytest.approx(1.01 * wall.energy_kwh.value)
    (node,) = of(*NODE)
    assert node.energy_kwh is not None
    assert (node.energy_kwh.low, UNBOUNDED in node.warnings) == (None, True)


def test_zone_is_missing_at_the_wall_alone() -> None:
    """The meter's daemon writes local time; the logger of a node counts milliseconds since 1970."""
    (wall,) = of(line(0, 100), line(10, 100))
    (node,) = of(*NODE)
    (plain,) = of(*(one for one in NODE if "conversion_eff" not in one))
    assert [LOCAL in one.warnings for one in (wall, node, plain)] == [True, False, False]


def test_log_without_its_end_says_so() -> None:
    """It counts to its last reading."""
    (whole,), (cut,) = of(*NODE), of(*NODE[:6])
    assert energy_j(cut) == energy_j(whole)
    assert (CUT_OFF in cut.warnings, CUT_OFF in whole.warnings) == (True, False)


@pytest.mark.parametrize(
    "lines",
    [
        (line(0, 0), line(10, 0)),
        (NODE[0], event("power_reading", 0, 0), event("power_reading", 10, 0)),
    ],
)
def test_meter_that_read_nothing_is_no_record_of_zero(lines: tuple[str, ...]) -> None:
    """A plug that nothing was in, or a sensor that was off."""
    with pytest.raises(InputError, match="all its readings are 0 W"):
        of(*lines)


@pytest.mark.parametrize("number", [10**400, -1, 10**300, True, [], "x"])
def test_numbers_that_are_none_are_told(number: object) -> None:
    """As an instant and as a power: a line is left out, and the others count."""
    clock = json.dumps({"key": "power_reading", "value": 1, "time_ms": number})
    bad = (f":::MLLOG {clock}", event("power_reading", 5, number))
    for one in bad:
        found = importers.read("\n".join([*NODE, one]), name="node_0.txt")
        assert [round(energy_j(record)) for record in found.records] == [38_500]
        assert len(found.left_out) == 1
