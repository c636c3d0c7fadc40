"""Databases for the hub's tests: each test runs on SQLite, and on a real PostgreSQL where it asks for `engine`."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi")

import sqlalchemy as sa
from sqlalchemy.engine import Engine
from starlette.testclient import TestClient

from sootprint.hub import accounts, database, opening
from sootprint.hub.app import application
from sootprint.hub.context import LOOPBACK, Hub
from sootprint.hub.tables import Base
from tests.hub import postgres

KEY = b"k" * 64
HOST = "http://127.0.0.1"
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """Address of a real PostgreSQL, as SQLAlchemy has it."""
    found = postgres.programs()
    if found is None:
        pytest.skip(postgres.MISSING)
    with postgres.running(found) as url:
        yield url


@pytest.fixture
def fresh_url(postgres_url: str) -> Iterator[str]:
    """Address of a new database of the tests' PostgreSQL, dropped at the end."""
    name = f"fresh_{os.getpid()}"
    engine = sa.create_engine(database.url_of(postgres_url, Path()), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
        yield engine.url.set(database=name).render_as_string(hide_password=False)
        connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()


@pytest.fixture(scope="session")
def _postgres(postgres_url: str) -> Iterator[Engine]:
    engine = database.connect(database.url_of(postgres_url, Path()))
    opening.bring_up(engine)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def _sqlite_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("hub") / "empty.sqlite"
    engine = database.connect(database.url_of(f"sqlite:///{path}", Path()))
    opening.bring_up(engine)
    engine.dispose()
    return path


@pytest.fixture
def sqlite_engine(_sqlite_file: Path, tmp_path: Path) -> Iterator[Engine]:
    """An empty hub's database in a file."""
    path = tmp_path / "hub.sqlite"
    shutil.copy(_sqlite_file, path)
    engine = database.connect(database.url_of(f"sqlite:///{path}", tmp_path))
    yield engine
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest) -> Engine:
    """An empty hub's database, in a file and in PostgreSQL."""
    if request.param == "sqlite":
        made: Engine = request.getfixturevalue("sqlite_engine")
        return made
    shared: Engine = request.getfixturevalue("_postgres")
    emptied(shared)
    return shared


def emptied(engine: Engine) -> None:
    """Take all rows out of the PostgreSQL that tests share."""
    names = ", ".join([*(table.name for table in Base.metadata.sorted_tables), "footprint_words_blocks"])
    with database.writing(engine) as connection:
        connection.execute(sa.text(f"TRUNCATE {names} RESTART IDENTITY"))


def hub(engine: Engine, *, single_user: bool = True) -> Hub:
    """A hub on a database."""
    return Hub(
        engine=engine,
        key=KEY,
        single_user=single_user,
        hosts=frozenset(LOOPBACK),
        address="http://127.0.0.1:8765",
    )


@pytest.fixture
def client(engine: Engine) -> Iterator[TestClient]:
    """Client of a hub with one user."""
    with TestClient(application(hub(engine)), base_url=HOST, raise_server_exceptions=False) as made:
        yield made


@pytest.fixture
def open_hub(sqlite_engine: Engine) -> Hub:
    """A hub that others reach, and which asks for tokens."""
    return hub(sqlite_engine, single_user=False)


@pytest.fixture
def open_client(open_hub: Hub) -> Iterator[TestClient]:
    """Client of a hub that asks for tokens."""
    with TestClient(application(open_hub), base_url=HOST, raise_server_exceptions=False) as made:
        yield made


@pytest.fixture
def bearer(open_hub: Hub) -> Callable[..., dict[str, str]]:
    """Function that gives the header of a new account: `bearer("contributor")`."""

    def header(
        role: str, *, name: str | None = None, scopes: tuple[str, ...] | None = None
    ) -> dict[str, str]:
        name = name or f"a {role}"
        if name not in {one["name"] for one in accounts.listed(open_hub.engine)}:
            accounts.add_account(open_hub.engine, name, role)
        wanted = tuple(sorted(accounts.MAY[role])) if scopes is None else scopes
        token = accounts.make_token(open_hub.engine, KEY, name, scopes=wanted)
        return {"Authorization": f"Bearer {token}"}

    return header


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """The system's Chromium."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.skip("Chromium is not installed (Debian: chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        yield browser
        browser.close()
