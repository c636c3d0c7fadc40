"""Backup and restore: a whole hub in one SQLite file, whichever database it runs on.

The file is a hub's database itself: a hub on SQLite can be served from it as it is, and a hub on PostgreSQL gets its
rows. So a backup is also how a hub moves from the one to the other. The server's key is not in it.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from sootprint.core import files
from sootprint.core.errors import HubError, InputError
from sootprint.hub import chain, database, opening
from sootprint.hub.chain import Verified
from sootprint.hub.tables import AuditEntry, Base, table_of

AT_ONCE = 2_000
PAGES = 4_096  # of a copied SQLite file at once, between which writers have their turn


def backup(engine: Engine, path: Path) -> Verified:
    """What the check of a new backup found; the file is there only when all of it fits.

    Args:
        engine: Database of the hub, which may be in use.
        path: File that is written.

    Raises:
        InputError: The file is there already, or its folder cannot be made or written.
        HubError: It cannot be written, or the hub's own log does not fit.
    """
    if path.exists():
        raise InputError(f"{path} is there already: name another file")
    files.writable_folder(path.parent)
    draft = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft.unlink(missing_ok=True)
        draft.touch(mode=0o600)  # before the first of its rows
        if engine.dialect.name == "sqlite":
            _copied_pages(engine, draft)
        else:
            _copied_rows(engine, draft)
        found = _verified(draft)
        draft.rename(path)
    except (OSError, sqlite3.Error) as err:
        raise HubError(f"{path} cannot be written: {err}; make room or name another file") from err
    finally:
        for end in ("", "-wal", "-shm", "-journal"):
            draft.with_name(draft.name + end).unlink(missing_ok=True)
    return found


def restore(path: Path, engine: Engine) -> Verified:
    """What the check of a restored hub found.

    Args:
        path: Backup.
        engine: Database without records, with its tables up to date.

    Raises:
        InputError: The file is none of a hub, or the database holds something.
        HubError: The backup does not fit its own log; nothing was restored.
    """
    with tempfile.TemporaryDirectory(prefix="sootprint-restore-", dir=path.parent) as folder:
        copy = Path(folder) / "hub.sqlite"
        _opened(path, copy)
        source = database.connect(database.url_of(f"sqlite:///{copy}", Path(folder)))
        try:
            opening.bring_up(source)
            _checked(chain.verify(source), path)
            with source.connect() as reading, database.writing(engine) as connection:
                _refuse_filled(connection, engine)
                _move(reading, connection)
        finally:
            source.dispose()
    database.settle(engine)
    return _checked(chain.verify(engine), path)


def _copied_pages(engine: Engine, draft: Path) -> None:
    """The online backup of SQLite: pages of one moment, while others write."""
    with engine.connect() as connection, sqlite3.connect(draft) as target:
        held: Any = connection.connection.dbapi_connection
        held.backup(target, pages=PAGES)
    target.close()


def _copied_rows(engine: Engine, draft: Path) -> None:
    """Rows of one moment of a database that is not SQLite."""
    target = database.connect(database.url_of(f"sqlite:///{draft}", draft.parent))
    try:
        opening.bring_up(target)
        with engine.connect() as plain, database.writing(target) as connection:
            reading = plain.execution_options(isolation_level="REPEATABLE READ", yield_per=AT_ONCE)
            _move(reading, connection)
        with target.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.exec_driver_sql("PRAGMA journal_mode = DELETE")
    finally:
        target.dispose()


def _move(source: Connection, target: Connection) -> None:
    """Rows of all tables, parents first; what the migrations put there is replaced."""
    for table in reversed(_tables()):
        target.execute(sa.delete(table))
    for table in _tables():
        found = source.execution_options(yield_per=AT_ONCE).execute(sa.select(table))
        for rows in found.mappings().partitions(AT_ONCE):
            target.execute(sa.insert(table), [dict(row) for row in rows])
        _go_on_counting(target, table)


def _go_on_counting(target: Connection, table: sa.Table) -> None:
    """Let PostgreSQL number new rows after those that came with their numbers."""
    if target.dialect.name != "postgresql":
        return
    for column in table.primary_key.columns:
        owned = sa.select(sa.func.pg_get_serial_sequence(table.name, column.name))
        if (sequence := target.scalar(owned)) is not None:
            last = target.scalar(sa.select(sa.func.max(column)))
            target.execute(sa.select(sa.func.setval(sequence, last or 1, last is not None)))


def _tables() -> Sequence[sa.Table]:
    from sootprint.hub import app  # noqa: F401 - brings the tables of every part

    return Base.metadata.sorted_tables


def _refuse_filled(connection: Connection, engine: Engine) -> None:
    if connection.scalar(sa.select(sa.func.count()).select_from(table_of(AuditEntry))):
        raise InputError(f"{database.shown(engine)} holds a hub already: restore into an empty database")


def _opened(path: Path, copy: Path) -> None:
    """Copy a backup, which is not to be changed, if it is one."""
    try:
        with path.open("rb") as file:
            if file.read(16) != b"SQLite format 3\0":
                raise InputError(f"{path} is no backup of a hub: it is no SQLite file")
        shutil.copyfile(path, copy)
        with sqlite3.connect(copy) as opened:
            known = {
                name for (name,) in opened.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            }
        opened.close()
    except OSError as err:
        raise InputError(f"{path} cannot be read: {err.strerror or err}; name a backup") from err
    except sqlite3.Error as err:
        raise InputError(f"{path} is no backup of a hub: {err}") from err
    if not {"footprint_version", "alembic_version"} <= known:
        raise InputError(f"{path} is no backup of a hub: it has no tables of one")


def _verified(draft: Path) -> Verified:
    """Check of a backup, opened as a hub would."""
    engine = database.connect(database.url_of(f"sqlite:///{draft}", draft.parent))
    try:
        return _checked(chain.verify(engine), draft)
    finally:
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode = DELETE")
        engine.dispose()


def _checked(found: Verified, path: Path) -> Verified:
    if found.count:
        raise HubError(f"{path.name.strip('.')}: {found.count} things do not fit, first: {found.problems[0]}")
    return found
