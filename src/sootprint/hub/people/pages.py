"""Pages of people: log in and out, a first password, the account with its tokens, claims and their review."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from sootprint.core.errors import InputError, SootprintError
from sootprint.core.ids import is_uuid7
from sootprint.hub import accounts, reading, views
from sootprint.hub.accounts import VISITOR, Actor
from sootprint.hub.people import claims, guesses, passwords, sessions
from sootprint.hub.problems import NotFoundError, status_of
from sootprint.hub.rendering import form_page, sealed_fields
from sootprint.hub.requests import NotAllowedError, caller, hub_of, is_secure, pace, slow_down, viewer_of

TOO_MANY = 429
MOST_DAYS = 3650
USUAL_DAYS = 90
NO_LINK = "this link is used, too old or not whole: log in, or ask for a new one"
MOST_ENDED = 20  # tokens that have ended of which the page tells
router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
Text = Annotated[str, Query(max_length=200)]


@router.get("/login")
def login_page(request: Request, to: Text = "/account") -> Response:
    """The form of names and passwords."""
    return _login(request, to=to)


@router.post("/login")
async def login(request: Request) -> Response:
    """Begin a session in this browser."""
    given = await sealed_fields(request)
    slow_down(request, "login")
    name, to = given.get("name", "").strip(), given.get("to", "")
    found, wait_s = await run_in_threadpool(_tried, request, name, given.get("password", ""))
    if wait_s:
        return _login(request, to=to, name=name, problem=_wait(wait_s), wait_s=wait_s, status=TOO_MANY)
    if found is None:
        slow_down(request, "failure")
        why = "the name and the password do not belong together"
        return _login(request, to=to, name=name, problem=why, status=401)
    return await run_in_threadpool(_logged_in, request, found, _inside(to))


@router.post("/logout")
async def logout(request: Request) -> Response:
    """End the session of this browser."""
    await sealed_fields(request)
    await run_in_threadpool(sessions.end, hub_of(request), request.cookies.get(sessions.COOKIE, ""))
    answer = RedirectResponse("/", status_code=303)
    answer.delete_cookie(sessions.COOKIE)
    return answer


@router.get("/welcome")
def welcome_page(request: Request, name: Text = "", until: Text = "", seal: Text = "") -> Response:
    """The form of a new password, for whoever was given its link."""
    if not sessions.is_welcome(hub_of(request), name, until, seal):
        raise NotFoundError(NO_LINK)
    link = {"name": name, "until": until, "link_seal": seal}
    return form_page(request, "welcome.html", invited=link, shortest=passwords.SHORTEST, problem=None)


@router.post("/welcome")
async def welcome(request: Request) -> Response:
    """Set the password of a link, and log in."""
    given = await sealed_fields(request)
    slow_down(request, "login")
    link = (given.get("name", ""), given.get("until", ""), given.get("link_seal", ""))
    try:
        done = await run_in_threadpool(_welcomed, request, link, given.get("password", ""))
    except InputError as err:
        invited = dict(zip(("name", "until", "link_seal"), link, strict=True))
        more = {"invited": invited, "shortest": passwords.SHORTEST, "problem": err.elsewhere}
        return form_page(request, "welcome.html", status=400, **more)
    if done is None:
        raise NotFoundError(NO_LINK)
    return done


@router.get("/account")
def account(request: Request) -> Response:
    """Who is logged in, with tokens and claims."""
    viewer = viewer_of(request)
    if viewer is VISITOR:
        return RedirectResponse("/login", status_code=303)
    return _account(request, viewer)


@router.post("/account/tokens")
async def make_token(request: Request) -> Response:
    """A new token of whoever is logged in; it is shown this once."""
    given = await sealed_fields(request)
    actor = await run_in_threadpool(_member, request)
    try:
        token = await run_in_threadpool(_new_token, request, actor, given)
    except InputError as err:
        return await run_in_threadpool(_account, request, actor, problem=err.elsewhere, status=400)
    return await run_in_threadpool(_account, request, actor, token=token)


@router.post("/account/tokens/revoke")
async def revoke_token(request: Request) -> Response:
    """End a token of whoever is logged in."""
    given = await sealed_fields(request)
    actor = await run_in_threadpool(_member, request)
    await run_in_threadpool(
        lambda: accounts.revoke(
            hub_of(request).engine, given.get("prefix", ""), owner=actor.account_id, actor=actor.name
        )
    )
    return RedirectResponse("/account", status_code=303)


@router.post("/account/password")
async def change_password(request: Request) -> Response:
    """A new password for whoever knows the old one; all other browsers are logged out."""
    given = await sealed_fields(request)
    slow_down(request, "login")
    new, who = given.get("new", ""), given.get("username", "")
    known_here = await run_in_threadpool(viewer_of, request) is not VISITOR
    done = None if known_here else await run_in_threadpool(_logged_in_again, request, who, new)
    if done is not None:
        return done
    actor, engine = await run_in_threadpool(_member, request), hub_of(request).engine
    known, wait_s = await run_in_threadpool(_tried, request, actor.name, given.get("old", ""))
    if wait_s:
        return await run_in_threadpool(_account, request, actor, problem=_wait(wait_s), status=TOO_MANY)
    try:
        if known is None:
            slow_down(request, "failure")
            raise InputError("the present password is another one")
        await run_in_threadpool(passwords.set_password, engine, actor.name, new, actor=actor.name)
    except InputError as err:
        return await run_in_threadpool(_account, request, actor, problem=err.elsewhere, status=400)
    return await run_in_threadpool(_logged_in, request, known, "/account")


@router.get("/footprints/{key}/claim")
def claim_page(request: Request, key: str) -> Response:
    """The form by which an author claims an estimate of others."""
    return _claim(request, key, {})


@router.post("/footprints/{key}/claim")
async def claim(request: Request, key: str) -> Response:
    """Claim a record; it waits for a maintainer."""
    given = await sealed_fields(request)
    return await run_in_threadpool(_claimed, request, key, given)


@router.get("/claims")
def claims_page(request: Request) -> Response:
    """Claims that wait, for whoever may decide on them."""
    _deciding(request)
    listed = claims.listed(hub_of(request).engine)
    return form_page(request, "claims.html", claims=listed, methods=claims.METHODS)


@router.post("/claims/{number}")
async def decide(request: Request, number: int) -> Response:
    """Confirm or refuse a claim."""
    given = await sealed_fields(request)
    return await run_in_threadpool(_decided, request, number, given)


def _decided(request: Request, number: int, given: dict[str, str]) -> Response:
    if not 0 < number < 1 << 31 or given.get("verdict") not in ("confirm", "refuse"):
        raise InputError("say whether the claim is confirmed or refused")
    said = {"note": given.get("note", ""), "page": given.get("once", "")}
    confirmed, actor = given["verdict"] == "confirm", _deciding(request)
    claims.decide(hub_of(request).engine, number, actor, confirmed=confirmed, **said)
    return RedirectResponse("/claims", status_code=303)


def _deciding(request: Request) -> Actor:
    viewer = viewer_of(request)
    if "correct" not in viewer.may:
        status = 401 if viewer is VISITOR else 403
        raise NotAllowedError("claims are decided by maintainers and reviewers: log in as one", status)
    return viewer


def _member(request: Request) -> Actor:
    """Who is logged in, for what only an account has."""
    viewer = viewer_of(request)
    if viewer.account_id is None:
        why = "this hub has one user, who needs no account" if viewer is not VISITOR else "log in first"
        raise NotAllowedError(why, 401)
    return viewer


def _tried(request: Request, name: str, password: str) -> tuple[int | None, float]:
    """Account whose password this is, and how long to wait before it is looked at [s]."""
    hub = hub_of(request)
    one = guesses.Try(name, caller(request.scope), request.cookies.get(guesses.COOKIE, ""))
    wait_s = guesses.begin(hub, one)
    found = None if wait_s else passwords.account_of(hub.engine, name, password)
    if found is not None:
        guesses.forgive(hub, one)
    return found, wait_s


def _welcomed(request: Request, link: tuple[str, str, str], password: str) -> Response | None:
    """Login of whoever a link lets set a password, or let just before; None for any other."""
    hub, name = hub_of(request), link[0]
    if not sessions.is_welcome(hub, *link) or not passwords.set_password(
        hub.engine, name, password, actor=name, still=lambda found: sessions.welcomes(hub.key, found, link)
    ):
        return _logged_in_again(request, name, password)
    return _logged_in(request, passwords.account_of(hub.engine, name, password) or 0, "/account")


def _logged_in_again(request: Request, name: str, password: str) -> Response | None:
    """Login of whoever set this password just before, as by a double click; None where it is not the present one."""
    if not name or not password:
        return None
    found, _ = _tried(request, name, password)
    if found is not None:
        return _logged_in(request, found, "/account")
    slow_down(request, "failure")
    return None


def _wait(wait_s: float) -> str:
    return f"too many wrong passwords for this name: try again in {math.ceil(wait_s)} s"


def _login(
    request: Request,
    *,
    to: str,
    name: str = "",
    problem: str | None = None,
    wait_s: float = 0.0,
    status: int = 200,
) -> Response:
    more = {"to": _inside(to), "who": name, "problem": problem}
    answer = form_page(request, "login.html", status=status, **more)
    if wait_s:
        answer.headers["retry-after"] = str(math.ceil(wait_s))
    return answer


def _logged_in(request: Request, account_id: int, to: str) -> Response:
    hub = hub_of(request)
    answer = RedirectResponse(to, status_code=303)
    secure = is_secure(request)
    cookie = sessions.start(hub, account_id)
    known = guesses.known(hub, account_id, request.cookies.get(guesses.COOKIE, ""))
    lives = ((sessions.COOKIE, cookie, sessions.LIFE), (guesses.COOKIE, known, guesses.LIFE))
    for name, value, life in lives:
        age_s = int(life.total_seconds())
        answer.set_cookie(name, value, max_age=age_s, httponly=True, samesite="lax", secure=secure, path="/")
    return answer


def _inside(to: str) -> str:
    """Path of this hub to go on to; never another site's."""
    fits = to.startswith("/") and not to.startswith(("//", "/\\")) and to.isprintable()
    return to if fits and "\\" not in to else "/account"


