"""One case of one tool: start the trainings, let happen what happens, and read what is left."""

from __future__ import annotations

import contextlib
import json
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bench.peers import box
from bench.peers.node import BEFORE_RESET_UJ, Node, wave

HERE = Path(__file__).resolve().parent
READY_S = 90.0  # importing eight times the largest tool on two cores takes half a minute
HANG_S = 30.0
FAIL_S = 2.0
WRAP_S = 3.5  # after the imports; every tool has started by then
RUN_ON_S = 600.0
OUTLIVE_S = 2.0
YOUNG_S = 10.0  # after the first second of a run whose costs are measured: some tools look more often in it
BALLAST = "ballast"

Spec = dict[str, Any]


class Training:
    """One process of the training, and what it noted."""

    def __init__(self, spec: Spec, number: int) -> None:
        case, folder = spec["case"], Path(spec["work"])
        self._notes = folder / f"notes-{number}"
        self.printed = folder / f"printed-{number}"
        plan = {
            "adapter": spec["adapter"],
            "name": f"bench-{number}",
            "folder": str(_out(spec, number)),
            "runtime": str(folder / "runtime"),
            "notes": str(self._notes),
            "go": str(folder / "go"),
            "part": case["part"],
            "busy": case["busy"],
            "slice_s": 60.0 if case["inside"] == "cost" else 0.1,
            "fault": case["inside"],
            "period_s": 1.0,
            "young_s": YOUNG_S,
            "epoch_s": case["epoch_s"],
            "epochs": max(1, math.ceil(case["seconds"] / case["epoch_s"])),
            "seconds": RUN_ON_S if case["ends"] else case["seconds"],
        }
        file = folder / f"plan-{number}"
        file.write_text(json.dumps(plan), encoding="utf-8")
        with self.printed.open("w", encoding="utf-8") as out:
            self.process = subprocess.Popen(
                [spec["python"], str(HERE / "child.py"), str(file)],
                env=_environ(spec),
                cwd=folder / "cwd",
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def notes(self) -> dict[str, dict[str, Any]]:
        """What the process noted so far, by event."""
        try:
            lines = self._notes.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return {}
        return {row["event"]: row for row in map(json.loads, lines)}

    def reached(self, event: str, *, within_s: float) -> bool:
        """Whether it noted an event before it ended and before the time was over."""
        until_s = time.monotonic() + within_s
        while time.monotonic() < until_s:
            alive = self.process.poll() is None
            if event in self.notes():
                return True
            if not alive:
                return False
            time.sleep(0.01)
        return False

    def helpers(self) -> list[int]:
        """Processes of its session that live on without it."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and int(entry.name) != self.process.pid:
                with contextlib.suppress(OSError, ValueError):
                    fields = (entry / "stat").read_text(encoding="ascii").rpartition(")")[2].split()
                    if int(fields[3]) == self.process.pid and fields[0] != "Z":
                        found.append(int(entry.name))
        return found


def run(spec: Spec) -> dict[str, Any]:
    """Result of one case: the true joules, the rows that are left, and how each process ended."""
    case, work = spec["case"], Path(spec["work"])
    node = _surroundings(spec)
    trainings = [Training(spec, number) for number in range(case["processes"])]
    for training in trainings:
        training.reached("ready", within_s=READY_S)
    if node is not None and case["outside"] == "wrap":
        node.wrap_in(WRAP_S)
    if node is not None and case["outside"] == "reset":
        node.count_from(BEFORE_RESET_UJ)
    time.sleep(0.1)  # the tree has moved on once more
    start_s = time.monotonic() + 0.1
    stop_s = start_s + case["seconds"] if case["processes"] > 1 else None
    _write(work / "go", json.dumps([start_s, stop_s]))
    ended_s = _let_happen(spec, trainings, node)
    codes = [_exit_code(training) for training in trainings]
    left_behind = _left_behind(trainings)
    with contextlib.suppress(OSError):
        (Path(spec["out"]) / BALLAST).unlink()
    windows = [window(training.notes(), case, start_s, ended_s) for training in trainings]
    union = min(a for a, _ in windows), max(b for _, b in windows)
    truth = _truth(spec) or (node.joules if node is not None else None)
    result = {
        "window_s": union,
        "seconds": union[1] - union[0],
        "true_j": None if truth is None else truth(*union),
        "rows": _rows(spec, trainings),
        "returned_j": [training.notes().get("stopped", {}).get("joules") for training in trainings],
        "inner_j": [training.notes().get("inner stopped", {}).get("inner_joules") for training in trainings],
        "inner_true_j": None if truth is None else _inner_true_j(trainings[0], truth),
        "exit_codes": codes,
        "finished": sum("finished" in training.notes() for training in trainings),
        "left_behind": left_behind,
        "notes": [training.notes() for training in trainings],
        "printed": trainings[0].printed.read_text(encoding="utf-8", errors="replace")[-3000:],
    }
    if node is not None:
        node.end()
    return result


def _environ(spec: Spec) -> dict[str, str]:
    """Environment of a training: a home of its own, no way to call out, and what the case adds."""
    dropped = ("SOOTPRINT_", "CODECARBON_", "PYTHON", "FAKE_", "CUDA_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    closed = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
    environ: dict[str, str] = spec["environ"]
    return kept | closed | {"HOME": spec["home"], "PYTHONUNBUFFERED": "1"} | environ


def _surroundings(spec: Spec) -> Node | None:
    """Folders, mounts and fake node of a case."""
    case, work, out = spec["case"], Path(spec["work"]), Path(spec["out"])
    for folder in (work / "cwd", Path(spec["home"]), work / "runtime"):
        folder.mkdir(parents=True, exist_ok=True)
    if case["folder"] != "absent":
        for number in range(case["processes"]):
            _out(spec, number).mkdir(parents=True, exist_ok=True)
    if case["broken_config"]:
        _break_config(spec)
    if not spec["boxed"]:
        return None
    box.prepare(out, case["folder"])
    tree = Path(spec["tree"] or work / "tree")
    node = None if spec["tree"] else Node(tree, spec["wave"])
    box.show_tree(tree, work / "spare")
    return node


def _break_config(spec: Spec) -> None:
    """Write nonsense where the tool looks for its configuration."""
    broken = Path(spec["work"]) / "broken"
    broken.write_bytes(b"\x00[[zone = \xff\nperiod = =\n")
    packages, config = Path(spec["packages"]), spec["config"]
    if config.startswith("PACKAGE/"):
        box.cover(packages / config.removeprefix("PACKAGE/"), broken)
    else:
        broken.replace(Path(spec["work"]) / "cwd" / config)


def _let_happen(spec: Spec, trainings: list[Training], node: Node | None) -> float | None:
    """Instant at which the case ended its trainings from outside, or None."""
    case = spec["case"]
    if not all(training.reached("started", within_s=READY_S) for training in trainings):
        return None
    begun_s = time.monotonic()
    acts: dict[str, Callable[[], None]] = {
        "fill": lambda: _fill(Path(spec["out"])),
        "step": lambda: _step(Path(spec["work"]) / "step", case["step_s"]),
    }
    if node is not None:
        acts |= {"reset": node.reset, "fail": lambda: node.fail_for(FAIL_S)}
    if case["outside"] in acts:
        time.sleep(case["seconds"] / 2)
        acts[case["outside"]]()
    if not case["ends"]:
        return None
    time.sleep(max(0.0, begun_s + case["seconds"] - time.monotonic()))
    for training in trainings:
        training.process.send_signal(case["ends"])
    return time.monotonic()


def _fill(folder: Path) -> None:
    """Use up the last byte of a small disk."""
    with contextlib.suppress(OSError), (folder / BALLAST).open("wb", buffering=0) as ballast:
        while True:
            ballast.write(bytes(4096))


def _step(file: Path, step_s: int) -> None:
    """Step the wall clock of the trainings [s]."""
    with file.open("r+b", buffering=0) as open_file:
        open_file.write(step_s.to_bytes(8, sys.byteorder, signed=True))


def _out(spec: Spec, number: int) -> Path:
    """Output folder of one process."""
    out = Path(spec["out"])
    return out / str(number) if spec["case"]["apart"] else out


def _write(file: Path, text: str) -> None:
    """A file that appears whole."""
    new = file.with_suffix(".new")
    new.write_text(text, encoding="utf-8")
    new.replace(file)


def _exit_code(training: Training) -> int | None:
    """Exit code, or None where it hung and was killed."""
    try:
        return training.process.wait(HANG_S)
    except subprocess.TimeoutExpired:
        training.process.kill()
        training.process.wait()
        return None


def _left_behind(trainings: list[Training]) -> int:
    """Processes that outlive their training by `OUTLIVE_S`; they are ended then."""
    until_s = time.monotonic() + OUTLIVE_S
    while (
        helpers := [(training, training.helpers()) for training in trainings]
    ) and time.monotonic() < until_s:
        if not any(found for _, found in helpers):
            return 0
        time.sleep(0.1)
    for training, found in helpers:
        if found:
            os.killpg(training.process.pid, signal.SIGKILL)
    return sum(len(found) for _, found in helpers)


def window(
    notes: Mapping[str, Mapping[str, Any]], case: Spec, start_s: float, ended_s: float | None
) -> tuple[float, float]:
    """Instants between which a training ran under the tool; the planned ones where the tool never started [s].

    They are those at which `start` returned and `stop` was called.

    Args:
        notes: What the training noted, by event.
        case: The case.
        start_s: Instant at which it was to start [s].
        ended_s: Instant at which it was ended from outside [s], or None.
    """
    if "started" not in notes:
        return start_s, start_s + case["seconds"]
    begun_s = notes["started"]["at_s"]
    if "stopped" in notes:
        return begun_s, notes["stopped"]["called_s"]
    for event in ("stopping", "raising"):
        if event in notes:
            return begun_s, notes[event]["at_s"]
    return begun_s, ended_s or begun_s + case["seconds"]


def _truth(spec: Spec) -> Callable[[float, float], float] | None:
    """True energy between two instants, where the device runs outside this case."""
    if spec["origin_s"] is None:
        return None
    told, origin_s = wave(spec["wave"]), spec["origin_s"]
    return lambda start_s, end_s: float(told.joules(start_s - origin_s, end_s - origin_s))


def _inner_true_j(training: Training, truth: Callable[[float, float], float]) -> float | None:
    notes = training.notes()
    if "inner stopping" not in notes:
        return None
    return truth(notes["inner started"]["at_s"], notes["inner stopping"]["at_s"])


def _rows(spec: Spec, trainings: list[Training]) -> list[dict[str, Any]]:
    """Rows that the tool's files or output hold after the end."""
    printed = [training.printed.read_text(encoding="utf-8", errors="replace") for training in trainings]
    if spec["case"]["apart"]:
        each = [_rows_in(spec, _out(spec, number), text) for number, text in enumerate(printed)]
        return [row for rows in each for row in rows]
    return _rows_in(spec, Path(spec["out"]), "\n".join(printed))


def _rows_in(spec: Spec, out: Path, printed: str) -> list[dict[str, Any]]:
    """Rows of one folder, read by the interpreter of the tool."""
    done = subprocess.run(
        [spec["python"], str(HERE / "rows.py"), spec["adapter"], str(out), spec["case"]["part"]],
        input=printed,
        env=_environ(spec | {"environ": {}}),
        cwd=spec["work"],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    rows: list[dict[str, Any]] = json.loads(done.stdout)
    return rows
