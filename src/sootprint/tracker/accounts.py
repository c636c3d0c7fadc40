"""One account for each run of a machine: what the one reader saw, split among the runs as it is spent."""

from __future__ import annotations

import math
import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sootprint.core.asleep import MONOTONIC_S, Asleep
from sootprint.core.errors import RecordError
from sootprint.core.protocols import Reading
from sootprint.tracker.attribution import ACCELERATOR, Holder, Use, split, strict_share
from sootprint.tracker.components import ComponentState, superseded
from sootprint.tracker.entry import Entry
from sootprint.tracker.line import Line, hand_on, level, line_of, steady, sums
from sootprint.tracker.recorder import UNMOVED_S, free_name, stands_still
from sootprint.tracker.sampler import Part
from sootprint.tracker.shared import Shared, entry_of, shared_of, shared_values

Held = Mapping[tuple[str, str], Sequence[tuple[float, float | None]]]

NOBODY = Use()
MOST_CLOSED = 64
CLOSED_S = 10.0  # time for which the last account of a run is kept for it to read [s]
REOPENED_S = 90.0  # and where it has another one, longer than between two of its looks [s]
MOST_HELD = 64  # instants since when somebody was charged that are told to runs which missed them
UNMOVED_LOOKS = 10  # who comes and goes may ask for several within a second


class Since(NamedTuple):
    """Since when runs of a user were charged by one of them: what it showed then, and who they were."""

    origin: str
    meter: str
    component: str
    held_s: float
    held_j: float | None
    runs: list[str]


