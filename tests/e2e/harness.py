"""Real processes against fake devices whose power has a closed form, and the true energy between two readings."""

from __future__ import annotations

import contextlib
import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"
SOOTPRINT = str(Path(sys.executable).with_name("sootprint"))
TICK_S = 0.02
TAKES_S = 120.0  # a process of ours that takes longer than this to answer hangs, on whatever machine
LIVES = """
import sys, time
begun_s = time.time()
time.sleep(float(sys.argv[1]))
open("lived", "w").write(f"{begun_s!r} {time.time()!r}")
"""
Case = TypeVar("Case")


def environment(home: Path, **more: str) -> dict[str, str]:
    """Environment without the user's settings, with a home of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SOOTPRINT_")}
    runtime = {"SOOTPRINT_RUNTIME_DIR": str(home / "runtime")}
    return kept | {"SOOTPRINT_HOME": str(home)} | runtime | more


def call(arguments: Sequence[str], *, home: Path, cwd: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """A finished `sootprint` with its streams as text."""
    return subprocess.run(
        [SOOTPRINT, *arguments],
        cwd=cwd,
        env=environment(home, **more),
        capture_output=True,
        text=True,
        timeout=TAKES_S,
        stdin=subprocess.DEVNULL,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Wave:
    """A power over time: base + amp x shape(t / period), t in seconds since the wave's origin.

    Args:
        shape: const, square (high first), sine, or ramp.
        base_w: Base [W].
        amp_w: Amplitude [W].
        period_s: Period [s].
    """

    shape: str = "const"
    base_w: float = 60.0
    amp_w: float = 0.0
    period_s: float = 10.0

    def power_w(self, at_s: float) -> float:
        """Power at an instant [W]."""
        x = math.fmod(at_s, self.period_s) / self.period_s
        shapes = {"const": 0.0, "square": float(x < 0.5), "sine": math.sin(2 * math.pi * x), "ramp": x}
        return self.base_w + self.amp_w * shapes[self.shape]

    def energy_j(self, start_s: float, end_s: float) -> float:
        """Energy between two instants, exact [J]."""
        return self._until_j(end_s) - self._until_j(start_s)

    def _until_j(self, at_s: float) -> float:
        whole, x = divmod(at_s / self.period_s, 1.0)
        sine = (1.0 - math.cos(2 * math.pi * x)) / (2 * math.pi)
        shapes = {
            "const": 0.0,
            "square": 0.5 * whole + min(x, 0.5),
            "sine": sine,
            "ramp": 0.5 * whole + 0.5 * x * x,
        }
        return self.base_w * at_s + self.amp_w * self.period_s * shapes[self.shape]

    @property
    def most_w(self) -> float:
        """Highest power [W]."""
        return self.base_w + max(0.0, self.amp_w)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One run against one fake device.

    Args:
        name: Its name in the test report.
        device: "powercap" or "nvml".
        wave: Power of the first device.
        options: Further options of the fake powercap tree.
        environ: Further variables of the fake NVML library.
        duration_s: Length of the command [s].
    """

    name: str
    device: str
    wave: Wave
    options: tuple[str, ...] = ()
    environ: Mapping[str, str] = field(default_factory=dict)
    duration_s: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a run left: its record, and when each component was read.

    Args:
        scenario: What was run.
        record: The record as plain JSON.
        exit_code: Exit code of `sootprint run`.
        stderr: What it told.
        origin_s: Wall instant of the wave's origin, seconds since 1970 [s].
        begun_s: Just before `sootprint run` was started, seconds since 1970 [s].
        lived_s: From when to when the command ran, by its own clock, seconds since 1970 [s].
        kept_s: When the record was written, seconds since 1970 [s].
        looks_s: Readings of each component in their order, seconds since 1970 [s].
        ticks_s: Instants at which the fake tree moved on, seconds since its origin [s].
    """

    scenario: Scenario
    record: dict[str, Any]
    exit_code: int
    stderr: str
    origin_s: float
    begun_s: float
    lived_s: tuple[float, float]
    kept_s: float
    looks_s: Mapping[str, Sequence[float]]
    ticks_s: Sequence[float]

    def energy_j(self, component: str) -> dict[str, float]:
        """Value, low and high that the record states for a component [J]."""
        parts = [part for part in self.record["components"] if part["component"] == component]
        assert len(parts) == 1, f"{component} stands {len(parts)} times in the record"
        return {bound: parts[0]["energy_kwh"][bound] * 3.6e6 for bound in ("value", "low", "high")}

    def truth_j(self, component: str, *, share: float = 1.0) -> float:
        """True energy between the first and the last reading of a component [J]."""
        start_s, end_s = (at_s - self.origin_s for at_s in self._ends_s(component))
        return share * self.scenario.wave.energy_j(start_s, end_s)

    def stale_j(self, component: str, *, share: float = 1.0) -> float:
        """Most that the fake tree's own steps can be off at the first and the last reading together [J]."""
        age_s = 0.0
        for at_s in self._ends_s(component):
            since_s = at_s - self.origin_s
            before = max((tick for tick in self.ticks_s if tick <= since_s), default=since_s)
            # the tick's instant was taken before its files were written
            earlier = max((tick for tick in self.ticks_s if tick < before), default=before)
            age_s += since_s - earlier
        return share * self.scenario.wave.most_w * age_s

    def _ends_s(self, component: str) -> tuple[float, float]:
        looks_s = self.looks_s[component]
        return looks_s[0], looks_s[-1]

    def moved_s(self, at_s: float) -> tuple[float, float]:
        """Between which instants the device did what it was to do at one, late as it may be [s since its origin]."""
        late_s = [tick for tick in self.ticks_s if tick >= at_s]
        return (late_s[0], late_s[1]) if late_s else (at_s, at_s)

    def gaps(self, component: str) -> list[tuple[float, float, str]]:
        """Start and end of each gap of a component [s since the device's origin], and its reason."""
        return [
            (seconds(gap["start"]) - self.origin_s, seconds(gap["end"]) - self.origin_s, gap["reason"])
            for gap in self.record["gaps"]
            if gap["component"] == component
        ]

    def without_look(self, component: str, at_s: float) -> tuple[float, float]:
        """Last look at a component until an instant, and the first one after it, all since the origin [s]."""
        looks_s = [look_s - self.origin_s for look_s in self.looks_s[component]]
        return max(s for s in looks_s if s <= at_s), min(s for s in looks_s if s > at_s)


