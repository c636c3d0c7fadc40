"""What the faults stand on: fake counters that move, a fake GPU library, a clock that can be moved."""

from __future__ import annotations

import contextlib
import json
import os
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.harness import FIXTURES, Wave
from tests.fixtures import fake_devices

WAVE = Wave(shape="sine", base_w=60.0, amp_w=30.0, period_s=3.7)
DRAM = 0.25  # of the package's power, beside it
SHARE = {"rapl": 1.0 + DRAM, "nvml": 1.0}
TICK_S = 0.02
STARTS = 2
MOST_CROWD = 4.0  # that joules may be lost by, as they have little excuse
CLOCK_SOURCE = Path(__file__).with_name("fake_clock.c")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What all faults share.

    Args:
        folder: Folder in which each fault has one of its own.
        sysfs: Root of the device tree that no fault touches.
        origin_s: Origin of its wave, seconds since 1970 [s].
        nvml: Folder of the fake GPU library.
        clock: The library that moves clocks.
        starts: How many faults may start their programs at a time.
    """

    folder: Path
    sysfs: Path
    origin_s: float
    nvml: Path
    clock: Path
    starts: threading.Semaphore


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """What was spent, and what is stated of it.

    Args:
        truth_j: True energy while there was something to measure [J].
        until_j: The same until whoever measured had ended, too, which takes time on a busy machine [J].
        charged_j: Energy charged to all runs together [J].
        crowd: How many programs waited for each processor, at least 1.
    """

    truth_j: float
    until_j: float
    charged_j: float
    crowd: float

    @property
    def edge_crowd(self) -> float:
        """By how much a begin and an end may be longer."""
        return min(MOST_CROWD, self.crowd)

    @property
    def lost_j(self) -> float:
        """Energy that no run was charged with [J]."""
        return max(0.0, self.truth_j - self.charged_j)

    @property
    def doubled_j(self) -> float:
        """Energy that was charged beyond what was spent until the end of whoever measured [J]."""
        return max(0.0, self.charged_j - self.until_j)


def crowd() -> float:
    """How many programs wait for each processor, over the last minute or just now, at least 1."""
    load, _, _, now, _ = Path("/proc/loadavg").read_text(encoding="ascii").split()
    return max(1.0, max(float(load), float(now.partition("/")[0])) / (os.cpu_count() or 1))


def move_clock(path: Path, *, wall_ns: int = 0, monotonic_ns: int = 0) -> None:
    """Move the clocks of the processes that look at a file, which is not cut: they would die of a bus error.

    Args:
        path: The file; made where it is not there.
        wall_ns: What is added to the wall clock [ns].
        monotonic_ns: What is added to the monotonic clock [ns].
    """
    path.touch()
    with path.open("r+b", buffering=0) as file:
        file.write(struct.pack("qq", wall_ns, monotonic_ns))


@contextlib.contextmanager
def ground(folder: Path) -> Iterator[Ground]:
    """The shared ground, in an empty folder."""
    (folder / "nvml").mkdir(parents=True)
    nvml = fake_devices.build_nvml(folder / "nvml")
    clock = folder / "libfakeclock.so"
    flags = ["-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
    subprocess.run([fake_devices.compiler() or "cc", *flags, "-o", str(clock), str(CLOCK_SOURCE)], check=True)
    origin_s = time.time()
    with tree(folder / "sys", origin_s) as sysfs:
        starts = threading.Semaphore(STARTS)
        yield Ground(folder=folder, sysfs=sysfs, origin_s=origin_s, nvml=nvml, clock=clock, starts=starts)


@contextlib.contextmanager
def tree(sysfs: Path, origin_s: float, options: Sequence[str] = ()) -> Iterator[Path]:
    """Root of a device tree whose counters follow the wave from `origin_s`, seconds since 1970 [s]."""
    folder = sysfs / "class" / "powercap"
    folder.mkdir(parents=True)
    shaped = ["--wave", WAVE.shape, "--base-w", str(WAVE.base_w), "--amp-w", str(WAVE.amp_w)]
    timed = [
        "--period",
        str(WAVE.period_s),
        "--tick",
        str(TICK_S),
        "--seconds",
        "600",
        "--t0",
        repr(origin_s),
    ]
    script = str(FIXTURES / "fake_powercap.py")
    process = subprocess.Popen(
        [sys.executable, script, str(folder), *shaped, *timed, *options], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        json.loads(process.stdout.readline())  # said once the tree is there
        yield sysfs
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
