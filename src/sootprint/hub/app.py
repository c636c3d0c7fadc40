"""The web application: API, health, counts and pages behind one guard."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import anyio.to_thread
from fastapi import FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import PlainTextResponse, Response
from starlette.types import ASGIApp

from sootprint import __version__
from sootprint.hub import api, database, pages, problems, shapes, venues
from sootprint.hub.campaigns import routes as campaigns
from sootprint.hub.context import Hub
from sootprint.hub.files import pages as files
from sootprint.hub.guard import Guard
from sootprint.hub.insight import pages as insight
from sootprint.hub.live import routes as live
from sootprint.hub.people import pages as people
from sootprint.hub.requests import hub_of

THREADS = 6  # requests that one process works on at once; the others wait
ABOUT = (
    "Carbon footprints of machine-learning training: submitted, recomputed, compared, cited and downloaded."
)


def application(hub: Hub) -> ASGIApp:
    """Application of a hub, guarded."""
    return Guard(unguarded(hub), hub)


def unguarded(hub: Hub) -> FastAPI:
    """Application of a hub behind its guard."""
    app = FastAPI(
        title="Sootprint hub",
        version=__version__,
        description=ABOUT,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=_few_threads,
    )
    app.state.hub = hub
    problems.handle(app)
    app.include_router(api.router)
    people_pages = (live.api, live.pages, people.router, campaigns.router, venues.api, venues.pages)
    for router in (*people_pages, insight.router):
        app.include_router(router)
    app.include_router(pages.router)
    app.include_router(files.router)
    app.include_router(files.api)
    app.add_api_route("/healthz", healthz, include_in_schema=False)
    app.add_api_route("/readyz", readyz, include_in_schema=False)
    app.add_api_route("/metrics", metrics, include_in_schema=False)
    app.openapi = lambda: openapi(app)  # type: ignore[method-assign]
    return app


@contextlib.asynccontextmanager
async def _few_threads(_: FastAPI) -> AsyncIterator[None]:
    """Let few requests be worked on at once: more threads are no faster, and each keeps pages of the database."""
    anyio.to_thread.current_default_thread_limiter().total_tokens = THREADS
    yield


def openapi(app: FastAPI) -> dict[str, Any]:
    """Description of the API with the record's schema, made once."""
    if app.openapi_schema is None:
        made = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes
        )
        made.setdefault("components", {}).setdefault("schemas", {}).update(shapes.components())
        made["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        app.openapi_schema = made
    return app.openapi_schema


def healthz() -> Response:
    """Whether the process answers."""
    return PlainTextResponse("ok\n")


def readyz(request: Request) -> Response:
    """Whether the database answers and its tables are those of this program."""
    ready = database.is_current(hub_of(request).engine)
    return PlainTextResponse("ready\n" if ready else "not ready\n", status_code=200 if ready else 503)


def metrics(request: Request) -> Response:
    """Counts for Prometheus."""
    return PlainTextResponse(hub_of(request).metrics.text(), media_type="text/plain; version=0.0.4")
