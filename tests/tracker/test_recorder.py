"""The lines of a run that another process reads for: its account, taken from time to time."""

from __future__ import annotations

import json
import math
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sootprint.core.asleep import LEAST_S
from sootprint.core.lines import encoder
from sootprint.core.protocols import FakeClock, Reading
from sootprint.tracker.entry import Entry
from sootprint.tracker.fold import HELD, Fold
from sootprint.tracker.quantities import fill_j
from sootprint.tracker.recorder import ANEW, Recorder
from sootprint.tracker.sampler import Part, Seen
from tests.tracker.conftest import head

START_S = 100.0  # of the run, on the machine's monotonic clock
FIRST = Entry(
    meter="nvml",
    component="accelerator:0",
    basis="sensor",
    low_ratio=0.95,
    high_ratio=1.05,
    integrated=False,
    origin="one",
    since_s=START_S,
    at_s=START_S,
    energy_j=0.0,
    rest_j=0.0,
    variance_j2=0.0,
    utilisation=None,
    losses=0,
    lost_from_s=0.0,
    lost_until_s=0.0,
    lost_at_j=0.0,
    gaps=0,
    dropped=False,
    reason=None,
    missing=None,
)


class Kept(Recorder):
    """A recorder whose lines a test can look at."""

    def __init__(self, clock: FakeClock) -> None:
        self.lines: list[dict[str, Any]] = []
        super().__init__(clock.monotonic_s, fold=Fold(), journal=None, start_s=START_S)
        self.emit(head())

    def emit(self, line: dict[str, Any]) -> None:
        """Keep a line and count it."""
        self.lines.append(line)
        super().emit(line)

    def took(self, clock: FakeClock, *entries: Entry) -> Recorder:
        """The recorder after it took each account, when that was charged."""
        for entry in entries:
            clock.advance(max(0.0, entry.at_s - clock.monotonic_s()))
            self.take([entry])
        return self


@pytest.fixture
def clock() -> FakeClock:
    """A machine that was on for a while before the run."""
    return FakeClock(monotonic_s=START_S)


def charged(at_s: float, energy_j: float, **more: Any) -> Entry:
    """Account as of `at_s` after the run's start."""
    return FIRST._replace(at_s=START_S + at_s, energy_j=energy_j, **more)


def test_account_becomes_the_runs_energy(clock: FakeClock):
    """30 J in 3 s, no gap, no remark."""
    fold = Kept(clock).took(clock, charged(1.0, 10.0), charged(3.0, 30.0)).fold
    (state,) = fold.states
    assert (state.energy_j, state.covered_s, state.lost_s) == (30.0, 3.0, 0.0)
    assert (fold.gaps, fold.notes) == ([], [])


def test_account_that_begins_late_is_no_gap(clock: FakeClock):
    """Until 2 s others were charged with the component; that is nothing that is missing here."""
    late = {"since_s": START_S + 2.0}
    (state,) = Kept(clock).took(clock, charged(2.0, 0.0, **late), charged(3.0, 10.0, **late)).fold.states
    assert (state.energy_j, state.covered_s, state.lost_s) == (10.0, 1.0, 0.0)


def test_component_that_nobody_was_charged_with_is_filled_from_the_start(clock: FakeClock):
    """It drew power before the first look, as it does in a run that is alone."""
    first = {"since_s": START_S + 1.0, "is_first": True}
    fold = Kept(clock).took(clock, charged(1.0, 0.0, **first), charged(3.0, 20.0, **first)).fold
    (state,) = fold.states
    assert (state.energy_j, state.covered_s, state.lost_s) == (20.0, 2.0, 1.0)
    assert fold.gaps == [(0, 0.0, 1.0, "before the first reading", False)]


def test_account_that_begins_anew_fills_only_what_nobody_was_charged_with(clock: FakeClock):
    """The reader died at 3 s; another run read from 4 s on and was charged with all until this one came at 6 s."""
    anew = {"origin": "another", "since_s": START_S + 6.0, "held_s": START_S + 4.0}
    entries = charged(3.0, 30.0), charged(6.0, 0.0, **anew), charged(8.0, 20.0, **anew)
    fold = Kept(clock).took(clock, *entries).fold
    (state,) = fold.states
    assert (state.energy_j, state.covered_s, state.lost_s) == (50.0, 5.0, 1.0)
    assert [gap[1:] for gap in fold.gaps] == [(3.0, 4.0, ANEW, False), (4.0, 6.0, HELD, True)]


