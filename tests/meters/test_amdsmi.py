"""AMD GPUs against a fake package of our own; no real card was at hand."""

from __future__ import annotations

import importlib.util

import pytest
from tests.fixtures import fake_devices

from sootprint.core.errors import MeterError
from sootprint.core.protocols import FakeClock, Machine, ProcessUse
from sootprint.meters.amdsmi_meter import AmdSmi, meter_of

STEP_J = 15.3e-6


@pytest.fixture
def fake_amdsmi(monkeypatch):
    """Function that sets variables of the fake package: `fake_amdsmi(COUNT=2)`."""

    def tell(**values):
        for name, value in values.items():
            monkeypatch.setenv(f"FAKE_AMDSMI_{name}", str(value))

    return tell


@pytest.fixture
def discover(fake_amdsmi):
    """Function that makes a meter of the fake: `discover(COUNT=2)`."""
    path = fake_devices.AMDSMI_PACKAGE / "amdsmi.py"
    spec = importlib.util.spec_from_file_location("fake_amdsmi", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    def make(environ=None, **values):
        fake_amdsmi(**values)
        return meter_of(AmdSmi(module), Machine(environ=environ or {}, clock=FakeClock()))

    return make


@pytest.mark.parametrize("counter", ["sane", "old"])
def test_counter_in_joules(discover, fake_amdsmi, counter):
    """100 W for 20 s are 2000 J, to a step of 15.3 uJ; GPU 1 draws 110 W. Both names of the counter are read."""
    meter = discover(COUNT=2, COUNTER=counter)
    fake_amdsmi(AT=20)
    first, second = meter.read()
    assert first.energy_j == pytest.approx(2000.0, abs=2 * STEP_J)
    assert second.energy_j == pytest.approx(2200.0, abs=2 * STEP_J)
    assert (first.component, second.component) == ("accelerator:0", "accelerator:1")
    assert (first.utilisation, first.max_power_w, meter.poll_s) == (0.6, 1120.0, None)
    assert first.wraps_at_j == pytest.approx(2**64 * STEP_J)


@pytest.mark.parametrize("power", ["current", "average", "ones"])
def test_power_where_there_is_no_counter(discover, power):
    """The socket's power, current or mean, polled 20 times a second with wider bounds; all ones are no power."""
    meter = discover(COUNTER="none", POWER=power)
    (reading,) = meter.read()
    assert (reading.power_w, reading.energy_j, meter.poll_s) == (100.0, None, 0.05)
    assert (reading.low_ratio, reading.high_ratio) == (0.85, 1.15)


@pytest.mark.parametrize("unit", ["uw", "w"])
def test_limit_in_either_unit(discover, unit):
    """Releases state the limit of 560 W in microwatts or in watts; a step may imply twice of it."""
    (reading,) = discover(CAP=unit).read()
    assert reading.max_power_w == 1120.0


def test_call_with_other_parameters_is_no_answer(discover, monkeypatch):
    """A release whose call needs more parameters tells no limit, and the meter goes on."""
    meter = discover()
    monkeypatch.setattr(meter._smi._module, "amdsmi_get_power_cap_info", lambda handle, sensor: {})
    assert meter._smi.limit_w(0) is None


def test_counter_that_disagrees_with_power_is_not_used(discover):
    """A counter that implies 100 kW beside a power of 100 W is nonsense: power it is, and said so."""
    meter = discover(COUNTER="nonsense")
    (reading,) = meter.read()
    assert reading.power_w == 100.0
    assert "disagrees with its power" in meter.facts().warnings[0]


def test_counter_that_stands_still_is_not_used(discover):
    """A counter that does not move in a tenth of a second gives way to power."""
    (reading,) = discover(COUNTER="still").read()
    assert (reading.power_w, reading.energy_j) == (100.0, None)


def test_not_available_is_not_zero(discover):
    """A card that answers "N/A" has no power, so there is no meter."""
    with pytest.raises(MeterError, match="no GPU tells"):
        discover(COUNTER="none", POWER="na")


def test_lost_card_leaves_the_others(discover, fake_amdsmi):
    """A card that answers no call is left out; when all are lost that is an error."""
    meter = discover(COUNT=2)
    fake_amdsmi(LOST="0")
    assert [reading.component for reading in meter.read()] == ["accelerator:1"]
    fake_amdsmi(LOST="1")
    assert [reading.component for reading in meter.read()] == ["accelerator:0"]


def test_all_cards_lost(discover, fake_amdsmi):
    """No answer at all is an error."""
    meter = discover()
    fake_amdsmi(LOST="0")
    with pytest.raises(MeterError, match="no GPU answers"):
        meter.read()


@pytest.mark.parametrize(
    ("environ", "seen"),
    [
        ({}, ["accelerator:0", "accelerator:1", "accelerator:2"]),
        ({"ROCR_VISIBLE_DEVICES": "1,2"}, ["accelerator:1", "accelerator:2"]),
        ({"ROCR_VISIBLE_DEVICES": "1,2", "HIP_VISIBLE_DEVICES": "1"}, ["accelerator:2"]),
        ({"HIP_VISIBLE_DEVICES": "0"}, ["accelerator:0"]),
    ],
)
def test_cards_of_the_job(discover, environ, seen):
    """HIP's list counts within ROCm's."""
    assert [reading.component for reading in discover(environ, COUNT=3).read()] == seen


def test_identities_are_not_understood_and_said_so(discover):
    """A list of identities counts all cards, with a warning."""
    meter = discover({"ROCR_VISIBLE_DEVICES": "GPU-0123456789abcdef"}, COUNT=2)
    assert len(meter.read()) == 2
    assert "all are counted" in meter.facts().warnings[0]


def test_hidden_cards(discover):
    """A list that hides all cards is an error."""
    with pytest.raises(MeterError, match="HIP_VISIBLE_DEVICES"):
        discover({"HIP_VISIBLE_DEVICES": "-1"})


@pytest.mark.parametrize("lists", ["new", "handles", "old"])
def test_processes_on_each_card(discover, lists):
    """Memory in bytes under each release's names; busy shares are not told; a size that is "N/A" is unknown."""
    meter = discover(COUNT=2, PROCESSES="0:77:512,1:78:-,0:79:1", LISTS=lists)
    assert meter.processes() == {
        "accelerator:0": [ProcessUse(77, 512 << 20), ProcessUse(79, 1 << 20)],
        "accelerator:1": [ProcessUse(78)],
    }


def test_processes_that_may_not_be_seen(discover):
    """A card that does not tell is left out, which is not the same as nobody."""
    assert discover(LISTS="error").processes() == {}
    assert discover(LISTS="new").processes() == {"accelerator:0": []}


@pytest.mark.parametrize(
    ("environ", "seen"),
    [
        ({}, {0, 1, 2}),
        ({"ROCR_VISIBLE_DEVICES": "1,2", "HIP_VISIBLE_DEVICES": "1"}, {2}),
        ({"HIP_VISIBLE_DEVICES": "-1"}, set()),
    ],
)
def test_cards_of_another_job(discover, environ, seen):
    """Whatever the meter's own environment, among all cards of the machine."""
    meter = discover({"HIP_VISIBLE_DEVICES": "0"}, COUNT=3)
    assert meter.visible_to(environ) == {f"accelerator:{place}" for place in seen}


def test_facts(discover):
    """Name, limit and memory (64 GiB) of a card that the catalogue does not know."""
    (card,) = discover().facts().hardware
    assert (card.vendor, card.name, card.rated_power_w, card.memory_gb) == ("AMD", "Fake MI250X", 560.0, 68.7)


PROCESS = """
import json
from sootprint.core.errors import MeterError
from sootprint.core.protocols import Machine
from sootprint.meters import amdsmi
try:
    meter = amdsmi.discover(Machine())
    print(json.dumps([reading.component for reading in meter.read()]))
    meter.close()
except MeterError as err:
    print(json.dumps([str(err), err.fix]))
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """Folder of an empty libamd_smi.so."""
    if fake_devices.compiler() is None:
        pytest.skip(fake_devices.NO_COMPILER)
    return str(fake_devices.build_amdsmi(tmp_path_factory.mktemp("amdsmi")))


def test_package_is_found_beside_its_library(library):
    """In a process of its own, with the package on the path."""
    found = fake_devices.python(PROCESS, paths=(fake_devices.AMDSMI_PACKAGE,), LD_LIBRARY_PATH=library)
    assert found == ["accelerator:0"]


def test_library_without_package_names_the_command(library):
    """ROCm installs the library; its Python package is a step of its own."""
    reason, fix = fake_devices.python(PROCESS, LD_LIBRARY_PATH=library)
    assert "its Python package is not" in reason
    assert fix == "pip install /opt/rocm/share/amd_smi"


def test_driver_that_does_not_start(library):
    """The package's own words."""
    told = {"LD_LIBRARY_PATH": library, "FAKE_AMDSMI_INIT": "error"}
    reason, fix = fake_devices.python(PROCESS, paths=(fake_devices.AMDSMI_PACKAGE,), **told)
    assert "AMDSMI_STATUS_DRIVER_NOT_LOADED" in reason
    assert fix == "sudo modprobe amdgpu"


def test_machine_without_library(tmp_path):
    """The package is not even looked for."""
    reason, _ = fake_devices.python(
        PROCESS, paths=(fake_devices.AMDSMI_PACKAGE,), LD_LIBRARY_PATH=str(tmp_path)
    )
    assert reason == "amdsmi: no AMD GPU library on this machine"
