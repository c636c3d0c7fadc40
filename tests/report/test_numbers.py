"""Numbers of the reports against the record, each worked out here once more, without the program's own functions."""

from __future__ import annotations

import dataclasses
import json
import math
import re
from collections.abc import Callable, Iterator

import pytest
import yaml

from sootprint import Factor, Footprint, Quantity, estimate, predict, report
from sootprint.core.records import Component, Hardware, Model, Place, Stage, Work
from sootprint.report import content

ID = "019c0000-0000-7000-8000-00000000a009"
SIZES = {  # of each unit in kWh, kg, L or h
    "TWh": 1e9, "GWh": 1e6, "MWh": 1e3, "kWh": 1.0, "Wh": 1e-3, "J": 1 / 3.6e6, "mJ": 1 / 3.6e9,
    "Mt": 1e9, "kt": 1e6, "t": 1e3, "kg": 1.0, "g": 1e-3, "mg": 1e-6, "µg": 1e-9,
    "m³": 1e3, "L": 1.0, "mL": 1e-3, "h": 1.0, "min": 1 / 60, "s": 1 / 3600, "g/kWh": 1.0, "": 1.0,
}  # fmt: skip
NUMBER = r"\d[\d,]*(?:\.\d+)?(?:e[+-]\d+)?"


def size_of(number: str) -> tuple[float, float]:
    """A number as it is printed, and half of its last digit, of which at least two are told."""
    plain = number.replace(",", "")
    mantissa, _, exponent = plain.partition("e")
    _, _, decimals = mantissa.partition(".")
    zeros = 0 if decimals else len(mantissa) - len(mantissa.rstrip("0"))
    place = -len(decimals) or min(zeros, max(0, len(mantissa) - 2))
    return float(plain), 0.5 * 10.0 ** (place + int(exponent or 0))


def is_told(told: str, value: float) -> bool:
    """Whether an amount such as 3.2 kg is a value, rounded to the digits that are printed."""
    number, _, unit = told.partition(" ")
    shown, half = size_of(number)
    return abs(shown - value / SIZES[unit]) <= half * (1 + 1e-9)


def bounds(text: str) -> list[tuple[str, str]]:
    """Intervals in a text, such as 2.7 to 3.9 kg, as pairs of amounts."""
    return [
        (f"{low} {unit}", f"{high} {unit}")
        for low, high, unit in re.findall(rf"({NUMBER}) to ({NUMBER}) (\S+)", text)
    ]


def quantities(footprint: Footprint) -> dict[str, Quantity]:
    """Quantities by the rows of the table on emissions, but for the PUE, which may be taken for granted."""
    found = {
        "Energy": footprint.energy_kwh,
        "Carbon intensity": footprint.intensity_g_per_kwh,
        "Emissions": footprint.emissions_kg,
        "Market-based": footprint.market_based_kg,
        "Embodied": footprint.embodied_kg,
        "Water": footprint.water_l,
    }
    return {name: one for name, one in found.items() if one is not None}


def rows_of(footprint: Footprint, key: str) -> tuple[tuple[str, ...], ...]:
    """Rows of a section's table."""
    section = next(one for one in content.report(footprint).sections if one.key == key)
    assert section.table is not None
    return section.table.rows


def test_printed_numbers_are_read_as_they_are_rounded() -> None:
    """Half of the last digit: of 0.12 it is 0.005, of 1,230 it is 5, of 1.2e+12 it is 5e10."""
    assert [size_of(one)[1] for one in ("0.12", "1,230", "44", "100", "1.2e+12", "8")] == pytest.approx(
        [0.005, 5.0, 0.5, 5.0, 5e10, 0.5]
    )
    assert is_told("3.2 kg", 3.2499) and not is_told("3.2 kg", 3.26) and not is_told("3.2 g", 3.2)


def test_table_of_emissions_has_the_values_and_bounds_of_the_record(read, record: str) -> None:
    """Each row's best estimate and 90 % interval are those of the record, rounded once."""
    footprint = read(record)
    rows = {row[0]: row[1:] for row in rows_of(footprint, "carbon")}
    expected = quantities(footprint)
    assert set(expected) <= set(rows)
    for name, one in expected.items():
        value, spread, _ = rows[name]
        assert is_told(value, one.value), name
        if one.low is not None and one.high is not None and one.low != one.high:
            ((low, high),) = bounds(spread)
            assert is_told(low, one.low) and is_told(high, one.high), name


