"""Sums over nodes with their intervals: what errs together adds up linearly, what errs apart in quadrature."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sootprint.core import intervals
from sootprint.core.protocols import family_of
from sootprint.core.quantity import Quantity
from sootprint.core.records import Component, Footprint
from sootprint.core.units import G_PER_KG

SENSED = ("sensor", "metered")
MOST_COMPONENTS = 64
Name = str  # of what errs together
Term = tuple[Name, Quantity]


class Device(NamedTuple):
    """A component of one node, before it gets its name in the sum.

    Args:
        node: Index of the node in the sum.
        component: Its name in the record.
        meter: Meter that gave it.
    """

    node: int
    component: str
    meter: str

    @property
    def kind(self) -> str:
        """Kind of component, e.g. accelerator."""
        return family_of(self.component)

    @property
    def number(self) -> int:
        """Index in the name; 0 where it has none."""
        text = self.component.partition(":")[2]
        return int(text) if text.isdecimal() and len(text) <= 9 else 0


class Piece(NamedTuple):
    """A component of one record.

    Args:
        device: Where it is.
        component: What it drew.
        duration_s: Time of the record, with which its utilisation is weighted [s].
    """

    device: Device
    component: Component
    duration_s: float


def names(devices: Iterable[Device]) -> dict[Device, str]:
    """Name in the sum of each device: counted through in the order of the nodes.

    Above 64 components there is one for each kind and meter, for nobody reads a thousand.
    """
    listed = sorted(set(devices), key=lambda one: (one.node, one.number, one.component, one.meter))
    if len(listed) > MOST_COMPONENTS:
        seats: dict[Device, object] = {one: one.meter for one in listed}
    else:
        seats = {one: one for one in listed}
    found: dict[Device, str] = {}
    for kind in dict.fromkeys(one.kind for one in listed):
        same = [one for one in listed if one.kind == kind]
        order = {seat: index for index, seat in enumerate(dict.fromkeys(seats[one] for one in same))}
        bare = len(order) == 1 and all(":" not in one.component for one in same)
        found |= {one: kind if bare else f"{kind}:{order[seats[one]]}" for one in same}
    return found


def added(pieces: Sequence[Piece], named: dict[Device, str]) -> list[Component]:
    """Components of the sum, in the order of their first device."""
    groups: dict[str, list[Piece]] = {}
    for piece in sorted(pieces, key=lambda one: (one.device.node, one.device.number, one.device.component)):
        groups.setdefault(named[piece.device], []).append(piece)
    kinds = list(dict.fromkeys(family_of(name) for name in groups))
    ordered = sorted(groups, key=lambda name: kinds.index(family_of(name)))
    return [_component(name, groups[name]) for name in ordered]


def _component(name: str, pieces: Sequence[Piece]) -> Component:
    parts = [piece.component for piece in pieces]
    bases = {part.energy_kwh.basis for part in parts}
    basis = bases.pop() if len(bases) == 1 else "derived"
    idle = [part.idle_kwh for part in parts if part.idle_kwh is not None]
    return Component(
        component=name,
        meter=parts[0].meter,
        energy_kwh=total([(term_name(piece), piece.component.energy_kwh) for piece in pieces], basis=basis),
        idle_kwh=math.fsum(idle) if len(idle) == len(parts) else None,
        utilisation=_utilisation(pieces),
    )


def _utilisation(pieces: Sequence[Piece]) -> float | None:
    """Mean busy share, weighted with the time of each record [0-1]."""
    shares = [one.component.utilisation for one in pieces if one.component.utilisation is not None]
    weight_s = math.fsum(one.duration_s for one in pieces)
    if len(shares) < len(pieces):
        return None
    if weight_s <= 0.0:
        return math.fsum(shares) / len(shares)
    busy_s = math.fsum(share * one.duration_s for share, one in zip(shares, pieces, strict=True))
    return min(1.0, busy_s / weight_s)


def term_name(piece: Piece) -> Name:
    """Name of what a component errs with: its sensors on one node, or the model that all nodes share."""
    meter = f"meter:{piece.component.meter}"
    return f"{meter}@{piece.device.node}" if piece.component.energy_kwh.basis in SENSED else meter


def total(terms: Iterable[Term], *, basis: str = "derived") -> Quantity:
    """Sum of named quantities; those of one name vary together, so that their bounds add up."""
    joined = _joined(terms)
    if len(joined) != 1:
        return intervals.total(joined.items(), basis=basis)
    only = next(iter(joined.values()))
    return Quantity(value=only.value, low=only.low, high=only.high, basis=basis)


def _joined(terms: Iterable[Term]) -> dict[Name, Quantity]:
    """One quantity a name; bounds of quantities that vary together are the sums of their bounds."""
    groups: dict[Name, list[Quantity]] = {}
    for name, quantity in terms:
        groups.setdefault(name, []).append(quantity)
    return {name: intervals.together(groups[name], groups[name][0].basis) for name in sorted(groups)}


def together(quantities: Sequence[Quantity | None]) -> Quantity | None:
    """Sum of quantities that err together; None where one is not known."""
    known = [one for one in quantities if one is not None]
    if not known or len(known) < len(quantities):
        return None
    bases = {one.basis for one in known}
    return intervals.together(known, bases.pop() if len(bases) == 1 else "derived")


class Carbon(NamedTuple):
    """Energy of one record with what it is multiplied with.

    Args:
        terms: Energy by what errs together [kWh].
        record: Record whose PUE, intensity and emissions hold for it.
    """

    terms: Sequence[Term]
    record: Footprint

    @property
    def intensity_name(self) -> Name:
        """Name of what the intensity errs with: the figures of its zone."""
        return f"intensity:{self.record.place.zone or 'unknown'}"

    @property
    def pue_name(self) -> Name:
        """Name of what the PUE errs with: itself."""
        pue = self.record.pue
        return "pue" if pue is None else f"pue:{pue.value}:{pue.low}:{pue.high}"

    @property
    def facility_kwh(self) -> float:
        """Energy with the facility's overhead [kWh]."""
        return self.energy_kwh * (self.record.pue.value if self.record.pue else 1.0)

    @property
    def energy_kwh(self) -> float:
        """IT energy [kWh]."""
        return math.fsum(quantity.value for _, quantity in self.terms)


