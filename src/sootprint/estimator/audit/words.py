"""Numbers in the sentences of an audit."""

from __future__ import annotations

import math

_LARGE = 1e7  # from here on a power of ten is easier to read


def figure(value: float, digits: int = 3) -> str:
    """Number to some significant digits, without a power of ten where people would not write one.

    >>> figure(1296.4), figure(0.08352), figure(433196.0, 6), figure(4.05e22), figure(37.5)
    ('1,300', '0.0835', '433,196', '4.05e+22', '37.5')
    """
    if value == 0.0 or not math.isfinite(value):
        return f"{value:g}"
    if abs(value) >= _LARGE or abs(value) < 1.0 / _LARGE:
        return f"{value:.{digits}g}"
    rounded = float(f"{value:.{digits}g}")
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(rounded))))
    text = f"{rounded:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
