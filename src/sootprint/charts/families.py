"""Components of a footprint by family: eight accelerators of one meter are one line."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass

from sootprint.core.protocols import family_of
from sootprint.core.quantity import Quantity
from sootprint.core.records import Component, Footprint

FAMILIES = ("accelerator", "cpu", "dram", "storage", "network", "node", "wall")
NAMES = {
    "accelerator": "Accelerator",
    "cpu": "CPU",
    "dram": "Memory",
    "storage": "Storage",
    "network": "Network",
    "node": "Rest of the node",
    "wall": "Wall meter",
}
MEASURED = ("sensor", "metered")
WALL = "wall"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Energy of the components of one family that one meter gave.

    Args:
        family: accelerator, cpu, dram, storage, network, node, wall or another.
        meter: Meter that gave them.
        count: Number of components [1].
        energy_kwh: Sum of their energies; bounds are added, as devices of one meter err together [kWh].
        idle_kwh: Energy while less than 5 % busy, or None where it is not known for all [kWh].
        utilisation: Mean busy share, or None where it is not known for all [0-1].
    """

    family: str
    meter: str
    count: int
    energy_kwh: Quantity
    idle_kwh: float | None
    utilisation: float | None

    @property
    def label(self) -> str:
        """Name of the family with the number of its devices, for an axis or a table."""
        return name_of(self.family) if self.count == 1 else f"{name_of(self.family)} × {self.count}"

    @property
    def measured(self) -> bool:
        """Whether a device or wall meter gave the energy."""
        return self.energy_kwh.basis in MEASURED


def name_of(family: str) -> str:
    """Name of a family as a person reads it."""
    return NAMES.get(family, family)


def rank(family: str) -> tuple[int, str]:
    """Place of a family in tables and stacks; unknown ones come last, by name."""
    return (FAMILIES.index(family) if family in FAMILIES else len(FAMILIES), family)


def wall_of(footprint: Footprint) -> Component | None:
    """Energy of the whole node at the wall, where a meter of it gave the total."""
    return next((one for one in footprint.components if family_of(one.component) == WALL), None)


def parts(footprint: Footprint) -> tuple[Part, ...]:
    """Energy by family, meter and basis, in the order of `FAMILIES`; without a wall meter that is around the others."""
    groups: dict[tuple[str, str, str], list[Component]] = {}
    inside = [one for one in footprint.components if family_of(one.component) != WALL]
    for component in inside or footprint.components:
        key = (family_of(component.component), component.meter, component.energy_kwh.basis)
        groups.setdefault(key, []).append(component)
    ordered = sorted(groups.items(), key=lambda item: (rank(item[0][0]), item[0]))
    return tuple(_part(key[0], members) for key, members in ordered)


def _part(family: str, members: list[Component]) -> Part:
    energies = [member.energy_kwh for member in members]
    value = min(sum(energy.value for energy in energies), sys.float_info.max)
    return Part(
        family=family,
        meter=members[0].meter,
        count=len(members),
        energy_kwh=Quantity(
            value=value,
            low=_sum([energy.low for energy in energies], at_most=value),
            high=_sum([energy.high for energy in energies], at_least=value),
            basis=energies[0].basis,
        ),
        idle_kwh=_sum([member.idle_kwh for member in members]),
        utilisation=_mean([member.utilisation for member in members]),
    )


def _sum(
    numbers: list[float | None], *, at_most: float = math.inf, at_least: float = -math.inf
) -> float | None:
    """Sum, held within limits against rounding; None where a number is unknown."""
    known = [number for number in numbers if number is not None]
    held = max(at_least, min(at_most, sys.float_info.max, sum(known)))
    return held if len(known) == len(numbers) else None


def _mean(numbers: list[float | None]) -> float | None:
    total = _sum(numbers)
    return None if total is None else total / len(numbers)
