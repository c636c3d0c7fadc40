"""Currency of a cost: a record's cost is a bare number, and what it is counted in stands beside it."""

from __future__ import annotations

from collections.abc import Iterable

from sootprint.core.records import Footprint


def currency_of(footprint: Footprint) -> str | None:
    """Currency of a record's cost: that of its price, else as given; None where nothing tells it."""
    prices = (one.unit.partition("/")[0] for one in footprint.factors if one.kind == "price")
    return next(prices, None) or str(footprint.given.get("currency") or "") or None


def common_currency(footprints: Iterable[Footprint]) -> str | None:
    """Currency of all costs of some records; None where they differ, or where one of them tells none."""
    found = {currency_of(one) for one in footprints if one.cost is not None}
    return found.pop() if len(found) == 1 else None
