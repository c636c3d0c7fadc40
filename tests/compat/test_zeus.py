"""Zeus's interface: windows that may overlap, in joules and seconds of counters."""

from __future__ import annotations

import csv
import itertools
import math
import re
import sys
import threading
import time
import types
from collections.abc import Iterator
from pathlib import Path

import pytest

from sootprint.compat.zeus import Measurement, ZeusMonitor
from sootprint.compat.zeus.monitor import ARGUMENTS, USED, _spent
from sootprint.core.errors import InputError
from sootprint.core.quantity import Quantity
from sootprint.core.records import Component, Footprint, Hardware
from sootprint.core.units import energy_kwh
from sootprint.importers import zeus as importer
from tests.fixtures import fake_powercap

PAGE = Path(__file__).resolve().parents[2] / "docs/how-to/come-from-another-tool.md"


@pytest.fixture
def two_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """Counters of two processors and their memory, which move meanwhile: 40 W each, and 10 W; when they moved [s]."""
    tree = fake_powercap.build(tmp_path / "class/powercap", "--base-w", "40", "--packages", "2")
    monkeypatch.setenv("SOOTPRINT_SYSFS", str(tmp_path))
    began_s, stop = time.monotonic(), threading.Event()
    moved_s = [0.0]

    def move() -> None:
        while not stop.wait(0.002):
            at_s = time.monotonic() - began_s
            tree.update(at_s)
            moved_s.append(at_s)

    tree.update(0.0)
    thread = threading.Thread(target=move)
    thread.start()
    yield moved_s
    stop.set()
    thread.join()


def test_windows_that_overlap_have_each_their_own_joules(two_packages: list[float]) -> None:
    """40 W and 10 W for the time of each, by processor; what is inside of two windows is in both."""
    monitor = ZeusMonitor()
    time.sleep(0.3)
    monitor.begin_window("a")
    time.sleep(0.5)
    monitor.begin_window("b")
    time.sleep(0.5)
    first = monitor.end_window("a")
    time.sleep(0.5)
    second = monitor.end_window("b")
    behind_s = 2.0 * max(after_s - before_s for before_s, after_s in itertools.pairwise(two_packages))
    for window in (first, second):
        assert window.time >= 1.0
        within_s = 0.15 * window.time + behind_s  # the counters stand still where their thread is late
        for energy_j, power_w in ((window.cpu_energy, 40.0), (window.dram_energy, 10.0)):
            exact_j = pytest.approx(power_w * window.time, abs=power_w * within_s)
            assert energy_j == {0: exact_j, 1: exact_j}
        assert (window.gpu_energy, window.total_energy, window.soc_energy) == ({}, 0, None)
    made = monitor.stop()
    assert [span.name for span in made.spans] == ["a", "b"]


@pytest.mark.usefixtures("two_packages")
def test_devices_that_were_asked_for_are_told_alone() -> None:
    """By their place, as there."""
    monitor = ZeusMonitor(cpu_indices=[1])
    monitor.begin_window("w")
    time.sleep(0.2)
    assert set(monitor.end_window("w").cpu_energy) == {1}
    monitor.stop()


