"""Amounts in text: a number, the power of ten or word behind it, and its unit."""

from __future__ import annotations

import re
from typing import NamedTuple

from sootprint.core.units import G_PER_KG, J_PER_KWH, W_PER_KW

KG_PER_LB = 0.45359237  # NIST Handbook 44 (2024), appendix C
PFS_DAY = 1e15 * 86400.0  # FLOPs in a petaflop/s-day: Amodei & Hernandez, AI and Compute (2018)
_MJ_PER_KWH = J_PER_KWH / 1e6

NUMBER = (
    r"[-+−]?(?:\d{1,3}(?:[,  ' ]\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)"
    r"(?:[eE][-+]?\d+|\s*(?:[x×*]|\\times|\\cdot)\s*10\s*(?:\^|\*\*)?\s*\{?[-+−]?\d+\}?)?"
)
_POWER = re.compile(r"\s*(?:[x×*]|\\times|\\cdot)\s*10\s*(?:\^|\*\*)?\s*\{?([-+−]?\d+)\}?$")
WORDS = {
    "k": 1e3,
    "thousand": 1e3,
    "m": 1e6,
    "mn": 1e6,
    "million": 1e6,
    "b": 1e9,
    "bn": 1e9,
    "billion": 1e9,
    "t": 1e12,
    "tn": 1e12,
    "trillion": 1e12,
}
UNITS: dict[str, dict[str, float]] = {
    "energy": {
        "wh": 1.0 / W_PER_KW,
        "kwh": 1.0,
        "mwh": 1e3,
        "gwh": 1e6,
        "twh": 1e9,
        "j": 1.0 / J_PER_KWH,
        "kj": 1e3 / J_PER_KWH,
        "mj": 1.0 / _MJ_PER_KWH,
        "gj": 1e3 / _MJ_PER_KWH,
    },
    "mass": {
        "mg": 1e-6,
        "g": 1.0 / G_PER_KG,
        "gram": 1.0 / G_PER_KG,
        "kg": 1.0,
        "kilogram": 1.0,
        "kilo": 1.0,
        "t": 1e3,
        "mt": 1e3,
        "ton": 1e3,
        "tonne": 1e3,
        "metricton": 1e3,
        "metrictonne": 1e3,
        "kt": 1e6,
        "lb": KG_PER_LB,
        "pound": KG_PER_LB,
    },
    "power": {"w": 1.0, "watt": 1.0, "kw": W_PER_KW, "mw": 1e6, "kilowatt": W_PER_KW},
    "time": {
        "s": 1.0 / 3600.0,
        "sec": 1.0 / 3600.0,
        "second": 1.0 / 3600.0,
        "min": 1.0 / 60.0,
        "minute": 1.0 / 60.0,
        "h": 1.0,
        "hr": 1.0,
        "hour": 1.0,
        "d": 24.0,
        "day": 24.0,
        "week": 168.0,
        "month": 730.5,
        "year": 8766.0,
    },
    "intensity": {
        "g/kwh": 1.0,
        "kg/kwh": G_PER_KG,
        "t/mwh": G_PER_KG,
        "kg/mwh": 1.0,
        "g/mwh": 1.0 / W_PER_KW,
        "lb/mwh": KG_PER_LB,
        "lb/kwh": KG_PER_LB * G_PER_KG,
    },
    "flops": {
        "": 1.0,
        "flop": 1.0,
        "tflop": 1e12,
        "pflop": 1e15,
        "eflop": 1e18,
        "zflop": 1e21,
        "yflop": 1e24,
        "gflop": 1e9,
        "pfday": PFS_DAY,
    },
    "peak": {"": 1.0, "tflop": 1.0, "pflop": 1e3, "gflop": 1e-3, "flop": 1e-12},
    "ratio": {"": 1.0, "%": 0.01, "percent": 0.01, "pct": 0.01},
    "plain": {"": 1.0},
}


class Amount(NamedTuple):
    """A number as written and what it is in our unit.

    Args:
        value: Number in our unit.
        rounding: Relative half-width of the last printed digit [1].
        text: As it was written.
        unit: Unit as normalised, empty where none was written.
    """

    value: float
    rounding: float
    text: str
    unit: str


