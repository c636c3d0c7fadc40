"""A smart plug or a PDU, by HTTP or by a file that something else writes; only where it was configured.

This module only looks into the settings, so that whoever has none pays next to nothing.
"""

from __future__ import annotations

from sootprint.core.errors import MeterError
from sootprint.core.protocols import Machine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sootprint.meters.background import Background


def discover(machine: Machine) -> Background:
    """Meter of the configured plug, read in the background.

    Raises:
        MeterError: None is configured, its password cannot be found, or the settings leave it out.
    """
    if "plug" not in machine.wall:
        raise MeterError(
            "plug: no plug or PDU is configured, and none is looked for on the network",
            fix='in sootprint.toml: [wall.plug] url = "http://..." power = "/apower"   (or file = "...")',
        )
    from sootprint.meters.plug_meter import meter_of

    return meter_of(machine)
