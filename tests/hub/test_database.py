"""Migrations and connections, on SQLite and PostgreSQL."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy.engine import Engine

from sootprint.core.errors import HubError, InputError
from sootprint.core.records import Model, Place, Result
from sootprint.hub import columns, database, ingest, rare, reading
from sootprint.hub.tables import Base
from tests.hub import records

LOCAL = ingest.Submission(actor="local", may_correct_all=True)
_RESULTS = tuple(Result(task="T", dataset=name, metric="M", value=1.0) for name in ("a", "b"))


def test_migrations_make_the_tables_that_the_models_describe(engine: Engine) -> None:
    """What Alembic would still change is nothing but the tables of the full-text index."""
    with engine.connect() as connection:
        context = MigrationContext.configure(connection)
        changes = compare_metadata(context, Base.metadata)
    ours = [one for one in changes if "footprint_words" not in str(one)]
    assert ours == []


def test_filled_database_goes_down_and_up(engine: Engine) -> None:
    """Going down to nothing and up again leaves tables that take and find records."""
    ingest.take_in(engine, records.batch(3), LOCAL)
    database.downgrade(engine, "base")
    assert not database.is_current(engine)
    left = set(sa.inspect(engine).get_table_names())
    assert left == {"alembic_version"}
    database.upgrade(engine)
    assert database.is_current(engine)
    ingest.take_in(engine, records.batch(2, project="thesis"), LOCAL)
    assert len(reading.page(engine, reading.Question(words="thesis"))[0]) == 2


def test_counts_of_leaderboards_are_made_for_records_that_are_there(engine: Engine) -> None:
    """Going down before the counts and up again gives those that each batch keeps."""
    told = [records.plain(records.footprint(results=_RESULTS, grade=grade)) for grade in ("D", "E", "E")]
    del told[2]["emissions_kg"]
    ingest.take_in(engine, json.dumps(told).encode(), LOCAL)
    names = (columns.ENTRIES, columns.COSTED, columns.SOUND_ENTRIES)
    kept = {name: reading.tallies(engine, name) for name in names}
    database.downgrade(engine, "indexes")
    database.upgrade(engine)
    assert {name: reading.tallies(engine, name) for name in names} == kept
    assert [sum(n for _, n in kept[name]) for name in names] == [6, 4, 0]


def test_longest_names_fit_the_indexes(engine: Engine) -> None:
    """Names of four bytes a letter that cannot be packed, as long as a column has them, in every column at once."""
    chance = random.Random(3)
    long = ["".join(chr(chance.randrange(0x20000, 0x2A000)) for _ in range(300)) for _ in range(8)]
    one = records.record(
        name=long[0], project=long[1], model=Model(name=long[2], architecture=long[3]),
        results=(Result(task=long[4], dataset=long[5], metric=long[6], value=1.0),),
        place=Place(zone=long[7], country=long[0]),
    )  # fmt: skip
    one["hardware"][0]["name"] = long[3]
    answer = ingest.take_in(engine, json.dumps([one]).encode(), LOCAL)
    assert answer["accepted"] == 1


def test_upgrade_of_a_current_database_changes_nothing(engine: Engine) -> None:
    """A second start keeps what is there."""
    ingest.take_in(engine, records.batch(3), LOCAL)
    database.upgrade(engine)
    assert len(reading.page(engine, reading.Question())[0]) == 3


def test_file_is_read_ahead_where_it_fits(sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of it or nothing; a server that is away gives nothing."""
    assert database.read_ahead(sqlite_engine) == Path(str(sqlite_engine.url.database)).stat().st_size > 0
    monkeypatch.setattr(database, "AHEAD_SHARE", 0.0)
    assert database.read_ahead(sqlite_engine) == 0
    assert database.read_ahead(sa.create_engine("sqlite:////nowhere/hub.sqlite")) == 0
    assert database.read_ahead(sa.create_engine("postgresql+psycopg://hub@127.0.0.1:1/hub")) == 0


def test_other_programs_see_what_comes_in_after_the_file_was_read_ahead(sqlite_engine: Engine) -> None:
    """A command beside a running hub leaves its write-ahead log in place, as it sees that the file is in use."""
    ingest.take_in(sqlite_engine, records.batch(3), LOCAL)
    database.read_ahead(sqlite_engine)
    before = _records_by_another_program(sqlite_engine)
    ingest.take_in(sqlite_engine, records.batch(5), LOCAL)
    assert (before, _records_by_another_program(sqlite_engine)) == (3, 8)


