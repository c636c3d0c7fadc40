"""Whether lists, leaderboards, counts and sums follow from the versions of the records, and how they are mended.

The chain of the audit log guards versions alone. What pages read follows from them: the row and the results of each
record, the counts of facets, the sums. All of it is computed again here, some records at a time, and compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from sootprint.catalogue import tables
from sootprint.hub import chain, words
from sootprint.hub.database import writing
from sootprint.hub.insight import heads, projections, rollups
from sootprint.hub.insight.heads import Head
from sootprint.hub.insight.tables import Rollup
from sootprint.hub.insight.tallied import Tallied
from sootprint.hub.insight.totals import Totals
from sootprint.hub.tables import FootprintRow, ResultRow, Tally, table_of

AT_ONCE = 100  # records that are looked at at once, each of which may have megabytes
MOST_SHOWN = chain.MOST_SHOWN
NEAR = 1e-6  # of a sum, which is changed with each batch and so loses its last digits
LEAST = 1e-3  # of a sum [kWh, kg]: what rounding leaves where the largest record that counts came and went
_rows, _results = table_of(FootprintRow), table_of(ResultRow)
_tally, _rollup = table_of(Tally), table_of(Rollup)
Say = Callable[[str], None]


@dataclass(slots=True)
class Agreement:
    """What a comparison of lists and sums with the versions found.

    Args:
        records: Records that were compared [1].
        sums: Counts and sums that were compared [1].
        problems: What does not follow, at most the first twenty.
        count: Number of all that does not follow [1].
    """

    records: int = 0
    sums: int = 0
    problems: list[str] = field(default_factory=list)
    count: int = 0

    def tell(self, problem: str) -> None:
        """Count a problem, and keep it where it is one of the first."""
        self.count += 1
        if len(self.problems) < MOST_SHOWN:
            self.problems.append(problem)


def check(engine: Engine, *, say: Say = lambda _: None, step: chain.Step = chain.unseen) -> Agreement | None:
    """What does not follow from the versions; None while the hub makes lists and sums again after an upgrade.

    Each record is looked at as it was at one moment, and so are all counts and sums, for more may come in meanwhile.

    Args:
        engine: Database.
        say: Called with what is looked at from now on.
        step: Called with how far that is, of how much.
    """
    if not projections.is_made(engine):
        return None
    found, last, newest = Agreement(), 0, _newest(engine)
    say("comparing lists")
    while some := _some(engine, last):
        for head in some:
            for problem in head.problems():
                found.tell(problem)
        last, found.records = _last(some), found.records + len(some)
        step(last, newest)
    say("comparing sums")
    with chain.at_one_moment(engine) as connection:
        for problem in _strays(connection):
            found.tell(problem)
        for problem in _sums(connection, found, lambda seq: step(seq, newest)):
            found.tell(problem)
    return found


def mend(engine: Engine) -> int:
    """Number of records whose row, results or recomputation was wrong, made again from their versions as all sums are.

    The versions themselves are left alone, as they have to fit: `chain.verify` tells.
    """
    mended, last = _restore(engine), 0
    while some := _some(engine, last):
        wrong = [head.id for head in some if any(head.problems())]
        if wrong:
            with writing(engine) as connection:
                for head in heads.of(connection, wrong):  # again, for a version may have come meanwhile
                    heads.write(connection, head)
            mended += len(wrong)
        last = _last(some)
    with writing(engine) as connection:
        connection.execute(sa.delete(_results).where(_OF_NO_RECORD))
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("INSERT INTO footprint_words (footprint_words) VALUES ('rebuild')")
        else:
            words.blocks_again(connection)
    projections.count_again(engine)
    return mended


def _some(engine: Engine, last: int) -> list[Head]:
    """The next records behind a number, as they are and as they are to be."""
    query = sa.select(_rows.c.id).where(_rows.c.seq > last).order_by(_rows.c.seq).limit(AT_ONCE)
    with tables.held(), chain.at_one_moment(engine) as connection:
        return heads.of(connection, list(connection.scalars(query)))


def _last(some: list[Head]) -> int:
    return max(int(head.row["seq"]) for head in some if head.row is not None)


def _restore(engine: Engine) -> int:
    """Number of records that no list had, although there are versions of them."""
    n = 0
    with writing(engine) as connection:
        while lost := heads.lost(connection, AT_ONCE):
            for head in heads.of(connection, lost):
                heads.write(connection, head)
            n += len(lost)
    return n


# PostgreSQL looks a list of a million through for each row where it is asked for what is not in it
_OF_NO_RECORD = ~sa.exists().where(_rows.c.seq == _results.c.seq)


def _strays(connection: Connection) -> Iterator[str]:
    """Records that no list has, and results of records that there are not."""
    for key in heads.lost(connection, MOST_SHOWN):
        yield f"{key} has versions and is in no list"
    query = sa.select(_results.c.seq).where(_OF_NO_RECORD).distinct()
    for (seq,) in connection.execute(query.limit(MOST_SHOWN)):
        yield f"a leaderboard has a result of record number {seq}, which there is not"


def _newest(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.scalar(sa.select(sa.func.max(_rows.c.seq))) or 0)


def _sums(connection: Connection, found: Agreement, step: Callable[[int], None]) -> Iterator[str]:
    """Counts and sums that do not follow from the rows, which are read once."""
    with closing(Tallied()) as made:
        for number, (row, listed) in enumerate(projections.published(connection)):
            if number % AT_ONCE == 0:
                step(row["seq"])
            made.add(row, listed)
        counts, sums = made.counts, made.sums
        found.sums = len(counts) + len(sums)
        yield from _counts_off(connection, counts)
        yield from _sums_off(connection, sums)


def _counts_off(connection: Connection, counts: Totals) -> Iterator[str]:
    query = sa.select(_tally.c.facet, _tally.c.value, _tally.c.n)
    for facet, value, n in connection.execute(query, execution_options={"yield_per": AT_ONCE}):
        right = int((counts.pop((facet, value)) or [0.0])[0])
        if right != n:
            yield f"the count of {facet} {value!r:.80} is {n}, by the records it is {right}"
    for (facet, value), (n,) in counts:
        yield f"the count of {facet} {value!r:.80} is missing, by the records it is {int(n)}"


def _sums_off(connection: Connection, made: Totals) -> Iterator[str]:
    nothing = [0.0] * len(rollups.SUMS)
    kinds = (rollups.TIME, rollups.PLACE, rollups.MODEL, rollups.DESIGN)
    query = sa.select(_rollup).where(_rollup.c.kind.in_(kinds))
    for row in connection.execute(query, execution_options={"yield_per": AT_ONCE}).mappings():
        key = (row["kind"], row["key"])
        yield from _sum_off(key, dict(row), dict(zip(rollups.SUMS, made.pop(key) or nothing, strict=True)))
    for (kind, name), _ in made:
        yield f"the sum of {kind} {name!r:.80} is missing"


def _sum_off(key: tuple[str, str], row: Mapping[str, Any], right: Mapping[str, float]) -> Iterator[str]:
    for name in rollups.SUMS:
        is_count = name in rollups.COUNTS
        near = 0.0 if is_count else max(LEAST, NEAR * max(abs(row[name]), abs(right[name])))
        if not abs(row[name] - right[name]) <= near:
            kind, of = key
            yield f"the sum {name} of {kind} {of!r:.80} is {row[name]:.6g}, by the records it is {right[name]:.6g}"
            return
