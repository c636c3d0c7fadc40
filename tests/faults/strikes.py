"""How the faults come about: each function does one thing to a stage while its runs go on."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from sootprint.ledger import Ledger
from sootprint.tracker.seat import Seat
from tests.e2e.harness import SOOTPRINT, TAKES_S
from tests.e2e.node import Client
from tests.faults.ground import move_clock
from tests.faults.stage import Stage
from tests.faults.training import boot_s
from tests.fixtures.fake_devices import NOBODY

NS = 1e9
HOUR_S = 3600.0
STOPPED_S = 5.0
SUSPENDED_S = 2.0
FILLED = "ballast"
GARBAGE = b'\x00\xff{"k": [[[\n' * 40
LOCKS = """
import sqlite3, sys, time
with sqlite3.connect(sys.argv[1], isolation_level=None) as ledger:
    ledger.execute("BEGIN EXCLUSIVE")
    time.sleep(60)
"""
BABBLES = """
import socket, sys
with socket.socket(socket.AF_UNIX) as door:
    door.bind(sys.argv[1])
    door.listen()
    print("ready", flush=True)
    guests = []
    while True:
        guests.append(door.accept()[0])
        try:
            guests[-1].recv(100_000)
            guests[-1].sendall(bytes(range(128, 256)) + b'{"ok": true, "entries": [[1]]}\\n[[[\\n')
        except OSError:
            pass
"""

# A home on a small disk of its own, which no other process sees; what is left on it is copied out at the end.
SMALL_DISK = """
mount -t tmpfs -o size=256k tmpfs "$0/home" || exit 99
"$@"; code=$?
rm -f "$0/home/ballast"; cp -r "$0/home" "$0/kept"; exit $code
"""
READ_ONLY = """
mount -t tmpfs -o size=256k tmpfs "$0/home" && mount -o remount,ro "$0/home" || exit 99
"$@"
"""
OWN_MOUNTS = ("unshare", "--mount", "--propagation", "private")
# Root reads what it likes; without these two rights it may read what it owns, as a user does.
LIKE_A_USER = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")
LIKE_A_USER += ("--inh-caps=-dac_override,-dac_read_search",)


def signal_trainings(number: int) -> Callable[[Stage], None]:
    """Strike that sends a signal to each training and to the twin."""

    def strike(stage: Stage) -> None:
        for pid in stage.trainings():
            os.kill(pid, number)

    return strike


def signal_trackers(number: int) -> Callable[[Stage], None]:
    """Strike that sends a signal to each `sootprint run` and to the twin."""

    def strike(stage: Stage) -> None:
        for process in (*stage.runs, stage.alone):
            process.send_signal(number)

    return strike


def kill_tracker(stage: Stage) -> None:
    """`kill -9` of the first `sootprint run`; its training goes on."""
    stage.runs[0].kill()


def kill_last_tracker(stage: Stage) -> None:
    """`kill -9` of the last `sootprint run`; its training goes on."""
    stage.runs[-1].kill()


def spoil_board(stage: Stage) -> None:
    """What the leader tells the others is garbage."""
    for folder in stage.runtime.iterdir():
        (folder / "board.json").write_bytes(GARBAGE)


def spoil_board_and_kill(stage: Stage) -> None:
    """What the leader told is garbage, and the leader is dead."""
    stage.runs[0].send_signal(signal.SIGSTOP)  # it must not mend the board first
    spoil_board(stage)
    stage.runs[0].kill()


def leave_former_boot(stage: Stage) -> None:
    """What runs leave behind that a loss of power ended; one has the process id of a living program."""
    seat = Seat(stage.runtime, str(stage.sysfs))
    seat.take()
    seat.close()
    board = {"boot": "former", "origin": "former", "shared": [], "lines": {"former": {}}, "closed": {}}
    (seat.folder / "board.json").write_text(json.dumps(board), encoding="utf-8")
    former = {"id": "former", "pid": os.getpid(), "parent": None, "strict": False, "environ": {}}
    (seat.folder / "runs" / "former.json").write_text(json.dumps(former), encoding="utf-8")


def stop_tracker(stage: Stage) -> None:
    """The tracker alone stands still for some seconds."""
    stage.runs[0].send_signal(signal.SIGSTOP)
    time.sleep(STOPPED_S)
    stage.runs[0].send_signal(signal.SIGCONT)


def cut_journal(stage: Stage) -> None:
    """The last line of each journal loses its second half."""
    for path in (stage.home / "journal").glob("*.jsonl"):
        whole = path.read_bytes()
        last = whole.rstrip(b"\n").rpartition(b"\n")[2]
        path.write_bytes(whole[: -1 - len(last) // 2])


def fill_disk(stage: Stage) -> None:
    """The last byte of the run's own small disk is taken."""
    with _ballast(stage).open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(1024))


