"""The audit log: whatever is changed behind the hub's back is found."""

from __future__ import annotations

import dataclasses
import json
import zlib
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from sootprint.hub import chain, corrections, ingest
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
        ("UPDATE footprint_version SET reason = 'fraud' WHERE audit_seq = 3", "not the same any more"),
        ("UPDATE footprint_version SET at = '2001' WHERE audit_seq = 1", "not the same any more"),
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


def test_check_while_records_come_in_is_of_one_moment(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch that comes in between the look at the versions and that at the entries is no fault of the log."""
    ingest.take_in(engine, records.batch(2), LOCAL)
    known = chain._links

    def links(*given: Any) -> Any:
        ingest.take_in(engine, records.batch(1), LOCAL)
        return known(*given)

    monkeypatch.setattr(chain, "_links", links)
    first = chain.verify(engine)
    assert (first.entries, first.versions, first.problems) == (1, 2, ())
    assert (chain.verify(engine).entries, chain.verify(engine).count) == (2, 0)


def test_end_that_was_cut_off_shows_in_the_head(engine: Engine) -> None:
    """A log without its last entry holds together, but its head is another one."""
    ingest.take_in(engine, records.batch(1), LOCAL)
    short = chain.verify(engine).head
    ingest.take_in(engine, records.batch(1), LOCAL)
    assert chain.verify(engine).head != short


def test_reason_of_a_retraction_is_covered_and_early_entries_still_fit(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Why a record was retracted cannot be written anew; entries that hash contents alone are checked as such."""
    with monkeypatch.context() as early:
        early.setattr(chain, "digest", chain.digest_of_contents)
        one = records.record()
        ingest.take_in(engine, json.dumps(one).encode(), LOCAL)
    corrections.retract(engine, one["id"], dataclasses.replace(LOCAL, reason="the meter was off"))
    assert chain.verify(engine).problems == ()
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE footprint_version SET reason = 'fraud' WHERE version = 2"))
    assert chain.verify(engine).count == 1
