"""`sootprint calibrate`: given readings, a log beside stored runs, and loads that are driven (here by a fake)."""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import json
import time
from datetime import UTC, datetime, timedelta

import pytest

from sootprint import Footprint, Quantity
from sootprint.cli import loads
from sootprint.cli.loads import Measured
from sootprint.core.ids import uuid7
from sootprint.core.protocols import Reading
from sootprint.core.records import Component, Hardware, Interval
from sootprint.ledger import calibrations, keep, nodes

START = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


def record(
    *, components_w: float = 100.0, node: str | None = None, start: datetime = START, minutes: int = 4
):
    """Run with intervals of half a minute, each 20 W above the one before."""
    rows, total_j = [], 0.0
    for slot in range(2 * minutes):
        since = start + timedelta(seconds=30 * slot)
        spent_j = 30.0 * (components_w + 20.0 * slot)
        total_j += spent_j
        for name, part_j in (("cpu:0", spent_j), ("node", 1140.0)):
            rows.append(
                Interval(
                    start=since.isoformat(),
                    end=(since + timedelta(seconds=30)).isoformat(),
                    component=name,
                    energy_j=part_j,
                )
            )
    energy = Quantity(value=total_j / 3.6e6, basis="sensor")
    return Footprint(
        id=uuid7(time.time()),
        node=node,
        started=start.isoformat(),
        ended=(start + timedelta(minutes=minutes)).isoformat(),
        duration_s=60.0 * minutes,
        hardware=(Hardware(kind="cpu", name="Xeon", count=1),),
        components=(
            Component(component="cpu:0", meter="rapl", energy_kwh=energy),
            Component(component="node", meter="node", energy_kwh=Quantity(value=0.01)),
        ),
        energy_kwh=energy,
        intervals=tuple(rows),
    )


@pytest.fixture
def fake_loads(monkeypatch):
    """Loads that take no time: 50, 150 and 250 W of components."""
    on = []

    def burning(share):
        on.append(share)
        return contextlib.nullcontext()

    def measured(known, meter, *, duration_s):
        share = on[-1] if on else 0.0
        watts = 50.0 + 200.0 * share
        seen = record(components_w=watts, minutes=1)
        return Measured(watts, 40.0 + 1.2 * watts if meter else None, seen)

    monkeypatch.setattr(loads, "SETTLE_S", 0.0)
    monkeypatch.setattr(loads, "burning", burning)
    monkeypatch.setattr(loads, "measured", measured)
    return on


def test_given_pairs_are_fitted_and_kept(call, own_home, fake_loads):
    """48 W beside 95 W and 300 W beside 392 W: 38.4 W + 1.179 x, for the meters that are read here."""
    made = json.loads(call("calibrate", "--wall-w", "48=95", "--wall-w", "300=392", "--json").stdout)
    assert made["calibration"]["idle_w"] == pytest.approx(38.43, abs=0.01)
    assert made["calibration"]["slope"] == pytest.approx(1.1786, abs=1e-4)
    assert made["calibration"]["meters"] == ["rapl"]
    assert made["calibration"]["hardware"] == ["1 x Xeon"]
    assert made["readings"][0] == {
        "load": "48",
        "components_w": 48.0,
        "wall_w": 95.0,
        "fitted_w": pytest.approx(95.0),
    }
    shown = json.loads(call("calibrate", "--show", "--json").stdout)
    assert shown["calibrations"] == [made["calibration"]]
    assert shown["node"] == nodes.node(own_home)


def test_show_and_forget(call, own_home, fake_loads):
    """In words; a node that was not calibrated is told how."""
    assert "has not been calibrated" in call("calibrate", "--show").stdout
    call("calibrate", "--wall-w", "48=95", "--wall-w", "300=392")
    assert "wall = 38.4 W (± 3.0) + 1.179 (± 0.028) × components" in call("calibrate", "--show").stdout
    assert call("calibrate", "--forget").stdout == "1 calibration of this node removed.\n"
    assert "has not been calibrated" in call("calibrate", "--show").stdout


def test_given_loads_are_driven(call, own_home, fake_loads):
    """Idle and full: 50 W beside 100 W, 250 W beside 340 W."""
    made = json.loads(call("calibrate", "--wall-w", "idle=100", "--wall-w", "full=340", "--json").stdout)
    assert fake_loads == [0.0, 1.0]
    assert made["calibration"]["idle_w"] == pytest.approx(40.0)
    assert made["calibration"]["slope"] == pytest.approx(1.2)