def amount(text: str, kind: str, *, unit: str = "") -> Amount | None:
    """First amount in a text, or None where it has no number or a unit that its kind has not.

    Args:
        text: Text such as "1,082.5 MWh", "7B", "4.05e22" or "43 %".
        kind: Key of `UNITS`.
        unit: Unit that counts where the text has none.

    >>> amount("1,082.5 MWh", "energy").value
    1082500.0
    >>> amount("30.84M", "plain").value
    30840000.0
    >>> amount("83.524 kgCO2eq", "mass", unit="g").unit
    'kg'
    """
    found = re.search(rf"({NUMBER})\s*([^\d\s]*(?:\s+\w+)?.*)", text, re.DOTALL)
    if found is None:
        return None
    number, tail = found[1], found[2].strip()
    scale, rest = _scaled(tail, kind)
    written = unit_of(rest, kind)
    factor = UNITS[kind].get(written or unit)
    if factor is None or (
        not written and kind != "plain" and re.fullmatch(r"[a-zA-Z]+(?:/[a-zA-Z]+)?", rest)
    ):
        return None
    value = plain_number(number)
    return Amount(value * scale * factor, rounding(number), text.strip()[:80], written)


def _scaled(tail: str, kind: str) -> tuple[float, str]:
    """Word such as "billion" or letter such as "B" at the start of what follows a number, and the rest."""
    found = re.match(r"(thousand|million|billion|trillion|bn|mn|tn|[kKmMbBT])(?![a-zA-Z/])", tail)
    if found is None or (kind == "mass" and found[1] == "T"):
        return 1.0, tail
    return WORDS[found[1].lower()], tail[found.end() :].strip(" -")


def unit_of(text: str, kind: str) -> str:
    """Unit of a kind at the start of a text, normalised; empty where there is none.

    >>> unit_of("metric tons of CO2", "mass"), unit_of("gCO2eq/kWh", "intensity"), unit_of("GPU-hours", "time")
    ('metricton', 'g/kwh', '')
    """
    plain = re.sub(r"\\(?:mathrm|text|,|;|!)|[{}$~_\\]", "", text).strip().lower()
    if kind == "intensity":
        found = re.match(
            r"(k?g|t|lbs?)\s*(?:of\s*)?(?:co_?[2₂]\s*-?\s*(?:eq?)?\.?)?\s*(?:/|per\s*)\s*([km])wh", plain
        )
        return f"{found[1].rstrip('s')}/{found[2]}wh" if found else ""
    if kind == "mass":
        plain = re.sub(r"^metric\s+", "metric", plain)
        plain = re.sub(r"^(metrict(?:on|onne)s?|[kmt]?g|k?t|tonnes?|tons?|lbs?|pounds?)\s*co.*", r"\1", plain)
    found = re.match(r"[a-z%]+(?:/s-?days?)?", plain)
    unit = found[0] if found else ""
    if kind in ("flops", "peak"):
        return _flops_unit(unit)
    return next((one for one in (unit, unit.removesuffix("s")) if one in UNITS[kind]), "")


def _flops_unit(unit: str) -> str:
    if re.match(r"(pf|petaflops?)(/s)?-?days?", unit):
        return "pfday"
    long = {"tera": "t", "peta": "p", "exa": "e", "zetta": "z", "yotta": "y", "giga": "g"}
    for word, letter in long.items():
        unit = re.sub(rf"^{word}", letter, unit)
    found = re.match(r"([gtpezy]?)flops?", unit)
    return f"{found[1]}flop" if found else ""


def plain_number(text: str) -> float:
    r"""Number of a text that `NUMBER` matches.

    >>> plain_number("4.05 \\times 10^{22}"), plain_number("1,082,990")
    (4.05e+22, 1082990.0)
    """
    power = _POWER.search(text)
    digits = text[: power.start()] if power else text
    plain = re.sub(r"[,  ' ]", "", digits).replace("−", "-")
    return float(f"{plain}e{power[1].replace('−', '-')}" if power else plain)


def rounding(text: str) -> float:
    """Relative half-width of the last printed digit; zeros at the end of a whole number count below two digits.

    >>> rounding("7"), rounding("400000"), round(rounding("24.69"), 6)
    (0.07142857142857142, 0.0125, 0.000203)
    """
    mantissa = re.split(r"[eE]|\s*(?:[x×*]|\\times|\\cdot)", text, maxsplit=1)[0]
    digits = re.sub(r"[^\d.]", "", mantissa)
    value = float(digits or 0.0)
    if value == 0.0:
        return 0.0
    if "." in digits:
        return 0.5 * 10.0 ** -len(digits.partition(".")[2]) / value
    significant = max(min(2, len(digits)), len(digits.rstrip("0")))
    return 0.5 * 10.0 ** (len(digits) - significant) / value
