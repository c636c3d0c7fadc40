"""How footprints change with the years: the mean of each year on a logarithmic scale, and the line through all of them.

The line is least squares of the logarithm over the year, over single records; sums by year are enough for it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.engine import Engine

from sootprint.core.intervals import Z90
from sootprint.estimator.tuning import student
from sootprint.hub.insight import rollups

CONFIDENCE = 0.9
MEASURES = {"emissions": "emissions_kg", "energy": "energy_kwh"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Year:
    """Records of one year.

    Args:
        year: Year of the training, or of its publication.
        n: Records with a value [1].
        mean: Geometric mean.
        low: 5th percentile of a lognormal distribution with their mean and spread; None for fewer than three.
        high: 95th percentile.
        total: Sum.
    """

    year: int
    n: int
    mean: float
    low: float | None
    high: float | None
    total: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """The line through all records.

    Args:
        growth: Factor by which the measure changes in a year, with its 90 % interval [1].
        at: Value of the line at the first and the last year.
        n: Records [1].
    """

    growth: tuple[float, float, float]
    at: tuple[float, float]
    n: int


def over_years(
    engine: Engine, measure: str, *, stage: str | None = None, weakest: str = "E"
) -> tuple[list[Year], Fit | None]:
    """Years with records in their order, and the line through them where three records of two years allow one.

    Args:
        engine: Database.
        measure: emissions or energy.
        stage: Stage of the life cycle; all where None.
        weakest: Weakest evidence that is in, A to E.
    """
    groups: dict[int, list[dict[str, Any]]] = {}
    for row in rollups.sums(engine, rollups.TIME):
        year, of_stage, evidence = row["key"].split("|")
        if (stage is None or of_stage == stage) and evidence <= weakest and row[f"n_{measure}"] > 0:
            groups.setdefault(int(year), []).append(row)
    together = {year: rollups.total(rows) for year, rows in sorted(groups.items())}
    return [year_of(year, sums, measure) for year, sums in together.items()], line(together, measure)


def year_of(year: int, sums: Mapping[str, float], measure: str) -> Year:
    """A year, or what else records have in common, from the sums of those that have a value."""
    n, log = sums[f"n_{measure}"], sums[f"ln_{measure}"]
    mean, low, high = log / n, None, None
    if n > 2:
        reach = Z90 * math.sqrt(max(0.0, sums[f"ln2_{measure}"] - log * mean) / (n - 1))
        low, high = math.exp(mean - reach), math.exp(mean + reach)
    return Year(year=year, n=int(n), mean=math.exp(mean), low=low, high=high, total=sums[MEASURES[measure]])


def line(years: Mapping[int, Mapping[str, float]], measure: str) -> Fit | None:
    """Least squares of the logarithm over the year.

    Source:
        Draper & Smith, Applied Regression Analysis (1998), section 1.4.
    """
    n = sum(sums[f"n_{measure}"] for sums in years.values())
    if n < 3 or len(years) < 2:
        return None
    middle = sum(year * sums[f"n_{measure}"] for year, sums in years.items()) / n
    mean = sum(sums[f"ln_{measure}"] for sums in years.values()) / n
    sxx = sum(sums[f"n_{measure}"] * (year - middle) ** 2 for year, sums in years.items())
    sxy = sum(
        (year - middle) * (sums[f"ln_{measure}"] - mean * sums[f"n_{measure}"])
        for year, sums in years.items()
    )
    syy = sum(sums[f"ln2_{measure}"] for sums in years.values()) - n * mean * mean
    slope = sxy / sxx
    error = math.sqrt(max(0.0, syy - slope * sxy) / (n - 2) / sxx)
    reach = student.quantile(CONFIDENCE, min(int(n) - 2, 1000)) * error
    ends = (min(years), max(years))
    return Fit(
        growth=(math.exp(slope), math.exp(slope - reach), math.exp(slope + reach)),
        at=(math.exp(mean + slope * (ends[0] - middle)), math.exp(mean + slope * (ends[1] - middle))),
        n=int(n),
    )


def finding(years: Sequence[Year], fit: Fit | None, measure: str) -> str:
    """What the years show, in one sentence."""
    if fit is None:
        return f"Too few records for a trend of {measure}: it takes three, from at least two years."
    value, low, high = fit.growth
    said = f"by a factor of {value:.2f} a year (90 % interval {low:.2f} to {high:.2f})"
    span = f"{years[0].year} to {years[-1].year}, {fit.n:,} records"
    if low <= 1.0 <= high:
        return f"No trend can be told: from {span}, {measure} a training changed {said}."
    return f"From {span}: {measure} a training {'grew' if value > 1.0 else 'fell'} {said}."
