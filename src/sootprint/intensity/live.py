"""A source that is asked over the network: zone, days, cache and patience; what is asked and how is an adapter's."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Protocol, TypeVar

from sootprint.catalogue import zones
from sootprint.core.errors import CatalogueError, IntensityError
from sootprint.core.protocols import Intensity, MarginalIntensity
from sootprint.intensity.fetch import Client, HeldError
from sootprint.intensity.keys import key
from sootprint.intensity.points import Point, Terms, cut, factor, in_order
from sootprint.intensity.store import Kept, Store
from sootprint.intensity.times import check_times
from sootprint.settings.grid import Provider

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
_Step = TypeVar("_Step", Intensity, MarginalIntensity)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """How a source is asked: what the settings state of it, and the user's home, environment and clock.

    Args:
        provider: What the settings state of it.
        home: Folder of the user's data, for the cache.
        limit_s: Longest time of one question [s].
        environ: Environment variables, for the key.
        wall_s: Wall clock [s].
        sleep: Wait of some seconds.
    """

    provider: Provider
    home: Path
    limit_s: float = 20.0
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    wall_s: Callable[[], float] = time.time
    sleep: Callable[[float], object] = time.sleep

    def client(self, terms: Terms) -> Client:
        """Client for the provider's server."""
        return Client(terms.title, limit_s=self.limit_s, wall_s=self.wall_s, sleep=self.sleep)

    def key(self, usual: str) -> str:
        """Key of the provider, from what the settings name, else from the variable that is usual.

        Raises:
            IntensityError: There is none, or others may read it.
        """
        stated = self.provider
        return key(stated.name, self.environ, variable=stated.key_env, file=stated.key_file, usual=usual)


class Adapter(Protocol):
    """What differs between providers."""

    terms: Terms

    def zone(self, chain: Sequence[str]) -> str:
        """Provider's name of the first zone of a chain that it covers; raises `IntensityError` where it has none."""

    def fetch(self, zone: str, start: datetime, end: datetime, *, now: datetime) -> list[Point]:
        """Points of `[start, end)`, at most `terms.window` long, as the provider gives them."""


