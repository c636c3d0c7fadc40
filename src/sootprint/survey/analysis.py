"""`summary.json`: every number of a survey under the names of the design, ready for JSON."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from sootprint.survey import checks, elsewhere, fronts, panels, regions, relations, tables
from sootprint.survey.cells import Progress
from sootprint.survey.concentration import concentration
from sootprint.survey.dataset import Dataset, market_based
from sootprint.survey.estimates import Settings, estimate
from sootprint.survey.exclusions import exclusions_as_rows

if TYPE_CHECKING:
    import polars as pl

SCHEMA = "1.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """Everything that is computed once and drawn, tabled and told from.

    Args:
        data: Data set.
        how: Settings of the estimates.
        flags: Flags of the rows.
        emissions: Emissions by task and bin.
        intensity: Intensity by source and bin.
        fronts: Metric by emissions, with the fronts.
        energy_fronts: Metric by energy, with the fronts.
    """

    data: Dataset
    how: Settings
    flags: pl.DataFrame
    emissions: panels.Drawn
    intensity: panels.Drawn
    fronts: panels.Drawn
    energy_fronts: panels.Drawn


def analyse(data: Dataset, *, how: Settings | None = None, progress: Progress | None = None) -> Analysis:
    """Analysis of a data set; the bootstrap is the long part, and `progress` hears of each cell."""
    how = how or Settings()
    return Analysis(
        data=data,
        how=how,
        flags=checks.flags(data),
        emissions=panels.figure3(data, how=how, progress=progress),
        intensity=panels.figure6a(data, how=how),
        fronts=panels.figure4(data),
        energy_fronts=panels.figure5(data),
    )


def summary(analysis: Analysis) -> dict[str, Any]:
    """Summary of an analysis: plain values, None where unknown, maps in the order that a reader wants."""
    from sootprint.survey import findings, paper

    data = analysis.data
    found = {
        "schema": SCHEMA,
        "name": data.name,
        "data": data.key,
        "values": data.values,
        "settings": asdict(analysis.how),
        **_totals(data),
        **_places(data),
        **_over_time(analysis),
        **_performance(analysis),
        **_drivers(data),
        **_spread(data),
        "excluded": exclusions_as_rows(_excluded(analysis)),
        "flags": checks.counts(analysis.flags),
    }
    reproduced, not_reproduced = paper.compare(data, found)
    found |= {
        "reproduced": reproduced,
        "not_reproduced": not_reproduced,
        "not_testable": paper.not_testable(data),
    }
    found["findings"] = findings.as_rows(findings.findings(data, found))
    whole: dict[str, Any] = clean(found)
    return whole


def clean(value: Any) -> Any:
    """Value with numbers that JSON has not, such as NaN, as None, and keys as texts."""
    if isinstance(value, dict):
        return {str(key): clean(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [clean(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _excluded(analysis: Analysis) -> tuple[Any, ...]:
    drawn = (
        analysis.emissions,
        analysis.intensity,
        analysis.fronts,
        analysis.energy_fronts,
        panels.figure1(analysis.data),
    )
    every = [*analysis.data.excluded, *(one for panel in drawn for one in panel.excluded)]
    return tuple(dict.fromkeys(every))


def _sum(frame: pl.DataFrame, name: str) -> float | None:
    """Sum of the known values of a column, or None where none is known."""
    column = frame.get_column(name).drop_nulls()
    return math.fsum(column.to_list()) if len(column) else None


def _totals(data: Dataset) -> dict[str, Any]:
    """Numbers of models and runs, totals over runs, intensities and times."""
    frame = data.frame
    once = frame.filter("counts")
    given = once.filter(~market_based())
    both = once.drop_nulls(["energy_kwh", "emissions_kg"])
    energy, emissions = _sum(both, "energy_kwh"), _sum(both, "emissions_kg")
    intensity = frame.get_column("intensity_g_per_kwh")
    return {
        "n_models": frame.height,
        "n_runs": frame.get_column("run").n_unique(),
        "n_with_energy": once.get_column("energy_kwh").count(),
        "n_with_emissions": once.get_column("emissions_kg").count(),
        "total_energy_kwh": _sum(once, "energy_kwh"),
        "total_energy_kwh_given": _sum(given, "energy_given_kwh"),
        "total_energy_kwh_recomputed": _sum(once, "energy_recomputed_kwh"),
        "total_emissions_kg": _sum(once, "emissions_kg"),
        "total_emissions_kg_given": _sum(given, "emissions_given_kg"),
        "total_emissions_kg_recomputed": _sum(once, "emissions_recomputed_kg"),
        "total_emissions_kg_from_energy": _sum(once, "emissions_from_energy_kg"),
        "n_given": given.get_column("emissions_given_kg").count(),
        "n_recomputed": once.get_column("emissions_recomputed_kg").count(),
        "mean_intensity_g_per_kwh": intensity.mean(),
        "median_intensity_g_per_kwh": intensity.median(),
        "energy_weighted_intensity_g_per_kwh": emissions * 1e3 / energy
        if energy and emissions is not None
        else None,
        "median_wall_hours": frame.get_column("wall_hours").median(),
        "median_device_hours": frame.get_column("device_hours").median(),
        "wall_hours": _range(frame, "wall_hours"),
        "device_hours": _range(frame, "device_hours"),
        "energy_kwh": _range(frame, "energy_kwh"),
        "emissions_kg": _range(frame, "emissions_kg"),
    }


def _range(frame: pl.DataFrame, name: str) -> dict[str, Any]:
    column = frame.get_column(name)
    return {"least": column.min(), "median": column.median(), "most": column.max(), "n": column.count()}


def _places(data: Dataset) -> dict[str, Any]:
    """Models by country, group of countries and main source."""
    frame = data.frame
    sources = tables.table2(data)
    low = frame.filter("low_carbon")
    threshold = float(data.groupings["low_carbon"]["threshold_g_per_kwh"])
    clean_grids = (frame.get_column("intensity_g_per_kwh") < threshold).sum()
    return {
        "models_by_country": regions.by_country(data),
        "models_without_country": frame.get_column("country_name").null_count(),
        "emissions_by_country": regions.by_emissions(data),
        "world_regions": regions.by_group(data, "world_regions"),
        "income_groups": regions.by_group(data, "income_groups"),
        "global_north": regions.global_north(data),
        "models_by_source": dict(sources.select("source", "models").iter_rows()),
        "mean_intensity_by_source": dict(sources.select("source", "mean_intensity_g_per_kwh").iter_rows()),
        "low_carbon_models": low.height,
        "low_carbon_models_by_intensity": int(clean_grids or 0),
        "low_carbon_threshold_g_per_kwh": threshold,
        "cleanest_grid": elsewhere.on_the_cleanest_grid(data),
    }


def _over_time(analysis: Analysis) -> dict[str, Any]:
    """Means by year bin, with their intervals, and sources by bin."""
    data = analysis.data
    grand, intensity = analysis.emissions.layers["grand"], analysis.intensity.layers["grand"]
    by_source: dict[str, dict[str, int]] = {}
    for source, year_bin, models in (
        panels.figure6b(data).points.select("source", "bin", "models").iter_rows()
    ):
        by_source.setdefault(source, {})[year_bin] = models
    return {
        "bins": list(data.bins),
        "mean_emissions_kg_by_bin": _by_bin(data, grand),
        "median_emissions_kg_by_bin": _by_bin(data, grand, "median"),
        "mean_intensity_by_bin": _by_bin(data, intensity),
        "models_by_source_and_bin": by_source,
        "emissions_by_bin": grand.to_dicts(),
        "emissions_by_task_and_bin": analysis.emissions.layers["means"].to_dicts(),
        "intensity_by_bin": intensity.to_dicts(),
        "trend": _rank(data.frame, "year", "emissions_kg"),
        "trend_by_task": _by_task(data, "year", "emissions_kg"),
    }


def _by_bin(data: Dataset, grand: pl.DataFrame, what: str = "mean") -> dict[str, float | None]:
    """Estimate of each bin in order; None where a bin is empty."""
    known = dict(grand.select("bin", what).iter_rows())
    return {one: known.get(one) for one in data.bins}


def _performance(analysis: Analysis) -> dict[str, Any]:
    """Fronts, rank correlations and gaps to the best known result."""
    data = analysis.data
    share = fronts.gaps(data.frame).get_column("gap_share")
    return {
        "pareto": _members(analysis.fronts, "emissions_kg"),
        "pareto_energy": _members(analysis.energy_fronts, "energy_kwh"),
        "rank_correlation": _ranks(analysis.fronts),
        "rank_correlation_energy": _ranks(analysis.energy_fronts),
        "rank_correlation_by_task": _by_task(data, "emissions_kg", "metric_value"),
        "gap_to_best_known": {"mean": share.mean(), "median": share.median(), "n": share.count()},
    }


def _ranks(drawn: panels.Drawn) -> dict[str, dict[str, Any]]:
    """Rank correlation of each panel, the one with the most rows first."""
    return {
        row["panel"]: {key: row[key] for key in ("rho", "p", "n")}
        for row in drawn.layers["panels"].to_dicts()
    }


def _members(drawn: panels.Drawn, cost: str) -> dict[str, list[list[float]]]:
    """Members of the front of each panel as [cost, metric], the least cost first."""
    front: dict[str, list[list[float]]] = {}
    for panel, spent, metric in drawn.layers["front"].select("panel", cost, "metric_value").iter_rows():
        front.setdefault(panel, []).append([spent, metric])
    return {panel: front[panel] for panel in _ranks(drawn) if panel in front}


def _by_task(data: Dataset, x: str, y: str) -> dict[str, dict[str, Any]]:
    """Rank correlation of two columns within each task that has both."""
    usable = data.frame.drop_nulls(["task", x, y])
    parts = usable.partition_by("task", as_dict=True, maintain_order=True)
    found = {str(name[0]): _rank(part, x, y) for name, part in parts.items()}
    return {task: found[task] for task in data.tasks if task in found}


def _rank(frame: pl.DataFrame, x: str, y: str) -> dict[str, Any]:
    return asdict(relations.rank_correlation(*_columns(frame, x, y)))


def _drivers(data: Dataset) -> dict[str, Any]:
    """What makes emissions differ: shares of the log variance, slopes and elasticities."""
    frame = data.frame
    shares = relations.log_variance_shares(
        {key: frame[name].to_numpy() for key, name in panels.FACTORS.items()}
    )
    return {
        "log_variance_shares": shares,
        "slope_emissions_on_energy": _slope(frame, "energy_kwh", "emissions_kg"),
        "elasticity_to_parameters": _slope(frame, "parameters", "emissions_kg"),
        "elasticity_to_flops": _slope(frame, "flops", "emissions_kg"),
    }


def _slope(frame: pl.DataFrame, x: str, y: str) -> dict[str, Any]:
    return asdict(relations.log_slope(*_columns(frame, x, y)))


def _columns(frame: pl.DataFrame, *names: str) -> list[Any]:
    return [frame[name].cast(float).to_numpy() for name in names]


def _spread(data: Dataset) -> dict[str, Any]:
    """How unequal emissions are, and their shares by stage and by family of architecture."""
    once = data.frame.filter("counts").drop_nulls("emissions_kg")
    whole = estimate(data.frame["emissions_kg"].drop_nulls().to_numpy(), how=Settings(resamples=2))
    return {
        "concentration": asdict(concentration(once["emissions_kg"].to_numpy())),
        "mean_emissions_kg": whole.mean,
        "mean_trimmed_per_end": whole.trimmed,
        "median_emissions_kg": whole.median,
        "geometric_mean_emissions_kg": whole.geometric_mean,
        "shares_by_stage": _shares(once, "stage"),
        "shares_by_architecture": _shares(once, "architecture_family"),
        "shares_by_task": _shares(once, "task"),
    }


def _shares(once: pl.DataFrame, by: str) -> dict[str, dict[str, Any]]:
    """Runs, emissions, their share and their median by a column, the most first."""
    import polars as pl

    total = once["emissions_kg"].sum()
    sums = (
        once.with_columns(pl.col(by).fill_null("unknown"))
        .group_by(by)
        .agg(pl.len(), pl.col("emissions_kg").sum(), pl.col("emissions_kg").median().alias("median"))
    )
    ordered = sums.sort(["emissions_kg", by], descending=[True, False])
    return {
        str(name): {
            "runs": int(count),
            "emissions_kg": mass,
            "share": mass / total if total else None,
            "median_kg": median,
        }
        for name, count, mass, median in ordered.iter_rows()
    }
