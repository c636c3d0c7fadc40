"""The survey's printed numbers, from its authors' own table, which stays outside of the repository.

Every number below is printed in *Counting Carbon* (Luccioni and Hernandez-Garcia, 2023) or was computed from its
published table; the claims that its table does not repeat are held here too, each with our figure.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sootprint import survey

NAME = Path("data/counting_carbon/co2ml95models.csv")
BINS = ["2012-2016", "2017", "2018", "2019", "2020", "2021"]
KEYS = {
    "n_models",
    "n_runs",
    "total_energy_kwh",
    "total_emissions_kg",
    "total_emissions_kg_recomputed",
    "mean_intensity_g_per_kwh",
    "energy_weighted_intensity_g_per_kwh",
    "median_wall_hours",
    "median_device_hours",
    "models_by_country",
    "models_by_source",
    "low_carbon_models",
    "mean_emissions_kg_by_bin",
    "mean_intensity_by_bin",
    "models_by_source_and_bin",
    "pareto",
    "rank_correlation",
    "log_variance_shares",
    "excluded",
    "flags",
    "not_reproduced",
}
FRONTS = {
    "Image Classification / ImageNet / Top-1 accuracy": [
        (2.8, 77.1),
        (3.6, 83.8),
        (15.7, 83.9),
        (20.3, 84.4),
        (69.3, 86.3),
        (402, 87.1),
        (4036, 87.9),
        (72768, 90.3),
    ],
    "Machine Translation / WMT2014 English-French / BLEU": [(1.5, 43.2), (13.0, 43.9)],
    "Machine Translation / WMT2014 English-German / BLEU": [
        (0.8, 29.6),
        (10.6, 29.7),
        (21.8, 30.1),
        (75.2, 33.9),
        (302.6, 35.1),
    ],
    "Question Answering / SQuAD 1.1 / F1": [(0.4, 81.5), (0.8, 84.2), (8.2, 91.6)],
    "Named Entity Recognition / CoNLL 2003 / F1": [(0.2, 92.7), (0.3, 93.4), (3.3, 94.5)],
}


@pytest.fixture(scope="module")
def data() -> survey.Dataset:
    """The authors' table, from the folder beside the repository."""
    path = Path(__file__).resolve().parents[3] / "shared" / NAME
    if not path.is_file():
        pytest.skip("../shared is not here, and the authors' table may not be shipped")
    return survey.load(path)


@pytest.fixture(scope="module")
def found(data: survey.Dataset) -> dict[str, Any]:
    """Its summary."""
    return survey.summary(survey.analyse(data))


def rounded(values: dict[str, float], digits: int) -> list[float]:
    """Values of a map, rounded."""
    return [round(value, digits) for value in values.values()]


def test_totals_and_intensities(found: dict[str, Any]) -> None:
    """253.16 t, and 371.85 g/kWh over models; energy-weighted 433.7; recomputed 262.9 t and 265.1 t."""
    assert round(found["total_emissions_kg"] / 1e3, 2) == 253.16
    assert round(found["mean_intensity_g_per_kwh"], 2) == 371.85
    assert round(found["energy_weighted_intensity_g_per_kwh"], 1) == 433.7
    assert round(found["total_emissions_kg_recomputed"] / 1e3, 1) == 262.9
    assert round(found["total_emissions_kg_from_energy"] / 1e3, 1) == 265.1
    assert (found["n_models"], found["n_runs"]) == (95, 95)


def test_table_1(data: survey.Dataset) -> None:
    """Tasks, data sets, models and dates, as printed."""
    assert survey.table1(data).select("task", "dataset", "models", "first_year", "last_year").rows() == [
        ("Image Classification", "ImageNet", 35, 2012, 2021),
        ("Machine Translation", "WMT2014", 30, 2016, 2021),
        ("Named Entity Recognition", "CoNLL 2003", 11, 2015, 2021),
        ("Question Answering", "SQuAD 1.1", 10, 2016, 2021),
        ("Object Detection", "MS COCO", 9, 2019, 2021),
    ]


