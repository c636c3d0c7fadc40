"""The bench of forecasts with earlier runs: what two runs of a pair share, and that no run knows itself."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).resolve().parents[2] / "bench"
sys.path.insert(0, str(BENCH))

import repeats  # noqa: E402
import synthetic_traces  # noqa: E402


def test_two_runs_of_a_pair_share_their_structure_and_no_noise() -> None:
    """Units and spans are those of both; no look at the meters is."""
    for first, second in repeats.pairs(6, seed=5, kind=synthetic_traces.SHARED):
        assert first["total"] == second["total"]
        assert [row[0] for row in first["spans"]] == [row[0] for row in second["spans"]]
        assert 0.5 < second["end_s"] / first["end_s"] < 2.0
        both = {joules for _, joules in first["ticks"][1:]} & {joules for _, joules in second["ticks"][1:]}
        assert not both


def test_an_earlier_run_is_what_its_record_would_hold() -> None:
    """Six moments, the energy of which grows to that of its end; scaling a trace scales all of them."""
    ((first, second),) = repeats.pairs(1, seed=5, kind=synthetic_traces.OWN)
    run = repeats.after(second, first, repeats.scaled(first, slower=2.0, stronger=3.0))
    latest, oldest = run.earlier
    assert [moment.spent for moment in oldest.moments] == sorted(moment.spent for moment in oldest.moments)
    assert oldest.energy == first["end_j"] > oldest.moments[-1].spent
    assert (latest.duration_s, latest.energy) == pytest.approx((2.0 * oldest.duration_s, 3.0 * oldest.energy))
    assert latest.moments[0].unit_s == pytest.approx(2.0 * oldest.moments[0].unit_s)


def test_another_training_takes_the_place_of_the_earlier_run() -> None:
    """Each run has the one of the next, and none its own."""
    cases = [repeats.after(*reversed(pair)) for pair in repeats.pairs(3, seed=5, kind=synthetic_traces.OWN)]
    wrong = repeats.with_another(cases)
    assert [one.earlier for one in wrong] == [cases[1].earlier, cases[2].earlier, cases[0].earlier]