class Accounts:
    """Accounts of the runs on one machine.

    Args:
        max_gap_s: Longest time that two powers may stand for [s].
    """

    def __init__(self, *, max_gap_s: float) -> None:
        self.origin = _new_origin()
        self._max_gap_s = max_gap_s
        self._shared: dict[tuple[str, str], Shared] = {}
        self._lines: dict[str, dict[str, Line]] = {}
        self._closed: dict[str, list[Entry]] = {}
        self._looks, self._first_s, self._judged = 0, math.inf, False
        self.most_closed = MOST_CLOSED
        self._came: set[str] = set()  # who is charged with the next look for the first time
        self._held: list[Since] = []
        self._asleep = Asleep(MONOTONIC_S)

    def adopt(self, states: Iterable[tuple[str, ComponentState]], start_s: float) -> None:
        """Go on from what a run that was alone has seen, by name at the meter; its times count from `start_s` [s]."""
        for source, known in states:
            state = ComponentState.load(known.dump() | {"buckets": []})
            state.at_s = None if known.at_s is None else known.at_s + start_s
            state.component = self._free_name(state)
            self._shared[state.meter, source] = Shared(state, source)

    @property
    def runs(self) -> set[str]:
        """Identities of the runs that have an account."""
        return set(self._lines)

    def components(self, meter: str) -> dict[str, str]:
        """Name on the machine of each component of a meter, by its name there."""
        return {one.source: one.state.component for (name, _), one in self._shared.items() if name == meter}

    def open(
        self,
        run: str,
        *,
        sees: frozenset[str] | None = None,
        first: bool = False,
        anew: bool = False,
        after: Iterable[str] = (),
    ) -> None:
        """Begin to charge a run, from the last readings on.

        Args:
            run: Its identity.
            sees: Accelerators that it may use, or None for all.
            first: Whether it was alone before.
            anew: Whether another process read until now, and may have charged somebody of whom nothing is told.
            after: Runs that are charged for what this one was, if it was here before, without being told.
        """
        self._came.add(run)
        charged, others = self._charged(), [self._lines[one] for one in after if one in self._lines]
        lines = self._lines[run] = {}
        for one in self._shared.values():
            name = one.state.component
            if sees is None or name in sees or not name.startswith(ACCELERATOR):
                line = lines[name] = Line(
                    one.state.at_s or 0.0,
                    counter_j=one.state.counter_j,
                    is_first=name not in charged and not anew,
                    is_old=first,
                )
                for other in others:
                    if name in other:
                        line.follow(other[name])

    def _charged(self) -> set[str]:
        """Components that somebody is charged with."""
        return {name for lines in self._lines.values() for name, line in lines.items() if line.is_old}

    def close(self, run: str) -> None:
        """End a run's account; its last entries are kept for it to read."""
        entries = self.entries(run)
        self._came.discard(run)
        if self._lines.pop(run, None) is not None:
            self._closed.pop(run, None)
            self._closed[run] = entries  # as the youngest
            for old in list(self._closed)[: -self.most_closed]:
                del self._closed[old]

    def closed(self, run: str) -> list[Entry] | None:
        """Last entries of a run whose account is ended, or None."""
        return None if run in self._lines else self._closed.get(run)

    def held(self, run: str) -> Held:
        """Since when runs of this user were charged, each time that one of them read until it went to the node service.

        A run that has heard of neither bridges the time until then by its part, and no longer: by meter and component
        there each instant [s] and what the counter showed then [J]; not for one that was charged with them.
        """
        found: dict[tuple[str, str], list[tuple[float, float | None]]] = {}
        for one in self._held:
            if run not in one.runs:
                found.setdefault((one.meter, one.component), []).append((one.held_s, one.held_j))
        return found

    def _hold(self) -> None:
        """Keep since when those were charged whose accounts were ended as they went to the node service."""
        found = {(one.origin, one.meter, one.component): one for one in self._held}
        known = set(found)
        for run, entries in self._closed.items():
            for one in entries:
                key = one.origin, one.meter, one.component
                if one.held_s is None or key in known:
                    continue
                before = found.get(key, Since(*key, one.held_s, one.held_j, []))
                first = min(
                    before, before._replace(held_s=one.held_s, held_j=one.held_j), key=lambda it: it.held_s
                )
                found[key] = first._replace(runs=[*before.runs, run])
        self._held = list(found.values())[-MOST_HELD:]

    def earlier(self, run: str) -> list[Entry]:
        """Last entries of the account that a run had before the one that it has, if that was ended not long ago."""
        return self._closed.get(run, []) if run in self._lines else []

    def charge(
        self,
        parts: Sequence[Part],
        holders: Sequence[Holder],
        uses: Mapping[str, Use],
        *,
        whole: Use = NOBODY,
    ) -> dict[str, float]:
        """Energy of each component since the looks before, which is split among the holders [J].

        Components that another meter measures better are split too, and left out of the answer.

        Args:
            parts: What the meters told.
            holders: Runs that were there since the looks before, each with an account.
            uses: What their processes used since then.
            whole: What all processes of the machine used since then.
        """
        spent_j: dict[str, float] = {}
        variances_j2: dict[str, float] = {}
        slept_s = self._asleep.since_s()
        for part in parts:
            self._miss(part)
            for order, reading in enumerate(part.readings):
                variance_j2 = part.variances_j2[order] if part.variances_j2 else None
                one = self._of(reading, integrated=variance_j2 is not None)
                if one.state.at_s is not None and reading.at_s <= one.state.at_s:
                    continue
                losses = one.losses
                energy_j = one.spend(reading, self._max_gap_s, slept_s)
                if one.losses > losses:
                    self._mark_loss(one.state.component)
                if energy_j is not None:
                    spent_j[one.state.component] = energy_j
                    variances_j2[one.state.component] = variance_j2 or 0.0
        self._forget()
        self._judge()
        skip = self.superseded()
        counted = {name: j for name, j in spent_j.items() if name not in skip}
        for amounts in (counted, {name: j for name, j in spent_j.items() if name in skip}):
            if amounts:
                self._enter(amounts, variances_j2, holders, uses, whole)
        if counted:
            self._came.difference_update(holder.id for holder in holders)
        return counted

    def _forget(self) -> None:
        """Leave out the accounts of runs that went long ago; not before those that are here have others."""
        now_s = self.now_s()
        for run, entries in list(self._closed.items()) if self._lines else ():
            kept_s = REOPENED_S if run in self._lines else CLOSED_S
            if max((entry.at_s for entry in entries), default=0.0) < now_s - kept_s:
                del self._closed[run]

    def _judge(self) -> None:
        """Leave out the counters that stand still, once they were looked at for long enough."""
        self._looks += 1
        self._first_s = min(self._first_s, self.now_s())
        if not self._judged and self._looks >= UNMOVED_LOOKS and self.now_s() - self._first_s >= UNMOVED_S:
            self._judged = True
            for one in self._shared.values():
                one.state.dropped = one.state.dropped or stands_still(one.state)

    def now_s(self) -> float:
        """Instant of the latest reading [s]."""
        return max((one.state.at_s or 0.0 for one in self._shared.values()), default=0.0)

    def superseded(self) -> set[str]:
        """Components that another meter measures better."""
        states = [one.state for one in self._shared.values()]
        return {states[index].component for index in superseded(states)}

    def _enter(
        self,
        spent_j: Mapping[str, float],
        variances_j2: Mapping[str, float],
        holders: Sequence[Holder],
        uses: Mapping[str, Use],
        whole: Use,
    ) -> None:
        charged = split(spent_j, holders, uses)
        before = {one.state.component: one for one in self._shared.values()}
        known = self._charged()
        here = {holder.id for holder in holders if holder.is_run}
        for holder in holders:
            lines = self._lines[holder.id]
            own_j = dict(charged[holder.id])
            for name in own_j.keys() - lines.keys():
                was = before[name]
                lines[name] = Line(was.before_s, counter_j=was.before_j, is_first=name not in known)
            if holder.strict:
                paid = strict_share(spent_j, own_j, use=uses.get(holder.id, NOBODY), whole=whole)
                for name, charge in paid.items():
                    own_j[name] = charge.own_j
                    lines[name].rest_j += charge.rest_j
            for name, energy_j in own_j.items():
                lines[name].energy_j += energy_j
                lines[name].without_j += energy_j if holder.parent not in here else 0.0
                lines[name].is_old = 1.0
                if spent_j[name] > 0.0:
                    lines[name].share = energy_j / spent_j[name]
                    lines[name].variance_j2 += variances_j2[name] * lines[name].share ** 2
        self._steady({name for name, spent in spent_j.items() if spent > 0.0}, charged, holders)

    def _steady(
        self, names: Collection[str], charged: Mapping[str, Mapping[str, float]], holders: Sequence[Holder]
    ) -> None:
        """Let the parts by which runs bridge a change of their reader follow, and add up as those of this look do."""
        looks = {one.state.component: (one.before_s, one.state.at_s or 0.0) for one in self._shared.values()}
        tops = [holder.id for holder in holders if holder.parent not in charged]
        shares = [{name: self._lines[run][name].share for name in charged[run]} for run in tops]
        whole = {name: math.fsum(one.get(name, 0.0) for one in shares) for name in names}
        for name in names:
            if not self._came.isdisjoint(charged):
                self._make_room(name, [run for run in charged if name in charged[run]], tops, whole[name])
            steady([self._lines[run][name] for run, own_j in charged.items() if name in own_j], *looks[name])
        self.level(tops, whole)

    def _make_room(self, name: str, runs: Sequence[str], tops: Collection[str], whole: float) -> None:
        """Let those who came since the look before have their part at once, and the others theirs beside it."""
        new = self._came.intersection(runs)
        if 0 < len(new) < len(runs):  # else they would have it only after a while
            left = whole - math.fsum(self._lines[run][name].share for run in new if run in tops)
            self.level([run for run in runs if run in tops and run not in new], {name: left})
            for line in (self._lines[run][name] for run in new):
                line.lasting = line.share

    def part_of(self, run: str) -> float:
        """Part that lasts of what a run is charged by CPU time [0-1]."""
        lines = self._lines.get(run, {})
        return max(
            (line.lasting for name, line in lines.items() if not name.startswith(ACCELERATOR)), default=0.0
        )

    def lasting(self, runs: Iterable[str]) -> dict[str, float]:
        """What the parts that last of some runs add up to, by component [0-1]."""
        return sums([self._lines[run] for run in runs if run in self._lines])

    def level(self, runs: Iterable[str], wanted: Mapping[str, float]) -> None:
        """Let the parts that last of some runs add up to what is wanted, as somebody came or went."""
        level([self._lines[run] for run in runs if run in self._lines], wanted)

    def hand_on(self, heir: str, runs: Collection[str], tops: Collection[str]) -> None:
        """Let one run have the parts that last of all, as it goes to another reader before them.

        Args:
            heir: That run.
            runs: All that go there.
            tops: Those of them that are a part of nobody.
        """
        tables = [self._lines[run] for run in runs if run in self._lines]
        hand_on(self._lines.get(heir, {}), tables, [self._lines[run] for run in tops if run in self._lines])

    def _of(self, reading: Reading, *, integrated: bool) -> Shared:
        key = (reading.meter, reading.component)
        one = self._shared.get(key)
        if one is None:
            state = ComponentState.of(reading, integrated=integrated)
            state.component = self._free_name(state)
            one = self._shared[key] = Shared(state, reading.component)
            for lines in self._lines.values() if not state.component.startswith(ACCELERATOR) else ():
                lines[state.component] = Line(reading.at_s, counter_j=reading.energy_j, is_first=True)
        return one

    def _free_name(self, state: ComponentState) -> str:
        """Name of a component that no other one has here: two meters of one thing are charged one by one."""
        return free_name(state.component, {known.state.component for known in self._shared.values()})

    def _miss(self, part: Part) -> None:
        known = {source: one for (meter, source), one in self._shared.items() if meter == part.meter}
        for component, reason in part.absent(known).items():
            known[component].state.missing = known[component].state.missing or reason

    def _mark_loss(self, component: str) -> None:
        for lines in self._lines.values():
            if component in lines:
                lines[component].lost_at_j = lines[component].energy_j

    def entries(self, run: str) -> list[Entry]:
        """Components that a run is charged with, as far as they were ever read."""
        lines = self._lines.get(run, {})
        return [
            entry_of(one, lines[one.state.component], self.origin)
            for one in self._shared.values()
            if one.state.component in lines and one.state.at_s is not None
        ]

    def energies(self, run: str) -> dict[str, float]:
        """Energy charged to a run so far, by component of the machine [J]."""
        return {name: line.energy_j for name, line in self._lines.get(run, {}).items()}

    def dump(self) -> dict[str, Any]:
        """Plain values for a board, from which another process can go on."""
        return {
            "origin": self.origin,
            "shared": [[*key, *shared_values(one)] for key, one in self._shared.items()],
            "lines": {
                run: {name: [getattr(line, slot) for slot in Line.__slots__] for name, line in lines.items()}
                for run, lines in self._lines.items()
            },
            "closed": self._closed,
            "held": self._held,
        }

    def load(self, data: Mapping[str, Any]) -> None:
        """Go on from a board.

        Raises:
            RecordError: It holds no accounts.
        """
        try:
            shared = {(row[0], row[1]): shared_of(row) for row in data["shared"]}
            lines = {
                run: {name: line_of(values) for name, values in table.items()}
                for run, table in data["lines"].items()
            }
            self._closed = {run: [Entry(*row) for row in rows] for run, rows in data["closed"].items()}
            held = [Since(*row) for row in data.get("held", ())]
            self.origin, self._shared, self._lines, self._held = str(data["origin"]), shared, lines, held
        except (KeyError, TypeError, ValueError, IndexError, AttributeError) as err:
            raise RecordError(f"the board of this machine's runs cannot be read: {err!r}") from err
        if data.get("moved") is True:  # all were ended, and those that come are others
            self._hold()
            self.origin = _new_origin()


def _new_origin() -> str:
    return os.urandom(6).hex()
