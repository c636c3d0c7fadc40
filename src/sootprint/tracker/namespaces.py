"""Processes of other namespaces of process numbers, as containers have them, by the numbers that they have here.

Source:
    Linux kernel, pid_namespaces(7) and proc_pid_status(5) (2025): NSpid has a process's number in each namespace from
    that of the reader inwards.
"""

from __future__ import annotations

import os

from sootprint.meters import files

MOST_BYTES = 16_384  # of /proc/PID/status


def pid_here(pid: int, namespace: int, procfs: str) -> int | None:
    """Number that a process of another namespace has here, or None where it cannot be seen from here.

    Args:
        pid: Its number there.
        namespace: Number of that namespace.
        procfs: Root of the process tree.
    """
    try:
        listed = [name for name in os.listdir(procfs) if name.isdigit() and name.isascii()]  # noqa: PTH208
    except OSError:
        return None
    for name in listed:
        if _namespace_of(f"{procfs}/{name}") == namespace and _inmost(f"{procfs}/{name}") == pid:
            return int(name)
    return None


def _namespace_of(folder: str) -> int | None:
    try:
        return files.whole(os.readlink(f"{folder}/ns/pid").removeprefix("pid:[").removesuffix("]"))  # noqa: PTH115
    except OSError:
        return None


def _inmost(folder: str) -> int | None:
    """Number of a process in its own namespace."""
    for line in (files.text(f"{folder}/status", limit=MOST_BYTES) or "").splitlines():
        name, _, numbers = line.partition(":")
        if name == "NSpid" and numbers.split():
            return files.whole(numbers.split()[-1])
    return None
