"""The record of a run to the places of the settings, after its end, by a process of its own.

A package of another tool may load for seconds, print, hang or crash, and a server may not answer: none of that is the
run's. What has not been sent when the wait is over is sent on in the background, and what fails waits in the outbox.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from sootprint.exporters.outbox import Outbox
from sootprint.runner.delivery import lines
from sootprint.tracker.sampler import guarded

if TYPE_CHECKING:
    from sootprint.core.records import Footprint
    from sootprint.settings import Settings

WAIT_S = 10.0  # for the places, after the command has ended
LOOK_S = 0.05
INTERRUPTS = {signal.SIGINT, signal.SIGTERM}
LATER = "is sent in the background; `sootprint export` sends what still waits"


class Exporting:
    """The way of one run's record to the places of the settings.

    Args:
        settings: Settings, with the places.
        say: Called with one line for a person.
        quiet: Whether only what failed is said.
    """

    def __init__(self, settings: Settings, *, say: Callable[[str], object], quiet: bool) -> None:
        self._settings, self._say, self._quiet = settings, say, quiet

    def finish(self, footprint: Footprint) -> None:
        """Put the record of a run that has ended into the outboxes, and send it."""
        for place in self._settings.exporters:
            guarded(functools.partial(self._put, place, footprint), self._say)
        told = self._told()
        if told is None:
            self._say(f"the record {LATER}")
        for good, line in told or ():
            if not (good and self._quiet):
                self._say(line)

    def _put(self, place: str, footprint: Footprint) -> None:
        box = Outbox(self._settings.home, place)
        box.put(footprint)
        box.keep_promise(footprint.id)

    def _told(self) -> list[tuple[bool, str]] | None:
        """What the places answered, good or bad; None where they have not yet."""
        child, output = _started([part for place in self._settings.exporters for part in ("--to", place)])
        with os.fdopen(output, "rb", buffering=0) as file:
            answer = _read(file.fileno(), time.monotonic() + WAIT_S)
        if answer is None:
            return None
        _, status = os.waitpid(child, 0)
        try:
            return [line for told in json.loads(answer) for line in lines(told)]
        except ValueError:
            code = os.waitstatus_to_exitcode(status)
            return [
                (False, f"nothing was exported (exit code {code}): `sootprint export` says why, and sends it")
            ]


def _started(arguments: list[str]) -> tuple[int, int]:
    """Process that sends what waits, and a descriptor of what it prints; it outlives this one and its terminal."""
    output, end = os.pipe()
    actions: list[Any] = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_DUP2, end, 1),
        (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
    ]
    actions += [(os.POSIX_SPAWN_CLOSE, number) for number in _inherited()]
    command = [sys.executable, "-P", "-m", "sootprint", "export", "--json", *arguments]
    try:
        child = os.posix_spawn(
            command[0], command, os.environ, file_actions=actions, setsid=True, setsigmask=()
        )
    except OSError:
        os.close(output)
        raise
    finally:
        os.close(end)
    return child, output


def _inherited() -> Iterator[int]:
    """Files that whoever started this process left open for its children, such as the lock of a script."""
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208 - numbers, not paths
        with contextlib.suppress(OSError):
            if int(name) > 2 and os.get_inheritable(int(name)):
                yield int(name)


def _read(descriptor: int, until_s: float) -> bytes | None:
    """All that comes from a descriptor; None where its end does not come in time, or an interrupt does."""
    read = b""
    while time.monotonic() < until_s and not signal.sigpending() & INTERRUPTS:
        if select.select([descriptor], [], [], LOOK_S)[0]:
            part = os.read(descriptor, 1 << 16)
            if not part:
                return read
            read += part
    return None
