"""NVML against a fake driver library; what a real board shows is another matter."""

from __future__ import annotations

import ctypes
import time

import pytest
from tests.fixtures import fake_devices

from sootprint.core.errors import MeterError
from sootprint.core.protocols import FakeClock, Machine
from sootprint.meters import library
from sootprint.meters.nvml_library import Library
from sootprint.meters.nvml_meter import NvmlMeter, meter_of

UUID = "GPU-fa4e0000-0000-0000-0000-00000000000{}"
SLICE = "MIG-fa4e0000-0000-0000-0001-00000000000{}"


@pytest.fixture
def discover(nvml_folder, fake_nvml):
    """Function that makes a meter of the fake with its variables: `discover(COUNT=2)`."""
    meters: list[NvmlMeter] = []

    def make(environ=None, **values):
        fake_nvml(AT=0, **values)
        machine = Machine(environ=environ or {}, clock=FakeClock())
        library = Library(ctypes.CDLL(str(nvml_folder / "libnvidia-ml.so.1")))
        meters.append(meter_of(library, machine))
        return meters[-1]

    yield make
    for meter in meters:
        meter.close()


def energies(meter):
    """Counter of each card [J]."""
    return {reading.component: reading.energy_j for reading in meter.read()}


def powers(meter):
    """Power of each card [W]."""
    return {reading.component: reading.power_w for reading in meter.read()}


def test_counter_in_joules(discover, fake_nvml):
    """60 W for 10 s are 600 J on top of the counter's start; GPU 1 draws 66 W."""
    meter = discover(COUNT=2, ENERGY0_MJ=1_000_000, BASE_MW=60_000)
    assert energies(meter) == {"accelerator:0": 1000.0, "accelerator:1": 1000.0}
    fake_nvml(AT=10)
    assert energies(meter) == {"accelerator:0": 1600.0, "accelerator:1": 1660.0}
    assert meter.poll_s is None


def test_square_wave_by_counter(discover, fake_nvml):
    """100 W and 300 W in turn, 1 s each: 7 s from 0 hold 4 s high and 3 s low, 1500 J."""
    meter = discover(ENERGY0_MJ=0, WAVE="square", BASE_MW=100_000, AMP_MW=200_000, PERIOD_S=2)
    fake_nvml(AT=7)
    assert energies(meter) == {"accelerator:0": 1500.0}


def test_what_a_reading_states(discover):
    """Utilisation as a share; twice the card's highest limit (400 W); 5 % either way."""
    (reading,) = discover(LIMIT_MW=300_000, UTIL=75).read()
    assert (reading.meter, reading.basis, reading.wraps_at_j) == ("nvml", "sensor", None)
    assert (reading.utilisation, reading.max_power_w) == (0.75, 800.0)
    assert (reading.low_ratio, reading.high_ratio) == (0.95, 1.05)


def test_a_glance_tells_what_a_look_tells(discover, fake_nvml):
    """Counter and utilisation of every card; None where cards are read by their power."""
    meter = discover(COUNT=2, ENERGY0_MJ=1_000_000, BASE_MW=60_000, UTIL=75)
    fake_nvml(AT=10)
    read = [(one.component, one.at_s, one.energy_j, one.utilisation) for one in meter.read()]
    assert (
        meter.glance() == read == [("accelerator:0", 0.0, 1600.0, 0.75), ("accelerator:1", 0.0, 1660.0, 0.75)]
    )
    assert discover(NO_ENERGY=1).glance() is None


@pytest.mark.parametrize("fields", ["", "1"])
def test_card_without_counter_is_polled_for_its_power(discover, fake_nvml, fields):
    """No counter: power 20 times a second with wider bounds, by the instant field or, on old drivers, the average."""
    meter = discover(NO_ENERGY=1, NO_FIELDS=fields, WAVE="ramp", BASE_MW=50_000, AMP_MW=100_000, PERIOD_S=10)
    assert meter.poll_s == 0.05
    fake_nvml(AT=5)
    (reading,) = meter.read()
    assert (reading.power_w, reading.energy_j) == (100.0, None)
    assert (reading.low_ratio, reading.high_ratio) == (0.90, 1.10)


def test_field_that_is_not_filled_gives_way(discover):
    """A power field of 0 W beside a power of 60 W is not filled: the power counts."""
    assert powers(discover(NO_ENERGY=1, ZERO_FIELDS=1)) == {"accelerator:0": 60.0}


def test_mixed_cards_are_all_polled(discover):
    """One meter has one pace: beside a card without counter the others are read by power too."""
    meter = discover(COUNT=3, NO_ENERGY_ON=1)
    assert meter.poll_s == 0.05
    assert powers(meter) == {"accelerator:0": 60.0, "accelerator:1": 66.0, "accelerator:2": 72.0}


def test_impossible_power_is_no_reading(discover, fake_nvml):
    """5,000 W of a card with a limit of 400 W is a gap, not a reading."""
    meter = discover(COUNT=2, NO_ENERGY=1)
    fake_nvml(BASE_MW=5_000_000)
    Library(meter._library._cdll).close()  # the fake reads its waveform when it is initialised
    with pytest.raises(MeterError, match="no GPU answers"):
        meter.read()


