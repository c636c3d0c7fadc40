"""Texts of a record made fit to be shown."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sootprint.core.letters import clean

__all__ = ["clean", "formula", "raised", "replaced"]

_SIGNS = (
    (re.compile(r"(?<=[ (])-(?=\d)"), "\N{MINUS SIGN}"),
    (re.compile(r"(?<![\w-])((?:19|20)\d\d)-(?=(?:19|20)\d\d(?![\w-]))"), "\\1\N{EN DASH}"),
    (re.compile(r"(?<=/[cm]m)2\b"), "\N{SUPERSCRIPT TWO}"),
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

    >>> formula("kg CO2e/cm2, -0.27 in 2012-2016")
    'kg CO₂e/cm², −0.27 in 2012–2016'
    """
    return replaced(text.replace("CO2e", "CO₂e"), _SIGNS)


def replaced(text: str, rules: Sequence[tuple[re.Pattern[str], str]]) -> str:
    """Text in which what each rule finds is as the rule puts it; what was marked as safe is so still."""
    said = str(text)
    for found, put in rules:
        said = found.sub(put, said)
    return type(text)(said)
