"""What a record says that waiting saved, as far as it can be read: a record may come from anyone."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, NamedTuple

from sootprint.core import utc
from sootprint.core.letters import clean
from sootprint.core.quantity import Quantity, finite, read
from sootprint.core.records import Footprint

KEY = "waiting"
MOST = 5000  # steps that are drawn
LAST_YEAR = 9000  # of an instant to which a step is added


class Course(NamedTuple):
    """Intensity of a zone by steps: edges `(n + 1,)`, and figures, None for a hole, `(n,)` [gCO2e/kWh]."""

    zone: str
    edges: tuple[datetime, ...]
    values: tuple[float | None, ...]


class Span(NamedTuple):
    """Time in which the job ran, or was to run."""

    zone: str
    start: datetime
    end: datetime


class Waiting(NamedTuple):
    """What waiting saved.

    Args:
        verdict: The same in words.
        reason: Why it is not known, or None.
        kg: Emissions and savings by name [kgCO2e].
        share: Saving over running at once, or None [1].
        of_oracle: Saving over that of perfect foresight, or None [1].
        delay_s: End of the job less its end if run at once, or None [s].
        method: Method and source of the intensity.
        courses: Actual intensity of each zone.
        ran: Times in which it ran.
        planned: Times that the first plan chose.
        notes: What to know about it.
        instead: Measures that would save more, each with its share.
        month: Month, number of its runs, and their emissions; None where not known.
    """

    verdict: str
    reason: str | None
    kg: dict[str, Quantity]
    share: Quantity | None
    of_oracle: float | None
    delay_s: float | None
    method: str
    courses: tuple[Course, ...]
    ran: tuple[Span, ...]
    planned: tuple[Span, ...]
    notes: tuple[str, ...]
    instead: tuple[tuple[str, float], ...]
    month: tuple[str, int, Quantity] | None


def waiting(footprint: Footprint) -> Waiting | None:
    """What a record says that waiting saved; None where it says nothing of it."""
    told = _dict((footprint.savings or {}).get(KEY))
    if not told:
        return None
    kg = {name: one for name in told if name.endswith("_kg") and (one := read(told[name])) is not None}
    intensity = _dict(told.get("intensity"))
    month = _dict(told.get("month"))
    summed = read(month.get("emissions_kg"))
    runs = finite(month.get("runs"))
    return Waiting(
        verdict=_text(told.get("verdict")) or "not known",
        reason=_text(told.get("reason")),
        kg=kg,
        share=read(told.get("saving_share")),
        of_oracle=finite(told.get("share_of_oracle")),
        delay_s=finite(told.get("delay_s")),
        method="; ".join(filter(None, (_text(intensity.get(name)) for name in ("method", "source")))),
        courses=_courses(intensity),
        ran=tuple(_spans(told.get("segments"))),
        planned=tuple(_planned(_dict((footprint.plan or {}).get(KEY)))),
        notes=tuple(text for text in map(_text, _list(told.get("notes"))) if text),
        instead=tuple(_instead(told.get("instead"))),
        month=(_text(month.get("month")) or "", int(runs), summed) if summed and runs else None,
    )


def _courses(intensity: dict[str, Any]) -> tuple[Course, ...]:
    edges = tuple(at for at in map(_instant, _list(intensity.get("edges"))[: MOST + 1]) if at is not None)
    made = []
    for row in map(_dict, _list(intensity.get("zones"))):
        values = tuple(finite(one) for one in _list(row.get("g_per_kwh"))[:MOST])
        if len(values) == len(edges) - 1 and all(a < b for a, b in pairwise(edges)):
            made.append(Course(_text(row.get("zone")) or "", edges, values))
    return tuple(made)


def _spans(listed: Any) -> list[Span]:
    made = []
    for row in map(_dict, _list(listed)[:MOST]):
        start, end = _instant(row.get("start")), _instant(row.get("end"))
        if start is not None and end is not None and start <= end:
            made.append(Span(_text(row.get("zone")) or "", start, end))
    return made


def _planned(plan: dict[str, Any]) -> list[Span]:
    first = _dict(plan.get("first_forecast"))
    step_s, zone = finite(first.get("step_s")) or 0.0, _text(plan.get("zone")) or ""
    starts = [at for at in map(_instant, _list(first.get("hours"))[:MOST]) if at is not None]
    if not 0.0 < step_s < 1e6:
        return []
    length = timedelta(seconds=step_s)
    return [Span(zone, at, at + length) for at in starts if at.year < LAST_YEAR]


def _instead(listed: Any) -> list[tuple[str, float]]:
    found = []
    for row in map(_dict, _list(listed)[:10]):
        name, share = _text(row.get("action")) or _text(row.get("name")), read(row.get("saving_share"))
        if name and share is not None:
            found.append((name, share.value))
    return found


def _instant(told: Any) -> datetime | None:
    return utc.found(told) if isinstance(told, str) else None


def _text(told: Any) -> str | None:
    return clean(told[:300]) if isinstance(told, str) and told.strip() else None


def _dict(told: Any) -> dict[str, Any]:
    return told if isinstance(told, dict) else {}


def _list(told: Any) -> list[Any]:
    return list(told) if isinstance(told, list | tuple) else []
