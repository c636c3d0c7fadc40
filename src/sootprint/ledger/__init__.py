"""Runs of this machine: one SQLite file with a row for each version of a record, and a spool in front of it.

A record is written to the spool first, so that a locked, full or damaged database loses nothing. A training needs
`leave` alone; the rest loads on first use.
"""

from __future__ import annotations

import sys

from sootprint.ledger.spool import STATES, keep, leave, make_room

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from sootprint.ledger.rows import RunRow, SummaryRow
    from sootprint.ledger.store import Ledger

__all__ = ["STATES", "Ledger", "RunRow", "SummaryRow", "keep", "leave", "make_room"]

_HOMES = {"Ledger": "store", "RunRow": "rows", "SummaryRow": "rows"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'sootprint.ledger' has no attribute {name!r}")
    home = f"sootprint.ledger.{_HOMES[name]}"
    __import__(home)
    return getattr(sys.modules[home], name)
