"""Best start: the window of each job's length with the least intensity, for many jobs at once, exactly.

The sum over a window is a difference of prefix sums. Jobs of one length share a sparse table of window sums (Bender
& Farach-Colton, The LCA Problem Revisited, LATIN 2000), in which a least value over any range is the lesser of two
entries. Of a length with few jobs only the least sum of each block of steps has such a table, and the steps beside
the whole blocks are looked at; jobs that may hardly wait are scanned. A sum and its step share one integer, so that
ties go to the earliest step.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from sootprint.planner.exact import Floats, Ints, Jobs, fixed, jobs, series

# Cost of a scanned entry, a table's entry and a table; of a block table's step, its job and its length [ns].
_SCAN_NS, _TABLE_NS, _GROUP_NS = 9.0, 1.6, 2.5e4
_ENTRY_NS, _STEP_NS, _JOB_NS, _LENGTH_NS = 30.0, 1.2, 1000.0, 8.0e3
_SCAN, _TABLE, _BLOCKS = range(3)
_BLOCK = 32  # steps
_AT_ONCE = 1 << 18  # entries: they stay in the cache
_NONE = np.iinfo(np.int64).max


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
    if keys.size == 0:
        return keys, keys.astype(np.float64)
    groups = _groups(asked)
    for at in np.flatnonzero(groups.way == _TABLE).tolist():
        members, length = groups.members(at), int(groups.lengths[at])
        first, end = int(groups.lows[at]), int(groups.highs[at])
        windows = sums[first + length : end + length] - sums[first:end]
        entries = (windows << bits) | np.arange(first, end)
        slack = asked.slacks[members]
        keys[members] = _least(entries, asked.arrivals[members] - first, slack, levels=int(groups.levels[at]))
    if (groups.way == _SCAN).any():
        _scan(keys, groups.all_members(_SCAN), asked, sums=sums, bits=bits)
    blocks, rows = np.flatnonzero(groups.way == _BLOCKS), max(1, _AT_ONCE // values.size)
    for low in range(0, blocks.size, rows):
        _by_blocks(keys, groups, blocks[low : low + rows], asked, sums=sums, bits=bits)
    return keys & ((1 << bits) - 1), (keys >> bits) / per_unit


class _Groups(NamedTuple):
    """Jobs by length: their order, the edges of the groups in it, and of each group its length, span and way."""

    order: Ints
    edges: Ints
    lengths: Ints
    lows: Ints
    highs: Ints
    levels: Ints
    way: Ints

    def members(self, at: int) -> Ints:
        made: Ints = self.order[self.edges[at] : self.edges[at + 1]]
        return made

    def all_members(self, way: int) -> Ints:
        made: Ints = self.order[np.repeat(self.way == way, np.diff(self.edges))]
        return made


def _groups(asked: Jobs) -> _Groups:
    """Each length with the jobs that have it, and the cheapest way to their least sums."""
    narrow = (
        asked.lengths.astype(np.uint16) if int(asked.lengths.max()) < 1 << 16 else asked.lengths
    )  # by radix
    order = np.argsort(narrow, kind="stable")
    ordered, firsts, slacks = asked.lengths[order], asked.arrivals[order], asked.slacks[order]
    begins = np.concatenate(([0], np.flatnonzero(np.diff(ordered)) + 1))
    edges = np.append(begins, order.size)
    counts = np.diff(edges)
    lows, highs = np.minimum.reduceat(firsts, begins), np.maximum.reduceat(firsts + slacks, begins) + 1
    levels = np.frexp((np.maximum.reduceat(slacks, begins) + 1).astype(np.float64))[1].astype(np.int64)
    costs = np.stack(
        (
            _SCAN_NS * (np.add.reduceat(slacks, begins) + counts),
            _TABLE_NS * levels * (highs - lows) + _GROUP_NS + _ENTRY_NS * counts,
            _STEP_NS * int((highs).max()) + _JOB_NS * counts + _LENGTH_NS,
        )
    )
    return _Groups(order, edges, ordered[begins], lows, highs, levels, costs.argmin(axis=0))


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


def _by_blocks(keys: Ints, groups: _Groups, some: Ints, asked: Jobs, *, sums: Ints, bits: int) -> None:
    """Fill in the keys of the jobs of some lengths: whole blocks by a table, the rest of each range by looking."""
    members = np.concatenate([groups.members(int(at)) for at in some])
    row = np.repeat(np.arange(some.size), np.diff(groups.edges)[some])
    first, last = asked.arrivals[members], asked.arrivals[members] + asked.slacks[members]
    width = -(-int(sums.size) // _BLOCK) * _BLOCK
    least = np.empty((some.size, width), dtype=np.int64)
    shifted = sums << bits
    steps = shifted - np.arange(sums.size)
    for at, length in enumerate(groups.lengths[some].tolist()):
        np.subtract(shifted[length:], steps[: sums.size - length], out=least[at, : sums.size - length])
        least[at, sums.size - length :] = _NONE
    flat, base = least.reshape(-1), row * width
    aside = np.arange(_BLOCK)
    head = flat[np.minimum(first[:, None] + aside, last[:, None]) + base[:, None]].min(axis=1)
    tail = flat[np.maximum(last[:, None] - aside, first[:, None]) + base[:, None]].min(axis=1)
    keys[members] = np.minimum(head, tail)
    low, high = -(-first // _BLOCK), (last + 1) // _BLOCK  # whole blocks in between
    wide = np.flatnonzero(high > low)
    if wide.size:
        tops = least.reshape(some.size, -1, _BLOCK).min(axis=2)
        firsts = row[wide] * tops.shape[1] + low[wide]
        slacks = high[wide] - low[wide] - 1
        found = _least(tops.reshape(-1), firsts, slacks, levels=int(slacks.max() + 1).bit_length())
        keys[members[wide]] = np.minimum(keys[members[wide]], found)


def _scan(keys: Ints, members: Ints, asked: Jobs, *, sums: Ints, bits: int) -> None:
    """Fill in the keys of some jobs by looking at every start that each may have."""
    counts = asked.slacks[members] + 1
    ends = np.cumsum(counts)
    cuts = np.searchsorted(ends, np.arange(_AT_ONCE, int(ends[-1]), _AT_ONCE))
    for part in np.split(np.arange(members.size), np.unique(cuts)):
        if part.size == 0:
            continue
        some, count = members[part], counts[part]
        before = np.cumsum(count) - count
        starts = np.arange(int(count.sum())) + np.repeat(asked.arrivals[some] - before, count)
        windows = sums[starts + np.repeat(asked.lengths[some], count)] - sums[starts]
        keys[some] = np.minimum.reduceat((windows << bits) | starts, before)
