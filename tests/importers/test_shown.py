"""What each tool wrote, as the commands and the hub's page show it after it was imported."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sootprint import importers
from sootprint.cli import app
from sootprint.core.errors import InputError
from sootprint.core.records import Footprint
from sootprint.importers import FORMATS, SAYS
from tests.importers.examples import EXAMPLES, Example
from tests.importers.test_impact_tracker import samples

IDS = [example.form for example in EXAMPLES]


def command(home: Path, *words: str) -> str:
    """What a command prints, where it succeeds."""
    done = CliRunner().invoke(app, list(words), env={"SOOTPRINT_HOME": str(home), "COLUMNS": "100"})
    assert done.exit_code == 0, (words, done.output, done.exception)
    return done.stdout


def test_every_format_has_words() -> None:
    """The page of the hub lists them."""
    assert list(SAYS) == list(FORMATS)
    assert {example.form for example in EXAMPLES} <= set(FORMATS)


@pytest.mark.parametrize("example", EXAMPLES, ids=IDS)
def test_known_file_gives_its_known_energy(example: Example) -> None:
    """The form is told by the text, the energy is that worked out by hand, and the record is one that can be kept."""
    found = importers.read(example.text, name=example.name)
    assert found.form == example.form
    (made,) = found.records
    if example.energy_kwh is not None:
        assert made.energy_kwh is not None
        assert made.energy_kwh.value == pytest.approx(example.energy_kwh, rel=1e-6)
    if example.emissions_kg is not None:
        assert made.emissions_kg is not None
        assert made.emissions_kg.value == pytest.approx(example.emissions_kg, rel=1e-6)
    assert (made.tool, made.warnings != ()) == (example.form, example.form != "hf-card")
    assert Footprint.from_json(made.to_json()) == made


@pytest.mark.parametrize("example", EXAMPLES, ids=IDS)
def test_same_file_twice_is_one_run(example: Example) -> None:
    """Also with the line ends of another system, and with a byte-order mark."""
    first, second = (importers.read(example.text, name=example.name).records for _ in range(2))
    assert first == second
    other = "\ufeff" + example.text.replace("\n", "\r\n")
    assert len(importers.read(other, name=example.name).records) == len(first)


@pytest.mark.parametrize("example", EXAMPLES, ids=IDS)
def test_imported_run_is_shown(example: Example, tmp_path: Path) -> None:
    """By runs, show, report and compare, as text and as JSON; the warnings are told."""
    file, home = tmp_path / example.name, tmp_path / "home"
    file.write_text(example.text, encoding="utf-8")
    for _ in range(2):
        assert command(home, "import", str(file)) == "1 record in the ledger, 0 rows left out\n"
    (listed,) = json.loads(command(home, "runs", "--json"))
    command(home, "runs")
    shown = json.loads(command(home, "show", listed["id"], "--json"))
    assert shown["tool"] == example.form
    told = " ".join(command(home, "show", listed["id"]).replace("│", " ").split())
    assert all(warning[:25] in told for warning in shown["warnings"][:1])
    for form in ("text", "md", "latex", "html", "json"):
        assert command(home, "report", listed["id"], "--format", form)
    (tmp_path / "runs.csv").write_text("name,energy_kwh,emissions_kg,zone\nother,10,3,FR\n")
    command(home, "import", str(tmp_path / "runs.csv"))
    assert command(home, "compare", listed["id"], "other")


@pytest.mark.parametrize("example", EXAMPLES, ids=IDS)
def test_cut_off_file_gives_a_record_or_one_line(example: Example) -> None:
    """At every third of its length, and with its bytes turned about."""
    for part in (1, 2):
        for text in (example.text[: part * len(example.text) // 3], example.text[:-part]):
            try:
                found = importers.read(text, name=example.name, form=example.form)
            except InputError as err:
                assert "\n" not in str(err)
            else:
                assert found.records


@pytest.mark.parametrize("form", [form for form in FORMATS if form != "sootprint"])
@pytest.mark.parametrize("text", ["\x00\x01\x02", "", "\n\n", "{}", "a,b\n1,2\n", "�" * 50, "1e999\n" * 20])
def test_file_of_another_kind_gets_one_line(form: str, text: str) -> None:
    """Binary, empty, another table, letters that were none, numbers that are none."""
    with pytest.raises(InputError) as caught:
        importers.read(text, name="x", form=form)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("form", "name", "text"),
    [
        (
            "mlflow",
            "h.json",
            '[{"key": "system/gpu_0_power_usage_watts", "timestamp": %s, "value": 1}]' % ("9" * 400),
        ),
        ("experiment-impact-tracker", "data.json", samples(3, realtime_carbon_intensity=10**400)),
        ("zeus", "zeus.csv", "start_time,window_name,elapsed_time,gpu0_energy\n1700000000,a,1e-320,5\n"),
        (
            "carbontracker",
            "x.log",
            f"2026-01-01 00:00:00 - carbontracker {'GPU with device(s) A, ' * 50_000}",
        ),
        ("mlco2", "x.md", "A cumulative of 5 hours of computation " * 50_000),
    ],
    ids=lambda value: value if len(value) < 30 else "",
)
def test_numbers_and_texts_without_end_are_refused_or_read(form: str, name: str, text: str) -> None:
    """Whole numbers of 400 digits, a time that adds nothing, and what made a pattern look back at each place."""
    try:
        found = importers.read(text, name=name, form=form)
    except InputError as err:
        assert "\n" not in str(err)
    else:
        assert "realtime" not in found.records[0].to_json()
