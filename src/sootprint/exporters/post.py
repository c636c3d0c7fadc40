"""One POST with a limit of time and of what is read; redirections are not followed: they would carry keys elsewhere."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx

from sootprint.core.errors import ExportError
from sootprint.core.letters import without_secrets
from sootprint.exporters.address import LOOPBACK

MOST_BYTES = 64 << 10  # of an answer
LIMIT_S = 20.0
ONE_LOOK_S = 5.0  # longest silence of a server
PLAIN = {"Accept-Encoding": "identity"}


class Answer(NamedTuple):
    """What a server answered: its status and the first bytes of its text."""

    status: int
    body: bytes


def post(address: str, body: bytes, headers: Mapping[str, str], *, limit_s: float = LIMIT_S) -> Answer:
    """Answer of a server.

    Args:
        address: Address without a password.
        body: What is sent.
        headers: Headers, which may hold a key.
        limit_s: Longest time of it all [s].

    Raises:
        ExportError: It does not answer in time, or not by HTTP; the line has the address and no header.
    """
    until_s = time.monotonic() + limit_s
    received, is_near = b"", urlsplit(address).hostname in LOOPBACK
    try:
        with (
            httpx.Client(timeout=ONE_LOOK_S, trust_env=not is_near) as client,  # no proxy to what is near
            client.stream("POST", address, content=body, headers=PLAIN | dict(headers)) as answer,
        ):
            for part in answer.iter_raw():
                received += part
                if len(received) > MOST_BYTES or time.monotonic() > until_s:
                    raise ExportError(f"{address} answers {answer.status_code} and does not come to an end")
            return Answer(answer.status_code, received)
    except (httpx.LocalProtocolError, UnicodeEncodeError):
        raise ExportError(f"{address} is not asked: a header has a letter that HTTP cannot carry") from None
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as err:
        why = without_secrets(str(err)) or type(err).__name__
        raise ExportError(f"{address} does not answer: {why}") from err
