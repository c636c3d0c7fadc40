"""carbontracker's interface: epochs are spans, what it prints has its words, and an interval."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from sootprint.compat.carbontracker import CarbonTracker
from sootprint.compat.carbontracker.tracker import ARGUMENTS, USED
from sootprint.core.errors import InputError
from sootprint.importers import carbontracker as importer
from sootprint.ledger import Ledger

PAGE = Path(__file__).resolve().parents[2] / "docs/how-to/come-from-another-tool.md"
LINE = re.compile(r"^\t(\w+):\t([\d.]+) (kWh|g)$", re.MULTILINE)
INTERVALS = r"^CarbonTracker: 90 % interval: [\d.e-]+ to [\d.e+-]+ kWh, [\d.e-]+ to [\d.e+-]+ g$"


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
    told = [(name, float(value), unit) for name, value, unit in LINE.findall(printed)]
    assert len(re.findall(INTERVALS, printed, re.MULTILINE)) == 2
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
    tracker = CarbonTracker(10, epochs_before_pred=5, decimal_precision=3)
    epochs(tracker, 2, 0.05)
    tracker.epoch_start()
    tracker.stop()
    tracker.stop()
    printed = capsys.readouterr().out
    assert printed.count("consumption") == 1
    told = r"CarbonTracker: \nActual consumption for 2 epoch\(s\):\n\tTime:\t0:\d\d:\d\d\n\tEnergy:\t0\.000 kWh\n"
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


def test_epochs_below_0_are_all_of_them_as_there(capsys: pytest.CaptureFixture[str]) -> None:
    """The prediction then comes with the last epoch; without one the title names no epochs."""
    tracker = CarbonTracker(2, epochs_before_pred=-1, monitor_epochs=-1)
    assert (tracker.epochs_before_pred, tracker.monitor_epochs) == (2, 2)
    epochs(tracker, 1)
    assert capsys.readouterr().out == ""
    epochs(tracker, 1)
    titles = re.findall(r"^\w+ consumption.*:$", capsys.readouterr().out, re.MULTILINE)
    assert titles == ["Predicted consumption for 2 epoch(s):", "Actual consumption for 2 epoch(s):"]
    plain = CarbonTracker(1, epochs_before_pred=0)
    epochs(plain, 1, 0.05)
    assert re.findall(r"^\w+ consumption.*:$", capsys.readouterr().out, re.MULTILINE) == [
        "Actual consumption:"
    ]


def test_what_scripts_read_of_its_threads_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Energy and time of each epoch that has ended, with the PUE, and the mean intensity."""
    monkeypatch.setenv("SOOTPRINT_ZONE", "FR")
    monkeypatch.setenv("SOOTPRINT_PUE", "1.5")
    tracker = CarbonTracker(3, verbose=0)
    assert list(tracker.tracker.total_energy_per_epoch()) == []
    seen = []
    for epoch in range(3):
        tracker.epoch_start()
        seen.append(tracker.epoch_counter)
        time.sleep(0.1)
        tracker.epoch_end()
        energies = tracker.tracker.total_energy_per_epoch()
        assert energies.shape == (epoch + 1,)
    made = tracker.footprint
    assert (seen, tracker.deleted) == ([1, 2, 3], True)
    assert energies == pytest.approx([1.5 * span.energy_kwh.value for span in made.spans])
    assert len(tracker.tracker.epoch_times) == 3 and min(tracker.tracker.epoch_times) >= 0.1
    average = tracker.intensity_updater.average_carbon_intensity()
    assert (
        average == average.carbon_intensity == made.intensity_g_per_kwh.value
    )  # the one of 2.4, the other before
    assert average.address == "FR"


def test_logs_have_the_lines_of_carbontracker(tmp_path: Path) -> None:
    """Both logs of a run: powers and times of the epochs, what was printed, and who wrote it; no import counts it."""
    folder = tmp_path / "logs"
    tracker = CarbonTracker(3, log_dir=str(folder), log_file_prefix="mine", verbose=0)
    epochs(tracker, 2)
    tracker.stop()
    output, standard = sorted(folder.iterdir(), key=lambda path: len(path.name), reverse=True)
    assert re.fullmatch(r"mine_\d+\.\d+_\d{4}-\d\d-\d\dT\d{6}Z_carbontracker\.log", standard.name)
    assert output.name == standard.name.replace(".log", "_output.log")
    lines = standard.read_text()
    assert len(re.findall(r"^\S+ \S+ - Duration: 0:00:\d\d\.\d\d$", lines, re.MULTILINE)) == 2
    powers = re.findall(r"Average power usage \(W\) for cpu: \[(\S+)\]$", lines, re.MULTILINE)
    assert len(powers) == 2 and all(0.0 < float(power) < 5000.0 for power in powers)
    assert "Training was interrupted before all 3 epochs were monitored." in lines
    assert "The following components were found: CPU with device(s) " in lines
    assert re.search(
        r" - CarbonTracker: \nActual consumption for 2 epoch\(s\):\n\tTime:\t", output.read_text()
    )
    for path in (standard, output):
        with pytest.raises(InputError, match=f"sootprint show {tracker.footprint.id}"):
            importer.read(path.read_text(), path.name)


def test_logs_that_cannot_be_written_cost_no_epoch(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """One line says so."""
    (tmp_path / "file").touch()
    tracker = CarbonTracker(1, log_dir=tmp_path / "file", verbose=0)
    epochs(tracker, 1, 0.05)
    assert len(tracker.footprint.spans) == 1
    assert caplog.messages[0].startswith("log_dir: ") and caplog.text.count("log_dir") == 1


def test_arguments_are_those_of_carbontracker(caplog: pytest.LogCaptureFixture) -> None:
    """Unknown ones are a TypeError; those without a meaning are named once; wrong numbers are told."""
    with pytest.raises(TypeError, match="missing a required argument: 'epochs'"):
        CarbonTracker()
    with pytest.raises(TypeError, match="unexpected keyword argument 'epoch'"):
        CarbonTracker(epochs=1, epoch=2)
    tracker = CarbonTracker(2, sim_gpu="A100", components="gpu", monitor_epochs="many")
    tracker.set_api_keys({"electricitymaps": "k"})
    assert [line.partition(":")[0] for line in caplog.messages] == [
        "carbontracker",
        "monitor_epochs='many' is no whole number",
        "carbontracker",
    ]
    assert caplog.messages[0].startswith("carbontracker: components, sim_gpu have no meaning here")


def test_page_tells_what_becomes_of_each_argument() -> None:
    """Those that are ignored are listed, and no other."""
    told = re.search(
        r"^`CarbonTracker` ignores ((?:`\w+`(?:, | and )?)+)", PAGE.read_text(encoding="utf-8"), re.MULTILINE
    )
    assert set(re.findall(r"`(\w+)`", told[1])) == set(ARGUMENTS) - set(USED)
