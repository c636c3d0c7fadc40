"""Real trainings on the processor, recorded by the tracker into bench/traces: a file a training.

    python bench/record_traces.py [NAME ...] [--seconds 100] [--again]

It needs scikit-learn, and jax and lightgbm for some of the trainings; each is recorded in a fresh process, so that
imports, loading and compilation are in the trace. Each keeps to one processor, and the time for which another process
had it is left out. Traces that exist are kept: delete one to record it again. `--again` records a training of which a
trace exists with as many units and another seed into bench/traces/again. `--quiet` records into bench/traces/quiet,
for a machine on which nothing else runs; with `--again` into bench/traces/quiet/again.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import gzip
import importlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
TRACES = ROOT / "bench" / "traces"
QUIET = TRACES / "quiet"
PERIOD_S = 0.25
PROBE_S = 4.0
LEAST_S = 60.0
ONE_THREAD = {
    **{f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")},
    "LOKY_MAX_CPU_COUNT": "1",
}
CHECKPOINT_BYTES = 30_000_000
MOST_MARKS = 1200  # of a trace; more units are logged some at a time


class Undisturbed:
    """The clock without the time that this thread could have run and another process had its processor.

    Source: Linux, Documentation/scheduler/sched-stats.rst: second number of /proc/PID/schedstat, in ns.
    """

    def __init__(self) -> None:
        self._fd = os.open(f"/proc/self/task/{os.getpid()}/schedstat", os.O_RDONLY)

    def waited_s(self) -> float:
        """Time that was taken so far [s]."""
        return int(os.pread(self._fd, 64, 0).split()[1]) / 1e9

    def monotonic_s(self) -> float:
        """Seconds of the training's own [s]."""
        return time.monotonic() - self.waited_s()

    def wall_s(self) -> float:
        """Wall time [s]."""
        return time.time()


CLOCK = Undisturbed()


class Plan(NamedTuple):
    """One training to record: the class, its arguments, and what happens between its units."""

    name: str
    module: str
    training: str
    unit: str
    style: str  # "span": each unit is one; "log": the number done is logged
    units: int | None = None  # None: as many as fill the time
    evaluate: float = 0.0  # share of the run between two evaluations; 0 is never
    save: float = 0.0  # share of the run between two checkpoints
    final: bool = False  # whether it ends with a longer evaluation
    size: int = 1
    change: float | None = None  # share of the units after which the second stage begins


JAX = "trainings_jax"
CPU = "trainings"
PLANS = (
    Plan("digits-mlp", CPU, "DigitsMlp", "epoch", "span", size=4, evaluate=0.1, save=0.2, final=True),
    Plan("digits-mlp-change", CPU, "DigitsMlp", "epoch", "span", size=4, evaluate=0.05, change=0.6),
    Plan("digits-mlp-plain", CPU, "DigitsMlp", "epoch", "log", size=3),
    Plan("text-sgd", CPU, "TextSgd", "step", "log", evaluate=0.1, save=0.1),
    Plan("text-sgd-large", CPU, "TextSgd", "step", "span", size=16, evaluate=0.25, final=True),
    Plan("text-sgd-change", CPU, "TextSgd", "step", "log", size=2, save=0.05, change=0.4),
    Plan("boosting", CPU, "Boosting", "tree", "span", size=12, evaluate=0.1),
    Plan("boosting-large", CPU, "Boosting", "tree", "log", size=4, save=0.1, final=True),
    Plan("boosting-change", CPU, "Boosting", "tree", "span", size=10, change=0.5, evaluate=0.2),
    Plan("hist-boosting", CPU, "HistBoosting", "iteration", "span", units=500, evaluate=0.1, save=0.25),
    Plan("lightgbm", CPU, "LightGbm", "iteration", "log", evaluate=0.02, save=0.1),
    Plan("lightgbm-change", CPU, "LightGbm", "iteration", "span", size=12, evaluate=0.1, change=0.5),
    Plan("forest", CPU, "Forest", "tree", "span", size=8, evaluate=0.1, final=True),
    Plan("numpy-mlp", CPU, "NumpyMlp", "step", "log", size=5, evaluate=0.05, save=0.1, final=True),
    Plan("numpy-mlp-epochs", CPU, "NumpyMlp", "epoch", "span", units=90, size=240, evaluate=0.011),
    Plan("numpy-mlp-change", CPU, "NumpyMlp", "step", "log", size=8, evaluate=0.2, change=0.3),
    Plan("numpy-conv", CPU, "NumpyConv", "step", "span", size=60, evaluate=0.1, save=0.1),
    Plan("numpy-conv-change", CPU, "NumpyConv", "step", "log", size=3, evaluate=0.1, change=0.7),
    Plan("word-vectors", CPU, "WordVectors", "step", "log", size=2, save=0.05, final=True),
    Plan("word-vectors-change", CPU, "WordVectors", "step", "span", size=16, evaluate=0.1, change=0.5),
    Plan("clusters", CPU, "Clusters", "batch", "log", size=2, evaluate=0.05),
    Plan("components", CPU, "Components", "batch", "span", size=3, evaluate=0.1, save=0.1),
    Plan("jax-mlp", JAX, "JaxMlp", "step", "log", size=2, evaluate=0.1, save=0.1),
    Plan("jax-mlp-unfreeze", JAX, "JaxMlp", "step", "span", size=10, evaluate=0.1, change=0.3),
    Plan("jax-mlp-epochs", JAX, "JaxMlp", "epoch", "span", units=100, size=120, evaluate=0.01, final=True),
    Plan("jax-conv", JAX, "JaxConv", "step", "log", size=2, evaluate=0.05, save=0.2, final=True),
    Plan("jax-conv-change", JAX, "JaxConv", "step", "span", size=10, save=0.1, change=0.8),
    Plan("jax-recurrent", JAX, "JaxRecurrent", "step", "log", size=1, evaluate=0.1, save=0.1),
    Plan("jax-recurrent-epochs", JAX, "JaxRecurrent", "epoch", "span", units=120, size=120, evaluate=0.05),
    Plan("jax-recurrent-change", JAX, "JaxRecurrent", "step", "log", size=2, change=0.5, final=True),
    Plan("jax-transformer", JAX, "JaxTransformer", "step", "span", size=6, evaluate=0.1, save=0.05),
    Plan("jax-transformer-change", JAX, "JaxTransformer", "step", "log", size=1, save=0.1, change=0.6),
    Plan("jax-transformer-plain", JAX, "JaxTransformer", "step", "log", size=1),
    Plan("clusters-large", CPU, "Clusters", "batch", "span", size=40, save=0.02, final=True),
)


