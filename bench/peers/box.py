"""Mounts that only one case sees, within namespaces of its own.

A fake powercap tree lies over /sys/class/powercap, where every tool looks for it; a network namespace without
interfaces keeps all of them from calling home.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

SMALL = "2m"


def entry() -> tuple[list[str] | None, str]:
    """Command that enters new namespaces, or None and the reason."""
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    command = ["unshare", *([] if root else ["--user", "--map-root-user"]), "--mount", "--net"]
    try:
        tried = subprocess.run(
            [*command, "mount", "-t", "tmpfs", "tmpfs", "/sys/class"],
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        return None, "there is no `unshare` here"
    if tried.returncode:
        return None, f"no namespace of its own: {tried.stderr.strip().splitlines()[-1:]}"
    return command, ""


def show_tree(tree: Path, spare: Path) -> None:
    """Lay a powercap tree over /sys/class/powercap, which not every machine has."""
    real, shown = spare / "sys", Path("/sys/class")
    real.mkdir(parents=True)
    _mount("--rbind", "/sys", str(real))
    _mount("-t", "tmpfs", "tmpfs", str(shown))
    for kind in [path.name for path in (real / "class").iterdir() if path.name != "powercap"]:
        (shown / kind).mkdir()
        _mount("--bind", str(real / "class" / kind), str(shown / kind))
    (shown / "powercap").mkdir()
    _mount("--bind", str(tree), str(shown / "powercap"))


def prepare(folder: Path, state: str) -> None:
    """Make an output folder small or read-only."""
    if state == "small":
        _mount("-t", "tmpfs", "-o", f"size={SMALL}", "tmpfs", str(folder))
    elif state == "read-only":
        _mount("--bind", str(folder), str(folder))
        _mount("-o", "remount,bind,ro", str(folder))


def cover(file: Path, by: Path) -> None:
    """Lay one file over another."""
    _mount("--bind", str(by), str(file))


def _mount(*words: str) -> None:
    subprocess.run(["mount", *words], check=True)
