"""What the measuring thread does for one run, from the first reading to the stored footprint."""

from __future__ import annotations

import contextlib
import functools

from sootprint.core import classes
from sootprint.core.protocols import Meter
from sootprint.tracker import identity, opening
from sootprint.tracker.fold import Fold
from sootprint.tracker.recorder import Recorder
from sootprint.tracker.sampler import Beat, guarded, loop
from sootprint.tracker.source import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sootprint.core.records import Footprint
    from sootprint.settings import Settings
    from sootprint.tracker.assemble import Surroundings
    from sootprint.tracker.foresight import Foresight
    from sootprint.tracker.surroundings import LookUp
    from sootprint.tracker.worker import Worker

READ_S = 0.1  # longest wait for another run that reads to look, where the footprint so far is asked for
UNKEPT = (
    "spans and logged values came faster than they can be written and are not kept; their energy is counted"
)


class Session:
    """The measuring of one run, on the thread of its worker."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._fold = Fold()
        self._recorder: Recorder | None = None
        self._source: Source | None = None
        self._cpu_s = 0.0  # CPU time that the process had used before the run [s]
        self._warned_journal = False
        self._described: list[Meter] | None = None  # whose facts are in the journal
        self._kg_per_kwh: float | None = None  # for a budget that is still kept to
        self._foresight: Foresight | None = None
        self._lookup: LookUp | None = None
        self._settings: Settings | None = worker.settings

    def run(self) -> None:
        """Measure until the worker is told to stop, then store the footprint; raises nothing."""
        goes_on = guarded(self._open, self._warn) and self._attend() and guarded(self._begin, self._warn)
        guarded(self._worker.first.close, self._warn)  # the meters hold the driver now
        if goes_on:
            self._worker.ready.set()
            guarded(self._describe, self._warn)
            self._worker.has_loaded()
            self._loop()
            guarded(self._finish, self._warn)
        if self._source is not None:
            guarded(self._source.close, self._warn)
            for meter in self._source.meters:
                guarded(getattr(meter, "close", _nothing), self._warn)
            self._source.forget()
            self._described = None  # the same meters

    def _open(self) -> None:
        settings = self._settings or opening.settings_of(self._worker.arguments, self._warn)
        # the program may change its folder while it is measured
        settings = self._settings = classes.replace(settings, home=settings.home.absolute())
        first = self._worker.first.since(self._worker.start_s)
        machine = classes.replace(self._worker.machine or settings.machine(), first=first)
        self._clock_s, self._environ = machine.clock.monotonic_s, machine.environ
        self._source = Source(
            machine,
            settings,
            run=self._worker.id,
            parent=self._worker.parent,
            group=opening.job_of(machine.environ, settings.run_group),
            find=functools.partial(opening.meters_of, warn=self._warn),
            warn=self._warn,
        )
        self._source.open()

    def _attend(self) -> bool:
        """Whether this run writes a record; a rank waits while another one of its job on this machine does."""
        assert self._source is not None and self._settings is not None
        if self._source.writes:
            return True
        self._worker.attached = True
        if self._source.group is not None:
            self._worker.job = self._settings.home, self._source.group.id
        self._worker.ready.set()
        self._worker.has_loaded()
        while not self._worker.stopping.wait(self._settings.period_s):
            guarded(self._pass_on, self._warn)
            if not self._worker.attached:
                self._worker.begin()
                return True
        guarded(self._pass_on, self._warn)
        self._worker.attached = True  # also where who wrote has gone by now: the job's record is that one's
        return False

    def _pass_on(self) -> None:
        assert self._source is not None
        self._worker.attached = not self._source.attend(self._worker.marks, self._worker.start_s)

    def _begin(self) -> None:
        assert self._source is not None and self._settings is not None
        source = self._source
        source.find()
        if self._worker.begins_when_ready:
            self._worker.begin()
        self._cpu_s = identity.cpu_time_s()
        journal = opening.journal_of(self._settings.home, self._worker.id, self._warn)
        self._recorder = Recorder(
            self._clock_s, fold=self._fold, journal=journal, start_s=self._worker.start_s
        )
        if self._settings.exporters:
            guarded(self._promise, self._warn)
        self._recorder.emit(opening.head_of(self._worker, self._settings, source))
        self._worker.interrupt = source.interrupt
        source.begin(self._recorder)

    def _promise(self) -> None:
        """Note where the record is to go, and in which runs of other tools it takes place."""
        from sootprint.tracker import joined

        assert self._settings is not None
        found = joined.tags(self._settings, self._worker.joined or {}, self._environ)
        self._worker.tags = found | self._worker.tags
        joined.promise(self._settings, self._worker.id)

    def _describe(self) -> None:
        """What may take a while and is not needed for the first reading: hardware, factors, software."""
        assert self._recorder is not None and self._settings is not None
        self._describe_meters()
        more = {"node": identity.node(self._settings.home), "software": identity.software()}
        self._recorder.emit({"k": "more", "head": more})
        around = self._load_the_end()
        if around.place.zone is None and around.warnings:
            self._warn(around.warnings[0])
        value = around.intensities[0].factor.value if around.intensities else None
        if value is not None and self._settings.budget_kg is not None:
            from sootprint.core import carbon

            pue = around.pue.value if around.pue and around.pue.value else 1.0
            self._kg_per_kwh = carbon.emissions_kg(1.0, value, pue=pue)

    def _describe_meters(self) -> None:
        """Facts of the meters that this run reads, or those that whoever reads them told."""
        assert self._recorder is not None and self._source is not None
        if not self._source.untold and self._source.meters is self._described:
            return
        known, self._described = self._described or [], self._source.meters
        for meter, facts in self._source.facts().items():
            guarded(
                functools.partial(self._recorder.emit, {"k": "facts", "meter": meter, **facts}), self._warn
            )
        for new in [meter for meter in self._described if meter not in known]:
            guarded(functools.partial(self._describe_one, new), self._warn)
            self._source.tell()

    def _describe_one(self, meter: Meter) -> None:
        assert self._recorder is not None
        known = getattr(meter, "facts", _nothing)()
        if known is not None:
            self._recorder.emit({"k": "facts", "meter": meter.name, **classes.asdict(known)})

    def _load_the_end(self) -> Surroundings:
        """Surroundings so far; loads what the end of the run needs, so that the end is quick."""
        from sootprint.core import codec  # noqa: F401
        from sootprint.ledger import leave  # noqa: F401
        from sootprint.tracker import assemble  # noqa: F401

        if self._lookup is None:
            from sootprint.tracker.surroundings import LookUp

            self._lookup = LookUp(self._fold)
        return self._lookup.now()

    def _loop(self) -> None:
        assert self._recorder is not None and self._settings is not None and self._source is not None
        source = self._source
        guarded(self._make_ready, _ignored)  # what fails here is tried again at the end
        loop(
            functools.partial(source.wait, self._worker.stopping),
            self._tick,
            now_s=self._clock_s,
            period_s=self._settings.period_s,
            sampler=lambda: source.sampler,
            hurry=lambda: bool(self._worker.asked) or source.hurry(),
            is_dense=source.is_dense,
            lull=self._lull,
        )

    def _make_ready(self) -> None:
        """Make what the end needs and what depends on no reading, now that nobody waits for it."""
        from sootprint.ledger import make_room
        from sootprint.tracker.breakdown import prepare

        assert self._settings is not None
        prepare(self._fold)
        make_room(self._settings.home)

    def _tick(self) -> None:
        assert self._source is not None and self._recorder is not None
        asked = len(self._worker.asked)  # who asks from now on is answered from the next look
        guarded(self._each_tick, self._recorder.failed)
        guarded(self._source.tick, self._recorder.failed)
        if asked:
            guarded(functools.partial(self._answer, asked), self._warn)

    def _answer(self, asked: int) -> None:
        """Tell the first who asked what was measured until now, forecast included."""
        assert self._recorder is not None and self._source is not None
        waiting = [self._worker.asked.popleft() for _ in range(asked)]
        made = None
        try:
            self._source.refresh(READ_S)
            fold = self._recorder.fold  # with what the recorder still held
            made = self._so_far()
            if fold.progress is not None:
                from sootprint.tracker.foresight import now

                told = now(fold, made)
                made = classes.replace(made, forecasts=(*made.forecasts, told)) if told else made
        finally:
            for one in waiting:
                one.answer(made)

    def _lull(self, beat: Beat) -> None:
        """Take ticks of counters alone, where nothing is made of a tick but the sums."""
        assert self._source is not None
        if self._fold.progress is None and self._kg_per_kwh is None and self._source.heard is None:
            with contextlib.suppress(Exception):  # the whole look, which follows, says what is wrong
                self._source.lull(beat, self._worker)

    def _each_tick(self) -> None:
        assert self._recorder is not None and self._source is not None
        if self._worker.marks or self._source.heard is not None:
            self._write_marks()
        if self._kg_per_kwh is not None:
            self._watch_budget(self._kg_per_kwh)
        if self._source.untold or self._source.meters is not self._described:
            self._describe_meters()
        if self._fold.progress is not None:
            self._foresee()
        journal = self._recorder.journal
        if journal is None:
            return
        if self._recorder.journal_failed and not self._warned_journal:
            self._warned_journal = True
            self._warn("the journal cannot be written: while that lasts a crash would lose this run")
        journal.keep(self._source.ticks, self._recorder.dump)

    def _write_marks(self) -> None:
        """Write what waits now; what comes meanwhile waits for the next tick, so that there is one."""
        assert self._recorder is not None and self._source is not None
        marks = [self._worker.marks.popleft() for _ in range(len(self._worker.marks))]
        heard = self._source.heard
        others = list(self._source.hear())
        for mark in marks if heard is None or heard.counts_own else others:
            guarded(functools.partial(self._recorder.emit, mark), self._warn)

    def _watch_budget(self, kg_per_kwh: float) -> None:
        from sootprint.core.units import energy_kwh

        assert self._recorder is not None
        spent_kg = energy_kwh(self._recorder.fold.total_j()) * kg_per_kwh
        budget_kg = self._settings.budget_kg if self._settings else None
        if budget_kg is not None and spent_kg > budget_kg:
            self._kg_per_kwh = None
            text = (
                f"budget: {spent_kg:.3g} kgCO2e so far, above the budget of {budget_kg:g} kg; the run goes on"
            )
            self._fold.apply({"k": "note", "text": text})
            self._warn(text)

    def _foresee(self) -> None:
        """Forecast the run where it has come far enough, once its progress can be told."""
        if self._fold.progress is None:
            return
        if self._foresight is None:
            from sootprint.tracker.foresight import Foresight

            assert self._recorder is not None and self._settings is not None
            emit, home = self._recorder.emit, self._settings.home
            self._foresight = Foresight(
                self._fold, emit=emit, so_far=self._so_far, warn=self._warn, home=home
            )
        self._foresight.look()

    def _miss_units(self) -> None:
        """Say that nothing was forecast, where the expected units never came; a command is not looked at here."""
        progress = self._fold.progress
        if progress is not None and progress.is_unheard and not self._worker.begins_when_ready:
            text = progress.expected.unheard
            self._fold.apply({"k": "note", "text": text})
            self._warn(text)

    def _so_far(self) -> Footprint:
        from sootprint.tracker.assemble import footprint

        return footprint(self._fold, self._load_the_end())

    def _finish(self) -> None:
        assert self._recorder is not None and self._settings is not None and self._source is not None
        from sootprint.ledger import leave

        journal = self._recorder.journal
        if not self._worker.discarded:
            self._write_marks()
            if self._worker.unkept:
                self._recorder.emit({"k": "note", "text": f"{self._worker.unkept} {UNKEPT}"})
            guarded(functools.partial(self._source.end, self._worker.stopped_s), self._warn)
            guarded(self._describe_meters, self._warn)  # of a short run, or one that took over at its end
            guarded(self._foresee, self._warn)
            end = {
                "k": "end",
                "s": self._worker.now_s() if self._worker.stopped_s is None else self._worker.stopped_s,
                "why": self._worker.why,
                "cpu_s": identity.cpu_time_s() - self._cpu_s,
            }
            self._recorder.emit(end)
            self._miss_units()
            self._worker.footprint = self._so_far()
            leave(self._settings.home, self._worker.footprint)
        elif self._settings.exporters:
            from sootprint.tracker import joined

            joined.withdraw(self._settings, self._worker.id)
        if journal is not None:
            journal.remove()

    def _warn(self, text: str) -> None:
        guarded(lambda: self._worker.on_warning(text), _ignored)


def _nothing() -> None:
    """Facts and close of a meter that has neither."""


def _ignored(text: str) -> None:
    """Whoever listens to warnings failed; there is nobody else to tell."""
