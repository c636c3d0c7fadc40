"""Numbers in words for findings: three significant digits, the unit that fits, and no more certainty than there is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from sootprint.core.units import G_PER_KG

UNKNOWN = "unknown"
SIGNIFICANT = 0.05
COLUMNS = {
    "architecture_family": "family of architecture",
    "bin": "year",
    "country_code": "country",
    "device_hours": "device hours",
    "emissions_given_kg": "emissions as given",
    "emissions_kg": "emissions",
    "emissions_recomputed_kg": "emissions as recomputed",
    "energy_kwh": "energy",
    "intensity_g_per_kwh": "carbon intensity",
    "metric_value": "result",
    "panel": "task and metric",
    "rated_power_w": "rated power",
    "zone": "grid",
}
_COLUMN = re.compile(rf"\b(?:{'|'.join(COLUMNS)})\b")


def plainly(text: str) -> str:
    """Text with the columns of the table in words.

    >>> plainly("emissions_kg is unknown"), plainly("intensity_g_per_kwh by source and bin")
    ('emissions not known', 'carbon intensity by source and year')
    """
    return _COLUMN.sub(lambda found: COLUMNS[found[0]], text).replace(" is unknown", " not known")


def digits(value: float | None) -> str:
    """Number to three significant digits, with separators.

    >>> digits(4574.43), digits(0.04871), digits(72768.3), digits(0.0)
    ('4,570', '0.0487', '72,800', '0')
    """
    if value is None:
        return UNKNOWN
    rounded = float(f"{value:.3g}")
    return f"{rounded:,.0f}" if abs(rounded) >= 100 or rounded == 0 else f"{rounded:.3g}"


def mass(kg: float | None) -> str:
    """Mass in g, kg, t or kt, as all pages have it.

    >>> mass(0.2), mass(27.5), mass(253161.5), mass(11036457.0)
    ('200 g', '27.5 kg', '253 t', '11 kt')
    """
    if kg is None:
        return UNKNOWN
    if 0 < abs(kg) < 1:
        return f"{digits(kg * G_PER_KG)} g"
    for least, unit in ((1e6, "kt"), (1e3, "t")):
        if abs(kg) >= least:
            return f"{digits(kg / least)} {unit}"
    return f"{digits(kg)} kg"


def energy(kwh: float | None) -> str:
    """Energy in Wh, kWh, MWh or GWh.

    >>> energy(0.78), energy(583713.3)
    ('780 Wh', '584 MWh')
    """
    if kwh is None:
        return UNKNOWN
    for least, unit, factor in ((1e6, "GWh", 1e6), (1e3, "MWh", 1e3), (1.0, "kWh", 1.0)):
        if abs(kwh) >= least:
            return f"{digits(kwh / factor)} {unit}"
    return f"{digits(kwh * 1e3)} Wh"


def share(part: float, whole: float | None = 1.0) -> str:
    """Share in per cent.

    >>> share(48, 95), share(0.004)
    ('51 %', '0.4 %')
    """
    if not whole:
        return UNKNOWN
    percent = 100 * part / whole
    return f"{percent:.0f} %" if percent >= 1 or percent == 0 else f"{percent:.1g} %"


def p_value(p: float | None) -> str:
    """Two-sided p-value.

    >>> p_value(0.00468), p_value(1e-9), p_value(None)
    ('p = 0.005', 'p < 0.001', 'p unknown')
    """
    if p is None:
        return "p unknown"
    return "p < 0.001" if p < 0.0005 else f"p = {p:.2f}" if p >= 0.0095 else f"p = {p:.3f}"


def listed(items: Sequence[str], joined: str = "and") -> str:
    """Items as a sentence has them.

    >>> listed(["a", "b", "c"]), listed(["a"]), listed([])
    ('a, b and c', 'a', 'none')
    """
    if len(items) < 2:
        return items[0] if items else "none"
    return f"{', '.join(items[:-1])} {joined} {items[-1]}"


def country(name: str) -> str:
    """Country in a sentence.

    >>> country("United States"), country("France")
    ('the United States', 'France')
    """
    return f"the {name}" if name.startswith(("United", "Netherlands", "Philippines")) else name


def relation(found: dict[str, Any]) -> str:
    """Rank correlation in words.

    >>> relation({"rho": 0.487, "p": 0.0047, "n": 32})
    'rises (Spearman 0.49, p = 0.005, n = 32)'
    >>> relation({"rho": 0.05, "p": 0.78, "n": 29})
    'shows no clear relation (Spearman 0.05, p = 0.78, n = 29)'
    """
    if found["rho"] is None:
        return f"cannot be judged (n = {found['n']})"
    verb = "shows no clear relation"
    if found["p"] is not None and found["p"] < SIGNIFICANT:
        verb = "rises" if found["rho"] > 0 else "falls"
    return f"{verb} (Spearman {found['rho']:.2f}, {p_value(found['p'])}, n = {found['n']})"
