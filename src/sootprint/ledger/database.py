"""The database file: connection, journal mode and migrations.

The write-ahead log needs memory that all writers share, which a network file system does not give; there the
ledger uses the rollback journal instead (SQLite, Write-Ahead Logging, section "Disadvantages").
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sootprint.core import utc
from sootprint.core.errors import RecordError

if TYPE_CHECKING:
    import sqlite3

FILE_NAME = "ledger.sqlite"

MIGRATIONS = (
    (
        "CREATE TABLE runs ("
        " id TEXT NOT NULL, version INTEGER NOT NULL, state TEXT NOT NULL, kept TEXT NOT NULL,"
        " name TEXT, project TEXT, tags TEXT NOT NULL, zone TEXT, grade TEXT, started TEXT, duration_s REAL,"
        " energy_kwh REAL, energy_low_kwh REAL, energy_high_kwh REAL,"
        " emissions_kg REAL, emissions_low_kg REAL, emissions_high_kg REAL,"
        " record TEXT NOT NULL, PRIMARY KEY (id, version))",
        "CREATE INDEX runs_by_start ON runs (started)",
        "CREATE INDEX runs_by_name ON runs (name)",
        "CREATE VIEW latest AS SELECT * FROM runs AS run"
        " WHERE version = (SELECT MAX(version) FROM runs WHERE id = run.id)",
    ),
    (
        "ALTER TABLE runs ADD COLUMN parent TEXT",
        "ALTER TABLE runs ADD COLUMN run_group TEXT",
        "ALTER TABLE runs ADD COLUMN merged TEXT",
        "UPDATE runs SET parent = record_parent(record), run_group = record_group(record)",
        "CREATE INDEX runs_by_group ON runs (run_group)",
        "DROP VIEW latest",
        "CREATE VIEW latest AS SELECT * FROM runs AS run"
        " WHERE version = (SELECT MAX(version) FROM runs WHERE id = run.id)",
    ),
    (
        "ALTER TABLE runs ADD COLUMN apart_kwh REAL",
        "DROP VIEW latest",
        "CREATE VIEW latest AS SELECT * FROM runs AS run"
        " WHERE version = (SELECT MAX(version) FROM runs WHERE id = run.id)",
    ),
    (
        "ALTER TABLE runs ADD COLUMN methods TEXT",
        "UPDATE runs SET methods = record_methods(record)",
        "DROP VIEW latest",
        "CREATE VIEW latest AS SELECT * FROM runs AS run"
        " WHERE version = (SELECT MAX(version) FROM runs WHERE id = run.id)",
    ),
    (
        "ALTER TABLE runs ADD COLUMN idle_kwh REAL",
        "UPDATE runs SET idle_kwh = record_idle(record)",
        "DROP VIEW latest",
        "CREATE VIEW latest AS SELECT * FROM runs AS run"
        " WHERE version = (SELECT MAX(version) FROM runs WHERE id = run.id)",
    ),
)

_NETWORK_FILE_SYSTEMS = (
    "nfs",
    "cifs",
    "smb",
    "lustre",
    "gpfs",
    "beegfs",
    "ceph",
    "afs",
    "9p",
    "fuse",
    "glusterfs",
    "orangefs",
    "panfs",
)


def connect(home: Path, *, timeout_s: float) -> sqlite3.Connection:
    """Connection to the ledger of a home, its tables up to date; the caller closes it.

    Raises:
        sqlite3.Error: The file is locked for longer than `timeout_s`, damaged, or cannot be written.
        RecordError: A newer version of this program made the file.
    """
    import sqlite3

    connection = sqlite3.connect(home / FILE_NAME, timeout=timeout_s, isolation_level=None)
    with contextlib.ExitStack() as undo:
        undo.callback(connection.close)
        connection.execute("PRAGMA synchronous = NORMAL")
        _migrate(connection, home)
        _leave_memory(connection, home)
        undo.pop_all()
    return connection


def connect_read_only(home: Path) -> sqlite3.Connection:
    """Connection to the ledger of a home that cannot be written, as it was when it was last closed.

    One that an earlier version of this program made is copied to memory and brought up to date there.

    Raises:
        sqlite3.Error: The file is missing or damaged.
        RecordError: A newer version of this program made the file.
    """
    import sqlite3

    address = f"{(home / FILE_NAME).absolute().as_uri()}?mode=ro&immutable=1"
    connection = sqlite3.connect(address, uri=True, isolation_level=None)
    with contextlib.ExitStack() as undo:
        undo.callback(connection.close)
        version = _version(connection)
        _check_version(version, home)
        if 0 < version < len(MIGRATIONS):
            copy = sqlite3.connect(":memory:", isolation_level=None)
            undo.callback(copy.close)
            connection.backup(copy)
            connection.close()
            _migrate(copy, home)
            connection = copy
        undo.pop_all()
    return connection


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection, *, lasts: bool = False) -> Iterator[None]:
    """One all-or-nothing change, with the write lock from its start.

    Args:
        connection: Connection to the ledger.
        lasts: Whether it is on the disk at the end; else a power cut may undo the last changes, each as a whole.
    """
    if lasts:
        connection.execute("PRAGMA synchronous = FULL")
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        if lasts:
            connection.execute("PRAGMA synchronous = NORMAL")


def now() -> str:
    """This instant, ISO 8601 UTC."""
    return utc.text_of(datetime.now(UTC))


def _migrate(connection: sqlite3.Connection, home: Path) -> None:
    """Bring the tables up to the version of this program."""
    version = _version(connection)
    _check_version(version, home)
    if version == len(MIGRATIONS):
        return
    if version == 0 and not on_network(home):
        connection.execute("PRAGMA journal_mode = WAL")
    connection.create_function("record_parent", 1, lambda text: _field(text, "parent"))
    connection.create_function("record_group", 1, lambda text: _field(text, "run_group"))
    connection.create_function("record_methods", 1, _methods)
    connection.create_function("record_idle", 1, _idle_kwh)
    with transaction(connection):
        connection.execute(
            "CREATE TABLE IF NOT EXISTS migrations (version INTEGER PRIMARY KEY, applied TEXT NOT NULL)"
        )
        for number in range(_version(connection), len(MIGRATIONS)):
            for statement in MIGRATIONS[number]:
                connection.execute(statement)
            connection.execute("INSERT INTO migrations VALUES (?, ?)", (number + 1, now()))
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")


def _leave_memory(connection: sqlite3.Connection, home: Path) -> None:
    """Give up the write-ahead log of a file that was moved to a network; later, where it is open elsewhere."""
    import sqlite3

    if connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal" and on_network(home):
        with contextlib.suppress(sqlite3.OperationalError):
            connection.execute("PRAGMA journal_mode = DELETE")


def _field(record: str, name: str) -> str | None:
    """Text of a field of a stored record; None where it has none."""
    try:
        found = json.loads(record).get(name)
    except (ValueError, AttributeError):
        return None
    return found if isinstance(found, str) else None


def _methods(record: str) -> str:
    """Methods of the intensities of a stored record, as JSON."""
    try:
        listed = json.loads(record)["factors"]
        found = {one.get("method") or "" for one in listed if one.get("kind") == "intensity"}
    except (ValueError, LookupError, TypeError, AttributeError):
        found = set()
    return json.dumps(sorted(found))


def _idle_kwh(record: str) -> float | None:
    """Energy of the components of a stored record that had nothing to do [kWh]; None where none tells."""
    try:
        listed = [one.get("idle_kwh") for one in json.loads(record)["components"]]
        told = [float(one) for one in listed if one is not None]
    except (ValueError, LookupError, TypeError, AttributeError):
        return None
    return sum(told) if told else None


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _check_version(version: int, home: Path) -> None:
    if version > len(MIGRATIONS):
        raise RecordError(
            f"{home / FILE_NAME} has version {version}, this program reads up to {len(MIGRATIONS)}: "
            "upgrade sootprint"
        )


def on_network(home: Path, *, mounts: Path = Path("/proc/self/mounts")) -> bool:
    """Whether a folder lies on a file system that several machines may share."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return False
    folder, longest, kind = f"{home.resolve()}/", "", ""
    for _, point, found, *_ in (line.split(" ") for line in lines if line.count(" ") >= 2):
        mounted = point.replace("\\040", " ").rstrip("/") + "/"
        if folder.startswith(mounted) and len(mounted) >= len(longest):
            longest, kind = mounted, found
    return kind.startswith(_NETWORK_FILE_SYSTEMS)
