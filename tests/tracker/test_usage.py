"""Use of a machine by its runs: trees, containers and accelerators together."""

from __future__ import annotations

import pytest

from sootprint.core.errors import MeterError
from sootprint.core.protocols import ProcessUse
from sootprint.tracker.attribution import Use
from sootprint.tracker.cgroups import container_of
from sootprint.tracker.usage import Tracked, Usage
from tests.fixtures.process_table import INIT, ProcessTable

GPU = "accelerator:0"
FIRST, SECOND, STRANGER = 100, 200, 300  # a tick of their times is 10 ms
JOB = "/system.slice/slurmstepd.scope/job_{}"


class Node:
    """A machine with two runs and a stranger, its control groups and its card."""

    def __init__(self, root):
        self.table = ProcessTable(root / "proc")
        self.groups = root / "sys/fs/cgroup"
        self.sysfs = str(root / "sys")
        for pid in (FIRST, SECOND, STRANGER):
            self.table.add(pid, parent=INIT)
        self.stat(0)
        self.on_card: list[ProcessUse] = []
        self.usage = Usage(
            str(self.table.root), self.sysfs, accelerators=[lambda: {GPU: self.on_card}, self.broken]
        )

    def broken(self):
        """A meter that fails."""
        raise MeterError("amdsmi: no GPU answers any more")

    def stat(self, busy):
        """Write the machine's busy ticks: half user, half system, with waiting and stolen time beside them."""
        self.table.root.joinpath("stat").write_text(
            f"cpu  {busy // 2} 0 {busy - busy // 2} 9999 77 0 0 555 3 0\ncpu0 1 2 3 4\n", encoding="utf-8"
        )

    def place(self, pid, group, usage_us=0):
        """Put a process into a control group of version 2 that has used some time."""
        self.table.root.joinpath(f"{pid}/cgroup").write_text(f"0::{group}/step_0/user\n", encoding="utf-8")
        folder = self.groups / group.strip("/")
        folder.mkdir(parents=True, exist_ok=True)
        folder.joinpath("cpu.stat").write_text(f"usage_usec {usage_us}\n", encoding="utf-8")

    def container(self, pid):
        """Container of a process."""
        return container_of(pid, str(self.table.root), self.sysfs)

    def cpu_s(self, *runs):
        """CPU time of each run since the last look [s]."""
        uses, _ = self.usage.look(runs)
        return {one: pytest.approx(use.cpu_s) for one, use in uses.items()}


@pytest.fixture
def node(tmp_path):
    """Such a machine."""
    return Node(tmp_path)


def test_first_look_finds_no_use(node):
    """What was used before a run was tracked is not its own."""
    node.table.burn(FIRST, 500)
    assert node.cpu_s(Tracked("a", [FIRST])) == {"a": 0.0}


def test_trees_and_the_whole_machine(node):
    """1 s and 2 s of two runs in 4 busy seconds; a third run starts and has used nothing."""
    runs = [Tracked("a", [FIRST]), Tracked("b", [SECOND])]
    node.usage.look(runs)
    node.table.burn(FIRST, 100)
    node.table.burn(node.table.fork(SECOND), 200)
    node.table.burn(STRANGER, 100)
    node.stat(400)
    uses, whole = node.usage.look([*runs, Tracked("c", [STRANGER])])
    assert uses == {"a": Use(pytest.approx(1.0)), "b": Use(pytest.approx(2.0)), "c": Use(0.0)}
    assert whole == Use(pytest.approx(4.0))


def test_kernel_without_processor_times(node):
    """All use that is known is that of the runs; a part is inside its parent."""
    node.table.root.joinpath("stat").unlink()
    runs = [Tracked("a", [FIRST]), Tracked("b", [SECOND]), Tracked("a1", [FIRST], parent="a")]
    node.usage.look(runs)
    node.table.burn(FIRST, 100)
    node.table.burn(SECOND, 50)
    assert node.usage.look(runs)[1].cpu_s == pytest.approx(1.5)


def test_part_that_was_started_elsewhere_is_in_its_parent(node):
    """A part whose process does not descend from the run that it names."""
    runs = [Tracked("a", [FIRST]), Tracked("a1", [SECOND], parent="a")]
    node.usage.look(runs)
    node.table.burn(FIRST, 100)
    node.table.burn(SECOND, 50)
    assert node.cpu_s(*runs) == {"a": 1.5, "a1": 0.5}


def test_run_alone_in_a_job_is_charged_the_job(node):
    """Its processes used 1 s; the job with its helpers 2.5 s; the run without a job goes by its tree."""
    node.place(FIRST, JOB.format(1), usage_us=10_000_000)
    runs = [Tracked("a", [FIRST], node.container(FIRST)), Tracked("b", [SECOND])]
    node.usage.look(runs)
    node.place(FIRST, JOB.format(1), usage_us=12_500_000)
    node.table.burn(FIRST, 100)
    node.table.burn(SECOND, 300)
    assert node.cpu_s(*runs) == {"a": 2.5, "b": 3.0}