def test_readings_are_asked_for_where_no_meter_answers(call, own_home, fake_loads):
    """Three loads, three numbers typed in."""
    result = call("calibrate", input="100\n220\n340\n")
    assert result.exit_code == 0
    assert fake_loads == [0.0, 0.5, 1.0]
    assert "wall = 40.0 W" in result.stdout
    assert "wall readings typed in" in result.stdout
    assert "no wall meter answers here" in result.stderr


def test_what_is_no_number_is_asked_for_again(call, own_home, fake_loads):
    """A slip of the finger does not cost the loads that were measured."""
    result = call("calibrate", input="100\nabout 220\n220\n340\n")
    assert result.exit_code == 0
    assert "'about 220' is not a number" in result.stderr
    assert "wall = 40.0 W" in result.stdout


def test_where_nobody_can_be_asked_the_line_says_how_to_state_it(call, own_home, fake_loads):
    """As in a batch job, whose input is empty."""
    result = call("calibrate", input="")
    assert result.exit_code == 2
    assert "\nsootprint: nobody can be asked here" in result.stderr
    assert "--wall-w idle=52" in result.stderr


def test_wall_meter_is_read_beside_the_loads(call, own_home, fake_loads, monkeypatch):
    """Nothing is asked; the source and the accuracy are the meter's."""
    folder = own_home.parent / "sys/class/hwmon/hwmon0"
    folder.mkdir(parents=True)
    (folder / "name").write_text("power_meter\n")
    (folder / "power1_average").write_text("100000000\n")
    (folder / "power1_accuracy").write_text("95.0%\n")
    monkeypatch.setenv("SOOTPRINT_SYSFS", str(own_home.parent / "sys"))
    made = json.loads(call("calibrate", "--json").stdout)["calibration"]
    assert made["source"] == "wall meter hwmon"
    assert made["accuracy"] == pytest.approx(0.05)
    assert (made["idle_w"], made["slope"]) == (pytest.approx(40.0), pytest.approx(1.2))


def log_of(path, *, offset_s: float = 0.0, idle_w: float = 40.0):
    """CSV of a plug beside `record`: 40 W + 1.2 x components, each 10 s."""
    lines = ["time,watts"]
    for step in range(24):
        at = START + timedelta(seconds=10 * step + offset_s)
        lines.append(f"{at.isoformat()},{idle_w + 1.2 * (100.0 + 20.0 * (step // 3)):.1f}")
    path.write_text("\n".join(lines))
    return path


def test_log_beside_stored_runs(call, own_home, tmp_path):
    """Eight windows of half a minute give the line back; runs of other nodes and times do not count."""
    node = nodes.node(own_home)
    keep(own_home, record(node=node))
    keep(own_home, record(node="another", components_w=900.0))
    keep(own_home, record(node=node, start=START + timedelta(days=1)))
    result = call("calibrate", "--from", log_of(tmp_path / "plug.csv"), "--json")
    made = json.loads(result.stdout)
    assert (made["calibration"]["idle_w"], made["calibration"]["slope"]) == (
        pytest.approx(40.0),
        pytest.approx(1.2),
    )
    assert len(made["readings"]) == 8
    assert made["calibration"]["source"] == "log of a wall meter beside 1 run"


