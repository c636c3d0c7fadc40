"""Texts of a record made fit to be shown."""

from __future__ import annotations

from sootprint.core.letters import clean

__all__ = ["clean", "raised"]

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def raised(exponent: int) -> str:
    """Whole number in raised digits.

    >>> raised(-12)
    '⁻¹²'
    """
    return str(exponent).translate(_RAISED)
