"""A job that moves between two real sshd, and what goes wrong on the way: no job is lost, and no step done twice."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import time
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sootprint import Footprint
from sootprint.engines import engine_of
from sootprint.engines.book import PAUSED, Book, Plan
from sootprint.ledger import Ledger
from sootprint.settings.targets import Target
from tests.e2e import test_moves
from tests.e2e.harness import SOOTPRINT, environment, seconds
from tests.fixtures import real_slurm, real_sshd

LONG_S = 100.0
QUICK_S = 0.6  # in which a far end of a quick machine answers
SLICES = 200  # of each interval, for an independent count

# Prints as it goes, and with HOLD waits at its tenth step until its driver has looked, however slow the machine. Its
# checkpoint is large enough to be cut off, and one that was is never gone on from.
JOB = """
import json, os, signal, sys, time
from pathlib import Path
import sootprint
steps, saved, strikes = int(sys.argv[2]), Path("saved"), Path(os.environ.get("STRIKES", "/nowhere"))
def at(moment):
    if strikes.joinpath(moment).exists():
        strikes.joinpath(moment).unlink()
        os.kill(int(strikes.with_name("driver").read_text()), signal.SIGKILL)
with open("begun", "a") as file:
    file.write(json.dumps([time.time(), os.environ.get("SOOTPRINT_RESUME")]) + "\\n")
step = 0
if os.environ.get("SOOTPRINT_RESUME"):
    at("after start")
    text = saved.read_text()
    assert text.endswith("whole"), "a checkpoint that was cut off"
    step = int(text.split()[0])
while step < steps:
    if sootprint.pause_requested():
        at("before save")
        saved.write_text(f"{step} {'-' * 2_000_000} whole")
        at("after save")
        sys.exit(75)
    time.sleep(0.1)
    step += 1
    print("step", step, flush=True)
    print("loss", 1 / step, file=sys.stderr, flush=True)
    with open("steps", "a") as file:
        file.write(f"{step}\\n")
    if step == 10 and "HOLD" in os.environ:
        held_s = time.time()
        while not sootprint.pause_requested() and time.time() < held_s + 60.0:
            if "cannot be reached" in Path(os.environ["HOLD"]).read_text():
                break
            time.sleep(0.02)
with open("finished", "a") as file:
    file.write("x")
