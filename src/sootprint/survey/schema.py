"""The tidy schema: one row for one model of a table, one name and one unit for each column.

These names are frozen: importers fill them, statistics and figures read them. `GIVEN` are the columns that a table
may bring; `DERIVED` are computed here. An empty cell is null, never 0.

Three pairs must not be confused: `wall_hours` and `device_hours`; `*_given_*` (numbers of others, as given) and
`*_recomputed_*` (rated power x device hours x intensity, the survey's equation 1, PUE 1.0); and `energy_kwh` with
`emissions_kg`, which every statistic and figure reads, are one of these two throughout a data set (`Dataset.values`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    pass

BASES = ("reported", "derived", "assumed", "catalogue")


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the tidy frame.

    Args:
        kind: "text", "number" or "year".
        unit: Unit, empty where it has none.
        doc: Meaning.
    """

    kind: str
    unit: str
    doc: str


GIVEN: dict[str, Column] = {
    "run": Column("text", "", "Training run; rows with the same run share its energy, which counts once."),
    "model": Column("text", "", "Name of the model."),
    "family": Column("text", "", "Family of the model, e.g. Llama 3."),
    "architecture": Column("text", "", "Architecture, e.g. transformer."),
    "technique": Column("text", "", "Technique, e.g. neural architecture search."),
    "parameters": Column("number", "1", "Parameters; of a name such as Llama 2 7B where they are not given."),
    "flops": Column("number", "1", "Floating-point operations of the training."),
    "stage": Column("text", "", "Stage of the life cycle: pretrain, finetune, search, ..."),
    "paper": Column("text", "", "Publication; rows of one paper may share more than a run."),
    "published": Column("text", "", "Date of publication, ISO 8601."),
    "year": Column("year", "", "Year of publication."),
    "task": Column("text", "", "Task, e.g. Image Classification."),
    "dataset": Column("text", "", "Data set of the metric, e.g. ImageNet."),
    "metric": Column("text", "", "Metric, higher is better."),
    "metric_value": Column("number", "metric", "Value of the metric."),
    "metric_split": Column("text", "", "Split that the metric was measured on."),
    "hardware": Column("text", "", "Device as given."),
    "devices": Column("number", "1", "Devices used."),
    "wall_hours": Column("number", "h", "Elapsed time of the training."),
    "device_hours": Column("number", "h", "Wall hours times devices; computed where it is not given."),
    "rated_power_w": Column("number", "W", "Rated power of one device, as given."),
    "mean_power_w": Column("number", "W", "Measured mean power of one device, as given."),
    "country": Column("text", "", "Country as given."),
    "location": Column("text", "", "State, province or city as given."),
    "zone": Column("text", "", "Grid zone; found from country and location where it is not given."),
    "intensity_g_per_kwh": Column("number", "gCO2e/kWh", "Carbon intensity of the electricity."),
    "intensity_year": Column("year", "", "Year of the intensity."),
    "intensity_basis": Column("text", "", f"Where the intensity is from: {', '.join(BASES)}."),
    "intensity_method": Column("text", "", "location or market; a market-based intensity is set aside."),
    "source": Column("text", "", "Main energy source: Coal, Gas, Oil, Hydro, Nuclear, ..."),
    "pue": Column("number", "1", "Facility energy over IT energy, as given."),
    "energy_given_kwh": Column("number", "kWh", "Energy as given."),
    "energy_basis": Column("text", "", "How the given energy came about, as given."),
    "energy_includes_pue": Column("text", "", "yes or no: whether the given energy has the PUE in it."),
    "emissions_given_kg": Column("number", "kgCO2e", "Emissions as given."),
    "emissions_basis": Column("text", "", "How the given emissions came about, as given."),
    "confidence": Column("text", "", "How well the row was checked, as given."),
    "reference": Column("text", "", "Where the numbers were read."),
    "note": Column("text", "", "Remark."),
}

DERIVED: dict[str, Column] = {
    "row": Column("year", "1", "Number of the row in its source, from 1."),
    "bin": Column("text", "", "Bin of the year, e.g. 2012-2016 or 2021; null where the year is missing."),
    "panel": Column("text", "", "Task, data set and metric: rows that may be compared."),
    "country_code": Column("text", "", "ISO 3166-1 alpha-2 code; null where the text is no country."),
    "country_name": Column("text", "", "Name of the country; null where the text is no country."),
    "hardware_name": Column("text", "", "Device in the catalogue; null where it is unknown there."),
    "hardware_family": Column("text", "", "Family of the device, by the groupings."),
    "architecture_family": Column("text", "", "Family of the architecture, by the groupings."),
    "catalogue_power_w": Column("number", "W", "Rated power of the device in the catalogue."),
    "zone_intensity_g_per_kwh": Column("number", "gCO2e/kWh", "Life-cycle intensity of zone and year."),
    "low_carbon": Column("flag", "", "Whether the main source is low-carbon, by the groupings."),
    "energy_recomputed_kwh": Column("number", "kWh", "Rated power x device hours."),
    "emissions_recomputed_kg": Column("number", "kgCO2e", "Rated power x device hours x intensity."),
    "emissions_from_energy_kg": Column("number", "kgCO2e", "Given energy x intensity."),
    "energy_kwh": Column(
        "number",
        "kWh",
        "Energy that is analysed: given (a known PUE taken out) or recomputed, by the data set.",
    ),
    "emissions_kg": Column(
        "number",
        "kgCO2e",
        "Emissions that are analysed: given (not market-based) or recomputed, by the data set.",
    ),
    "counts": Column("flag", "", "False for a later row of a run that already counted in the totals."),
}

COLUMNS = GIVEN | DERIVED
NUMBERS = tuple(name for name, column in GIVEN.items() if column.kind == "number")


def types() -> dict[str, Any]:
    """Polars type of each column."""
    import polars as pl

    kinds: dict[str, Any] = {
        "text": pl.String,
        "number": pl.Float64,
        "year": pl.Int32,
        "flag": pl.Boolean,
    }
    return {name: kinds[column.kind] for name, column in COLUMNS.items()}
