"""Calibrations in the user's directory."""

from __future__ import annotations

import dataclasses
import fcntl
import json
import subprocess
import sys

import pytest

from sootprint.core.calibration import Calibration
from sootprint.core.errors import InputError, SootprintError
from sootprint.ledger import calibrations

MADE = Calibration(
    idle_w=30.0,
    slope=1.1,
    idle_var_w2=4.0,
    slope_var=1e-4,
    covariance_w=-0.01,
    misfit=0.06,
    accuracy=0.02,
    least_w=50.0,
    most_w=400.0,
    readings=5,
    meters=("nvml", "rapl"),
    hardware=("1 x Xeon",),
    made="2026-01-01",
    source="typed in",
)


def test_what_was_kept_is_read_again(tmp_path):
    """To the last digit, for this node alone."""
    calibrations.keep(tmp_path / "home", "a" * 16, MADE)
    assert calibrations.stored(tmp_path / "home", "a" * 16) == (MADE,)
    assert calibrations.stored(tmp_path / "home", "b" * 16) == ()
    assert sorted(path.name for path in (tmp_path / "home").iterdir()) == [
        "calibration.json",
        "calibration.lock",
    ]


def test_new_one_replaces_that_of_the_same_meters(tmp_path):
    """One of other meters stays beside it."""
    other = dataclasses.replace(MADE, meters=("cpu",))
    for made in (MADE, other, dataclasses.replace(MADE, idle_w=40.0)):
        calibrations.keep(tmp_path, "node", made)
    assert [one.idle_w for one in calibrations.stored(tmp_path, "node")] == [30.0, 40.0]


def test_forget_removes_those_of_one_node(tmp_path):
    """And tells how many."""
    calibrations.keep(tmp_path, "node", MADE)
    calibrations.keep(tmp_path, "other", MADE)
    assert calibrations.forget(tmp_path, "node") == 1
    assert calibrations.forget(tmp_path, "node") == 0
    assert calibrations.stored(tmp_path, "other") == (MADE,)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[1]",
        '{"version": 2, "nodes": {}}',
        '{"version": 1, "nodes": {"node": 3}}',
        '{"version": 1, "nodes": {"node": [{}]}}',
        '{"version": 1, "nodes": {"node": [{"idle_w": "x"}]}}',
    ],
)
def test_damaged_file_is_refused_in_one_line(tmp_path, text):
    """It is never overwritten: whoever reads the line decides."""
    (tmp_path / "calibration.json").write_text(text)
    with pytest.raises(InputError, match="calibrat") as caught:
        calibrations.stored(tmp_path, "node")
    assert "\n" not in str(caught.value)


def test_impossible_numbers_are_refused():
    """A slope of 0 or a variance below 0 is no calibration."""
    for change in ({"slope": 0.0}, {"idle_var_w2": -1.0}, {"misfit": float("nan")}):
        with pytest.raises(InputError, match="calibrate again"):
            Calibration.load(dataclasses.asdict(dataclasses.replace(MADE, **change)))


WRITER = """
import dataclasses, json, sys
from pathlib import Path
from sootprint.core.calibration import Calibration
from sootprint.ledger import calibrations

home, made, name, count = Path(sys.argv[1]), Calibration.load(json.loads(sys.argv[2])), sys.argv[3], int(sys.argv[4])
sys.stdin.readline()
for number in range(count):
    calibrations.keep(home, "node", dataclasses.replace(made, hardware=(f"{name} {number}",)))
"""


def test_two_processes_that_keep_at_once_lose_none(tmp_path):
    """Each of them adds forty; all eighty are there, each whole."""
    made, count = json.dumps(dataclasses.asdict(MADE)), 40
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, tmp_path, made, name, str(count)], stdin=subprocess.PIPE, text=True
        )
        for name in ("one", "two")
    ]
    for writer in writers:
        writer.stdin.write("go\n")
        writer.stdin.flush()
    assert [writer.wait(timeout=120) for writer in writers] == [0, 0]
    for writer in writers:
        writer.stdin.close()
    kept = {one.hardware[0] for one in calibrations.stored(tmp_path, "node")}
    assert kept == {f"{name} {number}" for name in ("one", "two") for number in range(count)}


def test_file_that_another_program_holds_is_left_as_it_is(tmp_path, monkeypatch):
    """The line says so after the wait, and nothing is changed; what was read is not written over what is new."""
    calibrations.keep(tmp_path, "node", MADE)
    before = (tmp_path / calibrations.FILE).read_bytes()
    monkeypatch.setattr(calibrations, "LOCK_S", 0.05)
    with (tmp_path / calibrations.LOCK).open("r+") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        for change in (
            lambda: calibrations.keep(tmp_path, "other", MADE),
            lambda: calibrations.forget(tmp_path, "node"),
        ):
            with pytest.raises(SootprintError, match=r"held by another program for 0\.05 s: try again"):
                change()
        assert calibrations.forget(tmp_path, "nobody") == 0
    assert (tmp_path / calibrations.FILE).read_bytes() == before


def test_home_that_cannot_be_written_is_named(tmp_path):
    """One line, and the way out."""
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="set SOOTPRINT_HOME") as caught:
        calibrations.keep(tmp_path / "file" / "home", "node", MADE)
    assert "\n" not in str(caught.value)
