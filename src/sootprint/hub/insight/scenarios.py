"""Records together: of a model, a paper, a group of runs, and all trainings of one architecture as a scenario."""

from __future__ import annotations

from collections import Counter
from typing import Any

from sqlalchemy.engine import Engine

from sootprint.charts.scale import ENERGY, MASS, Unit
from sootprint.core.quantity import Quantity
from sootprint.hub import reading, views
from sootprint.hub.insight import nested, rollups
from sootprint.hub.insight.sheets import Grid, Link, Part, Sheet, counted, link
from sootprint.hub.problems import NotFoundError
from sootprint.hub.reading import Question
from sootprint.report import figures, words

SHOWN = 50
SAID = (
    "Sums are of the hub's own recomputations, so that all are of one method. Their bounds add, for the same factors "
    "enter all of them; a sum of which a part has no interval has none. Footprints that are to be reviewed are not in, "
    "and a run inside of another counts only for what came after that one."
)


def model(engine: Engine, name: str) -> Sheet:
    """All that the hub has of a model.

    Raises:
        NotFoundError: It has nothing.
    """
    rows = _listed(engine, {"model": name}, f"model {name!r:.80}")
    chosen = {"model": name}
    sums = nested.once(engine, rollups.sums(engine, rollups.MODEL, like=name), rollups.MODEL, chosen)
    designs = sorted({row["architecture"] for row in rows if row["architecture"]})
    papers = Counter(row["paper"] for row in rows if row["paper"])
    about = [link(f"Architecture: {one}", "/architectures/view", name=one) for one in designs]
    about += [link(paper, "/papers/view", name=paper) for paper, _ in papers.most_common(10)]
    return Sheet(
        title=name,
        lead=_places(rows),
        above=[Link("Explore", "/explore")],
        figures=_headline(sums),
        parts=[
            *_scenario(sums, "this model"),
            *([Part(title="Architecture and papers", items=about)] if about else []),
            Part(title="Footprints", records=[views.listed(row) for row in rows], caption=_caption(rows)),
        ],
        actions=[link("All with filters", "/explore", model=name), _compared(rows)],
    )


def architecture(engine: Engine, name: str) -> Sheet:
    """All trainings of an architecture, summed as a scenario.

    Raises:
        NotFoundError: The hub has none.
    """
    rows = _listed(engine, {"architecture": name}, f"architecture {name!r:.80}")
    chosen = {"architecture": name}
    sums = nested.once(engine, rollups.sums(engine, rollups.DESIGN, like=name), rollups.DESIGN, chosen)
    return Sheet(
        title=name,
        lead="What it took to train this architecture, as often as this hub knows of it.",
        above=[Link("Explore", "/explore")],
        figures=_headline(sums),
        parts=[
            *_scenario(sums, "this architecture"),
            Part(title="Footprints", records=[views.listed(row) for row in rows], caption=_caption(rows)),
        ],
        actions=[link("All with filters", "/explore", architecture=name)],
    )


def paper(engine: Engine, name: str) -> Sheet:
    """Footprints of a publication.

    Raises:
        NotFoundError: The hub has none.
    """
    rows = _listed(engine, {"paper": name}, f"paper {name!r:.80}")
    said = sum(row["origin"] == "third-party" for row in rows)
    lead = f"{len(rows)} footprint{'' if len(rows) == 1 else 's'} of this publication"
    if said:
        lead += f", {said} of them estimated by others from what it states"
    return Sheet(
        title=name,
        lead=f"{lead}.",
        above=[Link("Explore", "/explore")],
        parts=[
            *_together(engine, rows, {"paper": name}),
            Part(title="Footprints", records=[views.listed(row) for row in rows], caption=_caption(rows)),
        ],
        actions=[_compared(rows)] if len(rows) > 1 else [],
    )


def group(engine: Engine, name: str) -> Sheet:
    """Runs of one group: repetitions with other seeds, or the trials of a search.

    Raises:
        NotFoundError: The hub has none.
    """
    rows = _listed(engine, {"run_group": name}, f"group {name!r:.80}", most=reading.MOST)
    return Sheet(
        title=name,
        lead="Runs that were sent as one group, such as repetitions or the trials of a search, summed "
        "as a scenario.",
        above=[Link("Explore", "/explore")],
        parts=[
            *_together(engine, rows, {"run_group": name}),
            Part(
                title="Runs",
                records=[views.listed(row) for row in rows[:SHOWN]],
                caption=_caption(rows[:SHOWN]),
            ),
        ],
        actions=[link("All with filters", "/explore", run_group=name)],
    )


def _listed(engine: Engine, chosen: dict[str, str], what: str, most: int = SHOWN) -> list[dict[str, Any]]:
    rows, _ = reading.page(engine, Question(limit=most, filters=chosen))
    if not rows:
        raise NotFoundError(f"there is no footprint of {what} here")
    return rows


