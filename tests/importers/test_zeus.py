"""Zeus' windows: those that lie in others are spans, and no joule is added twice."""

from __future__ import annotations

import pytest

from sootprint import importers
from sootprint.core.errors import InputError
from sootprint.core.records import Footprint
from tests.importers.examples import ZEUS

HEAD = "start_time,window_name,elapsed_time,gpu0_energy\n"


def one(*rows: str) -> Footprint:
    """The only record of some rows."""
    (record,) = importers.read(HEAD + "\n".join(rows) + "\n", name="zeus.csv").records
    return record


def test_windows_in_a_window_are_not_added() -> None:
    """The training is 1.8 MJ on two GPUs, its two epochs are in it; a comma is part of a name."""
    (made,) = importers.read(ZEUS, name="zeus.csv").records
    assert made.energy_kwh is not None
    assert made.device_hours is not None
    assert made.energy_kwh.value == pytest.approx(1.8e6 / 3.6e6)
    assert {part.component: part.energy_kwh.value for part in made.components} == {
        "accelerator:0": pytest.approx(0.25),
        "accelerator:1": pytest.approx(0.25),
    }
    assert [span.name for span in made.spans] == ["training", "epoch_0", "epoch_1, with a comma"]
    assert (made.name, made.boundary, made.duration_s) == ("training", "accelerator", 3600.0)
    assert (made.device_hours.value, made.gaps) == (2.0, ())


def test_time_between_windows_is_a_gap() -> None:
    """Two windows of a minute, an hour apart."""
    made = one("1700000000.0,a,60.0,6000.0", "1700003660.0,b,60.0,12000.0")
    assert made.energy_kwh is not None
    assert made.energy_kwh.value == pytest.approx(18000.0 / 3.6e6)
    assert len(made.gaps) == 1
    assert any("windows cover 3.2 % of the time" in warning for warning in made.warnings)


def test_windows_across_each_other_are_a_least() -> None:
    """The second begins in the first and ends after it: what of it lies outside is not known."""
    made = one("1700000000.0,a,60.0,6000.0", "1700000030.0,b,60.0,6000.0")
    assert made.energy_kwh is not None
    assert made.energy_kwh.value == pytest.approx(6000.0 / 3.6e6)
    assert any("1 windows lie across the end of another" in warning for warning in made.warnings)


def test_short_window_and_reset_counter_are_told() -> None:
    """0 J within a counter's step; more power than a GPU draws."""
    made = one("1700000000.0,a,0.05,0.0", "1700000010.0,b,60.0,6000000.0")
    assert any("1 windows tell 0 J" in warning for warning in made.warnings)
    assert any("1e+05 W of one GPU, which none draws" in warning for warning in made.warnings)


def test_bad_line_is_told_and_holds_back_none() -> None:
    """A negative energy is a counter that was reset; a line was cut off."""
    rows = ["1700000000.0,a,60.0,6000.0", "1700000100.0,b,60.0,-5.0", "1700000200.0,c,6"]
    found = importers.read(HEAD + "\n".join(rows), name="zeus.csv")
    assert [(left.where, left.why) for left in found.left_out] == [
        ("line 3", "energy of GPU 0 is -5.0: it is at least 0; its counter was reset"),
        ("line 4", "it has 3 cells and the head 4: it was cut off"),
    ]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (
            "start_time,window_name,elapsed_time,\n1795427384.7549045,a,0.5030517578125,\n",
            "has no column of a GPU",
        ),
        (HEAD, "has no rows"),
        (HEAD + "1700000000.0,a,60.0,0.0\n", "every window tells 0 J"),
        (HEAD + "1700000000.0,a,-1.0,5.0\n", "elapsed_time is -1.0"),
        (HEAD + "1e300,a,1.0,5.0\n", "it is in seconds since 1970"),
        (HEAD + "1700000000.0,a,nan,5.0\n", "elapsed_time is 'nan'"),
        (HEAD + "1700000000,0;a;1,0;5,0\n", "elapsed_time|cut off|decimal point"),
    ],
)
def test_bad_log_gets_one_line(text: str, why: str) -> None:
    """No GPU, as the tool itself writes it; no window, zero, negative, not finite, another locale."""
    with pytest.raises(InputError, match=why) as caught:
        importers.read(text, name="zeus.csv")
    assert "\n" not in str(caught.value)
