"""The harness's own arithmetic: joules kept, lost and doubled, ratios, and how a training ended."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple


class Account(NamedTuple):
    """What became of the joules of a run.

    Args:
        reference_j: What a faultless meter would have told [J].
        told_j: What can be read after the end [J].
        kept_j: The part of the reference that is told [J].
        lost_j: The part that is not [J].
        doubled_j: What is told beyond the reference [J].
    """

    reference_j: float
    told_j: float
    kept_j: float
    lost_j: float
    doubled_j: float

    @property
    def percent(self) -> tuple[float, float, float]:
        """Kept, lost and doubled as shares of the reference [%]."""
        kept, lost, doubled = (100.0 * part / self.reference_j for part in self[2:])
        return kept, lost, doubled


def account(told_j: float, reference_j: float) -> Account:
    """Account of a run; less than nothing told is nothing kept.

    Args:
        told_j: Joules that can be read after the end [J].
        reference_j: Joules of a faultless meter, above 0 [J].

    Raises:
        ValueError: There is no reference to compare with.

    >>> account(90.0, 100.0)
    Account(reference_j=100.0, told_j=90.0, kept_j=90.0, lost_j=10.0, doubled_j=0.0)
    """
    if not reference_j > 0.0:
        raise ValueError(f"reference_j = {reference_j} must be above 0: the run had no energy")
    kept_j = min(max(told_j, 0.0), reference_j)
    return Account(reference_j, told_j, kept_j, reference_j - kept_j, max(0.0, told_j - reference_j))


def told_j(result: Mapping[str, Any]) -> float | None:
    """Joules that a person has after the end: those of the files, or else those that the calls handed back [J].

    A row that says it is part of another row adds nothing to it. None where there are rows and none can be read.
    """
    rows = result["rows"]
    if not rows:
        return float(sum(joules for joules in result["returned_j"] if joules is not None))
    tops = [row["joules"] for row in rows if row.get("part_of") is None]
    known = [joules for joules in tops if joules is not None]
    return float(sum(known)) if known or not tops else None


def ending(result: Mapping[str, Any], expected_code: int) -> str:
    """How the trainings ended: "as without it", or what went wrong."""
    codes = result["exit_codes"]
    wrong = [code for code in codes if code != expected_code]
    if not wrong:
        return "as without it"
    hung = wrong.count(None)
    if hung:
        return f"{hung} of {len(codes)} hung"
    return f"{len(wrong)} of {len(codes)} ended with {', '.join(str(code) for code in sorted(set(wrong)))}"


def error_percent(told: float, true: float) -> float:
    """Signed error of a figure [%].

    >>> error_percent(98.0, 100.0)
    -2.0
    """
    return 100.0 * (told - true) / true


def quartiles(values: Sequence[float]) -> dict[str, float]:
    """Median and quartiles of at least two values."""
    low, median, high = statistics.quantiles(values, n=4)
    return {"median": median, "low": low, "high": high}


def ratio(of: float, to: float) -> float | None:
    """How many times as large a cost is; None where the other one is nothing.

    >>> ratio(30.0, 10.0)
    3.0
    """
    return of / to if to > 0.0 else None
