"""Processes that share one reader, and what may happen to them: the joules add up, and no training is harmed."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.cards import CARD_W, card_j, card_machine, records, union_s
from tests.e2e.harness import SOOTPRINT, TAKES_S
from tests.faults.ground import crowd

# joules of several processes in real time: a machine that is busy just then delays one by more than is allowed
pytestmark = pytest.mark.flaky(reruns=2)

PERIOD_S = 0.2
IDENTITY = """
import os, sys, time, sootprint
def track(name, seconds, **settings):
    with sootprint.track(name, **settings) as run:
        print("started", flush=True)
        time.sleep(seconds)
    return run
"""


@pytest.fixture
def node(tmp_path: Path, nvml: Path) -> dict[str, str]:
    """Environment of a machine with one fake card that draws a constant power, looked at five times a second."""
    return card_machine(tmp_path, nvml, SOOTPRINT_PERIOD=f"{PERIOD_S}s")


def python(node: dict[str, str], code: str, *, wait: bool = True, **environ: str) -> subprocess.Popen[str]:
    """A training in Python; it is measured when this returns, if asked for."""
    process = subprocess.Popen(
        [sys.executable, "-c", IDENTITY + code],
        env=node | environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.PIPE,
        text=True,
    )
    if wait:
        assert process.stdout is not None
        assert process.stdout.readline() == "started\n", process.stderr.read() if process.stderr else ""
    return process


def ended(*processes: subprocess.Popen[str]) -> list[str]:
    """What each training wrote to stderr; it must have ended well."""
    errors = []
    for process in processes:
        _, text = process.communicate(timeout=TAKES_S)
        assert process.returncode == 0, text
        errors.append(text)
    return errors


def by_name(home: Path) -> dict[str, dict[str, Any]]:
    """Records of a home."""
    return {record["name"]: record for record in records(home)}


def tops(made: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Records that are no part of another one."""
    return [record for record in made if record["parent"] is None]


def error_j(made: Sequence[dict[str, Any]]) -> float:
    """What the top-level records charge for the card beyond what it drew while any of them ran [J]."""
    return sum(card_j(one) for one in tops(made)) - CARD_W * union_s(tops(made))


def late_j() -> float:
    """Energy before the first look of a run, which is filled: on a busy machine a start takes longer [J]."""
    return CARD_W * (0.1 + 0.04 * crowd())


def own_error_j(record: dict[str, Any]) -> float:
    """What one record charges for the card beyond what the card drew meanwhile [J]."""
    return card_j(record) - CARD_W * union_s([record])


def test_forked_child_that_measures_itself_is_a_part(node: dict[str, str], tmp_path: Path):
    """os.fork under a running tracker: the child has its own run inside the parent's; neither is disturbed."""
    code = """
with sootprint.track("parent") as run:
    time.sleep(0.3)
    pid = os.fork()
    if pid == 0:
        track("child", 1.0)
        os._exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
    time.sleep(0.3)
print("started")
"""
    ended(python(node, code))
    made = by_name(tmp_path / "home")
    assert made["child"]["parent"] == made["parent"]["id"]
    assert own_error_j(made["parent"]) == pytest.approx(0.0, abs=late_j())
    assert own_error_j(made["child"]) == pytest.approx(0.0, abs=late_j())


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_workers_of_a_pool_are_parts(method: str, node: dict[str, str], tmp_path: Path):
    """Each worker of multiprocessing that measures itself is a part; the parts do not exceed their parent."""
    script = tmp_path / "pool.py"
    script.write_text(
        f"""{IDENTITY}
import multiprocessing
def work(number):
    return track(f"worker {{number}}", 1.0).footprint is not None
if __name__ == "__main__":
    with sootprint.track("main"):
        with multiprocessing.get_context("{method}").Pool(2) as pool:
            assert pool.map(work, range(2), chunksize=1) == [True, True]
""",
        encoding="utf-8",
    )
    done = subprocess.run(
        [sys.executable, script], env=node, capture_output=True, text=True, timeout=TAKES_S, check=False
    )
    assert done.returncode == 0, done.stderr
    made = by_name(tmp_path / "home")
    assert made.keys() == {"main", "worker 0", "worker 1"}
    parts = [made["worker 0"], made["worker 1"]]
    assert [part["parent"] for part in parts] == [made["main"]["id"]] * 2
    assert own_error_j(made["main"]) == pytest.approx(0.0, abs=late_j())
    assert 0.7 * CARD_W < sum(card_j(part) for part in parts) < card_j(made["main"])


