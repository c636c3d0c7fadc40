"""Keeping a record: to a file of its own first, then to the database if that can be had at once."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from sootprint.core.errors import RecordError
from sootprint.settings.folders import make_home

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sootprint.core.records import Footprint

STATES = ("finished", "recovered")
FOLDER = "spool"
_ANEW = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


def keep(home: Path, footprint: Footprint, *, state: str = "finished", timeout_s: float = 0.05) -> bool:
    """Whether a record reached the database; if not, it waits in the spool and the next opening takes it in.

    Args:
        home: Folder of the ledger; made if it is missing.
        footprint: Record to keep.
        state: finished or recovered.
        timeout_s: Longest wait for a lock that another program holds [s].

    Raises:
        RecordError: Neither the spool nor the database can be written, or the state is unknown.
    """
    import sqlite3

    from sootprint.ledger import versions

    if state not in STATES:
        raise RecordError(f"state {state!r} is not one of {', '.join(STATES)}")
    footprint, data = whole(footprint)
    path, failure = spool_path(home, footprint.id, state), None
    try:
        _write(path, data)
    except OSError as err:
        failure = err
    try:
        versions.store(home, footprint, text=data.decode(), state=state, timeout_s=timeout_s)
    except (sqlite3.Error, OSError, RecordError) as err:
        if failure is None:
            return False
        raise RecordError(
            f"the record could not be kept in {home} ({failure.strerror or failure}; {err}): "
            "make room or set SOOTPRINT_HOME to a folder that can be written"
        ) from err
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)
    return True


def make_room(home: Path) -> None:
    """Make the folder that records are left in, so that the end of a run finds it; OSError where that cannot be."""
    make_home(home)
    (home / FOLDER).mkdir(exist_ok=True, mode=0o700)


def leave(home: Path, footprint: Footprint) -> None:
    """Leave a finished record in the spool for the next program that opens the ledger.

    A training does this: it neither loads a database nor waits for one that another program has locked.

    Args:
        home: Folder of the ledger; made if it is missing.
        footprint: Record to keep.

    Raises:
        RecordError: The spool cannot be written.
    """
    footprint, data = whole(footprint)
    try:
        _write(spool_path(home, footprint.id, "finished"), data)
    except OSError as err:
        raise RecordError(
            f"the record could not be kept in {home} ({err.strerror or err}): "
            "make room or set SOOTPRINT_HOME to a folder that can be written"
        ) from err


def spool_path(home: Path, run_id: str, state: str) -> Path:
    """File in which a record waits; its name holds the state unless that is finished."""
    return home / FOLDER / (f"{run_id}.json" if state == "finished" else f"{run_id}.{state}.json")


def spooled(home: Path) -> Iterator[tuple[Path, str]]:
    """Files of the records that wait in the spool, with their states, the oldest first."""
    for path in sorted((home / FOLDER).glob("*.json")):
        state = path.stem.partition(".")[2] or "finished"
        if state in STATES:
            yield path, state


def whole(footprint: Footprint) -> tuple[Footprint, bytes]:
    """Record and its JSON text, with ? for halves of characters: names of undecodable bytes are no JSON text."""
    text = footprint.to_json()
    try:
        return footprint, text.encode()
    except UnicodeEncodeError:
        data = text.encode("utf-8", "replace")
        return type(footprint).from_json(data), data


def _write(path: Path, data: bytes) -> None:
    """Write a file so that it appears whole or not at all."""
    draft = f"{path.parent}/.{path.name}.{os.getpid()}"
    try:
        try:
            number = os.open(draft, _ANEW, 0o666)
        except FileNotFoundError:
            make_room(path.parent.parent)
            number = os.open(draft, _ANEW, 0o666)
        try:
            written = 0
            while written < len(data):
                written += os.write(number, data[written:])
            _send(number)
        finally:
            os.close(number)
        os.replace(draft, path)  # noqa: PTH105 - a training waits for it
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(draft)  # noqa: PTH108
        raise


def _send(number: int) -> None:
    """Let the disk begin to write a file, and wait for nothing.

    The system would begin half a minute later, when the journal of the run may be gone for as long. To wait for the
    disk instead costs a training that ends 3.5 ms on an SSD, and this call 0.02 ms.
    """
    if hasattr(os, "posix_fadvise"):
        with contextlib.suppress(OSError):
            os.posix_fadvise(number, 0, 0, os.POSIX_FADV_DONTNEED)
