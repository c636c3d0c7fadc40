"""Sentences as a page sets them: commands as code, numbers on the line of their unit, a capital at the start."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

from sootprint.charts import letters

_UNITS = r"%|×|[µmk]?g|k?t|Mt|[kMGT]?Wh|[km]?W|mJ|J|h|min|s|d|L|gCO₂e/kWh|g/kWh"
_TOGETHER = (
    (re.compile(rf"(?<=\d) (?=(?:{_UNITS})(?![\w/]))"), "\N{NO-BREAK SPACE}"),
    (re.compile(r"\b([np]) ([=<]) (?=\d)"), "\\1\N{NO-BREAK SPACE}\\2\N{NO-BREAK SPACE}"),
)
# Controls but tab and line end, halves of characters, line separators, and what turns the direction of writing
UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_SHORT = ("cpu", "dram", "gpu", "pue")  # what is written in capitals wherever it stands
_CODE = re.compile("`([^`]+)`")
_OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")


def sentence(text: str) -> str:
    """Text that begins with a capital where it begins with a word; what is a name or a command stays.

    >>> sentence("the intensity is that of FR"), sentence("emissions_kg is 3"), sentence("xAI told it")
    ('The intensity is that of FR', 'emissions_kg is 3', 'xAI told it')
    >>> sentence("cpu: a name")
    'CPU: a name'
    """
    first = text.partition(" ")[0].rstrip(",;:")
    if first in _SHORT:
        return first.upper() + text[len(first) :]
    return (
        text[:1].upper() + text[1:] if first.isalpha() and first.islower() and first != "sootprint" else text
    )


def prose(text: str, *, together: bool = False) -> Markup:
    """Text with its commands and fields, which stand between back-ticks, as code.

    Args:
        text: Text.
        together: Whether a number stays on the line of its unit, as in a sentence that is wrapped.

    >>> str(prose("`a --b` tells < 3 kg CO2e (n = 4)", together=True)).replace("\N{NO-BREAK SPACE}", "_")
    '<code>a --b</code> tells &lt; 3_kg CO₂e (n_=_4)'
    """
    said = letters.formula(UNSEEN.sub(" ", text))
    said = str(escape(letters.replaced(said, _TOGETHER) if together else said))
    parts = _CODE.split(said)  # every second one stood between back-ticks
    parts[::2] = [_OPTION.sub(r'<code class="option">\g<0></code>', part) for part in parts[::2]]
    parts[1::2] = [f"<code>{part}</code>" for part in parts[1::2]]
    return Markup("".join(parts))
