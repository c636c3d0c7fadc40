"""The one way from journal lines to sums: the live run and `recover` apply the same lines to the same state."""

from __future__ import annotations

import math

from sootprint.core.errors import RecordError
from sootprint.meters.wall import NAMES as WALL_METERS
from sootprint.tracker.components import WALL, ComponentState, kind_of, superseded, unsummed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NamedTuple

    from sootprint.tracker.progress import Progress
else:
    from sootprint.core.named import NamedTuple

MAX_SPANS = 10_000
MAX_CURVE = 20_000
MAX_GAPS = 1_000
MAX_NOTES = 100
MOST_S = 1e10  # three centuries
GAP_PERIODS = 5.0
AFTER_LAST = "after the last reading"
BEFORE_FIRST = "before the first reading"
ANEW = "the reader of this machine began anew"
HELD = "others were charged meanwhile"
TO_OTHERS = "the run that reads for this machine did not answer; those that went on are charged for it"
KINDS = (
    "tick",
    "log",
    "span",
    "head",
    "comp",
    "base",
    "drop",
    "facts",
    "more",
    "note",
    "forecast",
    "result",
    "snap",
    "end",
)


class Mark(NamedTuple):
    """An instant whose energy is known only at the next tick: the edge of a span or a logged metric."""

    at_s: float
    kind: str  # "open", "close" or "log"
    key: Any
    value: Any


