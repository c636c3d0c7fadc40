"""One measured run, from its first reading to its stored footprint, on a thread of its own."""

from __future__ import annotations

import collections
import dataclasses
import itertools
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sootprint import __version__
from sootprint.core.errors import SettingsError
from sootprint.core.ids import uuid7
from sootprint.core.protocols import Machine, Meter
from sootprint.tracker import identity
from sootprint.tracker.fold import Fold
from sootprint.tracker.journal import SUFFIX, Journal
from sootprint.tracker.sampler import Sampler, guarded

if TYPE_CHECKING:
    from sootprint.core.records import Footprint
    from sootprint.settings import Settings

READY_S = 1.0  # longest time that a start waits for the first reading
SYNC_TICKS = 10
COMPACT_TICKS = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be measured.

    Args:
        arguments: Settings given as arguments; a wrong one is warned of, and the run is measured without.
        settings: Settings already read, in place of `arguments`.
        name: Name of the run.
        tags: Tags of the run.
        given: Facts to keep beside the record, e.g. the command where it was asked for.
        machine: Where the meters look; from the settings when None.
        on_warning: Called with one line, from the measuring thread.
    """

    arguments: Mapping[str, Any] = field(default_factory=dict)
    settings: Settings | None = None
    name: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    given: Mapping[str, Any] = field(default_factory=dict)
    parent: str | None = None
    machine: Machine | None = None
    on_warning: Callable[[str], object] = lambda text: None


class Session:
    """The measuring of one run; every method returns at once or within its bound and raises nothing."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._clock = (order.machine or Machine()).clock
        self._wall_s = self._clock.wall_s()
        self._start_s = self._clock.monotonic_s()
        self.id = uuid7(self._wall_s)
        self.footprint: Footprint | None = None
        self._fold = Fold()
        self._sampler: Sampler | None = None
        self._marks: collections.deque[dict[str, Any]] = collections.deque()
        self._numbers = itertools.count()
        self._ready, self._stop, self._done = threading.Event(), threading.Event(), threading.Event()
        self._why = "finished"
        self._warned_budget = False
        self._discarded = False
        self._meters: list[Meter] = []
        self._kg_per_kwh: float | None = None
        self._settings: Settings | None = order.settings
        self._thread = threading.Thread(target=self._body, name="sootprint", daemon=True)

    def start(self, *, wait_s: float = READY_S) -> None:
        """Begin to measure; waits for the first reading, at most `wait_s` [s]."""
        self._thread.start()
        self._ready.wait(wait_s)

    def stop(self, *, wait_s: float, why: str = "finished") -> None:
        """Take the last reading, make the footprint and store it; waits at most `wait_s` [s]."""
        if self._thread.ident is None:
            return
        self._why = why
        self._stop.set()
        self._done.wait(wait_s)

    def discard(self) -> None:
        """End without a record: what was to be measured never began."""
        self._discarded = True
        self.stop(wait_s=READY_S)

    def open_span(self, name: str) -> int:
        """Number of a span that begins now."""
        number = next(self._numbers)
        self._marks.append({"k": "span", "s": self._now_s(), "n": number, "open": True, "name": str(name)})
        return number

    def close_span(self, number: int) -> None:
        """End of a span, now."""
        self._marks.append({"k": "span", "s": self._now_s(), "n": number, "open": False})

    def log(self, metric: str, value: float) -> None:
        """A metric's value at the energy spent until now."""
        self._marks.append({"k": "log", "s": self._now_s(), "metric": str(metric), "value": float(value)})

    def _now_s(self) -> float:
        return round(self._clock.monotonic_s() - self._start_s, 5)

    def _body(self) -> None:
        if guarded(self._prepare, self._warn):
            self._ready.set()
            guarded(self._describe, self._warn)
            self._loop()
            guarded(self._finish, self._warn)
        self._ready.set()
        self._done.set()

    def _prepare(self) -> None:
        settings = self._settings = self._settings or self._read_settings()
        machine = self._order.machine or Machine(sysfs=settings.sysfs, procfs=settings.procfs)
        from sootprint.meters.probe import discover_all

        self._meters, _ = discover_all(machine)
        self._sampler = Sampler(
            machine, self._meters, fold=self._fold, journal=self._open_journal(), start_s=self._start_s
        )
        self._sampler.emit(self._head(settings))
        self._sampler.tick()

    def _read_settings(self) -> Settings:
        from sootprint import settings

        given = {name: value for name, value in self._order.arguments.items() if value is not None}
        for attempt in (given, {}):
            try:
                return settings.load(**attempt)
            except SettingsError as err:
                self._warn(f"{err}; measuring without it")
        env = os.environ
        return settings.Settings(
            home=settings.home_directory(env), runtime_dir=settings.runtime_directory(env)
        )

    def _open_journal(self) -> Journal | None:
        home = self._settings.home if self._settings else None
        if home is None:
            return None
        try:
            return Journal(home / "journal" / f"{self.id}{SUFFIX}")
        except OSError as err:
            self._warn(f"the journal cannot be written ({err.strerror}): a crash would lose this run")
            return None

    def _head(self, settings: Settings) -> dict[str, Any]:
        from datetime import UTC, datetime

        from sootprint import place

        here = place.resolve(
            settings.stated_places(), clusters=settings.cluster_places(), sysfs=settings.sysfs
        )
        day = datetime.fromtimestamp(self._wall_s, UTC).date()
        return {
            "k": "head",
            "v": 1,
            "id": self.id,
            "tool_version": __version__,
            "name": self._order.name,
            "project": settings.project,
            "tags": dict(self._order.tags),
            "given": dict(self._order.given),
            "parent": self._order.parent,
            "wall_s": self._wall_s,
            "period_s": settings.period_s,
            "zone": here.zone,
            "place_source": here.source,
            "place_fix": here.fix,
            "year": settings.year,
            "pue": settings.pue_on(day, site=here.site),
            "cpu_threads": os.cpu_count(),
        }

    def _describe(self) -> None:
        """What may take a while and is not needed for the first reading: hardware, factors, software."""
        assert self._sampler is not None and self._settings is not None
        described: dict[str, Any] = {"k": "facts", "hardware": [], "factors": [], "warnings": []}
        for meter in self._meters:
            facts = getattr(meter, "facts", None)
            known = facts() if facts else None
            if known is not None:
                described["hardware"] += [dataclasses.asdict(device) for device in known.hardware]
                described["factors"] += [dataclasses.asdict(factor) for factor in known.factors]
                described["warnings"] += known.warnings
        self._sampler.emit(described)
        more = {"node": identity.node(self._settings.home), "software": identity.software()}
        self._sampler.emit({"k": "more", "head": more})
        self._look_at_budget()

    def _look_at_budget(self) -> None:
        """Load what the end needs, and know the factor that a budget is watched with."""
        from sootprint.tracker.surroundings import look_up

        around = look_up(self._fold.head, 0.0)
        if around.place.zone is None and around.warnings:
            self._warn(around.warnings[0])
        value = around.intensities[0].factor.value if around.intensities else None
        if value is not None:
            from sootprint.core import carbon

            pue = around.pue.value if around.pue and around.pue.value else 1.0
            self._kg_per_kwh = carbon.emissions_kg(1.0, value, pue=pue)

    def _loop(self) -> None:
        assert self._sampler is not None and self._settings is not None
        self._sampler.loop(self._stop.wait, self._settings.period_s, self._each_tick)

    def _each_tick(self) -> None:
        assert self._sampler is not None
        self._write_marks()
        self._watch_budget()
        journal = self._sampler.journal
        if journal is not None and self._fold.ticks % SYNC_TICKS == 0:
            journal.sync()
        if journal is not None and (self._fold.ticks % COMPACT_TICKS == 0 or not journal.complete):
            journal.replace(self._fold.dump())

    def _write_marks(self) -> None:
        assert self._sampler is not None
        while self._marks:
            self._sampler.emit(self._marks.popleft())

    def _watch_budget(self) -> None:
        budget_kg = self._settings.budget_kg if self._settings else None
        if budget_kg is None or self._kg_per_kwh is None or self._warned_budget:
            return
        from sootprint.core.units import energy_kwh

        spent_kg = energy_kwh(self._fold.total_j()) * self._kg_per_kwh
        if spent_kg > budget_kg:
            self._warned_budget = True
            text = (
                f"budget: {spent_kg:.3g} kgCO2e so far, above the budget of {budget_kg:g} kg; the run goes on"
            )
            self._fold.apply({"k": "note", "text": text})
            self._warn(text)

    def _finish(self) -> None:
        assert self._sampler is not None and self._settings is not None
        from sootprint.ledger import keep
        from sootprint.tracker.assemble import footprint
        from sootprint.tracker.surroundings import look_up

        journal = self._sampler.journal
        if not self._discarded:
            self._write_marks()
            guarded(self._sampler.tick, self._warn)
            end = {"k": "end", "s": self._now_s(), "why": self._why, "cpu_s": identity.cpu_time_s()}
            self._sampler.emit(end)
            self.footprint = footprint(self._fold, look_up(self._fold.head, self._fold.last_s))
            keep(self._settings.home, self.footprint)
        if journal is not None:
            journal.remove()
        for meter in self._meters:
            close = getattr(meter, "close", None)
            if close:
                close()

    def _warn(self, text: str) -> None:
        self._order.on_warning(text)
