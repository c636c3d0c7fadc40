"""Runs that share a node come, go, stand still and are killed, and so are those who read for them: each joule once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.e2e.attack import Attack, Found, played
from tests.faults.ground import ground
from tests.fixtures import fake_devices

# joules of several processes in real time: a machine that is busy just then delays one by more than is allowed
pytestmark = pytest.mark.flaky(reruns=2)

ATTACKS = (
    Attack(seed=2, runs=4, lasts_s=6.5, served=False, faults=4),
    Attack(seed=6, runs=3, lasts_s=6.5, served=True, faults=4),
)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> list[Found]:
    """What both attacks leave, played side by side; `python bench/bench_attack.py` plays larger ones."""
    if fake_devices.compiler() is None:
        pytest.skip(fake_devices.NO_COMPILER)
    folder: Path = tmp_path_factory.mktemp("attack")
    with ground(folder / "ground") as shared, ThreadPoolExecutor(len(ATTACKS)) as pool:
        return list(pool.map(lambda attack: played(attack, shared), ATTACKS))


@pytest.mark.parametrize("number", range(len(ATTACKS)), ids=["leader", "service"])
def test_records_add_up_to_what_the_node_drew(found: list[Found], number: int) -> None:
    """At most a flush is lost or counted twice for each that was killed, and every run has its record."""
    one = found[number]
    assert any(strike.startswith("kill") for strike in one.strikes), one
    assert one.holds, f"lost {one.lost_j:.1f} J, doubled {one.doubled_j:.1f} of {one.most_j:.1f}: {one}"
