"""The same scripts with carbontracker and Zeus and with our interfaces: what one shows the other does."""

from __future__ import annotations

import ast
import csv
import os
import re
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip(
    "carbontracker",
    reason="carbontracker is not installed: `make test-frameworks` has an environment of its own",
)
pytest.importorskip(
    "zeus", reason="Zeus is not installed: `make test-frameworks` has an environment of its own"
)

from carbontracker import parser

from tests.fixtures import fake_devices

LONG_S = 120.0
WATTS = 200.0  # of the first fake card; the second draws a tenth more
CARDS_W = (WATTS, 1.1 * WATTS)
WORK = """
import time
def work(duration_s=1.2):
    until = time.monotonic() + duration_s
    while time.monotonic() < until:
        sum(range(1000))
"""
# What public scripts call and read; what it prints is compared line by line, times and energies by their kind.
EPOCHS = """
tracker = CarbonTracker(epochs=3, log_dir="logs", update_interval=0.2, components="cpu", verbose=1)
seen = []
for epoch in range({done}):
    tracker.epoch_start()
    work()
    seen.append(tracker.epoch_counter)
    tracker.epoch_end()
    if epoch < 2:
        energies = tracker.tracker.total_energy_per_epoch()
        average = tracker.intensity_updater.average_carbon_intensity()
        seen.append([type(energies).__name__, energies.shape, len(tracker.tracker.epoch_times)])
        seen.append([bool(energies.min() > 0.0), bool(0.0 < energies.sum() * average < 1000.0)])
tracker.stop()
print("seen", [*seen, tracker.epochs, tracker.monitor_epochs, tracker.epochs_before_pred, tracker.deleted])
"""
WINDOWS = """
if __name__ == "__main__":
    monitor = ZeusMonitor({arguments}log_file="deep/windows.csv")
    seen = [monitor.gpu_indices, monitor.cpu_indices]
    monitor.begin_window("all", sync_execution=False)
    for epoch in range(2):
        outside = time.monotonic()
        monitor.begin_window("epoch", sync_execution=False)
        inside = time.monotonic()
        work()
        inside = time.monotonic() - inside
        one = monitor.end_window("epoch", sync_execution=False)
        outside = time.monotonic() - outside
        print("window", [inside, one.time, outside, one.gpu_energy])
        total = one.total_energy == sum(one.gpu_energy.values())
        seen.append([sorted(one.gpu_energy), one.cpu_energy, one.dram_energy, one.soc_energy, total])
    monitor.begin_window("left", sync_execution=False)
    left = monitor.end_window("left", sync_execution=False, cancel=True)
    seen.append([left.time, left.gpu_energy, left.cpu_energy, left.dram_energy])
    monitor.end_window("all", sync_execution=False)
    print("seen", seen)
"""