def test_factors_have_the_digits_of_their_intervals() -> None:
    """What is known within more than 5 % is said in two digits, as everywhere; all else in three."""
    listed = (
        Factor(kind="intensity", key="wide", value=412.34, low=350.0, high=480.0, unit="gCO2e/kWh"),
        Factor(kind="intensity", key="narrow", value=412.34, low=410.0, high=414.9, unit="gCO2e/kWh"),
        Factor(kind="intensity", key="bare", value=412.34, unit="gCO2e/kWh"),
        Factor(kind="intensity", key="none", value=0.0, low=0.0, high=0.0, unit="gCO2e/kWh"),
    )
    rows = rows_of(dataclasses.replace(ONE, factors=listed), "factors")
    assert [row[2:4] for row in rows] == [
        ("410 gCO2e/kWh", "350 to 480"),
        ("412 gCO2e/kWh", "410 to 415"),
        ("412 gCO2e/kWh", "not known"),
        ("0 gCO2e/kWh", "taken as exact"),
    ]


def test_headline_has_the_values_and_bounds_of_the_record(read, record: str) -> None:
    """Emissions and energy, and their intervals, are said at the top as the record has them."""
    footprint = read(record)
    told = {one.label: one for one in content.report(footprint).figures}
    for label, one in (("Emissions", footprint.emissions_kg), ("Energy", footprint.energy_kwh)):
        assert is_told(told[label].value.removesuffix(" CO2e"), one.value)
        ((low, high),) = bounds(told[label].note)
        assert is_told(low, one.low) and is_told(high, one.high)


def test_components_and_shares_are_those_of_the_record(read, record: str) -> None:
    """Each row is the sum over a family and its meter; the last is the whole; shares are of the whole."""
    footprint = read(record)
    section = next(one for one in content.report(footprint).sections if one.key == "energy")
    unit = SIZES[re.search(r"\[(\w+)\]", section.table.caption)[1]]
    sums: dict[tuple[str, str], float] = {}
    for one in footprint.components:
        key = (one.component.split(":")[0], one.meter)
        sums[key] = sums.get(key, 0.0) + one.energy_kwh.value
    left = sorted(sums.values())
    for name, value, _, share, _ in section.table.rows:
        shown, half = size_of(value)
        if name == "Total":
            assert abs(shown * unit - footprint.energy_kwh.value) <= half * unit * (1 + 1e-9)
            continue
        found = next(one for one in left if abs(one / unit - shown) <= half * (1 + 1e-9))
        left.remove(found)
        percent = 100.0 * found / footprint.energy_kwh.value
        assert percent < 0.5 if share == "<1 %" else abs(float(share.split()[0]) - percent) <= 0.5 + 1e-9
    assert left == []


def test_equation_comes_out_for_who_multiplies_what_it_says(read, record: str) -> None:
    """Energy x PUE x intensity in the line's own digits is its emissions, as far as these digits tell."""
    line = content.report(read(record)).equation
    energy, pue, grid, emissions = re.fullmatch(
        rf"({NUMBER} \w+) × PUE (?:taken as )?({NUMBER}) × ({NUMBER}) g/kWh = ({NUMBER} \w+) CO2e", line
    ).groups()

    def both(amount: str) -> tuple[float, float]:
        number, _, unit = amount.partition(" ")
        shown, half = size_of(number)
        return shown * SIZES[unit], half / shown

    found = [both(one) for one in (energy, pue, grid)]
    product = math.prod(value for value, _ in found) / 1000.0
    told, slack = both(emissions)
    assert product == pytest.approx(told, rel=slack + sum(error for _, error in found))


