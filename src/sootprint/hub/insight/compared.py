"""Two to five records beside each other, and two versions of one."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

from sqlalchemy.engine import Engine

from sootprint.charts.scale import DEVICE_TIME, MASS
from sootprint.core.errors import InputError
from sootprint.core.ids import is_uuid7
from sootprint.core.letters import clean
from sootprint.core.quantity import Quantity
from sootprint.core.records import Footprint
from sootprint.estimator.compare.differences import Difference, differences
from sootprint.estimator.compare.sides import Side
from sootprint.hub import reading, views
from sootprint.hub.insight.sheets import Cell, Grid, Link, Part, Sheet, counted
from sootprint.hub.problems import GoneError, NotFoundError
from sootprint.hub.reading import Stored
from sootprint.report import figures, words

FEWEST, MOST = 2, 5
MOST_CHANGES = 300
_NAMES = {"energy_kwh": "Energy", "emissions_kg": "Emissions", "duration_s": "Time", "cost": "Cost"}


def compare(engine: Engine, keys: list[str]) -> Sheet:
    """Two to five records beside each other.

    Raises:
        InputError: They are fewer or more.
        NotFoundError: There is no such record.
    """
    keys = list(dict.fromkeys(key for key in keys if key))
    if not FEWEST <= len(keys) <= MOST:
        raise InputError(
            f"{counted(len(keys), 'footprint')} to compare: choose {FEWEST} to {MOST} in the list of Explore"
        )
    stored = [_stored(engine, key) for key in keys]
    titles = _titles(stored)
    footprints = [one.footprint for one in stored]
    first = Side(label=titles[0], runs=(footprints[0],))
    parts = [Part(grid=_beside(stored, titles, footprints))]
    for title, footprint in zip(titles[1:], footprints[1:], strict=True):
        told = differences(first, Side(label=title, runs=(footprint,)))
        rows = [(_NAMES[one.of], _ratio(one), one.verdict, one.why) for one in told]
        grid = Grid(
            caption=f"{title} over {titles[0]}",
            columns=("Quantity", "Ratio (90 %)", "Verdict", "What to know"),
            numbers=(1,),
            rows=rows,
        )
        parts.append(
            Part(title=f"{title} against {titles[0]}", says=[_said(title, titles[0], told)], grid=grid)
        )
    return Sheet(
        title=f"{len(stored)} footprints compared",
        lead="Numbers as claimed, with 90 % intervals. Factors that two footprints share cancel in "
        "their ratio; a ratio whose "
        "interval holds 1 is no measurable difference.",
        above=[Link("Explore", "/explore")],
        parts=parts,
    )


def _stored(engine: Engine, key: str, version: int | None = None) -> Stored:
    found = reading.one(engine, key, version) if is_uuid7(key) else None
    if found is None:
        raise NotFoundError(
            f"there is no footprint {key[:60]!r} here" + (f", version {version}" if version else "")
        )
    if found.text is None:
        raise GoneError(f"footprint {key} was retracted: {found.reason}")
    return found


def _titles(stored: list[Stored]) -> list[str]:
    """Names of the records, numbered where two have one name."""
    names = [views.listed(one.row)["title"] for one in stored]
    return [
        f"{name} ({names[: place + 1].count(name)})" if names.count(name) > 1 else name
        for place, name in enumerate(names)
    ]


def _beside(stored: list[Stored], titles: list[str], footprints: list[Footprint]) -> Grid:
    rows: list[list[Cell]] = [["Page", *(Link("open", f"/footprints/{one.row['id']}") for one in stored)]]
    shown = [views.listed(one.row) for one in stored]
    for name, of in (("Emissions", "emissions"), ("Energy", "energy")):
        rows.append([name, *(views.with_spread(one[of]) for one in shown)])
    rows += [
        ["PUE", *(_plain(one.pue) for one in footprints)],
        ["Intensity [gCO2e/kWh]", *(_plain(one.intensity_g_per_kwh) for one in footprints)],
        ["Device hours", *(figures.amount(one.device_hours, DEVICE_TIME) for one in footprints)],
        ["Hardware", *(one["on"] or figures.NOT_KNOWN for one in shown)],
        [
            "Place, year",
            *(", ".join(str(part) for part in (one["country"], one["year"]) if part) for one in shown),
        ],
        ["Boundary", *(words.BOUNDARIES.get(one["boundary"], one["boundary"]) for one in shown)],
        ["Evidence", *(one["evidence"] for one in shown)],
        ["Checked", *(views.CHECKED[one["verification"]] for one in shown)],
        ["Recomputed by the hub", *(figures.amount(one["our_emissions_kg"], MASS) for one in shown)],
    ]
    rows += _results(footprints)
    return Grid(caption="Side by side", columns=("", *titles), rows=rows)


def _results(footprints: list[Footprint]) -> list[list[Cell]]:
    """Results that at least two of them have."""
    tables = [
        {(one.task, one.dataset, one.metric): one.value for one in footprint.results}
        for footprint in footprints
    ]
    known = [key for table in tables for key in table]
    shared = [key for key in dict.fromkeys(known) if known.count(key) > 1]
    return [
        [
            clean(" · ".join(part for part in key if part)),
            *(f"{table[key]:g}" if key in table else "" for table in tables),
        ]
        for key in shared[:20]
    ]


def _plain(one: Quantity | None) -> str:
    return figures.NOT_KNOWN if one is None else figures.number(one.value)


def _ratio(one: Difference) -> str:
    if one.ratio is None:
        return ""
    times = figures.plain_unit("×")
    said = figures.amount(one.ratio, times)
    return said if one.ratio.low is None else f"{said} ({figures.spread(one.ratio, times)})"


def _said(title: str, first: str, told: list[Difference]) -> str:
    emitted = next(one for one in told if one.of == "emissions_kg")
    if emitted.ratio is None:
        return f"The emissions of {title} and {first} cannot be set against each other: {emitted.why}."
    if emitted.verdict in ("less", "more"):
        (times,) = figures.plain_unit("times")
        spread = figures.interval(emitted.ratio, times)
        sure = "" if spread in (figures.NOT_KNOWN, figures.EXACT) else f" (90 % interval {spread})"
        return f"{title} emitted {figures.value(emitted.ratio, times)} times as much as {first}{sure}."
    return (
        f"Whether {title} emitted more or less than {first} cannot be told: {emitted.why or emitted.verdict}."
    )


def versions(engine: Engine, key: str, before: int, after: int) -> Sheet:
    """What changed between two versions of a record.

    Raises:
        NotFoundError: There is no such record or version.
    """
    old, new = _stored(engine, key, before), _stored(engine, key, after)
    changes = list(changed(json.loads(old.text or b"{}"), json.loads(new.text or b"{}")))
    rows = [(path, was, now, _change(was, now)) for path, was, now in changes[:MOST_CHANGES]]
    title = views.listed(new.row)["title"]
    said = f"{len(changes)} field{'' if len(changes) == 1 else 's'} differ between version {before} and version {after}"
    kg = [one.recomputed["emissions_kg"] if one.recomputed else None for one in (old, new)]
    if kg[0] is not None and kg[1] is not None:
        was, now = (figures.amount(one, MASS) for one in kg)
        said += f"; as the hub computes them, the emissions went from {was} to {now}"
    return Sheet(
        title=f"{title}: version {before} to {after}",
        lead=f"Reason: {new.reason or 'first version'}",
        above=[Link("The footprint", f"/footprints/{key}")],
        parts=[
            Part(
                says=[f"{said}."],
                grid=Grid(
                    caption="Fields by their JSON pointer",
                    columns=("Field", f"Version {before}", f"Version {after}", "Change"),
                    numbers=(3,),
                    rows=rows,
                ),
            )
        ],
        actions=[Link(f"Version {one}", f"/footprints/{key}?version={one}") for one in (before, after)],
    )


def changed(old: Any, new: Any, at: str = "") -> Iterator[tuple[str, str, str]]:
    """JSON pointer, old and new value of all that differs.

    >>> list(changed({"a": 1, "b": [1]}, {"a": 2, "b": [1, 3]}))
    [('/a', '1', '2'), ('/b/1', 'not there', '3')]
    """
    if isinstance(old, dict) and isinstance(new, dict):
        for name in sorted({*old, *new}):
            yield from changed(old.get(name, _NONE), new.get(name, _NONE), f"{at}/{name}")
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            was, now = (one[index] if index < len(one) else _NONE for one in (old, new))
            yield from changed(was, now, f"{at}/{index}")
    elif old is _NONE and isinstance(new, dict | list) and new:
        yield from changed(type(new)(), new, at)
    elif new is _NONE and isinstance(old, dict | list) and old:
        yield from changed(old, type(old)(), at)
    elif old != new:
        yield clean(at)[:200], _text(old), _text(new)


_NONE = object()


def _text(value: Any) -> str:
    if value is _NONE:
        return "not there"
    return clean(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))[:200]


def _change(was: str, now: str) -> str:
    try:
        old, new = float(was), float(now)
    except ValueError:
        return ""
    if not old or not math.isfinite(new / old):
        return ""
    ratio = new / old
    return f"{figures.number(ratio)} ×" if not 0.5 < ratio < 2.0 else f"{100.0 * (ratio - 1.0):+.3g} %"
