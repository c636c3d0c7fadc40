"""Claims of our own records and records of claims."""

from __future__ import annotations

import time
from collections.abc import Iterator

from sootprint import __version__
from sootprint.catalogue import zones
from sootprint.core import units
from sootprint.core.errors import CatalogueError
from sootprint.core.ids import uuid7
from sootprint.core.quantity import Quantity
from sootprint.core.records import Footprint, Hardware, Model, Place, Work
from sootprint.estimator.audit.claim import Claim
from sootprint.estimator.filled import year_of

_STAGES = {"search": "search", "distil": "distil", "finetune": "finetune", "pretrain": "pretrain"}
_STAGES |= {"inference": "inference", "development": "development"}
_ARCHITECTURES = (
    ("encdec", ("encoder-decoder", "encdec")),
    ("moe", ("mixture", "moe")),
    ("vision", ("vision",)),
)


def claim_of(footprint: Footprint, *, where: str | None = None) -> Claim:
    """What a record says, as a claim to be checked.

    Args:
        footprint: Record of a run, an estimate or a publication.
        where: File that it came from, for messages.
    """
    device = next((one for one in footprint.hardware if one.kind == "accelerator"), None)
    work, model = footprint.work or Work(), footprint.model or Model()
    assumed = footprint.pue is not None and footprint.pue.basis == "assumed" and footprint.pue.value == 1.0
    duration = footprint.duration_s
    return Claim(
        name=footprint.name or model.name,
        where=where,
        year=year_of(footprint),
        kind=_STAGES.get(footprint.stage),
        architecture=_architecture(model.architecture),
        hardware=device.name if device else None,
        place=footprint.place.zone,
        energy_scope="node",
        measured=footprint.grade in ("A", "B", "C"),
        energy_kwh=_positive(footprint.energy_kwh),
        emissions_kg=footprint.emissions_kg.value if footprint.emissions_kg else None,
        market_based_kg=footprint.market_based_kg.value if footprint.market_based_kg else None,
        intensity_g_per_kwh=_positive(footprint.intensity_g_per_kwh),
        pue=None if assumed or footprint.pue is None else footprint.pue.value,
        wall_hours=units.hours(duration) if duration else None,
        device_hours=_positive(footprint.device_hours),
        count=float(device.count) if device and "hardware.count" not in footprint.unknown else None,
        rated_power_w=device.rated_power_w if device else None,
        params=model.params or None,
        active_params=model.active_params or None,
        tokens=work.tokens or None,
        flops=work.flops or None,
        disclosed=frozenset(_disclosed(footprint, pue=assumed or footprint.boundary != "facility")),
    )


def _disclosed(footprint: Footprint, *, pue: bool) -> Iterator[str]:
    if pue:
        yield "pue"
    if footprint.hardware:  # without an accelerator: processor and memory are not checked against a table
        yield "hardware"


def record_of(claim: Claim) -> Footprint:
    """Record of a claim as it stands: nothing is repaired, what it does not say is unknown."""
    hours = claim.hours_of_devices
    quantities = {
        "energy_kwh": claim.energy_kwh,
        "emissions_kg": claim.emissions_kg if (claim.emissions_kg or 0.0) >= 0.0 else None,
        "market_based_kg": claim.market_based_kg,
        "intensity_g_per_kwh": claim.intensity_g_per_kwh,
        "pue": claim.pue if (claim.pue or 1.0) >= 1.0 else None,
        "device_hours": hours,
    }
    return Footprint(
        id=uuid7(time.time()),
        tool_version=__version__,
        name=claim.name,
        stage=_STAGES.get(claim.kind or "", "other"),
        boundary="facility" if claim.energy_scope == "facility" else claim.energy_scope or "node",
        model=Model(
            name=claim.name,
            architecture=claim.architecture,
            params=claim.params,
            active_params=claim.active_params,
        ),
        work=Work(tokens=claim.tokens, flops=claim.flops),
        duration_s=None if claim.wall_hours is None else units.seconds(claim.wall_hours),
        place=_place(claim.place),
        hardware=_hardware(claim),
        grade="E",
        unknown=tuple(name for name, value in quantities.items() if value is None),
        given=dict(claim.given),
        **{
            name: None if value is None else Quantity(value=value, basis="claimed")
            for name, value in quantities.items()
        },  # type: ignore[arg-type]
    )


def _hardware(claim: Claim) -> tuple[Hardware, ...]:
    if not claim.hardware:
        return ()
    count = int(claim.count) if claim.count and claim.count >= 1.0 else 1
    return (
        Hardware(kind="accelerator", name=claim.hardware, count=count, rated_power_w=claim.rated_power_w),
    )


def _place(text: str | None) -> Place:
    if not text:
        return Place()
    try:
        return zones.locate(text).place
    except CatalogueError:
        return Place()


def _positive(quantity: Quantity | None) -> float | None:
    return quantity.value if quantity is not None and quantity.value > 0.0 else None


def _architecture(text: str | None) -> str | None:
    lower = (text or "").lower()
    return next(
        (one for one, words in _ARCHITECTURES if any(word in lower for word in words)),
        "dense" if lower else None,
    )
