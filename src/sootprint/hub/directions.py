"""Directions of metrics, by their names."""

from __future__ import annotations

import re

_LOWER = re.compile(
    r"perplex|ppl|loss|error|\bwer\b|\bcer\b|\bmae\b|rmse|\bfid\b|latency|bits", re.IGNORECASE
)


def is_higher_better(metric: str) -> bool:
    """Direction of a metric by its name.

    >>> is_higher_better("Top-1 accuracy"), is_higher_better("Perplexity")
    (True, False)
    """
    return _LOWER.search(metric) is None
