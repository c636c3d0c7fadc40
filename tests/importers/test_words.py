"""The words of the ML CO2 Impact calculator, in papers and model cards."""

from __future__ import annotations

import pytest

from sootprint import importers
from sootprint.core.errors import InputError
from sootprint.core.records import Footprint

LATEX = r"""\subsection{CO2 Emission Related to Experiments}

Experiments were conducted using Google Cloud Platform in region us-east1, which has a carbon efficiency of 0.37
kgCO$_2$eq/kWh. A cumulative of 234 hours of computation was performed on hardware of type A100 PCIe 40 (TDP of 250W).

Total emissions are estimated to be 21.64 kgCO$_2$eq of which 100 percents were directly offset by the cloud provider.

Estimations were conducted using the \href{https://mlco2.github.io/impact#compute}{MachineLearning Impact calculator}
presented in \cite{lacoste2019quantifying}.
"""
CARD = """---
license: mit
---
# A model

## Environmental Impact

- **Hardware Type:** {hardware}
- **Hours used:** {hours}
- **Cloud Provider:** AWS
- **Compute Region:** {region}
- **Carbon Emitted (Power consumption x Time x Carbon produced based on location of power grid):** {emitted}
"""


def card(
    emitted: str, *, hours: str = "200000", hardware: str = "A100 PCIe 40GB", region: str = "us-east-1"
) -> str:
    """A model card with the list of its template."""
    return CARD.format(emitted=emitted, hours=hours, hardware=hardware, region=region)


def one(text: str, name: str = "README.md") -> Footprint:
    """The only record of a text."""
    (record,) = importers.read(text, name=name).records
    return record


def test_sentences_of_the_latex_template() -> None:
    """234 h x 250 W are 58.5 kWh, x 0.37 kg/kWh the 21.64 kg that it states; the offset lowers nothing."""
    made = one(LATEX, "paper.tex")
    assert made.emissions_kg is not None
    assert made.energy_kwh is not None
    assert made.intensity_g_per_kwh is not None
    assert made.device_hours is not None
    assert (made.emissions_kg.value, made.energy_kwh.value) == (21.64, pytest.approx(58.5))
    assert (made.intensity_g_per_kwh.value, made.device_hours.value) == (pytest.approx(370.0), 234.0)
    assert (made.place.zone, made.tool, made.grade, made.duration_s) == ("gcp/us-east1", "mlco2", "D", None)
    assert [(device.name, device.rated_power_w) for device in made.hardware] == [("A100 PCIe 40", 250.0)]
    assert any("offset of 100" in warning for warning in made.warnings)
    assert not any("rated power x hours x" in warning for warning in made.warnings)
    assert (made.pue, "hardware.count" in made.unknown) == (None, True)


def test_sentences_that_do_not_agree_are_told() -> None:
    """500 h x 300 W x 0.432 kg/kWh are 64.8 kg, not 6.48."""
    text = (
        "Experiments were conducted using a private infrastructure, which has a carbon efficiency of 0.432 kgCO2eq/kWh."
        " A cumulative of 500 hours of computation was performed on hardware of type Tesla V100-SXM2 (TDP of 300W)."
        " Total emissions are estimated to be 6.48 kgCO2eq of which 0 percents were directly offset."
    )
    made = one(text, "paper.txt")
    assert any("give 64.8 kg, it states 6.48 kg" in warning for warning in made.warnings)
    assert not any("offset" in warning for warning in made.warnings)


def test_several_experiments_are_several_records() -> None:
    """Each sentence of hours with the numbers after it."""
    found = importers.read(LATEX + LATEX.replace("234", "117").replace("21.64", "10.82"), name="paper.tex")
    assert [record.emissions_kg.value for record in found.records if record.emissions_kg] == [21.64, 10.82]
    assert len({record.id for record in found.records}) == 2


def test_list_of_a_model_card() -> None:
    """Kilograms, device hours, hardware and region; without the rated power there is no energy."""
    made = one(card("15000 kg CO2 eq."))
    assert made.emissions_kg is not None
    assert made.device_hours is not None
    assert (made.emissions_kg.value, made.device_hours.value) == (15000.0, 200_000.0)
    assert (made.energy_kwh, made.place.zone) == (None, "aws/us-east-1")
    assert one(card("15000 kg CO2 eq.")).id == made.id


@pytest.mark.parametrize(
    ("emitted", "kilograms"),
    [
        ("0.11 kgCO₂eq", 0.11),
        ("7 g", 0.007),
        ("539 tCO2eq", 539_000.0),
        ("1,234.5 kg", 1234.5),
        ("12,367 kg CO2", 12_367.0),
        ("~3 tons of CO2", 3000.0),
    ],
)
def test_units_are_converted(emitted: str, kilograms: float) -> None:
    """Grams, kilograms and tonnes; commas part thousands."""
    made = one(card(emitted))
    assert made.emissions_kg is not None
    assert made.emissions_kg.value == pytest.approx(kilograms)


@pytest.mark.parametrize(
    ("emitted", "why"),
    [
        ("[More Information Needed]", "it states no emissions"),
        ("", "it states no emissions"),
        ("64.8 CO2eq", "without kg, g or t: name the unit"),
        ("0,66 kg", "with a decimal point"),
        ("1,2,3 kg", "with a decimal point"),
        ("-5 kg", "it states no emissions"),
        ("about 12 kg", "it states no emissions"),
    ],
)
def test_emissions_that_are_no_number_are_refused(emitted: str, why: str) -> None:
    """A comma that may be a decimal one is not guessed at."""
    with pytest.raises(InputError, match=why):
        importers.read(card(emitted), name="README.md")


def test_number_of_devices_beside_hours_is_told() -> None:
    """Whether the hours are of one device or of all cannot be known."""
    made = one(card("12 kg", hardware="8 x A100"))
    assert any("are its hours of one device, or of all?" in warning for warning in made.warnings)


def test_card_with_both_is_read_by_its_front_matter() -> None:
    """co2_eq_emissions goes before the list."""
    both = card("15000 kg").replace("license: mit", "co2_eq_emissions: 15000000")
    assert importers.read(both, name="README.md").form == "hf-card"
    assert importers.read(card("15000 kg"), name="README.md").form == "mlco2"
