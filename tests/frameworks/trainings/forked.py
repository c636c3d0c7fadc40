"""Segments of trainings, each in a process of its own that finds its framework loaded: `forked.py FRAMEWORK GROUPS`.

The groups are JSON: lists of `[folder, training, arguments, environ]` that run side by side. Prints their exit codes.
"""

from __future__ import annotations

import importlib
import json
import os
import runpy
import sys
from pathlib import Path

os.environ["KERAS_BACKEND"] = "torch"
sys.path.insert(0, str(Path(__file__).parent))
for name in [
    "torch._dynamo",
    *sys.argv[1].split(","),
]:  # the first one is what an optimiser loads at its first step
    importlib.import_module(name)


def forked(folder: str, training: str, arguments: list[str], environ: dict[str, str]) -> int:
    """Number of the process that trains."""
    pid = os.fork()
    if pid == 0:
        os.chdir(folder)
        os.environ.update(environ)
        path = Path(__file__).with_name(f"{training}.py")
        sys.argv = [str(path), *arguments]
        runpy.run_path(str(path), run_name="__main__")
        sys.exit(0)
    return pid


codes = []
for group in json.loads(sys.argv[2]):
    pids = [forked(*segment) for segment in group]
    codes.append([os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids])
sys.stdout.write(json.dumps(codes))
