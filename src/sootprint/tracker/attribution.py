"""Who is charged for a joule: what the meters gave, split among the runs that hold the machine.

Pure: the holders and their use are passed in. The rule in words, with an example, is in
docs/explanation/who-is-charged.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import fsum
from types import MappingProxyType
from typing import NamedTuple

from sootprint.core.protocols import family_of

ACCELERATOR = "accelerator"
BY_THE_REST = frozenset({"node", "wall"})  # split as the other components were


class Holder(NamedTuple):
    """A run that is charged.

    Args:
        id: Identity of the run.
        parent: Identity of the run that it is a part of, if there is one.
        strict: Whether it asked to be charged with its own processes' share alone (--share process).
        sees: Accelerators that it may use, or None for all.
        is_run: Whether it is a run; a job or a pod may keep its record elsewhere, or none.
    """

    id: str
    parent: str | None = None
    strict: bool = False
    sees: frozenset[str] | None = None
    is_run: bool = True


class Use(NamedTuple):
    """What a run's processes, or all of a machine's, used since the last look.

    Args:
        cpu_s: CPU time [s].
        busy: Busy share of each accelerator by its processes, as far as the driver tells [0-1].
        memory: Memory of its processes on each accelerator where it has one; 0 where the size is not told [byte].
    """

    cpu_s: float = 0.0
    busy: Mapping[str, float] = MappingProxyType({})
    memory: Mapping[str, int] = MappingProxyType({})


class Charge(NamedTuple):
    """Energy charged to a run that pays for its own processes alone, and what nobody pays for [J]."""

    own_j: float
    rest_j: float


IDLE = Use()
_Charges = dict[str, dict[str, float]]


def split(
    spent_j: Mapping[str, float], holders: Sequence[Holder], uses: Mapping[str, Use]
) -> dict[str, dict[str, float]]:
    """Energy charged to each holder, by component; a component that no holder may use is charged to none [J].

    Holders without a parent among the holders share what was spent; the children of a holder share what it was
    charged, which stays charged to it too. Shares of one amount add up to it.

    Args:
        spent_j: Energy of each component since the last look, at least 0 [J].
        holders: Runs that are charged, in any order.
        uses: Use since the last look, by the holder's identity; a holder that is left out was idle.

    >>> split({"cpu": 8.0}, [Holder("a"), Holder("b")], {"a": Use(3.0), "b": Use(1.0)})
    {'a': {'cpu': 6.0}, 'b': {'cpu': 2.0}}
    """
    charged: _Charges = {holder.id: {} for holder in holders}
    children = _by_parent(holders)
    waiting: list[tuple[Mapping[str, float], list[Holder]]] = [(spent_j, children.pop(None, []))]
    while waiting:
        amounts_j, siblings = waiting.pop()
        _share(amounts_j, siblings, uses, charged)
        waiting += [(charged[one.id], children.pop(one.id)) for one in siblings if one.id in children]
    return charged


def strict_share(
    spent_j: Mapping[str, float], charged_j: Mapping[str, float], *, use: Use, whole: Use
) -> dict[str, Charge]:
    """What a strict holder pays of its charges: its own use over all use of the machine, of what was spent.

    Args:
        spent_j: Energy of each component of the machine since the last look [J].
        charged_j: What `split` charged to the holder [J].
        use: The holder's own use.
        whole: Use of all processes of the machine, tracked or not.

    >>> strict_share({"cpu": 8.0}, {"cpu": 4.0}, use=Use(1.0), whole=Use(4.0))
    {'cpu': Charge(own_j=2.0, rest_j=2.0)}
    """
    shares = {name: _own_share(name, use, whole) for name in charged_j if family_of(name) not in BY_THE_REST}
    own = {name: min(charged_j[name], spent_j.get(name, 0.0) * share) for name, share in shares.items()}
    total_j = fsum(charged_j[name] for name in own)
    of_rest = fsum(own.values()) / total_j if total_j > 0.0 else None
    for name in charged_j.keys() - own.keys():
        if of_rest is None:
            own[name] = min(charged_j[name], spent_j.get(name, 0.0) * _ratio(use.cpu_s, whole.cpu_s))
        else:
            own[name] = charged_j[name] * min(1.0, of_rest)
    return {name: Charge(own[name], charged_j[name] - own[name]) for name in charged_j}


def _by_parent(holders: Sequence[Holder]) -> dict[str | None, list[Holder]]:
    """Holders by the parent that charges them; None for those that share the machine itself."""
    parents = {holder.id: holder.parent for holder in holders}
    found: dict[str | None, list[Holder]] = {}
    for holder in {holder.id: holder for holder in holders}.values():
        known = holder.parent in parents and not _is_own_ancestor(holder.id, parents)
        found.setdefault(holder.parent if known else None, []).append(holder)
    return found


def _is_own_ancestor(holder: str, parents: Mapping[str, str | None]) -> bool:
    above, steps = parents[holder], 0
    while above is not None and above != holder and steps < len(parents):
        above, steps = parents.get(above), steps + 1
    return above == holder


def _share(
    amounts_j: Mapping[str, float], siblings: Sequence[Holder], uses: Mapping[str, Use], charged: _Charges
) -> None:
    """Add the siblings' parts of each amount to what they are charged."""
    cpu_s = {one.id: uses.get(one.id, IDLE).cpu_s for one in siblings}
    for name, amount_j in amounts_j.items():
        if family_of(name) == ACCELERATOR:
            weights = _on_accelerator(name, siblings, uses)
        elif family_of(name) not in BY_THE_REST:
            weights = cpu_s
        else:
            continue
        for holder, part_j in _parts(amount_j, weights).items():
            charged[holder][name] = part_j
    rest_j = {one.id: fsum(charged[one.id].values()) for one in siblings}
    for name, amount_j in amounts_j.items():
        if family_of(name) in BY_THE_REST:
            for holder, part_j in _parts(amount_j, rest_j if any(rest_j.values()) else cpu_s).items():
                charged[holder][name] = part_j


