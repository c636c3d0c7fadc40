"""What the interfaces of other tools share: their arguments, our numbers in their terms, and one way to warn."""

from __future__ import annotations

import functools
import inspect
import logging
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from sootprint.core.protocols import family_of
from sootprint.core.records import Component, Footprint
from sootprint.core.units import energy_j
from sootprint.tracker.sampler import guarded

UNKNOWN = math.nan  # a number that is not known: sums and formats of it go on, and tell that they do not know
PAGE = "docs/how-to/come-from-another-tool.md"
DISPLAY, ACCELERATORS = "0x0300", ("0x0302", "0x1200")  # classes of the PCI code book
MAKERS = ("0x10de", "0x1002")  # whose displays compute: NVIDIA, AMD
# Buses of drawing devices that are told by PCI, are those of a virtual machine, or are at the end of a cable.
NOT_OF_A_CHIP = ("pci", "virtio", "usb", "faux")
SOFTWARE = ("vgem", "vkms", "driver")  # drivers that compute nothing; the last stands where there is none
MOST_REMARKS = 1000

T = TypeVar("T")


def warn(text: str) -> None:
    """One line for a person."""
    logging.getLogger("sootprint").warning("%s", text)


def remark(text: str) -> None:
    """One line about what was given, once in a program: a decorated function is called many times."""
    if text not in _remarks and len(_remarks) < MOST_REMARKS:
        _remarks.add(text)
        warn(text)


_remarks: set[str] = set()


def safely(step: Callable[[], T], otherwise: T, *, what: str) -> T:
    """What a step gives, or something else where it fails, which is warned of: nothing reaches the training."""
    found: list[T] = []
    guarded(lambda: found.append(step()), lambda text: warn(f"{what}: {text}"))
    return found[0] if found else otherwise


def signature(
    names: Sequence[str], *, by_name: Sequence[str] = (), more: inspect.Parameter | None = None
) -> inspect.Signature:
    """Signature in which every argument may be left out.

    Args:
        names: Arguments in their order.
        by_name: Further ones that are given by name only.
        more: The first argument, where it has no usual default.
    """
    listed = [
        inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=None) for name in names
    ]
    listed += [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None) for name in by_name]
    return inspect.Signature([more, *listed] if more else listed)


def bound(
    told: inspect.Signature, args: Sequence[Any], kwargs: Mapping[str, Any], *, of: str
) -> dict[str, Any]:
    """Arguments that were given, by name.

    Raises:
        TypeError: One is unknown or given twice, or there are too many, as of any function.
    """
    try:
        return dict(told.bind(*args, **kwargs).arguments)
    except TypeError as err:
        raise TypeError(f"{of}() {err}") from None


def warn_of_ignored(tool: str, given: Mapping[str, Any], used: Collection[str]) -> None:
    """One warning that names the arguments without a meaning here; what is switched off has none there either."""
    names = [
        name for name, value in given.items() if name not in used and value is not None and value is not False
    ]
    if names:
        remark(
            f"{tool}: {', '.join(names)} {'has' if len(names) == 1 else 'have'} no meaning here: see {PAGE}"
        )


def of_kind(made: Footprint, kind: str) -> list[Component]:
    """Components of a kind, e.g. "accelerator"."""
    return [part for part in made.components if family_of(part.component) == kind]


def joules(made: Footprint, kind: str, *, sysfs: str = "/sys") -> float:
    """IT energy of all components of a kind, 0 where there is no such device, else unknown [J]."""
    parts = of_kind(made, kind)
    if not parts and kind == "accelerator" and has_no_accelerator(made, sysfs=sysfs):
        return 0.0
    return energy_j(math.fsum(part.energy_kwh.value for part in parts)) if parts else UNKNOWN


def has_no_accelerator(made: Footprint, *, sysfs: str = "/sys") -> bool:
    """Whether neither our meters nor the kernel know of any: one that nobody reads is unknown, not 0."""
    if any(one.kind == "accelerator" for one in made.hardware) or of_kind(made, "accelerator"):
        return False
    return _kernel_knows_none(sysfs)


@functools.cache
def _kernel_knows_none(sysfs: str) -> bool:
    try:
        devices = list((Path(sysfs) / "bus/pci/devices").iterdir())
    except OSError:
        return False
    return not any(_computes(device) for device in devices) and not _are_integrated(Path(sysfs))


def _are_integrated(sysfs: Path) -> bool:
    """Whether there are accelerators that are part of a chip and on no PCI bus, as of a Jetson or an Apple silicon.

    Source:
        Devicetree Specification 0.4 (2023), 2.2.2: a graphics processor's node is called gpu.
        Linux, Documentation/accel and Documentation/gpu (2025): class/accel, and class/drm/renderD* of what computes.
        NVIDIA, nvgpu of Jetson Linux 36 (2025): its platform driver is called gk20a, whatever the processor.
    """
    listed = ("class/accel/accel*", "bus/platform/devices/*.gpu", "bus/platform/drivers/gk20a/*.*")
    if any(True for pattern in listed for _ in sysfs.glob(pattern)):
        return True
    return any(_is_processor(node / "device") for node in sysfs.glob("class/drm/renderD*"))


def _is_processor(device: Path) -> bool:
    """Whether a device that draws is a graphics processor on another bus than PCI, and not made of software."""
    bus, driver = ((device / name).resolve().name for name in ("subsystem", "driver"))
    return bus not in NOT_OF_A_CHIP and driver not in SOFTWARE


def _computes(device: Path) -> bool:
    """Whether a PCI device is an accelerator; one that tells nothing may be.

    Source:
        PCI Code and ID Assignment Specification: display controllers 03, processing accelerators 12.
    """
    try:
        kind, maker = ((device / name).read_text(encoding="ascii").strip() for name in ("class", "vendor"))
    except (OSError, UnicodeDecodeError):
        return True
    return kind.startswith(ACCELERATORS) or (kind.startswith(DISPLAY) and maker in MAKERS)
