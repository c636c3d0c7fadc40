"""The hub's own footprint by the meters."""

from __future__ import annotations

import time

import pytest

from sootprint.cli import hub_own
from sootprint.ledger import Ledger


def test_hub_that_measures_itself_tells_what_it_used_so_far(
    own_home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is a run of its own processes alone, seen while it goes on, and in the ledger at its end."""
    monkeypatch.setattr(hub_own, "PERIOD", "50ms")
    with hub_own.measured(True) as own:
        until_s = time.monotonic() + 120.0
        while own() is None and time.monotonic() < until_s:
            sum(range(100_000))
        found = own()
    assert found is not None
    assert found.name == "hub"
    assert any(text.startswith("share: charged for the CPU time") for text in found.warnings)
    assert found.energy_kwh.value > 0.0
    with Ledger(own_home) as ledger:
        ended = ledger.get("hub")
    assert (ended.id, ended.process_share is not None) == (found.id, True)


def test_hub_that_does_not_measure_tells_nothing() -> None:
    """No meter is touched unless it was asked for."""
    with hub_own.measured(False) as own:
        assert own() is None
