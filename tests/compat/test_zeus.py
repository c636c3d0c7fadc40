"""Zeus's interface: windows that may overlap, in joules and seconds of counters."""

from __future__ import annotations

import math
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sootprint.compat.zeus import Measurement, ZeusMonitor
from sootprint.compat.zeus.monitor import ARGUMENTS, USED
from tests.fixtures import fake_powercap

PAGE = Path(__file__).resolve().parents[2] / "docs/how-to/come-from-another-tool.md"


@pytest.fixture
def two_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Counters of two processors and their memory, which move meanwhile: 40 W each, and 10 W."""
    tree = fake_powercap.build(tmp_path / "class/powercap", "--base-w", "40", "--packages", "2")
    monkeypatch.setenv("SOOTPRINT_SYSFS", str(tmp_path))
    began_s, stop = time.monotonic(), threading.Event()

    def move() -> None:
        while not stop.wait(0.002):
            tree.update(time.monotonic() - began_s)

    tree.update(0.0)
    thread = threading.Thread(target=move)
    thread.start()
    yield
    stop.set()
    thread.join()


@pytest.mark.usefixtures("two_packages")
def test_windows_that_overlap_have_each_their_own_joules() -> None:
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
    for window in (first, second):
        assert window.time >= 1.0
        assert window.cpu_energy == {place: pytest.approx(40.0 * window.time, rel=0.15) for place in (0, 1)}
        assert window.dram_energy == {place: pytest.approx(10.0 * window.time, rel=0.15) for place in (0, 1)}
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
    monitor.begin_window("w", restart=True)
    assert monitor.end_window("w").time < 0.2
    monitor.begin_window("w")
    assert monitor.end_window("w", cancel=True) == Measurement(time=0.0, gpu_energy={})
    monitor.begin_window("w")
    monitor.reset_windows()
    assert math.isnan(monitor.end_window("w").time)
    monitor.stop()
    assert caplog.text.count("window 'w' is not open") == 2 and "window 'w' is open" in caplog.text


def test_arguments_are_those_of_zeus(caplog: pytest.LogCaptureFixture) -> None:
    """Unknown ones are a TypeError; those without a meaning are named, here and on the page."""
    with pytest.raises(TypeError, match="unexpected keyword argument 'gpus'"):
        ZeusMonitor(gpus=[0])
    ZeusMonitor(None, log_file="windows.csv").stop()
    assert caplog.messages[0].startswith("zeus: log_file has no meaning here")
    told = re.search(
        r"^`ZeusMonitor` ignores ((?:`\w+`(?:, | and )?)+)", PAGE.read_text(encoding="utf-8"), re.MULTILINE
    )
    assert set(re.findall(r"`(\w+)`", told[1])) == set(ARGUMENTS) - set(USED)
