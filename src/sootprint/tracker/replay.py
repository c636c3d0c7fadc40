"""The sums of a journal that another process wrote, or left behind."""

from __future__ import annotations

from pathlib import Path

from sootprint.core.errors import RecordError
from sootprint.tracker.fold import Fold
from sootprint.tracker.journal import SUFFIX, is_live, read_lines


class NothingWrittenError(RecordError):
    """A journal ends before its first line does."""


def journals(home: Path) -> list[Path]:
    """Journals in a home, the oldest first."""
    return sorted((home / "journal").glob(f"*{SUFFIX}"))


def unfinished(home: Path) -> list[Path]:
    """Journals whose process is gone, the oldest first."""
    return [path for path in journals(home) if not is_live(path)]


def replay(path: Path, *, skip_unreadable: bool = False) -> Fold:
    """Sums of a journal, as far as it was written.

    A last line that was cut in the middle of its write is left out. Any other line that cannot be read stops the
    reading, unless it is to be skipped; then a note in the record says so, and its time becomes a gap or is bridged
    by the counters.

    Args:
        path: The journal.
        skip_unreadable: Whether to go on after a line that cannot be read.

    Raises:
        RecordError: The journal has no head, or a line cannot be read.
    """
    fold, skipped, seen = Fold(), [], False
    for line in read_lines(path):
        reason, seen = line.reason, seen or not line.torn
        if line.content is not None:
            try:
                fold.apply(line.content)
            except RecordError as err:
                reason = str(err)
        if reason is None or line.torn:
            continue
        if not skip_unreadable:
            raise RecordError(
                f"journal {path.name} line {line.number} cannot be read ({reason}); nothing was changed: "
                "`sootprint recover --skip-unreadable` keeps the rest"
            )
        skipped.append(line.number)
    if not fold.head:
        if not seen:
            raise NothingWrittenError(
                f"journal {path.name} was cut off before its first line: it holds no run"
            )
        raise RecordError(f"journal {path.name} has no readable head: it holds no run")
    if skipped:
        fold.notes.append(
            f"{len(skipped)} journal lines could not be read and were left out: {_listed(skipped)}"
        )
    return fold


def _listed(numbers: list[int]) -> str:
    return ", ".join(map(str, numbers[:5])) + (" ..." if len(numbers) > 5 else "")
