"""The one rule of a PUE, wherever one is stated."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from sootprint import SootprintError, estimate
from sootprint.catalogue import schema
from sootprint.core.pue import RULE
from sootprint.importers.base import pue_of
from sootprint.planner.job import Job
from sootprint.settings import rules

WAYS: dict[str, Callable[[float], Any]] = {
    "setting": rules.overhead,
    "estimate": lambda pue: estimate(power_w=300.0, hours=1.0, intensity=100.0, pue=pue),
    "row of a file": lambda pue: pue_of({"pue": str(pue)}),
    "table of the catalogue": lambda pue: schema.TABLES["facilities"].rules["pue"](str(pue)),
    "plan": lambda pue: Job(expect=timedelta(hours=1), deadline=timedelta(hours=2), pue=pue),
    "plan of two zones": lambda pue: Job(
        expect=timedelta(hours=1), deadline=timedelta(hours=2), pue={"DE": 1.2, "FR": pue}
    ),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=list(WAYS))
def test_what_one_place_takes_as_a_pue_each_other_takes(way: Callable[[float], Any]) -> None:
    """1, 6 and 10 are stated everywhere; 0.99, a missing point, a percentage and no number nowhere."""
    for pue in (1.0, 6.0, 10.0):
        way(pue)
    for pue in (0.99, 12.0, 120.0, float("nan")):
        if way is WAYS["row of a file"] and pue != pue:
            continue  # "nan" in a cell of others says that nobody knows it
        with pytest.raises((SootprintError, ValueError)):
            way(pue)


@pytest.mark.parametrize(
    "words", [("plan", "--expect", "1h", "--deadline", "2h", "--zones", "DE"), ("estimate",)]
)
def test_a_pue_that_is_none_is_told_in_the_same_words(call: Any, words: tuple[str, ...]) -> None:
    """The line has the value and the rule."""
    more = ("--hardware", "A100", "--hours", "1", "--zone", "DE") if words == ("estimate",) else ()
    found = call(*words, *more, "--pue", "0.9")
    assert (found.exit_code, "0.9" in found.stderr, RULE in found.stderr) == (2, True, True)
