"""Idempotency keys: a request that is repeated with its key gets the answer that it missed."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sootprint.core.errors import RecordError
from sootprint.hub.database import now
from sootprint.hub.tables import Answered, table_of

KEYS_KEPT = timedelta(days=30)  # how long a key is known
_answered = table_of(Answered)


class KeyReusedError(RecordError):
    """An Idempotency-Key came with another request: use a new key."""


def answer(connection: Connection, actor: str, key: str, *, sha256: str) -> dict[str, Any] | None:
    """What a request with a key was answered before; None where it is new.

    Args:
        connection: Connection.
        actor: Who makes the request.
        key: Idempotency-Key.
        sha256: Hash of its body.

    Raises:
        KeyReusedError: The key came with another body.
    """
    query = sa.select(_answered.c.sha256, _answered.c.answer).where(
        _answered.c.actor == actor, _answered.c.key == key
    )
    found = connection.execute(query).first()
    if found is None:
        return None
    if found.sha256 != sha256:
        raise KeyReusedError(f"Idempotency-Key {key!r:.80} came with another request before: use a new key")
    given: dict[str, Any] = json.loads(found.answer)
    return given


def remember(connection: Connection, actor: str, key: str, *, sha256: str, given: dict[str, Any]) -> None:
    """Keep the answer that was given to a request with a key; the caller holds the writer's lock."""
    oldest = (datetime.now(UTC) - KEYS_KEPT).isoformat(timespec="milliseconds")[:23]
    connection.execute(sa.delete(_answered).where(_answered.c.at < oldest))
    row = {
        "actor": actor,
        "key": key,
        "sha256": sha256,
        "answer": json.dumps(given),
        "at": now(),
    }
    connection.execute(sa.insert(_answered), row)
