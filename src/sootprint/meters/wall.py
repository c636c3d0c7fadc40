"""What the meters of a whole node share: what the user stated of them, and how one that covers several is shared."""

from __future__ import annotations

from sootprint.core.errors import MeterError
from sootprint.core.protocols import Machine, MeterFacts
from sootprint.meters.accuracy import accuracy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NamedTuple
else:
    from sootprint.core.named import NamedTuple

NAMES = (
    "plug",
    "redfish",
    "pm_counters",
    "ipmi",
    "hwmon",
)  # in order of preference where several can be read
IDLE_SHARE = (
    0.35  # of a server's power under load, idle: 0.3-0.5 of the prior for processors, and fans and supply
)


class Stated(NamedTuple):
    """What the settings say of a meter: how many nodes it covers, and its bounds where its accuracy is stated."""

    nodes: int = 1
    bounds: tuple[float, float] | None = None


def stated(machine: Machine, name: str) -> Stated:
    """What the user stated of a meter.

    Raises:
        MeterError: The settings leave the meter out.
    """
    known = machine.wall.get(name)
    if known is None:
        return Stated()
    if not known.use:
        raise MeterError(f"{name}: left out by the settings (use = false in [wall.{name}])")
    bounds = None if known.accuracy is None else (1.0 - known.accuracy, 1.0 + known.accuracy)
    return Stated(nodes=known.nodes, bounds=bounds)


def share_of_nodes(nodes: int, bounds: tuple[float, float]) -> tuple[float, float, str]:
    """Bounds and basis of one node's equal share of a meter that covers several.

    The lowest true share is that of an idle node among busy ones, the highest that of a busy node among idle ones.

    >>> share_of_nodes(1, (0.97, 1.03))
    (0.97, 1.03, 'metered')
    >>> low, high, basis = share_of_nodes(4, (1.0, 1.0))
    >>> round(low, 3), round(high, 3), basis
    (0.418, 1.951, 'modelled')
    """
    if nodes == 1:
        return (*bounds, "metered")
    low = nodes * IDLE_SHARE / (IDLE_SHARE + nodes - 1)
    high = nodes / (1 + (nodes - 1) * IDLE_SHARE)
    return low * bounds[0], high * bounds[1], "modelled"


def accuracy_facts(key: str, bounds: tuple[float, float], *, source: str, nodes: int) -> MeterFacts:
    """Facts of a wall meter: its accuracy, and a warning where it covers several nodes."""
    factor = accuracy(key, bounds, source=source)
    if nodes == 1:
        return MeterFacts(factors=(factor,))
    warning = (
        f"{key}: the meter covers {nodes} nodes, and this one is charged an equal share; its true share is not "
        "known, so the interval is wide"
    )
    return MeterFacts(factors=(factor,), warnings=(warning,))
