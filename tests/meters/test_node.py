"""Fans, board and supply."""

import dataclasses

import pytest

from sootprint.core.calibration import Point, calibrated
from sootprint.ledger import calibrations, nodes
from sootprint.meters import node

MADE = calibrated(
    [Point(50.0, 97.0, 1.0), Point(300.0, 392.0, 1.0)],
    accuracy=0.02,
    meters=("rapl",),
    hardware=("1 x Xeon",),
    made="2026-01-01",
    source="typed in",
)


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


def test_calibrations_of_this_node_are_told(server, tmp_path):
    """As facts beside the prior; which of them holds depends on the meters of the run."""
    calibrations.keep(tmp_path, nodes.node(tmp_path), MADE)
    calibrations.keep(tmp_path, "another node", MADE)
    known = node.discover(dataclasses.replace(server.machine(), home=str(tmp_path))).facts()
    assert known.calibrations == (MADE,)
    assert [factor.kind for factor in known.factors] == ["base_power", "loss_share"]


def test_damaged_calibrations_leave_the_prior(server, tmp_path):
    """A warning, and no error in the training."""
    (tmp_path / "calibration.json").write_text("{")
    known = node.discover(dataclasses.replace(server.machine(), home=str(tmp_path))).facts()
    assert known.calibrations == ()
    assert known.warnings == (
        "node: the calibrations cannot be read, so the prior counts; `sootprint calibrate --show` tells why",
    )


def test_node_without_calibrations(server, tmp_path):
    """Nothing is loaded and nothing is written."""
    known = node.discover(dataclasses.replace(server.machine(), home=str(tmp_path / "home"))).facts()
    assert known.calibrations == ()
    assert not (tmp_path / "home").exists()
