"""What each configured source says now: whether it is set up and answers, for `sootprint doctor`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sootprint.core.errors import IntensityError, SettingsError
from sootprint.intensity import chain
from sootprint.settings.grid import MARGINAL, Grid

if TYPE_CHECKING:
    from sootprint.settings import Settings

HOURS = timedelta(hours=3)


def examined(settings: Settings, zone: str | None) -> list[dict[str, Any]]:
    """Each configured source with its kind, whether it answers for a zone, and else why not.

    Args:
        settings: Settings that were read.
        zone: Zone to ask for; without one, sources are only set up and not asked.
    """
    stated = settings.grid or Grid()
    names = [*stated.sources, *((stated.marginal,) if stated.marginal else ())]
    return [_examined(name, settings, zone) for name in names]


def _examined(name: str, settings: Settings, zone: str | None) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": name,
        "kind": "marginal" if name in MARGINAL else "average",
        "answers": None,
        "reason": None,
        "latest_g_per_kwh": None,
    }
    try:
        if zone is None:
            _set_up(name, settings)
            return found | {"reason": "not asked: the place is unknown"}
        latest = _ask(name, settings, zone)
    except (IntensityError, SettingsError) as err:
        return found | {"answers": False, "reason": str(err)}
    return found | {"answers": True, "latest_g_per_kwh": latest}


def _set_up(name: str, settings: Settings) -> None:
    chain.marginal(name, settings) if name in MARGINAL else chain.source(name, settings)


def _ask(name: str, settings: Settings, zone: str) -> float | None:
    """Latest figure of the last hours [gCO2e/kWh]."""
    end = datetime.now(UTC)
    if name in MARGINAL:
        return chain.marginal(name, settings).marginal_between(zone, end - HOURS, end)[-1].factor.value
    return chain.source(name, settings).between(zone, end - HOURS, end)[-1].factor.value
