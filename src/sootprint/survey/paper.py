"""What the survey printed beside what its own data give: reproduced, or not and why.

Applies only where the data are the authors' table, which is known by its columns, its 95 rows and its energy.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sootprint.survey.dataset import Dataset

KEY, ROWS, ENERGY_KWH = "counting_carbon", 95, 583_713.27
KG_PER_T = 1e3

Found = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Claim:
    """One number of the survey.

    Args:
        claim: What it is about, with the section.
        paper: The number as printed.
        ours: Our number from the summary, in words that a reader compares.
        why: Why it is not reproduced; empty where it is.
    """

    claim: str
    paper: str
    ours: Callable[[Dataset, Found], str]
    why: str = ""


def is_authors(data: Dataset) -> bool:
    """Whether a data set is the authors' table, unchanged as far as counts and energy tell."""
    energy = data.frame.get_column("energy_given_kwh").sum()
    return data.key == KEY and data.frame.height == ROWS and abs(float(energy) - ENERGY_KWH) < 0.01


def compare(data: Dataset, found: Found) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """Claims that our numbers repeat, and those that they do not; both empty for other data.

    Returns:
        Lists of `{claim, paper, ours, why}`.
    """
    if not is_authors(data):
        return [], []
    rows: list[dict[str, str]] = [
        {"claim": one.claim, "paper": one.paper, "ours": one.ours(data, found), "why": one.why}
        for one in CLAIMS
    ]
    agree = [row for row in rows if row["ours"] == row["paper"]]
    differ = [
        row | {"why": row["why"] or "our number differs from the printed one"}
        for row in rows
        if row not in agree
    ]
    return [{key: row[key] for key in ("claim", "paper", "ours")} for row in agree], differ


def not_testable(data: Dataset) -> list[dict[str, str]]:
    """Claims that the table cannot test; empty for other data."""
    listed = NOT_TESTABLE if is_authors(data) else ()
    return [{"claim": claim, "paper": paper, "why": why} for claim, paper, why in listed]


def _number(value: Any) -> str:
    return "unknown" if value is None else f"{value:,.0f}"


def _hardware(family: str, what: str) -> Callable[[Dataset, Found], str]:
    """Count, devices or rated powers of a family, as table 3 prints them."""

    def ours(data: Dataset, _: Found) -> str:
        from sootprint.survey.tables import table3

        (row,) = table3(data, top=None).filter(hardware_family=family).to_dicts() or [{}]
        if what == "models":
            return str(row["models"])
        least, most = row[f"least_{what}"], row[f"most_{what}"]
        return f"{least:g}" if least == most else f"{least:g}-{most:g}"

    return ours


def _top_five(data: Dataset) -> list[str]:
    from sootprint.survey.tables import table3

    return table3(data)["hardware_family"].to_list()


def _mean_kg(data: Dataset, first: int, last: int) -> str:
    import polars as pl

    part = data.frame.filter(pl.col("year").is_between(first, last))["emissions_kg"].drop_nulls().to_list()
    return f"{sum(part) / len(part):,.0f} kg (n = {len(part)})"


def _cleanest(_: Dataset, found: Found) -> str:
    """The run with the most device hours on the cleanest grid of the sample."""
    longest = found["cleanest_grid"]["longest"]
    return f"{longest['times_less']:.0f} times less, {longest['there_kg'] / KG_PER_T:.2f} t"


def _extreme(data: Dataset, which: str) -> float:
    """Least or greatest intensity of the sample [gCO2e/kWh]."""
    values = data.frame["intensity_g_per_kwh"].to_list()
    return float(min(values) if which == "least" else max(values))


def _growth(_: Dataset, found: Found) -> str:
    means = list(found["mean_emissions_kg_by_bin"].values())
    orders = round(math.log10(means[-1] / means[0]))
    return {1: "one order of magnitude", 2: "two orders of magnitude"}.get(orders, f"10 to the {orders}")


def _peak(data: Dataset, _: Found) -> str:
    """Year with the greatest mean emissions of machine translation."""
    translated = (
        data.frame.filter(task="Machine Translation").group_by("year").agg(mean=_mean("emissions_kg"))
    )
    return str(translated.sort("mean", descending=True).row(0, named=True)["year"])


def _mean(name: str) -> Any:
    import polars as pl

    return pl.col(name).mean()


def _table1(task: str) -> Callable[[Dataset, Found], str]:
    def ours(data: Dataset, _: Found) -> str:
        from sootprint.survey.tables import table1

        (row,) = table1(data).filter(task=task).to_dicts()
        return f"{row['dataset']}, {row['models']}, {row['first_year']}-{row['last_year']}"

    return ours


def _table2(source: str) -> Callable[[Dataset, Found], str]:
    def ours(data: Dataset, _: Found) -> str:
        from sootprint.survey.tables import table2

        (row,) = table2(data).filter(source=source).to_dicts()
        return f"{row['models']}, {row['low_carbon']}, {row['mean_intensity_g_per_kwh']:.1f}"

    return ours


