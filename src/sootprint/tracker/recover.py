"""Records of runs that were cut off, from their journals."""

from __future__ import annotations

from pathlib import Path

from sootprint.core.errors import RecordError
from sootprint.core.records import Footprint
from sootprint.ledger import keep
from sootprint.tracker.assemble import footprint
from sootprint.tracker.journal import is_live
from sootprint.tracker.replay import replay, unfinished
from sootprint.tracker.surroundings import look_up

__all__ = ["recover", "unfinished"]


def recover(path: Path, *, skip_unreadable: bool = False) -> Footprint:
    """Footprint of a journal whose process is gone, complete up to its last line; stored as recovered.

    Args:
        path: The journal, in `HOME/journal`.
        skip_unreadable: Whether to go on after a line that cannot be read.

    Raises:
        RecordError: The run is still live, or a line cannot be read.
    """
    if is_live(path):
        raise RecordError(f"run {path.stem} is still being measured: recover it after its end")
    fold = replay(path, skip_unreadable=skip_unreadable)
    if fold.ended is None:
        fold.notes.append("recovered: the run was cut off; it is complete up to the last flush")
    made = footprint(fold, look_up(fold.head, fold.last_s))
    keep(path.parent.parent, made, state="recovered" if fold.ended is None else "finished")
    path.unlink(missing_ok=True)
    return made