def test_threads_share_and_a_run_inside_a_run_does_not(node: dict[str, str], tmp_path: Path):
    """Two threads with a run each split the card; a run in the `with` of another is a part of it."""
    code = """
import threading
def both(name):
    with sootprint.track(name):
        time.sleep(0.3)
        with sootprint.track(f"{name} inner"):
            time.sleep(0.8)
        time.sleep(0.3)
threads = [threading.Thread(target=both, args=(name,)) for name in ("one", "two")]
[thread.start() for thread in threads]
print("started", flush=True)
[thread.join() for thread in threads]
"""
    ended(python(node, code))
    made = by_name(tmp_path / "home")
    assert error_j(list(made.values())) == pytest.approx(0.0, abs=late_j())
    for name in ("one", "two"):
        assert made[f"{name} inner"]["parent"] == made[name]["id"]
        assert 0.0 < card_j(made[f"{name} inner"]) < card_j(made[name])


@pytest.mark.parametrize("count", [2, 4])
def test_threads_that_compute_all_have_their_part(count: int, node: dict[str, str], tmp_path: Path):
    """0.8 s of pure Python in each: the modules that measure load beside them, and all are seen before they end."""
    code = f"""
import threading
def computes(name):
    with sootprint.track(name):
        until_s, found = time.monotonic() + 0.8, 0
        while time.monotonic() < until_s:
            found += sum(number * number for number in range(1000))
print("started", flush=True)
threads = [threading.Thread(target=computes, args=(str(number),)) for number in range({count})]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""
    ended(python(node, code))
    made = by_name(tmp_path / "home")
    assert len(made) == count
    part_j = CARD_W * union_s(list(made.values())) / count
    assert all(0.6 * part_j < card_j(one) < 1.6 * part_j for one in made.values())
    assert error_j(list(made.values())) == pytest.approx(0.0, abs=late_j())


def test_two_interpreters_at_a_prompt_share(node: dict[str, str], tmp_path: Path):
    """As two notebooks' kernels do: runs that start and stop by statement, overlap, and are not each other's part."""
    kernels = [
        subprocess.Popen(
            [sys.executable, "-iq"],
            env=node,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]

    def say(kernel: subprocess.Popen[str], line: str) -> None:
        assert kernel.stdin is not None
        kernel.stdin.write(line + "\n")
        kernel.stdin.flush()

    for kernel, name in zip(kernels, ("one", "two"), strict=True):
        say(kernel, f"import sootprint; run = sootprint.track('{name}').start()")
        time.sleep(0.8)
    for kernel in kernels:
        say(kernel, "_ = run.stop()")
        time.sleep(0.8)
        say(kernel, "exit()")
    ended(*kernels)
    made = records(tmp_path / "home")
    assert [record["parent"] for record in made] == [None, None]
    assert error_j(made) == pytest.approx(0.0, abs=late_j())


def test_run_that_starts_while_the_reader_hangs(node: dict[str, str], tmp_path: Path):
    """The card hangs for 1.5 s: who starts then is not held up; nothing is lost or doubled."""
    hangs = {
        "FAKE_NVML_HANG_AT": repr(time.time() + 1.2 - float(node["FAKE_NVML_T0"])),
        "FAKE_NVML_HANG_ONCE_MS": "1500",
    }
    code = """
