"""Numbers as forms ask for them: two significant figures that are kept, with a power of ten."""

from __future__ import annotations

import math

from sootprint.core.quantity import Quantity


def two_figures(value: float) -> str:
    """A number with two significant figures and a power of ten, from which neither figure is lost.

    >>> two_figures(100.4), two_figures(0.0), two_figures(8.4e22), two_figures(0.00996)
    ('1.0x10^2', '0', '8.4x10^22', '1.0x10^-2')
    """
    if value == 0.0 or not math.isfinite(value):
        return "0" if value == 0.0 else "N/A"
    mantissa, _, exponent = f"{value:.1e}".partition("e")
    return f"{mantissa}x10^{int(exponent)}"


def plain(quantity: Quantity | None) -> dict[str, float | None] | None:
    """Value and bounds of a quantity, ready for JSON."""
    if quantity is None:
        return None
    return {"value": quantity.value, "low": quantity.low, "high": quantity.high}
