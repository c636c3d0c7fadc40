"""The table that is printed and kept."""

from __future__ import annotations

from tests.faults.page import markdown, plain
from tests.faults.stage import Ended, Fault, Outcome

FAULT = Fault(key="killed", name="kill -9", how="SIGKILL", cuts=True, lost_s=1.0, keeps="recovered")
ENDED = Ended(code=-9, out="step 0\n", err="")
OUTCOME = Outcome(
    fault=FAULT,
    ended=[ENDED],
    alone=ENDED,
    said=[],
    records=[{}],
    kept="recovered",
    truth_j=300.0,
    until_j=300.0,
    charged_j=270.0,
    low_j=250.0,
    high_j=290.0,
    stale_j=5.0,
    late_s=0.1,
    crowd=1.0,
)


def test_lost_joules_stand_beside_their_limit() -> None:
    """30 of 300 J are lost; a flush of 1 s and 0.2 s at 112.5 W, and 5 J of the fake's own steps, may be."""
    heads, cells = (line.split("  ") for line in plain([OUTCOME]).splitlines())
    shown = dict(zip(filter(None, heads), (cell.strip() for cell in filter(None, cells)), strict=True))
    assert (shown["true J"], shown["charged J"].strip(), shown["lost J"]) == ("300", "270", "30.0")
    assert OUTCOME.most_lost_j == 1.2 * 112.5 + 5.0
    assert OUTCOME.passed


def test_markdown_has_a_cell_for_each_head() -> None:
    """A row is as long as the heads, and says how the fault came about."""
    heads, rule, row = markdown([OUTCOME]).splitlines()
    assert heads.count("|") == rule.count("|") == row.count("|")
    assert "| SIGKILL |" in row
