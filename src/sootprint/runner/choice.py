"""The choice of a place and a time for a job, from what is known of the hours ahead, against running at once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from sootprint.core.units import W_PER_KW, hours
from sootprint.intensity.kinds import unlike
from sootprint.planner.moves import Held, Moves, counted, plan_moves, plan_start
from sootprint.planner.replan import ADVANTAGE
from sootprint.runner import transfer
from sootprint.runner.power import USUAL_POWER_W

if TYPE_CHECKING:
    from sootprint.engines.book import Plan
    from sootprint.runner.outlook import Ahead
    from sootprint.settings.targets import Target

NOWHERE = 1e6  # intensity of a place where the job cannot go on [gCO2e/kWh]
NEVER = 1e12  # cost of a move that is left out
Floats = npt.NDArray[np.float64]
Known = Sequence[tuple["Target", "Ahead"]]


class Odds(NamedTuple):
    """What a decision is made on.

    Args:
        rows: Best estimate by place and step, `(n_places, n_steps)` [gCO2e/kWh].
        drawn: Equally likely courses, `(n_draws, n_places, n_steps)`; None where nobody says how sure it is.
        left: Steps that the job still runs.
        held: Where it is, and what pauses and moves cost.
        usual: Place where it would run at once, without any plan.
        pausable: Whether it may pause.
        advantage: Share by which another place or time must be better [1].
    """

    rows: Floats
    drawn: Floats | None
    left: int
    held: Held
    usual: int
    pausable: bool
    advantage: float


def alike(known: Known, place: str) -> tuple[Known, list[str]]:
    """Places whose figures can be ranked, in equal steps, and a line for each other one.

    Those that count are of the method and type of the place where the job is, else of the first one.

    Args:
        known: Places and what lies ahead there.
        place: Where the job runs, or where what it needs lies.
    """
    if not known:
        return known, []
    target, first = next((one for one in known if one[0].name == place), known[0])
    kept: list[tuple[Target, Ahead]] = []
    left_out = []
    for one, ahead in known:
        reason = unlike((ahead.method, ahead.source), (first.method, first.source))
        if reason is None:
            kept.append((one, ahead))
        else:
            left_out.append(f"target {one.name} is left out, for {reason} of {target.name} is no comparison")
    longest = sorted((ahead.step_s for _, ahead in kept), reverse=True)
    step_s = next(one for one in longest if first.by_steps_of(one) is not None)  # its own, at the least
    made = [(one, ahead.by_steps_of(step_s)) for one, ahead in kept]
    index = next(ahead.index for one, ahead in made if one is target and ahead is not None)
    even = [(one, ahead) for one, ahead in made if ahead is not None and ahead.index == index]
    names = {one.name for one, _ in even}
    left_out += [
        f"target {one.name} is left out: its steps of {ahead.step_s:g} s do not fit into those of {step_s:g} s"
        for one, ahead in kept
        if one.name not in names
    ]
    return even, left_out


def chosen(
    plan: Plan, known: Known, place: str, *, left_s: float, free_s: float, running: bool | None
) -> str | None:
    """Name of the place where the job runs now, or None where it waits.

    Args:
        plan: The plan.
        known: Places where it may go and what lies ahead there, at least one, with equal steps.
        place: Where it runs, or where what it needs lies.
        left_s: Time that it still runs [s].
        free_s: Time that it may still wait [s].
        running: Whether it runs; False in a pause, None before its first start.
    """
    names, step_s = [target.name for target, _ in known], known[0][1].step_s
    home = names.index(place) if place in names else len(names)
    left = max(1, math.ceil(left_s / step_s))
    ends = min(ahead.values.size for _, ahead in known)
    slack = max(0, min(math.floor(free_s / step_s), ends - left))
    pues = _pues(known)
    rows = [pue * _as_long(ahead.values, left + slack) for (_, ahead), pue in zip(known, pues, strict=True)]
    usual = home if home < len(names) else 0 if running is None else _cleanest(rows, left)
    idle = np.full(len(rows), idle_share(plan))
    if home == len(names):
        rows.append(np.full(left + slack, NOWHERE))
        idle = np.append(idle, idle_share(plan) * float(rows[usual].mean()) / NOWHERE)
    odds = Odds(
        rows=np.stack(rows),
        drawn=_drawn(known, rows, pues),
        left=left,
        held=Held(_moves(plan, known, len(rows)), plan.resume_s / step_s, idle, home, running),
        usual=usual,
        pausable=plan.pausable,
        advantage=ADVANTAGE,
    )
    if running and not plan.pausable:
        return place  # what cannot save cannot leave
    found = first_zone(odds)
    return None if found is None else [*names, place][found]


def goes(plan: Plan, ahead: Ahead, *, left: int, slack: int, running: bool | None) -> bool:
    """Whether a job that has one place runs in the first of the steps ahead; arguments as of `waits`."""
    return waits(plan, ahead, left=left, slack=slack, running=running) == 0


def waits(plan: Plan, ahead: Ahead, *, left: int, slack: int, running: bool | None) -> int:
    """Steps that a job that has one place waits before it runs, 0 where it runs in the first of those ahead.

    Every driver of a job in one place asks this: the resume that ends a pause, or that a pause now would lead to, and
    what stays on meanwhile are in the plan and in its error bar.

    Args:
        plan: The plan.
        ahead: Steps ahead.
        left: Steps that it still runs.
        slack: Steps that it may still wait.
        running: Whether it runs; False in a pause, None before its first start.
    """
    if running and not plan.pausable:
        return 0
    drawn = ahead.draws()
    odds = Odds(
        rows=ahead.values[None, : left + slack],
        drawn=None if drawn is None else drawn[:, None, : left + slack],
        left=left,
        held=Held(np.zeros((1, 1)), plan.resume_s / ahead.step_s, np.array([idle_share(plan)]), 0, running),
        usual=0,
        pausable=plan.pausable,
        advantage=0.0 if plan.pausable else ADVANTAGE,
    )
    return int(_first(odds).steps[0])


def first_zone(odds: Odds) -> int | None:
    """Place of the first step in the best plan whose saving clears its error bar, or None where that waits."""
    way = _first(odds)
    return int(way.zones[0]) if way.steps[0] == 0 else None


def _first(odds: Odds) -> Moves:
    """The best plan whose saving clears its error bar.

    Plans in all places and times, in the usual place alone, and at once in each place are weighed against running at
    once in the usual place, which is done where none clears.
    """
    at_once = np.arange(odds.left)
    n_zones = odds.rows.shape[0]
    ways = [_best(odds, odds.held.moves), _best(odds, _only(odds))]
    ways += [counted(at_once, np.full(odds.left, zone), odds.rows, odds.held) for zone in range(n_zones)]
    now = ways[2 + odds.usual]
    for way in sorted(ways, key=lambda one: one.cost):
        if way.cost >= now.cost:
            break
        if _clears(way, now, odds):
            return way
    return now


def idle_share(plan: Plan) -> float:
    """Draw of what stays on while a job does not run over its power [1]."""
    return (plan.idle_w or 0.0) / (plan.power_w or USUAL_POWER_W)


def _best(odds: Odds, moves: Floats) -> Moves:
    """Best plan in the places that `moves` leads to."""
    rows, left, held = odds.rows, odds.left, odds.held
    slack = rows.shape[1] - left
    if not odds.pausable:
        return plan_start(rows, left, slack, moves=moves, idle_share=held.idle_share, home=held.home)
    return plan_moves(
        rows,
        left,
        slack,
        moves=moves,
        resume_cost=held.resume_cost,
        idle_share=held.idle_share,
        home=held.home,
        running=held.running,
    )


def _only(odds: Odds) -> Floats:
    """Moves of which only those to the usual place can be paid."""
    made = np.where(np.arange(odds.rows.shape[0])[None, :] == odds.usual, odds.held.moves, NEVER)
    np.fill_diagonal(made, 0.0)
    return made


def _clears(way: Moves, now: Moves, odds: Odds) -> bool:
    """Whether a plan is expected to save more than its standard error, and by the advantage asked for."""
    if way.cost >= now.cost * (1.0 - odds.advantage):
        return False
    if odds.drawn is None:
        return True
    saved = np.einsum("dzs,zs->d", odds.drawn, now.weights - way.weights) + now.carried - way.carried
    return bool(saved.mean() > saved.std() / math.sqrt(saved.size))


def _cleanest(rows: Sequence[Floats], left: int) -> int:
    return int(np.argmin([row[:left].sum() for row in rows]))


def _pues(known: Known) -> list[float]:
    """PUE of each place, by which a job's energy counts; 1 in all where one is not known, for no guess ranks places."""
    stated = [target.pue for target, _ in known if target.pue is not None]
    return stated if len(stated) == len(known) else [1.0] * len(known)


