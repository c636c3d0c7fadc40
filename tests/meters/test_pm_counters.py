"""Cray's node counters, on a fake folder."""

import pytest

from sootprint.core.errors import MeterError
from sootprint.meters import files, pm_counters


class Cray:
    """A fake /sys/cray/pm_counters of a node with four accelerators."""

    def __init__(self, tree):
        self.tree, self.folder = tree, tree.sys / "cray/pm_counters"
        self.refresh(energy=1_000_000)
        for name, text in {
            "power": "512 W 1638553862101234 us",
            "raw_scan_hz": "10",
            "generation": "3",
            "startup": "1638550000000000",
            "version": "3",
        }.items():
            tree.write(self.folder / name, f"{text}\n")

    def refresh(self, *, energy, freshness=100):
        """Counters of one refresh."""
        parts = {"energy": energy, "cpu_energy": 300_000, "memory_energy": 40_000}
        parts |= {f"accel{index}_energy": 100_000 + index for index in range(4)}
        for name, joules in parts.items():
            self.tree.write(self.folder / name, f"{joules} J 1638553862101234 us\n")
        self.tree.write(self.folder / "freshness", f"{freshness}\n")


@pytest.fixture
def cray(tree):
    """A Cray node."""
    return Cray(tree)


def test_node_is_the_wall_and_its_parts_are_parts(cray):
    """Joules as they stand, the node's as `wall`, each accelerator by its number."""
    readings = {one.component: one for one in pm_counters.discover(cray.tree.machine()).read()}
    assert {name: one.energy_j for name, one in readings.items()} == {
        "wall": 1_000_000.0,
        "cpu": 300_000.0,
        "dram": 40_000.0,
        **{f"accelerator:{index}": 100_000.0 + index for index in range(4)},
    }
    assert readings["wall"].basis == "metered"
    assert readings["cpu"].basis == "sensor"
    assert {one.at_s for one in readings.values()} == {5000.0}


def test_refresh_in_the_middle_is_read_again(cray, monkeypatch):
    """The counters of one look are of one refresh: 2000 J and 2000 J, never 1000 J beside 2000 J."""
    meter = pm_counters.discover(cray.tree.machine())
    cray.refresh(energy=1000, freshness=7)
    seen = []
    real = files.text

    def text(path, **limits):
        content = real(path, **limits)
        if path.endswith("/energy") and not seen:
            seen.append(path)
            cray.refresh(energy=2000, freshness=8)
        return content

    monkeypatch.setattr(files, "text", text)
    assert meter.read()[0].energy_j == 2000.0


def test_counters_that_are_not_refreshed_are_a_gap(cray):
    """The energy of a controller that stopped is old: after 3 s there is no reading."""
    machine = cray.tree.machine()
    meter = pm_counters.discover(machine)
    meter.read()
    machine.clock.advance(2.0)
    assert meter.read()
    machine.clock.advance(2.0)
    with pytest.raises(MeterError, match="not refreshed for 4 s"):
        meter.read()
    cray.refresh(energy=1_002_000, freshness=140)
    assert meter.read()[0].energy_j == 1_002_000.0


def test_counter_that_may_not_be_read(cray, monkeypatch):
    """A reason and what to ask for."""

    def denied(path, *, limit=4096):
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(files, "read", denied)
    with pytest.raises(MeterError, match="may not be read") as caught:
        pm_counters.discover(cray.tree.machine())
    assert "ask whoever runs the system" in caught.value.fix


@pytest.mark.parametrize("text", ["", "12 W", "x J", "-5 J", "1e5 J"])
def test_no_number_of_joules_is_refused(cray, text):
    """Watts are no joules."""
    cray.tree.write(cray.folder / "energy", text)
    with pytest.raises(MeterError, match="no number of joules"):
        pm_counters.discover(cray.tree.machine())


def test_no_cray(tree):
    """One line."""
    with pytest.raises(MeterError, match="no Cray node"):
        pm_counters.discover(tree.machine())
