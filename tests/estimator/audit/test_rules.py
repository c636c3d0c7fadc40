"""Rules of the audit, each on a claim worked by hand."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sootprint.estimator.audit import RULES, Claim, Finding, audit, record_of
from sootprint.estimator.audit.claim import NUMBERS
from sootprint.estimator.audit.finding import CONFIDENCES, SEVERITIES

# 64 A100 for 240 h at 400 W x 0.8 x 1.2: 15,360 h x 0.32 kW = 4,915.2 kWh, x 1.2 = 5,898.24 kWh, x 80 g = 471.86 kg.
GOOD: dict[str, Any] = {
    "hardware": "A100 SXM4 80GB",
    "count": 64.0,
    "wall_hours": 240.0,
    "device_hours": 15360.0,
    "power_w": 320.0,
    "pue": 1.2,
    "energy_scope": "facility",
    "energy_kwh": 5898.24,
    "intensity_g_per_kwh": 80.0,
    "emissions_kg": 471.86,
    "place": "France",
    "year": 2022,
}


def _findings(**changes: Any) -> dict[str, Finding]:
    made = audit(Claim(**{**GOOD, **changes}))
    return {one.rule: one for one in made if one.severity != "info"}


def test_good_claim_has_no_finding() -> None:
    """Numbers that multiply, on a device and grid that fit, are left alone."""
    assert audit(Claim(**GOOD)) == ()


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"emissions_kg": 471860.0}, "unit-factor-1000"),
        ({"emissions_kg": 0.47186}, "unit-factor-1000"),
        ({"emissions_kg": 393.2}, "pue-in-or-out"),
        ({"emissions_kg": 566.2}, "pue-in-or-out"),
        ({"emissions_kg": 1040.3}, "pounds-or-kilograms"),
        ({"emissions_kg": 700.0}, "emissions-arithmetic"),
        ({"energy_kwh": 8000.0}, "energy-arithmetic"),
        ({"device_hours": 240.0}, "wall-or-device-hours"),
        ({"wall_hours": 15360.0}, "wall-or-device-hours"),
        ({"wall_hours": 10.0}, "days-as-hours"),
        ({"emissions_kg": 0.0}, "zero-emissions"),
        ({"emissions_kg": -5.0}, "zero-emissions"),
        ({"pue": 0.9}, "pue-range"),
        ({"pue": 1.0}, "pue-left-out"),
        ({"intensity_g_per_kwh": 400.0, "emissions_kg": 2359.3}, "intensity-place"),
        ({"rated_power_w": 250.0}, "rated-power"),
        ({"power_cap_w": 280.0}, "power-cap"),
        ({"name": "Oak 1B + 7B"}, "family-total"),
        ({"models": 9}, "family-total"),
        ({"kind": "search"}, "search-proxy"),
        ({"peak_tflops": 624.0}, "sparse-peak"),
        ({"peak_tflops": 500.0}, "peak-figure"),
        ({"params": 7e9, "tokens": 1e12}, "utilisation-above-peak"),
        ({"params": 1e8, "tokens": 1e10}, "utilisation-low"),
        ({"params": 1e9, "tokens": 1e12, "mfu": 0.17}, "sparse-peak"),
        ({"mfu": 1.4}, "utilisation-above-peak"),
        ({"wall_hours": 9000.0, "device_hours": 576000.0}, "wall-or-device-hours"),
    ],
)
def test_slip_is_named(changes: dict[str, Any], rule: str) -> None:
    """One slip in a good claim gives the rule that names it."""
    found = _findings(**changes)
    assert rule in found
    assert found[rule].message
    assert found[rule].cause


def test_finding_has_the_given_and_the_implied_number() -> None:
    """A claim in tonnes typed as kilograms shows both numbers in kilograms."""
    one = _findings(emissions_kg=0.47186)["unit-factor-1000"]
    assert (one.severity, one.field, one.given) == ("error", "emissions_kg", 0.47186)
    assert one.implied == pytest.approx(471.86, rel=1e-4)


def test_emissions_are_checked_where_no_energy_is_stated() -> None:
    """Grams typed as kilograms are found from hardware, hours and place alone."""
    bare = {name: GOOD[name] for name in ("hardware", "count", "wall_hours", "place", "year")}
    assert audit(Claim(**bare, emissions_kg=470.0))[0].severity == "info"
    found = {one.rule: one for one in audit(Claim(**bare, emissions_kg=0.47))}
    assert found["unit-factor-1000"].severity == "error"


def test_encoder_decoder_and_experts_are_counted_with_the_parameters_that_a_token_meets() -> None:
    """T5-11B at 1,000 B tokens: 6 N D is 6.6e22, and 3 N D 3.3e22; a mixture counts its active ones."""
    t5 = {"params": 11e9, "tokens": 1e12, "flops": 6.6e22}
    assert "encoder-decoder" in {
        one.rule for one in audit(Claim(architecture="encdec", **t5)) if one.severity == "warning"
    }
    mixture = {"params": 47e9, "active_params": 13e9, "tokens": 1e12}
    assert "experts-as-dense" in {
        one.rule for one in audit(Claim(architecture="moe", flops=2.82e23, **mixture))
    }
    assert "experts-as-dense" not in {
        one.rule for one in audit(Claim(architecture="moe", flops=7.8e22, **mixture))
    }


def test_disclosed_accounting_is_info() -> None:
    """A claim that says it is net of purchases is not warned for a low intensity; one that does not is."""
    low = {"intensity_g_per_kwh": 15.0, "emissions_kg": 88.47}
    assert "intensity-place" in _findings(**low)
    assert _findings(**low, net=True) == {}


def test_rounding_of_what_is_printed_is_allowed() -> None:
    """7 t beside 6.74 t is a rounded digit; 340 kg beside 360 kg is not."""
    dino = {
        "device_hours": 39800.0,
        "power_w": 400.0,
        "pue": 1.1,
        "intensity_g_per_kwh": 385.0,
        "hardware": "A100",
    }
    assert not any(
        one.rule == "emissions-arithmetic"
        for one in audit(Claim(**dino, emissions_kg=7000.0, roundings={"emissions_kg": 0.07}))
    )
    bloom = {
        "energy_kwh": 914.0,
        "intensity_g_per_kwh": 394.0,
        "emissions_kg": 340.0,
        "roundings": {"emissions_kg": 0.015},
    }
    assert audit(Claim(**bloom))[0].rule == "emissions-arithmetic"


def test_missing_facts_are_info() -> None:
    """A claim of energy alone is not wrong: what lacks is listed."""
    found = audit(Claim(energy_kwh=1000.0))
    assert {one.severity for one in found} == {"info"}
    assert {one.field for one in found} >= {"emissions_kg", "hardware", "place", "pue", "year"}


numbers = st.fixed_dictionaries(
    {}, optional={name: st.floats(min_value=1e-6, max_value=1e26, allow_nan=False) for name in NUMBERS}
)


@settings(max_examples=60, deadline=None)
@given(
    numbers,
    st.sampled_from([None, "A100", "H100 SXM5 80GB", "TPU v4", "a toaster"]),
    st.sampled_from([None, "dense", "encdec", "moe", "vision"]),
    st.sampled_from([None, "FR", "US", "aws/us-east-1", "the moon"]),
)
def test_any_claim_gives_findings_of_the_known_rules(
    values: dict[str, float], hardware: str | None, architecture: str | None, place: str | None
) -> None:
    """Whatever the numbers, the audit is the same twice, its rules are known, and the claim becomes a record."""
    claim = Claim(**values, hardware=hardware, architecture=architecture, place=place)
    found = audit(claim)
    assert found == audit(claim)
    for one in found:
        assert one.rule in RULES
        assert one.severity in SEVERITIES
        assert one.confidence in CONFIDENCES
        assert "\n" not in one.message
    assert record_of(claim).grade == "E"


def test_findings_stand_errors_first() -> None:
    """The gravest comes first."""
    found = audit(Claim(**{**GOOD, "pue": 1.0, "emissions_kg": 471860.0}))
    assert [SEVERITIES.index(one.severity) for one in found] == sorted(
        SEVERITIES.index(one.severity) for one in found
    )
    assert dataclasses.is_dataclass(found[0])
