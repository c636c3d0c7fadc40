"""Records of runs that were cut off, from their journals."""

from __future__ import annotations

from pathlib import Path

from sootprint.core.errors import RecordError, SootprintError
from sootprint.core.records import Footprint
from sootprint.ledger import keep
from sootprint.tracker.assemble import footprint
from sootprint.tracker.fold import Fold
from sootprint.tracker.journal import discard, is_live
from sootprint.tracker.replay import NothingWrittenError, replay, unfinished
from sootprint.tracker.surroundings import look_up

__all__ = ["footprint_of", "recover", "unfinished"]


def recover(path: Path, *, skip_unreadable: bool = False) -> Footprint:
    """Footprint of a journal whose process is gone, complete up to its last line; stored as recovered.

    Args:
        path: The journal, in `HOME/journal`.
        skip_unreadable: Whether to go on after a line that cannot be read.

    Raises:
        RecordError: The run is still live, a line cannot be read, or there is none.
    """
    if is_live(path):
        raise RecordError(f"run {path.stem} is still being measured: recover it after its end")
    try:
        fold = replay(path, skip_unreadable=skip_unreadable)
    except NothingWrittenError as err:
        discard(path)
        raise RecordError(f"{err}, and was removed") from err
    if fold.ended is None:
        fold.notes.append("recovered: the run was cut off; it is complete up to the last flush")
    made = _readable(footprint_of(fold))
    keep(path.parent.parent, made, state="recovered" if fold.ended is None else "finished")
    discard(path)
    return made


def _readable(made: Footprint) -> Footprint:
    """Footprint that its own JSON gives back, so that no record is kept which nobody can open.

    Raises:
        RecordError: The journal put a value of the wrong kind into it.
    """
    try:
        return Footprint.from_json(made.to_json())
    except (RecordError, TypeError, ValueError) as err:
        raise RecordError(f"journal of run {made.id!s:.40} holds values that no run writes ({err})") from None


def footprint_of(fold: Fold) -> Footprint:
    """Footprint of the sums of a journal.

    Raises:
        RecordError: The journal holds values that no run writes.
    """
    try:
        return footprint(fold, look_up(fold.head, fold.last_s))
    except SootprintError as err:
        raise RecordError(f"journal of run {fold.head.get('id')!s:.40}: {err}") from err
    except (ArithmeticError, AttributeError, LookupError, OSError, TypeError, ValueError) as err:
        name = type(err).__name__
        raise RecordError(
            f"journal of run {fold.head.get('id')!s:.40} holds values that no run writes ({name}: {err})"
        ) from None
