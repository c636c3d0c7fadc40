"""Runs, estimates and published cases side by side: what differs, and what cannot be said to differ."""

from sootprint.estimator.compare.differences import Difference, differences
from sootprint.estimator.compare.quality import Quality, quality
from sootprint.estimator.compare.sides import Side, grouped
from sootprint.estimator.compare.targets import Reached, Target, reached, target_of
from sootprint.estimator.compare.tools import ToolFigure, by_tools

__all__ = [
    "Difference",
    "Quality",
    "Reached",
    "Side",
    "Target",
    "ToolFigure",
    "by_tools",
    "differences",
    "grouped",
    "quality",
    "reached",
    "target_of",
]
