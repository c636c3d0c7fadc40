"""Rated powers from the catalogue, as far as a driver's or the kernel's name is in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sootprint.catalogue.hardware import Accelerator, Cpu


def cpu(model: str | None) -> Cpu | None:
    """Processor that a kernel's model name means, or None where the catalogue has none with a rated power."""
    from sootprint.catalogue.hardware import find_cpu

    found = find_cpu(model) if model else None
    return found if found is not None and found.rated_power_w is not None else None


def accelerator(name: str) -> Accelerator | None:
    """Accelerator that a driver's name means, or None where the catalogue has none."""
    from sootprint.catalogue.hardware import find_accelerator

    return find_accelerator(name)
