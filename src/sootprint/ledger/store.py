"""The ledger: runs of this machine, newest first, with all versions of their records."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from sootprint.core.errors import RecordError
from sootprint.core.records import Footprint
from sootprint.ledger import database, rows, spool, statements, versions
from sootprint.settings.folders import make_home

if TYPE_CHECKING:
    import sqlite3

LOCK_S = 5.0  # wait for another program's lock when a person is waiting, not a training
MIN_PREFIX = 4
LISTED = 8  # last letters of an id, which `runs` lists
AT_ONCE = 100  # records of the spool that are taken in together
_NEWEST = "ORDER BY started DESC, id DESC"
_Waiting = tuple[Path, Footprint, str, str]  # file, record, its text and the state of the run


class Ledger:
    """Runs kept in a home. Opening it takes in what waits in the spool; use it as a context manager.

    Args:
        home: Folder of the ledger; made if it is missing.
        lock_s: Longest wait for a lock that another program holds [s].

    Raises:
        RecordError: The database is damaged, locked, or of a newer version.
    """

    def __init__(self, home: Path, *, lock_s: float = LOCK_S) -> None:
        self.home = home
        self._lock_s = lock_s
        self.unreadable: tuple[str, ...] = ()  # spool files that are no records, with the reason
        self._connection = self._connect()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the database."""
        self._connection.close()

    def runs(self, limit: int | None = None) -> list[rows.RunRow]:
        """Runs, the newest first, at most `limit` of them."""
        query = f"SELECT {', '.join(rows.COLUMNS)} FROM latest {_NEWEST}"
        with self._failing("list the runs"):
            found = self._connection.execute(query).fetchall()
        listed = rows.with_wholes([rows.row_of(values) for values in found], record_of=self._readable)
        return listed if limit is None else listed[: max(0, limit)]

    def group(self, run_group: str) -> list[Footprint]:
        """Records of one job, the oldest first.

        Raises:
            RecordError: There is none; the message names the nearest.
        """
        with self._failing("look up a group"):
            query = "SELECT record FROM latest WHERE run_group = ? ORDER BY started, id"
            found = self._connection.execute(query, (run_group,)).fetchall()
        if not found:
            raise RecordError(self._no_such_group(run_group))
        return [Footprint.from_json(text) for (text,) in found]

    def find(self, ref: str) -> str:
        """Identity of the run that a text means: "latest", an id, part of one as listed, or the newest of a name.

        Raises:
            RecordError: No run fits, or several do; the message names the nearest.
        """
        with self._failing("look up a run"):
            found = self._matches(ref)
        if len(found) == 1:
            return found[0]
        if found:
            raise RecordError(f"{ref!r} fits {len(found)} runs: {_listed(found)}; give more of the id")
        raise RecordError(self._no_such(ref))

    def get(self, ref: str) -> Footprint:
        """Newest version of a run's record; `ref` as for `find`.

        Raises:
            RecordError: No run fits, several do, or the stored record cannot be read.
        """
        with self._failing("read a run"):
            query = "SELECT record FROM latest WHERE id = ?"
            text = self._connection.execute(query, (self.find(ref),)).fetchone()[0]
        return Footprint.from_json(text)

    def _readable(self, run_id: str) -> Footprint | None:
        """Record of a run, None where it cannot be read."""
        try:
            return self.get(run_id)
        except RecordError:
            return None

    def versions(self, ref: str) -> list[Footprint]:
        """All versions of a run's record, the oldest first; `ref` as for `find`."""
        with self._failing("read a run"):
            query = "SELECT record FROM runs WHERE id = ? ORDER BY version"
            found = self._connection.execute(query, (self.find(ref),)).fetchall()
        return [Footprint.from_json(text) for (text,) in found]

    def state(self, ref: str) -> str:
        """State of a run, finished or recovered; `ref` as for `find`."""
        with self._failing("read a run"):
            query = "SELECT state FROM latest WHERE id = ?"
            return str(self._connection.execute(query, (self.find(ref),)).fetchone()[0])

    def tag(self, ref: str, tags: dict[str, str | None]) -> Footprint:
        """Record of a run with tags set, or removed where the value is None, as a new version of it.

        Raises:
            RecordError: No run fits, several do, or the ledger cannot be written.
        """
        run_id = self.find(ref)
        with self._failing("tag a run"), database.transaction(self._connection):
            before, state = self.get(run_id), self.state(run_id)  # with the lock: another may tag it, too
            merged = {**before.tags, **tags}
            after = dataclasses.replace(
                before, tags={name: text for name, text in merged.items() if text is not None}
            )
            versions.append(self._connection, after, text=after.to_json(), state=state)
        return after

    def amend(self, footprint: Footprint, *, since: Footprint | None = None) -> None:
        """Add a record as the new version of its run, whose earlier versions are kept.

        Args:
            footprint: The record.
            since: Version that it was made from: what another program has changed meanwhile stays, where the two
                changed different fields. Where None, it counts as it is.

        Raises:
            RecordError: The run is not here, or the ledger cannot be written.
        """
        state = self.state(footprint.id)
        with self._failing("amend a run"), database.transaction(self._connection):
            newest = self.get(footprint.id)
            if since is not None and newest != since:
                pairs = ((one.name, getattr(footprint, one.name)) for one in dataclasses.fields(Footprint))
                changed = {name: value for name, value in pairs if value != getattr(since, name)}
                footprint = dataclasses.replace(newest, **changed)
            versions.append(self._connection, footprint, text=footprint.to_json(), state=state)

    def take(self, footprints: Iterable[Footprint]) -> int:
        """Number of records that were added, all of them or none; one that is here already is not added again.

        Raises:
            RecordError: The ledger cannot be written.
        """
        count = 0
        with self._failing("keep the records"), database.transaction(self._connection, lasts=True):
            for one in footprints:
                whole, data = spool.whole(one)
                versions.insert(self._connection, whole, text=data.decode(), state="finished")
                count += 1
        return count

    def delete(self, ref: str) -> str:
        """Identity of a run that was removed with all its versions.

        Raises:
            RecordError: No run fits, several do, or the ledger cannot be written.
        """
        run_id = self.find(ref)
        with self._failing("delete a run"), database.transaction(self._connection):
            self._connection.execute("DELETE FROM runs WHERE id = ?", (run_id,))
        for state in spool.STATES:
            with contextlib.suppress(OSError):
                spool.spool_path(self.home, run_id, state).unlink(missing_ok=True)
        return run_id

    def summary(self, by: str) -> list[rows.SummaryRow]:
        """Sums over runs by project, user, node, month, year, tag, one tag's value (tag:KEY), or several: project,year.

        Raises:
            InputError: `by` is none of them, or no run has the tag.
        """
        nodes: dict[str, str | None] = {}
        if "node" in rows.things(by):
            with self._failing("list the nodes"):
                nodes = dict(
                    self._connection.execute("SELECT id, json_extract(record, '$.node') FROM latest")
                )
        return rows.summaries(self.runs(), by, nodes=nodes)

    def statement_count(self) -> int:
        """Number of statements of cloud providers, which no sum over runs has."""
        with self._failing("count the statements"):
            query = "SELECT COUNT(*) FROM latest WHERE json_extract(tags, ?) IS NOT NULL"
            return int(self._connection.execute(query, (f"$.{rows.STATEMENT}",)).fetchone()[0])

    def statements(self, by: str) -> list[statements.StatementRow]:
        """Sums over the statements of cloud providers by project, month, year, tag or one tag's value, or several.

        Raises:
            InputError: `by` is none of them, or no statement has the tag.
        """
        listed = [run for run in self.runs() if rows.STATEMENT in run.tags]
        return statements.summaries(listed, by, {run.id: self._fields(run.id) for run in listed})

    def _fields(self, run_id: str) -> dict[str, Any]:
        """Fields of the newest version of a run's record as they are stored."""
        import json

        with self._failing("read a run"):
            query = "SELECT record FROM latest WHERE id = ?"
            found = json.loads(self._connection.execute(query, (run_id,)).fetchone()[0])
        return found if isinstance(found, dict) else {}

    def _connect(self) -> sqlite3.Connection:
        import sqlite3

        with self._failing("open the ledger"):
            try:
                make_home(self.home)
                connection = database.connect(self.home, timeout_s=self._lock_s)
            except (sqlite3.OperationalError, OSError) as err:
                if not _is_read_only(err):
                    raise
                return database.connect_read_only(self.home)
            with contextlib.ExitStack() as undo:
                undo.callback(connection.close)
                self._absorb(connection)
                undo.pop_all()
            return connection

    def _absorb(self, connection: sqlite3.Connection) -> None:
        """Take in what waits in the spool; a file that is no record stays there and is named."""
        problems: list[str] = []
        waiting: list[_Waiting] = []
        for path, state in spool.spooled(self.home):
            try:
                text = path.read_text(encoding="utf-8")
                waiting.append((path, Footprint.from_json(text), text, state))
            except FileNotFoundError:
                continue  # another program took it in meanwhile
            except (OSError, RecordError, UnicodeDecodeError) as err:
                problems.append(f"{path}: {err}")
            if len(waiting) == AT_ONCE:
                _take_in(connection, waiting)
                waiting = []
        _take_in(connection, waiting)
        self.unreadable = tuple(problems)

    def _matches(self, ref: str) -> list[str]:
        if ref == "latest":
            return self._ids(f"SELECT id FROM latest {_NEWEST} LIMIT 1")
        exact = self._ids("SELECT id FROM latest WHERE id = ?", ref)
        if exact:
            return exact
        named = self._ids(f"SELECT id FROM latest WHERE name = ? {_NEWEST} LIMIT 1", ref)
        if named or len(ref) < MIN_PREFIX:
            return named
        part = ref.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        like = "LIKE ? ESCAPE '\\'"
        query = (
            f"SELECT id FROM latest WHERE id {like} OR id {like} OR substr(id, -{LISTED}) {like} {_NEWEST}"
        )
        return self._ids(query, f"{part}%", f"%{part}", f"{part}%")

    def _ids(self, query: str, *values: str) -> list[str]:
        return [run_id for (run_id,) in self._connection.execute(query, values)]

    def _no_such(self, ref: str) -> str:
        import difflib

        with self._failing("look up a run"):
            known = self._connection.execute(f"SELECT name, id FROM latest {_NEWEST} LIMIT 1000").fetchall()
        if not known:
            return f"no run {ref!r}: {self.home} holds no runs yet; make one with `sootprint run -- COMMAND`"
        names = dict.fromkeys(name for name, _ in known if name)
        near = difflib.get_close_matches(ref, [*names, *(run_id for _, run_id in known)], n=3, cutoff=0.5)
        near = near or list(dict.fromkeys(name or run_id for name, run_id in known))[:3]
        return f"no run {ref!r}: the nearest are {_listed(near)}"

    def _no_such_group(self, run_group: str) -> str:
        import difflib

        known = self._ids(f"SELECT DISTINCT run_group FROM latest WHERE run_group IS NOT NULL {_NEWEST}")
        near = difflib.get_close_matches(run_group, known, n=3, cutoff=0.5) or known[:3]
        if not near:
            return (
                f"no run group {run_group!r}: no run of {self.home} is of any; name the runs or their files"
            )
        return f"no run group {run_group!r}: the nearest are {_listed(near)}"

    @contextlib.contextmanager
    def _failing(self, what: str) -> Iterator[None]:
        """Turn errors of the database into one line that says what to do."""
        import sqlite3

        try:
            yield
        except (sqlite3.Error, OSError) as err:
            raise RecordError(f"could not {what}: {_advice(self.home, err)}") from err


