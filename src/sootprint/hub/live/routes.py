"""Live runs over the API and as pages."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from sootprint.core.errors import RecordError
from sootprint.core.ids import is_uuid7
from sootprint.hub.accounts import Actor
from sootprint.hub.live import drawing, store
from sootprint.hub.problems import NotFoundError
from sootprint.hub.rendering import render
from sootprint.hub.requests import hub_of, needing

REFRESH_S = 60  # a live page loads itself again, without a script
MaySubmit = Annotated[Actor, Depends(needing("submit"))]
api = APIRouter(prefix="/api/v1/live")
pages = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


@api.get("")
def listed(request: Request) -> dict[str, Any]:
    """Runs that are being measured now or were lately, with their states."""
    return {"items": store.listed(hub_of(request).engine)}


@api.get("/{key}")
def one(request: Request, key: str) -> dict[str, Any]:
    """A live run with its minutes and its state: live, lost or finished."""
    return _found(request, key)


@api.post("/{key}/minutes")
def minutes(request: Request, key: str, told: store.Report, actor: MaySubmit) -> Response:
    """Tell the minutes of a run while it lasts; sending the same again changes nothing."""
    return JSONResponse(store.report(hub_of(request).engine, key, told, actor))


@api.post("/{key}/finish")
def finish(request: Request, key: str, actor: MaySubmit) -> Response:
    """Tell that a run has ended; its record is submitted on its own."""
    if not is_uuid7(key):
        raise RecordError(f"run {key!r:.60} is no UUID of version 7")
    return JSONResponse(store.finish(hub_of(request).engine, key, actor))


@pages.get("/live")
def all_runs(request: Request) -> Response:
    """Runs that are being measured now."""
    runs = [drawing.shown(row) for row in store.listed(hub_of(request).engine)]
    return render(request, "live.html", runs=runs)


@pages.get("/live/{key}")
def run(request: Request, key: str) -> Response:
    """A run that is being measured now: its numbers and its curve."""
    found = _found(request, key)
    refresh = REFRESH_S if found["state"] == store.LIVE else None
    return render(
        request, "live_run.html", run=drawing.shown(found), drawings=drawing.course(found), refresh=refresh
    )


def _found(request: Request, key: str) -> dict[str, Any]:
    found = store.one(hub_of(request).engine, key) if is_uuid7(key) else None
    if found is None:
        raise NotFoundError(f"no live run {key!r:.60}")
    return found
