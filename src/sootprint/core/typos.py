"""What people type where a number belongs: commas, percents, units and short forms, and how each is written."""

from __future__ import annotations

import re

USUAL = "e.g. 1.5"
_SHORT = {"k": "e3", "K": "e3", "M": "e6", "G": "e9", "B": "e9", "b": "e9", "T": "e12"}
_SHORT |= {
    "mio": "e6",
    "Mio": "e6",
    "bn": "e9",
    "Bn": "e9",
}  # but m, g and t, which are also metres, grams and tonnes
_RULES = (
    (re.compile(r"(-?\d{1,3}),(\d{3})"), "a comma means two things, so write {0}{1} or {0}.{1}"),
    (re.compile(r"(-?\d+),(\d+(?:e[+-]?\d+)?)", re.IGNORECASE), "write a point for the comma, {0}.{1}"),
)
_GROUPED = (  # groups of three digits, the mark between them, and that of the decimals
    (re.compile(r"-?\d{1,3}(?:\.\d{3})+,\d+"), ".", ","),
    (re.compile(r"-?\d{1,3}(?:,\d{3})+\.\d+"), ",", "."),
    (re.compile(r"-?\d{1,3}(?:,\d{3}){2,}"), ",", "."),
    (re.compile(r"-?\d{1,3}(?:\.\d{3}){2,}"), ".", ","),
    (re.compile(r"-?\d{1,3}(?: \d{3})+"), " ", "."),
    (re.compile(r"-?\d{1,3}(?:'\d{3})+"), "'", "."),
)
_PERCENT = re.compile(r"(\d+(?:[.,]\d+)?) ?%")
_WITH_UNIT = re.compile(r"(-?[\d.]+(?:e[+-]?\d+)?) ?([^\W\d_].*)", re.IGNORECASE)


def meant(text: str, usual: str = USUAL) -> str:
    """How a text that is no number is written as one, for the end of a message.

    Nothing is guessed where it would change the number: a comma with three digits after it is asked about.

    Args:
        text: What was typed.
        usual: What is said where nothing better is known.

    >>> meant("48,5"), meant("1,287"), meant("1.234,5")
    ('write a point for the comma, 48.5', 'a comma means two things, so write 1287 or 1.287', 'write 1234.5')
    >>> meant("60%"), meant("7B"), meant("many")
    ('a share is written 0.6', 'write 7e9', 'e.g. 1.5')
    >>> meant("0.3 kW"), meant("5 t")[:37]
    ("write the number alone, without 'kW', in the unit of this field", "write the number alone, without 't', ")
    """
    text = " ".join(text.split())
    for pattern, mark, decimal in _GROUPED:
        if pattern.fullmatch(text):
            return f"write {text.replace(mark, '').replace(decimal, '.')}"
    for pattern, says in _RULES:
        if found := pattern.fullmatch(text):
            return says.format(*found.groups())
    if found := _PERCENT.fullmatch(text):
        return f"a share is written {float(found[1].replace(',', '.')) / 100:.6g}"
    if found := _WITH_UNIT.fullmatch(text):
        short = _SHORT.get(found[2])
        if short and "e" not in found[1].lower():
            return f"write {found[1]}{short}"
        return f"write the number alone, without {found[2]!r:.20}, in the unit of this field"
    return usual
