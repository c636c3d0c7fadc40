"""RAPL against a fake powercap tree with known energy."""

from __future__ import annotations

import itertools
import os
import subprocess
import tempfile
from pathlib import Path

import pytest
from tests.fixtures import fake_devices
from tests.fixtures.counters import counter_spend
from tests.fixtures.fake_powercap import build

from sootprint.core.errors import MeterError
from sootprint.meters import rapl

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def powercap(tree):
    """Function that builds a fake tree at the machine's place: `powercap("--psys")`."""
    return lambda *options: build(tree.sys / "class/powercap", *options)


def energies(meter):
    """Counter of each component [J]."""
    return {reading.component: reading.energy_j for reading in meter.read()}


def spent(tree, powercap, times_s, *options):
    """Energy of each component between the first and the last of the times [J], None where it is not known."""
    fake = powercap(*options)
    fake.update(times_s[0])
    meter = rapl.discover(tree.machine())
    looks = []
    for before_s, at_s in itertools.pairwise((times_s[0], *times_s)):
        tree.clock.advance(at_s - before_s)
        fake.update(at_s)
        looks.append({reading.component: reading for reading in meter.read()})
    sums: dict[str, float | None] = {}
    for component in looks[0]:
        steps = [
            counter_spend(one[component], two[component]).energy_j for one, two in itertools.pairwise(looks)
        ]
        sums[component] = None if None in steps else round(sum(steps), 6)
    return sums


def test_package_and_dram_are_counted_core_is_not(tree, powercap):
    """10 s at 40 W: 400 J of the package and 100 J of its dram; the core's 240 J are inside the package."""
    powercap("--start-uj", "0").update(10.0)
    assert energies(rapl.discover(tree.machine())) == {"cpu:0": 400.0, "dram:0": 100.0}


def test_counters_are_open_to_those_whom_mode_and_owner_let_in(tree, powercap):
    """Root reads all; another user what is open to all; nobody reads what is gone."""
    powercap().update(1.0)
    meter = rapl.discover(tree.machine())
    assert [meter.readable_by(uid) for uid in (0, 54_321)] == [True, True]
    for path in (tree.sys / "class/powercap").glob("*/energy_uj"):
        path.chmod(0o400)
    assert [meter.readable_by(uid) for uid in (0, os.getuid(), 54_321)] == [True, True, False]
    for path in (tree.sys / "class/powercap").glob("*/energy_uj"):
        path.unlink()
    assert not meter.readable_by(0)


def test_psys_is_not_added_to_packages(tree, powercap):
    """The platform's counter holds both packages already."""
    powercap("--start-uj", "0", "--packages", "2", "--psys").update(10.0)
    found = energies(rapl.discover(tree.machine()))
    assert found == {"cpu:0": 400.0, "dram:0": 100.0, "cpu:1": 400.0, "dram:1": 100.0}


def test_psys_stands_in_where_there_is_no_package(tree, powercap):
    """Platform: 10 s of 0 packages and 15 W; the low bound halves, as other parts are in it."""
    powercap("--start-uj", "0", "--packages", "0", "--psys").update(10.0)
    meter = rapl.discover(tree.machine())
    (reading,) = meter.read()
    assert (reading.component, reading.energy_j, reading.low_ratio) == ("cpu:0", 150.0, 0.5)
    assert "psys" in meter.facts().warnings[0]


@pytest.mark.parametrize("mirror", ["dies", "name"])
def test_mirrored_package_is_counted_once(tree, powercap, mirror):
    """Two dies that show one counter, or two zones of one name, are one package."""
    powercap("--start-uj", "0", "--vendor", "amd", "--mirror", mirror).update(10.0)
    assert energies(rapl.discover(tree.machine())) == {"cpu:0": 400.0}


def test_mirrored_die_is_named_in_a_warning(tree, powercap):
    """Whoever knows of two dies reads why there is one figure."""
    powercap("--mirror", "dies").update(1.0)
    assert rapl.discover(tree.machine()).facts().warnings == (
        "rapl: die 1 of package 0 mirrors another die and is counted once",
    )


