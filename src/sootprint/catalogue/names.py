"""Names as tables hold them: lower case, letters and digits only, without what drivers and papers add."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from itertools import takewhile

from sootprint.core.errors import CatalogueError

# Patterns stay texts: `re` compiles each at its first use, so that a run pays only for what it looks up.
_MARKS = r"(?i)\((?:r|tm|c)\)"
_CPU_TAIL = r"(?i)@.*|\(.*|,.*|\bw/.*|\bwith\b.*|\bincludes\b.*"
_CPU_FILL = r"(?i)\b(?:\d+(?:st|nd|rd|th) gen|\d+-cores?|cpu|apu|processor)\b"
_CPU_FAMILIES = ("", "core", "xeon")  # people leave these words out: "i7-12700K", "Gold 6248"
_GPU_FILL = r"(?i)\b(?:nvidia|tesla|geforce|amd|intel|google|gpus?|graphics card)\b"
_KEPT = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")
_FINALISTS = 40  # of all names, those that the slow comparison sees


class UnknownName(CatalogueError):  # noqa: N818 - it says what happened
    """A name that no table has.

    Its text holds the three nearest names, which are searched for when somebody reads it: a meter that asks for
    a device and goes on without it pays nothing.

    Args:
        what: What was asked for, e.g. "zone 'FRX'".
        known: Names of the tables.
        way_out: What to do.
        far: What to do where no name is near.
        here: More of what to do for who is at this machine.
    """

    def __init__(
        self,
        what: str,
        known: Callable[[], Iterable[str]],
        *,
        way_out: str = "",
        far: str = "",
        here: str = "",
    ) -> None:
        super().__init__(what, here=here)
        self._known = known
        self._way_out = way_out
        self._far = far

    def __str__(self) -> str:
        found = ", ".join(list(self._known())[:3])
        if not found and self._far:
            return f"{self.args[0]} is in no table: {self._far}"
        return f"{self.args[0]} is in no table; the nearest are {found}{self._way_out}{self.here}"

    def __reduce__(self) -> tuple[type[CatalogueError], tuple[str]]:
        return CatalogueError, (str(self),)  # another process has neither tables nor the search at hand


def key(text: str) -> str:
    """Lower-case letters and digits of a name in any writing, accents dropped.

    >>> key("NVIDIA A100-SXM4-80GB")
    'nvidiaa100sxm480gb'
    >>> key("Côte d'Ivoire"), key("中国")
    ('cotedivoire', '中国')
    """
    if text.isascii():
        return "".join(letter for letter in text.lower() if letter in _KEPT)
    import unicodedata

    bare = unicodedata.normalize("NFKD", text).lower()
    return unicodedata.normalize("NFC", "".join(letter for letter in bare if letter.isalnum()))


def cpu_key(text: str) -> str:
    """Key of a processor without vendor, marks, clock rate and words that fill.

    >>> cpu_key("Intel(R) Xeon(R) Platinum 8259CL CPU @ 2.50GHz")
    'xeonplatinum8259cl'
    >>> cpu_key("AMD EPYC 7742 64-Core Processor")
    'epyc7742'
    """
    plain = re.sub(_CPU_FILL, " ", re.sub(_CPU_TAIL, "", re.sub(_MARKS, " ", text)))
    return key(plain).removeprefix("intel").removeprefix("amd")


def cpu_keys(text: str) -> tuple[str, ...]:
    """Keys under which a processor may stand, the most literal first."""
    plain = cpu_key(text)
    return tuple(family + plain for family in _CPU_FAMILIES) if plain else ()


def accelerator_keys(text: str) -> tuple[str, ...]:
    """Keys under which an accelerator may stand: as written, then without vendor and brand."""
    literal, bare = key(text), key(re.sub(_GPU_FILL, " ", re.sub(_MARKS, " ", text)))
    return tuple(dict.fromkeys(name for name in (literal, bare) if name))


def nearest(wanted: str, known: Iterable[str], *, count: int = 3) -> tuple[str, ...]:
    """Known names most like another: those that share its words and its beginning come first.

    >>> nearest("H100 SXM6", ["NVIDIA A100 SXM4 40GB", "NVIDIA H100 SXM5 80GB", "NVIDIA T4"], count=1)
    ('NVIDIA H100 SXM5 80GB',)
    """
    finalists = sorted(known, key=lambda name: _shared(wanted, name), reverse=True)[:_FINALISTS]
    return tuple(sorted(finalists, key=lambda name: likeness(wanted, name), reverse=True)[:count])


def likeness(wanted: str, name: str) -> float:
    """How much one name is like another, 0 for not at all [1]."""
    import difflib

    return _shared(wanted, name) + difflib.SequenceMatcher(None, key(wanted), key(name)).ratio()


def _shared(wanted: str, name: str) -> float:
    """Letters in words that both names have, over the letters of the wanted one, and a little for a same start."""
    words = set(wanted.lower().split())
    common = sum(map(len, words & set(name.lower().split())))
    start = takewhile(lambda pair: pair[0] == pair[1], zip(key(wanted), key(name), strict=False))
    return common / max(1, sum(map(len, words))) + len(list(start)) / 40.0
