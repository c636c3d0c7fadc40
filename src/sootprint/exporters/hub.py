"""The way to a hub: what waits in the outbox is sent in batches and forgotten when the hub has answered for it.

Whatever happens on the way, a kill, a lost connection, an answer that does not come, the records stay in the outbox;
sending them again changes nothing at a hub that has them.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from sootprint import __version__
from sootprint.core.errors import HubError, RefusedError
from sootprint.core.records import Footprint
from sootprint.exporters.address import address_of, is_near, token_of
from sootprint.exporters.outbox import Outbox, batches

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sootprint.settings import Settings

PATH, LIVE_PATH = "/api/v1/footprints", "/api/v1/live"
AT_ONCE, BYTES_AT_ONCE = 200, 8 << 20
PAGE = 500
TIMEOUT_S = 30.0


def opened(at: str, settings: Settings) -> HubExporter:
    """Exporter to a hub, with the token of the settings.

    Raises:
        InputError: The address is none, or a token would go to it without encryption.
        SettingsError: The token cannot be read.
    """
    return HubExporter(settings.home, at, token=token_of(settings.hub_token_file))


@dataclass(slots=True)
class Sent:
    """What became of the records that waited.

    Args:
        accepted: New at the hub [1].
        duplicate: Known to the hub already [1].
        refused: Records that the hub will not take: file and reason.
    """

    accepted: int = 0
    duplicate: int = 0
    refused: list[tuple[Path, str]] = field(default_factory=list)


class HubExporter:
    """A hub as a place where footprints go; use it as a context manager, or close it.

    Args:
        home: Home of the user, in which the outbox is.
        address: Address of the hub.
        token: Token of an account, or None.
        client: Client to use in place of one of its own.
    """

    name = "hub"

    def __init__(
        self, home: Path, address: str, *, token: str | None = None, client: httpx.Client | None = None
    ) -> None:
        address = address_of(address, token=bool(token))
        headers = {"User-Agent": f"sootprint/{__version__}"} | (
            {"Authorization": f"Bearer {token}"} if token else {}
        )
        self.address, self.outbox = address, Outbox(home, address)
        self._headers = headers
        self._client = client or httpx.Client(timeout=TIMEOUT_S, trust_env=not is_near(address))

    def __enter__(self) -> HubExporter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def write(self, footprint: Footprint) -> None:
        """Send one footprint, and whatever else waits.

        Raises:
            HubError: The hub does not answer; the record waits in the outbox.
            RefusedError: The hub will not take the record, which is put aside.
        """
        self.outbox.put(footprint)
        for path, why in self.send().refused:
            if path.name.startswith(footprint.id):
                raise RefusedError(why)

    def send(self) -> Sent:
        """Send all that waits.

        Raises:
            HubError: The hub does not answer, or refuses the request; what it has not acknowledged waits on.
        """
        sent = Sent()
        for batch in batches(self.outbox.waiting(), most=AT_ONCE, most_bytes=BYTES_AT_ONCE):
            self._send(batch, sent)
        return sent

    def place(self, key: str) -> str:
        """Address of a record's page."""
        return f"{self.address}/footprints/{key}"

    def report_live(self, key: str, told: dict[str, Any]) -> None:
        """Tell the minutes of a run that is being measured.

        Raises:
            HubError: The hub does not answer, or refuses it.
        """
        self._json("POST", f"{LIVE_PATH}/{key}/minutes", json=told)

    def finish_live(self, key: str) -> None:
        """Tell that a run has ended.

        Raises:
            HubError: The hub does not answer, or knows no such run.
        """
        self._json("POST", f"{LIVE_PATH}/{key}/finish")

    def fetch(self, key: str) -> dict[str, Any]:
        """Record of the hub by its id.

        Raises:
            HubError: It has none, or does not answer.
        """
        return self._json("GET", f"{PATH}/{key}")

    def retract(self, key: str, reason: str) -> int:
        """Number of the version by which a record of the hub is taken back.

        Raises:
            HubError: It has none, the account may not, or the hub does not answer.
        """
        return int(self._json("DELETE", f"{PATH}/{key}", params={"reason": reason})["version"])

    def every(self, filters: dict[str, str]) -> Iterator[dict[str, Any]]:
        """All records of the hub that fit, the newest first.

        Raises:
            HubError: The hub does not answer.
        """
        cursor: str | None = None
        while True:
            asked = {"limit": str(PAGE)} | filters | ({"cursor": cursor} if cursor else {})
            page = self._json("GET", PATH, params=asked)
            yield from page.get("items", ())
            following = page.get("next_cursor")
            if not following or following == cursor:
                return
            cursor = following

    def _send(self, batch: Sequence[tuple[Path, bytes]], sent: Sent) -> None:
        body = b"[" + b",".join(text for _, text in batch) + b"]"
        headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}  # a record's id is its key
        answer = self._json(
            "POST", PATH, content=gzip.compress(body, mtime=0), headers=headers, taken=(200, 422)
        )
        if "accepted" not in answer:
            raise HubError(f"{self.address} refused the request: {answer.get('title', answer)!s:.200}")
        try:
            accepted, duplicate = int(answer["accepted"]), int(answer["duplicate"])
            refused = {one["index"]: "; ".join(one["errors"]) for one in answer["rejected"]}
        except (KeyError, TypeError, ValueError):
            raise HubError(f"{self.address} answered no counts of records: is it a hub?") from None
        if accepted + duplicate + len(refused) != len(batch):
            raise HubError(
                f"{self.address} answered for {accepted + duplicate + len(refused)} of {len(batch)} records; try again"
            )
        sent.accepted, sent.duplicate = sent.accepted + accepted, sent.duplicate + duplicate
        for index, (path, _) in enumerate(batch):
            if index in refused:
                sent.refused.append((self.outbox.refuse(path, refused[index]), refused[index]))
            else:
                self.outbox.done(path)

    def _json(
        self,
        method: str,
        path: str,
        *,
        taken: tuple[int, ...] = (200,),
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> dict[str, Any]:
        """Answer of the hub.

        Raises:
            HubError: There is none, or it is an error.
        """
        try:
            answer = self._client.request(
                method, f"{self.address}{path}", headers=self._headers | (headers or {}), **more
            )
            data = answer.json()
        except (httpx.HTTPError, httpx.InvalidURL) as err:
            raise HubError(f"{self.address} does not answer: {err or type(err).__name__}; try again") from err
        except (ValueError, RecursionError):
            raise HubError(
                f"{self.address} answered {answer.status_code} without JSON: is it a hub?"
            ) from None
        if answer.status_code not in taken or not isinstance(data, dict):
            why = data.get("title") if isinstance(data, dict) else None
            raise HubError(f"{self.address} answered {answer.status_code}: {why or 'is it a hub?'}")
        return data


def previewed(footprints: Sequence[Footprint]) -> str:
    """What would leave, as JSON."""
    return json.dumps([json.loads(one.to_json()) for one in footprints], indent=2, ensure_ascii=False)