def test_separate_dies_are_both_counted(tree, powercap):
    """Dies of one package with counters of their own add up."""
    powercap("--mirror", "dies", "--start-uj", "0", "--no-dram").update(10.0)
    for near in (123.456789, 9123.456789):
        tree.write(tree.sys / "class/powercap/intel-rapl:1/energy_uj", f"{near * 1e6:.0f}\n")
        assert energies(rapl.discover(tree.machine())) == {"cpu:0": 400.0, "cpu:1": near}


def test_mirrors_are_found_between_two_updates(tree, powercap, monkeypatch):
    """A look that sees one die updated and the other not yet is repeated until both are."""
    fake = powercap("--mirror", "dies", "--no-dram", "--start-uj", "0")
    fake.update(10.0)
    late = tree.sys / "class/powercap/intel-rapl:1/energy_uj"
    late.write_text("350000000\n")
    monkeypatch.setattr(rapl.time, "sleep", lambda _: fake.update(10.0))
    assert energies(rapl.discover(tree.machine())) == {"cpu:0": 400.0}


def test_mirrors_are_looked_at_as_often_where_the_machine_stands_still(tree, powercap, monkeypatch):
    """An hour passes with each wait, and the tenth brings the update: neither die is counted beside the other."""
    fake, gone_s, waits = (
        powercap("--mirror", "dies", "--no-dram", "--start-uj", "0"),
        [0.0],
        itertools.count(1),
    )
    fake.update(10.0)
    (tree.sys / "class/powercap/intel-rapl:1/energy_uj").write_text("350000000\n")

    def wait(_: float) -> None:
        gone_s[0] += 3600.0
        if next(waits) == 10:
            fake.update(10.0)

    monkeypatch.setattr(rapl.time, "sleep", wait)
    monkeypatch.setattr(rapl.time, "monotonic", lambda: gone_s[0])
    assert energies(rapl.discover(tree.machine())) == {"cpu:0": 400.0}


def test_sockets_with_equal_counters_are_both_counted(tree, powercap):
    """Equal counters of two packages are chance: only zones of one package can mirror each other."""
    powercap("--packages", "2", "--no-dram", "--start-uj", "5").update(0.0)
    assert energies(rapl.discover(tree.machine())) == {"cpu:0": 5e-6, "cpu:1": 5e-6}


def test_second_interface_to_a_package_is_not_added(tree, powercap):
    """intel-rapl-mmio:0 is package-0 once more."""
    powercap("--mmio", "--no-dram", "--start-uj", "0").update(10.0)
    assert energies(rapl.discover(tree.machine())) == {"cpu:0": 400.0}


def test_first_interface_is_preferred(tree, powercap):
    """Where both can be read, the counter by machine registers counts."""
    powercap("--mmio", "--no-dram", "--start-uj", "0").update(10.0)
    tree.write(tree.sys / "class/powercap/intel-rapl-mmio:0/energy_uj", "77\n")
    assert energies(rapl.discover(tree.machine())) == {"cpu:0": 400.0}


def test_counter_above_its_range_is_no_reading(tree, powercap):
    """A number that the counter cannot hold is left out."""
    powercap("--packages", "2", "--no-dram", "--max-uj", "999999999", "--start-uj", "0").update(10.0)
    meter = rapl.discover(tree.machine())
    tree.write(tree.sys / "class/powercap/intel-rapl:0/energy_uj", "1000000000\n")
    assert energies(meter) == {"cpu:1": 400.0}


def test_second_interface_is_used_where_the_first_fails(tree, powercap):
    """A package whose first counter cannot be read is read by the other interface."""
    powercap("--mmio", "--no-dram", "--start-uj", "0").update(10.0)
    (tree.sys / "class/powercap/intel-rapl:0/energy_uj").unlink()
    assert energies(rapl.discover(tree.machine())) == {"cpu:0": 400.0}


def test_wrap_counts_once(tree, powercap):
    """100 J before its end the counter starts again: 30 s at 40 W are 1200 J all the same."""
    times_s = [0.0, 1.0, 2.0, 3.0, 10.0, 30.0]
    assert spent(tree, powercap, times_s, "--no-dram") == {"cpu:0": 1200.0}


