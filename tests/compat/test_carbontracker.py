"""carbontracker's interface: epochs are spans, what it prints has its words, and an interval."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from sootprint.compat.carbontracker import CarbonTracker
from sootprint.compat.carbontracker.tracker import ARGUMENTS, USED
from sootprint.ledger import Ledger

PAGE = Path(__file__).resolve().parents[2] / "docs/how-to/come-from-another-tool.md"
LINE = r"\t(\w+):\t([\d.]+) (kWh|g) \(90 % interval [\d.e-]+ to [\d.e+-]+ (?:kWh|g)\)"


def epochs(tracker: CarbonTracker, count: int, duration_s: float = 0.15) -> None:
    """Train for some epochs."""
    if tracker._run.id is None:
        tracker._run.start().so_far()  # the meters are loaded, however long that takes here
    for _ in range(count):
        tracker.epoch_start()
        until = time.monotonic() + duration_s
        while time.monotonic() < until:
            sum(range(1000))
        tracker.epoch_end()


def test_training_is_predicted_after_its_first_epoch_and_told_at_its_end(
    capsys: pytest.CaptureFixture[str], own_home: Path
) -> None:
    """Four epochs take some four times the first; the record has them as spans, and is the actual consumption."""
    tracker = CarbonTracker(epochs=4)
    epochs(tracker, 4)
    printed = capsys.readouterr().out
    titles = re.findall(r"^(?:Predicted|Actual) consumption for \d epoch\(s\):$", printed, re.MULTILINE)
    assert titles == ["Predicted consumption for 4 epoch(s):", "Actual consumption for 4 epoch(s):"]
    told = [(name, float(value), unit) for name, value, unit in re.findall(LINE, printed)]
    assert [(name, unit) for name, _, unit in told] == [("Energy", "kWh"), ("CO2eq", "g")] * 2
    made = tracker.footprint
    assert told[2][1] == pytest.approx(made.energy_kwh.value, rel=1e-3)
    assert told[3][1] == pytest.approx(1000.0 * made.emissions_kg.value, rel=1e-3)
    assert 0.1 < told[0][1] / told[2][1] < 10.0
    assert [span.name for span in made.spans] == ["epoch"] * 4
    with Ledger(own_home) as ledger:
        assert ledger.get(made.id) == made
    epochs(tracker, 1, 0.0)
    tracker.stop()
    assert capsys.readouterr().out == ""


def test_training_that_ends_early_is_told_as_far_as_it_came(capsys: pytest.CaptureFixture[str]) -> None:
    """Only whole epochs are counted in the title; a second stop says nothing."""
    tracker = CarbonTracker(10, epochs_before_pred=0, decimal_precision=3)
    epochs(tracker, 2, 0.05)
    tracker.epoch_start()
    tracker.stop()
    tracker.stop()
    printed = capsys.readouterr().out
    assert printed.count("consumption") == 1
    told = r"Actual consumption for 2 epoch\(s\):\n\tTime:\t0:\d\d:\d\d\n\tEnergy:\t0\.000 kWh"
    assert re.search(told, printed)


def test_tracker_that_was_never_started_says_nothing(
    capsys: pytest.CaptureFixture[str], own_home: Path
) -> None:
    """Nothing was measured, so that nothing is told."""
    tracker = CarbonTracker(3)
    tracker.epoch_end()
    tracker.stop()
    with Ledger(own_home) as ledger:
        assert (capsys.readouterr().out, ledger.runs()) == ("", [])


def test_monitored_epochs_end_the_run_and_verbose_the_words(capsys: pytest.CaptureFixture[str]) -> None:
    """Later ones are neither measured nor told."""
    tracker = CarbonTracker(epochs=5, monitor_epochs=2, verbose=0)
    epochs(tracker, 3, 0.05)
    assert len(tracker.footprint.spans) == 2
    assert capsys.readouterr().out == ""


def test_arguments_are_those_of_carbontracker(caplog: pytest.LogCaptureFixture) -> None:
    """Unknown ones are a TypeError; those without a meaning are named once; wrong numbers are told."""
    with pytest.raises(TypeError, match="missing a required argument: 'epochs'"):
        CarbonTracker()
    with pytest.raises(TypeError, match="unexpected keyword argument 'epoch'"):
        CarbonTracker(epochs=1, epoch=2)
    tracker = CarbonTracker(2, log_dir="logs", components="gpu", monitor_epochs="many")
    tracker.set_api_keys({"electricitymaps": "k"})
    assert [line.partition(":")[0] for line in caplog.messages] == [
        "carbontracker",
        "monitor_epochs='many' is no whole number",
        "carbontracker",
    ]
    assert caplog.messages[0].startswith("carbontracker: components, log_dir have no meaning here")


def test_page_tells_what_becomes_of_each_argument() -> None:
    """Those that are ignored are listed, and no other."""
    told = re.search(
        r"^`CarbonTracker` ignores ((?:`\w+`(?:, | and )?)+)", PAGE.read_text(encoding="utf-8"), re.MULTILINE
    )
    assert set(re.findall(r"`(\w+)`", told[1])) == set(ARGUMENTS) - set(USED)
