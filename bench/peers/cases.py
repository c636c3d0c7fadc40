"""The cases: what goes wrong in each, and what the training would do without a tool."""

from __future__ import annotations

import signal
from typing import NamedTuple

SECONDS = 6.0
TOGETHER_S = (
    14.0  # many processes start at once and slowly: their runs must still be long beside their starts
)
CONST = {"shape": "const", "base_w": 40.0, "amp_w": 0.0, "period_s": 10.0}


class Case(NamedTuple):
    """One case.

    Args:
        name: Its name in the results.
        title: What goes wrong, for the table.
        seconds: Length of the training [s].
        processes: Processes that train, in one output folder.
        inside: What the training itself does half-way: none, raise, fork, nested or cost.
        outside: What happens to it half-way: none, fill, step, wrap, reset or fail.
        ends: Signal that ends it, or 0.
        folder: State of the output folder: plain, absent, small or read-only.
        step_s: Step of the wall clock [s].
        broken_config: Whether the tool's configuration file is damaged.
        exit_code: Exit code of the training without any tool.
        boxed: Whether it needs mounts of its own.
        part: cpu or gpu.
        busy: Share of the time in which the training works.
        apart: Whether each process has an output folder of its own.
        epoch_s: Length of an epoch, for the tool that measures epochs [s].
    """

    name: str
    title: str
    seconds: float = SECONDS
    processes: int = 1
    inside: str = "none"
    outside: str = "none"
    ends: int = 0
    folder: str = "plain"
    step_s: int = 0
    broken_config: bool = False
    exit_code: int = 0
    boxed: bool = False
    part: str = "cpu"
    busy: float = 0.1
    apart: bool = False
    epoch_s: float = 3.0


CONTROL = Case("control", "nothing")
FAULTS = (
    CONTROL,
    Case("kill", "kill -9", ends=signal.SIGKILL, exit_code=-signal.SIGKILL),
    Case("term", "SIGTERM", ends=signal.SIGTERM, exit_code=-signal.SIGTERM),
    Case("raise", "exception, `stop` never called", inside="raise", exit_code=1),
    Case("absent", "output folder is missing", folder="absent"),
    Case("full", "disk full half-way", folder="small", outside="fill", seconds=12.0, boxed=True),
    Case("read-only", "output folder is read-only", folder="read-only", boxed=True),
    Case("clock-back", "clock set back 1 h", outside="step", step_s=-3600),
    Case("clock-on", "clock set on 1 h", outside="step", step_s=3600),
    Case("fork", "fork; the child exits", inside="fork"),
    Case("wrap", "RAPL counter wraps", outside="wrap", boxed=True),
    Case("reset", "RAPL counter is reset", outside="reset", boxed=True),
    Case("fail", "RAPL not readable for 2 s", outside="fail", seconds=8.0, boxed=True),
    Case("config", "configuration file damaged", broken_config=True),
)
FOUR = Case("four", "4 processes on one node", processes=4, seconds=TOGETHER_S, apart=True)
TOGETHER = Case("together", "8 runs end together in one folder", processes=8, seconds=TOGETHER_S)
NESTED = Case("nested", "a run within a run", inside="nested", seconds=9.0)
COST = Case("cost", "cost", inside="cost", busy=0.0)
WAVES = {
    "constant 40 W": CONST,
    "sine 60 +- 30 W, 7 s": {"shape": "sine", "base_w": 60.0, "amp_w": 30.0, "period_s": 7.0},
    "square 40/120 W, 3.3 s": {"shape": "square", "base_w": 40.0, "amp_w": 80.0, "period_s": 3.3},
    "square 40/120 W, 0.7 s": {"shape": "square", "base_w": 40.0, "amp_w": 80.0, "period_s": 0.7},
}
