"""Reports of BoAmps that other tools and people wrote: energies in any unit, hardware, places, and what is refused."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from sootprint import importers
from sootprint.cli import app
from sootprint.core.errors import InputError
from sootprint.core.records import Footprint
from sootprint.estimator.filled import Filling
from sootprint.importers.clocks import LOCAL
from sootprint.report.statements import boamps
from sootprint.settings import Settings

# Written by us in the form of the format: a chat model tuned on two cards of a rented machine.
REPORT = {
    "header": {
        "reportDatetime": "2025-02-26 16:57:00",
        "publisher": {"projectName": "p", "confidentialityLevel": "public"},
    },
    "task": {
        "taskStage": "finetuning",
        "taskFamily": "chatbot",
        "algorithms": [{"foundationModelName": "llama2-13b", "parametersNumber": 13, "framework": "torch"}],
        "dataset": [{"dataUsage": "input", "dataType": "token", "dataQuantity": 11_000_000}],
    },
    "measures": [
        {
            "measurementMethod": "codecarbon", "version": "2.5.0", "gpuTrackingMode": "nvml",
            "powerConsumption": 1.5, "measurementDuration": 7200.0, "measurementDateTime": "2024-09-30 09:09:40",
        }
    ],
    "system": {"os": "linux"},
    "software": {"language": "python", "version": "3.10.12"},
    "infrastructure": {
        "infraType": "publicCloud",
        "cloudProvider": "ovh",
        "components": [
            {"componentName": "2 x Tesla V100S-PCIE-32GB", "componentType": "gpu", "nbComponent": 2, "memorySize": 32},
            {"componentType": "ram", "nbComponent": 1, "memorySize": 86},
        ],
    },
    "environment": {"country": "france", "powerSourceCarbonIntensity": 50.0},
    "quality": "high",
}  # fmt: skip


def changed(*path: object, to: object) -> dict:
    """The report with one field changed."""
    data = copy.deepcopy(REPORT)
    place = data
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = to
    return data


def read(data: object) -> Footprint:
    """The only record of a report."""
    (record,) = importers.read(json.dumps(data), name="report.json").records
    return record


def test_report_becomes_a_record_with_what_it_states_and_no_more() -> None:
    """Energy with the bounds of its quality, hours, devices, place, model, tokens; PUE and emissions are unknown."""
    record = read(REPORT)
    energy = record.energy_kwh
    assert (energy.value, energy.basis) == (1.5, "claimed")
    assert (energy.low, energy.high) == pytest.approx((1.35, 1.65))
    assert (record.duration_s, record.started) == (7200.0, "2024-09-30T09:09:40Z")
    assert [(one.kind, one.name, one.count, one.memory_gb) for one in record.hardware] == [
        ("accelerator", "Tesla V100S-PCIE-32GB", 2, 32.0), ("dram", "ram", 1, 86.0),
    ]  # fmt: skip
    assert record.device_hours.value == 4.0
    assert (record.place.zone, record.stage, record.project) == ("FR", "finetune", "p")
    assert (record.model.base, record.model.params, record.work.tokens) == ("llama2-13b", 13e9, 11e6)
    assert (record.tool, record.tool_version, record.grade) == ("codecarbon", "2.5.0", "D")
    assert {"pue", "emissions_kg", "embodied_kg"} <= set(record.unknown)
    assert "energy_kwh" not in record.unknown
    assert record.given["boamps"]["task"] == REPORT["task"]
    assert Footprint.from_json(record.to_json()) == record


def test_secret_report_stays_secret_when_it_is_written_again() -> None:
    """Its level is kept as a tag and warned of; one that the format does not know is not written as public."""
    record = read(changed("header", "publisher", "confidentialityLevel", to="secret"))
    assert json.loads(boamps.render(record))["header"]["publisher"]["confidentialityLevel"] == "secret"
    assert record.warnings == ("its report is marked 'secret': share it with care", LOCAL)
    assert record.tags["boamps.task"] == "chatbot"
    strange = read(changed("header", "publisher", "confidentialityLevel", to="Secret!"))
    assert "'Secret!'" in strange.warnings[0]
    with pytest.raises(InputError, match="confidentiality is 'Secret!'"):
        boamps.render(strange)


def test_emissions_come_from_the_intensity_that_is_stated() -> None:
    """1.5 kWh at 50 g/kWh are 75 g, not what the table has for France; the intensity stays as stated."""
    nobody = Settings(home=Path("/nonexistent"), runtime_dir=Path("/nonexistent"))
    record = Filling(nobody).of(read(REPORT))
    assert record.emissions_kg.value == pytest.approx(0.075)
    assert record.intensity_g_per_kwh.value == 50.0
    unstated = Filling(nobody).of(read(changed("environment", to={"country": "France"})))
    assert unstated.emissions_kg.value != pytest.approx(0.075)
    assert [one.kind for one in unstated.factors] == ["intensity"]


@pytest.mark.parametrize(
    ("unit", "value", "kwh"),
    [
        ("Wh", 1500.0, 1.5),
        ("MWh", 0.0015, 1.5),
        ("mWh", 1.5e6, 1.5),
        ("kJoule", 5400.0, 1.5),
        ("kWh", "1.5", 1.5),
    ],
)
def test_unit_of_an_old_report_counts(unit: str, value: object, kwh: float) -> None:
    """Reports of the first releases state a unit; mWh and MWh are a thousand million apart."""
    measure = REPORT["measures"][0] | {"powerConsumption": value, "unit": unit}
    assert read(changed("measures", to=[measure])).energy_kwh.value == pytest.approx(kwh)


def test_part_that_is_too_long_is_left_out_of_given_and_said() -> None:
    """Of 30,000 characters of one part the others are kept, and a warning names what is not, and how long it is."""
    data = changed("task", "taskDescription", to="x" * 30_000)
    record = read(data)
    assert set(record.given["boamps"]) == set(REPORT) - {"task", "sootprint"}
    (said,) = (one for one in record.warnings if "too long to be kept" in one)
    assert "task (30," in said and "20,000 characters" in said
    assert record.energy_kwh == read(REPORT).energy_kwh
    assert not any("too long" in one for one in read(REPORT).warnings)


def test_several_measures_are_not_added() -> None:
    """A tool and a wattmeter read the same joules: the larger counts, and the record says so."""
    wall = {"measurementMethod": "wattmeter", "powerConsumption": 2.0}
    record = read(changed("measures", to=[*REPORT["measures"], wall]))
    assert (record.energy_kwh.value, record.tool) == (2.0, "wattmeter")
    assert any("2 measures are given, of 1.5 to 2 kWh" in one for one in record.warnings)


def test_watt_hours_typed_as_kilowatt_hours_are_warned_of() -> None:
    """1,500 kWh in two hours on two cards are 375 kW for each."""
    record = read(changed("measures", 0, "powerConsumption", to=1500.0))
    assert any("375,000 W" in one or "3.75e+05 W" in one for one in record.warnings)
    assert read(REPORT).warnings == (LOCAL,)


@pytest.mark.parametrize(
    ("environment", "cloud", "zone"),
    [
        ({"country": "United States", "location": "US-WA"}, None, "US-WA"),
        ({"country": "United States", "location": "Georgia"}, None, "US"),  # not the country of that name
        ({"country": "United States", "location": "us-central1"}, "google", "gcp/us-central1"),
        ({"country": "Sweden", "location": "eu-north-1"}, "AWS", "aws/eu-north-1"),
        ({"country": "France", "location": "a cellar in Lyon"}, None, "FR"),
        ({"country": "Atlantis"}, None, None),
        ({}, None, None),
    ],
)
def test_place_is_the_most_specific_that_a_table_knows(
    environment: dict, cloud: str | None, zone: str | None
) -> None:
    """A region of the cloud, a location in the country that is stated, the country; an unknown one is unknown."""
    data = changed("environment", to=environment)
    data["infrastructure"]["cloudProvider"] = cloud
    record = read(data)
    assert record.place.zone == zone
    assert ("place" in record.unknown) == (zone is None)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (changed("measures", to=[]), "its list of measures is empty"),
        (changed("measures", to="none"), "it has no list of measures"),
        (changed("measures", 0, "powerConsumption", to=None), "no powerConsumption"),
        (changed("measures", 0, "powerConsumption", to=-1), "it is at least 0"),
        (changed("measures", 0, "powerConsumption", to=True), "give a number"),
        (changed("measures", 0, "powerConsumption", to="1,5"), "with a decimal point"),
        (changed("measures", 0, "unit", to="teraFLOPS"), "powerConsumption is an energy"),
        (
            changed("infrastructure", "components", 0, "nbComponent", to=1.5),
            "nbComponent is 1.5: it is a whole number",
        ),
    ],
)
def test_bad_reports_are_refused_in_one_line(data: dict, words: str) -> None:
    """The value, the rule, and no record."""
    with pytest.raises(InputError, match=words) as told:
        importers.read(json.dumps(data), name="report.json", form="boamps")
    assert "\n" not in str(told.value)


def test_nest_that_is_deeper_than_a_program_can_go_is_refused() -> None:
    """Eight hundred lists in each other are read and cannot be walked: one line."""
    text = json.dumps(REPORT).replace('"chatbot"', f'"chatbot", "x": {"[" * 800 + "]" * 800}')
    with pytest.raises(InputError, match="nested too deep"):
        importers.read(text, name="report.json")


@pytest.mark.parametrize("free", ["1e999", "[" * 200 + "]" * 200, '"\\ud800"'])
def test_what_no_record_can_hold_is_refused_before_it_is_kept(free: str) -> None:
    """A number beyond all, a nest of lists, half a character: a record with it could not be read again."""
    text = json.dumps(REPORT).replace('"chatbot"', f'"chatbot", "x": {free}')
    with pytest.raises(InputError, match="report 1: /given/boamps/task/x"):
        importers.read(text, name="report.json")


def test_text_that_is_no_report_is_no_report() -> None:
    """A cut file, another JSON and a record of ours that holds a report are told apart."""
    with pytest.raises(InputError):
        importers.read(json.dumps(REPORT)[:-20], name="report.json", form="boamps")
    with pytest.raises(InputError, match="no list of measures"):
        importers.read("[1]", name="x.json", form="boamps")
    text = read(REPORT).to_json()
    assert importers.form_of(text, "x.json") == "sootprint"
    assert importers.form_of(json.dumps([REPORT]), "x.json") == "boamps"


def test_unknown_number_of_devices_is_unknown() -> None:
    """A component without a number is one device whose number the record does not know, and has no hours."""
    record = read(changed("infrastructure", "components", 0, "nbComponent", to=None))
    assert "hardware.count" in record.unknown
    assert record.device_hours is None


def test_a_list_is_read_and_what_cannot_be_used_is_told(tmp_path: Path) -> None:
    """One good and one bad report: one record, one line; read again it is the same run."""
    path = tmp_path / "reports.json"
    path.write_text(json.dumps([REPORT, changed("measures", to=[])]))
    for _ in range(2):
        done = CliRunner().invoke(app, ["import", "auto", str(path)])
        assert done.exit_code == 0, done.output
        assert "1 record in the ledger, 1 row left out" in done.output
        assert "report 2: its list of measures is empty" in done.output
    listed = CliRunner().invoke(app, ["runs", "--json"])
    assert len(json.loads(listed.stdout)) == 1


JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
PATHS = [
    ("header",), ("task",), ("measures",), ("measures", 0), ("measures", 0, "powerConsumption"),
    ("measures", 0, "measurementDateTime"), ("measures", 0, "measurementDuration"), ("infrastructure",),
    ("infrastructure", "components"), ("infrastructure", "components", 0, "componentName"),
    ("infrastructure", "components", 0, "nbComponent"), ("environment",), ("environment", "country"), ("quality",),
    ("task", "algorithms"), ("task", "dataset"), ("system",), ("software",), ("sootprint",),
]  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(path=st.sampled_from(PATHS), to=JUNK)
def test_anything_anywhere_is_a_record_or_one_line(path: tuple, to: object) -> None:
    """Whatever stands in a field, what comes out is a record that reads back, or a refusal."""
    try:
        record = read(changed(*path, to=to))
    except InputError as err:
        assert "\n" not in str(err)
    else:
        assert Footprint.from_json(record.to_json()) == record
