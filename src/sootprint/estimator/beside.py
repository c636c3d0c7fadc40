"""What stands beside the operational emissions: embodied share, water, and the cost of the electricity."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sootprint.catalogue import factors as published
from sootprint.catalogue.hardware import Accelerator
from sootprint.core import intervals
from sootprint.core.quantity import Factor, Quantity

if TYPE_CHECKING:
    from sootprint.estimator.devices import Device


class Beside(NamedTuple):
    """A figure with what it was multiplied from.

    Args:
        quantity: The figure.
        factors: Its factors.
    """

    quantity: Quantity
    factors: tuple[Factor, ...]


SITE_WATER = Factor(
    kind="water",
    key="data centre, unknown",
    value=0.4,
    low=0.05,
    high=1.8,
    unit="L/kWh",
    method="assumed, on site",
    source="0.36 L/kWh in the data centres of the US in 2023 (Shehabi et al., LBNL 2024), not confirmed; low and high: "
    "regions of the clouds",
)
PLANT_WATER = Factor(
    kind="water_of_electricity",
    key="grid, unknown",
    value=3.1,
    low=1.0,
    high=5.5,
    unit="L/kWh",
    method="assumed, at the power plants",
    source="3.14 L/kWh in the US as Li et al. (2023, arXiv 2304.03271) are cited, not confirmed; 1.29 to 4.26 with the "
    "site's in OLMo (Morrison et al. 2025, arXiv 2503.05804)",
)
_PRICE = Factor(
    kind="price",
    key="electricity, unknown",
    value=0.11,
    low=0.05,
    high=0.22,
    unit="USD/kWh",
    method="assumed",
    source="prices for industry, from those of the US Northwest to those of Western Europe in 2024, not confirmed",
)


def embodied(device: Device | None, device_hours: Quantity) -> Beside | None:
    """Share of the manufacture of the devices and their servers [kgCO2e]; None for what is no accelerator.

    Args:
        device: Device of the catalogue or settings.
        device_hours: Hours summed over the devices [h].

    Source:
        Green Software Foundation, Software Carbon Intensity (ISO/IEC 21031:2024), M = TE x TS x RS.
    """
    if not isinstance(device, Accelerator) or device.kind == "system":
        return None
    from sootprint.estimator.lifecycle import embodied as making  # the life cycle itself predicts its stages

    card, host, spread_over = making.of_device(device), making.of_host("accelerator"), making.life()
    made = intervals.total([("card", card.quantity()), ("host", host.quantity())])
    life = [inverse(one.quantity()) for one in spread_over]
    share = intervals.product(made, device_hours, *life, basis="assumed")
    return Beside(intervals.scaled(share, 1.0 / making.HOURS_PER_YEAR), (card, host, *spread_over))


def water(energy_kwh: Quantity, pue: Quantity, zone: str | None, year: int | None = None) -> Beside:
    """Water of some IT energy, on site and at the power plants [L].

    On-site water is per IT energy; that of the plants is per energy that they deliver, so the PUE stands there only.

    Args:
        energy_kwh: IT energy [kWh].
        pue: Facility energy over IT energy [1].
        zone: Grid zone or cloud region.
        year: Year of the run.

    Source:
        Li et al., Making AI Less "Thirsty" (2023, arXiv 2304.03271).
    """
    known = published.water(zone, year) if zone is not None and "/" in zone else None
    site = known or SITE_WATER
    plants = intervals.product(pue, PLANT_WATER.quantity())
    on_site = Quantity(value=site.known, low=site.low or site.value, high=site.high or site.value)
    per_kwh = intervals.total([("site", on_site), ("plants", plants)])
    return Beside(intervals.product(energy_kwh, per_kwh, basis="assumed"), (site, PLANT_WATER))


def cost(energy_kwh: Quantity, pue: Quantity, price: Factor | None = None) -> Beside:
    """Cost of the electricity, the facility's overhead included, in the currency of the price.

    Args:
        energy_kwh: IT energy [kWh].
        pue: Facility energy over IT energy [1].
        price: Price of a kilowatt-hour; an assumed one in USD where None.
    """
    paid = price or _PRICE
    basis = "assumed" if price is None else "modelled"
    return Beside(intervals.product(energy_kwh, pue, paid.quantity(), basis=basis), (paid,))


def inverse(quantity: Quantity) -> Quantity:
    """One over a quantity above 0, its bounds swapped.

    >>> inverse(Quantity(value=2.0, low=1.0, high=4.0)).high
    1.0
    """
    return Quantity(
        value=1.0 / quantity.value,
        low=None if quantity.high is None else 1.0 / quantity.high,
        high=None if quantity.low is None else 1.0 / quantity.low,
        basis=quantity.basis,
    )
