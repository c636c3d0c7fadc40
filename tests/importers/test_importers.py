"""Files of other tools and people: units at the edge, nothing invented, nothing dropped in silence."""

from __future__ import annotations

import dataclasses
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
from sootprint.estimator import estimate
from sootprint.estimator.filled import Filling
from sootprint.importers import base, template
from sootprint.settings import Settings

FIRST = (
    "timestamp,experiment_id,project_name,duration,emissions,energy_consumed,country_name,country_iso_code,region,"
    "on_cloud,cloud_provider,cloud_region"
)
SECOND = (
    "timestamp,project_name,run_id,duration,emissions,emissions_rate,cpu_power,gpu_power,ram_power,cpu_energy,"
    "gpu_energy,ram_energy,energy_consumed,country_name,country_iso_code,region,cloud_provider,cloud_region,os,"
    "python_version,codecarbon_version,cpu_count,cpu_model,gpu_count,gpu_model,longitude,latitude,ram_total_size,"
    "tracking_mode,on_cloud"
)
THIRD = SECOND.replace("project_name,run_id", "project_name,run_id,experiment_id").replace(
    "energy_consumed,", "energy_consumed,water_consumed,"
)
THIRD += ",cpu_utilization_percent,gpu_utilization_percent,ram_utilization_percent,ram_used_gb,pue,wue"
CELLS = {
    "timestamp": "2024-05-01T12:00:00",
    "experiment_id": "e",
    "project_name": "thesis",
    "run_id": "11111111-2222-3333-4444-555555555555",
    "duration": "3600",
    "emissions": "0.056",
    "emissions_rate": "0.0000155556",
    "cpu_power": "60",
    "gpu_power": "800",
    "ram_power": "140",
    "cpu_energy": "0.06",
    "gpu_energy": "0.8",
    "ram_energy": "0.14",
    "energy_consumed": "1.0",
    "water_consumed": "1.8",
    "country_name": "France",
    "country_iso_code": "FRA",
    "region": "ile-de-france",
    "on_cloud": "N",
    "os": "Linux",
    "python_version": "3.11.7",
    "codecarbon_version": "3.3.2",
    "cpu_count": "64",
    "cpu_model": "AMD EPYC 7302",
    "gpu_count": "2",
    "gpu_model": "2 x NVIDIA A100-SXM4-40GB",
    "tracking_mode": "machine",
    "pue": "1.25",
    "wue": "1.8",
    "gpu_utilization_percent": "90",
}
CARD = """---
license: mit
co2_eq_emissions:
  emissions: {emissions}
  source: CodeCarbon
  training_type: fine-tuning
  geographical_location: Paris, France
  hardware_used: 8 x A100
model-index:
- name: bert-x
  results:
  - task: {{type: text-classification, name: Text classification}}
    dataset: {{name: SST-2, type: glue, split: validation}}
    metrics: [{{type: accuracy, value: 0.91}}, {{type: f1, value: unknown}}]
---
# BERT X
{words}
"""


def table(head: str, *changes: dict[str, str], parted: str = ",") -> str:
    """A table of CodeCarbon, a row for each set of changes."""
    names = head.split(",")
    lines = [[{**CELLS, **one}.get(name, "") for name in names] for one in changes or ({},)]
    return "\n".join(parted.join(cells) for cells in (names, *lines)) + "\n"


def one(text: str, name: str = "emissions.csv") -> Footprint:
    """The only record of a text."""
    (record,) = importers.read(text, name=name).records
    return record


def card(emissions: str, words: str = "") -> Footprint:
    """Record of a model card."""
    return one(CARD.format(emissions=emissions, words=words), "README.md")


@pytest.mark.parametrize(("head", "parts", "grade"), [(FIRST, 0, "E"), (SECOND, 3, "C"), (THIRD, 3, "C")])
def test_codecarbon_of_every_release(head: str, parts: int, grade: str) -> None:
    """Kilograms and kilowatt-hours of the first, second and third set of columns, and no more than each has."""
    record = one(table(head))
    assert record.emissions_kg is not None
    assert record.energy_kwh is not None
    assert record.emissions_kg.value == pytest.approx(0.056)
    assert record.energy_kwh.value == pytest.approx(0.8 if head is THIRD else 1.0)  # the PUE is taken out
    assert (record.place.zone, record.duration_s, record.started) == ("FR", 3600.0, "2024-05-01T11:00:00Z")
    assert (len(record.components), record.grade) == (parts, grade)
    assert (record.pue is None) == (head is not THIRD)
    assert ("pue" in record.unknown) == (record.pue is None)
    assert Footprint.from_json(record.to_json()) == record


