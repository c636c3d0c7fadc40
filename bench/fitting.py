"""The fits behind the estimator: three constants of the utilisation and their spread, and the shares of rated power.

A fit weights every family alike, is robust against single rows, and leans weakly on a prior: no row and no family has
a constant of its own.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from published import Run, families, without
from scipy.optimize import least_squares

from sootprint.estimator import factors, utilisation
from sootprint.estimator.utilisation import A100_BALANCE, LEAST_PARAMS, Model, Setting

PRIOR = np.array([0.0, 0.2, -1.0])  # of the logarithms of the three constants
PRIOR_WIDTH = 1.0
SCATTER = 0.3  # of the logarithm of one row
# Shares of the rated power in work that is not in the table.
LITERATURE = {
    "large": 0.78,  # node of 8 H100, typical over rated power: Latif et al. (2024), Newkirk et al. (2025)
    "small": 0.61,  # middle of the medians of four cards in the traces of You et al. (Zeus, NSDI 2023)
    "tpu": 0.53,  # between mean and most power of a TPU v3 as its maker measured it
}
HOST = 1.30


class Power(NamedTuple):
    """Shares of rated power by class of work, with the standard deviation of a run's logarithm around them."""

    shares: dict[str, float]
    sigma: dict[str, float]


def utilisation_of(run: Run) -> float:
    """Whole-run utilisation that a published run reached, without what is told of its scale [1]."""
    assert run.device is not None and run.flops and run.device_hours
    rate = utilisation.peak(run.device).value or 1.0
    reached = run.flops / (rate * run.device_hours * 3600.0)
    return reached / utilisation._adjusted(Setting(count=run.count or 1))


def fit_utilisation(listed: Sequence[Run]) -> Model:
    """Constants of the utilisation, their spread over families left out included."""
    compute, memory, small = _fit(listed)
    return Model(compute, memory, small, _spread(listed))


def _fit(listed: Sequence[Run]) -> tuple[float, float, float]:
    balance, small = (np.array(column) for column in zip(*map(_row, listed), strict=True))
    reached = np.array([math.log(utilisation_of(run)) for run in listed])
    names = [run.family for run in listed]
    weights = np.array([1.0 / math.sqrt(names.count(name)) for name in names])

    def residuals(logs: np.ndarray) -> np.ndarray:
        compute, memory, more = np.exp(logs)
        off = (reached + np.log(compute + (memory + more * small) * balance)) / SCATTER
        soft = np.sign(off) * np.sqrt(2.0 * (np.sqrt(1.0 + off**2) - 1.0))
        return np.concatenate([weights * soft, (logs - PRIOR) / PRIOR_WIDTH])

    compute, memory, more = np.exp(least_squares(residuals, PRIOR).x)
    return float(compute), float(memory), float(more)


def _row(run: Run) -> tuple[float, float]:
    assert run.device is not None
    rate = utilisation.peak(run.device).value or 1.0
    bandwidth = utilisation.bandwidth_gb_per_s(run.device)
    balance = 1.0 if bandwidth is None else rate / (bandwidth * 1e9) / A100_BALANCE
    small = 1e8 / max(run.active_params or 1e12, LEAST_PARAMS)
    return balance, small


def _spread(listed: Sequence[Run]) -> float:
    """Standard deviation of the logarithm, each family predicted from the others and weighted alike."""
    squares = []
    for family in families(list(listed)):
        model = Model(*_fit(without(list(listed), family)), 0.0)
        off = [math.log(utilisation_of(run) / modelled(run, model)) for run in listed if run.family == family]
        squares.append(statistics.fmean(value**2 for value in off))
    return math.sqrt(statistics.fmean(squares))


def modelled(run: Run, model: Model) -> float:
    """Utilisation that the model gives a run, without what is told of its scale [1]."""
    balance, _ = _row(run)
    return utilisation.ratio(balance * A100_BALANCE, run.active_params, model)


def work_class(run: Run) -> str:
    """Class of work by what anybody knows before: images are small work, TPUs are rated otherwise."""
    if run.arch == "vision":
        return "small"
    return "tpu" if run.device is not None and run.device.kind == "tpu" else "large"


def fraction(run: Run) -> float | None:
    """Measured power of the device alone over its rated power [1]; None where nothing is rated."""
    if run.device is None or not run.device.rated_power_w or not run.power_w:
        return None
    return run.power_w / (HOST if run.scope == "system" else 1.0) / run.device.rated_power_w


def fit_power(listed: Sequence[Run]) -> Power:
    """Shares of rated power: the median of the literature and the medians of the families, by class."""
    shares, sigma = {}, {}
    for name, literature in LITERATURE.items():
        found: dict[str, list[float]] = {}
        for run in listed:
            value = fraction(run)
            if value and work_class(run) == name:
                found.setdefault(run.family, []).append(value)
        medians = [literature, *(statistics.median(values) for values in found.values())]
        shares[name] = min(1.0, statistics.median(medians))
        sigma[name] = _prior_sigma(name)
    return Power(shares, sigma)


def _prior_sigma(name: str) -> float:
    prior = {
        "large": factors.WORKS["llm-pretrain"],
        "small": factors.WORKS["vision"],
        "tpu": factors._TPU,
    }[name]
    return math.log(prior.high / prior.low) / (2.0 * utilisation.Z90)