def _places(rows: list[dict[str, Any]]) -> str:
    countries = Counter(row["country"] for row in rows if row["country"])
    years = [row["year"] for row in rows if row["year"]]
    said = [f"trained in {', '.join(one for one, _ in countries.most_common(4))}"] if countries else []
    said += [f"{min(years)} to {max(years)}" if min(years) != max(years) else str(years[0])] if years else []
    text = "; ".join(said) or "place and year are not known"
    return f"{text[0].upper()}{text[1:]}."


def _headline(sums: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    if not sums:
        return []
    whole = rollups.total(sums)
    found = []
    for label, name, unit, units, gas in (
        ("Emissions", "emissions", "kg", MASS, " CO2e"),
        ("Energy", "energy", "kwh", ENERGY, ""),
    ):
        if whole[f"n_{name}"]:
            one = rollups.quantity(whole, name, unit)
            note = rollups.untold(whole, name) or _interval(one, units)
            found.append((f"{label}, all together", f"{figures.amount(one, units)}{gas}", note))
    found.append(("Trainings", f"{int(whole['n']):,}", ""))
    return found


def _interval(one: Quantity, units: tuple[Unit, ...]) -> str:
    shown = figures.spread(one, units)
    return "" if shown in (figures.NOT_KNOWN, figures.EXACT) else f"90 % interval {shown}"


def _scenario(sums: list[dict[str, Any]], what: str) -> list[Part]:
    """Sums by stage: what a final run is of all that was trained."""
    if not sums:
        return []
    ordered = sorted(sums, key=lambda row: -row["emissions_kg"])
    whole = rollups.total(ordered)
    rows = [_stage(_name(row), row) for row in ordered]
    if len(rows) > 1:
        rows.append(_stage("all together", whole))
    top = ordered[0]
    share = top["emissions_kg"] / whole["emissions_kg"] if whole["emissions_kg"] else None
    said = (
        f"{int(whole['n']):,} trainings of {what} are here; {figures.share(share)} of their emissions came from "
        f"{'those that tell no stage' if _name(top) == words.STAGES['other'] else _name(top)}."
        if share is not None and len(ordered) > 1
        else f"{int(whole['n']):,} {'training' if whole['n'] == 1 else 'trainings'} of {what}."
    )
    grid = Grid(
        caption="By stage of the life cycle, the largest emissions first",
        columns=("Stage", "Trainings", "Energy", "CO2e", "90 %"),
        numbers=(1, 2, 3, 4),
        rows=rows,
        total=len(rows) > 1,
    )
    return [Part(title="Scenario: all trainings together", says=[said, SAID], grid=grid)]


def _name(sums: dict[str, Any]) -> str:
    """Stage of sums in words."""
    stage = str(sums["key"]).partition("|")[0]
    return words.STAGES.get(stage, stage)


def _stage(name: str, sums: dict[str, Any]) -> tuple[str, ...]:
    energy, emitted = (
        rollups.quantity(sums, of, unit) if sums[f"n_{of}"] else None
        for of, unit in (("energy", "kwh"), ("emissions", "kg"))
    )
    return (
        name,
        f"{int(sums['n']):,}",
        figures.amount(energy, ENERGY) if energy else figures.NOT_KNOWN,
        figures.amount(emitted, MASS) if emitted else figures.NOT_KNOWN,
        figures.spread(emitted, MASS) if emitted else "",
    )


def _together(engine: Engine, rows: list[dict[str, Any]], chosen: dict[str, str]) -> list[Part]:
    """Sums over a short list of records, by stage."""
    shares, keys = nested.apart(engine, {**chosen, "marked": 0}, reading.MOST), {row["id"] for row in rows}
    changes = rollups.Changes()
    sums: dict[str, dict[str, Any]] = {}
    for row in rows:
        share = shares.get(row["id"], 1.0) if row["parent"] in keys else 1.0
        if row["marked"] or share <= 0.0:
            continue
        named = {**nested.part(row, share), "architecture": None, "model": "x", "year": None, "country": None}
        changes.add(named)
    for (_, key), terms in changes.items():
        sums[key] = {"key": key, **dict(zip(rollups.SUMS, terms, strict=True))}
    return _scenario(list(sums.values()), "this list")


def _caption(rows: list[dict[str, Any]]) -> str:
    return (
        f"{'The newest ' if len(rows) == SHOWN else ''}{counted(len(rows), 'footprint')}, with 90 % intervals"
    )


def _compared(rows: list[dict[str, Any]]) -> Link:
    chosen = [row["id"] for row in rows[:5]]
    return Link(
        "Compare" if len(rows) < 6 else "Compare the newest five",
        f"/compare?{'&'.join(f'id={one}' for one in chosen)}",
    )
