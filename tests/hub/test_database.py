"""Migrations and connections, on SQLite and PostgreSQL."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy.engine import Engine

from sootprint.core.errors import HubError, InputError
from sootprint.hub import database, ingest, reading
from sootprint.hub.tables import Base
from tests.hub import records

LOCAL = ingest.Submission(actor="local", may_correct_all=True)


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


def test_upgrade_of_a_current_database_changes_nothing(engine: Engine) -> None:
    """A second start keeps what is there."""
    ingest.take_in(engine, records.batch(3), LOCAL)
    database.upgrade(engine)
    assert len(reading.page(engine, reading.Question())[0]) == 3


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
