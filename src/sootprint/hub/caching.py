"""What a browser or a proxy may keep of an answer, and 304 where it has it already (RFC 9110 and 9111)."""

from __future__ import annotations

import hashlib

from fastapi import Request
from fastapi.responses import Response

FOREVER = "public, max-age=31536000, immutable"  # what stands at an address never changes
HOUR = "public, max-age=3600"
ASK = "public, no-cache"  # may be kept, and is asked for again each time
OWN = "private, no-cache"  # a form with the cookie of one browser, which no cache gives to others
PRIVATE = "private, no-store"  # of somebody who is logged in
_KEPT = ("cache-control", "etag", "vary", "cross-origin-resource-policy")  # what a 304 repeats


def kept(request: Request, answer: Response, rule: str, *, tag: str | None = None) -> Response:
    """The answer with what may be kept of it, or 304 where the caller has it.

    Args:
        request: The request.
        answer: A whole answer with status 200.
        rule: Its Cache-Control.
        tag: What changes with the content, e.g. its hash; that of the body where None.
    """
    known = tag or hashlib.sha256(bytes(answer.body)).hexdigest()[:32]
    answer.headers["etag"] = f'"{known}"'
    answer.headers["cache-control"] = rule
    if not _has(request.headers.get("if-none-match"), answer.headers["etag"]):
        return answer
    repeated = {name: answer.headers[name] for name in _KEPT if name in answer.headers}
    return Response(status_code=304, headers=repeated)


def _has(given: str | None, tag: str) -> bool:
    """Whether one of the tags of If-None-Match is ours, a weak one too, as proxies that pack an answer make them."""
    listed = [one.strip().removeprefix("W/") for one in (given or "").split(",")]
    return tag in listed or listed == ["*"]