def _account(request: Request, viewer: Actor, *, status: int = 200, **more: Any) -> Response:
    engine, mine = hub_of(request).engine, viewer.account_id
    shown = {
        "tokens": [] if mine is None else accounts.tokens(engine, owner=mine, valid=True),
        "ended": [] if mine is None else accounts.tokens(engine, owner=mine, valid=False, most=MOST_ENDED),
        "most_tokens": accounts.MOST_TOKENS,
        "most_ended": MOST_ENDED,
        "claims": claims.of_account(engine, viewer.account_id),
        "waiting": len(claims.listed(engine)) if "correct" in viewer.may else 0,
        "scopes": [scope for scope in accounts.SCOPES if scope in viewer.may],
        "days": USUAL_DAYS,
        "token": None,
        "problem": None,
    }
    return form_page(request, "account.html", status=status, **(shown | more))


def _new_token(request: Request, actor: Actor, given: dict[str, str]) -> str:
    hub, days = hub_of(request), given.get("days", "").strip() or str(USUAL_DAYS)
    pace(request, actor, "token")
    if not (days.isascii() and days.isdigit()) or not 1 <= int(days) <= MOST_DAYS:
        raise InputError(f"days is {days!r:.20}: it is a whole number from 1 to {MOST_DAYS}")
    scopes = tuple(scope for scope in accounts.SCOPES if given.get(f"scope_{scope}"))
    if not scopes:
        raise InputError("tick at least one thing that the token may do")
    life = timedelta(days=int(days))
    page = given.get("once", "")
    return accounts.make_token(
        hub.engine,
        hub.key,
        actor.name,
        scopes=scopes,
        life=life,
        actor=actor.name,
        page=page if is_uuid7(page) else None,
    )


def _claim(
    request: Request, key: str, given: dict[str, str], *, problem: str | None = None, status: int = 200
) -> Response:
    stored = reading.one(hub_of(request).engine, key) if is_uuid7(key) else None
    if stored is None or stored.text is None:
        raise NotFoundError(f"there is no footprint {key[:60]!r} here")
    viewer = viewer_of(request)
    if viewer is VISITOR:
        return RedirectResponse(f"/login?{urlencode({'to': request.url.path})}", status_code=303)
    more = {"row": views.listed(stored.row), "given": given, "methods": claims.METHODS}
    return form_page(request, "claim.html", status=status, problem=problem, **more)


def _claimed(request: Request, key: str, given: dict[str, str]) -> Response:
    viewer = viewer_of(request)
    if "submit" not in viewer.may:
        raise NotAllowedError("a claim needs an account that may submit", 401 if viewer is VISITOR else 403)
    method, proof = given.get("method", ""), given.get("proof", "")
    try:
        claims.claim(
            hub_of(request).engine, key, viewer, method=method, proof=proof, page=given.get("once", "")
        )
    except SootprintError as err:
        return _claim(request, key, given, problem=err.elsewhere, status=status_of(err))
    return RedirectResponse(f"/footprints/{key}", status_code=303)
