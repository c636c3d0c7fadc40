"""Flags: rows whose numbers do not fit each other or the catalogue. A flag repairs nothing and drops nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sootprint.catalogue import tables
from sootprint.core import units
from sootprint.survey.devices import rated_powers

if TYPE_CHECKING:
    import polars as pl

    from sootprint.survey.dataset import Dataset

CLOSE = 0.03  # energy and emissions may be off by so much, which rounding explains
ROUNDING_KG = 0.1  # emissions are printed to a tenth of a kilogram
OTHERWISE = (
    "metered",
    "sensor",
    "modelled",
)  # bases of energies that are not rated power x hours and need not fit it
POWER_OFF = 0.10
FACTOR = 2.0
FLAGS = {
    "energy-off": "energy that is neither measured nor modelled differs by more than 3 % from power x device hours",
    "emissions-off": "given emissions differ by more than 3 % from given energy x given intensity, with or without PUE",
    "emissions-implausible": "given emissions without a given energy or intensity differ by more than a factor 2 from "
    "power x hours x intensity",
    "power-off": "rated power differs by more than 10 % from every device of its family, or of all, in the catalogue",
    "intensity-off": "intensity differs by a factor 2 from the grid's of zone and year",
    "year-missing": "the year of publication is missing",
    "intensity-year-missing": "the year of the intensity is not stated",
    "shared-run": "the run stands in several rows: its energy counts once",
    "perhaps-shared-run": "another row has the same hardware, devices, hours and place: perhaps one run, counted twice",
}
_SHOWN = ("row", "run", "model", "flag", "field", "given", "implied")


def flags(data: Dataset) -> pl.DataFrame:
    """Flags of a data set, by row.

    Returns:
        One row a flag: row, run, model, flag (a name of `FLAGS`), field, given, implied, ratio, meaning.
    """
    import polars as pl

    kinds: dict[str, Any] = {
        "row": pl.Int32,
        "run": pl.String,
        "model": pl.String,
        "flag": pl.String,
        "field": pl.String,
        "given": pl.Float64,
        "implied": pl.Float64,
    }
    empty = pl.DataFrame(schema=kinds)
    typed = [pl.col(name).cast(kind) for name, kind in kinds.items()]
    found = pl.concat([empty, *(part.select(typed) for part in _found(data.frame))])
    return found.sort("row", maintain_order=True).with_columns(
        (pl.col("given") / pl.col("implied")).alias("ratio"),
        pl.col("flag").replace(FLAGS).alias("meaning"),
    )


def counts(found: pl.DataFrame) -> dict[str, int]:
    """Number of rows with each flag; a flag that none has is 0."""
    there = dict(found.get_column("flag").value_counts().iter_rows())
    return {name: int(there.get(name, 0)) for name in FLAGS}


def _found(frame: pl.DataFrame) -> Iterator[pl.DataFrame]:
    import polars as pl

    yield _energy(frame)
    yield from _emissions(frame)
    yield _power(frame)
    zone = pl.col("zone_intensity_g_per_kwh")
    given = pl.col("intensity_basis") != "catalogue"
    off = _factor(pl.col("intensity_g_per_kwh"), zone) >= FACTOR
    yield _marked(frame.filter(given & off), "intensity-off", "intensity_g_per_kwh", zone)
    yield _marked(frame.filter(pl.col("year").is_null()), "year-missing", "year")
    known = pl.col("intensity_year").is_null() & pl.col("intensity_g_per_kwh").is_not_null() & given
    yield _marked(frame.filter(known), "intensity-year-missing", "intensity_g_per_kwh")
    yield _marked(frame.filter(pl.len().over("run") > 1), "shared-run", "energy_kwh")
    yield _twins(frame)


def _energy(frame: pl.DataFrame) -> pl.DataFrame:
    """Energies that do not follow from power and hours, with the PUE where they include it."""
    import polars as pl

    power = pl.coalesce("mean_power_w", "rated_power_w", "catalogue_power_w")
    includes = (pl.col("energy_includes_pue") == "yes").fill_null(False)
    pue = pl.when(includes).then(pl.col("pue")).otherwise(1.0)
    implied = power * pl.col("device_hours") * pue / units.W_PER_KW
    otherwise = pl.col("energy_basis").is_in(OTHERWISE).fill_null(False)
    off = ~otherwise & ((pl.col("energy_given_kwh") / implied - 1).abs() > CLOSE)
    return _marked(frame.filter(off), "energy-off", "energy_given_kwh", implied)


def _emissions(frame: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Emissions that do not follow from the given energy, or are far from the recomputed ones."""
    import polars as pl

    given, plain = pl.col("emissions_given_kg"), pl.col("emissions_from_energy_kg")
    market = (pl.col("intensity_method") == "market").fill_null(False)
    ours = (pl.col("intensity_basis") == "catalogue").fill_null(False)  # not that of the given emissions
    with_pue = plain * pl.col("pue").fill_null(1.0)
    off = ((given / plain - 1).abs() > CLOSE) & ((given - plain).abs() > ROUNDING_KG)
    off = off & ((given / with_pue - 1).abs() > CLOSE) & ~market & ~ours
    yield _marked(frame.filter(off), "emissions-off", "emissions_given_kg", plain)
    recomputed = pl.col("emissions_recomputed_kg")
    far = (plain.is_null() | ours) & (given > 0) & (_factor(given, recomputed) >= FACTOR)
    yield _marked(frame.filter(far), "emissions-implausible", "emissions_given_kg", recomputed)


