"""Runs that are parts of others: listed, and not counted beside the whole."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from sootprint import Footprint, Quantity, RecordError
from sootprint.core.ids import uuid7
from sootprint.core.merging import merge
from sootprint.ledger import Ledger, keep
from sootprint.ledger.database import FILE_NAME, MIGRATIONS
from tests.fixtures.job_records import at, node_record, run_id


def _kept(home: Path, *records: Footprint) -> Ledger:
    for record in records:
        keep(home, record, timeout_s=5.0)
    return Ledger(home)


def _summed_kwh(ledger: Ledger) -> float | None:
    rows = ledger.summary("project")
    return rows[0].energy_kwh.value if rows and rows[0].energy_kwh else None


def test_a_sum_counts_and_its_parts_do_not(home: Path) -> None:
    """Two nodes of 2 kWh and their sum are 4 kWh; without the sum the parts count again."""
    parts = [node_record(number, rank=None) for number in range(2)]
    whole = merge(parts)
    with _kept(home, *parts, whole) as ledger:
        assert {row.id: row.part_of for row in ledger.runs()} == {
            whole.id: None,
            parts[0].id: whole.id,
            parts[1].id: whole.id,
        }
        assert _summed_kwh(ledger) == 4.0
        assert ledger.summary("month")[0].runs == 1
        ledger.delete(whole.id)
        assert _summed_kwh(ledger) == 4.0
        assert ledger.summary("month")[0].runs == 2


def test_a_sum_inside_of_a_larger_one_does_not_count(home: Path) -> None:
    """The larger sum holds every run of the smaller."""
    parts = [node_record(number, rank=None) for number in range(1, 4)]
    small = merge(parts[1:])
    large = merge(parts)
    assert small.id != large.id
    with _kept(home, small, large) as ledger:
        assert {row.id: row.part_of for row in ledger.runs()} == {small.id: large.id, large.id: None}
        assert _summed_kwh(ledger) == 6.0


def test_a_run_inside_of_its_parent_does_not_count(home: Path) -> None:
    """The parent was charged what the run inside of it was; what came after its end is not in it."""
    outer = node_record(0, rank=None)
    inner = node_record(1, rank=None, parent=outer.id, start_s=30.0)
    after = node_record(2, rank=None, parent=outer.id, start_s=120.0)
    elsewhere = node_record(3, rank=None, parent=run_id(99))
    with _kept(home, outer, inner, after, elsewhere) as ledger:
        parts = {row.id: row.part_of for row in ledger.runs()}
        assert parts == {outer.id: None, inner.id: outer.id, after.id: None, elsewhere.id: None}
        assert _summed_kwh(ledger) == 6.5  # the inner one went on for 30 s of its 120 s
        (row,) = ledger.summary("project")
        assert (row.runs, row.duration_s) == (4, 120.0 + 30.0 + 120.0 + 120.0)


@pytest.mark.parametrize("started", [None, "last May"])
def test_a_run_whose_time_is_not_known_is_inside_of_its_parent(home: Path, started: str | None) -> None:
    """Rather once too few than twice; and a time that nobody can read stops no listing."""
    outer = node_record(0, rank=None)
    with _kept(home, outer, node_record(1, rank=None, parent=outer.id, started=started)) as ledger:
        assert _summed_kwh(ledger) == 2.0


def test_limit_counts_listed_runs(home: Path) -> None:
    """Parts are found by runs that the limit leaves out, too."""
    outer = node_record(0, rank=None)
    inner = node_record(1, rank=None, parent=outer.id, start_s=30.0)
    with _kept(home, outer, inner) as ledger:
        assert [(row.id, row.part_of) for row in ledger.runs(limit=1)] == [(inner.id, outer.id)]


def test_group_has_the_newest_version_of_its_records(home: Path) -> None:
    """Runs of other groups are not among them; a name that is no group's gets the nearest."""
    records = [node_record(number, rank=None) for number in range(2)]
    with _kept(home, *records, node_record(2, rank=None, run_group="other")) as ledger:
        ledger.tag(records[0].id, {"seed": "1"})
        assert [(one.id, one.tags) for one in ledger.group("job")] == [
            (records[0].id, {"seed": "1"}),
            (records[1].id, {}),
        ]
        with pytest.raises(RecordError, match="no run group 'jobb': the nearest are job"):
            ledger.group("jobb")
    with _kept(home / "empty") as ledger, pytest.raises(RecordError, match=r"no run of .* is of any"):
        ledger.group("job")


def _old_ledger(home: Path, *records: Footprint) -> None:
    """A ledger as the first version of the tables had it."""
    home.mkdir()
    with sqlite3.connect(home / FILE_NAME) as connection:
        for statement in MIGRATIONS[0]:
            connection.execute(statement)
        connection.execute("CREATE TABLE migrations (version INTEGER PRIMARY KEY, applied TEXT NOT NULL)")
        connection.execute("INSERT INTO migrations VALUES (1, '2026-01-01')")
        connection.execute("PRAGMA user_version = 1")
        for record in records:
            connection.execute(
                "INSERT INTO runs (id, version, state, kept, tags, started, duration_s, energy_kwh, record)"
                " VALUES (?, 1, 'finished', '2026-01-01', ?, ?, ?, ?, ?)",
                (record.id, json.dumps({}), record.started, record.duration_s, 2.0, record.to_json()),
            )


def test_an_earlier_ledger_is_brought_up_to_date(home: Path) -> None:
    """Runs that were kept before the ledger knew of parents and groups have theirs afterwards."""
    outer = node_record(0, rank=None)
    _old_ledger(home, outer, node_record(1, rank=None, parent=outer.id, start_s=30.0))
    with Ledger(home) as ledger:
        assert [row.part_of for row in ledger.runs()] == [outer.id, None]
        assert len(ledger.group("job")) == 2


def test_an_earlier_ledger_that_cannot_be_written_is_read(home: Path) -> None:
    """An archive stays as it is, and is listed all the same."""
    from sootprint.ledger import database

    _old_ledger(home, node_record(0, rank=None))
    before = (home / FILE_NAME).read_bytes()
    connection = database.connect_read_only(home)
    assert connection.execute("SELECT run_group FROM latest").fetchall() == [("job",)]
    connection.close()
    assert (home / FILE_NAME).read_bytes() == before


def test_estimates_without_a_start_are_no_parts(home: Path, a_run) -> None:
    """A run without a parent counts, whatever it does not know."""
    with _kept(
        home, a_run(started=None, energy_kwh=Quantity(value=2.0)), a_run(id=uuid7(2e9), started=at(0))
    ) as ledger:
        assert _summed_kwh(ledger) == 4.0
