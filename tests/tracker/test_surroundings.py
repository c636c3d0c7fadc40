"""PUE, carbon intensity and place of a run."""

from __future__ import annotations

from sootprint.core.instants import start_of_year_s
from sootprint.tracker.fold import Fold
from sootprint.tracker.surroundings import LookUp, look_up


def test_a_run_into_another_year_is_looked_up_again() -> None:
    """Ten seconds before a year ends one intensity is in force, later the next one beside it; else nothing is new."""
    fold = Fold()
    fold.head = {"zone": "FR", "place_source": "stated", "wall_s": start_of_year_s(2026) - 10.0}
    around = LookUp(fold)
    at_first = around.now()
    assert len(at_first.intensities) == 1
    fold.last_s = 8.0
    assert around.now() is at_first
    fold.last_s = 60.0
    assert around.now() == look_up(fold.head, 60.0)
    assert [one.start_s for one in around.now().intensities] == [start_of_year_s(2025), start_of_year_s(2026)]
