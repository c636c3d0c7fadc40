"""Claims as they are found in cards, papers and tables, each with the rule that it breaks, or none."""

from __future__ import annotations

import pytest

from sootprint.estimator import audit as auditing

CARD = """---
co2_eq_emissions:
  emissions: {emissions}
  geographical_location: France
  hardware_used: 8 x A100 80GB, 240 hours
---
# A model
"""
TEMPLATE = """# A model

## Environmental Impact

- **Hardware Type:** 8 x A100
- **Hours used:** 240
- **Cloud Provider:** AWS
- **Compute Region:** us-east-1
- **Carbon Emitted:** {emitted}
"""
STATEMENT = (
    "Experiments were conducted using Amazon Web Services in region us-east-1, which has a carbon efficiency of 0.37 "
    "kgCO$_2$eq/kWh. A cumulative of 100 hours of computation was performed on hardware of type V100 (TDP of 300W). "
    "Total emissions are estimated to be 11.1 {unit}CO$_2$eq "
    "of which 100 percents were directly offset by the cloud provider."
)
LLAMA = (
    "Training utilized a cumulative of **{hours}** GPU hours of computation on H100-80GB (TDP of 700W) type hardware. "
    "Estimated total location-based greenhouse gas emissions were **{tons}** tons CO2eq for training. The total "
    "market-based greenhouse gas emissions were 0 tons CO2eq."
)
NESTED = (
    '{{"training": {{"hardware": {{"type": "H100", "count": 512}}, "duration_days": 21}}, '
    '"energy": {{"total_mwh": {mwh}}}, '
    '"carbon": {{"tCO2e": 80.5, "intensity_g_per_kwh": 385, "pue": 1.1}}}}'
)
T5 = "architecture: encoder-decoder\nparams: 11B\ntokens: 1T\nflops: {flops}\nhardware: TPU v3\nchips: 512\nhours: 480"
GRID = "zone: {zone}\nyear: 2022\nenergy_kwh: 1000\nemissions_kg: {kg}"
CLEAN = [
    ("README.md", CARD.format(emissions=35000)),
    ("README.md", TEMPLATE.format(emitted="230 kg")),
    ("statement.tex", STATEMENT.format(unit="kg")),
    ("README.md", LLAMA.format(hours="39.3M", tons="11,390")),
    ("claim.json", NESTED.format(mwh=190)),
    ("t5.yaml", T5.format(flops="3.3e22")),
    ("claim.yaml", GRID.format(zone="SE", kg=25)),
    ("claim.yaml", "energy_kwh: 1000\nemissions_kg: 462\nintensity: 385\npue: 1.2"),
    ("claim.yaml", "hardware: RTX 4090\ncount: 1\nhours: 24\nenergy_kwh: 8.5\nzone: DE\nemissions_kg: 3.2"),
    ("claim.yaml", "params: 7e9\ntokens: 1e12\nhardware: A100\nenergy_mwh: 36\nemissions_t: 14"),
    ("claim.yaml", "hardware: H800\ngpu_hours: 2.788e6\nparams: 671e9\nactive_params: 37e9\ntokens: 14.8e12"),
]
FAULTY = [
    ("README.md", CARD.format(emissions=35), "unit-factor-1000"),
    ("README.md", CARD.format(emissions="35 kg"), "unit-factor-1000"),
    ("README.md", TEMPLATE.format(emitted="230 g"), "unit-factor-1000"),
    ("statement.tex", STATEMENT.format(unit="t"), "unit-factor-1000"),
    ("README.md", LLAMA.format(hours="7.0M", tons="12.9"), "emissions-of-hardware"),
    ("claim.json", NESTED.format(mwh=1900), "watts-per-device"),
    ("t5.yaml", T5.format(flops="6.6e22"), "encoder-decoder"),
    ("claim.yaml", GRID.format(zone="FR", kg=410), "intensity-place"),
    (
        "claim.yaml",
        "energy_kwh: 1000\nemissions_kg: 385\nintensity: 385\npue: 1.2\nenergy_scope: gpu",
        "pue-in-or-out",
    ),
    ("claim.yaml", "energy_kwh: 1000\nemissions_kg: 554.4\nintensity: 385\npue: 1.2", "pue-in-or-out"),
    ("claim.yaml", "hardware: A100\ncount: 64\nhours: 100\npower_cap_w: 250\nenergy_kwh: 2560", "power-cap"),
    ("claim.yaml", "hardware: H100\nmfu: 0.62\npeak_tflops: 1979\nprecision: bf16", "sparse-peak"),
    (
        "claim.yaml",
        "hardware: H100\ncount: 8\nhours: 100\nparams: 7e9\ntokens: 2e12",
        "utilisation-above-peak",
    ),
    ("claim.yaml", "name: Gemma 2B and 7B\nemissions: 131 t", "family-total"),
    (
        "claim.yaml",
        "model: Gemma 7B\ndescription: total emissions of all Gemma models are 131 tCO2e",
        "family-total",
    ),
    ("claim.yaml", "emissions_kg: 0\nenergy_kwh: 1000\nhardware: A100", "zero-emissions"),
    ("claim.yaml", "hardware: A100\ncount: 1\nhours: 1\nenergy_kwh: 300", "unit-factor-1000"),
    ("claim.yaml", "params: 7e9\ntokens: 1e12\nhardware: A100\nenergy_kwh: 36", "unit-factor-1000"),
    ("nas.yaml", "kind: nas\nhardware: P100\ncount: 8\nhours: 274120\nemissions_lbs: 626155", "search-proxy"),
    (
        "nas.yaml",
        "kind: nas\nhardware: P100\ncount: 8\nhours: 274120\nemissions_lbs: 626155",
        "wall-or-device-hours",
    ),
]


def _told(name: str, text: str) -> set[str]:
    (claim,) = auditing.read(text, name=name)
    return {one.rule for one in auditing.audit(claim) if one.severity != "info"}


@pytest.mark.parametrize(("name", "text"), CLEAN)
def test_honest_claim_is_left_alone(name: str, text: str) -> None:
    """No error and no warning."""
    assert _told(name, text) == set()


@pytest.mark.parametrize(("name", "text", "rule"), FAULTY)
def test_faulty_claim_is_flagged_by_its_rule(name: str, text: str, rule: str) -> None:
    """The rule that names the slip is among the errors and warnings."""
    assert rule in _told(name, text)


def test_offsets_are_told_and_lower_nothing() -> None:
    """A statement with offsets keeps its emissions and gets an info."""
    (claim,) = auditing.read(STATEMENT.format(unit="kg"), name="statement.tex")
    assert claim.emissions_kg == pytest.approx(11.1)
    assert claim.place == "us-east-1"
    assert "offsets" in {one.rule for one in auditing.audit(claim)}
