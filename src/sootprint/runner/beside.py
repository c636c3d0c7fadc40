"""What stands beside a saving: the kilograms of the month, and what would have saved more."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from sootprint.core.errors import CatalogueError, InputError

if TYPE_CHECKING:
    from sootprint.core.records import Footprint
    from sootprint.ledger import Ledger
    from sootprint.planner.waited import Waited
    from sootprint.settings import Settings

MOST_INSTEAD = 3  # other measures that are named


def instead(record: Footprint, found: Waited, settings: Settings) -> list[dict[str, Any]]:
    """Measures of the advice that would have saved more than the wait did, for the whole of the work."""
    from sootprint.estimator.advice import advise

    try:
        listed = advise(record, settings=settings, hours=False).measures
    except (CatalogueError, InputError):
        return []
    more = [
        (one.saving_share.value * found.run_now_kg.value, one)
        for one in listed
        if one.status == "saves" and one.saving_share is not None
    ]
    better = [pair for pair in more if pair[0] > max(0.0, found.saving_kg.value)]
    better.sort(key=lambda pair: -pair[0])
    return [
        {
            "name": one.name,
            "action": one.action,
            "saving_share": one.saving_share and dataclasses.asdict(one.saving_share),
            "saving_kg": kg,
        }
        for kg, one in better[:MOST_INSTEAD]
    ]


def month(record: Footprint, ledger: Ledger) -> dict[str, Any] | None:
    """Emissions of all runs of the month of the run's start."""
    name = (record.started or "")[:7]
    row = next((one for one in ledger.summary("month") if one.key == name), None)
    if row is None or row.emissions_kg is None:
        return None
    return {"month": name, "runs": row.runs, "emissions_kg": dataclasses.asdict(row.emissions_kg)}
