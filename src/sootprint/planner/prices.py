"""Prices of electricity from a file, for the cost of a plan."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from sootprint.core import utc
from sootprint.core.errors import InputError
from sootprint.planner.exact import Floats
from sootprint.planner.views import View

TIME, PRICE = "timestamp_utc", "price_per_kwh"


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
