"""Runs of other users, seen by their locks on one byte each of a file that everybody may read."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sootprint.tracker import guest, neighbours, service_client
from sootprint.tracker import source as sources
from sootprint.tracker.beside import members
from sootprint.tracker.neighbours import Neighbour, Neighbours, furnish, path_of
from sootprint.tracker.service.hall import Hall
from sootprint.tracker.service.protocol import Caller
from tests.tracker.test_guest import Line, Served
from tests.tracker.test_source import POWER_W, TICK_S

OWN, OTHER = os.geteuid(), os.geteuid() + 1
HOLDER = """
import sys, time
from sootprint.tracker.neighbours import Neighbours
held = Neighbours(sys.argv[1], "/proc", uid=int(sys.argv[2]), pid=77)
held.enter()
print("here", flush=True)
time.sleep(60)
"""


@pytest.fixture
def socket(tmp_path: Path) -> str:
    """Path of a socket, beside which a service has made the file."""
    furnish(str(tmp_path / "node.sock"))
    return str(tmp_path / "node.sock")


def _entered(socket: str, uid: int, pid: int) -> Neighbours:
    made = Neighbours(socket, "/proc", uid=uid, pid=pid)
    made.enter()
    return made


def test_runs_of_other_users_are_seen_until_they_end(socket: str) -> None:
    """One's own runs are none, whatever their number; a process that is not its user's is not looked at."""
    own = _entered(socket, OWN, 5)
    assert not own.any
    assert own.others() == []
    others = [_entered(socket, OTHER, 8), _entered(socket, OTHER + 1, 7), _entered(socket, OWN, 6)]
    assert own.any
    assert own.others() == [
        Neighbour(OTHER, None, f"/{OTHER}/8"),
        Neighbour(OTHER + 1, None, f"/{OTHER + 1}/7"),
    ]
    for one in others:
        one.close()
    assert not own.any


def test_all_of_many_are_found_once(socket: str) -> None:
    """The kernel tells one lock of a range at a time, in no order of their places."""
    held = [_entered(socket, OTHER + number % 3, 100 - number) for number in range(30)]
    seen = Neighbours(socket, "/proc")
    seen.look()
    assert len({one.name for one in seen.others()}) == len(seen.others()) == 30
    for one in held:
        one.close()


def test_process_of_its_user_is_known(socket: str) -> None:
    """What it uses can be looked at."""
    held = _entered(socket, OWN, os.getpid())
    seen = Neighbours(socket, "/proc")
    seen.look()
    assert [one.pid for one in seen.others()] == [os.getpid()]
    held.close()


def test_killed_process_is_seen_no_more(socket: str) -> None:
    """The kernel gives its lock up."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, socket, str(OTHER)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "here\n"
        own = _entered(socket, OWN, 5)
        assert own.any
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert not own.any


def test_file_may_be_read_by_all_and_written_by_nobody_else(socket: str) -> None:
    """Whatever the umask of the service."""
    before = os.umask(0o077)
    try:
        furnish(socket)
    finally:
        os.umask(before)
    assert Path(path_of(socket)).stat().st_mode & 0o777 == 0o644


