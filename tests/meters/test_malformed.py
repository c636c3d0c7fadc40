"""Broken files everywhere: a meter error, a component left out or a prior, and never another exception."""

from __future__ import annotations

import math
import random
import shutil
from pathlib import Path

import pytest
from tests.fixtures.fake_powercap import build

from sootprint.core import registry
from sootprint.core.errors import MeterError
from sootprint.meters import probe

SEED = 20261122
BROKEN = [
    b"",
    b"\n",
    b"\x00\x00",
    b"\xff\xfe\xfd",
    b"-1\n",
    b"nan\n",
    b"1e400\n",
    b"9" * 5000,
    b"18446744073709551615\n",
    b"18446744073709551616\n",
    b"cpu  1 2 3 x 5 6 7 8\n",
    b"cpu  -1 -2 -3 -4 -5 -6 -7 -8\n",
    b"cpu\n",
    b"cpu  " + b"9" * 400 + b"\n",
    b"MemTotal:\nMemTotal: -5 kB\n",
    b"eth0: 1 2 3\n: : :\n",
    b"model name\nmodel name :\nsiblings : 0\nsiblings : -3\nflags\n",
    b"siblings : 99999999999999999999\nmodel name : " + b"x" * 3000 + b"\n",
    "package-\u0661\n".encode(),
    b"package-0-die-\n",
    b"package-99999999999\n",
    "psys\n".encode("utf-16"),
]


def exercise(tree):
    """Find, read and describe every meter of a machine; only meter errors may come."""
    for name in registry.names(probe.GROUP):
        try:
            meter = probe.discover(name, tree.machine())
            for _ in range(2):
                tree.clock.advance(1.0)
                for reading in meter.read():
                    number = reading.energy_j if reading.energy_j is not None else reading.power_w
                    assert number is not None
                    assert math.isfinite(number)
                    assert number >= 0
            meter.facts()
        except MeterError as err:
            assert "\n" not in str(err)


def files_of(tree):
    """Every file of a fake machine, and each folder that a file could stand for."""
    root = tree.sys.parent
    return sorted(path for path in root.rglob("*") if path.is_file() and not path.is_symlink())


@pytest.fixture
def machine(server):
    """A server with counters, modules, a board and a network card."""
    build(server.sys / "class/powercap", "--psys", "--mmio", "--packages", "2")
    server.write(server.sys / "class/dmi/id/chassis_type", "23\n")
    server.write(server.sys / "devices/system/edac/mc/mc0/dimm0/size", "65536\n")
    return server


@pytest.mark.parametrize("content", BROKEN)
def test_every_file_broken_alike(machine, content):
    """All files hold the same nonsense."""
    for path in files_of(machine):
        path.write_bytes(content)
    exercise(machine)


def test_each_file_broken_alone(machine, tmp_path):
    """Each file in turn is gone, a folder, or nonsense drawn with a fixed seed."""
    draw = random.Random(SEED)
    for path in files_of(machine):
        whole = path.read_bytes()
        for content in (None, "folder", draw.choice(BROKEN)):
            path.unlink()
            if content == "folder":
                path.mkdir()
            elif content is not None:
                path.write_bytes(content)
            exercise(machine)
            if path.is_dir():
                path.rmdir()
            path.write_bytes(whole)


def test_files_broken_between_two_looks(machine):
    """What breaks after the start is a gap or a component left out."""
    meters, _ = probe.discover_all(machine.machine())
    for path in files_of(machine):
        path.write_bytes(b"\xff broken")
    for meter in meters:
        try:
            assert meter.read() is not None
        except MeterError as err:
            assert "any more" in str(err)


def test_files_where_folders_should_be(machine):
    """class/powercap, block and the like as files."""
    for name in ("class/powercap", "block", "class/net", "devices/system/edac/mc"):
        shutil.rmtree(machine.sys / name)
        machine.write(machine.sys / name, "a file\n")
    exercise(machine)


def test_strange_zone_names(tree):
    """Folders that only look like zones are left out."""
    root: Path = tree.sys / "class/powercap"
    for name in ("intel-rapl:", "intel-rapl:x", "intel-rapl:0:1:2", "intel-rapl::", ":0", "intel-rapl:0\xff"):
        (root / name).mkdir(parents=True)
        (root / name / "name").write_text("package-0")
        (root / name / "energy_uj").write_text("5")
    exercise(tree)
