"""Slow meters: joules summed off the tick, gaps that stay gaps."""

import threading
import time

import pytest

from sootprint.core.errors import MeterError
from sootprint.core.protocols import FakeClock, MeterFacts, SystemClock
from sootprint.meters.background import Background, Counter, Look


def background(look, clock, **more):
    """A meter that looks every 10 s."""
    return Background("ipmi", look, clock, period_s=10.0, bounds=(0.9, 1.1), facts=MeterFacts(), **more)


@pytest.fixture
def clock():
    """A clock at 100 s."""
    return FakeClock(monotonic_s=100.0)


def test_powers_become_joules_by_the_trapezoid():
    """100 W, 300 W, 300 W ten seconds apart are 2000 J and 3000 J."""
    counter = Counter(30.0)
    for at_s, power_w in ((0.0, 100.0), (10.0, 300.0), (20.0, 300.0)):
        counter.add(at_s, Look(power_w=power_w))
    assert counter.stand == (20.0, 1e6 + 5000.0)


def test_gap_begins_a_new_epoch_below_the_one_before():
    """After a silence the counter is lower than it ever was, so that the sums see a reset and no joule is invented."""
    counter = Counter(30.0)
    stands = []
    for at_s in (0.0, 10.0, 100.0, 200.0):
        counter.add(at_s, Look(power_w=100.0))
        stands.append(counter.stand[1])
    assert stands == [1e6, 1e6 + 1000.0, 1e6 - 1.0, 1e6 - 2.0]


def test_device_counter_bridges_a_gap():
    """Where the device counts joules itself, a silence loses none."""
    counter = Counter(30.0)
    counter.add(0.0, Look(power_w=100.0, energy_j=5000.0))
    counter.add(100.0, Look(power_w=100.0, energy_j=13000.0))
    assert counter.stand == (100.0, 1e6 + 8000.0)


@pytest.mark.parametrize(("step_j", "counted_j"), [(1.0, 72_500.0), (3_600.0, 72_000.0)])
def test_device_counter_tells_of_a_suspend(step_j, counted_j):
    """Two hours at 10 W lie between two looks that the monotonic clock has 5 s apart; 100 W before and after."""
    counter, true_j = Counter(15.0), 0.0
    for number in range(21):
        true_j += 72_000.0 if number == 20 else 0.0
        look = Look(power_w=100.0, energy_j=step_j * (true_j // step_j))
        counter.add(5.0 * number, look, slept=number == 20)
        true_j += 500.0
    assert counter.stand[1] - 1e6 == pytest.approx(19 * 500.0 + counted_j, abs=1.0)


def test_suspend_within_a_step_of_the_device_counter_is_left_out():
    """Two seconds at 10 W: a counter of kilowatt-hours with three digits stands still or moves by 3,600 J."""
    for first_j in range(0, 3_600, 450):
        counter, true_j = Counter(15.0), float(first_j)
        for number in range(41):
            true_j += 20.0 if number == 20 else 0.0
            counter.add(
                5.0 * number, Look(power_w=100.0, energy_j=3_600.0 * (true_j // 3_600.0)), slept=number == 20
            )
            true_j += 500.0
        assert counter.stand[1] - 1e6 == pytest.approx(20_000.0)


def test_meter_in_the_background_hears_of_a_suspend(monkeypatch):
    """By the boot clock, which goes on."""
    apart_s = [0.0]
    monkeypatch.setattr(time, "clock_gettime", lambda _: time.monotonic() + apart_s[0])
    looks = iter([Look(power_w=100.0, energy_j=5_000.0), Look(power_w=100.0, energy_j=41_000.0)])
    meter = background(lambda: next(looks), SystemClock())
    meter.look_once()
    apart_s[0] = 3_600.0
    meter.look_once()
    assert meter._counter.stand[1] - 1e6 == 36_000.0


def test_device_counter_alone_is_counted():
    """A plug with an energy and no power."""
    counter = Counter(30.0)
    for at_s, energy_j in ((0.0, 3600.0), (60.0, 7200.0), (120.0, 100.0), (180.0, 400.0)):
        counter.add(at_s, Look(energy_j=energy_j))
    assert counter.stand == (180.0, 1e6 - 1.0 + 300.0)


def test_read_gives_the_last_look(clock):
    """The instant is that of the look, not of the reading."""
    meter = background(lambda: Look(power_w=200.0), clock)
    meter.look_once()
    clock.advance(10.0)
    meter.look_once()
    clock.advance(3.0)
    meter._thread = threading.current_thread()
    (reading,) = meter.read()
    assert (reading.at_s, reading.energy_j, reading.component) == (110.0, 1e6 + 2000.0, "wall")
    assert (reading.basis, reading.low_ratio, reading.high_ratio) == ("metered", 0.9, 1.1)


def test_share_of_a_meter_of_four_nodes(clock):
    """An equal part, and no longer metered."""
    meter = background(lambda: Look(power_w=800.0), clock, nodes=4)
    meter._thread = threading.current_thread()
    meter.look_once()
    before_j = meter.read()[0].energy_j
    clock.advance(10.0)
    meter.look_once()
    (reading,) = meter.read()
    assert reading.energy_j - before_j == 2000.0
    assert reading.basis == "modelled"


def test_failed_look_is_a_reason_until_the_next_good_one(clock):
    """No last value while it fails."""
    answers = [Look(power_w=100.0), MeterError("ipmi: busy"), ZeroDivisionError(), Look(power_w=100.0)]

    def look():
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    meter = background(look, clock)
    meter._thread = threading.current_thread()
    meter.look_once()
    assert meter.read()
    meter.look_once()
    with pytest.raises(MeterError, match=r"^ipmi: busy$"):
        meter.read()
    meter.look_once()
    with pytest.raises(MeterError, match=r"^ipmi: ZeroDivisionError$"):
        meter.read()
    meter.look_once()
    assert meter.read()


def test_silence_is_a_gap(clock):
    """A look that hangs, or a plug that says the same again: after three periods there is no reading."""
    answers = [Look(power_w=100.0), None]
    meter = background(lambda: answers.pop(0), clock)
    meter._thread = threading.current_thread()
    meter.look_once()
    clock.advance(29.0)
    meter.look_once()
    assert meter.read()
    clock.advance(2.0)
    with pytest.raises(MeterError, match="no new reading for 31 s"):
        meter.read()


def test_hanging_look_delays_nobody(clock):
    """The first read returns at once, and so does the end of the run, also where nothing can interrupt the look."""
    told, release, is_over = threading.Event(), threading.Event(), threading.Event()
    meter = background(lambda: (release.wait(60.0), is_over.set())[1], clock, interrupt=told.set)
    try:
        assert meter.read() == ()
        meter.close()
        assert told.is_set() and not is_over.is_set()
    finally:
        release.set()


def test_doctor_waits_for_the_first_look(clock):
    """Whoever has the time gets the reading."""
    meter = background(lambda: Look(power_w=100.0), clock)
    meter.wait(60.0)
    assert meter.read()[0].energy_j == 1e6
    meter.close()