def test_lost_card_leaves_the_others(discover, fake_nvml):
    """A card that is lost is missing from the readings until it returns; the healthy ones stay."""
    meter = discover(COUNT=3, ENERGY0_MJ=0)
    fake_nvml(AT=10, LOST="1")
    assert energies(meter) == {"accelerator:0": 600.0, "accelerator:2": 720.0}
    fake_nvml(LOST="")
    assert energies(meter)["accelerator:1"] == 660.0


def test_all_cards_lost(discover, fake_nvml):
    """When no card answers the meter says so, as an error and not as zero."""
    meter = discover(COUNT=2)
    fake_nvml(LOST="0,1")
    with pytest.raises(MeterError, match="no GPU answers"):
        meter.read()


def test_card_lost_from_the_start_is_named(discover):
    """It is not counted, and the others keep their counters."""
    meter = discover(COUNT=2, LOST="1")
    assert list(energies(meter)) == ["accelerator:0"]
    assert meter.poll_s is None
    assert meter.facts().warnings == ("nvml: GPU 1 tells neither energy nor power and is not counted",)


def test_utilisation_that_fails_costs_no_energy(discover):
    """In MIG mode there is no utilisation; the energy stays."""
    (reading,) = discover(NO_UTIL=1, ENERGY0_MJ=5000).read()
    assert (reading.energy_j, reading.utilisation) == (5.0, None)


def test_counter_reset_shows_as_it_is(discover, fake_nvml):
    """A driver that is loaded again starts its counter anew; what that means is settled by the energy functions."""
    meter = discover(ENERGY0_MJ=10_000_000, RESET_AT=30)
    fake_nvml(AT=29)
    assert energies(meter) == {"accelerator:0": 11740.0}
    fake_nvml(AT=31)
    assert energies(meter) == {"accelerator:0": 60.0}


@pytest.mark.parametrize(
    ("value", "seen"),
    [
        ("2", ["accelerator:2"]),
        ("2,0", ["accelerator:0", "accelerator:2"]),
        (UUID.format(1), ["accelerator:1"]),
        (f"MIG-{UUID.format(3)}/1/0", ["accelerator:3"]),
    ],
)
def test_cards_of_the_job(discover, value, seen):
    """Components bear the physical number, whatever number CUDA gives the card."""
    assert list(energies(discover({"CUDA_VISIBLE_DEVICES": value}, COUNT=4))) == seen


@pytest.mark.parametrize("value", ["", "-1", "9", "GPU-0"])
def test_job_without_cards(discover, value):
    """A list that hides all cards is an error that names the variable."""
    with pytest.raises(MeterError, match="CUDA_VISIBLE_DEVICES"):
        discover({"CUDA_VISIBLE_DEVICES": value}, COUNT=4)


def test_slice_counts_its_whole_card(discover):
    """A slice is found by its identity; the warning says that the whole card is counted."""
    meter = discover({"CUDA_VISIBLE_DEVICES": SLICE.format(2)}, COUNT=4, MIG=1)
    assert list(energies(meter)) == ["accelerator:2"]
    assert meter.facts().warnings == ("nvml: the job sees a MIG slice of GPU 2; the whole card is counted",)


def test_slice_that_is_not_found_counts_every_divided_card(discover):
    """Too much with a warning for each card, rather than nothing."""
    meter = discover({"CUDA_VISIBLE_DEVICES": "MIG-0000"}, COUNT=2, MIG=1)
    assert list(energies(meter)) == ["accelerator:0", "accelerator:1"]
    assert len(meter.facts().warnings) == 2


def test_module_counter_gives_way_to_power_of_the_gpu(discover, fake_nvml):
    """On Grace Hopper the counter holds the CPU too: the GPU's own power is integrated instead, and said so."""
    meter = discover(MODULE_MW=150_000)
    assert (meter.poll_s, powers(meter)) == (0.05, {"accelerator:0": 60.0})
    assert "covers its whole module" in meter.facts().warnings[0]


def test_module_counter_without_power_has_a_low_bound(discover, fake_nvml):
    """Where the GPU's own power is not told, the module's energy stands, with half of it as the low bound."""
    meter = discover(MODULE_MW=150_000, NO_FIELDS=1, ENERGY0_MJ=0)
    fake_nvml(AT=10)
    (reading,) = meter.read()
    assert (reading.energy_j, reading.low_ratio) == (2100.0, 0.50)
    assert [(one.low, one.high) for one in meter.facts().factors] == [(0.50, 1.05)]


