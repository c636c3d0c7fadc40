"""Counts of facets and sums of groups over any number of records, of which some are in memory at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from sqlalchemy.engine import Connection

from sootprint.hub import columns, ingest
from sootprint.hub.insight import rollups
from sootprint.hub.insight.totals import Key, Totals

HELD = 100_000  # counts and sums that are in memory at once; more are put together on the disk
AT_ONCE = 1_000  # that are written at once


class Tallied:
    """What records bring to the counts and sums; its files go away with `close`."""

    def __init__(self) -> None:
        self._counts, self._sums = Totals(1), Totals(len(rollups.SUMS))
        self._held, self._changes = Counter[Key](), rollups.Changes()

    def add(self, row: Mapping[str, Any], listed: Sequence[Mapping[str, Any]], sign: int = 1) -> None:
        """Add a record with its results, or take it away with sign -1."""
        for facet in columns.facets(row, listed):
            self._held[facet] += sign
        self._changes.add(row, sign)
        if len(self._held) + len(self._changes) >= HELD:
            self._put()

    @property
    def counts(self) -> Totals:
        """Number of records by facet and value."""
        self._put()
        return self._counts

    @property
    def sums(self) -> Totals:
        """Terms of `rollups.SUMS` by kind and key."""
        self._put()
        return self._sums

    def write(self, connection: Connection) -> None:
        """Add them to those that are stored; the caller holds the writer's lock."""
        for some in _parts(self.counts):
            ingest.count(connection, Counter({key: int(n) for key, (n,) in some}))
        for some in _parts(self.sums):
            rollups.write(connection, some)

    def close(self) -> None:
        """Let the files go."""
        self._counts.close()
        self._sums.close()

    def _put(self) -> None:
        self._counts.add({key: [float(n)] for key, n in self._held.items()})
        self._sums.add(dict(self._changes.items()))
        self._held, self._changes = Counter(), rollups.Changes()


def _parts(totals: Totals) -> Iterator[list[tuple[Key, list[float]]]]:
    every = iter(totals)
    while some := list(islice(every, AT_ONCE)):
        yield some
