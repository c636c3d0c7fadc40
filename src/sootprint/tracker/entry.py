"""One component of one run's account, as the machine's one reader tells it."""

from __future__ import annotations

from typing import NamedTuple

from sootprint.core import energy
from sootprint.tracker.components import ComponentState


class Entry(NamedTuple):
    """One component of one run's account; times are of the machine's monotonic clock.

    Args:
        meter: Name of the meter.
        component: Name of the component at its meter.
        basis: sensor, metered or modelled.
        low_ratio: True energy over charged, 5th percentile.
        high_ratio: True energy over charged, 95th percentile.
        integrated: Whether the energy of a gap is not in it.
        origin: Identity of the accounts; another one has begun anew.
        since_s: Instant from which the run is charged [s].
        at_s: Instant until which it was charged [s].
        energy_j: Energy charged since then [J].
        rest_j: Energy that nobody is charged with, of a run that pays for its own processes alone [J].
        variance_j2: Variance of the energy [J^2].
        utilisation: Busy share of the device until `at_s`, or None [0-1].
        losses: How often the counter lost what was spent.
        lost_from_s: Start of the latest loss [s].
        lost_until_s: End of the latest loss [s].
        lost_at_j: What the run had been charged by then [J].
        gaps: How often readings were missing and the counter bridged it.
        dropped: Whether the counter stands still, so that it measures nothing.
        reason: Why, of the latest loss or gap.
        missing: Why there is no reading now, or None where there is one.
        is_first: Whether nobody was charged with it before `since_s`.
        held_s: Instant since which somebody is charged with all of it without a break, as far as known [s].
        held_j: What the device's own counter showed then, or None where it has none [J].
        counter_j: What it showed at `at_s` [J].
        wraps_at_j: Where it starts again from zero [J].
        max_power_w: Highest power that it can tell [W].
        share: Part of what was spent last that the run was charged with [0-1].
        without_j: Energy charged while no run around this one was here [J].
    """

    meter: str
    component: str
    basis: str
    low_ratio: float
    high_ratio: float
    integrated: bool
    origin: str
    since_s: float
    at_s: float
    energy_j: float
    rest_j: float
    variance_j2: float
    utilisation: float | None
    losses: int
    lost_from_s: float
    lost_until_s: float
    lost_at_j: float
    gaps: int
    dropped: bool
    reason: str | None
    missing: str | None
    is_first: bool = False
    held_s: float | None = None
    held_j: float | None = None
    counter_j: float | None = None
    wraps_at_j: float | None = None
    max_power_w: float | None = None
    share: float | None = None
    without_j: float = 0.0

    def private(self) -> Entry:
        """Account for a user who may not read the device's own counter: nothing tells what the node drew."""
        return self._replace(held_j=None, counter_j=None, share=None)

    def until_j(self, later: Entry, at_s: float) -> float | None:
        """What the run is charged until another reader's first look, by the counter that went on meanwhile [J].

        Its part is that of the last look before: the parts of all runs add up to one, so that nothing is charged
        twice; one that has come since that look had none. None where the counter does not tell, as one that was reset.

        Args:
            later: The account with the other reader, of the same component.
            at_s: Instant of that look [s].
        """
        later_j = later.held_j
        if later_j is None and later.at_s == at_s:
            later_j = later.counter_j
        is_new = self.share is None and not self.is_first and not self.energy_j
        share = 0.0 if is_new else self.share
        if self.counter_j is None or share is None or later_j is None or at_s <= self.at_s:
            return None
        spent = energy.counted(
            self.counter_j,
            later_j,
            at_s - self.at_s,
            wraps_at_j=self.wraps_at_j,
            max_power_w=self.max_power_w,
        )
        return None if spent.energy_j is None else self.energy_j + share * spent.energy_j

    def state(self) -> ComponentState:
        """State of this component in a run that has not seen it before."""
        return ComponentState(
            meter=self.meter,
            component=self.component,
            basis=self.basis,
            low_ratio=self.low_ratio,
            high_ratio=self.high_ratio,
            integrated=self.integrated,
        )
