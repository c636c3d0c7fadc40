"""Data sets: the tidy frame of a table or of records, what was left out of it, and how its values are read.

`load()` reads a table (CSV, the authors' file included), records (JSON, JSON lines, a folder of them) or, by name,
the packaged table "published" and this machine's "ledger". Columns and their meaning are in `survey.schema`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from sootprint.core import units
from sootprint.core.errors import InputError, MissingExtraError
from sootprint.survey import bins, devices, places, records, schema
from sootprint.survey import groupings as of_groups
from sootprint.survey import mapping as mappings
from sootprint.survey.exclusions import Exclusion

if TYPE_CHECKING:
    import polars as pl

    from sootprint.core.records import Footprint
    from sootprint.survey.read import Unread

MOST = 1e30  # more than any count or quantity of a training, operations included


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """A data set of models in the tidy schema.

    Args:
        frame: One row a model; the columns of `survey.schema.COLUMNS`, in their order.
        name: Name for titles.
        key: Kind of data: counting_carbon, published, schema, records, or the name of a mapping file.
        values: Whether `energy_kwh` and `emissions_kg` are those "given" or "recomputed", in every row.
        excluded: What could not be used, counted.
        groupings: Groupings behind the counts.
    """

    frame: pl.DataFrame
    name: str
    key: str
    values: str
    excluded: tuple[Exclusion, ...] = ()
    groupings: of_groups.Groupings = field(default_factory=of_groups.packaged)

    @property
    def bins(self) -> tuple[str, ...]:
        """Bins of the years, in order."""
        return bins.labels(self.frame.get_column("year").drop_nulls().to_list())

    @property
    def tasks(self) -> tuple[str, ...]:
        """Tasks, the one with the most rows first."""
        counts = self.frame.drop_nulls("task").get_column("task").value_counts(sort=True)
        ordered = sorted(counts.iter_rows(), key=lambda row: (-row[1], row[0]))
        return tuple(name for name, _ in ordered)


def load(source: str | Path, *, mapping: str | Path | None = None, values: str | None = None) -> Dataset:
    """Data set of a file, a folder of records, or a name.

    Args:
        source: CSV table, JSON records, folder of records, "published" or "ledger".
        mapping: Mapping file of the table; else the packaged mapping that fits its columns.
        values: "given" or "recomputed"; else what the mapping says.

    Raises:
        InputError: The source is no table and no records, or a mapping does not fit it.
        MissingExtraError: The survey's packages are not installed.
    """
    try:
        import polars  # noqa: F401 - asked for before anything is read
    except ImportError as err:
        raise MissingExtraError(f"the survey needs {err.name}: pip install 'sootprint[survey]'") from err
    if values is not None and values not in mappings.VALUES:
        raise InputError(f"values is {values!r}: it is one of {', '.join(mappings.VALUES)}")
    of = mappings.read(Path(mapping)) if mapping is not None else None
    if str(source) == "published":
        from importlib.resources import as_file, files

        with as_file(files("sootprint.survey").joinpath("data/published.csv")) as packaged:
            return _table(packaged, mappings.packaged("published"), values=values)
    if str(source) == "ledger" or (of is None and records.is_records(Path(source))):
        return from_footprints(records.read(source), name=str(source), values=values or "given")
    return _table(Path(source), of, values=values)


def from_footprints(found: Iterable[Footprint | str], *, name: str, values: str = "given") -> Dataset:
    """Data set of records; a text in the place of a record is one that could not be read, and is counted.

    Args:
        found: Records.
        name: Name of the data set.
        values: "given" for the energies and emissions of the records, or "recomputed".
    """
    frame, excluded = records.rows(found)
    data = Dataset(frame=frame, name=name, key="records", values=values, excluded=tuple(excluded))
    return completed(data)


def _table(path: Path, of: mappings.TableMapping | None, *, values: str | None) -> Dataset:
    from sootprint.survey import read

    if of is None:
        of = read.mapping_for(read.head(path), path)
    given, unread = read.table(path, of)
    data = Dataset(
        frame=given,
        name=of.name or path.name,
        key=of.key,
        values=values or of.values,
        excluded=tuple(_unread(one) for one in unread),
        groupings=of.groupings,
    )
    return completed(data)


def _unread(one: Unread) -> Exclusion:
    return Exclusion(what=one.column, reason=one.reason, count=one.count, example=one.example)


def completed(data: Dataset) -> Dataset:
    """Data set with the derived columns, from one with the given ones; impossible values are set aside and counted."""
    import polars as pl

    frame, excluded = _possible(data.frame)
    frame = places.located(frame, data.groupings)
    frame = places.with_source(places.with_intensity(devices.named(frame, data.groupings)))
    frame, aside = _intensity(frame)
    frame = frame.with_columns(
        bins.column(),
        devices.architectures(frame, data.groupings),
        _panel(),
        _parameters(),
        (
            pl.col("source").is_in(list(data.groupings["low_carbon"]["sources"]))
            & (pl.col("source") != "Unknown")
        ).alias("low_carbon"),
        row=pl.int_range(1, pl.len() + 1, dtype=pl.Int32),
        run=pl.coalesce("run", pl.format("row {}", pl.int_range(1, pl.len() + 1))),
    )
    frame = _products(frame, data.values).with_columns(
        counts=pl.int_range(pl.len()).over("run") == 0,
    )
    of = schema.types()
    frame = frame.select(pl.col(name).cast(of[name]) for name in schema.COLUMNS)
    return replace(data, frame=frame, excluded=(*data.excluded, *excluded, *aside))


def _panel() -> pl.Expr:
    """Panel of a row; a metric such as MMLU is its own data set."""
    import polars as pl

    named = pl.concat_str(["task", "dataset", "metric"], separator=" / ", ignore_nulls=True)
    known = (
        pl.col("task").is_not_null() & pl.col("metric").is_not_null() & pl.col("metric_value").is_not_null()
    )
    return pl.when(known).then(named).alias("panel")


def _possible(frame: pl.DataFrame) -> tuple[pl.DataFrame, list[Exclusion]]:
    """Frame without negative numbers (and zero hours, devices, power), each kind counted."""
    import polars as pl

    excluded = []
    least = {name: 0.0 for name in schema.NUMBERS if name not in ("metric_value",)} | {"pue": 1.0}
    positive = (
        "devices",
        "wall_hours",
        "device_hours",
        "rated_power_w",
        "mean_power_w",
        "parameters",
        "flops",
    )
    for name, bound in least.items():
        cells = frame.get_column(name)
        bad = (cells <= bound) if name in positive else (cells < bound)
        bad = (bad | (cells > MOST)).fill_null(False)
        if bad.any():
            rule = f"not {'above' if name in positive else 'at least'} {bound:g}, or above {MOST:g}"
            first = f"{cells.filter(bad)[0]:g}"
            excluded.append(Exclusion(what=name, reason=rule, count=int(bad.sum()), example=first))
            frame = frame.with_columns(pl.when(~bad).then(pl.col(name)).alias(name))
    return frame, excluded


def _intensity(frame: pl.DataFrame) -> tuple[pl.DataFrame, list[Exclusion]]:
    """Frame whose intensity is location-based, that of zone and year where it was not given."""
    import polars as pl

    market = market_based()
    aside = int(frame.select(market.sum()).item())
    own = pl.when(~market & (pl.col("intensity_g_per_kwh") > 0)).then(pl.col("intensity_g_per_kwh"))
    zero = int(frame.select((pl.col("intensity_g_per_kwh") == 0).sum()).item() or 0)
    filled = own.is_null() & pl.col("zone_intensity_g_per_kwh").is_not_null()
    excluded = []
    if aside:
        reason = "market-based: the grid's intensity of zone and year counts"
        excluded.append(Exclusion(what="intensity_g_per_kwh", reason=reason, count=aside))
    if zero:
        reason = "zero, which no grid has: that of zone and year counts"
        excluded.append(Exclusion(what="intensity_g_per_kwh", reason=reason, count=zero))
    frame = frame.with_columns(
        pl.coalesce(own, "zone_intensity_g_per_kwh").alias("intensity_g_per_kwh"),
        pl.when(filled)
        .then(pl.lit("catalogue"))
        .otherwise(pl.coalesce(_basis(), pl.lit("reported")))
        .alias("intensity_basis"),
    )
    return frame, excluded


def _basis() -> pl.Expr:
    """Basis of the intensity in one word, from texts such as `assumed: country-year average`."""
    import polars as pl

    return pl.col("intensity_basis").str.extract(r"^(\w+)").str.to_lowercase().replace("implied", "derived")


def _products(frame: pl.DataFrame, values: str) -> pl.DataFrame:
    """Frame with device hours, and with energy and emissions as recomputed, implied and analysed."""
    import polars as pl

    hours = pl.coalesce("device_hours", pl.col("wall_hours") * pl.col("devices"))
    frame = frame.with_columns(hours.alias("device_hours"))
    power_w = pl.coalesce("rated_power_w", "catalogue_power_w")
    energy = power_w * pl.col("device_hours") / units.W_PER_KW
    frame = frame.with_columns(energy.alias("energy_recomputed_kwh"))
    intensity = pl.col("intensity_g_per_kwh") / units.G_PER_KG
    frame = frame.with_columns(
        (pl.col("energy_recomputed_kwh") * intensity).alias("emissions_recomputed_kg"),
        (pl.col("energy_given_kwh") * intensity).alias("emissions_from_energy_kg"),
    )
    if values == "recomputed":
        energy_kwh, emissions_kg = pl.col("energy_recomputed_kwh"), pl.col("emissions_recomputed_kg")
    else:
        includes = (pl.col("energy_includes_pue") == "yes").fill_null(False)
        energy_kwh = pl.col("energy_given_kwh") / pl.when(includes).then(
            pl.col("pue").fill_null(1.0)
        ).otherwise(1.0)
        emissions_kg = pl.when(~market_based()).then(pl.col("emissions_given_kg"))
    return frame.with_columns(energy_kwh.alias("energy_kwh"), emissions_kg.alias("emissions_kg"))


def market_based() -> pl.Expr:
    """Whether a row's intensity and emissions are market-based, which no total mixes with the others."""
    import polars as pl

    return (pl.col("intensity_method") == "market").fill_null(False)


def _parameters() -> pl.Expr:
    """Parameters, from a model's name such as `Llama 2 7B` where they are not given and it has one size."""
    import polars as pl

    name = pl.col("model").str.replace_all(r"[\d.]+\s?[BT] tokens", "")
    sizes = name.str.extract_all(r"\b\d+(?:\.\d+)?\s?[BT]\b")
    number = sizes.list.first().str.extract(r"([\d.]+)").cast(pl.Float64)
    factor = pl.when(sizes.list.first().str.ends_with("T")).then(1e12).otherwise(1e9)
    from_name = pl.when(sizes.list.len() == 1).then(number * factor)
    return pl.coalesce("parameters", from_name).alias("parameters")
