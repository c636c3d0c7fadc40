"""Fans, board and supply."""

import pytest

from sootprint.meters import node


def test_machine_of_its_own(server):
    """38 W and 18 % of what the others draw, from the fit to 318 runs."""
    base, losses = node.prior(server.machine())
    assert (base.kind, base.value, losses.kind, losses.value) == ("base_power", 38.0, "loss_share", 0.18)
    meter = node.discover(server.machine())
    server.clock.advance(10.0)
    (reading,) = meter.read()
    assert (reading.component, reading.energy_j, reading.basis) == ("node", 380.0, "modelled")
    assert reading.low_ratio == pytest.approx(15 / 38)
    assert reading.high_ratio == pytest.approx(100 / 38)
    assert meter.facts().factors == (base, losses)


def test_guest_bears_its_share(server):
    """8 of the 32 threads of a host processor: a quarter of 38 W, known to a factor of two beyond its bounds."""
    server.cpuinfo("AMD EPYC 7282 16-Core Processor", siblings=8, flags="hypervisor")
    server.threads("0-7")
    base, _ = node.prior(server.machine())
    assert (base.value, base.low, base.high) == (9.5, 15 / 4 / 2, 100 / 4 * 2)
    assert base.method == "8 of 32 threads of the host"


def test_guest_on_an_unknown_host(server):
    """64 threads assumed."""
    server.cpuinfo("unknown", siblings=16, flags="hypervisor")
    server.threads("0-15")
    assert node.prior(server.machine())[0].value == 9.5


def test_guest_larger_than_one_processor(server):
    """It bears the constant of one machine, not of several."""
    server.cpuinfo("AMD EPYC 7282 16-Core Processor", siblings=64, flags="hypervisor")
    assert node.prior(server.machine())[0].value == 38.0


def test_laptop(tree):
    """A notebook's board draws a tenth of a workstation's."""
    tree.write(tree.sys / "class/dmi/id/chassis_type", "10\n")
    assert node.prior(tree.machine())[0].value == 4.0
