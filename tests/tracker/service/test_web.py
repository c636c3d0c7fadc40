"""The page over HTTP."""

from __future__ import annotations

import pytest

from sootprint.tracker.service.web import answer


def _page() -> str:
    return "figures\n"


def test_page_is_served_with_its_length_and_type() -> None:
    """A GET of /metrics, with a query or without, gets the page."""
    for target in (b"/metrics", b"/metrics?x=1"):
        reply = answer(b"GET " + target + b" HTTP/1.1\r\nHost: x\r\n\r\n", _page)
        head, _, body = reply.partition(b"\r\n\r\n")
        assert body == b"figures\n"
        assert b"200 OK" in head and b"Content-Length: 8" in head
        assert b"Content-Type: text/plain; version=0.0.4; charset=utf-8" in head


def test_head_has_no_body() -> None:
    """A HEAD gets the head alone, with the length that the body would have."""
    reply = answer(b"HEAD /metrics HTTP/1.0\r\n\r\n", _page)
    assert reply.endswith(b"\r\n\r\n") and b"Content-Length: 8" in reply


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", b"404"),
        (b"GET /../etc/passwd HTTP/1.1\r\n\r\n", b"404"),
        (b"POST /metrics HTTP/1.1\r\n\r\n", b"405"),
        (b"nonsense\r\n\r\n", b"405"),
        (b"\r\n\r\n", b"405"),
    ],
)
def test_whatever_else_is_asked_gets_an_error(request_: bytes, status: bytes) -> None:
    """Another path is not there, another method not allowed, and nonsense is answered too."""
    assert answer(request_, _page).split()[1] == status
