"""Jobs and pods that the kernel's control groups show.

Source:
    Kubernetes, Configuring a cgroup driver (2025); Slurm, cgroup v1 and v2 plugins (2026): names of the groups.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from sootprint.tracker.cgroups import Container, container_at

ROOTS = ("kubepods", "slurm")  # parts of the names below which jobs and pods stand
DEPTH_ABOVE, DEPTH_BELOW = 3, 3
MOST_FOLDERS = 20_000
_V1 = ("cpuacct", "cpu,cpuacct", "unified")


def groups(sysfs: str) -> dict[tuple[str, str], Container]:
    """Slurm jobs and Kubernetes pods that have a control group which counts CPU time, by kind and identity."""
    found: dict[tuple[str, str], Container] = {}
    for root, version in _hierarchies(f"{sysfs}/fs/cgroup"):
        for path in _folders(root):
            container = container_at(path, root, version)
            if container is not None:
                found.setdefault(container.whole, container)
    return found


def _hierarchies(mount: str) -> Iterator[tuple[str, str]]:
    """Folder of each hierarchy that counts CPU time, and the version of the machine's control groups."""
    if os.path.exists(f"{mount}/cgroup.controllers"):  # noqa: PTH110 - a text suffices
        yield mount, "2"
        return
    hybrid = os.path.isdir(f"{mount}/unified")  # noqa: PTH112
    for name in _V1:
        if os.path.isdir(f"{mount}/{name}"):  # noqa: PTH112
            yield f"{mount}/{name}", "hybrid" if hybrid else "1"


def _folders(root: str) -> Iterator[str]:
    """Folders near the root that belong to Slurm or Kubernetes, and those below them."""
    waiting = [(root, 0, DEPTH_ABOVE)]
    seen = 0
    while waiting and seen < MOST_FOLDERS:
        folder, inside, left = waiting.pop()
        for name in _names(folder):
            path = f"{folder}/{name}"
            seen += 1
            if inside or any(one in name for one in ROOTS):
                yield path
                if not inside or left > 0:
                    waiting.append((path, 1, left - 1 if inside else DEPTH_BELOW))
            elif left > 1:
                waiting.append((path, 0, left - 1))


def _names(folder: str) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []
