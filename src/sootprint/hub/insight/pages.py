"""Pages of all records together; each reads its parameters, makes a sheet and renders it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from sootprint.core.errors import InputError, SootprintError
from sootprint.core.ids import is_uuid7
from sootprint.core.records import STAGES
from sootprint.hub import asked, badges, caching, leaderboards, reading, views
from sootprint.hub.accounts import VISITOR, Actor
from sootprint.hub.insight import (
    awards,
    compared,
    overtime,
    own,
    projects,
    quality,
    reviews,
    scenarios,
    surveyed,
    targets,
    texts,
    unreviewed,
    worldwide,
)
from sootprint.hub.insight.sheets import Link, Sheet
from sootprint.hub.problems import NotFoundError, status_of
from sootprint.hub.rendering import form_page, render, sealed_fields
from sootprint.hub.requests import NotAllowedError, hub_of, viewer_of

WAIT_S = 12.0  # for an analysis that is being made, before the page says so
router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
Name = Annotated[str, Query(max_length=200, min_length=1)]
Text = Annotated[str, Query(max_length=200)]
Year = Annotated[int | None, Query(ge=1900, le=2200)]


def _page(request: Request, sheet: Sheet) -> Response:
    return render(request, "sheet.html", sheet=sheet)


@router.get("/trends")
def trends(
    request: Request,
    measure: Annotated[str, Query(pattern="^(emissions|energy)$")] = "emissions",
    stage: Text = "",
    evidence: Annotated[str, Query(pattern="^[CDE]$")] = "E",
) -> Response:
    """Emissions and energy of a training by its year."""
    if stage and stage not in STAGES:
        raise InputError(f"stage is {stage!r:.40}: it is one of {', '.join(STAGES)}")
    hub = hub_of(request)
    name = f"trends {measure} {stage} {evidence}"
    made = hub.kept.now(
        hub.engine,
        name,
        lambda: overtime.sheet(hub.engine, measure, stage=stage or None, evidence=evidence),
    )
    return _page(request, made)


@router.get("/map")
def world(
    request: Request, by: Annotated[str, Query(pattern="^(records|energy|intensity)$")] = "records"
) -> Response:
    """Where trainings ran."""
    hub = hub_of(request)
    return _page(request, hub.kept.now(hub.engine, f"map {by}", lambda: worldwide.sheet(hub.engine, by)))


@router.get("/survey")
def survey(request: Request) -> Response:
    """The survey's analysis of the hub's own records, made in the background and kept until they change."""
    hub = hub_of(request)
    if not any(n for _, n in reading.tallies(hub.engine, "evidence")):
        return _page(request, surveyed.empty())
    found, is_new = hub.kept.later(hub.engine, "survey", lambda: surveyed.sheet(hub.engine), wait_s=WAIT_S)
    made = _page(request, surveyed.waiting() if found is None else found)
    if found is None:
        made.headers["refresh"] = "5"
    made.headers["x-data"] = "current" if is_new else "earlier"
    return made


@router.get("/award")
def award(
    request: Request,
    year: Year = None,
    within: Annotated[int, Query(ge=1, le=10)] = awards.USUAL,
    by: Annotated[str, Query(pattern="^(carbon|energy)$")] = "carbon",
) -> Response:
    """Least carbon, or energy, within some per cent of the best, by leaderboard."""
    hub = hub_of(request)
    name = f"award {year} {within} {by}"
    return _page(request, hub.kept.now(hub.engine, name, lambda: awards.sheet(hub.engine, year, within, by)))


@router.get("/leaderboards/target")
def target(
    request: Request, task: Name, metric: Name, target: float, dataset: Text = "", split: asked.Split = None
) -> Response:
    """Energy until a value was reached."""
    engine = hub_of(request).engine
    names, _ = leaderboards.chosen(engine, leaderboards.Names(task, dataset, metric), split)
    return _page(request, targets.sheet(engine, names, target))


@router.get("/models/view")
def model(request: Request, name: Name) -> Response:
    """All that the hub has of a model."""
    return _page(request, scenarios.model(hub_of(request).engine, name))


@router.get("/architectures/view")
def architecture(request: Request, name: Name) -> Response:
    """All trainings of an architecture, as a scenario."""
    return _page(request, scenarios.architecture(hub_of(request).engine, name))


@router.get("/papers/view")
def paper(request: Request, name: Name) -> Response:
    """Footprints of a publication."""
    return _page(request, scenarios.paper(hub_of(request).engine, name))


@router.get("/groups/view")
def group(request: Request, name: Name) -> Response:
    """Runs that were sent as one group."""
    return _page(request, scenarios.group(hub_of(request).engine, name))


@router.get("/compare")
def compare(request: Request, id: Annotated[list[str], Query(max_length=20)] = []) -> Response:  # noqa: B006 - FastAPI reads it, nothing writes it
    """Two to five records beside each other."""
    return _page(request, compared.compare(hub_of(request).engine, id))


@router.get("/footprints/{key}/diff")
def diff(request: Request, key: str, before: asked.Version, after: asked.Version) -> Response:
    """What changed between two versions."""
    return _page(request, compared.versions(hub_of(request).engine, key, before, after))


@router.get("/badges/{name}")
def badge(request: Request, name: str) -> Response:
    """A small drawing of a record's emissions and grade, or of its award, for pages elsewhere."""
    hub = hub_of(request)
    key, _, form = name.partition(".")
    found = reading.one(hub.engine, key) if is_uuid7(key) and form in ("svg", "award.svg") else None
    won = awards.won(hub, found.row) if found is not None and form == "award.svg" else []
    if found is None or (form == "award.svg" and not won):
        raise NotFoundError(f"there is no badge {name[:60]!r}")
    drawn = badges.reward(won[0].least, won[0].year, won[0].board) if won else badges.badge(found.row)
    headers = {"cross-origin-resource-policy": "cross-origin"}
    made = Response(drawn, media_type="image/svg+xml", headers=headers)
    return caching.kept(request, made, caching.HOUR)