def test_facts(discover):
    """Name and count as the driver tells; power and memory from the catalogue where it knows the card."""
    unknown = discover(COUNT=2, NAME="Fake A1", LIMIT_MW=250_000).facts()
    (card,) = unknown.hardware
    assert (card.kind, card.vendor, card.name, card.count) == ("accelerator", "NVIDIA", "Fake A1", 2)
    assert (card.rated_power_w, card.memory_gb) == (250.0, 42.9)  # 40 GiB
    assert [factor.key for factor in unknown.factors] == ["nvml energy counter"]
    (known,) = discover(COUNT=2, NAME="NVIDIA H100 80GB HBM3").facts().hardware
    assert (known.rated_power_w, known.memory_gb, known.name) == (700.0, 80.0, "NVIDIA H100 80GB HBM3")


def test_no_gpu(discover):
    """A driver without cards is an error, not an empty meter."""
    with pytest.raises(MeterError, match="knows no GPU"):
        discover(COUNT=0)


def test_gpu_that_tells_nothing(discover):
    """A virtual GPU that hides energy and power is an error."""
    with pytest.raises(MeterError, match="no GPU tells"):
        discover(NO_ENERGY=1, NO_POWER=1, COUNT=1)


def test_driver_that_does_not_start(nvml_folder, fake_nvml):
    """The return code in the driver's own words, and the command that loads it."""
    fake_nvml(INIT_RC=9)
    with pytest.raises(MeterError, match="Driver Not Loaded") as caught:
        Library(ctypes.CDLL(str(nvml_folder / "libnvidia-ml.so.1")))
    assert caught.value.fix == "load the driver: sudo modprobe nvidia"


def test_slow_driver_stamps_readings_when_they_were_taken(discover, fake_nvml):
    """A card that takes 30 ms to answer is read all the same; utilisation and power come with it."""
    meter = discover(COUNT=2, NO_ENERGY=1)
    fake_nvml(HANG_MS=30)
    start_s = time.monotonic()
    assert powers(meter) == {"accelerator:0": 60.0, "accelerator:1": 66.0}
    assert time.monotonic() - start_s >= 0.06


NO_DRIVER = """
import json, sys
from sootprint.core.errors import MeterError
from sootprint.core.protocols import Machine
from sootprint.meters import nvml
try:
    nvml.discover(Machine())
except MeterError as err:
    print(json.dumps([str(err), sorted(name for name in sys.modules if "nvml" in name)]))
"""
FOUND = """
import json, time
from sootprint.core.protocols import Machine
from sootprint.meters import nvml
meter = nvml.discover(Machine())
first = meter.read()
time.sleep(0.3)
second = meter.read()
meter.close()
steps = [[b.energy_j - a.energy_j, b.at_s - a.at_s] for a, b in zip(first, second, strict=True)]
print(json.dumps(steps))
"""
GENUINE = """
import json
import pynvml
from sootprint.core.protocols import Machine
from sootprint.meters import nvml
pynvml.nvmlInit()
meter = nvml.discover(Machine())
rows = []
for reading in meter.read():
    handle = pynvml.nvmlDeviceGetHandleByIndex(int(reading.component.partition(":")[2]))
    field = pynvml.nvmlDeviceGetFieldValues(handle, [(186, 0)])[0]
    rows.append([
        reading.energy_j, pynvml.nvmlDeviceGetTotalEnergyConsumption(handle) / 1000,
        reading.utilisation, pynvml.nvmlDeviceGetUtilizationRates(handle).gpu / 100,
        meter._library.name(handle), pynvml.nvmlDeviceGetName(handle),
        meter._library.identity(handle), pynvml.nvmlDeviceGetUUID(handle),
        meter._library.memory_bytes(handle), pynvml.nvmlDeviceGetMemoryInfo(handle).total,
        meter._library.default_limit_mw(handle), pynvml.nvmlDeviceGetPowerManagementDefaultLimit(handle),
    ])
print(json.dumps(rows))
"""


def test_machine_without_driver_loads_no_binding(tmp_path):
    """Neither pynvml nor our own binding is imported where there is no library."""
    reason, modules = fake_devices.python(NO_DRIVER, LD_LIBRARY_PATH=str(tmp_path))
    assert reason == "nvml: no NVIDIA driver library on this machine"
    assert modules == ["sootprint.meters.nvml"]


def test_driver_is_found_where_the_loader_looks(nvml_folder):
    """In a process of its own: 60 W and 66 W, energy over time, to a millijoule in 0.3 s."""
    steps = fake_devices.python(FOUND, LD_LIBRARY_PATH=str(nvml_folder), FAKE_NVML_COUNT="2")
    for watts, (energy_j, duration_s) in zip((60.0, 66.0), steps, strict=True):
        assert energy_j / duration_s == pytest.approx(watts, rel=5e-3)


def test_binding_agrees_with_the_genuine_client(nvml_folder):
    """NVIDIA's own Python client and our binding read the same numbers from one library."""
    told = {"LD_LIBRARY_PATH": str(nvml_folder), "FAKE_NVML_COUNT": "2", "FAKE_NVML_AT": "12.5"}
    for row in fake_devices.python(GENUINE, **told):
        assert row[0::2] == row[1::2]
        assert None not in row


def test_names_of_the_library():
    """One library by its soname, and the one that WSL mounts."""
    assert library.NVIDIA[0] == "libnvidia-ml.so.1"
