"""Earlier runs of a training, from the ledger to the forecast: what of their records tells how they went on."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sootprint.core.errors import InputError
from sootprint.core.expectation import Expectation, parsed
from sootprint.tracker.again import Earlier, Then

MOST = 50  # forecasts of a run
MAX_NUMBER = 1e30
FIELDS = ("progress", "at_s", "so_far_kwh", "unit_s", "unit_kwh")  # of a moment, in the order of `Then`


def lines(
    home: Path, *, name: str | None, project: str | None, expected: Expectation
) -> list[dict[str, Any]]:
    """Earlier runs as plain values for a journal, the latest first; none where the run has no name.

    Args:
        home: Folder of the ledger.
        name: Name of the run.
        project: Its project.
        expected: What it is expected to do; runs that did another kind of unit are left out.
    """
    if not name:
        return []
    from sootprint.ledger.past import forecasts_of

    found = (_line(forecasts, expected) for forecasts in forecasts_of(home, name, project))
    return [one for one in found if one is not None]


def earlier(told: Iterable[dict[str, Any]], *, j_per_kwh: float) -> list[Earlier]:
    """Earlier runs of a journal, their energy in J of this run's meters.

    Args:
        told: As `lines` made them.
        j_per_kwh: Measured energy over what the run is charged for it [J/kWh].
    """
    return [
        Earlier(
            total=one["total"],
            duration_s=one["s"],
            energy=one["kwh"] * j_per_kwh,
            moments=tuple(
                Then(progress, at_s, spent * j_per_kwh, unit_s, unit * j_per_kwh)
                for progress, at_s, spent, unit_s, unit in one["at"]
            ),
        )
        for one in told
    ]


def _line(forecasts: list[dict[str, Any]], expected: Expectation) -> dict[str, Any] | None:
    """One earlier run; None where it did not do what it was expected to, or something else than this one."""
    moments = []
    for entry in forecasts[:MOST]:
        numbers = [_number(entry.get(field)) for field in FIELDS]
        if all(number is not None and number > 0.0 for number in numbers):
            moments.append(numbers)
    if not moments:
        return None
    try:
        number, _, unit = str(forecasts[-1]["expected"]).partition(" ")
        before = parsed(f"{unit}={number}")
    except (KeyError, InputError):
        return None
    if before.by_time != expected.by_time or not (before.by_time or before.counts(expected.unit)):
        return None
    kwh = _ended(forecasts[-1], "energy")
    duration_s = before.total if before.by_time else _ended(forecasts[-1], "duration", unit="_s")
    if kwh is None or duration_s is None:
        return None
    return {"total": before.total, "s": duration_s, "kwh": kwh, "at": sorted(moments)}


def _ended(entry: dict[str, Any], what: str, *, unit: str = "_kwh") -> float | None:
    """What a run took, by a forecast of it and the error of that."""
    made, error = entry.get(f"{what}{unit}"), _number(entry.get(f"{what}_error"))
    value = _number(made.get("value")) if isinstance(made, dict) else None
    return None if value is None or error is None or error <= -1.0 else value / (1.0 + error)


def _number(value: Any) -> float | None:
    """A finite number of a record, which may come from anyone."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if -MAX_NUMBER < value < MAX_NUMBER else None