def test_codecarbon_parts_and_devices() -> None:
    """The accelerators are measured; a processor that may be a guess is modelled; threads are no processors."""
    record = one(table(THIRD))
    basis = {part.component: part.energy_kwh.basis for part in record.components}
    assert basis == {"accelerator": "sensor", "cpu": "modelled", "dram": "modelled"}
    assert [(device.kind, device.name, device.count) for device in record.hardware] == [
        ("accelerator", "NVIDIA A100-SXM4-40GB", 2),
        ("cpu", "AMD EPYC 7302", 1),
    ]
    assert record.device_hours is not None
    assert record.device_hours.value == 2.0
    assert record.water_l is not None


def test_run_of_several_lines_is_its_last_sum() -> None:
    """Lines of one run are sums that grow: they are not added, and the others are told."""
    text = table(SECOND, {"duration": "60", "emissions": "0.001"}, {}, {"run_id": "other"})
    found = importers.read(text, name="emissions.csv")
    assert [record.duration_s for record in found.records] == [3600.0, 3600.0]
    assert [(left.where, "line 3 completes" in left.why) for left in found.left_out] == [("line 2", True)]


def test_row_that_sootprint_wrote_is_left_to_its_record() -> None:
    """The interface of CodeCarbon's name writes such rows beside our own records: neither is counted twice."""
    ours = table(THIRD, CELLS | {"codecarbon_version": "sootprint 0.1.0", "run_id": "ours"}, CELLS)
    found = importers.read(ours, name="emissions.csv")
    assert [made.tool_version for made in found.records] == ["3.3.2"]
    assert [one.why for one in found.left_out] == [
        "Sootprint wrote it: its own record is `sootprint show ours`"
    ]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"emissions": "-1"}, "emissions is -1: it is at least 0"),
        ({"emissions": "5 kg"}, "without a unit"),
        ({"duration": '"3,600"'}, "with a decimal point"),
        ({"emissions": "", "energy_consumed": ""}, "neither energy_consumed nor emissions"),
        ({"pue": "0.9"}, "pue is 0.9: it is between 1 and 10"),
        ({"emissions": "1e999"}, "emissions is 1e999"),
        ({"region": "a,b,c"}, "cells where the head has"),
        ({"duration": "1e18"}, "duration is 1e+18 s: no run began so long ago"),
        ({"duration": "9e10"}, "duration is 9e+10 s: no run began so long ago"),
    ],
)
def test_bad_row_is_told_and_holds_back_none(changes: dict[str, str], why: str) -> None:
    """The line, the value and the rule; its neighbour is a record."""
    found = importers.read(table(THIRD, {**changes, "run_id": "bad"}, {}), name="emissions.csv")
    assert len(found.records) == 1
    assert [(left.where, why in left.why) for left in found.left_out] == [("line 2", True)]


def test_tables_of_spreadsheets_are_read() -> None:
    """A byte-order mark, semicolons, an index column and a file of tasks."""
    assert one("\ufeff" + table(SECOND, parted=";")).name == "thesis"
    assert one(table(f",{SECOND}")).name == "thesis"
    tasks = table(f"task_name,{SECOND}", {"task_name": "load"}, {"task_name": "train"})
    assert [record.name for record in importers.read(tasks, name="x.csv").records] == ["load", "train"]


def test_cloud_region_goes_before_the_country() -> None:
    """On a cloud the region is the place; a state is used only in its country."""
    cloud = {"on_cloud": "Y", "cloud_provider": "gcp", "cloud_region": "europe-west9"}
    assert one(table(SECOND, cloud)).place.zone == "gcp/europe-west9"
    state = {"country_iso_code": "USA", "country_name": "United States", "region": "california"}
    assert one(table(SECOND, state)).place.zone == "US-CA"
    assert one(table(SECOND, {"region": "california"})).place.zone == "FR"
    nowhere = one(table(SECOND, {"country_iso_code": "XXX", "country_name": "Atlantis", "region": ""}))
    assert nowhere.place.zone is None
    assert "place" in nowhere.unknown
    assert any("Atlantis" in warning for warning in nowhere.warnings)


def test_model_card_is_in_grams() -> None:
    """The number of the front matter is grams; place, devices, results and kind of training come with it."""
    record = card("83524")
    assert record.emissions_kg is not None
    assert record.emissions_kg.value == pytest.approx(83.524)
    assert (record.place.zone, record.stage, record.grade, record.name) == ("FR", "finetune", "E", "bert-x")
    assert [(device.name, device.count) for device in record.hardware] == [("A100", 8)]
    assert [(result.dataset, result.metric, result.value) for result in record.results] == [
        ("SST-2", "accuracy", 0.91)
    ]
    assert record.warnings == ()


