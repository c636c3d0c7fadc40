"""AMD GPUs through the `amdsmi` package of ROCm.

This module only looks for the library, so that a machine without one pays next to nothing.
"""

from __future__ import annotations

from sootprint.core.errors import MeterError
from sootprint.core.protocols import Machine
from sootprint.meters import library

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sootprint.meters.amdsmi_meter import AmdSmi, AmdSmiMeter

LIBRARIES = ("libamd_smi.so", "/opt/rocm/lib/libamd_smi.so")


def discover(machine: Machine) -> AmdSmiMeter:
    """Meter of the AMD GPUs that ROCR_VISIBLE_DEVICES and HIP_VISIBLE_DEVICES let a job use.

    Raises:
        MeterError: There is no driver or package, no GPU, or none that tells energy or power.
    """
    smi = _load()
    from sootprint.meters.amdsmi_meter import meter_of

    try:
        return meter_of(smi, machine)
    except MeterError:
        smi.close()
        raise


def _load() -> AmdSmi:
    """The package, initialised; it is imported only where its library is, as it is slow to import."""
    if library.first(LIBRARIES) is None:
        raise MeterError(
            "amdsmi: no AMD GPU library on this machine", fix="install ROCm, if there is an AMD GPU"
        )
    try:
        import amdsmi
    except (ImportError, OSError, KeyError) as err:
        fix = "pip install /opt/rocm/share/amd_smi"
        raise MeterError("amdsmi: the library is here, its Python package is not", fix=fix) from err
    from sootprint.meters.amdsmi_meter import AmdSmi

    try:
        amdsmi.amdsmi_init()
    except amdsmi.AmdSmiException as err:
        raise MeterError(f"amdsmi: the driver does not start: {err}", fix="sudo modprobe amdgpu") from err
    return AmdSmi(amdsmi)
