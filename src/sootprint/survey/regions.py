"""Where models were trained: by country, continent, income group, and whether the survey calls it the Global North."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sootprint.survey.concentration import concentration

if TYPE_CHECKING:
    from sootprint.survey.dataset import Dataset


def by_country(data: Dataset) -> dict[str, int]:
    """Models by name of the country, the most first; rows without a country are not in it."""
    known = data.frame.drop_nulls("country_name").get_column("country_name").value_counts()
    return _ordered({str(name): int(count) for name, count in known.iter_rows()})


def by_group(data: Dataset, grouping: str) -> dict[str, Any]:
    """Models and emissions by the groups of a grouping of countries, groups without a model named.

    Args:
        data: Data set.
        grouping: "world_regions" or "income_groups", or one of the user's own with lists of country codes.
    """
    import polars as pl

    groups: Mapping[str, list[str]] = data.groupings[grouping]
    of_code = {code: name for name, codes in groups.items() for code in codes}
    known = data.frame.drop_nulls("country_code").with_columns(
        pl.col("country_code").replace_strict(of_code, default=None, return_dtype=pl.String).alias("group")
    )
    models = dict.fromkeys(groups, 0)
    emissions = dict.fromkeys(groups, 0.0)
    for name, part in known.drop_nulls("group").partition_by("group", as_dict=True).items():
        models[str(name[0])] = part.height
        emissions[str(name[0])] = float(part.filter("counts")["emissions_kg"].sum())
    return {
        "models": models,
        "emissions_kg": emissions,
        "empty": [name for name, count in models.items() if count == 0],
        "no_country": data.frame.height - known.height,
        "no_group": int(known["group"].null_count()),
    }


def global_north(data: Dataset) -> dict[str, Any]:
    """Models in the Global North as the survey's count of 76 implies it, and with known countries alone."""
    grouping = data.groupings["global_north"]
    codes = data.frame.get_column("country_code")
    outside = int(codes.is_in(list(grouping["not_in"])).sum())
    unknown = codes.null_count()
    strict = data.frame.height - outside - unknown
    counted = strict + unknown if grouping["others_count"] else strict
    return {"models": counted, "known_countries_only": strict, "not_in": list(grouping["not_in"])}


def by_emissions(data: Dataset) -> dict[str, Any]:
    """Emissions by country, the most first, and how concentrated they are."""
    import polars as pl

    known = data.frame.filter("counts").drop_nulls(["country_name", "emissions_kg"])
    sums = known.group_by("country_name").agg(pl.col("emissions_kg").sum())
    found = concentration(sums["emissions_kg"].to_numpy(), tops=(1, 2, 4))
    ordered = sums.sort(["emissions_kg", "country_name"], descending=[True, False])
    return {
        "emissions_kg": {str(name): float(value) for name, value in ordered.iter_rows()},
        "gini": found.gini,
        "top": found.top,
    }


def _ordered(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
