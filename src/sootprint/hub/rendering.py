"""How a page is made: its template, what every page shows, and the seal of its form."""

from __future__ import annotations

import hashlib
import time
from functools import cache
from importlib import resources
from typing import Any
from urllib.parse import urlencode

import jinja2
from fastapi import Request
from fastapi.responses import HTMLResponse, Response

from sootprint import __version__
from sootprint.charts import letters
from sootprint.core.ids import uuid7
from sootprint.hub import caching, forms, views
from sootprint.hub.requests import NotAllowedError, fields_of, hub_of, is_secure, viewer_of
from sootprint.report import prose

OK = 200


def render(request: Request, name: str, *, status: int = 200, **more: Any) -> Response:
    """Page of a template, or 304 where a visitor's browser has it; what is private is kept nowhere."""
    made, is_private = _page(request, name, status=status, **more)
    if is_private:
        made.headers["cache-control"] = caching.PRIVATE
        return made
    made.headers["vary"] = "Cookie"
    return caching.kept(request, made, caching.ASK) if status == OK else made


def _page(request: Request, name: str, *, status: int, **more: Any) -> tuple[HTMLResponse, bool]:
    """Page of a template, and whether it is of somebody who is logged in."""
    hub = hub_of(request)
    viewer = more.pop("viewer", None) or viewer_of(request)
    shown = {"hub": hub, "path": request.url.path, "viewer": viewer} | more
    made = HTMLResponse(templates().get_template(name).render(shown), status_code=status)
    return made, viewer.account_id is not None


def form_page(request: Request, name: str, *, status: int = 200, **more: Any) -> HTMLResponse:
    """Page of a template that holds a form, tied to this browser by a cookie."""
    hub, cookie = hub_of(request), forms.cookie_of(request)
    more["wrong"] = forms.field_of(more.get("problem"))
    sealed = {"seal": forms.seal(hub, cookie), "once": uuid7(time.time())}
    made, is_private = _page(request, name, status=status, **sealed, **more)
    made.headers["cache-control"] = caching.PRIVATE if is_private else caching.OWN
    secure = is_secure(request)
    made.set_cookie(forms.COOKIE, cookie, httponly=True, samesite="strict", secure=secure, path="/")
    return made


async def sealed_fields(request: Request) -> dict[str, str]:
    """Fields of a form that a page of this hub gave to this browser.

    Raises:
        NotAllowedError: It came from elsewhere.
    """
    given = await fields_of(request)
    if not forms.is_sealed(hub_of(request), request, given):
        raise NotAllowedError("this form is not of this browser: load its page and send it again", 403)
    return given


def _shown(value: object) -> object:
    """Text without letters that are not seen, and turn or hide those around them; drawings of ours are left alone."""
    return prose.UNSEEN.sub(" ", value) if type(value) is str else value


@cache
def templates() -> jinja2.Environment:
    """Templates of the pages, whose values are escaped."""
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("sootprint.hub", "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        finalize=_shown,
    )
    made.filters["formula"] = letters.formula
    made.filters["prose"] = prose.prose
    made.filters["sentence"] = prose.sentence
    made.filters["query"] = urlencode
    made.filters["bytes"] = views.size
    made.filters["utc"] = views.utc
    made.globals["version"] = __version__
    made.globals["asset"] = lambda name: f"/static/{name}?{fingerprint(name)}"
    return made


@cache
def fingerprint(name: str) -> str:
    """What stands behind the address of a file that the pages load, and changes with it."""
    return hashlib.sha256(static_file(name)).hexdigest()[:12]


@cache
def static_file(name: str) -> bytes:
    """A file that the pages load."""
    return resources.files("sootprint.hub").joinpath("static", name).read_bytes()
