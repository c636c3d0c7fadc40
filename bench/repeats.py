"""Trainings with earlier runs of the same name: what was recorded twice, and synthetic ones made twice.

Runs of a synthetic pair have what their author set in common: units, set-up, compilation, warm-up, growth, evaluations,
checkpoints, last evaluation, changes of the stage and pauses, and how much their pace and power wander. What chance
makes of that is each one's own: noise, stragglers, walks, spells of neighbours and the noise of the ticks. The later
one also takes exp(N(0, 0.05)) times as long a unit and exp(N(0, 0.03)) times the power throughout, as machines differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import synthetic_traces
from replayed import TRACES, Case, case, recorded

from sootprint.tracker.again import Earlier, Then

SLOWER, STRONGER = 0.05, 0.03  # spreads of time and power of a later run over those of an earlier one


class Twin:
    """Numbers of which single ones are those of a structure and arrays those of chance.

    Args:
        structure: Seed of what two runs have in common.
        chance: Seed of what is one's own.
    """

    def __init__(self, structure: Sequence[int], chance: Sequence[int]) -> None:
        self._structure, self._chance = np.random.default_rng(structure), np.random.default_rng(chance)

    def __getattr__(self, name: str) -> Any:
        one, many = getattr(self._structure, name), getattr(self._chance, name)
        sized = {"random": 1, "normal": 3, "uniform": 3}.get(name)

        def drawn(*args: Any, **named: Any) -> Any:
            return (many if "size" in named or len(args) == sized else one)(*args, **named)

        return drawn


def pairs(
    count: int, *, seed: int, kind: synthetic_traces.Kind, earlier: int = 1
) -> list[list[dict[str, Any]]]:
    """Runs of the same synthetic trainings, `earlier` ones and the one to forecast, which is the last."""
    return [[_run(seed, index, number, kind) for number in range(earlier + 1)] for index in range(count)]


def _run(seed: int, index: int, number: int, kind: synthetic_traces.Kind) -> dict[str, Any]:
    structure, chance = [seed, index, *kind.key, 10], [seed, index, *kind.key, 11 + number]
    made = synthetic_traces.trace(Twin(structure, chance), f"synthetic-{index:03d}", kind=kind)  # type: ignore[arg-type]
    own = np.random.default_rng([*chance, 0])
    slower, stronger = np.exp(SLOWER * own.normal()), np.exp(STRONGER * own.normal())
    return scaled(made, slower=float(slower), stronger=float(slower * stronger)) if number else made


def scaled(trace: dict[str, Any], *, slower: float, stronger: float) -> dict[str, Any]:
    """A trace whose times and energies are some times as large."""
    return {
        **trace,
        "end_s": slower * trace["end_s"],
        "end_j": stronger * trace["end_j"],
        "ticks": [[slower * at_s, stronger * spent_j] for at_s, spent_j in trace["ticks"]],
        "spans": [[name, slower * begin_s, slower * end_s] for name, begin_s, end_s in trace["spans"]],
        "units": [[slower * at_s, done] for at_s, done in trace["units"]],
    }


def as_earlier(trace: dict[str, Any], one: Case) -> Earlier:
    """A trace as its record would hold it."""
    moments = (moment.pace for _, moment in sorted(one.moments.items()))
    return Earlier(
        total=float(trace["total"]),
        duration_s=one.end_s,
        energy=one.end_j,
        moments=tuple(
            Then(pace.progress, pace.last.at_s, pace.last.energy_j, pace.unit_s, pace.unit_s * pace.power_w)
            for pace in moments
        ),
    )


def after(trace: dict[str, Any], *before: dict[str, Any]) -> Case:
    """A run with the earlier ones that its ledger would hold."""
    return case(trace)._replace(earlier=tuple(as_earlier(one, case(one)) for one in reversed(before)))


def with_another(cases: Sequence[Case]) -> list[Case]:
    """Runs of which each has the earlier run of the next one: one of the same name that is another training."""
    return [
        one._replace(earlier=other.earlier) for one, other in zip(cases, [*cases[1:], cases[0]], strict=True)
    ]


def _after_one(count: int, *, seed: int, kind: synthetic_traces.Kind) -> list[Case]:
    return [after(runs[-1], runs[0]) for runs in pairs(count, seed=seed, kind=kind)]


def groups(count: int, *, seed: int) -> dict[str, list[Case]]:
    """Runs with earlier ones, by the title of their table.

    Args:
        count: Synthetic trainings of a kind; a fifth of it where machines are shared, or three earlier runs known.
        seed: Their seed.
    """
    traces = {trace["name"]: trace for trace in recorded()}
    shared = {trace["name"]: trace for trace in recorded(TRACES / "shared")}
    again = recorded(TRACES / "again")
    quiet = {trace["name"]: trace for trace in recorded(TRACES / "quiet")}
    made = [after(traces[name], shared[name]) for name in traces if name in shared]
    few = count // 5
    three = [
        after(runs[-1], *runs[:-1]) for runs in pairs(few, seed=seed, kind=synthetic_traces.OWN, earlier=3)
    ]
    one = _after_one(count, seed=seed, kind=synthetic_traces.OWN)
    found = {
        "Recorded trainings, one earlier run, of a noisier machine": made,
        "Recorded trainings, one earlier run, of another seed": [
            after(trace, traces[trace["name"]]) for trace in again
        ],
        "Trainings recorded on a quiet machine, one earlier run, of another seed": [
            after(trace, quiet[trace["name"]]) for trace in recorded(TRACES / "quiet" / "again")
        ],
        "Trainings recorded on a quiet machine, one earlier run, of a busier machine and other length": [
            after(trace, traces[trace["name"]]) for trace in quiet.values()
        ],
        "Recorded trainings, a run of another training in its place": with_another(made),
        "Synthetic trainings, one earlier run": one,
        "Synthetic trainings, three earlier runs": three,
        "Synthetic trainings, a run of another training in its place": with_another(one[:few]),
    }
    for name, kind, some in (
        ("on shared machines", synthetic_traces.SHARED, few),
        ("plain", synthetic_traces.PLAIN, count),
    ):
        found[f"Synthetic trainings, {name}, one earlier run"] = _after_one(some, seed=seed, kind=kind)
    return {title: cases for title, cases in found.items() if cases}
