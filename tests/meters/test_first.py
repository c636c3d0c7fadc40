"""The first look of a run: raw counters that are read before any meter is loaded, and taken by the meters later."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from tests.fixtures import fake_devices
from tests.fixtures.fake_powercap import build

from sootprint.core import classes
from sootprint.core.protocols import Machine
from sootprint.meters import cpu, rapl
from sootprint.meters.first import First, counter

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


def test_no_machine_makes_a_start_slow(tree):
    """Of a hundred counters 64 are read, and the processors' times only where there is none."""
    root = tree.sys / "class/powercap"
    build(root)
    (tree.proc / "stat").write_text("cpu 1 2 3 4 5 6 7 8 9 10\n", encoding="ascii")
    for number in range(100):
        (root / f"intel-rapl-mmio:{number}").mkdir(parents=True)
        (root / f"intel-rapl-mmio:{number}/energy_uj").write_text("1", encoding="ascii")
    first = First(str(tree.sys), str(tree.proc), tree.clock.monotonic_s)
    first.look()
    assert len(first.seen) <= 64
    assert all(name.endswith("/energy_uj") for name in first.seen)


def test_number_of_too_many_digits_is_none():
    """A counter of 64 bits has 20 at most."""
    assert counter({"a": (1.0, b"9" * 20)}, "a") == (1.0, 10**20 - 1)
    assert counter({"a": (1.0, b"9" * 21)}, "a") is None


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


def test_card_whose_power_is_read_takes_no_counter_as_its_first_reading():
    """A driver may tell energies of a card that the meter does not trust."""
    from sootprint.meters.nvml_meter import Card, NvmlMeter

    machine = Machine(first={"nvml:0": (1.0, b"5000")})
    library = SimpleNamespace(function=lambda name: None)
    trusted = Card(0, None, lambda: 5.0, counts=True, ratios=(0.9, 1.2), max_power_w=400.0)
    (reading,) = NvmlMeter(library, [trusted], machine, ()).first()
    assert (reading.energy_j, reading.power_w, reading.low_ratio, reading.high_ratio) == (5.0, None, 0.9, 1.2)
    assert NvmlMeter(library, [trusted._replace(counts=False)], machine, ()).first() == []


def test_cards_are_read_by_the_driver_before_the_meter_is_found(nvml_folder):
    """Of two cards the visible one; one that was read before the run began is left out."""
    told = {"LD_LIBRARY_PATH": str(nvml_folder), "FAKE_NVML_COUNT": "2", "FAKE_NVML_AT": "12.5"}
    names, first, now = fake_devices.python(CARDS, **told)
    assert names == ["nvml:0", "nvml:1"]
    assert first == [["accelerator:1", 7.5, pytest.approx(now[0], rel=1e-9)]]


@pytest.mark.parametrize("told", ["{'LOCAL_RANK': '3'}", "{}, driver=False"])
def test_who_need_not_read_the_cards_leaves_the_driver_alone(told, nvml_folder):
    """One process of eight reads, and a node service for all."""
    code = CARDS.replace("first.load({})", f"first.load({told})")
    names, first, _ = fake_devices.python(
        code, LD_LIBRARY_PATH=str(nvml_folder), FAKE_NVML_COUNT="2", FAKE_NVML_AT="1"
    )
    assert (names, first) == ([], [])