def _between_readers(clock: FakeClock, later_j: float, **more: Any) -> Fold:
    """Sums of a run with half of a counter that was at 1,000 J at 3 s, and at `later_j` when another reader came."""
    known = {"counter_j": 1000.0, "wraps_at_j": 5000.0, "max_power_w": 100.0, "share": 0.5}
    anew = {"origin": "another", "since_s": START_S + 4.0}
    first = charged(4.0, 0.0, **anew, counter_j=later_j)
    later = charged(6.0, 20.0, **anew, counter_j=later_j + 40.0, held_s=START_S + 4.0, held_j=later_j)
    return Kept(clock).took(clock, charged(3.0, 30.0, **known | more), first, later).fold


@pytest.mark.parametrize(
    ("later_j", "start"), [(1040.0, {}), (20.0, {"counter_j": 4980.0})], ids=["on", "wrap"]
)
def test_counter_that_went_on_between_two_readers_is_charged_in_part(
    clock: FakeClock, later_j: float, start: Any
):
    """40 J were spent meanwhile, of which the run pays the half that it paid before; the record says so."""
    fold = _between_readers(clock, later_j, **start)
    (state,) = fold.states
    assert (state.energy_j, state.bridged_j, state.lost_s) == pytest.approx((30.0 + 20.0 + 20.0, 20.0, 0.0))
    assert [gap[1:] for gap in fold.gaps] == [(3.0, 4.0, ANEW, True)]


@pytest.mark.parametrize(
    ("later_j", "known"),
    [(5.0, {}), (1900.0, {}), (1040.0, {"share": None}), (1040.0, {"counter_j": None})],
    ids=["reset", "jump", "no-part", "no-counter"],
)
def test_counter_that_does_not_tell_leaves_a_gap_between_two_readers(
    clock: FakeClock, later_j: float, known: Any
):
    """After a reset or a step that no device can make, nothing is taken from the counter: the time is filled."""
    (state,) = _between_readers(clock, later_j, **known).states
    assert (state.energy_j, state.bridged_j, state.lost_s) == pytest.approx((50.0, 0.0, 1.0))


def test_account_that_is_seen_late_begins_where_its_reader_did(clock: FakeClock):
    """The first look of the new reader was missed; the account tells what the counter showed then."""
    known = {"counter_j": 1000.0, "max_power_w": 100.0, "share": 0.5}
    anew = {"origin": "another", "since_s": START_S + 5.0, "held_s": START_S + 4.0, "held_j": 1040.0}
    later = charged(6.0, 20.0, **anew, counter_j=1120.0)
    fold = Kept(clock).took(clock, charged(3.0, 30.0, **known), later).fold
    assert fold.states[0].energy_j == pytest.approx(30.0 + 20.0 + 20.0)
    assert [gap[1:] for gap in fold.gaps] == [(3.0, 4.0, ANEW, True), (4.0, 5.0, HELD, True)]


def test_account_that_begins_anew_while_others_are_charged_is_no_loss(clock: FakeClock):
    """Somebody was charged with all of it since before this run's last look."""
    anew = {"origin": "another", "since_s": START_S + 6.0, "held_s": START_S + 2.0}
    (state,) = Kept(clock).took(clock, charged(3.0, 30.0), charged(6.0, 0.0, **anew)).fold.states
    assert (state.energy_j, state.lost_s) == (30.0, 0.0)


def test_time_after_the_end_is_not_filled(clock: FakeClock):
    """The run was told to stop at 3 s and waited for its last account until 3.4 s, while others were charged."""
    recorder = Kept(clock).took(clock, charged(3.0, 30.0))
    clock.advance(0.4)
    recorder.take([charged(3.0, 30.0)])
    recorder.emit({"k": "end", "s": 3.0, "why": "finished"})
    (state,) = recorder.fold.states
    assert (state.energy_j, state.lost_s) == (30.0, 0.0)


