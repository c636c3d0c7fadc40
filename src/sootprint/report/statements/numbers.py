"""Numbers as forms ask for them: two significant figures that are kept, with a power of ten."""

from __future__ import annotations

import math

from sootprint.charts.scale import number
from sootprint.core.quantity import Quantity

_LARGE = ((1e12, "trillion"), (1e9, "billion"), (1e6, "million"))
_HUGE = 1e15  # from here on a power of ten is read more easily


def two_figures(value: float) -> str:
    """A number with two significant figures and a power of ten, from which neither figure is lost.

    >>> two_figures(100.4), two_figures(0.0), two_figures(8.4e22), two_figures(0.00996)
    ('1.0x10^2', '0', '8.4x10^22', '1.0x10^-2')
    """
    if value == 0.0 or not math.isfinite(value):
        return "0" if value == 0.0 else "N/A"
    mantissa, _, exponent = f"{value:.1e}".partition("e")
    return f"{mantissa}x10^{int(exponent)}"


def counted(value: float) -> str:
    """A count of things as a person says it.

    >>> counted(1.0), counted(1e9), counted(2.5e12), counted(5e22)
    ('1', '1.00 billion', '2.50 trillion', '5.0x10^22')
    """
    if value < _LARGE[-1][0]:
        return f"{value:,.0f}" if value.is_integer() else number(value)
    if not value < _HUGE:
        return two_figures(value)
    least, name = next(one for one in _LARGE if value >= one[0])
    return f"{number(value / least)} {name}"


def plain(quantity: Quantity | None) -> dict[str, float | None] | None:
    """Value and bounds of a quantity, ready for JSON."""
    if quantity is None:
        return None
    return {"value": quantity.value, "low": quantity.low, "high": quantity.high}
