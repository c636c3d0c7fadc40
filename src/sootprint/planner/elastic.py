"""Elastic scaling: how many workers in which step, on a curve of what each further worker adds."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from sootprint.core.errors import InputError
from sootprint.planner.exact import Floats, series


class Elastic(NamedTuple):
    """Cost in intensity times worker-steps at unit power, and the workers of each step, `(n_steps,)`."""

    cost: float
    workers: Floats


def plan_elastic(intensity: npt.ArrayLike, work: float, marginal: npt.ArrayLike) -> Elastic:
    """Least cost of work that may use several workers in a step, and the workers of each step.

    Each worker draws the same power; the w-th adds `marginal[w]` steps of one worker's work in a step. Units of
    work are bought where intensity over work is least; since no further worker adds more than the one before, that
    is optimal, and only the last unit is a fraction.

    Args:
        intensity: Intensity of steps of equal length, `(n_steps,)`.
        work: Work of the job in steps of one worker, above 0 [step].
        marginal: Work that each further worker adds in a step, falling, `(n_workers,)` [step].

    Raises:
        InputError: A step has no figure, the curve rises or holds no positive figure, or the work does not fit.

    Source:
        Hanafy et al., CarbonScaler, Proc. ACM Meas. Anal. Comput. Syst. 7 (2023): greedy on marginal throughput.

    >>> plan = plan_elastic([300.0, 100.0, 200.0], 2.0, [1.0, 0.8])
    >>> round(plan.cost, 6), plan.workers.round(6).tolist()
    (240.0, [0.0, 2.0, 0.2])
    """
    values = series(intensity)
    curve = series(marginal)
    if float(curve.min()) <= 0.0 or bool((np.diff(curve) > 0.0).any()):
        raise InputError(f"marginal throughput {curve.tolist()} must be above 0 and never rise")
    most = float(curve.sum()) * values.size
    if not 0.0 < work <= most * (1.0 + 1e-12):
        raise InputError(
            f"work is {work:g} steps: it is above 0 and at most {most:g}, with all workers in all steps"
        )
    if float(values.min()) < 0.0:
        raise InputError(f"intensity {values.min():g} is below 0: more workers than work would be bought")
    price = (values[None, :] / curve[:, None]).reshape(-1)  # a worker's units of all steps stand together
    gains = np.repeat(curve, values.size)
    order = np.lexsort((np.tile(np.arange(values.size), curve.size), price))
    done = np.cumsum(gains[order])
    taken = np.clip(1.0 - (done - work) / gains[order], 0.0, 1.0)
    workers = np.zeros(values.size)
    np.add.at(workers, order % values.size, taken)
    return Elastic(float(workers @ values), workers)