def finished(script: str, module: str, name: str, folder: Path, **environ: str) -> str:
    """What a script prints that imports a name from a module, run in a folder of its own."""
    folder.mkdir()
    path = folder / "script.py"
    path.write_text(f"{WORK}\nfrom {module} import {name}\n{textwrap.dedent(script)}")
    kept = {
        key: text for key, text in os.environ.items() if key not in ("PYTHONPATH", "CUDA_VISIBLE_DEVICES")
    }
    env = kept | {"SOOTPRINT_ZONE": "FR", "no_proxy": "*"} | environ
    done = subprocess.run(
        [sys.executable, "script.py"], cwd=folder, env=env, capture_output=True, text=True, timeout=LONG_S
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def seen(printed: str) -> Any:
    """What a script has seen."""
    return ast.literal_eval(re.search(r"^seen (.*)$", printed, re.MULTILINE)[1])


def windows(printed: str) -> list[tuple[float, float, float, dict[int, float]]]:
    """Each window's time inside of it, its own, and outside of it [s], and the joules of its cards."""
    return [ast.literal_eval(told) for told in re.findall(r"^window (.*)$", printed, re.MULTILINE)]


def cards_of(printed: str) -> list[dict[int, set[float]]]:
    """Power of the cards that each window's places may be, by the longest and the shortest that it can have been."""
    return [
        {
            place: {watts for watts in CARDS_W if 0.98 * watts * inside_s < joules < 1.02 * watts * outside_s}
            for place, joules in spent_j.items()
        }
        for inside_s, _, outside_s, spent_j in windows(printed)
    ]


def titles(printed: str) -> list[str]:
    """The consumptions that were printed, as far as their numbers are none of energies."""
    form = r"^CarbonTracker: \n(\w+ consumption.*:)\n\tTime:\t\d+:\d\d:\d\d\n"
    form += r"\tEnergy:\t\d\.\d{12} kWh\n\tCO2eq:\t\d+\.\d{12} g\n"
    equivalent = r"\tThis is equivalent to:\n\t\d+\.\d{12} km travelled by car$"
    return re.findall(form + equivalent, printed, re.MULTILINE)


@pytest.mark.parametrize("done", [3, 2])
def test_script_of_carbontracker_goes_on(done: int, tmp_path: Path) -> None:
    """Attributes, printed words, and logs in which carbontracker's own parser finds the same things."""
    script = EPOCHS.format(done=done)
    theirs = finished(script, "carbontracker.tracker", "CarbonTracker", tmp_path / "theirs")
    own = finished(script, "sootprint.compat.carbontracker", "CarbonTracker", tmp_path / "own")
    assert seen(own) == seen(theirs)
    expected = titles(theirs)
    if done == 2:  # it takes the last whole epoch for one that was interrupted, and prints one too few
        expected[-1] = "Actual consumption for 2 epoch(s):"
    assert len(expected) == 2
    assert titles(own) == expected
    (there,), (here,) = (parser.parse_all_logs(str(tmp_path / one / "logs")) for one in ("theirs", "own"))
    assert here["early_stop"] == there["early_stop"] == (done == 2)
    cpu, other = here["components"]["cpu"], there["components"]["cpu"]
    assert cpu["avg_power_usages (W)"].shape == other["avg_power_usages (W)"].shape == (done, 1)
    assert cpu["epoch_durations (s)"] == pytest.approx(other["epoch_durations (s)"], abs=10.0)
    assert cpu["devices"] and other["devices"]
    for which in ("actual", "pred"):
        assert here[which].keys() == there[which].keys()
        for key in ("energy (kWh)", "co2eq (g)"):
            assert 0.001 < here[which][key] / there[which][key] < 1000.0  # the same units
        assert here[which]["equivalents"].keys() == there[which]["equivalents"].keys()
    sums = parser.aggregate_consumption(str(tmp_path / "own/logs"))
    assert 0.0 < sums[0] < 1.0 and sums[1] > 0.0


@pytest.mark.parametrize(
    ("cards", "visible", "arguments"),
    [(0, None, ""), (2, None, ""), (2, "1", ""), (2, None, "gpu_indices=[1], ")],
    ids=["no card", "two cards", "one of them visible", "one of them asked for"],
)
@pytest.mark.skipif(fake_devices.compiler() is None, reason=fake_devices.NO_COMPILER)
def test_script_of_zeus_goes_on(cards: int, visible: str | None, arguments: str, tmp_path: Path) -> None:
    """Places, joules and the log of the same fake cards, whose counters both read."""
    environ = {"SOOTPRINT_SYSFS": str(tmp_path)}
    if cards:
        (tmp_path / "driver").mkdir()
        environ["LD_LIBRARY_PATH"] = str(fake_devices.build_nvml(tmp_path / "driver"))
        environ |= {
            "FAKE_NVML_DEVICES": f"{cards}",
            "FAKE_NVML_COUNT": f"{cards}",
            "FAKE_NVML_BASE_MW": f"{1000 * WATTS:.0f}",
            "FAKE_NVML_AMP_MW": "0",
            "FAKE_NVML_T0": repr(time.time()),
        }
    environ |= {"CUDA_VISIBLE_DEVICES": visible} if visible else {}
    script = WINDOWS.format(arguments=arguments)
    theirs = finished(script, "zeus.monitor", "ZeusMonitor", tmp_path / "theirs", **environ)
    own = finished(script, "sootprint.compat.zeus", "ZeusMonitor", tmp_path / "own", **environ)
    assert seen(own) == seen(theirs)
    for one, other in zip(cards_of(own), cards_of(theirs), strict=True):
        assert all(one[place] & other[place] for place in one)
    both = [*windows(own), *windows(theirs)]
    assert all(inside_s <= own_s <= outside_s for inside_s, own_s, outside_s, _ in both)
    late_s = max(outside_s - inside_s for inside_s, _, outside_s, _ in both)
    here, there = (
        list(csv.DictReader((tmp_path / one / "deep/windows.csv").read_text().splitlines()))
        for one in ("own", "theirs")
    )
    assert [row["window_name"] for row in here] == [row["window_name"] for row in there]
    for row, other in zip(here, there, strict=True):
        columns = {name for name in other if name and name.startswith("gpu")}
        assert columns == {name for name in row if name.startswith("gpu")}
        assert len(columns) == (1 if visible or arguments else cards)
        for column in columns:
            per_s = (float(one[column]) / float(one["elapsed_time"]) for one in (row, other))
            assert next(per_s) == pytest.approx(next(per_s), rel=0.05 + 2.0 * late_s)