def _drawn(known: Known, rows: Sequence[Floats], pues: Sequence[float]) -> Floats | None:
    """Equally likely courses of all places, the same earlier days in each; what is given has but one."""
    courses = [ahead.draws() for _, ahead in known]
    counts = [len(one) for one in courses if one is not None]
    if not counts:
        return None
    n_draws, n_steps = min(counts), rows[0].size
    made = np.repeat(np.stack(rows)[None], n_draws, axis=0)
    for zone, drawn in enumerate(courses):
        if drawn is not None:
            made[:, zone] = [pues[zone] * _as_long(one, n_steps) for one in drawn[:n_draws]]
    return made


def _moves(plan: Plan, known: Known, count: int) -> Floats:
    """Emissions of a move from each place to each, over the job's energy in a step [gCO2e/kWh]."""
    step_kwh = (plan.power_w or USUAL_POWER_W) / W_PER_KW * hours(known[0][1].step_s)
    now = np.array([float(ahead.values[0]) for _, ahead in known])
    made = np.zeros((count, count))
    for column, (target, _) in enumerate(known):
        sources = np.append(now, now[column])[:count]  # of a place that nobody tells of, the other end's
        carried_kwh = target.data_gb * transfer.factor(target).known
        made[:, column] = carried_kwh * 0.5 * (sources + now[column]) / step_kwh
    np.fill_diagonal(made, 0.0)
    return made


def _as_long(values: Floats, length: int) -> Floats:
    """Values of so many steps, the last one going on."""
    if values.size >= length:
        return values[:length]
    return np.append(values, np.full(length - values.size, values[-1]))
