"""The course of a run's energy: joules by component and bucket, each gap filled where it lies."""

from __future__ import annotations

import math

from sootprint.tracker import quantities
from sootprint.tracker.components import WALL, ComponentState, kind_of
from sootprint.tracker.fold import Fold

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NamedTuple
else:
    from sootprint.core.named import NamedTuple

NODE = "node"
Row = tuple[float, float, str, float]  # start and end [s], component, energy [J]


class Course(NamedTuple):
    """Energies by component in buckets of one width, each `(n,)` [J].

    Args:
        width_s: Width of a bucket [s].
        last_s: End of the run, which may lie in the last bucket [s].
        table: Energies of each component; without a wall meter's, unless it stands alone.
    """

    width_s: float
    last_s: float
    table: dict[str, list[float]]

    @property
    def slots(self) -> int:
        """Number of buckets that the run reaches into."""
        longest = max((len(buckets) for buckets in self.table.values()), default=0)
        reached = math.ceil(self.last_s / self.width_s) if self.width_s > 0.0 else 0
        return min(longest, reached)

    def summed(self, *, without: str | None = None) -> list[float]:
        """Energy of all components but one, `(n,)` [J]."""
        kept = [buckets for component, buckets in self.table.items() if component != without]
        return [math.fsum(b[slot] for b in kept if slot < len(b)) for slot in range(self.slots)]

    def rows(self) -> list[Row]:
        """Start, end, component and energy of each bucket."""
        return [
            (slot * self.width_s, min((slot + 1) * self.width_s, self.last_s), component, spent_j)
            for component, buckets in self.table.items()
            for slot, spent_j in enumerate(buckets[: self.slots])
        ]


def inside(fold: Fold) -> list[ComponentState]:
    """Components that are added up: all but a wall meter, or that alone where it has none of its parts beside it."""
    used = fold.used()
    walls = [state for state in used if kind_of(state) == WALL]
    parts = [state for state in used if kind_of(state) != WALL]
    measured = any(state.covered_s > 0.0 and state.component != NODE for state in parts)
    return parts if measured or not walls else walls


def course_of(fold: Fold, losses: float) -> Course:
    """Course of the components in use, gaps filled at their mean power and the node's losses added.

    Args:
        fold: Sums of a run.
        losses: Share of the other components' energy that the node adds [1].
    """
    parts = inside(fold)
    width_s = max((state.bucket_s for state in parts), default=0.0)
    table = {state.component: buckets_of(state, width_s) for state in parts}
    for index, state in enumerate(fold.states):
        if state.lost_s > 0.0 and state.covered_s > 0.0 and any(state is part for part in parts):
            _fill(table[state.component], fold, index, width_s)
    course = Course(width_s, fold.last_s, table)
    if "node" in table and losses > 0.0:
        for slot, spent_j in enumerate(course.summed(without="node")[: len(table["node"])]):
            table["node"][slot] += losses * spent_j
    return course


def buckets_of(state: ComponentState, width_s: float) -> list[float]:
    """Energies of a component in buckets of the coarsest width in use, `(n,)` [J]."""
    factor = max(1, round(width_s / state.bucket_s))
    return [sum(state.buckets[i : i + factor]) for i in range(0, len(state.buckets), factor)]


def unread(fold: Fold, index: int, width_s: float) -> list[float]:
    """Time of each bucket in which a component was not read and no counter bridged it, `(n,)` [s]."""
    lost: list[float] = []
    for component, start_s, end_s, _, bridged in fold.gaps:
        if component != index or bridged:
            continue
        for slot in range(int(start_s / width_s), int(end_s / width_s) + 1):
            lost += [0.0] * (slot + 1 - len(lost))
            overlap_s = min(end_s, (slot + 1) * width_s) - max(start_s, slot * width_s)
            lost[slot] += max(0.0, overlap_s)
    return lost


def _fill(buckets: list[float], fold: Fold, index: int, width_s: float) -> None:
    """Add the energy of unmeasured gaps at the component's mean power, where they lie.

    Gaps that are too many to be listed are filled in proportion to the rest.
    """
    state = fold.states[index]
    mean_w = quantities.fill_j(state) / state.lost_s
    lost = unread(fold, index, width_s)
    buckets += [0.0] * (len(lost) - len(buckets))
    for slot, lost_s in enumerate(lost):
        buckets[slot] += mean_w * lost_s
    if fold.not_kept["gaps"]:
        known_j = math.fsum(buckets)
        unlisted_j = mean_w * max(0.0, state.lost_s - math.fsum(lost))
        buckets[:] = [one * (1.0 + unlisted_j / known_j) for one in buckets] if known_j > 0.0 else buckets
