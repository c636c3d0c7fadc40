"""`sootprint run` as a real program, and the commands that watch and rescue a run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sootprint import Footprint
from sootprint.core.records import Model, Result

from .conftest import PROGRAM

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="sootprint run needs Linux")
ECHO = [sys.executable, "-c", "import sys; print(sys.argv[1:], sys.stdin.read())"]


def test_streams_arguments_and_exit_code_pass_through(program) -> None:
    """What stands after -- reaches the command untouched, and so does its input."""
    done = program("run", "--zone", "FR", "--", *ECHO, "--zone", "x", "--", "-q", input="fed")
    assert (done.returncode, done.stdout) == (0, "['--zone', 'x', '--', '-q'] fed\n")
    assert "CO2e" in done.stderr
    failed = program("run", "-q", "--", sys.executable, "-c", "raise SystemExit(7)")
    assert failed.returncode == 7


def test_command_needs_no_dashes_before_it(program) -> None:
    """Options end where the command begins."""
    assert program("run", "-q", "--zone", "FR", *ECHO, "--name", "x", input="").stdout == "['--name', 'x'] \n"


def test_quiet_run_with_a_place_says_nothing(program) -> None:
    """With --quiet and a known place, stderr is the command's own."""
    done = program(
        "run", "-q", "--zone", "FR", "--", sys.executable, "-c", "import sys; print('e', file=sys.stderr)"
    )
    assert done.stderr == "e\n"


def test_unknown_place_is_said_once_even_when_quiet(program) -> None:
    """One line with the fix stands on stderr where the place is unknown."""
    done = program("run", "-q", "--", sys.executable, "-c", "pass")
    assert done.stderr.count("\n") == 1
    assert "place unknown" in done.stderr and "--zone" in done.stderr


def test_record_is_written_and_stored_with_what_was_stated(program, call, tmp_path: Path) -> None:
    """Name, project, tags, zone and PUE are in the record, in the file as in the ledger."""
    file = tmp_path / "record.json"
    stated = ["--name", "n", "--project", "p", "--tag", "a=1", "--tag", "b=2", "--zone", "FR", "--pue", "1.2"]
    stated += ["--model", "Tiny-1", "--result", "Translation/WMT/en-fr/BLEU=27"]
    program("run", "-q", *stated, "--record", file, "--", sys.executable, "-c", "pass")
    made = Footprint.from_json(file.read_text(encoding="utf-8"))
    assert (made.name, made.project, made.tags, made.place.zone) == ("n", "p", {"a": "1", "b": "2"}, "FR")
    assert (made.pue.value, made.boundary) == (1.2, "facility")
    assert made.model == Model(name="Tiny-1")
    assert made.results == (Result(task="Translation", dataset="WMT/en-fr", metric="BLEU", value=27.0),)
    assert Footprint.from_json(call("show", "n", "--json").stdout) == made


def test_record_goes_where_a_link_leads(program, tmp_path: Path) -> None:
    """The link stays, as for every other file that a command writes."""
    link, file = tmp_path / "latest.json", tmp_path / "runs" / "record.json"
    file.parent.mkdir()
    link.symlink_to(file)
    done = program("run", "-q", "--zone", "FR", "--record", link, "--", sys.executable, "-c", "pass")
    assert (done.returncode, done.stderr) == (0, "")
    assert link.is_symlink()
    assert Footprint.from_json(file.read_text(encoding="utf-8")).place.zone == "FR"


def test_home_that_is_stated_from_here_is_the_same_in_another_folder(program, tmp_path: Path) -> None:
    """A command that changes its folder keeps its own runs in the home of the one around it."""
    told = "import os; print(os.environ['SOOTPRINT_HOME'], os.environ['SOOTPRINT_RUNTIME_DIR'])"
    where = {"SOOTPRINT_HOME": "home", "SOOTPRINT_RUNTIME_DIR": "./run"}
    done = program(
        "run",
        "-q",
        "--zone",
        "FR",
        "--",
        sys.executable,
        "-c",
        told,
        cwd=tmp_path,
        env={**os.environ, **where},
    )
    assert done.stdout.split() == [str(tmp_path / "home"), str(tmp_path / "run")]


