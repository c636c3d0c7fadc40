"""Ways to records with some words on PostgreSQL: through the index of the words, or along the order of the list.

The index tells which records have a word, in no order: each of them is read and sorted for a page. PostgreSQL compares
that with a walk from the newest record back as if words lay evenly among the records and taking a text apart were
cheap; it took 0.2 s to walk past 25,000 records of other words, and 50 ms to read that a million have the first of two
words. So its own estimates are asked for, and the way is chosen here:

- Few records: the index of the rare words gives them, they are sorted, and frequent words are looked for in the first
  ones until a page is full.
- Many: a walk back from the newest, in which a text without the letters of a word is not taken apart, some thousand
  records at most; then through the blocks of 256 records of which one has all words, as `footprint_words_blocks` tells;
  and where filters leave too little of 60,000 such records, the index after all.
- Many, with filters or by emissions or energy: the first that pass the filters, in the order of the list; where they
  do not fill a page, and 15,000 records of blocks do not either, the indexes of words and filters tell where they meet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sootprint.hub.tables import FootprintRow, table_of

FEW = 10_000  # records that are read and sorted for a page; of a million, the others fill one in 5,100 on average
MANY = 300_000  # records of which the index of words is asked beside one of a filter; in some 0.2 s
NEWEST = 4_000  # records that are walked through before the blocks are asked for, in some 10 ms
WALK = 60_000  # records of blocks that are walked through at most, in some 0.1 s
FILTERED = 15_000  # those where filters have an index that can be asked as well
BLOCK = 256  # records, as the migration has it
DEARER = 20  # times as many records as the rarest word has, of which the index is not asked
_rows = table_of(FootprintRow)
_words = sa.column("words", _rows.c.words.type)


@dataclass(frozen=True, slots=True)
class Way:
    """How records with some words are to be found.

    Args:
        are_few: Whether PostgreSQL believes that few records have them.
        indexed: What it finds by the index of words; None for more records than that is asked for.
        rest: What they fulfil besides, looked at record by record.
    """

    are_few: bool
    indexed: sa.ColumnElement[bool] | None
    rest: sa.ColumnElement[bool]


def has(found: Sequence[str]) -> sa.ColumnElement[bool]:
    """Condition that a record has words that begin with each of the given ones, as the index has it."""
    return _matches(_words, found)


def way(connection: Connection, found: Sequence[str]) -> Way:
    """Way to the records with some words.

    Args:
        connection: Connection to PostgreSQL.
        found: Beginnings of words, at least one.
    """
    asked = [[one] for one in found] if len(found) == 1 else [list(found), *([one] for one in found)]
    estimates = _estimates(connection, asked)
    together, each = estimates[0], estimates[-len(found) :]
    are_few, counts = together <= FEW, dict(zip(found, each, strict=True))
    if not are_few and min(each) > MANY:
        return Way(are_few, None, read(found))
    frequent = [one for one, n in counts.items() if n > (DEARER * min(each) if are_few else MANY)]
    indexed = has([one for one in counts if one not in frequent])
    return Way(are_few, indexed, read(frequent) if frequent else sa.true())


def blocks(connection: Connection, found: Sequence[str], before: int, records: int) -> tuple[list[int], bool]:
    """Blocks before a number in which a record has some words, the newest first, and whether these are all.

    The newest ones, which nobody has written yet, are among them, for they may have any words.

    Args:
        connection: Connection to PostgreSQL.
        found: Beginnings of words, at least one.
        before: Number before which the records lie.
        records: How many the blocks may hold at most.
    """
    most = max(1, records // BLOCK)
    given = {"words": _query(found), "before": before, "most": most + 1}
    connection.exec_driver_sql(
        "SET LOCAL enable_seqscan = off"
    )  # which would take the words of all blocks apart
    known, newest, listed = connection.execute(_BLOCKS, given).one()
    connection.exec_driver_sql("SET LOCAL enable_seqscan = on")
    unwritten = range(min(before - 1, newest) // BLOCK, known, -1)
    numbers = [*unwritten[: most + 1], *listed]
    return numbers[:most], len(numbers) <= most


# A block may have several rows. The sum keeps PostgreSQL from a walk along the index of the blocks, which would take
# the words of each apart. Blocks do not tell which words stand beside each other, as those of a_b are to
_BLOCKS = sa.text(
    """
    SELECT coalesce((SELECT max(block) FROM footprint_words_blocks), -1),
        coalesce((SELECT max(seq) FROM footprint), 0),
        ARRAY(
            SELECT DISTINCT block + 0 FROM footprint_words_blocks
            WHERE lexemes @@ CAST(replace(CAST(to_tsquery('simple', :words) AS text), '<->', '&') AS tsquery)
                AND block + 0 <= (CAST(:before AS bigint) - 1) / 256
            ORDER BY 1 DESC LIMIT :most
        )
    """
)


def within(numbers: Sequence[int], before: int) -> sa.TextClause:
    """The records of some blocks before a number, in the order of the blocks, the newest first; stand for the table.

    PostgreSQL goes through the blocks one by one, as each has its own bounds, and no further than it is asked for rows.
    """
    text = """
        unnest(CAST(:blocks AS bigint[])) place (block), LATERAL (
            SELECT * FROM footprint
            WHERE seq >= place.block * 256 AND seq < least(place.block * 256 + 256, CAST(:before AS bigint))
            ORDER BY seq DESC
        ) footprint
    """
    return sa.text(text).bindparams(blocks=list(numbers), before=before)


def blocks_again(connection: Connection) -> None:
    """Make the blocks again from the records, as after a change by hand."""
    connection.exec_driver_sql("DELETE FROM footprint_words_blocks")
    connection.exec_driver_sql(
        "SELECT footprint_words_seal(0, (coalesce(max(seq), 0) + 1) / 256) FROM footprint"
    )


def _simple() -> sa.TextClause:
    return sa.text("'simple'")


def _matches(text: Any, found: Sequence[str]) -> sa.ColumnElement[bool]:
    query = sa.func.to_tsquery(_simple(), _query(found))
    return sa.func.to_tsvector(_simple(), text).op("@@", return_type=sa.Boolean())(query)


def _query(found: Sequence[str]) -> str:
    """All of some beginnings of words, as PostgreSQL reads them."""
    return " & ".join(f"{word}:*" for word in found)


def read(found: Sequence[str]) -> sa.ColumnElement[bool]:
    """As `has`, for which no index is asked; a text that has not the letters at all is not taken apart."""
    return sa.and_(
        *(_letters(one) for one in found if one.isascii() and one.isalnum()), _matches(_words + "", found)
    )


def _letters(word: str) -> sa.ColumnElement[bool]:
    """Whether a text has the letters of a word; of one that PostgreSQL takes whole, as it may not others."""
    return sa.func.strpos(sa.func.lower(_words), sa.func.lower(sa.literal(word, sa.Text))) > 0


def _estimates(connection: Connection, asked: Sequence[Sequence[str]]) -> list[int]:
    """Records that PostgreSQL believes to have the words of each of several lists [1]."""
    each: list[sa.Select[Any]] = [
        sa.select(sa.literal_column("1")).select_from(_rows).where(has(one)) for one in asked
    ]
    plan: Any = sa.union_all(*each) if len(each) > 1 else each[0]
    compiled = plan.compile(connection, compile_kwargs={"literal_binds": True})
    told: Mapping[str, Any] = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {compiled}").scalar_one()[0]
    parts = [told["Plan"]] if len(each) == 1 else told["Plan"]["Plans"]
    return [int(one["Plan Rows"]) for one in parts]
