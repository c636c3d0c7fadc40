"""Who measured where, without telling who or where: a salted hash of the machine, versions, CPU time."""

from __future__ import annotations

import os
import sys
from pathlib import Path

FRAMEWORKS = ("torch", "tensorflow", "jax", "keras", "sklearn", "transformers", "lightning")


def node(home: Path) -> str | None:
    """Hash of this machine with a secret of this home; None where the secret cannot be kept."""
    import hashlib
    import socket

    try:
        salt = _salt(home / "salt")
    except OSError:
        return None
    try:
        machine = Path("/etc/machine-id").read_bytes()
    except OSError:
        machine = b""
    return hashlib.sha256(salt + (machine.strip() or socket.gethostname().encode())).hexdigest()[:16]


def _salt(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        secret = os.urandom(16)
        try:
            fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:  # another run of ours came first
            return path.read_bytes()
        os.write(fd, secret)
        os.close(fd)
        return secret


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
