"""Whole-node power sensors of the kernel's hardware monitoring: ACPI power meters and their like.

This module only looks for the tree, so that a machine without one pays next to nothing.
"""

from __future__ import annotations

from sootprint.core.errors import MeterError
from sootprint.core.protocols import Machine
from sootprint.meters import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sootprint.meters.hwmon_meter import HwmonMeter

TREE = "class/hwmon"


def discover(machine: Machine) -> HwmonMeter:
    """Meter of the first sensor that measures the whole node; sensors of a chip are never taken.

    Raises:
        MeterError: There is none, it may not be read, or the settings leave it out.
    """
    names = files.entries(f"{machine.sysfs}/{TREE}")
    if not names:
        raise MeterError(f"hwmon: this kernel shows no hardware monitoring ({TREE} is empty)")
    from sootprint.meters.hwmon_meter import meter_of

    return meter_of(machine, [f"{machine.sysfs}/{TREE}/{name}" for name in names])
