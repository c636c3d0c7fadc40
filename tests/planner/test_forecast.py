"""Forecasts know the past only, are better than the baselines on a made-up grid, and tell how far they miss."""

import numpy as np
import pytest

from sootprint.core.errors import InputError
from sootprint.planner.forecast import FORECASTERS, filled, forecasts, outlook

DAY, HORIZON = 24, 48


@pytest.fixture(scope="module")
def grid():
    """A hundred days: a daily course, a slow drift and noise that lasts some hours."""
    rng = np.random.default_rng(3)
    n = 100 * DAY
    hours = np.arange(n)
    noise = np.zeros(n)
    for hour in range(1, n):
        noise[hour] = 0.95 * noise[hour - 1] + rng.normal(0.0, 8.0)
    return 300.0 + 60.0 * np.sin(2 * np.pi * hours / DAY) + 20.0 * np.sin(hours / 300.0) + noise


@pytest.mark.parametrize("name", [name for name in FORECASTERS if name != "perfect"])
@pytest.mark.parametrize("per_day", [24, 48])
def test_a_forecast_does_not_know_its_own_step_or_later_ones(grid, name, per_day):
    """Another future changes no forecast that was made before it, and changes those after it."""
    other = grid.copy()
    other[1800:] = 5000.0
    made, altered = (forecasts(values, HORIZON, per_day=per_day, name=name) for values in (grid, other))
    assert made.shape == (grid.size, HORIZON)
    np.testing.assert_allclose(made[:1801], altered[:1801], rtol=0.0, atol=1e-9)
    assert np.abs(made[1801:] - altered[1801:]).max() > 100.0


def test_the_blend_misses_less_than_the_baselines(grid):
    """On noise that lasts some hours around a daily course, the blend's mean miss over a day is the least."""
    truth = grid[np.arange(60 * DAY, 97 * DAY)[:, None] + np.arange(DAY)]
    misses = {
        name: np.abs(
            forecasts(grid, HORIZON, per_day=DAY, name=name)[60 * DAY : 97 * DAY, :DAY] - truth
        ).mean()
        for name in FORECASTERS
    }
    assert misses["perfect"] == 0.0
    assert all(misses["blend"] < 0.9 * misses[name] for name in ("persistence", "hour-of-week"))
    # This grid is linear and never changes, which is what a plain ridge is for: the blend may miss 10 % more.
    assert misses["blend"] < 1.1 * misses["ridge"]


def test_nine_in_ten_figures_lie_between_the_quantiles(grid):
    """The 5 % and 95 % quantiles of outlooks from 10 days hold 80 to 98 % of what came."""
    inside = []
    for day in range(65, 95, 3):
        found = outlook(grid[: day * DAY], HORIZON, per_day=DAY, days=40)
        came = grid[day * DAY : day * DAY + HORIZON]
        inside.append((found.quantile(0.05) <= came) & (came <= found.quantile(0.95)))
    assert 0.80 < np.mean(inside) < 0.98


def test_an_outlook_is_the_last_row_of_the_forecasts(grid):
    """The outlook from a past equals the forecast that a longer series has at that step."""
    found = outlook(grid[:1700], HORIZON, per_day=DAY)
    np.testing.assert_allclose(found.expected, forecasts(grid, HORIZON, per_day=DAY)[1700])


def test_a_hole_is_filled_from_the_past_only():
    """A missing step takes the figure of the day before, and of the last step in the first day."""
    values = np.array([1.0, np.nan, 3.0, 4.0, 5.0, np.nan])
    assert filled(values, per_day=4).tolist() == [1.0, 1.0, 3.0, 4.0, 5.0, 1.0]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: forecasts(np.ones(100), 4, per_day=24, name="oracle"), "not one of blend"),
        (lambda: forecasts(np.ones(10), 4, per_day=24), "needs a day of past"),
        (lambda: outlook(np.ones(60), 48, per_day=24), "too few"),
        (lambda: filled(np.full(5, np.nan), per_day=2), "no figure at all"),
    ],
)
def test_bad_input_is_named(call, words):
    """An unknown forecaster and a past that is too short are refused in one line."""
    with pytest.raises(InputError, match=words):
        call()
