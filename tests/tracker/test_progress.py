"""Progress of a run: which marks count as its units, and how many points are kept."""

from __future__ import annotations

import json

import pytest

from sootprint.core.expectation import Expectation, parsed
from sootprint.tracker.pace import Point, Told
from sootprint.tracker.progress import MAX_POINTS, Progress


def _after_epochs(count: int) -> Progress:
    progress = Progress(Expectation("epochs", 90.0))
    for epoch in range(count):
        progress.opened(epoch, "epoch", at_s=10.0 * epoch + 2.0, energy_j=100.0 * epoch)
        progress.closed(epoch, at_s=10.0 * epoch + 11.0, energy_j=100.0 * epoch + 90.0)
    return progress


def test_spans_of_the_unit_are_counted_from_the_start_of_the_first() -> None:
    """What came before the first epoch is no part of its time."""
    progress = _after_epochs(3)
    assert progress.points[0] == Point(0.0, 2.0, 0.0)
    assert progress.points[-1] == Point(3.0, 31.0, 290.0)
    assert progress.share == pytest.approx(3 / 90)


def test_other_spans_are_no_units() -> None:
    """An evaluation between two epochs only makes the next one come later."""
    progress = Progress(Expectation("epochs", 90.0))
    progress.opened(0, "evaluation", at_s=0.0, energy_j=0.0)
    progress.closed(0, at_s=5.0, energy_j=50.0)
    assert progress.share == 0.0


def test_logged_numbers_are_units_done() -> None:
    """`run.log("step", 200)` of 1000 is a fifth, also where numbers come in strides or again."""
    progress = Progress(Expectation("steps", 1000.0))
    for value in (0, 100, 200, 200, 150):
        progress.logged("step", float(value), at_s=0.1 * value, energy_j=value)
    assert progress.share == pytest.approx(0.2)
    assert len(progress.points) == 3


def test_metrics_beside_spans_are_not_counted_twice() -> None:
    """A program that has epoch spans and logs the epoch, too, does each epoch once."""
    progress = _after_epochs(2)
    progress.logged("epoch", 50.0, at_s=30.0, energy_j=300.0)
    assert progress.share == pytest.approx(2 / 90)


def test_a_run_that_goes_on_from_a_checkpoint_counts_what_is_its_own() -> None:
    """From step 5000 on, logged every 100 of 10 000, a tenth of its own 5000 steps is at 5500."""
    progress = Progress(Expectation("steps", 10_000.0))
    for step in range(5100, 5600, 100):
        progress.logged("step", step, at_s=float(step - 5000), energy_j=step)
    assert progress.share == pytest.approx(0.1)


def test_time_is_progress_where_a_time_is_expected() -> None:
    """Half an hour of an hour is half."""
    progress = Progress(parsed("hours=1"))
    for at_s in (0.0, 900.0, 1800.0):
        progress.ticked(at_s, 100.0 * at_s, period_s=1.0)
    assert progress.share == 0.5


def test_more_units_than_expected_are_above_one() -> None:
    """The caller warns; nothing is cut off."""
    assert _after_epochs(99).share == pytest.approx(1.1)


def test_many_units_are_joined_and_first_and_last_are_kept() -> None:
    """A million steps take no more memory than a thousand."""
    progress = Progress(Expectation("steps", 1e6))
    for step in range(10_000):
        progress.logged("step", step, at_s=float(step), energy_j=2.0 * step)
    assert len(progress.points) <= MAX_POINTS
    assert progress.points[0].done == 0.0
    assert progress.points[-1] == Point(9999.0, 9999.0, 19998.0)


def test_a_journal_brings_it_back() -> None:
    """What was dumped and loaded goes on as if nothing had been."""
    before = _after_epochs(4)
    before.opened(4, "epoch", at_s=42.0, energy_j=400.0)
    after = Progress.load(json.loads(json.dumps(before.dump())))
    for progress in (before, after):
        progress.closed(4, at_s=51.0, energy_j=490.0)
    assert after.points[-1] == Point(5.0, 51.0, 490.0)
    assert after.points == before.points
    assert after.share == before.share


@pytest.mark.parametrize(
    ("epochs", "complete"), [(0, False), (60, False), (89, True), (90, True), (99, False)]
)
def test_a_run_is_complete_to_its_last_step(epochs: int, complete: bool) -> None:
    """A program that logs its last step as N - 1 has done all; one that stopped early, or went on, has not."""
    assert _after_epochs(epochs).complete is complete


def _told(count: int, evaluations: float = 9.0) -> Progress:
    """Epochs of 10 s of ninety, with an evaluation of 5 s after every fifth."""
    progress, at_s = Progress(Expectation("epoch", 90.0)), 0.0
    progress.tell("evaluation", evaluations)
    for epoch in range(count):
        progress.opened(2 * epoch, "epoch", at_s=at_s, energy_j=100.0 * at_s)
        at_s += 10.0
        progress.closed(2 * epoch, at_s=at_s, energy_j=100.0 * at_s)
        if (epoch + 1) % 5 == 0:
            progress.opened(2 * epoch + 1, "evaluation", at_s=at_s, energy_j=100.0 * at_s)
            at_s += 5.0
            progress.closed(2 * epoch + 1, at_s=at_s, energy_j=100.0 * at_s)
    return progress


def test_what_was_told_to_come_between_the_units_is_kept_with_its_times() -> None:
    """Two evaluations of nine came in ten epochs."""
    assert _told(10).told == (Told(9.0, ((50.0, 55.0), (105.0, 110.0))),)
    assert _told(10).share == pytest.approx(1 / 9)


def test_what_comes_with_every_unit_is_part_of_it() -> None:
    """Ninety evaluations in ninety epochs are no seldom ones; ten are."""
    assert _told(10, 90.0).told == ()


def test_a_span_with_units_inside_does_not_come_between_them() -> None:
    """`epoch`, told with its total where steps are expected, holds them; it does not count when told again, either."""
    progress = Progress(Expectation("step", 100.0))
    for epoch in range(2):
        progress.tell("epoch", 5.0)
        progress.opened(epoch, "epoch", at_s=20.0 * epoch, energy_j=0.0)
        for step in range(1, 21):
            at_s = 20.0 * epoch + step
            progress.logged("step", at_s, at_s=at_s, energy_j=at_s)
            assert progress.told == ()
        progress.closed(epoch, at_s=20.0 * (epoch + 1), energy_j=0.0)
    assert progress.told == ()


def test_a_journal_brings_back_what_was_told() -> None:
    """In the middle of an evaluation, too."""
    before = _told(9)
    before.opened(99, "evaluation", at_s=200.0, energy_j=0.0)
    after = Progress.load(json.loads(json.dumps(before.dump())))
    for progress in (before, after):
        progress.closed(99, at_s=206.0, energy_j=0.0)
    assert after.told == before.told
    assert after.told[0].spans[-1] == (200.0, 206.0)