@pytest.mark.parametrize(("pue", "zone"), [(1.1, "FR"), (1.58, "PL"), (None, "US")])
def test_emissions_are_energy_times_pue_times_intensity(pue: float | None, zone: str) -> None:
    """C = E x PUE x I of the record's own numbers; the bounds are those of a product of independent lognormals."""
    found = estimate(
        hardware="A100", count=8, hours=100.0, zone=zone, **({} if pue is None else {"pue": pue})
    )
    energy, grid, emissions = found.energy_kwh, found.intensity_g_per_kwh, found.emissions_kg
    over = found.pue.value if found.pue else 1.0
    assert over == (pue or 1.0)
    assert emissions.value == pytest.approx(energy.value * over * grid.value / 1000.0, rel=1e-9)

    def width(one: Quantity) -> float:
        return math.log(one.high / one.low) / 2.0

    expected = math.hypot(width(energy), width(grid))
    assert width(emissions) == pytest.approx(expected, rel=0.1)


ONE = Footprint(
    id=ID,
    name="run",
    stage="pretrain",
    boundary="facility",
    model=Model(name="big", params=2.5e9),
    work=Work(tokens=1e9),
    energy_kwh=Quantity(value=1000.0, low=920.0, high=1090.0, basis="derived"),
    pue=Quantity(value=1.2, low=1.2, high=1.2, basis="claimed"),
    intensity_g_per_kwh=Quantity(value=100.0, low=90.0, high=110.0, basis="derived"),
    emissions_kg=Quantity(value=120.0, low=105.0, high=137.0, basis="derived"),
    embodied_kg=Quantity(value=10.0, low=5.0, high=20.0, basis="modelled"),
    duration_s=36_000.0,
    device_hours=Quantity(value=80.0, low=80.0, high=80.0),
    hardware=(Hardware(kind="accelerator", name="NVIDIA H100", count=8),),
    components=(
        Component(
            component="accelerator:0", meter="nvml",
            energy_kwh=Quantity(value=1000.0, low=920.0, high=1090.0, basis="sensor"),
        ),
    ),
    place=Place(zone="FR", country="FR", source="argument"),
    factors=(
        Factor(kind="intensity", key="FR", value=100.0, unit="gCO2e/kWh", method="average, life-cycle, location-based"),
    ),
    tags={"boamps.task": "text generation", "boamps.infra": "onPremise"},
    grade="B",
)  # fmt: skip


SAID: dict[str, tuple[str, ...]] = {
    "text": ("120 kg CO2e", "100 to 140 kg", "1.0 MWh", "0.92 to 1.1 MWh", "80.0 device hours", "PUE 1.20"),
    "md": ("**120 kg CO2e**", "100 to 140 kg", "**1.0 MWh**", "1.0 MWh × PUE 1.20 × 100 g/kWh = 120 kg CO2e"),
    "html": ("120 kg CO₂e", "100 to 140 kg", "1.0 MWh × PUE 1.20 × 100 g/kWh = 120 kg CO₂e"),
    "latex": (
        r"emitted 120 kg CO\textsubscript{2}e (90 \% interval 100 to 140 kg)",
        r"It took 10 h on 8 NVIDIA H100 and drew 1.0 MWh of electricity",
        r"The grid in FR (France) emitted 100 g CO\textsubscript{2}e/kWh",
        "A PUE of 1.20 is included.",
    ),
    "form": ("1.2x10^0 MWh", "1.1x10^0 to 1.3x10^0 MWh", "0.42", "3.3", "1.5x10^19 FLOP"),
    "sci": ("130 g CO2e per million training tokens", "52 kg CO2e per billion parameters", "1.2 MWh", "130 kg CO2e"),
    "checklist": ("80.0 accelerator hours", "drew 1.0 MWh", "120 kg CO2e", "2.50 billion parameters"),
}  # fmt: skip


@pytest.mark.parametrize("name", SAID)
def test_every_format_says_the_numbers_worked_by_hand(name: str) -> None:
    """1,000 kWh x 1.2 x 100 g/kWh = 120 kg; + 10 kg over 1e9 tokens = 130 g a million; 6 x 2.5e9 x 1e9 = 1.5e19."""
    made = " ".join(report.render(ONE, name).split()).replace("&nbsp;", " ")
    made = re.sub(r"<svg.*?</svg>", "", made)
    for said in SAID[name]:
        assert said in made, said


