"""A command that shares the fate of its runner: `python launch.py RUNNER_PID PROGRAM ARGUMENT...` (Linux).

Were it to outlive the runner that writes its exit code, nobody would know whether it finished, and it would be lost or
run twice. So the kernel ends it with the runner; its book then tells that it was cut, and it is started again.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h
NOT_FOUND, NOT_EXECUTABLE = 127, 126


def main(arguments: list[str]) -> int:
    """Exit code where the program cannot be started; else it takes the place of this process."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != int(arguments[0]):  # it was killed meanwhile
        return NOT_EXECUTABLE
    for name in ("SIGPIPE", "SIGXFSZ"):  # this interpreter ignores them, and a program would inherit that
        signal.signal(getattr(signal, name), signal.SIG_DFL)
    try:
        os.execvp(arguments[1], arguments[1:])
    except OSError as err:
        sys.stderr.write(f"{arguments[1]}: {err.strerror}\n")
        return NOT_FOUND if isinstance(err, FileNotFoundError) else NOT_EXECUTABLE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