class Live:
    """A source over the network, with a cache on the disk.

    Args:
        adapter: How the provider is asked.
        asked: Settings, home, environment and clock.
    """

    def __init__(self, adapter: Adapter, asked: Asked) -> None:
        self.name = adapter.terms.name
        self.terms = adapter.terms
        self.notes: list[str] = []  # what a person should know, and no record needs
        self._adapter, self._asked = adapter, asked
        self._store = Store(asked.home, adapter.terms)

    def points(self, zone: str, start: datetime, end: datetime) -> tuple[list[Point], float, tuple[str, ...]]:
        """Points with a figure within `[start, end)` in order, their usual length [s], and what to know about them.

        Raises:
            IntensityError: The zone is not covered, nothing is known for the time, or the provider does not answer.
        """
        check_times(start, end)
        start, end = start.astimezone(UTC), end.astimezone(UTC)
        there, warnings = self._zone(zone)
        stale: list[str] = []
        with self._store.alone(self._asked.limit_s):
            kept = self._kept(there, start, end, stale)
        whole = in_order(point for one in kept for point in one.points)
        found = cut(whole, start, end)
        if not found:
            span = f"between {start:%Y-%m-%d %H:%M} and {end:%Y-%m-%d %H:%M} UTC"
            raise IntensityError(f"{self.terms.title} has no figure for {zone} {span}")
        lengths_s = sorted((point.end - point.start).total_seconds() for point in whole)
        return found, lengths_s[len(lengths_s) // 2], (*warnings, *dict.fromkeys(stale))

    def _zone(self, zone: str) -> tuple[str, tuple[str, ...]]:
        """Provider's name of a zone, and a warning where a wider one stands for it."""
        stated = self._asked.provider.zones.get(zone)
        if stated is not None:
            return stated, ()
        try:
            chain = [name for name in zones.locate(zone).chain if "/" not in name]
        except CatalogueError as err:
            raise IntensityError(str(err)) from None
        for name in chain:
            if name in self._asked.provider.zones:
                return self._asked.provider.zones[name], ()
        return self._adapter.zone(chain), ()

    def _kept(self, there: str, start: datetime, end: datetime, stale: list[str]) -> list[Kept]:
        """Answers about every day of a time, from the cache or the provider."""
        now = datetime.fromtimestamp(self._asked.wall_s(), UTC)
        found: dict[date, Kept] = {}
        wanted: list[tuple[datetime, datetime]] = []
        for first, last in _days(start, end):
            kept = self._store.find(there, first.date(), now_s=now.timestamp())
            if kept is not None:
                found[first.date()] = kept
            if kept is None or not self._is_good(kept, first, last, now):
                wanted.append((first, last))
        for first, last in _windows(wanted, self.terms.window):
            try:
                found |= self._fetched(there, first, last, now=now, before=found)
            except IntensityError as err:
                if not all(day.date() in found for day, _ in _days(first, last)):
                    raise
                stale.append(f"{err}; what it said before counts")
        return list(found.values())

    def _is_good(self, kept: Kept, start: datetime, end: datetime, now: datetime) -> bool:
        """Whether an answer covers a time and need not be asked again."""
        age = now - datetime.fromtimestamp(kept.fetched_s, UTC)
        settled = datetime.fromtimestamp(kept.fetched_s, UTC) >= min(end, kept.end) + self.terms.settles
        return kept.start <= start and kept.end >= end and (settled or timedelta(0) <= age < self.terms.fresh)

    def _fetched(
        self, there: str, start: datetime, end: datetime, *, now: datetime, before: Mapping[date, Kept]
    ) -> dict[date, Kept]:
        """Answers of the provider about each day of a window, which are kept for the next time."""
        held_s = self._store.held_until_s() - now.timestamp()
        if 0.0 < held_s <= DAY.total_seconds():
            raise IntensityError(f"{self.terms.title} asked not to be asked for another {held_s:.0f} s")
        try:
            listed = self._adapter.fetch(there, start, end, now=now)
        except HeldError as err:
            self._store.hold(err.until_s)
            raise
        found = {}
        for first, last in _days(start, end):
            points = [point for point in listed if first <= point.start < first + DAY]
            old = before.get(first.date())
            if old is not None:
                points = _with_late(old.points, points)
            kept = Kept(fetched_s=now.timestamp(), start=first, end=last, points=tuple(points))
            note = self._store.keep(there, first.date(), kept)
            if note is not None and note not in self.notes:
                self.notes.append(note)
            found[first.date()] = kept
        return found

    def _steps(
        self, kind: Callable[..., _Step], zone: str, start: datetime, end: datetime
    ) -> Sequence[_Step]:
        found, step_s, warnings = self.points(zone, start, end)
        return [
            kind(
                zone=zone,
                start=point.start,
                end=point.end,
                factor=factor(point, zone, self.terms),
                forecast=point.forecast,
                step_s=step_s,
                warnings=warnings,
            )
            for point in found
        ]


class LiveSource(Live):
    """A live source of average intensities."""

    def between(self, zone: str, start: datetime, end: datetime) -> Sequence[Intensity]:
        """Intensities within `[start, end)` in order; a gap of the provider is left out.

        Raises:
            IntensityError: The zone is not covered, nothing is known for the time, or the provider does not answer.
        """
        return self._steps(Intensity, zone, start, end)


class MarginalLiveSource(Live):
    """A live source of marginal intensities: a signal for decisions, of a type of its own."""

    def marginal_between(self, zone: str, start: datetime, end: datetime) -> Sequence[MarginalIntensity]:
        """Marginal intensities within `[start, end)` in order; raises as `LiveSource.between` does."""
        return self._steps(MarginalIntensity, zone, start, end)


def _days(start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Start of each day of UTC in a time, and the hour of it at which the time ends."""
    first = start.replace(hour=0, minute=0, second=0, microsecond=0)
    while first < end:
        last = min(first + DAY, end)
        whole = last.replace(minute=0, second=0, microsecond=0)
        yield first, last if whole == last else whole + HOUR
        first += DAY


def _windows(
    days: Sequence[tuple[datetime, datetime]], longest: timedelta
) -> Iterator[tuple[datetime, datetime]]:
    """Neighbouring days joined into windows that one request may ask for."""
    joined: list[tuple[datetime, datetime]] = []
    for first, last in days:
        if joined and joined[-1][1] == first and last - joined[-1][0] <= longest:
            joined[-1] = (joined[-1][0], last)
        else:
            joined.append((first, last))
    yield from joined


def _with_late(old: Sequence[Point], new: Sequence[Point]) -> list[Point]:
    """New points, and measured old ones where the new answer has a gap."""
    told = {point.start for point in new if point.value is not None}
    return [
        *(
            point
            for point in old
            if not point.forecast and point.start not in told and point.value is not None
        ),
        *new,
    ]
