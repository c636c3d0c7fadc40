"""PUE of each place of a plan, as the record of what runs there will have it; never that of another place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sootprint.planner.facility import of_region

if TYPE_CHECKING:
    from sootprint.settings import Settings
    from sootprint.settings.targets import Target


def pue_of(target: Target, settings: Settings, *, arguments: Sequence[str], at_s: float) -> float | None:
    """PUE of a place [1]: of its target, else stated for the job, else of this machine's settings, else of its region.

    Args:
        target: The place.
        settings: Settings of this machine, which hold for what runs on it and for no other machine.
        arguments: Options of `sootprint run` for each start: a --pue among them is stated for the job wherever it runs.
        at_s: Instant in seconds since 1970 [s].
    """
    if target.pue is not None:
        return target.pue
    if "--pue" in arguments:
        return float(arguments[arguments.index("--pue") + 1])
    own = None if target.is_remote else _here(target.zone, settings).pue_at(at_s)
    if own is not None:
        return own.value
    published = of_region(target.zone, datetime.fromtimestamp(at_s, UTC).year)
    return None if published is None else published.value


def unused(target: Target, settings: Settings, *, arguments: Sequence[str], pue: float | None) -> str | None:
    """Line that says with what another machine counts in place of this machine's PUE; None where nothing is to say."""
    if not target.is_remote or target.pue is not None or settings.pue is None or "--pue" in arguments:
        return None
    counts = "has none that is known" if pue is None else f"counts with {pue:g}, as {target.zone} publishes"
    origin = settings.origins.get("pue", "argument")
    return (
        f"the PUE of {settings.pue:g} ({origin}) is this machine's, and {target.name} {counts}: state its own as pue "
        f"in [targets.{target.name}]"
    )


def _here(zone: str, settings: Settings) -> Settings:
    """Settings of a start on this machine, whose zone is stated with it."""
    return replace(settings, zone=zone, origins={**settings.origins, "zone": "argument"})