def _records_by_another_program(engine: Engine) -> int:
    script = """
import contextlib, sqlite3, sys
with contextlib.closing(sqlite3.connect(sys.argv[1])) as opened:
    print(opened.execute("SELECT count(*) FROM footprint").fetchone()[0])
"""
    program = [sys.executable, "-c", script, str(engine.url.database)]
    return int(subprocess.run(program, capture_output=True, text=True, check=True).stdout)


def test_postgresql_is_read_ahead_as_far_as_it_fits(
    _postgres: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The records and their words first; nothing while another worker does it."""
    whole = database.read_ahead(_postgres)
    with _postgres.connect() as connection:
        size = "SELECT pg_relation_size('footprint') + pg_relation_size('ix_footprint_words')"
        assert 0 < int(connection.scalar(sa.text(size)) or 0) <= whole
    monkeypatch.setattr(database, "BUFFERS_SHARE", 0.0)
    assert database.read_ahead(_postgres) < whole
    with _postgres.connect() as connection:
        connection.execute(sa.text("SELECT pg_advisory_lock(:key)"), {"key": database.LOCK_KEY + 1})
        assert database.read_ahead(_postgres) == 0


def test_database_of_a_newer_version_is_refused(sqlite_engine: Engine) -> None:
    """A program does not touch tables that it does not know."""
    with database.writing(sqlite_engine) as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(HubError, match="newer version"):
        database.upgrade(sqlite_engine)


@pytest.mark.parametrize(
    "address", ["mysql://host/name", "nothing", "postgresql+psycopg://host:port/name", ""]
)
def test_bad_address_says_what_a_good_one_is(address: str) -> None:
    """The line names an example of each database."""
    with pytest.raises(InputError, match=r"sqlite:////folder/hub\.sqlite or postgresql\+psycopg"):
        database.url_of(address, Path())


def test_database_that_is_away_gets_one_line_without_its_password() -> None:
    """The line has the address, and stars for the password."""
    engine = database.connect(database.url_of("postgresql://hub:hidden@127.0.0.1:9/hub", Path()))
    with pytest.raises(HubError) as caught:
        database.upgrade(engine)
    assert "127.0.0.1:9/hub" in str(caught.value)
    assert "hidden" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_postgresql_plans_for_the_values_asked_for(_postgres: Engine) -> None:
    """Each connection of the hub has its settings, also after a transaction that was rolled back."""
    with _postgres.connect() as connection:
        connection.rollback()
        told = {name: connection.scalar(sa.text(f"SHOW {name}")) for name in database.PLANNING}
    assert told == database.PLANNING


def test_few_records_are_sorted_and_many_walked_through_alike(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A list by emissions or energy under a filter has the same pages either way, also after a look at the tables."""
    sent = [records.record(float(1 + n % 4), project=f"p{n % 2}") for n in range(11)]
    ingest.take_in(engine, json.dumps(sent).encode(), LOCAL)
    database.settle(engine)
    wanted = sorted(
        (row for row in reading.page(engine, reading.Question())[0] if row["project"] == "p0"),
        key=lambda row: (row["emissions_kg"], row["seq"]),
        reverse=True,
    )
    for few in (0, rare.FEW):
        monkeypatch.setattr(rare, "FEW", few)
        question = reading.Question(limit=2, order="emissions", filters={"project": "p0"})
        found = reading.pages(engine, question, reading.page(engine, question))
        assert [row["id"] for rows in found for row in rows] == [row["id"] for row in wanted]


def test_postgresql_is_told_once_which_columns_depend_on_each_other(_postgres: Engine) -> None:
    """A zone lies in one country; a second look changes nothing."""
    for _ in range(2):
        database.study(_postgres)
    with _postgres.connect() as connection:
        told = "SELECT count(*) FROM pg_statistic_ext WHERE stxrelid = 'footprint'::regclass"
        assert connection.scalar(sa.text(told)) == 1


def test_missing_password_names_the_file_for_it() -> None:
    """A database that wants a password is told apart from one that is away."""
    engine = sa.create_engine("sqlite://")
    for said, way_out in (("fe_sendauth: no password supplied", "pgpass"), ("refused", "that it runs")):
        error = sa.exc.OperationalError("connect", {}, Exception(said))
        with pytest.raises(HubError, match=way_out), database.reaching(engine):
            raise error
