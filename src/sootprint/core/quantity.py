"""Numbers that carry their interval, their basis and their source."""

from __future__ import annotations

import math

from sootprint.core.classes import dataclass
from sootprint.core.errors import RecordError

BASES = ("metered", "sensor", "modelled", "claimed", "assumed", "derived")


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """A best estimate with its 90 % interval; the unit stands in the name of the field that holds it.

    Args:
        value: Best estimate (median).
        low: 5th percentile, or None where no bound is known.
        high: 95th percentile, or None where no bound is known.
        basis: How it was obtained: metered, sensor, modelled, claimed, assumed or derived.

    Raises:
        RecordError: A number is not finite, the bounds do not enclose the value, or the basis is unknown.
    """

    value: float
    low: float | None = None
    high: float | None = None
    basis: str = "derived"

    def __post_init__(self) -> None:
        if self.basis not in BASES:
            raise RecordError(f"basis {self.basis!r} is not one of {', '.join(BASES)}")
        for name, number in (("value", self.value), ("low", self.low), ("high", self.high)):
            if number is not None and not math.isfinite(number):
                raise RecordError(f"{name} {number} is not a finite number")
        if (self.low is not None and self.low > self.value) or (
            self.high is not None and self.high < self.value
        ):
            raise RecordError(f"interval {self.low}..{self.high} does not enclose the value {self.value}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """A constant that entered a number, with where it comes from.

    Args:
        kind: What it is, e.g. "intensity", "pue", "rated_power", "memory_power".
        key: What it was looked up for, e.g. "FR" or "NVIDIA A100 SXM4 40GB".
        value: Best estimate in `unit`, or None where unknown.
        low: 5th percentile.
        high: 95th percentile.
        unit: Unit of the three numbers, e.g. "gCO2e/kWh".
        period: Time that it describes, e.g. "2024".
        method: Average or marginal, life-cycle or direct, location- or market-based, or how it was found.
        source: Publication or organisation, with its year.
        licence: Licence of the source's data.

    Raises:
        RecordError: A number is not finite.
    """

    kind: str
    key: str
    value: float | None
    low: float | None = None
    high: float | None = None
    unit: str = "1"
    period: str | None = None
    method: str | None = None
    source: str | None = None
    licence: str | None = None

    def __post_init__(self) -> None:
        for name, number in (("value", self.value), ("low", self.low), ("high", self.high)):
            if number is not None and not math.isfinite(number):
                raise RecordError(f"{name} {number} is not a finite number")

    @property
    def known(self) -> float:
        """Value, where the factor must have one.

        Raises:
            RecordError: It has none.
        """
        if self.value is None:
            raise RecordError(f"factor {self.kind} of {self.key!r} has no value")
        return self.value

    def quantity(self, basis: str = "assumed") -> Quantity:
        """Quantity of this factor, for arithmetic with intervals.

        Raises:
            RecordError: The factor has no value.
        """
        return Quantity(value=self.known, low=self.low, high=self.high, basis=basis)


def finite(value: object) -> float | None:
    """Number of plain data that anyone may have written; None where it is none, or none that a float can hold.

    >>> finite(3), finite(True), finite(10**400), finite("3")
    (3.0, None, None, None)
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def read(data: object) -> Quantity | None:
    """Quantity of plain data that anyone may have written, as computed; None where it is none.

    >>> read({"value": 2, "low": 1.0, "high": 4.0})
    Quantity(value=2.0, low=1.0, high=4.0, basis='derived')
    >>> read({"value": 2.0, "low": 3.0}), read([2.0]) is None
    (None, True)
    """
    told = data if isinstance(data, dict) else {}
    value, low, high = (finite(told.get(name)) for name in ("value", "low", "high"))
    if value is None:
        return None
    try:
        return Quantity(value=value, low=low, high=high)
    except RecordError:
        return None
