"""The bench of estimates: its scores by hand, and that no family sees itself."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).resolve().parents[2] / "bench"
sys.path.insert(0, str(BENCH))

import fitting  # noqa: E402
import published  # noqa: E402
import scores  # noqa: E402


def test_scores_of_a_hand_worked_case() -> None:
    """Errors of 50 % and 20 %: mean 35 %; one of two inside; width sqrt(4) = 2."""
    guesses = [
        scores.Guess("a", "f", 150.0, 100.0, 75.0, 300.0),
        scores.Guess("b", "g", 80.0, 100.0, 40.0, 90.0),
    ]
    made = scores.score("ours", guesses)
    assert (made.count, made.inside) == (2, 1)
    assert (made.median, made.mean) == (pytest.approx(35.0), pytest.approx(35.0))
    assert made.width == pytest.approx((2.0 + 1.5) / 2)
    missed = math.log(90 / 40) + 20.0 * math.log(100 / 90)
    assert made.winkler == pytest.approx((math.log(4.0) + missed) / 2)


def test_binomial_test_accepts_nine_of_ten_and_refuses_half() -> None:
    """At a level of 90 %, 18 of 20 is expected and 10 of 20 is not."""
    assert scores.binomial_p(18, 20) == pytest.approx(1.0)
    assert scores.binomial_p(10, 20) < 1e-4


def test_fit_is_that_which_is_shipped(shared_dir: Path) -> None:
    """The constants of the estimator are those of the fit on all runs, rounded."""
    from sootprint.estimator import factors
    from sootprint.estimator.utilisation import FITTED

    runs = published.for_hours(published.runs(shared_dir / "data" / "validation_published.csv"))
    assert len(runs) == 36
    made = fitting.fit_utilisation([*runs, *published.more_runs()])
    assert made[:4] == pytest.approx(FITTED[:4], abs=0.002)
    assert made.sigma <= FITTED.sigma < made.sigma + 0.02  # rounded up
    power = fitting.fit_power(
        published.for_power(published.runs(shared_dir / "data" / "validation_published.csv"))
    )
    assert power[:2] == pytest.approx((factors.SHARE_AT_100_H, factors.SHARE_PER_DECADE), abs=0.001)


def test_family_that_is_left_out_does_not_count(shared_dir: Path) -> None:
    """Runs of one family changed at will do not move the fit of the others."""
    runs = published.for_hours(published.runs(shared_dir / "data" / "validation_published.csv"))
    assert {run.family for run in published.without(runs, "pythia")} == {run.family for run in runs} - {
        "pythia"
    }


def test_errors_beat_the_peers(shared_dir: Path) -> None:
    """With its family left out, a run's hours, energy and power are nearer than by the formulas of others."""
    import estimation

    listed = published.runs(shared_dir / "data" / "validation_published.csv")
    hours, energy = estimation.hours_scores(listed), estimation.energy_scores(listed)
    power = estimation.power_scores(listed)
    assert hours[0].median < 15.0 < min(one.median for one in hours if one.name.startswith(("LLM", "util")))
    assert energy[0].median < 15.0 < min(one.median for one in energy[1:4])
    assert power[0].median < 15.1 < min(one.median for one in power[1:4])
    assert (hours[0].p_value or 0.0) > 0.05
    assert (energy[0].p_value or 0.0) > 0.05 < (power[0].p_value or 0.0)
    assert hours[0].span[0] < hours[0].median < hours[0].span[1]
    assert 1.0 < (hours[0].width or 9.0) < 2.0
