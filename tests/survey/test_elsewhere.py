"""What the choice of the grid alone would have left of a data set's emissions."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from sootprint import survey
from sootprint.survey.elsewhere import on_the_cleanest_grid


def test_every_run_is_moved_to_the_least_intensity(small: survey.Dataset) -> None:
    """Quebec has 10 g/kWh: each emission times 10 over its own intensity, summed by hand."""
    found = on_the_cleanest_grid(small)
    rows = (
        *((0.488, 10), (12.0, 600), (100.0, 500), (120.0, 600), (1.2, 60)),
        *((1.2, 60), (0.12, 300), (2.0, 400), (0.108, 600), (11.1, 555)),
    )
    there = sum(kg * 10 / grams for kg, grams in rows)
    assert (found["intensity_g_per_kwh"], found["where"], found["n"]) == (10.0, "Canada", 10)
    assert found["there_kg"] == pytest.approx(there)
    assert found["emissions_kg"] == pytest.approx(sum(kg for kg, _ in rows))
    assert found["times_less"] == pytest.approx(sum(kg for kg, _ in rows) / there)


def test_the_longest_run_stands_for_itself(small: survey.Dataset) -> None:
    """800 device hours have two rows, of which the first counts: 100 kg at 500 g/kWh become 2 kg."""
    longest = on_the_cleanest_grid(small)["longest"]
    assert longest == {
        "device_hours": pytest.approx(800.0),
        "emissions_kg": pytest.approx(100.0),
        "there_kg": pytest.approx(2.0),
        "times_less": pytest.approx(50.0),
    }


def test_one_run_has_nowhere_to_go(small: survey.Dataset) -> None:
    """Without two known runs nothing is said, and no key is missing."""
    one = replace(small, frame=small.frame.head(1))
    found = on_the_cleanest_grid(one)
    assert found["times_less"] is None and set(found) == set(on_the_cleanest_grid(small))
    assert "cleanest grid" not in str(survey.summary(survey.analyse(one))["findings"])


def test_zero_intensity_is_no_place_to_move_to(small: survey.Dataset) -> None:
    """A grid of 0 g/kWh is a slip or a contract, and would make every saving infinite."""
    zero = pl.when(pl.col("row") == 1).then(0.0).otherwise(pl.col("intensity_g_per_kwh"))
    found = on_the_cleanest_grid(replace(small, frame=small.frame.with_columns(intensity_g_per_kwh=zero)))
    assert (found["intensity_g_per_kwh"], found["n"]) == (60.0, 9)


def test_findings_tell_place_energy_and_architecture(told: survey.Dataset) -> None:
    """The place alone and the architectures in the second answer, and energy beside emissions in the fourth."""
    found = survey.summary(survey.analyse(told, how=survey.Settings(resamples=100)))
    answers = [" ".join((one["answer"], *one["details"])) for one in found["findings"]]
    assert "On the cleanest grid of the data (10 g/kWh, Canada) 10 runs would have emitted" in answers[1]
    assert "the one with the most device hours 2 kg in place of 100 kg" in answers[1]
    assert "most of the total: convolutional 59 % in 5 runs (median 11.1 kg)" in answers[1]
    assert "With energy it rises in" in answers[3]
    assert set(found["pareto_energy"]) == set(found["rank_correlation_energy"])
