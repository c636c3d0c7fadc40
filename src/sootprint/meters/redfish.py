"""The node's power as its management controller tells it over the network (Redfish); only where it was configured.

This module only looks into the settings, so that whoever has none pays next to nothing.
"""

from __future__ import annotations

from sootprint.core.errors import MeterError
from sootprint.core.protocols import Machine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sootprint.meters.background import Background


def discover(machine: Machine) -> Background:
    """Meter of the configured controller, read every 10 s in the background.

    Raises:
        MeterError: None is configured, its password cannot be found, or the settings leave it out.
    """
    if "redfish" not in machine.wall:
        raise MeterError(
            "redfish: no management controller is configured, and none is looked for on the network",
            fix='in sootprint.toml: [wall.redfish] address = "https://..." user = "..." password_env = "..."',
        )
    from sootprint.meters.redfish_meter import meter_of

    return meter_of(machine)