def test_runs_of_one_job_go_by_their_trees(node):
    """A job that two runs share belongs to neither; when one leaves, the other starts from where it is."""
    for pid in (FIRST, SECOND):
        node.place(pid, JOB.format(1), usage_us=10_000_000)
    first, second = (Tracked(str(pid), [pid], node.container(pid)) for pid in (FIRST, SECOND))
    node.usage.look([first, second])
    node.place(FIRST, JOB.format(1), usage_us=20_000_000)
    node.table.burn(FIRST, 100)
    assert node.cpu_s(first, second) == {first.id: 1.0, second.id: 0.0}
    node.table.burn(FIRST, 50)
    assert node.cpu_s(first) == {first.id: 0.5}
    node.place(FIRST, JOB.format(1), usage_us=20_750_000)
    assert node.cpu_s(first) == {first.id: 0.75}


def test_parts_of_a_run_share_its_job(node):
    """The run goes by its job, its part by its tree; a part in another job takes its parent to the trees."""
    node.place(FIRST, JOB.format(1), usage_us=1_000_000)
    run = Tracked("a", [FIRST], node.container(FIRST))
    part = Tracked("a1", [node.table.fork(FIRST)], node.container(FIRST), parent="a")
    node.usage.look([run, part])
    node.place(FIRST, JOB.format(1), usage_us=3_000_000)
    node.table.burn(part.pids[0], 100)
    assert node.cpu_s(run, part) == {"a": 2.0, "a1": 1.0}
    node.place(SECOND, JOB.format(2))
    elsewhere = Tracked("a2", [SECOND], node.container(SECOND), parent="a")
    node.place(FIRST, JOB.format(1), usage_us=9_000_000)
    node.table.burn(FIRST, 25)
    assert node.cpu_s(run, part, elsewhere) == {"a": 0.25, "a1": 0.0, "a2": 0.0}


def test_job_whose_count_falls_goes_by_its_tree(node):
    """A group that was made anew counts from 0."""
    node.place(FIRST, JOB.format(1), usage_us=9_000_000)
    run = Tracked("a", [FIRST], node.container(FIRST))
    node.usage.look([run])
    node.place(FIRST, JOB.format(1), usage_us=10)
    node.table.burn(FIRST, 30)
    assert node.cpu_s(run) == {"a": 0.3}


def test_unit_of_systemd_is_no_container_of_its_own(node):
    """A service may hold a whole desktop: the tree counts."""
    node.table.root.joinpath(f"{FIRST}/cgroup").write_text("0::/system.slice/ssh.service\n", encoding="utf-8")
    run = Tracked("a", [FIRST], node.container(FIRST))
    node.usage.look([run])
    node.table.burn(FIRST, 30)
    assert node.cpu_s(run) == {"a": 0.3}


def test_processes_on_a_card(node):
    """The run's are its child's and its own; the stranger's count in the whole alone; unknown sizes are 0."""
    child = node.table.fork(FIRST)
    node.on_card = [
        ProcessUse(FIRST, 10, 0.25),
        ProcessUse(child, 20, 0.5),
        ProcessUse(SECOND, None, None),
        ProcessUse(STRANGER, 40, 0.125),
    ]
    uses, whole = node.usage.look([Tracked("a", [FIRST]), Tracked("b", [SECOND])])
    assert uses == {"a": Use(0.0, {GPU: 0.75}, {GPU: 30}), "b": Use(0.0, {}, {GPU: 0})}
    assert whole == Use(0.0, {GPU: 0.875}, {GPU: 70})


def test_process_on_a_card_of_a_job(node):
    """A process that left the run's tree and is still in its job is the run's."""
    for pid in (FIRST, STRANGER):
        node.place(pid, JOB.format(1))
    node.place(SECOND, JOB.format(2))
    node.on_card = [ProcessUse(STRANGER, 40, 0.5), ProcessUse(SECOND, 1, 0.25), ProcessUse(9999, 1, 0.125)]
    uses, _ = node.usage.look([Tracked("a", [FIRST], node.container(FIRST))])
    assert uses == {"a": Use(0.0, {GPU: 0.5}, {GPU: 40})}


def test_two_runs_of_one_process(node):
    """Nested trackers in one process: the part uses what its parent does."""
    runs = [Tracked("a", [FIRST]), Tracked("a1", [FIRST], parent="a")]
    node.on_card = [ProcessUse(FIRST, 10, 0.25)]
    node.usage.look(runs)
    node.table.burn(FIRST, 100)
    uses, _ = node.usage.look(runs)
    assert uses["a"] == uses["a1"] == Use(pytest.approx(1.0), {GPU: 0.25}, {GPU: 10})


def test_parents_in_a_circle_are_no_trap(node):
    """Nonsense that a registration may hold ends."""
    runs = [Tracked("a", [FIRST], parent="b"), Tracked("b", [SECOND], parent="a")]
    node.usage.look(runs)
    node.table.burn(FIRST, 100)
    assert node.cpu_s(*runs) == {"a": 1.0, "b": 1.0}