def test_same_account_twice_is_counted_once(clock: FakeClock):
    """A run that looks more often than its reader finds nothing new."""
    once = charged(1.0, 10.0)
    (state,) = Kept(clock).took(clock, once, once, once, charged(2.0, 20.0)).fold.states
    assert (state.energy_j, state.covered_s) == (20.0, 2.0)


def test_loss_is_one_gap_between_what_was_charged_before_and_after(clock: FakeClock):
    """The counter was reset between 1 and 2 s: 10 J until then, 10 J from 2 to 3 s, one second lost."""
    lost = {
        "losses": 1,
        "lost_from_s": START_S + 1.0,
        "lost_until_s": START_S + 2.0,
        "lost_at_j": 10.0,
        "reason": "counter reset",
    }
    fold = (
        Kept(clock)
        .took(clock, charged(1.0, 10.0), charged(2.0, 10.0, **lost), charged(3.0, 20.0, **lost))
        .fold
    )
    (state,) = fold.states
    assert (state.energy_j, state.covered_s, state.lost_s) == (20.0, 2.0, 1.0)
    assert fold.gaps == [(0, 1.0, 2.0, "counter reset", False)]


def test_loss_that_is_seen_only_later_is_the_same(clock: FakeClock):
    """The run looked before the loss and well after it."""
    lost = {
        "losses": 1,
        "lost_from_s": START_S + 2.0,
        "lost_until_s": START_S + 3.0,
        "lost_at_j": 20.0,
        "reason": "counter reset",
    }
    fold = Kept(clock).took(clock, charged(1.0, 10.0), charged(5.0, 40.0, **lost)).fold
    (state,) = fold.states
    assert (state.energy_j, state.covered_s, state.lost_s) == (40.0, 4.0, 1.0)
    assert fold.gaps == [(0, 2.0, 3.0, "counter reset", False)]


def test_gap_that_the_counter_bridged_is_said_with_its_reason(clock: FakeClock):
    """Its energy is counted, and its uncertainty stated."""
    bridged = {"gaps": 1, "reason": "GPU is lost"}
    fold = Kept(clock).took(clock, charged(1.0, 10.0), charged(4.0, 40.0, **bridged)).fold
    (state,) = fold.states
    assert (state.energy_j, state.bridged_j, state.lost_s) == (40.0, 30.0, 0.0)
    assert fold.gaps == [(0, 1.0, 4.0, "GPU is lost", True)]


def test_device_that_died_is_a_gap_with_its_own_reason(clock: FakeClock):
    """Not just the end of the readings: the account says why there are none."""
    recorder = Kept(clock)
    recorder.took(clock, charged(1.0, 10.0), charged(1.0, 10.0, missing="GPU is lost"))
    recorder.emit({"k": "end", "s": 3.0, "why": "finished"})
    assert recorder.fold.gaps == [(0, 1.0, 3.0, "GPU is lost", False)]


def test_reader_that_began_anew_is_one_gap(clock: FakeClock):
    """Its board was lost: what was charged between is unknown, what it charges from then on counts."""
    anew = {"origin": "two", "since_s": START_S + 3.0}
    fold = (
        Kept(clock)
        .took(clock, charged(2.0, 20.0), charged(3.0, 0.0, **anew), charged(5.0, 20.0, **anew))
        .fold
    )
    (state,) = fold.states
    assert (state.energy_j, state.covered_s, state.lost_s) == (40.0, 4.0, 1.0)


def test_account_that_was_opened_again_is_one_gap(clock: FakeClock):
    """The same reader took the run for dead for a while."""
    again = {"since_s": START_S + 3.0}
    fold = (
        Kept(clock)
        .took(clock, charged(2.0, 20.0), charged(3.0, 0.0, **again), charged(5.0, 20.0, **again))
        .fold
    )
    (state,) = fold.states
    assert (state.energy_j, state.covered_s, state.lost_s) == (40.0, 4.0, 1.0)


