"""The fakes themselves: their energies are worked by hand here, so that the meters' tests can rely on them."""

import pytest
from tests.fixtures.fake_powercap import Wave, build


def counters(root):
    """Counter of each zone in the class folder [uJ]."""
    return {path.parent.name: int(path.read_text()) for path in sorted(root.glob("intel-rapl*:*/energy_uj"))}


def test_wave_energies():
    """A square wave of 2 s holds its amplitude half of the time; a ramp averages to half; a sine to nothing."""
    assert Wave("const", 40).joules(1, 11) == 400.0
    assert Wave("square", 10, 20, 2).joules(0, 10) == 10 * 10 + 20 * 5
    assert Wave("ramp", 0, 30, 3).joules(0, 3) == 45.0
    assert Wave("sine", 5, 100, 4).joules(0, 8) == pytest.approx(40.0)
    assert Wave("sine", 0, 100, 4).joules(0, 2) == pytest.approx(400 / 3.141592653589793)


def test_tree_shares(tmp_path):
    """In 10 s at 40 W: package 400 J, core 240 J, dram 100 J, psys 400 + 100 + 150 J."""
    build(tmp_path, "--psys", "--start-uj", "0").update(10.0)
    assert counters(tmp_path) == {
        "intel-rapl:0": 400_000_000,
        "intel-rapl:0:0": 240_000_000,
        "intel-rapl:0:1": 100_000_000,
        "intel-rapl:1": 650_000_000,
    }


def test_tree_wraps_resets_and_fails(tmp_path):
    """The counter starts again after its range, from zero at a reset, and is gone for the given time."""
    tree = build(
        tmp_path, "--no-dram", "--max-uj", "999999999", "--start-uj", "900000000", "--reset-at", "20"
    )
    tree.update(3.0)  # 900 + 120 = 1020 J in a range of 1000 J
    assert counters(tmp_path)["intel-rapl:0"] == 20_000_000
    tree.update(21.0)
    assert counters(tmp_path)["intel-rapl:0"] == 40_000_000
    failing = build(tmp_path, "--no-dram", "--start-uj", "0", "--fail-from", "5", "--fail-for", "10")
    failing.update(5.0)
    assert counters(tmp_path) == {}
    failing.update(15.0)
    assert counters(tmp_path)["intel-rapl:0"] == 600_000_000