def test_run_of_another_namespace_tells_no_process(socket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a container the first process has number 1, as init has here; who looks from there knows none of here."""
    near = _entered(socket, OWN, os.getpid())
    monkeypatch.setattr(neighbours, "namespace", lambda: 4711)
    inside = _entered(socket, OTHER, 1)
    assert [one.pid for one in inside.others()] == [None]
    monkeypatch.undo()
    assert near.others() == [Neighbour(OTHER, None, f"/{OTHER}/0")]
    for one in (near, inside):
        one.close()


def test_file_that_was_made_by_hand_is_of_this_namespace(tmp_path: Path) -> None:
    """It is empty, and shows the processes of users who have no service."""
    socket = str(tmp_path / "node.sock")
    Path(path_of(socket)).touch()
    held = _entered(socket, OWN, os.getpid())
    seen = Neighbours(socket, "/proc")
    seen.look()
    assert [one.pid for one in seen.others()] == [os.getpid()]
    held.close()


def test_link_in_the_place_of_the_file_is_not_followed(tmp_path: Path) -> None:
    """Nor is a pipe waited for."""
    socket = str(tmp_path / "node.sock")
    (tmp_path / "else").touch()
    Path(path_of(socket)).symlink_to(tmp_path / "else")
    assert not _entered(socket, OWN, 5)._files
    Path(path_of(socket)).unlink()
    os.mkfifo(path_of(socket))
    assert not _entered(socket, OWN, 5)._files


def test_those_who_know_the_file_before_go_on_seeing_who_has_moved_to_the_next(socket: str) -> None:
    """A service whose folder was removed with it makes a new file."""
    first, second = _entered(socket, OWN, 5), _entered(socket, OTHER, 6)
    Path(path_of(socket)).unlink()
    furnish(socket)
    first.enter()
    assert second.any
    third = _entered(socket, OTHER + 1, 7)
    assert {one.uid for one in first.others()} == {OTHER, OTHER + 1}
    for one in (first, second, third):
        one.close()


def test_run_that_a_neighbour_has_begun_is_a_part_of_it() -> None:
    """Its use is in that of the other."""
    found = [
        Neighbour(OWN, os.getpid(), "/0/1"),
        Neighbour(OWN, os.getppid(), "/0/2"),
        Neighbour(OTHER, None, "/1/3"),
    ]
    made = members(found, "/proc", "/sys")
    assert [made[name].tracked.parent for name in ("/0/1", "/0/2", "/1/3")] == ["/0/2", None, None]
    assert [list(made[name].tracked.pids) for name in ("/0/1", "/1/3")] == [[os.getpid()], []]


def test_service_leaves_their_part_to_users_of_whom_none_has_come() -> None:
    """Once one has come, all runs of that user are its own affair; one that cannot be seen is believed nothing."""
    hall = Hall("/proc", "/sys")
    beside = [Neighbour(OTHER, os.getpid(), f"/{OTHER}/5"), Neighbour(OTHER + 1, None, f"/{OTHER + 1}/6")]
    assert list(hall.waiting(beside)) == [f"/{OTHER}/5"]
    hall.join(Caller(os.getpid(), OTHER), {"run": "a"})
    assert hall.waiting(beside) == {}


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """A machine whose node service has died."""
    monkeypatch.setattr(sources, "ANSWER_S", 0.0)  # all runs are in one thread
    monkeypatch.setattr(guest, "ANSWER_S", 0.0)
    monkeypatch.setattr(service_client, "Served", Line)
    made = Served(tmp_path / "node")
    made.serve()
    furnish(str(made.socket))
    yield made
    Line.serving.clear()


def test_two_users_have_a_part_each_while_the_service_is_away(node: Served) -> None:
    """Nobody can be seen to use anything here, so that all runs have equal parts; alone again, a user has all."""
    first, second = node.join(), node.join()
    other = _entered(str(node.socket), OTHER, 7)
    node.advance()
    node.stop()
    node.advance()  # the other of the two has heard of it
    before_j = first.energy_j + second.energy_j
    for _ in range(3):
        node.advance()
    among_three_j = first.energy_j + second.energy_j - before_j
    assert among_three_j == pytest.approx(2.0 * POWER_W * TICK_S, rel=1e-6)  # two of three runs
    other.close()
    node.advance()  # until now it had its part
    before_j = first.energy_j + second.energy_j
    node.advance()
    assert first.energy_j + second.energy_j - before_j == pytest.approx(POWER_W * TICK_S)


def test_run_that_is_alone_sees_another_user_come(node: Served) -> None:
    """At its next look, as nobody can wake it."""
    node.stop()
    first = node.join()
    node.advance()
    other = _entered(str(node.socket), OTHER, 7)
    node.advance()
    before_j = first.energy_j
    node.advance()
    assert first.energy_j - before_j == pytest.approx(0.5 * POWER_W * TICK_S)
    other.close()
    first.leave()


def test_run_that_has_ended_is_seen_no_more(node: Served) -> None:
    """From its last look on, while its record is yet to be written."""
    run = node.join()
    seen = Neighbours(str(node.socket), "/proc")
    seen.look()
    assert [one.uid for one in seen.others()] == [OWN]
    run.source.end()
    assert not seen.any
    run.source.close()


def test_run_is_known_to_a_service_whose_folder_went_with_it(node: Served) -> None:
    """A service manager may remove the folder of one that died: who is led by another is seen on the new file, too."""
    first, second = node.join(), node.join()
    node.advance()
    node.stop()
    node.advance()
    Path(path_of(str(node.socket))).unlink()
    node.serve()
    furnish(str(node.socket))
    seen = Neighbours(str(node.socket), "/proc")
    seen.look()
    assert not seen.any
    assert first.reads
    second.source.tick()
    assert [one.uid for one in seen.others()] == [OWN]
    for run in (first, second):
        run.leave()


def test_own_runs_that_have_not_registered_count_as_the_one_that_reads(node: Served) -> None:
    """Runs of other users see them, and leave them their part; one that has registered counts as itself."""
    node.stop()
    first, second = node.join(), node.join()
    node.advance()
    reader = first.source._reader
    assert reader is not None
    kin = [Neighbour(OWN, pid, f"/{OWN}/{pid}") for pid in (os.getpid(), 4, None)]
    reader._beside = lambda: ([], kin)
    present = reader._present()
    assert [list(present[f"run-{number}"].tracked.pids) for number in (0, 1)] == [
        [os.getpid(), 4],
        [os.getpid()],
    ]
    for run in (first, second):
        run.leave()


def test_own_runs_are_kin(socket: str) -> None:
    """Of whatever runtime directory; the run itself is none, nor is one of another user."""
    held = [_entered(socket, uid, pid) for uid, pid in ((OWN, 5), (OWN, 6), (OTHER, 7))]
    assert [one.name for one in held[0].kin()] == [f"/{OWN}/6"]
    for one in held:
        one.close()
