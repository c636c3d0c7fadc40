"""Intensity of the steps ahead, as a plan needs it: from a trace or the configured sources, kept while they fail."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from sootprint.core.errors import IntensityError, SettingsError
from sootprint.core.units import SECONDS_PER_HOUR

if TYPE_CHECKING:
    from sootprint.core.protocols import Intensity
    from sootprint.engines.book import Plan
    from sootprint.settings import Settings

ASK_AGAIN_S = SECONDS_PER_HOUR  # a forecast is asked for again each hour
RETRY_S = 300.0  # after a source failed


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """Steps of equal length from the one that holds now, to as far as a source tells.

    Args:
        values: Intensity of each step, `(n_steps,)` [gCO2e/kWh].
        step_s: Length of a step [s].
        index: Number of the first step since 1970, by which a step is told from the next.
        source: Who told it, in words.
    """

    values: npt.NDArray[np.float64]
    step_s: float
    index: int
    source: str


class Outlook:
    """Forecast of a plan's zone, asked for again each hour and kept in between.

    Args:
        plan: The plan.
        settings: Settings with `[grid]`.
        say: Called with one line for a person.
    """

    def __init__(self, plan: Plan, settings: Settings, say: Callable[[str], object]) -> None:
        self._plan, self._settings, self._say = plan, settings, say
        self._steps: Sequence[Intensity] = ()
        self._asked_s = -math.inf
        self._told: set[str] = set()

    def ahead(self, now_s: float) -> Ahead | None:
        """Steps from now to the deadline; None where no source tells the step that holds now.

        A step without a figure counts as the dirtiest of the window, for nothing speaks for running in it.
        """
        if not self._asked_s <= now_s < self._asked_s + ASK_AGAIN_S:
            self._ask(now_s)
        return series(self._steps, now_s, self._plan.deadline_s)

    def _ask(self, now_s: float) -> None:
        """Ask for the rest of the plan's time; what was told before stays where nobody answers."""
        start, end = datetime.fromtimestamp(now_s, UTC), datetime.fromtimestamp(self._plan.deadline_s, UTC)
        self._asked_s = now_s
        if not start < end or not self._plan.zone:
            return
        try:
            self._steps = self._between(self._plan.zone, start, end)
        except (IntensityError, SettingsError) as err:
            self._asked_s = now_s - ASK_AGAIN_S + RETRY_S
            if str(err) not in self._told:
                self._told.add(str(err))
                self._say(f"no forecast of the grid: {err}")

    def _between(self, zone: str, start: datetime, end: datetime) -> Sequence[Intensity]:
        from pathlib import Path

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
                return source(name, self._settings).between(zone, start, end)
            except IntensityError as err:
                errors.append(str(err))
        raise IntensityError("; ".join(errors))


def series(steps: Sequence[Intensity], now_s: float, until_s: float) -> Ahead | None:
    """Steps of equal length from the one that holds now to the last known before `until_s`."""
    if not steps:
        return None
    step_s = steps[0].step_s or SECONDS_PER_HOUR
    first = math.floor(now_s / step_s)
    known: dict[int, float] = {}
    for one in steps:
        at = math.floor(one.start.timestamp() / step_s)
        while at * step_s < one.end.timestamp():
            known[at] = one.factor.value or 0.0
            at += 1
    last = min(max(known), math.ceil(until_s / step_s) - 1)
    if first not in known or last < first:
        return None
    worst = max(known.values())
    values = np.array([known.get(at, worst) for at in range(first, last + 1)])
    return Ahead(values=values, step_s=step_s, index=first, source=steps[0].factor.source or "")
