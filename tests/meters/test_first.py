"""The first look of a run: raw counters that are read before any meter is loaded, and taken by the meters later."""

from __future__ import annotations

import pytest
from tests.fixtures import fake_devices
from tests.fixtures.fake_powercap import build

from sootprint.core import classes
from sootprint.meters import cpu, rapl
from sootprint.meters.first import First

CARDS = """
import json
from sootprint.core import classes
from sootprint.core.protocols import Machine
from sootprint.meters import nvml
from sootprint.meters.first import First
clock = iter((7.0, 7.5, 9.0)).__next__
first = First("/none", "/none", clock)
first.load({})
first.look_at_cards()
meter = nvml.discover(classes.replace(Machine(environ={"CUDA_VISIBLE_DEVICES": "1"}), first=first.since(7.2)))
first.close()
told = [(one.component, one.at_s, one.energy_j) for one in meter.first()]
print(json.dumps([sorted(first.seen), told, [one.energy_j for one in meter.read()]]))
"""


def seen_by(tree):
    """The machine with what a first look sees now."""
    first = First(str(tree.sys), str(tree.proc), tree.clock.monotonic_s)
    first.look()
    return classes.replace(tree.machine(), first=first.since(tree.clock.monotonic_s()))


def test_processors_count_from_the_first_look(tree):
    """40 W from 10 s on; the meter is found at 13 s, and its first reading is that of the look at 10 s."""
    fake = build(tree.sys / "class/powercap", "--start-uj", "0")
    fake.update(10.0)
    machine = seen_by(tree)
    at_s = tree.clock.monotonic_s()
    tree.clock.advance(3.0)
    fake.update(13.0)
    meter = rapl.discover(machine)
    first, now = meter.first(), meter.read()
    assert [(one.component, one.at_s, one.energy_j) for one in first] == [
        ("cpu:0", at_s, 400.0),
        ("dram:0", at_s, 100.0),
    ]
    assert [one.energy_j for one in now] == [520.0, 130.0]
    assert [one._replace(at_s=0.0, energy_j=0.0) for one in first] == [
        one._replace(at_s=0.0, energy_j=0.0) for one in now
    ]


@pytest.mark.parametrize("content", ["", "abc", "-5", "9" * 25, str(300_000_000_000)])
def test_a_number_that_is_none_is_no_first_reading(tree, content):
    """Damaged, or beyond the counter's range: the meter begins with a look of its own."""
    fake = build(tree.sys / "class/powercap")
    for path in (tree.sys / "class/powercap").glob("*/energy_uj"):
        path.write_text(content, encoding="ascii")
    machine = seen_by(tree)
    fake.update(10.0)
    assert rapl.discover(machine).first() == []


def test_what_was_seen_before_the_run_is_left_out(tree):
    """A rank that takes over long after its start does not begin at that."""
    build(tree.sys / "class/powercap").update(1.0)
    first = First(str(tree.sys), str(tree.proc), tree.clock.monotonic_s)
    first.look()
    assert first.seen
    assert first.since(tree.clock.monotonic_s() + 1.0) == {}


def test_processor_times_stand_in_where_there_are_no_counters(server):
    """Half busy between the first look and the meter's own: that time is charged, at that use."""
    machine = seen_by(server)
    server.clock.advance(4.0)
    server.stat(300, 0, 100, 1000, 0, 0, 0, 0, 0, 0)
    meter = cpu.discover(machine)
    (first,), (now,) = meter.first(), meter.read()
    assert (now.at_s - first.at_s, first.energy_j, now.utilisation) == (4.0, 0.0, 0.5)
    assert now.energy_j == pytest.approx(4.0 * cpu.power_w(meter.model().power_w, 0.5))


def test_cards_are_read_by_the_driver_before_the_meter_is_found(nvml_folder):
    """Of two cards the visible one; one that was read before the run began is left out."""
    told = {"LD_LIBRARY_PATH": str(nvml_folder), "FAKE_NVML_COUNT": "2", "FAKE_NVML_AT": "12.5"}
    names, first, now = fake_devices.python(CARDS, **told)
    assert names == ["nvml:0", "nvml:1"]
    assert first == [["accelerator:1", 7.5, pytest.approx(now[0], rel=1e-9)]]


def test_the_other_ranks_of_a_node_leave_the_driver_alone(nvml_folder):
    """One process of eight reads; the others need no driver."""
    code = CARDS.replace("first.load({})", "first.load({'LOCAL_RANK': '3'})")
    names, first, _ = fake_devices.python(
        code, LD_LIBRARY_PATH=str(nvml_folder), FAKE_NVML_COUNT="2", FAKE_NVML_AT="1"
    )
    assert (names, first) == ([], [])