"""


class World(test_moves.World):
    """Two places and this machine, with that job."""

    job = JOB

    def start(self, targets: str, *options: str, steps: int, **environ: str) -> subprocess.Popen[str]:
        """A planned job that was started."""
        job = [sys.executable, "job.py", ".", str(steps), "pausable"]
        command = [
            SOOTPRINT,
            "run",
            "--deadline",
            f"{140 + steps / 10:g}s",
            "--expect",
            f"{steps / 10:g}s",
            "--pausable",
        ]
        command += ["--targets", targets, "--carry", "saved", "--carry", "steps", *options, "--", *job]
        env = environment(self.home, **environ)
        with (self.folder / "said").open("ab") as said:
            return subprocess.Popen(
                command, cwd=self.work, env=env, stdout=subprocess.PIPE, stderr=said, text=True
            )

    @property
    def said(self) -> str:
        """What was written on stderr."""
        return (self.folder / "said").read_text()

    def checked(self, steps: int, place: str) -> None:
        """Each step was done once, and it finished once, in a place; what it made is at home."""
        assert [int(line) for line in self.lines("here", "steps")] == list(range(1, steps + 1))
        assert self.lines(place, "finished") == ["x"]

    def figure(self, name: str, at_s: float) -> float:
        """Intensity of a place at a time, from its raw trace."""
        rows = [row.split(",") for row in (self.folder / f"{name}.csv").read_text().splitlines()[1:]]
        return [float(value) for start, value in rows if seconds(start) <= at_s][-1]


@pytest.fixture
def world(tmp_path: Path) -> World:
    """An empty world."""
    return World(tmp_path)


def test_job_moves_from_one_server_to_another(world: World, tmp_path: Path) -> None:
    """Clean on one machine, then on another: it saves, is carried there, goes on, and finishes once.

    What it writes is seen here while it runs, each line once. What waiting saved is that of the raw figures, counted
    over the records that came back; the moves are charged.
    """
    if reason := real_sshd.missing():
        pytest.skip(reason)
    with real_sshd.sshd(tmp_path / "sshd-a") as one, real_sshd.sshd(tmp_path / "sshd-b") as other:
        clean_s = 10 + slowness_s(other)
        world.first = datetime.now(UTC).replace(microsecond=0)
        for name, far, zone, *values in (
            ("fr", one, "FR", *[20.0] * clean_s, 900.0),
            ("se", other, "SE", *[600.0] * clean_s, 40.0),
        ):
            given = {"host": far.host, "ssh_config": str(far.config), "kwh_per_gb": 0.001}
            world.target(name, *values, zone=zone, engine="ssh", **given)
        steps = 10 * clean_s
        running = world.start("fr,se", "--record", "last.json", steps=steps)
        first = running.stdout.readline()
        assert world.lines("fr", "steps"), "it was told before it was done"
        assert not world.lines("se", "begun"), "nothing was told before its end"
        out = first + running.stdout.read()
        code = running.wait(LONG_S)
    said = world.said
    assert code == 0, said
    state = world.state()
    assert [(one.target, one.code) for one in state.segments] == [("fr", PAUSED), ("se", 0)], said
    world.checked(steps, "se")
    assert [json.loads(line)[1] for line in world.lines("fr", "begun")] == [None]
    assert [json.loads(line)[1] for line in world.lines("se", "begun")] == ["1"]
    assert out.splitlines() == [f"step {step}" for step in range(1, steps + 1)]
    assert [line for line in said.splitlines() if line.startswith("loss")] == [
        f"loss {1 / step}" for step in range(1, steps + 1)
    ]
    assert [(one.source, one.target) for one in state.carried] == [("", "fr"), ("fr", "se"), ("se", "")]
    with Ledger(world.home) as ledger:
        records = sorted((ledger.get(row.id) for row in ledger.runs()), key=lambda one: one.started)
    ran = [one for one in records if one.tags.get("target")]
    assert [one.place.zone for one in ran] == ["FR", "SE"]
    assert Footprint.from_json((world.work / "last.json").read_text()) == ran[-1]
    assert said.count("What waiting saved") == 1, said
    _proved(world, ran, records)


def slowness_s(far: real_sshd.Sshd) -> int:
    """Time that a job's start takes here beyond a quick machine's, by how long a far end takes to answer once [s]."""
    target = Target(
        name="far", zone="FR", engine="ssh", host=far.host, ssh_config=str(far.config), python=sys.executable
    )
    began_s = time.monotonic()
    engine_of(target).probe()
    return math.ceil(10.0 * max(0.0, time.monotonic() - began_s - QUICK_S))


def _proved(world: World, ran: list[Footprint], records: list[Footprint]) -> None:
    """What waiting saved, counted again from the intervals, the book and the raw traces alone."""
    told, state = ran[-1].savings["waiting"], world.state()
    assert "segments" in told, told
    at_once_g, as_it_ran_g, done_s = 0.0, 0.0, 0.0
    for record, begun in zip(ran, state.segments, strict=True):
        pieces = [(seconds(one.start), seconds(one.end), one.energy_j / 3.6e6) for one in record.intervals]
        start, end = min(piece[0] for piece in pieces), max(piece[1] for piece in pieces)
        start += begun.ready_s if begun.resume else 0.0
        end -= begun.save_s or 0.0
        for low, high, kwh in pieces:
            for part in range(SLICES):
                at = low + (part + 0.5) / SLICES * (high - low)
                as_it_ran_g += kwh / SLICES * world.figure(begun.target, at)
                if start <= at < end:
                    at_once_g += kwh / SLICES * world.figure("fr", state.plan.made_s + done_s + at - start)
        done_s += end - start
    moved = [one for one in records if one.id in {carried.record for carried in state.carried}]
    assert len(moved) == 3
    assert all(one.emissions_kg.value > 0.0 for one in moved)
    charged_kg = sum(one.emissions_kg.value for one in moved)
    assert told["transfer_kg"]["value"] == pytest.approx(charged_kg, rel=0.01), (
        "but for a turn of the grid meanwhile"
    )
    assert told["run_now_kg"]["value"] == pytest.approx(at_once_g / 1000.0, rel=0.01)
    as_it_ran_kg = as_it_ran_g / 1000.0 + told["transfer_kg"]["value"]
    assert told["actual_kg"]["value"] == pytest.approx(as_it_ran_kg, rel=0.01)
    saved_kg = told["run_now_kg"]["value"] - told["actual_kg"]["value"]
    assert told["saving_kg"]["value"] == pytest.approx(saved_kg, rel=0.01)


class Flipped(World):
    """Places a and b, of which b becomes the cleaner one in the middle of the job; whatever the clock says."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        super().__init__(folder)
        self.targets: list[Target] = []

    def add(self, name: str, **given: object) -> None:
        """Describe a place."""
        self.target(name, 100.0, **given)
        table = tomllib.loads(self.text)["targets"][name]
        self.targets.append(Target(name=name, **table))

    def begin(self, steps: int = 30) -> None:
        """Begin the plan; nobody drives it yet."""
        plan = Plan(
            id="p",
            command=(sys.executable, "job.py", ".", str(steps), "pausable"),
            cwd=str(self.work),
            arguments=("--quiet", "--tag", "plan=p"),
            deadline_s=time.time() + 400.0,
            expect_s=steps / 10,
            pausable=True,
            targets=tuple(one.as_table() for one in self.targets),
            carry=("saved", "steps"),
        )
        Book.begin(self.home, plan).release()

    def drive(self, **environ: str) -> subprocess.Popen[str]:
        """A driver."""
        command = [
            sys.executable,
            str(Path(__file__).with_name("flipping.py")),
            str(self.home / "plans" / "p"),
        ]
        env = environment(self.home, HOLD=str(self.folder / "said"), **environ)
        with (self.folder / "said").open("ab") as said:
            made = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        (self.folder / "driver").write_text(str(made.pid))
        return made

    def ended(self) -> list[tuple[str, int | None]]:
        """Place and exit code of each segment."""
        return [(one.target, one.code) for one in self.state().segments]


