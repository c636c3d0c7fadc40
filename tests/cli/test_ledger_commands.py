"""Commands that look at stored runs: runs, show, report, summary, tag, delete, schema."""

from __future__ import annotations

import csv
import dataclasses
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sootprint import Footprint
from sootprint.core.ids import uuid7
from sootprint.ledger import Ledger, keep

from .conftest import PROGRAM


def test_runs_are_listed_newest_first_in_json(call, stored: list[Footprint]) -> None:
    """Other programs rely on these names and this order."""
    listed = json.loads(call("runs", "--json").stdout)
    assert [one["name"] for one in listed] == ["lost", "large", "small"]
    names = ["id", "name", "state", "started", "duration_s", "energy_kwh", "emissions_kg", "part_of", "waits"]
    assert list(listed[0]) == names
    assert {one["state"] for one in listed} == {"finished"}
    assert listed[2]["emissions_kg"]["value"] == pytest.approx(stored[0].emissions_kg.value)
    assert [one["name"] for one in json.loads(call("runs", "--json", "--limit", 1).stdout)] == ["lost"]


def test_runs_table_says_how_many_are_left_out(call, stored: list[Footprint]) -> None:
    """A person sees the newest runs and how to see the rest."""
    text = call("runs", "--limit", 2).stdout
    assert "lost" in text and "small" not in text
    assert "2 of 3 runs" in text
    assert "unknown" in text


def test_runs_without_any_say_how_to_make_one(call) -> None:
    """An empty ledger is no error."""
    result = call("runs")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "sootprint run -- COMMAND" in result.stderr
    assert json.loads(call("runs", "--json").stdout) == []


def test_runs_table_shows_brackets_and_no_control_characters(
    call, own_home: Path, stored: list[Footprint]
) -> None:
    """The name of a run cannot style or steer the terminal."""
    import dataclasses

    from sootprint.core.ids import uuid7
    from sootprint.ledger import keep

    keep(own_home, dataclasses.replace(stored[0], id=uuid7(2e9), name="[red]\x1b[2Jx[/]"))
    text = call("runs").stdout
    assert "[red]" in text and "\x1b" not in text


def test_run_whose_name_has_a_slash_is_found(call, stored: list[Footprint], own_home: Path) -> None:
    """A name such as bert/base is no path of a file; a text that no file can be called is none either."""
    import dataclasses

    from sootprint.core.ids import uuid7
    from sootprint.ledger import keep

    keep(own_home, dataclasses.replace(stored[0], id=uuid7(2e9), name="bert/base"))
    assert json.loads(call("show", "bert/base", "--json").stdout)["name"] == "bert/base"
    for wrong in ("bert/bose", "x" * 300, "\0"):
        refused = call("show", wrong)
        assert refused.exit_code == 2
        assert "no run" in refused.stderr
    assert "./none.txt cannot be read" in call("show", "./none.txt").stderr


@pytest.mark.parametrize("ref", ["latest", "lost"])
def test_show_takes_name_and_latest(call, stored: list[Footprint], ref: str) -> None:
    """`latest` and a name mean the same run here."""
    assert Footprint.from_json(call("show", ref, "--json").stdout) == stored[2]


def test_show_takes_parts_of_an_id(call, stored: list[Footprint]) -> None:
    """The end of an id, as `runs` lists it, and its start are enough where they are unique."""
    assert Footprint.from_json(call("show", stored[0].id[-8:], "--json").stdout) == stored[0]


def test_show_takes_a_file_and_standard_input(call, stored: list[Footprint], tmp_path: Path) -> None:
    """A record that was sent by someone is shown alike."""
    file = tmp_path / "record.json"
    file.write_text(stored[1].to_json(), encoding="utf-8")
    assert Footprint.from_json(call("show", file, "--json").stdout) == stored[1]
    piped = call("show", "-", "--json", input=stored[1].to_json())
    assert Footprint.from_json(piped.stdout) == stored[1]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, ["cannot be read"]),
        (b"not json", ["not a JSON record"]),
        (b"\xff\xfe", ["UTF-8"]),
        (b"[]", ["a list"]),
        (b'{"id": "x", "schema": "9.0"}', ["schema 9.0 is newer", "upgrade"]),
        (b'{"id": "x", "schema": "1.0"}', ["id 'x'"]),
    ],
)
@pytest.mark.parametrize("command", [["show"], ["report"], ["schema", "--check"]])
def test_unreadable_record_is_one_line(
    call, tmp_path: Path, command: list[str], content: bytes | None, words: list[str]
) -> None:
    """Whatever is wrong with a file, one line names the file and the rule."""
    file = tmp_path / "record.json"
    if content is not None:
        file.write_bytes(content)
    result = call(*command, file)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert "record.json" in result.stderr
    assert [word for word in words if word not in result.stderr] == []


