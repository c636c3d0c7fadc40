"""What every meter must keep, whatever device it reads."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from tests.fixtures import fake_devices
from tests.fixtures.fake_amdsmi import amdsmi as fake_amdsmi
from tests.fixtures.fake_powercap import build

from sootprint.core.protocols import FakeClock, Machine, MeterFacts
from sootprint.core.quantity import BASES
from sootprint.core.registry import BUILT_IN
from sootprint.meters import cpu, hwmon, memory, network, node, pm_counters, rapl, storage
from sootprint.meters.background import Background, Look
from sootprint.meters.trace import TraceMeter, TraceRow

COMPONENTS = {"accelerator", "cpu", "dram", "storage", "network", "node", "wall"}
CONSTANT = ("meter", "component", "basis", "wraps_at_j", "max_power_w", "low_ratio", "high_ratio")
LOOKS = 5
MODELS = {"cpu": cpu, "memory": memory, "storage": storage, "network": network, "node": node}


@pytest.fixture(scope="session")
def nvml_library(tmp_path_factory):
    """The fake NVML library."""
    if fake_devices.compiler() is None:
        pytest.skip(fake_devices.NO_COMPILER)
    folder = fake_devices.build_nvml(tmp_path_factory.mktemp("nvml"))
    return str(folder / "libnvidia-ml.so.1")


def machine_of(tmp_path, *, blind):
    """Machine with the usual files, or with none."""
    proc = tmp_path / "proc"
    (proc / "net").mkdir(parents=True)
    if not blind:
        (proc / "cpuinfo").write_text(
            "vendor_id : GenuineIntel\nmodel name : Intel(R) Core(TM) i7-8550U CPU @ 1.80GHz\n"
        )
        (proc / "meminfo").write_text("MemTotal: 16000000 kB\n")
    return Machine(sysfs=str(tmp_path / "sys"), procfs=str(proc), environ={}, clock=FakeClock())


def modelled(name, *, blind):
    """How to make and move on a model, with or without the kernel's files."""

    def make(request, tmp_path, monkeypatch):
        machine = machine_of(tmp_path, blind=blind)
        proc = tmp_path / "proc"

        def go_on(step):
            if not blind:
                (proc / "stat").write_text(f"cpu  {step * 40} 0 10 {step * 60} 0 0 0 0 0 0\n")
                row = f"eth0: {step * 1000} 1 0 0 0 0 0 0 {step * 500} 1 0 0 0 0 0 0\n"
                (proc / "net/dev").write_text(row)

        go_on(0)
        return MODELS[name].discover(machine), machine.clock, go_on

    return make


def powercap(request, tmp_path, monkeypatch):
    """RAPL on a fake tree."""
    machine = machine_of(tmp_path, blind=True)
    fake = build(tmp_path / "sys/class/powercap", "--packages", "2", "--start-uj", "0")
    return rapl.discover(machine), machine.clock, fake.update


def cards(*, counters):
    """NVML on a fake library, with or without energy counters."""

    def make(request, tmp_path, monkeypatch):
        from sootprint.meters.nvml_library import Library
        from sootprint.meters.nvml_meter import meter_of

        for name, value in {
            "COUNT": "2",
            "NO_ENERGY": "" if counters else "1",
            "AT": "0",
            "LOST": "",
        }.items():
            monkeypatch.setenv(f"FAKE_NVML_{name}", value)
        machine = Machine(environ={}, clock=FakeClock())
        meter = meter_of(Library(ctypes.CDLL(request.getfixturevalue("nvml_library"))), machine)
        request.addfinalizer(meter.close)
        return meter, machine.clock, lambda step: monkeypatch.setenv("FAKE_NVML_AT", str(step))

    return make


def amd_cards(*, counters):
    """Amdsmi on a fake package, with or without energy counters."""

    def make(request, tmp_path, monkeypatch):
        from sootprint.meters.amdsmi_meter import AmdSmi, meter_of

        monkeypatch.setenv("FAKE_AMDSMI_COUNTER", "sane" if counters else "none")
        machine = Machine(environ={}, clock=FakeClock())
        meter = meter_of(AmdSmi(fake_amdsmi), machine)
        return meter, machine.clock, lambda step: monkeypatch.setenv("FAKE_AMDSMI_AT", str(1e7 + step))

    return make


def traced(request, tmp_path, monkeypatch):
    """A trace of a counter and a power."""
    clock = FakeClock()
    rows = [TraceRow(at_s=step, component="cpu:0", energy_j=10.0 * step) for step in range(LOOKS)]
    rows.append(TraceRow(at_s=LOOKS, component="accelerator:0", power_w=100.0))
    return TraceMeter(rows, clock), clock, lambda step: None


def node_sensor(request, tmp_path, monkeypatch):
    """An ACPI power meter in a fake tree."""
    machine = machine_of(tmp_path, blind=True)
    folder = tmp_path / "sys/class/hwmon/hwmon0"
    folder.mkdir(parents=True)
    (folder / "name").write_text("power_meter\n")

    def go_on(step):
        (folder / "power1_average").write_text(f"{(200 + step) * 1_000_000}\n")

    go_on(0)
    return hwmon.discover(machine), machine.clock, go_on


