"""Calibrations in the user's directory."""

from __future__ import annotations

import dataclasses

import pytest

from sootprint.core.calibration import Calibration
from sootprint.core.errors import InputError
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
    assert [path.name for path in (tmp_path / "home").iterdir()] == ["calibration.json"]


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
