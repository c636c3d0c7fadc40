"""Rated powers from the user's settings and the catalogue, as far as a driver's or the kernel's name is in them."""

from __future__ import annotations

from collections.abc import Mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from sootprint.catalogue.hardware import Accelerator, Cpu


def cpu(model: str | None, user: Mapping[str, Any]) -> Cpu | None:
    """Processor that a kernel's model name means, or None where none with a rated power is known."""
    from sootprint.catalogue.hardware import find_cpu

    found = find_cpu(model, user=user) if model else None
    return found if found is not None and found.rated_power_w is not None else None


def accelerator(name: str, user: Mapping[str, Any]) -> Accelerator | None:
    """Accelerator that a driver's name means, or None where none is known."""
    from sootprint.catalogue.hardware import find_accelerator

    return find_accelerator(name, user=user)