def test_run_that_was_alone_goes_on_from_its_own_readings(clock: FakeClock):
    """10 J of its own counter, then 5 of 10 J that it shares, without a gap at the change."""
    recorder = Kept(clock)
    for at_s, counter_j in [(0.0, 1000.0), (1.0, 1010.0)]:
        reading = Reading(meter="nvml", component="accelerator:0", at_s=START_S + at_s, energy_j=counter_j)
        recorder.record([Part("nvml", [reading], None, Seen([reading]))])
        clock.advance(1.0)
    since = {"since_s": START_S + 1.0}
    recorder.took(clock, charged(1.0, 0.0, **since), charged(2.0, 5.0, **since))
    (state,) = recorder.fold.states
    assert (state.energy_j, state.covered_s, state.lost_s) == (15.0, 2.0, 0.0)


def test_what_nobody_pays_is_added_up(clock: FakeClock):
    """Of a strict run: 3 J and 4 J that are unallocated."""
    recorder = Kept(clock).took(clock, charged(1.0, 1.0, rest_j=3.0), charged(2.0, 2.0, rest_j=7.0))
    assert recorder.fold.states[0].rest_j == 7.0


def test_component_that_stands_still_is_left_out_once(clock: FakeClock):
    """The reader judged; the record says so once."""
    recorder = Kept(clock).took(clock, *[charged(float(at_s), 0.0, dropped=True) for at_s in (1, 2, 3)])
    assert [note for note in recorder.fold.notes if "does not move" in note] == [
        "nvml: the counter of accelerator:0 does not move; not used"
    ]
    assert recorder.fold.states[0].dropped


def test_meter_that_looks_every_five_seconds_does_not_stand_still(clock: FakeClock):
    """Its counter tells the same instant until the next look: that is no sign of a meter that measures nothing."""
    recorder = Kept(clock)
    for at_s, counter_j in [(0.0, 1e6)] * 5 + [(5.0, 1e6 + 400.0)] * 5:
        reading = Reading(
            meter="plug", component="wall", at_s=START_S + at_s, energy_j=counter_j, basis="metered"
        )
        recorder.record([Part("plug", [reading], None, Seen([reading]))])
        clock.advance(1.0)
    (state,) = recorder.fold.states
    assert (state.energy_j, state.covered_s, recorder.fold.notes) == (400.0, 5.0, [])


ACCOUNTS = st.lists(
    st.tuples(
        st.just(0.0) | st.floats(0.001, 3.0),
        st.floats(0.0, 900.0),
        st.sampled_from(["", "loss", "gap", "anew"]),
    ),
    max_size=20,
)


@given(ACCOUNTS)
def test_times_never_go_back_and_no_joule_is_lost(steps: list[tuple[float, float, str]]):
    """Whatever happens to an account, the run's energy is what it was charged, and covered and lost time add up."""
    clock = FakeClock(monotonic_s=START_S)
    recorder = Kept(clock)
    entry, total_j = FIRST, 0.0
    recorder.take([entry])
    for step_s, step_j, event in steps:
        clock.advance(step_s)
        at_s = clock.monotonic_s()
        if event == "loss":
            lost = {"losses": entry.losses + 1, "lost_from_s": entry.at_s, "lost_until_s": at_s}
            entry = entry._replace(at_s=at_s, lost_at_j=entry.energy_j, reason="counter reset", **lost)
        elif event == "anew":
            entry = FIRST._replace(origin=f"{at_s}", since_s=at_s, at_s=at_s)
        elif step_s > 0.0:
            entry = entry._replace(at_s=at_s, energy_j=entry.energy_j + step_j)
            entry = entry._replace(gaps=entry.gaps + (event == "gap"), reason="no reading")
            total_j += step_j
        recorder.take([entry])
    (state,) = recorder.fold.states
    instants = [line["s"] for line in recorder.lines if line["k"] == "tick"]
    rows = [row[1] for line in recorder.lines if line["k"] == "tick" for row in line["r"]]
    assert all(before <= after for before, after in [*pairwise(instants), *pairwise(rows)])
    assert state.energy_j == pytest.approx(total_j, abs=1e-3)
    assert state.covered_s + state.lost_s == pytest.approx(clock.monotonic_s() - START_S, abs=1e-3)


