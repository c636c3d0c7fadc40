"""A seeded attack on the sharing of one node: runs come, go and die, readers are killed, and each joule is looked for.

Real processes share a fake node whose counters have a closed form. A seed decides when each run begins and ends and
what is done to them: `kill -9` of the run that reads, or of the node service, which is started again; a run that
stands still for a while; the wall clock stepped by an hour. In the end all records together are held against what the
node drew while anybody was there.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sootprint.ledger import Ledger
from sootprint.tracker import neighbours
from tests.e2e.harness import SOOTPRINT, TAKES_S, call, environment
from tests.e2e.users import as_user
from tests.faults.ground import SHARE, WAVE, Balance, Ground, crowd, move_clock, tree
from tests.faults.training import boot_s

TRAINING = """
import os, sys, time
import sootprint
folder, name, until_s, busy = sys.argv[1], sys.argv[2], float(sys.argv[3]), float(sys.argv[4])
def boot_s():
    return time.clock_gettime(time.CLOCK_BOOTTIME)
def stamp(what):
    with open(os.path.join(folder, name), "a") as file:
        file.write(f"{what} {boot_s():.6f}\\n")
with sootprint.track(name):
    stamp("begins")
    while boot_s() < until_s:
        end_s = time.process_time() + busy * 0.1
        while time.process_time() < end_s:
            pass
        time.sleep((1.0 - busy) * 0.1)
    stamp("ends")
