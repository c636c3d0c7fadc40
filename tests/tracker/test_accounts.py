"""Accounts of the runs on one machine: what was charged is what the meters gave, whatever comes, goes or breaks."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from math import fsum

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sootprint.core.errors import RecordError
from sootprint.core.protocols import Reading
from sootprint.tracker.accounts import CLOSED_S, MOST_CLOSED, UNMOVED_LOOKS, Accounts
from sootprint.tracker.attribution import Holder, Use
from sootprint.tracker.components import ComponentState
from sootprint.tracker.entry import Entry
from sootprint.tracker.sampler import Part, Seen

GPU, OTHER_GPU = "accelerator:0", "accelerator:1"
A, B = Holder("a"), Holder("b")


def looked(
    at_s: float,
    *,
    meter: str = "nvml",
    basis: str = "sensor",
    wraps_at_j: float | None = None,
    **energy_j: float,
) -> Part:
    """One look at a meter's counters; `accelerator_0=5.0` is 5 J of accelerator:0."""
    readings = [
        Reading(
            meter=meter,
            component=name.replace("_", ":"),
            at_s=at_s,
            energy_j=counter_j,
            basis=basis,
            wraps_at_j=wraps_at_j,
            max_power_w=500.0,
        )
        for name, counter_j in energy_j.items()
    ]
    return Part(meter, readings, None, Seen(readings))


def missed(reason: str, *, meter: str = "nvml") -> Part:
    """A look at a meter that gave nothing."""
    return Part(meter, [], None, Seen([], reason=reason))


def opened(*runs: str) -> Accounts:
    """Accounts of runs."""
    accounts = Accounts(max_gap_s=5.0)
    for run in runs:
        accounts.open(run)
    return accounts


def energy_j(accounts: Accounts, run: str) -> dict[str, float]:
    """Energy that a run was charged with, by component [J]."""
    entries = accounts.entries(run) or accounts.closed(run) or []
    return {entry.component: entry.energy_j for entry in entries}


def only(accounts: Accounts, run: str) -> Entry:
    """The one entry of a run."""
    (entry,) = accounts.entries(run)
    return entry


def test_first_look_charges_nothing():
    """A counter's value tells nothing of what was spent before it was seen."""
    accounts = opened("a")
    accounts.charge([looked(1.0, meter="rapl", cpu=123456.0)], [A], {})
    assert energy_j(accounts, "a") == {"cpu": 0.0}


def test_runs_are_charged_what_the_meters_gave():
    """8 J by 3 s and 1 s of CPU time, then 4 J while both idle: 6 + 2 and 2 + 2."""
    accounts = opened("a", "b")
    accounts.charge([looked(0.0, meter="rapl", cpu=100.0)], [A, B], {})
    accounts.charge([looked(1.0, meter="rapl", cpu=108.0)], [A, B], {"a": Use(3.0), "b": Use(1.0)})
    accounts.charge([looked(2.0, meter="rapl", cpu=112.0)], [A, B], {})
    assert energy_j(accounts, "a") == {"cpu": 8.0}
    assert energy_j(accounts, "b") == {"cpu": 4.0}


def test_who_joins_is_charged_from_then_on():
    """10 J alone, then 10 J for two: 15 and 5; the newcomer's counter begins at its join."""
    accounts = opened("a")
    accounts.charge([looked(0.0, accelerator_0=0.0)], [A], {})
    accounts.charge([looked(1.0, accelerator_0=10.0)], [A], {})
    accounts.open("b")
    accounts.charge([looked(2.0, accelerator_0=20.0)], [A, B], {})
    assert (energy_j(accounts, "a"), energy_j(accounts, "b")) == ({GPU: 15.0}, {GPU: 5.0})
    assert only(accounts, "b").since_s == 1.0


def test_account_says_whether_somebody_was_charged_before():
    """The one who takes over from nobody fills the time before its first reading, as a run that is alone does."""
    accounts = opened()
    accounts.charge([looked(0.0, meter="rapl", cpu=0.0)], [], {})
    accounts.open("a")
    accounts.open("b")
    accounts.charge([looked(1.0, meter="rapl", cpu=9.0)], [A, B], {})
    accounts.open("c")
    assert [only(accounts, run).is_first for run in "abc"] == [True, True, False]


def test_who_joins_one_that_was_alone_was_charged_by_it():
    """The first run's own readings are no account, but it was charged all the same."""
    accounts = opened()
    state = ComponentState(meter="rapl", component="cpu", basis="sensor", at_s=2.0, counter_j=5.0)
    accounts.adopt([("cpu", state)], 100.0)
    accounts.open("a", first=True)
    accounts.open("b")
    assert (only(accounts, "a").since_s, only(accounts, "b").since_s) == (102.0, 102.0)
    assert not only(accounts, "b").is_first


