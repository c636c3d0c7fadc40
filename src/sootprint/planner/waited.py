"""What waiting saved: a job that ran, against running it at once, at a random time, and with perfect foresight.

All are counted on the same actual intensities and with the same energy. What the wait itself cost (loading, saving,
lost work, idle draw, transfers) is in what ran and not in running at once, so that it is subtracted from the saving.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from sootprint.core.errors import InputError
from sootprint.core.intervals import Z90
from sootprint.core.quantity import Quantity
from sootprint.core.units import G_PER_KG, SECONDS_PER_HOUR, W_PER_KW
from sootprint.planner.exact import Floats
from sootprint.planner.overheads import rest_costs

MOST_UNKNOWN = 0.05  # of an alternative's energy in steps without a figure, above which it is not known
OWN_VARIANCE = (
    0.25  # of a figure's variance: the hour's own error; the rest, such as the factors', is all hours'
)
OWN_MEMORY_S = 3.0 * SECONDS_PER_HOUR  # in which an hour's own error fades
OWN_RATIO = 1.1  # high over value of a figure without bounds: grids' figures differ by at least 10 %
OVERHEAD_RATIO = 2.0  # high over value of the energy of loading and saving, which no meter tells from work
LEAST_S = 1e-3  # of work, below which there is none: times are sums and differences of large numbers
DRAWS, SEED, MOST_KNOTS, RANDOM_STARTS = 512, 20260, 2000, 193
_WORK_STEPS, _WINDOW_STEPS = 240, 4000  # of the oracle's programme, at most


class Grid(NamedTuple):
    """Actual intensity of each zone between edges; nan for a hole.

    Args:
        edges_s: Times between which figures hold, `(n_steps + 1,)` [s].
        values: Figures, `(n_zones, n_steps)` [gCO2e/kWh].
        spreads: Standard deviation of their logarithms, `(n_zones, n_steps)` [1].
    """

    edges_s: Floats
    values: Floats
    spreads: Floats


class Segment(NamedTuple):
    """One start of a job.

    Args:
        zone: Row of the grid where it ran; 0 is where the job would have run at once.
        start_s: Its begin [s].
        end_s: Its end [s].
        lead_s: Time at its begin that is no work: loading [s].
        tail_s: Time at its end that is no work: saving, or all of it where its work was lost [s].
        parts: Start [s], end [s] and energy [kWh] of what was drawn at even power, `(n_parts, 3)`.
    """

    zone: int
    start_s: float
    end_s: float
    lead_s: float
    tail_s: float
    parts: Floats


class Moved(NamedTuple):
    """What was carried from one zone to another.

    Args:
        at_s: When [s].
        zones: Rows of the grid at its ends, which share its energy evenly.
        energy_kwh: Its energy [kWh].
    """

    at_s: float
    zones: Sequence[int]
    energy_kwh: float


class Job(NamedTuple):
    """A job that ran by a plan.

    Args:
        made_s: When it could have run [s].
        deadline_s: When it had to have ended [s].
        segments: What ran, in order.
        pausable: Whether perfect foresight may pause it.
        resume_s: Running time that a resume costs, for perfect foresight [s].
        idle_w: Draw of what is held while it does not run, until its end [W].
        moves: What was carried for it.
        pue: Facility energy over IT energy, in all zones or by row of the grid [1].
        energy_spread: Standard deviation of the logarithm of the measured energy [1].
    """

    made_s: float
    deadline_s: float
    segments: Sequence[Segment]
    pausable: bool = False
    resume_s: float = 0.0
    idle_w: float = 0.0
    moves: Sequence[Moved] = ()
    pue: float | Floats = 1.0
    energy_spread: float = 0.0


class Waited(NamedTuple):
    """What waiting saved, all with 90 % intervals; None where the intensity of its hours is not known.

    Args:
        run_now_kg: The same work at once, in the first zone [kgCO2e].
        actual_kg: What ran, with all that the wait cost [kgCO2e].
        saving_kg: The one less the other [kgCO2e].
        saving_share: The same over running at once [1].
        random_kg: Mean over starts spread evenly until the last that ends in time, without a pause [kgCO2e].
        oracle_kg: The best that perfect foresight could have done in the zones it ran in [kgCO2e].
        overhead_kg: Loading, saving and lost work, in what ran [kgCO2e].
        idle_kg: Idle draw of what was held, in what ran [kgCO2e].
        transfer_kg: Moves, in what ran [kgCO2e].
        work_s: Time of the work alone [s].
        waited_s: Time from when it could have run until its end in which it did not [s].
    """

    run_now_kg: Quantity
    actual_kg: Quantity
    saving_kg: Quantity
    saving_share: Quantity
    random_kg: Quantity | None
    oracle_kg: Quantity | None
    overhead_kg: Quantity
    idle_kg: Quantity
    transfer_kg: Quantity
    work_s: float
    waited_s: float

    @property
    def measurable(self) -> bool:
        """Whether the saving, or the loss, is outside its error bar."""
        low, high = self.saving_share.low, self.saving_share.high
        return low is not None and high is not None and not low <= 0.0 <= high


class _Curve(NamedTuple):
    at_s: Floats
    done_kwh: Floats

    def between(self, edges_s: Floats) -> Floats:
        return np.diff(np.interp(edges_s, self.at_s, self.done_kwh))


def waited(job: Job, grid: Grid) -> Waited:
    """What waiting saved.

    Args:
        job: The job as it ran.
        grid: Actual intensities, its first zone the one where it would have run at once.

    Raises:
        InputError: Nothing was drawn, or no figure is known for what ran or for running at once.
    """
    curves = [_curve(one) for one in job.segments]
    work = _work(job.segments, curves)
    total_kwh = math.fsum(float(curve.done_kwh[-1]) for curve in curves)
    useful_kwh = float(work.done_kwh[-1])
    if useful_kwh <= 0.0:
        raise InputError("no work of the job has measured energy, so that nothing can be compared")
    ran = _ran(job, curves, grid)
    idle = _idle(job, grid)
    now = _in_zone(_Curve(job.made_s + work.at_s, work.done_kwh).between(grid.edges_s), grid, 0)
    shown = {"what ran": (ran, total_kwh), "running at once": (now, useful_kwh)}
    for name, (weights, energy_kwh) in shown.items():
        if _unknown(weights, grid, energy_kwh) > MOST_UNKNOWN:
            raise InputError(
                f"no intensity is known yet for {_unknown(weights, grid, energy_kwh):.0%} of {name}"
            )
    drawn = _Drawn(job, grid, useful_kwh=useful_kwh, overhead_kwh=max(0.0, total_kwh - useful_kwh))
    actual = drawn.kg(ran) + drawn.kg(idle) + drawn.transfer_kg()
    run_now = drawn.kg(now) * drawn.work_ratio()
    others = _alternatives(job, work, grid, drawn=drawn, done=(ran + idle, now))
    work_s = float(work.at_s[-1])
    return Waited(
        run_now_kg=_quantity(run_now),
        actual_kg=_quantity(actual),
        saving_kg=_quantity(run_now - actual),
        saving_share=_quantity(1.0 - actual / np.where(run_now > 0.0, run_now, 1.0)),
        random_kg=others[0],
        oracle_kg=others[1],
        overhead_kg=_quantity(drawn.kg(ran) * drawn.overhead_share()),
        idle_kg=_quantity(drawn.kg(idle)),
        transfer_kg=_quantity(drawn.transfer_kg()),
        work_s=work_s,
        waited_s=max(0.0, job.segments[-1].end_s - job.made_s - work_s),
    )


class _Drawn:
    """Emissions of energies by zone and step: the best estimate first, then equally likely ones, `(1 + n_draws,)`."""

    def __init__(self, job: Job, grid: Grid, *, useful_kwh: float, overhead_kwh: float) -> None:
        rng = np.random.default_rng(SEED)
        self._job, self._grid = job, grid
        self._useful_kwh, self._overhead_kwh = useful_kwh, overhead_kwh
        self._pue = np.reshape(job.pue, (-1, 1))
        values = _filled(grid)
        own, shared = math.sqrt(OWN_VARIANCE) * grid.spreads, math.sqrt(1.0 - OWN_VARIANCE) * grid.spreads
        steady = rng.standard_normal((DRAWS, 1, 1))
        errors = _fading(rng, grid.edges_s, len(values)) * own + steady * shared
        self._values = np.concatenate((values[None], values[None] * np.exp(errors)))
        energy = np.exp(job.energy_spread * rng.standard_normal(DRAWS))
        self._energy: Floats = np.concatenate(([1.0], energy))
        ratio = np.exp(math.log(OVERHEAD_RATIO) / Z90 * rng.standard_normal(DRAWS))
        most = (useful_kwh + overhead_kwh) / overhead_kwh if overhead_kwh > 0.0 else math.inf
        self._ratio: Floats = np.concatenate(([1.0], np.minimum(ratio, most)))

    def kg(self, weights: Floats) -> Floats:
        """Emissions of energies `(n_zones, n_steps)` [kWh]."""
        return self._emitted_kg(weights) * self._energy

    def transfer_kg(self) -> Floats:
        """Emissions of the moves: of each, when it was made, at the mean of its ends."""
        weights = np.zeros_like(self._grid.values)
        for one in self._job.moves:
            step = int(np.searchsorted(self._grid.edges_s, one.at_s, side="right")) - 1
            column = min(max(step, 0), weights.shape[1] - 1)
            weights[list(one.zones), column] += one.energy_kwh / len(one.zones)
        return self._emitted_kg(weights)

    def _emitted_kg(self, weights: Floats) -> Floats:
        made: Floats = np.einsum("dzs,zs->d", self._values, weights * self._pue) / G_PER_KG
        return made

    def work_ratio(self) -> Floats:
        """Energy of the work over its best estimate, which varies with that of the overheads."""
        made: Floats = 1.0 + (1.0 - self._ratio) * self._overhead_kwh / self._useful_kwh
        return made

    def overhead_share(self) -> Floats:
        """Overheads over all energy that was drawn."""
        return self._ratio * self._overhead_kwh / (self._useful_kwh + self._overhead_kwh)


def _alternatives(
    job: Job, work: _Curve, grid: Grid, *, drawn: _Drawn, done: tuple[Floats, Floats]
) -> tuple[Quantity | None, Quantity | None]:
    """A random start and perfect foresight; None where the grid is not known until the deadline."""
    lengths = np.diff(grid.edges_s)
    known = float(lengths @ np.isfinite(grid.values[0])) >= (1.0 - MOST_UNKNOWN) * float(lengths.sum())
    last_s = job.deadline_s - float(work.at_s[-1])
    if not known or grid.edges_s[-1] < job.deadline_s - 1.0 or last_s < job.made_s:
        return None, None
    tried = np.array(
        [_started(job, work, grid, start) for start in np.linspace(job.made_s, last_s, RANDOM_STARTS)]
    )
    random = drawn.kg(_in_zone(tried.mean(axis=0), grid, 0)) * drawn.work_ratio()
    costs = tried @ _filled(grid).T
    best = [done[1]]
    pauses = job.pausable and _pieces(float(work.at_s[-1]), job.deadline_s - job.made_s) > 0
    for zone, column in enumerate(costs.T):
        best.append(_in_zone(tried[int(column.argmin())], grid, zone))
        best += [_paused(job, work, grid, zone)] if pauses else []
    oracle = min((drawn.kg(weights) * drawn.work_ratio() for weights in best), key=lambda kg: float(kg[0]))
    did = drawn.kg(done[0])
    return _quantity(random), _quantity(oracle if oracle[0] <= did[0] else did)


def _started(job: Job, work: _Curve, grid: Grid, start_s: float) -> Floats:
    """Energies of a start without a pause, the idle draw until then in them, `(n_steps,)` [kWh]."""
    held_kwh = job.idle_w / W_PER_KW * (start_s - job.made_s) / SECONDS_PER_HOUR
    held = _Curve(np.array([job.made_s, max(start_s, job.made_s + 1e-6)]), np.array([0.0, held_kwh]))
    return _Curve(start_s + work.at_s, work.done_kwh).between(grid.edges_s) + held.between(grid.edges_s)


def _pieces(work_s: float, window_s: float) -> int:
    """Pieces of the work between which perfect foresight may pause; 0 for one too short to gain by it."""
    return min(_WORK_STEPS, math.floor(_WINDOW_STEPS * work_s / window_s))


def _paused(job: Job, work: _Curve, grid: Grid, zone: int) -> Floats:
    """Energies of the best pauses in a zone, at the mean power of the work, `(n_zones, n_steps)` [kWh]."""
    work_s, window_s = float(work.at_s[-1]), job.deadline_s - job.made_s
    count = _pieces(work_s, window_s)
    step_s = work_s / count
    edges = job.made_s + step_s * np.arange(math.floor(window_s / step_s + 1e-9) + 1, dtype=np.float64)
    filled = _filled(grid)[zone]
    sums = np.concatenate(([0.0], np.cumsum(filled * np.diff(grid.edges_s))))
    window = np.diff(np.interp(edges, grid.edges_s, sums)) / step_s
    power_kw = float(work.done_kwh[-1]) * SECONDS_PER_HOUR / work_s
    idle, resume = min(1.0, job.idle_w / W_PER_KW / power_kw), job.resume_s / step_s
    runs, resumes, waits = rest_costs(window, count, resume, idle)
    firsts = runs[:, count] + idle * np.concatenate(([0.0], np.cumsum(window)[:-1]))
    at, left, running, weights = int(firsts.argmin()), count, True, np.zeros(window.size)
    weights[:at] = idle
    while left:
        go = (runs if running else resumes)[at, left]
        goes = bool(go <= waits[at, left]) or left == count
        weights[at] = (1.0 if running else 1.0 + resume) if goes else idle
        left, running, at = left - goes, goes, at + 1
    spent = np.concatenate(([0.0], np.cumsum(weights * power_kw * step_s / SECONDS_PER_HOUR)))
    return _in_zone(_Curve(edges, spent).between(grid.edges_s), grid, zone)


def _curve(segment: Segment) -> _Curve:
    """Energy that a segment had drawn by each time."""
    parts = segment.parts
    ends = np.unique(np.concatenate((parts[:, 0], parts[:, 1], [segment.start_s, segment.end_s])))
    knots = ends if ends.size <= MOST_KNOTS else np.linspace(ends[0], ends[-1], MOST_KNOTS)
    lengths = np.maximum(parts[:, 1] - parts[:, 0], 1e-6)
    done = np.array([float(parts[:, 2] @ np.clip((at - parts[:, 0]) / lengths, 0.0, 1.0)) for at in knots])
    return _Curve(knots, done)


def _work(segments: Sequence[Segment], curves: Sequence[_Curve]) -> _Curve:
    """Energy of the work alone by its time, as if it had been done in one go."""
    at, done = [np.zeros(1)], [np.zeros(1)]
    for one, curve in zip(segments, curves, strict=True):
        first, last = one.start_s + one.lead_s, one.end_s - one.tail_s
        if last - first < LEAST_S:
            continue
        inner = curve.at_s[(curve.at_s > first) & (curve.at_s < last)]
        knots = np.concatenate(([first], inner, [last]))
        spent = np.interp(knots, curve.at_s, curve.done_kwh)
        at.append(at[-1][-1] + knots - first)
        done.append(done[-1][-1] + spent - spent[0])
    return _Curve(np.concatenate(at), np.concatenate(done))


def _ran(job: Job, curves: Sequence[_Curve], grid: Grid) -> Floats:
    """Energies of all segments, `(n_zones, n_steps)` [kWh]."""
    made = np.zeros_like(grid.values)
    for one, curve in zip(job.segments, curves, strict=True):
        made[one.zone] += curve.between(grid.edges_s)
    return made


def _idle(job: Job, grid: Grid) -> Floats:
    """Energies of what was held while the job did not run, `(n_zones, n_steps)` [kWh]."""
    made, begin_s, zone = np.zeros_like(grid.values), job.made_s, job.segments[0].zone
    for one in job.segments:
        if one.start_s > begin_s:
            spent = job.idle_w / W_PER_KW * (one.start_s - begin_s) / SECONDS_PER_HOUR
            made[zone] += _Curve(np.array([begin_s, one.start_s]), np.array([0.0, spent])).between(
                grid.edges_s
            )
        begin_s, zone = max(begin_s, one.end_s), one.zone
    return made


def _in_zone(weights: Floats, grid: Grid, zone: int) -> Floats:
    made = np.zeros_like(grid.values)
    made[zone] = weights
    return made


def _unknown(weights: Floats, grid: Grid, energy_kwh: float) -> float:
    """Share of an energy that is outside the grid's edges or in its holes."""
    known = float(weights[np.isfinite(grid.values)].sum())
    return max(0.0, 1.0 - known / energy_kwh)