begin = time.monotonic()
track("{}", {})
assert time.monotonic() - begin < {} + 2.0
"""
    leader = python(node, code.format("leader", 3.5, 3.5), **hangs)
    time.sleep(1.0)
    during = python(node, code.format("during", 0.3, 0.3))
    longer = python(node, code.format("longer", 1.8, 1.8))
    ended(leader, during, longer)
    made = records(tmp_path / "home")
    assert {record["name"] for record in made} == {"leader", "during", "longer"}
    assert error_j(made) == pytest.approx(0.0, abs=late_j())


def test_reader_that_is_stopped_is_no_gap_for_the_machine(node: dict[str, str], tmp_path: Path):
    """SIGSTOP for 1.5 s of the run that reads: the counter bridges it."""
    reader = python(node, "track('reader', 2.8)")
    other = python(node, "track('other', 2.4)")
    time.sleep(0.3)
    reader.send_signal(signal.SIGSTOP)
    time.sleep(1.5)
    reader.send_signal(signal.SIGCONT)
    ended(reader, other)
    assert error_j(records(tmp_path / "home")) == pytest.approx(0.0, abs=late_j())


@pytest.mark.parametrize("who", ["reader", "other"])
def test_killed_process_takes_one_look_with_it(who: str, node: dict[str, str], tmp_path: Path):
    """A kill -9 while a third run starts: with what `recover` finds, one period is lost at most and nothing doubled."""
    reader = python(node, "track('reader', 9.0)")
    other = python(node, "track('other', 9.0)")
    staying = python(node, "track('staying', 2.0)")
    time.sleep(0.7)
    killed, remaining = (reader, other) if who == "reader" else (other, reader)
    joining = python(node, "track('joining', 1.0)", wait=False)
    time.sleep(0.15)
    killed.kill()
    killed.communicate()
    ended(staying, joining)
    remaining.kill()
    remaining.communicate()
    subprocess.run([SOOTPRINT, "recover"], env=node, capture_output=True, check=True, timeout=TAKES_S)
    made = records(tmp_path / "home")
    assert len(made) == 4
    assert error_j(made) == pytest.approx(0.0, abs=2.0 * PERIOD_S * CARD_W + late_j())


def test_storm_of_short_runs_beside_a_long_one(node: dict[str, str], tmp_path: Path):
    """Twenty runs of 0.3 s, four at a time: each has a record, together they are charged what the card drew."""
    long = python(node, "with sootprint.track('long'): print('started', flush=True); sys.stdin.read()")
    code = """
for number in range(5):
    track("short", 0.3)
"""
    ended(*[python(node, code, wait=False) for _ in range(4)])
    ended(long)
    made = records(tmp_path / "home")
    assert sum(record["name"] == "short" for record in made) == 20
    assert error_j(made) == pytest.approx(0.0, abs=late_j())


def test_runs_of_different_periods_share(node: dict[str, str], tmp_path: Path):
    """One looks once a second, one five times as often."""
    slow = python(node, "track('slow', 2.4, period='1s')")
    time.sleep(0.3)
    fast = python(node, "track('fast', 1.2)")
    ended(slow, fast)
    made = records(tmp_path / "home")
    assert error_j(made) == pytest.approx(0.0, abs=late_j())


def test_runs_with_different_homes_share_one_reader(node: dict[str, str], tmp_path: Path):
    """The ledger is a user's own matter; the meters are the machine's."""
    home = str(tmp_path / "other" / "home")
    one = python(node, "track('one', 2.0)")
    two = python(node, "track('two', 1.0)", SOOTPRINT_HOME=home)
    ended(one, two)
    made = [*records(tmp_path / "home"), *records(tmp_path / "other" / "home")]
    assert len(made) == 2
    assert error_j(made) == pytest.approx(0.0, abs=late_j())


def test_runtime_directory_that_cannot_be_used_is_said_once(node: dict[str, str], tmp_path: Path):
    """A file is in its place: the run is measured as if it were alone, and one line says so."""
    (tmp_path / "taken").write_text("", encoding="utf-8")
    (errors,) = ended(python(node, "track('alone', 0.5)", SOOTPRINT_RUNTIME_DIR=str(tmp_path / "taken")))
    assert errors.count("cannot be used") == 1
    assert error_j(records(tmp_path / "home")) == pytest.approx(0.0, abs=late_j())


def test_reader_without_a_free_descriptor_loses_nothing(node: dict[str, str], tmp_path: Path):
    """The training opens files until it may open no more, for 1 s."""
    code = """
import resource
with sootprint.track("greedy"):
    print("started", flush=True)
    time.sleep(0.7)
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    kept = []
    try:
        while True:
            kept.append(open("/dev/null"))
    except OSError as error:
        assert error.errno == 24
    time.sleep(1.0)
    kept.clear()
    time.sleep(0.7)
"""
    ended(python(node, code), python(node, "track('modest', 1.8)"))
    assert error_j(records(tmp_path / "home")) == pytest.approx(0.0, abs=late_j())


def test_process_that_closes_all_descriptors_is_not_harmed(node: dict[str, str], tmp_path: Path):
    """os.closerange, as a program does that becomes a daemon: its own files opened later are its own."""
    code = """
with sootprint.track("daemon"):
    print("started", flush=True)
    time.sleep(0.7)
    os.closerange(3, 64)
    ends = [os.pipe() for _ in range(10)]
    for _, write in ends:
        os.write(write, b"w" * 100)
    time.sleep(1.5)
assert [os.read(read, 1000) for read, _ in ends] == [b"w" * 100] * 10
"""
    daemon = python(node, code)
    other = python(node, "track('other', 2.0)")
    (errors, _) = ended(daemon, other)
    assert "Traceback" not in errors


def test_child_forked_behind_pythons_back_does_not_keep_the_seat(node: dict[str, str], tmp_path: Path):
    """A C library forks while the tracker runs, and its child outlives the run that read: others read on."""
    code = """