def test_who_left_keeps_its_last_account():
    """Its entries stand until it has read them; what is spent later is the others'."""
    accounts = opened("a", "b")
    accounts.charge([looked(0.0, accelerator_0=0.0)], [A, B], {})
    accounts.charge([looked(1.0, accelerator_0=10.0)], [A, B], {})
    accounts.close("b")
    accounts.charge([looked(2.0, accelerator_0=20.0)], [A], {})
    assert accounts.runs == {"a"}
    assert (energy_j(accounts, "a"), energy_j(accounts, "b")) == ({GPU: 15.0}, {GPU: 5.0})


def test_only_the_latest_accounts_of_the_dead_are_kept():
    """A storm of short runs does not make the board grow for ever."""
    accounts = opened()
    for number in range(MOST_CLOSED + 10):
        accounts.open(f"run {number}")
        accounts.close(f"run {number}")
    assert accounts.closed("run 9") is None
    assert accounts.closed("run 10") is not None


def test_account_of_a_run_that_went_long_ago_is_forgotten():
    """It had time enough to read it, and each other run reads the whole board."""
    accounts = opened("a", "b")
    accounts.charge([looked(0.0, meter="rapl", cpu=0.0)], [A, B], {})
    accounts.close("b")
    accounts.charge([looked(CLOSED_S, meter="rapl", cpu=1.0)], [A], {})
    assert accounts.closed("b") is not None
    accounts.charge([looked(CLOSED_S + 1.0, meter="rapl", cpu=2.0)], [A], {})
    assert accounts.closed("b") is None


def test_lost_counter_is_one_loss_of_each_run():
    """A driver that was loaded again: nobody knows what was spent in that second, and it is said once."""
    accounts = opened("a", "b")
    for at_s, counter_j in [(0.0, 100.0), (1.0, 110.0), (2.0, 3.0), (3.0, 13.0)]:
        accounts.charge([looked(at_s, accelerator_0=counter_j)], [A, B], {})
    for run in "ab":
        entry = only(accounts, run)
        assert (entry.energy_j, entry.losses) == (10.0, 1)
        assert (entry.lost_from_s, entry.lost_until_s, entry.lost_at_j) == (1.0, 2.0, 5.0)
        assert entry.reason == "counter reset"


def test_wrap_of_a_counter_loses_nothing():
    """A package's counter of 1000 J that starts again from zero."""
    accounts = opened("a")
    for at_s, counter_j in [(0.0, 950.0), (1.0, 20.0)]:
        accounts.charge([looked(at_s, meter="rapl", wraps_at_j=1000.0, cpu=counter_j)], [A], {})
    entry = only(accounts, "a")
    assert (entry.energy_j, entry.losses) == (70.0, 0)


def test_missing_readings_are_bridged_by_the_counter():
    """The device answers again after 2 s: its counter holds the energy, and one gap is noted with its reason."""
    accounts = opened("a")
    accounts.charge([looked(0.0, accelerator_0=0.0)], [A], {})
    accounts.charge([missed("GPU is lost")], [A], {})
    accounts.charge([missed("still lost")], [A], {})
    accounts.charge([looked(3.0, accelerator_0=30.0)], [A], {})
    entry = only(accounts, "a")
    assert (entry.energy_j, entry.gaps, entry.losses, entry.reason) == (30.0, 1, 0, "GPU is lost")


def test_account_says_why_a_component_is_not_read_now():
    """The run of another process has no meter to ask."""
    accounts = opened("a")
    accounts.charge([looked(0.0, meter="rapl", cpu=0.0)], [A], {})
    accounts.charge([missed("permission denied", meter="rapl")], [A], {})
    assert only(accounts, "a").missing == "permission denied"
    accounts.charge([looked(2.0, meter="rapl", cpu=1.0)], [A], {})
    assert only(accounts, "a").missing is None


def test_component_that_appears_late_is_charged_from_its_first_reading():
    """A card that is plugged in, or a counter that became readable, at 5 s."""
    accounts = opened("a")
    accounts.charge([looked(0.0, meter="rapl", cpu=0.0)], [A], {})
    accounts.charge([looked(5.0, meter="rapl", cpu=10.0, dram=70.0)], [A], {})
    accounts.charge([looked(6.0, meter="rapl", cpu=11.0, dram=72.0)], [A], {})
    by_name = {entry.component: entry for entry in accounts.entries("a")}
    assert by_name["dram"].energy_j == 2.0
    assert by_name["dram"].since_s == 5.0


