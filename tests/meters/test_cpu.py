"""Modelled processors: rated power x utilisation, with an idle share."""

import pytest

from sootprint.core.errors import MeterError
from sootprint.meters import cpu


def test_power_is_linear_above_the_idle_share():
    """Of 200 W: 60 W idle, 130 W half busy, 200 W busy."""
    assert [cpu.power_w(200.0, u) for u in (0.0, 0.5, 1.0)] == [60.0, 130.0, 200.0]


def test_energy_follows_utilisation(server):
    """Two EPYC 7282 of 120 W: 10 s a quarter busy are 240 x (0.3 + 0.7 x 0.25) x 10 = 1140 J."""
    meter = cpu.discover(server.machine())
    server.clock.advance(10.0)
    server.stat(300, 50, 0, 1550, 0, 0, 0, 0, 0, 0)  # 150 busy and 750 idle, since 200 busy and 800 idle
    (reading,) = meter.read()
    assert reading.utilisation == pytest.approx(150 / 900)
    assert reading.energy_j == pytest.approx(240 * (0.3 + 0.7 * 150 / 900) * 10)
    server.clock.advance(10.0)
    server.stat(550, 50, 0, 2300, 0, 0, 0, 0, 0, 0)  # 250 busy, 750 idle
    (second,) = meter.read()
    assert second.utilisation == 0.25
    assert second.energy_j - reading.energy_j == pytest.approx(1140.0)
    assert (second.component, second.basis, second.max_power_w) == ("cpu", "modelled", None)


def test_a_glance_tells_what_a_look_tells(server):
    """Its energy goes on from the look before, and the next look from it; the same instants give the same joules."""
    told = []
    for looks in (("read", "glance", "read"), ("read", "read", "read")):
        server.stat(100, 0, 100, 800, 0, 0, 0, 0, 0, 0)
        meter = cpu.discover(server.machine())
        for number, look in enumerate(looks, start=1):
            server.clock.advance(10.0)
            server.stat(100 + 300 * number, 0, 100, 800 + 700 * number, 0, 0, 0, 0, 0, 0)
            if look == "glance":
                ((component, _, energy_j, utilisation),) = meter.glance()
            else:
                (one,) = meter.read()
                component, energy_j, utilisation = one.component, one.energy_j, one.utilisation
            told.append((component, energy_j, utilisation))
    assert told[:3] == told[3:] == [("cpu", pytest.approx(1224.0 * number), 0.3) for number in (1, 2, 3)]


def test_waiting_and_stolen_time_are_not_busy(server):
    """Waiting for a disk is idle; time that the host took is nobody's; guests are inside user time."""
    meter = cpu.discover(server.machine())
    server.clock.advance(1.0)
    server.stat(120, 0, 110, 830, 40, 5, 5, 1000, 15, 0)  # user 20, system 10, idle 30, waiting 40, irq 10
    (reading,) = meter.read()
    assert reading.utilisation == pytest.approx(40 / 110)


def test_look_within_one_tick_adds_its_energy_later(server):
    """Where the kernel's times did not move yet, the energy waits for the next look; none is lost."""
    meter = cpu.discover(server.machine())
    server.clock.advance(0.005)
    (early,) = meter.read()
    assert (early.energy_j, early.utilisation) == (0.0, None)
    server.clock.advance(0.995)
    server.stat(200, 0, 100, 800, 0, 0, 0, 0, 0, 0)
    (late,) = meter.read()
    assert late.energy_j == pytest.approx(240.0)


def test_times_that_start_anew_add_nothing(server):
    """A container that was moved shows lower times: the look counts from there."""
    meter = cpu.discover(server.machine())
    server.clock.advance(10.0)
    server.stat(1, 0, 0, 9, 0, 0, 0, 0, 0, 0)
    (reading,) = meter.read()
    assert (reading.energy_j, reading.utilisation) == (0.0, None)
    server.clock.advance(1.0)
    server.stat(1, 0, 0, 19, 0, 0, 0, 0, 0, 0)
    assert meter.read()[0].energy_j == pytest.approx(72.0)


def test_known_processor(server):
    """Two sockets of 120 W from the catalogue."""
    facts = cpu.discover(server.machine()).facts()
    (hardware,) = facts.hardware
    assert (hardware.kind, hardware.count, hardware.rated_power_w) == ("cpu", 2, 120.0)
    assert {factor.kind for factor in facts.factors} == {"rated_power", "idle_share"}
    assert all(factor.source for factor in facts.factors)
    assert facts.warnings == ()


def test_guest_is_charged_its_share(server):
    """8 threads of a host processor with 16 cores of two threads: a quarter of 120 W, with wider bounds."""
    server.cpuinfo("AMD EPYC 7282 16-Core Processor", siblings=8, flags="hypervisor")
    server.threads("0-7")
    meter = cpu.discover(server.machine())
    server.clock.advance(1.0)
    server.stat(200, 0, 100, 800, 0, 0, 0, 0, 0, 0)
    (reading,) = meter.read()
    assert reading.energy_j == pytest.approx(30.0)
    assert (reading.low_ratio, reading.high_ratio) == cpu.SHARED_RATIOS
    assert meter.facts().warnings == ("cpu: a guest is charged 8 threads, 0.25 of one AMD EPYC 7282",)


def test_unknown_processor_has_a_prior_with_wide_bounds(server):
    """3.5 W for each of 64 threads, and a warning that names the processor."""
    server.cpuinfo("Mystery 9000", siblings=64)
    meter = cpu.discover(server.machine())
    server.clock.advance(1.0)
    server.stat(200, 0, 100, 800, 0, 0, 0, 0, 0, 0)
    (reading,) = meter.read()
    assert reading.energy_j == pytest.approx(224.0)
    assert (reading.low_ratio, reading.high_ratio) == cpu.UNKNOWN_RATIOS
    (warning,) = meter.facts().warnings
    assert "Mystery 9000 is not in the catalogue: 3.5 W a thread" in warning


def test_unreadable_times_are_half_busy_with_the_widest_bounds(server):
    """Without /proc/stat the model goes on, at half load, and says so."""
    (server.proc / "stat").unlink()
    meter = cpu.discover(server.machine())
    server.clock.advance(10.0)
    (reading,) = meter.read()
    assert reading.energy_j == pytest.approx(240 * 0.65 * 10)
    assert (reading.utilisation, reading.low_ratio, reading.high_ratio) == (None, *cpu.BLIND_RATIOS)
    assert "50% assumed" in meter.facts().warnings[-1]


def test_times_that_vanish_are_a_gap(server):
    """Times that could be read and cannot now are an error; when they return the gap's energy is in them."""
    meter = cpu.discover(server.machine())
    (server.proc / "stat").unlink()
    with pytest.raises(MeterError, match="cannot be read any more"):
        meter.read()
    server.clock.advance(10.0)
    server.stat(200, 0, 100, 800, 0, 0, 0, 0, 0, 0)
    assert meter.read()[0].energy_j == pytest.approx(2400.0)


def test_intervals_widen_with_what_is_not_known():
    """Known, shared, unknown, blind: each interval holds the one before."""
    ratios = [cpu.KNOWN_RATIOS, cpu.SHARED_RATIOS, cpu.UNKNOWN_RATIOS, cpu.BLIND_RATIOS]
    lows, highs = [low for low, _ in ratios], [high for _, high in ratios]
    assert lows == sorted(lows, reverse=True)
    assert highs == sorted(highs)
