"""What waiting is expected to bring: the begin and the saving of a job that waits, kept beside its plan's book."""

from __future__ import annotations

import contextlib
import json
import math
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from sootprint.core import files
from sootprint.core.errors import CatalogueError, InputError
from sootprint.core.instants import stamp
from sootprint.core.units import G_PER_KG, W_PER_KW, hours
from sootprint.engines.state import MARGIN
from sootprint.runner.outlook import planned
from sootprint.runner.power import ASSUMED, expected
from sootprint.runner.waits import FILE_NAME

if TYPE_CHECKING:
    from sootprint.engines.book import Book, State
    from sootprint.runner.outlook import Ahead, Floats


def window(ahead: Ahead, left_s: float, until_s: float) -> tuple[int, int]:
    """Steps that a job still runs, and those that it may still wait."""
    length = max(1, math.ceil(left_s / ahead.step_s))
    free_s = until_s - left_s * (1.0 + MARGIN)
    return length, min(math.floor(free_s / ahead.step_s), ahead.values.size - length)


def likely_s(state: State, ahead: Ahead) -> float | None:
    """Time at which a job that waits would start by the best estimate of the steps ahead; None where that is now."""
    steps = _steps(state, ahead)
    return None if steps is None else (ahead.index + float(steps[0])) * ahead.step_s


def keep(book: Book, state: State, ahead: Ahead) -> None:
    """Write what is foreseen of a job that waits into its plan's folder; a full disk does not stop a plan."""
    with contextlib.suppress(OSError, CatalogueError, InputError):
        files.put(book.folder / FILE_NAME, json.dumps(foreseen(book, state, ahead)).encode())


def foreseen(book: Book, state: State, ahead: Ahead) -> dict[str, Any]:
    """Begin and saving of a job that waits, by the steps ahead and against running at once.

    The interval of the saving is that of earlier forecasts' misses, as far as anybody tells them. The kilograms are
    those of the IT equipment, before PUE, and None where nothing tells the power of the job.
    """
    begin_s, steps = likely_s(state, ahead), _steps(state, ahead)
    told = {"begin": None if begin_s is None else stamp(begin_s), "at": stamp(time.time())}
    told |= {"source": ahead.source, "kind": ahead.kind}
    if steps is None:
        return told | {"saving_share": None, "saving_kg": None}
    power = expected(book.folder.parents[1], state)
    drawn = ahead.draws()
    cost = state.resume_s / ahead.step_s
    saved, now = _saved(ahead.values[None], steps, cost)
    least, most = None, None
    if drawn is not None:
        courses, _ = _saved(drawn, steps, cost)
        least, most = (float(np.quantile(courses, share)) for share in (0.05, 0.95))
    value = float(saved[0])
    share = {"value": value, "low": _least(value, least), "high": _most(value, most), "basis": "modelled"}
    known = power.source != ASSUMED
    at_once_kg = power.power_w / W_PER_KW * hours(state.left_s) * float(now[0]) / G_PER_KG
    amount = {name: _times(share[name], at_once_kg) for name in ("value", "low", "high")}
    kg = {**amount, "basis": "modelled"} if known else None
    return told | {
        "saving_share": share,
        "saving_kg": kg,
        "power_w": power.power_w if known else None,
        "power_source": power.source,
    }


def _steps(state: State, ahead: Ahead) -> Any:
    """Steps in which a job would run by the best estimate, `(length,)`; None where its first is now."""
    begin_s = ahead.index * ahead.step_s
    length, slack = window(ahead, state.left_s, state.plan.deadline_s - begin_s)
    if slack < 1:
        return None
    ends, cost = length + slack, state.resume_s / ahead.step_s
    steps = planned(ahead.values[:ends], length, slack, pausable=state.plan.pausable, resume_cost=cost)
    return steps if steps[0] else None


def _saved(courses: Floats, steps: Any, resume_cost: float) -> tuple[Floats, Floats]:
    """Shares saved in courses `(n, n_steps)`, `(n,)` [1], and the mean intensity of running at once [gCO2e/kWh]."""
    length = steps.size
    again = steps[1:][np.diff(steps) > 1]
    spent = courses[:, steps].sum(axis=1) + resume_cost * courses[:, again].sum(axis=1)
    now = np.maximum(courses[:, :length].sum(axis=1), 1e-9)
    return 1.0 - spent / now, now / length


def _least(value: float, bound: float | None) -> float | None:
    return None if bound is None else min(value, bound)


def _most(value: float, bound: float | None) -> float | None:
    return None if bound is None else max(value, bound)


def _times(share: Any, kg: float) -> float | None:
    return None if share is None else share * kg