def test_accelerator_that_a_run_may_not_use_is_not_in_its_account():
    """Each of two runs sees one card of two."""
    holders = [Holder("a", sees=frozenset({GPU})), Holder("b", sees=frozenset({OTHER_GPU}))]
    accounts = opened("a", "b")
    for at_s in (0.0, 1.0):
        look = looked(at_s, accelerator_0=10.0 * at_s, accelerator_1=20.0 * at_s)
        accounts.charge([look], holders, {})
    assert energy_j(accounts, "a") == {GPU: 10.0}
    assert energy_j(accounts, "b") == {OTHER_GPU: 20.0}


def test_who_joins_late_has_no_line_for_a_card_that_it_may_not_use():
    """The cards are known by then; its account is opened with those that it sees."""
    accounts = opened("a")
    accounts.charge([looked(0.0, accelerator_0=0.0, accelerator_1=0.0)], [A], {})
    accounts.open("b", sees=frozenset({OTHER_GPU}))
    assert energy_j(accounts, "b") == {OTHER_GPU: 0.0}


def test_part_of_a_run_is_charged_inside_it():
    """The parent pays for all, its part for what it used of that."""
    accounts = opened("a", "b")
    part = Holder("b", parent="a")
    accounts.charge([looked(0.0, meter="rapl", cpu=0.0)], [A, part], {})
    accounts.charge([looked(1.0, meter="rapl", cpu=10.0)], [A, part], {"a": Use(2.0), "b": Use(1.0)})
    assert (energy_j(accounts, "a"), energy_j(accounts, "b")) == ({"cpu": 10.0}, {"cpu": 10.0})


def test_strict_run_leaves_the_rest_to_nobody():
    """1 s of the machine's 4 s of CPU time: 2 of 8 J, and 6 J that are recorded as nobody's."""
    accounts = opened("a")
    strict = Holder("a", strict=True)
    accounts.charge([looked(0.0, meter="rapl", cpu=0.0)], [strict], {})
    accounts.charge([looked(1.0, meter="rapl", cpu=8.0)], [strict], {"a": Use(1.0)}, whole=Use(4.0))
    entry = only(accounts, "a")
    assert (entry.energy_j, entry.rest_j) == (2.0, 6.0)


def test_counter_that_never_moves_is_left_out_and_taken_back_when_it_moves():
    """A counter that a virtual machine shows at 0 for ever measures nothing, unless it slept."""
    accounts = opened("a")
    for look in range(UNMOVED_LOOKS):
        accounts.charge([looked(float(look), meter="rapl", cpu=7.0)], [A], {})
    assert only(accounts, "a").dropped
    accounts.charge([looked(20.0, meter="rapl", cpu=9.0)], [A], {})
    assert not only(accounts, "a").dropped
    assert only(accounts, "a").energy_j == 2.0


def test_meter_that_tells_the_same_instant_for_long_is_not_said_to_stand_still():
    """A plug is read every 5 s; the looks in between get the reading of before."""
    accounts = opened("a")
    for look in range(UNMOVED_LOOKS):
        counters = looked(float(look), meter="rapl", cpu=7.0 * look)
        accounts.charge([counters, looked(0.0, meter="plug", wall=7.0)], [A], {})
    assert [entry.dropped for entry in accounts.entries("a")] == [False, False]


def test_model_beside_a_counter_takes_nothing_from_its_charge():
    """Both are charged in full, for the record to leave the model out."""
    accounts = opened("a")
    for at_s in (0.0, 1.0):
        sensor = looked(at_s, meter="rapl", cpu=10.0 * at_s)
        model = looked(at_s, meter="cpu", basis="modelled", cpu=99.0 * at_s)
        accounts.charge([sensor, model], [A], {})
    assert [(entry.meter, entry.energy_j) for entry in accounts.entries("a")] == [
        ("rapl", 10.0),
        ("cpu", 99.0),
    ]


def test_reading_that_does_not_advance_is_no_reading():
    """A knock right after a tick looks at a meter that answers from its cache, or what it read before that."""
    accounts = opened("a")
    for at_s, counter_j in [(0.0, 0.0), (1.0, 10.0), (1.0, 10.0), (0.5, 5.0), (2.0, 20.0)]:
        accounts.charge([looked(at_s, accelerator_0=counter_j)], [A], {})
    entry = only(accounts, "a")
    assert (entry.energy_j, entry.losses, entry.gaps) == (20.0, 0, 0)


def test_another_process_goes_on_from_the_board():
    """What the board holds as JSON continues as if the first process had lived on."""
    accounts = opened("a", "b")
    accounts.charge([looked(0.0, accelerator_0=0.0)], [A, B], {})
    accounts.charge([looked(1.0, accelerator_0=10.0)], [A, B], {"a": Use(0.0, {GPU: 0.5})})
    accounts.close("b")
    heir = Accounts(max_gap_s=5.0)
    heir.load(json.loads(json.dumps(accounts.dump())))
    assert heir.dump() == accounts.dump()
    assert (heir.entries("a"), heir.closed("b")) == (accounts.entries("a"), accounts.closed("b"))
    heir.charge([looked(3.0, accelerator_0=40.0)], [A], {})
    assert energy_j(heir, "a") == {GPU: 40.0}


