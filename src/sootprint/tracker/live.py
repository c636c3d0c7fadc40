"""Runs that are being measured now, read from their journals."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sootprint.core.errors import RecordError
from sootprint.core.quantity import Quantity
from sootprint.core.records import Footprint
from sootprint.tracker.fold import Fold
from sootprint.tracker.foresight import now
from sootprint.tracker.journal import SUFFIX, is_live
from sootprint.tracker.recover import footprint_of
from sootprint.tracker.replay import journals, replay

LOCK_S = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveRun:
    """A run as of its last flush.

    Args:
        id: Identity of the run.
        name: Its name.
        project: Its project.
        parent: Identity of the run that it is a part of.
        started: Start, ISO 8601 UTC.
        duration_s: Time since the start [s].
        energy_kwh: IT energy so far [kWh].
        emissions_kg: Emissions so far [kgCO2e].
        power_w: Mean power of each component over the last step [W].
        utilisation: Busy share of each component so far [0-1].
        zone: Grid zone, or None where unknown.
        forecast: The whole run as of now, as in a record's `forecasts`; None where nothing is expected of it.
        unheard: What is expected and how to tell the progress, where neither it nor a run inside has told any.
        warnings: What a reader must know.
    """

    id: str
    name: str | None
    project: str | None
    parent: str | None
    started: str
    duration_s: float
    energy_kwh: Quantity | None
    emissions_kg: Quantity | None
    power_w: dict[str, float]
    utilisation: dict[str, float | None]
    zone: str | None
    forecast: dict[str, Any] | None
    unheard: str | None
    warnings: tuple[str, ...]


def live_runs(home: Path) -> list[LiveRun]:
    """Runs whose process lives, newest first; a journal that cannot be read is left out."""
    found = []
    for path in reversed(journals(home)):
        if is_live(path):
            try:
                found.append(_live(replay(path, skip_unreadable=True)))
            except RecordError:  # it is being replaced, or has only begun
                continue
    return [
        replace(run, unheard=None) if run.unheard and _has_inside(run, found, home) else run for run in found
    ]


def _has_inside(run: LiveRun, live: list[LiveRun], home: Path) -> bool:
    """Whether a run has one inside, which tells or complains itself."""
    return any(one.parent == run.id for one in live) or has_inside(home, run.id)


def has_inside(home: Path, key: str, *, lock_s: float = LOCK_S) -> bool:
    """Whether the ledger has a run inside of another; False where it cannot be read.

    Args:
        home: Folder of the ledger.
        key: Identity of the outer run.
        lock_s: Wait for a ledger that another program holds [s].
    """
    from sootprint.ledger import Ledger

    try:
        with Ledger(home, lock_s=lock_s) as ledger:
            return any(row.parent == key for row in ledger.runs())
    except RecordError:
        return False


def live_run(home: Path, key: str) -> LiveRun | None:
    """A run as of its last flush; None where its journal is gone, or has only begun."""
    path = home / "journal" / f"{key}{SUFFIX}"
    try:
        return _live(replay(path, skip_unreadable=True))
    except (RecordError, OSError):
        return None


def of_group(home: Path, run_group: str) -> Footprint | None:
    """Footprint of a job on this machine as of its last flush, or of its end; None where none was written."""
    for path in reversed(journals(home)):
        try:
            fold = replay(path, skip_unreadable=True)
            if fold.head.get("run_group") == run_group:
                return footprint_of(fold)
        except RecordError:  # it is being replaced, or has only begun
            continue
    from sootprint.ledger import Ledger

    try:
        with Ledger(home) as ledger:
            return ledger.group(run_group)[-1]
    except RecordError:
        return None


def _live(fold: Fold) -> LiveRun:
    made = footprint_of(fold)
    return LiveRun(
        id=made.id,
        name=made.name,
        project=made.project,
        parent=made.parent,
        started=made.started or "",
        duration_s=made.duration_s or 0.0,
        energy_kwh=made.energy_kwh,
        emissions_kg=made.emissions_kg,
        power_w={state.component: state.latest_w for state in fold.used() if state.latest_w is not None},
        utilisation={part.component: part.utilisation for part in made.components},
        zone=made.place.zone,
        forecast=now(fold, made),
        unheard=fold.progress.expected.unheard if fold.progress and fold.progress.is_unheard else None,
        warnings=made.warnings,
    )
