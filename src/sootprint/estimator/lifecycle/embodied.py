"""Embodied emissions of the hours that a device works: its making, spread over a life and over its busy hours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sootprint.catalogue import factors, hardware
from sootprint.core import intervals
from sootprint.core.errors import InputError
from sootprint.core.quantity import Factor, Quantity

if TYPE_CHECKING:
    from collections.abc import Sequence

HOURS_PER_YEAR = 8766.0  # Julian year
LIFE_YEARS = Quantity(value=4.5, low=3.15, high=5.85, basis="assumed")
BUSY_SHARE = Quantity(value=0.7, low=0.52, high=0.88, basis="assumed")
_LIFE_SOURCE = (
    "3 years in EcoLogits, 4 in Cloud Carbon Footprint, 5 in LLMCarbon, 6 in BLOOM (Luccioni et al., 2022, arXiv "
    "2211.02001): uniform over 3 to 6"
)
_BUSY_SOURCE = "uniform over 0.5 to 0.9; 0.85 in BLOOM (Luccioni et al., 2022, arXiv 2211.02001)"
_BOARD_SOURCE = (
    "assumed as an H100 board's: 164 kg by NVIDIA (2025), 150 kg in BLOOM (2022), 318 kg with all parts of an "
    "instance by Chien et al. (2023)"
)
SOCKETS = 2  # of a server without accelerators
_SERVER_SPREAD = (0.5, 1.6)  # assumed
_HOST = Factor(
    kind="embodied",
    key="an eighth of a server",
    value=450.0,
    low=250.0,
    high=800.0,
    unit="kgCO2e/device",
    method="server without its 8 accelerators / 8",
    source="2,500 kg in BLOOM (Luccioni et al., 2022, arXiv 2211.02001) and 5,700 kg in EcoLogits (2025)",
)


def of_device(device: hardware.Accelerator | hardware.Cpu | None) -> Factor:
    """Emissions of making one device without its host [kgCO2e]; a processor stands in its server's figure."""
    if isinstance(device, hardware.Accelerator):
        published = factors.embodied_of_accelerator(device.name)
        if device.embodied_kg is not None:
            return _made(device.name, device.embodied_kg, source="settings of the user")
        if published is not None:
            return published
    name = "an accelerator" if device is None else device.name
    return Factor(
        kind="embodied",
        key=name,
        value=164.0,
        low=120.0,
        high=350.0,
        unit="kgCO2e/device",
        method="prior",
        source=_BOARD_SOURCE,
    )


def of_host(kind: str) -> Factor:
    """Share of one device in the making of its server [kgCO2e].

    Args:
        kind: "accelerator" or "cpu".
    """
    if kind == "accelerator":
        return _HOST
    whole = factors.embodied("server-without-gpu")
    share = whole.known / SOCKETS
    low, high = _SERVER_SPREAD
    return Factor(
        kind="embodied",
        key=f"{whole.key} / {SOCKETS}",
        value=share,
        low=share * low,
        high=share * high,
        unit="kgCO2e/device",
        period=whole.period,
        method=whole.method,
        source=whole.source,
        licence=whole.licence,
    )


def life(years: float | None = None, busy: float | None = None) -> tuple[Factor, Factor]:
    """Lifetime [a] and the share of it in which a device works [1], as stated or as a prior.

    Raises:
        InputError: The lifetime is not above 0 and at most 30 years, or the share not above 0 and at most 1.
    """
    if years is not None and not 0.0 < years <= 30.0:
        raise InputError(f"lifetime_years is {years:g}: it is above 0 and at most 30 years")
    if busy is not None and not 0.0 < busy <= 1.0:
        raise InputError(f"busy_share is {busy:g}: it is a share of the lifetime above 0 and at most 1")
    return (
        _prior("lifetime", LIFE_YEARS, years, unit="a", source=_LIFE_SOURCE),
        _prior("busy_share", BUSY_SHARE, busy, unit="1", source=_BUSY_SOURCE),
    )


def share_kg(made: Factor, device_hours: float, spread_over: Sequence[Factor]) -> Quantity:
    """Share of a device's making that some of its hours carry [kgCO2e].

    Args:
        made: Emissions of making one [kgCO2e].
        device_hours: Hours of work, summed over devices [h].
        spread_over: Lifetime [a] and busy share [1].

    Source:
        ISO/IEC 21031:2024 (Software Carbon Intensity), M = TE x TS x RS.
    """
    inverse = [_inverse(one.quantity()) for one in spread_over]
    return intervals.scaled(
        intervals.product(made.quantity(), *inverse, basis="modelled"), device_hours / HOURS_PER_YEAR
    )


def _inverse(quantity: Quantity) -> Quantity:
    low, high = quantity.high or quantity.value, quantity.low or quantity.value
    return Quantity(value=1.0 / quantity.value, low=1.0 / low, high=1.0 / high, basis=quantity.basis)


def _prior(kind: str, prior: Quantity, stated: float | None, *, unit: str, source: str) -> Factor:
    if stated is not None:
        return Factor(
            kind=kind, key="given", value=stated, low=stated, high=stated, unit=unit, source="given"
        )
    return Factor(
        kind=kind, key="prior", value=prior.value, low=prior.low, high=prior.high, unit=unit, source=source
    )


def _made(key: str, embodied_kg: float, *, source: str) -> Factor:
    return Factor(
        kind="embodied",
        key=key,
        value=embodied_kg,
        low=embodied_kg,
        high=embodied_kg,
        unit="kgCO2e/device",
        source=source,
    )
