"""One joule once: several runs on one machine, whose shares add up to what its devices drew."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.e2e.cards import CARD_W, card_j, card_machine, records, union_s
from tests.e2e.harness import SOOTPRINT, TAKES_S, at_once, call

# joules of several processes in real time: a machine that is busy just then delays one by more than is allowed
pytestmark = pytest.mark.flaky(reruns=2)

PERIOD_S = 1.0

TRAINING = """
import sys, time, sootprint
number, until_s = int(sys.argv[1]), time.time() + float(sys.argv[2])
with sootprint.track(f"rank{number}") as run:
    print("started", flush=True)
    while time.time() < until_s:
        sum(range(20_000)) if number % 2 == 0 else None
        time.sleep(0.02)
"""


@pytest.fixture
def node(tmp_path: Path, nvml: Path) -> dict[str, str]:
    """Environment of a machine with one fake card that draws a constant power, and no other counter."""
    return card_machine(tmp_path, nvml)


def start(
    node: dict[str, str], number: int, duration_s: float, *, wait: bool = True
) -> subprocess.Popen[str]:
    """A training that measures itself; it has been seen when this returns, if asked for."""
    process = subprocess.Popen(
        [sys.executable, "-c", TRAINING, str(number), str(duration_s)],
        env=node,
        stdout=subprocess.PIPE,
        text=True,
    )
    if wait:
        assert process.stdout is not None
        assert process.stdout.readline() == "started\n"
    return process


def await_reading(home: Path) -> None:
    """Wait for the first tick of the first run, which a busy machine delays."""
    until_s = time.monotonic() + TAKES_S
    while time.monotonic() < until_s:
        if any('"k":"tick"' in path.read_text() for path in (home / "journal").glob("*.jsonl")):
            return
        time.sleep(0.02)
    raise AssertionError(f"no run has read anything after {TAKES_S} s")


@pytest.mark.parametrize("counts", [(1, 2, 4), (8,)], ids=["few", "many"])
def test_shares_add_up_to_the_node(counts: tuple[int, ...], nvml: Path, tmp_path: Path):
    """However many processes measure themselves, together they are charged what the card drew, within 0.5 %."""
    at_once(lambda count: _add_up(count, tmp_path / str(count), nvml), counts)


def _add_up(count: int, folder: Path, nvml: Path) -> None:
    folder.mkdir()
    node = card_machine(folder, nvml)
    processes = [start(node, 0, 6.0)]
    await_reading(folder / "home")
    processes += [start(node, number, 5.0 - 0.3 * number, wait=False) for number in range(1, count)]
    assert [process.wait(TAKES_S) for process in processes] == [0] * count
    made = records(folder / "home")
    assert len(made) == count
    truth_j = CARD_W * union_s(made)
    assert sum(card_j(one) for one in made) == pytest.approx(truth_j, rel=0.005)
    assert all(one["parent"] is None for one in made)


def test_killed_leader_costs_one_flush(node: dict[str, str], tmp_path: Path):
    """Another run reads on when the one that read is killed; with what `recover` finds nothing is lost or doubled."""
    leader = start(node, 0, 60.0)
    others = [start(node, number, 5.0) for number in (1, 2)]
    time.sleep(2.5)
    leader.send_signal(signal.SIGKILL)
    assert [process.wait(TAKES_S) for process in others] == [0, 0]
    assert leader.wait(TAKES_S) == -signal.SIGKILL
    recovered = call(["recover"], home=tmp_path / "home", cwd=tmp_path)
    assert recovered.returncode == 0, recovered.stderr
    made = records(tmp_path / "home")
    assert len(made) == 3
    error_j = sum(card_j(one) for one in made) - CARD_W * union_s(made)
    assert abs(error_j) <= CARD_W * PERIOD_S


def test_run_inside_a_run_is_a_part_of_it(node: dict[str, str], tmp_path: Path):
    """A training that measures itself under `sootprint run` is charged a part of that run, not of the node again."""
    done = subprocess.run(
        [SOOTPRINT, "run", "--quiet", "--name", "outer", "--", sys.executable, "-c", TRAINING, "0", "3"],
        env=node,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=TAKES_S,
    )
    assert done.returncode == 0, done.stderr
    outer, inner = records(tmp_path / "home")
    assert (outer["name"], inner["name"]) == ("outer", "rank0")
    assert inner["parent"] == outer["id"]
    assert card_j(outer) == pytest.approx(CARD_W * union_s([outer]), rel=0.01)
    # it joins late on a busy machine
    assert card_j(inner) == pytest.approx(CARD_W * union_s([inner]), rel=0.2)
    assert card_j(inner) < card_j(outer)


RANK = """
import os, sys, time, sootprint
rank, until_s = int(os.environ["LOCAL_RANK"]), time.time() + float(sys.argv[1])
with sootprint.track("job") as run:
    print("started", flush=True)
    while time.time() < until_s:
        with run.span("epoch"):
            time.sleep(0.5)
        run.log("rank", rank)
print(run.footprint.id if run.footprint else "none", flush=True)
"""


def rank(node: dict[str, str], number: int, duration_s: float, *, size: int = 3) -> subprocess.Popen[str]:
    """A rank of a torchrun job on this machine."""
    told = {"TORCHELASTIC_RUN_ID": "job-7", "WORLD_SIZE": str(size), "LOCAL_WORLD_SIZE": str(size)}
    told |= {"LOCAL_RANK": str(number), "RANK": str(number), "GROUP_RANK": "0", "GROUP_WORLD_SIZE": "1"}
    process = subprocess.Popen(
        [sys.executable, "-c", RANK, str(duration_s)], env=node | told, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "started\n"
    return process


def test_ranks_of_a_job_write_one_record_a_machine(node: dict[str, str], tmp_path: Path):
    """Three ranks are one record with the machine's energy, and the spans and metrics of the first rank."""
    ranks = [rank(node, number, duration_s) for number, duration_s in ((2, 7.0), (0, 3.5), (1, 3.5))]
    said = [process.communicate(timeout=TAKES_S)[0] for process in ranks]
    (made,) = records(tmp_path / "home")
    assert said == [f"{made['id']}\n"] * 3
    assert made["run_group"] is not None
    assert made["given"]["run_group_nodes"] == 1
    assert card_j(made) == pytest.approx(CARD_W * union_s([made]), rel=0.005)
    assert {point["value"] for point in made["curve"][1:]} == {0.0}
    assert 4 <= len([span for span in made["spans"] if span["name"] == "epoch"]) <= 9
    assert not list((tmp_path / "home" / "runtime").glob("*/runs/*"))


def test_rank_goes_on_where_the_one_that_wrote_is_killed(node: dict[str, str], tmp_path: Path):
    """The record of a killed rank is recovered up to its last flush; another rank writes the rest."""
    first = rank(node, 0, 30.0)
    second = rank(node, 1, 4.5)
    time.sleep(2.0)
    first.kill()
    said = second.communicate(timeout=TAKES_S)[0].strip()
    first.wait(TAKES_S)
    assert call(["recover"], home=tmp_path / "home", cwd=tmp_path).returncode == 0
    made = records(tmp_path / "home")
    assert len({one["run_group"] for one in made}) == 1
    assert [one["id"] for one in made][1] == said
    assert len(made) == 2
    assert abs(sum(card_j(one) for one in made) - CARD_W * union_s(made)) <= 2.0 * CARD_W * PERIOD_S
