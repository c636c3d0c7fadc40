"""Calibrations of nodes: one small file in the user's directory, by the node's pseudonym."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sootprint.core.calibration import Calibration
from sootprint.core.errors import InputError, SootprintError

FILE = "calibration.json"
LOCK = "calibration.lock"  # held while the file is read, changed and replaced; it stays, as whoever waits has it open
LOCK_S = 10.0
VERSION = 1


def stored(home: Path, node: str | None) -> tuple[Calibration, ...]:
    """Calibrations of a node, the latest last; none where the file does not exist.

    Raises:
        InputError: The file cannot be read.
    """
    return tuple(Calibration.load(data) for data in _read(home).get(node or "", ()))


def keep(home: Path, node: str, made: Calibration) -> None:
    """Store a calibration in place of that of the same node, meters and hardware.

    Two that are kept at once both stay.

    Raises:
        InputError: The file cannot be read, or the home cannot be written.
        SootprintError: Another process has held it too long, or the disk is full.
    """
    with _alone(home):
        table = _read(home)
        others = [one for one in table.get(node, ()) if not _is_same(one, made)]
        table[node] = [*others, dataclasses.asdict(made)]
        _write(home, table)


def forget(home: Path, node: str | None) -> int:
    """Number of calibrations of a node, which are removed.

    Raises:
        InputError: The file cannot be read, or the home cannot be written.
        SootprintError: Another process has held it too long, or the disk is full.
    """
    if not _read(home).get(node or ""):
        return 0
    with _alone(home):
        table = _read(home)
        gone = table.pop(node or "", [])
        if gone:
            _write(home, table)
    return len(gone)


def _is_same(one: dict[str, Any], made: Calibration) -> bool:
    return tuple(one.get("meters", ())) == made.meters and tuple(one.get("hardware", ())) == made.hardware


def _read(home: Path) -> dict[str, list[dict[str, Any]]]:
    try:
        content = json.loads((home / FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as err:
        raise InputError(f"{home / FILE} cannot be read: {err}; move it away and calibrate again") from err
    nodes = content.get("nodes") if isinstance(content, dict) and content.get("version") == VERSION else None
    if not isinstance(nodes, dict) or not all(isinstance(listed, list) for listed in nodes.values()):
        raise InputError(f"{home / FILE} is no file of calibrations; move it away and calibrate again")
    return nodes


@contextlib.contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Time in which no other process changes the calibrations of a home, which is made if it is missing.

    Raises:
        InputError: The home cannot be written.
        SootprintError: Another process has held it too long.
    """
    from sootprint.core.locks import taken

    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(home / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as err:
        raise InputError(f"{home} cannot be written: {err.strerror}; set SOOTPRINT_HOME") from None
    try:
        if not taken(descriptor, LOCK_S):
            raise SootprintError(
                f"{home / FILE} has been held by another program for {LOCK_S:g} s: try again"
            )
        yield
    finally:
        os.close(descriptor)


def _write(home: Path, table: dict[str, list[dict[str, Any]]]) -> None:
    from sootprint.core.files import write

    write(home / FILE, f"{json.dumps({'version': VERSION, 'nodes': table}, indent=1)}\n".encode())