@router.get("/quality")
def data_quality(request: Request) -> Response:
    """What the records rest on."""
    return _page(request, quality.sheet(hub_of(request).engine))


@router.get("/footprint")
def own_footprint(request: Request) -> Response:
    """The hub's own footprint."""
    hub = hub_of(request)
    return _page(request, own.sheet(hub.engine, hub.metrics.requests(), hub.own()))


@router.get("/accessibility")
def accessibility(request: Request) -> Response:
    """Who can use the site, and what is lacking."""
    return _page(request, texts.ACCESSIBILITY)


@router.get("/privacy")
def privacy(request: Request) -> Response:
    """What is kept of whom."""
    return _page(request, texts.PRIVACY)


@router.get("/review")
def queue(request: Request, cursor: asked.Cursor = None) -> Response:
    """Records that are to be looked at."""
    return _queue(request, cursor)


@router.post("/review")
async def review(request: Request) -> Response:
    """Keep a reviewer's verdict."""
    given = await sealed_fields(request)
    actor = _allowed(request, "review")
    key, verdict = given.get("id", ""), given.get("verdict", "")
    said = {name: given.get(name, "") for name in ("version", "note")}
    try:
        await run_in_threadpool(reviews.review, hub_of(request).engine, key, verdict, actor=actor, **said)
    except SootprintError as err:
        return await run_in_threadpool(_queue, request, None, problem=err.elsewhere, status=status_of(err))
    return RedirectResponse(f"/footprints/{key}#reviews", status_code=303)


def _queue(
    request: Request, cursor: str | None, *, problem: str | None = None, status: int = 200
) -> Response:
    rows, following = unreviewed.page(hub_of(request).engine, cursor)
    return form_page(
        request,
        "review.html",
        status=status,
        rows=[{**row, **views.listed(row)} for row in rows],
        verdicts=reviews.VERDICTS,
        may_review="review" in viewer_of(request).may,
        more=following,
        first=cursor is None,
        problem=problem,
    )


@router.get("/projects/view")
def project(request: Request, name: Name) -> Response:
    """What the runs of a project spent."""
    return _project(request, name)


@router.post("/projects/view")
async def budget(request: Request) -> Response:
    """Give a project a budget for a year."""
    given = await sealed_fields(request)
    actor = _allowed(request, "correct")
    name, year, kg = (given.get(name, "")[:200].strip() for name in ("name", "year", "kg"))
    engine = hub_of(request).engine
    try:
        await run_in_threadpool(projects.set_budget, engine, name, year, kg, actor=actor)
    except InputError as err:
        return await run_in_threadpool(_project, request, name, problem=err.elsewhere)
    return RedirectResponse(Link("", projects.address(name)).to, status_code=303)


def _project(request: Request, name: str, *, problem: str | None = None) -> Response:
    return form_page(
        request,
        "project.html",
        status=400 if problem else 200,
        sheet=projects.sheet(hub_of(request).engine, name),
        project=name,
        may_set="correct" in viewer_of(request).may,
        problem=problem,
    )


def _allowed(request: Request, scope: str) -> Actor:
    actor = viewer_of(request)
    if scope not in actor.may:
        raise NotAllowedError(f"this needs an account that may {scope}", 401 if actor is VISITOR else 403)
    return actor
