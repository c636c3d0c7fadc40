"""`sootprint export` and `sootprint run --export`: records reach their places, or wait for them and say so."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, ClassVar

import pytest
from tests.cli.conftest import PROGRAM
from tests.fixtures.collector import Collector

from sootprint import Footprint
from sootprint.core.errors import ExportError, RefusedError
from sootprint.exporters.outbox import Outbox
from sootprint.ledger import Ledger

LONG_S = 120.0
SECRET = "pa55word"
AWAY = "opentelemetry:http://127.0.0.1:9"
# Waits for the places as long as a busy machine may need.
PATIENT = (
    "from sootprint.runner import exporting; exporting.WAIT_S = 50.0; from sootprint.cli import main; main()"
)
TRACKED = """
import sootprint
with sootprint.track("tracked", zone="FR"):
    sum(range(100_000))
"""


@pytest.fixture
def collector() -> Iterator[Collector]:
    """A collector."""
    with Collector() as made:
        yield made


def patient(*arguments: object, **given: Any) -> subprocess.CompletedProcess[str]:
    """The finished process of the command line, which waits for what the places answer."""
    command = [sys.executable, "-c", PATIENT, *(str(one) for one in arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, **given)


def ids(path: Path) -> list[str]:
    """Ids of the records of a file of JSON lines, oldest first."""
    return [Footprint.from_json(line).id for line in path.read_text().splitlines()]


def test_runs_go_to_every_place_that_is_named(
    call: Callable[..., Any], stored: list[Footprint], tmp_path: Path, collector: Collector
) -> None:
    """Two runs to a file, a table and a collector; told again, no file has them twice."""
    lines, table = tmp_path / "runs.jsonl", tmp_path / "runs.csv"
    places = ["--to", f"jsonl:{lines}", "--to", f"csv:{table}", "--to", f"opentelemetry:{collector.address}"]
    for _ in range(2):
        done = call("export", "small", "large", *places)
        assert done.exit_code == 0, done.stderr
        assert f"2 records in jsonl:{lines}" in done.stdout
    assert ids(lines) == [one.id for one in stored[:2]]
    assert len(table.read_text().splitlines()) == 3
    assert {one.resource["sootprint.run.name"] for one in collector.points()} == {"small", "large"}


def test_tag_is_a_later_version_that_follows(
    call: Callable[..., Any], stored: list[Footprint], tmp_path: Path
) -> None:
    """The record as it is now, below the one that was."""
    path = tmp_path / "runs.jsonl"
    call("export", "small", "--to", f"jsonl:{path}")
    call("tag", "small", "seed=7")
    call("export", "small", "--to", f"jsonl:{path}")
    assert [json.loads(line)["tags"]["seed"] for line in path.read_text().splitlines()] == ["1", "7"]


def test_place_that_is_away_keeps_no_other_from_its_record(
    call: Callable[..., Any], stored: list[Footprint], tmp_path: Path, own_home: Path
) -> None:
    """It is told in one line with exit code 1, and the next export sends what waits."""
    path = tmp_path / "runs.jsonl"
    done = call("export", "small", "--to", AWAY, "--to", f"jsonl:{path}", "--json")
    assert done.exit_code == 1
    away, lines = json.loads(done.stdout)
    assert (away["place"], away["delivered"], away["waiting"]) == (AWAY, 0, 1)
    assert "does not answer" in away["failed"]
    assert (lines["delivered"], lines["failed"]) == (1, None)
    again = call("export")
    assert again.exit_code == 1
    assert "the record waits, and `sootprint export` sends" in again.stderr
    assert len(Outbox(own_home, AWAY).waiting()) == 1


def test_what_waits_is_sent_by_the_next_export(
    call: Callable[..., Any], stored: list[Footprint], collector: Collector, own_home: Path
) -> None:
    """A collector that is up again gets the record, with no run named and nothing in the settings."""
    place = f"opentelemetry:{collector.address}"
    collector.status = 503
    assert call("export", "small", "--to", place).exit_code == 1
    collector.status = 200
    done = call("export")
    assert (done.exit_code, done.stdout) == (0, f"1 record in {place}\n")
    assert "nothing waits" in call("export").stderr
    assert len(collector.bodies) == 1


def test_refused_record_is_put_aside_with_its_reason(
    call: Callable[..., Any], stored: list[Footprint], collector: Collector, own_home: Path
) -> None:
    """It does not come again."""
    collector.status, collector.answer = 400, b'{"message":"no such metric"}'
    done = call("export", "small", "--to", f"opentelemetry:{collector.address}", "--json")
    assert done.exit_code == 1
    (refused,) = json.loads(done.stdout)[0]["refused"]
    assert "no such metric" in refused["error"]
    assert "no such metric" in Path(refused["file"]).with_suffix(".txt").read_text()
    assert json.loads(Path(refused["file"]).read_text())["id"] == stored[0].id
    assert "nothing waits" in call("export").stderr


def test_damaged_file_of_the_outbox_is_put_aside(
    call: Callable[..., Any], stored: list[Footprint], tmp_path: Path, own_home: Path
) -> None:
    """It holds up no other."""
    place = f"jsonl:{tmp_path}/runs.jsonl"
    box = Outbox(own_home, place)
    box.put(stored[0]).write_text('{"id": "cut')
    done = call("export", "large", "--to", place)
    assert done.exit_code == 1
    assert "put aside" in done.stderr
    assert ids(tmp_path / "runs.jsonl") == [stored[1].id]


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("jsonl:", "must name a file"),
        ("jsonl:/there/is/none/x.jsonl", "no folder"),
        ("csv:/", "is no file"),
        ("prometheus:/tmp/x.txt", "ends in .prom"),
        ("opentelemetry:", "must be an address"),
        ("opentelemetry:ftp://x", "must be an address"),
        (f"opentelemetry:http://me:{SECRET}@127.0.0.1:9", "without a password"),
        (f"opentelemetry:http://127.0.0.1:9/?key={SECRET}", "without ? and #"),
        (f"mlflow:http://me:{SECRET}@127.0.0.1:9", "no password or query"),
        (f"theirs:https://x.example/hook?token={SECRET}", "no password or query"),
        ("jsnol:x", "no installed package offers 'jsnol' in sootprint.exporters; built in are jsonl, csv"),
        ("mlflow", "mlflow is not installed in the environment of Sootprint: pip install mlflow"),
        ("wandb:thesis", "wandb is not installed in the environment of Sootprint: pip install wandb"),
        ("", "no place is named"),
        ("none", "no place is named"),
        ("://", "must be places"),
    ],
)
def test_place_that_cannot_be_used_is_one_line_with_exit_code_2(
    call: Callable[..., Any], stored: list[Footprint], own_home: Path, place: str, words: str
) -> None:
    """Before anything is sent or stored, and never with the password that it held."""
    good = own_home / "good.jsonl"
    for command in (
        ("export", "small", "--to", place, *(("--to", f"jsonl:{good}") if place not in ("", "none") else ())),
        *((("run", "--export", place, "--", "true"),) if place not in ("", "none") else ()),
    ):
        done = call(*command)
        assert (done.exit_code, done.stdout) == (2, "")
        assert words in done.stderr
        assert SECRET not in done.stderr
        assert done.stderr.count("\n") == 1
    assert not good.exists()
    assert not (own_home / "outbox").exists()


def test_password_of_a_hubs_address_is_not_printed(call: Callable[..., Any], monkeypatch) -> None:
    """The line that refuses it has the address without it."""
    monkeypatch.setenv("SOOTPRINT_HUB", f"https://me:{SECRET}@hub.example.org")
    done = call("config")
    assert done.exit_code == 2
    assert "without a password" in done.stderr
    assert SECRET not in done.stderr


def test_dry_run_prints_what_would_leave(
    call: Callable[..., Any], stored: list[Footprint], own_home: Path
) -> None:
    """And writes nothing."""
    done = call("export", "small", "--to", f"jsonl:{own_home}/x.jsonl", "--dry-run")
    assert [one["id"] for one in json.loads(done.stdout)] == [stored[0].id]
    assert not (own_home / "x.jsonl").exists()


def test_projects_file_cannot_name_places(call: Callable[..., Any], tmp_path: Path, monkeypatch) -> None:
    """A repository that was cloned writes no file of the user and sends no run anywhere."""
    (tmp_path / "sootprint.toml").write_text('exporters = ["jsonl:~/.bashrc"]\n')
    monkeypatch.chdir(tmp_path)
    done = call("runs")
    assert done.exit_code == 2
    assert "`exporters` may stand only in your own sootprint.toml" in done.stderr


def test_settings_of_the_user_count_and_paths_are_absolute(
    call: Callable[..., Any], stored: list[Footprint], own_home: Path, tmp_path: Path, monkeypatch
) -> None:
    """A relative path is of the folder in which the command was given."""
    (own_home / "sootprint.toml").write_text('exporters = ["jsonl:runs.jsonl"]\n')
    monkeypatch.chdir(tmp_path)
    assert call("export", "small").exit_code == 0
    assert ids(tmp_path / "runs.jsonl") == [stored[0].id]
    monkeypatch.setenv("SOOTPRINT_EXPORTERS", "csv:a.csv, csv:b.csv")
    assert call("export", "small").exit_code == 0
    assert (tmp_path / "a.csv").read_text() == (tmp_path / "b.csv").read_text()


def test_run_exports_its_record_after_its_end(own_home: Path, tmp_path: Path, collector: Collector) -> None:
    """To each place, with the command's own exit code and output; the place that is away is one line."""
    lines = tmp_path / "runs.jsonl"
    places = [f"jsonl:{lines}", f"opentelemetry:{collector.address}", AWAY]
    options = [part for place in places for part in ("--export", place)]
    code = "print('trained'); raise SystemExit(3)"
    done = patient("run", "--zone", "FR", *options, "--", sys.executable, "-c", code, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (3, "trained\n")
    assert f"1 record in jsonl:{lines}" in done.stderr
    assert f"{AWAY}: http://127.0.0.1:9/v1/metrics does not answer" in done.stderr
    with Ledger(own_home) as ledger:
        (row,) = ledger.runs()
    assert ids(lines) == [row.id]
    assert {one.resource["sootprint.run.id"] for one in collector.points()} == {row.id}
    assert [one.name.partition(".")[0] for one in Outbox(own_home, AWAY).waiting()] == [row.id]
    assert [Outbox(own_home, place).promised() for place in places] == [[], [], []]


def test_quiet_run_tells_only_what_failed(tmp_path: Path) -> None:
    """A line for the place that is away, none for the one that has the record."""
    options = ["--export", f"jsonl:{tmp_path}/x.jsonl", "--export", AWAY]
    done = patient("run", "--quiet", "--zone", "FR", *options, "--", "true")
    assert [AWAY in line for line in done.stderr.splitlines()] == [True]


def test_place_that_hangs_holds_up_the_end_of_a_run_within_bounds(
    program: Callable[..., Any], own_home: Path, collector: Collector
) -> None:
    """The run ends before the place does, which is given up after 20 s; the record goes on in the background."""
    collector.drip_s, collector.answer = 0.2, b""
    done = program("run", "--zone", "FR", "--export", f"opentelemetry:{collector.address}", "--", "true")
    assert done.returncode == 0
    assert "sent in the background" in done.stderr
    assert len(Outbox(own_home, f"opentelemetry:{collector.address}").waiting()) == 1


def test_command_that_is_not_there_leaves_no_promise(program: Callable[..., Any], own_home: Path) -> None:
    """Nothing was measured, so nothing is to be sent."""
    done = program("run", "--export", AWAY, "--", "there-is-no-such-program")
    assert done.returncode == 127
    assert Outbox(own_home, AWAY).promised() == []


def test_killed_run_is_recovered_and_sent(call: Callable[..., Any], own_home: Path, tmp_path: Path) -> None:
    """Kill -9 of the process that measures: the next export finishes the record and writes it, once."""
    path = tmp_path / "runs.jsonl"
    command = [
        *PROGRAM,
        "run",
        "--zone",
        "FR",
        "--export",
        f"jsonl:{path}",
        "--",
        sys.executable,
        "-c",
        "input()",
    ]
    box = Outbox(own_home, f"jsonl:{path}")
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL) as running:
        journals, until_s = own_home / "journal", time.monotonic() + LONG_S
        while time.monotonic() < until_s and not (
            box.promised() and sum(len(one.read_bytes().splitlines()) for one in journals.glob("*")) > 3
        ):
            time.sleep(0.05)
        (key,) = box.promised()
        running.send_signal(signal.SIGKILL)
    for expected in (f"1 record in jsonl:{path}", "nothing waits"):
        done = call("export")
        assert expected in done.stdout + done.stderr
    assert ids(path) == [key]