def _advice(home: Path, error: Any) -> str:
    import sqlite3

    path = home / database.FILE_NAME
    if isinstance(error, sqlite3.OperationalError) and "locked" in str(error):
        return f"{path} is locked by another program ({error}): try again when it has finished"
    if _is_read_only(error):
        return f"{home} cannot be written ({error}): set SOOTPRINT_HOME to a folder that can"
    if isinstance(error, (sqlite3.OperationalError, OSError)):
        return f"{path}: {error}; make room or set SOOTPRINT_HOME to another folder"
    waiting = sum(1 for _ in spool.spooled(home))
    return (
        f"{path} is damaged ({error}): move it away, and the next command starts a new one; "
        f"{waiting} record(s) in {home / spool.FOLDER} are whole and will be taken in"
    )


def _is_read_only(error: Exception) -> bool:
    words = ("readonly", "read-only", "unable to open", "permission denied")
    return any(word in str(error).lower() for word in words)


def _take_in(connection: sqlite3.Connection, waiting: Sequence[_Waiting]) -> None:
    """Add records of the spool, and delete their files once the disk has the records."""
    if not waiting:
        return
    with database.transaction(connection, lasts=True):
        for _, footprint, text, state in waiting:
            versions.insert(connection, footprint, text=text, state=state)
    for path, *_ in waiting:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)


def _listed(names: list[str]) -> str:
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
