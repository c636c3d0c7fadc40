"""Power over time from a record's intervals: a stack of families in steps, with holes where nothing is known."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from sootprint.charts.families import rank
from sootprint.core import utc
from sootprint.core.protocols import family_of
from sootprint.core.records import Footprint

MOST_CELLS = 480  # steps over the width of a page; more would be less than a pixel and a half each


class Step(NamedTuple):
    """Power of one family from `start_s` to the next step of its segment, stacked on the families below [W]."""

    family: str
    segment: int  # steps of one segment follow each other without a hole
    start_s: float
    low_w: float
    high_w: float


class Span(NamedTuple):
    """Seconds since the run's start [s]."""

    start_s: float
    end_s: float


class _Piece(NamedTuple):
    family: str
    start_s: float
    end_s: float
    energy_j: float


def origin(footprint: Footprint) -> datetime | None:
    """Start of the run, or of its first interval where the record does not state it."""
    starts = [found for interval in footprint.intervals if (found := utc.found(interval.start))]
    return utc.found(footprint.started) or min(starts, default=None)


def steps(footprint: Footprint) -> list[Step]:
    """Steps of all families in order of time, at most `MOST_CELLS` for each family and segment end."""
    pieces = _pieces(footprint)
    edges = _edges(pieces)
    powers = {
        family: _powers([piece for piece in pieces if piece.family == family], edges)
        for family in sorted({piece.family for piece in pieces}, key=rank)
    }
    made: list[Step] = []
    segment = 0
    for cell in range(len(edges) - 1):
        known = {family: power for family, row in powers.items() if (power := row[cell]) is not None}
        if not known:
            segment += 1
            continue
        made += _stack(known, families=powers, segment=segment, start_s=edges[cell])
        if cell + 2 == len(edges) or all(row[cell + 1] is None for row in powers.values()):
            made += _stack(known, families=powers, segment=segment, start_s=edges[cell + 1])
    return made


def gaps(footprint: Footprint) -> list[Span]:
    """Times in which some component was not read, merged where they touch."""
    start = origin(footprint)
    if start is None:
        return []
    found: list[Span] = []
    for begin_s, end_s in sorted(_seconds(start, ((gap.start, gap.end) for gap in footprint.gaps))):
        if found and begin_s <= found[-1].end_s:
            found[-1] = Span(found[-1].start_s, max(found[-1].end_s, end_s))
        else:
            found.append(Span(begin_s, end_s))
    return found


def _stack(known: dict[str, float], *, families: Iterable[str], segment: int, start_s: float) -> list[Step]:
    level_w, made = 0.0, []
    for family in families:
        top_w = level_w + known.get(family, 0.0)
        made.append(Step(family, segment, start_s, level_w, top_w))
        level_w = top_w
    return made


def _pieces(footprint: Footprint) -> list[_Piece]:
    start = origin(footprint)
    if start is None:
        return []
    made = []
    for interval in footprint.intervals:
        for begin_s, end_s in _seconds(start, [(interval.start, interval.end)]):
            made.append(_Piece(family_of(interval.component), begin_s, end_s, interval.energy_j))
    return made


def _seconds(start: datetime, pairs: Iterable[tuple[str, str]]) -> list[Span]:
    """Pairs of instants as seconds since `start`, without those that are no instants or do not advance."""
    made = []
    for begin_text, end_text in pairs:
        begin, end = utc.found(begin_text), utc.found(end_text)
        if begin is not None and end is not None and end > begin:
            made.append(Span((begin - start).total_seconds(), (end - start).total_seconds()))
    return made


def _edges(pieces: list[_Piece]) -> list[float]:
    """Edges of the cells: those of the intervals, or equal steps where there would be too many."""
    edges = sorted({second for piece in pieces for second in (piece.start_s, piece.end_s)})
    if len(edges) <= MOST_CELLS + 1:
        return edges
    width_s = (edges[-1] - edges[0]) / MOST_CELLS
    return [edges[0] + width_s * cell for cell in range(MOST_CELLS)] + [edges[-1]]


def _powers(pieces: list[_Piece], edges: list[float]) -> list[float | None]:
    """Mean power of one family in each cell over the time that its intervals cover, or None where none does [W]."""
    cells = max(0, len(edges) - 1)
    by_component_w = [0.0] * cells
    covered = [False] * cells
    for piece in pieces:
        power_w = piece.energy_j / (piece.end_s - piece.start_s)
        for cell in range(max(0, bisect_left(edges, piece.start_s) - 1), cells):
            if edges[cell] >= piece.end_s:
                break
            overlap_s = min(piece.end_s, edges[cell + 1]) - max(piece.start_s, edges[cell])
            if overlap_s > 0.0:
                by_component_w[cell] += power_w * overlap_s / (edges[cell + 1] - edges[cell])
                covered[cell] = True
    return [power_w if known else None for power_w, known in zip(by_component_w, covered, strict=True)]
