"""What somebody published about a training: numbers in our units, each with how it was written."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from sootprint.core.errors import InputError

ARCHITECTURES = ("dense", "encdec", "moe", "vision")

_ABOVE_ZERO = (
    "energy_kwh",
    "intensity_g_per_kwh",
    "power_w",
    "rated_power_w",
    "power_cap_w",
    "pue",
    "wall_hours",
    "device_hours",
    "count",
    "params",
    "active_params",
    "tokens",
    "flops",
    "mfu",
    "peak_tflops",
)
MAY_BE_ZERO = ("intensity_g_per_kwh",)
SIGNED = ("emissions_kg", "market_based_kg")  # certificates and offsets make claims of 0 and below
NUMBERS = (*_ABOVE_ZERO, *SIGNED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A published statement on one training, as it stands; None is what it does not say.

    Args:
        name: Name of the model or run.
        where: File and row that it was read from, for messages.
        year: Year of the run.
        kind: pretrain, finetune, search, distil, inference, development or other.
        architecture: dense, encdec, moe or vision.
        precision: Number format, e.g. bf16 or fp8.
        hardware: Device as named.
        place: Place as named.
        energy_scope: What the energy covers: accelerator, node or facility.
        net: Whether the carbon figures are said to be net of purchases or market-based.
        measured: Whether the energy or power is said to be measured.
        models: Number of models that the figures are said to cover [1].
        energy_kwh: Energy [kWh].
        emissions_kg: Operational emissions [kgCO2e].
        market_based_kg: Market-based emissions beside them [kgCO2e].
        intensity_g_per_kwh: Carbon intensity [gCO2e/kWh].
        power_w: Mean power of one device [W].
        rated_power_w: Rated power of one device as claimed [W].
        power_cap_w: Power limit that was set on one device [W].
        pue: Facility energy over IT energy [1].
        wall_hours: Elapsed time [h].
        device_hours: Hours summed over devices [h].
        count: Devices [1].
        params: Parameters [1].
        active_params: Parameters used for one token [1].
        tokens: Tokens seen [1].
        flops: Floating-point operations of the training [1].
        mfu: Share of peak that was reached, as claimed [1].
        peak_tflops: Peak rate of one device, as claimed [TFLOP/s].
        roundings: Relative half-width of the last printed digit, by field [1].
        given: Fields as they were written.
        other: The same fields stated a second time with another value, in our units.
        unitless: Fields whose unit is not stated.
        words: Text around the numbers, lower case.
        disclosed: Fields whose absence the claim itself names.

    Raises:
        InputError: A number is not finite, or cannot be (a power below 0, no tokens).
    """

    name: str | None = None
    where: str | None = None
    year: int | None = None
    kind: str | None = None
    architecture: str | None = None
    precision: str | None = None
    hardware: str | None = None
    place: str | None = None
    energy_scope: str | None = None
    net: bool = False
    measured: bool = False
    models: int | None = None
    energy_kwh: float | None = None
    emissions_kg: float | None = None
    market_based_kg: float | None = None
    intensity_g_per_kwh: float | None = None
    power_w: float | None = None
    rated_power_w: float | None = None
    power_cap_w: float | None = None
    pue: float | None = None
    wall_hours: float | None = None
    device_hours: float | None = None
    count: float | None = None
    params: float | None = None
    active_params: float | None = None
    tokens: float | None = None
    flops: float | None = None
    mfu: float | None = None
    peak_tflops: float | None = None
    roundings: Mapping[str, float] = field(default_factory=dict)
    given: Mapping[str, str] = field(default_factory=dict)
    other: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    unitless: frozenset[str] = frozenset()
    words: str = ""
    disclosed: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        for name in NUMBERS:
            value = getattr(self, name)
            if value is not None:
                _check(name, value, self.where or self.name or "the claim")

    @property
    def hours_of_devices(self) -> float | None:
        """Device hours as stated, else wall hours times the number of devices [h]."""
        if self.device_hours is not None:
            return self.device_hours
        if self.wall_hours is not None and self.count is not None:
            return self.wall_hours * self.count
        return None

    @property
    def hours_agree(self) -> bool:
        """Whether wall hours, devices and device hours are stated and agree within 10 %."""
        if self.wall_hours is None or self.count is None or self.device_hours is None:
            return False
        return abs(self.wall_hours * self.count / self.device_hours - 1.0) <= 0.1

    def rounding(self, *fields: str) -> float:
        """Sum of the relative half-widths of the last printed digits of fields [1]."""
        return math.fsum(self.roundings.get(name, 0.0) for name in fields)

    @property
    def has_numbers(self) -> bool:
        """Whether any number of the claim can be checked."""
        return any(getattr(self, name) is not None for name in NUMBERS)


def _check(name: str, value: float, where: str) -> None:
    words = name.replace("_", " ")
    if not math.isfinite(value):
        raise InputError(f"{where}: {words} is {value}: give a finite number")
    if name in SIGNED:
        return
    if value < 0.0 or (value == 0.0 and name not in MAY_BE_ZERO):
        raise InputError(
            f"{where}: {words} is {value:g}, which cannot be: it is above 0; leave it out where it "
            f"is not known"
        )
