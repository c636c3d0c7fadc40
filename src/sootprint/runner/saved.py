"""What waiting saved, put into the record of a planned job's last segment, and again when better figures are there."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sootprint.core import regrid
from sootprint.core.errors import CatalogueError, InputError, IntensityError, RecordError, SettingsError
from sootprint.core.instants import stamp
from sootprint.core.intervals import Z90
from sootprint.core.units import energy_kwh
from sootprint.engines.book import PAUSED, Book, State
from sootprint.intensity.chain import ChainSource
from sootprint.intensity.trace import TraceSource
from sootprint.ledger import Ledger
from sootprint.planner.facility import of_region
from sootprint.planner.waited import OWN_RATIO, Grid, Job, Moved, Segment, Waited, waited
from sootprint.runner import overhead
from sootprint.runner.beside import instead, month
from sootprint.runner.followed import KEY, instant, with_plan
from sootprint.settings.targets import Target
from sootprint.tracker.refresh import without_year

if TYPE_CHECKING:
    from sootprint.core.protocols import Intensity
    from sootprint.core.quantity import Quantity
    from sootprint.core.records import Footprint
    from sootprint.settings import Settings

TAG = "plan"
BASES = {
    "run_now_kg": "the same work at once in the first zone, actual intensity",
    "actual_kg": "measured energy, actual intensity, with all that the wait cost",
    "random_kg": "mean over starts spread evenly until the last that ends in time, actual intensity",
    "oracle_kg": "perfect foresight of the actual intensity, pauses where it may pause",
}


def completed(record: Footprint, book: Book, number: int, settings: Settings) -> Footprint:
    """Record of a segment that has ended with its plan, and with what waiting saved where it was the last one.

    It is kept as a new version. Where a trace decided and no source is configured, the trace's hours count for the
    emissions, too.

    Raises:
        RecordError: The ledger cannot be read or written.
    """
    made = with_plan(record, book, number)
    with Ledger(settings.home) as ledger:
        if not (settings.grid and settings.grid.sources):
            made = _by_trace(made, book.state())
        ledger.amend(made, since=record)
        if is_last(made, book):
            before, made = made, with_savings(made, book, ledger, settings)
            ledger.amend(made, since=before)
    return made


def _by_trace(record: Footprint, state: State) -> Footprint:
    """Record with the hours of the plan's trace, where it tells them."""
    zone = record.place.zone
    trace = _trace(zone or "", state)
    if trace is None or zone is None or not record.intervals:
        return record
    try:
        steps = TraceSource(Path(trace)).between(zone, *regrid.span(record))
        return regrid.with_hours(without_year(record), steps)
    except (IntensityError, RecordError):
        return record


def is_last(record: Footprint, book: Book) -> bool:
    """Whether a record is of the segment with which its plan ended."""
    segments = book.state().segments
    last = segments[-1] if segments else None
    ended = last is not None and last.code is not None and not (last.code == PAUSED and last.asked)
    return ended and last is not None and _number(record) == last.number


def with_savings(
    record: Footprint, book: Book, ledger: Ledger, settings: Settings, *, source: str | None = None
) -> Footprint:
    """Record of a plan's last segment with what waiting saved, by the actual intensity of all of the plan's hours.

    Args:
        record: Record of the last segment, with its `plan`.
        book: Book of the plan.
        ledger: Ledger with the records of the earlier segments.
        settings: Settings with `[grid]`.
        source: Source to ask in place of those of the settings.
    """
    try:
        made = _savings(record, book.state(), ledger, settings, source)
    except (CatalogueError, InputError, IntensityError, RecordError, SettingsError) as err:
        made = {"measurable": False, "verdict": "not known yet", "reason": str(err)}
    return dataclasses.replace(record, savings={**(record.savings or {}), KEY: made})


def book_of(record: Footprint, settings: Settings) -> Book | None:
    """Book of the plan whose last segment a record is of; None where it is of none, or the book is gone."""
    from sootprint.engines.book import FOLDER

    told = (record.plan or {}).get(KEY)
    if not isinstance(told, dict) or KEY not in (record.savings or {}):
        return None
    folder = settings.home / FOLDER / str(told.get("id"))
    return Book(folder) if (folder / "book.jsonl").is_file() else None


def _savings(
    record: Footprint, state: State, ledger: Ledger, settings: Settings, source: str | None
) -> dict[str, Any]:
    records = [*_earlier(record, state, ledger), record]
    steps = _actual(records, state, settings, source)
    zones = list(steps)
    segments = [_segment(one, state, zones) for one in records]
    job = _job(records, state, segments, _pues(zones, records, state, settings))
    grid = _grid(list(steps.values()), job)
    found = waited(job, grid)
    told = {name: _plain(value) for name, value in found._asdict().items()}
    told |= {"measurable": found.measurable, "verdict": verdict(found)}
    told |= {"delay_s": max(0.0, job.segments[-1].end_s - job.made_s - found.work_s)}
    told |= {"share_of_oracle": _share(found), "bases": BASES, "segments": _ran(records, segments)}
    told |= {"intensity": _intensity(zones, grid, steps), "notes": _notes(state, steps, found)}
    told |= {"instead": instead(record, found, settings), "month": month(record, ledger)}
    return told


