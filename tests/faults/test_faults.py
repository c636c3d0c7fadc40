"""Whatever happens: the training ends as without us, each joule is counted once, and what was measured is found."""

from __future__ import annotations

import pytest

from tests.faults.stage import Fault, Outcome
from tests.faults.table import FAULTS

every_fault = pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.key)


@every_fault
def test_training_ends_as_it_would_without_us(fault: Fault, outcome: Outcome) -> None:
    """Exit code or signal, output and errors are those of a twin that nobody measures."""
    assert list(outcome.ended) == [outcome.alone] * fault.runs


@every_fault
def test_joules_are_counted_once(fault: Fault, outcome: Outcome) -> None:
    """What is lost, and what is counted twice, stays within the fault's limits."""
    assert outcome.lost_j <= outcome.most_lost_j
    assert outcome.doubled_j <= outcome.most_doubled_j


@every_fault
def test_what_was_measured_is_found(fault: Fault, outcome: Outcome) -> None:
    """A record, a journal that makes one, or one line that says why there is none."""
    assert outcome.kept_all, (outcome.kept, len(outcome.records), outcome.said)
    assert outcome.said_why, outcome.said


@every_fault
def test_end_is_not_held_up(fault: Fault, outcome: Outcome) -> None:
    """Whoever waits for the training does not wait for us."""
    assert outcome.late_s <= outcome.most_late_s


def test_there_are_thirty_faults_and_each_stands_once() -> None:
    """The table that is promised."""
    assert len({fault.key for fault in FAULTS}) == len(FAULTS) >= 30
