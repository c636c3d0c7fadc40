"""Runs that share a node come, go, stand still and are killed, and so are those who read for them: each joule once."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.e2e.attack import Attack, Found, played
from tests.e2e.users import need_users
from tests.faults.ground import ground
from tests.fixtures import fake_devices

# joules of several processes in real time: a machine that is busy just then delays one by more than is allowed
pytestmark = pytest.mark.flaky(reruns=2)

ATTACKS = (
    Attack(seed=2, runs=4, lasts_s=4.5, served=False, faults=3),
    Attack(seed=6, runs=2, lasts_s=4.5, served=True, faults=3),
)
OF_TWO_USERS = (Attack(seed=4, runs=2, lasts_s=6.0, served=True, faults=1, users=2, away_s=(1.8, 2.0)),)
OF_TWO_USERS_ALONE = (Attack(seed=4, runs=2, lasts_s=6.0, served=False, faults=0, users=2),)


def test_records_add_up_to_what_the_node_drew() -> None:
    """At most a flush is lost or counted twice for each that was killed, and every run has its record.

    Both attacks are played side by side; `python bench/bench_attack.py` plays larger ones.
    """
    _check(ATTACKS)


def test_two_users_add_up_to_the_node_while_the_service_is_away() -> None:
    """The runs of each read for themselves then, and leave to the other what the other used."""
    need_users()
    _check(OF_TWO_USERS)


def test_two_users_who_never_had_a_service_add_up_to_the_node() -> None:
    """The file on which runs say that they are here suffices; without it each of the two is charged all."""
    need_users()
    _check(OF_TWO_USERS_ALONE)


def _check(attacks: Sequence[Attack]) -> None:
    if fake_devices.compiler() is None:
        pytest.skip(fake_devices.NO_COMPILER)
    with (
        tempfile.TemporaryDirectory(prefix="soot-") as folder,  # short enough for the path of a socket
        ground(Path(folder) / "ground") as shared,
        ThreadPoolExecutor(len(attacks)) as pool,
    ):
        found: list[Found] = list(pool.map(lambda attack: played(attack, shared), attacks))
    for attack, one in zip(attacks, found, strict=True):
        assert attack.faults == 0 or any(strike.startswith("kill") for strike in one.strikes), one
        assert one.holds, f"lost {one.lost_j:.1f} J, doubled {one.doubled_j:.1f} of {one.most_j:.1f}: {one}"