def _filled(grid: Grid) -> Floats:
    """Figures with each hole at the mean of its zone."""
    known, lengths = np.isfinite(grid.values), np.diff(grid.edges_s)
    means = np.where(known, grid.values, 0.0) @ lengths / np.maximum(known @ lengths, 1e-9)
    made: Floats = np.where(known, grid.values, means[:, None])
    return made


def _fading(rng: np.random.Generator, edges_s: Floats, n_zones: int) -> Floats:
    """Errors of the steps that fade with time, of unit variance, `(n_draws, n_zones, n_steps)`."""
    fresh = rng.standard_normal((DRAWS, n_zones, edges_s.size - 1))
    middles = 0.5 * (edges_s[1:] + edges_s[:-1])
    for step in range(1, middles.size):
        kept = math.exp(-(middles[step] - middles[step - 1]) / OWN_MEMORY_S)
        fresh[:, :, step] = kept * fresh[:, :, step - 1] + math.sqrt(1.0 - kept**2) * fresh[:, :, step]
    return fresh


def _quantity(drawn: Floats) -> Quantity:
    """Quantity of a best estimate and its draws."""
    value = float(drawn[0])
    low, high = (float(bound) for bound in np.quantile(drawn[1:], (0.05, 0.95)))
    return Quantity(value=value, low=min(low, value), high=max(high, value), basis="derived")