def _countries(*names: str) -> Callable[[Dataset, Found], str]:
    return lambda _, found: str(sum(found["models_by_country"].get(name, 0) for name in names))


def _continents(data: Dataset, found: Found) -> str:
    models = found["world_regions"]["models"]
    return str(models["Africa"] + models["South America"])


def _third(data: Dataset, _: Found) -> str:
    images = data.frame.filter(task="Image Classification").sort("emissions_kg", descending=True)
    return f"{int(images.row(2, named=True)['metric_value'])} %"


def _top_two(data: Dataset, _: Found) -> str:
    images = data.frame.filter(task="Image Classification").drop_nulls("metric_value")
    largest = set(images.sort("emissions_kg", descending=True)["row"].to_list()[:2])
    best = set(images.sort("metric_value", descending=True)["row"].to_list()[:2])
    return "the same two" if largest == best else "other models"


CLAIMS: tuple[Claim, ...] = (
    Claim("models (table 1)", "95", lambda data, found: str(found["n_models"])),
    Claim("Image Classification (table 1)", "ImageNet, 35, 2012-2021", _table1("Image Classification")),
    Claim("Machine Translation (table 1)", "WMT2014, 30, 2016-2021", _table1("Machine Translation")),
    Claim(
        "Named Entity Recognition (table 1)", "CoNLL 2003, 11, 2015-2021", _table1("Named Entity Recognition")
    ),
    Claim("Question Answering (table 1)", "SQuAD 1.1, 10, 2016-2021", _table1("Question Answering")),
    Claim("Object Detection (table 1)", "MS COCO, 9, 2019-2021", _table1("Object Detection")),
    Claim("coal (table 2)", "38, No, 512.3", _table2("Coal")),
    Claim("natural gas (table 2)", "23, No, 350.5", _table2("Gas")),
    Claim("hydroelectricity (table 2)", "19, Yes, 100.6", _table2("Hydro")),
    Claim("oil (table 2)", "12, No, 453.6", _table2("Oil")),
    Claim("nuclear (table 2)", "3, Yes, 147.2", _table2("Nuclear")),
    Claim(
        "total emissions (section 5.1)",
        "253 t",
        lambda _, found: f"{found['total_emissions_kg'] / KG_PER_T:.0f} t",
    ),
    Claim("mean intensity (section 4.1)", "372", lambda _, found: _number(found["mean_intensity_g_per_kwh"])),
    Claim("models in the United States (section 4.1)", "48", _countries("United States")),
    Claim("models in China (section 4.1)", "18", _countries("China")),
    Claim("models in Canada and Spain (section 4.1)", "7", _countries("Canada", "Spain")),
    Claim("models in Africa and South America (section 4.1)", "0", _continents),
    Claim(
        "models in the Global North (section 4.1)",
        "76",
        lambda _, found: str(found["global_north"]["models"]),
    ),
    Claim(
        "models on coal and gas (section 4.1)",
        "61",
        lambda _, found: str(found["models_by_source"]["Coal"] + found["models_by_source"]["Gas"]),
    ),
    Claim(
        "median training time (section 5.1)", "72 h", lambda _, found: f"{found['median_wall_hours']:.0f} h"
    ),
    Claim(
        "shortest training, wall time (section 5.1)",
        "15 minutes",
        lambda _, found: f"{found['wall_hours']['least'] * 60:.0f} minutes",
    ),
    Claim(
        "longest training, wall time (section 5.1)",
        "more than 400,000 h",
        lambda _, found: f"more than {found['wall_hours']['most'] // 1e5 * 1e5:,.0f} h",
    ),
    Claim(
        "the two most accurate image classifiers are the largest emitters (section 4.4)",
        "the same two",
        _top_two,
    ),
    Claim("accuracy of the third largest emitter (section 4.4)", "76 %", _third),
    Claim(
        "least energy of a model (section 4.2)",
        "about 10 kWh",
        lambda _, found: f"{found['energy_kwh']['least']:g} kWh",
        "14 models used less than 10 kWh",
    ),
    Claim(
        "models with low-carbon sources (section 4.1)",
        "34",
        lambda _, found: str(found["low_carbon_models"]),
        "34 = hydro 19 + nuclear 3 + oil 12: oil is not low-carbon, as table 2 says itself; 22 are, and 73 are not",
    ),
    Claim(
        "share of models with low-carbon sources (section 4.1)",
        "less than a quarter, of 34 models",
        lambda _, found: (
            f"{100 * found['low_carbon_models'] / found['n_models']:.0f} %, of {found['low_carbon_models']} models"
        ),
        "34 of 95 would be 36 %; 22 of 95 are less than a quarter",
    ),
    Claim(
        "mean emissions, 2015-2016 (section 5.1)",
        "487 tons",
        lambda data, _: _mean_kg(data, 2015, 2016),
        "the unit is kilograms, as the total of 253 t shows, and the number is not reproduced either",
    ),
    Claim(
        "mean emissions, 2020-2022 (section 5.1)",
        "2020 tons",
        lambda data, _: _mean_kg(data, 2020, 2022),
        "the unit is kilograms, the number is not reproduced, and no model is of 2022",
    ),
    Claim(
        "training time as device hours: median (sections 3.2, 5.1)",
        "72 h",
        lambda _, found: f"{found['median_device_hours']:.0f} h",
        "72 h is the median of wall hours; section 3.2 defines training time as device hours",
    ),
    Claim(
        "training time as device hours: least (section 5.1)",
        "15 minutes",
        lambda _, found: f"{found['device_hours']['least']:g} h",
        "15 minutes are wall time",
    ),
    Claim(
        "training time as device hours: most (section 5.1)",
        "more than 400,000 h",
        lambda _, found: f"{found['device_hours']['most']:,.0f} h",
        "403,200 h stand in the column of wall time",
    ),
    Claim(
        "rated power of the hardware (section 4.2)",
        "180-300 W",
        lambda data, _: f"{min(data.frame['rated_power_w']):g}-{max(data.frame['rated_power_w']):g} W",
        "appendix A.2 says 180-450 W; one row has 40 W from the page of a Quadro P600",
    ),
    Claim(
        "the five most used devices (table 3)",
        "Tesla V100, TPU v3, RTX 2080 Ti, Tesla M40, GTX 1080",
        lambda data, _: ", ".join(_top_five(data)),
        "six rows name a P100, five an M40, four a GTX 1080",
    ),
    Claim("Tesla V100 (table 3): models", "30", _hardware("Tesla V100", "models"), "26 rows name a V100"),
    Claim(
        "Tesla V100 (table 3): devices",
        "1-128",
        _hardware("Tesla V100", "devices"),
        "the row with 128 devices is of P100",
    ),
    Claim(
        "Tesla V100 (table 3): rated power",
        "300",
        _hardware("Tesla V100", "rated_power_w"),
        "most rows have the 250 W of the PCIe card",
    ),
    Claim("TPU v3 (table 3): models", "9", _hardware("TPU v3", "models")),
    Claim("TPU v3 (table 3): devices", "1-1024", _hardware("TPU v3", "devices")),
    Claim(
        "TPU v3 (table 3): rated power",
        "450",
        _hardware("TPU v3", "rated_power_w"),
        "300 W in eight rows and 450 W in one",
    ),
    Claim("RTX 2080 Ti (table 3): models", "8", _hardware("RTX 2080 Ti", "models")),
    Claim("RTX 2080 Ti (table 3): devices", "4-16", _hardware("RTX 2080 Ti", "devices")),
    Claim("Tesla M40 (table 3): models", "5", _hardware("Tesla M40", "models")),
    Claim("Tesla M40 (table 3): devices", "8", _hardware("Tesla M40", "devices")),
    Claim("GTX 1080 (table 3): models", "4", _hardware("GTX 1080", "models")),
    Claim(
        "GTX 1080 (table 3): devices", "1-8", _hardware("GTX 1080", "devices"), "no row has more than four"
    ),
    Claim(
        "GTX 1080 (table 3): rated power",
        "180",
        _hardware("GTX 1080", "rated_power_w"),
        "the rows have 250 W",
    ),
    Claim(
        "C = P x T x I for all models (section 3.2)",
        "253 t",
        lambda _, found: f"{found['total_emissions_kg_recomputed'] / KG_PER_T:.1f} t",
        "four energies and three emissions do not follow from the rows' own factors; energy x intensity gives 265.1 t",
    ),
    Claim(
        "countries besides the United States and China (section 4.1)",
        "9",
        lambda _, found: str(len(found["models_by_country"]) - 2),
        "ten, and five rows say Multiple countries or Google",
    ),
    Claim(
        "the longest run on the cleanest grid (section 5.1)",
        "30 times less, over 1 ton",
        _cleanest,
        "the cleanest grid of the sample has 1.30 g/kWh",
    ),
    Claim(
        "the most that low-carbon energy reduces (sections 4.1, 4.2)",
        "60 times and up to 1,000",
        lambda data, _: f"{_extreme(data, 'most') / _extreme(data, 'least'):.0f} times",
        "the two sections differ; the ratio of the extreme intensities of the sample is this",
    ),
    Claim("growth per model from 2012 to recent years (section 4.3)", "two orders of magnitude", _growth),
    Claim("year in which machine translation emitted most (section 4.3)", "2019", _peak),
)

NOT_TESTABLE = (
    ("papers (section 3.1)", "77", "the table names no papers"),
    ("response rate (section 3.1)", "15.4 %", "77 of 500 papers; the table names neither"),
    (
        "distance to the state of the art (section 3.1)",
        "within 8 %",
        "the table names no dates and models to look up",
    ),
)
