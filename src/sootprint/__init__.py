"""Sootprint: the carbon footprint of machine-learning training, measured, estimated, reported and reduced.

Public names load on first use, so that `import sootprint` costs nothing a training would notice.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False  # the typing module would take most of the time of this import
if TYPE_CHECKING:
    from typing import Any

    from sootprint import report as report
    from sootprint import survey as survey
    from sootprint.core.errors import (
        CatalogueError,
        ExportError,
        HubError,
        InputError,
        IntensityError,
        MeterError,
        RecordError,
        SettingsError,
        SootprintError,
    )
    from sootprint.core.merging import merge
    from sootprint.core.protocols import FakeClock, Machine, Reading
    from sootprint.core.quantity import Factor, Quantity
    from sootprint.core.records import Footprint
    from sootprint.estimator import estimate, predict
    from sootprint.planner.proposal import plan
    from sootprint.tracker import Run, track
    from sootprint.tracker.pausing import pause_requested

__version__ = "0.1.0"

_HOMES = {
    "CatalogueError": "sootprint.core.errors",
    "ExportError": "sootprint.core.errors",
    "Factor": "sootprint.core.quantity",
    "FakeClock": "sootprint.core.protocols",
    "Footprint": "sootprint.core.records",
    "HubError": "sootprint.core.errors",
    "InputError": "sootprint.core.errors",
    "IntensityError": "sootprint.core.errors",
    "Machine": "sootprint.core.protocols",
    "MeterError": "sootprint.core.errors",
    "Quantity": "sootprint.core.quantity",
    "Reading": "sootprint.core.protocols",
    "RecordError": "sootprint.core.errors",
    "Run": "sootprint.tracker",
    "SettingsError": "sootprint.core.errors",
    "SootprintError": "sootprint.core.errors",
    "estimate": "sootprint.estimator",
    "merge": "sootprint.core.merging",
    "pause_requested": "sootprint.tracker.pausing",
    "plan": "sootprint.planner.proposal",
    "predict": "sootprint.estimator",
    "track": "sootprint.tracker",
}

__all__ = [
    "CatalogueError",
    "ExportError",
    "Factor",
    "FakeClock",
    "Footprint",
    "HubError",
    "InputError",
    "IntensityError",
    "Machine",
    "MeterError",
    "Quantity",
    "Reading",
    "RecordError",
    "Run",
    "SettingsError",
    "SootprintError",
    "__version__",
    "estimate",
    "merge",
    "pause_requested",
    "plan",
    "predict",
    "track",
]


_MODULES = ("report", "survey")  # modules that `import sootprint` alone gives access to


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return _module(f"sootprint.{name}")
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'sootprint' has no attribute {name!r}")
    value = getattr(_module(home), name)
    globals()[name] = value
    return value


def _module(name: str) -> Any:
    """A module of ours; `importlib` itself would be loaded for it, and `warnings` with that."""
    __import__(name)
    return sys.modules[name]


def __dir__() -> list[str]:
    return sorted(__all__)