class Fold:
    """Sums over the lines of one journal. Times are seconds since the run's start [s]."""

    def __init__(self) -> None:
        self.head: dict[str, Any] = {}
        self.period_s = 1.0  # between two ticks; shorter gaps are filled without being listed [s]
        self.max_gap_s = GAP_PERIODS  # longest time that two powers may stand for [s]
        self.states: list[ComponentState] = []
        self.gaps: list[
            tuple[int, float, float, str, bool]
        ] = []  # component, start, end, reason, whether nothing is to be filled in
        self.spans: list[
            tuple[str, float, float | None, float, float]
        ] = []  # name, start, end, energy at both [J]
        self.curve: list[tuple[float, str, float]] = []  # energy until then [J], metric, value
        self.facts: dict[str, dict[str, list[Any]]] = {}  # by meter: hardware, factors and warnings
        self.notes: list[str] = []
        self.last_s = 0.0
        self.first_s: float | None = None  # first tick
        self.ticks = 0
        self.not_kept = {"spans": 0, "curve": 0, "gaps": 0}
        self.ended: str | None = None
        self.progress: Progress | None = None  # towards what was expected, where anything was
        self.forecasts: list[dict[str, Any]] = []
        self.results: list[dict[str, Any]] = []
        self._marks: list[Mark] = []
        self._open: dict[int, int] = {}  # span number -> index in spans
        self._skip: set[int] = set()
        self._out: set[int] | None = set()  # superseded components, where that depends on no reading

    def apply(self, line: dict[str, Any]) -> None:
        """Count one line.

        Raises:
            RecordError: The line is of no known kind or lacks a field.
        """
        kind = line.get("k")
        if kind not in KINDS:
            raise RecordError(f"journal line of unknown kind {kind!r}")
        try:
            getattr(self, f"_{kind}")(line)
        except (KeyError, TypeError, IndexError, ValueError, AttributeError, ZeroDivisionError) as err:
            raise RecordError(f"journal line of kind {kind!r} is malformed: {err!r}") from err

    def used(self) -> list[ComponentState]:
        """Components that enter the footprint: each kind once, measured before modelled."""
        skip = superseded(self.states) if self._out is None else self._out
        return [state for index, state in enumerate(self.states) if index not in skip]

    def known(self, what: str) -> list[Any]:
        """Facts of the meters in use, without repetition; hardware of all meters, as a model knows what it is."""
        meters = {state.meter for state in self.used()}
        found: list[Any] = []
        for meter, facts in self.facts.items():
            if what == "hardware" or meter in meters:
                found += [fact for fact in facts.get(what, ()) if fact not in found]
        return found

    def total_j(self) -> float:
        """IT energy so far, of the components in use; of a wall meter only where it stands alone [J]."""
        return sum(state.energy_j for index, state in enumerate(self.states) if index not in self._skip)

    def power_w(self) -> float:
        """Power of the machine over the last step: at the wall where that is measured [W]."""
        used = [state for state in self.used() if state.latest_w is not None]
        at_wall = [state for state in used if kind_of(state) == WALL]
        return math.fsum(state.latest_w or 0.0 for state in at_wall or used)

    def running_j(self) -> float:
        """IT energy at the last tick [J]: what is looked at seldom goes on at its mean power until then."""
        return math.fsum(
            state.energy_j + state.pending_j(self.last_s)
            for index, state in enumerate(self.states)
            if index not in self._skip
        )

    def dump(self) -> list[dict[str, Any]]:
        """Lines that stand for everything so far: a head and a snapshot."""
        state = {
            "states": [component.dump() for component in self.states],
            "gaps": self.gaps,
            "spans": self.spans,
            "curve": self.curve,
            "facts": self.facts,
            "notes": self.notes,
            "last_s": self.last_s,
            "first_s": self.first_s,
            "ticks": self.ticks,
            "not_kept": self.not_kept,
            "progress": self.progress.dump() if self.progress else None,
            "forecasts": self.forecasts,
            "results": self.results,
            "marks": [tuple(mark) for mark in self._marks],
            "open": list(self._open.items()),
        }
        return [self.head, {"k": "snap", "state": state}]

    def _head(self, line: dict[str, Any]) -> None:
        if line["v"] != 1:
            raise RecordError(f"journal of version {line['v']}: upgrade sootprint to read it")
        self.head = line
        self.period_s = float(line.get("period_s", 1.0))
        self.max_gap_s = GAP_PERIODS * self.period_s
        if line.get("expect") is not None:
            self._expect(*line["expect"])

    def _snap(self, line: dict[str, Any]) -> None:
        state = line["state"]
        self.states = [ComponentState.load(data) for data in state["states"]]
        self.gaps = [tuple(gap) for gap in state["gaps"]]
        self.spans = [tuple(span) for span in state["spans"]]
        self.curve = [tuple(point) for point in state["curve"]]
        self.facts, self.notes, self.not_kept = state["facts"], state["notes"], state["not_kept"]
        self.last_s, self.ticks = state["last_s"], state["ticks"]
        self.first_s = state.get("first_s")
        if state.get("progress"):
            from sootprint.tracker.progress import Progress

            self.progress = Progress.load(state["progress"])
        self.forecasts = list(state.get("forecasts", ()))
        self.results = list(state.get("results", ()))
        self._marks = [Mark(*mark) for mark in state["marks"]]
        self._open = dict(state["open"])
        self._sort()

    def _comp(self, line: dict[str, Any]) -> None:
        self.states.append(ComponentState.load(line["c"]))
        self._sort()

    def _sort(self) -> None:
        """Tell the components that count from the others, as the states are others now."""
        self._skip = unsummed(self.states)
        at_wall = any(state.meter in WALL_METERS for state in self.states)
        self._out = None if at_wall else superseded(self.states)

    def _drop(self, line: dict[str, Any]) -> None:
        for index in line["i"]:
            self.states[index].dropped = True
        self.notes.append(line["why"])
        self._sort()

    def _facts(self, line: dict[str, Any]) -> None:
        self.facts[line["meter"]] = {
            name: list(line.get(name, ())) for name in ("hardware", "factors", "warnings", "calibrations")
        }

    def _expect(self, unit: str, total: float) -> None:
        if not 0.0 < total < math.inf:
            raise ValueError(f"{total} expected")
        from sootprint.core.expectation import Expectation
        from sootprint.tracker.progress import Progress

        self.progress = Progress(Expectation(str(unit), float(total)))

    def _forecast(self, line: dict[str, Any]) -> None:
        for key in ("energy_kwh", "duration_s"):
            if not all(math.isfinite(line[key][name]) for name in ("value", "low", "high")):
                raise ValueError(f"forecast {line[key]}")
        self.forecasts.append(line)

    def _result(self, line: dict[str, Any]) -> None:
        from sootprint.core import results

        if not math.isfinite(line["value"]):
            raise ValueError(f"value {line['value']}")
        told = {name: line[name] for name in ("kind", "task", "dataset", "metric", "value")}
        told |= {"split": line["split"]} if line.get("split") else {}
        self.results = results.joined(self.results, [told])[: results.MOST]

    def _more(self, line: dict[str, Any]) -> None:
        self.head |= line["head"]

    def _note(self, line: dict[str, Any]) -> None:
        text = str(line["text"])
        if text not in self.notes and len(self.notes) < MAX_NOTES:
            self.notes.append(text)

    def _end(self, line: dict[str, Any]) -> None:
        self.ended = line["why"]
        self.head |= {"cpu_s": line.get("cpu_s")}
        self.last_s = max(self.last_s, line["s"])
        self._settle(self.last_s, self.total_j(), self.total_j(), self.last_s)
        for index, state in enumerate(self.states):
            if state.at_s is not None:
                self._lost(index, state, line["s"], AFTER_LAST)  # what came later is of those who go on

    def _span(self, line: dict[str, Any]) -> None:
        kind = "open" if line["open"] else "close"
        if line.get("total") is not None:
            if self.progress is not None:
                self.progress.tell(line["name"], line["total"])
            elif line["total"] > 1.0:  # what comes once, such as loading, is no unit
                self._expect(line["name"], line["total"])
        self._marks.append(Mark(line["s"], kind, line["n"], line.get("name")))

    def _log(self, line: dict[str, Any]) -> None:
        if not math.isfinite(line["value"]):
            raise ValueError(f"value {line['value']}")
        self._marks.append(Mark(line["s"], "log", line["metric"], line["value"]))

    def _tick(self, line: dict[str, Any]) -> None:
        before_s, before_j = self.last_s, self.running_j() if self._marks else 0.0
        slept_s = float(line.get("slept", 0.0))
        for index, reason in line.get("miss", ()):
            self.states[index].missing = self.states[index].missing or reason
        for index, at_s, counter_j, power_w, utilisation, variance_j2, *more_j in line["r"]:
            self._read(index, at_s, counter_j, power_w, utilisation, variance_j2, slept_s)
            if more_j:
                self._add_more(self.states[index], *more_j)
        self.last_s = line["s"]
        self.first_s = self.last_s if self.first_s is None else self.first_s
        self.ticks += 1
        if self._marks:
            self._settle(before_s, before_j, self.running_j(), self.last_s)
        if self.progress is not None and self.progress.expected.by_time:
            self.progress.ticked(self.last_s, self.running_j(), period_s=self.period_s)

    @staticmethod
    def _add_more(state: ComponentState, rest_j: float, without_j: float = 0.0) -> None:
        """Count what an account tells beside the energy itself [J]."""
        state.rest_j += rest_j
        state.without_j += without_j

    def _base(self, line: dict[str, Any]) -> None:
        """From an instant on a counter counts anew, as the run's part of what another process reads."""
        self.head = {**self.head, "shared": True}
        for index, until, since_s, counter_j, reason in line["r"]:
            state = self.states[index]
            if until is not None:
                state.missing = reason if reason == ANEW else state.missing
                self._read(index, until[0], until[1], None, None, 0.0)
            if state.at_s is None:
                if reason == BEFORE_FIRST:  # else others were charged until then
                    self._lost(index, state, since_s, reason)
                state.at_s = max(0.0, float(since_s))
            elif since_s > state.at_s:
                if reason in (HELD, TO_OTHERS):
                    self._gap(index, state.at_s, since_s, reason, bridged=True)
                else:
                    self._lost(index, state, since_s, reason)
                state.at_s, state.missing = float(since_s), None
            state.share()
            state.counter_j, state.power_w = float(counter_j), None

    def _read(
        self,
        index: int,
        at_s: float,
        counter_j: float | None,
        power_w: float | None,
        utilisation: float | None,
        variance_j2: float,
        slept_s: float = 0.0,
    ) -> None:
        state = self.states[index]
        if not 0.0 <= at_s <= MOST_S:
            raise ValueError(f"reading at {at_s} s")
        if state.at_s is None:
            self._lost(index, state, at_s, BEFORE_FIRST)
            state.late_s = at_s
        else:
            if at_s <= state.at_s:
                return
            spent_j = state.step_j(at_s, counter_j, slept_s=slept_s)
            if spent_j is None:
                spent = state.spend(at_s, counter_j, power_w, max_gap_s=self.max_gap_s, slept_s=slept_s)
                spent_j = spent.energy_j
                if spent_j is None:
                    self._lost(index, state, at_s, spent.reason or "unknown")
            if spent_j is not None:
                self._spent(index, state, spent_j, at_s, utilisation)
        state.at_s, state.counter_j, state.power_w, state.missing = at_s, counter_j, power_w, None
        state.variance_j2 += variance_j2

    def _spent(
        self, index: int, state: ComponentState, spent_j: float, at_s: float, utilisation: float | None
    ) -> None:
        start_s = state.at_s or 0.0
        if state.missing is not None:
            state.bridged_s += at_s - start_s
            state.bridged_j += spent_j
            self._gap(index, start_s, at_s, state.missing, bridged=True)
        state.add(spent_j, start_s, at_s, utilisation)
        if state.filled_s < state.lost_s:
            state.fill_begin(at_s - start_s, 0.5 * self.period_s, is_shared="shared" in self.head)
        if state.dropped and state.moved:  # it slept at first, as a laptop's GPU does
            state.dropped = False
            self._sort()
            self._note(
                {"text": f"{state.meter}: the counter of {state.component} moved later; used after all"}
            )

    def _lost(self, index: int, state: ComponentState, at_s: float, reason: str) -> None:
        start_s = state.at_s or 0.0
        if at_s > start_s:
            state.lost_s += at_s - start_s
            self._gap(index, start_s, at_s, state.missing or reason, bridged=False)

    def _gap(self, index: int, start_s: float, end_s: float, reason: str, *, bridged: bool) -> None:
        if len(self.gaps) < MAX_GAPS:
            self.gaps.append((index, start_s, end_s, reason, bridged))
        else:
            self.not_kept["gaps"] += 1

    def _settle(self, before_s: float, before_j: float, after_j: float, after_s: float) -> None:
        """Give each waiting mark the energy at its instant, between the two ticks around it."""
        waiting = []
        for mark in self._marks:
            if mark.at_s > after_s:
                waiting.append(mark)
                continue
            share = (mark.at_s - before_s) / (after_s - before_s) if after_s > before_s else 1.0
            self._settle_one(mark, before_j + min(1.0, max(0.0, share)) * (after_j - before_j))
        self._marks = waiting

    def _advance(self, progress: Progress, mark: Mark, energy_j: float) -> None:
        """Count a mark of the run's units towards what is expected."""
        if mark.kind == "log":
            progress.logged(mark.key, mark.value, at_s=mark.at_s, energy_j=energy_j)
        elif mark.kind == "open":
            progress.opened(mark.key, mark.value, at_s=mark.at_s, energy_j=energy_j)
        else:
            progress.closed(mark.key, at_s=mark.at_s, energy_j=energy_j)

    def _settle_one(self, mark: Mark, energy_j: float) -> None:
        if self.progress is not None:
            self._advance(self.progress, mark, energy_j)
        if mark.kind == "log":
            if len(self.curve) < MAX_CURVE:
                self.curve.append((energy_j, mark.key, mark.value))
            else:
                self.not_kept["curve"] += 1
        elif mark.kind == "open":
            if len(self.spans) < MAX_SPANS:
                self._open[mark.key] = len(self.spans)
                self.spans.append((mark.value, mark.at_s, None, energy_j, energy_j))
            else:
                self.not_kept["spans"] += 1
        elif mark.key in self._open:
            index = self._open.pop(mark.key)
            name, start_s, _, start_j, _ = self.spans[index]
            self.spans[index] = (name, start_s, mark.at_s, start_j, energy_j)
