"""The database: SQLite with a write-ahead log, or PostgreSQL; migrations, and one writer at a time.

A write takes one lock from its start (`BEGIN IMMEDIATE`, or an advisory lock of PostgreSQL), for the audit log is one
chain and a record has one next version. All that is slow, reading and recomputing records, is done before it.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError

from sootprint.core import utc
from sootprint.core.errors import HubError, InputError

FILE_NAME = "hub.sqlite"
MIGRATIONS = Path(__file__).with_name("migrations")
DIALECTS = ("sqlite", "postgresql")
LOCK_KEY = 0x50075  # of PostgreSQL's advisory lock; any number that other programs do not use
BUSY_MS = 15_000  # wait of a writer of SQLite for another one [ms]
CACHE_KIB = 8_192  # pages that a connection to SQLite keeps in memory [KiB]; one of each thread is open
LOG_PAGES = 8_192  # of the write-ahead log before it is written back: each batch touches the same pages
AHEAD_SHARE = 0.5  # of the machine's memory that a file of SQLite may fill when it is read ahead
BUFFERS_SHARE = 0.9  # of PostgreSQL's buffers that are filled when it is read ahead
STUDIED = 1_000  # rows of each index that SQLite looks at
# How PostgreSQL is to plan the short queries of pages: by the values asked for and not for all values alike, by indexes
# that lie in memory or on a solid disk, and without what pays only for long queries, compiling and helpers
PLANNING = {
    "plan_cache_mode": "force_custom_plan",
    "random_page_cost": "1.1",
    "jit": "off",
    "max_parallel_workers_per_gather": "0",
}


def url_of(address: str | None, home: Path) -> sa.URL:
    """Address of the database: as given, else a file in the home.

    Raises:
        InputError: The address cannot be read, or names a database that the hub does not know.
    """
    if address is None:
        return sa.URL.create("sqlite", database=str(home / FILE_NAME))
    try:
        url = sa.engine.make_url(address)
    except (sa.exc.ArgumentError, ValueError):
        raise InputError(f"database address {address!r:.80} cannot be read: {_EXAMPLES}") from None
    if url.get_backend_name() not in DIALECTS:
        raise InputError(f"database {url.get_backend_name()!r:.40} is not known to the hub: {_EXAMPLES}")
    return url.set(drivername="postgresql+psycopg") if url.get_backend_name() == "postgresql" else url


_EXAMPLES = "give sqlite:////folder/hub.sqlite or postgresql+psycopg://user@host/name"


def connect(url: sa.URL) -> Engine:
    """Engine of a database; nothing is opened yet."""
    if url.get_backend_name() == "sqlite":
        if url.database and url.database != ":memory:":
            Path(url.database).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with contextlib.suppress(OSError):  # who opens it says better what is wrong
                Path(url.database).touch(mode=0o600)  # SQLite's logs have the mode of the file
        engine = sa.create_engine(url, hide_parameters=True, connect_args={"timeout": BUSY_MS / 1000})
        sa.event.listen(engine, "connect", _prepare_sqlite)
        return engine
    more = {"pool_size": 10, "pool_pre_ping": True, "hide_parameters": True}
    engine = sa.create_engine(url, connect_args={"connect_timeout": 10}, **more)
    sa.event.listen(engine, "connect", _prepare_postgresql)
    return engine


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Bring the tables up to a revision, the newest unless another is named.

    Raises:
        HubError: The database cannot be reached, or a newer version of this program made it.
    """
    with reaching(engine), writing(engine) as connection:
        if current(connection) not in {None, *revisions()}:
            raise HubError(f"{shown(engine)} was made by a newer version of sootprint: upgrade it")
        command.upgrade(_config(connection), revision)


def study(engine: Engine) -> None:
    """Let the database learn what it plans by.

    SQLite looks at some rows of each index, so that it knows which are worth going by. PostgreSQL does so itself, and
    is told once which columns depend on each other. It takes milliseconds, the first time of a large hub on PostgreSQL
    some seconds, and is left out where another process is writing or the database is not to be written to.
    """
    with contextlib.suppress(DBAPIError), engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql(f"PRAGMA analysis_limit = {STUDIED}")
            connection.exec_driver_sql("ANALYZE")
        elif not connection.scalar(sa.text(_KNOWN)):
            connection.rollback()
            with connection.begin():
                connection.execute(sa.text("SET LOCAL lock_timeout = '2s'"))
                connection.execute(sa.text(_DEPENDING))
                connection.execute(sa.text("ANALYZE footprint"))


def read_ahead(engine: Engine) -> int:
    """Bytes that lists, searches and leaderboards need, read into memory as a server starts.

    After a restart each first look at a large board would wait for thousands of single reads of the disk. SQLite's
    file goes to the system's free memory, where all of it fits; programs that need that memory get it back. PostgreSQL
    reads tables and indexes into its own buffers, as far as they fit. 0 where that cannot be: there is no such file,
    or PostgreSQL has no module `pg_prewarm` that this user may use.
    """
    if engine.dialect.name == "postgresql":
        return _read_ahead_postgresql(engine)
    path = engine.url.database
    if not path or not hasattr(os, "posix_fadvise"):
        return 0
    try:
        size = Path(path).stat().st_size
        if size > AHEAD_SHARE * os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"):
            return 0
        if path not in _STAYING_OPEN:
            _STAYING_OPEN[path] = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        os.posix_fadvise(_STAYING_OPEN[path], 0, 0, os.POSIX_FADV_WILLNEED)
    except OSError:
        return 0
    return size


