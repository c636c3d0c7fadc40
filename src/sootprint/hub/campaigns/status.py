"""How a campaign stands: who was asked, who answered, who did not, overall and in each stratum."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

from sqlalchemy.engine import Engine

from sootprint.hub.campaigns import store

Z = 1.959964  # of a 95 % interval
FEW, NOT_BY_CHANCE = 5, 0.05  # expected answers below which chi-squared says little, and its level


def status(engine: Engine, name: str) -> dict[str, Any]:
    """Counts and rates of a campaign, overall and by stratum.

    Raises:
        InputError: There is none of this name.
    """
    campaign = store.campaign(engine, name)
    rows = store.invitations(engine, name)
    strata = [
        {"stratum": stratum, "listed": listed}
        | _counted([row["state"] for row in rows if row["stratum"] == stratum])
        for stratum, listed in campaign["listed"].items()
    ]
    return {
        "campaign": name,
        "drawn_at": campaign["at"],
        "seed": campaign["seed"],
        "strata_by": campaign["strata"],
        "allocation": campaign["allocation"],
        "listed": sum(campaign["listed"].values()),
        "reminders": sum(row["reminders"] for row in rows),
        **_counted([row["state"] for row in rows]),
        "strata": strata,
        "difference": _difference(strata),
    }


def told(found: dict[str, Any]) -> dict[str, Any]:
    """A campaign's status with its finding in words and its chart."""
    from sootprint.hub import drawings  # the command line needs no charts

    rows = [
        (one["stratum"] or "all", one["response_low"], one["response_rate"], one["response_high"])
        for one in found["strata"]
    ]
    return {**found, "finding": _finding(found), "drawing": drawings.rates(rows)}


def _finding(found: dict[str, Any]) -> str:
    """Who answered most and least, and whether the strata can be told apart."""
    known = [one for one in found["strata"] if one["response_rate"] is not None]
    if not known:
        return "Nobody has been asked yet."
    overall = f"{_percent(found['response_rate'])} of those who were reached answered"
    most, least = (of(known, key=lambda one: one["response_rate"]) for of in (max, min))
    if most["response_rate"] > least["response_rate"]:
        overall += f": {most['stratum']} most ({_percent(most['response_rate'])}), "
        overall += f"{least['stratum']} least ({_percent(least['response_rate'])})"
    apart = found["difference"]
    if apart is None:
        return f"{overall}."
    if apart["smallest_expected"] < FEW:
        return f"{overall}. Too few were asked to say whether the strata answer alike (fewer than {FEW} expected)."
    if apart["p"] < NOT_BY_CHANCE:
        return f"{overall}. The strata do not answer alike (p = {apart['p']:.2g}): read results by stratum."
    return f"{overall}. No difference between the strata shows (p = {apart['p']:.2g})."


def _percent(share: float) -> str:
    return f"{100.0 * share:.1f}\N{NO-BREAK SPACE}%"


def _counted(states: list[str]) -> dict[str, Any]:
    """Counts of states with the response rate among those who could answer, and its 95 % interval."""
    counts = Counter(states)
    asked = len(states) - counts[store.DRAWN]
    reached = asked - counts[store.UNREACHABLE]
    answered = counts[store.ANSWERED]
    low, high = wilson(answered, reached)
    return {
        "sample": len(states),
        "asked": asked,
        "unreachable": counts[store.UNREACHABLE],
        "answered": answered,
        "declined": counts[store.DECLINED],
        "silent": counts[store.SENT],
        "response_rate": answered / reached if reached else None,
        "response_low": low,
        "response_high": high,
    }


def wilson(part: int, total: int) -> tuple[float | None, float | None]:
    """95 % interval of a share after Wilson (1927), which holds for few and for none; unknown for a total of 0 [0-1].

    >>> [round(bound, 3) for bound in wilson(77, 500)]
    [0.125, 0.188]
    >>> wilson(0, 0)
    (None, None)
    """
    if total <= 0:
        return None, None
    share, square = part / total, Z * Z / total
    middle = (share + square / 2) / (1 + square)
    half = Z / (1 + square) * math.sqrt(share * (1 - share) / total + square / (4 * total))
    return max(0.0, middle - half), min(1.0, middle + half)


def _difference(strata: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Whether the strata answer alike: Pearson's chi-squared over answered and not, and its p-value.

    None below two strata that were asked, or where nobody or everybody answered.
    """
    cells = [(one["answered"], one["asked"] - one["unreachable"]) for one in strata]
    cells = [(answered, reached) for answered, reached in cells if reached]
    total, all_answered = sum(reached for _, reached in cells), sum(answered for answered, _ in cells)
    if len(cells) < 2 or not 0 < all_answered < total:
        return None
    rate = all_answered / total
    chi2 = sum(
        (answered - reached * rate) ** 2 / (reached * rate * (1 - rate)) for answered, reached in cells
    )
    few = min(reached * min(rate, 1 - rate) for _, reached in cells)
    p = exceeded(chi2, len(cells) - 1)
    return {"chi2": chi2, "degrees": len(cells) - 1, "p": p, "smallest_expected": few}


def exceeded(chi2: float, degrees: int) -> float:
    """Probability that chi-squared of some degrees of freedom exceeds a value (Abramowitz and Stegun 26.4.4-5).

    >>> round(exceeded(3.841, 1), 3), round(exceeded(5.991, 2), 3), round(exceeded(7.815, 3), 3)
    (0.05, 0.05, 0.05)
    """
    if chi2 <= 0.0:
        return 1.0
    half, odd = chi2 / 2, degrees % 2
    powers = (i + 0.5 * odd for i in range(degrees // 2))
    # In logarithms: powers and factorials of hundreds of strata are beyond a float
    terms = (math.exp(power * math.log(half) - half - math.lgamma(power + 1.0)) for power in powers)
    return min(1.0, (math.erfc(math.sqrt(half)) if odd else 0.0) + math.fsum(terms))
