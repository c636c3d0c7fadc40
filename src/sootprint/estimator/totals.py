"""Sum of estimates whose shared factors vary together: one intensity of a grid, one prior for a kind of work."""

from __future__ import annotations

from collections.abc import Iterable

from sootprint.core import intervals
from sootprint.core.quantity import Factor, Quantity
from sootprint.core.records import Footprint
from sootprint.core.units import G_PER_KG, W_PER_KW

_NOT_POWER = ("pue", "intensity")


class Totals:
    """Energy and emissions summed over estimates, one at a time, in memory that does not grow with their number."""

    def __init__(self) -> None:
        self.count = 0
        self._draws = intervals.Draws()
        self._values = {"energy_kwh": 0.0, "emissions_kg": 0.0}
        self._sums: dict[str, list[float] | None] = {name: [0.0] * intervals.DRAWS for name in self._values}

    def add(self, footprint: Footprint) -> None:
        """Count one footprint that `estimate` made."""
        if footprint.energy_kwh is None or footprint.emissions_kg is None or footprint.device_hours is None:
            return
        self.count += 1
        self._values["energy_kwh"] += footprint.energy_kwh.value
        self._values["emissions_kg"] += footprint.emissions_kg.value
        powers = [factor for factor in footprint.factors if factor.kind not in _NOT_POWER]
        scale = footprint.device_hours.value / W_PER_KW
        self._add("energy_kwh", powers, scale)
        self._add("emissions_kg", footprint.factors, scale / G_PER_KG)

    @property
    def energy_kwh(self) -> Quantity:
        """IT energy of all [kWh]."""
        return self._quantity("energy_kwh")

    @property
    def emissions_kg(self) -> Quantity:
        """Operational emissions of all [kgCO2e]."""
        return self._quantity("emissions_kg")

    def _add(self, name: str, factors: Iterable[Factor], scale: float) -> None:
        sums, drawn = self._sums[name], self._product(factors)
        if sums is None or drawn is None:
            self._sums[name] = None
            return
        self._sums[name] = [before + scale * one for before, one in zip(sums, drawn, strict=True)]

    def _product(self, factors: Iterable[Factor]) -> list[float] | None:
        product = [1.0] * intervals.DRAWS
        for factor in factors:
            drawn = self._draws.of(_name(factor), factor.quantity())
            if drawn is None:
                return None
            product = [before * one for before, one in zip(product, drawn, strict=True)]
        return product

    def _quantity(self, name: str) -> Quantity:
        drawn = self._sums[name]
        if drawn is None:
            return Quantity(value=self._values[name], basis="modelled")
        return intervals.from_draws(self._values[name], drawn, basis="modelled")


def _name(factor: Factor) -> str:
    return f"{factor.kind}:{factor.key}:{factor.period}"
