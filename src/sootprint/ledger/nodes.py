"""Pseudonyms of machines: random, kept in the user's own directory, so that a record tells nothing about a machine."""

from __future__ import annotations

import os
from pathlib import Path

PSEUDONYM_LENGTH = 16


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
