"""Sums over the monthly statements of cloud providers, which stand apart from those over runs that they hold."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sootprint.ledger import rows
from sootprint.ledger.rows import RunRow

COLUMNS = ("location_based_kg", "market_based_kg", "scope3_kg", "stated_kg")
_SCOPE_3 = ("scope3_kg", "scope3_market_kg")


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementRow:
    """Sum over the statements that share a project, month, year, tag or provider; methods are never summed together.

    Args:
        key: What they share; None for statements without it.
        statements: Number of statements [1].
        location_based_kg: Operational emissions, location-based, of those that tell them [kgCO2e].
        market_based_kg: Operational emissions, market-based, of those that tell them [kgCO2e].
        scope3_kg: Emissions of scope 3 of those that tell them [kgCO2e].
        stated_kg: Sums whose scopes and method the provider does not tell [kgCO2e].
        without: Statements that do not tell each of these [1].
        keys: What they share, one for each thing that was asked for.
    """

    key: str | None
    statements: int
    location_based_kg: float | None
    market_based_kg: float | None
    scope3_kg: float | None
    stated_kg: float | None
    without: dict[str, int]
    keys: tuple[str | None, ...] = ()


def summaries(
    runs: Iterable[RunRow], by: str, records: Mapping[str, Mapping[str, Any]]
) -> list[StatementRow]:
    """Sums over statements by project, month, year, tag or one tag's value, or several of these, ordered as runs are.

    Args:
        runs: Runs of a ledger; those that are no statements are left out.
        by: project, month, year, tag or tag:KEY, or several with commas between.
        records: Fields of the statements' records, by identity.

    Raises:
        InputError: `by` is none of them.
    """
    groups = rows.grouped([run for run in runs if rows.STATEMENT in run.tags], by)
    made = [_row(keys, [records[run.id] for run in members]) for keys, members in groups.items()]
    if rows.is_in_order(by):
        return sorted(made, key=lambda row: rows.in_order(row.keys))
    return sorted(made, key=lambda row: (-(row.location_based_kg or -1.0), row.key or ""))


def total(listed: list[StatementRow]) -> StatementRow:
    """Sum of rows that have no statement in common."""
    sums: dict[str, Any] = {name: _sum([getattr(row, name) for row in listed]) for name in COLUMNS}
    without = {name: sum(row.without[name] for row in listed) for name in COLUMNS}
    return StatementRow(
        key="total", statements=sum(row.statements for row in listed), without=without, **sums
    )


def _row(keys: tuple[str | None, ...], records: list[Mapping[str, Any]]) -> StatementRow:
    told = [_told(record) for record in records]
    sums: dict[str, Any] = {name: _sum([one[name] for one in told]) for name in COLUMNS}
    return StatementRow(
        key=rows.named(keys),
        keys=keys,
        statements=len(records),
        without={name: sum(one[name] is None for one in told) for name in COLUMNS},
        **sums,
    )


def _told(record: Mapping[str, Any]) -> dict[str, float | None]:
    given = record.get("given") or {}
    return {
        "location_based_kg": _value(record.get("emissions_kg")),
        "market_based_kg": _value(record.get("market_based_kg")),
        "scope3_kg": next((given[name] for name in _SCOPE_3 if name in given), None),
        "stated_kg": given.get("stated_kg"),
    }


def _value(quantity: Any) -> float | None:
    return quantity.get("value") if isinstance(quantity, dict) else None


def _sum(values: list[float | None]) -> float | None:
    known = [one for one in values if one is not None]
    return math.fsum(known) if known else None
