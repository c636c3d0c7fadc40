"""What lies ahead in a zone: figures that are given, or a forecast from the past, with how far such forecasts miss."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sootprint.core.errors import InputError, IntensityError
from sootprint.intensity.annual import AnnualSource
from sootprint.intensity.chain import ANNUAL, Answer, ChainSource, chain
from sootprint.intensity.kinds import UNSTATED
from sootprint.planner.exact import Floats
from sootprint.planner.forecast import Outlook, filled, outlook
from sootprint.planner.history import HOUR, History, from_intensities, from_trace

if TYPE_CHECKING:
    from sootprint.settings import Settings

# Asked of a source for a forecast: the first that it knows. A third of a year keeps 52 % of the start saving on six
# grids, six weeks 48 %, and the whole year 53 % for three times the questions.
PASTS = timedelta(days=120), timedelta(days=42)
GIVEN, FORECAST, YEAR = "as given", "forecast from its past", "annual mean"


class View(NamedTuple):
    """Intensity of a zone over the steps in which a job may run.

    Args:
        zone: Name of the zone.
        start: Start of the first step, aware.
        step: Length of a step.
        expected: Best estimate of each step, `(n_steps,)` [gCO2e/kWh].
        misses: True less forecast of earlier forecasts, `(n_draws, n_steps)`; None where nobody says how sure it is.
        method: Average or marginal, life-cycle or direct.
        source: Where the figures are from.
        kind: As given, forecast from its past, or annual mean.
        passed: Why each configured source before this one does not count.
    """

    zone: str
    start: datetime
    step: timedelta
    expected: Floats
    misses: Floats | None
    method: str
    source: str
    kind: str
    passed: tuple[str, ...] = ()

    def draws(self) -> Floats | None:
        """Equally likely courses, `(n_draws, n_steps)` [gCO2e/kWh]."""
        return None if self.misses is None else np.maximum(0.0, self.expected + self.misses)

    def in_steps_of(self, step: timedelta) -> View:
        """The same hours in whole steps that are longer, by their means; as it is where its own do not fill such steps.

        >>> at = datetime(2026, 1, 1, tzinfo=UTC)
        >>> view = View("GB", at, HOUR / 2, np.array([100.0, 200.0, 300.0]), None, "", "", GIVEN)
        >>> view.in_steps_of(HOUR).expected.tolist(), view.in_steps_of(HOUR).step == HOUR
        ([150.0], True)
        """
        count, rest = divmod(step, self.step)
        since_midnight = timedelta(hours=self.start.hour, minutes=self.start.minute)
        n_steps = self.expected.size // count if count else 0
        if rest or count < 2 or n_steps < 1 or since_midnight % step:
            return self

        def mean(values: Floats) -> Floats:
            kept = values[..., : n_steps * count]
            return np.asarray(kept.reshape(*kept.shape[:-1], n_steps, count).mean(axis=-1))

        misses = None if self.misses is None else mean(self.misses)
        return self._replace(step=step, expected=mean(self.expected), misses=misses)


def of_trace(
    path: Path, zone: str, at: datetime, window: timedelta, *, forecaster: str | None = None
) -> View:
    """View of a trace: its own figures where it covers the window, else a forecast from what lies before.

    Args:
        path: Trace file.
        zone: Zone that it is of.
        at: Start of the window, aware.
        window: Time until the deadline.
        forecaster: Forecaster that must be used, whatever the file has of the window.

    Raises:
        InputError: The past is too short for a forecast.
        IntensityError: The file has a hole in the window, or ends before it.
    """
    history = from_trace(path, zone=zone)
    first, n_steps = history.step_at(at), _whole(window, history.step)
    span = f"{path.name} covers {history.start:%Y-%m-%d %H:%M} to {history.end:%Y-%m-%d %H:%M} UTC"
    if not 0 <= first <= history.values.size:
        raise IntensityError(
            f"{span}, and {at:%Y-%m-%d %H:%M} is outside: state --at within, or give a newer file"
        )
    ahead = history.values[first : first + n_steps]
    if forecaster is None and ahead.size == n_steps:
        holes = np.flatnonzero(~np.isfinite(ahead))
        if holes.size:
            raise IntensityError(
                f"{path.name} has a hole at {history.time(first + holes[0]):%Y-%m-%d %H:%M} UTC ({holes.size} of "
                f"{n_steps} steps of the window): fill it, or add --forecaster blend to forecast from the past"
            )
        return _view(history, first, ahead, None, GIVEN)
    try:
        return _forecast(history, first, n_steps, forecaster or "blend")
    except InputError as err:
        raise InputError(f"{span}: {err}") from None


def of_sources(zone: str, at: datetime, window: timedelta, settings: Settings) -> View:
    """View by the configured sources: their forecast, else ours from their past, else the annual mean.

    Raises:
        IntensityError: No table or source knows the zone.
    """
    # Sources cut their steps at what is asked: whole hours give whole steps.
    hour = at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    sources = chain(settings)
    passed: tuple[str, ...] = ()
    if sources is not None:
        ahead = sources.ask(zone, hour, hour + -(-(at + window - hour) // HOUR) * HOUR)
        if ahead.source != ANNUAL:
            history = from_intensities(zone, ahead.intensities)
            first, n_steps = history.step_at(at), _whole(window, history.step)
            given = history.values[max(0, first) : first + n_steps]
            if first >= 0 and given.size == n_steps and bool(np.isfinite(given).all()):
                return _view(history, first, given, None, GIVEN)._replace(passed=ahead.passed)
        before = _past(sources, zone, hour)
        if before.source != ANNUAL:
            history = from_intensities(zone, before.intensities)
            made = _forecast(history, history.step_at(at), _whole(window, history.step), "blend")
            return made._replace(passed=before.passed)
        passed = before.passed
    year = AnnualSource().between(zone, at, at + window)[0].factor
    flat = np.full(_whole(window, HOUR), year.known)
    return View(zone, hour, HOUR, flat, None, year.method or UNSTATED, year.source or UNSTATED, YEAR, passed)


def of_past(
    zone: str, at: datetime, window: timedelta, settings: Settings, *, first: str | None = None
) -> View:
    """View forecast from what the configured sources tell of the hours before `at`, whatever they tell of later ones.

    Args:
        zone: Name of the zone.
        at: Start of the window, aware.
        window: Time until the deadline.
        settings: Where the configured sources are.
        first: Source that is asked before the others, as it has told the hours ahead.

    Raises:
        IntensityError: No source tells these hours.
        InputError: They are too few.
    """
    stated = [name for name in ((settings.grid and settings.grid.sources) or ()) if name != ANNUAL]
    hour = at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    names = sorted(stated, key=lambda name: name != first)
    before = _past(ChainSource(names, settings), zone, hour)
    history = from_intensities(zone, before.intensities)
    made = _forecast(history, history.step_at(at), _whole(window, history.step) + 1, "blend")
    return made._replace(passed=before.passed)


def _past(sources: ChainSource, zone: str, hour: datetime) -> Answer:
    """The longest past that a source tells.

    Raises:
        IntensityError: None tells any.
    """
    for past in PASTS[:-1]:
        with contextlib.suppress(IntensityError):
            found = sources.ask(zone, hour - past, hour)
            if found.source != ANNUAL:
                return found
    return sources.ask(zone, hour - PASTS[-1], hour)


def _forecast(history: History, first: int, n_steps: int, forecaster: str) -> View:
    past = history.values[: max(0, first)]
    late = np.concatenate((past, np.full(max(0, first - past.size), np.nan)))  # steps not published yet
    known = filled(late, per_day=history.per_day) if np.isfinite(late).any() else late[:0]
    found: Outlook = outlook(known, n_steps, per_day=history.per_day, name=forecaster)
    return _view(history, first, np.maximum(0.0, found.expected), found.misses, FORECAST)


def _view(history: History, first: int, expected: Floats, misses: Floats | None, kind: str) -> View:
    return View(
        history.zone,
        history.time(first),
        history.step,
        expected,
        misses,
        history.method,
        history.source,
        kind,
    )


def _whole(window: timedelta, step: timedelta) -> int:
    """Whole steps of a window."""
    n_steps = window // step
    if n_steps < 1:
        raise InputError(
            f"a window of {window / HOUR:g} h is shorter than a step of {step / HOUR:g} h: give a later deadline"
        )
    return n_steps
