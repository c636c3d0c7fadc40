"""Errors as answers: `application/problem+json` (RFC 9457) for programs, one clear line in it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException

from sootprint.core.errors import SootprintError
from sootprint.hub import logs
from sootprint.hub.accounts import VISITOR
from sootprint.hub.admission import TooLargeError
from sootprint.hub.corrections import NotYoursError, UnknownRecordError
from sootprint.hub.insight.keeping import FailedError
from sootprint.hub.keys import KeyReusedError
from sootprint.hub.patience import TooSlowError
from sootprint.hub.rendering import render
from sootprint.hub.requests import NotAllowedError, TooManyError
from sootprint.hub.room import BusyError
from sootprint.hub.unshown import UnshownError


class NotFoundError(SootprintError):
    """There is nothing at this address."""


class GoneError(SootprintError):
    """What was at this address was retracted."""


TITLES = {
    401: "Log in first", 403: "Not allowed", 404: "Nothing here", 408: "Too slow", 410: "Gone", 413: "Too large",
    422: "Something is missing", 429: "Too fast", 500: "A fault of this hub", 503: "Not at the moment",
}  # fmt: skip
FAULT = "this is a fault of the hub, not of what you sent: try again, or tell whoever runs it"
PLAIN = {  # what the web framework says, for people
    "Not Found": "there is no page at this address",
    "Method Not Allowed": "this page cannot be sent to: open it instead",
}
_STATUS: dict[type[SootprintError], int] = {
    NotFoundError: 404,
    UnknownRecordError: 404,
    GoneError: 410,
    TooLargeError: 413,
    TooSlowError: 408,
    NotYoursError: 403,
    KeyReusedError: 409,
    UnshownError: 409,
    TooManyError: 429,
    FailedError: 500,
    BusyError: 503,
}


def problem(status: int, why: str, **more: Any) -> JSONResponse:
    """Answer that says what is wrong."""
    content = {"title": why, "status": status, **more}
    return JSONResponse(content, status_code=status, media_type="application/problem+json")


def status_of(error: SootprintError) -> int:
    """Status of an error: what it says, else 400 for input that cannot be used."""
    if isinstance(error, NotAllowedError):
        return error.status
    return _STATUS.get(type(error), 400)


def answered(request: Request, status: int, why: str) -> Response:
    """Answer that says what is wrong: a page for a browser, JSON for a program."""
    if request.url.path.startswith("/api/") or "text/html" not in request.headers.get("accept", ""):
        return problem(status, why)
    said = {"code": status, "why": PLAIN.get(why, why), "titles": TITLES}
    try:
        return render(request, "problem.html", status=status, **said)
    except SQLAlchemyError:  # the database is what failed, and it also tells who looks
        return render(request, "problem.html", status=status, viewer=VISITOR, **said)


def handle(app: FastAPI) -> None:
    """Give every expected error its answer."""
    app.add_exception_handler(SootprintError, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(SQLAlchemyError, _database)
    app.add_exception_handler(Exception, _unexpected)


def _ours(request: Request, error: Exception) -> Response:
    assert isinstance(error, SootprintError)
    answer = answered(request, status_of(error), " ".join(error.elsewhere.split()))
    if isinstance(error, TooManyError | BusyError):
        answer.headers["retry-after"] = str(int(error.wait_s) + 1)
    if answer.status_code == HTTPStatus.UNAUTHORIZED:
        answer.headers["www-authenticate"] = "Bearer"
    return answer


def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    listed = [f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}"[:300] for one in error.errors()]
    if "text/html" in request.headers.get("accept", "") and not request.url.path.startswith("/api/"):
        return answered(request, 422, _in_words(error.errors()[0]))
    return problem(422, listed[0] if listed else "the request cannot be used", errors=listed[:20])


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    answer = answered(request, error.status_code, str(error.detail))
    answer.headers.update(error.headers or {})
    return answer


def _in_words(error: Any) -> str:
    """One line of what an address lacks or holds."""
    name = str(error["loc"][-1])
    if error["type"] == "missing":
        return f"the address lacks {name!r:.60}: follow a link of this site, or add it"
    rule = str(error["msg"]).replace("Input should", "it should").replace("String should", "it should")
    return f"{name} is {error.get('input')!r:.60}: {rule[:1].lower()}{rule[1:]}"[:300]


def _unexpected(request: Request, _: Exception) -> Response:
    """A fault of the program: the log has it, and nobody is told how the program looks inside."""
    return answered(request, 500, FAULT)


def _database(request: Request, error: Exception) -> Response:
    """The database is away or full: nothing was stored, and the client sends again."""
    told = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]  # values stand below it
    logs.event("database error", 40, error=told[:300])
    answer = answered(request, 503, "the database does not answer: nothing was stored, try again later")
    answer.headers["retry-after"] = "5"
    return answer