def test_deleted_run_is_sent_nowhere(
    call: Callable[..., Any], stored: list[Footprint], collector: Collector, own_home: Path
) -> None:
    """What waited for a collector that was away, what was promised and what was refused, goes with the run."""
    place = f"opentelemetry:{collector.address}"
    collector.status = 503
    assert call("export", "small", "large", "--to", place).exit_code == 1
    box = Outbox(own_home, place)
    box.promise(stored[0].id)
    refused = box.refuse(box.put(stored[0]), "not mine")
    call("export", "small", "--to", place)
    assert call("delete", "small", "--yes").exit_code == 0
    assert list(refused.parent.iterdir()) == []
    collector.status = 200
    assert call("export").stdout == f"1 record in {place}\n"
    assert {one.resource["sootprint.run.name"] for one in collector.points()} == {"large"}


def test_process_that_sends_on_holds_no_lock_of_the_script_around(
    own_home: Path, tmp_path: Path, collector: Collector
) -> None:
    """As of `flock`: the run has ended, and the next job can start while a place still hangs."""
    import fcntl

    collector.drip_s, collector.answer = 0.2, b""
    place = f"opentelemetry:{collector.address}"
    with (tmp_path / "lock").open("w") as file:
        os.set_inheritable(file.fileno(), True)
        fcntl.flock(file, fcntl.LOCK_EX)
        command = [*PROGRAM, "run", "--quiet", "--zone", "FR", "--export", place, "--", "true"]
        done = subprocess.run(command, close_fds=False, capture_output=True, text=True, timeout=LONG_S)
        assert "in the background" in done.stderr
    with (tmp_path / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_program_that_tracks_itself_sends_nothing_until_the_next_export(
    call: Callable[..., Any], own_home: Path, tmp_path: Path, collector: Collector
) -> None:
    """No file is written and nobody is asked while it runs; what it promised is sent by the next export."""
    path = tmp_path / "runs.jsonl"
    places = f"jsonl:{path},opentelemetry:{collector.address}"
    env = {**os.environ, "SOOTPRINT_EXPORTERS": places}
    done = subprocess.run([sys.executable, "-c", TRACKED], env=env, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert not path.exists()
    assert collector.headers == []
    (key,) = Outbox(own_home, f"jsonl:{path}").promised()
    assert call("export").exit_code == 0
    assert ids(path) == [key]
    assert {one.resource["sootprint.run.id"] for one in collector.points()} == {key}
    assert "nothing waits" in call("export").stderr


class Third:
    """An exporter of another package."""

    name = "third"
    written: ClassVar[list[str]] = []

    def __init__(self, at: str, settings: Any) -> None:
        if at == "broken":
            raise KeyError("broken")
        self.at = at

    def write(self, footprint: Footprint) -> None:
        """Keep a name, or fail as told."""
        errors = {
            "refuses": RefusedError("not mine"),
            "away": ExportError("away"),
            "crashes": ZeroDivisionError(f"at http://me:{SECRET}@x/\nsecond line"),
        }
        if self.at in errors:
            raise errors[self.at]
        sys.stdout.write("a word of another package\n")
        Third.written.append(f"{self.at} {footprint.name}")


@pytest.mark.parametrize(
    ("at", "code", "words"),
    [
        ("well", 0, "1 record in third:well"),
        ("refuses", 1, "third:refuses refused a record"),
        ("away", 1, "third:away: away; the record waits"),
        ("crashes", 1, "third:crashes: ZeroDivisionError: at http://***@x/ second line; the record waits"),
        ("broken", 2, "the exporter third does not work: KeyError"),
    ],
)
def test_exporter_of_another_package_is_used_by_its_entry_point(
    call: Callable[..., Any], stored: list[Footprint], monkeypatch, at: str, code: int, words: str
) -> None:
    """Whatever it raises is one line, and what it prints is in no JSON."""
    point = EntryPoint(name="third", value=f"{__name__}:Third", group="sootprint.exporters")
    monkeypatch.setattr(EntryPoint, "load", lambda self: Third)
    found = {("sootprint.exporters", "third"): [point]}
    monkeypatch.setattr(
        "importlib.metadata.entry_points", lambda *, group, name: found.get((group, name), [])
    )
    Third.written.clear()
    done = call("export", "small", "--to", f"third:{at}", *(["--json"] if at == "well" else []))
    assert done.exit_code == code
    if at == "well":
        assert json.loads(done.stdout)[0]["delivered"] == 1
        assert Third.written == ["well small"]
    else:
        assert words in done.stderr
        assert SECRET not in done.stderr
