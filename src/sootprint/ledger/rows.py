"""Rows of the ledger: what is listed without opening a record, and sums over runs."""

from __future__ import annotations

import dataclasses
import itertools
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sootprint.core import carbon, intervals
from sootprint.core.errors import InputError
from sootprint.core.merging import parts
from sootprint.core.merging.times import Span, seconds
from sootprint.core.quantity import Quantity
from sootprint.core.records import Footprint

MOST_NAMED = 20  # tags in a message
STATEMENT = "statement"  # tag of what a cloud provider claims for a month, which no sum over runs holds
NOTHING = "(none)"  # in the name of a sum over runs without a project, tag or the like
_TIMES = ("month", "year")
USER = "user"  # tag of a cluster's jobs
NO_USERS = (
    "summary by 'user' is not possible: no record holds a user, and a home is one user's; "
    "state --tag user=NAME, import a cluster's jobs, or collect the node service's figures by user"
)
COLUMNS = (
    "id", "state", "name", "project", "tags", "zone", "grade", "started", "duration_s",
    "energy_kwh", "energy_low_kwh", "energy_high_kwh",
    "emissions_kg", "emissions_low_kg", "emissions_high_kg",
    "parent", "run_group", "merged", "apart_kwh", "methods", "idle_kwh",
)  # fmt: skip
_AS_STORED = (
    "id", "state", "name", "project", "zone", "grade", "started", "duration_s", "parent", "run_group", "idle_kwh",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """One run as it is listed; the record itself comes from `Ledger.get`.

    Args:
        id: Identity of the run.
        state: finished or recovered.
        name: Name of the run.
        project: Project.
        tags: Tags.
        zone: Grid zone, or None where the place is unknown.
        grade: Evidence grade.
        started: Start, ISO 8601 UTC.
        duration_s: Wall time [s].
        energy_kwh: IT energy with its interval [kWh].
        emissions_kg: Operational emissions with their interval [kgCO2e].
        parent: Run that this one names as its parent.
        run_group: Job that it is of.
        merged: Runs that it was merged from; empty for one that was measured.
        apart_kwh: Energy that it was charged while no run around it was measured, where that was told [kWh].
        part_of: Run of this ledger that includes its energy; None for one that sums count.
        apart: Share of its energy that is not in that run's, as it went on after it [0-1].
        apart_s: For how long it went on, where that is known [s].
        methods: Methods of its intensities.
        idle_kwh: Energy of its components while they were less than 5 % busy, or None where none tells [kWh].
    """

    id: str
    state: str
    name: str | None
    project: str | None
    tags: dict[str, str]
    zone: str | None
    grade: str | None
    started: str | None
    duration_s: float | None
    energy_kwh: Quantity | None
    emissions_kg: Quantity | None
    parent: str | None = None
    run_group: str | None = None
    merged: tuple[str, ...] = ()
    apart_kwh: float | None = None
    part_of: str | None = None
    apart: float = 0.0
    apart_s: float | None = None
    methods: tuple[str, ...] = ()
    idle_kwh: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryRow:
    """Sum over the runs that share a project, node, month, year, tag or value of a tag, or several of these.

    Args:
        key: The project, node (its pseudonym), month (YYYY-MM), year, tag (name=value) or value of the one tag; None
            for runs without one. Of several, what they are called together.
        runs: Number of runs [1].
        duration_s: Wall time of the runs that know theirs [s].
        energy_kwh: IT energy of the runs that know theirs [kWh], or None where none does.
        emissions_kg: Operational emissions of the runs that know theirs [kgCO2e], or None where none does, or where
            they are of methods that are never added.
        without_energy: Runs whose energy is unknown and not in the sum [1].
        without_emissions: Runs whose emissions are unknown and not in the sum [1].
        methods: Methods of the intensities of the runs that know their emissions.
        idle_kwh: Energy that components drew while less than 5 % busy, of the runs that tell it [kWh]; None where none
            does.
        metered_kwh: IT energy of the runs that tell it, of which the idle energy is a share [kWh].
        keys: What the runs share, one for each thing that was asked for.
    """

    key: str | None
    runs: int
    duration_s: float
    energy_kwh: Quantity | None
    emissions_kg: Quantity | None
    without_energy: int
    without_emissions: int
    methods: tuple[str, ...] = ()
    idle_kwh: float | None = None
    metered_kwh: float = 0.0
    keys: tuple[str | None, ...] = ()

    @property
    def is_mixed(self) -> bool:
        """Whether its emissions are of methods that are never added."""
        return carbon.are_mixed(self.methods)


def row_of(values: Iterable[Any]) -> RunRow:
    """Run of one row of the listing, in the order of `COLUMNS`."""
    column = dict(zip(COLUMNS, values, strict=True))
    return RunRow(
        **{name: column[name] for name in _AS_STORED},
        merged=_listed(column["merged"]) if column["merged"] else (),
        methods=_listed(column["methods"]) if column["methods"] else (),
        apart_kwh=column["apart_kwh"],
        tags=dict(_tagged(column["tags"])),
        energy_kwh=_quantity(column["energy_kwh"], column["energy_low_kwh"], column["energy_high_kwh"]),
        emissions_kg=_quantity(
            column["emissions_kg"], column["emissions_low_kg"], column["emissions_high_kg"]
        ),
    )


@lru_cache(maxsize=8192)  # the runs of a cluster have a few between them
def _tagged(text: str) -> Mapping[str, str]:
    """Tags of a cell."""
    return dict(json.loads(text))


@lru_cache(maxsize=512)
def _listed(text: str) -> tuple[str, ...]:
    """Texts of a cell."""
    return tuple(json.loads(text))


def _quantity(value: float | None, low: float | None, high: float | None) -> Quantity | None:
    return None if value is None else Quantity(value=value, low=low, high=high)


def with_wholes(runs: Sequence[RunRow], *, record_of: Callable[[str], Footprint | None]) -> list[RunRow]:
    """Runs with the one that each is a part of: a merged one that has it, or the one that was running around it.

    Args:
        runs: All runs of a ledger.
        record_of: Record of a run, asked only of one that went on after the run around it.
    """
    known = {run.id: run for run in runs}
    holders: dict[str, RunRow] = {}
    for run in sorted(runs, key=lambda one: (len(one.merged), one.id)):  # the largest is written last
        holders |= dict.fromkeys(run.merged, run)
    places = {run.id: _place(run) for run in runs}
    found = [(run, _merged_in(run, known, holders) or parts.part(places[run.id], places)) for run in runs]
    return [run if part is None else _with_whole(run, part, record_of) for run, part in found]


def _with_whole(run: RunRow, part: parts.Part, record_of: Callable[[str], Footprint | None]) -> RunRow:
    apart = part.apart
    if apart is None:
        record = record_of(run.id)
        apart = parts.share_apart(record, part) if record is not None else 0.0
    when = _time(run)
    apart_s = when.end_s - part.until_s if apart > 0.0 and when and part.until_s is not None else None
    return dataclasses.replace(run, part_of=part.whole, apart=apart, apart_s=apart_s)


def _merged_in(run: RunRow, known: dict[str, RunRow], holders: dict[str, RunRow]) -> parts.Part | None:
    """The merged run that holds all of a run's energy, as far as that is its own."""
    if run.merged:
        larger = {holders[one].id for one in run.merged}
        whole = known[larger.pop()] if len(larger) == 1 else run
        return parts.Part(whole.id, 0.0, None) if whole.id != run.id else None
    return parts.Part(holders[run.id].id, 0.0, None) if run.id in holders else None


def _place(run: RunRow) -> parts.Place:
    whole_kwh = run.energy_kwh.value if run.energy_kwh else None
    return parts.Place(run.id, run.parent, _time(run), parts.told(run.apart_kwh, whole_kwh))


def _time(run: RunRow) -> Span | None:
    if run.started is None or run.duration_s is None:
        return None
    try:
        start_s = seconds(run.started)
    except InputError:  # of another program, as it wrote it
        return None
    return Span(start_s, start_s + run.duration_s)


def summaries(
    runs: Iterable[RunRow], by: str, *, nodes: Mapping[str, str | None] | None = None
) -> list[SummaryRow]:
    """Sums over runs by project, user, node, month, year, tag or one tag's value, or several of these.

    Months and years follow each other, as do the sums by several things; else the largest emissions come first.
    A run that is a part of another counts as that one's, but for what came after it. Statements of cloud providers
    hold runs and are not in the sums. A run with several tags counts
    under each of them, so the rows of a summary by tag do not add up; by one tag's value they do.

    Args:
        runs: Runs of a ledger.
        by: project, user, node, month, year, tag or tag:KEY, or several with commas between.
        nodes: Pseudonym of each run's machine, by the run's identity; None where it ran on several.

    Raises:
        InputError: `by` is none of them, a user where no run has one, or a tag that no run has.
    """
    known = nodes or {}
    of_runs = [
        run if run.part_of is None else _apart(run)
        for run in runs
        if STATEMENT not in run.tags and (run.part_of is None or run.apart > 0.0)
    ]
    groups = grouped(of_runs, by, nodes=known)
    rows = [_summary(keys, members) for keys, members in groups.items()]
    if is_in_order(by):
        return sorted(rows, key=lambda row: in_order(row.keys))
    return sorted(rows, key=lambda row: (-_value(row.emissions_kg), -_value(row.energy_kwh), row.key or ""))


def grouped(
    runs: Sequence[RunRow], by: str, *, nodes: Mapping[str, str | None] | None = None
) -> dict[tuple[str | None, ...], list[RunRow]]:
    """Runs by what `summaries` sums by, one key for each thing; raises as that does."""
    ways = [_way(one, runs, nodes or {}) for one in things(by)]
    groups: dict[tuple[str | None, ...], list[RunRow]] = {}
    for run in runs:
        for keys in itertools.product(*(way(run) for way in ways)):
            groups.setdefault(keys, []).append(run)
    return groups


def things(by: str) -> list[str]:
    """What a sum is asked by, each once, e.g. a project and a year."""
    return list(dict.fromkeys(one.strip() for one in by.split(",")))


def is_in_order(by: str) -> bool:
    """Whether sums stand in the order of what they are by: times do, and several things."""
    return len(things(by)) > 1 or by in _TIMES


def in_order(keys: Sequence[str | None]) -> tuple[tuple[bool, str], ...]:
    """What sums are sorted by that stand in the order of their keys, those without one last."""
    return tuple((key is None, key or "") for key in keys)


def named(keys: Sequence[str | None]) -> str | None:
    """Name of a sum: its key, or several with commas between."""
    if len(keys) == 1:
        return keys[0]
    return ", ".join(NOTHING if key is None else key for key in keys)


def _way(
    by: str, runs: Sequence[RunRow], nodes: Mapping[str, str | None]
) -> Callable[[RunRow], Iterable[str | None]]:
    if by == "node":
        return lambda run: (nodes.get(run.id),)
    way = _value_of(by, runs) or _KEYS.get(by)
    if way is None:
        choices = ", ".join((*_KEYS, "node", "user", "tag:KEY"))
        raise InputError(
            f"summary by {by!r:.60} is not possible: choose {choices}, or several of these, e.g. project,year"
        )
    return way


def _apart(run: RunRow) -> RunRow:
    """What of a part came after the run around it."""
    return dataclasses.replace(
        run,
        duration_s=run.duration_s if run.apart_s is None else run.apart_s,
        energy_kwh=run.energy_kwh and intervals.scaled(run.energy_kwh, run.apart),
        emissions_kg=run.emissions_kg and intervals.scaled(run.emissions_kg, run.apart),
        idle_kwh=None if run.idle_kwh is None else run.idle_kwh * run.apart,
    )


def _tags(run: RunRow) -> Iterator[str | None]:
    if not run.tags:
        yield None
    for name, value in sorted(run.tags.items()):
        yield f"{name}={value}"


def _value_of(by: str, runs: Sequence[RunRow]) -> Callable[[RunRow], Iterable[str | None]] | None:
    """Value of the tag that is asked for by tag:KEY, or by user; None where no tag is.

    Raises:
        InputError: None of the runs has it.
    """
    kind, _, name = (f"tag:{USER}" if by == USER else by).partition(":")
    if kind != "tag" or not name:
        return None
    known = {one for run in runs for one in run.tags}
    if by == USER and name not in known:
        raise InputError(NO_USERS)
    if runs and name not in known:
        there = f"there are {', '.join(sorted(known)[:MOST_NAMED])}" if known else "none has a tag"
        raise InputError(f"no run has a tag {name!r:.60}: {there}")
    return lambda run: (run.tags.get(name),)


_KEYS: dict[str, Callable[[RunRow], Iterable[str | None]]] = {
    "project": lambda run: (run.project,),
    "month": lambda run: (run.started[:7] if run.started else None,),
    "year": lambda run: (run.started[:4] if run.started else None,),
    "tag": _tags,
}


def _summary(keys: tuple[str | None, ...], runs: list[RunRow]) -> SummaryRow:
    energies = [run.energy_kwh for run in runs if run.energy_kwh is not None]
    emissions = [run.emissions_kg for run in runs if run.emissions_kg is not None]
    methods = {one for run in runs if run.emissions_kg is not None for one in run.methods}
    telling = [run for run in runs if run.idle_kwh is not None and run.energy_kwh is not None]
    return SummaryRow(
        key=named(keys),
        keys=keys,
        runs=len(runs),
        duration_s=math.fsum(run.duration_s or 0.0 for run in runs),
        energy_kwh=_sum(energies),
        emissions_kg=None if carbon.are_mixed(methods) else _sum(emissions),
        without_energy=len(runs) - len(energies),
        without_emissions=len(runs) - len(emissions),
        methods=tuple(sorted(methods)),
        idle_kwh=math.fsum(run.idle_kwh or 0.0 for run in telling) if telling else None,
        metered_kwh=math.fsum(run.energy_kwh.value for run in telling if run.energy_kwh is not None),
    )


def _sum(quantities: list[Quantity]) -> Quantity | None:
    """Sum of runs of one machine and grid, which err together; None where there is none."""
    return intervals.together(quantities) if quantities else None


def _value(quantity: Quantity | None) -> float:
    return -1.0 if quantity is None else quantity.value
