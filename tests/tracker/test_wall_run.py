"""A run beside a wall meter and on a calibrated node, from the settings to the record, on a fake tree."""

from __future__ import annotations

import time

import pytest

from sootprint import settings
from sootprint.core.calibration import Point, calibrated, signature
from sootprint.estimator.wall_log import meters_of
from sootprint.ledger import calibrations, nodes
from sootprint.tracker.worker import Worker


@pytest.fixture
def measured(own_home, tmp_path, monkeypatch):
    """Function that measures a second of nothing on a machine with nothing but what the test puts into its tree."""
    (tmp_path / "sys").mkdir()
    monkeypatch.setenv("SOOTPRINT_SYSFS", str(tmp_path / "sys"))
    monkeypatch.setenv("SOOTPRINT_ZONE", "FR")

    def measure():
        worker = Worker(settings=settings.load(), begins_when_ready=True)
        worker.start(wait_s=60.0)
        time.sleep(1.2)
        worker.stop(wait_s=60.0)
        assert worker.footprint is not None
        return worker.footprint

    return measure


def test_sensor_of_the_whole_node_is_the_total(measured, tmp_path):
    """200 W for the time that it was read, grade A, and parts that add up to it."""
    folder = tmp_path / "sys/class/hwmon/hwmon0"
    folder.mkdir(parents=True)
    (folder / "name").write_text("power_meter\n")
    (folder / "power1_average").write_text("200000000\n")
    made = measured()
    parts = [one for one in made.components if one.component != "wall"]
    assert made.energy_kwh.value * 3.6e6 == pytest.approx(200.0 * made.duration_s, rel=0.1)
    assert sum(one.energy_kwh.value for one in parts) == pytest.approx(made.energy_kwh.value)
    assert sum(row.energy_j for row in made.intervals) == pytest.approx(made.energy_kwh.value * 3.6e6)
    assert made.grade == "A"


def test_plug_of_the_settings_that_says_nothing_is_told(measured, own_home, tmp_path):
    """The parts are the total, and the record says what is missing."""
    own_home.mkdir(exist_ok=True)
    (own_home / "sootprint.toml").write_text(f'[wall.plug]\nfile = "{tmp_path / "nothing"}"\n')
    made = measured()
    assert any(text.startswith("plug: the wall meter gave no energy") for text in made.warnings)
    assert made.grade == "D"


def test_calibrated_node_is_recognised(measured, own_home):
    """A line made with the meters and devices of one run holds for the next: 500 W + 2 x components."""
    before = measured()
    devices = signature((one.kind, one.name, one.count) for one in before.hardware)
    line = [Point(10.0, 520.0, 1.0), Point(200.0, 900.0, 1.0)]
    made = calibrated(
        line, accuracy=0.02, meters=meters_of(before), hardware=devices, made="2026-01-01", source="test"
    )
    calibrations.keep(own_home, nodes.node(own_home), made)
    after = measured()
    assert after.energy_kwh.value * 3.6e6 > 500.0 * after.duration_s
    assert {factor.key for factor in after.factors if factor.kind == "calibration"} == {"idle power", "slope"}
