"""Checkpoints that are whole or not there: written beside, forced to the disk, and put in place by one rename."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from sootprint.core.files import forced as on_disk

NEW, OLD = ".new", ".old"  # what is being written, and a folder that is being replaced


def draft(path: Path) -> Path:
    """Where a checkpoint is written before it is put in place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.with_name(path.name + NEW)


def written(path: Path, write: Callable[[Path], object]) -> None:
    """Write a checkpoint, so that a kill at any moment leaves the last one or the new one, whole.

    Args:
        path: File of the checkpoint.
        write: Writes it to the path that it is given.

    Raises:
        OSError: It cannot be written; the last one is still there.
    """
    made = draft(path)
    try:
        write(made)
        placed(made, path)
    finally:
        _removed(made)


def placed(made: Path, path: Path) -> None:
    """Put a file or folder that was written in place of the last one, once it is on the disk."""
    forced(made)
    aside = path.with_name(path.name + OLD)
    if path.is_dir():  # a folder takes the place of an empty one alone
        _removed(aside)
        path.replace(aside)
    made.replace(path)
    on_disk(path.parent)
    _removed(aside)


def forced(path: Path) -> None:
    """Force a file, or a folder with all that is in it, to the disk."""
    for one in [*path.rglob("*"), path] if path.is_dir() else [path]:
        on_disk(one)


def present(path: Path) -> Path | None:
    """The last whole checkpoint: `path`, or the folder beside it that was being replaced; None where there is none."""
    aside = path.with_name(path.name + OLD)
    return next((one for one in (path, aside) if one.exists()), None)


def _removed(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
