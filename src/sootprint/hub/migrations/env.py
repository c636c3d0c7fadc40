"""What Alembic runs: the migrations on the connection that `database.upgrade` holds, in its transaction."""

from __future__ import annotations

from alembic import context

from sootprint.hub.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    transactional_ddl=False,
)
context.run_migrations()
