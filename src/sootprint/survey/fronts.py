"""Pareto fronts: least cost, greatest metric, strict dominance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import polars as pl

    from sootprint.survey.dataset import Dataset


def members(cost: Any, metric: Any) -> npt.NDArray[np.bool_]:
    """Whether each point is on the front.

    A point is off the front if another one is no worse in both and better in one. Points that are equal in both
    are on the front together or off it together.

    Args:
        cost: Costs, `(n,)`, finite.
        metric: Metrics, `(n,)`, finite, higher is better.

    >>> members([1, 2, 2, 3, 1], [5, 5, 7, 6, 5]).tolist()
    [True, False, True, False, True]
    """
    costs, metrics = np.asarray(cost, dtype=np.float64), np.asarray(metric, dtype=np.float64)
    if not len(costs):
        return np.zeros(0, dtype=bool)
    order = np.lexsort((-metrics, costs))
    sorted_costs, sorted_metrics = costs[order], metrics[order]
    best_before = np.concatenate([[-np.inf], np.maximum.accumulate(sorted_metrics)[:-1]])
    new = np.concatenate([[True], (np.diff(sorted_costs) != 0) | (np.diff(sorted_metrics) != 0)])
    leads = sorted_metrics > best_before
    first_of_equals = np.maximum.accumulate(np.where(new, np.arange(len(order)), 0))
    found = np.zeros(len(costs), dtype=bool)
    found[order] = leads[first_of_equals]
    return found


def front(frame: pl.DataFrame, *, cost: str = "emissions_kg") -> pl.DataFrame:
    """Rows on the front of their panel, by cost; rows without a cost, metric or panel are on none."""
    import polars as pl

    usable = frame.drop_nulls([cost, "metric_value", "panel"])
    marked = [
        part.filter(pl.Series(members(part[cost].to_numpy(), part["metric_value"].to_numpy())))
        for part in usable.partition_by("panel", maintain_order=True)
    ]
    return pl.concat([usable.clear(), *marked]).sort("panel", cost, "metric_value", maintain_order=True)


def pareto(data: Dataset, *, cost: str = "emissions_kg") -> pl.DataFrame:
    """Models on the Pareto front of their panel (task, data set and metric), by cost.

    Args:
        data: Data set.
        cost: Column that is to be small, e.g. "emissions_kg" or "energy_kwh".
    """
    return front(data.frame, cost=cost)


def gaps(frame: pl.DataFrame) -> pl.DataFrame:
    """Rows with the best metric of their panel up to and including their year, and the gap to it.

    The survey states that its models are "within 8 % of SOTA at the time of publication"; here the best known
    result is the best in the data, which is a lower bound of the field's.
    """
    import polars as pl

    usable = frame.drop_nulls(["metric_value", "panel", "year"]).sort("panel", "year", maintain_order=True)
    yearly = usable.group_by("panel", "year", maintain_order=True).agg(
        pl.col("metric_value").max().alias("best")
    )
    yearly = yearly.with_columns(pl.col("best").cum_max().over("panel").alias("best_then"))
    joined = usable.join(yearly.drop("best"), on=["panel", "year"], how="left", maintain_order="left")
    return joined.with_columns(
        (pl.col("best_then") - pl.col("metric_value")).alias("gap"),
        (1 - pl.col("metric_value") / pl.col("best_then")).alias("gap_share"),
    )
