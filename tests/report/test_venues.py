"""Venues: what a record lacks, with the way out; and files that break the rules of such files."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sootprint.cli import app
from sootprint.core.errors import InputError
from sootprint.core.quantity import Quantity
from sootprint.core.records import Footprint, Hardware, Model, Result
from sootprint.estimator import estimate
from sootprint.report import venues

RULE = '[[require]]\nfield = "energy_kwh"\n'


def _missing(footprint: Footprint, name: str, level: str = "must") -> list[str]:
    found = venues.check(footprint, venues.load(name))
    return [" or ".join(one.fields) for one in found if not one.met and one.level == level]


def _estimated() -> Footprint:
    made = estimate(hours=24.0, hardware="A100", count=8, zone="FR", year=2024)
    return dataclasses.replace(made, model=Model(name="m", params=1e9))


def test_conference_takes_an_estimate_and_a_journal_wants_it_measured() -> None:
    """The two shipped examples differ in evidence, start and intervals."""
    assert set(venues.shipped()) >= {"conference", "journal"}
    assert _missing(_estimated(), "conference") == []
    assert _missing(_estimated(), "conference", "should") == ["scope", "results.metric"]
    assert "grade" in _missing(_estimated(), "journal")
    assert "started" in _missing(_estimated(), "journal")


def test_unknown_is_missing_even_where_a_value_stands() -> None:
    """A field that the record itself calls unknown counts as missing; one of a list suffices for none."""
    made = _estimated()
    bare = dataclasses.replace(made, hardware=(), emissions_kg=Quantity(value=1.0), unknown=("pue",))
    assert _missing(bare, "conference") == ["hardware.name", "hardware.count", "emissions_kg"]
    lacking = (*made.hardware, Hardware(kind="accelerator", name=""))
    assert "hardware.name" in _missing(dataclasses.replace(made, hardware=lacking), "conference")
    with_results = dataclasses.replace(made, results=(Result(task="t", metric="m", value=1.0),))
    assert _missing(with_results, "conference", "should") == ["scope"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "name ''"),
        ("x = ", "no TOML"),
        (f'name = "v"\nsurprise = 1\n{RULE}', "'surprise' is not one of"),
        (f'name = "v"\ngrade = "F"\n{RULE}', "grade 'F'"),
        ('name = "v"\n', r"no \[\[require\]\]"),
        ('name = "v"\n[[require]]\nfield = "__class__"\n', "no field of a record"),
        ('name = "v"\n[[require]]\nfield = "energy_kwh"\nlevel = "maybe"\n', "level 'maybe'"),
        ('name = "v"\n[[require]]\nwhy = "x"\n', 'needs one `field = "..."`'),
        ('name = "../v"\n[[require]]\nfield = "pue"\n', "small letters"),
    ],
)
def test_bad_file_of_a_venue_gets_one_line(text: str, words: str) -> None:
    """The line names the value and the rule."""
    with pytest.raises(InputError, match=words):
        venues.parsed(text)


def test_report_checks_a_record_against_a_name_or_a_file(tmp_path: Path) -> None:
    """Exit code 0 where nothing is missing, 1 where something is, 2 where the venue is none."""
    record, own = tmp_path / "run.json", tmp_path / "own.toml"
    record.write_text(_estimated().to_json(), encoding="utf-8")
    own.write_text('name = "own"\n[[require]]\nfield = "water_l"\nhow = "ask the site"\n', encoding="utf-8")
    runner = CliRunner()
    good = runner.invoke(app, ["report", str(record), "--check", "conference", "--json"])
    assert (good.exit_code, json.loads(good.output)["passes"]) == (0, True)
    lacks = runner.invoke(app, ["report", str(record), "--check", str(own)])
    assert lacks.exit_code == 1
    assert "missing  water_l: it is not known" in lacks.output
    assert "ask the site" in lacks.output
    wrong = runner.invoke(app, ["report", str(record), "--check", "nowhere"])
    assert isinstance(wrong.exception, InputError) or wrong.exit_code == 2
