"""Records and homes that the ledger's tests share."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from sootprint import Footprint, Quantity
from sootprint.core.ids import uuid7
from sootprint.core.records import Place


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home that does not exist yet."""
    return tmp_path / "home"


@pytest.fixture
def a_run() -> Callable[..., Footprint]:
    """Records one second apart, the later ones newer."""
    counter = itertools.count()

    def make(**fields: object) -> Footprint:
        second = next(counter)
        defaults = {
            "id": uuid7(1_760_000_000.0 + second),
            "started": f"2025-10-09T08:{second:02d}:00.000Z",
            "duration_s": 30.0,
            "place": Place(zone="FR", country="FR", source="argument"),
            "energy_kwh": Quantity(value=2.0, low=1.0, high=4.0, basis="modelled"),
            "emissions_kg": Quantity(value=0.1, low=0.05, high=0.2),
        }
        return Footprint(**{**defaults, **fields})

    return make
