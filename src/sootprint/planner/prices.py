"""Prices of electricity in each zone from a file, for the cost of a plan."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from sootprint.core import utc
from sootprint.core.errors import InputError
from sootprint.planner.exact import Floats
from sootprint.planner.views import View

TIME, PRICE = "timestamp_utc", "price_per_kwh"


def by_zone(files: Mapping[str, Path], currency: str | None, views: Sequence[View]) -> dict[str, Floats]:
    """Price in each step of the zones that have a file; none where their currency is not told [currency/kWh].

    Raises:
        InputError: A file is of no zone of the plan, or cannot be read; the currency is none, or that of nothing.
    """
    zones = [view.zone for view in views]
    foreign = [zone for zone in files if zone not in zones]
    if foreign:
        raise InputError(
            f"prices are stated for {foreign[0]!r}, which is not among the zones {', '.join(zones)}: add it there"
        )
    if currency is None:
        return {}
    if not re.fullmatch("[A-Z]{3}", currency):
        raise InputError(f"currency {currency!r} is no code of three capital letters, e.g. EUR")
    if not files:
        raise InputError(f"the currency {currency} is that of prices: give a file of them, too")
    return {view.zone: prices(files[view.zone], view) for view in views if view.zone in files}


def unpriced(files: Mapping[str, Path], currency: str | None, zones: Sequence[str]) -> Iterator[str]:
    """What to know where a cost is not told though there are prices."""
    if not files:
        return
    missing = [zone for zone in zones if zone not in files]
    if currency is None:
        names = ", ".join(path.name for path in files.values())
        yield f"no cost is told, as nothing names the currency of {names}: state it, e.g. EUR"
    elif missing:
        yield f"no cost is known in {', '.join(missing)}: give its prices, too"


def prices(path: Path, view: View) -> Floats:
    """Price in each step of a view, by the latest row at or before its start, `(n_steps,)` [currency/kWh].

    Args:
        path: CSV with `timestamp_utc` and `price_per_kwh`, in any currency, rising in time.
        view: Steps that need a price.

    Raises:
        InputError: The file cannot be read, or has no price for a step.
    """
    try:
        rows = list(csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines()))
        starts = [utc.instant(row[TIME]) for row in rows]
        values = np.array([float(row[PRICE]) for row in rows])
    except OSError as err:
        raise InputError(f"{path} cannot be read: {err.strerror}") from None
    except (csv.Error, KeyError, TypeError, ValueError) as err:
        raise InputError(f"{path.name} needs rows of {TIME} and {PRICE}: {err} is wrong") from None
    known = np.array([at.timestamp() for at in starts])
    asked = view.start.timestamp() + np.arange(view.expected.size) * view.step.total_seconds()
    usual_s = float(np.median(np.diff(known))) if known.size > 1 else view.step.total_seconds()
    found = np.searchsorted(known, asked, side="right") - 1
    if not known.size or bool((np.diff(known) <= 0.0).any()) or found.min() < 0:
        raise InputError(f"{path.name} must rise in time and have a price at {view.start.isoformat()}")
    if not np.isfinite(values).all():
        raise InputError(f"{path.name} has a {PRICE} that is no number: leave its row out")
    late = asked - known[found] >= max(usual_s, view.step.total_seconds())
    if late.any():
        at = datetime.fromtimestamp(float(asked[late][0]), UTC)
        raise InputError(f"{path.name} has no price at {at.isoformat()}: give a file that covers the window")
    return values[found]
