"""What is searched of a record: columns of its row, its results, its words, its place in the facets."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sootprint.core import utc
from sootprint.core.letters import clean
from sootprint.core.quantity import Quantity
from sootprint.core.records import Footprint, Result, device_count, idle_kwh, main_device
from sootprint.core.results import is_higher_better
from sootprint.hub import evidence, truth
from sootprint.hub.truth import Recomputed

LABEL = 200  # letters of a name that are searched; the record keeps all
MAX_RESULTS = 100  # of one record that enter leaderboards
FACETS = (
    "stage", "evidence", "verification", "country", "year", "task", "hardware", "origin", "marked",
)  # fmt: skip
BOARD, RATIO, KNOWN = "board", "ratio", "known"
# Quality results of a leaderboard by its identity: all, those with emissions, and those of these that count at once
ENTRIES, COSTED, SOUND_ENTRIES = "entries", "costed", "sound"
MOST_POINTS = 60  # of a training's curve; the record keeps all
SOUND = "C"  # the weakest evidence that a leaderboard counts unless all is asked for
# Classes of claimed over recomputed emissions by their lower end, with what a reader sees
RATIOS = (
    ("0", "below 0.01"), ("0.01", "0.01 to 0.5"), ("0.5", "0.5 to 0.8"), ("0.8", "0.8 to 1.25"), ("1.25", "1.25 to 2"),
    ("2", "2 to 100"), ("100", "100 or more"),
)  # fmt: skip
_KNOWN = (
    "year", "country", "hardware", "device_hours", "energy_kwh", "emissions_kg", "task", "paper", "model",
)  # fmt: skip
PUBLISHED, RETRACTED = "published", "retracted"


def row(footprint: Footprint, recomputed: Recomputed) -> dict[str, Any]:
    """Columns of `FootprintRow` that come from the record."""
    main = main_device(footprint.hardware)
    quality = next((one for one in footprint.results if one.kind == "quality"), None)
    made = {
        "name": label(footprint.name),
        "project": label(footprint.project),
        "run_group": label(footprint.run_group),
        "parent": label(footprint.parent),
        "stage": footprint.stage,
        "scope": footprint.scope,
        "boundary": footprint.boundary,
        "model": label(_of(footprint.model, "name")),
        "paper": label(paper(footprint)),
        "year": truth.year_of(footprint),
        "started": label(utc.written(footprint.started) if footprint.started else None, 40),
        "zone": label(footprint.place.zone, 60),
        "country": label(country(footprint), 60),
        "hardware": label(_of(main, "name")),
        "devices": None if (count := device_count(footprint)) is None else min(count, 1 << 62),
        "task": label(_of(quality, "task")),
        "dataset": label(_of(quality, "dataset")),
        "device_hours": _of(footprint.device_hours, "value"),
        **bounds("energy", "kwh", footprint.energy_kwh),
        **bounds("emissions", "kg", footprint.emissions_kg),
        **bounds("our_energy", "kwh", recomputed.energy_kwh),
        **bounds("our_emissions", "kg", recomputed.emissions_kg if recomputed.is_ours else None),
        "idle_kwh": idle_kwh(footprint),
        "architecture": label(_of(footprint.model, "architecture")),
        "basis": _of(footprint.energy_kwh, "basis"),
        "grade": footprint.grade,
        "evidence": evidence.counted(footprint),
        "verification": recomputed.verification,
        "marked": int(bool(recomputed.marks)),
        "emissions_ratio": recomputed.emissions_ratio,
    }
    return {**made, "words": words(footprint, made)}


def results(footprint: Footprint, marked: int = 0) -> list[dict[str, Any]]:
    """Columns of `ResultRow` for the results that a leaderboard can show."""
    energy, emitted = footprint.energy_kwh, footprint.emissions_kg
    shared = {
        "energy_kwh": _of(energy, "value"),
        "emissions_kg": _of(emitted, "value"),
        "evidence": evidence.counted(footprint),
        "year": truth.year_of(footprint),
        "marked": marked,
    }
    return [
        {
            "position": position,
            "board": board(*_board_of(one)),
            **dict(zip(("task", "dataset", "metric", "split"), _board_of(one), strict=True)),
            "kind": one.kind,
            "value": one.value,
            "curve": _curve(footprint, one) if one.kind == "quality" and footprint.curve else None,
            **shared,
        }
        for position, one in enumerate(footprint.results[:MAX_RESULTS])
    ]


def board(task: str, dataset: str, metric: str, split: str = "") -> str:
    """Identity of the leaderboard of a task, data set, metric and split, whatever the letters' case."""
    said = json.dumps([one.casefold() for one in (task, dataset, metric, *([split] if split else ()))])
    return hashlib.sha256(said.encode()).hexdigest()


