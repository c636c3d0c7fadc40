"""Priors of an estimate: which share of its rated power a device draws, and what its host adds.

The figures are measured means over rated powers, gathered from published runs; each states where it is from.
"""

from __future__ import annotations

from typing import NamedTuple

from sootprint.core.quantity import Factor


class Prior(NamedTuple):
    """Best estimate with its 5th and 95th percentile, and where they are from."""

    value: float
    low: float
    high: float
    source: str


_SMALL = Prior(
    0.36,
    0.20,
    0.86,
    "centre of 0.30-0.43 in the small vision and fine-tuning jobs of Dodge et al. (2022, arXiv 2206.05229); high: "
    "their largest vision job; low: 5th percentile of the traces of You et al. (Zeus, NSDI 2023)",
)
WORKS = {
    "llm-pretrain": Prior(
        0.82,
        0.70,
        0.92,
        "mean of measured large runs: Patterson et al. (2021, arXiv 2104.10350), Latif et al. (2024, arXiv "
        "2412.08602), Morrison et al. (2025, arXiv 2503.05804)",
    ),
    "finetune": _SMALL,
    "vision": _SMALL,
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


def power_fraction(work: str, kind: str = "gpu") -> Factor:
    """Mean power over rated power for a kind of work [1].

    Args:
        work: Kind of work, a key of `WORKS`.
        kind: Kind of device, as in the catalogue; TPUs are rated far above what they draw.
    """
    if kind == "tpu" and work in ("llm-pretrain", "unknown"):
        return _factor("power_fraction", "tpu", _TPU, method="measured mean power over rated power")
    return _factor("power_fraction", work, WORKS[work], method="measured mean power over rated power")


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
