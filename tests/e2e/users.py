"""Processes of other users, where the tests run as root."""

from __future__ import annotations

import functools
import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NEEDED = tuple(dict.fromkeys(str(Path(path).resolve()) for path in (sys.base_prefix, sys.prefix, ROOT)))
NO_USERS = "processes of other users need root, setpriv and unshare"


def need_users() -> None:
    """Skip the test where no process of another user can be started."""
    if not _works():
        pytest.skip(NO_USERS)


@functools.cache
def _works() -> bool:
    if os.getuid() != 0:
        return False
    asked = as_user(1501, [sys.executable, "-c", "import json, os; print(os.getresuid())"])
    try:
        done = subprocess.run(asked, capture_output=True, text=True, timeout=120)
    except OSError:
        return False
    return done.stdout == "(1501, 1501, 1501)\n"


def as_user(uid: int, command: Sequence[str]) -> list[str]:
    """Command that runs as a user without any right of root, who sees the interpreter even where root hides it."""
    drop = f"exec setpriv --reuid={uid} --regid={uid} --clear-groups --inh-caps=-all -- {shlex.join(command)}"
    hidden = sorted({folder for path in NEEDED if (folder := _hidden_above(path))})
    if not hidden:
        return ["sh", "-c", drop]
    shown = [path for path in NEEDED if _hidden_above(path)]
    lines = ["set -e", "cd /", "spare=/mnt", "mount -t tmpfs spare $spare"]
    for number, path in enumerate(shown):
        lines += [f"mkdir $spare/{number}", f"mount --bind {shlex.quote(path)} $spare/{number}"]
    lines += [f"mount -t tmpfs -o mode=755 hidden {shlex.quote(folder)}" for folder in hidden]
    for number, path in enumerate(shown):
        lines += [f"mkdir -p {shlex.quote(path)}", f"mount --bind $spare/{number} {shlex.quote(path)}"]
    return [
        "unshare",
        "--mount",
        "--propagation",
        "private",
        "sh",
        "-c",
        "\n".join([*lines, 'cd "$OLDPWD"', drop]),
    ]


def _hidden_above(path: str) -> str | None:
    """Highest folder above a path that others may not enter, or None."""
    for folder in reversed(Path(path).parents):
        if not folder.stat().st_mode & 0o001:
            return str(folder)
    return None