def seconds(stamp: str) -> float:
    """Seconds since 1970 of an ISO 8601 stamp [s]."""
    from datetime import datetime

    return datetime.fromisoformat(stamp).timestamp()


class Running:
    """A scenario whose device is there; `begin` starts the run on it."""

    def __init__(self, scenario: Scenario, folder: Path, nvml: Path) -> None:
        self._scenario = scenario
        self._folder = folder
        self._tree: subprocess.Popen[str] | None = None
        self._run: subprocess.Popen[bytes] | None = None
        self._origin_s = self._begun_s = time.time()
        (folder / "sys").mkdir(parents=True)
        self._errors = (folder / "stderr").open("w+", encoding="utf-8")
        if scenario.device == "powercap":
            self._environ = self._start_tree()
        else:
            self._environ = self._nvml_environ(nvml)

    def begin(self) -> None:
        """Start the run, once the device moves."""
        self._await_ticks(25)
        command = [sys.executable, "-c", LIVES, str(self._scenario.duration_s)]
        options = ["--name", self._scenario.name, "--record", str(self._folder / "record.json")]
        self._begun_s = time.time()
        self._run = subprocess.Popen(
            [SOOTPRINT, "run", *options, "--", *command],
            env=environment(self._folder / "home", **self._environ),
            cwd=self._folder,
            stderr=self._errors,
            stdin=subprocess.DEVNULL,
        )
        self._keep_journal()

    def _await_ticks(self, count: int) -> None:
        until_s = time.monotonic() + TAKES_S
        while self._tree is not None and len(self._ticks_s()) < count and time.monotonic() < until_s:
            time.sleep(0.05)

    def _ticks_s(self) -> list[float]:
        """Instants at which the tree moved on, seconds since its origin [s]."""
        if self._tree is None:
            return []
        truth = self._folder / "sys" / "class" / "powercap" / "truth.jsonl"
        whole = truth.read_text(encoding="utf-8").rpartition("\n")[0].splitlines()
        return [json.loads(line)["t"] for line in whole]

    def _start_tree(self) -> dict[str, str]:
        wave, sysfs = self._scenario.wave, self._folder / "sys"
        tree = sysfs / "class" / "powercap"
        tree.mkdir(parents=True)
        shaped = ["--wave", wave.shape, "--base-w", str(wave.base_w), "--amp-w", str(wave.amp_w)]
        timed = ["--period", str(wave.period_s), "--tick", str(TICK_S), "--seconds", "600"]
        self._tree = subprocess.Popen(
            [
                sys.executable,
                str(FIXTURES / "fake_powercap.py"),
                str(tree),
                *shaped,
                *timed,
                *self._scenario.options,
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._tree.stdout is not None
        self._origin_s = float(json.loads(self._tree.stdout.readline())["t0"])
        return {"SOOTPRINT_SYSFS": str(sysfs)}

    def _nvml_environ(self, library: Path) -> dict[str, str]:
        wave = self._scenario.wave
        return {
            "SOOTPRINT_SYSFS": str(self._folder / "sys"),
            "LD_LIBRARY_PATH": str(library),
            "FAKE_NVML_WAVE": wave.shape,
            "FAKE_NVML_BASE_MW": str(1000 * wave.base_w),
            "FAKE_NVML_AMP_MW": str(1000 * wave.amp_w),
            "FAKE_NVML_PERIOD_S": str(wave.period_s),
            "FAKE_NVML_T0": repr(self._origin_s),
            "FAKE_NVML_LIMIT_MW": "700000",
            **self._scenario.environ,
        }

    def _keep_journal(self) -> None:
        """A second name for the journal, which the run deletes when its record is stored."""
        until_s = time.monotonic() + TAKES_S
        while time.monotonic() < until_s:
            for path in (self._folder / "home" / "journal").glob("*.jsonl"):
                os.link(path, self._folder / "journal")
                return
            time.sleep(0.02)
        raise AssertionError(f"{self._scenario.name}: no journal after {TAKES_S} s")

    def finish(self) -> Outcome:
        """The outcome, once the command has ended."""
        assert self._run is not None
        code = self._run.wait(self._scenario.duration_s + TAKES_S)
        if self._tree is not None:
            self._tree.kill()
            self._tree.wait()
        self._errors.seek(0)
        kept = self._folder / "record.json"
        begun_s, ended_s = (float(word) for word in (self._folder / "lived").read_text().split())
        return Outcome(
            scenario=self._scenario,
            record=json.loads(kept.read_text(encoding="utf-8")),
            exit_code=code,
            stderr=self._errors.read(),
            origin_s=self._origin_s,
            begun_s=self._begun_s,
            lived_s=(begun_s, ended_s),
            kept_s=kept.stat().st_mtime,
            looks_s=_looks_s(self._folder / "journal"),
            ticks_s=self._ticks_s(),
        )

    def kill(self) -> None:
        """End what still runs."""
        for process in (self._run, self._tree):
            if process is not None and process.poll() is None:
                process.kill()
                process.wait()
        self._errors.close()


def _looks_s(journal: Path) -> dict[str, list[float]]:
    """Readings of each component in their order, from the journal's own lines [s]."""
    lines = [json.loads(line) for line in journal.read_text(encoding="utf-8").splitlines()]
    origin_s = lines[0]["wall_s"]
    names = [line["c"]["component"] for line in lines if line["k"] == "comp"]
    at_s: dict[str, list[float]] = {name: [] for name in names}
    for line in lines:
        for row in line["r"] if line["k"] == "tick" else ():
            at_s[names[row[0]]].append(origin_s + row[1])
    return {name: sorted(instants) for name, instants in at_s.items() if instants}


@contextlib.contextmanager
def started(scenarios: Sequence[Scenario], folder: Path, nvml: Path) -> Iterator[dict[str, Running]]:
    """Scenarios that run side by side; what still runs at the end is ended."""
    running: dict[str, Running] = {}
    try:
        for scenario in scenarios:
            running[scenario.name] = Running(scenario, folder / scenario.name, nvml)
        for one in running.values():
            one.begin()
        yield running
    finally:
        for one in running.values():
            one.kill()


def at_once(scene: Callable[[Case], object], cases: Iterable[Case]) -> None:
    """Play a scene for all cases at the same time, as most of each is waiting; raises what the first wrong one does."""
    with ThreadPoolExecutor() as pool:
        for played in [pool.submit(scene, case) for case in cases]:
            played.result()
