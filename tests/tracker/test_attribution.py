"""The rule that charges each joule to a run: worked examples, and laws that hold for any use."""

from __future__ import annotations

import random
from math import fsum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sootprint.tracker.attribution import Charge, Holder, Use, split, strict_share

GPU = "accelerator:0"
OTHER_GPU = "accelerator:1"
A, B = Holder("a"), Holder("b")


@pytest.mark.parametrize("component", ["cpu", "cpu:1", "dram:0", "storage", "network"])
def test_processor_and_what_it_feeds_go_by_cpu_time(component):
    """3 s and 1 s of CPU time share 8 J as 6 J and 2 J."""
    charged = split({component: 8.0}, [A, B], {"a": Use(3.0), "b": Use(1.0)})
    assert charged == {"a": {component: 6.0}, "b": {component: 2.0}}


def test_idle_machine_is_shared_equally():
    """Nobody used anything: each pays the same."""
    charged = split({"cpu": 3.0, GPU: 9.0, "node": 6.0}, [A, B, Holder("c")], {})
    assert charged == {one: {"cpu": 1.0, GPU: 3.0, "node": 2.0} for one in "abc"}


def test_accelerator_goes_by_utilisation():
    """60 % against 20 %, whatever the memory."""
    uses = {"a": Use(0.0, {GPU: 0.6}, {GPU: 1}), "b": Use(0.0, {GPU: 0.2}, {GPU: 1000})}
    assert split({GPU: 8.0}, [A, B], uses) == {"a": {GPU: 6.0}, "b": {GPU: 2.0}}


def test_accelerator_goes_by_memory_where_no_utilisation_is_told():
    """10 GB against 30 GB."""
    uses = {"a": Use(5.0, {}, {GPU: 10}), "b": Use(0.0, {GPU: 0.0}, {GPU: 30})}
    assert split({GPU: 8.0}, [A, B], uses) == {"a": {GPU: 2.0}, "b": {GPU: 6.0}}


def test_accelerator_goes_to_those_with_a_process_there():
    """The sizes are not told (MIG, containers): those that are there share equally, and who is not pays nothing."""
    uses = {"a": Use(9.0), "b": Use(0.0, {}, {GPU: 0}), "c": Use(0.0, {}, {GPU: 0})}
    charged = split({GPU: 8.0}, [A, B, Holder("c")], uses)
    assert charged == {"a": {GPU: 0.0}, "b": {GPU: 4.0}, "c": {GPU: 4.0}}


def test_idle_accelerator_is_shared_by_those_that_may_use_it():
    """Nobody has a process on either card: each run pays for the cards that it holds."""
    holders = [Holder("a", sees=frozenset({GPU})), Holder("b", sees=frozenset({GPU, OTHER_GPU}))]
    charged = split({GPU: 8.0, OTHER_GPU: 5.0}, holders, {"a": Use(1.0)})
    assert charged == {"a": {GPU: 4.0}, "b": {GPU: 4.0, OTHER_GPU: 5.0}}


def test_accelerator_that_no_run_may_use_is_charged_to_none():
    """A card that is hidden from every run belongs to none of them."""
    holders = [Holder("a", sees=frozenset()), Holder("b", sees=frozenset())]
    assert split({GPU: 8.0, "cpu": 2.0}, holders, {}) == {"a": {"cpu": 1.0}, "b": {"cpu": 1.0}}


def test_process_on_a_card_says_more_than_the_environment():
    """A launcher that hides the cards from itself and gives one to its workers uses it."""
    launcher = Holder("a", sees=frozenset())
    charged = split({GPU: 8.0}, [launcher, B], {"a": Use(0.0, {GPU: 0.5}, {GPU: 10})})
    assert charged == {"a": {GPU: 8.0}, "b": {GPU: 0.0}}


@pytest.mark.parametrize("component", ["node", "wall"])
def test_rest_of_the_node_follows_the_other_components(component):
    """CPU 3 J and 1 J, GPU 0 J and 4 J: 3 J against 5 J of 8, so 16 J are shared as 6 J and 10 J."""
    uses = {"a": Use(3.0), "b": Use(1.0, {GPU: 1.0})}
    charged = split({component: 16.0, "cpu": 4.0, GPU: 4.0}, [A, B], uses)
    assert (charged["a"][component], charged["b"][component]) == (6.0, 10.0)


