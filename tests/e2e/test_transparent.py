"""`sootprint run` is not there for the command: streams, signals, exit code and surroundings are its own."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.e2e.harness import SOOTPRINT, TAKES_S, environment, seconds

COUNTS_INTERRUPTS = """
import signal, sys, time
seen = []
signal.signal(signal.SIGINT, lambda number, frame: seen.append(number))
print("ready", flush=True)
end = time.monotonic() + 60.0
while not seen and time.monotonic() < end:
    time.sleep(0.05)
time.sleep(1.5)  # for a second one
sys.exit(40 + len(seen))
"""
SURROUNDINGS = """
import os
glibc = 3 << 31  # signals 32 and 33, which posix_spawn ignores in every child
words = [line.split() for line in open("/proc/self/status") if line.startswith(("SigBlk", "SigIgn", "SigCgt"))]
print({name: hex(int(mask, 16) & ~glibc) for name, mask in words})
print({name: value for name, value in os.environ.items() if name not in ("_", "LINES", "COLUMNS")})
print(os.getcwd(), sorted(os.listdir("/proc/self/fd")), os.getpgid(0) == os.getpgid(os.getppid()))
"""
ENDS_ON_TERM = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(7))
print("ready", flush=True)
time.sleep(30)
"""


def _run(
    command: list[str], home: Path, *options: str, stdin: bytes | None = None
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [SOOTPRINT, "run", "--zone", "FR", *options, "--", *command],
        env=environment(home),
        input=stdin,
        capture_output=True,
        timeout=TAKES_S,
    )


def _started(command: list[str], home: Path) -> subprocess.Popen[bytes]:
    """A run whose command has said that it is ready."""
    run = subprocess.Popen(
        [SOOTPRINT, "run", "--record", str(home / "record.json"), "--", *command],
        env=environment(home),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert run.stdout is not None
    assert run.stdout.readline() == b"ready\n"
    return run


@pytest.fixture(autouse=True)
def _folder(home: Path) -> None:
    home.mkdir()


@pytest.mark.parametrize("closed", [">&-", "<&- >&- 2>&-"])
def test_exit_code_passes_where_streams_are_closed(home: Path, closed: str) -> None:
    """A daemon or a batch system may start us without standard streams."""
    script = f'"$0" run --zone FR --quiet -- sh -c "exit 7" {closed}'
    done = subprocess.run(["sh", "-c", script, SOOTPRINT], env=environment(home), timeout=TAKES_S)
    assert done.returncode == 7


@pytest.mark.parametrize("code", [0, 1, 2, 42, 255])
def test_exit_code_is_the_commands(home: Path, code: int) -> None:
    """Success and failure alike, and a record of either."""
    record = home / "record.json"
    done = _run(["sh", "-c", f"exit {code}"], home, "--record", str(record))
    assert done.returncode == code, done.stderr
    assert json.loads(record.read_text(encoding="utf-8"))["duration_s"] > 0.0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGSEGV, signal.SIGINT])
def test_death_by_a_signal_is_passed_on(home: Path, number: signal.Signals) -> None:
    """Whoever waits for us sees the same signal, and the run is on record."""
    record = home / "record.json"
    done = _run(["sh", "-c", f"kill -{number.value} $$"], home, "--record", str(record))
    assert done.returncode == -number
    assert record.exists()


def test_command_that_is_not_there(home: Path) -> None:
    """127 as a shell answers, one line that names it, and no record."""
    done = _run(["no-such-command-here"], home)
    assert done.returncode == 127
    assert b"no-such-command-here" in done.stderr
    assert done.stderr.count(b"\n") == 1
    assert list(home.glob("journal/*")) == []


def test_command_that_cannot_be_executed(home: Path, tmp_path: Path) -> None:
    """126 as a shell answers."""
    script = tmp_path / "script"
    script.write_text("#!/bin/sh\n", encoding="utf-8")
    done = _run([str(script)], home)
    assert done.returncode == 126
    assert done.stderr.count(b"\n") == 1


def test_streams_pass_through_byte_for_byte(home: Path) -> None:
    """A megabyte of every byte in and out, and nothing of ours on the standard output."""
    data = bytes(range(256)) * 4096
    done = _run(["cat"], home, stdin=data)
    assert done.returncode == 0
    assert done.stdout == data


