"""Pages for people: rendered on the server, whole without a script, with nothing loaded from elsewhere."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from sootprint.core.errors import SootprintError
from sootprint.core.ids import is_uuid7
from sootprint.core.records import Footprint
from sootprint.hub import asked, caching, forms, full_form, leaderboards, reading, views
from sootprint.hub.files import dumps
from sootprint.hub.insight import awards, kin
from sootprint.hub.problems import NotFoundError, status_of
from sootprint.hub.rendering import fingerprint, form_page, render, static_file
from sootprint.hub.requests import fields_of, hub_of
from sootprint.hub.unshown import UnshownError

PAGE = 50
STATIC = {"hub.css": "text/css; charset=utf-8", "hub.svg": "image/svg+xml"}
router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
Chosen = Annotated[dict[str, str], Depends(asked.filters)]


@router.get("/")
def home(request: Request) -> Response:
    """What the hub has, what is new, and what to do."""
    return render(request, "home.html", **views.home(hub_of(request).engine))


@router.get("/explore")
def explore(
    request: Request,
    chosen: Chosen,
    q: asked.Words = None,
    order: asked.Order = "newest",
    cursor: asked.Cursor = None,
) -> Response:
    """Records with facets and search."""
    engine = hub_of(request).engine
    question = asked.question(chosen, limit=PAGE, cursor=cursor, order=order, words=q)
    rows, following = reading.page(engine, question)
    given = {**chosen, **({"q": q} if q else {}), **({"order": order} if order != "newest" else {})}
    return render(
        request,
        "explore.html",
        rows=[views.listed(row) for row in rows],
        facets=views.facets(engine, given),
        given=given,
        more=f"/explore?{urlencode({**given, 'cursor': following})}" if following else None,
        csv=f"/api/v1/footprints.csv?{urlencode({**chosen, **({'q': q} if q else {})})}",
        words=q or "",
        order=order,
        first=cursor is None,
    )


@router.get("/footprints/{key}")
def record(request: Request, key: str, version: asked.AnyVersion = None) -> Response:
    """One record: numbers with intervals, claimed beside recomputed, evidence, history, cite, export."""
    hub = hub_of(request)
    stored = reading.one(hub.engine, key, version) if is_uuid7(key) else None
    if stored is None:
        raise NotFoundError(f"there is no footprint {key[:60]!r} here")
    if stored.text is None:
        return render(
            request, "retracted.html", status=410, stored=stored, history=reading.history(hub.engine, key)
        )
    try:
        shown = {"kin": kin.of(hub.engine, stored.footprint), **views.record(hub, stored)}
    except UnshownError as err:
        history = reading.history(hub.engine, key)
        return render(request, "unshown.html", stored=stored, why=str(err), history=history)
    rewards = awards.won(hub, stored.row) if stored.version == stored.row["version"] else []
    return render(request, "record.html", rewards=rewards, **shown)


@router.get("/leaderboards")
def boards(request: Request) -> Response:
    """Leaderboards there are, by task."""
    return render(request, "leaderboards.html", tasks=views.boards(hub_of(request).engine))


@router.get("/leaderboards/view")
def board(
    request: Request,
    task: Annotated[str, Query(max_length=200)],
    metric: Annotated[str, Query(max_length=200)],
    dataset: Annotated[str, Query(max_length=200)] = "",
    split: asked.Split = None,
    weak: bool | None = None,
    cursor: asked.Cursor = None,
) -> Response:
    """One leaderboard: quality at carbon and at energy, with the fronts; all evidence where no sound one is."""
    engine, after = hub_of(request).engine, leaderboards.Last.of(cursor) if cursor else None
    names, splits = leaderboards.chosen(engine, leaderboards.Names(task, dataset, metric), split)
    found, all_in = leaderboards.best_known(engine, names, weak=weak, shown=views.SHOWN_ENTRIES, after=after)
    shown = views.board(engine, found, names, weak=all_in, splits=splits, before=after.n if after else 0)
    return render(request, "board.html", **shown, unasked=all_in and weak is None)


@router.get("/submit")
def submit(request: Request) -> Response:
    """The three questions; with answers in the address, the estimate."""
    given = {name: request.query_params.get(name, "")[:200] for name in (*forms.ESTIMATE, *forms.ABOUT)}
    return _form(request, given, asked_for="hours" in request.query_params)


@router.post("/submit")
async def publish(request: Request) -> Response:
    """Publish an estimate of the form."""
    hub = hub_of(request)
    given = await fields_of(request)
    if not forms.is_sealed(hub, request, given):
        return _form(
            request,
            given,
            asked_for=True,
            problem=forms.NOT_OURS,
            status=403,
        )
    try:
        actor = await run_in_threadpool(forms.actor_of, request, given)
        key = await run_in_threadpool(forms.publish, hub, given, actor)
    except SootprintError as err:
        return _form(request, given, asked_for=True, problem=err.elsewhere, status=status_of(err))
    return RedirectResponse(f"/footprints/{key}", status_code=303)


@router.get("/submit/full")
def submit_full(request: Request) -> Response:
    """The form of all that a paper may say."""
    return _full(request, {})


@router.post("/submit/full")
async def publish_full(request: Request) -> Response:
    """Look at or publish a record of the full form."""
    given = await fields_of(request)
    if not forms.is_sealed(hub_of(request), request, given):  # what was typed stays
        return await run_in_threadpool(_full, request, given, problem=forms.NOT_OURS, status=403)
    return await run_in_threadpool(_published_full, request, given)


def _published_full(request: Request, given: dict[str, str]) -> Response:
    try:
        record = full_form.record_of(given)
        if given.get("do") != "publish":
            return _full(request, given, estimate=record)
        key = forms.publish(hub_of(request), given, forms.actor_of(request, given), record=record)
    except SootprintError as err:
        return _full(request, given, problem=err.elsewhere, status=status_of(err))
    return RedirectResponse(f"/footprints/{key}", status_code=303)


def _full(
    request: Request, given: dict[str, str], *, estimate: Footprint | None = None, **more: Any
) -> HTMLResponse:
    shown: dict[str, Any] = {
        "given": given,
        "numbers": full_form.NUMBERS,
        "rows": full_form.RESULTS,
        "problem": None,
    }
    return form_page(
        request, "submit_full.html", **(shown | views.form(hub_of(request).engine, estimate) | more)
    )


@router.get("/methodology")
def methodology(request: Request) -> Response:
    """How the hub computes, with every factor."""
    return render(request, "methodology.html", **views.methodology())


@router.get("/downloads")
def downloads(request: Request) -> Response:
    """All records as files, and how to cite them."""
    hub = hub_of(request)
    return render(
        request, "downloads.html", releases=dumps.listed(hub.releases), **views.downloads(hub.engine)
    )


@router.get("/static/{name}")
def static(request: Request, name: str) -> Response:
    """A file that the pages load, to be kept for ever where the address has its fingerprint."""
    if name not in STATIC:
        raise NotFoundError(f"there is no file {name[:60]!r}")
    made, tag = Response(static_file(name), media_type=STATIC[name]), fingerprint(name)
    return caching.kept(request, made, caching.FOREVER if request.url.query == tag else caching.ASK, tag=tag)


def _form(
    request: Request, given: dict[str, str], *, asked_for: bool, problem: str | None = None, status: int = 200
) -> Response:
    estimate = None
    if asked_for:
        try:
            estimate = forms.estimate_of(given)
        except SootprintError as err:
            problem, status = problem or err.elsewhere, max(status, 400)
    shown = views.form(hub_of(request).engine, estimate)
    return form_page(request, "submit.html", status=status, given=given, problem=problem, **shown)
