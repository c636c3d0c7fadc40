"""Who measured where, without telling who or where: a pseudonym of the machine, versions, CPU time."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

FRAMEWORKS = ("torch", "tensorflow", "jax", "keras", "sklearn", "transformers", "lightning")


def node(home: Path) -> str | None:
    """Pseudonym of this machine, drawn once and kept in this home; None where it cannot be kept."""
    from sootprint.ledger import nodes

    return nodes.node(home)


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
