"""Modelled network: bytes times an energy per byte."""

import pytest

from sootprint.core.errors import MeterError
from sootprint.meters import network


def test_bytes_of_the_machines_own_interfaces(server):
    """1 GB in and 1 GB out at 0.001 kWh/GB are 7200 J; the loopback and interfaces without device add nothing."""
    meter = network.discover(server.machine())
    server.clock.advance(1.0)
    server.traffic(
        lo=(10**12, 10**12), eth0=(1000 + 10**9, 500 + 10**9), docker0=(10**12, 0), br0=(10**12, 0)
    )
    (reading,) = meter.read()
    assert reading.energy_j == pytest.approx(7200.0)
    assert (reading.component, reading.basis) == ("network", "modelled")
    assert (reading.low_ratio, reading.high_ratio) == (0.2, 5.0)


def test_guest_without_device_counts_by_name(tree):
    """In a container no interface has a device: all but the known inner ones are counted."""
    tree.traffic(lo=(0, 0), eth0=(0, 0), veth12=(0, 0))
    meter = network.discover(tree.machine())
    tree.traffic(lo=(10**9, 0), eth0=(10**9, 0), veth12=(10**9, 0))
    assert meter.read()[0].energy_j == pytest.approx(3600.0)


def test_counter_that_starts_anew_adds_nothing(server):
    """An interface that was reset or is new counts from what it shows first."""
    meter = network.discover(server.machine())
    server.traffic(eth0=(10, 10))
    assert meter.read()[0].energy_j == 0.0
    server.traffic(eth0=(10 + 10**9, 10))
    assert meter.read()[0].energy_j == pytest.approx(3600.0)


def test_interface_that_is_gone_for_a_while_keeps_its_count(server):
    """What passed while it was not shown is counted when it returns."""
    meter = network.discover(server.machine())
    server.traffic(lo=(0, 0))
    assert meter.read()[0].energy_j == 0.0
    server.traffic(eth0=(1000 + 10**9, 500))
    assert meter.read()[0].energy_j == pytest.approx(3600.0)


def test_counters_that_vanish_are_a_gap(server):
    """An error, not zero traffic."""
    meter = network.discover(server.machine())
    (server.proc / "net/dev").unlink()
    with pytest.raises(MeterError, match="cannot be read any more"):
        meter.read()


def test_traffic_that_cannot_be_counted_is_a_prior(tree):
    """1 GB an hour, 1 W, with bounds of a hundredth and twenty times, and a warning."""
    meter = network.discover(tree.machine())
    tree.clock.advance(10.0)
    (reading,) = meter.read()
    assert (reading.energy_j, reading.low_ratio, reading.high_ratio) == (10.0, 0.01, 20.0)
    assert "1 W assumed" in meter.facts().warnings[0]


def test_infiniband_is_said_not_to_be_counted(server):
    """Its traffic passes the kernel by."""
    server.write(server.sys / "class/infiniband/mlx5_0/node_type", "1")
    assert "InfiniBand" in network.discover(server.machine()).facts().warnings[0]
