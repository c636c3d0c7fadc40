"""One HTTP GET of a device with a time limit and a largest answer; called in the background only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sootprint.core.errors import MeterError
from sootprint.meters import files

if TYPE_CHECKING:
    import http.client
    import ssl

LIMIT_S = 5.0
MOST_BYTES = 1 << 20


class Client:
    """A device's HTTP server; neither proxies nor redirections are followed.

    Args:
        meter: Name of the meter, for messages.
        address: Scheme, host and port, e.g. "https://bmc-17".
        user: User name, or None.
        password: Its password; sent by HTTP's basic scheme.
        ca_file: Certificates that are trusted in place of the system's.
        verify: Whether the server's certificate is checked.
    """

    def __init__(
        self,
        meter: str,
        address: str,
        *,
        user: str | None = None,
        password: str | None = None,
        ca_file: str | None = None,
        verify: bool = True,
    ) -> None:
        self._meter = meter
        self._scheme, _, rest = address.partition("://")
        self._host = rest.partition("/")[0]
        self._user, self._password = user, password
        self._ca_file, self._verify = ca_file, verify

    def text(self, path: str) -> str:
        """Body of the answer to GET.

        Raises:
            MeterError: The server does not answer in time, refuses, or answers too much.
        """
        import http.client

        try:
            return self._asked(path)
        except TimeoutError:
            raise MeterError(f"{self._meter}: {self._host} does not answer in {LIMIT_S:.0f} s") from None
        except (OSError, http.client.HTTPException) as err:
            reason = (
                getattr(err, "verify_message", None) or getattr(err, "strerror", None) or type(err).__name__
            )
            raise MeterError(f"{self._meter}: {self._host} cannot be asked: {reason}") from None

    def json(self, path: str) -> Any:
        """JSON of the answer to GET.

        Raises:
            MeterError: There is none.
        """
        import json

        body = self.text(path)
        try:
            return json.loads(body)
        except ValueError:
            raise MeterError(f"{self._meter}: {self._host}{path} holds no JSON: {body[:40]!r}") from None

    def _asked(self, path: str) -> str:
        connection = self._connection()
        try:
            connection.request("GET", path, headers=self._headers())
            answer = connection.getresponse()
            body = answer.read(MOST_BYTES + 1)
        finally:
            connection.close()
        if answer.status in (401, 403):
            raise MeterError(
                f"{self._meter}: {self._host} refuses the user or the password ({answer.status})"
            )
        if answer.status != 200:
            raise MeterError(f"{self._meter}: {self._host}{path.partition('?')[0]} answers {answer.status}")
        if len(body) > MOST_BYTES:
            raise MeterError(f"{self._meter}: {self._host} answers more than {MOST_BYTES >> 20} MiB")
        return str(body, "utf-8", "replace")

    def _connection(self) -> http.client.HTTPConnection:
        import http.client

        if self._scheme == "https":
            return http.client.HTTPSConnection(self._host, timeout=LIMIT_S, context=self._trust())
        return http.client.HTTPConnection(self._host, timeout=LIMIT_S)

    def _trust(self) -> ssl.SSLContext:
        import ssl

        context = ssl.create_default_context(cafile=self._ca_file)
        if not self._verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context

    def _headers(self) -> dict[str, str]:
        headers = {"Accept": "application/json", "User-Agent": "sootprint", "Connection": "close"}
        if self._user is not None:
            import base64

            secret = f"{self._user}:{self._password or ''}".encode()
            headers["Authorization"] = f"Basic {base64.b64encode(secret).decode('ascii')}"
        return headers


def client(given: Any, environ: Mapping[str, str], *, meter: str) -> Client:
    """Client for a device as the settings describe it.

    Raises:
        MeterError: The variable or file that should hold the password does not.
    """
    return Client(
        meter,
        given.address or given.url,
        user=given.user,
        password=_password(given, environ, meter) if given.user else None,
        ca_file=given.ca_file,
        verify=given.verify,
    )


def _password(given: Any, environ: Mapping[str, str], meter: str) -> str:
    if given.password_env is not None:
        secret = environ.get(given.password_env)
        where = f"the variable {given.password_env} (password_env)"
    else:
        secret = files.text(given.password_file) if given.password_file else None
        where = "password_file" if given.password_file else "password_env or password_file"
    if not secret:
        raise MeterError(f"{meter}: {where} of [wall.{meter}] holds no password")
    return secret