import ctypes
with sootprint.track("forker") as run:
    print("started", flush=True)
    time.sleep(0.7)
    libc = ctypes.PyDLL(None)
    if libc.fork() == 0:
        libc.usleep(3_000_000)
        libc._exit(0)
    time.sleep(0.5)
"""
    forker = python(node, code)
    staying = python(node, "track('staying', 3.0)")
    forker.wait(TAKES_S)
    ended(staying)
    made = records(tmp_path / "home")
    assert error_j(made) == pytest.approx(0.0, abs=late_j())
    reasons = [
        gap["reason"] for record in made for gap in record["gaps"] if "accelerator" in gap["component"]
    ]
    assert not [reason for reason in reasons if "before the first reading" not in reason]


def test_runs_that_see_different_cards_are_charged_for_their_own(node: dict[str, str], tmp_path: Path):
    """Card i draws 250 W x (1 + i/10): runs see 0 and 1, 1 and 2, 7, and none."""
    cards = {"FAKE_NVML_COUNT": "8"}
    seen = {"first": "0,1", "second": "1,2", "third": "7", "none": ""}
    processes = [
        python(node, f"track('{name}', {2.0 - 0.2 * place})", CUDA_VISIBLE_DEVICES=value, **cards)
        for place, (name, value) in enumerate(seen.items())
    ]
    ended(*processes)
    made = by_name(tmp_path / "home")
    named = {
        name: {part["component"] for part in record["components"] if "accelerator" in part["component"]}
        for name, record in made.items()
    }
    assert named == {
        "first": {"accelerator:0", "accelerator:1"},
        "second": {"accelerator:1", "accelerator:2"},
        "third": {"accelerator:7"},
        "none": set(),
    }
    third_j = 1.7 * CARD_W * union_s([made["third"]])
    assert own_card_j(made["third"], 7) == pytest.approx(third_j, abs=1.7 * late_j())
    first_two = [made["first"], made["second"]]
    shared_j = sum(own_card_j(one, 1) for one in first_two)
    assert shared_j == pytest.approx(1.1 * CARD_W * union_s(first_two), abs=1.1 * late_j())
    counts = {
        name: sum(row["count"] for row in record["hardware"] if row["kind"] == "accelerator")
        for name, record in made.items()
    }
    assert counts == {"first": 2, "second": 2, "third": 1, "none": 0}


def own_card_j(record: dict[str, Any], card: int) -> float:
    """Energy that a record charges for one card [J]."""
    return sum(
        part["energy_kwh"]["value"] * 3.6e6
        for part in record["components"]
        if part["component"] == f"accelerator:{card}"
    )


def test_strict_runs_and_the_rest_of_the_machine_add_up(node: dict[str, str], tmp_path: Path):
    """`--share process` alone and beside another run: charged and unallocated are what the card drew."""
    ended(python(node, "track('alone', 1.0, share='process')"))
    strict = python(node, "track('strict', 1.5, share='process')")
    ended(strict, python(node, "track('other', 0.7)", wait=False))
    made = by_name(tmp_path / "home")
    alone = made["alone"]
    drew_kwh = CARD_W * union_s([alone]) / 3.6e6
    assert alone["unallocated_kwh"]["value"] >= 0.9 * drew_kwh  # none of its processes is on the card
    assert made["other"]["unallocated_kwh"] is None


def test_removed_runtime_directory_makes_no_second_reader(node: dict[str, str], tmp_path: Path):
    """A cleaner of /tmp deletes it under a long run: who starts later still shares with it."""
    import shutil

    long = python(node, "track('long', 2.4)")
    time.sleep(0.3)
    shutil.rmtree(tmp_path / "home" / "runtime")
    time.sleep(0.6)
    late = python(node, "track('late', 0.8)")
    ended(long, late)
    assert error_j(records(tmp_path / "home")) == pytest.approx(0.0, abs=late_j())


def test_user_whose_group_may_write_shares_too(node: dict[str, str], tmp_path: Path):
    """A umask of 002 is the default of many systems."""
    code = "os.umask(0o002); track('{}', {})"
    one = python(node, code.format("one", 1.5))
    two = python(node, code.format("two", 0.7))
    assert ended(one, two) == ["", ""]
    assert error_j(records(tmp_path / "home")) == pytest.approx(0.0, abs=late_j())