def test_standard_error_of_the_command_comes_first(home: Path) -> None:
    """Its own lines are there, then the summary; `--quiet` leaves only its own."""
    command = ["sh", "-c", "echo mine >&2"]
    assert _run(command, home).stderr.startswith(b"mine\n")
    assert len(_run(command, home).stderr) > len(b"mine\n")
    assert _run(command, home, "--quiet").stderr == b"mine\n"


def test_command_sees_the_environment_and_signals_that_it_would_see_without_us(home: Path) -> None:
    """The same variables but for the stated zone, folder, ignored and blocked signals, and no open file of ours."""
    command = [sys.executable, "-c", SURROUNDINGS]
    told = environment(home) | {"SOOTPRINT_ZONE": "FR"}
    alone = subprocess.run(command, env=told, capture_output=True, check=True)
    assert _run(command, home).stdout == alone.stdout


def test_sigterm_to_us_reaches_the_command(home: Path) -> None:
    """The command ends itself in its own way, and the record is complete."""
    run = _started([sys.executable, "-c", ENDS_ON_TERM], home)
    run.send_signal(signal.SIGTERM)
    assert run.wait(TAKES_S) == 7
    assert json.loads((home / "record.json").read_text(encoding="utf-8"))["energy_kwh"]["value"] > 0.0


def test_sigint_to_us_alone_reaches_the_command_once(home: Path) -> None:
    """`kill -INT` on our process is passed on."""
    run = _started([sys.executable, "-c", COUNTS_INTERRUPTS], home)
    time.sleep(0.3)
    run.send_signal(signal.SIGINT)
    assert run.wait(TAKES_S) == 41


def test_interrupt_of_a_terminal_reaches_the_command_once(home: Path) -> None:
    """Ctrl-C goes to the whole foreground group: we pass nothing on, and outlive it to keep the record."""
    record = home / "record.json"
    command = [SOOTPRINT, "run", "--record", str(record), "--", sys.executable, "-c", COUNTS_INTERRUPTS]
    environ = environment(home)
    child, terminal = pty.fork()
    if child == 0:  # pragma: no cover
        os.execve(command[0], command, environ)
    shown = b""
    while b"ready" not in shown:
        shown += os.read(terminal, 1024)
    time.sleep(0.3)
    os.write(terminal, b"\x03")
    try:
        while chunk := os.read(terminal, 1024):
            shown += chunk
    except OSError:  # Linux answers EIO once the other side has closed
        pass
    os.close(terminal)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 41, shown
    assert json.loads(record.read_text(encoding="utf-8"))["duration_s"] >= 1.5


def test_stopped_and_continued_command_is_measured_on(home: Path) -> None:
    """SIGSTOP to the command stops neither us nor the clock."""
    code = "import os, sys, time; print('ready', flush=True); time.sleep(1.0); sys.exit(3)"
    run = _started([sys.executable, "-c", code], home)
    (child,) = _children(run.pid)
    os.kill(child, signal.SIGSTOP)
    time.sleep(1.5)
    os.kill(child, signal.SIGCONT)
    assert run.wait(TAKES_S) == 3
    assert json.loads((home / "record.json").read_text(encoding="utf-8"))["duration_s"] >= 1.4


def test_children_of_the_command_are_in_the_run(home: Path) -> None:
    """The command ends when its own process does; what its children spent until then is in the CPU time."""
    record = home / "record.json"
    burn = "import time\nend = time.process_time() + 1.0\nwhile time.process_time() < end: pass"
    done = _run(["sh", "-c", f"{sys.executable} -c '{burn}'; true"], home, "--record", str(record))
    assert done.returncode == 0
    footprint = json.loads(record.read_text(encoding="utf-8"))
    busy_s = footprint["process_share"] * footprint["duration_s"] * (os.cpu_count() or 1)
    assert footprint["process_share"] > 0.0
    assert busy_s <= footprint["duration_s"] * (os.cpu_count() or 1)
    assert seconds(footprint["ended"]) - seconds(footprint["started"]) == pytest.approx(
        footprint["duration_s"], abs=0.01
    )


def _children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8")
    if text:
        return [int(word) for word in text.split()]
    stats = Path("/proc").glob("[0-9]*/stat")
    return [
        int(path.parent.name) for path in stats if path.read_text().rpartition(")")[2].split()[1] == str(pid)
    ]
