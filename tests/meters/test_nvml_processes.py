"""Processes on NVIDIA GPUs against the fake driver library, and our binding against NVIDIA's own client."""

from __future__ import annotations

import ctypes
import os

import pytest
from tests.fixtures import fake_devices

from sootprint.core.protocols import FakeClock, Machine, ProcessUse
from sootprint.meters.nvml_library import Library
from sootprint.meters.nvml_meter import meter_of

MIB = 1 << 20
FIRST, SECOND = "accelerator:0", "accelerator:1"
UUID = "GPU-fa4e0000-0000-0000-0000-00000000000{}"
SLICE = "MIG-fa4e0000-0000-0000-0001-00000000000{}"


@pytest.fixture
def listing(tmp_path):
    """File of the processes on the cards."""
    path = tmp_path / "processes"
    path.write_text("", encoding="utf-8")
    return path


@pytest.fixture
def discover(nvml_folder, fake_nvml, listing):
    """Function that makes a meter of two cards."""
    meters = []

    def make(environ=None, **values):
        fake_nvml(**({"AT": 0, "COUNT": 2, "PROCESSES_FILE": listing} | values))
        library = Library(ctypes.CDLL(str(nvml_folder / "libnvidia-ml.so.1")))
        meters.append(meter_of(library, Machine(environ=environ or {}, clock=FakeClock())))
        return meters[-1]

    yield make
    for meter in meters:
        meter.close()


def test_processes_of_each_card(discover, listing):
    """Memory in bytes and busy share; one without a sample is idle; a size that is not available is unknown."""
    listing.write_text("0 71 512 60\n0 72 1024 -\n1 73 - 20\n", encoding="utf-8")
    assert discover().processes() == {
        FIRST: [ProcessUse(71, 512 * MIB, 0.6), ProcessUse(72, 1024 * MIB, 0.0)],
        SECOND: [ProcessUse(73, None, 0.2)],
    }


def test_card_without_processes_is_told(discover):
    """Nobody on a card is an answer."""
    assert discover().processes() == {FIRST: [], SECOND: []}


def test_processes_come_and_go(discover, listing, fake_nvml):
    """Each look shows who is there now, and how busy since the look before."""
    listing.write_text("0 71 512 60\n", encoding="utf-8")
    meter = discover()
    assert meter.processes()[FIRST] == [ProcessUse(71, 512 * MIB, 0.6)]
    listing.write_text("0 71 768 30\n0 72 256 40\n", encoding="utf-8")
    fake_nvml(AT=1)
    assert meter.processes()[FIRST] == [ProcessUse(71, 768 * MIB, 0.3), ProcessUse(72, 256 * MIB, 0.4)]
    listing.write_text("0 72 256 90\n", encoding="utf-8")
    fake_nvml(AT=2)
    assert meter.processes()[FIRST] == [ProcessUse(72, 256 * MIB, 0.9)]


def test_look_between_two_samples_shows_the_last_once(discover, listing):
    """No new sample at the next look: the driver is late; at the one after: nobody is busy."""
    listing.write_text("0 71 512 60\n", encoding="utf-8")
    meter = discover()
    assert [meter.processes()[FIRST][0].busy for _ in range(3)] == [0.6, 0.6, 0.0]


def test_samples_of_one_look_are_averaged(discover, listing):
    """40 % and 60 %; a process that was idle in one of the two samples counts half of its 30 %."""
    listing.write_text("0 71 512 40/60\n0 72 512 30\n", encoding="utf-8")
    assert [process.busy for process in discover().processes()[FIRST]] == [0.5, 0.15]


def test_sample_that_is_impossible_is_left_out(discover, listing):
    """A buffer may hold entries that were never filled: no process, or more than 100 %."""
    listing.write_text("0 71 512 60\n0 72 1 4000000\n0 0 0 50\n", encoding="utf-8")
    (_, first, second) = discover().processes()[FIRST]
    assert (first.busy, second.busy) == (0.6, 0.0)


def test_process_that_computes_and_draws_is_one(discover, listing):
    """It is in both lists, with the same memory in each."""
    listing.write_text("0 71 512 60 CG\n0 72 64 5 G\n", encoding="utf-8")
    assert discover().processes()[FIRST] == [ProcessUse(71, 512 * MIB, 0.6), ProcessUse(72, 64 * MIB, 0.05)]


