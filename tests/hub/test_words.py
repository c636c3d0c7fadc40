"""Searches for frequent words on PostgreSQL, which go through blocks of records."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from sootprint.hub import corrections, database, ingest, rare, reading, words
from sootprint.hub.insight import agreement
from sootprint.hub.reading import Question
from tests.hub import records
from tests.hub.conftest import emptied

LOCAL = ingest.Submission(actor="local", may_correct_all=True)
OLD, ALL = 300, 700  # records of the first words, and all: two blocks are written, the third is not full
BLOCKS = "SELECT block, lexemes::text FROM footprint_words_blocks ORDER BY 1, 2"


@pytest.fixture
def hub(_postgres: Engine) -> Iterator[Engine]:
    """A hub on PostgreSQL whose old records have other words than the newer ones."""
    emptied(_postgres)
    ingest.take_in(_postgres, json.dumps([_sent(index) for index in range(ALL)]).encode(), LOCAL)
    yield _postgres
    emptied(_postgres)


@pytest.fixture(autouse=True)
def _frequent(monkeypatch: pytest.MonkeyPatch) -> None:
    """All words are frequent, and few records are walked through before the blocks are asked."""
    monkeypatch.setattr(words, "FEW", 0)
    monkeypatch.setattr(words, "MANY", 0)
    monkeypatch.setattr(words, "NEWEST", 5)


def _sent(index: int) -> dict[str, Any]:
    if index < OLD:
        return records.record(name=f"old_run {'even' if index % 2 == 0 else 'odd'}", project="archive")
    return records.record(name=f"fresh {index}", project="present")


def _through_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail where all records with the words are read and sorted after all."""

    def refused(*_: object, **__: object) -> None:
        raise AssertionError("the index of all words was asked")

    monkeypatch.setattr(reading, "_sorted", refused)


def _found(engine: Engine, said: str, limit: int = 40, **filters: str) -> list[int]:
    question = Question(words=said, limit=limit, filters=filters or None)
    pages = reading.pages(engine, question, reading.page(engine, question))
    return [row["seq"] for rows in pages for row in rows]


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("archive", range(OLD, 0, -1)),
        ("arch", range(OLD, 0, -1)),
        ("even", range(OLD - 1, 0, -2)),
        ("even old", range(OLD - 1, 0, -2)),
        ("old_run", range(OLD, 0, -1)),
        ("present", range(ALL, OLD, -1)),
        ("fresh 69", range(ALL, ALL - 10, -1)),
        ("archive present", ()),
        ("nowhere", ()),
        ("A100", range(ALL, 0, -1)),
    ],
)
def test_frequent_word_is_found_wherever_it_stands(
    hub: Engine, monkeypatch: pytest.MonkeyPatch, said: str, wanted: range
) -> None:
    """In old blocks, in those not written yet and in all, page by page, each record once; or nowhere."""
    _through_blocks(monkeypatch)
    assert _found(hub, said) == list(wanted)


def test_filters_hold_within_blocks(hub: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also those that no record with the words passes, which all blocks are looked through for."""
    _through_blocks(monkeypatch)
    monkeypatch.setattr("sootprint.hub.rare.FEW", 0)
    assert _found(hub, "odd", project="archive") == list(range(OLD, 0, -2))
    assert _found(hub, "odd", project="present") == []


def test_index_is_asked_where_too_many_blocks_have_nothing(
    hub: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What lies behind the last block that is walked through is found all the same."""
    monkeypatch.setattr(words, "WALK", words.BLOCK)
    assert _found(hub, "archive") == list(range(OLD, 0, -1))


@pytest.mark.parametrize("order", ["newest", "emissions", "energy"])
def test_words_that_a_filter_rarely_has_are_found_by_both_indexes(
    hub: Engine, monkeypatch: pytest.MonkeyPatch, order: str
) -> None:
    """A page that the first records fill asks no index; one that they do not fill asks both, and neither alone."""
    monkeypatch.setattr(words, "MANY", 1 << 40)
    monkeypatch.setattr(words, "FILTERED", 0)
    monkeypatch.setattr(rare, "FEW", 0)
    asked: list[str] = []
    plain = reading._sorted

    def watched(connection: Any, question: Question, few: Any, rest: Any) -> Any:
        asked.append(str(few))
        return plain(connection, question, few, rest)

    def found(said: str, limit: int, **filters: str) -> int:
        question = Question(words=said, limit=limit, filters=filters, order=order)
        return len(reading.page(hub, question)[0])

    monkeypatch.setattr(reading, "_sorted", watched)
    monkeypatch.setattr(words, "NEWEST", ALL)
    assert found("old_run", 40, project="archive") == 40
    assert asked == []
    assert found("old_run", 40, project="present") == 0
    assert found("old_run even", 500, project="archive") == OLD // 2
    assert len(asked) == 2
    assert all("project = " in one and "to_tsquery" in one for one in asked)
    monkeypatch.setattr(words, "NEWEST", 5)
    assert found("old_run odd", 40, project="archive") == 40


def test_words_that_come_to_a_written_block_are_found_there(
    hub: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A correction has all its words in a row of its own; one that was retracted is in no list."""
    _through_blocks(monkeypatch)
    first = {row["seq"]: row["id"] for row in reading.page(hub, Question(words="even", limit=200))[0]}
    later = records.record(name="quite another") | {"id": first[5]}
    ingest.take_in(hub, json.dumps(later).encode(), LOCAL)
    corrections.retract(hub, first[7], dataclasses.replace(LOCAL, reason="the wrong run"))
    assert _found(hub, "another quite") == [5]
    assert _found(hub, "even") == [n for n in range(OLD - 1, 0, -2) if n not in (5, 7)]


def test_blocks_go_and_come_with_their_migration(hub: Engine) -> None:
    """Made of records that are there they are what they were, and so are those made again after a change by hand."""
    before = _blocks(hub)
    assert [block for block, _ in before] == [0, 1]
    database.downgrade(hub, "guesses")
    database.upgrade(hub)
    assert _blocks(hub) == before
    with database.writing(hub) as connection:
        connection.execute(sa.text("UPDATE footprint_words_blocks SET lexemes = ''"))
    agreement.mend(hub)
    assert _blocks(hub) == before


def test_texts_that_are_too_long_for_one_row_have_a_row_each(hub: Engine) -> None:
    """PostgreSQL's list of words holds a mebibyte, which 256 records with many results may pass."""
    long = "(SELECT string_agg(md5((seq * 1000 + n)::text), ' ') FROM generate_series(1, 40) n)"
    with database.writing(hub) as connection:
        connection.execute(sa.text(f"UPDATE footprint SET words = {long} WHERE seq < 256"))
        words.blocks_again(connection)
    blocks = [block for block, _ in _blocks(hub)]
    assert (blocks.count(0), blocks.count(1)) == (255, 1)


def _blocks(engine: Engine) -> list[tuple[int, str]]:
    with engine.connect() as connection:
        return [(row[0], row[1]) for row in connection.exec_driver_sql(BLOCKS)]