def test_files_of_other_formats_have_the_numbers_in_their_units() -> None:
    """A model card counts grams, BoAmps kWh before PUE, billions of parameters and seconds."""
    card = yaml.safe_load(report.render(ONE, "hf").strip("-\n"))["co2_eq_emissions"]
    assert card["emissions"] == 120_000.0
    boamps = json.loads(report.render(ONE, "boamps"))
    (measure,) = boamps["measures"]
    assert (measure["powerConsumption"], measure["measurementDuration"]) == (1000.0, 36_000.0)
    assert boamps["task"]["algorithms"][0]["parametersNumber"] == 2.5
    assert boamps["environment"]["powerSourceCarbonIntensity"] == 100.0
    assert boamps["quality"] == "high"  # (1090 - 920) / 2000 is 8.5 %, below 10 %


def test_making_is_what_its_disclosed_terms_give() -> None:
    """M = TE x (TiR / EL) x (RR / ToR) of ISO/IEC 21031, where a lifetime of a device is the hours that it is busy."""
    made = predict(params=7e9, tokens=2e10, hardware="A100", count=8, zone="FR")
    found = json.loads(report.render(made, "sci", shape="json"))["sci"]
    te_kg = sum(one["value"] for one in found["te_kg_per_device"])  # a card, and its part of the server
    life_h = found["el_years"] * 8766.0 * found["busy_share"]
    expected_g = 1000.0 * te_kg * found["tir_device_h"] / life_h * found["rr"] / found["tor"]
    assert found["m_g"]["value"] == pytest.approx(expected_g, rel=1e-6)
    for score in found["scores"]:
        total_g = found["o_g"]["value"] + found["m_g"]["value"]
        assert score["score_g_per_r"]["value"] * score["r_value"] == pytest.approx(total_g, rel=0.05)


def test_emissions_that_are_no_product_are_not_said_to_be() -> None:
    """Stated 500 kg of 1,000 kWh at 100 g/kWh: no equation, and the table says that it is none."""
    stated = Quantity(value=500.0, basis="claimed")
    made = content.report(dataclasses.replace(ONE, emissions_kg=stated))
    assert made.equation is None
    section = next(one for one in made.sections if one.key == "carbon")
    assert "which are not the product" in section.table.caption
    assert content.report(ONE).equation == "1.0 MWh × PUE 1.20 × 100 g/kWh = 120 kg CO2e"


def test_product_without_a_pue_is_said_without_one() -> None:
    """Of a record that has none, no factor is called unknown in an equation."""
    bare = dataclasses.replace(ONE, pue=None, emissions_kg=Quantity(value=100.0, basis="derived"))
    assert content.report(bare).equation == "1.0 MWh × 100 g/kWh = 100 kg CO2e"


def _methods() -> Iterator[tuple[str, Callable[[], Footprint], str]]:
    yield "read", lambda: ONE, "each component is read by its own meter"
    yield "estimate", lambda: estimate(hardware="A100", hours=1.0, zone="FR"), "nothing was read"
    yield "given", lambda: estimate(power_w=300.0, hours=1.0, zone="FR"), "from a number that was given"
    yield "other", lambda: dataclasses.replace(ONE, tool="codecarbon"), "as codecarbon tells it"
    yield (
        "stages",
        lambda: dataclasses.replace(ONE, stages=(Stage(stage="pretrain"),)),
        "the sum of the stages",
    )


@pytest.mark.parametrize(("name", "made", "said"), list(_methods()), ids=[name for name, _, _ in _methods()])
def test_method_is_that_of_the_record(name: str, made: Callable[[], Footprint], said: str) -> None:
    """Nobody is told of meters where there were none, nor of sums over intervals of what others state."""
    text = " ".join(report.render(made(), "text").split()).partition("How the numbers were made")[2]
    assert f"Energy: {said}" in text
    assert text.count("- Energy: ") == text.count("- Emissions: ") == 1


def test_stated_emissions_are_not_called_a_sum_over_intervals() -> None:
    """A claim stays one, and a record without numbers is told no method."""
    claimed = dataclasses.replace(ONE, emissions_kg=Quantity(value=120.0, basis="claimed"))
    text = " ".join(report.render(claimed, "text").split())
    assert "Emissions: the number that others state" in text and "then summed" not in text
    assert "How the numbers were made" not in report.render(Footprint(id=ID), "text")
