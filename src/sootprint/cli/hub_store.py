"""The hub's database as its commands open it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sootprint.core.errors import MissingExtraError

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

PACKAGES = ("alembic", "fastapi", "jinja2", "psycopg", "pydantic", "sqlalchemy", "starlette", "uvicorn")
Database = Annotated[
    str | None,
    typer.Option(
        "--database-url",
        metavar="URL",
        help="postgresql+psycopg://user@host/name, or sqlite:////folder/hub.sqlite; else SQLite in SOOTPRINT_HOME.",
    ),
]
KeyFile = Annotated[
    Path | None,
    typer.Option("--key-file", metavar="FILE", help="File of the server's key; else in SOOTPRINT_HOME."),
]


@contextlib.contextmanager
def extra() -> Iterator[None]:
    """Turn a missing package of the hub into the command that installs it.

    Raises:
        MissingExtraError: A package of the extra `hub` is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as err:
        if err.name is None or err.name.partition(".")[0] not in PACKAGES:
            raise
        raise MissingExtraError(f"the hub needs {err.name}: pip install 'sootprint[hub]'") from err


def home() -> Path:
    """Folder of the hub in the user's home."""
    from sootprint import settings

    return settings.load().home / "hub"


@contextlib.contextmanager
def opened(database_url: str | None) -> Iterator[Engine]:
    """Database of the hub with its tables up to date, closed again.

    Raises:
        HubError: It cannot be reached.
    """
    with extra():
        from sootprint.hub import database, opening

    engine = database.connect(database.url_of(database_url, home()))
    try:
        opening.bring_up(engine)
        yield engine
    finally:
        engine.dispose()


def key(key_file: Path | None) -> bytes:
    """The server's key."""
    from sootprint.hub import secrets

    return secrets.key_of(key_file or home() / secrets.FILE_NAME)
