"""Power of a planned job, against which moves and idle draw are weighed: stated, else as its runs drew, else usual."""

from __future__ import annotations

import contextlib
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sootprint.core.errors import RecordError
from sootprint.core.units import W_PER_KW, hours
from sootprint.engines.book import books

if TYPE_CHECKING:
    from sootprint.engines.book import State

USUAL_POWER_W = 300.0  # of a job whose power nobody knows: one accelerator and its share of a host
ASSUMED = "assumed, as nothing tells its power; --power-w states it"
MOST_LOOKED_AT = 50  # plans of the same command


class Power(NamedTuple):
    """Mean power of a job's IT equipment [W], and where that is from, in words."""

    power_w: float
    source: str


def expected(home: Path, state: State) -> Power:
    """Power that a plan's job is expected to draw.

    Args:
        home: Folder of the user's data.
        state: What the book of its plan tells.
    """
    plan = state.plan
    if plan.power_w is not None:
        return Power(plan.power_w, "as stated")
    ended = sum(one.code is not None for one in state.segments)
    found = _measured_w(home, plan.id, plan.command, plan.cwd, ended)
    if found is not None:
        return Power(found, "as its runs drew")
    return Power(USUAL_POWER_W, ASSUMED)


@lru_cache(maxsize=64)
def _measured_w(home: Path, plan: str, command: tuple[str, ...], cwd: str, ended: int) -> float | None:
    """Mean power in the last plan of a command that has records, this plan first [W]; `ended` tells it from before."""
    from sootprint.ledger import Ledger

    with contextlib.suppress(RecordError), Ledger(home) as ledger:
        spent: dict[str, tuple[float, float]] = {}
        for row in ledger.runs():
            name = row.tags.get("plan")
            if name and "moved_to" not in row.tags and row.energy_kwh is not None and row.duration_s:
                before = spent.get(name, (0.0, 0.0))
                spent[name] = (before[0] + row.energy_kwh.value, before[1] + row.duration_s)
        for name in (plan, *_plans_of(home, command, cwd)):
            energy_kwh, time_s = spent.get(name, (0.0, 0.0))
            if energy_kwh > 0.0:
                return energy_kwh / hours(time_s) * W_PER_KW
    return None


def _plans_of(home: Path, command: tuple[str, ...], cwd: str) -> list[str]:
    """Plans of the same command in the same folder, the newest first."""
    found = []
    for book in list(reversed(books(home)))[:MOST_LOOKED_AT]:
        with contextlib.suppress(RecordError):
            plan = book.state().plan
            if (plan.command, plan.cwd) == (command, cwd):
                found.append(plan.id)
    return found
