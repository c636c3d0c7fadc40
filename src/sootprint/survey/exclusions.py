"""What a statistic could not use, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusion:
    """Rows or cells that a statistic could not use.

    Args:
        what: What they are left out of.
        reason: Why.
        count: How many.
        example: First of them.
    """

    what: str
    reason: str
    count: int
    example: str = ""


def exclusions_as_rows(excluded: tuple[Exclusion, ...]) -> list[Mapping[str, str | int]]:
    """Exclusions as plain rows, for tables and JSON."""
    return [
        {"what": one.what, "reason": one.reason, "count": one.count, "example": one.example}
        for one in excluded
    ]
