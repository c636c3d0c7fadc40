"""Engines that start, pause and resume jobs, and the book in which each step of a plan is written before it is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sootprint.core import registry

if TYPE_CHECKING:
    from sootprint.core.protocols import Engine
    from sootprint.settings.targets import Target


def engine_of(target: Target | None) -> Engine:
    """Engine that starts jobs in a place; this machine's processes where None."""
    name = "local" if target is None else "ssh" if target.is_remote else target.engine
    engine: Engine = registry.load("sootprint.engines", name)(target)
    return engine
