"""The least that measuring can cost: bare threads that look as often as a run does."""

from __future__ import annotations

import itertools
import json
import os
from pathlib import Path

import pytest

from bench import bare


def test_looks_come_as_those_of_a_run():
    """Each when the run is a ninth older at most, so that a tenth of it is lost at most; once a second later."""
    pauses_s = list(bare.pauses(1.0, 11.0))
    ages_s = list(itertools.accumulate(pauses_s, initial=1.0))
    assert all(pause_s <= 0.1 * age_s + 1e-9 for pause_s, age_s in zip(pauses_s, ages_s[1:], strict=True))
    assert 22 <= sum(age_s <= 11.0 for age_s in ages_s) <= 24
    later_s = list(bare.pauses(11.0, 21.0))
    assert later_s[1:] == pytest.approx([1.0] * (len(later_s) - 1)) and 10 <= len(later_s) <= 11


@pytest.mark.parametrize("does", bare.DOES.values())
def test_a_bare_look_does_what_it_says(tmp_path: Path, does: str):
    """The counter is in the file where it is read and written, as a line of JSON where that is made."""
    (tmp_path / "energy_uj").write_text("262083402216\n", encoding="ascii")
    source, target = (
        os.open(tmp_path / "energy_uj", os.O_RDONLY),
        os.open(tmp_path / "journal", os.O_RDWR | os.O_CREAT),
    )
    bare.look(does, source, target)
    written = os.pread(target, 4096, 0)
    os.close(source)
    os.close(target)
    if "j" in does:
        ((_, _, energy_j, *_),) = json.loads(written)["r"]
        assert energy_j == 262083.402216
    else:
        assert written == (b"262083402216\n" if "w" in does else b"")


def test_what_the_processes_took_is_printed_as_a_table(capsys: pytest.CaptureFixture[str]):
    """One row for each thing that a thread does, one column for each age of a run."""
    bare.main(["--repeats", "1", "--seconds", "0.01"])
    rows = capsys.readouterr().out.splitlines()
    assert [row.split("|")[1].strip() for row in rows[2:]] == list(bare.DOES)
    assert all(float(cell) > 0.0 for row in rows[2:] for cell in row.split("|")[2:-1])


@pytest.mark.parametrize(
    "wrong", [("--repeats", "0"), ("--seconds", "0"), ("--seconds", "nan"), ("--seconds", "inf")]
)
def test_times_that_cannot_be_measured_are_refused(
    wrong: tuple[str, str], capsys: pytest.CaptureFixture[str]
):
    """In one line, before anything is started."""
    with pytest.raises(SystemExit) as end:
        bare.main(wrong)
    assert end.value.code == 2
    assert "must be above 0" in capsys.readouterr().err