def verdict(found: Waited) -> str:
    """What waiting did, in words.

    A saving under its error bar is none.
    """
    if not found.measurable:
        return "no measurable saving"
    return "saved" if found.saving_kg.value > 0.0 else "cost more than running at once"


def _plain(value: Quantity | float | None) -> Any:
    return dataclasses.asdict(value) if dataclasses.is_dataclass(value) else value


def _share(found: Waited) -> float | None:
    """Share of what perfect foresight would have saved [1]."""
    if found.oracle_kg is None:
        return None
    possible = found.run_now_kg.value - found.oracle_kg.value
    return found.saving_kg.value / possible if possible > 1e-9 * found.run_now_kg.value else None


def _earlier(record: Footprint, state: State, ledger: Ledger) -> list[Footprint]:
    """Records of the plan's other segments, in order."""
    carried = {one.record for one in state.carried}  # the energy of moves is counted from the book
    rows = [row for row in ledger.runs() if row.tags.get(TAG) == state.plan.id]
    others = [ledger.get(row.id) for row in rows if row.id not in {record.id, *carried}]
    found = sorted((one for one in others if one.intervals), key=lambda one: one.started or "")
    known = {_number(one) for one in (*found, record)}
    missing = [one for one in range(1, _number(record) or 0) if one not in known and not _was_cut(one, state)]
    if missing:
        raise RecordError(
            f"{len(missing)} earlier parts of the job have no record here: they ran elsewhere, or their record is gone"
        )
    return found


def _number(record: Footprint) -> int | None:
    """Number of a record's segment; None for one that was cut off."""
    return ((record.plan or {}).get(KEY) or {}).get("segment")


def _was_cut(number: int, state: State) -> bool:
    return any(one.number == number and one.cut for one in state.segments)


def _segment(record: Footprint, state: State, zones: Sequence[str]) -> Segment:
    """Segment of a record; one whose end is in no book was cut off, and its work is lost."""
    start, end = (at.timestamp() for at in regrid.span(record))
    begun = next((one for one in state.segments if one.number == _number(record)), None)
    lead_s, tail_s = state.overheads_s(begun) if begun is not None else (0.0, end - start)
    parts = [
        (regrid.instant(one.start).timestamp(), regrid.instant(one.end).timestamp(), energy_kwh(one.energy_j))
        for one in record.intervals
    ]
    zone = record.place.zone or state.plan.zone or ""
    return Segment(zones.index(zone), start, end, lead_s, tail_s, np.array(parts, dtype=np.float64))


def _moves(state: State, zones: Sequence[str]) -> list[Moved]:
    """What was carried, with the zones of its ends; this machine has none of its own in a plan of several places."""
    zone_of = {str(one["name"]): str(one["zone"]) for one in state.plan.targets}
    made = []
    for one in state.carried:
        ends = {zone_of.get(name) for name in (one.source, one.target)}
        rows = [row for row, zone in enumerate(zones) if zone in ends]
        made.append(Moved(one.at_s, rows or range(len(zones)), one.energy_kwh[0]))
    return made


def _job(
    records: Sequence[Footprint], state: State, segments: Sequence[Segment], pues: Mapping[str, float]
) -> Job:
    plan = state.plan
    energy = records[-1].energy_kwh
    return Job(
        made_s=plan.made_s or segments[0].start_s,
        deadline_s=max(plan.deadline_s, segments[-1].end_s),
        segments=segments,
        pausable=plan.pausable,
        resume_s=state.resume_s,
        idle_w=plan.idle_w or 0.0,
        moves=_moves(state, list(pues)),
        pue=np.array(list(pues.values())),
        energy_spread=_spread(energy.low, energy.high) if energy else 0.0,
    )


def _pues(
    zones: Sequence[str], records: Sequence[Footprint], state: State, settings: Settings
) -> dict[str, float]:
    """PUE of each zone; where one is not known, that of the last record in all, for no guess may make a saving."""
    known = {zone: _pue(zone, records, state, settings) for zone in zones}
    found = {zone: pue for zone, pue in known.items() if pue is not None}
    if len(found) == len(known):
        return found
    last = records[-1].pue
    return dict.fromkeys(known, 1.0 if last is None else last.value)


def _pue(zone: str, records: Sequence[Footprint], state: State, settings: Settings) -> float | None:
    """PUE of a zone: as its own records have it, else as stated for a place in it, else as a cloud region publishes it.

    The PUE of 1 of a record that knows none is none.
    """
    here = [one for one in records if one.place.zone == zone]
    own = [one.pue.value for one in here if one.pue is not None and "pue" not in one.unknown]
    places = [Target(**one) for one in state.plan.targets if one.get("zone") == zone]
    now, words = state.plan.made_s, state.plan.arguments
    stated = [
        one.pue if here else overhead.pue_of(one, settings, arguments=words, at_s=now) for one in places
    ]
    region = of_region(zone)
    published = None if region is None else region.value
    return next((pue for pue in (*own, *stated, published) if pue is not None), None)