def test_processor_without_a_counter_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As there: a model is in the record, not in the window."""
    monkeypatch.setenv("SOOTPRINT_SYSFS", str(tmp_path))
    monitor = ZeusMonitor(sync_execution_with="jax")
    monitor.begin_window("w")
    measured = monitor.end_window("w")
    assert (measured.cpu_energy, measured.dram_energy, measured.gpu_energy) == (None, None, {})
    assert monitor.stop().energy_kwh.value > 0.0


def test_window_that_is_not_open_raises_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """One line says so; begun twice it goes on, restarted it begins anew, cancelled it counts for nothing."""
    monitor = ZeusMonitor()
    assert math.isnan(monitor.end_window("w").time)
    monitor.begin_window("w")
    time.sleep(0.2)
    monitor.begin_window("w")
    assert monitor.end_window("w").time >= 0.2
    monitor.begin_window("w")
    time.sleep(0.2)
    restarted_s = time.monotonic()
    monitor.begin_window("w", restart=True)
    assert monitor.end_window("w").time <= time.monotonic() - restarted_s + 0.001
    monitor.begin_window("w")
    assert monitor.end_window("w", cancel=True) == Measurement(time=0.0, gpu_energy={}, cpu_energy={})
    monitor.begin_window("w")
    monitor.reset_windows()
    assert math.isnan(monitor.end_window("w").time)
    monitor.stop()
    assert caplog.text.count("window 'w' is not open") == 2 and "window 'w' is open" in caplog.text


def test_arguments_are_those_of_zeus(caplog: pytest.LogCaptureFixture) -> None:
    """Unknown ones are a TypeError; those without a meaning are named, here and on the page."""
    with pytest.raises(TypeError, match="unexpected keyword argument 'gpus'"):
        ZeusMonitor(gpus=[0])
    ZeusMonitor(None, approx_instant_energy=True).stop()
    assert caplog.messages[0].startswith("zeus: approx_instant_energy has no meaning here")
    told = re.search(
        r"^`ZeusMonitor` ignores ((?:`\w+`(?:, | and )?)+)", PAGE.read_text(encoding="utf-8"), re.MULTILINE
    )
    assert set(re.findall(r"`(\w+)`", told[1])) == set(ARGUMENTS) - set(USED)


def cards(*joules: float | None, basis: str = "sensor") -> Footprint:
    """A run with a card for each number; of None by no sensor."""
    parts = tuple(
        Component(
            component=f"accelerator:{place}",
            meter="nvml",
            energy_kwh=Quantity(
                value=energy_kwh(one or 1.0), basis="sensor" if one is not None else "modelled"
            ),
        )
        for place, one in enumerate(joules)
    )
    return Footprint(id="01931c3e-0000-7000-8000-000000000000", components=parts)


def test_card_that_no_sensor_measures_is_unknown_and_keeps_its_place() -> None:
    """So is the sum: a script that adds up does not take it for 0, nor the second card for the first."""
    spent = _spent(cards(None, 5.0), cards(None, 12.0), "accelerator", None)
    assert list(spent) == [0, 1]
    assert math.isnan(spent[0])
    assert spent[1] == pytest.approx(7.0)
    assert math.isnan(Measurement(time=1.0, gpu_energy=spent).total_energy)
    assert _spent(cards(1.0, 5.0), cards(1.0, 12.0), "accelerator", [1]) == {1: pytest.approx(7.0)}


def test_card_that_was_asked_for_and_is_not_there_is_unknown() -> None:
    """As one that the kernel or the hardware knows and no meter reads."""
    listed = Footprint(id=cards().id, hardware=(Hardware(kind="accelerator", name="Orin", count=1),))
    for before, after, wanted in ((cards(), cards(), [0]), (listed, listed, None), (None, None, None)):
        spent = _spent(before, after, "accelerator", wanted)
        assert list(spent) == [0]
        assert math.isnan(spent[0])


@pytest.mark.usefixtures("two_packages")
def test_log_has_the_columns_of_zeus(tmp_path: Path) -> None:
    """A row a window, begun anew by each monitor; its last column names our run, so that no import counts it twice."""
    path = tmp_path / "deep" / "windows.csv"
    path.parent.mkdir()
    path.write_text("old")
    monitor = ZeusMonitor(gpu_indices=[0, 1], log_file=path)
    began_s = time.time()
    for name in ("a", "b, c"):
        monitor.begin_window(name)
        measured = monitor.end_window(name)
    monitor.begin_window("cancelled")
    monitor.end_window("cancelled", cancel=True)
    made = monitor.stop()
    rows = list(csv.DictReader(path.read_text().splitlines()))
    assert list(rows[0])[:5] == [
        "start_time",
        "window_name",
        "elapsed_time",
        "gpu0_energy",
        "gpu1_energy",
    ]
    assert [row["window_name"] for row in rows] == ["a", "b, c"]
    assert float(rows[1]["elapsed_time"]) == measured.time
    assert 0.0 <= float(rows[0]["start_time"]) - began_s < 60.0
    assert math.isnan(float(rows[0]["gpu0_energy"]))
    with pytest.raises(InputError, match=f"sootprint show {made.id}"):
        importer.read(path.read_text(), path.name)


def test_log_that_cannot_be_written_costs_no_window(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """One line says so."""
    (tmp_path / "file").touch()
    monitor = ZeusMonitor(log_file=tmp_path / "file" / "windows.csv")
    monitor.begin_window("w")
    assert monitor.end_window("w").time > 0.0
    monitor.stop()
    told = [line.partition(":")[0] for line in caplog.messages]  # in an order that two threads decide
    assert told.count("log_file") == 1


def test_window_waits_for_the_framework_that_is_stated(monkeypatch: pytest.MonkeyPatch) -> None:
    """JAX gives work to its devices and goes on, as PyTorch does; one that is not loaded is not waited for."""
    waited: list[str] = []

    class Array:
        def __init__(self, device: str) -> None:
            self.device = device

        def __add__(self, other: int) -> Array:
            return self

        def block_until_ready(self) -> None:
            waited.append(self.device)

    monitor = ZeusMonitor(sync_execution_with="jax")
    monitor.begin_window("before")
    monitor.end_window("before")
    jax = types.ModuleType("jax")
    jax.local_devices = lambda: ["gpu:0", "gpu:1"]
    jax.device_put = lambda value, device: Array(device)
    monkeypatch.setitem(sys.modules, "jax", jax)
    monitor.begin_window("w")
    monitor.end_window("w", sync_execution=False)
    monitor.stop()
    assert waited == ["gpu:0", "gpu:1"]
