"""The plan that a segment's record followed: what it was, and what was known of the hours ahead when it was made."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sootprint.core.instants import stamp
from sootprint.runner.outlook import FILE_NAME, planned

if TYPE_CHECKING:
    from sootprint.core.records import Footprint
    from sootprint.engines.book import Book, State

KEY = "waiting"  # in `plan` of each segment's record, and in `savings` of the last one's


def with_plan(record: Footprint, book: Book, number: int) -> Footprint:
    """Record of a segment that says of which plan it is, and what that had in mind."""
    state = book.state()
    plan = state.plan
    told = {
        "id": plan.id,
        "segment": number,
        "made": stamp(plan.made_s),
        "deadline": stamp(plan.deadline_s),
        "expect_s": plan.expect_s,
        "zone": plan.zone,
        "pausable": plan.pausable,
        "resume_s": state.resume_s,
        "idle_w": plan.idle_w,
        "trace": plan.trace and Path(plan.trace).name,
        "first_forecast": _first_forecast(book, state),
    }
    return dataclasses.replace(record, plan={**(record.plan or {}), KEY: told})


def _first_forecast(book: Book, state: State) -> dict[str, Any] | None:
    """What was known of the hours ahead when the plan was made, and the steps that it chose by that."""
    try:
        with (book.folder / FILE_NAME).open(encoding="utf-8") as file:
            told = json.loads(file.readline())
        values, step_s = np.array(told["g_per_kwh"], dtype=np.float64), float(told["step_s"])
        start_s = float(told["start_s"])
    except (OSError, ValueError, LookupError):
        return None
    steps = _steps(state, values, step_s)
    made = {
        name: told.get(name) for name in ("g_per_kwh", "low_g_per_kwh", "high_g_per_kwh", "kind", "source")
    }
    hours = [stamp(start_s + step * step_s) for step in steps]
    return {"start": stamp(start_s), "step_s": step_s, **made, "hours": hours}


def _steps(state: State, values: Any, step_s: float) -> Iterator[int]:
    """Steps that the job was to run in."""
    plan = state.plan
    length = min(values.size, max(1, math.ceil(plan.expect_s / step_s)))
    resume = state.resume_s / step_s if plan.pausable else 0.0
    chosen = planned(values, length, values.size - length, pausable=plan.pausable, resume_cost=resume)
    return (int(step) for step in chosen)


def instant(instant_s: float) -> datetime:
    """Instant of a wall clock, in UTC."""
    return datetime.fromtimestamp(instant_s, UTC)
