"""Versions of records in the database: each change of a record is a row of its own."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sootprint.core.carbon import methods_of
from sootprint.core.quantity import finite
from sootprint.core.records import idle_kwh
from sootprint.ledger import database

if TYPE_CHECKING:
    import sqlite3

    from sootprint.core.records import Footprint

APART = "apart_kwh"  # in `given`: energy of a part while no run around it was measured
_MS_PER_SECOND = 1000.0  # SQLite counts its timeout in milliseconds


def insert(connection: sqlite3.Connection, footprint: Footprint, *, text: str, state: str) -> None:
    """Add a record that was just made, unless it is there already in any version; the caller holds the transaction.

    A file of the spool may come again after the record was corrected: it must not undo that.
    """
    query = "SELECT 1 FROM runs WHERE id = ? AND record = ?"
    if not connection.execute(query, (footprint.id, text)).fetchone():
        append(connection, footprint, text=text, state=state)


def append(connection: sqlite3.Connection, footprint: Footprint, *, text: str, state: str) -> None:
    """Make a record the newest version of its run, also where an earlier one was the same; the caller locks."""
    query = "SELECT version, record FROM latest WHERE id = ?"
    last, newest = connection.execute(query, (footprint.id,)).fetchone() or (0, None)
    if newest == text:
        return
    values = {
        **_columns(footprint, state),
        "version": last + 1,
        "kept": database.now(),
        "record": text,
    }
    names, marks = ", ".join(values), ", ".join("?" * len(values))
    connection.execute(f"INSERT INTO runs ({names}) VALUES ({marks})", tuple(values.values()))


def _columns(footprint: Footprint, state: str) -> dict[str, Any]:
    """Values of the listing's columns for a record."""
    energy, emissions = footprint.energy_kwh, footprint.emissions_kg
    return {
        "id": footprint.id,
        "state": state,
        "name": footprint.name,
        "project": footprint.project,
        "tags": json.dumps(footprint.tags),
        "zone": footprint.place.zone,
        "grade": footprint.grade,
        "started": footprint.started,
        "duration_s": footprint.duration_s,
        "energy_kwh": energy and energy.value,
        "energy_low_kwh": energy and energy.low,
        "energy_high_kwh": energy and energy.high,
        "emissions_kg": emissions and emissions.value,
        "emissions_low_kg": emissions and emissions.low,
        "emissions_high_kg": emissions and emissions.high,
        "parent": footprint.parent,
        "run_group": footprint.run_group,
        "merged": _merged(footprint),
        "apart_kwh": _told(footprint.given.get(APART)),
        "methods": json.dumps(methods_of(footprint.factors)),
        "idle_kwh": idle_kwh(footprint),
    }


def _merged(footprint: Footprint) -> str | None:
    """Identities of the records that a record was merged from, as JSON; None for one that was measured."""
    listed = footprint.given.get("merged")
    return json.dumps([str(one) for one in listed]) if isinstance(listed, list | tuple) and listed else None


def _told(value: Any) -> float | None:
    """A number of others, None where it is none."""
    number = finite(value)
    return number if number is not None and number >= 0.0 else None


def store(home: Path, footprint: Footprint, *, text: str, state: str, timeout_s: float) -> None:
    """Add a version of a record to a ledger, waiting at most `timeout_s` [s] for whoever has locked it.

    Raises:
        sqlite3.Error: The database is locked or damaged.
        OSError: It cannot be opened.
        RecordError: It is of a newer version.
    """
    started_s = time.monotonic()
    connection = database.connect(home, timeout_s=timeout_s)
    try:
        left_s = max(0.0, timeout_s - (time.monotonic() - started_s))
        connection.execute(f"PRAGMA busy_timeout = {int(left_s * _MS_PER_SECOND)}")
        with database.transaction(connection):
            insert(connection, footprint, text=text, state=state)
    finally:
        connection.close()