# Descriptors of files of SQLite that this process opened itself. POSIX takes all locks that a process holds on a file
# when the process closes any descriptor of it, SQLite's too: another program would then take the hub for stopped and
# delete the write-ahead log that the hub goes on writing to (sqlite.org, "How To Corrupt An SQLite Database", 2.2).
_STAYING_OPEN: dict[str, int] = {}


def _read_ahead_postgresql(engine: Engine) -> int:
    blocks = 0
    with (
        contextlib.suppress(SQLAlchemyError),
        engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection,
    ):
        given = {"key": LOCK_KEY + 1}
        if not connection.scalar(sa.text("SELECT pg_try_advisory_lock(:key)"), given):
            return 0  # another worker does it
        try:
            connection.exec_driver_sql("CREATE EXTENSION IF NOT EXISTS pg_prewarm")
            for name in connection.scalars(sa.text(_FITTING), {"share": BUFFERS_SHARE}).all():
                blocks += (
                    connection.scalar(sa.text("SELECT pg_prewarm(to_regclass(:name))"), {"name": name}) or 0
                )
        finally:
            connection.execute(sa.text("SELECT pg_advisory_unlock(:key)"), given)
    return blocks << 13


# Tables and indexes of lists and leaderboards that fit into the buffers together: the records with the index of their
# words first, then the results, then the indexes of the filters, the smallest first
_FITTING = """
SELECT name FROM (
    SELECT c.oid::regclass::text AS name, sum(pg_relation_size(c.oid)) OVER (
        ORDER BY CASE WHEN c.relname ~ '^(footprint|footprint_pkey|ix_footprint_words.*)$' THEN 0
            WHEN coalesce(i.indrelid, c.oid) = 'result'::regclass THEN 1 ELSE 2 END, pg_relation_size(c.oid), c.oid
    ) AS together
    FROM pg_class c LEFT JOIN pg_index i ON i.indexrelid = c.oid
    WHERE coalesce(i.indrelid, c.oid) IN (
        'footprint'::regclass, 'result'::regclass, 'footprint_words_blocks'::regclass
    )
) listed WHERE together <= :share * pg_size_bytes(current_setting('shared_buffers')) ORDER BY together
"""


# A zone lies in one country: a list of one country and of a zone in another one has no records, and need not be
# looked for through all of them
_KNOWN = (
    "SELECT 1 FROM pg_statistic_ext WHERE stxname = 'footprint_place' AND stxrelid = 'footprint'::regclass"
)
_DEPENDING = (
    "CREATE STATISTICS IF NOT EXISTS footprint_place (dependencies, mcv) ON country, zone FROM footprint"
)


def settle(engine: Engine) -> None:
    """Let PostgreSQL look at tables that were just filled: it guesses until then, and reads no index alone.

    Its own process does so about a minute later. SQLite looks as a server starts.
    """
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM (ANALYZE)")


def downgrade(engine: Engine, revision: str) -> None:
    """Bring the tables down to a revision, `base` for none."""
    with reaching(engine), writing(engine) as connection:
        command.downgrade(_config(connection), revision)


def current(connection: Connection) -> str | None:
    """Revision that the tables are of; None for an empty database."""
    return MigrationContext.configure(connection).get_current_revision()


def is_current(engine: Engine) -> bool:
    """Whether the database answers and its tables are those of this program."""
    try:
        with engine.connect() as connection:
            return current(connection) == _script().get_current_head()
    except SQLAlchemyError:
        return False


@contextlib.contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One all-or-nothing change, alone from its start to its end."""
    with engine.connect() as connection, connection.begin():
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK_KEY})
        yield connection


@contextlib.contextmanager
def reaching(engine: Engine) -> Iterator[None]:
    """Turn errors of the connection into one line that says what to do."""
    try:
        yield
    except OperationalError as err:
        reason = " ".join(str(err.orig).split())
        way_out = "check its address and that it runs"
        if "password" in reason:
            way_out = "write its password into ~/.pgpass, or into a file that PGPASSFILE names"
        raise HubError(f"{shown(engine)} cannot be used: {reason}; {way_out}") from err


def shown(engine: Engine) -> str:
    """Address of a database without its password."""
    return engine.url.render_as_string(hide_password=True)


def now() -> str:
    """This instant, ISO 8601 UTC with milliseconds."""
    return utc.text_of(datetime.now(UTC))


def _prepare_sqlite(connection: sqlite3.Connection, _: Any) -> None:
    connection.isolation_level = None  # transactions are begun by `writing` alone
    for pragma in (
        "journal_mode = WAL",
        "synchronous = FULL",  # an answer to a client is a promise
        f"busy_timeout = {BUSY_MS}",
        "foreign_keys = ON",
        f"cache_size = -{CACHE_KIB}",
        f"wal_autocheckpoint = {LOG_PAGES}",
        "temp_store = MEMORY",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _prepare_postgresql(connection: Any, _: Any) -> None:
    connection.autocommit = True  # else the settings would go with the transaction
    connection.execute("; ".join(f"SET {name} = {value}" for name, value in PLANNING.items()))
    connection.autocommit = False


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _script() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def revisions() -> list[str]:
    """Revisions of the tables, the first ones first."""
    return [script.revision for script in _script().walk_revisions()][::-1]
