"""What the machine is: its processor by name, threads, sockets, and whether it is a guest on a larger host."""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import MappingProxyType

from sootprint.core.protocols import Machine
from sootprint.meters import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NamedTuple
else:
    from sootprint.core.named import NamedTuple

_VENDORS = {"GenuineIntel": "Intel", "AuthenticAMD": "AMD", "HygonGenuine": "Hygon"}
_GUEST_BOARDS = (
    *("qemu", "kvm", "vmware", "virtualbox", "xen", "bochs", "virtual machine"),
    *("google compute engine", "openstack", "amazon ec2"),
)
MOST_THREADS = 65_536


class Host(NamedTuple):
    """The machine that the meters see.

    Args:
        model: Name of the processor, or None where the kernel does not tell.
        vendor: Vendor of the processor.
        threads: Hardware threads that the kernel runs on [1].
        sockets: Processor packages [1].
        virtual: Whether a hypervisor is below.
        hardware: Devices that the user added to the settings, by name.
    """

    model: str | None
    vendor: str | None
    threads: int
    sockets: int
    virtual: bool
    hardware: Mapping[str, Any] = MappingProxyType({})


def host(machine: Machine) -> Host:
    """Facts of a machine, as far as its kernel tells them."""
    cpu = _first_processor(machine)
    threads = _threads(machine)
    siblings = files.whole(cpu.get("siblings", "")) or threads
    return Host(
        model=cpu.get("model name") or None,
        vendor=_VENDORS.get(cpu.get("vendor_id", "")),
        threads=threads,
        sockets=max(1, -(-threads // siblings)),
        virtual="hypervisor" in cpu.get("flags", "").split() or _guest_board(machine),
        hardware=machine.hardware,
    )


def vendor_of(machine: Machine) -> str | None:
    """Vendor of the processor, or None where the kernel does not tell."""
    return _VENDORS.get(_first_processor(machine).get("vendor_id", ""))


def _first_processor(machine: Machine) -> dict[str, str]:
    """Fields of the first processor; the kernel writes the others only when asked to go on."""
    block = (files.text(f"{machine.procfs}/cpuinfo", limit=8192) or "").partition("\n\n")[0]
    pairs = (line.partition(":") for line in block.splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}


def _threads(machine: Machine) -> int:
    online = files.text(f"{machine.sysfs}/devices/system/cpu/online")
    counted = _count(online) if online else 0
    if not counted:
        stat = files.text(f"{machine.procfs}/stat", limit=1 << 20) or ""
        counted = sum(line[:3] == "cpu" and line[3:4].isdigit() for line in stat.splitlines())
    return counted if 0 < counted <= MOST_THREADS else os.cpu_count() or 1


def _count(ranges: str) -> int:
    """Numbers in a kernel list such as "0-3,8"; 0 where it is malformed."""
    total = 0
    for part in ranges.split(","):
        first, dash, last = part.partition("-")
        low = files.whole(first)
        high = files.whole(last) if dash else low
        if low is None or high is None or high < low:
            return 0
        total += high - low + 1
    return total


def _guest_board(machine: Machine) -> bool:
    dmi = f"{machine.sysfs}/class/dmi/id"
    product = files.text(f"{dmi}/product_name") or ""
    board = f"{files.text(f'{dmi}/sys_vendor')} {product}".lower()
    return not product.endswith(".metal") and any(name in board for name in _GUEST_BOARDS)