def _boards() -> list[object]:
    whole = opened("a")
    whole.charge([looked(0.0, accelerator_0=0.0)], [A], {})
    board = whole.dump()
    (row,) = board["shared"]
    at = next(place for place, value in enumerate(row) if value == 0.0 and value is not False)
    return [
        {},
        {"origin": "x"},
        board | {"shared": [[]]},
        board | {"shared": [row[:-1]]},
        board | {"shared": [[*row[:at], "soon", *row[at + 1 :]]]},
        board | {"shared": "none"},
        board | {"lines": {"a": {GPU: [1.0]}}},
        board | {"lines": {"a": {GPU: ["x"] * 7}}},
        board | {"lines": []},
        board | {"closed": {"a": [[1]]}},
        board | {"closed": {"a": 5}},
    ]


@pytest.mark.parametrize("board", _boards())
def test_board_that_is_none_is_refused_whole(board: Mapping[str, object]):
    """One clear error, and the accounts are as they were: the caller begins anew."""
    accounts = opened("a")
    before = accounts.dump()
    with pytest.raises(RecordError, match="board"):
        accounts.load(board)
    assert accounts.dump() == before


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("join"), st.integers(0, 5)),
        st.tuples(st.just("leave"), st.integers(0, 5)),
        st.tuples(st.just("tick"), st.floats(0.0, 400.0)),
        st.tuples(st.just("take over"), st.just(0)),
        st.tuples(st.just("reset"), st.just(0)),
    ),
    max_size=40,
)


@settings(max_examples=150, deadline=None)
@given(STEPS, st.data())
def test_no_sequence_of_joins_and_leaves_makes_or_loses_a_joule(steps, data):
    """Charges of all top-level runs, living and gone, sum to what the counter gave while there was anyone."""
    accounts, here, last_j, counter_j = Accounts(max_gap_s=5.0), {}, 0.0, 0.0
    accounts.charge([looked(0.0, accelerator_0=0.0)], [], {})
    for at_s, (kind, value) in enumerate(steps, start=1):
        if kind == "join" and value not in here:
            parent = data.draw(st.sampled_from([None, *here]))
            here[value] = Holder(f"{at_s}", parent=here[parent].id if parent is not None else None)
            accounts.open(f"{at_s}")
        elif kind == "leave" and value in here:
            accounts.close(here.pop(value).id)
        elif kind == "take over":
            accounts, before = Accounts(max_gap_s=5.0), accounts
            accounts.load(json.loads(json.dumps(before.dump())))
        elif kind == "reset":
            counter_j = 0.0
        elif kind == "tick":
            uses = {one.id: Use(0.0, {GPU: data.draw(st.floats(0.0, 1.0))}) for one in here.values()}
            known = {one.id for one in here.values()}
            tops = [one.id for one in here.values() if one.parent not in known]
            before_j = sum_j(accounts, tops)
            counter_j += value
            accounts.charge([looked(float(at_s), accelerator_0=counter_j)], list(here.values()), uses)
            given_j = max(0.0, counter_j - last_j) if here else 0.0  # a counter that was reset tells nothing
            assert sum_j(accounts, tops) - before_j == pytest.approx(given_j, abs=1e-6)
            last_j = counter_j


def sum_j(accounts: Accounts, runs: Iterable[str]) -> float:
    """Energy of some runs [J]."""
    return fsum(fsum(energy_j(accounts, run).values()) for run in runs)


@pytest.mark.parametrize("mixed", range(1, 15))
def test_runs_told_of_two_looks_bridge_about_all_together(mixed: int):
    """Their use jumps from look to look, and as the reader dies some were told of the last and some of the one before.

    By the parts of the looks themselves, from nothing to twice of what is spent would be charged.
    """
    holders = [Holder(run) for run in "abcd"]
    accounts = opened(*"abcd")
    told: list[list[Entry]] = []
    for look in range(20):
        uses = {one.id: Use(1.0 if look % 4 == number else 0.0) for number, one in enumerate(holders)}
        accounts.charge([looked(float(look), meter="rapl", cpu_0=100.0 * look)], holders, uses)
        told.append([only(accounts, one.id) for one in holders])
    shares = [told[-1 - (mixed >> number & 1)][number].share or 0.0 for number in range(4)]
    assert fsum(one.share or 0.0 for one in told[-1]) == pytest.approx(1.0)
    assert fsum(shares) == pytest.approx(1.0, abs=0.26)
    assert all(part > 0.05 for part in shares)