def split(text: str | None) -> str:
    """Split of a data set as leaderboards have it, of which validation has three names; nothing where it is not told.

    >>> split("Val"), split("test-dev"), split(None)
    ('validation', 'test-dev', '')
    """
    said = (label(text) or "").strip()
    return "validation" if said.casefold() in ("val", "valid") else said


def facets(row: Mapping[str, Any], listed: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Facets with the values that a published record has, the leaderboards of its quality results among them."""
    found = [(name, str(row[name])) for name in FACETS if row[name] is not None]
    boards = {
        board_name(one["task"], one["dataset"], one["metric"], one["split"])
        for one in listed
        if one["kind"] == "quality" and one["task"]
    }
    found += [(KNOWN, name) for name in _KNOWN if row[name] is not None]
    ratio = row["emissions_ratio"]
    if ratio is not None:
        found.append((RATIO, next(name for name, _ in reversed(RATIOS) if ratio >= float(name))))
    found += [(BOARD, text) for text in sorted(boards) if len(text) <= 640]
    return [*found, *_entries(row, listed)]


def board_name(task: str, dataset: str, metric: str, split: str = "") -> str:
    """Name of a leaderboard in the counts: its split only where it has one."""
    return json.dumps([task, dataset, metric, *([split] if split else ())], ensure_ascii=False)


def _entries(row: Mapping[str, Any], listed: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Counts of leaderboards that the quality results of a record enter."""
    for one in listed:
        if one["kind"] != "quality":
            continue
        yield ENTRIES, one["board"]
        if row["emissions_kg"] is not None:
            yield COSTED, one["board"]
            if row["evidence"] <= SOUND and not row["marked"]:
                yield SOUND_ENTRIES, one["board"]


def country(footprint: Footprint) -> str | None:
    """Country of a record, or of its zone where that begins with the code of one."""
    if footprint.place.country:
        return footprint.place.country
    zone = footprint.place.zone or ""
    return zone[:2] if zone[:2].isupper() and zone[2:3] in ("", "-") else None


def paper(footprint: Footprint) -> str | None:
    """Publication of a record in one line."""
    found = footprint.paper
    return (found.citation or found.doi or found.arxiv) if found else None


def words(footprint: Footprint, made: Mapping[str, Any]) -> str:
    """Text that the search looks in."""
    model = footprint.model
    said = [
        made[name] for name in ("name", "project", "model", "paper", "hardware", "task", "dataset", "zone")
    ]
    said += [model.family, model.architecture, model.technique] if model else []
    said += [one.metric for one in footprint.results[:MAX_RESULTS]]
    return " ".join(dict.fromkeys(clean(text)[:LABEL] for text in said if text))


def label(text: str | None, most: int = LABEL) -> str | None:
    """A text of somebody's as it may stand in a column: no control characters, not too long."""
    return None if text is None else clean(text).replace("\0", "")[:most]


def _board_of(one: Result) -> tuple[str, str, str, str]:
    return label(one.task) or "", label(one.dataset) or "", label(one.metric) or "", split(one.split)


def bounds(name: str, unit: str, quantity: Quantity | None) -> dict[str, float | None]:
    """Columns of a quantity: its value and its bounds."""
    return {
        f"{name}_{unit}": _of(quantity, "value"),
        f"{name}_low_{unit}": _of(quantity, "low"),
        f"{name}_high_{unit}": _of(quantity, "high"),
    }


def _of(part: object | None, name: str) -> Any:
    return None if part is None else getattr(part, name)


def _curve(footprint: Footprint, one: Result) -> str | None:
    """Best value so far of a result's metric over energy, as JSON of pairs; None where nothing was logged."""
    name, higher = one.metric.casefold(), is_higher_better(one.metric)
    best: list[tuple[float, float]] = []
    for point in sorted(footprint.curve, key=lambda point: point.energy_kwh):
        if point.metric.casefold() != name:
            continue
        if not best or (point.value > best[-1][1] if higher else point.value < best[-1][1]):
            best.append((point.energy_kwh, point.value))
    if not best:
        return None
    step = -(-len(best) // MOST_POINTS)
    # between two kept points a target counts as reached at the later
    return json.dumps([*best[:-1:step], best[-1]])