"""
BUSY = 0.4  # of two processors, all runs together
FLUSH_S = 1.0  # what was not flushed yet when a reader died that was alone
KILL_S = 0.1  # what is lost or doubled where others go on for a reader or a service that is killed
EDGE_S = 0.25  # to begin and to end, once for each time without any run
FIRST_UID = 1501
ALONE = "which reads for itself alone"
STILL_S = (0.3, 1.5)  # shortest and longest time that a run stands still
HOUR_NS = 3_600_000_000_000
J_PER_KWH = 3.6e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """What is to be done.

    Args:
        seed: What decides all the rest.
        runs: Runs that begin of themselves; each that is killed is followed by another.
        lasts_s: Time from the first begin to the last end [s].
        served: Whether a node service reads.
        faults: Number of faults.
        users: Users whose runs begin in turn; more than one where processes of others can be started.
        away_s: Shortest and longest time until a service that was killed is started again [s].
    """

    seed: int
    runs: int
    lasts_s: float
    served: bool
    faults: int
    users: int = 1
    away_s: tuple[float, float] = (0.2, 1.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found(Balance):
    """What an attack left.

    Args:
        records: Number of records.
        runs: Number of runs that began.
        strikes: What was done, in order.
        edges: Times without a run before a run, at least 1.
        fell: Runs and services that died of themselves.
        unseen_s: Time for which runs of one user may not have seen that one of another has come or gone [s].
    """

    records: int
    runs: int
    strikes: tuple[str, ...]
    edges: int
    fell: tuple[str, ...]
    unseen_s: float = 0.0

    @property
    def holds(self) -> bool:
        """Whether each run ended well and has a record, and no more was lost or doubled than may be."""
        is_whole = self.records == self.runs and not self.fell
        return is_whole and max(self.lost_j, self.doubled_j) <= self.most_j

    @property
    def most_j(self) -> float:
        """What may be lost or doubled: by kills and at edges, longer in a crowd, and a flush where all die [J]."""
        kills = sum(strike.startswith("kill") for strike in self.strikes)
        flushes = sum(strike.endswith(ALONE) for strike in self.strikes)
        lasts_s = (kills * KILL_S + self.edges * EDGE_S) * self.edge_crowd + flushes * FLUSH_S + self.unseen_s
        return lasts_s * SHARE["rapl"] * WAVE.most_w


@dataclass
class _Run:
    name: str
    user: int
    process: subprocess.Popen[bytes]
    ended_s: float | None = None  # when its process had gone, since boot [s]
    killed_s: float | None = None


@dataclass
class _Field:
    """The node under attack."""

    attack: Attack
    folder: Path
    sysfs: Path
    environ: Mapping[str, str]
    service: subprocess.Popen[bytes] | None = None
    runs: list[_Run] = field(default_factory=list)
    strikes: list[str] = field(default_factory=list)
    still: dict[int, float] = field(
        default_factory=dict
    )  # when a process that stands still goes on, since boot [s]
    restart_s: float | None = None
    clock_ns: int = 0

    def join(self, until_s: float, busy: float, user: int | None = None) -> None:
        """A run begins, of the next user in turn where none is named."""
        name = f"run{len(self.runs)}"
        user = len(self.runs) % self.attack.users if user is None else user
        command = [
            sys.executable,
            "-c",
            TRAINING,
            str(self.folder / "stamps"),
            name,
            repr(until_s),
            str(busy),
        ]
        home = _home(self.folder, user)
        more = {"SOOTPRINT_HOME": str(home), "SOOTPRINT_RUNTIME_DIR": str(home / "runtime")}
        with (self.folder / f"{name}.err").open("wb") as err:
            process = subprocess.Popen(
                command if self.attack.users == 1 else as_user(FIRST_UID + user, command),
                env=dict(self.environ) | more,
                stderr=err,
                stdin=subprocess.DEVNULL,
            )
        self.runs.append(_Run(name, user, process))

    def serve(self) -> None:
        """The node service begins, or begins again."""
        command = [SOOTPRINT, "node", "serve", "--metrics", "off"]
        told = ["--socket", str(self.folder / "node.sock"), "--state", str(self.folder / "state")]
        with (self.folder / "service.err").open("ab") as err:
            self.service = subprocess.Popen([*command, *told], env=dict(self.environ), stderr=err)
        self.restart_s = None

    def look(self) -> None:
        """Note who has ended, and let go on who stood still for long enough."""
        now_s = boot_s()
        for run in self.runs:
            if run.ended_s is None and run.process.poll() is not None:
                run.ended_s = now_s
        for pid in [pid for pid, until_s in self.still.items() if until_s <= now_s]:
            del self.still[pid]
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        if self.restart_s is not None and self.restart_s <= now_s:
            self.serve()

    def here(self) -> list[_Run]:
        """Runs that have begun and not ended."""
        return [run for run in self.runs if run.ended_s is None and "begins" in self.stamps(run.name)]

    def stamps(self, name: str) -> dict[str, float]:
        """Instants that a run has left, since boot [s]."""
        with contextlib.suppress(FileNotFoundError):
            lines = (self.folder / "stamps" / name).read_text(encoding="ascii").splitlines()
            return {word: float(number) for word, number in (line.split(" ") for line in lines)}
        return {}

    def reader(self) -> _Run | None:
        """The run that reads for all."""
        for path in self.folder.glob("home*/runtime/*/reader.lock"):
            with contextlib.suppress(ValueError, OSError):
                pid = json.loads(path.read_text(encoding="ascii"))[0]
                return next((run for run in self.here() if run.process.pid == pid), None)
        return None

    def strike(self, chance: random.Random) -> None:
        """One fault."""
        kinds: list[Callable[[random.Random], str | None]] = [self._kill, self._stop, self._step]
        told = chance.choice([self._kill, *kinds])(chance)
        if told is not None:
            self.strikes.append(told)

    def _kill(self, chance: random.Random) -> str | None:
        if self.service is not None:
            if self.service.poll() is None:
                self.service.kill()
                self.service.wait()
                self.restart_s = boot_s() + chance.uniform(*self.attack.away_s)
                return "kill the service"
            return None
        victim = self.reader()
        if victim is None:
            return None
        goes_on = len(self.here()) > 1
        victim.process.kill()
        victim.process.wait()
        victim.killed_s = victim.ended_s = boot_s()
        self.still.pop(victim.process.pid, None)
        until_s = boot_s() + chance.uniform(0.1, 0.3) * self.attack.lasts_s
        self.join(until_s, BUSY / self.attack.runs, victim.user)
        return f"kill {victim.name}, {'which reads' if goes_on else ALONE}"

    def _stop(self, chance: random.Random) -> str | None:
        candidates = [run for run in self.here() if run.process.pid not in self.still]
        if not candidates:
            return None
        victim = chance.choice(candidates)
        self.still[victim.process.pid] = boot_s() + chance.uniform(*STILL_S)
        victim.process.send_signal(signal.SIGSTOP)
        return f"stop {victim.name}"

    def _step(self, chance: random.Random) -> str:
        self.clock_ns += chance.choice([-HOUR_NS, HOUR_NS])
        move_clock(self.folder / "clock", wall_ns=self.clock_ns)
        return "step the clock"

    def fell(self) -> tuple[str, ...]:
        """Runs that died of themselves, and the service where it did."""
        runs = [run.name for run in self.runs if run.killed_s is None and run.process.returncode != 0]
        dead = self.service is not None and self.restart_s is None and self.service.poll() is not None
        return (*runs, *(["the service"] if dead else []))

    def end(self) -> None:
        """End what still runs."""
        for process in (*(run.process for run in self.runs), *([self.service] if self.service else [])):
            if process.poll() is None:
                process.kill()
            process.wait()


def played(attack: Attack, shared: Ground) -> Found:
    """What an attack leaves.

    Args:
        attack: What is to be done.
        shared: Ground that it stands on.
    """
    folder = shared.folder / f"attack-{attack.seed}-{attack.runs}-{int(attack.served)}-{attack.users}"
    _furnish(attack, shared, folder)
    move_clock(folder / "clock")
    origin_s = time.time()
    less_boot_s = origin_s - boot_s()
    with tree(folder / "sys", origin_s) as sysfs, _field(attack, shared, folder, sysfs) as field_:
        _play(field_)
        return _found(field_, lambda at_s: at_s + less_boot_s - origin_s)


def _furnish(attack: Attack, shared: Ground, folder: Path) -> None:
    """Folders of an attack, those of each user his own."""
    (folder / "state").mkdir(parents=True, mode=0o700)
    (folder / "stamps").mkdir()
    for user in range(attack.users):
        home = _home(folder, user)
        home.mkdir(mode=0o700)
        if attack.users > 1:
            os.chown(home, FIRST_UID + user, FIRST_UID + user)
    if attack.users > 1:
        (folder / "stamps").chmod(0o1777)
        for path in (folder, *folder.parents):
            if path.is_relative_to(shared.folder.parent):
                path.chmod(0o755)


def _home(folder: Path, user: int) -> Path:
    """Folder of a user."""
    return folder / f"home{user}"


@contextlib.contextmanager
def _field(attack: Attack, shared: Ground, folder: Path, sysfs: Path) -> Iterator[_Field]:
    socket = folder / ("node.sock" if attack.served else "none.sock")
    environ = environment(
        _home(folder, 0),
        SOOTPRINT_SYSFS=str(sysfs),
        SOOTPRINT_ZONE="FR",
        SOOTPRINT_NODE_SOCKET=str(socket),
        LD_PRELOAD=str(shared.clock),
        FAKE_CLOCK=str(folder / "clock"),
    )
    made = _Field(attack, folder, sysfs, environ)
    if attack.users > 1 and not attack.served:
        neighbours.furnish(str(socket))
    try:
        if attack.served:
            made.serve()
            until_s = boot_s() + TAKES_S
            while not socket.exists():
                assert boot_s() < until_s, "the node service does not answer"
                time.sleep(0.02)
        yield made
    finally:
        made.end()


def _play(field_: _Field) -> None:
    attack, chance = field_.attack, random.Random(field_.attack.seed)
    start_s = boot_s()
    joins = sorted(chance.uniform(0.0, 0.3 * attack.lasts_s) for _ in range(attack.runs - 1))
    joins = [0.0, *joins]
    strikes = sorted(chance.uniform(0.25, 0.85) * attack.lasts_s for _ in range(attack.faults))
    ends = [chance.uniform(0.6, 1.0) * attack.lasts_s for _ in range(attack.runs - 1)] + [attack.lasts_s]
    hang_s = start_s + attack.lasts_s + TAKES_S * 3
    for at_s, what in sorted([(at_s, "join") for at_s in joins] + [(at_s, "strike") for at_s in strikes]):
        while boot_s() < start_s + at_s:
            field_.look()
            time.sleep(0.01)
        if what == "join":
            field_.join(start_s + ends.pop(0), BUSY / attack.runs)
        else:
            field_.strike(chance)
    while any(run.ended_s is None for run in field_.runs):
        assert boot_s() < hang_s, f"seed {attack.seed}: a run does not end: {field_.strikes}"
        field_.look()
        time.sleep(0.01)


def _found(field_: _Field, since_origin_s: Callable[[float], float]) -> Found:
    records = []
    for home in (_home(field_.folder, user) for user in range(field_.attack.users)):
        assert call(["recover"], home=home, cwd=field_.folder).returncode in (0, 1)
        with Ledger(home) as ledger:
            records += [ledger.get(row.id) for row in ledger.runs()]
    parts = [part for record in records for part in record.components if part.meter == "rapl"]
    stamped = {run.name: field_.stamps(run.name) for run in field_.runs}
    began = [run for run in field_.runs if "begins" in stamped[run.name]]
    spent, reached = [], []
    for run in began:
        start_s, gone_s = stamped[run.name]["begins"], run.ended_s or 0.0
        spent.append((start_s, run.killed_s or stamped[run.name].get("ends", gone_s)))
        reached.append((start_s, gone_s))
    energies = [
        SHARE["rapl"] * sum(WAVE.energy_j(since_origin_s(a), since_origin_s(b)) for a, b in _union(spans))
        for spans in (spent, reached)
    ]
    return Found(
        truth_j=energies[0],
        until_j=energies[1],
        charged_j=J_PER_KWH * sum(part.energy_kwh.value for part in parts),
        records=len(records),
        runs=len(began),
        strikes=tuple(field_.strikes),
        edges=len(_union(spent)),
        crowd=crowd(),
        fell=field_.fell(),
        unseen_s=_unseen_s(field_.attack),
    )


def _unseen_s(attack: Attack) -> float:
    """Time of all runs together for which others may not know of their coming and going: a look each time."""
    return 2.0 * FLUSH_S if attack.users > 1 and not attack.served else 0.0


def _union(spans: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Times that are in any of some spans."""
    found: list[tuple[float, float]] = []
    for start_s, end_s in sorted(spans):
        if found and start_s <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end_s))
        else:
            found.append((start_s, end_s))
    return found
