"""Bad input: one line with the value, the rule and the way out."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from sootprint import InputError, SootprintError, estimate
from sootprint.settings import Settings

BARE = Settings(home=Path("none"), runtime_dir=Path("none"))
GOOD: dict[str, Any] = {"power_w": 300, "hours": 10, "intensity": 100}
BAD = [
    ({"hours": 0}, "hours is 0", "above 0"),
    ({"hours": -1}, "hours is -1", "above 0"),
    ({"hours": 1e9}, "hours is 1e+09", "1,000,000"),
    ({"hours": math.nan}, "hours is nan", "above 0"),
    ({"hours": 10**400}, "hours is 1000000000", "above 0"),
    ({"hours": math.inf}, "hours is inf", "1,000,000"),
    ({"hours": "ten"}, "hours is 'ten'", "above 0"),
    ({"count": 0}, "count is 0", "from 1"),
    ({"count": 10_000_001}, "count is 1e+07", "10,000,000"),
    ({"count": 1.5}, "count is 1.5", "whole number"),
    ({"count": True}, "count is True", "from 1"),
    ({"power_w": 5000}, "power_w is 5000", "3000 W"),
    ({"power_w": 0}, "power_w is 0", "above 0"),
    ({"power_w": math.nan}, "power_w is nan", "above 0"),
    ({"power_w": None}, "neither hardware nor power_w", "catalogue hardware"),
    ({"pue": 0.8}, "pue is 0.8", "between 1 and 10"),
    ({"pue": 10.1}, "pue is 10.1", "leave it out"),
    ({"intensity": -1}, "intensity is -1", "between 0 and 3000"),
    ({"intensity": 3001}, "intensity is 3001", "g CO2e per kWh"),
    ({"utilisation": 85, "power_w": None, "hardware": "V100"}, "utilisation is 85", "0.85"),
    ({"utilisation": 0.5}, "utilisation is 0.5", "give one of the two"),
    ({"year": 1889}, "year is 1889", "1990 to 2100"),
    ({"year": 2020.5}, "year is 2020.5", "whole number"),
    ({"work": "training"}, "work is 'training'", "llm-pretrain"),
    ({"method": "exact"}, "method is 'exact'", "survey"),
    ({"method": "survey", "pue": 1.2}, "pue is 1.2", "method full"),
    ({"zone": "Frnce"}, "zone 'Frnce'", "FR (France)"),
    ({"zone": "", "intensity": None}, "zone ''", "name a country"),
    ({"hardware": "V1000"}, "'V1000'", "V100"),
    ({"hardware": "Xeon Gold 62499"}, "'Xeon Gold 62499'", "Xeon Gold 624"),
]


@pytest.mark.parametrize(("change", "value", "rule"), BAD, ids=[f"{change}" for change, _, _ in BAD])
def test_bad_value_gets_one_line(change: dict[str, Any], value: str, rule: str) -> None:
    """The message names the value and the rule in a single line."""
    with pytest.raises(SootprintError) as caught:
        estimate(settings=BARE, **{**GOOD, **change})
    message = str(caught.value)
    assert value in message
    assert rule in message
    assert "\n" not in message


def test_power_above_the_limit_is_possible_only_for_a_larger_system() -> None:
    """20 kW fit the 23 kW of a wafer-scale system and no V100."""
    assert (
        estimate(**{**GOOD, "power_w": 20_000, "hardware": "CS-2"}, settings=BARE).energy_kwh.value == 200.0
    )
    with pytest.raises(InputError, match="at most 3000 W"):
        estimate(**{**GOOD, "power_w": 20_000, "hardware": "V100"}, settings=BARE)


@pytest.mark.parametrize(
    "change", [{"count": 10_000_000}, {"hours": 1_000_000}, {"power_w": 3000}, {"pue": 10}]
)
def test_bounds_themselves_are_allowed(change: dict[str, Any]) -> None:
    """The largest value that a rule names passes."""
    assert estimate(settings=BARE, **{**GOOD, **change}).emissions_kg.value > 0.0
