"""What the pages show: numbers in words and figures, ready for the templates."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from sqlalchemy.engine import Engine

from sootprint.catalogue import tables
from sootprint.catalogue.search import search
from sootprint.catalogue.zones import namesakes
from sootprint.charts.scale import ENERGY, MASS, fitting
from sootprint.core.quantity import Factor, Quantity
from sootprint.core.records import Footprint, Place
from sootprint.estimator import factors
from sootprint.hub import chain, columns, drawings, formats, judgement, leaderboards, reading, truth
from sootprint.hub.context import Hub
from sootprint.hub.insight import reviews, rollups, trends
from sootprint.hub.insight.sheets import Link, link
from sootprint.hub.insight.worldwide import name_of
from sootprint.hub.leaderboards import Standing
from sootprint.hub.people import claims
from sootprint.hub.reading import Question, Stored
from sootprint.report import content, figures, words
from sootprint.report.carbon import place_in_words
from sootprint.report.kin import Kin

NEW = 6  # records on the first page
SHOWN_VALUES = 8  # of a facet
SHOWN_ENTRIES = 100  # rows of a leaderboard's table
FACETS = {
    "task": "Task", "hardware": "Hardware", "country": "Country", "year": "Year", "stage": "Stage",
    "evidence": "Evidence", "verification": "Checked", "origin": "Origin",
}  # fmt: skip
IN_ORDER = ("evidence", "year")  # facets that are read by their value, the others by how many there are
ORIGINS = {
    "tool": "sent by a tool",
    "form": "from the form",
    "third-party": "third-party estimate",
    "claimed": "third-party estimate, claimed by its authors",
}
RELATED = Kin(is_elsewhere=True)  # runs around and inside of a run stand on its page with links
CHECKED = {
    "schema-checked": "schema checked",
    "recomputed": "recomputed by the hub",
    "reviewed": "reviewed by a person",
    "replicated": "replicated",
    "none": "not checked",
}


def home(engine: Engine) -> dict[str, Any]:
    """The first page: counts, and what is new."""
    rows, _ = reading.page(engine, Question(limit=NEW))
    grades = dict(reading.tallies(engine, "evidence"))
    total = sum(grades.values())
    marked = dict(reading.tallies(engine, "marked")).get("1", 0)
    return {
        "total": total,
        "tiles": _tiles(engine, grades, marked) if total else (),
        "rows": [listed(row) for row in rows],
        "grades": [
            {
                "grade": grade,
                "n": grades.get(grade, 0),
                "says": words.GRADES[grade],
                "share": _percent(grades.get(grade, 0), total),
            }
            for grade in words.GRADES
        ],
        "countries": len(reading.tallies(engine, "country", 300)),
        "boards": len(leaderboards.boards(engine)),
    }


def _tiles(engine: Engine, grades: dict[str, int], marked: int) -> list[tuple[str, str, str, str]]:
    """Headline of the first page: label, value, note and where it leads."""
    total = sum(grades.values())
    measured = sum(n for grade, n in grades.items() if grade <= columns.SOUND)
    sums = rollups.total(rollups.sums(engine, rollups.TIME))
    found = []
    if sums["n_emissions"]:
        emitted = trends.year_of(0, sums, "emissions")
        low, high = (None if bound is None else _plain(bound, MASS) for bound in (emitted.low, emitted.high))
        said = f", 90 % of them {low} to {high}" if low and high else ""
        note = f"geometric mean of the {emitted.n:,} with a year{said}"
        whole = rollups.quantity(sums, "emissions", "kg")
        spread = rollups.untold(sums, "emissions") or figures.spread(whole, MASS)
        found.append(("A training emitted, typically", f"{_plain(emitted.mean, MASS)} CO2e", note, "/trends"))
        told = f"{spread}, from {_plain(sums['energy_kwh'], ENERGY)}"
        found.append(("All of them", f"{figures.amount(whole, MASS)} CO2e", told, "/map"))
    share = figures.share(measured / total)
    return [
        *found,
        ("Measured, not modelled", share, f"{measured:,} of {total:,}, evidence A to C", "/quality"),
        ("To be reviewed", f"{marked:,}", "claims far from what their inputs give", "/review"),
    ]


def _plain(value: float, units: Any) -> str:
    """Amount to two digits, as the trainings of a hub differ by orders of magnitude."""
    unit = fitting(units, value)
    return f"{figures.number(value / unit.size, 2)} {unit.name}"


def _percent(part: int, total: int) -> str:
    return figures.share(part / total) if total else "0 %"


def listed(row: dict[str, Any]) -> dict[str, Any]:
    """One record of a list."""
    return {
        **row,
        "title": row["model"] or row["name"] or f"Run {row['id'][-8:]}",
        "emissions": _amount(row, "emissions", "kg", MASS),
        "energy": _amount(row, "energy", "kwh", ENERGY),
        "on": f"{row['devices']:,} × {row['hardware']}"
        if row["hardware"] and row["devices"]
        else row["hardware"],
    }


def _amount(row: dict[str, Any], name: str, unit: str, units: Any) -> dict[str, str]:
    value = row[f"{name}_{unit}"]
    if value is None:
        return {"value": figures.NOT_KNOWN, "spread": ""}
    quantity = Quantity(value=value, low=row[f"{name}_low_{unit}"], high=row[f"{name}_high_{unit}"])
    spread = figures.spread(quantity, units)
    return {
        "value": figures.amount(quantity, units),
        "spread": "" if spread in (figures.NOT_KNOWN, figures.EXACT) else spread,
    }


def with_spread(amount: dict[str, str]) -> str:
    """An amount of a listed record with its interval behind it."""
    return f"{amount['value']} ({amount['spread']})" if amount["spread"] else amount["value"]


def facets(engine: Engine, given: dict[str, str]) -> list[dict[str, Any]]:
    """Facets with their most frequent values, each with the filters that a click on it leads to."""
    found = []
    for name, title in FACETS.items():
        values = reading.tallies(engine, name, SHOWN_VALUES)
        if name in IN_ORDER:
            values = sorted(values, reverse=name == "year")
        chosen = given.get(name)
        if chosen is not None and chosen not in dict(values):
            values = [(chosen, 0), *values]
        if values:
            found.append(
                {
                    "title": title,
                    "values": [
                        {
                            "value": _in_words(name, value),
                            "n": n,
                            "chosen": value == chosen,
                            "to": _toggled(given, name, value),
                        }
                        for value, n in values
                    ],
                    "open": name in ("task", "evidence") or chosen is not None,
                }
            )
    return found


def _in_words(facet: str, value: str) -> str:
    """Value of a facet as a person reads it."""
    if facet == "country":
        return name_of(value)
    if facet == "evidence":
        return f"{value}: {words.GRADES[value]}" if value in words.GRADES else value
    return {"verification": CHECKED, "origin": ORIGINS, "stage": words.STAGES}.get(facet, {}).get(
        value, value
    )


def _toggled(given: dict[str, str], name: str, value: str) -> dict[str, str]:
    if given.get(name) == value:
        return {key: one for key, one in given.items() if key != name}
    return {**given, name: value}


def record(hub: Hub, stored: Stored) -> dict[str, Any]:
    """The page of a version of a record."""
    footprint, said = stored.footprint, judgement.assessment(hub.engine, stored)
    claim = claims.of_record(hub.engine, footprint.id)
    return {
        "stored": stored,
        "row": {**stored.own, "version": stored.row["version"]},
        "footprint": footprint,
        "report": content.report(footprint, RELATED),
        "said": said,
        "grade_says": words.GRADES[said["grade_counted"]],
        "checked": CHECKED[said["verification"]],
        "origin": _origin(stored, claim),
        "ratio": _ratio(said["emissions_kg"]["ratio"]),
        "compared": _compared(said),
        "drawing": drawings.beside(footprint.emissions_kg, _quantity(said["emissions_kg"]["recomputed"])),
        "address": f"{hub.address}/footprints/{footprint.id}",
        "results": footprint.results,
        "reviews": reviews.of(hub.engine, footprint.id),
        "about": _about(stored.own),
        "citation": _citation(hub, stored),
        "statements": formats.offered(footprint),
        "claim": claim,
    }


def _origin(stored: Stored, claim: dict[str, Any] | None) -> str:
    """Who made a version, in words: what came after a confirmed claim is the authors' own."""
    own = claim is not None and claim["state"] == claims.CONFIRMED and stored.at > claim["decided_at"]
    return "from its authors" if own else ORIGINS[stored.row["origin"]]


