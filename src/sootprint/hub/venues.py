"""Venues at the hub: those that ship and those that were added, and what a record lacks of each."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response
from sqlalchemy.engine import Engine

from sootprint.core.errors import InputError
from sootprint.core.ids import is_uuid7
from sootprint.hub import chain, evidence, reading, views
from sootprint.hub.context import Hub
from sootprint.hub.database import now, writing
from sootprint.hub.people.tables import Venue as VenueRow
from sootprint.hub.problems import NotFoundError
from sootprint.hub.rendering import render
from sootprint.hub.requests import hub_of
from sootprint.hub.tables import table_of
from sootprint.report import venues

_venues = table_of(VenueRow)
api = APIRouter(prefix="/api/v1")
pages = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
Name = Annotated[str, Query(max_length=80, description="Name of the venue.")]


def known(engine: Engine) -> dict[str, venues.Venue]:
    """Venues by name; one that was added stands in the place of a shipped one of its name."""
    with engine.connect() as connection:
        texts = connection.scalars(sa.select(_venues.c.text).order_by(_venues.c.name)).all()
    added = {one.name: one for one in map(venues.parsed, texts)}
    return dict(sorted((venues.shipped() | added).items()))


def add(engine: Engine, text: str, where: str) -> str:
    """Name of a venue that is added, or replaced by its newer file.

    Raises:
        InputError: The file breaks a rule of such files.
    """
    venue = venues.parsed(text, where=where)
    with writing(engine) as connection:
        connection.execute(sa.delete(_venues).where(_venues.c.name == venue.name))
        connection.execute(sa.insert(_venues), {"name": venue.name, "at": now(), "text": text})
        detail = {"name": venue.name, "sha256": hashlib.sha256(text.encode()).hexdigest()}
        chain.append(connection, actor="local", action="venue", detail=detail)
    return venue.name


def remove(engine: Engine, name: str) -> None:
    """Remove a venue that was added.

    Raises:
        InputError: None of this name was.
    """
    with writing(engine) as connection:
        if not connection.execute(sa.delete(_venues).where(_venues.c.name == name)).rowcount:
            raise InputError(f"no venue {name!r:.80} was added: `sootprint hub venue list` shows all")
        chain.append(connection, actor="local", action="venue", detail={"name": name, "removed": True})


@api.get("/venues")
def listed(request: Request) -> dict[str, Any]:
    """Venues with what each requires."""
    return {"items": [asdict(one) for one in known(hub_of(request).engine).values()]}


@api.get("/footprints/{key}/check")
def checked(request: Request, key: str, venue: Name) -> dict[str, Any]:
    """What a record has and lacks of what a venue requires; the evidence is what the hub counts."""
    hub = hub_of(request)
    found, rules, stored = _checked(hub, key, venue)
    lacks = [one for one in found if not one.met and one.level == "must"]
    named = {"id": key, "version": stored.version, "venue": rules.name}
    return {**named, "passes": not lacks, "findings": [asdict(one) for one in found]}


@pages.get("/venues")
def all_venues(request: Request) -> Response:
    """What venues require of a footprint."""
    return render(request, "venues.html", venues=known(hub_of(request).engine).values())


@pages.get("/footprints/{key}/check")
def check_page(request: Request, key: str, venue: Name = "conference") -> Response:
    """What a record lacks of what a venue requires."""
    hub = hub_of(request)
    found, rules, stored = _checked(hub, key, venue)
    return render(
        request,
        "check.html",
        row=views.listed(stored.row),
        venue=rules,
        found=found,
        lacks=sum(not one.met and one.level == "must" for one in found),
        venues=known(hub.engine).values(),
    )


def _checked(hub: Hub, key: str, name: str) -> tuple[list[venues.Finding], venues.Venue, reading.Stored]:
    rules = known(hub.engine).get(name)
    if rules is None:
        raise NotFoundError(f"there is no venue {name[:60]!r} here")
    stored = reading.one(hub.engine, key) if is_uuid7(key) else None
    if stored is None or stored.text is None:
        raise NotFoundError(f"there is no footprint {key[:60]!r} here")
    footprint = stored.footprint
    return venues.check(footprint, rules, grade=evidence.counted(footprint)), rules, stored