@pytest.mark.parametrize(
    ("said", "kilograms"), [("149.2", 0.1492), ("12.3 kg", 12.3), ("2 tons", 2000.0), ("7 g", 0.007)]
)
def test_model_card_with_a_scalar_or_a_unit(said: str, kilograms: float) -> None:
    """A bare number is grams; a text with a unit is what it says, and the record says that it was one."""
    record = one(f"---\nco2_eq_emissions: {said}\n---\n", "README.md")
    assert record.emissions_kg is not None
    assert record.emissions_kg.value == pytest.approx(kilograms)
    assert bool(record.warnings) == (" " in said)


@pytest.mark.parametrize("said", ["about 12, or 13.5 kg", "-5", "true", ".nan", "[1]", "see paper", "1e999"])
def test_model_card_without_a_plain_number_is_refused(said: str) -> None:
    """The first number of a sentence is nobody's emissions."""
    with pytest.raises(InputError, match="front matter"):
        card(said)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("---\nlicense: mit\n---\n", "states no emissions"),
        ("---\nco2_eq_emissions: [\n---\n", "no YAML"),
        ("---\n- a\n---\n", "no mapping"),
        ("---\nno end", "begins with a block"),
        ("---\na: &a [x]\nb: [*a, *a]\nco2_eq_emissions: 1\n---\n", "alias"),
        ("---\nx: " + "[" * 20_000 + "\n---\n", "no YAML"),
    ],
)
def test_bad_card_gets_one_line(text: str, why: str) -> None:
    """Neither bombs of aliases nor deep or broken YAML do more."""
    with pytest.raises(InputError, match=why) as caught:
        importers.read(text, name="README.md")
    assert "\n" not in str(caught.value)


def test_template_is_its_own_example() -> None:
    """The empty template can be read, and its row gets the estimate that the command gives."""
    record = one(template.empty(), "runs.csv")
    made = Filling(Settings(home=Path("/nonexistent"), runtime_dir=Path("/nonexistent"))).of(record)
    wanted = estimate(hours=48, hardware="A100", count=8, zone="FR", year=2024)
    assert (made.energy_kwh, made.emissions_kg) == (wanted.energy_kwh, wanted.emissions_kg)
    assert (made.grade, made.model, made.results[0].value) == ("D", record.model, 76.1)
    assert (made.started, record.energy_kwh) == (None, None)


def test_filling_in_changes_nothing_that_is_stated() -> None:
    """A stated energy gets the emissions of its place; a stated pair is left as it is; an unknown device is told."""
    nobody = Settings(home=Path("/nonexistent"), runtime_dir=Path("/nonexistent"))
    stated = one("energy_kwh,zone,year\n10,FR,2022\n", "x.csv")
    made = Filling(nobody).of(stated)
    assert made.energy_kwh == stated.energy_kwh
    assert made.emissions_kg is not None
    assert 0.1 < made.emissions_kg.value < 1.5
    both = one("energy_kwh,emissions_kg,zone\n10,3,FR\n", "x.csv")
    assert Filling(nobody).of(both) == both
    strange = Filling(nobody).of(one("hours,hardware\n10,Nonsense 9000\n", "x.csv"))
    assert strange.energy_kwh is None
    assert "no estimate could be made" in strange.warnings[-1]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("hours,hardware,colour\n1,A100,red\n", "column 'colour' is not one of name"),
        ("hours,hours,hardware\n1,2,A100\n", "'hours' stands twice"),
        ("hours,zone\n1,FR\n", "hours and no hardware"),
        ("hours,hardware,zone\n1,A100,Atlantis\n", "zone 'Atlantis' is in no table"),
        ("hours,hardware,count\n1,A100,1.5\n", "count is 1.5: it is a whole number"),
        ("hours,hardware,stage\n1,A100,cooking\n", "stage is 'cooking'"),
        ("hours,hardware,metric\n1,A100,F1\n", "both or neither"),
        ("hours,hardware,started\n1,A100,yesterday\n", "ISO 8601"),
        ("hours,hardware\n", "has no rows"),
        ("a,b\n1,2\n", "in no form that is known"),
        ("", "x.csv is empty"),
        ('{"id": 5}', "schema"),
        ("[]", "has no rows"),
        ("{", "not a JSON record"),
    ],
)
def test_bad_file_gets_one_line(text: str, why: str) -> None:
    """The line has the value and the rule."""
    with pytest.raises(InputError, match=why) as caught:
        importers.read(text, name="x.csv")
    assert "\n" not in str(caught.value)


