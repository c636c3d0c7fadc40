"""Figures of the node service, for Prometheus."""

from __future__ import annotations

from collections.abc import Mapping
from math import fsum
from typing import NamedTuple

from sootprint.core.exposition import Family, Labels

MOST_ENDED = 1_000  # jobs and pods that have ended whose figures are still told


class Owner(NamedTuple):
    """Whose energy a figure is; what is not known is empty."""

    user: str = ""
    job: str = ""
    pod: str = ""


class Counters:
    """Energies that only ever grow, of each owner and of the node."""

    def __init__(self) -> None:
        self._node_j: dict[str, float] = {}
        self._rest_j: dict[str, float] = {}
        self._owners_j: dict[Owner, dict[str, float]] = {}
        self._seen_j: dict[str, dict[str, float]] = {}  # of each holder at the last count
        self.ticks = 0
        self.errors: dict[str, int] = dict.fromkeys(("meter", "state", "client", "refused"), 0)

    def count(
        self,
        spent_j: Mapping[str, float],
        charged_j: Mapping[str, Mapping[str, float]],
        *,
        owners: Mapping[str, Owner],
    ) -> None:
        """Count one tick.

        Args:
            spent_j: Energy of each component since the last tick [J].
            charged_j: Energy charged so far to each holder, by component [J].
            owners: Whose energy it is, of each holder that is a part of no other.
        """
        self.ticks += 1
        gained: dict[str, list[float]] = {}
        for holder, owner in owners.items():
            now_j, before_j = charged_j[holder], self._seen_j.get(holder, {})
            sums = self._owners_j.setdefault(owner, {})
            for component in now_j.keys() & spent_j.keys():
                gain_j = max(0.0, now_j[component] - before_j.get(component, 0.0))
                sums[component] = sums.get(component, 0.0) + gain_j
                gained.setdefault(component, []).append(gain_j)
        for component, energy_j in spent_j.items():
            rest_j = max(0.0, energy_j - fsum(gained.get(component, ())))
            self._node_j[component] = self._node_j.get(component, 0.0) + energy_j
            self._rest_j[component] = self._rest_j.get(component, 0.0) + rest_j
        self.begin(charged_j)
        self._forget(set(owners.values()))

    def begin(self, charged_j: Mapping[str, Mapping[str, float]]) -> None:
        """Count from what each holder was charged until now, by component [J]."""
        self._seen_j = {holder: dict(now_j) for holder, now_j in charged_j.items()}

    def _forget(self, here: set[Owner]) -> None:
        """Drop the oldest of too many jobs and pods that have ended."""
        ended = [one for one in self._owners_j if (one.job or one.pod) and one not in here]
        for owner in ended[: max(0, len(ended) - MOST_ENDED)]:
            del self._owners_j[owner]

    def families(self) -> list[Family]:
        """The figures."""
        owners = [
            ((("component", component), *zip(Owner._fields, owner, strict=True)), energy_j)
            for owner, sums in self._owners_j.items()
            for component, energy_j in sums.items()
        ]
        return [
            Family(
                "sootprint_energy_joules_total",
                "counter",
                "Energy charged to users, jobs and pods; a run inside a job or pod is in the figure of that one.",
                owners,
            ),
            Family(
                "sootprint_node_energy_joules_total",
                "counter",
                "Energy that the meters of this node gave; component wall is around the others.",
                _by("component", self._node_j),
            ),
            Family(
                "sootprint_unallocated_energy_joules_total",
                "counter",
                "Energy of this node that nobody is charged with.",
                _by("component", self._rest_j),
            ),
            Family("sootprint_ticks_total", "counter", "Looks at the meters.", [((), float(self.ticks))]),
            Family(
                "sootprint_errors_total",
                "counter",
                "What went wrong, by kind.",
                _by("kind", {kind: float(count) for kind, count in self.errors.items()}),
            ),
        ]


def gauge(name: str, text: str, value: float) -> Family:
    """Family of one figure that may fall."""
    return Family(name, "gauge", text, [((), value)])


def by_user(name: str, text: str, counts: Mapping[str, int]) -> Family:
    """Family of a count for each user."""
    return Family(name, "gauge", text, _by("user", {user: float(count) for user, count in counts.items()}))


def _by(label: str, values: Mapping[str, float]) -> list[tuple[Labels, float]]:
    return [(((label, name),), value) for name, value in values.items()]
