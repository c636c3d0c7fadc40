"""The audit log: whatever is changed behind the hub's back is found."""

from __future__ import annotations

import zlib

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from sootprint.hub import chain, ingest
from tests.hub import records

LOCAL = ingest.Submission(actor="local", may_correct_all=True)


def test_untouched_log_holds(engine: Engine) -> None:
    """Three batches are three entries, and their nine versions are as they came."""
    for _ in range(3):
        ingest.take_in(engine, records.batch(3), LOCAL)
    found = chain.verify(engine)
    assert (found.entries, found.versions, found.problems) == (3, 9, ())
    assert found.head != chain.START


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("UPDATE footprint_version SET body = :body", "was changed"),
        ("UPDATE footprint_version SET body = NULL", "lost its content"),
        ("DELETE FROM footprint_version WHERE audit_seq = 2", "not the same any more"),
        ("UPDATE footprint_version SET audit_seq = 1 WHERE audit_seq = 2", "not the same any more"),
        ("UPDATE footprint_version SET audit_seq = 9 WHERE audit_seq = 2", "in no entry"),
        ("UPDATE audit_entry SET actor = 'somebody' WHERE seq = 1", "does not fit the one before"),
        ("UPDATE audit_entry SET at = '2020' WHERE seq = 3", "does not fit the one before"),
        ("DELETE FROM audit_entry WHERE seq = 2", "entry 2 of the log is missing"),
        ("UPDATE footprint SET version = 7", "does not show its newest version"),
    ],
)
def test_change_behind_the_hubs_back_is_found(engine: Engine, change: str, words: str) -> None:
    """Bodies, hashes, entries, their order and what is shown are all covered."""
    for _ in range(3):
        ingest.take_in(engine, records.batch(2), LOCAL)
    body = {"body": zlib.compress(b"{}")} if ":body" in change else {}
    with engine.begin() as connection:
        connection.execute(sa.text(change), body)
    found = chain.verify(engine)
    assert found.count > 0
    assert any(words in problem for problem in found.problems)


def test_end_that_was_cut_off_shows_in_the_head(engine: Engine) -> None:
    """A log without its last entry holds together, but its head is another one."""
    ingest.take_in(engine, records.batch(1), LOCAL)
    short = chain.verify(engine).head
    ingest.take_in(engine, records.batch(1), LOCAL)
    assert chain.verify(engine).head != short
