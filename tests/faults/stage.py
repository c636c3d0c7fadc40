"""One fault, played: real runs beside a twin of the training that nobody measures, and what is left of them."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sootprint.core.errors import RecordError
from sootprint.ledger import Ledger
from tests.e2e.harness import SOOTPRINT, TAKES_S, call, environment
from tests.faults.ground import SHARE, WAVE, Balance, Ground, crowd, move_clock, tree
from tests.faults.training import boot_s

TRAINING = Path(__file__).with_name("training.py")
LEAD_S = 2.5  # from the origin of a device of its own to the first step
STRIKE_S = 2.6  # from the training's first step to the fault
OURS = "sootprint: "
J_PER_KWH = 3.6e6
PLAYS = 3
BUSY = 0.1  # so that runs side by side have CPU time to be charged by
LATE_S = 1.0  # to take the last reading and keep the record
MOST_STALE_S = 0.2  # more is no step of the fake counters but a fault of theirs
EDGE_S = 0.2  # to start and end a process, at both ends together
TELLS_CODE = ': > "$0"; "$@"; echo $? > "$0"'


def _nothing(stage: Stage) -> None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A fault: how it comes about, and what it may cost.

    Args:
        name: What happens, as the table says it.
        key: Short name of its test.
        how: How it is brought about.
        prepare: Sets the stage before anything runs.
        strike: Brings it about, `strike_s` after the first step.
        afterwards: Comes between the end of the runs and the look at what is left.
        tracked: Whether the program measures itself with `track`, else `sootprint run` does.
        orphans: Whether the training outlives its tracker, so that a shell must tell its exit code.
        runs: Runs side by side in one home.
        in_turn: Whether each run begins after the one before it, so that the first reads for all.
        steps: Steps of the training.
        then: What the training does in its last step.
        options: Options of `sootprint run`, in place of `--quiet`.
        wrap: Words before the command; the word FOLDER stands for the fault's own.
        environ: Further variables of the measured program; FOLDER, CLOCK, CLOCKFILE and SOCKET stand for paths.
        tree: Options of a device tree of its own, instants from `LEAD_S` before the first step.
        meter: Meter whose joules are judged: rapl or nvml.
        strike_s: Instant of the fault after the first step [s].
        cuts: Whether nothing can be measured after the fault.
        lost_s: Seconds of the highest power that may be lost; None where all may be [s].
        doubled_s: Seconds of the highest power that may be counted twice [s].
        late_s: Time by which the end may be held up [s].
        keeps: What must be left: "record", "recovered", "shown" (on stderr or in the program only) or "nothing".
        says: Words of the one line that must be said, or empty where nothing may be said.
    """

    name: str
    key: str
    how: str
    prepare: Callable[[Stage], object] = _nothing
    strike: Callable[[Stage], object] = _nothing
    afterwards: Callable[[Stage], object] = _nothing
    tracked: bool = False
    orphans: bool = False
    runs: int = 1
    in_turn: bool = False
    steps: int = 10
    then: str = "end"
    options: tuple[str, ...] = ()
    wrap: tuple[str, ...] = ()
    environ: Mapping[str, str] = field(default_factory=dict)
    tree: tuple[str, ...] | None = None
    meter: str = "rapl"
    strike_s: float = STRIKE_S
    cuts: bool = False
    lost_s: float | None = 0.0
    doubled_s: float = 0.0
    late_s: float = 0.0
    keeps: str = "record"
    says: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a training ended: exit code or signal, and what it wrote."""

    code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome(Balance):
    """What a fault left.

    Args:
        fault: The fault.
        ended: How each measured training ended.
        alone: How its twin ended, which nobody measured.
        said: Lines that we wrote.
        records: Records as plain JSON.
        kept: Where they were found: record, recovered, shown, or nothing.
        low_j: Lower bound that the records state [J].
        high_j: Upper bound that the records state [J].
        stale_j: Most that the fake counters' own steps can be off at both ends together [J].
        late_s: Time from the end of the training to that of whoever measured it [s].
        plays: How many times it was played: again where the one before ended late.
    """

    fault: Fault
    ended: Sequence[Ended]
    alone: Ended
    said: Sequence[str]
    records: Sequence[Mapping[str, Any]]
    kept: str
    low_j: float
    high_j: float
    stale_j: float
    late_s: float
    plays: int = 1

    def most_j(self, fault_s: float | None) -> float:
        """Most that may be lost or doubled where a fault may cost `fault_s` of the highest power [J]."""
        if fault_s is None:
            return self.truth_j
        return (fault_s + EDGE_S * self.edge_crowd) * SHARE[self.fault.meter] * WAVE.most_w + self.stale_j

    @property
    def most_lost_j(self) -> float:
        """Limit of what may be lost [J]."""
        return self.most_j(self.fault.lost_s)

    @property
    def most_doubled_j(self) -> float:
        """Limit of what may be doubled [J]."""
        return self.most_j(self.fault.doubled_s)

    @property
    def most_late_s(self) -> float:
        """Limit of the time by which the end may be held up [s]."""
        return LATE_S * self.crowd + self.fault.late_s

    @property
    def ended_as_alone(self) -> bool:
        """Whether exit code or signal and all that was written are those of the twin."""
        return all(one == self.alone for one in self.ended)

    @property
    def kept_all(self) -> bool:
        """Whether what had to be left is there."""
        count = 0 if self.fault.keeps == "nothing" else self.fault.runs
        return (self.kept, len(self.records)) == (self.fault.keeps, count)

    @property
    def said_why(self) -> bool:
        """Whether the line that had to be said was, or nothing where nothing was to be said."""
        wanted = self.fault.says
        return any(wanted in line for line in self.said) if wanted else not self.said

    @property
    def passed(self) -> bool:
        """Whether all of it is as it should be."""
        joules = self.lost_j <= self.most_lost_j and self.doubled_j <= self.most_doubled_j
        found = self.kept_all and self.said_why
        return self.ended_as_alone and joules and found and not self.is_late

    @property
    def is_late(self) -> bool:
        """Whether whoever waited for the training waited for us."""
        return self.late_s > self.most_late_s


class Stage:
    """A fault's own folder, home, device and processes.

    Args:
        fault: The fault.
        shared: What all faults share.
        number: Which play of this fault it is.
    """

    def __init__(self, fault: Fault, shared: Ground, *, number: int = 1) -> None:
        self.fault = fault
        self.folder = shared.folder / f"{fault.key}-{number}"
        self.home, self.runtime = self.folder / "home", self.folder / "runtime"
        self.clock_file = self.folder / "clock"
        self._shared = shared
        self.runs: list[subprocess.Popen[bytes]] = []
        self.others: list[subprocess.Popen[bytes]] = []  # programs that are ended with the stage
        self._wall_less_boot_s = time.time() - boot_s()
        self._own_device = fault.tree is not None or fault.meter == "nvml"
        self.origin_s, self._first_step_s = shared.origin_s, 0.0
        self.struck_s: float | None = None  # since boot [s]
        self.asleep_s: tuple[float, float] | None = None  # nothing was spent in between, since boot [s]
        self.sysfs = shared.sysfs

    @contextlib.contextmanager
    def set(self) -> Iterator[Stage]:
        """The stage with its device, its runs and the twin begun; what still runs at the end is ended."""
        with contextlib.ExitStack() as undo:
            undo.callback(self._end_all)
            with self._shared.starts:  # that many start at a time, so that none is late for its first step
                self._begin_all(undo)
            yield self

    def _begin_all(self, undo: contextlib.ExitStack) -> None:
        for folder in (self.folder, self.home, self.runtime):
            folder.mkdir(mode=0o700)
        move_clock(self.clock_file)
        self.fault.prepare(self)
        if self._own_device:
            self.origin_s = self.wall_s(boot_s())
            self._set_first_step(boot_s() + LEAD_S)
        if self.fault.tree is not None:
            self.sysfs = undo.enter_context(tree(self.folder / "sys", self.origin_s, self.fault.tree))
        elif self.fault.meter == "nvml":
            self.sysfs = self.folder / "sys"
            self.sysfs.mkdir()
        self.alone = self.begin("alone", self._training("alone", tracked=False), os.environ)
        self.others.append(self.alone)
        for number in range(self.fault.runs):
            self.runs.append(self.begin(f"run{number}", self._command(number), self.environ()))
            if self.fault.in_turn:
                self.awaited(f"run{number}", "begins")
        for name in ("alone", *(f"run{number}" for number in range(self.fault.runs))):
            self.awaited(name, "begins")
        if not self._own_device:
            self._set_first_step(boot_s())

    def _set_first_step(self, at_s: float) -> None:
        """Let the timetable of the trainings begin at an instant since boot [s]."""
        self._first_step_s = at_s
        draft = self.folder / "origin.new"
        draft.write_text(repr(at_s), encoding="ascii")
        draft.rename(self.folder / "origin")

    def _command(self, number: int) -> list[str]:
        name, fault = f"run{number}", self.fault
        training = self._training(name, tracked=fault.tracked)
        if fault.orphans:
            training = ["sh", "-c", TELLS_CODE, str(self.folder / f"{name}.wrapped"), *training]
        if not fault.tracked:
            told = ["--zone", "FR", "--name", name, *(fault.options or ("--quiet",))]
            training = [SOOTPRINT, "run", *told, "--", *training]
        return [self._filled(word) for word in fault.wrap] + training

    def _training(self, name: str, *, tracked: bool) -> list[str]:
        fault = self.fault
        told = ["--steps", str(fault.steps), "--then", fault.then]
        told += ["--track", name] if tracked else []
        told += ["--busy", str(BUSY)] if fault.runs > 1 else []
        return [sys.executable, str(TRAINING), str(self.folder / name), *told]

    def environ(self) -> dict[str, str]:
        """Environment of the measured programs."""
        more = {"SOOTPRINT_SYSFS": str(self.sysfs), "SOOTPRINT_ZONE": "FR"}
        more["SOOTPRINT_RUNTIME_DIR"] = str(self.runtime)
        if self.fault.meter == "nvml":
            more |= self._card()
        filled = {name: self._filled(value) for name, value in self.fault.environ.items()}
        return environment(self.home, **more | filled)

    def _card(self) -> dict[str, str]:
        """Variables of a fake GPU that follows the wave."""
        return {
            "LD_LIBRARY_PATH": str(self._shared.nvml),
            "FAKE_NVML_WAVE": WAVE.shape,
            "FAKE_NVML_BASE_MW": str(1000 * WAVE.base_w),
            "FAKE_NVML_AMP_MW": str(1000 * WAVE.amp_w),
            "FAKE_NVML_PERIOD_S": str(WAVE.period_s),
            "FAKE_NVML_T0": repr(self.origin_s),
        }

    def _filled(self, word: str) -> str:
        known = {"FOLDER": self.folder, "CLOCK": self._shared.clock, "CLOCKFILE": self.clock_file}
        known["SOCKET"] = self.folder / "node.sock"
        return str(known.get(word, word))

    def begin(self, name: str, command: Sequence[str], env: Mapping[str, str]) -> subprocess.Popen[bytes]:
        """A program of the stage, its streams in files of its name."""
        (self.folder / name).mkdir()
        with (self.folder / f"{name}.out").open("wb") as out, (self.folder / f"{name}.err").open("wb") as err:
            return subprocess.Popen(
                list(command),
                env=env,
                cwd=self.folder / name,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            )

    def stamp(self, name: str, what: str) -> float | None:
        """Number that a training left under a word, or None where it has not yet."""
        with contextlib.suppress(FileNotFoundError):
            for line in (self.folder / name / "stamps").read_text(encoding="ascii").splitlines():
                word, _, number = line.partition(" ")
                if word == what:
                    return float(number)
        return None

    def awaited(self, name: str, what: str) -> float:
        """Number that a training leaves under a word, once it has."""
        until_s = boot_s() + TAKES_S
        while (number := self.stamp(name, what)) is None:
            if boot_s() > until_s or self._all_ended():
                told = (self.folder / f"{name}.err").read_text(encoding="utf-8")
                raise AssertionError(f"{self.fault.key}: {name} tells no {what}: {told[-500:]}")
            time.sleep(0.01)
        return number

    def _all_ended(self) -> bool:
        return bool(self.runs) and all(run.poll() is not None for run in self.runs)

    def trainings(self) -> list[int]:
        """Process ids of the measured trainings and of the twin."""
        names = [f"run{number}" for number in range(self.fault.runs)]
        return [int(self.awaited(name, "pid")) for name in (*names, "alone")]

    def strike(self) -> None:
        """Bring the fault about at its instant."""
        names = ["alone", *(f"run{number}" for number in range(self.fault.runs))]
        for name in names if self.fault.then == "wait" else ():
            self.awaited(name, "waits")
        time.sleep(max(0.0, self._first_step_s + self.fault.strike_s - boot_s()))
        self.struck_s = boot_s()
        self.fault.strike(self)

    def wall_s(self, since_boot_s: float) -> float:
        """True wall instant of an instant since boot, seconds since 1970 [s]."""
        return since_boot_s + self._wall_less_boot_s

    def outcome(self) -> Outcome:
        """What is left, once all have ended."""
        codes = [run.wait(TAKES_S) for run in self.runs]
        gone_s = boot_s()
        alone = self._ended("alone", self.alone.wait(TAKES_S))
        self.fault.afterwards(self)
        ended = [self._ended(f"run{number}", code) for number, code in enumerate(codes)]
        records, kept, told = self._left()
        charged = [_charged(record, self.fault.meter) for record in records]
        start_s, end_s = self._window_s()
        asleep_j = self._energy_j(*self.asleep_s) if self.asleep_s else 0.0
        return Outcome(
            fault=self.fault,
            ended=[Ended(code=one.code, out=one.out, err=_theirs(one.err)) for one in ended],
            alone=alone,
            said=[*(line for one in ended for line in _ours(one.err)), *told],
            records=records,
            kept=kept,
            truth_j=self._energy_j(start_s, end_s) - asleep_j,
            until_j=self._energy_j(start_s, end_s if self.fault.cuts else max(end_s, gone_s)) - asleep_j,
            crowd=crowd(),
            stale_j=self._stale_j(start_s) + self._stale_j(end_s),
            late_s=max(0.0, gone_s - (self.stamp("run0", "ends") or end_s)),
            **{f"{bound}_j": sum(one[bound] for one in charged) for bound in ("charged", "low", "high")},
        )

    def _ended(self, name: str, code: int) -> Ended:
        if (self.folder / f"{name}.wrapped").exists():
            code = self._code_of_an_orphan(name)
        texts = [(self.folder / f"{name}.{end}").read_text(encoding="utf-8") for end in ("out", "err")]
        return Ended(code=code, out=texts[0], err=texts[1])

    def _code_of_an_orphan(self, name: str) -> int:
        until_s = boot_s() + TAKES_S
        while not (text := (self.folder / f"{name}.wrapped").read_text(encoding="ascii")):
            assert boot_s() < until_s, f"{self.fault.key}: the training does not end"
            time.sleep(0.02)
        return int(text)

    def _left(self) -> tuple[list[dict[str, Any]], str, list[str]]:
        """Records, where they were found, and what was said by whoever was asked for them."""
        home = self.folder / "kept" if (self.folder / "kept").exists() else self.home
        before = _stored(home)
        if before and not list((home / "journal").glob("*.jsonl")):
            return before, "record", []
        done = call(["recover"], home=home, cwd=self.folder)
        if found := _stored(home):
            return found, "recovered" if len(found) > len(before) else "record", _ours(done.stderr)
        shown = [*self.folder.glob("run*/record.json"), *self.folder.glob("run*.err")]
        found = [record for path in shown for record in _in_text(path.read_text(encoding="utf-8"))]
        return found, "shown" if found else "nothing", []

    def _window_s(self) -> tuple[float, float]:
        """First begin and last end of the runs, or the fault that cut them, since boot [s]."""
        names = [f"run{number}" for number in range(self.fault.runs)]
        start_s = min(self.awaited(name, "begins") for name in names)
        if self.fault.cuts and self.struck_s is not None:
            return start_s, self.struck_s
        return start_s, max(self.awaited(name, "ends") for name in names)

    def _stale_j(self, at_s: float) -> float:
        """Most that the fake counters can be behind at an instant, by their own steps [J]."""
        if self.fault.meter != "rapl":
            return 0.0
        since_s = self.wall_s(at_s) - self.origin_s
        truth = (self.sysfs / "class" / "powercap" / "truth.jsonl").read_text(encoding="utf-8")
        ticks_s = [json.loads(line)["t"] for line in truth.rpartition("\n")[0].splitlines()]
        earlier = [tick for tick in ticks_s if tick <= since_s][-2:]
        return SHARE["rapl"] * WAVE.most_w * min(MOST_STALE_S, since_s - earlier[0])

    def _energy_j(self, start_s: float, end_s: float) -> float:
        from_s, to_s = (self.wall_s(at_s) - self.origin_s for at_s in (start_s, end_s))
        return SHARE[self.fault.meter] * WAVE.energy_j(from_s, to_s)

    def _end_all(self) -> None:
        """End what still runs, an orphan included."""
        for run in (*self.runs, *self.others):
            if run.poll() is None:
                run.kill()
                run.wait()


def play(fault: Fault, shared: Ground, *, number: int = 1) -> Outcome:
    """What a fault leaves; played again where it ended late, as a machine may be too busy; joules have no excuse."""
    with Stage(fault, shared, number=number).set() as stage:
        stage.strike()
        left = dataclasses.replace(stage.outcome(), plays=number)
    return left if not left.is_late or number == PLAYS else play(fault, shared, number=number + 1)


def _stored(home: Path) -> list[dict[str, Any]]:
    try:
        with Ledger(home) as ledger:
            return [json.loads(ledger.get(row.id).to_json()) for row in ledger.runs()]
    except RecordError:
        return []


def _in_text(text: str) -> list[dict[str, Any]]:
    """Record that stands among other lines."""
    start = text.find("{\n") if not text.startswith("{") else 0
    if start < 0:
        return []
    record, _ = json.JSONDecoder().raw_decode(text[start:])
    return [record]


def _charged(record: Mapping[str, Any], meter: str) -> dict[str, float]:
    """Energy of a record that its meter measured, with its bounds [J]."""
    parts = [part["energy_kwh"] for part in record["components"] if part["meter"] == meter]
    return {
        "charged": J_PER_KWH * sum(part["value"] for part in parts),
        "low": J_PER_KWH * sum(part["low"] for part in parts),
        "high": J_PER_KWH * sum(part["high"] for part in parts),
    }


def _ours(text: str) -> list[str]:
    return [line.removeprefix(OURS) for line in text.splitlines() if line.startswith(OURS)]


def _theirs(text: str) -> str:
    """What the training itself wrote: without our lines and the record."""
    lines = [line for line in text.splitlines(keepends=True) if not line.startswith(OURS)]
    rest = "".join(lines)
    start = rest.find("{\n")
    return rest if start < 0 else rest[:start]