def fill_disk_for_a_while(stage: Stage) -> None:
    """The disk is full for a while."""
    fill_disk(stage)
    time.sleep(1.2)
    _ballast(stage).unlink()


def _ballast(stage: Stage) -> Path:
    return Path(f"/proc/{stage.runs[0].pid}/root{stage.home}/{FILLED}")


def remove_home(stage: Stage) -> None:
    """The home is deleted with all that is in it."""
    shutil.rmtree(stage.home)


def remove_runtime(stage: Stage) -> None:
    """The folder of locks is deleted with all that is in it."""
    shutil.rmtree(stage.runtime)


def step_clock(by_s: float) -> Callable[[Stage], None]:
    """Strike that steps the wall clock of the measured processes."""

    def strike(stage: Stage) -> None:
        move_clock(stage.clock_file, wall_ns=int(by_s * NS))

    return strike


def suspend(stage: Stage) -> None:
    """All processes stand still for a while that their monotonic clock knows nothing of."""
    pids = [stage.runs[0].pid, *stage.trainings()]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    time.sleep(SUSPENDED_S)
    move_clock(stage.clock_file, monotonic_ns=int(-SUSPENDED_S * NS))
    for pid in pids:
        os.kill(pid, signal.SIGCONT)


def suspend_off(stage: Stage) -> None:
    """The same with the power off: nothing is spent until the counters have begun again from zero."""
    started_s = boot_s()
    suspend(stage)
    stage.asleep_s = started_s, started_s + SUSPENDED_S


def take_permission(stage: Stage) -> None:
    """The counters belong to somebody else from now on."""
    folder = stage.sysfs / "class" / "powercap"
    os.chown(folder, NOBODY, NOBODY)
    folder.chmod(0o700)


def make_ledger(stage: Stage) -> None:
    """A ledger that is there before the run."""
    Ledger(stage.home).close()


def lock_ledger(stage: Stage) -> None:
    """Another program holds the ledger."""
    path = str(stage.home / "ledger.sqlite")
    stage.others.append(subprocess.Popen([sys.executable, "-c", LOCKS, path]))


def unlock_ledger(stage: Stage) -> None:
    """The other program ends."""
    stage.others[-1].kill()
    stage.others[-1].wait()


def corrupt_settings(stage: Stage) -> None:
    """The user's file of settings holds garbage."""
    (stage.home / "sootprint.toml").write_bytes(GARBAGE)


def runtime_is_a_file(stage: Stage) -> None:
    """A file stands where the folder of locks should be."""
    stage.runtime.rmdir()
    stage.runtime.write_bytes(GARBAGE)


def runtime_of_another(stage: Stage) -> None:
    """The folder of locks belongs to another user, who lets nobody in."""
    os.chown(stage.runtime, NOBODY, NOBODY)
    stage.runtime.chmod(0o700)


def _socket(stage: Stage) -> Path:
    return stage.folder / "node.sock"


def serve(stage: Stage) -> None:
    """A node service that answers."""
    state = stage.folder / "state"
    state.mkdir(mode=0o700)
    told = ["--metrics", "off", "--socket", str(_socket(stage)), "--state", str(state)]
    service = stage.begin("service", [SOOTPRINT, "node", "serve", *told], stage.environ())
    stage.others.append(service)
    until_s = boot_s() + TAKES_S
    while _runs_of_service(stage) is None:
        assert service.poll() is None and boot_s() < until_s, "the node service does not answer"
        time.sleep(0.02)


def _runs_of_service(stage: Stage) -> int | None:
    """Number of runs that the service charges, or None where it does not answer."""
    with contextlib.suppress(OSError), Client(_socket(stage)) as client:
        counts = client.ask({"op": "status"}).get("counts")
        return None if counts is None else int(counts["runs"])
    return None


def _joined_service(stage: Stage) -> subprocess.Popen[bytes]:
    """The service, which the run must have joined."""
    assert _runs_of_service(stage) == stage.fault.runs, "the run did not join the service"
    return stage.others[0]


def kill_service(stage: Stage) -> None:
    """`kill -9` of the service."""
    _joined_service(stage).kill()


def hang_service(stage: Stage) -> None:
    """The service takes requests and answers none."""
    _joined_service(stage).send_signal(signal.SIGSTOP)


def babble_later(stage: Stage) -> None:
    """The service dies, and something else answers at its place."""
    service = _joined_service(stage)
    service.kill()
    service.wait()
    _socket(stage).unlink()
    babble(stage)


def babble(stage: Stage) -> None:
    """Something answers that is no node service."""
    command = [sys.executable, "-c", BABBLES, str(_socket(stage))]
    stage.others.append(stage.begin("babbler", command, os.environ))
    until_s = boot_s() + TAKES_S
    while not _socket(stage).exists():
        assert boot_s() < until_s, "nobody babbles"
        time.sleep(0.02)
