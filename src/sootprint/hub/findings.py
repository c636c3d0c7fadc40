"""Audit of a record: what its numbers imply of each other, by the same rules as `sootprint audit`."""

from __future__ import annotations

import dataclasses
from typing import Any

from sootprint.core.errors import InputError
from sootprint.core.records import Footprint
from sootprint.estimator.audit import Finding, audit, claim_of

MOST = 40  # of one record that are kept
LETTERS = 200  # of a name that is looked up: a record may hold a text of megabytes
# Ratios that the recomputation judges with its own, wider band: shown, but no reason for a review by themselves
_BANDED = frozenset({"emissions-arithmetic", "energy-arithmetic", "emissions-of-hardware"})
_NAMES = ("name", "hardware", "place", "architecture")
_KEPT = ("rule", "severity", "field", "message", "cause", "confidence")


def of(footprint: Footprint) -> tuple[Finding, ...]:
    """Findings on a record, errors first; none for a life cycle, whose stages have factors of their own."""
    if footprint.stages:
        return ()
    try:
        claim = claim_of(footprint)
        said = {name: getattr(claim, name) for name in _NAMES}
        short: dict[str, Any] = {
            name: text[:LETTERS] for name, text in said.items() if text and text[LETTERS:]
        }
        return audit(dataclasses.replace(claim, **short) if short else claim)[:MOST]
    except (InputError, ArithmeticError):  # a number that no claim can have: the schema alone speaks of it
        return ()


def marks(found: tuple[Finding, ...]) -> tuple[str, ...]:
    """Why findings put a record before a reviewer: its numbers contradict each other, or what is possible."""
    wrong = (one for one in found if one.severity == "error" and one.rule not in _BANDED)
    return tuple(f"{one.message} ({one.rule})" for one in wrong)


def plain(found: tuple[Finding, ...]) -> list[dict[str, Any]]:
    """Findings as they are kept and shown."""
    return [{name: getattr(one, name) for name in _KEPT} for one in found]