def _about(row: dict[str, Any]) -> list[tuple[str, Link]]:
    """Pages of what a record belongs to."""
    named = (
        ("Model", "/models/view", row["model"]),
        ("Architecture", "/architectures/view", row["architecture"]),
        ("Publication", "/papers/view", row["paper"]),
        ("Project", "/projects/view", row["project"]),
        ("Group of runs", "/groups/view", row["run_group"]),
    )
    return [(text, link(name, path, name=name)) for text, path, name in named if name]


def _quantity(plain: dict[str, Any] | None) -> Quantity | None:
    return None if plain is None else Quantity(value=plain["value"], low=plain["low"], high=plain["high"])


def _ratio(ratio: float | None) -> str:
    return figures.NOT_KNOWN if ratio is None else f"{figures.number(ratio)}\N{NO-BREAK SPACE}×"


def _compared(said: dict[str, Any]) -> list[dict[str, str]]:
    found = []
    for title, name, units in (("Energy", "energy_kwh", ENERGY), ("Emissions", "emissions_kg", MASS)):
        both = said[name]
        claimed, ours = _quantity(both["claimed"]), _quantity(both["recomputed"])
        found.append(
            {
                "title": title,
                "claimed": figures.amount(claimed, units) if claimed else figures.NOT_KNOWN,
                "claimed_spread": figures.spread(claimed, units) if claimed else "",
                "recomputed": figures.amount(ours, units) if ours else figures.NOT_KNOWN,
                "recomputed_spread": figures.spread(ours, units) if ours else "",
                "ratio": _ratio(both["ratio"]),
            }
        )
    return found


