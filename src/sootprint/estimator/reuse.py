"""Reuse first: published models that reach a target already, from the packaged table of published runs."""

from __future__ import annotations

import csv
import io
import math
import re
from functools import lru_cache
from importlib import resources
from typing import NamedTuple

from sootprint.core.errors import InputError

MOST = 8  # models that are listed, those that took the fewest device hours first


class Target(NamedTuple):
    """A result that a model should reach.

    Args:
        metric: Name of the metric, such as "top-1 accuracy"; higher is better.
        value: Least value, in the unit of the table: percent or points.
        dataset: Data set, or None for any.
    """

    metric: str
    value: float
    dataset: str | None = None


class Published(NamedTuple):
    """A published model with its result.

    Args:
        model: Model.
        paper: Paper that describes it.
        year: Year of publication.
        dataset: Data set of the result.
        metric: Metric.
        value: Result.
        device_hours: Hours of all devices that its training took, or None [h].
        confidence: How the row was checked.
    """

    model: str
    paper: str
    year: int
    dataset: str
    metric: str
    value: float
    device_hours: float | None
    confidence: str


def target(text: str, dataset: str | None = None) -> Target:
    """Target of a text such as "top-1 accuracy=77".

    Raises:
        InputError: It is not METRIC=VALUE.
    """
    metric, separator, value = text.rpartition("=")
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not (separator and _key(metric) and math.isfinite(number)):
        raise InputError(f"target is {text!r}: it is METRIC=VALUE, e.g. top-1 accuracy=77")
    return Target(metric.strip(), number, dataset)


def reaching(wanted: Target) -> tuple[Published, ...]:
    """Published models that reach a target, those of the fewest device hours first, each once."""
    found: dict[str, Published] = {}
    for one in _table():
        fits = _key(wanted.metric) in _key(one.metric) and one.value >= wanted.value
        if fits and (wanted.dataset is None or _key(wanted.dataset) in _key(one.dataset)):
            found.setdefault(one.model, one)
    return tuple(sorted(found.values(), key=lambda one: (one.device_hours or math.inf, one.model))[:MOST])


def metrics() -> tuple[str, ...]:
    """Metrics of the table, with their data sets."""
    return tuple(sorted({f"{one.metric} ({one.dataset})" if one.dataset else one.metric for one in _table()}))


@lru_cache(maxsize=1)
def _table() -> tuple[Published, ...]:
    """Rows of the table that state a result."""
    file = resources.files("sootprint").joinpath("survey/data/published.csv")
    rows = csv.DictReader(io.StringIO(file.read_text(encoding="utf-8")))
    return tuple(
        Published(
            model=row["model"],
            paper=row["paper"],
            year=int(row["year"]),
            dataset=row["dataset"],
            metric=row["metric_name"],
            value=float(row["metric_value"]),
            device_hours=float(row["device_hours"]) if row["device_hours"] else None,
            confidence=row["confidence"],
        )
        for row in rows
        if row["metric_value"]
    )


def _key(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())
