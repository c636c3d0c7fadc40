"""Plans found by trying everything, and by linear programming: slow, short and independent of the planner."""

from itertools import combinations, pairwise, product

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, linprog, milp


def best_start(intensity, arrival, length, slack):
    """First step and cost, by looking at every start."""
    costs = [sum(intensity[s : s + length]) for s in range(arrival, arrival + slack + 1)]
    return arrival + costs.index(min(costs)), min(costs)


def best_pause(intensity, arrival, length, slack):
    """Steps and cost, by looking at every choice of steps."""
    choices = combinations(range(arrival, arrival + length + slack), length)
    return min((sum(intensity[step] for step in steps), steps) for steps in choices)


def overheads(intensity, length, slack, resume_cost, idle_share):
    """Steps and cost with resumes and idle draw, by looking at every choice of steps."""
    best = None
    for steps in combinations(range(length + slack), length):
        cost = sum(intensity[step] for step in steps)
        for before, after in pairwise(steps):
            if after > before + 1:
                cost += resume_cost * intensity[after] + idle_share * sum(intensity[before + 1 : after])
        if best is None or cost < best[0] - 1e-9:
            best = (cost, steps)
    return best


def moves(intensities, length, slack, *, between, resume_cost=0.0, home=0, running=None, idle=None):
    """Cost of a job that may move, by looking at every choice of steps and zones."""
    best, idle = float("inf"), idle or [0.0] * len(intensities)
    for steps in combinations(range(length + slack), length):
        for zones in product(range(len(intensities)), repeat=length):
            cost, at, last, ran, begun = 0.0, home, -1, running is True, running is not None
            for step, zone in zip(steps, zones, strict=True):
                cost += between[at][zone] + intensities[zone][step]
                cost += idle[at] * sum(intensities[at][last + 1 : step])
                if begun and not (ran and zone == at and step == last + 1):
                    cost += resume_cost * intensities[zone][step]
                at, last, ran, begun = zone, step, True, True
            best = min(best, cost)
    return best


def moves_by_lp(intensities, length, slack, *, between, resume_cost=0.0, home=0, running=None, idle=None):
    """The same cost as a least-cost flow of one unit: a state is step, zone, steps left, and what it did last."""
    zones, n_steps, idle = range(len(intensities)), length + slack, idle or [0.0] * len(intensities)
    arcs, costs = [], []
    for at, zone, left, last in product(range(n_steps), zones, range(1, length + 1), (None, False, True)):
        state = (at, zone, left, last)
        arcs.append((state, (at + 1, zone, left, last if last is None else False)))
        costs.append(idle[zone] * intensities[zone][at])
        for other in zones:
            resumed = last is not None and not (last and other == zone)
            arcs.append((state, (at + 1, other, left - 1, True) if left > 1 else "done"))
            costs.append(between[zone][other] + intensities[other][at] * (1.0 + resume_cost * resumed))
    states = list(dict.fromkeys(state for arc in arcs for state in arc))
    number = {state: row for row, state in enumerate(states)}
    flow = np.zeros((len(states), len(arcs)))
    for column, (begin, end) in enumerate(arcs):
        flow[number[begin], column] -= 1.0
        flow[number[end], column] += 1.0
    wanted = np.zeros(len(states))
    wanted[number[0, home, length, running]], wanted[number["done"]] = -1.0, 1.0
    return linprog(costs, A_eq=flow, b_eq=wanted, bounds=(0.0, None), method="highs").fun


def pause_by_lp(intensity, arrival, length, slack):
    """Cost of pausing as a linear programme: a share of each step, `length` steps in all."""
    window = np.asarray(intensity[arrival : arrival + length + slack], dtype=float)
    found = linprog(window, A_eq=np.ones((1, window.size)), b_eq=[length], bounds=(0.0, 1.0), method="highs")
    return found.fun


def elastic_by_lp(intensity, work, marginal):
    """Cost of elastic scaling as a linear programme: a share of each worker in each step."""
    prices = np.repeat(np.asarray(intensity, dtype=float), len(marginal))
    gains = np.tile(np.asarray(marginal, dtype=float), len(intensity))
    found = linprog(prices, A_eq=gains[None, :], b_eq=[work], bounds=(0.0, 1.0), method="highs")
    return found.fun


def overheads_by_milp(intensity, length, slack, resume_cost, idle_share):
    """Cost with overheads as a whole-number programme.

    A run step whose previous step did not run is a start; the first of them is free. A step between two run steps is
    held, and a held step that does not run idles.
    """
    n = length + slack
    c = np.asarray(intensity[:n], dtype=float)
    # columns: x (run), s (start of a stretch), f (first start), h (held: from the first to the last run step)
    cost = np.concatenate([c * (1.0 - idle_share), resume_cost * c, -resume_cost * c, idle_share * c])
    eye, zero, down = np.eye(n), np.zeros((n, n)), np.eye(n, k=-1)
    lower = np.tril(np.ones((n, n)))
    rules = [
        LinearConstraint(np.hstack([np.ones(n), np.zeros(3 * n)])[None, :], length, length),
        LinearConstraint(np.hstack([down - eye, eye, zero, zero]), 0, np.inf),  # s_i >= x_i - x_{i-1}
        LinearConstraint(np.hstack([zero, eye, -eye, zero]), 0, np.inf),  # f_i <= s_i
        LinearConstraint(np.hstack([eye, -eye, zero, zero]), 0, np.inf),  # s_i <= x_i
        LinearConstraint(
            np.hstack([zero, np.zeros((n, n)), lower, zero]) - np.hstack([eye, zero, zero, zero]), 0, np.inf
        ),
        LinearConstraint(np.hstack([np.zeros(2 * n), np.ones(n), np.zeros(n)])[None, :], 1, 1),
    ]
    # h_i >= (a run at or before i) + (a run at or after i) - 1, with runs at any step j <= i <= k
    for i in range(n):
        for j in range(i + 1):
            for k in range(i, n):
                row = np.zeros(4 * n)
                row[3 * n + i] += 1.0
                row[j] -= 1.0
                row[k] -= 1.0
                rules.append(LinearConstraint(row[None, :], -1.0, np.inf))
    found = milp(cost, constraints=rules, bounds=Bounds(0, 1), integrality=np.ones(4 * n))
    return found.fun
