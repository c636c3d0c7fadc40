"""What a running hub has at hand: its database, its key, and how it is served."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy.engine import Engine

from sootprint.core.records import Footprint
from sootprint.hub.insight.keeping import Kept
from sootprint.hub.limits import Limits
from sootprint.hub.metrics import Metrics
from sootprint.hub.room import ARRIVING, AT_WORK, EXPORTS, Room

LOOPBACK = ("127.0.0.1", "localhost", "::1", "[::1]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hub:
    """A hub.

    Args:
        engine: Its database.
        key: The server's key, for tokens and forms.
        single_user: Whether everyone who reaches it is its one user; only for a hub on loopback.
        hosts: Names by which it may be called; a request with another Host is refused.
        address: Where it is reached, for links in exports.
        releases: Folder of the releases, or None for a hub without.
        limits: Limits of requests.
        metrics: Counts for Prometheus.
        arriving: Room for large bodies that are received.
        at_work: Room for large bodies that are read and stored.
        exports: Room for lists of all records, which are long at work.
        kept: Answers that are slow to make.
        own: What the meters tell of the hub itself so far, where they are read.
    """

    engine: Engine
    key: bytes
    single_user: bool
    hosts: frozenset[str]
    address: str
    releases: Path | None = None
    limits: Limits = field(default_factory=Limits)
    metrics: Metrics = field(default_factory=Metrics)
    arriving: Room = field(default_factory=lambda: Room(ARRIVING))
    at_work: Room = field(default_factory=lambda: Room(AT_WORK))
    exports: Room = field(default_factory=lambda: Room(EXPORTS))
    kept: Kept = field(default_factory=Kept)
    own: Callable[[], Footprint | None] = lambda: None
