"""Intensity of the steps ahead, as a plan needs it: given by a trace or the sources, else forecast from their past."""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from sootprint.core.errors import InputError, IntensityError, SettingsError
from sootprint.core.units import SECONDS_PER_HOUR
from sootprint.intensity.kinds import UNSTATED, unlike
from sootprint.planner.overheads import plan_with_overheads
from sootprint.planner.starts import best_starts

if TYPE_CHECKING:
    from sootprint.core.protocols import Intensity
    from sootprint.engines.book import Plan
    from sootprint.planner.views import View
    from sootprint.settings import Settings

ASK_AGAIN_S = SECONDS_PER_HOUR  # a forecast is asked for again each hour
RETRY_S = 300.0  # after a source failed
FAULTS = (
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)  # of an answer that nobody has foreseen
MOST_STEPS = (
    3000  # of a window, as a month of quarter hours; finer ones are taken together: a plan takes their square
)
FILE_NAME = "outlook.jsonl"  # what was known of the hours ahead, a line each time that it was asked for
GIVEN, OWN = "as given", "forecast from its past"
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """Steps of equal length from the one that holds now, to as far as anybody tells.

    Args:
        values: Intensity of each step, `(n_steps,)` [gCO2e/kWh].
        step_s: Length of a step [s].
        index: Number of the first step since 1970, by which a step is told from the next.
        source: Who told it, in words.
        method: Average or marginal, life-cycle or direct: series of other methods are not ranked with it.
        kind: As given, or our forecast from the zone's past.
        misses: True less forecast of earlier forecasts, `(n_draws, n_steps)`, 0 for steps that were given; None
            where nobody says how sure it is.
    """

    values: Floats
    step_s: float
    index: int
    source: str
    method: str = UNSTATED
    kind: str = GIVEN
    misses: Floats | None = None

    def draws(self) -> Floats | None:
        """Equally likely courses, `(n_draws, n_steps)` [gCO2e/kWh]."""
        return None if self.misses is None else np.maximum(0.0, self.values + self.misses)

    def quantile(self, share: float) -> Floats | None:
        """Quantile of the intensity in each step, `(n_steps,)` [gCO2e/kWh]."""
        drawn = self.draws()
        return None if drawn is None else np.quantile(drawn, share, axis=0)

    def by_steps_of(self, step_s: float) -> Ahead | None:
        """The same in longer steps, of which each is the mean of what is left of it; None where they do not fit."""
        count = round(step_s / self.step_s)
        if count < 1 or not math.isclose(count * self.step_s, step_s):
            return None
        if count == 1:
            return self
        edges = np.arange(-(self.index % count), self.values.size, count).clip(0)
        sizes = np.diff(np.append(edges, self.values.size))
        misses = None if self.misses is None else np.add.reduceat(self.misses, edges, axis=1) / sizes
        values = np.add.reduceat(self.values, edges) / sizes
        return replace(self, values=values, misses=misses, step_s=step_s, index=self.index // count)


class Outlook:
    """What is known of the hours ahead in a plan's zone, asked for again each hour and kept in between.

    Args:
        plan: The plan.
        settings: Settings with `[grid]`.
        say: Called with one line for a person.
    """

    def __init__(self, plan: Plan, settings: Settings, say: Callable[[str], object]) -> None:
        self._plan, self._settings, self._say = plan, settings, say
        self._steps: Sequence[Intensity] = ()
        self._told_by: str | None = None
        self._own: Ahead | None = None
        self._asked_s = -math.inf
        self._told: set[str] = set()

    def ahead(self, now_s: float) -> Ahead | None:
        """Steps from now to the deadline; None where nobody tells the step that holds now.

        What a source gives counts, and the forecast from its past beyond that. A step without either counts as the
        dirtiest of the window, for nothing speaks for running in it.
        """
        if not self._asked_s <= now_s < self._asked_s + ASK_AGAIN_S:
            try:
                self._ask(now_s)
            except FAULTS as err:  # what a source answered must not end the driver of a job
                self._failed(now_s, f"{type(err).__name__}: {err}")
            self._keep(now_s)
        return self._known(now_s)

    def _known(self, now_s: float) -> Ahead | None:
        known = self._finest(now_s)
        if known is None or known.values.size <= MOST_STEPS:
            return known
        return known.by_steps_of(math.ceil(known.values.size / MOST_STEPS) * known.step_s)

    def _finest(self, now_s: float) -> Ahead | None:
        given = series(self._steps, now_s, self._plan.deadline_s)
        if self._own is None:
            return given
        if given is not None and unlike((given.method, given.source), (self._own.method, self._own.source)):
            return given  # what a source gives is not mixed with a forecast of another method
        return joined(self._own, self._steps, now_s) or given

    def _ask(self, now_s: float) -> None:
        """Ask for the rest of the plan's time; what was told before stays where nobody answers."""
        start, end = datetime.fromtimestamp(now_s, UTC), datetime.fromtimestamp(self._plan.deadline_s, UTC)
        self._asked_s = now_s
        if not start < end or not self._plan.zone:
            return
        problem: Exception | None = None
        try:
            self._steps = self._between(self._plan.zone, start, end)
        except (IntensityError, SettingsError) as err:
            problem = err
        given = series(self._steps, now_s, self._plan.deadline_s)
        if given is not None and (given.index + given.values.size) * given.step_s >= self._plan.deadline_s:
            self._own = None
            return
        try:
            self._own = _as_ahead(self._view(self._plan.zone, start, end - start))
        except (InputError, IntensityError, SettingsError) as err:
            if given is None:
                self._failed(now_s, f"{problem}; {err}" if problem and str(problem) != str(err) else str(err))

    def _failed(self, now_s: float, reason: str) -> None:
        self._asked_s = now_s - ASK_AGAIN_S + RETRY_S
        if reason not in self._told:
            self._told.add(reason)
            self._say(f"no forecast of the grid: {reason}")

    def _between(self, zone: str, start: datetime, end: datetime) -> Sequence[Intensity]:
        from sootprint.intensity.chain import source
        from sootprint.intensity.trace import TraceSource

        if self._plan.trace is not None:
            return TraceSource(Path(self._plan.trace)).between(zone, start, end)
        names = (
            [name for name in self._settings.grid.sources if name != "annual"] if self._settings.grid else []
        )
        if not names:
            raise IntensityError("state sources in [grid] of your sootprint.toml, or give --trace FILE")
        errors = []
        for name in names:  # half of a plan's time need not be known, unlike that of a footprint
            try:
                found = source(name, self._settings).between(zone, start, end)
                self._told_by = name
                return found
            except IntensityError as err:
                errors.append(str(err))
        raise IntensityError("; ".join(errors))

    def _view(self, zone: str, start: datetime, window: timedelta) -> View:
        """Forecast from the past of the trace or the sources, made with what is known by now alone.

        Raises:
            IntensityError: No past is known.
            InputError: The past is too short.
        """
        from sootprint.planner import views

        if self._plan.trace is not None:
            file, longer = Path(self._plan.trace), window + timedelta(hours=1)
            return views.of_trace(file, zone, start, longer, forecaster="blend")
        return views.of_past(zone, start, window, self._settings, first=self._told_by)

    def _keep(self, now_s: float) -> None:
        """Write what is known now into the plan's folder, for its report; a full disk does not stop a plan."""
        from sootprint.engines.book import FOLDER

        known = self._known(now_s)
        if known is None:
            return
        low, high = (known.quantile(share) for share in (0.05, 0.95))
        line = {
            "at_s": now_s,
            "start_s": known.index * known.step_s,
            "step_s": known.step_s,
            "g_per_kwh": np.round(known.values, 2).tolist(),
            "low_g_per_kwh": None if low is None else np.round(low, 2).tolist(),
            "high_g_per_kwh": None if high is None else np.round(high, 2).tolist(),
            "kind": known.kind,
            "method": known.method,
            "source": known.source,
        }
        path = self._settings.home / FOLDER / self._plan.id / FILE_NAME
        with contextlib.suppress(OSError), path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def planned(
    values: Floats, length: int, slack: int, *, pausable: bool, resume_cost: float
) -> npt.NDArray[np.int64]:
    """Steps in which a job runs by what is known now, `(length,)`."""
    if pausable:
        return plan_with_overheads(values, length, slack, resume_cost, 0.0)[1]
    return int(best_starts(values, 0, length, slack)[0][0]) + np.arange(length)


def series(steps: Sequence[Intensity], now_s: float, until_s: float) -> Ahead | None:
    """Steps of equal length from the one that holds now to the last known before `until_s`.

    A step in between that nobody knows counts as the worst of those that are known.
    """
    if not steps:
        return None
    step_s = steps[0].step_s or SECONDS_PER_HOUR
    first = math.floor(now_s / step_s)
    known: dict[int, float] = {}
    for one in steps:
        if one.factor.value is None:
            continue  # a hole, as an hour that is left out
        at = math.floor(one.start.timestamp() / step_s)
        while at * step_s < one.end.timestamp():
            known[at] = one.factor.value
            at += 1
    if not known:
        return None
    last = min(max(known), math.ceil(until_s / step_s) - 1)
    if first not in known or last < first:
        return None
    worst = max(known.values())
    values = np.array([known.get(at, worst) for at in range(first, last + 1)])
    told = steps[0].factor
    return Ahead(
        values=values, step_s=step_s, index=first, source=told.source or "", method=told.method or UNSTATED
    )


def joined(own: Ahead, steps: Sequence[Intensity], now_s: float) -> Ahead | None:
    """Forecast from now on, with what a source gives in place of our own figures; None where it has ended.

    A step counts as given where the source covers all of what is left of it.
    """
    skipped = math.floor(now_s / own.step_s) - own.index
    if not 0 <= skipped < own.values.size:
        return None
    values = own.values[skipped:].copy()
    misses = None if own.misses is None else own.misses[:, skipped:].copy()
    first = own.index + skipped
    for at in range(values.size):
        start_s, end_s = max(now_s, (first + at) * own.step_s), (first + at + 1) * own.step_s
        given = _mean(steps, start_s, end_s)
        if given is not None:
            values[at] = given
            if misses is not None:
                misses[:, at] = 0.0
    return replace(own, values=values, index=first, misses=misses)


def _mean(steps: Sequence[Intensity], start_s: float, end_s: float) -> float | None:
    """Mean of a time, where steps with a figure cover all of it."""
    spent = total = 0.0
    for one in steps:
        part = min(end_s, one.end.timestamp()) - max(start_s, one.start.timestamp())
        if part > 0.0 and one.factor.value is not None:
            spent, total = spent + part, total + part * one.factor.value
    return total / spent if spent >= (end_s - start_s) * (1.0 - 1e-9) and spent > 0.0 else None


def _as_ahead(view: View) -> Ahead:
    step_s = view.step.total_seconds()
    return Ahead(
        values=view.expected,
        step_s=step_s,
        index=math.floor(view.start.timestamp() / step_s),
        source=view.source,
        method=view.method,
        kind=OWN if view.misses is not None else GIVEN,
        misses=view.misses,
    )
