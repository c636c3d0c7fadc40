"""Texts of a record made fit to be shown."""

from __future__ import annotations

import unicodedata

_HIDDEN = ("Cc", "Cs", "Cn", "Zl", "Zp")  # controls, halves of characters, no characters, line separators
_TURNING = frozenset(
    "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)  # they reorder what follows them

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def clean(text: str) -> str:
    r"""Text with a blank for each character that could move a cursor, reorder a line or break a drawing.

    >>> clean("a\x1b[31mb")
    'a [31mb'
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(" " if _is_hidden(letter) else letter for letter in text)


def _is_hidden(letter: str) -> bool:
    return letter in _TURNING or unicodedata.category(letter) in _HIDDEN


def raised(exponent: int) -> str:
    """Whole number in raised digits.

    >>> raised(-12)
    '⁻¹²'
    """
    return str(exponent).translate(_RAISED)