def _made(plan: Plan, units: int, *, again: bool = False) -> Any:
    training = getattr(importlib.import_module(plan.module), plan.training)
    return training(units, size=plan.size, change=plan.change, seed=sum(plan.name.encode()) + again)


def _probe(plan: Plan, seconds: float) -> str:
    """Number of units that fill the seconds, and passes of one evaluation, by some units of a run without stages.

    A pass is repeated until all evaluations take 2 to 12 % of the time, as those of real trainings do.
    """
    began_s = CLOCK.monotonic_s()
    training = _made(plan._replace(change=None), 1_000_000)
    training.unit(0)
    loaded_s = CLOCK.monotonic_s() - began_s
    began_s, done = CLOCK.monotonic_s(), 0
    while CLOCK.monotonic_s() - began_s < PROBE_S:
        done += 1
        training.unit(done)
    per_unit_s = (CLOCK.monotonic_s() - began_s) / done
    growth = 0.75 if plan.change is not None else 0.85  # room for evaluation and for the slower second stage
    units = plan.units or max(60, int(growth * (seconds - loaded_s) / per_unit_s))
    began_s = CLOCK.monotonic_s()
    training.evaluate()
    pass_s = CLOCK.monotonic_s() - began_s
    share = random.Random(plan.name).uniform(0.02, 0.12)
    return f"{units} {max(1, round(share * (plan.evaluate or 0.02) * units * per_unit_s / pass_s))}"


