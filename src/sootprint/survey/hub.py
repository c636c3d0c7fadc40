"""Records of a hub, page by page, over its public interface."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from sootprint.core.errors import HubError
from sootprint.core.records import Footprint
from sootprint.exporters.address import address_of
from sootprint.survey import records
from sootprint.survey.dataset import Dataset, from_footprints

PAGE = 500  # records a page, the most that a hub gives
PAGES = 10_000  # a hub that goes on for ever is stopped
TIMEOUT_S = 30.0


def load(address: str, *, values: str = "given", progress: Callable[[int], None] | None = None) -> Dataset:
    """Data set of a hub's records.

    Args:
        address: Address of the hub, such as https://hub.example.org.
        values: "given" or "recomputed".
        progress: Called with the number of records so far after each page.

    Raises:
        InputError: The address is none, or the hub has no records.
        HubError: The hub does not answer as a hub does.
    """
    return from_footprints(fetched(address, progress=progress), name=f"records of {address}", values=values)


def fetched(address: str, *, progress: Callable[[int], None] | None = None) -> Iterator[Footprint | str]:
    """Records of a hub; a text is the reason why one could not be read."""
    import httpx

    address = address_of(address)
    cursor, count = None, 0
    with httpx.Client(base_url=address, timeout=TIMEOUT_S, follow_redirects=True) as client:
        for _ in range(PAGES):
            asked: dict[str, Any] = {"limit": PAGE} | ({"cursor": cursor} if cursor else {})
            page = _page(client, address, asked)
            yield from records.decoded(page["items"])
            count += len(page["items"])
            if progress is not None:
                progress(count)
            following = page.get("next_cursor")
            if not following:
                return
            if following == cursor:
                raise HubError(f"{address} gives the same page again and again: its cursor is {cursor!r:.60}")
            cursor = following
    raise HubError(f"{address} has more than {PAGES} pages of {PAGE} records: take a dump of it")


def _page(client: Any, address: str, asked: dict[str, Any]) -> dict[str, Any]:
    """One page of records."""
    import httpx

    try:
        answer = client.get("/api/v1/footprints", params=asked)
        answer.raise_for_status()
        page = answer.json()
    except httpx.HTTPStatusError as err:
        raise HubError(f"{address} answered {err.response.status_code}: is it the address of a hub?") from err
    except (httpx.HTTPError, httpx.InvalidURL) as err:
        raise HubError(f"{address} does not answer: {err}; check the address, or try again") from err
    except ValueError as err:
        raise HubError(f"{address} answered something that is no JSON: is it the address of a hub?") from err
    if not isinstance(page, dict) or not isinstance(page.get("items"), list):
        raise HubError(f"{address} answered JSON without `items`: is it the address of a hub?")
    return page