BROKEN = {
    "unreachable": ":",
    "disk full": "ulimit -f 200",
    "cut off": 'tar() { head -c 900000 | command tar "$@"; kill -9 $PPID; }',
}


def test_place_that_fails_at_the_move_leaves_the_job_where_it_is(tmp_path: Path) -> None:
    """It is not even interrupted for a place that does not answer; a copy that breaks off harms nothing.

    Broken are: the server, which is gone; its disk, which takes no more; and the session, which dies in the copy.
    """
    if reason := real_sshd.missing():
        pytest.skip(reason)
    with real_sshd.sshd(tmp_path / "sshd") as far, real_sshd.sshd(tmp_path / "gone") as gone:
        gone.stop()
        worlds = {}
        for how, setup in BROKEN.items():
            made = worlds[how] = Flipped(tmp_path / how.replace(" ", "-"))
            server = gone if how == "unreachable" else far
            made.add("a", zone="FR")
            given = {"host": server.host, "ssh_config": str(server.config), "setup": setup}
            made.add("b", zone="SE", engine="ssh", **given)
            made.begin()
        running = [made.drive() for made in worlds.values()]
        assert [one.wait(LONG_S) for one in running] == [0] * len(running), [
            one.said for one in worlds.values()
        ]
    for how, made in worlds.items():
        made.checked(30, "a")
        assert made.ended() == ([("a", 0)] if how == "unreachable" else [("a", PAUSED), ("a", 0)]), made.said
        assert not (made.folder / "b" / "saved").exists()
        words = "target b cannot be reached" if how == "unreachable" else "a copy has failed"
        assert made.said.count(words) == 1, made.said


