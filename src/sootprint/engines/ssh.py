"""The engine of another machine over ssh, or of the Slurm behind it: Sootprint's own far end does what is asked.

Nothing is lost with the line: the far machine keeps the segment's book, and what it tells is copied into the plan's.
A segment whose machine cannot be reached counts as running, for it may be.
"""

from __future__ import annotations

import dataclasses
import json
import os
import shlex
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sootprint.core.errors import RecordError
from sootprint.core.records import Footprint
from sootprint.engines import streams
from sootprint.engines.book import Book, Segment
from sootprint.engines.local import folder_of
from sootprint.engines.shell import UnreachableError, answer
from sootprint.ledger import spool

if TYPE_CHECKING:
    from sootprint.settings.targets import Target

SOONEST_S, LATEST_S, SHARE = 0.5, 15.0, 0.02  # a job is looked at each 2 % of its time


class SshHandle:
    """A segment that runs on another machine, or is to."""

    def __init__(self, engine: SshEngine, book: Book, number: int, *, resume: bool) -> None:
        self._engine, self._book, self._number, self._resume = engine, book, number, resume
        self._began_s = time.monotonic()
        self._looked_s: float | None = None
        self._running = True
        self._code: int | None = None
        self._streams = streams.Streams(book.folder, number)

    def pause(self) -> str | None:
        """Why the job is not asked to pause; None where it was asked.

        Raises:
            UnreachableError: Its machine cannot be reached.
        """
        told = self._ask("pause")
        refusal = told.get("refusal", "it has not begun yet")
        if refusal is None:
            self._book.write("asked", segment=self._number)
        return None if refusal is None else str(refusal)

    def send(self, number: int) -> None:
        """Pass a signal on to the job."""
        self._ask("send", number=number)

    def code(self) -> int | None:
        """Exit code of a segment whose end its own book does not tell."""
        return self._code

    def is_running(self) -> bool:
        """Whether the segment still runs, looked at now and then; one that never arrived is started.

        Raises:
            UnreachableError: Its machine cannot be reached.
        """
        now_s = time.monotonic()
        wait_s = min(LATEST_S, max(SOONEST_S, SHARE * (now_s - self._began_s)))
        if self._looked_s is not None and now_s < self._looked_s + wait_s:
            return self._running
        self._looked_s = now_s
        told = self._ask("look", seen=self._streams.seen)
        if not told.get("known"):
            self._engine.send_start(self._book, self._number, resume=self._resume)
            return True
        self._copy(told["lines"])
        output = streams.unpacked(told.get("output", {}))
        if told["running"]:
            if not self._streams.pass_on(output):
                self._looked_s = None  # there is more
        else:
            self._streams.finish(output, self._output)
            self._code = told["code"]
            self._fetch_record()
            self._running = False
        return self._running

    def _copy(self, lines: list[dict[str, Any]]) -> None:
        """Write what the far book tells, and this one does not yet; its lines are known by kind and time."""
        own = [one for one in self._book.lines() if one.get("segment") == self._number]
        known = {(one["k"], one["at_s"]) for one in own}
        for line in lines:
            if (line["k"], line["at_s"]) not in known:
                told = {name: value for name, value in line.items() if name != "k"}
                self._book.write(line["k"], **told | {"segment": self._number})

    def _output(self, seen: Mapping[str, int]) -> dict[str, bytes]:
        """What the job has written after so many bytes of each stream."""
        return streams.unpacked(self._ask("look", seen=seen).get("output", {}))

    def _fetch_record(self) -> None:
        """Keep the record of the segment on this machine, too."""
        self._engine.fetch_record(self._book, self._number)

    def _ask(self, do: str, **more: Any) -> dict[str, Any]:
        return self._engine.ask(do, id=guest(self._book, self._number), **more)


class SshEngine:
    """Jobs of another machine.

    Args:
        target: Settings of the place, with its host.
    """

    name = "ssh"

    def __init__(self, target: Target) -> None:
        self._target = target

    def probe(self) -> None:
        """Nothing where a job can be started there now.

        Raises:
            UnreachableError: It cannot.
        """
        self.ask("hello")

    def start(self, book: Book, *, resume: bool) -> SshHandle:
        """Begin the next segment of a plan.

        Raises:
            OSError: The book cannot be written. A line that is cut is no error: it is asked again.
        """
        segment, lock = book.begin_segment(resume=resume, target=self._target.name)
        handle = SshHandle(self, book, segment.number, resume=resume)
        try:
            self.send_start(book, segment.number, resume=resume)
        finally:
            os.close(lock)
        return handle

    def found(self, book: Book, segment: Segment) -> SshHandle:
        """A segment that another process started, or was about to."""
        return SshHandle(self, book, segment.number, resume=segment.resume)

    def send_start(self, book: Book, number: int, *, resume: bool) -> None:
        """Ask for a segment to be started; asked twice, it is started once.

        Raises:
            UnreachableError: The machine cannot be reached.
        """
        plan = book.state().plan
        given = {
            "id": guest(book, number),
            "command": plan.command,
            "cwd": folder_of(plan, self._target),
            "arguments": _arguments(plan.arguments),
            "deadline_s": plan.deadline_s,
            "expect_s": plan.expect_s,
            "pausable": plan.pausable,
        }
        self.ask("start", id=given["id"], plan=given, resume=resume)

    def fetch_record(self, book: Book, number: int) -> bool:
        """Whether the record of a segment that has ended is kept on this machine, too; the book notes it.

        Raises:
            UnreachableError: The machine cannot be reached.
        """
        text = self.ask("record", id=guest(book, number)).get("record")
        if text is None:
            return False
        try:
            spool.keep(book.folder.parent.parent, Footprint.from_json(text))
            book.write("fetched", segment=number)
        except (RecordError, OSError):  # it lies on the other machine all the same
            return False
        return True

    def ask(self, do: str, **more: Any) -> dict[str, Any]:
        """Answer of the far end.

        Raises:
            UnreachableError: It cannot be reached, or does not answer as it should.
        """
        target = self._target
        there = dataclasses.replace(
            target, host=None, setup=target.setup if target.engine == "slurm" else None
        )
        request = {"do": do, "target": there.as_table() | {"engine": _inner(target)}, **more}
        script = f"cd {shlex.quote(target.workdir or '.')} && exec {shlex.quote(target.python)} -m {__package__}.agent"
        done = answer(target, script, given=json.dumps(request))
        try:
            told = json.loads(done.out.splitlines()[-1])
        except (ValueError, IndexError):
            raise UnreachableError(f"target {target.name} cannot be used: {done.reason}") from None
        if not isinstance(told, dict) or "error" in told:
            reason = told.get("error") if isinstance(told, dict) else told
            raise UnreachableError(f"target {target.name} cannot be used: {reason}")
        return told


def guest(book: Book, number: int) -> str:
    """Name of a segment on the other machine."""
    return f"{book.folder.name}.{number}"


def _inner(target: Target) -> str:
    """Engine that the other machine uses."""
    return "slurm" if target.engine == "slurm" else "local"


def _arguments(given: tuple[str, ...]) -> list[str]:
    """Options of a segment, less the record's file and summary: this machine writes them, when the plan has ended."""
    kept = [one for one in given if one not in ("--json", "--quiet")]
    while "--record" in kept:
        at = kept.index("--record")
        del kept[at : at + 2]
    return [*kept, "--quiet"]