def test_time_before_the_first_look_is_filled_at_the_first_power(clock: FakeClock):
    """Half a second before the account began counts 50 J at 100 W, though a later share is only 20 W."""
    first = {"since_s": START_S + 0.5, "is_first": True}
    alone = [charged(0.5, 0.0, **first), charged(0.52, 0.0, **first), charged(1.5, 100.0, **first)]
    shared = [charged(1.5 + step, 100.0 + 20.0 * step, **first) for step in range(1, 9)]
    fold = Kept(clock).took(clock, *alone, *shared).fold
    fold.apply({"k": "end", "s": 9.5, "why": "finished"})
    (state,) = fold.states
    assert state.energy_j + fill_j(state) == pytest.approx(50.0 + 100.0 + 8 * 20.0)


def counted(*told: tuple[float, float], until_s: float) -> Any:
    """State of a counter of a run that was told to stop at an instant; the last reading is its last tick."""
    clock = FakeClock(monotonic_s=START_S)
    recorder = Kept(clock)
    recorder.until_s = until_s
    for number, (at_s, energy_j) in enumerate(told, start=1):
        clock.advance(START_S + at_s - clock.monotonic_s())
        reading = Reading(
            "rapl", "cpu:0", clock.monotonic_s(), energy_j, wraps_at_j=1000.0, max_power_w=100.0
        )
        recorder.record([Part("rapl", [reading], None, Seen([reading]))], last=number == len(told))
    assert recorder.fold.last_s == pytest.approx(until_s)  # as a journal tells that has no end
    recorder.emit({"k": "end", "s": until_s, "why": "finished"})
    (state,) = recorder.fold.states
    return recorder.fold, state


def test_what_came_after_the_stop_is_not_the_runs():
    """Told to stop at 3.0 s, read at 3.2 s: of 24 J in 1.2 s the run has 20 J, and lasted 3.0 s."""
    fold, state = counted((0.0, 100.0), (2.0, 140.0), (3.2, 164.0), until_s=3.0)
    assert (state.energy_j, state.at_s, fold.last_s) == pytest.approx((60.0, 3.0, 3.0))
    assert (state.lost_s, fold.gaps) == (0.0, [])


@pytest.mark.parametrize(
    ("last", "energy_j"),
    [((3.2, 4.0), 40.0 + 64.0), ((1.9, 938.0), 38.0), ((2.9, 958.0), 58.0)],
    ids=["wrap", "no-step", "before-the-stop"],
)
def test_last_reading_that_cannot_be_brought_back_counts_as_it_is(last: tuple[float, float], energy_j: float):
    """A counter that wrapped meanwhile, or that was read before the stop."""
    told = [(0.0, 900.0), *([(2.0, 940.0)] if last[0] > 2.0 else []), last]
    _, state = counted(*told, until_s=3.0)
    assert state.energy_j == pytest.approx(energy_j)


def glanced(*looks: Any) -> tuple[bool, Kept, list[str]]:
    """What became of the last of some looks at two counters of a run whose still counters were left out already."""
    clock = FakeClock(monotonic_s=START_S)
    recorder = Kept(clock)
    written: list[str] = []
    for second in range(4):
        readings = [
            Reading("rapl", name, clock.monotonic_s(), joules + 40.0 * second, max_power_w=100.0)
            for name, joules in (("cpu:0", 100.0), ("dram:0", 10.0))
        ]
        recorder.record([Part("rapl", readings, None, Seen(readings))])
        clock.advance(1.0)
    recorder.journal = SimpleNamespace(
        append=lambda line, text: written.append(text) or json.loads(text) == line
    )
    return [glance(recorder, look) for look in looks][-1], recorder, written


def glance(recorder: Recorder, look: Any) -> bool:
    """Whether counters were journalled that their meters tell when they are asked."""
    return recorder.glances([(meter, lambda told=counters: told) for meter, counters in look])()


