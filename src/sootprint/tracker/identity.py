"""Who measured where, without telling who or where: a pseudonym of the machine, versions, CPU time."""

from __future__ import annotations

import os
import sys
from pathlib import Path

PSEUDONYM_LENGTH = 16
FRAMEWORKS = ("torch", "tensorflow", "jax", "keras", "sklearn", "transformers", "lightning")


def node(home: Path) -> str | None:
    """Pseudonym of this machine, drawn once and kept in this home; None where it cannot be kept.

    It is random, so that it tells nothing about the machine, and two homes never give the same.
    """
    try:
        return _known(home / "nodes", _machine_id()) or _drawn(home / "nodes", _machine_id())
    except OSError:
        return None


def _machine_id() -> str:
    try:
        return Path("/etc/machine-id").read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return "this machine"


def _known(path: Path, machine: str) -> str | None:
    """Pseudonym of the first line of a machine, or None."""
    if not path.exists():
        return None
    for line in path.read_text(encoding="ascii", errors="replace").splitlines():
        name, _, pseudonym = line.rpartition(" ")
        if name == machine and len(pseudonym) == PSEUDONYM_LENGTH:
            return pseudonym
    return None


def _drawn(path: Path, machine: str) -> str | None:
    """Pseudonym that was added in one write; where two runs add one at once, the first line counts."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.write(descriptor, f"{machine} {os.urandom(PSEUDONYM_LENGTH // 2).hex()}\n".encode("ascii"))
    os.close(descriptor)
    return _known(path, machine)


def software() -> dict[str, str]:
    """Versions of Python, the operating system's kernel, and the frameworks that are loaded."""
    system = os.uname() if hasattr(os, "uname") else None
    found = {"python": ".".join(map(str, sys.version_info[:3])), "os": sys.platform}
    if system is not None:
        found["os"] = f"{system.sysname} {system.release}"
    for name in FRAMEWORKS:
        version = getattr(sys.modules.get(name), "__version__", None)
        if isinstance(version, str):
            found[name] = version
    return found


def cpu_time_s() -> float:
    """CPU time of this process and the children it has waited for [s]."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system
