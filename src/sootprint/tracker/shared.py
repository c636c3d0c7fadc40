"""A component of the machine in the accounts of all runs: its latest reading, and what a run is told of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sootprint.core.protocols import Reading
from sootprint.tracker.components import ComponentState
from sootprint.tracker.entry import Entry
from sootprint.tracker.line import Line


class Shared:
    """A component of the machine: its latest reading and what went wrong with it."""

    __slots__ = (
        *("before_j", "before_s", "gaps", "losses", "lost_from_s", "lost_until_s"),
        *("reason", "source", "state", "utilisation"),
    )

    def __init__(self, state: ComponentState, source: str) -> None:
        self.state, self.source = state, source  # and its name at its meter
        self.utilisation: float | None = None
        self.losses, self.gaps = 0, 0
        self.lost_from_s = self.lost_until_s = self.before_s = 0.0
        self.reason: str | None = None
        self.before_j: float | None = None

    def spend(self, reading: Reading, max_gap_s: float, slept_s: float) -> float | None:
        """Energy since the reading before, or None where it is not known [J]."""
        state = self.state
        spent_j = None
        self.before_s = reading.at_s if state.at_s is None else state.at_s
        self.before_j = reading.energy_j if state.at_s is None else state.counter_j
        if state.at_s is not None:
            spent = state.spend(
                reading.at_s, reading.energy_j, reading.power_w, max_gap_s=max_gap_s, slept_s=slept_s
            )
            spent_j = spent.energy_j
            if spent_j is None:
                self.losses += 1
                self.lost_from_s, self.lost_until_s = state.at_s, reading.at_s
                self.reason = state.missing or spent.reason
            elif state.missing is not None:
                self.gaps += 1
                self.reason = state.missing
            else:
                state.covered_s += reading.at_s - state.at_s
            if spent_j:
                state.moved, state.dropped = True, False
        state.at_s, state.counter_j, state.power_w = reading.at_s, reading.energy_j, reading.power_w
        state.missing, self.utilisation = None, reading.utilisation
        return spent_j


_CONSTANTS = (
    *("component", "basis", "low_ratio", "high_ratio", "wraps_at_j", "max_power_w", "integrated"),
    *("moved", "dropped", "at_s", "counter_j", "power_w", "missing"),
)
_FACTS = ("utilisation", "losses", "gaps", "lost_from_s", "lost_until_s", "reason")
_NUMBERS = ("at_s", "counter_j", "power_w", "wraps_at_j", "max_power_w")


def shared_values(one: Shared) -> list[Any]:
    """Plain values of a component for a board."""
    return [getattr(one.state, name) for name in _CONSTANTS] + [getattr(one, name) for name in _FACTS]


def shared_of(row: Sequence[Any]) -> Shared:
    """Component from its names and plain values.

    Raises:
        ValueError: They are none; also TypeError.
    """
    meter, source, *values = row
    state = ComponentState(meter=meter, **dict(zip(_CONSTANTS, values, strict=False)))
    one = Shared(state, source)
    for name, value in zip(_FACTS, values[len(_CONSTANTS) :][: len(_FACTS)], strict=True):
        setattr(one, name, value)
    for name in _NUMBERS:
        value = getattr(state, name)
        setattr(state, name, None if value is None else float(value))
    return one


def entry_of(one: Shared, line: Line, origin: str) -> Entry:
    """What a run is told of a component."""
    state = one.state
    goes_on = not state.integrated and state.basis != "modelled"  # whoever reads it
    return Entry(
        meter=state.meter,
        component=one.source,
        basis=state.basis,
        low_ratio=state.low_ratio,
        high_ratio=state.high_ratio,
        integrated=state.integrated,
        origin=origin,
        since_s=line.since_s,
        at_s=state.at_s or 0.0,
        energy_j=line.energy_j,
        rest_j=line.rest_j,
        variance_j2=line.variance_j2,
        utilisation=one.utilisation,
        losses=one.losses,
        lost_from_s=one.lost_from_s,
        lost_until_s=one.lost_until_s,
        lost_at_j=line.lost_at_j,
        gaps=one.gaps,
        dropped=state.dropped,
        reason=one.reason,
        missing=state.missing,
        is_first=line.is_first > 0.0,
        held_s=line.held_s if line.held_s >= 0.0 else None,
        held_j=line.held_j if goes_on and line.held_j >= 0.0 else None,
        counter_j=state.counter_j if goes_on else None,
        wraps_at_j=state.wraps_at_j,
        max_power_w=state.max_power_w,
        share=line.told,
        without_j=line.without_j,
    )