def test_unknown_run_names_the_nearest(call, stored: list[Footprint]) -> None:
    """A misspelt name gets the names it may mean."""
    result = call("show", "larg")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "large" in result.stderr


def test_report_writes_the_form_that_the_name_says(call, stored: list[Footprint], tmp_path: Path) -> None:
    """The end of the file's name chooses the form; nothing is printed."""
    out = tmp_path / "report.json"
    result = call("report", "small", "--out", out)
    assert (result.exit_code, result.stdout) == (0, "")
    assert Footprint.from_json(out.read_text(encoding="utf-8")) == stored[0]


def test_report_prints_text_by_default(call, stored: list[Footprint]) -> None:
    """Without a form, the report is text on stdout."""
    assert call("report", "small").stdout == call("report", "small", "--format", "text").stdout
    assert "CO2e" in call("report", "small").stdout


def test_report_that_cannot_be_written_leaves_nothing(call, stored: list[Footprint], tmp_path: Path) -> None:
    """A missing folder is one line, and no half of a file is anywhere."""
    result = call("report", "small", "--out", tmp_path / "missing" / "report.md")
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert list(tmp_path.rglob("*")) == []


def test_report_keeps_the_old_file_where_the_new_one_fails(
    call, stored: list[Footprint], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that fills while the report is written loses neither the old report nor leaves a draft."""
    out = tmp_path / "report.json"
    out.write_text("old", encoding="utf-8")

    def full(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    result = call("report", "small", "--out", out)
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]
    assert out.read_text(encoding="utf-8") == "old"


def test_report_without_its_extra_says_how_to_install_it(stored: list[Footprint], tmp_path: Path) -> None:
    """The page needs the extra `charts`; without it one line has the command.

    In a process of its own, as this one may have loaded the drawings for another test.
    """
    out = tmp_path / "report.html"
    without = "import sys; sys.modules.update(altair=None, vl_convert=None)"
    command = [sys.executable, "-c", f"{without}; {PROGRAM[-1]}", "report", "small", "--out", str(out)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (result.returncode, result.stderr.count("\n"), out.exists()) == (2, 1, False)
    assert "pip install" in result.stderr and "sootprint[charts]" in result.stderr


def test_json_and_another_form_contradict(call, stored: list[Footprint]) -> None:
    """Two forms at once are refused."""
    assert call("report", "small", "--json", "--format", "md").exit_code == 2
    assert Footprint.from_json(call("report", "small", "--json").stdout) == stored[0]


def test_summary_adds_up_by_project(call, stored: list[Footprint]) -> None:
    """The two runs of a project are one line, and the total is of all three."""
    data = json.loads(call("summary", "--json").stdout)
    rows = {row["key"]: row for row in data["rows"]}
    expected = stored[0].emissions_kg.value + stored[1].emissions_kg.value
    assert rows["thesis"]["runs"] == 2
    assert rows["thesis"]["emissions_kg"]["value"] == pytest.approx(expected)
    assert data["total"]["runs"] == 3
    assert data["total"]["emissions_kg"]["value"] == pytest.approx(expected + stored[2].emissions_kg.value)
    bounds = data["total"]["emissions_kg"]
    assert bounds["low"] < bounds["value"] < bounds["high"]


@pytest.mark.parametrize(
    ("by", "keys"), [("month", {"2026-10", "2026-11"}), ("tag", {"seed=1", "seed=2", None})]
)
def test_summary_groups_by_month_and_tag(
    call, stored: list[Footprint], by: str, keys: set[str | None]
) -> None:
    """A run counts in the month of its start and under each of its tags."""
    data = json.loads(call("summary", "--by", by, "--json").stdout)
    assert {row["key"] for row in data["rows"]} == keys
    assert (data["total"] is None) == (by == "tag")


def test_summary_by_one_tag_adds_up_its_values_and_those_without(call, stored: list[Footprint]) -> None:
    """Each value is a row with its interval, untagged runs are one, and together they are the total."""
    data = json.loads(call("summary", "--by", "tag:seed", "--json").stdout)
    rows = {row["key"]: row for row in data["rows"]}
    known = {"1": stored[0], "2": stored[1], None: stored[2]}
    assert (data["by"], rows.keys()) == ("tag:seed", known.keys())
    for key, record in known.items():
        told, own = rows[key]["emissions_kg"], record.emissions_kg
        assert [told[name] for name in ("value", "low", "high")] == pytest.approx(
            [own.value, own.low, own.high]
        )
    assert data["total"]["emissions_kg"]["value"] == pytest.approx(
        sum(one.emissions_kg.value for one in stored)
    )
    lines = call("summary", "--by", "tag:seed").stdout.splitlines()
    assert lines[0].startswith("seed") and any(line.startswith("(none)") for line in lines)
    for wrong, way_out in (("tag:sead", "there are seed"), ("tags", "tag:KEY"), ("user", "user")):
        refused = call("summary", "--by", wrong)
        assert (refused.exit_code, refused.stdout, refused.stderr.count("\n")) == (2, "", 1)
        assert way_out in refused.stderr


def test_summary_by_team_and_year_adds_up_and_goes_into_a_table(
    call, own_home: Path, stored: list[Footprint], tmp_path: Path
) -> None:
    """Several things at once: a row for each pair that there is, in their order, the same in the file as on screen."""
    keep(own_home, dataclasses.replace(stored[0], id=uuid7(2e9), started="2024-05-01T00:00:00.000Z"))
    out = tmp_path / "sums.csv"
    data = json.loads(call("summary", "--by", "project, year", "--out", out, "--json").stdout)
    assert [row["keys"] for row in data["rows"]] == [["thesis", "2024"], ["thesis", "2026"], [None, "2026"]]
    assert [row["runs"] for row in data["rows"]] == [1, 2, 1]
    assert data["rows"][2]["key"] == "(none), 2026"
    rows = list(csv.DictReader(out.read_text(encoding="utf-8").splitlines()))
    assert [(row["project"], row["year"]) for row in rows] == [
        ("thesis", "2024"),
        ("thesis", "2026"),
        ("", "2026"),
    ]
    total = sum(float(row["emissions_kg"]) for row in rows)
    assert total == pytest.approx(data["total"]["emissions_kg"]["value"])
    assert float(rows[0]["emissions_kg_low"]) == stored[0].emissions_kg.low
    head, _, first, *_ = call("summary", "--by", "project,year").stdout.splitlines()
    assert head.split()[:3] == ["project", "year", "runs"]
    assert first.split()[:3] == ["thesis", "2024", "1"]


def test_summary_by_time_is_in_the_order_of_time(call, own_home: Path, stored: list[Footprint]) -> None:
    """The largest month is not the first one: months and years follow each other, and a year adds up its months."""
    keep(own_home, dataclasses.replace(stored[0], id=uuid7(2e9), started="2024-05-01T00:00:00.000Z"))
    for by, keys in (("month", ["2024-05", "2026-10", "2026-11"]), ("year", ["2024", "2026"])):
        data = json.loads(call("summary", "--by", by, "--json").stdout)
        assert [row["key"] for row in data["rows"]] == keys
    assert [row["runs"] for row in data["rows"]] == [1, 3]


def test_summary_on_a_narrow_terminal_keeps_what_it_is_by(
    call, own_home: Path, stored: list[Footprint], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On 60 columns the idle share goes first: no key is folded letter by letter, and emissions keep their interval."""
    long = "a project whose name does not stand in one line of a terminal"
    keep(own_home, dataclasses.replace(stored[0], id=uuid7(2e9), project=long))
    monkeypatch.setenv("COLUMNS", "60")
    head, *lines = call("summary", "--by", "project,year").stdout.splitlines()
    assert head.split()[:3] == ["project", "year", "runs"] and "idle" not in head
    assert any(line.startswith("thesis ") for line in lines)
    assert max(map(len, lines)) <= 60
    bounds = next(line for line in lines if line.startswith("thesis "))
    assert " to " in bounds and "…" not in bounds
    monkeypatch.setenv("COLUMNS", "120")
    assert "idle" in call("summary", "--by", "project,year").stdout.splitlines()[0]


def test_summary_says_why_a_sum_has_no_interval(call, own_home: Path, stored: list[Footprint]) -> None:
    """One number without bounds leaves its sums without: an empty column is explained."""
    assert "no interval" not in call("summary").stdout
    claim = dataclasses.replace(stored[0].emissions_kg, low=None, high=None)
    keep(own_home, dataclasses.replace(stored[0], id=uuid7(2e9), emissions_kg=claim))
    text = call("summary").stdout
    assert (
        text.splitlines()[-1] == "no interval where a run of the sum states none, as what other tools wrote"
    )


@pytest.mark.parametrize(
    ("options", "way_out"),
    [
        (("--by", "project,yaer"), "choose project, month, year, tag"),
        (("--by", "project,"), "e.g. project,year"),
        (("--out", "sums.xlsx"), "must end in .csv"),
    ],
)
def test_summary_refuses_what_it_cannot_sum(
    call, stored: list[Footprint], options: tuple[str, ...], way_out: str
) -> None:
    """One line with the way out, and no file."""
    refused = call("summary", *options)
    assert (refused.exit_code, refused.stdout, refused.stderr.count("\n")) == (2, "", 1)
    assert way_out in refused.stderr
    assert not Path("sums.xlsx").exists()


def test_summary_text_has_a_total(call, stored: list[Footprint]) -> None:
    """A person reads the sum below the projects."""
    lines = call("summary").stdout.splitlines()
    assert lines[-1].startswith("total")
    assert any(line.startswith("thesis") for line in lines)
    assert any(line.startswith("(none)") for line in lines)


def test_summary_tells_what_was_spent_idle(call, own_home: Path, stored: list[Footprint]) -> None:
    """A quarter of the one run that tells it; runs that do not tell are in neither number, and have a dash."""
    (part, *_) = stored[0].components
    idle = dataclasses.replace(part, idle_kwh=0.25 * part.energy_kwh.value)
    told = dataclasses.replace(
        stored[0], id=uuid7(time.time() + 9), project="waste", components=(idle,), energy_kwh=part.energy_kwh
    )
    keep(own_home, told)
    data = json.loads(call("summary", "--json").stdout)
    rows = {row["key"]: row for row in data["rows"]}
    assert rows["waste"]["idle_kwh"] == pytest.approx(0.25 * rows["waste"]["metered_kwh"])
    assert (rows["thesis"]["idle_kwh"], rows["thesis"]["metered_kwh"]) == (None, 0.0)
    assert data["total"]["idle_kwh"] == rows["waste"]["idle_kwh"]
    lines = call("summary").stdout.splitlines()
    assert "25 %" in next(line for line in lines if line.startswith("waste"))
    assert "–" in next(line for line in lines if line.startswith("thesis"))


def test_tag_sets_removes_and_lists(call, stored: list[Footprint]) -> None:
    """Tags change, the other tags stay, and without a change they are listed."""
    assert call("tag", "small", "model=mlp", "seed=7").stdout == "model=mlp\nseed=7\n"
    assert json.loads(call("tag", "small", "--remove", "seed", "--json").stdout)["tags"] == {"model": "mlp"}
    assert call("tag", "small").stdout == "model=mlp\n"


def test_results_of_a_run_are_set_replaced_and_taken_away(call, stored: list[Footprint]) -> None:
    """A run gets what a leaderboard needs after its end; each change is a version, and none is one without."""
    board = "Image Classification/ImageNet/Top-1 accuracy"
    assert call("tag", "small", "--model", "Tiny-1", "--result", f"{board}=50").exit_code == 0
    call("tag", "small", "--result", f"{board}=51.5", "--result", "fairness:A/B/C=0.1", "later=1")
    listed = ["later=1", "seed=1", "model: Tiny-1", f"{board}=51.5", "fairness:A/B/C=0.1"]
    assert call("tag", "small").stdout.splitlines() == listed
    left = json.loads(call("tag", "small", "--remove", board, "--remove", "later", "--json").stdout)
    assert (left["model"], left["tags"], [one["kind"] for one in left["results"]]) == (
        "Tiny-1",
        {"seed": "1"},
        ["fairness"],
    )
    wrong = call("tag", "small", "--result", "A/B=1")
    assert (wrong.exit_code, wrong.stderr.count("\n")) == (2, 1)


@pytest.mark.parametrize("wrong", ["seed", "=1"])
def test_tag_that_is_no_pair_is_refused(call, stored: list[Footprint], wrong: str) -> None:
    """A tag is KEY=VALUE, and nothing is changed otherwise."""
    result = call("tag", "small", "good=1", wrong)
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert call("tag", "small").stdout == "seed=1\n"


def test_delete_asks_nobody_where_nobody_is(call, own_home: Path, stored: list[Footprint]) -> None:
    """Without a terminal and without --yes, nothing is deleted."""
    result = call("delete", "small")
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert "--yes" in result.stderr
    with Ledger(own_home) as ledger:
        assert len(ledger.runs()) == 3


def test_delete_takes_all_or_nothing(call, own_home: Path, stored: list[Footprint]) -> None:
    """A wrong name among several stops before anything is deleted."""
    assert call("delete", "small", "nonsense", "--yes").exit_code == 2
    assert call("delete", "small", "latest", "--yes", "--json").exit_code == 0
    with Ledger(own_home) as ledger:
        assert [row.name for row in ledger.runs()] == ["large"]


def test_schema_checks_a_record(call, stored: list[Footprint], tmp_path: Path) -> None:
    """A good record is called valid, and what a newer version added is named."""
    file = tmp_path / "record.json"
    file.write_text(json.dumps({**json.loads(stored[0].to_json()), "novel": 1}), encoding="utf-8")
    result = call("schema", "--check", file)
    assert result.exit_code == 0
    assert "valid record of schema 1.0" in result.stdout and "/novel" in result.stdout
    assert json.loads(call("schema", "--check", file, "--json").stdout)["valid"] is True


def test_schema_is_a_json_schema(call) -> None:
    """The schema names its draft and the record's fields."""
    schema = json.loads(call("schema").stdout)
    assert schema["$schema"].endswith("2020-12/schema")
    assert "emissions_kg" in schema["properties"]
