"""Runs that share a node come, go, stand still and are killed, and so are those who read for them: each joule once."""

from __future__ import annotations

import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.e2e.attack import Attack, Found, played
from tests.faults.ground import ground
from tests.fixtures import fake_devices

# joules of several processes in real time: a machine that is busy just then delays one by more than is allowed
pytestmark = pytest.mark.flaky(reruns=2)

ATTACKS = (
    Attack(seed=2, runs=4, lasts_s=4.5, served=False, faults=3),
    Attack(seed=6, runs=2, lasts_s=4.5, served=True, faults=3),
)


def test_records_add_up_to_what_the_node_drew() -> None:
    """At most a flush is lost or counted twice for each that was killed, and every run has its record.

    Both attacks are played side by side; `python bench/bench_attack.py` plays larger ones.
    """
    if fake_devices.compiler() is None:
        pytest.skip(fake_devices.NO_COMPILER)
    with (
        tempfile.TemporaryDirectory(prefix="soot-") as folder,  # short enough for the path of a socket
        ground(Path(folder) / "ground") as shared,
        ThreadPoolExecutor(len(ATTACKS)) as pool,
    ):
        found: list[Found] = list(pool.map(lambda attack: played(attack, shared), ATTACKS))
    for one in found:
        assert any(strike.startswith("kill") for strike in one.strikes), one
        assert one.holds, f"lost {one.lost_j:.1f} J, doubled {one.doubled_j:.1f} of {one.most_j:.1f}: {one}"
