"""Earlier runs of a name as their records stand, for a training that is running: without waiting, and not many."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sootprint.ledger import spool
from sootprint.ledger.database import FILE_NAME

MOST = 5
MOST_FILES = 16  # of the spool that are looked at
MOST_CHARACTERS = 2_000_000  # of a record; a larger one is left out
SCORED = '"energy_error"'
_QUERY = (
    "SELECT id, record FROM latest WHERE name = ? AND project IS ? AND state = 'finished'"
    f" AND length(record) <= {MOST_CHARACTERS} AND instr(record, ?) > 0 ORDER BY started DESC LIMIT ?"
)


def forecasts_of(home: Path, name: str, project: str | None) -> list[list[dict[str, Any]]]:
    """Forecasts of the latest finished runs of a name and project, the latest run first.

    A database that is locked, damaged or missing has none, and neither has a file that is no record.

    Args:
        home: Folder of the ledger; nothing is made or written there.
        name: Name of the runs.
        project: Project of the runs, or None.
    """
    waiting = dict(_waiting(home, name, project))  # first, as another program may take them into the database
    found = _kept(home, name, project) | waiting
    latest = sorted(found, reverse=True)[:MOST]  # identities sort by time
    lists = (_forecasts(found[run]) for run in latest)
    return [one for one in lists if one]


def _kept(home: Path, name: str, project: str | None) -> dict[str, str]:
    """Records of the database by run."""
    path = home / FILE_NAME
    if not path.is_file():
        return {}
    import sqlite3

    address = f"{path.absolute().as_uri()}?mode=ro"
    try:
        with contextlib.closing(sqlite3.connect(address, uri=True, timeout=0.0)) as connection:
            return dict(connection.execute(_QUERY, (name, project, SCORED, MOST)).fetchall())
    except (sqlite3.Error, OSError):
        return {}


def _waiting(home: Path, name: str, project: str | None) -> Iterator[tuple[str, str]]:
    """Records of the spool by run, of the latest files."""
    for path, state in list(spool.spooled(home))[-MOST_FILES:]:
        with contextlib.suppress(OSError, ValueError, AttributeError):
            if state != "finished" or path.stat().st_size > MOST_CHARACTERS:
                continue
            text = path.read_text(encoding="utf-8", errors="replace")
            if SCORED not in text:
                continue
            record = json.loads(text)
            if (record.get("name"), record.get("project")) == (name, project):
                yield path.stem, text


def _forecasts(record: str) -> list[dict[str, Any]]:
    """Forecasts of a record's text; the rest of it, its intervals and spans, is not read."""
    key, place = '"forecasts":', 0
    while (place := record.find(key, place)) >= 0:
        place += len(key)
        with contextlib.suppress(ValueError):
            found, _ = json.JSONDecoder().raw_decode(record, place + (record[place : place + 1] == " "))
            if isinstance(found, list):
                return [one for one in found if isinstance(one, dict)]
    return []
