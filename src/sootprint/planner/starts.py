"""Best start: the window of each job's length with the least intensity, for many jobs at once, exactly.

The sum over a window is a difference of prefix sums. Jobs of one length share a sparse table of window sums (Bender
& Farach-Colton, The LCA Problem Revisited, LATIN 2000), in which a least value over any range is the lesser of two
entries; the few jobs of a rare length are scanned. A sum and its step share one integer, so that ties go to the
earliest step.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from sootprint.planner.exact import Floats, Ints, Jobs, fixed, jobs, series

_SCAN_NS, _TABLE_NS, _GROUP_NS = 9.0, 1.6, 2.5e4  # cost of a scanned entry, a table's entry, and a table
_SCANNED_AT_ONCE = 1 << 17  # entries: they stay in the cache


def best_starts(
    intensity: npt.ArrayLike, arrivals: npt.ArrayLike, lengths: npt.ArrayLike, slacks: npt.ArrayLike
) -> tuple[Ints, Floats]:
    """Best first step of each job that runs without a pause, and its cost; ties go to the earliest step.

    Args:
        intensity: Intensity of steps of equal length, `(n_steps,)`.
        arrivals: First step in which each job may run, `(n_jobs,)` [step].
        lengths: Steps that it runs, at least 1, `(n_jobs,)` [step].
        slacks: Steps that it may wait, at least 0, `(n_jobs,)` [step].

    Returns:
        First steps `(n_jobs,)`, and sums of intensity over the steps run, at unit power, `(n_jobs,)`.

    Raises:
        InputError: A step has no figure, or a job does not fit in the steps.

    >>> starts, costs = best_starts([300.0, 100.0, 200.0, 100.0, 200.0], [0, 1], [2, 2], [3, 0])
    >>> starts.tolist(), costs.tolist()
    ([1, 1], [300.0, 300.0])
    """
    values = series(intensity)
    asked = jobs(values.size, arrivals, lengths, slacks)
    bits = int(values.size).bit_length()
    whole, per_unit = fixed(values, bits=62 - bits)
    sums = np.concatenate(([0], np.cumsum(whole)))
    keys = np.empty(asked.arrivals.size, dtype=np.int64)
    scanned = []
    for length, members in _by_length(asked.lengths):
        firsts, slack = asked.arrivals[members], asked.slacks[members]
        low, high = int(firsts.min()), int((firsts + slack).max()) + 1
        levels = int(slack.max() + 1).bit_length()
        if _SCAN_NS * float(slack.sum() + slack.size) < _TABLE_NS * levels * (high - low) + _GROUP_NS:
            scanned.append(members)
            continue
        windows = sums[low + length : high + length] - sums[low:high]
        keys[members] = _least((windows << bits) | np.arange(low, high), firsts - low, slack, levels=levels)
    if scanned:
        _scan(keys, np.concatenate(scanned), asked, sums=sums, bits=bits)
    return keys & ((1 << bits) - 1), (keys >> bits) / per_unit


def _by_length(lengths: Ints) -> Iterator[tuple[int, Ints]]:
    """Each length with the jobs that have it."""
    if lengths.size == 0:
        return
    narrow = lengths.astype(np.uint16) if int(lengths.max()) < 1 << 16 else lengths  # sorts by radix
    order = np.argsort(narrow, kind="stable")
    ordered = lengths[order]
    edges = np.flatnonzero(np.diff(ordered)) + 1
    for members in np.split(order, edges):
        yield int(lengths[members[0]]), members


def _least(keys: Ints, firsts: Ints, slacks: Ints, *, levels: int) -> Ints:
    """Least key from each first entry to `slack` entries after it."""
    size = keys.size
    table = np.empty((levels, size), dtype=np.int64)
    table[0] = keys
    for level in range(1, levels):
        half = 1 << (level - 1)
        known = size - 2 * half + 1
        np.minimum(table[level - 1, :known], table[level - 1, half : half + known], out=table[level, :known])
    exponents: Ints = np.frexp((slacks + 1).astype(np.float64))[1].astype(np.int64) - 1
    at = exponents * size + firsts
    flat = table.reshape(-1)
    least: Ints = np.minimum(flat[at], flat[at + slacks + 1 - (np.int64(1) << exponents)])
    return least


def _scan(keys: Ints, members: Ints, asked: Jobs, *, sums: Ints, bits: int) -> None:
    """Fill in the keys of some jobs by looking at every start that each may have."""
    counts = asked.slacks[members] + 1
    ends = np.cumsum(counts)
    cuts = np.searchsorted(ends, np.arange(_SCANNED_AT_ONCE, int(ends[-1]), _SCANNED_AT_ONCE))
    for part in np.split(np.arange(members.size), np.unique(cuts)):
        if part.size == 0:
            continue
        some, count = members[part], counts[part]
        before = np.cumsum(count) - count
        starts = np.arange(int(count.sum())) + np.repeat(asked.arrivals[some] - before, count)
        windows = sums[starts + np.repeat(asked.lengths[some], count)] - sums[starts]
        keys[some] = np.minimum.reduceat((windows << bits) | starts, before)
