"""The node's power as its management controller reads it (IPMI DCMI), by ipmitool or freeipmi.

This module only looks for the controller's device, so that a machine without one pays next to nothing.
"""

from __future__ import annotations

import os

from sootprint.core.errors import MeterError
from sootprint.core.protocols import Machine
from sootprint.meters import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sootprint.meters.background import Background

TREE = "class/ipmi"
UNLOCK = (
    'sudo groupadd -f sootprint && sudo usermod -aG sootprint "$USER" && '
    'echo \'KERNEL=="ipmi[0-9]*", GROUP="sootprint", MODE="0660"\' | sudo tee '
    "/etc/udev/rules.d/99-sootprint-ipmi.rules && sudo udevadm control --reload && "
    "sudo udevadm trigger -s ipmi -c add   (then log in again)"
)


def discover(machine: Machine) -> Background:
    """Meter of the management controller's power, read every 10 s in the background.

    Raises:
        MeterError: There is no controller, it may not be asked, no tool asks it, or the settings leave it out.
    """
    devices = files.entries(f"{machine.sysfs}/{TREE}")
    if not devices:
        raise MeterError(
            f"ipmi: the kernel shows no management controller ({TREE} is empty)",
            fix="on a server with one: sudo modprobe -a ipmi_si ipmi_devintf",
        )
    device = f"{os.path.dirname(machine.sysfs.rstrip('/'))}/dev/{devices[0]}"  # noqa: PTH120  beside the fake /sys
    if not os.access(device, os.R_OK | os.W_OK):
        raise MeterError(f"ipmi: only root may ask the management controller ({devices[0]})", fix=UNLOCK)
    from sootprint.meters.ipmi_meter import meter_of

    return meter_of(machine)
