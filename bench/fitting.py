"""The fits behind the estimator: four constants of the utilisation and their spread, and the share of rated power.

A fit weights every family alike, is robust against single rows, and leans weakly on a prior: no row and no family has
a constant of its own.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from published import Run, families, without
from scipy.optimize import least_squares

from sootprint.estimator import factors, utilisation
from sootprint.estimator.utilisation import A100_BALANCE, Model, Setting

PRIOR = np.array([0.0, 0.2, -1.0, 0.5])  # of the logarithms of the constants
PRIOR_WIDTH = 1.0
SCATTER = 0.3  # of the logarithm of one row
# Shares of the rated power in work that is not in the table: study, device hours, share.
LITERATURE = (
    ("You et al. (Zeus, NSDI 2023): middle of the medians of four cards", 10.0, 0.61),
    ("Latif et al. (2024): typical of a node of 8 H100", 1000.0, 0.76),
    ("Newkirk et al. (2025): nodes of 8 H100", 1000.0, 0.80),
)
TPU = 0.53  # between mean and most power of a TPU v3 as its maker measured it
POWER_PRIOR, POWER_WIDTH = np.array([0.6, 0.06]), np.array([0.15, 0.06])
POWER_SCATTER = 0.25  # of the logarithm of one row
HOST = 1.30


class Power(NamedTuple):
    """Share of rated power of a GPU that trains at 100 device hours, its rise with ten times as many, and of a TPU."""

    at_100_h: float
    rise: float
    tpu: float


def setting(run: Run) -> Setting:
    """How a run was spread over devices; a search of architectures is many trainings of one device each."""
    count = 1 if run.kind == "nas" or run.count is None else run.count
    return Setting(count=count, params=run.params, images=run.arch == "vision")


def utilisation_of(run: Run) -> float:
    """Whole-run utilisation that a published run reached, without what is told of its scale [1]."""
    assert run.device is not None and run.flops and run.device_hours
    rate = utilisation.peak(run.device).value or 1.0
    return run.flops / (rate * run.device_hours * 3600.0) / utilisation._adjusted(setting(run))


def fit_utilisation(listed: Sequence[Run]) -> Model:
    """Constants of the utilisation, their spread over families left out included."""
    return _model(tuple(listed))


@lru_cache(maxsize=256)
def _model(listed: tuple[Run, ...]) -> Model:
    found = _fit(listed)
    return Model(*(float(value) for value in np.exp(found)), _spread(listed, found))


def _fit(listed: Sequence[Run], start: np.ndarray = PRIOR) -> np.ndarray:
    """Logarithms of the constants, `(4,)`."""
    rows = np.array([_row(run) for run in listed])
    reached = np.array([math.log(utilisation_of(run)) for run in listed])
    names = [run.family for run in listed]
    weights = np.array([1.0 / math.sqrt(names.count(name)) for name in names])

    def residuals(logs: np.ndarray) -> np.ndarray:
        off = (reached + np.log(rows @ np.exp(logs))) / SCATTER
        return np.concatenate([weights * _damped(off), (logs - PRIOR) / PRIOR_WIDTH])

    found: np.ndarray = least_squares(residuals, start).x
    return found


@lru_cache(maxsize=256)
def _row(run: Run) -> tuple[float, ...]:
    """What each constant is multiplied with in the time of one operation, `(4,)`: read off the estimator's formula."""
    balance, how = _balance(run), setting(run)
    nothing = Model(0.0, 0.0, 0.0, 0.0, 0.0)
    alone = [nothing._replace(**{"compute": 1.0, name: 1.0}) for name in Model._fields[:4]]
    rest = [1.0 / utilisation.ratio(balance, how, one) - 1.0 for one in alone]
    return (1.0, *rest[1:])


def _balance(run: Run) -> float:
    """Peak rate over memory bandwidth; that of an A100 where it is not known [FLOP/B]."""
    assert run.device is not None
    bandwidth = utilisation.bandwidth_gb_per_s(run.device)
    rate = utilisation.peak(run.device).value or 1.0
    return A100_BALANCE if bandwidth is None else rate / (bandwidth * 1e9)


def _spread(listed: Sequence[Run], start: np.ndarray) -> float:
    """1 / 1.645 of the error of the logarithm that 90 % of runs keep to, families left out and weighted alike.

    A quantile and not the mean square: a few runs are far off, and an interval is to hold nine of ten.
    """
    errors = []
    for family in families(list(listed)):
        model = Model(*np.exp(_fit(without(list(listed), family), start)), 0.0)
        own = [run for run in listed if run.family == family]
        errors += [(abs(math.log(utilisation_of(run) / modelled(run, model))), 1.0 / len(own)) for run in own]
    errors.sort()
    weights = np.cumsum([weight for _, weight in errors])
    # As in conformal prediction, the run that is yet to come counts as one more family.
    position = int(np.searchsorted(weights, 0.9 * (weights[-1] + 1.0)))
    return errors[min(position, len(errors) - 1)][0] / utilisation.Z90


def modelled(run: Run, model: Model) -> float:
    """Utilisation that the model gives a run, without what is told of its scale [1]."""
    return utilisation.ratio(_balance(run), setting(run), model)


def fraction(run: Run) -> float | None:
    """Measured power of the device alone over its rated power [1]; None where nothing is rated."""
    if run.device is None or not run.device.rated_power_w or not run.power_w:
        return None
    return run.power_w / (HOST if run.scope == "system" else 1.0) / run.device.rated_power_w


def fit_power(listed: Sequence[Run]) -> Power:
    """Line of the share over device hours, every family and study of the literature weighted alike."""
    rows = [(study, hours, share) for study, hours, share in LITERATURE]
    tpus: dict[str, list[float]] = {}
    for run in listed:
        value = fraction(run)
        if value and run.device is not None and run.device.kind == "tpu":
            tpus.setdefault(run.family, []).append(value)
        elif value and run.device_hours:
            rows.append((run.family, run.device_hours, value))
    names = [name for name, _, _ in rows]
    weights = np.array([1.0 / math.sqrt(names.count(name)) for name in names])

    def residuals(line: np.ndarray) -> np.ndarray:
        shares = [factors.training_share(math.log10(hours), *line) for _, hours, _ in rows]
        off = np.log(np.array(shares) / [share for _, _, share in rows]) / POWER_SCATTER
        return np.concatenate([weights * _damped(off), (line - POWER_PRIOR) / POWER_WIDTH])

    at_100_h, rise = least_squares(residuals, POWER_PRIOR).x
    medians = [TPU, *(statistics.median(values) for values in tpus.values())]
    return Power(float(at_100_h), float(rise), statistics.median(medians))


def _damped(off: np.ndarray) -> np.ndarray:
    """Errors of which single large ones count less (pseudo-Huber)."""
    made: np.ndarray = np.sign(off) * np.sqrt(2.0 * (np.sqrt(1.0 + off**2) - 1.0))
    return made
