"""How a page is made: its template, what every page shows, and the seal of its form."""

from __future__ import annotations

import hashlib
import re
import time
from functools import cache
from importlib import resources
from typing import Any
from urllib.parse import urlencode

import jinja2
from fastapi import Request
from fastapi.responses import HTMLResponse, Response
from markupsafe import Markup, escape

from sootprint import __version__
from sootprint.charts import letters
from sootprint.core.ids import uuid7
from sootprint.hub import caching, forms, views
from sootprint.hub.requests import NotAllowedError, fields_of, hub_of, is_secure, viewer_of

_UNITS = r"%|×|[µmk]?g|k?t|Mt|[kMGT]?Wh|[km]?W|mJ|J|h|min|s|d|L|gCO₂e/kWh|g/kWh"
_TOGETHER = (
    (re.compile(rf"(?<=\d) (?=(?:{_UNITS})(?![\w/]))"), "\N{NO-BREAK SPACE}"),
    (re.compile(r"\b([np]) ([=<]) (?=\d)"), "\\1\N{NO-BREAK SPACE}\\2\N{NO-BREAK SPACE}"),
)
# Controls but tab and line end, halves of characters, line separators, and what turns the direction of writing
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029\u202a-\u202e\u2066-\u2069]")

_SHORT = ("cpu", "dram", "gpu", "pue")  # what is written in capitals wherever it stands
OK = 200
_CODE = re.compile("`([^`]+)`")


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
    return _UNSEEN.sub(" ", value) if type(value) is str else value


def _sentence(text: str) -> str:
    """Text that begins with a capital where it begins with a word; what is a name or a command stays.

    >>> _sentence("the intensity is that of FR"), _sentence("emissions_kg is 3"), _sentence("xAI told it")
    ('The intensity is that of FR', 'emissions_kg is 3', 'xAI told it')
    >>> _sentence("cpu: a name")
    'CPU: a name'
    """
    first = text.partition(" ")[0].rstrip(",;:")
    if first in _SHORT:
        return first.upper() + text[len(first) :]
    return (
        text[:1].upper() + text[1:] if first.isalpha() and first.islower() and first != "sootprint" else text
    )


def _prose(text: str, *, together: bool = False) -> str:
    """Text with its commands and fields, which stand between back-ticks, as code.

    Args:
        text: Text.
        together: Whether a number stays on the line of its unit, as in a sentence that is wrapped.

    >>> str(_prose("`a --b` tells < 3 kg CO2e (n = 4)", together=True)).replace("\N{NO-BREAK SPACE}", "_")
    '<code>a --b</code> tells &lt; 3_kg CO₂e (n_=_4)'
    """
    said = letters.formula(_UNSEEN.sub(" ", text))
    said = str(escape(letters.replaced(said, _TOGETHER) if together else said))
    return Markup(_CODE.sub(r"<code>\1</code>", said))


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
    made.filters["prose"] = _prose
    made.filters["sentence"] = _sentence
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
