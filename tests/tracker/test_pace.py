"""The pace of a run from its finished units: worked by hand."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable

import pytest

from sootprint.tracker.pace import Pace, Point, Told, pace
from sootprint.tracker.slow import Slow, slow_units


def _points(times_s: Iterable[float], *, power_w: float = 100.0, start_s: float = 0.0) -> list[Point]:
    """Units of these times, one after the other, at one power."""
    ends_s = itertools.accumulate(times_s, initial=start_s)
    return [Point(float(done), at_s, power_w * at_s) for done, at_s in enumerate(ends_s)]


def _pace(times_s: Iterable[float], total: float = 100.0) -> Pace:
    found = pace(_points(times_s), total)
    assert found is not None
    return found


def test_no_pace_before_the_first_unit_is_finished() -> None:
    """The start of a unit tells nothing yet."""
    assert pace([Point(0.0, 5.0, 500.0)], 90.0) is None


def test_no_pace_where_all_units_were_over_before_the_first_look() -> None:
    """Three units of 10 ms, and the meters looked at first at 0.1 s: the power is not known."""
    points = _points([0.01, 0.01, 0.01])
    assert pace(points, 90.0, begun_s=0.1) is None
    assert pace(points, 90.0, begun_s=0.03) is None


def test_one_unit_is_all_warm_up() -> None:
    """After one unit of 12 s the level is 12 s, and no steady unit was seen."""
    found = _pace([12.0])
    assert (found.unit_s, found.blocks, found.left, found.progress) == (12.0, (), 99.0, 0.01)


def test_slow_first_units_are_left_out_of_the_level() -> None:
    """The first unit compiles, the second fills caches; the level is that of the others."""
    found = _pace([30.0, 13.0, 10.0, 10.0, 10.0, 10.0])
    assert found.unit_s == pytest.approx(10.0)
    assert [(block.at, block.units) for block in found.blocks] == [
        (pytest.approx(at), 1) for at in (0.025, 0.035, 0.045, 0.055)
    ]


def test_slow_units_are_kept_apart_with_their_sizes() -> None:
    """An evaluation of 10 s after every fifth unit: four of them in 19 units, whatever came since the last one."""
    found = _pace([20.0] + [10.0, 10.0, 10.0, 14.0 + 6.0, 10.0] * 4 + [10.0, 10.0])
    # from unit 1 on, slow ones end at 5, 10, 15 and 20
    assert found.unit_s == pytest.approx(10.0)
    assert found.slow.at == (5.0, 10.0, 15.0, 20.0)
    assert found.slow.sizes_s == pytest.approx((10.0,) * 4)
    assert found.slow.rate == pytest.approx(4.0 / 19.0)


def test_one_straggler_counts_over_all_that_was_seen() -> None:
    """One slow unit early on, and none since for long, is no regular one."""
    found = _pace([10.0, 10.0, 10.0, 60.0] + [10.0] * 36)
    assert (found.slow.rate, found.slow.sizes_s) == (pytest.approx(1.0 / 39.0), pytest.approx((50.0,)))


def test_regular_slow_units_are_counted_more_exactly_than_random_ones() -> None:
    """Five at the same distance tell their number better than five in heaps."""
    regular = slow_units([10.0, 20.0, 30.0, 40.0, 50.0], [1.0] * 5, begin=0.0, end=52.0)
    heaped = slow_units([10.0, 11.0, 12.0, 49.0, 50.0], [1.0] * 5, begin=0.0, end=52.0)
    assert regular.rate == heaped.rate
    assert regular.rate_spread < 0.6 * heaped.rate_spread


def test_a_small_straggler_is_no_evaluation() -> None:
    """It adds its time to the evaluations of 10 s, and neither lowers their size nor raises their number."""
    found = slow_units([10.0, 20.0, 23.0, 30.0], [10.0, 10.0, 0.3, 10.0], begin=0.0, end=31.0)
    assert (found.at, found.rate) == ((10.0, 20.0, 30.0), 0.1)
    assert found.sizes_s == pytest.approx((10.1,) * 3)


def test_the_first_slow_unit_may_have_a_warm_up_of_its_own() -> None:
    """The first evaluation compiles for 5 s; the others take 2 s, and so does what comes."""
    found = slow_units([10.0, 20.0, 30.0], [7.0, 2.0, 2.0], begin=0.0, end=30.0)
    assert found.sizes_s == (2.0, 2.0, 2.0)


def test_after_a_change_of_the_stage_only_the_new_level_counts() -> None:
    """Twenty units of about 10 s, then twenty of about 15 s: the level is 15 s."""
    wobble = itertools.cycle([0.9, 1.1, 1.0])
    times_s = [level * next(wobble) for level in [10.0] * 21 + [15.0] * 21]
    found = _pace(times_s)
    assert found.unit_s == pytest.approx(15.0, rel=0.03)
    assert found.changes == (pytest.approx(0.21, abs=0.011),)


def test_a_pace_that_wanders_has_no_stages() -> None:
    """Slow waves of 15 % are no change of the stage, nor is a straight line."""
    waves = [10.0 * math.exp(0.15 * math.sin(n / 6.0)) for n in range(90)]
    line = [10.0 + 0.1 * n + 0.2 * (n % 2) for n in range(90)]
    assert (_pace(waves).changes, _pace(line).changes) == ((), ())


def test_power_is_that_after_the_warm_up() -> None:
    """A first unit at 50 W does not lower the power of the rest, which draws 200 W."""
    points = [Point(0.0, 0.0, 0.0), Point(1.0, 20.0, 1000.0)]
    points += [Point(1.0 + n, 20.0 + 10.0 * n, 1000.0 + 2000.0 * n) for n in range(1, 6)]
    found = pace(points, 100.0, tick_s=1.0)
    assert found is not None
    assert found.power_w == pytest.approx(200.0)


def test_power_is_taken_over_some_looks_at_the_meters() -> None:
    """Units shorter than a look share its energy, so that the power is taken over at least four looks."""
    points = [Point(n, 0.1 * n, 10.0 * n) for n in range(21)]
    points[-1] = Point(20.0, 2.0, 260.0)  # the last look brought 60 J more
    found = pace(points, 100.0, tick_s=0.5)
    assert found is not None
    assert found.power_w == pytest.approx(130.0)


def test_groups_of_units_weigh_by_their_number() -> None:
    """Logged every 10 steps, a step takes a tenth of the time between two logs."""
    points = [Point(10.0 * n, 5.0 * n, 500.0 * n) for n in range(6)]
    found = pace(points, 1000.0)
    assert found is not None
    assert (found.unit_s, found.left, found.progress) == (0.5, 950.0, 0.05)


def test_a_stage_of_half_as_fast_units_is_no_row_of_evaluations() -> None:
    """After thirty units of 10 s, twelve of 20 s: the level is 20 s, and nothing is slow."""
    wobble = itertools.cycle([0.98, 1.02, 1.0])
    found = _pace([level * next(wobble) for level in [10.0] * 31 + [20.0] * 12])
    assert (found.slow.at, found.unit_s) == ((), pytest.approx(20.0, rel=0.02))


def test_a_slow_unit_before_a_change_counts_over_all_units() -> None:
    """One evaluation of 50 s at unit 15 of 42, the stage changes at 31: it is one in 41, not one in eleven."""
    wobble = itertools.cycle([0.98, 1.02, 1.0])
    times_s = [level * next(wobble) for level in [10.0] * 31 + [15.0] * 11]
    times_s[14] = 60.0
    found = _pace(times_s)
    assert found.slow.rate == pytest.approx(1.0 / 41.0)
    assert found.slow.sizes_s == pytest.approx((50.0,), rel=0.1)


def test_power_counts_from_the_first_look_at_the_meters() -> None:
    """Nothing was measured for 2 s: 100 W from then on are 100 W, and not 100 J over 3 s."""
    points = [Point(0.0, 0.0, 0.0), Point(1.0, 2.5, 50.0), Point(2.0, 3.0, 100.0)]
    found = pace(points, 100.0, tick_s=1.0, begun_s=2.0)
    assert found is not None
    assert found.power_w == pytest.approx(100.0)


def test_what_was_told_takes_none_of_the_time_of_the_units() -> None:
    """Units of 10 s, an evaluation of 3 s in every fifth: too small to be seen, but told. Two of twenty are over."""
    points = _points([10.0, 10.0, 10.0, 10.0, 13.0] * 2 + [10.0])
    evaluations = Told(20.0, ((50.0, 53.0), (103.0, 106.0)))
    found = pace(points, 100.0, told=[evaluations])
    assert found is not None
    assert [block.unit_s for block in found.blocks] == pytest.approx([10.0] * len(found.blocks))
    (kind,) = found.told
    assert (kind.at, kind.rate) == ((4.0, 9.0), pytest.approx(18.0 / 89.0))
    assert kind.sizes_s == pytest.approx((3.0, 3.0))


def test_what_began_after_the_last_unit_is_still_to_come() -> None:
    """An evaluation behind the last finished unit is part of the rest, for the forecast begins at that unit."""
    found = pace(_points([10.0] * 5), 10.0, told=[Told(2.0, ((50.0, 56.0),))])
    assert found is not None
    assert found.told[0] == Slow((), (), 2.0 / 5.0)
