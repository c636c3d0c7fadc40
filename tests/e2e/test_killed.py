"""kill -9 at any moment: what was flushed is not lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from sootprint.ledger import Ledger
from tests.e2e.harness import SOOTPRINT, TAKES_S, call, environment, seconds
from tests.faults.ground import crowd

Cli = Callable[..., subprocess.CompletedProcess[str]]
PERIOD_S, FLUSH_S = 1.0, 1.0
SLEEPS = "import os, time; print(os.getpid(), flush=True); time.sleep(300)"
TRACKS = """
import os, time
import sootprint
with sootprint.track("killed", zone="FR") as run:
    for epoch in range(100):
        with run.span(f"epoch {epoch}"):
            time.sleep(0.5)
        run.log("loss", 1.0 / (epoch + 1))
        print(os.getpid(), flush=True)
"""


def _journal(home: Path) -> Path:
    (path,) = (home / "journal").glob("*.jsonl")
    return path


def _killed_run(home: Path, *, after_s: float) -> float:
    """Wall instant at which a run and its command were killed, seconds since 1970 [s]."""
    run = subprocess.Popen(
        [SOOTPRINT, "run", "--name", "killed", "--zone", "FR", "--", sys.executable, "-c", SLEEPS],
        env=environment(home),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert run.stdout is not None
    child = int(run.stdout.readline())
    time.sleep(after_s)
    run.kill()
    at_s = time.time()
    os.kill(child, signal.SIGKILL)
    assert run.wait(TAKES_S) == -signal.SIGKILL
    run.stdout.close()
    return at_s


def test_run_killed_with_its_command_is_recovered(home: Path, cli: Cli) -> None:
    """At most the last flush is missing: one period and one second."""
    killed_s = _killed_run(home, after_s=4.5)
    journal = _journal(home)
    recovered = cli("recover")
    assert recovered.returncode == 0, recovered.stderr
    assert not journal.exists()
    (row,) = json.loads(cli("runs", "--json").stdout)
    assert (row["name"], row["state"]) == ("killed", "recovered")
    record = json.loads(cli("show", "latest", "--json").stdout)
    assert killed_s - seconds(record["ended"]) <= (PERIOD_S + FLUSH_S) * crowd()
    assert record["energy_kwh"]["value"] > 0.0
    assert record["emissions_kg"]["value"] > 0.0
    assert record["place"]["zone"] == "FR"
    assert any("recovered" in warning for warning in record["warnings"])


def test_second_recover_finds_nothing_and_changes_nothing(home: Path, cli: Cli) -> None:
    """A run is recovered once."""
    _killed_run(home, after_s=1.5)
    assert cli("recover").returncode == 0
    first = cli("show", "latest", "--json").stdout
    again = cli("recover")
    assert again.returncode == 0, again.stderr
    assert len(json.loads(cli("runs", "--json").stdout)) == 1
    assert cli("show", "latest", "--json").stdout == first


def test_tracked_process_that_is_killed_is_recovered_with_its_spans(home: Path, cli: Cli) -> None:
    """Kill -9 inside `track()`: finished epochs and logged metrics are there."""
    training = subprocess.Popen(
        [sys.executable, "-c", TRACKS], env=environment(home), stdout=subprocess.PIPE, text=True
    )
    assert training.stdout is not None
    for _ in range(8):
        training.stdout.readline()
    training.kill()
    killed_s = time.time()
    training.wait()
    training.stdout.close()
    assert cli("recover").returncode == 0
    record = json.loads(cli("show", "latest", "--json").stdout)
    assert killed_s - seconds(record["ended"]) <= (PERIOD_S + FLUSH_S) * crowd()
    spans = {span["name"]: span["energy_kwh"]["value"] for span in record["spans"]}
    assert spans.keys() >= {"epoch 0", "epoch 1", "epoch 2", "epoch 3"}
    assert all(spans[f"epoch {number}"] > 0.0 for number in range(4))
    assert [point["metric"] for point in record["curve"]].count("loss") >= 4


def test_live_run_is_not_recovered(home: Path, cli: Cli) -> None:
    """What is still being measured is left alone."""
    run = subprocess.Popen(
        [SOOTPRINT, "run", "--quiet", "--", sys.executable, "-c", SLEEPS],
        env=environment(home),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert run.stdout is not None
    run.stdout.readline()
    time.sleep(1.5)
    assert cli("recover").returncode == 0
    (row,) = json.loads(cli("runs", "--json").stdout)
    assert row["state"] == "live"
    assert row["duration_s"] > 0.0
    run.terminate()
    run.wait(TAKES_S)
    run.stdout.close()
    (row,) = json.loads(cli("runs", "--json").stdout)
    assert row["state"] == "finished"


def test_unreadable_journal_line_is_named_and_may_be_skipped(home: Path, cli: Cli) -> None:
    """One line that names it, exit code 2, the journal untouched; `--skip-unreadable` keeps the rest and says so."""
    _killed_run(home, after_s=3.5)
    journal = _journal(home)
    rows = journal.read_bytes().splitlines(keepends=True)
    broken = b"".join([*rows[:-2], b'{"k":"tick","s":\x00\xff\n', *rows[-2:]])
    journal.write_bytes(broken)
    refused = cli("recover")
    assert refused.returncode == 2
    assert refused.stderr.startswith("sootprint: ")
    assert refused.stderr.count("\n") == 1
    assert f"line {len(rows) - 1}" in refused.stderr
    assert journal.read_bytes() == broken
    assert json.loads(cli("runs", "--json").stdout) == []
    assert cli("recover", "--skip-unreadable").returncode == 0
    record = json.loads(cli("show", "latest", "--json").stdout)
    assert any("could not be read" in warning for warning in record["warnings"])


def test_torn_last_line_is_no_error(home: Path, tmp_path: Path) -> None:
    """The write in which the power went is left out, wherever it was cut."""
    _killed_run(home, after_s=2.5)
    whole = _journal(home).read_bytes()
    for cut in (1, 7, 40):
        torn = tmp_path / f"home-{cut}"
        (torn / "journal").mkdir(parents=True)
        (torn / "journal" / _journal(home).name).write_bytes(whole[:-cut])
        done = call(["recover"], home=torn, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        (row,) = Ledger(torn).runs()
        assert row.energy_kwh is not None


def test_full_disk_or_read_only_home_does_not_stop_the_command(tmp_path: Path) -> None:
    """A home that cannot be written to: the command runs, its exit code passes, one line says what is lost."""
    blocked = tmp_path / "file"
    blocked.write_text("not a folder", encoding="utf-8")
    done = subprocess.run(
        [SOOTPRINT, "run", "--", "sh", "-c", "echo done; exit 5"],
        env=environment(blocked / "home"),
        capture_output=True,
        text=True,
        timeout=TAKES_S,
    )
    assert (done.returncode, done.stdout) == (5, "done\n")
    assert "sootprint" in done.stderr
    assert "Traceback" not in done.stderr