def test_node_alone_goes_by_cpu_time():
    """Where no other component was measured, the use is all there is to go by."""
    charged = split({"wall": 8.0}, [A, B], {"a": Use(3.0), "b": Use(1.0)})
    assert charged == {"a": {"wall": 6.0}, "b": {"wall": 2.0}}


def test_children_share_what_their_parent_was_charged():
    """The first is charged 12 of 16 J; its children used 1 s and 2 s; the child of a child gets all of its parent's."""
    holders = [Holder("a1", parent="a"), B, Holder("a2", parent="a"), A, Holder("a2x", parent="a2")]
    uses = {"a": Use(3.0), "b": Use(1.0), "a1": Use(1.0), "a2": Use(2.0), "a2x": Use(0.5)}
    charged = split({"cpu": 16.0, "node": 8.0}, holders, uses)
    assert {one: parts["cpu"] for one, parts in charged.items()} == pytest.approx(
        {"a": 12.0, "b": 4.0, "a1": 4.0, "a2": 8.0, "a2x": 8.0}
    )
    assert {one: parts["node"] for one, parts in charged.items()} == pytest.approx(
        {"a": 6.0, "b": 2.0, "a1": 2.0, "a2": 4.0, "a2x": 4.0}
    )


def test_child_pays_for_no_card_that_it_cannot_use():
    """The parent trains on the card; its child prepares data without one."""
    child = Holder("c", parent="a", sees=frozenset())
    assert split({GPU: 4.0, "cpu": 2.0}, [A, child], {})["c"] == {"cpu": 2.0}


@pytest.mark.parametrize(
    "holders",
    [
        [Holder("a", parent="gone"), B],
        [Holder("a", parent="a"), B],
        [Holder("a", parent="b"), Holder("b", parent="a")],
    ],
)
def test_holder_without_a_sound_parent_shares_the_machine(holders):
    """A parent that is not there, or that descends from its own child, is none."""
    assert split({"cpu": 8.0}, holders, {}) == {"a": {"cpu": 4.0}, "b": {"cpu": 4.0}}


def test_no_holder():
    """Nobody to charge is no error."""
    assert split({"cpu": 8.0}, [], {}) == {}


def test_strict_holder_pays_its_share_of_all_use():
    """Two used 1 s each of 4 busy seconds: each is charged half of 8 J, of which a quarter of 8 J is its own."""
    charged = split({"cpu": 8.0}, [A, B], {"a": Use(1.0), "b": Use(1.0)})["a"]
    assert strict_share({"cpu": 8.0}, charged, use=Use(1.0), whole=Use(4.0)) == {"cpu": Charge(2.0, 2.0)}


def test_strict_share_of_cards_and_node():
    """Own 1 of 4 CPU seconds and 30 of 60 % of the card: 2 + 10 of 28 J; of the node 12/28 of 14 J, 6 J."""
    charged = {"cpu": 8.0, GPU: 20.0, "node": 14.0}
    whole = Use(4.0, {GPU: 0.6}, {GPU: 9})
    shares = strict_share(charged, charged, use=Use(1.0, {GPU: 0.3}, {GPU: 9}), whole=whole)
    assert shares == {"cpu": Charge(2.0, 6.0), GPU: Charge(10.0, 10.0), "node": Charge(6.0, 8.0)}


@pytest.mark.parametrize(
    ("use", "whole", "own_j"),
    [
        (Use(0.0, {}, {GPU: 10}), Use(0.0, {}, {GPU: 40}), 2.0),
        (Use(0.0, {}, {GPU: 0}), Use(0.0, {}, {GPU: 0}), 8.0),
        (Use(), Use(0.0, {}, {GPU: 0}), 0.0),
        (Use(), Use(), 0.0),
        (Use(0.0, {GPU: 0.9}), Use(0.0, {GPU: 0.8}), 8.0),
    ],
)
def test_strict_share_of_a_card(use, whole, own_j):
    """By memory without utilisation; by presence without sizes; nothing where idle; never more than all."""
    assert strict_share({GPU: 8.0}, {GPU: 8.0}, use=use, whole=whole) == {GPU: Charge(own_j, 8.0 - own_j)}


