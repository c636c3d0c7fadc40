"""The training that is measured: `python child.py PLAN.json` in the environment of one tool.

It notes what happened in lines of JSON, in a file that no fault reaches. Only modules that an interpreter has loaded
anyway are imported before the tool.
"""

from __future__ import annotations

import os
import sys
import time

TYPE_CHECKING = False  # the typing module is none of those
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    Plan = dict[str, Any]

NOTES: dict[str, Any] = {}


def note(name: str, **more: object) -> None:
    """Add one line to the notes; the monotonic clock is the same in every process of the machine."""
    import json

    line = json.dumps({"event": name, "at_s": time.clock_gettime(time.CLOCK_MONOTONIC), **more}) + "\n"
    os.write(NOTES["to"], line.encode())


def memory_mb() -> float:
    """Memory of this process and its helpers, shared pages split among those who share them [MB]."""
    return sum(_share_mb(pid) for pid in [os.getpid(), *_descendants(os.getpid())])


def _share_mb(pid: int) -> float:
    try:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as rows:  # noqa: PTH123
            return next(float(row.split()[1]) * 1.024e-3 for row in rows if row.startswith("Pss:"))
    except (OSError, StopIteration):
        return 0.0


def _descendants(pid: int) -> list[int]:
    """Identities of the processes that this one started, and theirs."""
    found = []
    for task in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208
        try:
            with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as row:  # noqa: PTH123
                children = [int(word) for word in row.read().split()]
        except OSError:
            continue
        for child in children:
            found += [child, *_descendants(child)]
    return found


def helpers_cpu_s() -> float:
    """Processor time of the helpers of this process, those that ended included [s]."""
    total_s = sum(os.times()[2:4])
    for pid in _descendants(os.getpid()):
        for task in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208
            with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as row:  # noqa: PTH123
                total_s += int(row.read().split()[0]) * 1e-9
    return total_s


class Cost:
    """Wall and processor time of what stands under `with`, helpers included [ms], and the instants around it [s]."""

    def __enter__(self) -> Cost:
        self._helpers_s = helpers_cpu_s()
        self._wall_s, self._cpu_s = time.perf_counter(), time.process_time()
        self.begun_s = time.clock_gettime(time.CLOCK_MONOTONIC)
        return self

    def __exit__(self, *ignored: object) -> None:
        self.ended_s = time.clock_gettime(time.CLOCK_MONOTONIC)
        cpu_s, wall_s = time.process_time(), time.perf_counter()
        self.wall_ms = 1000 * (wall_s - self._wall_s)
        self.cpu_ms = 1000 * (cpu_s - self._cpu_s + helpers_cpu_s() - self._helpers_s)


def adapter(path: str) -> ModuleType:
    """The adapter's module, loaded by path so that this folder hides no module of a tool."""
    import importlib.util

    made = importlib.util.spec_from_file_location("adapter", path)
    module = importlib.util.module_from_spec(made)
    made.loader.exec_module(module)
    return module


def train(plan: Plan, use: Any, until_s: float) -> None:
    """Work a little, in epochs, until an instant of the monotonic clock; what goes wrong on the way is in the plan."""
    begun_s = time.monotonic()
    middle_s = begun_s + 0.5 * (until_s - begun_s)
    ended = 0
    while (now_s := time.monotonic()) < until_s:
        if middle_s <= now_s:
            middle_s = float("inf")
            _middle(plan)
        left_s = until_s - now_s
        _work(plan["busy"], min(left_s, plan["slice_s"]))
        if use is not None and (time.monotonic() - begun_s) // plan["epoch_s"] > ended:
            ended += 1
            if ended < plan["epochs"]:
                use.epoch()


def _middle(plan: Plan) -> None:
    """What the training itself does half-way."""
    if plan["fault"] == "raise":
        note("raising")
        raise RuntimeError("the training failed")
    if plan["fault"] == "fork" and os.fork() == 0:
        time.sleep(1.0)
        sys.exit(0)


def _work(busy: float, slice_s: float) -> None:
    """A slice of time, the first part of it busy."""
    until_s = time.monotonic() + busy * slice_s
    while time.monotonic() < until_s:
        pass
    time.sleep((1.0 - busy) * slice_s)


def _await_go(plan: Plan) -> tuple[float, float | None]:
    """Instant at which all processes of a case start, and that at which they stop if they are many."""
    import json

    note("ready")
    while not os.path.exists(plan["go"]):  # noqa: PTH110
        time.sleep(0.02)
    with open(plan["go"], encoding="utf-8") as told:  # noqa: PTH123
        start_s, stop_s = json.load(told)
    return start_s, stop_s


def measured(plan: Plan, module: ModuleType) -> None:
    """One run of the tool around the training."""
    start_s, stop_s = _await_go(plan)
    time.sleep(max(0.0, start_s - time.monotonic()))
    note("starting")
    with Cost() as cost:
        use = module.Use(plan)
        use.start()
    note("started", at_s=cost.ended_s, start_ms=cost.wall_ms, start_cpu_ms=cost.cpu_ms)
    until_s = stop_s or time.monotonic() + plan["seconds"]
    if plan["fault"] == "nested":
        _nested(plan, module, use, until_s)
    elif plan["fault"] == "cost":
        _sampled(plan, use, until_s)
    else:
        train(plan, use, until_s)
    note("stopping")
    with Cost() as cost:
        joules = use.stop()
    note("stopped", joules=joules, called_s=cost.begun_s, stop_ms=cost.wall_ms, stop_cpu_ms=cost.cpu_ms)


def _nested(plan: Plan, module: ModuleType, use: Any, until_s: float) -> None:
    """A run within the run: its third in the middle."""
    third_s = (until_s - time.monotonic()) / 3
    train(plan, use, time.monotonic() + third_s)
    inner = module.Use({**plan, "name": "inner", "epochs": 1})
    inner.start()
    note("inner started")
    train(plan, None, time.monotonic() + third_s)
    note("inner stopping")
    note("inner stopped", inner_joules=inner.stop())
    train(plan, None, until_s)


def _sampled(plan: Plan, use: Any, until_s: float) -> None:
    """An idle training: what is spent meanwhile is the tool's."""
    with Cost() as cost:
        time.sleep(1.0)  # what the start left to do
    note("settled", settle_cpu_ms=cost.cpu_ms)
    with Cost() as cost:
        train(plan, use, time.monotonic() + plan["young_s"])
    note("grown", young_cpu_ms_per_s=1000 * cost.cpu_ms / cost.wall_ms)
    with Cost() as cost:
        train(plan, use, until_s)
    helpers = len(_descendants(os.getpid()))
    memory = memory_mb() - NOTES["bare_mb"]
    note("sampled", cpu_ms_per_s=1000 * cost.cpu_ms / cost.wall_ms, memory_mb=memory, helpers=helpers)


def main() -> None:
    """Run the plan."""
    import json

    with open(sys.argv[1], encoding="utf-8") as text:  # noqa: PTH123
        plan = json.load(text)
    NOTES["to"] = os.open(plan["notes"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    module = adapter(plan["adapter"])
    NOTES["bare_mb"] = memory_mb()
    with Cost() as cost:
        module.load()
    note("imported", import_ms=cost.wall_ms, import_cpu_ms=cost.cpu_ms)
    measured(plan, module)
    note("finished")


if __name__ == "__main__":
    sys.path.pop(0)  # this folder, whose modules are no part of a tool
    main()
