"""How much a run is expected to do in all: units of its own, or a time."""

from __future__ import annotations

import math
from typing import NamedTuple

from sootprint.core.errors import InputError
from sootprint.core.units import SECONDS_PER_HOUR, SECONDS_PER_MINUTE

MOST = 1e12
MAX_NAME = 60
_TIMES_S = {
    "second": 1.0,
    "sec": 1.0,
    "minute": SECONDS_PER_MINUTE,
    "min": SECONDS_PER_MINUTE,
    "hour": SECONDS_PER_HOUR,
    "day": 24 * SECONDS_PER_HOUR,
}
RULE = 'must be a unit and its number above 0, e.g. "epochs=90", "steps=100000" or "hours=6"'


class Expectation(NamedTuple):
    """Number of units of a whole run; a time is in seconds, and its unit is empty."""

    unit: str
    total: float

    @property
    def by_time(self) -> bool:
        """Whether progress is the time since the start over the expected one."""
        return not self.unit

    def counts(self, name: str) -> bool:
        """Whether a span or logged value of this name is one of the units, in the singular or the plural.

        >>> Expectation("epochs", 90.0).counts("Epoch"), Expectation("batch", 9.0).counts("batches")
        (True, True)
        """
        return not self.by_time and _stem(name) == _stem(self.unit)

    @property
    def unheard(self) -> str:
        """What to do where the units of a run were expected and none was heard of, in one line.

        >>> Expectation("batches", 90.0).unheard.partition(": ")[0]
        'expected 90 batches, and no progress was heard, so nothing is forecast'
        >>> 'run.span("batch", total=90)' in Expectation("batches", 90.0).unheard
        True
        """
        one = _stem(self.unit)
        return (
            f"expected {self}, and no progress was heard, so nothing is forecast: in the program say "
            f'run.span("{one}", total={self.total:g}) or run.log("{one}", NUMBER), or use sootprint.callbacks; '
            "a time such as hours=6 needs no code"
        )

    def __str__(self) -> str:
        if self.by_time:
            if self.total < SECONDS_PER_HOUR:
                return f"{self.total / SECONDS_PER_MINUTE:g} minutes"
            return f"{self.total / SECONDS_PER_HOUR:g} hours"
        return f"{self.total:.15g} {self.unit if self.total == 1.0 else _plural(self.unit)}"


def parsed(text: str) -> Expectation:
    """Expectation of a text such as "epochs=90".

    Raises:
        InputError: There is no unit, no number, or the number is not above 0.

    >>> parsed("hours=6")
    Expectation(unit='', total=21600.0)
    """
    name, equals, number = (part.strip() for part in text.partition("="))
    try:
        total = float(number.replace("_", ""))
    except ValueError:
        raise InputError(RULE) from None
    named = name.isprintable() and 0 < len(name) <= MAX_NAME
    if not (equals and named and math.isfinite(total) and 0.0 < total <= MOST):
        raise InputError(RULE)
    per_s = _TIMES_S.get(_stem(name))
    return Expectation(name, total) if per_s is None else Expectation("", total * per_s)


def _plural(name: str) -> str:
    if name.endswith("s") and not name.endswith("ss"):
        return name
    return f"{name}es" if name.endswith(("tch", "sh", "ss", "x")) else f"{name}s"


def _stem(name: str) -> str:
    """Name in lower case without the ending of a plural."""
    low = name.strip().lower()
    for ending in ("ches", "shes", "sses", "xes"):
        if low.endswith(ending):
            return low[:-2]
    return low[:-1] if low.endswith("s") and not low.endswith("ss") else low
