"""The same trainings on the cleanest grid of the data: what the choice of place alone would have left."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl

    from sootprint.survey.dataset import Dataset


def on_the_cleanest_grid(data: Dataset) -> dict[str, Any]:
    """Emissions of the runs if all had had the least intensity of the data, and of that with the most device hours.

    Emissions are proportional to the intensity, so each is multiplied with the least intensity over its own. Runs
    whose emissions or intensity are unknown are left out; all are None where fewer than two are known.
    """
    import polars as pl

    intensity = pl.col("intensity_g_per_kwh")
    known = data.frame.filter(pl.col("counts"), intensity > 0.0).drop_nulls("emissions_kg")
    if known.height < 2:
        names = ("intensity_g_per_kwh", "where", "emissions_kg", "there_kg", "times_less", "longest")
        return {**dict.fromkeys(names), "n": known.height}
    cleanest = known.sort("intensity_g_per_kwh", "row").row(0, named=True)
    least = float(cleanest["intensity_g_per_kwh"])
    moved = known.with_columns(there_kg=pl.col("emissions_kg") * least / intensity)
    return {
        "intensity_g_per_kwh": least,
        "where": cleanest["country_name"],
        "n": known.height,
        **_sums(moved),
        "longest": _longest(moved),
    }


def _sums(moved: pl.DataFrame) -> dict[str, float | None]:
    """Emissions where the runs were, on the cleanest grid, and how many times less that is."""
    here, there = (math.fsum(moved[name].to_list()) for name in ("emissions_kg", "there_kg"))
    return {"emissions_kg": here, "there_kg": there, "times_less": here / there if there > 0.0 else None}


def _longest(moved: pl.DataFrame) -> dict[str, Any] | None:
    """The same of the run with the most device hours; None where no run has any."""
    timed = moved.drop_nulls("device_hours").sort("device_hours", "row", descending=[True, False])
    if not timed.height:
        return None
    first = timed.head(1)
    return {"device_hours": float(first["device_hours"].item()), **_sums(first)}
