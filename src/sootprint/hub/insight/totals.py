"""Totals by kind and key, held in memory while they are few and in a file of the system's where they are many."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence

Key = tuple[str, str]


class Totals:
    """Sums that grow with each look at some records; the file goes away with the object.

    Args:
        terms: Numbers that each total has [1].
    """

    def __init__(self, terms: int) -> None:
        names = [f"t{number}" for number in range(terms)]
        self._disk = sqlite3.connect("", isolation_level=None)  # a file without a name, that SQLite deletes
        self._disk.execute("PRAGMA synchronous = OFF")
        self._disk.execute(
            f"CREATE TABLE total (kind, key, {', '.join(names)}, PRIMARY KEY (kind, key)) WITHOUT ROWID"
        )
        self._put = (
            f"INSERT INTO total VALUES (?, ?{', ?' * terms}) ON CONFLICT DO UPDATE SET "
            f"{', '.join(f'{name} = {name} + excluded.{name}' for name in names)}"
        )
        self._get = f"SELECT {', '.join(names)} FROM total WHERE kind = ? AND key = ?"

    def add(self, more: Mapping[Key, Sequence[float]]) -> None:
        """Add the terms of some totals to what is there."""
        self._disk.execute("BEGIN")
        self._disk.executemany(self._put, ((*key, *terms) for key, terms in more.items()))
        self._disk.execute("COMMIT")

    def pop(self, key: Key) -> list[float] | None:
        """Terms of a total, which is taken out; None where there is none."""
        found = self._disk.execute(self._get, key).fetchone()
        self._disk.execute("DELETE FROM total WHERE kind = ? AND key = ?", key)
        return None if found is None else list(found)

    def __len__(self) -> int:
        return int(self._disk.execute("SELECT count(*) FROM total").fetchone()[0])

    def __iter__(self) -> Iterator[tuple[Key, list[float]]]:
        """Totals that were not taken out."""
        for kind, key, *terms in self._disk.execute("SELECT * FROM total"):
            yield (kind, key), terms

    def close(self) -> None:
        """Let the file go."""
        self._disk.close()
