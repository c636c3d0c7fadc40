"""Memory without energy counters: power by the number of modules, or by size where that gives less.

Figures per GB were measured on modules of 8 GB and overstate large ones several times; a fixed power per module
overstates small machines. The lower of the two avoids both.
"""

from __future__ import annotations

import sys

from sootprint.core.protocols import Machine
from sootprint.core.quantity import Factor
from sootprint.meters import files
from sootprint.meters.host import host
from sootprint.meters.steady import Steady, SteadyMeter

MODULE_POWER = Factor(
    kind="memory_power",
    key="module",
    value=5.0,
    low=2.0,
    high=9.0,
    unit="W",
    method="per module",
    source="CodeCarbon 3 (2025): 5 W per module",
)
SIZE_POWER = Factor(
    kind="memory_power",
    key="size",
    value=0.3725,
    low=0.08,
    high=0.392,
    unit="W/GB",
    method="per size",
    source="Green Algorithms (2021); low: 5 W per module of 64 GB; high: Cloud Carbon Footprint (2021)",
)
GUEST_POWER = Factor(
    kind="memory_power",
    key="share of a host",
    value=0.17,
    low=0.078,
    high=0.392,
    unit="W/GB",
    method="geometric mean of 5 W per module of 64 GB and 0.392 W/GB, as the host's modules are not seen",
    source="CodeCarbon 3 (2025); Cloud Carbon Footprint (2021)",
)
COUNTED_RATIOS = (0.4, 1.8)
GUESSED_RATIOS = (0.4, 2.2)
GUEST_RATIOS = (0.45, 2.3)
BLIND_RATIOS = (0.2, 4.0)
BLIND_GB_PER_THREAD = 4.0  # general-purpose cloud machines have 4 GB a thread
MOST_GB = 1e6
BYTES_PER_GB = 1e9
BYTES_PER_KIB = 1024
_GUESSES = ((64.0, 4), (256.0, 8), (1024.0, 16))  # up to so many GB in so many modules
MODULE_GB_ABOVE = 64.0


def discover(machine: Machine) -> SteadyMeter:
    """Meter of a machine's memory; where its size is not told, a prior with a wide interval."""
    return SteadyMeter("memory", "dram", machine.clock, lambda: _model(machine))


def _model(machine: Machine) -> Steady:
    seen = host(machine)
    size_gb = _size_gb(machine)
    if size_gb is None:
        size_gb = BLIND_GB_PER_THREAD * seen.threads
        warning = f"memory: its size cannot be read here: {size_gb:g} GB assumed, 4 GB a thread"
        model = model_of(size_gb, modules=None, virtual=True)
        return model._replace(ratios=BLIND_RATIOS, hardware=(("memory", 1, None),), warnings=(warning,))
    return model_of(size_gb, modules=None if seen.virtual else _modules(machine), virtual=seen.virtual)


def model_of(size_gb: float, *, modules: int | None, virtual: bool) -> Steady:
    """Power of a machine's memory.

    Args:
        size_gb: Size of the memory [GB].
        modules: Memory modules, or None where they cannot be counted [1].
        virtual: Whether the memory is a share of a larger host's.
    """
    hardware = (("memory", 1, round(size_gb, 1)),)
    if virtual:
        return Steady(GUEST_POWER.known * size_gb, GUEST_RATIOS, (GUEST_POWER,), hardware)
    by_size_w = SIZE_POWER.known * size_gb
    by_module_w = MODULE_POWER.known * (modules or guessed_modules(size_gb))
    ratios = COUNTED_RATIOS if modules else GUESSED_RATIOS
    if by_module_w < by_size_w:
        return Steady(by_module_w, ratios, (MODULE_POWER,), hardware)
    return Steady(by_size_w, ratios, (SIZE_POWER,), hardware)


def guessed_modules(size_gb: float) -> int:
    """Usual number of modules of a memory of a size [1].

    >>> guessed_modules(32.0), guessed_modules(512.0), guessed_modules(2048.0)
    (4, 16, 32)
    """
    for most_gb, modules in _GUESSES:
        if size_gb <= most_gb * 1.05:  # firmware takes a part away, and GB is not GiB
            return modules
    return round(size_gb / MODULE_GB_ABOVE)


def _size_gb(machine: Machine) -> float | None:
    for line in (files.text(f"{machine.procfs}/meminfo") or "").splitlines():
        name, _, value = line.partition(":")
        size_kib = files.whole(value.removesuffix("kB")) if name == "MemTotal" else None
        if size_kib is not None:
            size_gb = size_kib * BYTES_PER_KIB / BYTES_PER_GB
            return size_gb if 0.0 < size_gb <= MOST_GB else None
    return None if sys.platform == "linux" else _size_from_psutil()


def _size_from_psutil() -> float:
    import psutil

    return float(psutil.virtual_memory().total / BYTES_PER_GB)


def _modules(machine: Machine) -> int | None:
    """Filled memory modules that the error-correction driver sees, or None where there is no such driver."""
    root = f"{machine.sysfs}/devices/system/edac/mc"
    filled = 0
    for controller in files.entries(root):
        for name in files.entries(f"{root}/{controller}"):
            if name.startswith(("dimm", "rank")) and files.number(f"{root}/{controller}/{name}/size"):
                filled += 1
    return filled or None
