"""Draws of estimates in bulk."""

from __future__ import annotations

from pathlib import Path
from statistics import NormalDist

import numpy as np
import pytest

from sootprint import Factor, estimate, predict
from sootprint.estimator import draws
from sootprint.settings import Settings

BARE = Settings(home=Path("none"), runtime_dir=Path("none"))


def test_scores_are_those_of_the_normal_distribution() -> None:
    """The approximation agrees with the standard library to nine digits."""
    wanted = [NormalDist().inv_cdf((k + 0.5) / 999) for k in range(999)]
    assert np.allclose(draws._normal_scores(999), wanted, atol=1e-8)


def test_draws_of_one_case_have_its_interval() -> None:
    """5th and 95th percentile of 10,000 draws are those of the closed form within 3 %."""
    for made in (
        estimate(hardware="V100", hours=100, intensity=400, settings=BARE),
        predict(params=7e9, tokens=1e12, hardware="H100", zone="FR", count=512, settings=BARE),
    ):
        drawn = draws.simulate(made)
        low, middle, high = np.quantile(drawn, (0.05, 0.5, 0.95))
        assert middle == pytest.approx(made.emissions_kg.value, rel=0.03)
        assert low == pytest.approx(made.emissions_kg.low, rel=0.05)
        assert high == pytest.approx(made.emissions_kg.high, rel=0.05)


def test_same_case_twice_draws_the_same() -> None:
    """Equal to the last digit; another seed draws otherwise."""
    made = estimate(hardware="V100", hours=100, zone="FR", settings=BARE)
    again = estimate(hardware="V100", hours=100, zone="FR", settings=BARE)
    assert np.array_equal(draws.simulate(made), draws.simulate(again))
    assert not np.array_equal(draws.simulate(made), draws.simulate(made, seed=1))


def test_many_cases_agree_with_each_alone() -> None:
    """The table's percentiles are those of the single cases, whatever the chunks."""
    shared = Factor(kind="intensity", key="X", value=400.0, low=300.0, high=500.0)
    own = [Factor(kind="power_fraction", key=str(k), value=0.7, low=0.35, high=0.92) for k in range(3)]
    count = 2 * draws.CHUNK + 7
    uses = np.array([[0, 1 + case % 3] for case in range(count)])
    values = np.linspace(1.0, 2.0, count)
    found = draws.intervals_of(values, [shared, *own], uses, draws=500)
    for case in (0, 1, 2, count - 1):
        alone = draws.log_ratio(shared, 500) + draws.log_ratio(own[case % 3], 500)
        assert found.low[case] == pytest.approx(values[case] * np.exp(np.sort(alone)[25]))
        assert found.low[case] < found.median[case] < found.high[case]


def test_utilisation_divides() -> None:
    """A higher utilisation means fewer hours."""
    factor = Factor(kind="utilisation", key="x", value=0.3, low=0.2, high=0.6)
    drawn = np.exp(draws.log_ratio(factor, 1000))
    assert np.quantile(drawn, 0.95) == pytest.approx(1.5, rel=0.02)
    assert np.quantile(drawn, 0.05) == pytest.approx(0.5, rel=0.02)