def test_our_records_come_back_as_they_were() -> None:
    """One, a list, or one a line; a broken line is told."""
    made = [dataclasses.replace(estimate(hours=n, hardware="T4", zone="FR"), name=f"{n}") for n in (1, 2)]
    texts = [record.to_json() for record in made]
    for text in (f"[{','.join(texts)}]", "\n".join(texts)):
        assert list(importers.read(text, name="x.json").records) == made
    found = importers.read("\n".join([*texts, "{"]), name="x.jsonl")
    assert (len(found.records), [left.where for left in found.left_out]) == (2, ["line 3"])


def test_same_file_gives_the_same_identities() -> None:
    """A file that is read twice is one set of records; another row is another record."""
    for text in (table(THIRD), table(FIRST), template.empty(), CARD.format(emissions=5, words="")):
        assert one(text).id == one(text).id
    assert one(table(FIRST)).id != one(table(FIRST, {"duration": "3601"})).id


@settings(max_examples=120, deadline=None)
@given(
    start=st.sampled_from(
        [f"{FIRST}\n", f"{SECOND}\n", "hours,hardware\n", "---\nco2_eq_emissions: ", "{", "[", ""]
    ),
    rest=st.text(max_size=80),
)
def test_no_text_makes_a_reader_fail(start: str, rest: str) -> None:
    """Whatever the text: records, or one line."""
    try:
        found = importers.read(start + rest, name="x")
    except InputError as err:
        assert str(err)
    else:
        assert all(base.identity(0.0, record.id) for record in found.records)


def test_command_reads_into_the_ledger_and_pushes_nothing_twice(tmp_path: Path) -> None:
    """The file twice is one run; --out writes lines; --json tells what was left out."""
    home, csv = {"SOOTPRINT_HOME": str(tmp_path / "home")}, tmp_path / "emissions.csv"
    csv.write_text(table(THIRD, {}, {"run_id": "bad", "emissions": "x"}))
    for _ in range(2):
        done = CliRunner().invoke(app, ["import", "codecarbon", str(csv)], env=home)
        assert (done.exit_code, done.stdout) == (0, "1 record in the ledger, 1 row left out\n")
        assert "line 3: emissions is 'x'" in done.stderr
    assert len(json.loads(CliRunner().invoke(app, ["runs", "--json"], env=home).stdout)) == 1
    out = tmp_path / "out.jsonl"
    assert CliRunner().invoke(app, ["import", "auto", str(csv), "--out", str(out)], env=home).exit_code == 0
    assert Footprint.from_json(out.read_text()).name == "thesis"
    strict = CliRunner().invoke(app, ["import", "auto", str(csv), "--strict", "--json"], env=home)
    assert strict.exit_code == 1
    assert json.loads(strict.stdout)["left_out"][0]["where"] == "line 3"
    shown = CliRunner().invoke(app, ["hub", "push", str(csv), "--dry-run"], env=home)
    assert json.loads(shown.stdout)[0]["name"] == "thesis"
    assert CliRunner().invoke(app, ["import", "auto"], env=home).exit_code == 2


def test_lines_are_those_of_the_file() -> None:
    """Blank lines before the head count, and the blank name of an index column is one, whatever parts the columns."""
    found = importers.read("\n \n" + table(SECOND, {"emissions": "x"}, {"run_id": "b"}), name="emissions.csv")
    assert [left.where for left in found.left_out] == ["line 4"]
    assert one(table(f",{SECOND}", parted="\t")).name == "thesis"


def test_run_that_read_nothing_is_told() -> None:
    """0 kWh in an hour is what no computer draws, and what CodeCarbon writes where it could read nothing."""
    nothing = {
        "emissions": "0",
        **dict.fromkeys(("energy_consumed", "cpu_energy", "gpu_energy", "ram_energy"), "0"),
    }
    assert any(
        "0 W, less than any computer draws" in warning for warning in one(table(SECOND, nothing)).warnings
    )
    assert not any("less than any" in warning for warning in one(table(SECOND)).warnings)


def test_what_codecarbon_writes_where_nobody_stated_it_is_unknown() -> None:
    """A PUE of 1 and water of 0 without a use of water are no statements; a PUE or water that is told is kept."""
    unstated = one(table(THIRD, {"pue": "1.0", "wue": "0.0", "water_consumed": "0.0"}))
    assert {"pue", "water_l"} <= set(unstated.unknown)
    assert (unstated.water_l, unstated.boundary) == (None, "node")
    assert unstated.pue is not None
    assert (unstated.pue.value, unstated.pue.basis) == (1.0, "assumed")
    told = one(table(THIRD, {"pue": "1.25", "wue": "", "water_consumed": "0.4"}))
    assert told.pue is not None
    assert told.water_l is not None
    assert (told.pue.value, told.water_l.value) == (1.25, 0.4)
    assert not {"pue", "water_l"} & set(told.unknown)
