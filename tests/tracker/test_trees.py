"""CPU time of process trees: on a table of processes that the test writes, and on the real one."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sootprint.tracker.trees import LOOKS_PER_RESCAN, TreeTimes, ancestors, tick_s
from tests.fixtures.process_table import INIT, ProcessTable

SHELL, ROOT = 10, 20


@pytest.fixture
def table(tmp_path):
    """A shell that started the root of a tree; a stranger beside it."""
    table = ProcessTable(tmp_path / "proc")
    table.add(SHELL, parent=INIT, name="bash")
    table.add(ROOT, parent=SHELL, own=500)
    table.add(15, parent=INIT, own=900)
    return table


@pytest.fixture
def times(table):
    """Times of that tree, from a first look on."""
    times = TreeTimes(str(table.root))
    assert look(times) == 0
    return times


def look(times, *roots):
    """Ticks that the tree used since the last look."""
    return round(times.look({"a": roots or (ROOT,)})["a"] / tick_s())


def test_past_of_a_tree_is_not_counted(table, times):
    """Root and stranger had 500 and 900 ticks before; 30 since are the root's."""
    table.burn(ROOT, 30)
    table.burn(15, 70)
    assert look(times) == 30
    assert look(times) == 0


def test_children_count_from_their_start(table, times):
    """A child and its child, the latter with a name that looks like the rest of the line."""
    child = table.fork(ROOT)
    grandchild = table.fork(child, name="x) R 1 1 (y")
    table.burn(child, 7)
    table.burn(grandchild, 11)
    assert look(times) == 18
    assert times.members("a") == {ROOT, child, grandchild}


def test_child_between_two_looks_counts_by_its_parent(table, times):
    """It was born and died unseen; its parent waited for it."""
    child = table.fork(ROOT)
    table.burn(child, 40)
    table.die(child)
    assert look(times) == 40


def test_child_that_is_waited_for_counts_once(table, times):
    """25 ticks were seen; it used 5 more before it died: only those are new in its parent's times."""
    child = table.fork(ROOT)
    table.burn(child, 25)
    assert look(times) == 25
    table.burn(child, 5)
    table.die(child)
    assert look(times) == 5


def test_chain_that_dies_counts_once(table, times):
    """Grandchild, then child: both end in the root's times."""
    child = table.fork(ROOT)
    grandchild = table.fork(child)
    table.burn(child, 8)
    table.burn(grandchild, 16)
    assert look(times) == 24
    table.burn(grandchild, 2)
    table.die(grandchild)
    table.burn(child, 1)
    table.die(child)
    assert look(times) == 3


def test_child_that_nobody_waits_for_takes_nothing_back(table, times):
    """Its parent gets none of its times and keeps what it uses itself."""
    child = table.fork(ROOT)
    table.burn(child, 25)
    assert look(times) == 25
    table.die(child, waited=False)
    table.burn(ROOT, 4)
    assert look(times) == 4


def test_parent_that_was_read_before_its_child_died(table, times):
    """The child is gone already, its times reach the parent only at the next look: they are not new there."""
    child = table.fork(ROOT)
    table.burn(child, 25)
    assert look(times) == 25
    table.die(child, waited=False)
    assert look(times) == 0
    table.lives[ROOT].reaped += 25 + 3
    table.write(ROOT)
    assert look(times) == 3


def test_orphan_stays_in_its_tree(table, times):
    """A worker whose parent died goes to init and is still the run's, as are its children."""
    child = table.fork(ROOT)
    worker = table.fork(child)
    assert look(times) == 0
    table.die(child)
    table.burn(worker, 9)
    late = table.fork(worker)
    table.burn(late, 4)
    assert look(times) == 13
    table.die(worker, waited=False)
    table.burn(late, 6)
    assert look(times) == 6


def test_number_that_is_used_again_is_another_process(table, times):
    """A stranger with a dead child's number, or even the root's, is none of the tree."""
    child = table.fork(ROOT)
    assert look(times) == 0
    table.die(child)
    table.add(child, parent=INIT, own=1000)
    assert look(times) == 0
    assert times.members("a") == {ROOT}
    table.die(ROOT)
    table.add(ROOT, parent=INIT, own=1000)
    table.burn(table.fork(ROOT), 50)
    assert look(times) == 0
    assert times.members("a") == set()


def test_child_with_a_strangers_number_is_found(table, times):
    """The number is free at one look; a child that gets it between two looks is found at a rescan."""
    table.die(15)
    table.add(15, parent=ROOT)
    table.burn(15, 12)
    assert sum(look(times) for _ in range(LOOKS_PER_RESCAN)) == 12


def test_root_that_joins_brings_no_past(table, times):
    """A second process of a group joins after 300 ticks of its own; its later ones count."""
    other = table.add(30, parent=SHELL, own=300)
    child = table.fork(other)
    table.burn(child, 100)
    assert look(times, ROOT, other) == 0
    table.burn(other, 2)
    table.burn(child, 3)
    assert look(times, ROOT, other) == 5


def test_root_that_is_named_no_more_takes_its_processes_along(table, times):
    """What they used until then is counted; one that the tree itself had begun stays in it."""
    other, own = table.add(30, parent=SHELL), table.fork(ROOT)
    child, grandchild = table.fork(other), table.fork(own)
    assert look(times, ROOT, other, own) == 0
    for pid in (other, child, own, grandchild):
        table.burn(pid, 5)
    assert look(times) == 20
    assert times.members("a") == {ROOT, own, grandchild}
    for pid in (other, child, own, grandchild):
        table.burn(pid, 5)
    assert look(times) == 10