def _train(plan: Plan, units: int, passes: int, folder: Path, *, again: bool) -> None:
    """The training as its author would write it, with a run around it and a link to its journal beside."""
    with _run(plan.name, home=str(folder), runtime_dir=str(folder), period=f"{PERIOD_S:g}s") as run:
        _keep(folder / "journal" / f"{run.id}.jsonl", folder / "kept.jsonl")
        training = _made(plan, units, again=again)
        every = max(1, -(-units // MOST_MARKS))
        evaluate, save = (
            max(1, round(share * units)) if share else 0 for share in (plan.evaluate, plan.save)
        )
        for index in range(units):
            with run.span(plan.unit) if plan.style == "span" else contextlib.nullcontext():
                training.unit(index)
            if plan.style == "log" and (index + 1) % every == 0:
                run.log(plan.unit, index + 1)
            if evaluate and (index + 1) % evaluate == 0:
                with run.span("evaluation"):
                    _times(passes, training.evaluate)
            if save and (index + 1) % save == 0:
                _save(training, folder / "checkpoint")
        if plan.final:
            _times(2 * passes, training.evaluate)
    print(CLOCK.waited_s())


def _run(name: str, **settings: str) -> Any:
    """Run as `sootprint.track` makes it, on a machine that the training has for itself.

    Its clock leaves out what others took, and the processor's model sees the training's own processor time.
    """
    sys.path.insert(0, str(ROOT / "src"))
    from sootprint.core.protocols import Machine
    from sootprint.meters import cpu
    from sootprint.tracker import journal
    from sootprint.tracker.run import Run
    from sootprint.tracker.worker import Worker

    class Alone(Run):
        def _made(self, inside: Run | None = None) -> Worker:
            return Worker(arguments=settings, name=name, machine=Machine(clock=CLOCK))

    def ticks() -> cpu.Ticks:
        return cpu.Ticks(time.process_time(), CLOCK.monotonic_s() * (os.cpu_count() or 1))

    cpu._reader = lambda machine: ticks
    journal.COMPACT_TICKS = 10**9  # the journal keeps every line
    return Alone(name)


def _keep(journal: Path, link: Path) -> None:
    """A second name of the journal, which the end of the run deletes."""
    for _ in range(500):
        with contextlib.suppress(FileNotFoundError):
            os.link(journal, link)
            return
        time.sleep(0.01)
    raise SystemExit(f"{journal} was never written")


def _times(count: int, do: Callable[[], None]) -> None:
    for _ in range(count):
        do()


def _save(training: Any, path: Path) -> None:
    """A checkpoint as large as those of a model with its optimiser, down to the disk."""
    training.save(path)
    with path.open("ab") as file:
        file.write(os.urandom(CHECKPOINT_BYTES))
        os.fsync(file.fileno())


def _read(journal: Path) -> dict[str, Any]:
    """Ticks with the energy so far, spans and logged numbers of one journal."""
    sys.path.insert(0, str(ROOT / "src"))
    from sootprint.tracker.fold import Fold
    from sootprint.tracker.journal import read_lines

    fold, ticks, spans, units = Fold(), [], {}, []
    for line in read_lines(journal):
        content = line.content or {}
        fold.apply(content)
        if content["k"] == "tick":
            ticks.append([round(fold.last_s, 3), round(_own_j(fold), 2)])
        elif content["k"] == "span" and content["open"]:
            spans[content["n"]] = [content["name"], round(content["s"], 3), None]
        elif content["k"] == "span":
            spans[content["n"]][2] = round(content["s"], 3)
        elif content["k"] == "log":
            units.append([round(content["s"], 3), int(content["value"])])
    return {
        "end_s": round(fold.last_s, 3),
        "end_j": round(_own_j(fold), 2),
        "ticks": ticks,
        "spans": list(spans.values()),
        "units": units,
    }


def _own_j(fold: Any) -> float:
    """Energy so far as the tracker counts it, without the network's: its traffic is that of others [J]."""
    own = [state for state in fold.used() if state.component != "network"]
    return sum(state.energy_j + state.pending_j(fold.last_s) for state in own)


def _record(plan: Plan, seconds: float, *, into: Path, again: bool = False) -> None:
    """Probe, train and keep one trace, each in a process of its own; what is recorded again is not probed."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if again:
            before = json.loads(gzip.decompress((into / f"{plan.name}.json.gz").read_bytes()))
            units, passes = before["total"], before["passes"]
        else:
            units, passes = map(int, _child(plan, "--probe", str(seconds)).split())
        train = ["--train", str(units), str(passes), str(folder), *(["--again"] if again else [])]
        waited_s = float(_child(plan, *train))
        trace = {
            "name": plan.name,
            "about": plan._asdict(),
            "unit": plan.unit,
            "total": units,
            "passes": passes,
            "period_s": PERIOD_S,
            "energy": "modelled: constant part, and share of the rated power by the training's own processor time",
            "waited_s": round(waited_s, 1),
            "recorded": datetime.date.today().isoformat(),
            **_read(folder / "kept.jsonl"),
        }
    if any(end_s is None for _, _, end_s in trace["spans"]):
        raise SystemExit(f"{plan.name}: its journal ends before its training: nothing is kept")
    said = f"{plan.name}: {units} {plan.unit}s, {trace['end_s']:.0f} s, {trace['end_j']:.0f} J, {waited_s:.0f} s taken"
    if trace["end_s"] < LEAST_S:
        print(f"{said}: too short, not kept", flush=True)
        return
    print(said, flush=True)
    text = json.dumps(trace, separators=(",", ":"))
    path = (into / "again" if again else into) / f"{plan.name}.json.gz"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(gzip.compress(text.encode(), 9, mtime=0))


def _child(plan: Plan, *arguments: str) -> str:
    command = [sys.executable, __file__, plan.name, *arguments]
    return subprocess.run(
        command, check=True, capture_output=True, text=True, env=os.environ | ONE_THREAD
    ).stdout


def _chosen(names: list[str]) -> Iterator[Plan]:
    for plan in PLANS:
        if (not names and not (TRACES / f"{plan.name}.json.gz").exists()) or plan.name in names:
            yield plan


def main() -> None:
    """Record what is not there yet, or what is named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="trainings; all that have no trace yet when left out")
    parser.add_argument("--seconds", type=float, default=100.0, help="length to aim at [s]")
    parser.add_argument("--again", action="store_true", help="into the folder `again`, with another seed")
    parser.add_argument(
        "--quiet", action="store_true", help="into bench/traces/quiet, on a machine left alone"
    )
    parser.add_argument("--probe", type=float, help=argparse.SUPPRESS)
    parser.add_argument("--train", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    TRACES.mkdir(exist_ok=True)
    for plan in _chosen(given.names):
        if given.probe is not None or given.train is not None:
            os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
        if given.probe is not None:
            print(_probe(plan, given.probe))
        elif given.train is not None:
            _train(plan, int(given.train[0]), int(given.train[1]), Path(given.train[2]), again=given.again)
        else:
            _record(plan, given.seconds, into=QUIET if given.quiet else TRACES, again=given.again)


if __name__ == "__main__":
    main()
