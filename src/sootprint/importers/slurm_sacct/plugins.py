"""What Slurm's energy plug-ins read, as its administrator knows: AcctGatherEnergyType of `scontrol show config`.

Source:
    SchedMD, acct_gather.conf(5) and slurm.conf(5) of 22.05 to 25.05, AcctGatherEnergyType.
"""

from __future__ import annotations

import dataclasses

from sootprint.core.errors import InputError
from sootprint.core.records import Component, Footprint
from sootprint.importers.slurm_sacct.records import COVERS, METER, NAME

NODE, PROCESSORS, ACCELERATORS = "wall", "cpu", "accelerator"
PLUGINS = {
    "ipmi": NODE,
    "xcc": NODE,
    "pm_counters": NODE,
    "cray_aries": NODE,
    "ibmaem": NODE,
    "rapl": PROCESSORS,
    "gpu": ACCELERATORS,
    "rsmi": ACCELERATORS,
    "none": "",
}
_SHARED = "on a node that jobs share, each of them is told the energy of the node"
_GRADES = {NODE: "A", PROCESSORS: "B", ACCELERATORS: "C"}


def checked(name: str) -> str:
    """Name of a plug-in, without what stands before it in the configuration.

    Raises:
        InputError: It is none that is known.

    >>> checked("acct_gather_energy/rapl")
    'rapl'
    """
    found = name.strip().lower().removeprefix("acct_gather_energy/")
    if found not in PLUGINS:
        raise InputError(f"energy plug-in {name!r:.40} is not one of {', '.join(PLUGINS)}")
    return found


def as_read_by(plugin: str, footprint: Footprint) -> Footprint:
    """A job's record with its energy as what a plug-in reads; without, where that leaves out what the job computed on.

    Args:
        plugin: One of `PLUGINS`.
        footprint: Record of any kind.
    """
    energy_kwh = footprint.energy_kwh
    if (
        footprint.tool != NAME
        or energy_kwh is None
        or not any(one.meter == METER for one in footprint.components)
    ):
        return footprint
    reads, others = PLUGINS[plugin], tuple(one for one in footprint.warnings if one != COVERS)
    accelerated = any(one.kind == "accelerator" for one in footprint.hardware)
    if reads in (NODE, ACCELERATORS if accelerated else PROCESSORS):
        energy_kwh = dataclasses.replace(energy_kwh, basis="metered" if reads == NODE else "sensor")
        return dataclasses.replace(
            footprint,
            components=(Component(component=reads, meter=METER, energy_kwh=energy_kwh),),
            energy_kwh=energy_kwh,
            boundary="accelerator" if reads == ACCELERATORS else footprint.boundary,
            grade=_GRADES[reads],
            warnings=(*others, _SHARED),
        )
    why = f"the {energy_kwh.value:.4g} kWh that {plugin} read leave out what the job computed on: not used"
    return dataclasses.replace(
        footprint,
        components=(),
        energy_kwh=None,
        unknown=("energy_kwh", *footprint.unknown),
        warnings=(*others, why),
    )