def _power(frame: pl.DataFrame) -> pl.DataFrame:
    """Rated powers that no device of the family has; each distinct power is looked up once."""
    import polars as pl

    known = frame.drop_nulls(["rated_power_w", "hardware_family", "hardware"])
    keys = ["hardware", "hardware_family", "rated_power_w"]
    pairs = known.select(keys).unique(maintain_order=True)
    nearest = [_nearest(*row) for row in pairs.iter_rows()]
    answers = pairs.with_columns(pl.Series("nearest_power_w", nearest, dtype=pl.Float64))
    joined = known.join(answers, on=keys, maintain_order="left")
    off = (pl.col("rated_power_w") / pl.col("nearest_power_w") - 1).abs() > POWER_OFF
    return _marked(joined.filter(off), "power-off", "rated_power_w", pl.col("nearest_power_w"))


def _nearest(name: str, family: str, power_w: float) -> float:
    """Rated power of the device of the family, or of all where it is unknown, that comes nearest [W]."""
    known = rated_powers(name, family)
    if not known:
        rows = tables.all_rows("accelerators")
        every = [power for row in rows if (power := tables.cell(row, "rated_power_w")) is not None]
        known = (min(power_w, max(every)) if power_w >= min(every) else min(every),)
    return min(known, key=lambda one: abs(one - power_w))


def _twins(frame: pl.DataFrame) -> pl.DataFrame:
    """Rows of different runs that share hardware, devices, hours, place and year."""
    import polars as pl

    keys = ["hardware", "devices", "wall_hours", "country", "location", "year"]
    known = frame.drop_nulls(keys)
    return _marked(known.filter(pl.col("run").n_unique().over(keys) > 1), "perhaps-shared-run", "energy_kwh")


def _factor(one: pl.Expr, other: pl.Expr) -> pl.Expr:
    """Ratio of the greater to the lesser."""
    import polars as pl

    return pl.max_horizontal(one / other, other / one)


def _marked(frame: pl.DataFrame, flag: str, field: str, implied: pl.Expr | None = None) -> pl.DataFrame:
    import polars as pl

    return frame.with_columns(
        pl.lit(flag).alias("flag"),
        pl.lit(field).alias("field"),
        pl.col(field).cast(pl.Float64).alias("given"),
        (implied if implied is not None else pl.lit(None, dtype=pl.Float64)).alias("implied"),
    ).select(_SHOWN)
