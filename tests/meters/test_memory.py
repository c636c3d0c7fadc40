"""Modelled memory: by module or by size, whichever is less."""

import pytest

from sootprint.meters import memory


@pytest.mark.parametrize(
    ("size_gb", "power_w"),
    [
        (8.0, 2.98),  # 0.3725 W/GB: modules of 5 W would be more
        (16.9, 6.29525),
        (64.0, 20.0),  # four modules: 23.8 W by size
        (256.0, 40.0),
        (1024.0, 80.0),  # not the 381 W that the figure per GB would give
        (2048.0, 160.0),
    ],
)
def test_power_of_a_machine_by_size(size_gb, power_w):
    """The lower of 0.3725 W/GB and 5 W for each of the usual number of modules."""
    assert memory.model_of(size_gb, modules=None, virtual=False).power_w == pytest.approx(power_w)


def test_power_by_counted_modules(tree):
    """Six filled slots of eight that the error-correction driver shows: 30 W."""
    tree.meminfo(400_000_000)
    for slot in range(8):
        path = tree.sys / f"devices/system/edac/mc/mc{slot // 4}/dimm{slot}/size"
        tree.write(path, "0\n" if slot in (3, 7) else "65536\n")
    meter = memory.discover(tree.machine())
    tree.clock.advance(10.0)
    (reading,) = meter.read()
    assert reading.energy_j == pytest.approx(300.0)
    assert (reading.component, reading.basis) == ("dram", "modelled")
    assert (reading.low_ratio, reading.high_ratio) == memory.COUNTED_RATIOS
    assert [factor.key for factor in meter.facts().factors] == ["module"]


def test_guest_by_size(tree):
    """A guest's 25,000,000 KiB = 25.6 GB at 0.17 W/GB, as the host's modules are not seen."""
    tree.cpuinfo("any", flags="hypervisor")
    tree.meminfo(25_000_000)
    meter = memory.discover(tree.machine())
    tree.clock.advance(100.0)
    assert meter.read()[0].energy_j == pytest.approx(25.6 * 0.17 * 100)
    (hardware,) = meter.facts().hardware
    assert (hardware.kind, hardware.memory_gb) == ("dram", 25.6)


@pytest.mark.parametrize(
    "content", [None, "", "MemTotal: lots kB\n", "MemTotal: 0 kB\n", "MemTotal: 99999999999999 kB\n"]
)
def test_unreadable_size_is_a_prior_with_wide_bounds(tree, content):
    """4 GB for each of 8 threads at 0.17 W/GB; the record has no size, and a warning."""
    tree.threads("0-7")
    if content is not None:
        tree.write(tree.proc / "meminfo", content)
    meter = memory.discover(tree.machine())
    tree.clock.advance(1.0)
    (reading,) = meter.read()
    assert reading.energy_j == pytest.approx(32 * 0.17)
    assert (reading.low_ratio, reading.high_ratio) == memory.BLIND_RATIOS
    facts = meter.facts()
    assert facts.hardware[0].memory_gb is None
    assert "32 GB assumed" in facts.warnings[0]