def _citation(hub: Hub, stored: Stored) -> str:
    title = listed(stored.own)["title"]
    return (
        f"Carbon footprint of {title}, version {stored.version} ({stored.at[:10]}), "
        f"{hub.address}/footprints/{stored.row['id']}?version={stored.version}"
    )


def boards(engine: Engine) -> list[tuple[str, list[leaderboards.Board]]]:
    """Leaderboards by task."""
    found = sorted(leaderboards.boards(engine), key=lambda one: (one.task.casefold(), -one.n))
    return [(task, list(listed)) for task, listed in groupby(found, key=lambda one: one.task)]


def board(
    engine: Engine,
    found: Standing,
    names: leaderboards.Names,
    *,
    weak: bool,
    splits: Sequence[tuple[str, int]] = (),
    before: int = 0,
) -> dict[str, Any]:
    """One leaderboard with robustness and fairness beside quality, the way to other splits and to the rest.

    Its two charts have the front of all entries and those of the page, which has entries `before` it or is the first.
    """
    shown = found.entries[:SHOWN_ENTRIES]
    others = leaderboards.beside(engine, [row["seq"] for row in shown])
    charts = {"carbon": "emissions_kg", "energy": "energy_kwh"}
    rest = {**names._asdict(), "weak": int(weak), "cursor": found.next_cursor}
    return {
        **names._asdict(),
        "splits": [
            link(
                f"{name or 'not told'} ({n:,})", "/leaderboards/view", **{**names._asdict(), "split": name}
            )._replace(current=name == names.split)
            for name, n in splits
        ],
        "weak": weak,
        "found": found,
        "entries": [
            {**listed(row), "value": row["value"], "others": others.get(row["seq"], [])} for row in shown
        ],
        "has_others": bool(others),
        "none_sound": leaderboards.NONE_SOUND,
        "before": before,
        "more": f"/leaderboards/view?{urlencode(rest)}" if found.next_cursor else None,
        **{
            name: drawings.standing(found, cost=cost, metric=names.metric, before=before)
            for name, cost in charts.items()
        },
    }


def form(engine: Engine, estimate: Footprint | None) -> dict[str, Any]:
    """The form's lists, and the estimate where there is one."""
    return {
        "boards": leaderboards.boards(engine),
        "estimate": estimate,
        "report": content.report(estimate) if estimate else None,
        "drawing": drawings.beside(estimate.emissions_kg, None, "estimate") if estimate else None,
        "where": _where(estimate.place) if estimate else None,
        "hardware": _names("accelerators"),
        "zones": _zones(),
        "stages": words.STAGES,
        "scopes": words.SCOPES,
        "works": tuple(factors.WORKS),
    }


def _where(place: Place) -> tuple[str, tuple[str, ...]] | None:
    """Place as it was read, and the states that its two letters stand for as well; None where none was given."""
    return (place_in_words(place), namesakes(place.zone)) if place.zone else None


@cache
def _names(table: str) -> list[str]:
    return sorted({row["name"] for row in tables.all_rows(table)})


@cache
def _zones() -> list[tuple[str, str]]:
    return sorted({(row["zone"], row["name"]) for row in tables.all_rows("zones")}, key=lambda one: one[1])


def methodology() -> dict[str, Any]:
    """How the hub computes, and with what."""
    return {
        "engine": truth.engine(),
        "credible": truth.CREDIBLE,
        "grades": words.GRADES,
        "checked": CHECKED,
        "works": _shares(),
        "sources": search("factors"),
    }


def _shares() -> dict[str, Factor]:
    """Share of the rated power by kind of work; that of trainings at three sizes."""
    sizes = {f"training of {hours:,} device hours": float(hours) for hours in (10, 1_000, 100_000)}
    trainings = {
        name: factors.power_fraction("llm-pretrain", device_hours=size) for name, size in sizes.items()
    }
    return trainings | {name: factors.power_fraction(name) for name in ("inference", "unknown")}


def downloads(engine: Engine) -> dict[str, Any]:
    """What can be downloaded, and the log's last hash."""
    n = sum(count for _, count in reading.tallies(engine, "evidence"))
    return {"total": n, "head": chain.head(engine), "facets": columns.FACETS}


def utc(text: str | None) -> str:
    """Instant of a record in UTC, to the minute; a date alone as it stands, nothing for none.

    >>> utc("2023-12-31T23:30:00-08:00"), utc("2024-03-01"), utc(None)
    ('2024-01-01 07:30', '2024-03-01', '')
    """
    is_instant = text is not None and len(text) > len("2024-03-01")
    return figures.moment(text).removesuffix(" UTC") if is_instant else text or ""


def size(n: int) -> str:
    """Size of a file in words.

    >>> size(532), size(43_020), size(2_500_000_000)
    ('532 B', '43 kB', '2.5 GB')
    """
    if n < 1_000:
        return f"{n} B"
    value, unit = next(
        (n / 10**power, unit) for power, unit in ((9, "GB"), (6, "MB"), (3, "kB")) if n >= 10**power
    )
    return f"{value:.3g} {unit}"