def test_table_2(data: survey.Dataset) -> None:
    """Sources, models, flag and mean intensity, as printed."""
    columns = ("main_energy_source", "models", "low_carbon", "mean_intensity_g_per_kwh")
    assert survey.table2(data).select(columns).rows() == [
        ("Coal", 38, "No", 512.3),
        ("Natural Gas", 23, "No", 350.5),
        ("Hydroelectricity", 19, "Yes", 100.6),
        ("Oil", 12, "No", 453.6),
        ("Nuclear", 3, "Yes", 147.2),
    ]


def test_table_3(data: survey.Dataset) -> None:
    """Families of hardware as the rows have them, which is not always what is printed."""
    columns = ("hardware_family", "models", "least_devices", "most_devices")
    rows = survey.table3(data, top=None).select(columns).rows()
    assert rows[:5] == [
        ("Tesla V100", 26, 1, 64),
        ("TPU v3", 9, 1, 1024),
        ("RTX 2080 Ti", 8, 4, 16),
        ("Tesla P100", 6, 1, 128),
        ("Tesla M40", 5, 8, 8),
    ]
    assert ("GTX 1080", 4, 1, 4) in rows


def test_countries(found: dict[str, Any]) -> None:
    """48 in the United States, 18 in China, five rows without a country, none in Africa or South America."""
    assert found["models_by_country"] == {
        "United States": 48,
        "China": 18,
        "Canada": 5,
        "Japan": 4,
        "United Kingdom": 4,
        "Australia": 2,
        "Israel": 2,
        "Singapore": 2,
        "Spain": 2,
        "Russia": 1,
        "South Korea": 1,
        "United Arab Emirates": 1,
    }
    assert found["models_without_country"] == 5
    assert found["world_regions"]["empty"] == ["Africa", "South America"]
    assert found["global_north"]["models"] == 76


def test_median_intensities_of_the_map(data: survey.Dataset) -> None:
    """Canada 1.3 (1.30 to 52.89), Spain 220.26, China 555, Australia 665, Japan 606.2, US 357.8, UK 290.6."""
    from sootprint.survey.panels import figure1

    points = figure1(data).points
    medians = dict(points.select("country_code", "median").iter_rows())
    shown = {code: round(medians[code], 1) for code in ("CA", "ES", "CN", "AU", "JP", "US", "GB")}
    assert shown == {"CA": 1.3, "ES": 220.3, "CN": 555, "AU": 665.0, "JP": 606.2, "US": 357.8, "GB": 290.6}
    assert points.filter(country_code="CA").select("least", "most").row(0) == (1.3, 52.89)
    assert points["models"].sum() == 90


def test_sources(found: dict[str, Any]) -> None:
    """61 on coal and gas; by the flag of table 2 22 are low-carbon, not 34."""
    assert found["models_by_source"]["Coal"] + found["models_by_source"]["Gas"] == 61
    assert found["low_carbon_models"] == 22


def test_bins(found: dict[str, Any]) -> None:
    """Grand averages, mean intensity and coal models of each bin."""
    assert list(found["mean_emissions_kg_by_bin"]) == BINS
    assert rounded(found["mean_emissions_kg_by_bin"], 1) == [72.2, 241.9, 47.1, 6155.3, 295.1, 4574.4]
    assert rounded(found["mean_intensity_by_bin"], 0) == [199, 383, 286, 336, 371, 441]
    assert list(found["models_by_source_and_bin"]["Coal"].values()) == [0, 2, 3, 5, 8, 20]


def test_nothing_is_trimmed(found: dict[str, Any]) -> None:
    """A 99 % trimmed mean of fewer than 100 values is the plain mean, and says so."""
    assert [row["trimmed"] for row in found["emissions_by_bin"]] == [0] * 6


