"""Units in which a plug, a PDU or a controller writes powers and energies."""

from __future__ import annotations

from sootprint.core.units import J_PER_KWH, SECONDS_PER_MINUTE, W_PER_KW

KILO = W_PER_KW
W = {"W": 1.0, "kW": KILO, "mW": 1.0 / KILO}
J = {"J": 1.0, "kJ": KILO, "Wh": J_PER_KWH / KILO, "kWh": J_PER_KWH, "Wmin": SECONDS_PER_MINUTE}


def in_w(value: float | None, unit: str) -> float | None:
    """Power [W], or None where there is none or the unit is not one of power.

    >>> in_w(0.25, "kW"), in_w(5.0, "Wh")
    (250.0, None)
    """
    return None if value is None or unit not in W else value * W[unit]


def in_j(value: float | None, unit: str) -> float | None:
    """Energy [J], or None where there is none or the unit is not one of energy.

    >>> in_j(2.0, "Wh"), in_j(60.0, "Wmin"), in_j(5.0, "W")
    (7200.0, 3600.0, None)
    """
    return None if value is None or unit not in J else value * J[unit]