@pytest.mark.parametrize("asked", [False, True])
def test_command_line_is_kept_only_where_asked(program, call, asked: bool) -> None:
    """Arguments may hold secrets, so they are in no record unless --store-command is given."""
    option = ["--store-command"] if asked else []
    program("run", "-q", "--zone", "FR", *option, "--", sys.executable, "-c", "pass", "s3cret")
    assert ("s3cret" in call("show", "latest", "--json").stdout) is asked


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--zone", "Frnce"], ["'Frnce'", "FR (France)"]),
        (["--site", "lab"], ["'lab'"]),
        (["--pue", "0.8"], ["0.8", "between 1"]),
        (["--period", "5 days"], ["'5 days'", "500ms"]),
        (["--tag", "seed"], ["'seed'", "KEY=VALUE"]),
        (["--result", "Translation/BLEU=27"], ["'Translation/BLEU'", "TASK/DATASET[:SPLIT]/METRIC"]),
        (["--result", "Translation/WMT/BLEU=good"], ["'good' is not a number"]),
        (["--share", "half"], ["'half'", "process"]),
        (["--budget-kg", "-1"], ["-1", "above 0"]),
        (["--record", "missing/record.json"], ["missing/record.json"]),
    ],
)
def test_wrong_option_stops_before_the_command(
    program, tmp_path: Path, options: list[str], words: list[str]
) -> None:
    """One line on stderr, exit code 2, and the command has not begun."""
    done = program("run", *options, "--", "touch", "begun", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert [word for word in words if word not in done.stderr] == []
    assert list(tmp_path.iterdir()) == []


def test_wrong_zone_of_the_settings_stops_before_the_command(program, tmp_path: Path) -> None:
    """A misspelt zone in the project's file is refused as one of the command line is."""
    tmp_path.joinpath("sootprint.toml").write_text('zone = "Frnce"\n', encoding="utf-8")
    done = program("run", "--", "touch", "begun", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "FR (France)" in done.stderr
    assert not tmp_path.joinpath("begun").exists()


def test_damaged_settings_do_not_keep_the_command_from_running(program, tmp_path: Path) -> None:
    """A file that is no TOML is named in one line; the command ends with its own code, and the zone given holds."""
    tmp_path.joinpath("sootprint.toml").write_bytes(b"\x00\xff[[[ = ")
    done = program("run", "-q", "--zone", "FR", "--", "sh", "-c", "exit 7", cwd=tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (7, 1)
    assert "sootprint.toml" in done.stderr
    assert "measuring without it" in done.stderr
    (row,) = json.loads(program("runs", "--json").stdout)
    assert json.loads(program("show", row["id"], "--json").stdout)["place"]["zone"] == "FR"


def test_missing_program_answers_as_a_shell_does(program) -> None:
    """127 stands for a program that is not there, and no run is stored."""
    done = program("run", "-q", "--zone", "FR", "--", "no-such-program-anywhere")
    assert done.returncode == 127
    assert "no-such-program-anywhere" in done.stderr
    assert json.loads(program("runs", "--json").stdout) == []


def test_budget_warns_and_does_not_stop(own_home: Path, tmp_path: Path) -> None:
    """A budget of a microgram is passed at once; the command goes on, and ends as it would."""
    waits = "for _ in $(seq 2400); do [ -e told ] && break; sleep 0.05; done; sleep 0.3; echo done"
    options = ["-q", "--zone", "FR", "--budget-kg", "1e-9", "--period", "100ms"]
    running = subprocess.Popen(
        [*PROGRAM, "run", *options, "--", "sh", "-c", waits],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert running.stderr is not None
    assert running.stderr.readline().startswith("sootprint: budget: ")
    assert running.poll() is None
    (tmp_path / "told").touch()
    assert running.communicate(timeout=120) == ("done\n", "")
    assert running.returncode == 0


def test_signal_that_ends_the_command_ends_the_program_alike(own_home: Path) -> None:
    """A parent sees the signal, as it would without us, and the record is stored."""
    process = subprocess.Popen([*PROGRAM, "run", "-q", "--zone", "FR", "--", "sleep", "300"])
    _wait_until_live(process)
    process.send_signal(signal.SIGTERM)
    assert process.wait(120) == -signal.SIGTERM


def test_live_run_is_listed_watched_killed_and_recovered(call, own_home: Path) -> None:
    """From live to cut off to recovered, a run is never lost."""
    command = [
        *PROGRAM,
        "run",
        "-q",
        "--name",
        "doomed",
        "--zone",
        "FR",
        "--period",
        "100ms",
        "--",
        "sleep",
        "300",
    ]
    process = subprocess.Popen(command, start_new_session=True)
    try:
        _wait_until_live(process)
        assert json.loads(call("runs", "--json").stdout)[0]["state"] == "live"
        frame = call("top", "--once").stdout
        assert "doomed" in frame and "cpu" in frame and " W" in frame
        watched = json.loads(call("top", "--json").stdout)
        assert watched[0]["name"] == "doomed" and watched[0]["zone"] == "FR"
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(120)
    hint = call("runs")
    assert "sootprint recover" in hint.stderr
    assert call("recover").stdout.startswith("recovered ")
    listed = json.loads(call("runs", "--json").stdout)
    assert [(one["name"], one["state"]) for one in listed] == [("doomed", "recovered")]
    assert listed[0]["energy_kwh"]["value"] > 0.0
    assert "nothing to recover" in call("recover").stderr


def test_recover_names_a_line_that_it_cannot_read(call, own_home: Path) -> None:
    """A journal with a broken line stays until the person chooses to go on."""
    journal = own_home / "journal" / "01a201bb-a361-79d4-8534-8c6632b9a3ae.jsonl"
    journal.parent.mkdir()
    journal.write_text("{broken\n{}\n", encoding="utf-8")
    result = call("recover")
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert "line 1" in result.stderr and "--skip-unreadable" in result.stderr
    assert journal.exists()


def test_top_without_a_run_says_so(call) -> None:
    """Where nothing is measured, the frame says how to start."""
    assert "sootprint run -- COMMAND" in call("top").stdout
    assert json.loads(call("top", "--json").stdout) == []


def _wait_until_live(process: subprocess.Popen[bytes]) -> None:
    """Nothing, as soon as the journal of the process holds a few looks at the meters."""
    journals = Path(os.environ["SOOTPRINT_HOME"]) / "journal"
    for _ in range(2400):
        if any(path.read_bytes().count(b"tick") > 2 for path in journals.glob("*.jsonl")):
            return
        assert process.poll() is None
        time.sleep(0.05)
    raise AssertionError("the run did not begin within 120 s")


PICKY = [sys.executable, "-c", "import argparse; argparse.ArgumentParser(prog='picky').parse_args()"]


def test_option_that_went_to_the_command_is_named_where_that_refuses_it(program) -> None:
    """One line after the program's own, which says where the option belongs; the exit code is the program's."""
    for words in (["--zone", "FR"], ["--zone=FR"]):
        done = program("run", "-q", "--zone", "SE", *PICKY, *words)
        assert done.returncode == 2
        *others, hint = done.stderr.splitlines()
        assert "picky: error: unrecognized arguments" in others[-1]
        assert hint.startswith("sootprint: --zone went to ")
        assert "sootprint run --zone ... -- " in hint


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--", *PICKY, "--zone", "FR"], "whoever writes -- knows whose options follow"),
        ([*PICKY, "--colour", "red"], "it is none of ours"),
        ([*ECHO, "--zone", "FR"], "the program took it"),
        ([sys.executable, "-c", "raise SystemExit(1)", "--name", "x"], "it failed for another reason"),
    ],
)
def test_no_word_is_said_of_options_that_are_the_commands_own(program, words: list[str], why: str) -> None:
    """A hint that is none would be a nuisance."""
    assert "went to" not in program("run", "-q", "--zone", "SE", *words, input="").stderr, why