def test_reset_adds_no_energy(tree, powercap):
    """A counter that restarts 5000 J before its end is not a wrap: 255 kJ in a second is no power."""
    options = ("--no-dram", "--start-uj", str(262_143_328_850 - 5_000_000_000), "--reset-at", "1.5")
    assert spent(tree, powercap, [0.0, 1.0, 2.0], *options) == {"cpu:0": None}
    assert spent(tree, powercap, [2.0, 3.0, 4.0], *options) == {"cpu:0": 80.0}


def test_zone_that_vanishes_returns_by_itself(tree, powercap):
    """For 10 s there is nothing to read, which is an error and no zero; then the counter is read again."""
    fake = powercap("--start-uj", "0", "--fail-from", "5", "--fail-for", "10")
    meter = rapl.discover(tree.machine())
    fake.update(6.0)
    with pytest.raises(MeterError, match="none of its counters"):
        meter.read()
    fake.update(16.0)
    assert energies(meter) == {"cpu:0": 640.0, "dram:0": 160.0}


def test_counter_that_freezes_is_left_out_until_it_moves(tree, powercap):
    """A counter at 40 W that stops at 200 J: seen once it is a reading, seen again later no 0 W but an error."""
    fake = powercap("--start-uj", "0", "--no-dram")
    meter = rapl.discover(tree.machine())
    for at_s in (4.0, 5.0):
        tree.clock.advance(1.0)
        fake.update(at_s)
        assert energies(meter) == {"cpu:0": 40.0 * at_s}
    tree.clock.advance(1.0)
    with pytest.raises(MeterError, match="stand still"):
        meter.read()
    fake.update(9.0)
    assert energies(meter) == {"cpu:0": 360.0}


def test_counter_that_never_moved_is_read_on(tree, powercap):
    """Whether a counter that stands still from the start is used is for the sampler to say."""
    powercap("--start-uj", "0", "--no-dram").update(1.0)
    meter = rapl.discover(tree.machine())
    for _ in range(3):
        tree.clock.advance(1.0)
        assert energies(meter) == {"cpu:0": 40.0}


def test_counter_read_twice_at_once_is_not_frozen(tree, powercap):
    """Two looks 0.4 s apart may see the same value of a slow counter."""
    fake = powercap("--start-uj", "0", "--no-dram")
    meter = rapl.discover(tree.machine())
    for at_s in (1.0, 2.0, 2.0):
        tree.clock.advance(0.4)
        fake.update(at_s)
        assert energies(meter) == {"cpu:0": 40.0 * at_s}


def test_one_zone_that_fails_leaves_the_others(tree, powercap):
    """The lost zone is left out of the readings."""
    powercap("--packages", "2", "--no-dram", "--start-uj", "0").update(10.0)
    meter = rapl.discover(tree.machine())
    (tree.sys / "class/powercap/intel-rapl:0/energy_uj").unlink()
    assert energies(meter) == {"cpu:1": 400.0}


@pytest.mark.parametrize(
    ("limits_uw", "max_power_w"),
    [
        ({"constraint_0_power_limit_uw": "150000000"}, 300.0),
        # a laptop's short-term limit is several times its long-term one
        ({"constraint_0_power_limit_uw": "15000000", "constraint_1_power_limit_uw": "64000000"}, 250.0),
        ({"constraint_0_power_limit_uw": "225000000", "constraint_1_power_limit_uw": "270000000"}, 540.0),
        ({"constraint_0_max_power_uw": "205000000", "constraint_0_power_limit_uw": "0"}, 410.0),
        ({"constraint_0_power_limit_uw": "4095875000"}, 1000.0),  # "unlimited" by the firmware
        ({}, 1000.0),
    ],
)
def test_highest_power_is_twice_the_highest_limit(tree, powercap, limits_uw, max_power_w):
    """Between 250 W, as bursts exceed small limits, and 1000 W."""
    powercap("--no-dram")
    zone = tree.sys / "class/powercap/intel-rapl:0"
    (zone / "constraint_0_power_limit_uw").unlink()
    for name, limit in limits_uw.items():
        (zone / name).write_text(limit)
    (reading,) = rapl.discover(tree.machine()).read()
    assert reading.max_power_w == max_power_w
    assert reading.wraps_at_j == 262_143.328851