def test_strict_share_of_a_node_that_is_all_that_was_measured():
    """By CPU time: 1 of 4 seconds."""
    shares = strict_share({"wall": 8.0}, {"wall": 8.0}, use=Use(1.0), whole=Use(4.0))
    assert shares == {"wall": Charge(2.0, 6.0)}


COMPONENTS = ["cpu", "dram:0", "storage", "network", GPU, OTHER_GPU, "node", "wall"]
IDS = [f"run{index}" for index in range(8)]
joules = st.floats(0.0, 1e9)
shares = st.floats(0.0, 1.0)
spends = st.dictionaries(st.sampled_from(COMPONENTS), joules)
cards = st.sampled_from([GPU, OTHER_GPU])
use = st.builds(
    Use,
    cpu_s=st.floats(0.0, 1e5),
    busy=st.dictionaries(cards, shares),
    memory=st.dictionaries(cards, st.integers(0, 2**40)),
)


@st.composite
def sharing(draw):
    """Holders in any relation to each other, and their use."""
    ids = draw(st.lists(st.sampled_from(IDS), unique=True))
    parents = st.none() | st.sampled_from([*IDS, "gone"])
    seen = st.none() | st.frozensets(cards)
    holders = [Holder(one, parent=draw(parents), sees=draw(seen)) for one in ids]
    return holders, {one: draw(use) for one in ids if draw(st.booleans())}


def tops(holders):
    """Holders that share the machine: no parent among the others, or one that descends from themselves."""
    parents = {one.id: one.parent for one in holders}

    def chain(start):
        found = []
        above = parents[start]
        while above in parents and above not in found:
            found.append(above)
            above = parents[above]
        return found

    return [one.id for one in holders if one.parent not in parents or one.id in chain(one.id)]


@given(spends, sharing())
def test_top_shares_add_up_and_none_is_negative(spent_j, shared):
    """To 1e-12 of the joules, for each component that any top-level holder may use."""
    holders, uses = shared
    charged = split(spent_j, holders, uses)
    assert all(part_j >= 0.0 for parts in charged.values() for part_j in parts.values())
    for name, amount_j in spent_j.items():
        parts = [charged[one][name] for one in tops(holders) if name in charged[one]]
        if parts:
            assert fsum(parts) == pytest.approx(amount_j, rel=1e-12, abs=1e-300)
        elif holders:
            assert name.startswith("accelerator")


@given(spends, sharing())
def test_children_never_get_more_than_their_parent(spent_j, shared):
    """What the children of one holder pay together is at most what it pays, but for rounding."""
    holders, uses = shared
    charged = split(spent_j, holders, uses)
    top = set(tops(holders))
    for parent in holders:
        children = [one.id for one in holders if one.parent == parent.id and one.id not in top]
        for name in {name for one in children for name in charged[one]}:
            together_j = fsum(charged[one].get(name, 0.0) for one in children)
            assert together_j <= charged[parent.id][name] * (1.0 + 1e-12)


@given(spends, sharing(), st.randoms(use_true_random=False))
def test_order_does_not_matter(spent_j, shared, shuffle: random.Random):
    """Neither of the holders nor of the components: the same numbers to the last bit."""
    holders, uses = shared
    names, others = list(spent_j), list(holders)
    shuffle.shuffle(names)
    shuffle.shuffle(others)
    assert split({name: spent_j[name] for name in names}, others, uses) == split(spent_j, holders, uses)


@given(spends, sharing(), use)
def test_strict_parts_add_up_and_none_is_negative(spent_j, shared, whole):
    """Own and rest are what was charged, whatever the machine's use is said to be."""
    holders, uses = shared
    for one, charged_j in split(spent_j, holders, uses).items():
        parts = strict_share(spent_j, charged_j, use=uses.get(one, Use()), whole=whole)
        assert parts.keys() == charged_j.keys()
        for name, part in parts.items():
            assert min(part) >= 0.0
            assert fsum(part) == pytest.approx(charged_j[name], rel=1e-12, abs=0.0)
