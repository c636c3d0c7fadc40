"""Lines of shell, here or on another machine over ssh, each with a bound on its time."""

from __future__ import annotations

import contextlib
import os
import selectors
import shlex
import subprocess
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from sootprint.settings.targets import Target

LIMIT_S = 60.0  # of one short answer
SILENT_S = 120.0  # without a byte, a copy has stopped
SSH = (
    *("ssh", "-o", "BatchMode=yes", "-o", "ConnectTimeout=10"),
    *("-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=4"),
)
NO_CONNECTION = 255  # exit code of ssh itself
CHUNK = 1 << 20


class UnreachableError(OSError):
    """A place does not answer, or not as it should; its text is one line for a person."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.strerror = text


class Answer(NamedTuple):
    """Exit code and what was written."""

    code: int
    out: str
    err: str

    @property
    def reason(self) -> str:
        """Last line of what was complained, for a person."""
        lines = [line for line in self.err.splitlines() if line.strip()]
        return lines[-1].strip() if lines else f"exit code {self.code}"


def command(target: Target | None, script: str) -> list[str]:
    """Command that runs a script of shell in a place, after its own set-up."""
    whole = script if target is None or not target.setup else f"{target.setup}\n{script}"
    if target is None or target.host is None:
        return ["/bin/sh", "-c", whole]
    configured = ["-F", target.ssh_config] if target.ssh_config else []
    return [*SSH, *configured, "--", target.host, f"/bin/sh -c {shlex.quote(whole)}"]


def answer(target: Target | None, script: str, *, given: str = "", limit_s: float = LIMIT_S) -> Answer:
    """What a script of shell answers in a place.

    Raises:
        UnreachableError: The place cannot be reached, or is silent.
    """
    try:
        done = subprocess.run(
            command(target, script),
            check=False,
            input=given,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=limit_s,
        )
    except subprocess.TimeoutExpired:
        raise UnreachableError(f"{_named(target)} has not answered in {limit_s:.0f} s") from None
    except OSError as err:
        raise UnreachableError(f"{_named(target)} cannot be asked: {err.strerror or err}") from None
    found = Answer(done.returncode, done.stdout, done.stderr)
    if target is not None and target.is_remote and found.code == NO_CONNECTION:
        raise UnreachableError(f"{_named(target)} cannot be reached: {found.reason}")
    return found


def piped(source: Sequence[str], sink: Sequence[str]) -> int:
    """Bytes that went from one command into another, both of which succeeded.

    Raises:
        UnreachableError: One of them failed, or nothing moved for `SILENT_S`.
    """
    with contextlib.ExitStack() as ends:
        first = subprocess.Popen(
            source, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        ends.callback(_ended, first)
        second = subprocess.Popen(
            sink, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        ends.callback(_ended, second)
        assert first.stdout is not None and second.stdin is not None
        size = _pumped(first.stdout.fileno(), second.stdin.fileno())
        with contextlib.suppress(BrokenPipeError):
            second.stdin.close()
        second.stdin = None
        for one in (first, second):
            try:
                said = one.communicate(timeout=SILENT_S)[1]
            except subprocess.TimeoutExpired:
                raise UnreachableError(f"a copy has not ended in {SILENT_S:.0f} s") from None
            if one.returncode:
                words = Answer(one.returncode, "", said.decode("utf-8", "replace"))
                raise UnreachableError(f"a copy has failed: {words.reason}")
    return size


def _pumped(source: int, sink: int) -> int:
    """Bytes copied until the source ends, or the sink no longer takes them."""
    size, until_s = 0, time.monotonic() + SILENT_S
    os.set_blocking(sink, False)
    with selectors.DefaultSelector() as ready:
        ready.register(source, selectors.EVENT_READ)
        while time.monotonic() < until_s:
            if not ready.select(1.0):
                continue
            chunk = os.read(source, CHUNK)
            if not chunk or not _written(sink, chunk):
                return size
            size += len(chunk)
            until_s = time.monotonic() + SILENT_S
    raise UnreachableError(f"a copy has not moved for {SILENT_S:.0f} s")


def _written(sink: int, chunk: bytes) -> bool:
    """Whether a sink took all of a chunk; one that has ended takes nothing, and its exit code tells why."""
    left, until_s = memoryview(chunk), time.monotonic() + SILENT_S
    with selectors.DefaultSelector() as ready:
        ready.register(sink, selectors.EVENT_WRITE)
        while left and time.monotonic() < until_s:
            if ready.select(1.0):
                try:
                    left = left[os.write(sink, left) :]
                except BrokenPipeError:
                    return False
    return not left


def _ended(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.kill()
    process.communicate()


def _named(target: Target | None) -> str:
    return "this machine" if target is None else f"target {target.name}"
