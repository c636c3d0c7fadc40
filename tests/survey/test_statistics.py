"""The statistics: worked examples, published definitions, and laws that hold for any data."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from sootprint.survey import bootstrap, concentration, estimates, fronts, relations

NUMBERS = st.floats(0.0, 1e6, allow_nan=False).map(lambda value: round(value, 3))


@settings(max_examples=40, deadline=None)
@given(st.lists(NUMBERS, min_size=1, max_size=300), st.sampled_from([0.0, 0.01, 0.1, 0.25]))
def test_trimmed_mean_is_that_of_scipy(values: list[float], trim: float) -> None:
    """The authors' estimator, and the number that it drops from each end."""
    mean, k = estimates.trimmed_mean(np.array(values), trim)
    assert mean == pytest.approx(float(stats.trim_mean(values, trim)), rel=1e-9, abs=1e-9)
    assert k == int(trim * len(values) + 1e-9)


@pytest.mark.parametrize(("n", "k"), [(95, 0), (99, 0), (100, 1), (250, 2)])
def test_one_per_cent_drops_nothing_below_a_hundred(n: int, k: int) -> None:
    """So that every mark of the survey is a plain mean."""
    assert estimates.estimate(np.arange(n, dtype=float), how=estimates.Settings(resamples=10)).trimmed == k


def test_interval_is_the_percentile_of_resampled_means() -> None:
    """Of 0, 0, 3 a resample has the means 0 to 3 with binomial chances: 99 % is from 0 to 3."""
    found = estimates.estimate([0.0, 0.0, 3.0])
    assert (found.mean, found.low, found.high, found.method) == (1.0, 0.0, 3.0, "percentile")


def test_intervals_agree_with_those_of_scipy() -> None:
    """Percentile and BCa bounds of skewed values, within the noise of 10,000 resamples."""
    values = np.random.default_rng(5).lognormal(1, 1, 40)
    for method in ("percentile", "bca"):
        theirs = stats.bootstrap(
            (values,),
            np.mean,
            confidence_level=0.9,
            n_resamples=10_000,
            method=method.replace("bca", "BCa"),
            rng=1,
        ).confidence_interval
        how = estimates.Settings(level=0.9, method=method)
        ours = estimates.estimate(values, how=how)
        assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), rel=0.02)
        assert ours.method == method


def test_rows_of_one_run_are_drawn_together() -> None:
    """Copies of every row, in the same runs, tell nothing new: the interval stays."""
    values, runs = np.array([1.0, 2.0, 5.0, 9.0, 20.0]), np.arange(5)
    once = estimates.estimate(values, runs)
    thrice = estimates.estimate(np.repeat(values, 3), np.repeat(runs, 3))
    as_if_new = estimates.estimate(np.repeat(values, 3))
    assert (thrice.low, thrice.high, thrice.runs) == (once.low, once.high, 5)
    assert as_if_new.high < thrice.high


def test_trimmed_resamples_are_those_of_a_plain_computation() -> None:
    """The short cut over the ends gives what sorting each resample gives."""
    rng = np.random.default_rng(3)
    values, clusters = rng.lognormal(0, 2, 400), np.sort(rng.integers(0, 150, 400))
    _, clusters = np.unique(clusters, return_inverse=True)
    count = int(clusters.max()) + 1
    ours = bootstrap.resampled_means(values, clusters, trim=0.02, resamples=50, seed=(1, "x"))
    drawn = _same_draws(values, clusters, count)
    plain = []
    for one in drawn:
        sample = np.sort(np.concatenate([values[clusters == cluster] for cluster in one]))
        k = math.floor(0.02 * len(sample) + 1e-9)
        plain.append(sample[k : len(sample) - k].mean())
    assert ours == pytest.approx(np.array(plain))


def _same_draws(values: np.ndarray, clusters: np.ndarray, count: int) -> np.ndarray:
    """Runs that each of the 50 resamples draws, in the numbering of `clusters`."""
    import zlib

    runs = bootstrap._by_run(values, clusters, 0.02)
    sums = np.bincount(clusters, weights=values)
    of_rank = np.array([int(np.argmin(np.abs(sums - total))) for total in runs.sums])
    rng = np.random.default_rng([1, zlib.crc32(b"x")])
    return of_rank[rng.integers(0, count, size=(50, count), dtype=np.uint32)]


@pytest.mark.parametrize(
    ("values", "note"),
    [
        ([], "no values"),
        ([1.0], "no interval below 3 values"),
        ([1.0, 2.0], "no interval below 3 values"),
        ([2.0, 2.0, 2.0], "no interval: all values are equal"),
    ],
)
def test_no_interval_is_made_up(values: list[float], note: str) -> None:
    """Where there is none, the reason stands in its place."""
    found = estimates.estimate(values)
    assert (found.low, found.high, found.note) == (None, None, note)


def test_three_rows_of_one_run_have_no_interval() -> None:
    """They are one run."""
    assert estimates.estimate([1.0, 2.0, 3.0], ["a", "a", "a"]).note == "no interval below 3 runs"


