"""The seat at the machine's reader changes hands without a gap, and outlives its folder."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from sootprint.tracker.registration import Registration
from sootprint.tracker.seat import Seat


def test_run_that_took_its_last_readings_lets_another_read(tmp_path: Path) -> None:
    """The lock is free before the first run has written its record, and its registration still stands."""
    first, second = Seat(tmp_path / "run", "/sys"), Seat(tmp_path / "run", "/sys")
    first.register(Registration("a", 1))
    assert first.take()
    assert not second.take()
    first.hand_over()
    assert second.take()
    assert second.others().keys() == {"a"}
    assert not first.take()
    second.close()
    first.close()


def test_files_of_a_long_run_stay_young(tmp_path: Path) -> None:
    """A cleaner that deletes by age finds lock, pipe and registration as old as the run's last look at them."""
    seat = Seat(tmp_path / "run", "/sys")
    seat.take()
    seat.register(Registration("a", 1))
    paths = [seat.folder / "reader.lock", seat.folder / "wake", seat.folder / "runs" / "a.json"]
    for path in paths:
        os.utime(path, (1e9, 1e9))
    assert seat.keep()
    assert all(path.stat().st_mtime > 1.7e9 for path in paths)
    seat.close()


def test_runs_of_a_removed_folder_are_still_known(tmp_path: Path) -> None:
    """Whoever reads goes on for those that were there when the folder was deleted."""
    seat = Seat(tmp_path / "run", "/sys")
    seat.register(Registration("a", 1))
    assert seat.others().keys() == {"a"}
    shutil.rmtree(tmp_path / "run")
    assert seat.others().keys() == {"a"}
    seat.close()
