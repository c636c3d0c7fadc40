"""The hub's own footprint, by the meters: the command line may reach them, the hub may not."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sootprint.core.records import Footprint

PERIOD = "10s"  # between two looks at the meters, as a hub serves for months
KEPT_S = 30.0  # that a look at the run so far is good for


@contextlib.contextmanager
def measured(wanted: bool) -> Iterator[Callable[[], Footprint | None]]:
    """Function that gives the footprint of this process so far, None where it is not measured.

    It is a run as any other, of its own processes alone, and is in the ledger once the hub stops.
    """
    if not wanted:
        yield lambda: None
        return
    from sootprint import settings
    from sootprint.tracker.run import Run

    run = Run("hub", share="process", period=PERIOD)
    home = settings.load().home
    with run:
        yield _looking(home, run.id or "")


def _looking(home: Path, key: str) -> Callable[[], Footprint | None]:
    """Function that reads the run's journal, at most once in `KEPT_S`."""
    looked: list[tuple[float, Footprint | None]] = []

    def look() -> Footprint | None:
        if not looked or looked[-1][1] is None or time.monotonic() - looked[-1][0] > KEPT_S:
            looked[:] = [(time.monotonic(), _so_far(home, key))]
        return looked[-1][1]

    return look


def _so_far(home: Path, key: str) -> Footprint | None:
    from sootprint.core.errors import RecordError
    from sootprint.tracker.journal import SUFFIX
    from sootprint.tracker.recover import footprint_of
    from sootprint.tracker.replay import replay

    try:
        made = footprint_of(replay(home / "journal" / f"{key}{SUFFIX}", skip_unreadable=True))
    except (RecordError, OSError):
        return None
    return made if made.energy_kwh is not None else None  # it has only begun