KILLED = ("before save", "during copy", "after start"), ("after save", "after copy")
HOOKS = {
    "during copy": (
        'tar() { if rm "{0}/during copy"; then head -c 9000 | command tar "$@"; {1}; fi; command tar "$@"; }'
    ),
    "after copy": 'mv() { command mv "$@"; if rm "{0}/after copy"; then {1}; fi; }',
}


def test_runner_killed_at_each_step_of_a_move(tmp_path: Path) -> None:
    """With kill -9 before the save, after it, in the middle of the copy, after it and after the start.

    Another driver goes on from the book each time: each step is done once, the job finishes once, where it was to go,
    and no checkpoint that was cut off is gone on from.
    """
    worlds = []
    for number, moments in enumerate(KILLED):
        made = Flipped(tmp_path / str(number))
        strikes = made.folder / "strikes"
        strikes.mkdir()
        for moment in moments:
            (strikes / moment).touch()
        kill = f"kill -9 $(cat {made.folder}/driver); sleep 1"
        hooks = [
            HOOKS[one].replace("{0}", str(strikes)).replace("{1}", kill) for one in moments if one in HOOKS
        ]
        made.add("a", zone="FR")
        made.add("b", zone="SE", setup="; ".join(hooks))
        made.begin()
        worlds.append(made)
    codes: list[list[int]] = [[] for _ in worlds]
    while left := [at for at, told in enumerate(codes) if told[-1:] != [0] and len(told) < 5]:
        running = {at: worlds[at].drive(STRIKES=str(worlds[at].folder / "strikes")) for at in left}
        for at, one in running.items():
            codes[at].append(one.wait(LONG_S))
    assert codes == [[-9, -9, -9, 0], [-9, -9, 0]], [one.said for one in worlds]
    for made in worlds:
        made.checked(30, "b")
        assert made.ended() == [("a", PAUSED), ("b", 0)], made.said
        assert len(made.lines("a", "begun")) == len(made.lines("b", "begun")) == 1
        assert not list((made.folder / "b").glob(".sootprint-*"))


def test_job_moves_from_one_cluster_to_another(tmp_path: Path) -> None:
    """Two Slurms with queues of their own: a job of each, and what they wrote is seen here.

    Meanwhile another job goes to one of them by `--engine slurm`, with its own output and exit code.
    """
    if reason := real_slurm.missing():
        pytest.skip(reason)
    world = Flipped(tmp_path / "world")
    with (
        real_slurm.slurm(tmp_path / "one", name="one") as one,
        real_slurm.slurm(tmp_path / "two", name="two") as two,
    ):
        for name, cluster in (("a", one), ("b", two)):
            zone = {"a": "FR", "b": "SE"}[name]
            world.add(
                name, zone=zone, engine="slurm", setup=f"{cluster.setup}; export PATH={real_slurm.PATH}"
            )
        world.begin()
        driver = world.drive()
        env = environment(tmp_path, SLURM_CONF=str(two.conf), PATH=real_slurm.PATH)
        command = [SOOTPRINT, "run", "--quiet", "--engine", "slurm", "--trace", f"{world.folder}/b.csv"]
        command += ["--zone", "SE", "--deadline", "90s", "--expect", "1s", "--", "sh", "-c"]
        command += ["echo $SLURM_JOB_ID; exit 3"]
        alone = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=LONG_S)
        assert (alone.returncode, alone.stdout) == (3, "1\n"), alone.stderr
        assert driver.wait(LONG_S) == 0, world.said
        queues = [cluster.ask("squeue", "-h", "-t", "all", "-o", "%j %T").split() for cluster in (one, two)]
    world.checked(30, "b")
    assert world.ended() == [("a", PAUSED), ("b", 0)], world.said
    assert queues[0] == ["sootprint-p-1", "FAILED"]
    assert "sootprint-p-2" in queues[1]
    told = [line for line in world.said.splitlines() if line.startswith("step")]
    assert told == [f"step {step}" for step in range(1, 31)]