def test_intervals_of_2021(data: survey.Dataset) -> None:
    """Percentile [47, 13,446] and BCa [78, 19,897] kg, within the noise of the resamples."""
    from sootprint.survey.estimates import Settings, estimate

    values = data.frame.filter(bin="2021")["emissions_kg"].to_numpy()
    plain, bca = estimate(values), estimate(values, how=Settings(method="bca"))
    assert (plain.n, plain.low, plain.high) == (
        33,
        pytest.approx(47, rel=0.05),
        pytest.approx(13446, rel=0.05),
    )
    assert (bca.low, bca.high) == (pytest.approx(78, rel=0.12), pytest.approx(19897, rel=0.12))


def test_every_pareto_member(found: dict[str, Any]) -> None:
    """All of them, and no other."""
    ours = {
        panel: [(round(cost, 1 if cost < 400 else 0), round(metric, 1)) for cost, metric in members]
        for panel, members in found["pareto"].items()
    }
    assert ours == FRONTS


def test_energy_says_the_same_as_emissions(found: dict[str, Any]) -> None:
    """Footnote 5 and figure 5: accuracy and energy show the pattern of accuracy and emissions."""
    assert set(found["pareto_energy"]) == set(FRONTS)
    ranks = {panel: one["n"] for panel, one in found["rank_correlation_energy"].items()}
    assert ranks == {panel: one["n"] for panel, one in found["rank_correlation"].items()}
    rising = [
        panel for panel, one in found["rank_correlation_energy"].items() if one["p"] < 0.05 and one["rho"] > 0
    ]
    assert rising == ["Image Classification / ImageNet / Top-1 accuracy"]


def test_the_same_runs_on_the_cleanest_grid(data: survey.Dataset, found: dict[str, Any]) -> None:
    """Emissions are proportional to the intensity: each row times 1.30 over its own, added up again here."""
    rows = data.frame.select("emissions_given_kg", "intensity_g_per_kwh").rows()
    there = sum(kg * 1.3 / grams for kg, grams in rows)
    assert found["cleanest_grid"]["there_kg"] == pytest.approx(there)
    assert found["cleanest_grid"]["where"] == "Canada"
    assert round(found["cleanest_grid"]["longest"]["times_less"]) == 319


def test_metrics_present(data: survey.Dataset) -> None:
    """32 of 35 image classifiers, 29 of 30 translators, 9 of 10 and 11 of 11."""
    known = data.frame.drop_nulls("metric_value").get_column("task").value_counts()
    assert dict(known.iter_rows()) == {
        "Image Classification": 32,
        "Machine Translation": 29,
        "Question Answering": 9,
        "Named Entity Recognition": 11,
    }


def test_relations(found: dict[str, Any]) -> None:
    """Rank correlations, shares of the log variance, slope and concentration."""
    ranks = {task: round(one["rho"], 2) for task, one in found["rank_correlation_by_task"].items()}
    assert ranks == {
        "Image Classification": 0.49,
        "Machine Translation": 0.05,
        "Named Entity Recognition": -0.11,
        "Question Answering": 0.54,
    }
    assert round(found["rank_correlation_by_task"]["Image Classification"]["p"], 3) == 0.005
    assert round(found["rank_correlation_by_task"]["Question Answering"]["p"], 2) == 0.14
    shares = {name: round(100 * share) for name, share in found["log_variance_shares"].items()}
    assert shares == {"time": 81, "intensity": 16, "power": 3}
    assert round(found["slope_emissions_on_energy"]["slope"], 2) == 0.95
    assert round(100 * found["concentration"]["top"]["4"]) == 93


def test_hours_are_two_quantities(found: dict[str, Any]) -> None:
    """72 h, 15 min and 403,200 h are wall hours; device hours are 390, 4 and 663,552."""
    assert [found["wall_hours"][key] for key in ("median", "least", "most")] == [72, 0.25, 403_200]
    assert [found["device_hours"][key] for key in ("median", "least", "most")] == [390, 4, 663_552]


def test_flags(found: dict[str, Any]) -> None:
    """Four energies and three emissions do not follow from their rows."""
    assert (found["flags"]["energy-off"], found["flags"]["emissions-off"]) == (4, 3)