def test_a_glance_is_counted_and_written_as_a_whole_look():
    """The text of the line is what the encoder writes of it, to the byte; the energy is that of the counters."""
    taken, recorder, (text,) = glanced(
        [("rapl", [("cpu:0", 104.0, 260.0, None), ("dram:0", 104.00001, 1e-7 + 170.0, 0.03)])]
    )
    assert taken and not recorder.journal_failed
    assert text == encoder(ensure_ascii=False)(json.loads(text)) + "\n"
    assert [state.energy_j for state in recorder.fold.states] == pytest.approx([160.0, 160.0])
    assert [state.judged_s for state in recorder.fold.states] == pytest.approx([0.0, 1.00001])
    assert recorder.fold.states[1].busy_s == pytest.approx(0.03 * 1.00001)


def test_a_glance_waits_where_still_counters_are_to_be_left_out(clock: FakeClock):
    """From 1.5 s on a whole look judges them: one that is only glanced at would be kept for ever."""
    recorder = Kept(clock)
    reading = Reading("rapl", "cpu:0", START_S, 100.0, max_power_w=100.0)
    recorder.record([Part("rapl", [reading], None, Seen([reading]))])
    for at_s, is_taken in ((1.0, True), (1.4, True), (1.6, False)):
        clock.advance(START_S + at_s - clock.monotonic_s())
        look = [("rapl", [("cpu:0", START_S + at_s, 100.0, None)])]
        assert glance(recorder, look) is is_taken
    still = Reading("rapl", "cpu:0", START_S + 1.6, 100.0, max_power_w=100.0)
    recorder.record([Part("rapl", [still], None, Seen([still]))])
    assert recorder.fold.states[0].dropped


def test_a_glance_after_a_suspend_is_left_to_the_whole_look_which_tells_of_it():
    """Nothing is written or counted until then, so that the energy of both times is told with the suspend."""
    _, recorder, _ = glanced([("rapl", [("cpu:0", 104.0, 260.0, None), ("dram:0", 104.0, 170.0, None)])])
    told: list[dict[str, Any]] = []
    recorder.journal = SimpleNamespace(append=lambda line, text=None: bool(told.append(line)) or True)
    apart_s = [0.0]
    recorder._asleep = SimpleNamespace(
        watch=(lambda: recorder.monotonic_s() + apart_s[0], LEAST_S), since_s=lambda: apart_s[0]
    )
    assert glance(recorder, [("rapl", [("cpu:0", 105.0, 300.0, None), ("dram:0", 105.0, 210.0, None)])])
    apart_s[0] = 7.0
    assert not glance(recorder, [("rapl", [("cpu:0", 106.0, 340.0, None), ("dram:0", 106.0, 250.0, None)])])
    readings = [
        Reading("rapl", name, 106.0, joules) for name, joules in (("cpu:0", 340.0), ("dram:0", 250.0))
    ]
    recorder.record([Part("rapl", readings, None, Seen(readings))])
    assert [line.get("slept") for line in told] == [None, 7.0]


@pytest.mark.parametrize(
    "look",
    [
        [],
        [("rapl", None)],
        [("nvml", [("accelerator:0", 104.0, 1.0, None)])],
        [("rapl", [("cpu:0", 104.0, 260.0, None)])],
        [("rapl", [("cpu:0", 104.0, 260.0, None), ("cpu:1", 104.0, 170.0, None)])],
        [("rapl", [("cpu:0", 99.0, 260.0, None), ("dram:0", 104.0, 170.0, None)])],
        [("rapl", [("cpu:0", 104.0, math.inf, None), ("dram:0", 104.0, 170.0, None)])],
        [("rapl", [("cpu:0", 104.0, math.nan, None), ("dram:0", 104.0, 170.0, None)])],
    ],
    ids=[
        "nothing",
        "none",
        "unknown-meter",
        "one-absent",
        "unknown",
        "before-the-run",
        "infinite",
        "no-number",
    ],
)
def test_a_glance_that_tells_less_is_left_to_a_whole_look(look: Any):
    """Nothing of it is written or counted."""
    taken, recorder, written = glanced(look)
    assert (taken, written) == (False, [])
    assert recorder.fold.ticks == 4
