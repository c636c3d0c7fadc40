"""Disks: a constant power for each, or by capacity where a guest sees only a share of the host's."""

from __future__ import annotations

from sootprint.core.protocols import Machine
from sootprint.core.quantity import Factor
from sootprint.meters import files
from sootprint.meters.host import host
from sootprint.meters.steady import Steady, SteadyMeter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NamedTuple
else:
    from sootprint.core.named import NamedTuple

_SOURCE = "Cloud Carbon Footprint methodology (2021) after the US Data Center Energy Usage Report (2016)"
DISK_POWER = {
    key: Factor(
        kind="storage_power",
        key=key,
        value=value,
        low=low,
        high=high,
        unit="W",
        method="per drive",
        source=_SOURCE,
    )
    for key, value, low, high in (("HDD", 6.5, 4.0, 10.0), ("SSD", 6.0, 1.0, 9.0))
}
SHARE_POWER = {
    key: Factor(
        kind="storage_power", key=key, value=value, unit="W/TB", method="per capacity", source=_SOURCE
    )
    for key, value in (("HDD", 0.65), ("SSD", 1.2))
}
DISK_RATIOS = (0.2, 1.6)
SHARE_RATIOS = (0.2, 4.0)  # the host may keep several copies
BLIND_RATIOS = (0.1, 4.0)
SECTOR_BYTES = 512  # of the kernel's `size`, whatever the disk's own sectors are
BYTES_PER_TB = 1e12
MOST_TB = 1e5
NOT_DISKS = (
    "loop",
    "ram",
    "zram",
    "dm-",
    "md",
    "sr",
    "fd",
    "nbd",
    "mtd",
)  # the kernel's own, or inside another


class Disk(NamedTuple):
    """A disk: its kind, HDD or SSD, and its size [TB]."""

    kind: str
    size_tb: float


def discover(machine: Machine) -> SteadyMeter:
    """Meter of a machine's disks; where none is seen, a prior of one with a wide interval."""
    return SteadyMeter("storage", "storage", machine.clock, lambda: _model(machine))


def _model(machine: Machine) -> Steady:
    virtual = host(machine).virtual
    disks = _disks(machine)
    if virtual:
        disks = [
            Disk("SSD", disk.size_tb) for disk in disks
        ]  # a virtual disk's own word on its kind means nothing
    if not disks:
        warning = "storage: no disk can be seen here: one SSD assumed"
        return _steady([Disk("SSD", 1.0)], virtual=False)._replace(ratios=BLIND_RATIOS, warnings=(warning,))
    return _steady(disks, virtual=virtual)


def _steady(disks: list[Disk], *, virtual: bool) -> Steady:
    table = SHARE_POWER if virtual else DISK_POWER
    kinds = sorted({disk.kind for disk in disks})
    return Steady(
        power_w=power_w(disks, virtual=virtual),
        ratios=SHARE_RATIOS if virtual else DISK_RATIOS,
        factors=tuple(table[kind] for kind in kinds),
        hardware=tuple((kind, sum(disk.kind == kind for disk in disks), None) for kind in kinds),
    )


def power_w(disks: list[Disk], *, virtual: bool) -> float:
    """Power of disks [W].

    Args:
        disks: The disks.
        virtual: Whether they are shares of a host's storage.

    >>> power_w([Disk("HDD", 8.0), Disk("SSD", 2.0)], virtual=False)
    12.5
    """
    if virtual:
        return sum(SHARE_POWER[disk.kind].known * disk.size_tb for disk in disks)
    return sum(DISK_POWER[disk.kind].known for disk in disks)


def _disks(machine: Machine) -> list[Disk]:
    root = f"{machine.sysfs}/block"
    disks = []
    for name in files.entries(root):
        sectors = 0 if _is_inner(name) else files.number(f"{root}/{name}/size") or 0
        size_tb = sectors * SECTOR_BYTES / BYTES_PER_TB
        if 0.0 < size_tb <= MOST_TB:
            turns = files.number(f"{root}/{name}/queue/rotational") == 1
            disks.append(Disk("HDD" if turns else "SSD", size_tb))
    return disks


def _is_inner(name: str) -> bool:
    """Whether a block device is no disk, or one path of several to the same (nvme0c1n1)."""
    return name.startswith(NOT_DISKS) or (name.startswith("nvme") and "c" in name)
