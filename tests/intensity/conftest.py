"""A server of all providers, and sources that ask it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from tests.fixtures import grid_server

from sootprint.core import registry
from sootprint.intensity.live import Asked
from sootprint.settings.grid import Provider

SECRETS = {
    "ELECTRICITYMAPS_API_KEY": grid_server.KEYS["electricitymaps"],
    "EIA_API_KEY": grid_server.KEYS["eia"],
    "ENTSOE_API_KEY": grid_server.KEYS["entsoe"],
    "WATTTIME_USER": grid_server.USER,
    "WATTTIME_PASSWORD": grid_server.PASSWORD,
}


@pytest.fixture
def grid() -> Iterator[grid_server.Providers]:
    """The server's state, with its `address`."""
    with grid_server.serving() as (known, address):
        known.address = address
        yield known


@pytest.fixture
def source(grid, tmp_path) -> Callable[..., object]:
    """Function that makes a source which asks the server; waits between attempts are noted, not slept."""
    grid.slept = []

    def make(name: str, *, limit_s: float = 1.0, environ=SECRETS, home=tmp_path / "home", **stated):
        path = "/entsoe" if name == "entsoe" else ""
        asked = Asked(
            provider=Provider(name=name, url=grid.address + path, **stated),
            home=home,
            limit_s=limit_s,
            environ=environ,
            wall_s=lambda: grid.now.timestamp(),  # noqa: PLW0108 - the clock of the server moves
            sleep=grid.slept.append,
        )
        return registry.load("sootprint.intensity", name)(asked)

    return make
