"""Forecasts of carbon intensity from its own past: blend, ridge, hour-of-week mean and persistence.

Every forecast is a matrix `(n_steps, horizon)`: row t holds the figures for the steps t, t + 1, ..., made when only
the steps before t were known. The blend is the mean of two ridges, one on departures from a day's usual course and
one on the figures themselves; each predicts every step of the horizon directly, is fitted again once a week, and
weights recent weeks more. Its constants were set by reason, and no trace has constants of its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from sootprint.core.errors import InputError
from sootprint.planner.exact import Floats, Ints

HOURS_A_DAY, DAYS_A_WEEK = 24, 7
FIRST_DAYS = 14  # before this, a day's usual course is all that is known
_LAGS = 48  # hours of the past that a forecast sees one by one
_USUAL_RATE = 0.15  # share of each new day in a day's usual course: a memory of about a week
_STRENGTH, _HALF_LIFE_DAYS = (1000.0, 300.0), (90.0, 60.0)  # of the two ridges; columns are standardised
_PLAIN_STRENGTH = 10.0
_LEAST_EXAMPLES = 100


class Outlook(NamedTuple):
    """Forecast of the next steps `(horizon,)`; misses of earlier ones, true less forecast, `(n_draws, horizon)`."""

    expected: Floats
    misses: Floats

    def quantile(self, share: float) -> Floats:
        """Quantile of the intensity in each step, from the earlier misses, `(horizon,)`."""
        return np.maximum(0.0, self.expected + np.quantile(self.misses, share, axis=0))


def persistence(values: Floats, horizon: int, *, per_day: int, since: int = 0) -> Floats:
    """The figure of the same time on the last day known."""
    return values[_same_time(values.size, horizon, per_day)]


def hour_of_week(values: Floats, horizon: int, *, per_day: int, since: int = 0) -> Floats:
    """The mean of the same time of the week over all weeks known; the same time of the day in the first week."""
    week = DAYS_A_WEEK * per_day
    padded = np.concatenate((values, np.zeros(-values.size % week))).reshape(-1, week)
    means = (np.cumsum(padded, axis=0) / np.arange(1, len(padded) + 1)[:, None]).reshape(-1)
    made = means[_same_time(values.size, horizon, week)]
    made[:week] = persistence(values, horizon, per_day=per_day)[:week]
    return made


def ridge(values: Floats, horizon: int, *, per_day: int, since: int = 0) -> Floats:
    """Direct ridge on two days of lags and on time, each week of the past alike: the usual baseline."""
    return _direct(
        _lagged(values, per_day),
        values,
        horizon,
        per_day=per_day,
        strength=_PLAIN_STRENGTH,
        half_life_days=math.inf,
        since=since,
    )


def blend(values: Floats, horizon: int, *, per_day: int, since: int = 0) -> Floats:
    """The mean of a ridge on departures from a day's usual course and a ridge on the figures."""
    usual = _usual(values, per_day)
    course = usual[_same_time(values.size, horizon, per_day)]
    departures = _direct(
        _departures(values, values - course[:, 0], per_day),
        values,
        horizon,
        per_day=per_day,
        strength=_STRENGTH[0],
        half_life_days=_HALF_LIFE_DAYS[0],
        since=since,
        course=course,
    )
    figures = _direct(
        np.hstack((_lagged(values, per_day), _last_week(values, per_day))),
        values,
        horizon,
        per_day=per_day,
        strength=_STRENGTH[1],
        half_life_days=_HALF_LIFE_DAYS[1],
        since=since,
    )
    return np.maximum(0.0, 0.5 * (departures + figures))


def perfect(values: Floats, horizon: int, *, per_day: int, since: int = 0) -> Floats:
    """The truth, for comparison; the last figure stands for what lies after the end."""
    return values[np.minimum(_ahead(values.size, horizon), values.size - 1)]


FORECASTERS: dict[str, Callable[..., Floats]] = {
    "blend": blend,
    "ridge": ridge,
    "hour-of-week": hour_of_week,
    "persistence": persistence,
    "perfect": perfect,
}


