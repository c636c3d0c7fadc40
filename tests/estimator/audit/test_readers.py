"""Claims as people write them: files of every form, units, and what cannot be read."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sootprint import estimate
from sootprint.core.errors import InputError
from sootprint.estimator import audit as auditing
from sootprint.estimator.audit import prose
from sootprint.estimator.audit.facts import places
from sootprint.estimator.audit.reading import Draft

CARD = """---
license: mit
co2_eq_emissions:
  emissions: 83524
  source: CodeCarbon
  training_type: fine-tuning
  geographical_location: "Paris, France"
  hardware_used: 8 x NVIDIA A100, 240 hours
---
# A model

Trained in 2023 at a PUE of 1.2.
"""


def _one(text: str, name: str) -> auditing.Claim:
    (claim,) = auditing.read(text, name=name)
    return claim


def test_card_is_read_with_its_free_text() -> None:
    """The number of a card is grams; devices and hours stand in its words."""
    claim = _one(CARD, "README.md")
    assert claim.emissions_kg == pytest.approx(83.524)
    assert (claim.hardware, claim.count, claim.wall_hours) == ("NVIDIA A100", 8.0, 240.0)
    assert (claim.place, claim.kind, claim.pue) == ("Paris, France", "finetune", 1.2)
    assert claim.hours_of_devices == 1920.0


@pytest.mark.parametrize(
    ("text", "name", "field", "value"),
    [
        ("energy_mwh: 433.196", "a.yaml", "energy_kwh", 433196.0),
        ("energy: {value: 5, unit: MWh}", "a.yaml", "energy_kwh", 5000.0),
        ("co2: 24.69 t", "a.yml", "emissions_kg", 24690.0),
        ('{"tco2e": 390, "chip_hours": 1.3e6}', "a.json", "device_hours", 1.3e6),
        ("GPU hours,Energy [MWh]\n184320,81.1\n", "a.csv", "energy_kwh", 81100.0),
        ("training_time_days: 4\nn_gpus: 8", "a.yaml", "wall_hours", 96.0),
        ("params: 7B\ntokens: 2T", "a.yaml", "params", 7e9),
        ("carbon_intensity: 0.057 kgCO2eq/kWh", "a.yaml", "intensity_g_per_kwh", 57.0),
        ("carbon_intensity: 0.385\nenergy_kwh: 3", "a.yaml", "intensity_g_per_kwh", 385.0),
        ("mfu: 43", "a.yaml", "mfu", 0.43),
        ("It took 2.788M H800 GPU hours.", "a.txt", "device_hours", 2.788e6),
        ("About 4.05 x 10^22 FLOPs.", "a.txt", "flops", 4.05e22),
        ("A cumulative of 100 hours of computation on V100 (TDP of 300W).", "a.txt", "device_hours", 100.0),
        (r"We emitted $24.69$\,t of CO$_2$eq.", "a.tex", "emissions_kg", 24690.0),
        (r"using \SI{433196}{\kWh} in total", "a.tex", "energy_kwh", 433196.0),
    ],
)
def test_numbers_are_read_in_our_units(text: str, name: str, field: str, value: float) -> None:
    """Whatever the unit and the form, a number arrives in kWh, kg, hours or plain ones."""
    assert getattr(_one(text, name), field) == pytest.approx(value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("just words", "no number"),
        ("---\nlicense: mit\n---\n# A card without numbers\n", "no number"),
        ("energy_kwh: -5", "energy kwh is -5"),
        ("power_w: -300\nhours: 3", "power w is -300"),
        ("params: 7e9\ntokens: 0", "tokens is 0"),
        ("energy_kwh: 5\nenergy_kwh: 6", "twice"),
        ("energy_kwh: .nan\nhours: 3", "it is nan"),
        ("energy_kwh: [", "cannot be read as YAML"),
        ("energy: 12 parsecs", "unit that is not one of"),
    ],
)
def test_what_cannot_be_read_is_one_clear_line(text: str, words: str) -> None:
    """The line names the file, the value and what is wrong with it."""
    with pytest.raises(InputError, match=words) as caught:
        auditing.read(text, name="claim.md" if text.startswith("---") else "claim.yaml")
    assert "claim." in str(caught.value)
    assert "\n" not in str(caught.value)


def test_broken_json_and_csv_are_named() -> None:
    """The form of the file is in the message."""
    with pytest.raises(InputError, match=r"x\.json cannot be read as JSON"):
        auditing.read("{", name="x.json")
    with pytest.raises(InputError, match=r"x\.csv has no columns of a claim"):
        auditing.read("a,b\n1,2\n", name="x.csv")


def test_own_record_is_read_and_passes() -> None:
    """An estimate of ours has no error and no warning, and its missing PUE is disclosed."""
    made = estimate(hardware="A100", count=8, hours=48, zone="FR", year=2023, work="llm-pretrain")
    claim = _one(made.to_json(), "record.json")
    assert claim.energy_kwh == made.energy_kwh.value
    assert [one for one in auditing.audit(claim) if one.severity != "info"] == []


def test_record_of_a_claim_keeps_what_was_given() -> None:
    """Numbers stand as claimed, without bounds of ours, and what is not stated is unknown."""
    record = auditing.record_of(_one("energy_kwh: 1200\nhardware: A100\n", "a.yaml"))
    assert (record.energy_kwh.value, record.energy_kwh.basis, record.grade) == (1200.0, "claimed", "E")
    assert "emissions_kg" in record.unknown
    assert record.given["energy_kwh"] == "energy_kwh: 1200"
    assert json.loads(record.to_json())["hardware"][0]["name"] == "A100"


@pytest.mark.parametrize(
    ("text", "zones"),
    [
        ("Google Georgia US", ["US-GA"]),
        ("AWS us-west-2", ["aws/us-west-2"]),
        ("Montreal, Quebec, Canada", ["CA-QC"]),
        ("US (Texas / Iowa-type grid)", ["US-TX"]),
        ("not stated", []),
        (None, []),
    ],
)
def test_places_in_words_are_found(text: str | None, zones: list[str]) -> None:
    """The most specific place that is named counts."""
    assert places(text) == zones


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    """No text breaks the reader: it gives a claim or one clear line."""
    try:
        for claim in auditing.read(text, name="claim.txt"):
            auditing.audit(claim)
    except InputError as err:
        assert str(err)


def test_number_is_read_once() -> None:
    """The grams of an intensity are no emissions, and a count of devices is no duration."""
    found = {one.field for one in prose.numbers("57 gCO2eq/kWh and 8 GPUs")}
    assert found == {"intensity_g_per_kwh"}
    draft = Draft("x")
    draft.item("hardware_used", "4x V100 for 3 days")
    assert (draft.values["count"], draft.values["wall_hours"]) == (4.0, 72.0)
