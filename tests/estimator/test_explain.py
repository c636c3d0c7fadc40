"""Shares of the factors in the width of an interval."""

from __future__ import annotations

from pathlib import Path

import pytest

from sootprint import estimate
from sootprint.estimator.explain import shares, tier, worst
from sootprint.settings import Settings

BARE = Settings(home=Path("none"), runtime_dir=Path("none"))


def test_shares_follow_the_squared_logarithms() -> None:
    """Fraction 0.35-0.92 and host 1.1-1.6: ln^2 2.629 = 0.934 and ln^2 1.4545 = 0.140, so 87 % and 13 %."""
    found = {
        one.factor.kind: one.share
        for one in shares(estimate(hardware="V100", hours=1, intensity=1, settings=BARE))
    }
    assert found["power_fraction"] == pytest.approx(0.8693, abs=1e-4)
    assert found["host_overhead"] == pytest.approx(0.1307, abs=1e-4)
    assert found["rated_power"] == found["intensity"] == 0.0


def test_shares_add_up_to_one() -> None:
    """Together the factors hold the whole variance."""
    made = estimate(hardware="V100", hours=1, zone="aws/us-east-1", settings=BARE)
    assert sum(one.share for one in shares(made)) == pytest.approx(1.0)


def test_exact_estimate_has_no_variance_to_share() -> None:
    """Where every number was given, no factor widens the interval."""
    assert [one.share for one in shares(estimate(power_w=300, hours=1, intensity=1, settings=BARE))] == [
        0.0,
        0.0,
    ]


def test_second_hand_pue_is_the_weakest_evidence_and_wide() -> None:
    """1.14 (1.109-1.179) in the table, known second-hand: what is above 1 has bounds 1.5 times as far off."""
    made = estimate(hardware="V100", hours=1, zone="azure/westeurope", settings=BARE)
    pue = next(one for one in made.factors if one.kind == "pue")
    assert tier(pue) == 0 and "not confirmed" in pue.method
    assert (pue.low, pue.high) == (pytest.approx(1 + 0.109 / 1.5), pytest.approx(1 + 0.179 * 1.5))
    assert worst(made) == pue