def forecasts(values: Floats, horizon: int, *, per_day: int, name: str = "blend", since: int = 0) -> Floats:
    """Forecasts made at each step by a named forecaster, `(n_steps, horizon)`.

    Args:
        values: Intensity of each step, holes filled from the past, `(n_steps,)`.
        horizon: Steps ahead, the step of the forecast itself included.
        per_day: Steps in a day.
        name: blend, ridge, hour-of-week, persistence or perfect.
        since: Step before which nobody looks at the forecasts: less is fitted.

    Raises:
        InputError: There is no such forecaster, or the past is shorter than a day.
    """
    if name not in FORECASTERS:
        raise InputError(f"forecaster {name!r} is not one of {', '.join(FORECASTERS)}")
    if values.size < per_day:
        raise InputError(f"a forecast needs a day of past: {values.size} of {per_day} steps are known")
    return FORECASTERS[name](values, horizon, per_day=per_day, since=since)


def outlook(past: Floats, horizon: int, *, per_day: int, name: str = "blend", days: int = 60) -> Outlook:
    """Forecast of the steps after the past, with the misses of earlier forecasts made at the same time of day.

    Args:
        past: Intensity of each step known, holes filled, `(n_steps,)`.
        horizon: Steps ahead.
        per_day: Steps in a day.
        name: Forecaster.
        days: Days of earlier forecasts whose misses count.

    Raises:
        InputError: There is no such forecaster, or the past is shorter than two days more than the horizon.
    """
    n = past.size
    if n < per_day + horizon:
        raise InputError(
            f"{n} steps of past are too few for a forecast of {horizon} steps: give two days more"
        )
    padded = np.concatenate((past, np.full(horizon, past[-1])))
    made = forecasts(padded, horizon, per_day=per_day, name=name, since=n - horizon - days * per_day)[: n + 1]
    last = n - horizon
    issues = np.arange(last - last % per_day + n % per_day, per_day, -per_day)
    issues = issues[issues <= last][:days]
    if issues.size < 2:
        raise InputError(
            f"{n} steps of past are too few for a forecast of {horizon} steps: give two days more"
        )
    return Outlook(made[n], padded[issues[:, None] + np.arange(horizon)] - made[issues])


def filled(values: Floats, *, per_day: int) -> Floats:
    """Figures with each hole filled by the same time of the day before, or the last figure known before it."""
    made = values.copy()
    for step in np.flatnonzero(~np.isfinite(values)):
        before = made[step - per_day] if step >= per_day else made[step - 1] if step else math.nan
        made[step] = before
    known = made[np.isfinite(made)]
    if known.size == 0:
        raise InputError("the trace has no figure at all: give one with figures")
    return np.where(np.isfinite(made), made, known[0])


def _ahead(n_steps: int, horizon: int) -> Ints:
    """Step that each column of each row is about, `(n_steps, horizon)`."""
    return np.arange(n_steps)[:, None] + np.arange(horizon)[None, :]


