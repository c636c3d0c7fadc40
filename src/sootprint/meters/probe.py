"""What can be read on this machine: all meters at once, for the tracker, and one line about each, for the doctor."""

from __future__ import annotations

import time
from collections.abc import Sequence

from sootprint.core import registry
from sootprint.core.errors import MeterError
from sootprint.core.protocols import Machine, Meter, MeterFacts, Reading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NamedTuple
else:
    from sootprint.core.named import NamedTuple

GROUP = "sootprint.meters"
STILL_S = 0.5  # a counter that stands still for so long measures nothing
STILL_STEP_S = 0.02
FIRST_LOOK_S = 10.0  # of a meter that looks in the background


class Failure(NamedTuple):
    """A meter that cannot be read here, why, and the command that would unlock it."""

    name: str
    reason: str
    fix: str | None = None


def discover(name: str, machine: Machine) -> Meter:
    """Meter of a name.

    Raises:
        MeterError: It cannot be read here.
        SettingsError: No installed package offers a meter of that name.
    """
    try:
        meter: Meter = registry.load(GROUP, name)(machine)
    except (OSError, ImportError) as err:
        raise MeterError(f"{name}: {_words(err)}") from err
    return meter


def discover_all(machine: Machine, names: Sequence[str] | None = None) -> tuple[list[Meter], list[Failure]]:
    """Meters that can be read here in the given order, or that of preference, and the others with the reason.

    Raises:
        SettingsError: No installed package offers a meter of one of the names.
    """
    meters: list[Meter] = []
    failures: list[Failure] = []
    for name in registry.names(GROUP) if names is None else names:
        try:
            meters.append(discover(name, machine))
        except MeterError as err:
            failures.append(Failure(name, str(err), err.fix))
    return meters, failures


def doctor(machine: Machine) -> list[dict[str, Any]]:
    """One entry for each built-in meter: name, whether it is readable, basis, reason and fix."""
    return [_examined(name, machine) for name in registry.names(GROUP)]


def _examined(name: str, machine: Machine) -> dict[str, Any]:
    try:
        meter = discover(name, machine)
    except MeterError as err:
        return _entry(name, reason=str(err), fix=err.fix)
    try:
        return _looked_at(name, meter)
    except MeterError as err:
        return _entry(name, reason=str(err), fix=err.fix)
    finally:
        getattr(meter, "close", _nothing)()


def _looked_at(name: str, meter: Meter) -> dict[str, Any]:
    getattr(meter, "wait", _wait_for_nothing)(FIRST_LOOK_S)
    readings = meter.read()
    if not readings:
        return _entry(name, reason=f"{name}: it gives no readings")
    basis = readings[0].basis
    if basis == "sensor" and not _moves(meter, readings):
        return _entry(name, basis=basis, reason=f"{name}: its counters do not move, so they measure nothing")
    facts: MeterFacts = getattr(meter, "facts", MeterFacts)()
    return _entry(name, readable=True, basis=basis, reason="; ".join(facts.warnings) or None)


def _moves(meter: Meter, before: Sequence[Reading]) -> bool:
    """Whether any counter changes within half a second; a power needs no change."""
    start = {reading.component: reading.energy_j for reading in before}
    if None in start.values():
        return True
    until_s = time.monotonic() + STILL_S
    while time.monotonic() < until_s:
        if any(reading.energy_j != start.get(reading.component) for reading in meter.read()):
            return True
        time.sleep(STILL_STEP_S)
    return False


def _entry(
    name: str,
    *,
    readable: bool = False,
    basis: str | None = None,
    reason: str | None = None,
    fix: str | None = None,
) -> dict[str, Any]:
    return {"name": name, "readable": readable, "basis": basis, "reason": reason, "fix": fix}


def _words(err: OSError | ImportError) -> str:
    return (err.strerror if isinstance(err, OSError) else None) or type(err).__name__


def _wait_for_nothing(limit_s: float) -> None:
    """Wait of a meter that is read at once."""


def _nothing() -> None:
    """Close of a meter that holds nothing open."""
