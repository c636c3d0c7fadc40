"""What the hub says of a stored record: claimed beside recomputed, grade, checks, marks, history."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy.engine import Engine

from sootprint.core.quantity import Quantity
from sootprint.core.records import Footprint
from sootprint.hub import evidence, findings, ingest, reading, truth
from sootprint.hub.reading import Stored


def assessment(engine: Engine, stored: Stored) -> dict[str, Any]:
    """Judgement on a version of a record, ready for JSON."""
    row = stored.row
    said = {
        "id": row["id"],
        "version": stored.version,
        "newest_version": row["version"],
        "state": row["state"],
        "origin": row["origin"],
        "submitted_at": stored.at,
        "reason": stored.reason,
        "sha256": stored.sha256,
        "history": reading.history(engine, row["id"]),
    }
    if stored.text is None:
        return said
    footprint = stored.footprint
    made = stored.recomputed or _made(footprint)
    detail = made["detail"]
    return said | {
        "grade_claimed": footprint.grade,
        "grade_supported": evidence.supported(footprint),
        "grade_counted": evidence.counted(footprint),
        "verification": stored.own["verification"],
        "engine": made["engine"],
        "energy_kwh": _beside(footprint.energy_kwh, made, "energy", "kwh"),
        "emissions_kg": _beside(footprint.emissions_kg, made, "emissions", "kg"),
        **{name: detail[name] for name in ("method", "marks", "notes", "factors")},
        "findings": detail.get("findings", []),  # versions before the audit was wired in have none
    }


def _made(footprint: Footprint) -> dict[str, Any]:
    """What the hub makes of a version of which it keeps no recomputation."""
    row = ingest.recomputed_row(truth.recompute(footprint))
    return {**row, "detail": json.loads(row["detail"])}


def preview(footprint: Footprint) -> dict[str, Any]:
    """What the hub would say of a record that is not stored."""
    made = truth.recompute(footprint)
    return {
        "id": footprint.id,
        "grade_counted": evidence.counted(footprint),
        "verification": made.verification,
        "energy_kwh": _plain(made.energy_kwh),
        "emissions_kg": _plain(made.emissions_kg),
        "energy_ratio": made.energy_ratio,
        "emissions_ratio": made.emissions_ratio,
        "marks": list(made.marks),
        "notes": list(made.notes),
        "findings": findings.plain(made.findings),
    }


def _beside(claimed: Quantity | None, made: dict[str, Any], name: str, unit: str) -> dict[str, Any]:
    value = made[f"{name}_{unit}"]
    recomputed = None
    if value is not None:
        low, high = made[f"{name}_low_{unit}"], made[f"{name}_high_{unit}"]
        recomputed = {"value": value, "low": low, "high": high}
    return {"claimed": _plain(claimed), "recomputed": recomputed, "ratio": made[f"{name}_ratio"]}


def _plain(quantity: Quantity | None) -> dict[str, Any] | None:
    if quantity is None:
        return None
    return {"value": quantity.value, "low": quantity.low, "high": quantity.high, "basis": quantity.basis}
