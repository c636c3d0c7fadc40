"""A job of two nodes with two ranks each: every joule of both cards once, also when a node dies."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.cards import CARD_W, card_j, card_machine, records
from tests.e2e.harness import call, seconds

# joules of several processes in real time: a machine that is busy just then delays one by more than is allowed
pytestmark = pytest.mark.flaky(reruns=2)

RUNS_S = 3.0

TRAINING = """
import sys, time, sootprint
until_s = time.time() + float(sys.argv[1])
with sootprint.track("train", period="200ms"):
    print("started", flush=True)
    while time.time() < until_s:
        time.sleep(0.02)
"""


@pytest.fixture
def job(tmp_path: Path, nvml: Path) -> dict[str, str]:
    """Environment of a Slurm step on machines with one fake card each, that share a home."""
    return card_machine(
        tmp_path,
        nvml,
        SLURM_JOB_ID="4711",
        SLURM_STEP_ID="0",
        SLURM_STEP_NUM_NODES="2",
        SLURM_STEP_NUM_TASKS="4",
        SLURM_STEP_TASKS_PER_NODE="2(x2)",
    )


def start(job: dict[str, str], tmp_path: Path) -> list[subprocess.Popen[str]]:
    """The four ranks, each measuring itself; a runtime folder of its own makes a machine."""
    ranks = []
    for rank in range(4):
        place = {"SLURM_PROCID": rank, "SLURM_NODEID": rank // 2, "SLURM_LOCALID": rank % 2}
        told = {name: str(number) for name, number in place.items()}
        told["SOOTPRINT_RUNTIME_DIR"] = str(tmp_path / f"node{rank // 2}")
        ranks.append(
            subprocess.Popen(
                [sys.executable, "-c", TRAINING, str(RUNS_S)],
                env=job | told,
                stdout=subprocess.PIPE,
                text=True,
            )
        )
    for process in ranks:
        assert process.stdout is not None
        assert process.stdout.readline() == "started\n"
    return ranks


def shell(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A finished `sootprint` with the home that the nodes share."""
    return call(arguments, home=tmp_path / "home", cwd=tmp_path)


def card_s(parts: list[dict[str, Any]], node: int) -> float:
    """Time from the first start to the last end of a node's records [s]."""
    own = [one for one in parts if one["given"]["run_group_node"] == node]
    return max(seconds(one["ended"]) for one in own) - min(seconds(one["started"]) for one in own)


def test_a_job_of_two_nodes_is_one_footprint(job: dict[str, str], tmp_path: Path) -> None:
    """Two cards of 250 W for the time of the job, though four ranks could look at them."""
    for process in start(job, tmp_path):
        assert process.wait(timeout=120) == 0
    parts = records(tmp_path / "home")
    (group,) = {one["run_group"] for one in parts}
    merged = json.loads(shell(tmp_path, "merge", "--group", group, "--strict", "--json").stdout)
    assert merged["given"]["merged_ranks"] == [0, 1]
    assert [one["component"] for one in merged["components"]][:2] == ["accelerator:0", "accelerator:1"]
    true_j = CARD_W * (card_s(parts, 0) + card_s(parts, 1))
    assert card_j(merged) == pytest.approx(true_j, rel=0.05)
    total = json.loads(shell(tmp_path, "summary", "--json").stdout)["total"]
    assert total["energy_kwh"]["value"] == pytest.approx(merged["energy_kwh"]["value"])


def test_a_node_that_is_killed_is_a_gap_until_it_is_recovered(job: dict[str, str], tmp_path: Path) -> None:
    """The dead node is filled in at the energy of the other, and its journal takes the place of the fill."""
    ranks = start(job, tmp_path)
    time.sleep(0.6 * RUNS_S)
    for process in ranks[2:]:
        process.kill()
    assert [process.wait(timeout=120) for process in ranks] == [0, 0, -9, -9]
    group = records(tmp_path / "home")[0]["run_group"]
    refused = shell(tmp_path, "merge", "--group", group, "--strict")
    assert (refused.returncode, "1 of 2 nodes left no record" in refused.stderr) == (2, True)
    filled = json.loads(shell(tmp_path, "merge", "--group", group, "--json").stdout)
    assert card_j(filled) == pytest.approx(2 * CARD_W * filled["duration_s"], rel=0.05)
    assert filled["gaps"] and filled["warnings"][0].startswith("lost nodes: 1 of 2")
    assert shell(tmp_path, "recover").returncode == 0
    whole = json.loads(shell(tmp_path, "merge", "--group", group, "--json").stdout)
    assert (whole["id"], whole["given"]["merged_ranks"]) == (filled["id"], [0, 1])
    assert not whole["warnings"][0].startswith("lost nodes")
    assert card_j(whole) < card_j(filled)  # it ran for a part of the time
