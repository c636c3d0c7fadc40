"""Texts of a record made fit to be shown."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

Put = str | Callable[[re.Match[str]], str]  # what stands in for what a pattern finds


def _power(found: re.Match[str]) -> str:
    """A number with a power of ten, as it is written by hand."""
    return f"{found[1]}×10{raised(int(found[2]))}"


_SIGNS: tuple[tuple[re.Pattern[str], Put], ...] = (
    (re.compile(r"(?<=[ (])-(?=\d)"), "\N{MINUS SIGN}"),
    (re.compile(r"(?<![\w-])((?:19|20)\d\d)-(?=(?:19|20)\d\d(?![\w-]))"), "\\1\N{EN DASH}"),
    (re.compile(r"(?<=/[cm]m)2\b"), "\N{SUPERSCRIPT TWO}"),
    (re.compile(r"(?<![\w.=-])(\d+(?:\.\d+)?)e([+-]?\d+)(?![\w.-])"), _power),
)
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def raised(exponent: int) -> str:
    """Whole number in raised digits.

    >>> raised(-12)
    '⁻¹²'
    """
    return str(exponent).translate(_RAISED)


def formula(text: str) -> str:
    """Text as a printer would set it: a subscript, a minus and a span of years that are no hyphens.

    >>> formula("kg CO2e/cm2, -0.27 in 2012-2016, 8.4e+22 FLOP")
    'kg CO₂e/cm², −0.27 in 2012–2016, 8.4×10²² FLOP'
    """
    return replaced(text.replace("CO2e", "CO₂e"), _SIGNS)


def replaced(text: str, rules: Sequence[tuple[re.Pattern[str], Put]]) -> str:
    """Text in which what each rule finds is as the rule puts it; what was marked as safe is so still."""
    said = str(text)
    for found, put in rules:
        said = found.sub(put, said)
    return type(text)(said)