def test_planted_rows_are_flagged(data: survey.Dataset) -> None:
    """The 40 W of a P6000, the row at 675.4 g/kWh, and the two translations that may be one run."""
    flags = survey.flags(data)
    frame = data.frame
    small = frame.filter(rated_power_w=40)["row"].item()
    odd = frame.filter(intensity_g_per_kwh=675.4)["row"].item()
    twins = frame.filter(energy_kwh=82575.36)["row"].to_list()
    assert flags.filter(row=small, flag="power-off").height == 1
    assert flags.filter(row=odd, flag="emissions-off").height == 1
    assert flags.filter(flag="perhaps-shared-run")["row"].is_in(twins).sum() == 2


NOT_REPRODUCED = {
    "least energy of a model (section 4.2)": "0.78 kWh",
    "models with low-carbon sources (section 4.1)": "22",
    "share of models with low-carbon sources (section 4.1)": "23 %, of 22 models",
    "mean emissions, 2015-2016 (section 5.1)": "86 kg (n = 5)",
    "mean emissions, 2020-2022 (section 5.1)": "2,773 kg (n = 57)",
    "training time as device hours: median (sections 3.2, 5.1)": "390 h",
    "training time as device hours: least (section 5.1)": "4 h",
    "training time as device hours: most (section 5.1)": "663,552 h",
    "rated power of the hardware (section 4.2)": "40-450 W",
    "the five most used devices (table 3)": "Tesla V100, TPU v3, RTX 2080 Ti, Tesla P100, Tesla M40",
    "Tesla V100 (table 3): models": "26",
    "Tesla V100 (table 3): devices": "1-64",
    "Tesla V100 (table 3): rated power": "250-300",
    "TPU v3 (table 3): rated power": "300-450",
    "GTX 1080 (table 3): devices": "1-4",
    "GTX 1080 (table 3): rated power": "250",
    "C = P x T x I for all models (section 3.2)": "262.9 t",
    "countries besides the United States and China (section 4.1)": "10",
    "the longest run on the cleanest grid (section 5.1)": "319 times less, 0.23 t",
    "the most that low-carbon energy reduces (sections 4.1, 4.2)": "523 times",
}


def test_what_is_not_reproduced_is_said_with_our_figure(found: dict[str, Any]) -> None:
    """Every claim that the table does not repeat is listed, with a reason, and no other."""
    assert {one["claim"]: one["ours"] for one in found["not_reproduced"]} == NOT_REPRODUCED
    assert all(one["why"] and one["paper"] for one in found["not_reproduced"])
    assert len(found["reproduced"]) == 33
    assert len(found["not_testable"]) == 3


def test_answers_to_the_four_questions(found: dict[str, Any]) -> None:
    """In words that are computed."""
    answers = [one["answer"] for one in found["findings"]]
    assert (
        answers[0] == "The main source of the grid is coal for 38, gas for 23 and hydro for 19 of 95 models."
    )
    assert answers[1].startswith("95 runs emitted 253 t in all, from 200 g to 72.8 t each")
    assert "from 72.2 kg in 2012-2016 (n = 6) to 4.57 t in 2021 (n = 33), 63.3 times" in answers[2]
    assert answers[3].startswith(
        "In 1 of 5 panels the metric rises with emissions at p < 0.05 (Image Classification)"
    )


def test_the_command_writes_what_the_design_names(data: survey.Dataset, tmp_path: Path) -> None:
    """`summary.json` and the tables, from the command line."""
    path = Path(__file__).resolve().parents[3] / "shared" / NAME
    command = [
        sys.executable,
        "-m",
        "sootprint",
        "survey",
        str(path),
        "--out",
        str(tmp_path / "out"),
        "--json",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    written = json.loads((tmp_path / "out/summary.json").read_text(encoding="utf-8"))
    assert json.loads(done.stdout) == written
    assert set(written) >= KEYS
    assert (
        (tmp_path / "out/tables/table2.csv").read_text(encoding="utf-8").splitlines()[1].startswith("Coal,")
    )
