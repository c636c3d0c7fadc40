"""Modelled disks."""

import pytest

from sootprint.meters import storage


def test_each_disk_of_a_machine(server):
    """Two SSDs of 6 W and a HDD of 6.5 W; loop devices are no disks."""
    meter = storage.discover(server.machine())
    server.clock.advance(10.0)
    (reading,) = meter.read()
    assert reading.energy_j == pytest.approx(185.0)
    facts = meter.facts()
    assert [(device.name, device.count) for device in facts.hardware] == [("HDD", 1), ("SSD", 2)]
    assert all(factor.source and factor.value for factor in facts.factors)


def test_share_of_a_host_by_capacity(server):
    """A guest: 1.024 + 1.024 + 4.096 TB at 1.2 W/TB, whatever kind the virtual disks say they are."""
    server.cpuinfo("any", flags="hypervisor")
    meter = storage.discover(server.machine())
    server.clock.advance(1.0)
    assert meter.read()[0].energy_j == pytest.approx(6.144 * 1.2)


def test_several_paths_to_a_disk_are_one(server):
    """The kernel's inner paths to an NVMe disk, arrays and mappings made of disks add nothing."""
    before = storage.discover(server.machine()).model().power_w
    for name in ("nvme0c0n1", "md0", "dm-0", "zram0", "sr0", "nbd0"):
        server.disk(name, sectors=2_000_000_000)
    assert storage.discover(server.machine()).model().power_w == before


def test_no_disk_seen_is_a_prior(tree):
    """One SSD, with wide bounds and a warning."""
    meter = storage.discover(tree.machine())
    tree.clock.advance(1.0)
    (reading,) = meter.read()
    assert (reading.energy_j, reading.low_ratio, reading.high_ratio) == (6.0, *storage.BLIND_RATIOS)
    assert "one SSD assumed" in meter.facts().warnings[0]


@pytest.mark.parametrize("size", ["", "0", "-5", "many", "9" * 30, "18446744073709551615"])
def test_absurd_size_is_no_disk(tree, size):
    """A size that no disk has is left out."""
    tree.write(tree.sys / "block/sda/size", size)
    assert storage.discover(tree.machine()).facts().warnings