def test_seed_decides_and_other_cells_do_not() -> None:
    """The same cell gives the same bounds, whatever was computed before."""
    values = np.random.default_rng(1).lognormal(0, 1, 30)
    one, again = (estimates.estimate(values, key="a") for _ in range(2))
    other = estimates.estimate(values, key="a", how=estimates.Settings(seed=1))
    assert (one.low, one.high) == (again.low, again.high)
    assert one.low != other.low


POINTS = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=25)


@settings(max_examples=100, deadline=None)
@given(POINTS)
def test_front_is_what_nobody_dominates(points: list[tuple[int, int]]) -> None:
    """No worse in both and better in one: the definition, point by point; equals stay together."""
    expected = [
        not any((a <= cost and b >= metric) and (a < cost or b > metric) for a, b in points)
        for cost, metric in points
    ]
    found = fronts.members([cost for cost, _ in points], [metric for _, metric in points])
    assert found.tolist() == expected


@settings(max_examples=30, deadline=None)
@given(POINTS)
def test_front_does_not_change_under_a_logarithm(points: list[tuple[int, int]]) -> None:
    """Only the drawing is logarithmic."""
    cost, metric = [1 + cost for cost, _ in points], [metric for _, metric in points]
    assert fronts.members(cost, metric).tolist() == fronts.members(np.log(cost), metric).tolist()


def test_shares_of_variance_add_up_to_one() -> None:
    """And a factor that does not vary has none."""
    rng = np.random.default_rng(2)
    factors = {
        "time": rng.lognormal(0, 2, 50),
        "intensity": rng.lognormal(0, 1, 50),
        "power": np.full(50, 250.0),
    }
    shares = relations.log_variance_shares(factors)
    assert sum(shares.values()) == pytest.approx(1.0)
    assert shares["power"] == pytest.approx(0.0)


def test_correlation_needs_three_pairs_and_variation() -> None:
    """Otherwise it is unknown, with its n."""
    assert relations.rank_correlation([1, 2, float("nan")], [1, 2, 3]) == relations.Correlation(
        rho=None, p=None, n=2
    )
    assert relations.rank_correlation([1, 1, 1], [1, 2, 3]).rho is None


def test_slope_is_an_elasticity() -> None:
    """The line y = 5 x^0.7 has the slope 0.7; zeros and unknowns are left out."""
    x = np.array([1.0, 10.0, 100.0, 1000.0, 0.0, np.nan])
    found = relations.log_slope(x, 5 * x**0.7)
    assert (found.n, found.slope, found.intercept) == (4, pytest.approx(0.7), pytest.approx(math.log10(5)))


def test_concentration_of_one_and_of_equals() -> None:
    """One has all: 0.75 of four; equals: 0."""
    assert concentration.concentration([0, 0, 0, 4]).gini == pytest.approx(0.75)
    equal = concentration.concentration([2, 2, 2, 2])
    assert (equal.gini, equal.half, equal.top[2]) == (pytest.approx(0.0), 2, 0.5)


@settings(max_examples=40, deadline=None)
@given(st.lists(NUMBERS, min_size=1, max_size=40))
def test_lorenz_curve_is_convex_and_below_the_diagonal(values: list[float]) -> None:
    """Each further row adds no less than the one before."""
    rows, shares = concentration.lorenz(values)
    steps = np.diff(shares)
    assert all(later >= earlier - 1e-9 for earlier, later in itertools.pairwise(steps))
    assert np.all(shares <= rows + 1e-9)


@pytest.mark.parametrize(("n", "p"), [(3, 1 / 3), (4, 1 / 12), (5, 1 / 60)])
def test_few_pairs_in_a_row_prove_little(n: int, p: float) -> None:
    """Of n! orders two are as far from none as a perfect one: three models are no trend at p < 0.001."""
    assert relations.rank_correlation(range(n), range(n)).p == pytest.approx(p)


@pytest.mark.parametrize("n", [3, 4, 6, 30])
def test_relations_agree_with_those_of_scipy(n: int) -> None:
    """Rank correlation with ties, and slope with its interval: `scipy.stats` itself is too slow to load."""
    rng = np.random.default_rng(n)
    x = np.arange(1.0, n + 1)
    y = (x * rng.lognormal(size=n)).round() + 1.0
    y[-1] = y[0]
    rank, expected = relations.rank_correlation(x, y), stats.spearmanr(x, y)
    if n < relations.FEW:  # scipy's own test of all orders

        def apart(order: np.ndarray) -> float:
            return abs(float(stats.spearmanr(order, y).statistic))

        test = stats.permutation_test((x,), apart, permutation_type="pairings", alternative="greater")
        assert (rank.rho, rank.p) == pytest.approx((expected.statistic, test.pvalue), rel=1e-9)
    else:
        assert (rank.rho, rank.p) == pytest.approx((expected.statistic, expected.pvalue), rel=1e-9)
    line, fit = relations.log_slope(x, y), stats.linregress(np.log10(x), np.log10(y))
    half = stats.t.ppf(0.975, n - 2) * fit.stderr
    assert (line.slope, line.intercept, line.r2) == pytest.approx((fit.slope, fit.intercept, fit.rvalue**2))
    assert (line.low, line.high) == pytest.approx((fit.slope - half, fit.slope + half))
