"""Cray's node counters (pm_counters): energy of the node, its processors, memory and accelerators.

This module only looks for the folder, so that a machine without it pays next to nothing.
"""

from __future__ import annotations

import os

from sootprint.core.errors import MeterError
from sootprint.core.protocols import Machine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sootprint.meters.pm_counters_meter import PmCountersMeter

FOLDER = "cray/pm_counters"


def discover(machine: Machine) -> PmCountersMeter:
    """Meter of the node's counters.

    Raises:
        MeterError: This is no Cray EX or XC node, its counters may not be read, or the settings leave them out.
    """
    folder = f"{machine.sysfs}/{FOLDER}"
    if not os.path.isdir(folder):  # noqa: PTH112  pathlib would cost more than the answer
        raise MeterError(f"pm_counters: no Cray node ({FOLDER} is not there)")
    from sootprint.meters.pm_counters_meter import meter_of

    return meter_of(machine, folder)