def pue(carbons: Sequence[Carbon]) -> Quantity | None:
    """Mean PUE, weighted with the energies [1]; None where one is not known."""
    known = [(one.pue_name, one.record.pue, one.energy_kwh) for one in carbons if one.record.pue is not None]
    return _weighted(known) if len(known) == len(carbons) else None


def intensity(carbons: Sequence[Carbon]) -> Quantity | None:
    """Mean intensity, weighted with the energies at the facility's meter [gCO2e/kWh]; None where one is not known."""
    known = [
        (one.intensity_name, one.record.intensity_g_per_kwh, one.facility_kwh)
        for one in carbons
        if one.record.intensity_g_per_kwh is not None
    ]
    return _weighted(known) if len(known) == len(carbons) else None


def _weighted(known: Sequence[tuple[Name, Quantity, float]]) -> Quantity:
    weight = math.fsum(one for _, _, one in known)
    shares = [one / weight if weight > 0.0 else 1.0 / len(known) for _, _, one in known]
    if len({quantity for _, quantity, _ in known}) == 1:
        return known[0][1]
    bases = {quantity.basis for _, quantity, _ in known}
    terms = [
        (name, intervals.scaled(quantity, share))
        for (name, quantity, _), share in zip(known, shares, strict=True)
    ]
    return total(terms, basis=bases.pop() if len(bases) == 1 else "derived")


def emissions(carbons: Sequence[Carbon]) -> Quantity | None:
    """Emissions of all nodes, each energy with its own PUE and intensity [kgCO2e]; None where one is not known."""
    known = [one.record.emissions_kg for one in carbons if one.record.emissions_kg is not None]
    if len(known) < len(carbons):
        return None
    value = math.fsum(one.value for one in known)
    groups = _by_factors(carbons)
    if len(groups) == 1:
        return _of_one_place(value, carbons)
    draws = intervals.Draws()
    sums: list[float] | None = None
    for one in groups:
        drawn = _drawn(one, draws)
        if drawn is None:
            return Quantity(value=value)
        sums = drawn if sums is None else [a + b for a, b in zip(sums, drawn, strict=True)]
    return intervals.from_draws(value, sums or [value])


def _of_one_place(value: float, carbons: Sequence[Carbon]) -> Quantity:
    """Emissions where all energies have one PUE and one intensity, with the bounds of their product [kgCO2e]."""
    factor, overhead = intensity(carbons), pue(carbons)
    if factor is None or overhead is None:
        return Quantity(value=value)
    spent = total(term for one in carbons for term in one.terms)
    product = intervals.product(spent, factor, overhead)
    if product.value <= 0.0 or product.low is None or product.high is None:
        return Quantity(value=value)
    return intervals.around(value, product.low / product.value, product.high / product.value, basis="derived")


def _by_factors(carbons: Sequence[Carbon]) -> list[Sequence[Carbon]]:
    """Energies by what they are multiplied with."""
    groups: dict[tuple[Name, Name], list[Carbon]] = {}
    for one in carbons:
        groups.setdefault((one.intensity_name, one.pue_name), []).append(one)
    return list(groups.values())


def _drawn(carbons: Sequence[Carbon], draws: intervals.Draws) -> list[float] | None:
    """Draws of the emissions of energies with one intensity and one PUE, `(n,)` [kgCO2e]; None without bounds."""
    factor, overhead = intensity(carbons), pue(carbons)
    if factor is None or overhead is None:
        return None
    spent: list[float] | None = None
    for name, quantity in _joined(term for one in carbons for term in one.terms).items():
        drawn = draws.of(name, quantity)
        if drawn is None:
            return None
        spent = drawn if spent is None else [a + b for a, b in zip(spent, drawn, strict=True)]
    per_kwh, overheads = draws.of(carbons[0].intensity_name, factor), draws.of(carbons[0].pue_name, overhead)
    if per_kwh is None or overheads is None or spent is None:
        return None
    return [e * i * p / G_PER_KG for e, i, p in zip(spent, per_kwh, overheads, strict=True)]