def test_runs_that_shared_the_machine_are_left_out(call, own_home, tmp_path):
    """Two runs at once: the meter saw both, and each record has a part."""
    node = nodes.node(own_home)
    keep(own_home, record(node=node))
    keep(own_home, record(node=node))
    result = call("calibrate", "--from", log_of(tmp_path / "plug.csv"))
    assert result.exit_code == 2
    assert "no run of this node falls into the time of the log" in result.stderr


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "holds no line"),
        ("time,watts\nyesterday,80", "line 2: 'yesterday,80' has no time and power"),
        ("time,watts\n2026-05-01T12:00:00", "line 2"),
        ("2026-05-01T12:00:00,-4", "has no time and power"),
    ],
)
def test_log_that_is_none_is_refused(call, own_home, tmp_path, text, words):
    """One line with the place of the fault."""
    (tmp_path / "plug.csv").write_text(text)
    result = call("calibrate", "--from", tmp_path / "plug.csv")
    assert result.exit_code == 2
    assert words in result.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--wall-w", "48"], "must be LOAD=W"),
        (["--wall-w", "busy=48"], "must be LOAD=W"),
        (["--wall-w", "idle=lots"], "'lots' is not a number"),
        (["--wall-w", "48=95"], "1 wall reading: a line needs two"),
        (["--wall-w", "48=95", "--wall-w", "50=97"], "at nearly the same load"),
        (["--wall-w", "48=95", "--from", "x.csv"], "exclude one another"),
        (["--from", "not-there.csv"], "not-there.csv cannot be read"),
        (["--meter", "hwmon"], "hwmon: "),
        (["--accuracy", "2"], "--accuracy 2 is not between 0 and 0.5"),
        (["--seconds", "0.1"], "is not between 1 and 3600"),
    ],
)
def test_wrong_use_is_one_line(call, own_home, fake_loads, monkeypatch, arguments, words):
    """Nothing is stored."""
    monkeypatch.setenv("SOOTPRINT_SYSFS", str(own_home / "nothing"))
    result = call("calibrate", *arguments)
    assert result.exit_code in (1, 2)
    assert words in result.stderr, result.stderr
    assert not (own_home / "calibration.json").exists()


def test_readings_that_give_no_line_are_not_lost(call, own_home, fake_loads):
    """What was typed in is printed as options that can be given again."""
    result = call("calibrate", "--wall-w", "idle=100", "--wall-w", "48=95")
    assert result.exit_code == 2
    assert "given again beside others: --wall-w 50.0=100 --wall-w 48.0=95" in result.stderr


def test_accelerators_need_somebody_to_load_them(call, own_home, fake_loads, monkeypatch):
    """Without a terminal nobody is asked, and it is said that they were idle all the time."""
    card = Hardware(kind="accelerator", name="A100", count=1)
    of_cpu = loads.measured

    def measured(known, meter, *, duration_s):
        seen = of_cpu(known, meter, duration_s=duration_s)
        return seen._replace(footprint=dataclasses.replace(seen.footprint, hardware=(card,)))

    monkeypatch.setattr(loads, "measured", measured)
    result = call("calibrate", input="100\n220\n340\n")
    assert result.exit_code == 0
    assert "the accelerators were idle all the time" in result.stderr
    assert "1 x A100" in result.stdout


def test_mean_power_of_looks():
    """A counter by its ends, a power by its mean; a counter that fell tells none."""
    at = Reading(meter="plug", component="wall", at_s=0.0, energy_j=0.0)
    counter = [at._replace(at_s=s, energy_j=j) for s, j in ((0.0, 0.0), (10.0, 900.0), (20.0, 2000.0))]
    assert loads.mean_w(counter) == 100.0
    fallen = [*counter, at._replace(at_s=30.0, energy_j=5.0)]
    assert loads.mean_w(fallen) is None
    powers = [at._replace(at_s=s, energy_j=None, power_w=p) for s, p in ((0.0, 90.0), (1.0, 110.0))]
    assert loads.mean_w(powers) == 100.0
    assert loads.mean_w([]) is None


def test_burners_end_with_the_block():
    """As many as half of the threads, and none after it."""
    import psutil

    before = len(psutil.Process().children())
    with loads.burning(0.5):
        assert len(psutil.Process().children()) > before
    assert len(psutil.Process().children()) == before


def test_readings_that_cannot_be_kept_are_not_lost(call, own_home, fake_loads, monkeypatch):
    """Another program holds the file: what was read is printed as options that can be given again."""
    monkeypatch.setattr(calibrations, "LOCK_S", 0.05)
    with (own_home / calibrations.LOCK).open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        result = call("calibrate", "--wall-w", "48=95", "--wall-w", "300=392")
    assert result.exit_code == 1
    assert "--wall-w 48.0=95 --wall-w 300.0=392" in result.stderr
    assert "try again" in result.stderr


def test_file_that_cannot_be_read_is_told_before_any_load(call, own_home, fake_loads):
    """Nothing is measured for a line that could not be kept."""
    (own_home / calibrations.FILE).write_text("{")
    result = call("calibrate")
    assert (result.exit_code, "measuring" in result.stderr) == (2, False)
    assert "move it away and calibrate again" in result.stderr
