"""Sum of estimates whose shared factors vary together: one intensity of a grid, one prior for a kind of work."""

from __future__ import annotations

import numpy as np

from sootprint.core.quantity import Quantity
from sootprint.core.records import Footprint
from sootprint.estimator import draws

DRAWS = 512


class Totals:
    """Energy and emissions summed over estimates, one at a time, in memory that does not grow with their number."""

    def __init__(self) -> None:
        self.count = 0
        self._values = {"energy_kwh": 0.0, "emissions_kg": 0.0}
        self._sums: dict[str, draws.Array | None] = {name: np.zeros(DRAWS) for name in self._values}

    def add(self, footprint: Footprint) -> None:
        """Count one footprint that `estimate` or `predict` made."""
        if footprint.energy_kwh is None or footprint.emissions_kg is None or footprint.device_hours is None:
            return
        self.count += 1
        beyond: draws.Array = np.zeros(DRAWS)
        energy: draws.Array = np.zeros(DRAWS)
        for factor in draws.emission_factors(footprint):
            if factor.kind in draws.BEYOND_ENERGY:
                beyond = beyond + draws.log_ratio(factor, DRAWS)
            else:
                energy = energy + draws.log_ratio(factor, DRAWS)
        self._add("energy_kwh", footprint.energy_kwh, energy)
        self._add("emissions_kg", footprint.emissions_kg, energy + beyond)

    @property
    def energy_kwh(self) -> Quantity:
        """IT energy of all [kWh]."""
        return self._quantity("energy_kwh")

    @property
    def emissions_kg(self) -> Quantity:
        """Operational emissions of all [kgCO2e]."""
        return self._quantity("emissions_kg")

    def _add(self, name: str, quantity: Quantity, logs: draws.Array) -> None:
        self._values[name] += quantity.value
        sums = self._sums[name]
        if sums is None or quantity.low is None or quantity.high is None:
            self._sums[name] = None
            return
        sums += quantity.value * np.exp(logs)

    def _quantity(self, name: str) -> Quantity:
        value, drawn = self._values[name], self._sums[name]
        if drawn is None:
            return Quantity(value=value, basis="modelled")
        low, high = (float(np.quantile(drawn, share)) for share in (0.05, 0.95))
        return Quantity(value=value, low=min(low, value), high=max(high, value), basis="modelled")