def _same_time(n_steps: int, horizon: int, period: int) -> Ints:
    """Last step before each row's own at the same time of the period as each column, at least 0."""
    back = period * (np.arange(horizon) // period + 1)
    made: Ints = np.maximum(0, _ahead(n_steps, horizon) - back[None, :])
    return made


def _usual(values: Floats, per_day: int) -> Floats:
    """Course of a usual day as known after each step: an exponential mean of the same time of the days."""
    days = np.concatenate((values, np.zeros(-values.size % per_day))).reshape(-1, per_day)
    made = days.copy()
    for day in range(1, len(days)):
        made[day] = made[day - 1] + _USUAL_RATE * (days[day] - made[day - 1])
    flat: Floats = made.reshape(-1)[: values.size]
    return flat


def _mean_before(values: Floats, first: int, last: int) -> Floats:
    """Mean of the steps from `last` to `first` steps before each step; the figures known, near the start."""
    sums = np.concatenate(([0.0], np.cumsum(values)))
    at = np.arange(values.size)
    low, high = np.maximum(0, at - last), np.maximum(1, at - first)
    made: Floats = (sums[high] - sums[low]) / np.maximum(1, high - low)
    return made


def _hours_before(values: Floats, per_day: int) -> Floats:
    """Mean of each of the last 48 hours, `(n_steps, 48)`."""
    edges = [round(hour * per_day / HOURS_A_DAY) for hour in range(_LAGS + 1)]
    return np.stack(
        [_mean_before(values, first, max(last, first + 1)) for first, last in pairwise(edges)], axis=1
    )


def _waves(n_steps: int, period: int, harmonics: int) -> Floats:
    """Sines and cosines of a period, `(n_steps, 2 * harmonics)`."""
    angles = 2.0 * math.pi * np.arange(1, harmonics + 1)[None, :] * np.arange(n_steps)[:, None] / period
    return np.hstack((np.sin(angles), np.cos(angles)))


def _lagged(values: Floats, per_day: int) -> Floats:
    """Features: two days of hours, time of day, time of week."""
    waves = _waves(values.size, per_day, 4), _waves(values.size, DAYS_A_WEEK * per_day, 3)
    return np.hstack((_hours_before(values, per_day), *waves))


def _last_week(values: Floats, per_day: int) -> Floats:
    """Features: the figures a week before the next two days, every third hour."""
    step = max(1, per_day // 8)
    ahead = np.arange(0, 2 * per_day, step)
    at = np.arange(values.size)[:, None] + ahead[None, :] - DAYS_A_WEEK * per_day
    return values[np.maximum(0, at)] if values.size > DAYS_A_WEEK * per_day else np.zeros(at.shape)


def _departures(values: Floats, departures: Floats, per_day: int) -> Floats:
    """Features: departures of two days by hour and part, the day's level, both by time of day; weekday."""
    hours = _hours_before(departures, per_day)
    parts = [hours[:, low:high].mean(axis=1) for low, high in ((0, 3), (0, 6), (6, 12), (12, 24), (24, 48))]
    level = _mean_before(values, 0, per_day) - _mean_before(values, 0, DAYS_A_WEEK * per_day)
    state, waves = np.stack([*parts, level], axis=1), _waves(values.size, per_day, 2)
    by_time = (state[:, :, None] * waves[:, None, :]).reshape(values.size, -1)
    weekday = np.eye(DAYS_A_WEEK)[(np.arange(values.size) // per_day) % DAYS_A_WEEK]
    return np.hstack((hours, state, by_time, waves, weekday))


def _direct(
    features: Floats,
    values: Floats,
    horizon: int,
    *,
    per_day: int,
    strength: float,
    half_life_days: float,
    since: int,
    course: Floats | None = None,
) -> Floats:
    """Forecasts of a ridge that is fitted anew each week on all that was known by then."""
    n, week = values.size, DAYS_A_WEEK * per_day
    made = values[_same_time(n, horizon, per_day)] if course is None else course.copy()
    base = None if course is None else course
    for fitted in range(FIRST_DAYS * per_day, n, week):
        examples = np.arange(week, fitted - horizon + 1)
        if examples.size < _LEAST_EXAMPLES or fitted + week <= since:
            continue
        truth = values[examples[:, None] + np.arange(horizon)[None, :]]
        truth = truth if base is None else truth - base[examples]
        weights = 0.5 ** ((fitted - examples) / (per_day * half_life_days))
        rows = slice(fitted, min(n, fitted + week))
        found = _fit(features[examples], truth, weights, strength=strength * per_day / HOURS_A_DAY)
        made[rows] = found(features[rows]) + (0.0 if base is None else base[rows])
    return made


def _fit(x: Floats, y: Floats, weights: Floats, *, strength: float) -> Callable[[Floats], Floats]:
    """Weighted ridge on standardised columns (Hoerl & Kennard, Technometrics 12, 1970), as a function of new rows."""
    total = float(weights.sum())
    mean = weights @ x / total
    spread = np.sqrt(weights @ (x - mean) ** 2 / total)
    spread[spread < 1e-9 * (1.0 + np.abs(mean))] = math.inf  # a column that never moved says nothing
    columns, level = (x - mean) / spread, weights @ y / total
    weighted = columns * weights[:, None]
    slopes = np.linalg.solve(weighted.T @ columns + strength * np.eye(x.shape[1]), weighted.T @ (y - level))
    return lambda rows: level + (rows - mean) / spread @ slopes
