"""Whole-node sensors of the kernel's hardware monitoring, and the many that are not."""

import pytest

from sootprint.core.errors import MeterError
from sootprint.core.protocols import Machine
from sootprint.meters import hwmon
from sootprint.settings.wall import wall


def sensor(tree, order, name, **files):
    """A folder of class/hwmon."""
    folder = tree.sys / f"class/hwmon/hwmon{order}"
    tree.write(folder / "name", f"{name}\n")
    for file, content in files.items():
        tree.write(folder / file, f"{content}\n")
    return folder


def configured(tree, **given):
    """Machine with a table [wall.hwmon]."""
    return Machine(sysfs=str(tree.sys), environ={}, clock=tree.clock, wall=wall({"hwmon": given}))


def refusal(machine):
    """Message of the refusal."""
    with pytest.raises(MeterError) as caught:
        hwmon.discover(machine)
    return str(caught.value)


def test_acpi_power_meter_is_the_node(tree):
    """Microwatts of the average, with the accuracy that the firmware states."""
    sensor(tree, 0, "coretemp")
    folder = sensor(
        tree,
        3,
        "power_meter",
        power1_average=212_500_000,
        power1_accuracy="95.0%",
        power1_average_interval=1000,
    )
    meter = hwmon.discover(tree.machine())
    (reading,) = meter.read()
    assert (reading.meter, reading.component, reading.basis) == ("hwmon", "wall", "metered")
    assert (reading.power_w, reading.energy_j, reading.at_s) == (212.5, None, 5000.0)
    assert (reading.low_ratio, reading.high_ratio) == (0.95, 1.05)
    (folder / "power1_average").write_text("0300000000\n")
    assert meter.read()[0].power_w == 300.0


def test_chips_rails_and_batteries_are_never_taken(tree):
    """A graphics card, a processor, a rail, one supply and a battery have powers, and none is the node's."""
    parts = ("amdgpu", "i915", "xe", "fam15h_power", "ina226", "pmbus", "BAT0", "nvme")
    for order, name in enumerate(parts):
        sensor(tree, order, name, power1_average=100_000_000, power1_input=100_000_000)
    said = refusal(tree.machine())
    assert said.startswith("hwmon: no sensor here measures the whole node (drivers: BAT0, amdgpu, ")


def test_acpi_meter_of_one_device_is_not_the_node(tree):
    """The firmware lists what a meter measures: a slot is not the system."""
    folder = sensor(tree, 0, "power_meter", power1_average=40_000_000)
    (folder / "device/measures/PNP0A08:00").mkdir(parents=True)
    assert "no sensor here" in refusal(tree.machine())
    (folder / "device/measures/LNXSYSTM:00").mkdir()
    assert hwmon.discover(tree.machine()).read()[0].power_w == 40.0


def test_channel_is_chosen_by_its_label(tree):
    """POWER servers list processors beside the system; its energy counter is taken before its power."""
    sensor(
        tree,
        0,
        "ibmpowernv",
        power1_label="Processor 0",
        power1_input=190_000_000,
        power2_label="System",
        power2_input=880_000_000,
        energy1_label="System",
        energy1_input=5_000_000_000,
    )
    (reading,) = hwmon.discover(tree.machine()).read()
    assert (reading.energy_j, reading.power_w) == (5000.0, None)


def test_supply_of_a_workstation_reads_its_output(tree):
    """What the supply loses itself is in the bounds: up to a fifth more at the wall."""
    sensor(tree, 0, "corsairpsu", power1_label="power total", power1_input=240_000_000)
    (reading,) = hwmon.discover(tree.machine()).read()
    assert (reading.power_w, reading.high_ratio) == (240.0, 1.2)


def test_settings_leave_it_out_or_state_its_accuracy(tree):
    """`use = false` is a reason; `accuracy` takes the place of the firmware's."""
    sensor(tree, 0, "power_meter", power1_average=100_000_000, power1_accuracy="80.0%")
    assert refusal(configured(tree, use=False)) == (
        "hwmon: left out by the settings (use = false in [wall.hwmon])"
    )
    (reading,) = hwmon.discover(configured(tree, accuracy="2%")).read()
    assert (reading.low_ratio, reading.high_ratio) == (0.98, 1.02)


def test_meter_of_several_nodes_is_shared_by_the_stated_number(tree):
    """A quarter of a chassis of four, with the bounds of a busy node among idle ones: 4 / (1 + 3 x 0.35) = 1.95."""
    sensor(tree, 0, "power_meter", power1_average=800_000_000)
    meter = hwmon.discover(configured(tree, nodes=4, accuracy=0.0))
    (reading,) = meter.read()
    assert (reading.power_w, reading.basis) == (200.0, "modelled")
    assert reading.high_ratio == pytest.approx(4 / 2.05)
    assert reading.low_ratio == pytest.approx(1.4 / 3.35)
    assert "covers 4 nodes" in meter.facts().warnings[0]


def test_sensor_that_goes_silent_is_a_gap(tree):
    """No last value, no zero."""
    folder = sensor(tree, 0, "power_meter", power1_average=100_000_000)
    meter = hwmon.discover(tree.machine())
    (folder / "power1_average").unlink()
    with pytest.raises(MeterError, match="does not answer any more"):
        meter.read()


def test_nothing_there(tree):
    """One line."""
    assert refusal(tree.machine()) == "hwmon: this kernel shows no hardware monitoring (class/hwmon is empty)"