def _actual(
    records: Sequence[Footprint], state: State, settings: Settings, source: str | None
) -> dict[str, Sequence[Intensity]]:
    """Intensity of each zone that counts, the first one that where it would have run at once.

    Raises:
        IntensityError: No source tells the hours of the plan, or they are of several methods.
    """
    plan, now = state.plan, datetime.now(UTC)
    home = plan.zone or records[0].place.zone or ""
    zones = dict.fromkeys([home, *(one.place.zone or home for one in records)])
    start = min(instant(plan.made_s), *(regrid.span(one)[0] for one in records))
    end = max(instant(plan.deadline_s), *(regrid.span(one)[1] for one in records))
    made = {zone: _hours(zone, (start, end, now), state, settings, source) for zone in zones}
    methods = {one.factor.method for listed in made.values() for one in listed}
    if len(methods) != 1:
        raise IntensityError(
            f"{len(methods)} methods of intensity ({', '.join(sorted(map(str, methods)))}) are never compared"
        )
    return made


def _hours(
    zone: str,
    times: tuple[datetime, datetime, datetime],
    state: State,
    settings: Settings,
    source: str | None,
) -> Sequence[Intensity]:
    """Intensities of a zone until now, from the sources; all that a trace tells where none is configured."""
    start, end, now = times
    names = [source] if source else list(settings.grid.sources) if settings.grid else []
    if names:
        last = min(end, now)
        return (
            ChainSource([name for name in names if name != "annual"], settings)
            .ask(zone, start, last)
            .intensities
        )
    trace = _trace(zone, state)
    if trace is None:
        raise IntensityError("only an annual figure is known: state [grid] sources, then `sootprint refresh`")
    return TraceSource(Path(trace)).between(zone, start, end)


def _trace(zone: str, state: State) -> str | None:
    """File of a zone's intensity: that of a target in it, else that of the plan."""
    for target in state.plan.targets:
        if target.get("zone") == zone and target.get("trace"):
            return str(target["trace"])
    return state.plan.trace


def _grid(zones: Sequence[Sequence[Intensity]], job: Job) -> Grid:
    """Figures of all zones between common edges."""
    marks = {job.made_s, job.deadline_s, *(one.start_s for one in job.segments)}
    marks |= {at.timestamp() for listed in zones for one in listed for at in (one.start, one.end)}
    edges = np.array(sorted({round(mark, 3) for mark in marks}))  # as they are written
    values = np.full((len(zones), edges.size - 1), np.nan)
    spreads = np.zeros_like(values)
    for row, listed in enumerate(zones):
        for one in listed:
            ends = (round(at.timestamp(), 3) for at in (one.start, one.end))
            cells = slice(*np.searchsorted(edges, tuple(ends)))
            values[row, cells] = np.nan if one.factor.value is None else one.factor.value
            spreads[row, cells] = _spread(one.factor.low, one.factor.high)
    return Grid(edges, values, spreads)


def _spread(low: float | None, high: float | None) -> float:
    """Standard deviation of a logarithm by its 90 % interval; the usual one where there is none."""
    if low is None or high is None or low <= 0.0:
        return math.log(OWN_RATIO) / Z90
    return math.log(high / low) / (2.0 * Z90)


def _ran(records: Sequence[Footprint], segments: Sequence[Segment]) -> list[dict[str, Any]]:
    return [
        {"run": one.id, "zone": one.place.zone, "start": stamp(part.start_s), "end": stamp(part.end_s)}
        for one, part in zip(records, segments, strict=True)
    ]


def _intensity(zones: Sequence[str], grid: Grid, steps: Mapping[str, Sequence[Intensity]]) -> dict[str, Any]:
    """Actual intensity as it was counted, with its method and source."""
    factor = next(iter(steps.values()))[0].factor
    known = [[None if math.isnan(value) else round(float(value), 3) for value in row] for row in grid.values]
    return {
        "edges": [stamp(float(at)) for at in grid.edges_s],
        "zones": [{"zone": zone, "g_per_kwh": row} for zone, row in zip(zones, known, strict=True)],
        "method": factor.method or "unstated",
        "source": factor.source or "unstated",
    }


def _notes(state: State, steps: Mapping[str, Sequence[Intensity]], found: Waited) -> list[str]:
    notes = []
    foreseen = sum(one.forecast for listed in steps.values() for one in listed)
    if foreseen:
        notes.append(f"{foreseen} of the hours are forecasts yet: `sootprint refresh` asks again")
    if found.oracle_kg is None:
        notes.append(
            "a random start and perfect foresight need the hours until the deadline: `sootprint refresh` after it"
        )
    if state.plan.idle_w is None:
        notes.append(
            "the idle draw of a machine that stays on while the job waits is not known and not subtracted"
        )
    return notes
