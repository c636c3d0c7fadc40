"""NVIDIA GPUs: the energy counter where a card has one, else its power, read often.

This module only looks for the driver's library, so that a machine without one pays next to nothing.
"""

from __future__ import annotations

from sootprint.core.errors import MeterError
from sootprint.core.protocols import Machine
from sootprint.meters import library

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from sootprint.meters.nvml_meter import NvmlMeter


def discover(machine: Machine) -> NvmlMeter:
    """Meter of the NVIDIA GPUs that CUDA_VISIBLE_DEVICES lets a job use.

    Raises:
        MeterError: There is no driver, no GPU, none that may be used, or none that tells energy or power.
    """
    cdll = _driver()
    from sootprint.meters.nvml_library import Library
    from sootprint.meters.nvml_meter import meter_of

    driver = Library(cdll)
    try:
        return meter_of(driver, machine)
    except MeterError:
        driver.close()
        raise


def _driver() -> Any:
    cdll = library.first(library.NVIDIA)
    if cdll is not None:
        return cdll
    raise MeterError(
        "nvml: no NVIDIA driver library on this machine",
        fix="install the NVIDIA driver, if there is an NVIDIA GPU",
    )