def test_amd_counters_have_wider_bounds(server, powercap):
    """AMD's counters are modelled from events, so their bounds are wider than Intel's."""
    build(server.sys / "class/powercap", "--vendor", "amd")
    (reading,) = rapl.discover(server.machine()).read()
    assert (reading.low_ratio, reading.high_ratio) == (0.90, 1.15)


DENIED = """
import json, os
from sootprint.core.errors import MeterError
from sootprint.core.protocols import Machine
from sootprint.meters import rapl
if os.geteuid() == 0:
    os.seteuid({nobody})
try:
    rapl.discover(Machine(sysfs={sysfs!r}))
except MeterError as err:
    print(json.dumps([str(err), err.fix]))
"""


def test_counters_of_root_name_the_command_that_unlocks_them():
    """An unprivileged reader gets the zone, the reason and the exact command."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        build(f"{folder}/class/powercap", "--deny")
        for path in Path(folder).rglob("energy_uj"):
            path.chmod(0o000 if os.geteuid() else 0o400)
        reason, fix = fake_devices.python(DENIED.format(nobody=fake_devices.NOBODY, sysfs=folder))
    assert reason == "rapl: class/powercap/intel-rapl:0/energy_uj may be read only by root"
    assert "sootprint doctor --print-udev-rule | sudo tee /etc/udev/rules.d/99-sootprint-rapl.rules" in fix
    assert "udevadm trigger" in fix


def test_machine_without_counters_says_so(tree):
    """No powercap tree: on a physical machine the module that may be missing, in a guest that nothing helps."""
    with pytest.raises(MeterError, match="no RAPL counters") as caught:
        rapl.discover(tree.machine())
    assert "modprobe intel_rapl_msr" in caught.value.fix
    tree.cpuinfo("any", flags="hypervisor")
    with pytest.raises(MeterError, match="virtual machine") as caught:
        rapl.discover(tree.machine())
    assert caught.value.fix is None


def test_shipped_rule_is_the_packaged_one():
    """packaging/udev holds the rule that `doctor` prints."""
    assert (ROOT / "packaging/udev/99-sootprint-rapl.rules").read_text(encoding="utf-8") == rapl.udev_rule()


@pytest.mark.skipif(not hasattr(os, "chown"), reason="the rule is for Linux")
def test_rule_makes_counters_readable_for_the_group(tree, powercap):
    """The commands of the rule, run as udev runs them, give exactly the group the right to read."""
    powercap("--deny")
    zone = tree.sys / "class/powercap/intel-rapl:0"
    (rule,) = [line for line in rapl.udev_rule().splitlines() if line and not line.startswith("#")]
    assert 'SUBSYSTEM=="powercap"' in rule
    commands = [part.split('"')[1] for part in rule.split("RUN+=")[1:]]
    for command in commands:
        own = command.replace("/sys%p", str(zone)).replace("sootprint ", f"{os.getegid()} ")
        subprocess.run(own.split(), check=True)
    assert (zone / "energy_uj").stat().st_mode & 0o777 == 0o440


def test_a_glance_tells_what_a_look_tells_until_a_counter_fails(tree, powercap):
    """The same counters at a part of the cost; None once one stands still or is gone, and `read` says which."""
    fake = powercap("--start-uj", "0", "--in-place")
    meter = rapl.discover(tree.machine())
    for second in (1.0, 2.0):
        fake.update(second)
        read = [(one.component, one.at_s, one.energy_j, None) for one in meter.read()]
        assert meter.glance() == read
        tree.clock.advance(1.0)
    assert meter.glance() is None
    with pytest.raises(MeterError, match="stand still"):
        meter.read()
    fake.update(3.0)
    assert meter.glance() == [
        ("cpu:0", tree.clock.monotonic_s(), 120.0, None),
        ("dram:0", tree.clock.monotonic_s(), 30.0, None),
    ]
    (tree.sys / "class/powercap/intel-rapl:0:1/energy_uj").write_text("999999999999", encoding="ascii")
    assert meter.glance() is None  # beyond the range that the counter has
    (tree.sys / "class/powercap/intel-rapl:0/energy_uj").unlink()
    fake.update(4.0)
    tree.clock.advance(1.0)
    os.truncate(tree.sys / "class/powercap/intel-rapl:0:1/energy_uj", 0)
    assert meter.glance() is None
