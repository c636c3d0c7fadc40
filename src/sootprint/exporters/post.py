"""One POST with a limit of time and of what is read; redirections are not followed: they would carry keys elsewhere."""

from __future__ import annotations

import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import NamedTuple

import httpx

from sootprint.core.errors import ExportError
from sootprint.core.letters import without_secrets
from sootprint.exporters.address import is_near

MOST_BYTES = 64 << 10  # of an answer
LIMIT_S = 20.0
ONE_LOOK_S = 5.0  # longest silence of a server
PLAIN = {"Accept-Encoding": "identity"}


class Answer(NamedTuple):
    """What a server answered: its status, the first bytes of its text, and when it asks to be asked again [s]."""

    status: int
    body: bytes
    again_s: float | None = None


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
    received = b""
    try:
        with (
            httpx.Client(timeout=ONE_LOOK_S, trust_env=not is_near(address)) as client,
            client.stream("POST", address, content=body, headers=PLAIN | dict(headers)) as answer,
        ):
            for part in answer.iter_raw():
                received += part
                if len(received) > MOST_BYTES or time.monotonic() > until_s:
                    raise ExportError(f"{address} answers {answer.status_code} and does not come to an end")
            return Answer(answer.status_code, received, _again_s(answer.headers.get("Retry-After")))
    except (httpx.LocalProtocolError, UnicodeEncodeError):
        raise ExportError(f"{address} is not asked: a header has a letter that HTTP cannot carry") from None
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as err:
        why = without_secrets(str(err)) or type(err).__name__
        raise ExportError(f"{address} does not answer: {why}") from err


def _again_s(text: str | None) -> float | None:
    """Time after which a server asks to be asked again [s]; None where it does not.

    Source:
        RFC 9110 (2022), 10.2.3: Retry-After is a number of seconds or a date.

    >>> _again_s("120"), _again_s("soon")
    (120.0, None)
    """
    if text is None:
        return None
    if text.isdecimal():
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None
