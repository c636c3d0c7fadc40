"""One HTTP GET of a provider with a limit of time and size; never called on a training's thread.

It is the standard library's client, so that the path that measures stays light; proxies of the environment are used,
for compute nodes often reach the world through one. A redirection is not followed: it would carry the key elsewhere.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from sootprint.core.errors import IntensityError

if TYPE_CHECKING:
    import urllib.request
    from email.message import Message

MOST_BYTES = 16 << 20
ATTEMPTS = 3
PAUSE_S = 0.5  # before the second attempt; doubles
ONE_LOOK_S = 10.0  # longest silence of a server
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


class HeldError(IntensityError):
    """A provider asked to be left alone until `until_s` of the wall clock [s]."""

    def __init__(self, message: str, *, until_s: float) -> None:
        super().__init__(message)
        self.until_s = until_s


class Client:
    """A provider's HTTP server.

    Args:
        title: Name of the provider, for messages; an address may hold a key and is never in one.
        limit_s: Longest time of one question with its repetitions [s].
        wall_s: Wall clock [s].
        sleep: Wait of some seconds.
    """

    def __init__(
        self,
        title: str,
        *,
        limit_s: float,
        wall_s: Callable[[], float] = time.time,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._title, self._limit_s = title, limit_s
        self._wall_s, self._sleep = wall_s, sleep

    def json(self, url: str, headers: Mapping[str, str] | None = None) -> Any:
        """JSON of the answer to GET.

        Raises:
            IntensityError: There is none; the line says why, and never holds the address or a key.
        """
        import json

        body = self.body(url, headers)
        try:
            return json.loads(body)
        except (ValueError, RecursionError):
            raise IntensityError(f"{self._title} answers with what is no JSON ({len(body)} bytes)") from None

    def body(self, url: str, headers: Mapping[str, str] | None = None) -> bytes:
        """Body of the answer to GET; asked again after a fault that may pass.

        Raises:
            HeldError: The provider asks for patience longer than the limit.
            IntensityError: It does not answer in time, refuses, or answers too much.
        """
        until_s = time.monotonic() + self._limit_s
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._once(url, headers or {}, until_s)
            except _PassingError as err:
                pause_s = PAUSE_S * 2 ** (attempt - 1) if err.pause_s is None else err.pause_s
                if attempt == ATTEMPTS or time.monotonic() + pause_s >= until_s:
                    raise self._given_up(err) from OSError(str(err))
                self._sleep(pause_s)
        raise AssertionError("the last attempt returns or raises")

    def _given_up(self, err: _PassingError) -> IntensityError:
        if err.pause_s is None:
            return IntensityError(f"{self._title} {err}")
        return HeldError(
            f"{self._title} {err}: it asks to wait {err.pause_s:.0f} s", until_s=self._wall_s() + err.pause_s
        )

    def _once(self, url: str, headers: Mapping[str, str], until_s: float) -> bytes:
        import http.client
        import urllib.error

        try:
            return self._read(url, headers, until_s)
        except urllib.error.HTTPError as err:
            with err:
                raise self._refused(err.code, err.headers) from None
        except TimeoutError:
            raise _PassingError("does not answer in time") from None
        except http.client.IncompleteRead:
            raise _PassingError("breaks off in the middle of its answer") from None
        except urllib.error.URLError as err:
            if isinstance(err.reason, TimeoutError):
                raise _PassingError("does not answer in time") from None
            raise _PassingError(f"cannot be reached: {_reason(err.reason)}") from None
        except (OSError, http.client.HTTPException) as err:
            raise _PassingError(f"cannot be asked: {_reason(err)}") from None

    def _read(self, url: str, headers: Mapping[str, str], until_s: float) -> bytes:
        import urllib.request

        known = {"Accept": "*/*", "User-Agent": "sootprint", "Connection": "close", **headers}
        left_s = max(0.1, min(ONE_LOOK_S, until_s - time.monotonic()))
        parts: list[bytes] = []
        size = 0
        with _opener(url).open(urllib.request.Request(url, headers=known), timeout=left_s) as answer:
            while part := answer.read1(1 << 16):
                parts.append(part)
                size += len(part)
                if size > MOST_BYTES:
                    raise IntensityError(f"{self._title} answers more than {MOST_BYTES >> 20} MiB")
                if time.monotonic() > until_s:  # a server that drips would otherwise hold us for ever
                    raise TimeoutError
            if answer.length:  # read1 does not tell that the rest is missing
                raise _PassingError("breaks off in the middle of its answer")
        return b"".join(parts)

    def _refused(self, status: int, headers: Message) -> Exception:
        if status == 401:
            return IntensityError(f"{self._title} refuses the key (401): it is wrong or has expired")
        if status == 403:
            return IntensityError(
                f"{self._title} refuses this zone or time to the key (403): its plan has it not"
            )
        if status == 404:
            return IntensityError(f"{self._title} does not know the zone (404): name it as the provider does")
        if status == 429:
            return _PassingError("has been asked too often (429)", pause_s=self._retry_after_s(headers))
        if status >= 500:
            after = headers.get("Retry-After")
            return _PassingError(
                f"has a fault of its own ({status})", pause_s=self._retry_after_s(headers) if after else None
            )
        return IntensityError(f"{self._title} does not accept the question ({status})")

    def _retry_after_s(self, headers: Message) -> float:
        """Time that the provider asks to wait, from seconds or a date; a minute where it says nothing [s]."""
        text = (headers.get("Retry-After") or "").strip()
        if text.isdigit():
            return min(float(text), 86400.0)
        try:
            return max(1.0, min(86400.0, parsedate_to_datetime(text).timestamp() - self._wall_s()))
        except (TypeError, ValueError):
            return 60.0


class _PassingError(Exception):
    """A fault that may be gone at the next attempt."""

    def __init__(self, message: str, *, pause_s: float | None = None) -> None:
        super().__init__(message)
        self.pause_s = pause_s


def _reason(err: object) -> str:
    """Why a connection failed, without the address."""
    return str(getattr(err, "verify_message", None) or getattr(err, "strerror", None) or type(err).__name__)


def _opener(url: str) -> urllib.request.OpenerDirector:
    import urllib.request

    class NoRedirection(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: Any, **__: Any) -> None:
            return None

    host = url.partition("://")[2].partition("/")[0]
    proxies: dict[str, str] | None = {} if host.startswith(LOOPBACK) else None
    return urllib.request.build_opener(NoRedirection, urllib.request.ProxyHandler(proxies))
