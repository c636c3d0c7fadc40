"""Calibrations of nodes: one small file in the user's directory, by the node's pseudonym."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path
from typing import Any

from sootprint.core.calibration import Calibration
from sootprint.core.errors import InputError

FILE = "calibration.json"
VERSION = 1


def stored(home: Path, node: str | None) -> tuple[Calibration, ...]:
    """Calibrations of a node, the latest last; none where the file does not exist.

    Raises:
        InputError: The file cannot be read.
    """
    return tuple(Calibration.load(data) for data in _read(home).get(node or "", ()))


def keep(home: Path, node: str, made: Calibration) -> None:
    """Store a calibration in place of that of the same node, meters and hardware.

    Raises:
        InputError: The file cannot be read.
        OSError: It cannot be written.
    """
    table = _read(home)
    others = [one for one in table.get(node, ()) if not _is_same(one, made)]
    table[node] = [*others, dataclasses.asdict(made)]
    _write(home, table)


def forget(home: Path, node: str | None) -> int:
    """Number of calibrations of a node, which are removed.

    Raises:
        InputError: The file cannot be read.
        OSError: It cannot be written.
    """
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


def _write(home: Path, table: dict[str, list[dict[str, Any]]]) -> None:
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = home / f".{FILE}.{os.getpid()}"
    try:
        draft.write_text(json.dumps({"version": VERSION, "nodes": table}, indent=1) + "\n", encoding="utf-8")
        draft.replace(home / FILE)
    finally:
        draft.unlink(missing_ok=True)