def test_trees_are_apart(table, times):
    """Two trees at one look, one new; a tree that is left out is forgotten."""
    other = table.add(30, parent=SHELL)
    table.burn(ROOT, 6)
    times.look({"a": [ROOT], "b": [other]})
    table.burn(ROOT, 1)
    table.burn(other, 2)
    seen = times.look({"a": [ROOT], "b": [other]})
    assert {name: round(spent_s / tick_s()) for name, spent_s in seen.items()} == {"a": 1, "b": 2}
    assert times.look({"b": [other]}) == {"b": 0.0}
    assert times.members("a") == set()


def test_table_that_cannot_be_read_for_once_loses_nothing(table, times):
    """Without a file to spare nothing is listed; at the next look all is seen."""
    table.burn(ROOT, 6)
    hidden = table.root.rename(table.root.with_name("hidden"))
    assert look(times) == 0
    hidden.rename(table.root)
    assert look(times) == 6


def test_hidden_processes_are_no_error(tmp_path):
    """A root that cannot be seen, as with hidepid, has used nothing that is known."""
    table = ProcessTable(tmp_path / "proc")
    times = TreeTimes(str(table.root))
    assert [look(times), look(times)] == [0, 0]


@pytest.mark.parametrize("line", ["", "20", "20 (x", "20 (x) S", "20 (x) S a b", "20 (x) S" + " 1" * 12])
def test_line_that_is_cut(table, times, line):
    """A malformed line is a process that is not there."""
    table.root.joinpath(f"{ROOT}/stat").write_text(line, encoding="utf-8")
    assert look(times) == 0


def test_ancestors_up_to_the_first_process(table):
    """Parent, its parent, and 1."""
    assert ancestors(table.fork(ROOT), str(table.root)) == [ROOT, SHELL, INIT]
    assert ancestors(9999, str(table.root)) == []


def test_ancestors_in_a_circle_end(table):
    """Numbers that were used again between two reads end the list."""
    table.lives[SHELL].parent = ROOT
    table.write(SHELL)
    assert ancestors(ROOT, str(table.root)) == [SHELL]


steps = st.tuples(st.sampled_from(["fork", "burn", "die", "look"]), st.integers(0, 30), st.integers(0, 50))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(steps, max_size=40))
def test_every_tick_counts_once(tmp_path_factory, steps):
    """Whoever forks and dies: the looks add up to all ticks of the tree, as long as parents outlive and wait."""
    table = ProcessTable(tmp_path_factory.mktemp("table") / "proc")
    table.add(ROOT, parent=INIT, own=7)
    times, spent, burnt, alive = TreeTimes(str(table.root)), 0, 0, [ROOT]
    assert look(times) == 0
    for step, choice, ticks in [*steps, ("look", 0, 0)]:
        pid = alive[choice % len(alive)]
        leaf = pid != ROOT and all(life.parent != pid for life in table.lives.values())
        if step == "fork":
            alive.append(table.fork(pid))
        elif step == "burn":
            table.burn(pid, ticks)
            burnt += ticks
        elif step == "die" and leaf:
            table.die(pid)
            alive.remove(pid)
        elif step == "look":
            spent += look(times)
            assert spent == burnt


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(steps, st.booleans()), max_size=40))
def test_no_tick_counts_twice(tmp_path_factory, steps):
    """Orphans and children that nobody waits for included: never negative, never more than was used."""
    table = ProcessTable(tmp_path_factory.mktemp("table") / "proc")
    table.add(ROOT, parent=INIT, own=7)
    times, spent, burnt, alive = TreeTimes(str(table.root)), 0, 0, [ROOT]
    assert look(times) == 0
    for (step, choice, ticks), waited in steps:
        pid = alive[choice % len(alive)]
        if step == "fork":
            alive.append(table.fork(pid))
        elif step == "burn":
            table.burn(pid, ticks)
            burnt += ticks
        elif step == "die" and pid != ROOT:
            table.die(pid, waited=waited)
            alive.remove(pid)
        elif step == "look":
            seen = look(times)
            assert seen >= 0
            spent += seen
            assert spent <= burnt


BUSY = "import time\nwhile time.process_time() < {}: pass\n"


@pytest.mark.skipif(sys.platform != "linux", reason="the process table is that of Linux")
def test_real_tree():
    """A child that lives and one that was waited for, against the CPU time that they were told to use."""
    times = TreeTimes()
    parent = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {BUSY.format(0.2)!r}])\ninput()"
    with subprocess.Popen([sys.executable, "-c", parent], stdin=subprocess.PIPE) as child:
        assert times.look({"a": [child.pid]}) == {"a": 0.0}
        spent_s, limit_s = 0.0, time.monotonic() + 120.0
        least_s = 0.2 - 2 / os.sysconf("SC_CLK_TCK")  # user and system time each lose what is no whole tick
        while round(spent_s, 6) < least_s and time.monotonic() < limit_s:
            time.sleep(0.05)
            spent_s += times.look({"a": [child.pid]})["a"]
        assert least_s <= round(spent_s, 6) < 1.0
        assert ancestors(child.pid)[0] == os.getpid()
        child.communicate(b"\n")
