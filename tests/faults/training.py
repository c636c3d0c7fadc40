"""A training whose output and end are known: `python training.py FOLDER [options]`.

It prints one line a step on a timetable, so that it says the same however late it was begun, and ends with
exit code 3. In FOLDER/stamps it leaves when it began and ended, on the clock since boot that no test moves.
The timetable begins at the instant that stands in FOLDER/../origin, once that is there.

    --steps N       steps of STEP_S each
    --busy SHARE    part of each step that is spent computing
    --track NAME    measure with sootprint.track, else leave that to whoever starts it
    --then WHAT     what to do in the last step: end, raise, wait, fork, outlive, files, grown, threads
"""

from __future__ import annotations

import argparse
import contextlib
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

EXIT_CODE = 3
STEP_S = 0.4
FOREVER_S = 60.0
FILES = 40  # open files that the training may have where it takes them all
BYTES = 2048  # longest file where none may grow: what the training writes is shorter
MEMORY = 4_000_000  # that is left where a thread has no room [B]


def _nothing() -> None:
    return None


def _compute(duration_s: float) -> None:
    """Use a processor for `duration_s` of its time [s]."""
    until_s = time.process_time() + duration_s
    while time.process_time() < until_s:
        pass


def boot_s() -> float:
    """Seconds since boot, suspension included [s]."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def began_s() -> float:
    """Instant at which this process was started, seconds since boot [s]."""
    words = Path("/proc/self/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return int(words[19]) / os.sysconf("SC_CLK_TCK")


class Training:
    """The steps, and what goes wrong in the last."""

    def __init__(self, told: argparse.Namespace) -> None:
        self.told = told
        self._stamps = os.open(told.folder / "stamps", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._kept: list[int] = []

    def stamp(self, what: str, at_s: float) -> None:
        """Leave an instant for the test."""
        os.write(self._stamps, f"{what} {at_s:.6f}\n".encode("ascii"))

    def run(self) -> int:
        """Exit code of the training."""
        self.stamp("pid", os.getpid())
        getattr(self, f"_first_{self.told.then}", _nothing)()
        measured = self._measured()
        self.stamp("begins", began_s() if self.told.track is None else boot_s())
        with measured as run:
            self._steps()
            self.stamp("ends", boot_s())
        for descriptor in self._kept:
            os.close(descriptor)
        if run is not None and run.footprint is not None:
            with contextlib.suppress(OSError):
                (self.told.folder / "record.json").write_text(run.footprint.to_json(), encoding="utf-8")
        return EXIT_CODE

    def _measured(self) -> contextlib.AbstractContextManager[Any]:
        if self.told.track is None:
            return contextlib.nullcontext()
        import sootprint

        run: contextlib.AbstractContextManager[Any] = sootprint.track(self.told.track)
        return run

    def _origin_s(self) -> float:
        """Instant of the first step's begin, once it is told, since boot [s]."""
        path = self.told.folder.parent / "origin"
        while not path.exists():
            time.sleep(0.02)
        return float(path.read_text(encoding="ascii"))

    def _steps(self) -> None:
        origin_s = self._origin_s()
        for number in range(self.told.steps):
            if number == self.told.steps // 2:
                getattr(self, f"_half_{self.told.then}", _nothing)()
            _compute(self.told.busy * STEP_S)
            until_s = origin_s + (number + 1) * STEP_S
            time.sleep(max(0.0, until_s - boot_s()))
            sys.stdout.write(f"step {number} loss {1.0 / (number + 1):.4f}\n")
            sys.stdout.flush()
        getattr(self, f"_then_{self.told.then}", _nothing)()

    def _then_raise(self) -> None:
        self.stamp("ends", boot_s())
        raise ValueError("loss is not a number")

    def _then_wait(self) -> None:
        self.stamp("waits", boot_s())
        time.sleep(FOREVER_S)

    def _half_fork(self) -> None:
        """Workers that are forked and end in two ways, without another program."""
        for leave in (sys.exit, os._exit):
            if os.fork() == 0:
                time.sleep(STEP_S)
                leave(0)
        for _ in range(2):
            os.wait()

    def _half_outlive(self) -> None:
        """A worker that goes on for a while after the training, with all that it was forked with."""
        if os.fork() == 0:
            os.close(1)
            os.close(2)
            time.sleep(self.told.steps * STEP_S + 1.0)
            sys.exit(0)

    def _half_files(self) -> None:
        """Every file that the process may open."""
        resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, FILES))
        with contextlib.suppress(OSError):
            while True:
                self._kept.append(os.open("/dev/null", os.O_RDONLY))

    def _half_grown(self) -> None:
        """No file may grow any more."""
        resource.setrlimit(resource.RLIMIT_FSIZE, (BYTES, resource.RLIM_INFINITY))

    def _first_threads(self) -> None:
        """No memory for the stack of one more thread."""
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        resource.setrlimit(
            resource.RLIMIT_AS, (pages * resource.getpagesize() + MEMORY, resource.RLIM_INFINITY)
        )


def main() -> int:
    """Train."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--busy", type=float, default=0.0)
    parser.add_argument("--track")
    parser.add_argument("--then", default="end")
    return Training(parser.parse_args()).run()


if __name__ == "__main__":
    sys.exit(main())
