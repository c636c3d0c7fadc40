"""How a pace may go on: against the same Gaussian process on a fine grid, and what each kind of course is taken for."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sootprint.tracker.pace import Block
from sootprint.tracker.wander import (
    LEVEL,
    NOISES,
    RANGES,
    SETTLE,
    SETTLED,
    WARM,
    WARMED,
    Course,
    Strengths,
    courses,
    factor,
)

FIXED = Strengths(wander=0.1, wander_spread=0.0, trend=0.0, slope=0.0, noise=0.05)
OPEN = FIXED._replace(wander=0.03, wander_spread=1.0, trend=0.15, slope=1.0, noise=0.01)


def _blocks(times: list[float], progress: float, units: int = 20) -> list[Block]:
    length = progress / len(times)
    return [Block((n + 0.5) * length, length, units, time) for n, time in enumerate(times)]


def _mean(ways: list[Course]) -> float:
    return sum(way.weight * way.mean for way in ways)


def _spread(ways: list[Course]) -> float:
    middle = _mean(ways)
    return math.sqrt(sum(way.weight * (way.spread**2 + (way.mean - middle) ** 2) for way in ways))


def test_mean_and_spread_are_those_of_the_process_on_a_fine_grid() -> None:
    """Twelve blocks of 30 % of a run, and the mean of the rest, by the covariance of 2000 points."""
    progress, at = 0.3, (np.arange(2000) + 0.5) / 2000.0
    blocks = _blocks([1.1, 0.9, 1.0, 1.05, 1.2, 1.1, 1.0, 0.9, 0.95, 1.0, 1.05, 1.0], progress)
    apart = np.abs(at[:, None] - at[None, :])
    covariance = LEVEL**2 + FIXED.wander**2 * np.mean([np.exp(-apart / tau) for tau in RANGES], axis=0)
    rows = [np.abs(at - block.at) <= 0.5 * block.length for block in blocks] + [at > progress]
    means = np.array([row / row.sum() for row in rows])
    joint = means @ covariance @ means.T
    early = np.array([WARM * math.exp(-block.at / WARMED) for block in blocks])
    settling = np.array(
        [SETTLE * math.exp((blocks[0].at - b.at) / (SETTLED * (progress - blocks[0].at))) for b in blocks]
    )
    ways = courses(blocks, progress=progress, unit_s=1.0, noise=FIXED.noise, prior=FIXED)
    for times in NOISES:
        noise = np.eye(len(blocks)) * times * FIXED.noise**2 / blocks[0].units
        seen = joint[:-1, :-1] + noise + np.outer(early, early) + np.outer(settling, settling)
        gain = np.linalg.solve(seen, joint[:-1, -1])
        mean = gain @ (np.array([block.unit_s for block in blocks]) - 1.0 - early)
        spread = math.sqrt(joint[-1, -1] - gain @ joint[:-1, -1])
        assert any(
            (way.mean, way.spread) == (pytest.approx(mean, abs=0.003), pytest.approx(spread, rel=0.05))
            for way in ways
        )


def test_weights_add_up_to_one() -> None:
    """The assumptions share the belief, whatever the course."""
    for times in ([1.0], [1.0, 1.0], [5.0, 1.0, 9.0], [12.0, 3.0, 1.8, 1.4, 1.2, 1.0]):
        ways = courses(_blocks(times, 0.1), progress=0.1, unit_s=1.0, noise=0.0, prior=OPEN, change=0.05)
        assert sum(way.weight for way in ways) == pytest.approx(1.0)
        assert all(math.isfinite(way.mean) and way.spread >= 0.0 for way in ways)


def test_the_wander_that_was_seen_is_expected_to_go_on() -> None:
    """Blocks that scatter by 10 % leave the rest five times as uncertain as those that scatter by 0.3 %."""
    signs = [1, -1, -1, 1, 1, 1, -1, -1, 1, -1, -1, 1]
    narrow, wide = (
        courses(
            _blocks([1.0 + size * sign for sign in signs], 0.5, 50),
            progress=0.5,
            unit_s=1.0,
            noise=0.005,
            prior=OPEN,
        )
        for size in (0.003, 0.1)
    )
    assert _spread(wide) > 5.0 * _spread(narrow)


def test_a_line_is_followed_and_a_step_is_not() -> None:
    """Units that grew by a half are to grow on; where they jumped once, the level after the jump stays."""
    line = courses(
        _blocks([0.7 + 0.3 * (n + 0.5) / 12 for n in range(12)], 0.4, 50),
        progress=0.4,
        unit_s=1.0,
        noise=0.01,
        prior=OPEN,
    )
    step = courses(
        _blocks([0.7] * 6 + [1.0] * 6, 0.4, 50), progress=0.4, unit_s=1.0, noise=0.01, prior=OPEN, change=0.2
    )
    assert _mean(line) == pytest.approx(0.3 / 0.4 * 0.3, abs=0.04)
    assert _mean(step) == pytest.approx(0.0, abs=0.03)


def test_no_ratio_is_negative() -> None:
    """A course that falls below 0 is a small ratio, and as far below 1 as its mirror is above."""
    assert (factor(1.0), factor(0.0), factor(-1.0)) == (2.0, 1.0, 0.5)
    assert factor(-99.0) == pytest.approx(0.01)
