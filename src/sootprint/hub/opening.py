"""A database that is ready for this program: its tables migrated, and what is derived from its records made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sootprint.hub import database
from sootprint.hub.insight import projections

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine


def bring_up(engine: Engine) -> None:
    """Bring the tables up to the newest revision, and make the projections again where this program's differ.

    Raises:
        HubError: The database cannot be reached, or a newer version of this program made it.
    """
    database.upgrade(engine)
    with database.reaching(engine):
        projections.ensure(engine)
