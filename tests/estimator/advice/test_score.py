"""Advice scored after the run: promise against measurement."""

from __future__ import annotations

import dataclasses

import pytest

from sootprint import Footprint, estimate
from sootprint.core.errors import InputError, RecordError
from sootprint.core.records import Work
from sootprint.estimator.advice import advise
from sootprint.estimator.advice.score import kept, score, scored


def _run(zone: str = "DE", hours: float = 10.0, **changes: object) -> Footprint:
    return dataclasses.replace(estimate(hardware="V100", hours=hours, zone=zone), **changes)


def test_move_to_another_grid_saves_what_was_promised() -> None:
    """The same work in France: the measured share is that of the two grids, in the promised interval."""
    before = _run()
    promised = advise(before, only_zones=["FR"], chosen=["region"])
    made = score(_run("FR"), kept(before, promised))
    assert made.names == ("region",) and made.inside
    assert made.predicted_share == promised.combined.saving_share
    assert made.measured_share.value == pytest.approx(made.predicted_share.value, rel=0.05)


def test_score_is_per_sample_where_both_runs_say_how_many() -> None:
    """Twice the work with the same emissions is half the emissions a sample."""
    before = _run(work=Work(samples=1000))
    made = score(_run(work=Work(samples=2000)), before, names=["power_cap"])
    assert made.per == "samples"
    assert made.measured_share.value == pytest.approx(0.5)
    assert not made.inside and "more than predicted" in made.verdict


def test_equal_runs_have_no_measurable_saving() -> None:
    """What two runs share, such as their grid, is no reason to see a saving."""
    made = score(_run(), _run(), names=["power_cap"])
    assert made.measured_share.value == 0.0
    assert "no measurable saving" in made.verdict


def test_score_needs_to_know_what_was_followed() -> None:
    """Without a kept advice and without names there is nothing to compare with."""
    with pytest.raises(InputError, match="--with"):
        score(_run(), _run())


def test_kept_advice_and_score_survive_the_record() -> None:
    """Both stand in the record's own places and come back from JSON."""
    before = kept(_run(), advise(_run(), chosen=["power_cap"]))
    again = Footprint.from_json(before.to_json())
    after = scored(_run(), score(_run(), again))
    saved = Footprint.from_json(after.to_json()).savings
    assert saved["advice"]["names"] == ["power_cap"]
    assert saved["advice"]["against"] == before.id


def test_unreadable_plan_is_one_line() -> None:
    """A plan that someone else wrote is named, not guessed at."""
    wrong = {"advice": {"chosen": ["region"], "predicted_share": {"worth": 1}}}
    with pytest.raises(RecordError, match=r"plan\.advice"):
        score(_run(), _run(plan=wrong))