@pytest.mark.parametrize("unknown", [{"NO_PROC_UTIL": 1}, {"MIG": 1}])
def test_busy_share_that_is_not_told(discover, listing, unknown):
    """The memory stays; not told is not idle."""
    listing.write_text("0 71 512 60\n", encoding="utf-8")
    assert discover(**unknown).processes()[FIRST] == [ProcessUse(71, 512 * MIB, None)]


def test_memory_that_is_not_told(discover, listing):
    """Without the right to list processes the samples still name those that were busy."""
    listing.write_text("0 71 512 60\n", encoding="utf-8")
    assert discover(NO_PROCESSES=1).processes()[FIRST] == [ProcessUse(71, None, 0.6)]


def test_card_that_tells_nothing_is_left_out(discover, fake_nvml):
    """Neither list nor samples, or lost: which is not the same as nobody."""
    assert discover(NO_PROCESSES=1, NO_PROC_UTIL=1).processes() == {}
    meter = discover(NO_PROCESSES="", NO_PROC_UTIL="")
    fake_nvml(LOST="1")
    assert list(meter.processes()) == [FIRST]


@pytest.mark.parametrize("version", [1, 2])
def test_older_drivers(discover, listing, version):
    """Their lists have other names, and the oldest another structure."""
    listing.write_text("0 71 512 60\n0 72 256 10\n0 73 64 0 G\n", encoding="utf-8")
    sizes = [512 * MIB, 256 * MIB, 64 * MIB]
    assert [one.memory_bytes for one in discover(PROCESS_API=version).processes()[FIRST]] == sizes


def test_more_processes_than_there_is_room_for(discover, listing):
    """60 processes: the buffers grow and every one is there."""
    listing.write_text("".join(f"0 {pid} 1 1\n" for pid in range(100, 160)), encoding="utf-8")
    assert [one.pid for one in discover().processes()[FIRST]] == list(range(100, 160))


@pytest.mark.parametrize(
    ("value", "seen"),
    [
        (None, {0, 1, 2, 3}),
        ("2,0", {0, 2}),
        (UUID.format(1), {1}),
        (SLICE.format(3), {3}),
        ("", set()),
        ("-1", set()),
    ],
)
def test_cards_of_another_job(discover, value, seen):
    """Among all cards that the driver knows, whatever the meter itself may use."""
    meter = discover({"CUDA_VISIBLE_DEVICES": "1"}, COUNT=4, MIG=1)
    environ = {} if value is None else {"CUDA_VISIBLE_DEVICES": value}
    assert meter.visible_to(environ) == {f"accelerator:{place}" for place in seen}


def test_meter_of_the_whole_machine(discover, monkeypatch):
    """A machine whose environment lacks the variable has all cards, even where this process has none."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert [reading.component for reading in discover({}).read()] == [FIRST, SECOND]


GENUINE = """
import json, os
import pynvml
from sootprint.core.protocols import Machine
from sootprint.meters import nvml
pynvml.nvmlInit()
meter = nvml.discover(Machine())
rows = []
for component, processes in meter.processes().items():
    handle = pynvml.nvmlDeviceGetHandleByIndex(int(component.partition(":")[2]))
    theirs = pynvml.nvmlDeviceGetComputeRunningProcesses_v3(handle)
    theirs += pynvml.nvmlDeviceGetGraphicsRunningProcesses_v3(handle)
    samples = pynvml.nvmlDeviceGetProcessUtilization(handle, 0)
    rows.append([
        {process.pid: process.memory_bytes for process in processes},
        {process.pid: process.usedGpuMemory for process in theirs},
        {process.pid: round(100 * process.busy) for process in processes if process.busy},
        {sample.pid: sample.smUtil for sample in samples},
    ])
print(json.dumps(rows))
"""


def test_binding_agrees_with_the_genuine_client(nvml_folder, listing):
    """NVIDIA's own Python client and our binding see the same processes, sizes and busy shares."""
    pytest.importorskip("pynvml", reason="the genuine client, nvidia-ml-py, is not installed")
    listing.write_text(f"0 71 512 60\n0 {os.getpid()} - 25 G\n1 73 64 1\n", encoding="utf-8")
    told = {"FAKE_NVML_COUNT": "2", "FAKE_NVML_AT": "3", "FAKE_NVML_PROCESSES_FILE": str(listing)}
    rows = fake_devices.python(GENUINE, LD_LIBRARY_PATH=str(nvml_folder), **told)
    assert len(rows) == 2
    for ours, theirs, busy, their_busy in rows:
        assert ours == theirs
        assert busy == their_busy
        assert ours
        assert busy
