"""Kinds of intensity: figures of two kinds are never ranked step by step, mixed or summed."""

from __future__ import annotations

OUR_FACTORS = "with IPCC AR5 medians"  # ends the title of a source that computes with our factors
UNSTATED = "unstated"
FILE = "trace "


def unlike(first: tuple[str, str], second: tuple[str, str]) -> str | None:
    """Why figures of two sources cannot be ranked, each given by its method and source; None where they can.

    Methods must be the same (average or marginal, life-cycle or direct), and a provider's own factors are not ranked
    against ours. A file of the user's counts as whatever its method says.

    >>> unlike(("average, direct", "NESO"), ("average, life-cycle", "Energy-Charts"))
    'average, direct (NESO) against average, life-cycle (Energy-Charts)'
    >>> unlike(("average", "NESO"), ("average", "EIA-930 generation by fuel, with IPCC AR5 medians"))
    "the provider's own factors (NESO) against ours (EIA-930 generation by fuel, with IPCC AR5 medians)"
    >>> unlike(("average", "trace de.csv"), ("average", "NESO")) is None
    True
    """
    (method, source), (other, its) = first, second
    if (method or UNSTATED) != (other or UNSTATED):
        return f"{method or UNSTATED} ({source}) against {other or UNSTATED} ({its})"
    if source.startswith(FILE) or its.startswith(FILE) or _is_ours(source) == _is_ours(its):
        return None
    words = {True: "ours", False: "the provider's own factors"}
    return f"{words[_is_ours(source)]} ({source}) against {words[_is_ours(its)]} ({its})"


def _is_ours(source: str) -> bool:
    return source.endswith(OUR_FACTORS)