def _on_accelerator(name: str, siblings: Sequence[Holder], uses: Mapping[str, Use]) -> Mapping[str, float]:
    """Weights of those that may use an accelerator or have a process on it: by utilisation, else by memory."""
    here = {one.id: uses.get(one.id, IDLE) for one in siblings if _may_use(one, name, uses)}
    measures: tuple[Callable[[Use], float], ...] = (
        lambda use: use.busy.get(name, 0.0),
        lambda use: use.memory.get(name, 0),
        lambda use: name in use.memory,
    )
    for measure in measures:
        weights = {holder: float(measure(use)) for holder, use in here.items()}
        if any(weights.values()):
            return weights
    return dict.fromkeys(here, 0.0)


def _may_use(holder: Holder, name: str, uses: Mapping[str, Use]) -> bool:
    """Whether a holder may use an accelerator; a process that is there says more than its parent's environment."""
    use = uses.get(holder.id, IDLE)
    return holder.sees is None or name in holder.sees or name in use.memory or use.busy.get(name, 0.0) > 0.0


def _parts(amount_j: float, weights: Mapping[str, float]) -> dict[str, float]:
    """Parts of an amount in proportion to weights, equal where all are 0; they add up to it."""
    total = fsum(weights.values())
    if not weights:
        return {}
    parts = {
        one: amount_j * (weight / total if total > 0.0 else 1.0 / len(weights))
        for one, weight in weights.items()
    }
    largest = max(parts, key=lambda one: (parts[one], one))
    parts[largest] = max(0.0, parts[largest] + (amount_j - fsum(parts.values())))  # what rounding left
    return parts


def _own_share(name: str, use: Use, whole: Use) -> float:
    """Own use over all use of a component [0-1]."""
    if family_of(name) != ACCELERATOR:
        return _ratio(use.cpu_s, whole.cpu_s)
    if whole.busy.get(name, 0.0) > 0.0:
        return _ratio(use.busy.get(name, 0.0), whole.busy[name])
    if whole.memory.get(name, 0) > 0:
        return _ratio(use.memory.get(name, 0), whole.memory[name])
    return 1.0 if name in use.memory else 0.0  # whose process there is larger is not told


def _ratio(own: float, whole: float) -> float:
    return min(1.0, own / whole) if whole > 0.0 else 0.0
