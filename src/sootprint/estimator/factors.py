"""Priors of an estimate: which share of its rated power a device draws, and what its host adds.

The figures are measured means over rated powers, gathered from published runs; each states where it is from.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

from sootprint.core.intervals import Z90
from sootprint.core.quantity import Factor


class Prior(NamedTuple):
    """Best estimate with its 5th and 95th percentile, and where they are from."""

    value: float
    low: float
    high: float
    source: str


# Mean over rated power of a GPU that trains: a share that grows with the device hours of the job. Short jobs on few
# devices start up, evaluate and wait for data; long ones on many are tuned. Fitted by `bench/estimation.py --fit`.
SHARE_AT_100_H, SHARE_PER_DECADE = 0.644, 0.077
# No line goes on for ever; 0.87 is the most that a large job was measured at.
LEAST_SHARE, MOST_SHARE = 0.40, 0.87
_SPREAD_AT_1_H, _SPREAD_PER_DECADE, _LEAST_SPREAD = 0.62, -0.12, 0.12  # of the logarithm
_STEPS = 10.0  # of a decade: jobs of nearly the same size share one factor
_TRAINING = (
    "fit over device hours of the measured runs of Patterson et al. (2021, arXiv 2104.10350), Dodge et al. (2022, "
    "arXiv 2206.05229), Morrison et al. (2025, arXiv 2503.05804), with the traces of You et al. (Zeus, NSDI 2023) and "
    "the nodes of Latif et al. (2024, arXiv 2412.08602) and Newkirk et al. (2025, arXiv 2506.14551)"
)
TRAININGS = ("llm-pretrain", "finetune", "vision")
_PRIORS = {
    "inference": Prior(
        0.26,
        0.14,
        0.70,
        "BLOOM as a service, Luccioni et al. (2022, arXiv 2211.02001); low: least power in the traces of You et al. "
        "(Zeus, NSDI 2023); high: a device kept as busy as in training",
    ),
    "unknown": Prior(
        0.70,
        0.35,
        0.92,
        "published runs with measured power: Patterson et al. (2021, arXiv 2104.10350), Dodge et al. (2022, arXiv "
        "2206.05229), Morrison et al. (2025, arXiv 2503.05804)",
    ),
}
WORKS = (*TRAININGS, *_PRIORS)
_HOSTS = {
    "accelerator": Prior(
        1.30,
        1.10,
        1.60,
        "node over the sum of its accelerators: Latif et al. (2024, arXiv 2412.08602), Newkirk et al. (2025, arXiv "
        "2506.14551)",
    ),
    "cpu": Prior(
        1.60,
        1.20,
        2.30,
        "wall over CPU and memory in the CPU runs of Fischer (2025, arXiv 2509.22092)",
    ),
}
_TPU = Prior(
    0.53,
    0.27,
    0.75,
    "between the mean (0.49) and the most (0.58) that the maker measured of a TPU v3, over its rated 450 W; high: "
    "system over rated power in Patterson et al. (2021, arXiv 2104.10350)",
)
_RATED_AS_MEAN = Prior(
    1.0,
    0.35,
    1.0,
    "Luccioni & Hernandez-Garcia (2023) take the rated power as the mean; low: published runs with measured power",
)
_UTILISATION_RATIO = 1.2  # assumed: power follows utilisation, but not in proportion
IDLE_SHARE = 0.15  # of the rated power, without work: Morrison et al. (2025, arXiv 2503.05804)


def power_fraction(work: str, kind: str = "gpu", device_hours: float = 1000.0) -> Factor:
    """Mean power over rated power for a kind of work [1].

    Args:
        work: Kind of work, one of `WORKS`.
        kind: Kind of device, as in the catalogue; TPUs are rated far above what they draw.
        device_hours: Hours summed over the devices, which count in trainings [h].

    >>> [round(power_fraction("vision", device_hours=hours).value, 2) for hours in (10.0, 1e3, 1e6)]
    [0.57, 0.72, 0.87]
    """
    if kind == "tpu" and work in ("llm-pretrain", "unknown"):
        return _factor("power_fraction", "tpu", _TPU, method="measured mean power over rated power")
    if work in TRAININGS:
        return _of_training(work, round(_STEPS * math.log10(max(device_hours, 1e-3))))
    return _factor("power_fraction", work, _PRIORS[work], method="measured mean power over rated power")


@lru_cache(maxsize=1024)
def _of_training(work: str, step: int) -> Factor:
    decades = step / _STEPS
    value = training_share(decades)
    spread = math.exp(Z90 * training_spread(decades))
    prior = Prior(value, value / spread, min(1.0, value * spread), _TRAINING)
    return _factor(
        "power_fraction", work, prior, method="mean over rated power at the device hours of the job"
    )


def training_share(decades: float, at_100_h: float = SHARE_AT_100_H, rise: float = SHARE_PER_DECADE) -> float:
    """Mean over rated power of a GPU that trains [1].

    Args:
        decades: Decimal logarithm of the device hours.
        at_100_h: Share at 100 device hours [1].
        rise: How much more it is with ten times the hours [1].
    """
    return min(MOST_SHARE, max(LEAST_SHARE, at_100_h + rise * (decades - 2.0)))


def training_spread(decades: float) -> float:
    """Standard deviation of the logarithm of that share: small jobs differ more than large ones [1]."""
    return max(_LEAST_SPREAD, _SPREAD_AT_1_H + _SPREAD_PER_DECADE * decades)


def rated_as_mean() -> Factor:
    """The survey's own fraction: the rated power is drawn all the time [1]."""
    return _factor("power_fraction", "survey", _RATED_AS_MEAN, method="rated power taken as the mean")


def stated_fraction(utilisation: float) -> Factor:
    """A stated utilisation taken as the power fraction [1].

    Args:
        utilisation: As given [0-1].
    """
    high = max(utilisation, min(1.0, utilisation * _UTILISATION_RATIO))
    prior = Prior(
        utilisation, utilisation / _UTILISATION_RATIO, high, "given; power taken as proportional to it"
    )
    return _factor("power_fraction", "given", prior, method="utilisation as stated")


def host_overhead(kind: str) -> Factor | None:
    """Node energy over device energy [1]; None for a whole system, whose rated power holds its host.

    Args:
        kind: Kind of device, as in the catalogue.
    """
    if kind == "system":
        return None
    key = "cpu" if kind == "cpu" else "accelerator"
    return _factor("host_overhead", key, _HOSTS[key], method="node energy over device energy")


def overhead(kind: str, share: float) -> Factor:
    """Energy with an overhead over that without it [1]: 1 + a stated share of idle devices or repeated work.

    Args:
        kind: "idle" or "restarts".
        share: As given, at least 0 [1].
    """
    return given(kind, 1.0 + share, unit="1")


def given(kind: str, value: float, *, unit: str) -> Factor:
    """Factor of a number that was given: no bounds of ours stand around it."""
    return Factor(
        kind=kind,
        key="given",
        value=value,
        low=value,
        high=value,
        unit=unit,
        method="as given",
        source="given",
    )


def _factor(kind: str, key: str, prior: Prior, *, method: str) -> Factor:
    return Factor(
        kind=kind,
        key=key,
        value=prior.value,
        low=prior.low,
        high=prior.high,
        method=method,
        source=prior.source,
    )
