"""Sums of estimates whose shared factors vary together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sootprint import Footprint, estimate
from sootprint.estimator.totals import Totals
from sootprint.settings import Settings

BARE = Settings(home=Path("none"), runtime_dir=Path("none"))


def _made(**given: Any) -> Footprint:
    return estimate(**{"hardware": "V100", "hours": 100, "zone": "FR", "settings": BARE, **given})


def _total(*footprints: Footprint) -> Totals:
    totals = Totals()
    for footprint in footprints:
        totals.add(footprint)
    return totals


def _width(totals: Totals) -> float:
    return totals.emissions_kg.high / totals.emissions_kg.low


def test_values_add_up() -> None:
    """The total is the sum of the values, to the last digit that a table shows."""
    one, two = _made(), _made(hours=50)
    both = _total(one, two)
    assert both.emissions_kg.value == pytest.approx(one.emissions_kg.value + two.emissions_kg.value)
    assert both.energy_kwh.value == pytest.approx(27.3 * 1.5)
    assert both.count == 2


def test_runs_that_share_every_factor_err_together() -> None:
    """Ten equal runs on one grid are as uncertain as one of them."""
    assert _width(_total(*[_made()] * 10)) == pytest.approx(_width(_total(_made())), rel=1e-9)


def test_runs_on_different_grids_err_less_together() -> None:
    """The intensities of two grids are drawn apart, so that their sum is surer than each."""
    one = _total(_made(power_w=300, hardware=None, zone="FR"))
    apart = _total(*(_made(power_w=300, hardware=None, zone=zone) for zone in ("FR", "SE", "CH", "NO")))
    assert _width(apart) < _width(one)


def test_single_estimate_has_its_own_interval() -> None:
    """For one product, the draws agree with the closed form; one sigma of 512 draws is 4 % of a bound."""
    one = _made()
    alone = _total(one).emissions_kg
    assert alone.high == pytest.approx(one.emissions_kg.high, rel=0.1)
    assert alone.low == pytest.approx(one.emissions_kg.low, rel=0.1)