def cray_node(request, tmp_path, monkeypatch):
    """Cray's counters in a fake tree."""
    machine = machine_of(tmp_path, blind=True)
    folder = tmp_path / "sys/cray/pm_counters"
    folder.mkdir(parents=True)

    def go_on(step):
        for name in ("energy", "cpu_energy", "memory_energy", "accel0_energy"):
            (folder / name).write_text(f"{1000 + 300 * step} J 1638553862101234 us\n")
        (folder / "freshness").write_text(f"{10 * step}\n")

    go_on(0)
    return pm_counters.discover(machine), machine.clock, go_on


def in_background(name):
    """A meter that is read in the background, looked at by hand."""

    def make(request, tmp_path, monkeypatch):
        clock = FakeClock()
        meter = Background(
            name, lambda: Look(power_w=200.0), clock, period_s=1.0, bounds=(0.9, 1.1), facts=MeterFacts()
        )
        monkeypatch.setattr(meter, "_thread", object())
        meter.look_once()
        return meter, clock, lambda step: meter.look_once()

    return make


MAKERS: dict[str, Callable] = {
    "nvml counter": cards(counters=True),
    "nvml power": cards(counters=False),
    "amdsmi counter": amd_cards(counters=True),
    "amdsmi power": amd_cards(counters=False),
    "rapl": powercap,
    "hwmon": node_sensor,
    "pm_counters": cray_node,
    **{name: in_background(name) for name in ("plug", "redfish", "ipmi")},
    "trace": traced,
    **{name: modelled(name, blind=False) for name in MODELS},
    **{f"{name} blind": modelled(name, blind=True) for name in MODELS},
}


@pytest.fixture(params=MAKERS)
def played(request, tmp_path, monkeypatch):
    """A meter, and its readings of five looks a second apart."""
    meter, clock, go_on = MAKERS[request.param](request, tmp_path, monkeypatch)
    looks = []
    for step in range(1, LOOKS + 1):
        clock.advance(1.0)
        go_on(step)
        looks.append({reading.component: reading for reading in meter.read()})
    return SimpleNamespace(meter=meter, looks=looks)


def pairs(played):
    """Two looks at one component in a row."""
    for before, after in zip(played.looks, played.looks[1:], strict=False):
        for component in before.keys() & after.keys():
            yield before[component], after[component]


def test_every_built_in_meter_is_tried():
    """No meter without this contract."""
    assert set(BUILT_IN["sootprint.meters"]) <= {name.partition(" ")[0] for name in MAKERS}


def test_readings_bear_known_names(played):
    """The meter's own name, a component of the record with or without an index, and a known basis."""
    for reading in (reading for look in played.looks for reading in look.values()):
        kind, _, index = reading.component.partition(":")
        assert reading.meter == played.meter.name
        assert kind in COMPONENTS
        assert index == "" or index.isdigit()
        assert reading.basis in BASES


def test_what_is_constant_stays(played):
    """Between two looks nothing changes but the instant, the number and the utilisation."""
    for before, after in pairs(played):
        assert [getattr(before, name) for name in CONSTANT] == [getattr(after, name) for name in CONSTANT]
        assert (before.energy_j is None, before.power_w is None) == (
            after.energy_j is None,
            after.power_w is None,
        )


def test_time_and_energy_go_on(played):
    """Instants advance; a counter does not fall; its steps imply a possible power."""
    seen = 0
    for before, after in pairs(played):
        seen += 1
        assert after.at_s > before.at_s
        if before.energy_j is not None:
            step_j = after.energy_j - before.energy_j
            assert step_j >= 0.0
            assert after.max_power_w is None or step_j <= after.max_power_w * (after.at_s - before.at_s)
    assert seen


def test_numbers_are_finite_and_not_negative(played):
    """One of energy and power at least; a utilisation between 0 and 1; bounds that hold the reading."""
    for reading in (reading for look in played.looks for reading in look.values()):
        numbers = [number for number in (reading.energy_j, reading.power_w) if number is not None]
        assert numbers
        assert all(math.isfinite(number) and number >= 0.0 for number in numbers)
        assert reading.utilisation is None or 0.0 <= reading.utilisation <= 1.0
        assert 0.0 <= reading.low_ratio <= 1.0 <= reading.high_ratio < math.inf


def test_only_powers_are_polled_within_a_tick(played):
    """A sensor of power alone asks for ten looks a second or more; a counter and a model need one a second or less."""
    sensed = [reading for reading in played.looks[-1].values() if reading.basis == "sensor"]
    if played.meter.name != "trace" and any(reading.energy_j is None for reading in sensed):
        assert 0.0 < played.meter.poll_s <= 0.1
    else:
        assert played.meter.poll_s is None or played.meter.poll_s >= 1.0


def test_facts_have_a_source(played):
    """Facts are facts: each constant has a source with its year and each warning is one line."""
    facts = played.meter.facts()
    assert isinstance(facts, MeterFacts)
    for factor in facts.factors:
        assert factor.value is not None
        assert factor.source
        assert factor.low is None or factor.low <= factor.value <= factor.high
    assert all("\n" not in warning for warning in facts.warnings)
    assert {hardware.kind for hardware in facts.hardware} <= COMPONENTS
