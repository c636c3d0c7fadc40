"""Runs that share a runtime directory from several namespaces of process numbers, as containers may."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from sootprint.tracker import registration
from sootprint.tracker.namespaces import pid_here
from sootprint.tracker.registration import Registration, run_above
from sootprint.tracker.seat import Seat

THERE = 4_026_532_999


@pytest.fixture
def procfs(tmp_path: Path) -> Path:
    """A process table in which 830 is the first process of another namespace, and 831 its second."""
    for pid, space, numbers in (
        (1, 5, "1"),
        (830, THERE, "830\t1"),
        (831, THERE, "831\t7"),
        (840, 6, "840\t1"),
    ):
        folder = tmp_path / "proc" / str(pid)
        (folder / "ns").mkdir(parents=True)
        (folder / "ns" / "pid").symlink_to(f"pid:[{space}]")
        (folder / "status").write_text(f"Name:\tpython\nNSpid:\t{numbers}\nThreads:\t1\n")
    return tmp_path / "proc"


def test_process_of_another_namespace_is_found_by_its_number_there(procfs: Path) -> None:
    """Numbers are used once in each namespace; one that cannot be seen from here is none."""
    assert [pid_here(pid, THERE, str(procfs)) for pid in (1, 7, 8)] == [830, 831, None]
    assert pid_here(1, THERE + 1, str(procfs)) is None
    assert pid_here(1, THERE, str(procfs / "none")) is None


@pytest.mark.parametrize("status", ["", "NSpid:", "NSpid:\tx", "Name:\tNSpid"])
def test_status_that_tells_no_number_is_passed_over(procfs: Path, status: str) -> None:
    """An old kernel has no such line."""
    (procfs / "830" / "status").write_text(status)
    assert pid_here(1, THERE, str(procfs)) is None


def test_run_in_a_container_is_not_the_one_above_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its process has the number of this machine's first one there, from which everything here descends."""
    inside, here = Seat(tmp_path / "run", "/sys"), Seat(tmp_path / "run", "/sys")
    inside.register(Registration("inside", 1))
    assert run_above(here.others(), "/proc") == "inside"
    monkeypatch.setattr(registration, "namespace", lambda: THERE)
    assert here.others()["inside"].namespace is not None
    assert run_above(here.others(), "/proc") is None
    inside.close()
    here.close()


def test_holder_of_another_namespace_is_not_a_run_of_this_one(tmp_path: Path) -> None:
    """Whoever reads is found by its number here alone."""
    inside, here = Seat(tmp_path / "run", "/sys"), Seat(tmp_path / "run", "/sys")
    inside.register(Registration("inside", os.getpid()))
    (file,) = (inside.folder / "runs").iterdir()
    content = json.loads(file.read_text()) | {"namespace": THERE}
    file.write_text(json.dumps(content))
    assert here.take()
    assert here.others()["inside"].namespace == THERE
    assert here.holder() is None
    inside.close()
    here.close()
