"""Engines that start, pause and resume jobs, and the book in which each step of a plan is written before it is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sootprint.core.protocols import Engine
    from sootprint.settings.targets import Target


def engine_of(target: Target | None) -> Engine:
    """Engine that starts jobs in a place; this machine's processes where None."""
    if target is not None and target.is_remote:
        from sootprint.engines.ssh import SshEngine

        return SshEngine(target)
    if target is not None and target.engine == "slurm":
        from sootprint.engines.slurm import SlurmEngine

        return SlurmEngine(target)
    from sootprint.engines.local import LocalEngine

    return LocalEngine(target)
