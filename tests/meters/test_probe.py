"""All meters of a machine at once."""

from __future__ import annotations

import sys
import threading
import time

import pytest
from tests.fixtures import fake_devices
from tests.fixtures.fake_powercap import build

from sootprint.core import registry
from sootprint.core.errors import MeterError, SettingsError
from sootprint.meters import probe
from sootprint.meters.wall import NAMES as WALL_METERS

ALL = ["nvml", "amdsmi", "rapl", "cpu", "memory", "storage", "network", "node", *WALL_METERS]
MODELLED = ["cpu", "memory", "storage", "network", "node"]


def test_meters_come_in_the_order_of_preference(server):
    """Sensors before models; what fails comes with its reason."""
    build(server.sys / "class/powercap")
    meters, failures = probe.discover_all(server.machine())
    assert [meter.name for meter in meters][-6:] == ["rapl", *MODELLED]
    assert [failure.name for failure in failures] == ["nvml", "amdsmi", *WALL_METERS]
    assert all(failure.reason.startswith(f"{failure.name}: ") for failure in failures)


def test_empty_machine_keeps_every_model(tree):
    """Nothing to read anywhere: the models stay, with priors."""
    meters, failures = probe.discover_all(tree.machine())
    assert [meter.name for meter in meters] == MODELLED
    assert [failure.name for failure in failures] == ["nvml", "amdsmi", "rapl", *WALL_METERS]


def test_chosen_meters_only(server):
    """Names choose the meters and their order."""
    meters, failures = probe.discover_all(server.machine(), ["node", "rapl"])
    assert [meter.name for meter in meters] == ["node"]
    assert [failure.name for failure in failures] == ["rapl"]


def test_unknown_name_is_refused(server):
    """The message has the names that there are."""
    with pytest.raises(SettingsError, match="nvml, amdsmi, rapl"):
        probe.discover_all(server.machine(), ["wattmeter"])


def test_operating_system_errors_become_meter_errors(server, monkeypatch):
    """A driver's own failure is a reason without paths."""

    def fails(machine):
        raise PermissionError(13, "Permission denied", "/home/somebody/secret")

    monkeypatch.setattr(registry, "load", lambda group, name: fails)
    with pytest.raises(MeterError, match="Permission denied") as caught:
        probe.discover("cpu", server.machine())
    assert str(caught.value) == "cpu: Permission denied"


def doctor(tree):
    """Entries by name."""
    return {entry["name"]: entry for entry in probe.doctor(tree.machine())}


def test_doctor_has_one_entry_for_each_meter(server):
    """The keys that other programs rely on."""
    entries = probe.doctor(server.machine())
    assert [entry["name"] for entry in entries] == ALL
    assert all(list(entry) == ["name", "readable", "basis", "reason", "fix"] for entry in entries)
    assert {entry["name"]: entry["readable"] for entry in entries} == {name: name in MODELLED for name in ALL}
    assert {entry["basis"] for entry in entries} == {None, "modelled"}


def test_doctor_tells_a_counter_that_stands_still(server):
    """A static tree is no meter."""
    build(server.sys / "class/powercap")
    entry = doctor(server)["rapl"]
    assert not entry["readable"]
    assert "do not move" in entry["reason"]


def test_doctor_reads_a_counter_that_moves(server):
    """A tree that goes on is a sensor."""
    fake = build(server.sys / "class/powercap")
    done = threading.Event()

    def go_on():
        start_s = time.monotonic()
        while not done.wait(0.01):
            fake.update(time.monotonic() - start_s)

    mover = threading.Thread(target=go_on)
    mover.start()
    try:
        entry = doctor(server)["rapl"]
    finally:
        done.set()
        mover.join()
    assert entry == {"name": "rapl", "readable": True, "basis": "sensor", "reason": None, "fix": None}


def test_doctor_says_what_a_model_assumes(tree):
    """A readable meter with assumptions has them as its reason."""
    entry = doctor(tree)["memory"]
    assert entry["readable"]
    assert "GB assumed" in entry["reason"]


LIGHT = """
import json, sys
from sootprint.core.protocols import Machine
from sootprint.meters import probe
meters, _ = probe.discover_all(Machine())
readings = [meter.read() for meter in meters]
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="psutil serves the models on other systems")
def test_measuring_imports_no_third_party_module():
    """Neither psutil, pynvml, numpy nor any other package is loaded to find and read every meter."""
    loaded = set(fake_devices.python(LIGHT))
    assert loaded - set(sys.stdlib_module_names) - {"__main__", "_virtualenv"} <= {
        "sootprint",
        "sitecustomize",
    } | {name for name in loaded if name.startswith(("_", "__editable__"))}


def test_other_systems_are_modelled_by_psutil(tree, monkeypatch):
    """Without /proc, as on macOS and Windows, times, size and traffic come from psutil; sensors are failures."""
    import psutil

    assert psutil.virtual_memory().total > 0
    monkeypatch.setattr(sys, "platform", "darwin")
    meters, failures = probe.discover_all(tree.machine())
    assert [meter.name for meter in meters] == MODELLED
    assert [failure.name for failure in failures] == ["nvml", "amdsmi", "rapl", *WALL_METERS]
    tree.clock.advance(1.0)
    for meter in meters:
        (reading,) = meter.read()
        assert reading.energy_j >= 0.0
    warned = {warning for meter in meters for warning in meter.facts().warnings}
    assert not any(
        "memory" in warning or "network" in warning or "utilisation" in warning for warning in warned
    )
