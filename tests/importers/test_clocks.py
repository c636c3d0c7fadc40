"""Times of a tool's own clock: said to be taken for UTC, or read in the zone that is stated; the run stays the same."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from sootprint import importers
from sootprint.cli import app
from sootprint.core import utc
from sootprint.core.errors import InputError
from sootprint.core.records import Footprint
from sootprint.importers import clocks
from tests.importers.examples import ECO2AI, EXAMPLES, STANDARD
from tests.importers.test_boamps import changed
from tests.importers.test_importers import SECOND, table
from tests.importers.test_mlperf_power import line
from tests.importers.test_slurm_sacct import text, tree

WALL = "\n".join(line(second, 100) for second in (0, 10, 20, 600, 610))
LOCAL = {
    "codecarbon": table(SECOND),
    "carbontracker": STANDARD,
    "eco2ai": ECO2AI,
    "slurm-sacct": text({}),
    "mlperf-power": WALL,
    "template": "energy_kwh,zone,started\n1,FR,2025-03-01T10:00:00\n",
    "boamps": json.dumps(changed("measures", 0, "measurementDateTime", to="2025-03-01T10:00:00")),
}
SECONDS = {"Submit": "1740819600", "Start": "1740823200", "End": "1740830400"}
ZONED = {
    "codecarbon": table(SECOND, {"timestamp": "2024-05-01T12:00:00-05:00"}),
    "slurm-sacct": text(SECONDS),
    "slurm-sacct as JSON": tree(),
    "template": "energy_kwh,zone,started\n1,FR,2025-03-01T10:00:00+01:00\n",
    "template, a day": "energy_kwh,zone,started\n1,FR,2025-03-01\n",
    "boamps": json.dumps(changed("measures", 0, "measurementDateTime", to="2025-03-01T10:00:00Z")),
} | {one.form: one.text for one in EXAMPLES if one.form in ("zeus", "mlflow", "wandb", "hf-card", "mlco2")}
Command = Callable[..., Any]


def one(source: str) -> Footprint:
    """The first record of a text."""
    return importers.read(source, name="x").records[0]


@pytest.fixture
def command(tmp_path: Path) -> Command:
    """The command in a home of its own."""
    env = {"SOOTPRINT_HOME": str(tmp_path / "home"), "COLUMNS": "160"}
    return lambda *words, stdin=None: CliRunner().invoke(app, list(words), env=env, input=stdin)


@pytest.mark.parametrize("form", LOCAL)
def test_time_of_a_tools_own_clock_is_said_to_be(form: str) -> None:
    """By the same remark in every format; two hours before UTC it is two hours earlier, and the same run."""
    record = one(LOCAL[form])
    assert clocks.LOCAL in record.warnings
    made = clocks.read_in(record, "Etc/GMT-2", utc.zone("Etc/GMT-2"))
    assert made.id == record.id
    assert clocks.LOCAL not in made.warnings
    assert made.given["timezone"] == "Etc/GMT-2"
    for before, after in ((record.started, made.started), (record.ended, made.ended)):
        if before is not None and after is not None:
            assert (utc.instant(before) - utc.instant(after)).total_seconds() == 7200.0
    assert Footprint.from_json(made.to_json()) == made


@pytest.mark.parametrize("form", ZONED)
def test_time_that_tells_its_zone_is_left_alone(form: str) -> None:
    """Also a bare day, which is of no clock."""
    record = one(ZONED[form])
    assert clocks.LOCAL not in record.warnings
    assert clocks.read_in(record, "Asia/Tokyo", utc.zone("Asia/Tokyo")) == record


def test_all_times_of_a_record_move() -> None:
    """Those of its course and its gaps, too, in summer by one hour more than in winter."""
    record = one(WALL)
    made = clocks.read_in(record, "Europe/Berlin", utc.zone("Europe/Berlin"))
    assert (record.started, made.started) == ("2020-12-23T10:00:00.000Z", "2020-12-23T09:00:00.000Z")
    assert [gap.start for gap in made.gaps] == ["2020-12-23T09:00:20.000Z"]
    assert {part.start[11:13] for part in made.intervals} == {"09"}
    summer = one(LOCAL["template"].replace("-03-", "-07-"))
    moved = clocks.read_in(summer, "Europe/Berlin", utc.zone("Europe/Berlin"))
    assert moved.started == "2025-07-01T08:00:00Z"


def test_seconds_since_1970_are_the_job_that_the_zone_makes(command: Command) -> None:
    """`SLURM_TIME_FORMAT=%s` and JSON tell the instant; local time tells it with its zone."""
    seconds, as_json = one(text(SECONDS)), one(tree())
    assert (seconds.started, seconds.ended, seconds.id) == (as_json.started, as_json.ended, as_json.id)
    done = command("import", "-", "--json", "--timezone", "America/New_York", stdin=text({}))
    (made,) = json.loads(done.stdout)["records"]
    assert (made["started"], made["ended"]) == ("2025-03-01T15:00:00Z", "2025-03-01T17:00:00Z")


def test_command_tells_once_what_it_takes_for_utc(command: Command) -> None:
    """One line for all jobs; none where the zone is stated, and the run is corrected and not doubled."""
    source = text({}, {"JobID": "102"})
    said = command("import", "-", stdin=source).stderr
    assert said.count("2 records have times without a zone, taken for UTC") == 1
    done = command("import", "-", "--timezone", "Europe/Berlin", stdin=source)
    assert (done.exit_code, "without a zone" in done.stderr) == (0, False)
    listed = json.loads(command("runs", "--json").stdout)
    assert [run["started"] for run in listed] == ["2025-03-01T09:00:00Z"] * 2


@pytest.mark.parametrize("name", ["Berlin", "", "../etc/passwd", "Europe", "+02:00", "Europe/Berlin\0"])
def test_zone_that_there_is_not_gets_one_line(name: str, command: Command) -> None:
    """Exit code 2, and nothing is in the ledger."""
    with pytest.raises(InputError, match="is not known: name one of the IANA database"):
        utc.zone(name)
    done = command("import", "-", "--timezone", name, stdin=text({}))
    assert (done.exit_code, "time zone" in done.stderr) == (2, True)
    assert json.loads(command("runs", "--json").stdout) == []


def test_time_at_the_end_of_the_calendar_holds_back_no_other(command: Command) -> None:
    """It is left out with the reason; its neighbour is a record."""
    source = "energy_kwh,zone,started\n1,FR,0001-01-01T00:30:00\n2,FR,2025-03-01T10:00:00\n"
    done = command("import", "-", "--timezone", "Asia/Tokyo", stdin=source)
    assert done.stdout == "1 record in the ledger, 1 row left out\n"
    assert "started is 0001-01-01T00:30:00Z: there is no such time in Asia/Tokyo" in done.stderr
