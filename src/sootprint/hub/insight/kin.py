"""Runs around and inside of a run, with links to their pages: what of each is in which numbers."""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy.engine import Engine

from sootprint.core.ids import is_uuid7
from sootprint.core.merging import parts
from sootprint.core.records import Footprint
from sootprint.hub import columns, reading, unshown, views
from sootprint.hub.reading import Question
from sootprint.report import figures

SHOWN = 25  # runs that are named one by one, the newest; their records are read at once
HEIGHT = 8  # runs around a run that are looked at


class Member(NamedTuple):
    """A run inside of another, or one that started from it.

    Args:
        row: It as lists show it.
        inside: Share of its energy that is in that of the other, in words.
    """

    row: dict[str, Any]
    inside: str


class Kin(NamedTuple):
    """Relatives of a run.

    Args:
        parent: The run that it names as its parent, where this hub lists it.
        named: Identity of that run, where it is not listed here.
        inside: Share of its own energy that is in that of others, in words; empty where it is no part.
        parts: Runs that are parts of it, the first to start first.
        heirs: Runs that name it as their parent and are no parts of it.
        more: Whether there are more than are named.
    """

    parent: dict[str, Any] | None = None
    named: str | None = None
    inside: str = ""
    parts: tuple[Member, ...] = ()
    heirs: tuple[Member, ...] = ()
    more: bool = False

    @property
    def is_told(self) -> bool:
        """Whether there is any."""
        return bool(self.parent or self.named or self.parts or self.heirs)


def of(engine: Engine, footprint: Footprint) -> Kin:
    """Relatives of a record among those that the hub lists."""
    rows, following = reading.page(engine, Question(limit=SHOWN, filters={"parent": footprint.id}))
    found = {row["id"]: row for row in rows if row["id"] != footprint.id}
    records = _records(engine, list(found))
    places = {key: parts.place(record) for key, record in records.items()} | {
        footprint.id: parts.place(footprint)
    }
    inside: list[Member] = []
    heirs: list[Member] = []
    for key, record in records.items():
        one = parts.part(places[key], places)
        share = "" if one is None else figures.share(1.0 - parts.share_apart(record, one))
        (heirs if one is None else inside).append(Member(views.listed(found[key]), share))
    around = _around(engine, footprint) if footprint.parent not in (None, "", footprint.id) else Kin()
    inside.sort(key=lambda one: one.row["started"] or "")
    return around._replace(parts=tuple(inside), heirs=tuple(heirs), more=following is not None)


def _around(engine: Engine, footprint: Footprint) -> Kin:
    """The run that a record names as its parent, and how much of the record's energy is in that of others."""
    known, above = {footprint.id: parts.place(footprint)}, footprint.parent
    first = None
    while above and above not in known and is_uuid7(above) and len(known) <= HEIGHT:
        stored = reading.one(engine, above)
        if stored is None or stored.text is None or stored.row["state"] != columns.PUBLISHED:
            break
        try:
            known[above] = parts.place(stored.footprint)
        except unshown.UnshownError:
            break
        first = first or stored
        above = known[above].parent
    if first is None:
        return Kin(named=footprint.parent)
    one = parts.part(known[footprint.id], known)
    inside = "" if one is None else figures.share(1.0 - parts.share_apart(footprint, one))
    return Kin(parent=views.listed(first.row), inside=inside)


def _records(engine: Engine, keys: list[str]) -> dict[str, Footprint]:
    return dict(unshown.readable(reading.texts(engine, keys)))
